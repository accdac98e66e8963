"""Lines for people; importing this costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["duration", "number", "say"]


def say(console: Console, line: str) -> None:
    """Print a line as it is: paths and messages may look like markup, and are for copying."""
    console.print(line, soft_wrap=True, markup=False, emoji=False, highlight=False)


def number(value: float | None) -> str:
    """Return a value with four decimals, as accuracies are told apart by."""
    return "–" if value is None else f"{value:.4f}"


def duration(seconds: float) -> str:
    """Return seconds in words."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
