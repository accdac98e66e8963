"""Compiled transforms: the wirings of the reference in Python, its doubles and its errors."""

from unittest import mock

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from priors import ORIENTATIONS, ErdosRenyi, WattsStrogatz, Wiring, layer, longest_paths, orient, stack

pytest.importorskip("priors._native", reason="the extension was not built")

SEEDS = st.integers(0, 2**32)


@st.composite
def undirected(draw: st.DrawFn) -> Wiring:
    n = draw(st.integers(0, 30))
    return ErdosRenyi(n, edges=draw(st.integers(0, n * (n - 1) // 2))).sample(draw(SEEDS)) if n else Wiring(())


@st.composite
def directed(draw: st.DrawFn) -> Wiring:
    """Any wiring: cycles, self edges, several layers, units."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    n = sum(sizes)
    rows = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), unique=True, max_size=20))
    inputs, outputs = draw(st.booleans()), draw(st.booleans()) and len(sizes) > 1
    first, last = sizes[0] if inputs else 0, n - sizes[-1] if outputs else n
    return Wiring(sizes, [(a, b) for a, b in rows if b >= first and a < last], inputs, outputs)


@settings(deadline=None, max_examples=100)
@given(undirected(), st.sampled_from(ORIENTATIONS), SEEDS)
def test_orienting_layering_and_stacking(both_ways, wiring: Wiring, order: str, seed: int):
    oriented = both_ways(lambda generator: orient(wiring, order, generator), seed)
    layered = both_ways(lambda _: layer(oriented), seed)
    both_ways(lambda _: stack(layered), seed)


def outcome(function, wiring: Wiring) -> object:
    try:
        return function(wiring)
    except ValueError as error:
        return str(error)


@settings(deadline=None, max_examples=100)
@given(directed(), st.sampled_from(ORIENTATIONS))
def test_any_wiring_is_taken_or_refused_alike(python_only, wiring: Wiring, order: str):
    for function in (lambda each: orient(each, order, 0), layer, stack):
        ours = outcome(function, wiring)
        with python_only():
            assert ours == outcome(function, wiring)


@settings(deadline=None, max_examples=100)
@given(undirected(), st.data())
def test_a_graph_that_lacks_one_direction_is_refused(wiring: Wiring, data: st.DataObject):
    if wiring.n_edges:
        lost = data.draw(st.integers(0, wiring.n_edges - 1))
        source, target = wiring.edges[lost].tolist()
        with pytest.raises(ValueError, match=rf"edge \({target}, {source}\) lacks its reverse"):
            orient(wiring.replace(edges=np.delete(wiring.edges, lost, axis=0)), "index")


def test_a_refused_graph_draws_nothing():
    generator = np.random.default_rng(0)
    with pytest.raises(ValueError, match="lacks its reverse"):
        orient(Wiring((2,), [(0, 1)]), "random", generator)
    assert generator.random() == np.random.default_rng(0).random()


@settings(deadline=None, max_examples=100)
@given(directed())
def test_longest_paths_agree_with_networkx(wiring: Wiring):
    graph = wiring.to_networkx()
    if not nx.is_directed_acyclic_graph(graph):
        with pytest.raises(ValueError, match="lies on a cycle"):
            longest_paths(wiring)
        return
    paths = longest_paths(wiring)
    assert paths.dtype == np.int64
    for neuron in graph:
        before = graph.subgraph(nx.ancestors(graph, neuron) | {neuron})
        assert paths[neuron] == nx.dag_longest_path_length(before, weight=None, default_weight=1)


def test_large_graphs(both_ways):
    wiring = WattsStrogatz(1500, 80, 0.3).sample(0)
    for order in ORIENTATIONS:
        oriented = both_ways(lambda generator, order=order: orient(wiring, order, generator), 3)
        stacked = both_ways(lambda _, oriented=oriented: stack(layer(oriented)), 3)
        assert np.array_equal(stacked.edges[stacked.forward], layer(oriented).edges)


def test_weights_and_names_go_the_way_of_the_reference(both_ways):
    plain = WattsStrogatz(12, 4, 0.3).sample(0)
    named = plain.replace(names=[f"n{neuron}" for neuron in range(12)])
    rich = named.replace(weights=np.arange(plain.n_edges, dtype=np.float32))
    for wiring in (named, rich):
        oriented = both_ways(lambda generator, wiring=wiring: orient(wiring, "random", generator), 1)
        layered = both_ways(lambda _, oriented=oriented: layer(oriented), 1)
        assert both_ways(lambda _, layered=layered: stack(layered), 1).names == layered.names
        assert oriented.names == wiring.names
    assert sorted(layered.weights) == sorted(oriented.weights)


def test_compiled_code_works_where_it_was_built():
    wiring = WattsStrogatz(12, 4, 0.3).sample(0)
    references = dict.fromkeys(("_orient", "_layer", "_longest_paths", "_stack"), mock.Mock(side_effect=AssertionError))
    with mock.patch.multiple("priors.transforms", **references):
        layered = layer(orient(wiring, rng=0))
        assert stack(layered).n_edges > layered.n_edges
        assert longest_paths(layered).max() == layered.n_layers - 1
