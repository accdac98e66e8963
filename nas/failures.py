"""Failures: what the operating system refuses (room on a disk, a file, memory), in one line each with an exit code."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from nas.errors import CampaignError, InputError

__all__ = ["Failure", "failure_of", "memory_in_one_line", "raise_unreadable", "unusable"]


@dataclass(frozen=True)
class Failure:
    """What the system refused.

    Attributes
    ----------
    line : str
        Which file, which cause, and what to do.
    code : int
        The exit code of a command: 2 where the place that was given is at fault, such as a folder without permission;
        1 where the machine is, such as a full disk.
    """

    line: str
    code: int


_AGAIN = "and give the same command again"
_ROOM = f"make room there, {_AGAIN}"
_DRIVE = f"see to the disk or the network drive, {_AGAIN}"
_OPEN_FILES = f"allow more open files (`ulimit -n`), {_AGAIN}"
_MEMORY = f"end other programs, or use fewer threads or smaller networks, {_AGAIN}"
_OTHERS = f"end the program that holds it, {_AGAIN}"

_OF_MACHINE = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "give a place where files may be as large",
    errno.EIO: _DRIVE,
    errno.ESTALE: _DRIVE,
    errno.ENODEV: _DRIVE,
    errno.ENXIO: _DRIVE,
    errno.ETIMEDOUT: _DRIVE,
    errno.EHOSTDOWN: _DRIVE,
    errno.ENOLCK: _DRIVE,
    errno.EMFILE: _OPEN_FILES,
    errno.ENFILE: _OPEN_FILES,
    errno.ENOMEM: _MEMORY,
    errno.EAGAIN: _MEMORY,
    errno.EBUSY: _OTHERS,
    errno.EINTR: _AGAIN.removeprefix("and "),
}
"""What to do about errors of the machine, by their number."""

_OF_PLACE = {
    errno.EACCES: "give a place for which this user has permission",
    errno.EPERM: "give a place for which this user has permission",
    errno.EROFS: "give a place that can be written",
    errno.ENAMETOOLONG: "give a shorter name",
}
"""What to do about errors of the place that was given, where the cause does not say it."""

_OF_SQLITE = {
    sqlite3.SQLITE_FULL: _ROOM,
    sqlite3.SQLITE_IOERR: _DRIVE,
    sqlite3.SQLITE_CANTOPEN: f"see to the file and its folder, {_AGAIN}",
    sqlite3.SQLITE_PROTOCOL: _DRIVE,
    sqlite3.SQLITE_NOLFS: _DRIVE,
    sqlite3.SQLITE_BUSY: _OTHERS,
    sqlite3.SQLITE_LOCKED: _OTHERS,
    sqlite3.SQLITE_NOMEM: _MEMORY,
}
"""What to do about SQLite's errors of the machine, by their primary code; others are those of a file."""

_NO_MEMORY = ("out of memory", "can't allocate memory", "bad_alloc", "cannot allocate memory", "start new thread")
"""What torch, XGBoost and Python say, in errors of no kind of their own, when memory or threads are at an end."""


def failure_of(error: BaseException, place: str | os.PathLike[str] | None = None) -> Failure | None:
    """Return what the system refused, if that is what an error comes from, or what it wraps; else None.

    Parameters
    ----------
    error : BaseException
    place : path, optional
        The file that was worked on, for errors that name none.
    """
    for link in _chain(error):
        if isinstance(link, OSError):
            return _of_file(link, place)
        if isinstance(link, sqlite3.Error) and (advice := _OF_SQLITE.get(_primary(link))) is not None:
            return Failure(f"{place or 'the database'}: {link}; {advice}", 1)
        if isinstance(link, MemoryError) or _speaks_of_memory(link):
            reason = " ".join(str(link).split()).removeprefix("std::bad_alloc")
            return Failure(f"out of memory{f' ({reason})' if reason else ''}; {_MEMORY}", 1)
    return None


def unusable(error: OSError, name: str, advice: str) -> InputError | CampaignError:
    """Return the error for a file or folder that was given, whose option and value are its `name`.

    An InputError with `advice` where it is at fault, and a CampaignError where the machine is.
    """
    failure = _of_file(error, None)
    if failure.code == 1:
        return CampaignError(failure.line if error.filename else f"{name}: {failure.line.partition(': ')[2]}")
    return InputError(f"{name}: {_cause(error)}; {advice}")


@contextmanager
def memory_in_one_line(what: str) -> Iterator[None]:
    """Raise a CampaignError, which says `what` was done, where memory ends; errors of files name their file already."""
    try:
        yield
    except (CampaignError, InputError, OSError):
        raise
    except Exception as error:
        if (failure := failure_of(error)) is None:
            raise
        raise CampaignError(f"{what}: {failure.line}") from error


def raise_unreadable(error: Exception) -> None:
    """Raise the OSError that an error comes from, if it says of a file that is there that it cannot be read.

    Where nothing is there, or what is there is damaged, something new is written in its place; not so where the disk
    fails for a moment.
    """
    cause = error.__cause__
    if isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError | NotADirectoryError):
        raise cause


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that it wraps; SQLAlchemy's name the driver's `orig`."""
    while error is not None:
        yield error
        error = getattr(error, "orig", None) or error.__cause__


def _of_file(error: OSError, place: str | os.PathLike[str] | None) -> Failure:
    where = error.filename or place or (None if error.errno is None else "files")
    line = f"{where}: {_cause(error)}" if where else str(error)  # Some libraries raise text alone, which says all.
    if error.errno in _OF_MACHINE:
        return Failure(f"{line}; {_OF_MACHINE[error.errno]}", 1)
    advice = _OF_PLACE.get(error.errno or 0)
    return Failure(f"{line}; {advice}" if advice else line, 2)


def _cause(error: OSError) -> str:
    """Return the system's words; those of Arrow are long, and hold them."""
    if error.errno is not None and "errno" in (error.strerror or ""):
        return os.strerror(error.errno)
    return error.strerror or str(error)


def _primary(error: sqlite3.Error) -> int:
    """Return the primary code of an error of SQLite: the extended ones hold it in their last byte."""
    code = getattr(error, "sqlite_errorcode", 0)
    return sqlite3.SQLITE_NOMEM if code == sqlite3.SQLITE_IOERR_NOMEM else code & 0xFF


def _speaks_of_memory(error: BaseException) -> bool:
    is_general = isinstance(error, RuntimeError) or type(error).__name__ == "XGBoostError"
    return is_general and any(words in str(error).lower() for words in _NO_MEMORY)
