"""Wirings within a budget: never above it, nothing left that could be spent, no dead neuron, no input in vain."""

from functools import cache
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nas.inputs import describe_inputs
from nas.networks import NetworkSpec
from nas.networks.cells import CELLS
from nas.space.families import FAMILIES, own_parameters, searched_families
from nas.space.within import Means, Reading, balanced, graph_within, largest, layered_within
from priors import READ_INS, Inputs, Prior, Wiring

few = settings(deadline=None, max_examples=60)
SHAPES = [(1, 1), (2, 2), (4, 4), (3, 12), (8, 8)]


@cache
def known(shape: tuple[int, int], dead: int) -> Inputs:
    """What is known of images of noise, of which some pixels never vary."""
    rng = np.random.default_rng(dead)
    n = shape[0] * shape[1]
    values = rng.normal(size=(40, n)).astype(np.float32)
    values[:, rng.permutation(n)[:dead]] = 0.5
    return describe_inputs(torch.from_numpy(values), shape)


@st.composite
def means(draw: Any, kind: str) -> Means:
    """What somebody may spend who can pay for one hidden neuron."""
    shape = draw(st.sampled_from(SHAPES))
    inputs = known(shape, draw(st.integers(0, shape[0] * shape[1] - 1)))
    spec = NetworkSpec(kind, cell=draw(st.sampled_from(sorted(CELLS)))) if kind == "rnn" else NetworkSpec("mlp")
    limit = round(10 ** draw(st.floats(0.5, 3.5)))
    found = Means(limit, draw(st.booleans()), spec, inputs, draw(st.integers(1, 11)))
    assume(limit >= found.least())
    return found


readings = st.builds(
    Reading, st.integers(1, 70), st.integers(1, 12), st.sampled_from(sorted(READ_INS)), st.floats(0, 1)
)
seeds = st.integers(0, 99)


def cost_of(wiring: Wiring, means: Means) -> int:
    """What a network of a wiring costs by the parameters that it has, of a module that is built."""
    network = means.spec.build(wiring, 0)
    parameters = network.named_parameters()
    return sum(own.numel() for name, own in parameters if means.counts_biases or "bias" not in name)


