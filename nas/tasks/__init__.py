"""Tasks: data, split, loss and metric of the learning problems that networks are judged by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nas.errors import InputError, known
from nas.tasks.images import digits, fashion_mnist, mnist
from nas.tasks.memory import adding, delayed_parity, sequential_digits
from nas.tasks.mnist1d import mnist_1d, mnist_1d_shuffled
from nas.tasks.pooling import pooled
from nas.tasks.sequences import reber, reber_embedded, reber_published
from nas.tasks.splits import SPLIT_SEED, split, stratified_split
from nas.tasks.statistics import inputs_of
from nas.tasks.task import Loss, Task

__all__ = [
    "FROM_FILES",
    "SPLIT_SEED",
    "TASKS",
    "Loss",
    "Task",
    "adding",
    "delayed_parity",
    "digits",
    "fashion_mnist",
    "inputs_of",
    "load_task",
    "mnist",
    "mnist_1d",
    "mnist_1d_shuffled",
    "pooled",
    "reber",
    "reber_embedded",
    "reber_published",
    "sequential_digits",
    "split",
    "stratified_split",
]

FROM_FILES: dict[str, Callable[[str | Path | None], Task]] = {"mnist": mnist, "fashion-mnist": fashion_mnist}
"""The tasks whose data lie in files, by default in the folder of `WIRENAS_DATA` or in the cache."""

TASKS: dict[str, Callable[[], Task]] = {
    "digits": digits,
    "reber": reber,
    "reber-published": reber_published,
    "reber-embedded": reber_embedded,
    "mnist": mnist,
    "fashion-mnist": fashion_mnist,
    "mnist-1d": mnist_1d,
    "mnist-1d-shuffled": mnist_1d_shuffled,
    "adding": adding,
    "delayed-parity": delayed_parity,
    "sequential-digits": sequential_digits,
}
"""The tasks that have a name on the command line."""


def load_task(name: str, folder: str | Path | None = None) -> Task:
    """Return the task of that name; a task of `FROM_FILES` may be given the folder where its data files lie.

    Raises
    ------
    InputError
        If no task has that name, or its files are not found, or a folder is given and it has none.
    """
    make = TASKS[known("task", name, TASKS)]
    if folder is None:
        return make()
    if name not in FROM_FILES:
        raise InputError(f"data={folder}: task {name} reads no files; leave it out, it is for {', '.join(FROM_FILES)}")
    return FROM_FILES[name](folder)
