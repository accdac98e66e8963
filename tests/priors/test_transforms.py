"""orient, layer and stack: hand-made graphs, networkx, and the 800 published ones."""

import csv
import json
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from priors.graphs import BarabasiAlbert, ErdosRenyi, WattsStrogatz
from priors.transforms import ORIENTATIONS, layer, longest_paths, orient, stack
from priors.wiring import Wiring

ORACLE = Wiring((6,), [(0, 2), (0, 3), (1, 3), (2, 4), (3, 4), (1, 5)], weights=[2, 3, 13, 24, 34, 15], names="abcdef")


@st.composite
def undirected(draw: st.DrawFn) -> Wiring:
    n = draw(st.integers(1, 12))
    edges = draw(st.integers(0, n * (n - 1) // 2))
    return ErdosRenyi(n, edges=edges).sample(draw(st.integers(0, 2**32)))


def test_longest_paths_of_the_oracle():
    assert longest_paths(ORACLE).tolist() == [0, 0, 1, 1, 2, 1]


def test_layering_renumbers_stably_and_carries_names_and_weights():
    layered = layer(ORACLE)
    assert layered.sizes == (2, 3, 1)
    assert layered.names == ("a", "b", "c", "d", "f", "e")
    assert layered.edges.tolist() == [[0, 2], [0, 3], [1, 3], [1, 4], [2, 5], [3, 5]]
    assert layered.weights.tolist() == [2, 3, 13, 15, 24, 34]
    assert layered.sources.tolist() == [0, 1]
    assert layered.sinks.tolist() == [4, 5]
    assert layered.forward.all()


def test_layering_does_not_look_at_old_layers():
    assert layer(Wiring((1, 5), ORACLE.edges)) == layer(ORACLE)
    assert layer(Wiring((1, 1), [(1, 0)])) == Wiring((1, 1), [(0, 1)])


@settings(deadline=None, max_examples=60)
@given(undirected(), st.sampled_from(ORIENTATIONS), st.integers(0, 2**32))
def test_orientation_keeps_one_direction_of_each_edge(wiring: Wiring, order: str, seed: int):
    oriented = orient(wiring, order, seed)
    assert oriented.is_acyclic
    assert oriented.sizes == wiring.sizes
    both = np.concatenate([oriented.edges, oriented.edges[:, ::-1]])
    assert Wiring(wiring.sizes, both) == wiring


@settings(deadline=None, max_examples=60)
@given(undirected(), st.integers(0, 2**32))
def test_layers_are_longest_paths(wiring: Wiring, seed: int):
    oriented = orient(wiring, rng=seed).replace(names=range(wiring.n_neurons))
    layered = layer(oriented)
    graph = oriented.to_networkx()
    generations = list(nx.topological_generations(graph))
    assert layered.sizes == tuple(map(len, generations))
    assert layered.names == tuple(name for generation in generations for name in sorted(generation))
    edges = {(layered.names[source], layered.names[target]) for source, target in layered.edges.tolist()}
    assert edges == set(graph.edges)
    assert layer(layered) == layered


def test_orientation_by_index_and_by_degree():
    star = Wiring((4,), [(0, 3), (3, 0), (1, 3), (3, 1), (2, 3), (3, 2), (1, 2), (2, 1)])
    assert orient(star, "index").edges.tolist() == [[0, 3], [1, 2], [1, 3], [2, 3]]
    assert orient(star, "degree").edges.tolist() == [[1, 2], [3, 0], [3, 1], [3, 2]]


def test_random_orientation_follows_the_order_of_doubles():
    wiring = Wiring.from_networkx(nx.complete_graph(12))
    doubles = np.random.default_rng(4).random(12)
    for source, target in orient(wiring, rng=4).edges.tolist():
        assert doubles[source] < doubles[target]
    assert orient(wiring, rng=4) != orient(wiring, rng=5)


def test_only_the_random_order_draws():
    generator = np.random.default_rng(0)
    for order in ("index", "degree"):
        orient(WattsStrogatz(10, 4, 0.5).sample(1), order, generator)
    assert generator.random() == np.random.default_rng(0).random()


def test_orientation_carries_names_and_the_weight_of_the_kept_direction():
    wiring = Wiring((3,), [(0, 1), (1, 0), (1, 2), (2, 1)], weights=[1, 10, 12, 21], names="abc")
    oriented = orient(wiring, "degree")
    assert oriented.edges.tolist() == [[1, 0], [1, 2]]
    assert oriented.weights.tolist() == [10, 12]
    assert oriented.names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("wiring", "order", "message"),
    [
        (Wiring((3,), [(0, 1), (1, 0), (1, 2)]), "index", r"edge \(1, 2\) lacks its reverse"),
        (Wiring((2,), [(0, 1), (1, 0), (1, 1)]), "index", r"edge \(1, 1\) is a self edge"),
        (Wiring((1, 1), [(0, 1), (1, 0)]), "index", "one layer"),
        (Wiring((2,)), "alphabetic", r"order='alphabetic': orient knows 'index', 'random', 'degree'"),
    ],
)
def test_what_cannot_be_oriented_is_refused(wiring: Wiring, order: str, message: str):
    with pytest.raises(ValueError, match=message):
        orient(wiring, order)


def test_a_cycle_is_named_and_not_what_hangs_on_it():
    with pytest.raises(ValueError, match=r"^neuron [234] lies on a cycle"):
        layer(Wiring((6,), [(5, 3), (3, 2), (2, 4), (4, 3), (4, 0), (0, 1)]))
    with pytest.raises(ValueError, match=r"^neuron 1 lies on a cycle"):
        layer(Wiring((2,), [(1, 1), (1, 0)]))


def test_units_are_not_layered():
    with pytest.raises(ValueError, match="has input or output units"):
        layer(Wiring((1, 1), [(0, 1)], inputs=True))


def test_transforms_take_wirings_without_edges_or_neurons():
    assert layer(orient(Wiring((4,)))) == Wiring((4,))
    assert layer(orient(Wiring(()))) == Wiring(())
    assert stack(Wiring((2,))).edges.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_layering_is_linear_in_depth_and_edges():
    oriented = orient(WattsStrogatz(2000, 20, 0.1).sample(0), "index")
    layered = layer(oriented)
    assert layered.n_layers > 800
    assert np.array_equal(np.bincount(longest_paths(oriented)), layered.sizes)


@settings(deadline=None, max_examples=40)
@given(undirected(), st.integers(0, 2**32))
def test_stacking_completes_every_layer_and_nothing_else(wiring: Wiring, seed: int):
    layered = layer(orient(wiring, rng=seed))
    stacked = stack(layered)
    assert np.array_equal(stacked.edges[stacked.forward], layered.edges)
    assert stacked.n_edges == layered.n_edges + sum(size * size for size in layered.sizes)
    for index in range(stacked.n_layers):
        assert stacked.mask(index, index).all()


def test_stacking_spares_units_and_drops_weights():
    wiring = Wiring((2, 2, 1), [(0, 2), (2, 4)], inputs=True, outputs=True, weights=[1, 2], names="abcde")
    stacked = stack(wiring)
    assert stacked.edges.tolist() == [[0, 2], [2, 2], [2, 3], [2, 4], [3, 2], [3, 3]]
    assert stacked.weights is None
    assert stacked.names == wiring.names


def test_stacking_needs_forward_edges():
    with pytest.raises(ValueError, match=r"edge \(1, 0\) leads to no later layer"):
        stack(Wiring((2, 1), [(1, 0), (0, 2)]))


def test_the_published_graphs_have_their_published_layers(shared_data: Path):
    folder = shared_data / "stier2021"
    rows = {}
    for path in sorted(folder.glob("structure_*.csv")):
        with path.open(newline="") as file:
            rows.update({(row["mode"], row["graph"], int(row["graph_nr"])): row for row in csv.DictReader(file)})
    graphs = json.loads((folder / "graphs.json").read_text())
    assert len(graphs) == len(rows) == 800
    for graph in graphs:
        row = rows[graph["mode"], graph["graph"], graph["graph_nr"]]
        edges = np.array(graph["edges"])
        undirected_wiring = Wiring((graph["n"],), np.concatenate([edges, edges[:, ::-1]]))
        layered = layer(orient(undirected_wiring, "index"))
        published = tuple(int(row[column]) for column in ("layers", "source_nodes", "sink_nodes", "nodes", "edges"))
        ours = (layered.n_layers, layered.sizes[0], layered.sizes[-1], layered.n_neurons, layered.n_edges)
        assert ours == published


def test_published_sources_of_grown_graphs_are_those_of_isolated_starts():
    generator = np.random.default_rng(0)
    for n, m in ((50, 5), (30, 3)):
        layered = layer(orient(BarabasiAlbert(n, m).sample(generator), "index"))
        assert layered.sizes[0] == m
