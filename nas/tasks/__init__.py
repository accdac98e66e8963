"""Tasks: data, split, loss and metric of the learning problems that networks are judged by.

May import numpy and torch; scikit-learn is imported only where its data are asked for.
"""

from __future__ import annotations

from collections.abc import Callable

from nas.errors import known
from nas.tasks.digits import digits
from nas.tasks.sequences import reber, reber_embedded, reber_published
from nas.tasks.splits import SPLIT_SEED, split, stratified_split
from nas.tasks.task import Loss, Task

__all__ = [
    "SPLIT_SEED",
    "TASKS",
    "Loss",
    "Task",
    "digits",
    "load_task",
    "reber",
    "reber_embedded",
    "reber_published",
    "split",
    "stratified_split",
]

TASKS: dict[str, Callable[[], Task]] = {
    "digits": digits,
    "reber": reber,
    "reber-published": reber_published,
    "reber-embedded": reber_embedded,
}
"""The tasks that have a name on the command line."""


def load_task(name: str) -> Task:
    """Return the task of that name.

    Raises
    ------
    InputError
        If no task has that name.
    """
    return TASKS[known("task", name, TASKS)]()
