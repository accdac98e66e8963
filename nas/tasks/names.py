"""Tasks by name: those that are built in, and those in files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nas.errors import InputError, known
from nas.tasks.chaos import lorenz, mackey_glass
from nas.tasks.directions import PREFIX, bidirectional
from nas.tasks.files.loading import is_file_task, load_file, named_file
from nas.tasks.files.options import FileOptions
from nas.tasks.images import digits, fashion_mnist, mnist
from nas.tasks.memory import adding, copy, delayed_parity, sequential_digits
from nas.tasks.mnist1d import mnist_1d, mnist_1d_shuffled
from nas.tasks.sequences import reber, reber_embedded, reber_published
from nas.tasks.task import Task

__all__ = ["FROM_FILES", "TASKS", "is_named", "load_task"]

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
    "copy": copy,
    "delayed-parity": delayed_parity,
    "sequential-digits": sequential_digits,
    "mackey-glass": mackey_glass,
    "lorenz": lorenz,
}
"""The tasks that have a name on the command line."""


def is_named(name: str) -> bool:
    """Whether a task is taken by its name, which says all that is needed to load it."""
    return name.removeprefix(PREFIX) in TASKS or is_file_task(name)


def load_task(
    name: str, folder: str | Path | None = None, files: FileOptions | Mapping[str, Any] | None = None
) -> Task:
    """Return the task of that name.

    Parameters
    ----------
    name : str
        One of `TASKS`, or a file: csv:PATH, parquet:PATH, arff:PATH, npz:PATH, openml:NAME_OR_NUMBER. Or one of
        sequences behind ``bidirectional:``; see `nas.tasks.bidirectional`.
    folder : path, optional
        Where the data files of a task of `FROM_FILES` lie, or where relative paths of a file begin.
    files : FileOptions or mapping, optional
        What is to be done with a file.

    Raises
    ------
    InputError
        If no task has that name, or its files are not found, or something is given that it does not have.
    """
    if name.startswith(PREFIX):
        return bidirectional(load_task(name.removeprefix(PREFIX), folder, files))
    if is_file_task(name):
        return load_file(name, files, None if folder is None else Path(folder))
    options = FileOptions() if files is None else files if isinstance(files, FileOptions) else FileOptions(**files)
    if not name:
        raise InputError(f"a task has no name; give one of {', '.join(TASKS)}, or a file such as csv:PATH")
    if name not in TASKS and (Path(name).suffix or Path(name).exists()):
        raise InputError(f"task {name!r} is not known; a file is given with its kind: {_with_kind(name)}")
    make = TASKS[known("task", name, TASKS)]
    for option, value in options.model_dump(exclude_defaults=True).items():
        raise InputError(f"{option}={_shown(value)}: task {name} is not read from a file of yours; leave it out")
    if folder is None:
        return make()
    if name not in FROM_FILES:
        raise InputError(f"data={folder}: task {name} reads no files; leave it out, it is for {', '.join(FROM_FILES)}")
    return FROM_FILES[name](folder)


def _with_kind(path: str) -> str:
    try:
        return named_file(path)
    except InputError:
        return f"csv:{path}"


def _shown(value: Any) -> str:
    """Return an option's value as it is written on a command line."""
    if isinstance(value, tuple | list):
        return ",".join(map(str, value))
    return "true" if value is True else str(value)
