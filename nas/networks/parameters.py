"""What a network starts with, edge by edge: functions of the wiring and a generator, whatever the memory layout.

`SparseMLP`, `SparseRNN`, `MaskedLinear` and the compiled engine begin from these same numbers. Imports numpy, priors.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.networks.activations import ACTIVATIONS
from nas.networks.cells import CELLS
from nas.networks.initialise import draw_weights, rescale_recurrent
from priors.wiring import Wiring

__all__ = ["EdgeWeights", "feedforward_weights", "head_weights", "recurrent_bias", "recurrent_weights"]


class EdgeWeights(NamedTuple):
    """Edges, (n_edges, 2), and their weights, (n_edges, gates) float64."""

    edges: NDArray[np.int32]
    weights: NDArray[np.float64]


def feedforward_weights(wiring: Wiring, activation: str, rng: int | np.random.Generator | None) -> EdgeWeights:
    """Return the weights that a `SparseMLP` starts with: the wiring's own, where it has any."""
    if wiring.weights is not None:
        return EdgeWeights(wiring.edges, wiring.weights[:, None].astype(np.float64))
    to_output = wiring.edges[:, 1] >= wiring.n_neurons - wiring.n_outputs
    gain = np.where(to_output, 1.0, ACTIVATIONS[activation].gain)
    return EdgeWeights(wiring.edges, draw_weights(wiring.edges, wiring.forward, gain, 1, rng))


def recurrent_weights(
    wiring: Wiring, cell: str, rng: int | np.random.Generator | None, spectral_radius: float | None = None
) -> EdgeWeights:
    """Return the weights that a `SparseRNN` starts with, of all edges but those into output units."""
    within = wiring.edges[:, 1] < wiring.n_neurons - wiring.n_outputs
    edges, recurrent = wiring.edges[within], ~wiring.forward[within]
    if wiring.weights is None:
        weights = draw_weights(edges, recurrent, np.ones(len(edges)), CELLS[cell].gates, rng)
    else:
        weights = wiring.weights[within, None].astype(np.float64)
    if spectral_radius is not None:
        weights[recurrent] = rescale_recurrent(edges[recurrent], weights[recurrent], spectral_radius, wiring.n_neurons)
    return EdgeWeights(edges, weights)


def recurrent_bias(wiring: Wiring, cell: str) -> NDArray[np.float64]:
    """Return the biases that a `SparseRNN` starts with, layer by layer and, within a layer, gate by gate."""
    layers: list[NDArray[Any]] = []
    for size in wiring.sizes[1 : wiring.n_layers - wiring.outputs]:
        bias = np.zeros((CELLS[cell].biases, size))
        if (gate := CELLS[cell].forget_gate) is not None:
            bias[gate] = 1.0
        layers.append(bias.ravel())
    return np.concatenate(layers)


def head_weights(wiring: Wiring, rng: int | np.random.Generator | None) -> EdgeWeights:
    """Return the weights that a `MaskedLinear` starts with, of the edges into output units."""
    read_out = wiring.edges[:, 1] >= wiring.n_neurons - wiring.n_outputs
    edges = wiring.edges[read_out]
    if wiring.weights is not None:
        return EdgeWeights(edges, wiring.weights[read_out, None].astype(np.float64))
    return EdgeWeights(edges, draw_weights(edges, np.zeros(len(edges), dtype=bool), np.ones(len(edges)), 1, rng))
