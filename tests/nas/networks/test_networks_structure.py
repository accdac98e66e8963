"""From a network back to its wiring, and counts of parameters."""

import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.networks import NetworkSpec, SequenceNetwork, SparseMLP, SparseRNN, n_parameters, parts_of, wiring_of
from priors.wiring import Wiring


def random_wiring(seed: int, recurrent: bool) -> Wiring:
    """Input, hidden and output layers; no edge from an input straight to an output, as recurrent networks want it."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, rng.integers(3, 6))
    layer = np.repeat(np.arange(len(sizes)), sizes)
    source, target = np.indices((len(layer), len(layer))).reshape(2, -1)
    last = len(sizes) - 1
    forward = layer[source] < layer[target]
    allowed = forward | (recurrent & (layer[source] < last) & (layer[target] > 0))
    allowed &= ~((layer[source] == 0) & (layer[target] == last)) & ((layer[source] < last) & (layer[target] > 0))
    edges = np.stack([source, target], axis=1)[allowed & (rng.random(len(source)) < rng.choice([0.1, 0.5, 0.9]))]
    names = [f"cell {index}" for index in range(len(layer))]
    return Wiring(sizes, edges, True, True, weights=rng.normal(size=len(edges)), names=names)


def assert_same(found: Wiring, wiring: Wiring) -> None:
    assert found == wiring
    assert found.names == wiring.names
    assert found.weights is not None
    assert np.array_equal(found.weights, wiring.weights)


@given(st.integers(0, 100_000))
@settings(deadline=None, max_examples=50)
def test_round_trip_of_edges_and_weights(seed: int):
    wiring = random_wiring(seed, recurrent=False)
    assert_same(wiring_of(SparseMLP(wiring)), wiring)
    wiring = random_wiring(seed, recurrent=True)
    for cell in ("tanh", "relu"):
        assert_same(wiring_of(SequenceNetwork(wiring, cell)), wiring)
        assert_same(wiring_of(SparseRNN(wiring, cell, dtype=torch.float64)), wiring)
    for cell in ("gru", "lstm"):
        found = wiring_of(SequenceNetwork(wiring.replace(weights=None), cell))
        assert found == wiring
        assert found.weights is None


def test_read_out_of_a_bare_recurrent_network_weighs_one():
    wiring = Wiring((1, 1, 1), [(0, 1), (1, 2)], inputs=True, outputs=True)
    network = SparseRNN(wiring, "tanh", rng=0)
    assert wiring_of(network).weights.tolist() == [network.weight[0].item(), 1]


def test_pruned_edges_are_gone():
    network = SparseMLP(Wiring((2, 1, 1), [(0, 2), (1, 2), (2, 3)], True, True, weights=[1, 2, 3]))
    network.replace_weights(network.slots[1:], network.weight[1:])
    assert wiring_of(network).edges.tolist() == [[1, 2], [2, 3]]
    assert wiring_of(network).weights.tolist() == [2, 3]
    assert n_parameters(network) == {"read_in": 1, "wiring": 0, "read_out": 1, "biases": 2, "total": 4}


def test_grown_edges_are_there():
    network = SparseMLP(Wiring((2, 2, 1), [(0, 2), (1, 3), (2, 4)], True, True, weights=[1, 2, 3]))
    assert network.slots.tolist() == [0, 3, 4]
    network.replace_weights(torch.tensor([0, 1, 3, 4]), torch.tensor([1.0, 9.0, 2.0, 3.0]))
    assert wiring_of(network).edges.tolist() == [[0, 2], [1, 2], [1, 3], [2, 4]]
    assert wiring_of(network).weights.tolist() == [1, 9, 2, 3]


def test_an_edge_lives_while_any_gate_does():
    network = SparseRNN(Wiring((1, 2), [(0, 1), (1, 2)], inputs=True), "lstm")
    into_second = network.live_weights().edges[:, 1] == 2
    gates = network.live_weights().gates
    kept = torch.from_numpy(~into_second | (gates == 3))  # All but the output gate of the edge into the second cell.
    network.replace_weights(network.slots[kept], network.weight[kept])
    assert wiring_of(network).edges.tolist() == [[0, 1], [1, 2]]
    network.replace_weights(network.slots[:-1], network.weight[:-1])
    assert wiring_of(network).edges.tolist() == [[0, 1]]


@pytest.mark.parametrize("seed", range(8))
def test_counts(seed: int):
    wiring = random_wiring(seed, recurrent=False)
    own = n_parameters(SparseMLP(wiring))
    first, last = wiring.n_inputs, wiring.n_neurons - wiring.n_outputs
    source, target = wiring.edges.T
    assert own["read_in"] == sum(source < first)
    assert own["read_out"] == sum(target >= last)
    assert own["wiring"] == wiring.n_edges - own["read_in"] - own["read_out"]
    assert own["biases"] == wiring.n_hidden + wiring.n_outputs
    assert own == NetworkSpec("mlp").n_parameters(wiring)
    wiring = random_wiring(seed, recurrent=True).replace(weights=None)
    for cell in ("tanh", "gru", "lstm"):
        network = SequenceNetwork(wiring, cell)
        counts = n_parameters(network)
        assert counts == NetworkSpec("rnn", cell=cell).n_parameters(wiring)
        assert counts["biases"] == sum(part.bias_vector.numel() for part in parts_of(network))
        assert counts["total"] == sum(parameter.numel() for parameter in network.parameters())


def test_way_back_is_fast():
    rng = np.random.default_rng(0)
    masks = [rng.random((1000, 1000)) < 0.05, rng.random((1000, 1000)) < 0.05]
    network = SparseMLP(Wiring.from_masks(masks, inputs=True, outputs=True), rng=0)
    assert len(network.weight) > 95_000
    wiring_of(network)
    started = time.process_time()
    wiring_of(network)
    # Takes 15 ms where 50 are promised; the rest is room for a busy machine.
    assert time.process_time() - started < 0.2


def test_a_spec_needs_no_torch():
    code = "import sys; from nas.networks import NetworkSpec; NetworkSpec('rnn'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
