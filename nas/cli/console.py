"""What all commands share: the --json flag, one JSON object on stdout, lines for people, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Json", "duration", "interruptible", "make_console", "note", "print_json", "say"]

Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object on stdout.")]


def print_json(document: object) -> None:
    """Print one JSON object on stdout."""
    typer.echo(json.dumps(document, allow_nan=False))


def make_console(*, stderr: bool = False) -> Console:
    """Return a console for people, on stdout unless it is for progress."""
    from rich.console import Console

    return Console(stderr=stderr)


def say(console: Console, line: str) -> None:
    """Print a line as it is: paths and messages may look like markup, and are for copying."""
    console.print(line, soft_wrap=True, markup=False, emoji=False, highlight=False)


def note(line: str) -> None:
    """Print a line on stderr."""
    say(make_console(stderr=True), line)


def duration(seconds: float) -> str:
    """Return seconds in words."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


@contextmanager
def interruptible(message: str, at_first: str | None = None) -> Iterator[None]:
    """End the process at Ctrl-C with a message and exit code 130.

    While nothing is at stake yet, that happens at once, with `at_first` if it is given: an import that is interrupted
    may raise anything. What runs inside may have its own way of stopping, and puts this one back when it is done.
    """

    def leave(*_: object) -> None:
        os.write(2, f"wirenas: {at_first or message}\n".encode())
        os._exit(130)

    before = signal.signal(signal.SIGINT, leave)
    try:
        yield
    except KeyboardInterrupt:
        print(f"wirenas: {message}", file=sys.stderr)
        sys.exit(130)
    finally:
        signal.signal(signal.SIGINT, before)
