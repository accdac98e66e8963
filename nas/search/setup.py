"""From what a user gives to what a search works with: the task, plain options, and whether they fit. Imports torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch

from nas.errors import InputError
from nas.search.options import SharedOptions
from nas.tasks import Task, load_task
from nas.training.train import engine_for

__all__ = ["check_fit", "n_threads", "plain_options", "task_of"]


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
        side_by_side = task is not None and engine_for(options.engine, options.device) == "native"
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
    engine_for(options.engine, options.device)


def _n_cores() -> int:
    """Return the cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _as_dict(config: Any) -> Any:
    """Return a config as a mapping; what is neither is left for the options to refuse."""
    return config.model_dump(exclude_unset=True) if hasattr(config, "model_dump") else config
