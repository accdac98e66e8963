"""Lines for people; importing this costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["duration", "number", "say", "say_in_lines", "wrapped"]

_MOST_COLUMNS = 120
_BETWEEN_PARTS = "   "


def say(console: Console, line: str) -> None:
    """Print a line as it is: paths and messages may look like markup, and are for copying.

    A terminal that is too narrow for it gets its parts, which three blanks divide, in lines of their own, and these
    broken between words; what is read by another program stays one line.
    """
    line = _as_shown(console, line)
    lines = [line]
    if console.is_terminal and len(line) > console.width:
        lines = [own for part in line.split(_BETWEEN_PARTS) for own in wrapped(part, console.width)]
    for own in lines:
        console.print(own, soft_wrap=True, markup=False, emoji=False, highlight=False)


def say_in_lines(console: Console, text: str) -> None:
    """Print a sentence or more, broken between words at the width of the terminal, or where there is none at 80."""
    for line in wrapped(_as_shown(console, text), min(console.width, _MOST_COLUMNS)):
        console.print(line, soft_wrap=True, markup=False, emoji=False, highlight=False)


def _as_shown(console: Console, text: str) -> str:
    """Return a text with the signs that the console's encoding has, which are as wide as they are shown."""
    return console.render_str(text, emoji=False, markup=False, highlight=False).plain


def wrapped(text: str, width: int) -> list[str]:
    """Return lines of a text that are broken between words; a word that is longer than a line stays whole."""
    import textwrap

    indent = text[: len(text) - len(text.lstrip())]
    return textwrap.wrap(
        text,
        max(width, 20),
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )


def number(value: float | None) -> str:
    """Return a value with four decimals, as accuracies are told apart by."""
    return "–" if value is None else f"{value:.4f}"


def duration(seconds: float) -> str:
    """Return seconds in words."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
