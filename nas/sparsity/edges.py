"""Whole edges: the weights of all gates that connect two neurons, dropped and grown together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.sparsity.layers import Floats, Layer, Live, Places

__all__ = ["EdgeView", "whole_counts"]


@dataclass(frozen=True, eq=False)
class EdgeView:
    """Live weights seen as edges: a matrix of several gates becomes one with a place an edge.

    Attributes
    ----------
    weights : tuple of Layer
        The layers that are seen so.
    layers : tuple of Layer
        Those of edges, with one gate.
    slots : (n_edges,) int64
        Places of the edges any of whose weights lives, ascending.
    edge : (n_weights,) int64
        The index of each live weight's edge.
    """

    weights: tuple[Layer, ...]
    layers: tuple[Layer, ...]
    slots: Places
    edge: Places

    @classmethod
    def of(cls, live: Live) -> EdgeView:
        """Look at live weights."""
        layers: list[Layer] = []
        for layer in live.layers:
            first = layers[-1].stop if layers else live.layers[0].first
            layers.append(Layer(layer.name, (layer.n_targets, layer.shape[1]), first, 1, layer.kernel))
        view = cls(live.layers, tuple(layers), np.zeros(0, np.int64), np.zeros(0, np.int64))
        slots, edge = np.unique(view.of_places(live.slots), return_inverse=True)
        return cls(live.layers, tuple(layers), slots, edge.astype(np.int64))

    @classmethod
    def of_layers(cls, layers: Sequence[Layer]) -> EdgeView:
        """Look at layers in which nothing lives."""
        return cls.of(Live(tuple(layers), np.zeros(0, np.int64), np.zeros(0)))

    def is_whole(self, places: Places) -> bool:
        """Return whether some ascending places are those of all weights of some edges."""
        return np.array_equal(self.to_places(np.unique(self.of_places(places))), places)

    def of_places(self, places: Places) -> Places:
        """Return the edges' places that ascending places of weights belong to, one for each."""
        found = np.empty(len(places), np.int64)
        for own, layer, edges in self._parts(places):
            row, column = layer.entries(places[own])
            found[own] = edges.places(row % max(layer.n_targets, 1), column)
        return found

    def to_places(self, edges: Places) -> Places:
        """Return the places of all weights of some edges, whose places ascend, ascending."""
        found = [np.zeros(0, np.int64)]
        bounds = np.searchsorted(edges, [self.layers[0].first, *(layer.stop for layer in self.layers)])
        for index, (layer, view) in enumerate(zip(self.weights, self.layers, strict=True)):
            row, column = view.entries(edges[bounds[index] : bounds[index + 1]])
            found += [layer.places(row + gate * layer.n_targets, column) for gate in range(layer.gates)]
        return np.concatenate(found)

    def _parts(self, places: Places) -> list[tuple[slice, Layer, Layer]]:
        bounds = np.searchsorted(places, [self.weights[0].first, *(layer.stop for layer in self.weights)])
        return [
            (slice(bounds[index], bounds[index + 1]), *pair)
            for index, pair in enumerate(zip(self.weights, self.layers, strict=True))
        ]

    def live(self, live: Live) -> Live:
        """Return the edges as live weights, each with the Euclidean norm of its weights."""
        return Live(self.layers, self.slots, np.sqrt(self.sums(live.weight.astype(np.float64) ** 2)))

    def sums(self, scores: Floats) -> Floats:
        """Return the sum over each edge's live weights of their scores, (n_edges,)."""
        return np.bincount(self.edge, scores, minlength=len(self.slots)).astype(np.float64, copy=False)

    def matrix(self, index: int, dense: NDArray[np.floating[Any]]) -> Floats:
        """Return a layer's matrix, (rows, columns), as one of edges: Euclidean norms over the gates."""
        layer = self.weights[index]
        by_gate = dense.reshape(layer.gates, layer.n_targets, layer.shape[1]).astype(np.float64, copy=False)
        found: Floats = np.sqrt((by_gate**2).sum(axis=0))
        return found


def whole_counts(layers: Sequence[Layer], counts: Places, capacity: Places) -> Places:
    """Return counts of weights near to some that are those of whole edges, with the same sum as far as that can be.

    Parameters
    ----------
    layers : sequence of Layer
    counts, capacity : (n_layers,) int64
        Weights that each layer was to hold, and those that it has room for.

    Returns
    -------
    (n_layers,) int64
        Multiples of each layer's gates, at least one edge where there is room. Their sum is less where layers with
        fewer gates have no room for what is left, and more only where every layer holds one edge.
    """
    gates = np.array([layer.gates for layer in layers], np.int64)
    most = capacity // gates
    least = np.minimum(most, 1)
    few_first = np.argsort(gates, kind="stable").tolist()

    def mended(edges: Places, order: Sequence[int]) -> Places:
        for index in order:
            missing = int(counts.sum() - edges @ gates)
            edges[index] = np.clip(edges[index] + missing // gates[index], least[index], most[index])
        return edges

    edges = mended(np.clip(counts // gates, least, most), [*few_first, *reversed(few_first), *few_first])
    if edges @ gates < counts.sum():
        # Where single weights have no room, one more edge with several may take the place of some.
        for index in np.flatnonzero((gates > 1) & (edges < most)).tolist():
            more = mended(edges + (np.arange(len(gates)) == index), few_first)
            if more @ gates == counts.sum():
                return more * gates
    return edges * gates
