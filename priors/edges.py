"""Checks of what a Wiring is made of: every message names the edge, the value and the rule. May import numpy."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "checked_names",
    "checked_rows",
    "checked_sizes",
    "checked_weights",
    "protected",
    "refuse_repeated",
    "refuse_unit_edges",
]

_MOST_NEURONS = 2**31 - 1


def checked_sizes(sizes: Iterable[int], n_units: int) -> tuple[int, ...]:
    """Return layer sizes as a tuple of int; `n_units` of the layers are input or output units."""
    try:
        own = tuple(operator.index(size) for size in sizes)
    except TypeError:
        raise ValueError(f"sizes {sizes!r}: neurons per layer are whole numbers") from None
    if any(size < 1 for size in own):
        raise ValueError(f"sizes {own}: every layer needs at least 1 neuron")
    if sum(own) > _MOST_NEURONS:
        raise ValueError(f"sizes {own}: {sum(own)} neurons are more than the {_MOST_NEURONS} that can be numbered")
    if n_units > len(own):
        raise ValueError(f"sizes {own}: input and output units are two different layers")
    return own


def protected(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array itself, write-protected."""
    array.flags.writeable = False
    return array


def checked_rows(edges: ArrayLike, n_neurons: int) -> NDArray[np.int64]:
    """Return edges as (n_edges, 2) int64 rows (source, target) of existing neurons."""
    rows = np.asarray(edges)
    if rows.size == 0:
        return np.zeros((0, 2), np.int64)
    if rows.ndim != 2 or rows.shape[1] != 2 or not np.issubdtype(rows.dtype, np.integer):
        raise ValueError(f"edges of shape {rows.shape}, type {rows.dtype}: they must be integer rows (source, target)")
    outside = (rows < 0) | (rows >= n_neurons)
    if outside.any():
        source, target = rows[outside.any(axis=1)][0].tolist()
        raise ValueError(f"edge ({source}, {target}) leaves the {n_neurons} neurons, which are numbered from 0")
    return rows.astype(np.int64)


def refuse_repeated(rows: NDArray[np.integer[Any]]) -> None:
    """Raise where an edge of the sorted rows stands twice."""
    repeated = (rows[1:] == rows[:-1]).all(axis=1)
    if repeated.any():
        source, target = rows[1:][repeated][0].tolist()
        raise ValueError(f"edge ({source}, {target}) is there twice: every edge is given once")


def refuse_unit_edges(rows: NDArray[np.integer[Any]], sizes: tuple[int, ...], inputs: bool, outputs: bool) -> None:
    """Raise where an edge leads into an input unit or out of an output unit."""
    first = sizes[0] if inputs else 0
    last = sum(sizes) - (sizes[-1] if outputs else 0)
    for wrong, rule in (
        (rows[:, 1] < first, "leads into an input unit: nothing acts on inputs"),
        (rows[:, 0] >= last, "leads out of an output unit: outputs act on nothing"),
    ):
        if wrong.any():
            source, target = rows[wrong][0].tolist()
            raise ValueError(f"edge ({source}, {target}) {rule}")


def checked_weights(weights: ArrayLike | None, order: NDArray[np.int64]) -> NDArray[np.float32] | None:
    """Return one float32 weight an edge, in the order of the sorted edges."""
    if weights is None:
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
