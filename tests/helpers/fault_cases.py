"""Commands that are tried with faults, what lies there before, and what is equal of what lies there after."""

import csv
import hashlib
import io
import json
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_NETWORK = "--task digits --nodes 8:10 --degree 2:3 --epochs 1 --learning-rate 0.01 --threads 1"
_FINALS = "--finalists 1 --final-seeds 2"


@dataclass(frozen=True)
class Case:
    """A command, whose folder is ``out``, and the commands that are called before it."""

    command: str
    before: tuple[str, ...] = ()
    graphs: int = 0

    @property
    def arguments(self) -> list[str]:
        """The command as it is typed."""
        return self.command.split()

    def write_inputs(self, folder: Path) -> None:
        """Write the graphs that the commands are given."""
        if self.graphs:
            from command_line import rows_of, write_graphs, write_table

            write_graphs(folder / "graphs", self.graphs)
            write_table(folder / "table.csv", rows_of(self.graphs))


def called(arguments: list[str], folder: Path) -> None:
    """Call the command line in this process; what it is given and writes lies in a folder."""
    from contextlib import chdir

    from nas.cli.app import main

    typed, sys.argv = sys.argv, ["wirenas", *arguments]
    said = io.StringIO()
    code: object = 0
    try:
        with chdir(folder), redirect_stdout(said), redirect_stderr(said):
            main()
    except SystemExit as ended:
        code = ended.code
    finally:
        sys.argv = typed
    assert not code, said.getvalue()


CASES: Mapping[str, Case] = {
    "run": Case(f"run {_NETWORK} {_FINALS} --trials 3 --json --out out"),
    "more": Case(
        f"run {_NETWORK} {_FINALS} --trials 3 --json --out out",
        before=(f"run {_NETWORK} {_FINALS} --trials 2 --json --out out",),
    ),
    "survey": Case(f"survey {_NETWORK} --wirings 22 --json --out out"),
    "surveyed": Case(
        f"survey {_NETWORK} --wirings 23 --json --out out", before=(f"survey {_NETWORK} --wirings 21 --json --out out",)
    ),
    "fit": Case("fit table.csv --json --out out", graphs=24),
    "refit": Case("fit table.csv --seed 1 --json --out out", before=("fit table.csv --json --out out",), graphs=24),
    "predict": Case("predict out graphs/0.graphml --json", before=("fit table.csv --json --out out",), graphs=24),
    "generate": Case("generate mlp --prior barabasi-albert --nodes 20 --m 2 --inputs 64 --outputs 10 --json --out out"),
    "draw": Case("draw graphs/0.graphml --out out.png", graphs=1),
    "prune": Case(
        "prune --task digits --epochs 2 --max-parameters 400 --widths 16 --pool 1 --learning-rate 0.01 --seeds 2 "
        "--threads 1 --json --out out",
    ),
}

SHARED = f"run {_NETWORK} {_FINALS} --trials 2 --json --out out --storage URL --study NAME"
"""A campaign in a database, to which the folder is a copy."""


def content(folder: Path) -> dict[str, Any]:
    """Return what commands have left below a folder, without what is of a moment: durations, clocks and places.

    Arrays that no predictor names are no content: they do no harm, and go when a predictor is saved beside them.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and path.name != ".lock" and not _is_unnamed(path):
            found[name] = _of_file(path)
    return found


def _is_unnamed(path: Path) -> bool:
    named = path.with_name("predictor.json")
    return path.name.startswith("arrays-") and named.is_file() and path.name not in named.read_text()


_OF_A_MOMENT = ("seconds", "overhead", "out", "study", "storing", "choosing", "datetime", "files", "created")


def _lines(text: str) -> Iterator[Any]:
    """Yield what whole lines hold; one that was cut off stays as it is, and what it told is done again."""
    for line in text.splitlines():
        with suppress(json.JSONDecodeError):
            yield timeless(json.loads(line))


def _of_file(path: Path) -> Any:
    readers: dict[str, Callable[[Path], Any]] = {
        ".csv": lambda path: _table(path.read_text()),
        ".db": _study,
        ".json": lambda path: timeless(json.loads(path.read_text())),
        ".parquet": _part,
        ".safetensors": _tensors,
        ".md": lambda path: re.sub(r"\d+(\.\d+)? (m?s|min|h)\b", "", path.read_text()),
        ".jsonl": lambda path: list(_lines(path.read_text())),
    }
    return readers.get(path.suffix, lambda path: _digest(path.read_bytes()))(path)


def timeless(document: Any) -> Any:
    """Return a document without what is of a moment."""
    if isinstance(document, dict):
        return {key: timeless(value) for key, value in document.items() if key not in _OF_A_MOMENT}
    if isinstance(document, list):
        return [timeless(value) for value in document]
    if isinstance(document, str) and document.startswith("{"):
        return timeless(json.loads(document))
    return document


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _table(text: str) -> list[dict[str, str]]:
    return [timeless(row) for row in csv.DictReader(io.StringIO(text))]


def _study(path: Path) -> Any:
    tables = ("trial_values", "trial_params", "trial_user_attributes", "trial_system_attributes")
    with closing(sqlite3.connect(path)) as connection:
        rows = {
            table: sorted(
                row[1:] for row in connection.execute(f"select * from {table}") if not {*row} & {*_OF_A_MOMENT}
            )
            for table in tables
        }
        rows["trials"] = sorted(connection.execute("select number, state from trials"))
        attributes = connection.execute("select key, value_json from study_user_attributes").fetchall()
    return rows, {key: timeless(json.loads(text)) for key, text in attributes if key not in _OF_A_MOMENT}


def _part(path: Path) -> Any:
    import pyarrow.parquet as pq

    return [timeless(row) for row in pq.read_table(path).to_pylist()]


@cache
def _load() -> Any:
    from safetensors import safe_open

    return safe_open


def _tensors(path: Path) -> Any:
    with _load()(path, framework="numpy") as file:
        tensors = {name: _digest(file.get_tensor(name).tobytes()) for name in sorted(file.keys())}
        return dict(file.metadata() or {}), tensors
