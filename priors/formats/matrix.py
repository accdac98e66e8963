"""Adjacency matrices of wirings as entries. Row = source, column = target, as networkx and scipy have it.

`Wiring.csr` is the transpose.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from priors.formats import limits
from priors.formats.note import Note, write_note
from priors.formats.values import LARGEST_WEIGHT
from priors.wiring import Wiring

__all__ = ["check_shape", "needed_note", "wiring_of_entries"]


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
) -> Wiring:
    """Return the wiring with an edge for every entry, entries of 0 included.

    Without a note, entries that are all 1 are no weights.

    Raises
    ------
    ValueError
        For more than `MAX_EDGES`, repeated entries, values that are no weights, or a note that does not fit.
    """
    if len(rows) > limits.MAX_EDGES:
        raise ValueError(f"{len(rows)} entries are more than the {limits.MAX_EDGES} that are read at most")
    edges = np.stack([rows, columns], axis=1).astype(np.int64)
    with np.errstate(all="ignore"):
        weights = values.astype(np.float64)
        wrong = ~(np.abs(weights) <= LARGEST_WEIGHT)
    if wrong.any():
        raise ValueError(f"weight {weights[wrong][0]}: each must be a finite number of single precision")
    weighted = bool((weights != 1).any()) if note is None else note["weighted"]
    own_weights = weights if weighted and values.dtype != bool else None
    if note is None:
        return Wiring((n_neurons,) if n_neurons else (), edges, weights=own_weights)
    if sum(note["sizes"]) != n_neurons:
        raise ValueError(f"its note tells of {sum(note['sizes'])} neurons, the matrix of {n_neurons}")
    units = {"inputs": note["inputs"], "outputs": note["outputs"]}
    return Wiring(note["sizes"], edges, **units, weights=own_weights, names=note["names"])


def needed_note(wiring: Wiring) -> str | None:
    """Return the note of a wiring, or None where the entries of its matrix tell everything."""
    ones = wiring.weights is not None and bool((wiring.weights == 1).all())
    plain = wiring.n_layers < 2 and not (wiring.inputs or wiring.outputs or ones) and wiring.names is None
    return None if plain else write_note(wiring)
