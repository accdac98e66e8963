"""How large files may be, so that a damaged one does not fill the memory."""

from __future__ import annotations

from pathlib import Path

from nas.errors import InputError
from nas.failures import unusable

__all__ = ["MOST_BYTES", "MOST_CELLS", "check_size"]

MOST_BYTES = 4 << 30
"""Of a file, and of what it unpacks to."""

MOST_CELLS = 1 << 30


def check_size(path: Path) -> None:
    """Refuse what is no file, or one that is too large.

    Raises
    ------
    InputError
        In one line.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file; give the path of a file with data")
    if not path.is_file():
        raise InputError(f"{path}: it is no file; give the path of a file with data")
    try:
        with path.open("rb"):
            size = path.stat().st_size
    except OSError as error:
        raise unusable(error, str(path), "give a file that can be read") from None
    if size > MOST_BYTES:
        raise InputError(f"{path}: {size >> 20} MiB are too large; at most {MOST_BYTES >> 20} MiB can be read")
