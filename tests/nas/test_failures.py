"""Failures: what the system refuses is one line with its file, cause and advice, wherever the error was wrapped."""

import errno
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy

from nas.errors import CampaignError, InputError
from nas.failures import failure_of, memory_in_one_line, raise_unreadable, unusable


def of_sqlite(code: int, text: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code  # type: ignore[misc]
    return error


@pytest.mark.parametrize(
    ("error", "code", "beginning", "end"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a"), 1, "a: No space left on device; make room", "again"),
        (OSError(errno.ESTALE, "Stale file handle"), 1, "place: Stale file handle; see to the disk", "again"),
        (OSError(errno.EMFILE, "Too many open files", "a"), 1, "a: Too many open files; allow more", "again"),
        (PermissionError(errno.EACCES, "Permission denied", "a"), 2, "a: Permission denied; give", "permission"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "a"), 2, "a: No such file", "directory"),
        (OSError(errno.EIO, "Failed to open 'a'. Detail: [errno 5]"), 1, "place: Input/output error", "again"),
        (of_sqlite(sqlite3.SQLITE_FULL, "database or disk is full"), 1, "place: database or disk is full;", "again"),
        (of_sqlite(sqlite3.SQLITE_IOERR_WRITE, "disk I/O error"), 1, "place: disk I/O error; see to", "again"),
        (of_sqlite(sqlite3.SQLITE_IOERR_NOMEM, "disk I/O error"), 1, "place: disk I/O error; end other", "again"),
        (MemoryError("std::bad_alloc"), 1, "out of memory; end other programs", "again"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 1, "out of memory (DefaultCPUAllocator", "again"),
        (RuntimeError("can't start new thread"), 1, "out of memory (can't start new thread)", "again"),
    ],
)  # fmt: skip
def test_what_the_system_refuses_is_one_line(error: Exception, code: int, beginning: str, end: str):
    for found in (error, wrapped(error), sqlalchemy.exc.DBAPIError("select 1", None, error)):
        failure = failure_of(found, "place")
        assert failure is not None
        assert failure.code == code
        assert failure.line.startswith(beginning)
        assert failure.line.endswith(end)
        assert "\n" not in failure.line


def wrapped(error: Exception) -> Exception:
    other = ValueError("another")
    other.__cause__ = error
    return other


@pytest.mark.parametrize(
    "error", [ValueError("wrong"), RuntimeError("shapes"), of_sqlite(sqlite3.SQLITE_NOTADB, "file is not a database")]
)
def test_what_is_nobodys_refusal_is_none(error: Exception):
    assert failure_of(error) is None


def test_a_place_that_was_given_is_at_fault_or_the_machine_is():
    wrong = unusable(PermissionError(errno.EACCES, "Permission denied"), "out=a", "give another")
    assert isinstance(wrong, InputError)
    assert str(wrong) == "out=a: Permission denied; give another"
    full = unusable(OSError(errno.ENOSPC, "No space left on device"), "out=a", "give another")
    assert isinstance(full, CampaignError)
    assert str(full).startswith("out=a: No space left on device; make room there")


def test_memory_is_told_and_other_errors_are_left():
    with pytest.raises(CampaignError, match=r"^out=a: out of memory; "), memory_in_one_line("out=a"):
        raise MemoryError
    for error in (OSError(errno.EIO, "Input/output error"), InputError("wrong"), ZeroDivisionError("division")):
        with pytest.raises(type(error)) as caught, memory_in_one_line("out=a"):
            raise error
        assert caught.value is error


def test_what_cannot_be_read_is_told_from_what_is_not_there(tmp_path: Path):
    raise_unreadable(ValueError("damaged"))
    raise_unreadable(wrapped(FileNotFoundError(errno.ENOENT, "No such file or directory")))
    with pytest.raises(OSError, match="Stale"):
        raise_unreadable(wrapped(OSError(errno.ESTALE, "Stale file handle")))
