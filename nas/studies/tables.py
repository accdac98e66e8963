"""Words and tables of studies. Imports the standard library."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, Protocol

from priors.files import atomic_write

__all__ = ["listed", "markdown_table", "plain", "said", "said_share", "write_numbers", "write_text"]


class _Estimate(Protocol):
    @property
    def mean(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


def listed(words: Iterable[str]) -> str:
    """Return words as an enumeration: a, b and c."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


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


def said(estimate: _Estimate, sign: str = "", digits: int = 3) -> str:
    """Return an estimate with its interval."""
    mean, low, high = (f"{value:{sign}.{digits}f}" for value in (estimate.mean, estimate.low, estimate.high))
    return f"{mean} [{low}, {high}]"


def said_share(share: float, low: float, high: float, digits: int = 0) -> str:
    """Return a share in percent with its interval."""
    return f"{share:.{digits}%} [{low:.{digits}%}, {high:.{digits}%}]"


def write_numbers(path: Path, found: Any) -> Any:
    """Write what was found as JSON, and return it as it will be read back: what a page says must follow from it."""
    text = json.dumps(plain(found), indent=1, allow_nan=False)
    write_text(path, text + "\n")
    return json.loads(text)


def write_text(path: Path, text: str) -> None:
    """Write a text, replacing an older one in one step."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
