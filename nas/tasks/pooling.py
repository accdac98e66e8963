"""Tasks of images whose networks read means over squares of pixels."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from weakref import WeakKeyDictionary

from nas.errors import InputError
from nas.inputs import Pooling
from nas.tasks.task import Task

__all__ = ["pooled"]


def pooled(task: Task, size: int) -> Task:
    """Return a task that reads the means over squares of pixels of another; with size 1 it is the same.

    Raises
    ------
    InputError
        If the task does not say that its inputs are images, or these have no squares of that size.
    """
    if size == 1:
        return task
    with _LOCK:
        known = _KNOWN.setdefault(task, {})
        if size not in known:
            known[size] = _pooled(task, size)
        return known[size]


_KNOWN: WeakKeyDictionary[Task, dict[int, Task]] = WeakKeyDictionary()
_LOCK = Lock()
"""Of what is known: threads that ask for the same means wait for them, and do not take them twice."""


def _pooled(task: Task, size: int) -> Task:
    if task.shape is None:
        raise InputError(f"pool={size}: the inputs of task {task.name} are not known to be images; give a task with a "
                         "shape, or leave it out")  # fmt: skip
    try:
        pooling = Pooling.of(task.shape, size)
    except ValueError as error:
        raise InputError(f"pool={size}: {error}") from None
    means = pooling(task.inputs)
    return replace(task, inputs=means, n_inputs=means.shape[1], shape=pooling.shape)
