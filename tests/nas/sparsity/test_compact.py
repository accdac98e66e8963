"""Networks without dead neurons compute what they computed."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from nas.networks import SequenceNetwork, SparseMLP
from nas.networks.structure import n_parameters, parts_of
from nas.sparsity.compact import compact, fold_constants
from nas.sparsity.layers import Live
from nas.sparsity.learning import sparsify
from nas.sparsity.network import layers_of, neurons_of
from nas.sparsity.neurons import liveness
from nas.training.places import places_of
from priors import Wiring, attach

CELLS = ("tanh", "relu", "gru", "lstm")


def sparse_mlp(activation: str, seed: int, sizes: tuple[int, ...] = (6, 9, 8, 3)) -> SparseMLP:
    masks = [np.ones((after, before)) for before, after in pairwise(sizes)]
    network = SparseMLP(Wiring.from_masks(masks, inputs=True, outputs=True), activation, rng=seed, dtype=torch.float64)
    rng = np.random.default_rng(seed)
    sparsify(network, np.array([7, 8, 5]), rng)
    with torch.no_grad():
        network.bias.copy_(torch.from_numpy(rng.normal(size=len(network.bias))))
    return network


def sparse_rnn(cell: str, seed: int, n_recurrent: int = 10, n_read: int = 8) -> SequenceNetwork:
    wiring = attach(Wiring((9,), np.argwhere(np.ones((9, 9)))), 5, 3, "natural")
    network = SequenceNetwork(wiring, cell, rng=seed).double()
    rng = np.random.default_rng(seed)
    sparsify(network, np.array([n_read, n_recurrent, 6]), rng)
    for part in parts_of(network):
        with torch.no_grad():
            part.bias_vector.copy_(torch.from_numpy(rng.normal(size=len(part.bias_vector))))
    return network


def live_of(network: nn.Module) -> Live:
    slots = places_of(parts_of(network))  # type: ignore[arg-type]
    return Live(layers_of(network), slots, np.zeros(len(slots)))


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu", "identity"])
@pytest.mark.parametrize("seed", range(6))
def test_an_mlp_computes_the_same(activation: str, seed: int) -> None:
    network = sparse_mlp(activation, seed)
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(20, 6)))
    expected, before = network(x), network.weight.detach().clone()
    smaller = compact(network)
    torch.testing.assert_close(smaller(x), expected, rtol=1e-12, atol=1e-12)
    assert torch.equal(network.weight, before)
    found = liveness(live_of(network), neurons_of(network))
    assert len(found.dead) > 0
    left = liveness(live_of(smaller), neurons_of(smaller))
    assert len(left.dead) == 0
    assert left.weights.all()
    assert n_parameters(smaller)["total"] == found.n_parameters
    assert n_parameters(smaller)["total"] < n_parameters(network)["total"]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("seed", range(4))
def test_an_rnn_without_constants_computes_the_same(cell: str, seed: int) -> None:
    network = sparse_rnn(cell, seed)
    # What no input reaches sends nothing where its biases are 0; of a gated cell too, which then remembers 0.
    for part in parts_of(network):
        with torch.no_grad():
            part.bias_vector.zero_()
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(7, 4, 5)))
    lengths = torch.tensor([4, 3, 2, 1, 4, 4, 2])
    smaller = compact(network)
    torch.testing.assert_close(smaller(x, lengths), network(x, lengths), rtol=1e-12, atol=1e-12)
    dead = len(liveness(live_of(network), neurons_of(network)).dead)
    assert smaller.rnn.blueprint.n_hidden == 9 - dead


@pytest.mark.parametrize("cell", CELLS)
def test_biases_of_an_rnn_follow_their_neurons(cell: str) -> None:
    """Where all neurons are reached, whatever the biases."""
    gates = {"tanh": 1, "relu": 1, "gru": 3, "lstm": 4}[cell]
    network = sparse_rnn(cell, 0, 81 * gates, 45 * gates)
    wiring = network.rnn.blueprint
    head = network.head.live_weights().edges
    unread = np.setdiff1d(np.arange(5, 14), head[:, 0])
    keep = ~np.isin(network.rnn.live_weights().edges[:, 0], unread)
    network.rnn.replace_weights(network.rnn.slots[keep], network.rnn.weight.detach()[torch.from_numpy(keep)])
    for part in parts_of(network):
        with torch.no_grad():
            part.bias_vector.copy_(torch.randn(len(part.bias_vector)))
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(7, 4, 5)))
    smaller = compact(network)
    assert smaller.rnn.blueprint.n_hidden == wiring.n_hidden - len(unread) < wiring.n_hidden
    torch.testing.assert_close(smaller(x, torch.full((7,), 4)), network(x, torch.full((7,), 4)), rtol=1e-12, atol=1e-12)


def test_folding_leaves_an_mlp_the_outputs_that_it_has() -> None:
    network = sparse_mlp("tanh", 3)
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(20, 6)))
    expected = network(x).detach()
    fold_constants(network)
    torch.testing.assert_close(network(x), expected, rtol=1e-12, atol=1e-12)
