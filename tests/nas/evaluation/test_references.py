"""References: as many parameters, neurons or edges as they promise, and networks that can be built."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.evaluation.references import EQUAL_PARAMETERS, Contender, references
from nas.networks import NetworkSpec, n_parameters
from priors import BarabasiAlbert, ErdosRenyi, Wiring, attach, layer, orient, stack

NAMES = ["linear", "dense with equal parameters", "dense with equal neurons", "random with equal edges"]
MLP = NetworkSpec("mlp", activation="tanh")


def dag(n: int) -> Wiring:
    graph = BarabasiAlbert(n, 2).sample(0) if n > 3 else ErdosRenyi(n, 1.0).sample(0)
    return layer(orient(graph, rng=1))


def cyclic(n: int) -> Wiring:
    return BarabasiAlbert(n, 2).sample(0) if n > 3 else Wiring((n,), np.argwhere(np.ones((n, n))))


def by_name(wiring: Wiring, spec: NetworkSpec, seed: int = 0) -> dict[str, Contender]:
    found = references(wiring, spec, np.random.default_rng(seed))
    names = [reference.name for reference in found]
    assert names in (NAMES, [name for name in NAMES if name != EQUAL_PARAMETERS])
    return {reference.name: reference for reference in found}


def kinds(wiring: Wiring) -> tuple[int, int, int]:
    """Edges that read in, between hidden neurons, and that read out."""
    source, target = wiring.edges.T
    read_in, read_out = source < wiring.n_inputs, target >= wiring.n_neurons - wiring.n_outputs
    return int((read_in & ~read_out).sum()), int((~read_in & ~read_out).sum()), int(read_out.sum())


def total(reference: Contender) -> int:
    return reference.spec.n_parameters(reference.wiring)["total"]


def parameters_of_dense_mlp(n_inputs: int, n_hidden: int, n_outputs: int) -> int:
    sizes = [n_inputs, *([-(-n_hidden // 2), n_hidden // 2] if n_hidden > 1 else [1]), n_outputs]
    return sum((before + 1) * after for before, after in pairwise(sizes))


def parameters_of_one_layer(n_inputs: int, n_hidden: int, n_outputs: int) -> int:
    return (n_inputs + 1) * n_hidden + (n_hidden + 1) * n_outputs


def parameters_of_dense_rnn(gates: int, biases: int) -> Callable[[int, int, int], int]:
    return lambda n_inputs, n, n_outputs: gates * (n_inputs * n + n * n) + biases * n + (n + 1) * n_outputs


def nearest(size: Callable[[int, int, int], int], n_inputs: int, n_outputs: int, budget: int) -> int:
    return min(range(1, 400), key=lambda n: abs(size(n_inputs, n, n_outputs) - budget))


@pytest.mark.parametrize("mode", ["controlled", "natural", "projected"])
@pytest.mark.parametrize("n", [1, 2, 3, 9, 40])
def test_references_of_an_mlp(n: int, mode: str):
    wiring = attach(dag(n), 6, 3, mode, 0, reads=3, readouts=4, width=5)
    found = by_name(wiring, MLP)
    budget = MLP.n_parameters(wiring)["total"]

    linear = found["linear"]
    assert (linear.wiring.sizes, linear.wiring.n_edges, total(linear)) == ((6, 3), 18, 21)

    width = nearest(parameters_of_dense_mlp, 6, 3, budget)
    one = nearest(parameters_of_one_layer, 6, 3, budget)
    equal = found.get(EQUAL_PARAMETERS)
    if width // 2 >= 3:
        assert (equal.wiring.sizes, total(equal)) == (
            (6, -(-width // 2), width // 2, 3),
            parameters_of_dense_mlp(6, width, 3),
        )
    elif one >= 3:
        assert (equal.wiring.sizes, total(equal)) == ((6, one, 3), parameters_of_one_layer(6, one, 3))
    else:
        assert equal is None

    dense = found["dense with equal neurons"]
    assert dense.wiring.n_hidden == wiring.n_hidden
    assert dense.wiring.n_layers == (3 if wiring.n_hidden == 1 else 4)
    assert total(dense) == parameters_of_dense_mlp(6, wiring.n_hidden, 3)

    sparse = found["random with equal edges"]
    assert sparse.wiring.sizes == wiring.sizes
    assert kinds(sparse.wiring) == kinds(wiring)
    assert total(sparse) == budget
    assert all(reference.spec == MLP for name, reference in found.items() if name != "linear")


def test_the_edges_of_a_sparse_mlp_all_find_a_place():
    wiring = attach(dag(40), 6, 3, "controlled", 0, reads=3, readouts=4)
    sparse = by_name(wiring, MLP)["random with equal edges"].wiring
    assert sparse.n_edges == wiring.n_edges < by_name(wiring, MLP)["dense with equal neurons"].wiring.n_edges
    assert sparse.forward.all()


@settings(deadline=None)
@given(st.data())
def test_no_neuron_of_a_random_mlp_is_dead_while_there_are_edges_enough(data: st.DataObject):
    """Of a wiring without dead neurons the random one has none either, however few its edges are."""
    layers = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    sizes = (data.draw(st.integers(1, 30)), *layers, data.draw(st.integers(1, 6)))
    starts = np.cumsum((0, *sizes))
    neurons = range(sum(sizes))
    layer_of = np.repeat(np.arange(len(sizes)), sizes)
    pairs = [(a, b) for a in neurons for b in neurons if 0 < layer_of[b] - layer_of[a] <= len(layers)]
    edges = set(data.draw(st.lists(st.sampled_from(pairs), max_size=12)))
    for node in range(starts[1], starts[-1]):
        if not any(target == node for _, target in edges):
            least = sizes[0] if node >= starts[-2] else 0
            edges.add((data.draw(st.integers(least, starts[layer_of[node]] - 1)), node))
    for node in range(starts[1], starts[-2]):
        if not any(source == node for source, _ in edges):
            edges.add((node, data.draw(st.integers(starts[layer_of[node] + 1], starts[-1] - 1))))
    wiring = Wiring(sizes, sorted(edges), inputs=True, outputs=True)
    sparse = by_name(wiring, MLP, data.draw(st.integers(0, 9)))["random with equal edges"].wiring
    assert (sparse.sizes, kinds(sparse), sparse.n_edges) == (wiring.sizes, kinds(wiring), wiring.n_edges)
    read, reads = set(sparse.edges[:, 0].tolist()), set(sparse.edges[:, 1].tolist())
    assert reads == set(range(starts[1], starts[-1]))
    assert read >= set(range(starts[1], starts[-2]))


def test_a_random_mlp_of_an_image_task_is_no_straw_man():
    """Its edges are not spent on inputs: as many lie between its neurons as the found wiring has there."""
    wiring = attach(dag(100), 784, 10, "controlled", 0, reads=4, readouts=10)
    sparse = by_name(wiring, MLP)["random with equal edges"].wiring
    assert kinds(sparse) == kinds(wiring) == (400, 196, 100)
    fewer = references(wiring, MLP, np.random.default_rng(0), 3)[-1].wiring
    assert kinds(fewer) == (300, 196, 100)


@pytest.mark.parametrize("mode", ["controlled", "natural", "projected"])
@pytest.mark.parametrize("structure", ["recurrent", "stack"])
@pytest.mark.parametrize("n", [1, 2, 8, 20])
@pytest.mark.parametrize(("cell", "gates", "biases"), [("tanh", 1, 1), ("gru", 3, 4), ("lstm", 4, 4)])
def test_references_of_an_rnn(cell: str, gates: int, biases: int, n: int, structure: str, mode: str):
    hidden = cyclic(n) if structure == "recurrent" else stack(dag(n))
    wiring = attach(hidden, 6, 3, mode, 0, reads=3, readouts=4, width=5)
    spec = NetworkSpec("rnn", cell=cell)
    found = by_name(wiring, spec)
    budget, size = spec.n_parameters(wiring)["total"], parameters_of_dense_rnn(gates, biases)

    linear = found["linear"]
    assert (linear.spec.kind, linear.wiring.sizes, total(linear)) == ("linear-mean", (6, 3), 21)

    equal = found.get(EQUAL_PARAMETERS)
    width = nearest(size, 6, 3, budget)
    assert (equal is None) == (width < 3)
    if equal is not None:
        assert equal.wiring.n_hidden == width
        assert total(equal) == size(6, width, 3)

    dense = found["dense with equal neurons"]
    assert dense.wiring.n_hidden == wiring.n_hidden
    assert kinds(dense.wiring) == (6 * wiring.n_hidden, wiring.n_hidden**2, 3 * wiring.n_hidden)

    sparse = found["random with equal edges"]
    assert sparse.wiring.sizes == (6, wiring.n_hidden, 3)
    assert kinds(sparse.wiring) == kinds(wiring)
    assert total(sparse) == budget
    assert all(reference.spec == spec for name, reference in found.items() if name != "linear")


@pytest.mark.parametrize("n", [1, 2, 3, 12])
@pytest.mark.parametrize("mode", ["natural", "projected"])
def test_references_can_be_built_and_run(n: int, mode: str):
    for spec, hidden in ((MLP, dag(n)), (NetworkSpec("rnn"), cyclic(n)), (NetworkSpec("rnn"), stack(dag(n)))):
        wiring = attach(hidden, 4, 2, mode, 0, width=3)
        x = torch.randn(5, 4) if spec.kind == "mlp" else torch.randn(5, 6, 4)
        for reference in references(wiring, spec, np.random.default_rng(0)):
            network = reference.spec.build(reference.wiring, 0)
            assert network(x).shape == (5, 2)
            if reference.spec.kind != "linear-mean":
                assert n_parameters(network)["total"] == total(reference)


def test_a_dense_network_that_is_a_bottleneck_is_left_out():
    """784 inputs and 1,000 parameters: one dense layer has a single neuron, and two of them are worse."""
    small = attach(
        layer(orient(BarabasiAlbert(60, 2).sample(0), rng=1)), 784, 10, "controlled", 0, reads=10, readouts=6
    )
    assert EQUAL_PARAMETERS not in by_name(small, MLP)
    larger = attach(layer(orient(BarabasiAlbert(300, 2).sample(0), rng=1)), 784, 10, "controlled", 0, reads=20)
    assert by_name(larger, MLP)[EQUAL_PARAMETERS].wiring.sizes == (784, 9, 10)


def test_the_random_reference_depends_on_its_generator_alone():
    for spec, hidden in ((MLP, dag(20)), (NetworkSpec("rnn"), cyclic(20))):
        wiring = attach(hidden, 4, 2, "controlled", 0)
        first, again, other = (by_name(wiring, spec, seed) for seed in (1, 1, 2))
        assert all(first[name].wiring == again[name].wiring for name in NAMES)
        assert first[NAMES[3]].wiring != other[NAMES[3]].wiring
        assert all(first[name].wiring == other[name].wiring for name in NAMES[:3])


def test_random_places_are_all_possible():
    """Over many draws every place of every kind is taken, at its expected rate."""
    wiring = attach(ErdosRenyi(4, edges=3).sample(0), 3, 2, "controlled", 0, reads=1, readouts=2)
    counts: dict[tuple[int, int], int] = {}
    for seed in range(600):
        for edge in by_name(wiring, NetworkSpec("rnn"), seed)["random with equal edges"].wiring.edges.tolist():
            counts[tuple(edge)] = counts.get(tuple(edge), 0) + 1
    assert len(counts) == 3 * 4 + 4 * 4 + 4 * 2
    for (source, target), count in counts.items():
        share = 4 / 12 if source < 3 else 4 / 8 if target >= 7 else 6 / 16
        assert abs(count / 600 - share) < 5 * np.sqrt(share * (1 - share) / 600)


def test_a_dense_network_that_would_be_huge_is_left_out():
    wiring = attach(Wiring((1500,), [(0, 1), (1, 2)]), 3, 2, "controlled", 0)
    names = [reference.name for reference in references(wiring, NetworkSpec("rnn"), np.random.default_rng(0))]
    assert names == ["linear", "dense with equal parameters", "random with equal edges"]
