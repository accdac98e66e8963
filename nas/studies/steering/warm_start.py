"""What a predictor from MNIST is worth to a search on Fashion-MNIST, in its first trainings.

Both searches choose among trained wirings: one starts from nothing, the other from a predictor of the same family of
wirings on another task.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.prediction.answers import load_predictor
from nas.store.survey_table import load_survey
from nas.studies.steering.arms import at_random, start_up, steered
from nas.studies.steering.replay import Arm, read_pool, replay
from nas.studies.steering.study import POOLS
from nas.studies.tables import (
    Difference,
    Watch,
    check_study,
    describe_differences,
    format_estimate,
    paired_difference,
    table_of,
    write_results,
)
from nas.survey import Survey
from nas.tasks import load_task
from nas.training.extension import describe_machine

__all__ = ["SEEDS", "TARGET", "TRIALS", "pages", "warm_start"]

SOURCE = "mnist-natural-varying"
TARGET = {**POOLS[SOURCE], "task": "fashion-mnist", "seed": 1}
"""Options of the survey that is searched: other wirings than those that the predictor knows, on another task."""
TARGET_NAME = "fashion-natural-varying"
TRIALS, SEEDS = 20, 40
WARM = "warm start"
_AFTER = (1, 5, 10, 20)


def warm_start(
    out: Path, atlas: Path, data: Path | None = None, seeds: int = SEEDS, watch: Watch = lambda _: None
) -> dict[str, Any]:
    """Run both searches with every seed, compare them in pairs, and write numbers and a table.

    Parameters
    ----------
    out, atlas, watch
        See `nas.studies.tables`.
    data : Path, optional
        Folder of the image files, for a survey that is not complete.
    seeds : int
        Runs of each search.
    """
    check_study(out, "steering", "warm-start")
    for name, options in ((SOURCE, POOLS[SOURCE]), (TARGET_NAME, TARGET)):
        if load_survey(atlas / name).n_wirings < options["wirings"]:
            watch(f"{name}: survey")
            Survey(atlas / name, **{**options, "task": load_task(options["task"], data)}).run()
    predictor = load_predictor(atlas / SOURCE)
    pool = read_pool(TARGET_NAME, load_survey(atlas / TARGET_NAME))
    arms: dict[str, Arm] = {
        WARM: partial(steered, warm_start=predictor),
        "from scratch": steered,
        "random": at_random,
    }
    truths: dict[str, list[NDArray[np.float64]]] = {name: [] for name in arms}
    for seed in range(seeds):
        for name, arm in arms.items():
            start = start_up(pool, seed) if name == "from scratch" else ()
            truths[name].append(pool.truth[replay(pool, name, arm, seed, start, TRIALS).members])
        if (seed + 1) % max(1, seeds // 10) == 0:
            watch(f"{seed + 1} of {seeds} seeds")
    found = _compared({name: np.array(rows) for name, rows in truths.items()})
    document = {"trials": TRIALS, "seeds": seeds, "machine": describe_machine(), "arms": found}
    numbers = write_results(out, "warm-start.json", document, pages)
    return {"out": str(out), "arms": numbers["arms"]}


def _compared(truths: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, rows in truths.items():
        found[name] = {"mean": float(rows.mean()), "best": {k: float(rows[:, :k].max(axis=1).mean()) for k in _AFTER}}
        if name != WARM:
            ahead = paired_difference(truths[WARM].mean(axis=1), rows.mean(axis=1))
            best = paired_difference(truths[WARM].max(axis=1), rows.max(axis=1))
            found[name] |= {"warm_ahead": ahead, "warm_ahead_in_best": best}
    return found


def pages(numbers: Mapping[str, Any]) -> dict[str, str]:
    """Return the text of every page by the name of its file, from the numbers as they are read back."""
    trials, arms = numbers["trials"], numbers["arms"]
    measures = {
        "warm_ahead": "warm start ahead in the mean",
        "warm_ahead_in_best": f"ahead in the best of {trials}",
    }
    ahead = {key: {name: Difference(**own[key]) for name, own in arms.items() if key in own} for key in measures}
    rows = [
        {
            "search": name,
            f"mean of {trials}": f"{own['mean']:.4f}",
            **{f"best of {k}": f"{best:.4f}" for k, best in own["best"].items()},
            **{head: format_estimate(ahead[key][name], "+", 4) if key in own else "" for key, head in measures.items()},
        }
        for name, own in arms.items()
    ]
    text = _TEXT.format(
        trials=trials,
        seeds=numbers["seeds"],
        table=table_of(rows),
        mean=_describe(ahead["warm_ahead"]),
        best=_describe(ahead["warm_ahead_in_best"]),
        machine=numbers["machine"],
    )
    return {"warm-start.md": text}


def _describe(ahead: Mapping[str, Difference]) -> str:
    """Say which searches the warm start is ahead of, by intervals that leave 0 out."""
    quoted = {f'"{name}"': difference for name, difference in ahead.items()}
    return describe_differences(quoted, ("ahead of {}", "BEHIND {}", "not told apart from {}"))


_TEXT = """\
# Warm start

A predictor of 2,000 MLPs on MNIST (`natural` attachment, 20 to 100 neurons) steers the first {trials} trainings of a
search on Fashion-MNIST, among 2,000 other wirings of the same priors. Numbers are true qualities: the mean test
accuracy of each wiring over four trainings. {seeds} seeds, paired; 95 % bootstrap intervals over seeds.

{table}

In the mean the warm start is {mean}; in the best of {trials} it is {best}.

Seeds change the search and which trainings it sees. The predictor, both sets of wirings and the pair of tasks are the
same for all of them: the intervals say how sure this one predictor is to be ahead in this one pool, and nothing about
other predictors, pools or tasks.

Made by `wirenas study warm-start`, {machine}.
"""
