"""What a predictor from MNIST is worth to a search on Fashion-MNIST, in its first trainings. Imports torch and optuna.

Both searches choose among trained wirings: one starts from nothing, the other from a predictor of the same family of
wirings on another task.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nas.asking import load_predictor
from nas.machine import describe_machine
from nas.search.survey import Survey
from nas.search.survey_table import load_survey
from nas.studies.arms import at_random, start_up, steered
from nas.studies.paired import paired_difference
from nas.studies.pools import Pool, read_pool
from nas.studies.replay import Arm, Choice, Run
from nas.studies.steering import POOLS
from nas.studies.tables import markdown_table, plain, write_text
from nas.tasks import load_task

__all__ = ["SEEDS", "TARGET", "TRIALS", "warm_start"]

SOURCE = "mnist-natural-varying"
TARGET = {**POOLS[SOURCE], "task": "fashion-mnist", "seed": 1}
"""Options of the survey that is searched: other wirings than those that the predictor knows, on another task."""
TARGET_NAME = "fashion-natural-varying"
TRIALS, SEEDS = 20, 40
_AFTER = (1, 5, 10, 20)

Watch = Callable[[str], None]


def warm_start(
    out: Path, atlas: Path, data: Path | None = None, seeds: int = SEEDS, watch: Watch = lambda _: None
) -> dict[str, Any]:
    """Run both searches with every seed, compare them in pairs, and write numbers and a table.

    Parameters
    ----------
    out : Path
        Where to write.
    atlas : Path
        Where the surveys lie or go.
    data : Path, optional
        Folder of the image files, for a survey that is not complete.
    seeds : int
    watch : callable
        Told in words what is done.
    """
    for name, options in ((SOURCE, POOLS[SOURCE]), (TARGET_NAME, TARGET)):
        if load_survey(atlas / name).n_wirings < options["wirings"]:
            watch(f"{name}: survey")
            Survey(atlas / name, **{**options, "task": load_task(options["task"], data)}).run()
    predictor = load_predictor(atlas / SOURCE)
    pool = read_pool(TARGET_NAME, load_survey(atlas / TARGET_NAME))
    arms: dict[str, Arm] = {
        "warm start": partial(steered, warm_start=predictor),
        "from scratch": _from_scratch,
        "random": at_random,
    }
    truths: dict[str, list[list[float]]] = {name: [] for name in arms}
    for seed in range(seeds):
        for name, arm in arms.items():
            truths[name].append(_truths(pool, name, arm, seed))
        if (seed + 1) % max(1, seeds // 10) == 0:
            watch(f"{seed + 1} of {seeds} seeds")
    found = _compared({name: np.array(rows) for name, rows in truths.items()})
    text = json.dumps(plain({"trials": TRIALS, "seeds": seeds, "arms": found}), indent=1)
    write_text(out / "warm-start.json", text + "\n")
    write_text(out / "warm-start.md", _page(found, seeds))
    return {"out": str(out), "arms": found}


def _from_scratch(run: Run) -> Iterator[Choice]:
    for member in start_up(run.pool, run.seed):
        yield Choice(member, "start-up")
    yield from steered(run)


def _truths(pool: Pool, name: str, arm: Arm, seed: int) -> list[float]:
    """Return how good the wirings that a search trains truly are, in their order."""
    run = Run(pool, name, seed)
    choices = arm(run)
    while len(run.choices) < TRIALS:
        run.train(next(choices))
    return [float(pool.truth[member]) for member in run.members]


def _compared(truths: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, rows in truths.items():
        found[name] = {"mean": float(rows.mean()), "best": {k: float(rows[:, :k].max(axis=1).mean()) for k in _AFTER}}
        if name != "warm start":
            ahead = paired_difference(truths["warm start"].mean(axis=1), rows.mean(axis=1))
            best = paired_difference(truths["warm start"].max(axis=1), rows.max(axis=1))
            found[name] |= {"warm_ahead": vars(ahead), "warm_ahead_in_best": vars(best)}
    return found


def _page(found: dict[str, Any], seeds: int) -> str:
    rows = []
    for name, own in found.items():
        ahead = own.get("warm_ahead")
        said = "" if ahead is None else f"{ahead['mean']:+.4f} [{ahead['low']:+.4f}, {ahead['high']:+.4f}]"
        rows.append([name, f"{own['mean']:.4f}", *(f"{own['best'][k]:.4f}" for k in _AFTER), said])
    head = ["search", f"mean of {TRIALS}", *(f"best of {k}" for k in _AFTER), "warm start ahead in the mean"]
    return f"""# Warm start

A predictor of 2,000 MLPs on MNIST (`natural` attachment, 20 to 100 neurons) steers the first {TRIALS} trainings of a
search on Fashion-MNIST, among 2,000 other wirings of the same priors. Numbers are true qualities: the mean test
accuracy of each wiring over four trainings. {seeds} seeds, paired; 95 % bootstrap intervals.

{markdown_table(head, rows)}

Made by `wirenas study warm-start`, {describe_machine()}.
"""
