"""Crossover: kinds are kept, children lie between their parents, and places are aligned."""

from collections.abc import Sequence

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.samplers.genetic import cross
from priors import BarabasiAlbert, ErdosRenyi, WattsStrogatz, Wiring, layer, orient


def undirected(n: int, edges: Sequence[tuple[int, int]]) -> Wiring:
    return Wiring((n,), [*edges, *((target, source) for source, target in edges)])


def pairs(wiring: Wiring) -> set[tuple[int, int]]:
    return set(map(tuple, wiring.edges.tolist()))


def degree(wiring: Wiring) -> float:
    return wiring.n_edges / wiring.n_neurons


@st.composite
def graphs(draw: st.DrawFn, kind: str) -> Wiring:
    n = draw(st.integers(1, 9))
    cells = [(i, j) for i in range(n) for j in range(n) if i < j or (i != j and kind == "directed")]
    edges = draw(st.lists(st.sampled_from(cells), unique=True)) if cells else []
    if kind == "undirected":
        return undirected(n, edges)
    numbers = draw(st.permutations(range(n)))
    return Wiring((n,), [(numbers[i], numbers[j]) for i, j in edges])


KINDS = ("undirected", "acyclic", "directed")


@pytest.mark.parametrize("kind", KINDS)
def test_a_child_is_of_its_parents_kind_and_lies_between_them(kind: str):
    @settings(max_examples=150, deadline=None)
    @given(graphs(kind), graphs(kind), st.integers(0, 2**31 - 1))
    def check(first: Wiring, second: Wiring, seed: int) -> None:
        child = cross(first, second, seed)
        assert child.sizes == (first.n_neurons,)
        assert kind != "undirected" or child.is_undirected
        assert kind != "acyclic" or nx.is_directed_acyclic_graph(child.to_networkx())
        assert not (child.edges[:, 0] == child.edges[:, 1]).any()
        low, high = sorted((degree(first), degree(second)))
        assert low - 1e-9 <= degree(child) <= high + 1e-9
        assert child == cross(first, second, seed)
        if first.n_neurons == second.n_neurons:
            n_edges = (first.n_edges + second.n_edges) / 2
            assert abs(child.n_edges - n_edges) <= (1 if first.is_undirected and second.is_undirected else 0.5)

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_who_breeds_with_itself_breeds_itself(kind: str):
    @settings(max_examples=50, deadline=None)
    @given(graphs(kind))
    def check(graph: Wiring) -> None:
        assert pairs(cross(graph, graph, 0)) == pairs(graph)

    check()


def test_common_edges_are_kept_and_the_others_come_from_both():
    # Places are levels: 0, 1, 2, 3 in either; the second parent is numbered the other way round.
    first = Wiring((4,), [(0, 1), (1, 2), (2, 3), (0, 2)])
    second = Wiring((4,), [(3, 2), (2, 1), (1, 0), (2, 0)])
    path = {(0, 1), (1, 2), (2, 3)}
    found = [pairs(cross(first, second, seed)) for seed in range(200)]
    assert all(path < child and len(child) == 4 for child in found)
    extra = [next(iter(child - path)) for child in found]
    assert set(extra) == {(0, 2), (1, 3)}
    assert 70 < extra.count((0, 2)) < 130


def test_hubs_meet_hubs_where_there_is_no_direction():
    star = undirected(5, [(0, i) for i in range(1, 5)])
    other = undirected(5, [(3, i) for i in (0, 1, 2, 4)])
    assert pairs(cross(star, other, 0)) == pairs(star)
    assert pairs(cross(other, star, 0)) == pairs(other)


def test_on_rings_neighbours_meet_neighbours():
    ring = WattsStrogatz(12, 2, 0.0).sample(0)
    wide = WattsStrogatz(12, 6, 0.0).sample(0)
    child = cross(ring, wide, 0)
    assert pairs(ring) < pairs(child) < pairs(wide)
    assert degree(child) == 4


def test_a_larger_graph_is_contracted_and_a_smaller_one_spread_out():
    path = Wiring((6,), [(i, i + 1) for i in range(5)])
    # Places 0 1, 2 3, 4 5 of six are one place of three each: two edges are left of five.
    assert pairs(cross(Wiring((3,), []), path, 0)) <= {(0, 1), (1, 2)}
    assert cross(Wiring((3,), [(0, 1), (1, 2)]), path, 0).edges.tolist() == [[0, 1], [1, 2]]
    # Places 0, 1, 2 of three are 1, 3, 5 of six, and neurons without edges are in the order of their numbers.
    assert pairs(cross(Wiring((6,), []), Wiring((3,), [(0, 1), (1, 2), (0, 2)]), 0)) == {(1, 3), (3, 5), (1, 5)}


def test_parents_of_two_kinds_have_a_directed_child():
    both = cross(undirected(3, [(0, 1), (1, 2)]), Wiring((3,), [(0, 1)]), 0)
    assert not both.is_undirected or not both.n_edges
    kept = Wiring((3,), [(0, 0), (0, 1), (1, 0)])
    assert pairs(cross(kept, kept, 0)) == pairs(kept)


def test_children_take_after_both_parents():
    """Over many pairs, what a child is like follows from what its parents are like."""
    rng = np.random.default_rng(0)
    priors = [WattsStrogatz(40, 6, 0.05), BarabasiAlbert(40, 3), ErdosRenyi(40, edges=120), WattsStrogatz(40, 6, 0.9)]
    clustering: list[tuple[float, float]] = []
    for first in priors:
        for second in priors:
            one, other = first.sample(rng), second.sample(rng)
            of = [nx.average_clustering(own.to_networkx().to_undirected()) for own in (one, other)]
            child = nx.average_clustering(cross(one, other, rng).to_networkx().to_undirected())
            clustering.append((sum(of) / 2, child))
    assert np.corrcoef(np.array(clustering).T)[0, 1] > 0.5


def test_orientation_is_kept_by_children_of_dags():
    rng = np.random.default_rng(1)
    one, other = (orient(ErdosRenyi(n, edges=2 * n).sample(rng), "random", rng) for n in (12, 30))
    assert nx.is_directed_acyclic_graph(layer(cross(one, other, 0)).to_networkx())
