"""From what a user gives to what a search works with: the task, plain options, and whether they fit. Imports torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel

from nas.errors import InputError
from nas.options.options import CampaignOptions, SharedOptions
from nas.tasks import Task, load_task
from nas.training.train import engine_for
from predictors import Predictor
from predictors.storage import FILE

__all__ = [
    "check_direction",
    "check_fit",
    "check_sampler",
    "check_units",
    "keep_warm_start",
    "n_threads",
    "plain_options",
    "steering_of",
    "task_of",
]

_WARM_FOLDER = "warm-start"
"""Where a campaign keeps the predictor that it started from."""


def task_of(task: str | Task | None, options: Mapping[str, Any]) -> Task:
    """Return the task that is given as such, or by name in the options; digits by default."""
    return task if isinstance(task, Task) else load_task(str(task or options.get("task") or "digits"))


def plain_options(options: Mapping[str, Any], task: Task | None) -> dict[str, Any]:
    """Return options as nested mappings, with the task's name and its defaults for the recipe."""
    nested = {name: _as_dict(options.get(name, {})) for name in ("space", "recipe")}
    if task is None:
        return {**options, **nested, "task": None}
    nested["recipe"] = {**task.recipe, **nested["recipe"]}
    return {**options, **nested, "task": task.name}


def n_threads(threads: int | None, options: SharedOptions, task: Task | None) -> int:
    """Return how many trainings go on at a time: as many as asked for, else one a core where threads work side by side.

    Raises
    ------
    InputError
        For a number below 1.
    """
    if threads is None:
        side_by_side = task is not None and engine_for(options.engine, options.device, options.spec) == "native"
        return _n_cores() if side_by_side else 1
    if threads < 1:
        raise InputError(f"threads={threads}: at least 1 is needed")
    return threads


def check_fit(options: SharedOptions, task: Task | None) -> None:
    """Check that network, device and engine suit the task and the machine.

    Raises
    ------
    InputError
        Naming the option that does not.
    """
    if task is not None and task.is_sequence != (options.network == "rnn"):
        valid = "rnn" if task.is_sequence else "mlp"
        raise InputError(f"network={options.network}: task {task.name} needs network={valid}")
    try:
        torch.zeros(1, device=options.device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        cuda = ", cuda" if torch.cuda.is_available() else ""
        raise InputError(f"device={options.device!r}: {reason}; valid here: cpu{cuda}") from None
    engine_for(options.engine, options.device, options.spec)


def check_sampler(options: CampaignOptions, *, is_shared: bool) -> None:
    """Check that the sampler can do what is asked for.

    Raises
    ------
    InputError
        For two objectives in a campaign of several processes, and for a genetic sampler in either.
    """
    if is_shared and options.by_size:
        raise InputError(
            "objective=pareto: a study that several processes share has one objective; give objective=value, or leave "
            "storage out"
        )
    if options.sampler != "genetic":
        return
    if is_shared:
        raise InputError(
            "sampler=genetic: no parameters say what was bred, and workers exchange nothing else; use structural, tpe "
            "or random, or leave storage out"
        )
    if options.by_size:
        raise InputError("sampler=genetic: it breeds by one objective; use structural or nsga2 with objective=pareto")


def check_direction(direction: Any, task: Task) -> None:
    """Check that a direction that is given is the task's.

    Raises
    ------
    InputError
        If it is another one.
    """
    if direction not in (None, task.direction):
        raise InputError(f"direction={direction}: the metric of task {task.name} is to {task.direction}; leave it out")


def check_units(n_inputs: int, n_outputs: int, task: Task | None) -> None:
    """Check how many units are to be attached to wirings.

    Raises
    ------
    InputError
        For a negative number, for outputs without inputs, and for others than a task has.
    """
    if task is not None and (n_inputs, n_outputs) not in ((0, 0), (task.n_inputs, task.n_outputs)):
        raise InputError(
            f"n_inputs={n_inputs}, n_outputs={n_outputs}: they are for own evaluations, and task {task.name} has "
            f"{task.n_inputs} and {task.n_outputs}; leave them out"
        )
    if n_inputs < 0 or n_outputs < 0 or (n_outputs and not n_inputs):
        raise InputError(
            f"n_inputs={n_inputs}, n_outputs={n_outputs}: neither may be negative, and outputs need inputs; "
            "nearest valid is n_inputs=1, or 0 for both"
        )


def steering_of(out: Path, options: CampaignOptions) -> dict[str, Any]:
    """Return the arguments of the structural or genetic sampler that follow from a campaign's folder and options.

    Raises
    ------
    InputError
        If there is no predictor where one is to start from.
    """
    warm_start = _warm_predictor(out, options)
    if options.sampler == "genetic":
        return {"startup": options.startup, "screened": options.screened}
    return {
        "startup": options.startup,
        "share": options.share,
        "replicates": options.repeats,
        "warm_start": warm_start,
    }


def keep_warm_start(out: Path, options: CampaignOptions) -> None:
    """Copy the predictor that a campaign starts from into its folder, where it stays as it was."""
    if not _has_copy(out) and (predictor := _warm_predictor(out, options)) is not None:
        predictor.save(out / _WARM_FOLDER)


def _warm_predictor(out: Path, options: CampaignOptions) -> Predictor | None:
    from nas.prediction.answers import load_predictor

    if options.warm_start is None:
        return None
    try:
        return load_predictor(out / _WARM_FOLDER if _has_copy(out) else Path(options.warm_start))
    except InputError as error:
        raise InputError(f"warm_start: {error}") from None


def _has_copy(out: Path) -> bool:
    """Whether a whole copy is there: the file that is looked for is the last one to be written."""
    return (out / _WARM_FOLDER / FILE).is_file()


def _n_cores() -> int:
    """Return the cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _as_dict(config: Any) -> Any:
    """Return a config as a mapping; what is neither is left for the options to refuse."""
    if not isinstance(config, BaseModel):
        return config
    # Not by dumping it, which would take a pool of graphs apart.
    return {name: getattr(config, name) for name in config.model_fields_set}
