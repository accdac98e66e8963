"""What all commands share: the --json flag, one JSON object on stdout, a console, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Json", "leaving_at_once", "make_console", "print_json", "say"]

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


@contextmanager
def leaving_at_once(message: str) -> Iterator[None]:
    """End the process at Ctrl-C, with a message, while nothing is at stake yet.

    An import that is interrupted may raise anything. What runs inside has its own way of stopping, and puts this one
    back when it is done.
    """

    def leave(*_: object) -> None:
        os.write(2, f"wirenas: {message}\n".encode())
        os._exit(130)

    before = signal.signal(signal.SIGINT, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
