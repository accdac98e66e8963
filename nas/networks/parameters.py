"""What a network starts with, edge by edge: functions of the wiring and a generator, whatever the memory layout.

`SparseMLP`, `SparseRNN`, `MaskedLinear` and the compiled engine begin from these same numbers, and refuse the same
wirings here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.networks.activations import ACTIVATIONS
from nas.networks.cells import CELLS
from nas.networks.initialise import draw_weights, rescale_recurrent
from priors.wiring import Wiring

__all__ = [
    "EdgeWeights",
    "check_head",
    "check_linear",
    "check_recurrent",
    "feedforward_weights",
    "head_weights",
    "recurrent_bias",
    "recurrent_weights",
]


class EdgeWeights(NamedTuple):
    """Edges, (n_edges, 2), and their weights, (n_edges, gates) float64."""

    edges: NDArray[np.int32]
    weights: NDArray[np.float64]


def feedforward_weights(wiring: Wiring, activation: str, rng: int | np.random.Generator | None) -> EdgeWeights:
    """Return the weights that a `SparseMLP` starts with: the wiring's own, where it has any, and drawn ones.

    Raises
    ------
    ValueError
        For a wiring without input or output units or with recurrent edges, or an unknown activation.
    """
    _check_feedforward(wiring, activation)
    to_output = wiring.edges[:, 1] >= wiring.n_neurons - wiring.n_outputs
    gain = np.where(to_output, 1.0, ACTIVATIONS[activation].gain)
    drawn = draw_weights(wiring.edges, wiring.forward, gain, 1, rng)
    return EdgeWeights(wiring.edges, _or_own(drawn, wiring.weights))


def recurrent_weights(
    wiring: Wiring, cell: str, rng: int | np.random.Generator | None, spectral_radius: float | None = None
) -> EdgeWeights:
    """Return the weights that a `SparseRNN` starts with, of all edges but those into output units.

    Raises
    ------
    ValueError
        For a wiring without input units or hidden neurons, an unknown cell, or a wiring with weights and a gated cell.
    """
    check_recurrent(wiring, cell)
    within = wiring.edges[:, 1] < wiring.n_neurons - wiring.n_outputs
    edges, recurrent = wiring.edges[within], ~wiring.forward[within]
    drawn = draw_weights(edges, recurrent, np.ones(len(edges)), CELLS[cell].gates, rng)
    weights = _or_own(drawn, None if wiring.weights is None else wiring.weights[within])
    if spectral_radius is not None:
        weights[recurrent] = rescale_recurrent(edges[recurrent], weights[recurrent], spectral_radius, wiring.n_neurons)
    return EdgeWeights(edges, weights)


def recurrent_bias(wiring: Wiring, cell: str, initial_state: str = "zero") -> NDArray[np.float64]:
    """Return the biases that a `SparseRNN` starts with, layer by layer and, within a layer, gate by gate.

    Where it is learned, the initial state of all neurons follows, for the LSTM that of its cells after it.
    """
    layers: list[NDArray[Any]] = []
    for size in wiring.sizes[1 : wiring.n_layers - wiring.outputs]:
        bias = np.zeros((CELLS[cell].biases, size))
        if (gate := CELLS[cell].forget_gate) is not None:
            bias[gate] = 1.0
        layers.append(bias.ravel())
    if initial_state == "learned":
        layers.append(np.zeros(CELLS[cell].states * wiring.n_hidden))
    return np.concatenate(layers)


def head_weights(wiring: Wiring, rng: int | np.random.Generator | None) -> EdgeWeights:
    """Return the weights that a `MaskedLinear` starts with, of the edges into output units.

    Raises
    ------
    ValueError
        For a wiring without output units, or with edges from input to output units.
    """
    check_head(wiring)
    read_out = wiring.edges[:, 1] >= wiring.n_neurons - wiring.n_outputs
    edges = wiring.edges[read_out]
    drawn = draw_weights(edges, np.zeros(len(edges), dtype=bool), np.ones(len(edges)), 1, rng)
    return EdgeWeights(edges, _or_own(drawn, None if wiring.weights is None else wiring.weights[read_out]))


def _or_own(drawn: NDArray[np.float64], own: NDArray[np.float32] | None) -> NDArray[np.float64]:
    """Return drawn weights, (n_edges, gates), but where edges have one of their own."""
    return drawn if own is None else np.where(np.isnan(own)[:, None], drawn, own[:, None].astype(np.float64))


def check_head(wiring: Wiring) -> None:
    """Refuse a wiring whose output units a linear head cannot be."""
    if not wiring.outputs:
        raise ValueError(
            f"{wiring!r} has no output units, which a head needs: attach outputs first, or use SparseRNN alone"
        )
    direct = (wiring.edges[:, 0] < wiring.n_inputs) & (wiring.edges[:, 1] >= wiring.n_neurons - wiring.n_outputs)
    if direct.any():
        source, target = wiring.edges[direct][0].tolist()
        raise ValueError(
            f"edge ({source}, {target}) leads from an input to an output unit: "
            "the head of a recurrent network reads hidden neurons only; drop such edges"
        )


def check_linear(wiring: Wiring) -> None:
    """Refuse a wiring that is no linear function of its inputs."""
    if wiring.n_hidden:
        raise ValueError(f"{wiring!r} has {wiring.n_hidden} hidden neurons: LinearMean needs inputs and outputs only")


def _check_feedforward(wiring: Wiring, activation: str) -> None:
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation={activation!r}: it must be one of {', '.join(ACTIVATIONS)}")
    if not (wiring.inputs and wiring.outputs):
        raise ValueError(
            f"{wiring!r} has inputs={wiring.inputs} and outputs={wiring.outputs}: "
            "SparseMLP needs both; attach them first"
        )
    if not wiring.forward.all():
        source, target = wiring.edges[~wiring.forward][0].tolist()
        raise ValueError(
            f"edge ({source}, {target}) is recurrent: "
            "SparseMLP needs forward edges only; orient and layer the wiring first"
        )


def check_recurrent(wiring: Wiring, cell: str) -> None:
    """Refuse a wiring that a `SparseRNN` cannot be."""
    if cell not in CELLS:
        raise ValueError(f"cell={cell!r}: it must be one of {', '.join(CELLS)}")
    if not wiring.inputs or wiring.n_hidden == 0:
        raise ValueError(
            f"{wiring!r} has {wiring.n_inputs} input units and {wiring.n_hidden} hidden neurons: "
            "SparseRNN needs some of both; attach inputs first"
        )
    if wiring.weights is not None and CELLS[cell].gates > 1:
        raise ValueError(
            f"cell={cell!r} has {CELLS[cell].gates} weights an edge and the wiring brings one: "
            "use cell='tanh' or 'relu', or drop them with wiring.replace(weights=None)"
        )
