"""GraphPool: what it is made of, its identity, and its samples."""

import hashlib
import pickle
from collections import Counter

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from priors import ErdosRenyi, GraphPool, Wiring

PATH = Wiring((3,), [(0, 1), (1, 2)])
LAYERED = Wiring((2, 2, 1), [(0, 2), (1, 3), (3, 2), (2, 4)], inputs=True, outputs=True)


def test_a_pool_is_a_sequence_of_wirings():
    graph = nx.relabel_nodes(nx.path_graph(3), {0: "a", 1: "b", 2: "c"})
    pool = GraphPool([PATH, graph, nx.DiGraph([(0, 1)])])
    assert len(pool) == 3
    assert pool.wirings == tuple(pool) == (PATH, Wiring.from_networkx(graph), Wiring((2,), [(0, 1)]))
    assert pool[0] is PATH
    assert pool[np.int64(-1)] == Wiring((2,), [(0, 1)])
    assert pool[1].names == ("a", "b", "c")
    assert pool.names == ("0", "1", "2")
    with pytest.raises(IndexError):
        pool[3]
    with pytest.raises(TypeError):
        pool[:2]
    with pytest.raises(AttributeError):
        pool.wirings = ()


def test_the_fingerprint_hashes_those_of_the_wirings():
    joined = b"".join(bytes.fromhex(wiring.fingerprint) for wiring in (PATH, LAYERED))
    assert GraphPool((PATH, LAYERED)).fingerprint == hashlib.sha256(b"wirenas-pool-1\0" + joined).hexdigest()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.lists(st.integers(0, 9), min_size=1, max_size=6))
def test_pools_are_equal_where_content_and_order_are(first: list[int], second: list[int]):
    one, two = (
        GraphPool([ErdosRenyi(6, p=0.5).sample(seed) for seed in seeds], [f"{mark}{i}" for i in range(len(seeds))])
        for mark, seeds in (("a", first), ("b", second))
    )
    # The ten graphs differ, so equal seeds are what makes pools equal; names never do.
    assert (one == two) == (first == second) == (one.fingerprint == two.fingerprint)
    assert hash(one) == hash(GraphPool(one.wirings))
    assert pickle.loads(pickle.dumps(one)) == one


def test_what_is_printed_says_how_many_and_how_large():
    pool = GraphPool([PATH, LAYERED])
    assert repr(pool) == f"<GraphPool of 2: 3 to 5 neurons, 2 to 4 edges, {pool.fingerprint[:12]}>"
    assert "of 1: 3 neurons, 2 edges," in repr(GraphPool([PATH]))


@pytest.mark.parametrize(
    ("graphs", "names", "message"),
    [
        ([], None, "graphs holds 0 graphs: GraphPool needs 1 to 1048576"),
        ("folder", None, "GraphPool.read takes a path"),
        (PATH, None, "GraphPool takes a list of graphs"),
        (nx.path_graph(3), None, "GraphPool takes a list of graphs"),
        ([PATH, [(0, 1)]], None, r"graphs\[1\] is a list: GraphPool takes wirings and networkx graphs"),
        ([PATH, nx.MultiGraph([(0, 1)])], None, r"graphs\[1\]: a multigraph has no wiring"),
        ([Wiring(())], None, r"graphs\[0\] holds no node"),
        ([PATH, PATH], ["a"], "names holds 1 names: 2 graphs need as many"),
        ([PATH, PATH], ["a", "a"], "names hold 'a' twice"),
        ([PATH], [3], "names hold 3: each must be a string of its own"),
    ],
)
def test_wrong_pools_are_refused(graphs: object, names: object, message: str):
    with pytest.raises(ValueError, match=message):
        GraphPool(graphs, names)


def test_there_is_a_largest_pool(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("priors.pool.MAX_GRAPHS", 2)
    assert len(GraphPool([PATH] * 2)) == 2
    with pytest.raises(ValueError, match="graphs holds 3 graphs: GraphPool needs 1 to 2"):
        GraphPool([PATH] * 3)


def test_a_sample_is_the_graph_at_one_double():
    pool = GraphPool([ErdosRenyi(9, p=0.4).sample(seed) for seed in range(7)])
    ours, doubles = np.random.default_rng(5), np.random.default_rng(5)
    for _ in range(50):
        assert pool.sample(ours) is pool[int(doubles.random() * 7)]
    assert ours.bit_generator.state == doubles.bit_generator.state
    assert pool.sample(3) is pool.sample(3) is pool[int(np.random.default_rng(3).random() * 7)]
    assert pool.sample() in pool.wirings


def test_samples_are_uniform():
    pool = GraphPool([ErdosRenyi(9, p=0.4).sample(seed) for seed in range(8)])
    rng = np.random.default_rng(0)
    counts = Counter(pool.sample(rng).fingerprint for _ in range(8000))
    assert len(counts) == 8
    # Chi-squared with 7 degrees of freedom: 24.3 is exceeded once in a thousand.
    assert sum((count - 1000) ** 2 / 1000 for count in counts.values()) < 24.3


def test_no_graph_of_networkx_is_copied(monkeypatch):
    """A copy with directions takes longer than all the rest."""
    graph = nx.karate_club_graph()
    expected = Wiring.from_networkx(graph)
    monkeypatch.setattr(nx.Graph, "to_directed", None)
    assert GraphPool([graph])[0] == expected
    reverse = nx.Graph()
    reverse.add_nodes_from(graph)
    reverse.add_weighted_edges_from((b, a, data["weight"]) for a, b, data in graph.edges(data=True))
    again = GraphPool([reverse])[0]
    assert again == expected
    assert again.weights.tolist() == expected.weights.tolist()
