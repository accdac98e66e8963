"""GROWTH: where new weights come to live.

A growth is a function and a line of `GROWTH`. It is told which places are taken, and returns as many others as it is
asked for. Random growth counts through the empty places without listing them, so that a layer may have any size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError
from nas.sparsity.layers import Layer, Places
from nas.sparsity.selection import distinct, highest, is_among

__all__ = ["GROWTH", "Growth", "draw_places", "largest_free", "n_empty", "random_places"]

Matrix = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Growth:
    """One way to choose where weights are grown.

    Attributes
    ----------
    function : callable
        ``function(layer, taken, count, rng, matrix=None, allowed=None, ties=None)`` returns ascending int64 places of
        the layer: `count` of them, none of which is in the ascending array `taken`, all of which are in the ascending
        array `allowed` where one is given.
    needs : str or None
        The (rows, columns) `matrix` of one layer that it reads: "gradient" or "momentum".
    description : str
    """

    function: Callable[..., Places]
    needs: str | None
    description: str


def n_empty(first: int, stop: int, taken: Places, allowed: Places | None = None) -> int:
    """Return how many places from `first` to below `stop` are free, of the allowed ones where these are given."""
    taken = taken[slice(*np.searchsorted(taken, [first, stop]))]
    if allowed is None:
        return stop - first - len(taken)
    allowed = allowed[slice(*np.searchsorted(allowed, [first, stop]))]
    return len(allowed) - int(np.count_nonzero(is_among(taken, allowed)))


def random_places(
    first: int, stop: int, taken: Places, count: int, rng: np.random.Generator, allowed: Places | None = None
) -> Places:
    """Return `count` free places from `first` to below `stop`, every such set equally likely, ascending.

    The free places are not listed: which of them are meant is drawn by their number, and before the j-th of them lie
    as many taken places as have no more than j free ones before them. Time and memory follow from what lives and
    grows.

    Raises
    ------
    InputError
        If fewer places are free.
    """
    free = n_empty(first, stop, taken, allowed)
    if count > free:
        raise InputError(f"{count} weights were to grow where {free} places are free: ask for no more than {free}")
    number = distinct(rng, free, count)
    taken = taken[slice(*np.searchsorted(taken, [first, stop]))]
    if allowed is not None:
        allowed = allowed[slice(*np.searchsorted(allowed, [first, stop]))]
        return allowed[~is_among(allowed, taken)][number]
    free_before = taken - first - np.arange(len(taken))
    return first + number + np.searchsorted(free_before, number, side="right")


def draw_places(
    layers: Sequence[Layer], counts: Sequence[int] | Places, rng: np.random.Generator, allowed: Places | None = None
) -> Places:
    """Draw the places of a first structure: so many in each layer, every such set equally likely, ascending."""
    none = np.zeros(0, np.int64)
    drawn = [
        random_places(layer.first, layer.stop, none, int(count), rng, allowed)
        for layer, count in zip(layers, counts, strict=True)
    ]
    return np.concatenate([none, *drawn])


def _random(
    layer: Layer,
    taken: Places,
    count: int,
    rng: np.random.Generator,
    matrix: Matrix | None = None,  # noqa: ARG001
    allowed: Places | None = None,
    ties: np.random.Generator | None = None,  # noqa: ARG001
    *,
    drifts: bool = False,
) -> Places:
    if drifts:
        # As many as independent draws at every free place come to; given their number, all sets are equally likely.
        free = n_empty(layer.first, layer.stop, taken, allowed)
        count = int(rng.binomial(free, min(count / max(free, 1), 1.0)))
    return random_places(layer.first, layer.stop, taken, count, rng, allowed)


def _largest(
    layer: Layer,
    taken: Places,
    count: int,
    rng: np.random.Generator,  # noqa: ARG001
    matrix: Matrix | None = None,
    allowed: Places | None = None,
    ties: np.random.Generator | None = None,
) -> Places:
    places, _ = largest_free(layer, taken, count, matrix, allowed, ties)
    if len(places) < count:
        raise InputError(
            f"{count} weights were to grow in layer {layer.name!r} where {len(places)} places are free: ask for no "
            f"more than {len(places)}"
        )
    return places


def largest_free(
    layer: Layer,
    taken: Places,
    count: int,
    matrix: Matrix | None,
    allowed: Places | None = None,
    ties: np.random.Generator | None = None,
) -> tuple[Places, Matrix]:
    """Return the free places with the largest absolute entries of a matrix, ascending, and these; all if few are free.

    Raises
    ------
    InputError
        If the matrix is missing, or has another shape than the layer.
    """
    if matrix is None or tuple(matrix.shape) != layer.shape:
        shape = "none" if matrix is None else f"one of shape {tuple(matrix.shape)}"
        raise InputError(f"layer {layer.name!r} needs a matrix of shape {layer.shape} to grow by, and got {shape}")
    taken = taken[slice(*np.searchsorted(taken, [layer.first, layer.stop]))]
    values = np.abs(matrix).ravel()
    if allowed is not None:
        allowed = allowed[slice(*np.searchsorted(allowed, [layer.first, layer.stop]))]
        free = allowed[~is_among(allowed, taken)]
        values = values[free - layer.first]
        chosen = np.flatnonzero(highest(values, min(count, len(free)), ties))
        return free[chosen], values[chosen]
    values[taken - layer.first] = -1.0
    chosen = np.flatnonzero(highest(values, min(count, layer.size - len(taken)), ties))
    return layer.first + chosen, values[chosen]


GROWTH: dict[str, Growth] = {
    "random": Growth(_random, None, "uniformly among the free places, an exact number"),
    "gradient": Growth(_largest, "gradient", "where the gradient of the loss is largest; arXiv:1911.11134"),
    "momentum": Growth(_largest, "momentum", "where the optimizer's momentum is largest; arXiv:1907.04840"),
    "bernoulli": Growth(
        partial(_random, drifts=True),
        None,
        "every free place with the same probability, independently, so that the number drifts; as released with "
        "arXiv:2306.12230",
    ),
}
"""Every growth by its name."""
