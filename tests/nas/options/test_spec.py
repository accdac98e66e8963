"""NetworkSpec: what it builds, and that counting without building agrees with counting what was built."""

import numpy as np
import pytest

from nas.networks import CELLS, LinearMean, NetworkSpec, SequenceNetwork, SparseMLP, n_parameters
from priors import ATTACHMENTS, BarabasiAlbert, ErdosRenyi, Layered, WattsStrogatz, Wiring, attach, layer, orient, stack

GRAPHS = [
    WattsStrogatz(12, 4, 0.3).sample(0),
    BarabasiAlbert(9, 2).sample(1),
    ErdosRenyi(8, edges=5).sample(2),
    ErdosRenyi(1, edges=0).sample(3),
]
LAYERED = [layer(orient(graph, rng=4)) for graph in GRAPHS]


@pytest.mark.parametrize("mode", ATTACHMENTS)
@pytest.mark.parametrize("index", range(len(GRAPHS)))
def test_an_mlp_is_counted_as_it_is_built(index: int, mode: str):
    spec = NetworkSpec("mlp", activation="tanh")
    wiring = attach(LAYERED[index], 5, 3, mode, 0, reads=2, readouts=3, width=4)
    network = spec.build(wiring, 0)
    assert isinstance(network, SparseMLP)
    assert network.activation == "tanh"
    assert spec.n_parameters(wiring) == n_parameters(network)


def test_edges_past_the_hidden_neurons_are_counted_once():
    spec = NetworkSpec("mlp")
    skipping = Wiring((2, 2, 1), [(0, 2), (1, 3), (2, 4), (0, 4), (1, 4)], inputs=True, outputs=True)
    assert spec.n_parameters(skipping) == {"read_in": 2, "wiring": 0, "read_out": 3, "biases": 3, "total": 8}
    assert spec.n_parameters(skipping) == n_parameters(spec.build(skipping))
    dense = Layered((4, 3, 2, 2), 1.0, inputs=True, outputs=True).sample(0)
    assert spec.n_parameters(dense) == {"read_in": 12, "wiring": 6, "read_out": 4, "biases": 7, "total": 29}


@pytest.mark.parametrize("mode", ATTACHMENTS)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("index", range(len(GRAPHS)))
def test_an_rnn_is_counted_as_it_is_built(index: int, cell: str, mode: str):
    spec = NetworkSpec("rnn", cell=cell)
    for hidden in (GRAPHS[index], stack(LAYERED[index])):
        wiring = attach(hidden, 5, 3, mode, 0, reads=2, readouts=3, width=4)
        network = spec.build(wiring, 0)
        assert isinstance(network, SequenceNetwork)
        assert network.rnn.cell == cell
        assert spec.n_parameters(wiring) == n_parameters(network)


def test_the_linear_function_of_the_mean_is_counted_as_it_is_built():
    spec = NetworkSpec("linear-mean")
    wiring = Wiring.from_masks([np.ones((3, 7))], inputs=True, outputs=True)
    network = spec.build(wiring, 0)
    assert isinstance(network, LinearMean)
    assert spec.n_parameters(wiring)["total"] == sum(parameter.numel() for parameter in network.parameters()) == 24
    assert spec.n_parameters(wiring) == n_parameters(network.linear)


def test_weights_depend_on_the_generator_alone():
    spec, wiring = NetworkSpec("rnn"), attach(GRAPHS[0], 3, 2, "natural")
    first, again, other = (spec.build(wiring, seed).state_dict() for seed in (1, 1, 2))
    assert all(first[name].equal(again[name]) for name in first)
    assert not first["rnn.weight"].equal(other["rnn.weight"])
