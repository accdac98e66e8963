"""Matrix Market files of adjacency matrices: row = source, column = target.

References
----------
.. [1] R. F. Boisvert, R. Pozo and K. A. Remington, "The Matrix Market Exchange Formats", NISTIR 5935, 1996
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from priors.formats import limits
from priors.formats.lines import numbered_lines
from priors.formats.matrix import check_shape, needed_note, wiring_of_entries
from priors.formats.note import comment_lines, read_comments
from priors.formats.reading import Reading
from priors.formats.values import shown
from priors.wiring import Wiring

__all__ = ["read_matrix_market", "write_matrix_market"]

_LAYOUTS = {"coordinate": 3, "array": 2}
_FIELDS = ("real", "double", "integer", "unsigned-integer", "pattern")
_SYMMETRIES = ("general", "symmetric", "skew-symmetric")
_DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)


def read_matrix_market(content: bytes, reading: Reading) -> Wiring:
    """Read a real, integer or pattern matrix; a symmetric one gives both directions of every edge.

    Of an ``array``, which tells every entry, those that are not 0 are edges.
    """
    comments: list[str] = []
    lines = _uncommented(content, reading, comments)
    layout, field, symmetry = _banner(next(lines, ""))
    size = next(lines, "").split()
    if len(size) != _LAYOUTS[layout] or not all(map(_DIGITS.fullmatch, size)):
        raise ValueError(f"size {shown(' '.join(size))}: a matrix {layout} tells {_LAYOUTS[layout]} whole numbers")
    n_neurons = check_shape((int(size[0]), int(size[1])))
    if layout == "array":
        rows, columns = _array_places(n_neurons, symmetry)
        values = _table(lines, len(rows), 1)[:, 0]
        rows, columns, values = (part[values != 0] for part in (rows, columns, values))
    else:
        table = _table(lines, int(size[2]), 2 if field == "pattern" else 3)
        rows, columns = _places(table[:, 0], n_neurons), _places(table[:, 1], n_neurons)
        values = np.ones(len(table)) if field == "pattern" else table[:, 2]
    if symmetry != "general":
        other = rows != columns
        sign = -1 if symmetry == "skew-symmetric" else 1
        values = np.concatenate([values, sign * values[other]])
        rows, columns = np.concatenate([rows, columns[other]]), np.concatenate([columns, rows[other]])
    return wiring_of_entries(n_neurons, rows, columns, values, read_comments(comments), reading)


def write_matrix_market(wiring: Wiring) -> bytes:
    """Return the adjacency as a general coordinate matrix, a pattern where the wiring has no weights."""
    note = needed_note(wiring)
    field = "pattern" if wiring.weights is None else "real"
    lines = [f"%%MatrixMarket matrix coordinate {field} general"]
    lines += [] if note is None else comment_lines(note, "%")
    lines.append(f"{wiring.n_neurons} {wiring.n_neurons} {wiring.n_edges}")
    places = (wiring.edges + 1).tolist()
    if wiring.weights is None:
        lines += [f"{row} {column}" for row, column in places]
    else:
        entries = zip(places, wiring.weights.tolist(), strict=True)
        lines += [f"{row} {column} {weight!r}" for (row, column), weight in entries]
    return "".join(f"{line}\n" for line in lines).encode()


def _uncommented(content: bytes, reading: Reading, comments: list[str]) -> Iterator[str]:
    for number, line in numbered_lines(content, reading):
        if number > 1 and line.startswith("%"):
            comments.append(line[1:])
        elif line and not line.isspace():
            yield line


def _banner(line: str) -> tuple[str, str, str]:
    words = line.lower().split()
    # Network Repository writes one sign only.
    if len(words) != 5 or words[0].lstrip("%") != "matrixmarket" or words[0][:1] != "%" or words[1] != "matrix":
        raise ValueError(f"begins with {shown(line)}: it must be '%%MatrixMarket matrix coordinate real general'")
    for word, known in zip(words[2:], (tuple(_LAYOUTS), _FIELDS, _SYMMETRIES), strict=True):
        if word not in known:
            raise ValueError(f"holds a matrix that is {shown(word)}; known are {', '.join(known)}")
    if words[2:4] == ["array", "pattern"]:
        raise ValueError("holds an array that is a pattern: an array tells its values")
    return words[2], words[3], words[4]


def _table(lines: Iterator[str], n_rows: int, n_columns: int) -> NDArray[np.float64]:
    """Return the rest of the lines as (n_rows, n_columns) numbers."""
    if n_rows > limits.MAX_EDGES:
        raise ValueError(f"{n_rows} entries are more than the {limits.MAX_EDGES} that are read at most")
    first = next(lines, None)
    if first is None:
        table = np.zeros((0, n_columns))
    elif len(first.split()) != n_columns:
        raise ValueError(f"its first entry is {shown(first)}: {n_columns} numbers are needed")
    else:
        try:
            table = np.loadtxt(chain([first], lines), ndmin=2, comments=None, max_rows=n_rows + 1)
        except ValueError as error:
            raise ValueError(f"its entries cannot be read: {str(error).partition(';')[0]}") from error
    if table.shape != (n_rows, n_columns):
        raise ValueError(f"holds entries of shape {table.shape}: its head tells of {(n_rows, n_columns)}")
    return table


def _places(numbers: NDArray[np.float64], n_neurons: int) -> NDArray[np.int64]:
    wrong = ~((numbers >= 1) & (numbers <= n_neurons) & (numbers == np.floor(numbers)))
    if wrong.any():
        raise ValueError(f"place {numbers[wrong][0]:g}: rows and columns are numbered from 1 to {n_neurons}")
    return numbers.astype(np.int64) - 1


def _array_places(n_neurons: int, symmetry: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and columns in the order of an array: column by column, of a symmetric one from the diagonal on."""
    if n_neurons**2 > limits.MAX_EDGES:
        raise ValueError(f"holds an array of {n_neurons} rows: at most {limits.MAX_EDGES} values are read")
    columns, rows = np.divmod(np.arange(n_neurons**2), max(n_neurons, 1))
    told = {"general": rows >= 0, "symmetric": rows >= columns, "skew-symmetric": rows > columns}[symmetry]
    return rows[told], columns[told]
