"""Liveness: weights on a way from inputs to outputs, as networkx finds them; the rest is no parameter."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.errors import InputError
from nas.sparsity.allocation import allocate, select
from nas.sparsity.growth import draw_places
from nas.sparsity.layers import Layer, Live, stack
from nas.sparsity.neurons import Neurons, feedforward, largest_within, liveness


def mlp(sizes: tuple[int, ...], share: float, seed: int) -> tuple[Live, Neurons]:
    layers = stack({f"l{i}": (sizes[i + 1], sizes[i]) for i in range(len(sizes) - 1)})
    rng = np.random.default_rng(seed)
    slots = np.flatnonzero(rng.random(layers[-1].stop) < share)
    return Live(layers, slots, rng.standard_normal(len(slots))), feedforward(sizes)


def check(live: Live, neurons: Neurons) -> None:
    """Compare with descendants and ancestors in networkx."""
    found = liveness(live, neurons)
    source, target = neurons.edges(live)
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(neurons.n))
    graph.add_edges_from(zip(source.tolist(), target.tolist(), strict=True))
    inputs, outputs = neurons.inputs.tolist(), neurons.outputs.tolist()
    forwards = set(inputs).union(*(nx.descendants(graph, each) for each in inputs))
    backwards = set(outputs).union(*(nx.ancestors(graph, each) for each in outputs))
    alive = forwards & backwards
    assert np.flatnonzero(found.neurons).tolist() == sorted(alive)
    on_way = [a in alive and b in alive for a, b in zip(source.tolist(), target.tolist(), strict=True)]
    assert found.weights.tolist() == on_way
    assert found.dead.tolist() == sorted(set(range(neurons.n)) - alive - set(inputs) - set(outputs))
    assert found.unread.tolist() == sorted(set(inputs) - alive)
    assert found.n_parameters == sum(on_way) + sum(int(neurons.biases[each]) for each in alive | set(outputs))


@given(st.lists(st.integers(1, 6), min_size=2, max_size=5), st.sampled_from([0.0, 0.2, 0.5, 1.0]), st.integers(0, 9))
def test_mlps(sizes: list[int], share: float, seed: int):
    check(*mlp(tuple(sizes), share, seed))


@given(st.integers(1, 3), st.integers(0, 30))
def test_rnns_with_gates_and_cycles(gates: int, seed: int):
    rng = np.random.default_rng(seed)
    n_in, n_hidden, n_out = 3, 5, 2
    layers = (
        Layer("read", (gates * n_hidden, n_in), 0, gates),
        Layer("recur", (gates * n_hidden, n_hidden), gates * 15, gates),
        Layer("head", (n_out, n_hidden), gates * 40),
    )
    hidden, outputs = np.arange(3, 8), np.arange(8, 10)
    biases = np.array([0] * 3 + [gates] * 5 + [1] * 2)
    neurons = Neurons(
        10, (hidden, hidden, outputs), (np.arange(3), hidden, hidden), np.arange(3), outputs, biases
    )  # fmt: skip
    slots = np.flatnonzero(rng.random(layers[-1].stop) < 0.12)
    check(Live(layers, slots, np.ones(len(slots))), neurons)


def test_a_neuron_that_nothing_reads_and_one_that_reads_nothing():
    # 0, 1 inputs; 2, 3, 4 hidden; 5 output. 3 reads, and is not read; 4 is read, and reads nothing.
    layers = stack({"a": (3, 2), "b": (1, 3)})
    live = Live(layers, np.array([0, 2, 6, 8]), np.ones(4))
    found = liveness(live, feedforward((2, 3, 1)))
    assert found.dead.tolist() == [3, 4]
    assert found.unread.tolist() == [1]
    assert found.weights.tolist() == [True, False, True, False]
    assert found.n_parameters == 2 + 1 + 1
    without = liveness(live, feedforward((2, 3, 1)), np.array([False, True, True, True]))
    assert without.n_parameters == 1
    assert not without.weights.any()


def test_many_weights_between_two_neurons():
    # 256 of them, which must not wrap around to none.
    layers = (Layer("a", (1, 300), 0), Layer("b", (1, 1), 300))
    neurons = Neurons(
        3, (np.array([1]), np.array([2])), (np.zeros(300, np.int64), np.array([1])), np.array([0]), np.array([2]),
        np.array([0, 1, 1]),
    )  # fmt: skip
    live = Live(layers, np.delete(np.arange(301), range(256, 300)), np.ones(257))
    assert liveness(live, neurons).n_parameters == 257 + 2


@pytest.mark.parametrize("limit", [3, 40, 97, 150, 10**6])
def test_as_many_weights_as_parameters_allow(limit: int):
    live, neurons = mlp((9, 8, 7, 3), 0.9, 1)
    scores = np.abs(live.weight)

    def keep(total: int) -> np.ndarray:
        return select(live, scores, allocate("class-blinded", live, total, scores, at_least=1))

    total, marks = largest_within(live, neurons, limit, keep, low=3)
    assert liveness(live, neurons, keep(total)).n_parameters <= limit
    assert marks.tolist() == liveness(live, neurons, keep(total)).weights.tolist()
    if total < live.n:
        assert liveness(live, neurons, keep(total + 1)).n_parameters > limit


def test_too_few_parameters_are_one_line():
    live, neurons = mlp((4, 5, 3), 1.0, 0)
    with pytest.raises(InputError, match="2 parameters are too few: 0 weights have 3, biases included"):
        largest_within(live, neurons, 2, lambda total: np.arange(live.n) < total)


def test_a_million_weights_take_little_time():
    layers = stack({"a": (100_000, 100_000), "b": (10, 100_000)})
    slots = draw_places(layers, [1_000_000, 100_000], np.random.default_rng(0))
    found = liveness(Live(layers, slots, np.ones(len(slots))), feedforward((100_000, 100_000, 10)))
    n_read = len(np.unique(slots[1_000_000:] % 100_000))
    assert 0 <= n_read - np.count_nonzero(found.neurons[100_000:-10]) < 20
    assert found.n_parameters > 8 * n_read


def test_bad_neurons_are_one_line():
    live, neurons = mlp((4, 5, 3), 1.0, 0)
    with pytest.raises(InputError, match="targets and 4 columns, and"):
        liveness(live, feedforward((4, 6, 3)))
    with pytest.raises(InputError, match="one number a neuron"):
        Neurons(3, (), (), np.array([0]), np.array([2]), np.zeros(2, np.int64))
    with pytest.raises(InputError, match="between 0 and 2"):
        Neurons(3, (np.array([3]),), (), np.array([0]), np.array([2]), np.zeros(3, np.int64))
    assert neurons.n == 12
