"""Whether measures at initialisation predict what structure does not, on surveys of digits MLPs.

Structure cannot know which inputs matter. Zero-cost measures see one batch of the training data: the published ones,
and which informative inputs are read by neurons that the outputs depend on.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.networks import NetworkSpec
from nas.prediction.examples import survey_examples
from nas.store.survey_table import SurveyTable
from nas.studies.prediction import read_population
from nas.studies.tables import Watch, check_study, format_estimate, format_share, table_of, write_results
from nas.tasks import load_task
from nas.zero_cost import zero_cost_columns
from predictors.regressors import fit_ridge
from predictors.validation import (
    difference,
    estimate_r2,
    noise_ceiling,
    out_of_fold,
    read_ceiling,
    read_estimate,
    repeated_folds,
)
from predictors.validation.fits import Predict

__all__ = ["POPULATIONS", "pages", "zero_cost_study"]

POPULATIONS = ("digits-controlled-fixed", "digits-controlled-varying", "digits-natural-fixed")
"""Surveys of `nas.studies.prediction` in which wirings differ little in size, or in what they read."""

_READS = "zc_discriminant_reads"
_SEEN = 1000
"""Wirings, evenly from all, that the form of the last measure was chosen by; they are left out here."""
_REPEATS, _FOLDS = 4, 5


def zero_cost_study(out: Path, atlas: Path, watch: Watch = lambda _: None) -> dict[str, Any]:
    """Compare structure, zero-cost measures and both on surveys, and write a table; see `nas.studies.tables`."""
    check_study(out, "prediction", "zero-cost")
    found = {}
    for name in POPULATIONS:
        watch(name)
        found[name] = _judged(read_population(atlas, name))
    return {"out": str(out), "populations": write_results(out, "zero-cost.json", found, pages)}


def _judged(table: SurveyTable) -> dict[str, Any]:
    examples = survey_examples(table, most=table.n_wirings)
    seen = np.linspace(0, len(examples) - 1, min(_SEEN, len(examples) // 2)).round().astype(np.int64)
    fresh = np.setdiff1d(np.arange(len(examples)), seen)
    training = examples.training().rows(fresh)
    task = load_task(str(table.identity["task"]))
    spec = NetworkSpec("mlp", activation=str(table.identity["activation"]))
    measures = zero_cost_columns([examples.wirings[index] for index in fresh.tolist()], spec, task)
    zero_cost = np.stack(list(measures.values()), axis=1)
    sets = {
        "structure": training.X,
        "zero-cost": zero_cost,
        "informative reads alone": measures[_READS][:, None],
        "structure and zero-cost": np.concatenate([training.X, zero_cost], axis=1),
    }
    y, groups = training.means, training.groups.tolist()
    parts = repeated_folds(len(y), _FOLDS, _REPEATS, groups)
    predicted = {name: out_of_fold(_ridge, X, y, parts, groups) for name, X in sets.items()}
    return {
        "n": len(y),
        "seen": len(seen),
        "folds": _FOLDS,
        "repeats": _REPEATS,
        "ceiling": noise_ceiling(training.labels),
        "r2": {name: estimate_r2(y, rows, groups) for name, rows in predicted.items()},
        "gain": {
            name: difference(y, rows, predicted["structure"], groups)
            for name, rows in predicted.items()
            if name != "structure"
        },
    }


def _ridge(X: NDArray[np.float64], y: NDArray[np.float64], groups: NDArray[np.int64], seed: int) -> Predict:  # noqa: ARG001
    return fit_ridge(X, y).predict


def pages(numbers: Mapping[str, Any]) -> dict[str, str]:
    """Return the text of every page by the name of its file, from the numbers as they are read back.

    Numbers of an older version do not say how many folds, repeats and wirings left out there were.
    """
    rows = []
    for name, population in numbers.items():
        ceiling = read_ceiling(population["ceiling"])
        for columns, stored in population["r2"].items():
            r2 = read_estimate(stored)
            gain = population["gain"].get(columns)
            rows.append(
                {
                    "population": name,
                    "columns": columns,
                    "R2": format_estimate(r2),
                    "share of the ceiling": "–" if ceiling is None else format_share(*ceiling.share_of(r2)),
                    "over structure": "" if gain is None else format_estimate(read_estimate(gain), "+"),
                }
            )
    first = next(iter(numbers.values()))
    text = _TEXT.format(
        table=table_of(rows),
        n=first["n"],
        seen=first.get("seen", _SEEN),
        repeats=first.get("repeats", _REPEATS),
        folds=first.get("folds", _FOLDS),
    )
    return {"zero-cost.md": text}


_TEXT = """\
# What structure cannot know

Made by `wirenas study zero-cost`, on the surveys of `wirenas study prediction`: R2 of mean validation accuracy by a
ridge regression, out of fold ({repeats} repeats of {folds} folds), with 95 % intervals over the {n:,} wirings that are
predicted; the ridges are not fitted anew for them. The share of the ceiling is R2 over it; its brackets are what the
worst ends of both intervals allow, cut at 0 and 100 %. "Zero-cost" are 16 measures of untrained networks on one batch
of the training data (`nas.zero_cost`). "Informative reads" is one of them: how often inputs that tell classes apart are
read by neurons that the outputs depend on. Its form was chosen by its correlation with accuracy on {seen:,} wirings of
these surveys, which are left out here. All of this is one task, digits: what a measure is worth on others is not known
from it.

{table}
"""
