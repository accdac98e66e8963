"""Does the predictor's steering help? Arms search pools of trained wirings, again and again, and are compared in pairs.

Here are the pools and the runs, which are kept as lines of a file and never repeated.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from nas.errors import InputError, known
from nas.options.options import SURVEY, refuse_changes, resolve_survey, with_defaults
from nas.store.folders import alone_in
from nas.store.lines import kept_lines
from nas.store.survey_table import load_survey
from nas.studies.prediction import POPULATIONS
from nas.studies.steering.arms import ARMS, start_up
from nas.studies.steering.replay import START, TRIALS, Pool, read_pool, replay
from nas.studies.steering.report import summary, write_report
from nas.studies.steering.results import Line, PoolResult
from nas.studies.tables import Watch, check_study
from nas.survey import Survey
from nas.tasks import FROM_FILES, load_task

__all__ = ["POOLS", "SEEDS", "runs_of", "steering"]

_MANY = ("digits-natural-varying", "digits-controlled-fixed")
_DIGITS = ("digits-natural-varying", "digits-controlled-fixed", "digits-natural-fixed")
POOLS: dict[str, dict[str, Any]] = {
    **{name: POPULATIONS[name] for name in (*_DIGITS, "reber-gru")},
    "mnist-natural-varying": {
        "task": "mnist",
        "network": "mlp",
        "wirings": 2000,
        "seeds": 4,
        "space": {"attachment": ("natural",)},
        "recipe": {"learning_rates": (0.003, 0.01), "epochs": 2},
    },
}
"""Options of the surveys that are searched, by the name of the pool."""

SEEDS = {name: 200 if name in _MANY else 40 for name in POOLS}
"""How often every arm searches each pool."""

_VERSION = 2
"""Of what a run is; lines of another version are not taken."""
_PROCESSES = 2
_DIGITS_KEPT = 6


def steering(
    out: Path,
    atlas: Path,
    names: Sequence[str] = (),
    seeds: int | None = None,
    data: Path | None = None,
    watch: Watch = lambda _: None,
) -> dict[str, Any]:
    """Let all arms search the pools, and write numbers, tables and figures; what was done before is not done again.

    Parameters
    ----------
    out, atlas, watch
        See `nas.studies.tables`. The runs go into ``steering`` in the atlas.
    names : sequence of str
        Pools; all by default.
    seeds : int, optional
        Runs of each arm, other than `SEEDS`.
    data : Path, optional
        Folder of the image files of a survey that is missing. Where there are none its pool is left out.

    Raises
    ------
    InputError
        If a pool is not known, a survey is one of other options, or no pool is left.
    """
    check_study(out, "steering", "warm-start")
    chosen = [known("pool", name, POOLS) for name in names or POOLS]
    found = []
    with alone_in(atlas / "steering"):
        for name in chosen:
            pool = _pool_of(name, atlas, data, watch)
            if pool is not None:
                wanted = range(SEEDS[name] if seeds is None else seeds)
                found.append(PoolResult.of(pool, runs_of(pool, atlas / "steering" / f"{name}.jsonl", wanted, watch)))
                # Each time, since all pools together take hours.
                numbers = write_report(out, found)
    if not found:
        raise InputError(f"{', '.join(chosen)}: no pool is left; give --data, or other pools")
    return {"out": str(out), "pools": summary(numbers["pools"])}


def _pool_of(name: str, atlas: Path, data: Path | None, watch: Watch) -> Pool | None:
    """Return a pool, surveyed now where it was not before; None where the images for that are nowhere."""
    options, folder = POOLS[name], atlas / name
    if not _is_surveyed(folder, options):
        if options["task"] in FROM_FILES:
            try:
                options = {**options, "task": load_task(options["task"], data)}
            except InputError as error:
                watch(f"{name}: left out, {error}")
                return None
        watch(f"{name}: survey")
        Survey(folder, **options).run()
    return read_pool(name, load_survey(folder))


def _is_surveyed(folder: Path, options: dict[str, Any]) -> bool:
    """Whether all wirings are trained; then nothing of the task is needed.

    Raises
    ------
    InputError
        If they were trained with other options.
    """
    table = load_survey(folder)
    if table.n_wirings < options["wirings"]:
        return False
    stored = with_defaults(table.identity, SURVEY)
    own = {name: value for name, value in stored.items() if name in SURVEY.config.model_fields}
    nested: dict[str, Any] = {name: {**own[name], **options[name]} for name in ("space", "recipe") if name in options}
    # What is not asked for follows from the task, which may not be here.
    wanted = resolve_survey({**own, **options, **nested})
    refuse_changes(folder, own, wanted.model_dump(mode="json", exclude=set(SURVEY.grows)), SURVEY)
    return True


# Runs


def runs_of(pool: Pool, file: Path, seeds: range, watch: Watch = lambda _: None) -> list[Line]:
    """Return one line of every arm and seed: those in a file, and the others after they are appended to it."""
    lines = {
        (line["arm"], line["seed"]): line for line in kept_lines(file) if line["of"] == _identity(pool, line["arm"])
    }
    jobs = [(seed, [arm for arm in ARMS if (arm, seed) not in lines]) for seed in seeds]
    jobs = [job for job in jobs if job[1]]
    watch(f"{pool.name}: {len(seeds) - len(jobs)} of {len(seeds)} seeds")
    if jobs:
        with (
            _one_thread_each(),
            ProcessPoolExecutor(_PROCESSES, get_context("spawn"), _adopt, (pool,)) as executor,
            file.open("ab") as appended,
        ):
            for index, made in enumerate(executor.map(_searched, jobs), start=1):
                appended.write(b"".join(json.dumps(line).encode() + b"\n" for line in made))
                appended.flush()
                lines.update({(line["arm"], line["seed"]): line for line in made})
                if index % max(1, len(jobs) // 10) == 0:
                    watch(f"{pool.name}: {len(seeds) - len(jobs) + index} of {len(seeds)} seeds")
    return [lines[arm, seed] for arm in ARMS for seed in seeds]


def _identity(pool: Pool, arm: str) -> dict[str, Any]:
    """Return what decides what a run finds, besides its seed."""
    options = ARMS[arm].keywords if arm in ARMS else None
    return {"version": _VERSION, "trials": TRIALS, "start": START, "pool": pool.fingerprint, "options": options}


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes that start inside the block compute in one thread."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        del os.environ["OMP_NUM_THREADS"]
        if before is not None:
            os.environ["OMP_NUM_THREADS"] = before


_ADOPTED: list[Pool] = []
"""The pool that this process searches: it is sent once, not with every job."""


def _adopt(pool: Pool) -> None:
    _ADOPTED[:] = [pool]


def _searched(job: tuple[int, Sequence[str]]) -> list[Line]:
    seed, arms = job
    (pool,) = _ADOPTED
    start = start_up(pool, seed)
    return [_line(pool, arm, seed, start) for arm in arms]


def _line(pool: Pool, arm: str, seed: int, start: Sequence[int]) -> Line:
    run = replay(pool, arm, ARMS[arm], seed, start)
    by_predictor, by_label = run.incumbents()
    return {
        "arm": arm,
        "seed": seed,
        "of": _identity(pool, arm),
        "members": run.members,
        "replicates": [choice.replicate for choice in run.choices],
        "values": run.values,
        "origins": [choice.origin for choice in run.choices],
        "forecasts": [
            None if own is None else [round(number, _DIGITS_KEPT) for number in (own.value, own.low, own.high)]
            for own in (choice.forecast for choice in run.choices)
        ],
        "by_predictor": by_predictor,
        "by_label": by_label,
        "seconds": round(run.seconds, _DIGITS_KEPT),
    }
