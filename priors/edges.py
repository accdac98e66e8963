"""Checks of what a Wiring is made of: every message names the edge, the value and the rule."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from priors.compiled import extension

__all__ = [
    "MOST_NEURONS",
    "checked_names",
    "checked_sizes",
    "checked_weights",
    "protected",
    "refuse_unit_edges",
    "sorted_rows",
]

MOST_NEURONS = 2**31 - 1
"""Neurons have int32 numbers."""


def checked_sizes(sizes: Iterable[int], n_units: int) -> tuple[int, ...]:
    """Return layer sizes as a tuple of int; `n_units` of the layers are input or output units."""
    try:
        own = tuple(operator.index(size) for size in sizes)
    except TypeError:
        raise ValueError(f"sizes {sizes!r}: neurons per layer are whole numbers") from None
    if any(size < 1 for size in own):
        raise ValueError(f"sizes {own}: every layer needs at least 1 neuron")
    if sum(own) > MOST_NEURONS:
        raise ValueError(f"sizes {own}: {sum(own)} neurons are more than the {MOST_NEURONS} that can be numbered")
    if n_units > len(own):
        raise ValueError(f"sizes {own}: input and output units are two different layers")
    return own


def protected(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array itself, write-protected."""
    array.flags.writeable = False
    return array


def sorted_rows(
    edges: ArrayLike, n_neurons: int, *, keep_order: bool = True
) -> tuple[NDArray[np.int32], NDArray[np.int64] | None]:
    """Return edges as write-protected (n_edges, 2) int32 rows (source, target) of existing neurons, sorted.

    Where `keep_order` the second part is the (n_edges,) place in `edges` of every row.
    """
    rows = np.asarray(edges)
    if rows.size == 0:
        return protected(np.zeros((0, 2), np.int32)), np.zeros(0, np.int64)
    if rows.ndim != 2 or rows.shape[1] != 2 or not np.issubdtype(rows.dtype, np.integer):
        raise ValueError(f"edges of shape {rows.shape}, type {rows.dtype}: they must be integer rows (source, target)")
    native = None if keep_order else extension()
    done = None if native is None else native.sorted_rows(np.ascontiguousarray(rows, np.int64), n_neurons)
    return _sorted_rows(rows, n_neurons) if done is None else (done, None)


def _sorted_rows(rows: NDArray[np.integer[Any]], n_neurons: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Sort rows in Python, and say what is wrong with rows that compiled code refused."""
    outside = (rows < 0) | (rows >= n_neurons)
    if outside.any():
        source, target = rows[outside.any(axis=1)][0].tolist()
        raise ValueError(f"edge ({source}, {target}) leaves the {n_neurons} neurons, which are numbered from 0")
    order = np.lexsort((rows[:, 1], rows[:, 0]))
    own = rows[order].astype(np.int32)
    repeated = (own[1:] == own[:-1]).all(axis=1)
    if repeated.any():
        source, target = own[1:][repeated][0].tolist()
        raise ValueError(f"edge ({source}, {target}) is there twice: every edge is given once")
    return protected(own), order


def refuse_unit_edges(rows: NDArray[np.integer[Any]], sizes: tuple[int, ...], inputs: bool, outputs: bool) -> None:
    """Raise where an edge leads into an input unit or out of an output unit."""
    if not (inputs or outputs):
        return
    first = sizes[0] if inputs else 0
    last = sum(sizes) - (sizes[-1] if outputs else 0)
    for wrong, rule in (
        (rows[:, 1] < first, "leads into an input unit: nothing acts on inputs"),
        (rows[:, 0] >= last, "leads out of an output unit: outputs act on nothing"),
    ):
        if wrong.any():
            source, target = rows[wrong][0].tolist()
            raise ValueError(f"edge ({source}, {target}) {rule}")


def checked_weights(weights: ArrayLike | None, order: NDArray[np.int64] | None) -> NDArray[np.float32] | None:
    """Return one float32 weight an edge, in the order of the sorted edges."""
    if weights is None or order is None:
        return None
    values = np.array(weights, dtype=np.float32)
    if values.shape != order.shape:
        raise ValueError(f"weights have shape {values.shape}: one weight for each of the {len(order)} edges is needed")
    return protected(values[order])


def checked_names(names: Sequence[Hashable] | None, n_neurons: int) -> tuple[Hashable, ...] | None:
    """Return one distinct name a neuron."""
    if names is None:
        return None
    own = tuple(names)
    if len(own) != n_neurons or len(set(own)) != n_neurons:
        raise ValueError(f"{len(own)} names, {len(set(own))} of them distinct: {n_neurons} neurons need one name each")
    return own
