"""Words and tables of studies. Imports the standard library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from priors.files import atomic_write

__all__ = ["markdown_table", "said", "write_text"]


class _Estimate(Protocol):
    @property
    def mean(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def said(estimate: _Estimate, sign: str = "") -> str:
    """Return an estimate with its interval."""
    return f"{estimate.mean:{sign}.3f} [{estimate.low:{sign}.3f}, {estimate.high:{sign}.3f}]"


def write_text(path: Path, text: str) -> None:
    """Write a text, replacing an older one in one step."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
