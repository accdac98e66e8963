"""What all commands share: the --json flag, one JSON object on stdout, lines for people, Ctrl-C."""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
import signal
import sys
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.errors import printable
from nas.report.lines import duration, say, say_in_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

__all__ = [
    "Begun",
    "Json",
    "duration",
    "encode_readably",
    "interruptible",
    "make_console",
    "note",
    "print_csv",
    "print_json",
    "say",
    "say_in_lines",
    "say_what_was_assumed",
]

Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object on stdout.")]


_READABLE = {
    "–": "-", "—": "-", "−": "-", "±": "+/-", "×": "x", "·": ".", "…": "...", "→": "->", "≤": "<=", "≥": ">=", "µ": "u",
    "‘": "'", "’": "'", "“": '"', "”": '"', "²": "2", "•": "*", "≈": "~", "°": " deg", "⠋": ".",
}  # fmt: skip


def _readable(error: UnicodeError) -> tuple[str, int]:
    """Replace what an encoding lacks by what can be read all the same."""
    assert isinstance(error, UnicodeEncodeError)
    found = []
    for sign in error.object[error.start : error.end]:
        plain = "".join(part for part in unicodedata.normalize("NFKD", sign) if part.isascii())
        found.append(_READABLE.get(sign) or plain or "?")
    return "".join(found), error.end


codecs.register_error("wirenas", _readable)


def encode_readably() -> None:
    """Let stdout and stderr print on terminals of any encoding, where signs that are missing are written in ASCII."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="wirenas")


def print_json(document: object) -> None:
    """Print one JSON object on stdout."""
    typer.echo(json.dumps(document, allow_nan=False))


def print_csv(rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows of the same columns on stdout, as csv with a heading."""
    table = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)


def say_what_was_assumed() -> None:
    """Print the warnings about graph files as lines for people, from now on."""
    before = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any) -> None:
        # By its name, since its class is imported when files are read.
        note(f"wirenas: {message}") if category.__name__ == "GraphFileWarning" else before(message, category, *place)

    warnings.showwarning = show  # type: ignore[assignment]


def make_console(*, stderr: bool = False) -> Console:
    """Return a console for people, on stdout unless it is for progress."""
    return _console_class()(stderr=stderr)


@cache
def _console_class() -> type[Console]:
    """Return a console that lays out what it can show: replaced later, signs would take another width."""
    from rich.console import Console

    class Readable(Console):
        def render_str(self, text: str, **options: Any) -> Text:
            shown = "\n".join(map(printable, text.split("\n")))
            return super().render_str(shown.encode(self.encoding, "wirenas").decode(self.encoding), **options)

    return Readable


def note(line: str) -> None:
    """Print a line on stderr."""
    say(make_console(stderr=True), line)


@dataclass
class Begun:
    """What says, when work is interrupted, whether there is some to go on with: a file that is written first."""

    file: Path | None = None

    def interrupted(self) -> str:
        """Return the line on an interruption."""
        if self.file is not None and self.file.is_file():
            return "interrupted; the same command resumes"
        return "interrupted before anything was stored; the same command begins anew"


@contextmanager
def interruptible(message: str | Callable[[], str], at_first: str | None = None) -> Iterator[None]:
    """End the process at Ctrl-C with a message, which may be made only then, and exit code 130.

    While nothing is at stake yet, that happens at once, with `at_first` if it is given: an import that is interrupted
    may raise anything. What runs inside may have its own way of stopping, and puts this one back when it is done.
    """

    def told() -> str:
        return message if isinstance(message, str) else message()

    def leave(*_: object) -> None:
        os.write(2, f"wirenas: {at_first or told()}\n".encode())
        os._exit(130)

    before = signal.signal(signal.SIGINT, leave)
    try:
        yield
    except KeyboardInterrupt:
        print(f"wirenas: {told()}", file=sys.stderr)
        sys.exit(130)
    finally:
        signal.signal(signal.SIGINT, before)
