"""Calls the command line in this process, and makes what the commands on predictors are given."""

import contextlib
import csv
import io
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from nas.cli import app as cli
from priors import Wiring, layer, orient

TINY = "--task digits --nodes 8:20 --degree 2:4 --epochs 1 --learning-rate 0.01 --threads 1"
WIRINGS, ROWS = 32, 24
HEADER = ("graph", "value", "again", "lineage", "family", "n")


def wirenas(*arguments: object) -> tuple[int, str, str]:
    """Call the command line: exit code, stdout, stderr."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(sys, "argv", ["wirenas", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
    assert isinstance(caught.value.code, int)
    return caught.value.code, out.getvalue(), err.getvalue()


def refused(*arguments: object) -> str:
    """Call the command line with what is wrong, and return the one line that it says."""
    code, out, err = wirenas(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("wirenas: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    return err


def asked(*arguments: object) -> list[dict[str, Any]]:
    code, text, err = wirenas("predict", *arguments, "--json")
    assert (code, err) == (0, "")
    (line,) = text.splitlines()
    found = json.loads(line)
    assert set(found) == {"predictions", "r2"}
    return found["predictions"]


def without_name(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "graph"}


def graph_of(number: int) -> "nx.Graph[int]":
    """Return a graph without directions of 8 to 15 nodes; equal numbers give equal graphs."""
    n = 8 + number % 8
    return nx.gnm_random_graph(n, 2 * n, seed=number)


def sources_of(number: int) -> int:
    """Return how many sources a graph has when its edges lead from lower to higher numbers."""
    graph = graph_of(number)
    return sum(all(other > node for other in graph[node]) for node in graph)


def dag_of(number: int) -> Wiring:
    return layer(orient(Wiring.from_networkx(graph_of(number)), "index"))


def rows_of(count: int) -> list[list[Any]]:
    """Return rows of a table of graphs: values grow with the number of sources."""
    rows = []
    for number in range(count):
        value = 0.3 + 0.05 * sources_of(number)
        family = "wide" if number % 2 else "deep"
        rows.append(
            [f"graphs/{number}.graphml", value, value + 0.002 * (-1) ** number, number // 2, family, 8 + number]
        )
    return rows


def write_table(path: Path, rows: Iterable[Sequence[object]], header: Sequence[str] = HEADER) -> Path:
    """Write a table; the graphs lie beside it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def write_graphs(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        nx.write_graphml(graph_of(number), folder / f"{number}.graphml")
