"""Text files whose suffix does not say what they hold: matrices, tables of edges, lists of edges."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from priors.formats.edge_list import wiring_of_rows
from priors.formats.headings import named_ends
from priors.formats.matrix import wiring_of_matrix
from priors.formats.pajek import is_pajek, read_pajek
from priors.formats.reading import Reading
from priors.formats.rows import SAMPLE, Row, Rows, read_rows
from priors.formats.values import is_nothing, is_number, name_of_text, shown, weight_or_none
from priors.wiring import Wiring

__all__ = ["read_list", "read_matrix", "read_net", "read_text"]

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TRUTH = {"true": 1.0, "false": 0.0}
_MOST_DOUBTFUL = 4
_DECIDES = "--format matrix or --format edge-list decides"


class _Layout(NamedTuple):
    """Where the labels of a matrix stand, and whether a line with its size comes before it."""

    heading: bool
    labels: bool
    sized: bool = False


def read_text(content: bytes, reading: Reading, separator: str | None = None) -> Wiring:
    """Read a matrix, with labels or without, or a table or list of edges; Pajek's format is known by its first line.

    A line of numbers above a square matrix holds its labels, and a number alone its size. What might be a list or table
    of edges as well is refused, where `_is_doubtful` says so.
    """
    if is_pajek(content):
        return read_pajek(content, reading)
    rows = read_rows(content, reading, separator)
    layout = None if _is_declared_list(rows) else _matrix_layout(rows)
    if layout is None:
        return wiring_of_rows(rows, reading)
    return _wiring_of_matrix(rows, layout, reading)


def read_list(content: bytes, reading: Reading, separator: str | None = None) -> Wiring:
    """Read a list of edges, as the suffix of the file says; that it might be a matrix is said.

    Raises
    ------
    ValueError
        If it can only be a matrix.
    """
    rows = read_rows(content, reading, separator)
    layout = None
    if not _is_declared_list(rows):
        with suppress(ValueError):
            layout = _matrix_layout(rows)
    if layout is not None:
        size = len(rows.sample) - layout.heading - layout.sized
        if size > _MOST_DOUBTFUL or not rows.whole:
            raise ValueError("is a matrix, where its suffix tells of a list of edges: --format matrix reads it")
        what = f"rows of {size} {'truth values' if _is_truth(_body(rows.sample, layout)) else 'numbers'}"
        reading.remark(f"{size} {what}, taken as a list of edges, as the suffix says (--format matrix decides)")
    return wiring_of_rows(rows, reading)


def read_net(content: bytes, reading: Reading) -> Wiring:
    """Read a ``.net`` file: Pajek's format, or a list of edges."""
    return read_pajek(content, reading) if is_pajek(content) else read_list(content, reading)


def read_matrix(content: bytes, reading: Reading) -> Wiring:
    """Read a matrix as text, with labels or without.

    Raises
    ------
    ValueError
        If it is none.
    """
    rows = read_rows(content, reading)
    layout = _matrix_layout(rows, forced=True)
    if layout is None:
        raise ValueError("is no matrix: it needs as many rows as columns, which all hold numbers, and maybe labels")
    return _wiring_of_matrix(rows, layout, reading)


def _is_declared_list(rows: Rows) -> bool:
    return rows.note is not None or rows.directed is not None or rows.bipartite


def _matrix_layout(rows: Rows, *, forced: bool = False) -> _Layout | None:
    """Return where the labels of a matrix stand, or None where the rows are no matrix.

    Raises
    ------
    ValueError
        Where two to four rows might be either a matrix or edges.
    """
    sample = rows.sample
    if len(sample) < 2 or (named_ends(sample[0].cells) is not None and not forced):
        return None
    sized = _is_sized(rows)
    own = sample[int(sized) :]
    for heading, labels in ((True, True), (False, False), (True, False), (False, True)):
        if _fits(own, heading, labels, whole=rows.whole):
            layout = _Layout(heading, labels, sized)
            if forced or labels:
                return layout
            cells = _body(sample, layout)
            doubt: bool | None
            if not heading:
                doubt = _is_list_as_well(cells)
            elif all(map(is_number, own[0].cells)):
                doubt = _is_doubtful_below_numbers(own[0].cells, cells)
            else:
                doubt = _is_doubtful_below_names(own[0].cells, cells)
            if doubt:
                above = f" below {shown(', '.join(own[0].cells))}" if heading else ""
                raise ValueError(
                    f"{len(cells)} rows of {len(cells)} numbers{above} are a matrix or a list of edges: {_DECIDES}"
                )
            return None if doubt is None else layout
    return None


