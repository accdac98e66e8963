"""Lines of JSON that are added as work is done, and values as JSON takes them."""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import IO, Any

from nas.errors import InputError
from priors.files import naming

__all__ = ["added_to", "keep", "kept_lines", "plain"]


def plain(value: Any) -> Any:
    """Return nested values and dataclasses as JSON types: numbers to 6 digits, None for what is not finite."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


@contextlib.contextmanager
def added_to(file: Path) -> Iterator[IO[str]]:
    """Open a file of lines at its end; where opening or closing fails, which writes the last ones, that names it."""
    with naming(file):
        lines = file.open("a", encoding="utf-8")
    try:
        yield lines
    finally:
        with naming(file):
            lines.close()


def keep(lines: IO[str]) -> None:
    """Wait until the lines that were written to a file are on the disk."""
    with naming(lines.name):
        lines.flush()
        os.fsync(lines.fileno())


def kept_lines(file: Path, *names: str) -> Iterator[dict[str, Any]]:
    """Return the lines of JSON of a file, of which a killed process may have left the last one unfinished.

    Such a line is removed from the file. Where there is no file there are no lines.

    Parameters
    ----------
    file : Path
    *names : str
        Under which every line holds something.

    Raises
    ------
    InputError
        If another line is no such object.
    """
    with naming(file):
        content = file.read_bytes() if file.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        with naming(file), file.open("r+b") as damaged:
            damaged.truncate(len(whole))
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            found = json.loads(line)
            is_sound = isinstance(found, dict) and all(name in found for name in names)
        except ValueError:
            is_sound = False
        if not is_sound:
            raise InputError(f"{file}: line {number} is damaged; remove it, and its run is done again")
        yield found
