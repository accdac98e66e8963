"""Text files whose suffix does not say what they hold: matrices, tables of edges, lists of edges."""

from __future__ import annotations

import re

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

__all__ = ["read_matrix", "read_net", "read_text"]

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DECIDES = "--format matrix or --format edge-list decides"


def read_text(content: bytes, reading: Reading, separator: str | None = None) -> Wiring:
    """Read a matrix, with labels or without, or a table or list of edges; Pajek's format is known by its first line."""
    if is_pajek(content):
        return read_pajek(content, reading)
    rows = read_rows(content, reading, separator)
    is_list = rows.note is not None or rows.directed is not None or rows.bipartite
    layout = None if is_list else _matrix_layout(rows)
    if layout is None:
        return wiring_of_rows(rows, reading)
    return _wiring_of_matrix(rows, layout, reading)


def read_net(content: bytes, reading: Reading) -> Wiring:
    """Read a ``.net`` file: Pajek's format, or a list of edges."""
    return read_pajek(content, reading) if is_pajek(content) else wiring_of_rows(read_rows(content, reading), reading)


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


def _matrix_layout(rows: Rows, *, forced: bool = False) -> tuple[bool, bool] | None:
    """Return whether a matrix has a heading and a first column of labels, or None where the rows are no matrix.

    Raises
    ------
    ValueError
        Where two to four rows might be either a matrix or a list of edges.
    """
    sample = rows.sample
    if len(sample) < 2 or (named_ends(sample[0].cells) is not None and not forced):
        return None
    for heading, labels in ((True, True), (False, False), (True, False), (False, True)):
        if _fits(rows, heading, labels):
            if not forced and not heading and not labels and _is_list_as_well(sample):
                raise ValueError(
                    f"{len(sample)} rows of {len(sample)} numbers are a matrix or a list of edges: {_DECIDES}"
                )
            return heading, labels
    return None


def _fits(rows: Rows, heading: bool, labels: bool) -> bool:
    sample = rows.sample
    body = [row.cells for row in sample[int(heading) :]]
    width = len(body[0]) - labels if body else 0
    long = any(len(cells) != width + labels for cells in body)
    if width < 2 - (heading and labels) or long or (len(body) != width if rows.whole else width < SAMPLE):
        return False
    if not all(is_number(cell) or is_nothing(cell) for cells in body for cell in cells[labels:]):
        return False
    names = [cells[0] for cells in body] if labels else []
    top = sample[0].cells if heading else []
    if heading and labels:
        corner = len(top) == width or not is_number(top[0])
        return corner and len(top) in (width, width + 1) and set(names) <= set(top[len(top) - width :])
    if heading:
        return len(top) == width and len(set(top)) == width and not all(map(is_number, top)) | (len(body) == width - 1)
    if labels:
        counted = [str(number) for number in range(len(body))]
        known = not any(map(is_number, names)) or (width > 2 and names in (counted, [str(int(n) + 1) for n in counted]))
        known = known and not any(map(_DATE.match, names))
        return known and len(set(names)) == len(names) and (width > 2 or not names[0].startswith("{"))
    return True


def _is_list_as_well(sample: list[Row]) -> bool:
    """Whether two to four rows of as many numbers might be edges: whole names, and more than 0 and 1."""
    if len(sample) > 4:
        return False
    cells = [row.cells for row in sample]
    values = [[float(cell.replace(",", ".")) if cell else 0.0 for cell in row] for row in cells]
    if all(value in (0, 1) for row in values for value in row):
        return False
    whole = all(cell.isdecimal() for row in cells for cell in row[:2])
    loops = len(values) >= 3 and not any(row[place] for place, row in enumerate(values))
    return whole and not loops


def _wiring_of_matrix(rows: Rows, layout: tuple[bool, bool], reading: Reading) -> Wiring:
    heading, labels = layout
    own = iter(rows)
    top = list(next(own).cells) if heading else []
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
            values = [weight_or_none(cell) for cell in cells]
        except ValueError as error:
            raise ValueError(f"line {row.number}: {error}") from None
        numbers.append(np.array([0.0 if value is None else value for value in values]))
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
    reading.remark(f"a matrix of {size} rows{around}, row = source and column = target")
    own_names = names or top
    return wiring_of_matrix(matrix, reading, [name_of_text(name) for name in own_names] if own_names else None)
