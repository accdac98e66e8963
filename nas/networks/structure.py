"""From a network back to its wiring, and what its parameters are spent on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nas.networks.cells import CELLS
from nas.networks.mlp import SparseMLP
from nas.networks.pooled import PooledMLP
from nas.networks.readout import MaskedLinear, SequenceNetwork
from nas.networks.rnn import SparseRNN
from priors.wiring import Wiring

__all__ = ["AnyNetwork", "Network", "n_parameters", "network_within", "parts_of", "wiring_of"]

Network = SparseMLP | SparseRNN | SequenceNetwork
AnyNetwork = Network | PooledMLP
"""A network, or one behind a pooling of its inputs."""


def network_within(network: AnyNetwork) -> Network:
    """Return the network behind the pooling of its inputs, if there is one, and else the network itself."""
    return network.mlp if isinstance(network, PooledMLP) else network


def parts_of(network: AnyNetwork) -> tuple[SparseMLP | SparseRNN | MaskedLinear, ...]:
    """Return the modules of a network that hold weights of edges."""
    network = network_within(network)
    return (network.rnn, network.head) if isinstance(network, SequenceNetwork) else (network,)


def wiring_of(network: AnyNetwork) -> Wiring:
    """Return the wiring that lives in a network: an edge is there while any of its gates has a weight.

    Layers, input and output units and names are as constructed. Where an edge has one weight (`SparseMLP`, ``tanh``
    and ``relu`` cells) the weights, as float32, come along. Edges into output units are not part of a `SparseRNN`: they
    come back as constructed, with weight 1 where they had none. Input units of a `PooledMLP` are its means.

    Examples
    --------
    >>> from nas import SparseMLP, wiring_of
    >>> from priors import Layered
    >>> wiring = Layered((4, 8, 2), edges=20, inputs=True, outputs=True).sample(0)
    >>> network = SparseMLP(wiring, rng=0)
    >>> wiring_of(network) == wiring
    True
    >>> network.replace_weights(network.slots[5:], network.weight[5:])  # five weights less
    >>> wiring_of(network)
    <Wiring 4-8-2, inputs, outputs: 14 neurons, 15 edges, ...>
    """
    body = _body(network)
    blueprint = body.blueprint
    edges, weights = zip(*map(_living, parts_of(network)), strict=True)
    if isinstance(network, SparseRNN):
        read_out = blueprint.edges[:, 1] >= blueprint.n_neurons - blueprint.n_outputs
        known = np.ones(blueprint.n_edges, np.float32) if blueprint.weights is None else blueprint.weights
        edges, weights = (*edges, blueprint.edges[read_out]), (*weights, known[read_out])
    one_weight = isinstance(body, SparseMLP) or CELLS[body.cell].gates == 1
    return blueprint.replace(edges=np.concatenate(edges), weights=np.concatenate(weights) if one_weight else None)


def n_parameters(network: AnyNetwork) -> dict[str, int]:
    """Count the parameters of a network: live weights, those that are held too, by what they connect, and biases.

    Returns
    -------
    dict of str to int
        ``read_in`` (weights of edges from input units to hidden neurons), ``wiring`` (between hidden neurons),
        ``read_out`` (of all edges into output units), ``biases`` and ``total``.

    Examples
    --------
    >>> from nas import SparseMLP, n_parameters
    >>> from priors import Layered
    >>> network = SparseMLP(Layered((4, 8, 2), edges=20, inputs=True, outputs=True).sample(0), rng=0)
    >>> n_parameters(network)
    {'read_in': 13, 'wiring': 0, 'read_out': 7, 'biases': 10, 'total': 30}
    """
    blueprint = _body(network).blueprint
    first_output = blueprint.n_neurons - blueprint.n_outputs
    counts = dict.fromkeys(("read_in", "wiring", "read_out", "biases"), 0)
    for part in parts_of(network):
        source, target = part.live_weights().edges.T
        is_read_out, is_read_in = target >= first_output, source < blueprint.n_inputs
        counts["read_out"] += int(is_read_out.sum())
        counts["read_in"] += int((is_read_in & ~is_read_out).sum())
        counts["wiring"] += int((~is_read_in & ~is_read_out).sum())
        counts["biases"] += part.bias_vector.numel()
    return {**counts, "total": sum(counts.values())}


def _body(network: AnyNetwork) -> SparseMLP | SparseRNN:
    network = network_within(network)
    return network.rnn if isinstance(network, SequenceNetwork) else network


def _living(part: SparseMLP | SparseRNN | MaskedLinear) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the live edges of a part and, where an edge has one weight, the weights."""
    living = part.live_weights()
    weights: NDArray[np.float32] = part.values.detach().float().cpu().numpy()
    return living.distinct_edges(), weights[:0] if living.gates.any() else weights