def _is_sized(rows: Rows) -> bool:
    """Whether the first line holds nothing but how many rows, and maybe columns, follow it."""
    first, second = (row.cells for row in rows.sample[:2])
    if len(first) > 2 or len(first) == len(second) or len(set(first)) > 1 or not first[0].isdecimal():
        return False
    size = int(first[0][:10])
    return size == len(rows.sample) - 1 if rows.whole else size >= SAMPLE


def _body(sample: list[Row], layout: _Layout) -> list[list[str]]:
    return [row.cells[int(layout.labels) :] for row in sample[layout.sized + layout.heading :]]


def _is_truth(body: list[list[str]]) -> bool:
    """Whether cells hold nothing but true and false."""
    found = {cell.lower() for cells in body for cell in cells if not is_nothing(cell)}
    return bool(found) and found <= set(_TRUTH)


def _fits(sample: list[Row], heading: bool, labels: bool, *, whole: bool) -> bool:
    body = [row.cells for row in sample[int(heading) :]]
    width = len(body[0]) - labels if body else 0
    long = any(len(cells) != width + labels for cells in body)
    if width < 2 - (heading and labels) or long or (len(body) != width if whole else width < SAMPLE):
        return False
    values = [cells[labels:] for cells in body]
    if not all(is_number(cell) or is_nothing(cell) for cells in values for cell in cells) and not _is_truth(values):
        return False
    names = [cells[0] for cells in body] if labels else []
    top = sample[0].cells if heading else []
    if (top and _is_truth([top])) or (names and _is_truth([names])):
        return False
    if heading and labels:
        corner = len(top) == width or not is_number(top[0])
        return corner and len(top) in (width, width + 1) and set(names) <= set(top[len(top) - width :])
    if heading:
        # Of a longer sample of numbers alone only the end tells whether the first line is a heading.
        is_known = whole or not all(map(is_number, top)) or _is_truth(values)
        return len(top) == width and len(set(top)) == width and is_known
    if labels:
        known = not any(map(is_number, names)) or (width > 2 and _is_counted(names))
        known = known and not any(map(_DATE.match, names))
        return known and len(set(names)) == len(names) and (width > 2 or not names[0].startswith("{"))
    return True


def _is_counted(names: list[str]) -> bool:
    """Whether names are 0, 1, … or 1, 2, …."""
    return any(names == [str(number + first) for number in range(len(names))] for first in (0, 1))


def _values(body: list[list[str]]) -> list[list[float]]:
    return [[0.0 if is_nothing(cell) else float(cell.replace(",", ".")) for cell in cells] for cells in body]


def _is_list_as_well(body: list[list[str]]) -> bool:
    """Whether two to four rows of as many numbers might be edges: whole names, and more than 0 and 1."""
    return _has_names(body) and not _is_binary(body) and not _has_no_loops(body)


def _has_names(body: list[list[str]]) -> bool:
    """Whether the first two columns might name nodes."""
    return len(body) <= _MOST_DOUBTFUL and all(cell.isdecimal() for cells in body for cell in cells[:2])


def _is_binary(body: list[list[str]]) -> bool:
    return all(value in (0, 1) for row in _values(body) for value in row)


def _has_no_loops(body: list[list[str]]) -> bool:
    """Whether three rows or more hold 0 along the diagonal, as few weighted edges do."""
    return len(body) > 2 and not any(row[place] for place, row in enumerate(_values(body)))