def parts_of(wiring: Wiring) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges from inputs, between hidden neurons, and to outputs."""
    first, last = wiring.n_inputs, wiring.n_neurons - wiring.n_outputs
    source, target = wiring.edges.T
    return wiring.edges[source < first], wiring.edges[(source >= first) & (target < last)], wiring.edges[target >= last]


def check(wiring: Wiring, means: Means) -> None:
    """What holds of every wiring within a budget."""
    assert cost_of(wiring, means) <= means.limit
    assert (wiring.n_inputs, wiring.n_outputs) == (means.inputs.n_inputs, means.n_outputs)
    assert set(wiring.edges[wiring.edges[:, 0] < wiring.n_inputs, 0]) <= set(means.inputs.live.tolist())
    graph = wiring.to_networkx()
    inputs, outputs = range(wiring.n_inputs), range(wiring.n_neurons - wiring.n_outputs, wiring.n_neurons)
    hidden = set(range(wiring.n_inputs, outputs.start))
    forwards = set().union(*(nx.descendants(graph, each) for each in inputs))
    backwards = set().union(*(nx.ancestors(graph, each) for each in outputs))
    assert hidden <= forwards & backwards
    assert set(outputs) <= forwards


def prior_of(family: str, n: int, degree: float) -> Prior:
    own = {name: parameter.default[-1] for name, parameter in own_parameters().items()}
    return FAMILIES[family].of_degree({**own, "n": n, "degree": degree, "p": 0.3, "initial": "isolated"})


def differ_by_one(counts: np.ndarray) -> bool:
    return int(counts.max()) - int(counts.min()) <= 1


@given(means("mlp"), readings, st.integers(1, 5), st.integers(1, 40), seeds)
@few
def test_layers_within_a_budget(means: Means, reading: Reading, depth: int, links: int, seed: int):
    wiring = layered_within(means, reading, depth, links, seed)
    check(wiring, means)
    width, n_layers = wiring.sizes[1], wiring.n_layers - 2
    assert wiring.sizes[1:-1] == (width,) * n_layers
    read_in, between, read_out = parts_of(wiring)
    # As deep as is asked for, or as can be paid for.
    assert n_layers == depth or means.least(n_layers + 1) > means.limit
    # Equally shared out.
    first = wiring.n_inputs
    assert differ_by_one(np.bincount(read_in[:, 1], minlength=first + width)[first:])
    assert differ_by_one(np.bincount(read_out[:, 1])[-means.n_outputs :])
    assert differ_by_one(np.bincount(read_out[:, 0], minlength=first + wiring.n_hidden)[-width:])
    for layer in range(1, n_layers):
        own = between[(between[:, 1] >= first + layer * width) & (between[:, 1] < first + (layer + 1) * width)]
        sent = np.bincount(own[:, 0] - first - (layer - 1) * width, minlength=width)
        taken = np.bincount(own[:, 1] - first - layer * width, minlength=width)
        assert set(taken.tolist()) == {min(links, width)}
        assert differ_by_one(sent)
    # Spent to the last, unless one more neuron a layer costs too much, and nothing else can be read.
    left = means.limit - cost_of(wiring, means)
    reads_all = READ_INS[reading.read_in].reads_all and len(read_in) == width * means.n_live
    if left:
        assert len(read_in) == width * means.n_live
        assert len(read_out) == width * means.n_outputs
        more, taken = width + 1, means.n_live if reads_all else 1
        out = max(more * min(reading.fan_out, means.n_outputs), means.n_outputs)
        least = more * taken + (n_layers - 1) * more * min(links, more) + out + means.biases(n_layers * more)
        assert least > means.limit


def test_a_degree_that_only_even_graphs_have_spends_its_budget():
    means = Means(3162, False, NetworkSpec("rnn", cell="gru"), known((1, 1), 0), 1)
    found = graph_within(means, Reading(1, 1, "correlated"), lambda n: prior_of("random-regular", n, 3.0), 3.0, 0)
    assert cost_of(found, means) > 0.95 * means.limit


@pytest.mark.parametrize("kind", ["mlp", "rnn"])
@given(
    data=st.data(),
    reading=readings,
    family=st.sampled_from(searched_families()),
    degree=st.floats(0, 12),
    seed=seeds,
)
@few
def test_graphs_within_a_budget(kind: str, data: Any, reading: Reading, family: str, degree: float, seed: int):
    own = data.draw(means(kind))
    drawn: list[int] = []

    def prior(n: int) -> Any:
        drawn.append(n)
        return prior_of(family, n, degree)

    wiring = graph_within(own, reading, prior, degree, seed)
    check(wiring, own)
    assert len(drawn) <= 30
    n = wiring.n_hidden
    read_in, between, read_out = parts_of(wiring)
    if n > 3:
        assert drawn[-1] == n
        expected = prior(n).sample(0)
        assert len(between) == (expected.n_edges if kind == "rnn" else expected.n_edges // 2)
    assert differ_by_one(np.bincount(read_in[:, 1], minlength=wiring.n_inputs + n)[wiring.n_inputs :])
    assert differ_by_one(np.bincount(read_out[:, 1])[-own.n_outputs :])
    # What is left does not pay for one input more, unless all are read: then not for one neuron more that reads them.
    left = own.limit - cost_of(wiring, own)
    if left:
        assert len(read_out) == n * own.n_outputs
    if left >= own.gates:
        assert len(read_in) == n * own.n_live
        # Three neurons are not connected; four are, by at most six pairs.
        edges = 2 * len(between) / n + 3 if n > 3 else 12
        assert left <= own.biases(1) + own.gates * (own.n_live + edges) + own.n_outputs


@pytest.mark.parametrize("kind", ["mlp", "rnn"])
@given(data=st.data(), fan_in=st.integers(4, 30), fan_out=st.integers(1, 10), degree=st.floats(1, 8), seed=seeds)
@settings(deadline=None, max_examples=25)
def test_what_searches_draw_costs_95_percent_at_least(
    kind: str, data: Any, fan_in: int, fan_out: int, degree: float, seed: int
):
    inputs, spec = known((8, 8), 3), NetworkSpec(kind, cell=data.draw(st.sampled_from(sorted(CELLS))))
    own = Means(data.draw(st.integers(300, 4000)), True, spec, inputs, 10)
    reading = Reading(fan_in, fan_out, data.draw(st.sampled_from(["local", "correlated", "variance", "random"])), 0.5)
    family = data.draw(st.sampled_from(searched_families()))
    found = [graph_within(own, reading, lambda n: prior_of(family, n, degree), degree, seed)]
    if kind == "mlp":
        found += [layered_within(own, reading, depth, 9, seed) for depth in (1, 2, 3)]
    for wiring in found:
        assert cost_of(wiring, own) >= 0.95 * own.limit


@given(means("mlp"), st.integers(0, 3))
@few
def test_all_is_read_where_it_can_be_paid_for(means: Means, seed: int):
    wiring = layered_within(means, Reading(1, 1, "complete"), 1, 1, seed)
    reads = len(parts_of(wiring)[0])
    if means.biases(1) + means.n_live + means.n_outputs <= means.limit:
        assert reads == wiring.n_hidden * means.n_live
    else:
        assert wiring.n_hidden * means.n_live > reads


def test_one_seed_is_one_wiring():
    own = Means(900, True, NetworkSpec("mlp"), known((8, 8), 3), 10)
    reading = Reading(12, 3, "local", 0.4)

    def graph(seed: int) -> Wiring:
        return graph_within(own, reading, lambda n: prior_of("watts-strogatz", n, 4.0), 4.0, seed)

    def layers(seed: int) -> Wiring:
        return layered_within(own, reading, 2, 5, seed)

    for draw in (graph, layers):
        assert draw(1) == draw(1)
        assert draw(1) != draw(2)


def test_a_budget_of_one_neuron():
    own = Means(14, True, NetworkSpec("mlp"), known((2, 2), 0), 6)
    assert own.least() == own.limit
    wiring = layered_within(own, Reading(50, 50, "complete"), 8, 50, 0)
    assert (wiring.sizes, wiring.n_edges) == ((4, 1, 6), 7)
    gru = Means(3 + 6 + 4 + 6, True, NetworkSpec("rnn", cell="gru"), known((2, 2), 0), 6)
    assert gru.least() == gru.limit
    wiring = graph_within(gru, Reading(50, 50, "complete"), pytest.fail, 9.0, 0)
    assert (wiring.sizes, wiring.n_edges) == ((4, 1, 6), 7)


@given(st.integers(1, 12), st.lists(st.integers(0, 12), min_size=1, max_size=20), seeds)
def test_balanced_edges(n_targets: int, degrees: list[int], seed: int):
    wanted = np.minimum(np.array(degrees, np.int64), n_targets)
    edges = balanced(n_targets, wanted, np.random.default_rng(seed))
    assert len(np.unique(edges, axis=0)) == len(edges) == wanted.sum()
    assert edges.tolist() == sorted(edges.tolist())
    assert np.bincount(edges[:, 0], minlength=len(wanted)).tolist() == wanted.tolist()
    assert differ_by_one(np.bincount(edges[:, 1], minlength=n_targets))


def test_balanced_edges_are_drawn_without_preference():
    rng = np.random.default_rng(0)
    counts = np.zeros((4, 6))
    for _ in range(3000):
        counts[tuple(balanced(6, np.array([1, 2, 3, 3]), rng).T)] += 1
    shares = counts / 3000
    expected = np.array([1, 2, 3, 3])[:, None] / 6
    assert np.abs(shares - expected).max() < 5 * np.sqrt(0.25 / 3000)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(0, 60))
def test_the_largest_number_within_a_limit(steps: list[int], limit: int):
    costs = np.cumsum(steps)

    def cost(n: int) -> int:
        return int(costs[n - 1]) if n <= len(costs) else 10**6

    fitting = [n for n in range(1, len(costs) + 1) if cost(n) <= limit]
    assert largest(cost, limit) == max(fitting, default=1)


def test_dense_costs_grow_with_the_product_of_widths():
    def cost(n: int) -> int:
        return sum(before * after for before, after in pairwise((64, n, n, 10)))

    found = largest(cost, 50_000)
    assert cost(found) <= 50_000 < cost(found + 1)
