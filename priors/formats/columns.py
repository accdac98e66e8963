"""Columns of a table of edges: which of them are source, target, weight and direction, by heading or by place."""

from __future__ import annotations

from dataclasses import dataclass

from priors.formats.headings import DIRECTIONS, OTHER_NUMBERS, WEIGHT_NAMES, named_ends, plain_name
from priors.formats.reading import Reading
from priors.formats.rows import Row, Rows
from priors.formats.values import is_number, shown

__all__ = ["Columns", "NodeTableError", "are_times", "columns_of", "has_heading"]

_MOST_NAMES = 5


class NodeTableError(ValueError):
    """A table of nodes was given where edges are needed."""


@dataclass(frozen=True)
class Columns:
    """Places of columns, from 0 on; None where there is none.

    `directed` says what the heading says about edges; `kinds` is the place of each edge's own direction.
    """

    source: int
    target: int
    weight: int | None
    kinds: int | None = None
    directed: bool | None = None
    has_heading: bool = False


def has_heading(rows: list[Row]) -> bool:
    """Whether the first row names columns: it holds no number, and some column below it holds nothing else."""
    heading, body = rows[0].cells, rows[1:]
    if any(map(is_number, heading)) or not body or not all(heading[1:]):
        return False
    return any(
        all(place < len(row.cells) and is_number(row.cells[place]) for row in body) for place in range(len(heading))
    )


def columns_of(rows: Rows, reading: Reading) -> Columns:
    """Return the columns of a table of edges.

    Raises
    ------
    ValueError
        If it is a table of nodes, or has no two columns.
    """
    sample = rows.sample
    heading = sample[0].cells
    named = named_ends(heading)
    names = [plain_name(name) for name in heading]
    if named is None and rows.note is None and {"id", "index"} & set(names) and {"label", "name"} & set(names):
        raise NodeTableError(f"is a table of nodes, with the columns {_listed(heading)}: give the table of edges")
    if named is None and not has_heading(sample):
        return _unnamed(rows, reading)
    is_named = named is not None
    named = named or named_ends(heading, is_heading=True)
    if len(heading) < 2:
        raise ValueError(f"line {sample[0].number} holds 1 column: source and target are needed")
    first, second = ([place for place, name in enumerate(heading) if name] + [0, 1])[:2]
    source, target, directed = (first, second, None) if named is None else named
    if not is_named:
        reading.remark(f"columns {_listed([heading[source], heading[target]])}, taken as source and target")
    weight = next((names.index(name) for name in WEIGHT_NAMES if name in names), None)
    kinds = _kinds_column(names, sample[1:], (source, target, weight))
    if weight is None and (weight := _only_number(names, sample[1:], (source, target, kinds))) is not None:
        reading.remark(f"column {shown(heading[weight])}, taken as weight")
    others = [name for place, name in enumerate(heading) if place not in (source, target, weight, kinds) and name]
    if others:
        are = "which is" if len(others) == 1 else "which are"
        reading.remark(f"column{'' if len(others) == 1 else 's'} {_listed(others)}, {are} not read")
    said = rows.note is not None or rows.directed is not None or reading.directed is not None
    if directed and kinds is None and not said:
        reading.remark(f"columns {_listed([heading[source], heading[target]])}, taken as directed (--undirected)")
    return Columns(source, target, weight, kinds, directed, has_heading=True)


def _unnamed(rows: Rows, reading: Reading) -> Columns:
    """Return the columns by place: a third one of numbers holds weights, and a fourth where the third is text."""
    cells = [row.cells for row in rows.sample]
    n_columns = max(map(len, cells))
    weight = None
    for place in range(2, min(n_columns, 4)):
        found = [row[place] for row in cells if len(row) > place and row[place]]
        if found and (found[0].startswith("{") or any(map(is_number, found))) and not are_times(found):
            weight = place
            break
    third = [row[2] for row in cells if len(row) > 2 and row[2]]
    if weight is None and n_columns == 3 and rows.separator is None and not are_times(third):
        weight = 2  # What is no weight there is refused by its line.
    if weight is None and n_columns > 2 and len(set(map(len, cells))) > 1:
        longest = max(rows.sample, key=lambda row: len(row.cells))
        raise ValueError(
            f"line {longest.number} holds {n_columns} columns of text and others fewer: --format adjacency-list reads "
            "lists of neighbours"
        )
    unread = [str(place + 1) for place in range(2, n_columns) if place != weight]
    if unread and n_columns <= 4:
        reading.remark(f"column {' and '.join(unread)}, which is not read")
    return Columns(0, 1, weight)


def are_times(cells: list[str]) -> bool:
    """Whether all cells are seconds or milliseconds of the last decades."""
    return bool(cells) and all(cell.isdecimal() and len(cell) in (9, 10, 13) for cell in cells)


def _kinds_column(names: list[str], body: list[Row], taken: tuple[int | None, ...]) -> int | None:
    for place, name in enumerate(names):
        if place not in taken and name in ("type", "edgetype", "directed", "direction"):
            found = [row.cells[place].lower() in DIRECTIONS for row in body if len(row.cells) > place]
            if 2 * sum(found) >= len(found):
                return place
    return None


def _only_number(names: list[str], body: list[Row], taken: tuple[int | None, ...]) -> int | None:
    """Return the one column besides those taken that holds numbers, unless these are times or names."""
    found = []
    for place, name in enumerate(names):
        cells = [row.cells[place] for row in body if len(row.cells) > place]
        if place not in taken and cells and all(map(is_number, cells)) and not OTHER_NUMBERS.search(name):
            found.append(place)
    return found[0] if len(found) == 1 else None


def _listed(names: list[str]) -> str:
    text = ", ".join(shown(name) for name in names[:_MOST_NAMES])
    return text if len(names) <= _MOST_NAMES else f"{text} and {len(names) - _MOST_NAMES} more"
