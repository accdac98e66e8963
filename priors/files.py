"""Writing files so that no half-written one is ever seen. May import nothing of this project."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["atomic_write"]


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path in the folder of `path`, and move the file written there to `path` at the end.

    The move replaces an older file in one step. If the block raises, the temporary file is removed and `path` is left
    as it was. The temporary name ends in ``.tmp``, whatever the suffix of `path`.

    Examples
    --------
    >>> with atomic_write("notes.txt") as temporary:  # doctest: +SKIP
    ...     temporary.write_text("complete or not there")
    """
    final = Path(path)
    temporary = final.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        temporary.replace(final)
    finally:
        temporary.unlink(missing_ok=True)
