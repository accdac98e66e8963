"""Structures as sets of places: stored as text, how much two of them overlap, and how they come about."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nas.sparsity.layers import Floats, Layer, Places, size_of
from predictors.distances import nnstd_of_masks

__all__ = ["Timeline", "area", "counts_of", "decoded", "distance", "encoded", "fan_in", "overlap"]


def encoded(places: Places, n: int) -> str:
    """Return some of `n` places as text."""
    bits = np.zeros(n, np.uint8)
    bits[places] = 1
    return base64.b64encode(zlib.compress(np.packbits(bits).tobytes(), 9)).decode("ascii")


def decoded(text: str, n: int) -> Places:
    """Return the places that `encoded` wrote, ascending."""
    packed = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
    return np.flatnonzero(np.unpackbits(packed, count=n)).astype(np.int64)


def counts_of(layers: Sequence[Layer], places: Places) -> Places:
    """Return how many of some ascending places lie in each layer, (n_layers,)."""
    return np.diff(np.searchsorted(places, [layers[0].first, *(layer.stop for layer in layers)]))


def fan_in(layers: Sequence[Layer], places: Places) -> list[Places]:
    """Return how many others each neuron reads, (n_rows,) of each layer."""
    bounds = np.concatenate([[0], np.cumsum(counts_of(layers, places))])
    return [
        np.bincount(layer.entries(places[first:last])[0], minlength=layer.shape[0])
        for layer, first, last in zip(layers, bounds, bounds[1:], strict=False)
    ]


def overlap(layers: Sequence[Layer], one: Places, other: Places) -> float:
    """Return by how much more two structures overlap than random ones: 1 for equal ones, 0 in expectation by chance.

    It is (J - J0) / (1 - J0) in each layer, J the Jaccard index and J0 that of random structures with as many weights
    there: their expected intersection by their expected union. Layers count by the weights that `other` has there;
    those that both fill do not.
    """
    shared = counts_of(layers, np.intersect1d(one, other, assume_unique=True))
    total = weight = 0.0
    for layer, both, own, theirs in zip(layers, shared, counts_of(layers, one), counts_of(layers, other), strict=True):
        union = own + theirs - both
        by_chance = own * theirs / max(layer.size, 1)
        expected = by_chance / max(own + theirs - by_chance, 1e-12)
        if not union or expected >= 1:
            continue
        total += theirs * (both / union - expected) / (1 - expected)
        weight += theirs
    return float(total / weight) if weight else 1.0


def distance(layers: Sequence[Layer], one: Places, other: Places) -> float:
    """Return the neural-network sparse-topology distance of two structures, as published."""
    return nnstd_of_masks(_masks(layers, one), _masks(layers, other))[0]


def _masks(layers: Sequence[Layer], places: Places) -> list[NDArray[np.bool_]]:
    """Return the (n_in, n_out) masks of all layers."""
    lives = np.zeros(size_of(layers), bool)
    lives[places] = True
    return [lives[layer.first : layer.stop].reshape(layer.shape).T for layer in layers]


def area(levels: Sequence[float], values: Sequence[float] | Floats) -> float:
    """Return the mean height of a curve over its levels, by trapezoids."""
    return float(np.trapezoid(values, levels) / (levels[-1] - levels[0]))


class Timeline:
    """Keeps the structure that there is at some steps of a training, of all that are shown.

    Parameters
    ----------
    marks : sequence of int
        Steps, ascending.
    """

    def __init__(self, marks: Sequence[int]) -> None:
        self._marks = list(marks)
        self._last: Places | None = None
        self._kept: list[Places] = []

    def see(self, step: int, structure: Places) -> None:
        """Take note of the structure that there is once so many steps are done."""
        self._pass(step)
        self._last = structure

    def ended(self) -> list[Places]:
        """Return the structures at all marks."""
        self._pass(np.inf)
        return self._kept

    def _pass(self, step: float) -> None:
        while self._marks and self._marks[0] < step:
            assert self._last is not None
            self._kept.append(self._last)
            del self._marks[0]
