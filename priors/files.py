"""Writing files and folders so that no half-written one is ever seen, and that what is written outlasts a power cut.

What was written is synchronised with the disk (fsync) before it gets its name, and the folder that holds the name
afterwards: until then a name may be on the disk, and what it stands for not, or the other way round.
"""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["atomic_folder", "atomic_write", "naming", "remove_leftovers", "synchronise"]


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path in the folder of `path`, and move the file written there to `path` at the end.

    The move replaces an older file in one step. If the block raises, the temporary file is removed and `path` is left
    as it was; an OSError then names `path`, even where a full disk did not say of which file it spoke. The temporary
    name ends in ``.tmp``, whatever the suffix of `path`. The file gets the permissions of any new file (the umask's):
    some libraries write for the owner alone.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from priors.files import atomic_write
    >>> with TemporaryDirectory() as folder:
    ...     with atomic_write(f"{folder}/notes.txt") as temporary:
    ...         _ = temporary.write_text("complete or not there")
    ...     print([path.name for path in Path(folder).iterdir()])
    ['notes.txt']
    """
    final = Path(path)
    temporary = _beside(final)
    try:
        mode = _usual_mode(temporary)
        yield temporary
        temporary.chmod(mode)
        synchronise(temporary)
        temporary.replace(final)
        synchronise(final.parent)
    except OSError as error:
        _name(error, temporary, final)
        raise
    finally:
        _remove(temporary)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give an empty temporary folder beside `path`, which takes the place of `path` at the end, whole.

    If the block raises, the temporary folder is removed and `path` is left as it was; an OSError names it as that of
    `atomic_write` does. Where a disk fails for good in the last moment, and nothing can be undone, the error says what
    lies where.
    """
    final = Path(path)
    temporary, old = _beside(final), _beside(final)
    is_placed = is_done = False
    try:
        mode = _usual_mode(temporary)
        temporary.mkdir()
        yield temporary
        for path in temporary.rglob("*"):
            if path.is_file():
                path.chmod(mode)
            synchronise(path)
        synchronise(temporary)
        if final.exists():
            final.rename(old)
        temporary.rename(final)
        is_placed = True
        synchronise(final.parent)
        is_done = True
    except BaseException as error:
        left = _undo(final, temporary if is_placed else None, old)
        if isinstance(error, OSError):
            _name(error, temporary, final)
            if left:
                error.strerror = f"{error.strerror} ({left})"
        raise
    finally:
        _remove(temporary)
        if is_done:
            _remove(old)


def _undo(final: Path, temporary: Path | None, old: Path) -> str:
    """Put what lay at `final` back, whose new folder goes to `temporary`; return what lies where, if that fails."""
    try:
        if temporary is not None:
            final.rename(temporary)
    except OSError:
        return f"{final} lies there, whole, but may not outlive a loss of power"
    try:
        if os.path.lexists(old):
            old.rename(final)
    except OSError:
        return f"what lay there before is {old}"
    return ""


def synchronise(path: str | os.PathLike[str]) -> None:
    """Wait until what was written to a file, or the names in a folder, are on the disk.

    Raises
    ------
    OSError
        Naming the file, if the disk fails. Nothing is raised for a folder of which the system, or this user, cannot ask
        that.
    """
    is_folder = Path(path).is_dir()
    if is_folder and os.name == "nt":
        return
    try:
        # Windows synchronises only what could be written.
        descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    except PermissionError:
        if is_folder:
            return
        raise
    try:
        with naming(path):
            os.fsync(descriptor)
    except OSError as error:
        if not is_folder or error.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Let an OSError of this block that names no file, as those of reading and writing, speak of `path`."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = os.fspath(path)
        raise


def remove_leftovers(folder: Path) -> None:
    """Remove what processes that were killed have left half-written in a folder, under temporary names."""
    for path in folder.glob(f".{'[0-9a-f]' * 32}.tmp*"):
        _remove(path)


def _remove(path: Path) -> None:
    """Remove a leftover, which does no harm where it cannot be removed."""
    if os.path.isdir(path) and not path.is_symlink():  # noqa: PTH112 - a Path raises where the disk fails
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
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
