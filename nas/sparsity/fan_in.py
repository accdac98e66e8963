"""Constant fan-in: all neurons of a layer read equally many others, but those that are ablated, which read none.

References
----------
Lasby et al. (2024), Dynamic sparse training with structured sparsity, arXiv:2305.02299
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError
from nas.sparsity.layers import Floats, Layer, Places
from nas.sparsity.selection import distinct, highest

__all__ = ["draw_fan_in", "highest_by_row", "rewire_fan_in", "salient_targets"]


def draw_fan_in(layer: Layer, count: int, rng: np.random.Generator) -> Places:
    """Draw places of which every row has equally many, as near to `count` in all as that can be; at least 1 each."""
    rows, columns = layer.shape
    if not layer.size:
        return np.zeros(0, np.int64)
    fan_in = fan_in_of(count, rows, columns)
    drawn = [layer.first + row * columns + distinct(rng, columns, fan_in) for row in range(rows)]
    return np.concatenate(drawn)


def fan_in_of(count: int, n_rows: int, n_columns: int) -> int:
    """Return the fan-in by which some rows hold about `count` weights: the nearest, at least 1, at most all columns."""
    return min(max(round(count / n_rows), 1), n_columns)


def highest_by_row(rows: Places, scores: Floats, count: int) -> NDArray[np.bool_]:
    """Mark in each row the `count` highest scores, all where there are fewer; of equal ones those that come first."""
    order = np.lexsort((-scores, rows))
    by_row = rows[order]
    starts = np.flatnonzero(np.diff(by_row, prepend=-1))
    lengths = np.diff(np.append(starts, len(rows)))
    marked = np.empty(len(rows), bool)
    marked[order] = np.arange(len(rows)) - np.repeat(starts, lengths) < count
    return marked


def salient_targets(
    layer: Layer, slots: Places, scores: Floats, gradient: NDArray[np.floating[Any]], n_prune: int, min_salient: float
) -> NDArray[np.bool_]:
    """Return which targets of a layer stay: those with enough salient weights, (n_targets,) bool.

    Salient is a place whose weight is among those that are kept for their score, or whose absolute gradient is among
    the `n_prune` largest of the layer. A target needs the share `min_salient` of what live ones read on average; the
    rows of its gates count together. If no target had enough, all stay.
    """
    salient = highest(np.abs(gradient).ravel(), min(n_prune, layer.size))
    salient[slots[highest(scores, len(slots) - n_prune)] - layer.first] = True
    by_row = np.count_nonzero(salient.reshape(layer.shape), axis=1)
    by_target = by_row.reshape(layer.gates, layer.n_targets).sum(axis=0)
    rows, _ = layer.entries(slots)
    n_live = len(np.unique(rows % layer.n_targets))
    stays = by_target >= min_salient * len(slots) / max(n_live, 1)
    return stays if stays.any() else np.ones(layer.n_targets, bool)


def rewire_fan_in(
    layer: Layer,
    slots: Places,
    scores: Floats,
    gradient: NDArray[np.floating[Any]],
    n_prune: int,
    *,
    target: int,
    min_salient: float,
    ablate: bool = True,
) -> tuple[NDArray[np.bool_], Places]:
    """Return which live weights of a layer are dropped, and where others grow, so that the fan-in is constant.

    First targets with too few salient weights are ablated. The fan-in of the others follows from their number. Then
    the `n_prune` weights with the lowest scores are dropped, and those beyond the fan-in; and every row grows, where
    its absolute gradient is largest, what it lacks.

    Parameters
    ----------
    layer : Layer
    slots, scores : (n,) arrays
        Live weights of the layer.
    gradient : (rows, columns) array
    n_prune : int
    target : int
        Weights that the layer is to hold, as nearly as a constant fan-in can.
    min_salient : float
    ablate : bool
        Whether targets may be ablated; those of a network's last layer may not.
    """
    if tuple(gradient.shape) != layer.shape:
        raise InputError(f"layer {layer.name!r} needs a matrix of shape {layer.shape} to grow by, and got one of shape "
                         f"{tuple(gradient.shape)}")  # fmt: skip
    if not layer.size:
        return np.zeros(0, bool), np.zeros(0, np.int64)
    rows, _ = layer.entries(slots)
    stays = np.ones(layer.n_targets, bool)
    if ablate:
        stays = salient_targets(layer, slots, scores, gradient, n_prune, min_salient)
    active = np.tile(stays, layer.gates)
    fan_in = fan_in_of(target, int(active.sum()), layer.shape[1])
    kept = active[rows]
    own = np.flatnonzero(kept)
    # Weights of ablated targets go first.
    kept[own] = highest(scores[own], min(len(slots) - n_prune, len(own)))
    own = np.flatnonzero(kept)
    kept[own] = highest_by_row(rows[own], scores[own], fan_in)
    return ~kept, _grow_rows(layer, slots[kept], gradient, active, fan_in)


def _grow_rows(
    layer: Layer, kept: Places, gradient: NDArray[np.floating[Any]], active: NDArray[np.bool_], fan_in: int
) -> Places:
    """Return the places that active rows grow to reach the fan-in, ascending."""
    n_rows, n_columns = layer.shape
    values = np.abs(gradient)
    rows, columns = layer.entries(kept)
    values[rows, columns] = -1.0
    lacking = np.where(active, fan_in - np.bincount(rows, minlength=n_rows), 0)
    short = np.flatnonzero(lacking > 0)
    row, column = np.nonzero(_largest_of_rows(values[short], lacking[short]))
    return layer.first + short[row] * n_columns + column


def _largest_of_rows(values: NDArray[np.floating[Any]], counts: Places) -> NDArray[np.bool_]:
    """Mark the largest entries of every row, `counts` of them, at least 1; of equal ones those that come first."""
    if not len(counts):
        return np.zeros(values.shape, bool)
    most = int(counts.max())
    top = -np.sort(np.partition(-values, most - 1, axis=1)[:, :most], axis=1)
    border = top[np.arange(len(counts)), counts - 1, None]
    marked: NDArray[np.bool_] = values > border
    ties = values == border
    missing = counts - np.count_nonzero(marked, axis=1)
    marked |= ties & (np.cumsum(ties, axis=1) <= missing[:, None])
    return marked
