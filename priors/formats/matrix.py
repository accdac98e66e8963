"""Adjacency matrices of wirings as entries. Row = source, column = target, as networkx and scipy have it.

`Wiring.csr` is the transpose.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from priors.formats import limits
from priors.formats.edges import FileEdges, kept_directed, settled_edges
from priors.formats.note import Note, write_note
from priors.formats.reading import Reading
from priors.formats.values import LARGEST_WEIGHT, shown
from priors.wiring import Wiring

__all__ = ["check_shape", "needed_note", "wiring_of_entries", "wiring_of_matrix"]


def check_shape(shape: tuple[int, ...]) -> int:
    """Return the number of neurons of an adjacency matrix.

    Raises
    ------
    ValueError
        If it is not square, or larger than `MAX_NEURONS`.
    """
    if len(shape) != 2 or shape[0] != shape[1] or not 0 <= shape[0] <= limits.MAX_NEURONS:
        raise ValueError(f"shape {shape}: an adjacency matrix is square, with at most {limits.MAX_NEURONS} rows")
    return shape[0]


def wiring_of_entries(
    n_neurons: int,
    rows: NDArray[np.integer[Any]],
    columns: NDArray[np.integer[Any]],
    values: NDArray[Any],
    note: Note | None,
    reading: Reading,
    names: Sequence[str | int] | None = None,
) -> Wiring:
    """Return the wiring with an edge for every entry, entries of 0 included.

    Without a note, entries that are all 1 are no weights. Entries of the same place are parallel edges.

    Raises
    ------
    ValueError
        For more than `MAX_EDGES`, values that are no weights, or a note that does not fit.
    """
    if len(rows) > limits.MAX_EDGES:
        raise ValueError(f"{len(rows)} entries are more than the {limits.MAX_EDGES} that are read at most")
    edges = np.stack([rows, columns], axis=1).astype(np.int64)
    outside = (edges < 0) | (edges >= n_neurons)
    if outside.any():
        source, target = edges[outside.any(axis=1)][0].tolist()
        raise ValueError(f"edge ({source}, {target}) leaves the {n_neurons} neurons, which are numbered from 0")
    with np.errstate(all="ignore"):
        weights = values.astype(np.float64)
        wrong = ~(np.abs(weights) <= LARGEST_WEIGHT)
    if wrong.any():
        raise ValueError(f"weight {weights[wrong][0]}: each must be a finite number of single precision")
    weighted = bool((weights != 1).any()) if note is None else note["weighted"] and values.dtype != bool
    found = FileEdges(edges, weights if weighted else np.full(len(edges), np.nan), directed=True, is_declared=False)
    settled, own_weights = settled_edges(found, reading, str)
    if note is None:
        own_names = None if names is None or list(names) == list(range(n_neurons)) else names
        wiring = Wiring((n_neurons,) if n_neurons else (), settled, weights=own_weights, names=own_names)
        return kept_directed(wiring, found, reading)
    if sum(note["sizes"]) != n_neurons:
        raise ValueError(f"its note tells of {sum(note['sizes'])} neurons, the matrix of {n_neurons}")
    units = {"inputs": note["inputs"], "outputs": note["outputs"]}
    wiring = Wiring(note["sizes"], settled, **units, weights=own_weights, names=note["names"])
    return kept_directed(wiring, found, reading)


def wiring_of_matrix(matrix: NDArray[Any], reading: Reading, names: Sequence[str | int] | None = None) -> Wiring:
    """Return the wiring of a dense matrix: an edge where an entry is neither 0 nor NaN.

    Raises
    ------
    ValueError
        If it is not square and of real numbers, too large, or holds infinite values.
    """
    if matrix.dtype.kind not in "biuf":
        raise ValueError(f"holds values of type {matrix.dtype}: an adjacency matrix holds real numbers")
    n_neurons = check_shape(matrix.shape)
    unknown = np.isnan(matrix)
    if unknown.any():
        reading.remark(f"{int(unknown.sum())} NaN among its entries, taken as no edge")
    rows, columns = np.nonzero((matrix != 0) & ~unknown)
    if names is not None and len(set(names)) < len(names):
        raise ValueError(f"labels hold {shown(_repeated(names))} twice: every neuron needs one of its own")
    return wiring_of_entries(n_neurons, rows, columns, matrix[rows, columns], None, reading, names)


def _repeated(names: Sequence[str | int]) -> str | int:
    return next(name for index, name in enumerate(names) if name in names[:index])


def needed_note(wiring: Wiring) -> str | None:
    """Return the note of a wiring, or None where the entries of its matrix tell everything."""
    ones = wiring.weights is not None and bool((wiring.weights == 1).all())
    plain = wiring.n_layers < 2 and not (wiring.inputs or wiring.outputs or ones) and wiring.names is None
    return None if plain else write_note(wiring)
