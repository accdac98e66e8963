"""Writing files and folders so that no half-written one is ever seen."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["atomic_folder", "atomic_write", "remove_leftovers"]


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path in the folder of `path`, and move the file written there to `path` at the end.

    The move replaces an older file in one step. If the block raises, the temporary file is removed and `path` is left
    as it was; an OSError then names `path`, even where a full disk did not say of which file it spoke. The temporary
    name ends in ``.tmp``, whatever the suffix of `path`. The file gets the permissions of any new file (the umask's):
    some libraries write for the owner alone.

    Examples
    --------
    >>> with atomic_write("notes.txt") as temporary:  # doctest: +SKIP
    ...     temporary.write_text("complete or not there")
    """
    final = Path(path)
    temporary = _beside(final)
    try:
        mode = _usual_mode(temporary)
        yield temporary
        temporary.chmod(mode)
        temporary.replace(final)
    except OSError as error:
        _name(error, temporary, final)
        raise
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give an empty temporary folder beside `path`, which takes the place of `path` at the end, whole.

    If the block raises, the temporary folder is removed and `path` is left as it was; an OSError names it as that of
    `atomic_write` does.
    """
    final = Path(path)
    temporary, old = _beside(final), _beside(final)
    try:
        mode = _usual_mode(temporary)
        temporary.mkdir()
        yield temporary
        for file in filter(Path.is_file, temporary.rglob("*")):
            file.chmod(mode)
        if final.exists():
            final.rename(old)
        temporary.rename(final)
    except OSError as error:
        _name(error, temporary, final)
        raise
    finally:
        if old.exists() and not final.exists():
            old.rename(final)
        for folder in (temporary, old):
            _remove(folder)


def remove_leftovers(folder: Path) -> None:
    """Remove what processes that were killed have left half-written in a folder, under temporary names."""
    for path in folder.glob(f".{'[0-9a-f]' * 32}.tmp*"):
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _usual_mode(path: Path) -> int:
    """Return the permissions of a file that is made here: some libraries write files that nobody else may read."""
    path.touch()
    try:
        return path.stat().st_mode & 0o777
    finally:
        path.unlink()


def _name(error: OSError, temporary: Path, final: Path) -> None:
    """Let an error of the temporary file or folder, or of no named one, speak of the one that was asked for."""
    if error.errno is None:
        return  # Its text is all that it has.
    if error.filename is None or str(error.filename).startswith(str(temporary)):
        error.filename = str(final)


def _beside(path: Path) -> Path:
    return path.with_name(f".{uuid.uuid4().hex}.tmp")
