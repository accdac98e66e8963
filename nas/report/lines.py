"""Lines for people; importing this costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["duration", "number", "say", "say_in_lines"]

_MOST_COLUMNS = 120


def say(console: Console, line: str) -> None:
    """Print a line as it is: paths and messages may look like markup, and are for copying."""
    console.print(line, soft_wrap=True, markup=False, emoji=False, highlight=False)


def say_in_lines(console: Console, text: str) -> None:
    """Print a sentence or more, broken between words where the terminal ends; what is printed for copying is not."""
    import textwrap

    indent = text[: len(text) - len(text.lstrip())]
    width = max(min(console.width, _MOST_COLUMNS), 20)
    lines = textwrap.wrap(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    for line in lines:
        say(console, line)


def number(value: float | None) -> str:
    """Return a value with four decimals, as accuracies are told apart by."""
    return "–" if value is None else f"{value:.4f}"


def duration(seconds: float) -> str:
    """Return seconds in words."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