def _is_doubtful_below_numbers(heading: list[str], body: list[list[str]]) -> bool | None:
    """Return whether rows below a line of other numbers may be either matrix or edges; None where they are edges.

    Numbers above are labels where the first two columns name no nodes, where the diagonal is 0, or where all is 0 and 1
    and some weight would be 0. Else they are in doubt below labels that count, and edges below any others.
    """
    if not _has_names(body):
        return False
    values = [float(cell.replace(",", ".")) for cell in heading]
    ascending = values == sorted(values)
    if len(body) == 2:
        return True if ascending and _is_binary(body) else None
    if all(cells[-1].isdecimal() and len(cells[-1]) in (9, 10, 13) for cells in body):
        return None  # Times.
    has_zeros = any(row[2] == 0 for row in _values(body))
    if _has_no_loops(body) or (_is_binary(body) and has_zeros):
        return False
    return True if _is_counted(heading) or _is_binary(body) or (ascending and has_zeros) else None


def _is_doubtful_below_names(heading: list[str], body: list[list[str]]) -> bool | None:
    """Return whether rows below a heading of text may be either matrix or edges; None where they are edges.

    They are edges below names of source and target, such as u and v, but where two rows hold 0 along the diagonal or
    nothing but 0 and 1: these are in doubt, as more rows are below other names where they may be edges.
    """
    if not _has_names(body) or _has_no_loops(body):
        return False
    if named_ends(heading, is_heading=True) is None:
        return _is_list_as_well(body)
    if len(body) == 2:
        values = _values(body)
        return True if _is_binary(body) or values[0][0] == values[1][1] == 0 else None
    return True if _is_binary(body) else None


def _wiring_of_matrix(rows: Rows, layout: _Layout, reading: Reading) -> Wiring:
    heading, labels, sized = layout
    if sized:
        reading.remark(f"line {rows.sample[0].number}, taken as the size of the matrix")
        del rows.sample[0]
    own = iter(rows)
    top = list(next(own).cells) if heading else []
    first = rows.sample[0].cells
    truth = _TRUTH if _is_truth(_body(rows.sample, layout._replace(sized=False))) else {}
    names: list[str] = []
    numbers: list[NDArray[np.float64]] = []
    for row in own:
        cells = row.cells[1:] if labels else row.cells
        if labels:
            names.append(row.cells[0])
        if numbers and len(cells) != len(numbers[0]):
            raise ValueError(
                f"line {row.number} holds {len(cells)} numbers: a row of this matrix has {len(numbers[0])}"
            )
        try:
            values = [_TRUTH[cell.lower()] if cell.lower() in truth else weight_or_none(cell) for cell in cells]
        except ValueError as error:
            raise ValueError(f"line {row.number}: {error}") from None
        numbers.append(np.array([0.0 if value is None else value for value in values]))
    if not (heading or labels) and len(numbers) == len(numbers[0]) + 1 and len(set(first)) == len(first):
        heading, top = True, first
        del numbers[0]
    size = len(numbers)
    if size != len(numbers[0]):
        raise ValueError(f"holds {size} rows of {len(numbers[0])} numbers: an adjacency matrix is square")
    matrix = np.stack(numbers)
    top = top[len(top) - size :]
    if heading and labels and top != names:
        if sorted(top) != sorted(names) or len(set(top)) < len(top):
            odd = next(name for name in top if top.count(name) != 1 or names.count(name) != 1)
            raise ValueError(f"labels of rows and columns differ, or repeat: {shown(odd)}")
        matrix = matrix[:, [top.index(name) for name in names]]
    around = " with labels" if heading or labels else ""
    of_what = " of truth values" if truth else ""
    reading.remark(f"a matrix of {size} rows{of_what}{around}, row = source and column = target")
    own_names = names or top
    return wiring_of_matrix(matrix, reading, [name_of_text(name) for name in own_names] if own_names else None)
