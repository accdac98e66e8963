"""Networks without the neurons and weights that take no part in what they compute."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nas.networks import SequenceNetwork, SparseMLP
from nas.networks.activations import ACTIVATIONS
from nas.networks.blocks import LiveWeights, slots_of
from nas.networks.cells import CELLS
from nas.networks.rnn import SparseRNN
from nas.networks.structure import Network, parts_of
from nas.networks.wired import Matrix, WiredModule
from nas.sparsity.layers import Live
from nas.sparsity.network import layers_of, neurons_of
from nas.sparsity.neurons import liveness
from nas.training.places import places_of
from priors import Wiring

__all__ = ["compact", "fold_constants"]


@torch.no_grad()
def fold_constants(network: Network) -> None:
    """Let the biases of an MLP take over what neurons send that no input reaches: constants.

    Their weights then take no part any more, and are set to 0; outputs stay what they are. An RNN's constants depend on
    the time step, and are left.
    """
    if not isinstance(network, SparseMLP):
        return
    wiring, function = network.blueprint, ACTIVATIONS[network.activation].function
    reached = _reached(network)
    value = network.bias.new_zeros(wiring.n_neurons)
    weight = network.weight.clone()
    for block, matrix in zip(network.blocks, network._matrices(), strict=True):
        first, last = block.targets.start, block.targets.stop
        sent = _sent(matrix, value[torch.from_numpy(block.columns)], torch.from_numpy(~reached[block.columns]))
        own = network.bias[first - wiring.n_inputs : last - wiring.n_inputs]
        value[first:last] = torch.where(torch.from_numpy(reached[first:last]), 0.0, function(own + sent))
        own += torch.where(torch.from_numpy(reached[first:last]), sent, 0.0)
    edges = network.live_weights().edges
    weight[torch.from_numpy(~reached[edges[:, 0]] & reached[edges[:, 1]])] = 0.0
    network.weight.copy_(weight)


def _sent(matrix: Matrix, value: Tensor, constant: Tensor) -> Tensor:
    """Return what the rows of a matrix get from some of its columns, (n_rows,)."""
    if isinstance(matrix, Tensor):
        chosen = constant.nonzero().squeeze(1)
        return matrix[:, chosen] @ value[chosen]
    own = constant[matrix.columns]
    terms = matrix.weight[own] * value[matrix.columns[own]]
    return terms.new_zeros(matrix.n_rows).index_add(0, matrix.rows[own], terms)


def _reached(network: SparseMLP) -> NDArray[np.bool_]:
    """Return which neurons an input unit leads to, input units and output units included."""
    wiring = network.blueprint
    reached = np.arange(wiring.n_neurons) < wiring.n_inputs
    edges = network.live_weights().edges
    for layer in range(1, wiring.n_layers):
        own = wiring.neurons(layer)
        into = edges[(edges[:, 1] >= own.start) & (edges[:, 1] < own.stop)]
        reached[into[reached[into[:, 0]], 1]] = True
    reached[wiring.n_neurons - wiring.n_outputs :] = True
    return reached


def compact(network: Network) -> Network:
    """Return a network without dead neurons, and without weights that take no part; the given one stays as it is.

    Dead are hidden neurons on no way from an input to an output unit. Outputs of an MLP stay what they are, see
    `fold_constants`; those of an RNN too, but for neurons that no input reaches and that send something all the same.

    Input and output units stay. Of an MLP, layers that have no neuron left do not; of an RNN the first neuron stays
    where all would go.
    """
    network = copy.deepcopy(network)
    fold_constants(network)
    parts, layers, neurons = parts_of(network), layers_of(network), neurons_of(network)
    slots = places_of(parts)
    live = Live(layers, slots, np.zeros(len(slots)))
    wiring = parts[0].blueprint
    alive = liveness(live, neurons).neurons.copy()
    alive[: wiring.n_inputs] = alive[wiring.n_neurons - wiring.n_outputs :] = True
    for layer in range(1, wiring.n_layers - 1):
        own = wiring.neurons(layer)
        if isinstance(network, SequenceNetwork) and not alive[own.start : own.stop].any():
            alive[own.start] = True
    return _kept(network, alive)


def _kept(network: Network, alive: NDArray[np.bool_]) -> Network:
    """Return the network of some neurons alone."""
    parts = parts_of(network)
    wiring = parts[0].blueprint
    number = np.cumsum(alive) - 1
    sizes = [int(alive[own.start : own.stop].sum()) for own in map(wiring.neurons, range(wiring.n_layers))]
    sizes = [size for size in sizes if size]
    kept = [_weights_between(part, alive) for part in parts]
    own_edges, own_gates = (np.concatenate([part[index] for part in kept]) for index in (0, 1))
    edges = LiveWeights(number[own_edges], own_gates).distinct_edges()
    smaller = Wiring(sizes, edges, inputs=wiring.inputs, outputs=wiring.outputs)
    dtype = parts[0].weight.dtype
    made: Network
    if isinstance(network, SequenceNetwork):
        rnn = network.rnn
        made = SequenceNetwork(
            smaller,
            rnn.cell,
            rng=0,
            initial_state=rnn.initial_state,
            leak=rnn.leak,
            every_step=network.every_step,
        ).to(dtype)
    else:
        assert isinstance(network, SparseMLP)
        made = SparseMLP(smaller, network.activation, rng=0, dtype=dtype)
    for part, new, (own, gates, weight) in zip(parts, parts_of(made), kept, strict=True):
        places = slots_of(new.blocks, number[own])[np.arange(len(own)), gates]
        order = np.argsort(places)
        new.replace_weights(torch.from_numpy(places[order]), weight[torch.from_numpy(order)])
        with torch.no_grad():
            new.bias_vector.copy_(part.bias_vector[torch.from_numpy(_biases(network, part, alive))])
    return made


def _weights_between(
    part: WiredModule, alive: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], torch.Tensor]:
    edges, gates = part.live_weights()
    stays = alive[edges].all(axis=1)
    return edges[stays], gates[stays], part.weight.detach().cpu()[torch.from_numpy(stays)]


def _biases(network: Network, part: WiredModule, alive: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the places of the biases of neurons that stay, layer by layer and gate by gate."""
    wiring = part.blueprint
    per_neuron = CELLS[network.rnn.cell].biases if isinstance(network, SequenceNetwork) and part is network.rnn else 1
    found, first = [], 0
    for start in sorted({block.targets.start for block in part.blocks}):
        own = next(block.targets for block in part.blocks if block.targets.start == start)
        stays = np.flatnonzero(alive[own.start : own.stop])
        found.append((first + np.arange(per_neuron)[:, None] * len(own) + stays).ravel())
        first += per_neuron * len(own)
    if isinstance(part, SparseRNN) and part.initial_state == "learned":
        hidden = np.flatnonzero(alive[wiring.n_inputs : wiring.n_inputs + wiring.n_hidden])
        states = CELLS[part.cell].states
        found.append((first + np.arange(states)[:, None] * wiring.n_hidden + hidden).ravel())
        first += states * wiring.n_hidden
    assert first == len(part.bias_vector) or wiring.n_layers == 2
    return np.concatenate(found)
