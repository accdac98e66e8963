"""What takes part of a structure, beside what networkx finds."""

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.sparsity.neurons import _MOST_STEPS, _reached

Edges = list[tuple[int, int]]


def expected(n: int, edges: Edges, starts: list[int]) -> set[int]:
    graph: nx.DiGraph = nx.DiGraph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(edges)
    return set(starts).union(*(nx.descendants(graph, start) for start in starts))


def reached(n: int, edges: Edges, starts: list[int]) -> set[int]:
    source, target = np.array(edges, np.int64).reshape(-1, 2).T
    return set(np.flatnonzero(_reached(n, source, target, np.array(starts, np.int64))).tolist())


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, Edges, list[int]]:
    n = draw(st.integers(1, 12))
    node = st.integers(0, n - 1)
    return n, draw(st.lists(st.tuples(node, node), max_size=3 * n)), draw(st.lists(node, max_size=3, unique=True))


@settings(max_examples=200)
@given(graphs())
def test_what_is_reached_is_what_has_a_way(graph: tuple[int, Edges, list[int]]):
    assert reached(*graph) == expected(*graph)


def test_however_long_the_way_is():
    n = 3 * _MOST_STEPS
    chain = [(node, node + 1) for node in range(n - 2)]  # Nothing leads to the last one.
    for edges in (chain, chain[::-1]):
        assert reached(n, edges, [0]) == expected(n, edges, [0]) == set(range(n - 1))
        assert reached(n, edges, [n // 2]) == set(range(n // 2, n - 1))
        assert reached(n, edges, []) == set()
