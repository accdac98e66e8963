"""What all commands share: the --json flag, one JSON object on stdout, a console. Imports typer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Json", "make_console", "print_json", "say"]

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
