"""Edge lists: one edge a line as source, target and maybe weight, separated by blanks, commas or tabs."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np

from priors.formats.draft import Draft
from priors.formats.lines import numbered_lines
from priors.formats.note import comment_lines, read_comments, write_note
from priors.formats.values import TextNames, shown, text_names, weight_of_text
from priors.wiring import Wiring

__all__ = ["read_edge_list", "write_edge_list"]

_COLUMNS = ["source", "target", "weight"]
_ITEM = r"'([^'\\]*)': ('[^'\\]*'|[^\s,'(){}\[\]]+)"
_DATA_ITEM = re.compile(_ITEM)
_DATA = re.compile(rf"\{{({_ITEM}(, {_ITEM})*)?\}}")


def read_edge_list(content: bytes, separator: str | None = None) -> Wiring:
    """Read directed edges; None separates by blanks.

    A line holds source, target and maybe a weight, which networkx writes as ``{'weight': 0.5}`` too; ``#`` begins a
    comment; a first line ``source target weight`` is a heading. Names that are whole numbers become integers. Neurons
    are sorted by name where all names are integers, and come as the file first names them otherwise.

    An undirected graph is given by both directions of every edge: a line says nothing else.
    """
    comments: list[str] = []
    rows = _rows(_uncommented(content, comments), separator)
    first = next(rows, None)
    note = read_comments(comments)
    names = [] if note is None else note["names"] or range(sum(note["sizes"]))
    draft = Draft()
    if note is not None:
        for name, layer in zip(names, np.repeat(np.arange(len(note["sizes"])), note["sizes"]).tolist(), strict=True):
            draft.node(name, layer)
    named = TextNames((str(name), name) for name in names)
    for source, target, weight in () if first is None else chain([first], rows):
        draft.edge(named[source], named[target], weight)
    if note is None:
        draft.declare_ends()
        return draft.wiring(directed=True)
    return draft.wiring(directed=True, inputs=note["inputs"], outputs=note["outputs"])


def write_edge_list(wiring: Wiring, separator: str | None = None) -> bytes:
    """Return every edge of a wiring as a line, after a note where lines alone do not tell the whole wiring.

    Raises
    ------
    ValueError
        For names that hold a separator, a quote or ``#``, begin or end with a blank, or are empty.
    """
    names = text_names(wiring)
    for name in names:
        is_cell = name.split(separator) == [name] == [name.strip()] and name.isprintable()
        if not name or "#" in name or '"' in name or not is_cell:
            raise ValueError(f"name {shown(name)} cannot stand in a list of edges; a .json file can hold it")
    lines = [] if _is_plain(wiring) else comment_lines(write_note(wiring), "# ")
    joint = separator or " "
    edges = wiring.edges.tolist()
    if wiring.weights is None:
        rows = [f"{names[source]}{joint}{names[target]}" for source, target in edges]
    else:
        weights = zip(edges, wiring.weights.tolist(), strict=True)
        rows = [f"{names[source]}{joint}{names[target]}{joint}{weight!r}" for (source, target), weight in weights]
    # Between blanks a heading is needed only where the first edge would be taken for one.
    if separator is not None or (rows and _is_heading(rows[0].split())):
        lines.append(joint.join(_COLUMNS[: 2 if wiring.weights is None else 3]))
    return "".join(f"{line}\n" for line in chain(lines, rows)).encode()


def _is_plain(wiring: Wiring) -> bool:
    """Whether lines of numbers alone are read as this wiring."""
    other = wiring.n_layers > 1 or wiring.inputs or wiring.outputs or wiring.names is not None
    return not other and not (wiring.in_degree + wiring.out_degree == 0).any()


def _uncommented(content: bytes, comments: list[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines that hold more than a comment; what the others say is added to `comments`."""
    for number, line in numbered_lines(content):
        told, _, comment = line.partition("#")
        if comment and not told:
            comments.append(comment)
        if told and not told.isspace():
            yield number, told


def _is_heading(cells: list[str]) -> bool:
    return [cell.lower() for cell in cells] == _COLUMNS[: len(cells)]


def _rows(lines: Iterable[tuple[int, str]], separator: str | None) -> Iterator[tuple[str, str, float | None]]:
    """Yield source, target and weight, or None, of every edge."""
    first = True
    for number, line in lines:
        cells = line.split(maxsplit=2) if separator is None else _cells(line, separator)
        heading = first and _is_heading(cells)
        first = False
        if len(cells) not in (2, 3) or not (cells[0] and cells[1]):
            raise ValueError(
                f"line {number} holds {len(cells)} columns: it must hold source, target and maybe a weight, separated "
                f"by {'blanks' if separator is None else repr(separator)}"
            )
        if not heading:
            try:
                yield cells[0], cells[1], _weight(cells[2]) if len(cells) == 3 else None
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None


def _cells(line: str, separator: str) -> list[str]:
    if '"' not in line:
        return [cell.strip() for cell in line.split(separator)]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]
    except csv.Error as error:
        raise ValueError(f"a line is no row of cells: {error}") from None


def _weight(cell: str) -> float | None:
    """Return the weight of the last column: a number, nothing, or networkx's data of an edge."""
    text = cell.strip()
    if not text.startswith("{"):
        return weight_of_text(text) if text else None
    if not _DATA.fullmatch(text):
        raise ValueError(f"data {shown(text)} of an edge is not understood: give a weight or {{'weight': 0.5}}")
    data = {match[0]: match[1] for match in _DATA_ITEM.findall(text)}
    return weight_of_text(data["weight"]) if "weight" in data else None
