"""What of a structure takes part: weights on a way from inputs to outputs, dead neurons, and live parameters.

Everything takes time and memory in proportion to neurons and live weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order

from nas.errors import InputError
from nas.sparsity.layers import Layer, Live, Places

__all__ = ["Liveness", "Neurons", "feedforward", "largest_within", "liveness", "liveness_with"]

Marks = NDArray[np.bool_]

_MOST_STEPS = 20
"""Steps along all edges, from which on a search by neurons is quicker."""


@dataclass(frozen=True, eq=False)
class Neurons:
    """Which neurons the rows and columns of layers are.

    Parameters
    ----------
    n : int
        Neurons in all, input and output units included.
    rows : tuple of int64 arrays
        For each layer the neurons that its rows are, (n_targets,); every gate has the same ones.
    columns : tuple of int64 arrays
        For each layer the neurons that its columns are; for a convolution the channels, which repeat.
    inputs, outputs : int64 array
        Input and output units.
    biases : (n,) int64
        Biases of each neuron.
    """

    n: int
    rows: tuple[Places, ...]
    columns: tuple[Places, ...]
    inputs: Places
    outputs: Places
    biases: Places

    def __post_init__(self) -> None:
        if self.biases.shape != (self.n,):
            raise InputError(f"biases has shape {self.biases.shape}: ({self.n},) is needed, one number a neuron")
        for name in ("rows", "columns"):
            for ids in getattr(self, name):
                if len(ids) and not (ids.min() >= 0 and ids.max() < self.n):
                    raise InputError(f"{name} names neurons from {ids.min()} to {ids.max()}: they must lie between 0 "
                                     f"and {self.n - 1}")  # fmt: skip

    def edges(self, live: Live) -> tuple[Places, Places]:
        """Return the source and the target neuron of each live weight."""
        bounds = live.bounds()
        source, target = np.empty(live.n, np.int64), np.empty(live.n, np.int64)
        for index, layer in enumerate(live.layers):
            self._check(index, layer)
            own = slice(bounds[index], bounds[index + 1])
            row, column = layer.entries(live.slots[own])
            target[own] = self.rows[index][row % max(layer.n_targets, 1)]
            source[own] = self.columns[index][column]
        return source, target

    def _check(self, index: int, layer: Layer) -> None:
        found = (len(self.rows[index]), len(self.columns[index]))
        if found != (layer.n_targets, layer.shape[1]):
            raise InputError(f"layer {layer.name!r} has {layer.n_targets} targets and {layer.shape[1]} columns, and "
                             f"{found[0]} and {found[1]} neurons are named for them: as many are needed")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Liveness:
    """What of a structure takes part in what the network computes from its inputs.

    Attributes
    ----------
    weights : (n_weights,) bool
        Which live weights lie on a way from an input to an output unit.
    neurons : (n_neurons,) bool
        Which neurons lie on such a way.
    dead : int64 array
        Neurons that do not, input and output units left out: nothing reads them, or they read nothing.
    unread : int64 array
        Input units that do not.
    n_parameters : int
        Weights that take part, and biases of neurons that do, and of all output units.
    """

    weights: Marks
    neurons: Marks
    dead: Places
    unread: Places
    n_parameters: int


def liveness(live: Live, neurons: Neurons, keep: Marks | None = None) -> Liveness:
    """Find what of a structure takes part.

    Recurrent weights count: a way may lead through as many time steps as it likes.

    Parameters
    ----------
    live : Live
    neurons : Neurons
    keep : (n_weights,) bool, optional
        The live weights that stay; the others do not take part.
    """
    return liveness_with(live, neurons)(np.ones(live.n, bool) if keep is None else keep)


def liveness_with(live: Live, neurons: Neurons) -> Callable[[Marks], Liveness]:
    """Return what finds again and again what takes part of a structure, by the weights that stay; see `liveness`."""
    source, target = neurons.edges(live)
    return lambda stays: _liveness(source, target, stays, neurons)


def _liveness(source: Places, target: Places, stays: Marks, neurons: Neurons) -> Liveness:
    forwards = _reached(neurons.n, source[stays], target[stays], neurons.inputs)
    backwards = _reached(neurons.n, target[stays], source[stays], neurons.outputs)
    alive = forwards & backwards
    weights = stays & alive[source] & alive[target]
    is_unit = np.zeros(neurons.n, bool)
    is_unit[neurons.inputs] = is_unit[neurons.outputs] = True
    has_bias = alive.copy()
    has_bias[neurons.outputs] = True
    count = int(np.count_nonzero(weights)) + int(neurons.biases[has_bias].sum())
    return Liveness(
        weights, alive, np.flatnonzero(~alive & ~is_unit), neurons.inputs[~alive[neurons.inputs]], count
    )  # fmt: skip


def _reached(n: int, source: Places, target: Places, starts: Places) -> Marks:
    """Return which of n neurons can be reached from some, which themselves can."""
    reached = np.zeros(n, bool)
    reached[starts] = True
    found = len(starts)
    # A step along all edges is quick, and most networks have few layers.
    for _ in range(_MOST_STEPS):
        reached[target[reached[source]]] = True
        before, found = found, int(np.count_nonzero(reached))
        if found == before:
            return reached
    # One more node leads to all that is reached so far. Many weights between two neurons are one edge.
    sources = np.concatenate([source, np.full(found, n)])
    targets = np.concatenate([target, np.flatnonzero(reached)])
    graph = csr_array((np.ones(len(sources), bool), (sources, targets)), shape=(n + 1, n + 1))
    order = breadth_first_order(graph, n, directed=True, return_predecessors=False)
    everything = np.zeros(n + 1, bool)
    everything[order] = True
    return everything[:n]


def largest_within(
    live: Live, neurons: Neurons, limit: int, keep: Callable[[int], Marks], low: int = 0
) -> tuple[int, Marks]:
    """Find how many weights can be kept for a number of live parameters, biases included.

    Parameters
    ----------
    live : Live
    neurons : Neurons
    limit : int
        Parameters that may take part: weights on a way from an input to an output unit, biases of neurons on one.
    keep : callable
        From a number of weights to the (n_weights,) bool marks of those that are kept then. Parameters that take part
        must not become fewer as more are kept.
    low : int
        The least number of weights that `keep` can be asked for.

    Returns
    -------
    int, (n_weights,) bool
        The largest number whose live parameters are within the limit, and the marks of the weights that take part.

    Raises
    ------
    InputError
        If even `low` weights have more parameters.
    """
    of = liveness_with(live, neurons)

    def found(total: int) -> Liveness:
        return of(keep(total))

    least = found(low)
    if least.n_parameters > limit:
        raise InputError(f"{limit} parameters are too few: {low} weights have {least.n_parameters}, biases included")
    high, best = live.n, (low, least.weights)
    while low < high:
        middle = (low + high + 1) // 2
        there = found(middle)
        if there.n_parameters <= limit:
            low, best = middle, (middle, there.weights)
        else:
            high = middle - 1
    return best


def feedforward(sizes: tuple[int, ...]) -> Neurons:
    """Return the neurons of an MLP with a layer between each two consecutive ones of `sizes`, numbered in order."""
    starts = np.concatenate([[0], np.cumsum(sizes)])
    groups = [np.arange(first, stop, dtype=np.int64) for first, stop in pairwise(starts)]
    n = int(starts[-1])
    return Neurons(
        n, tuple(groups[1:]), tuple(groups[:-1]), groups[0], groups[-1], (np.arange(n) >= sizes[0]).astype(np.int64)
    )
