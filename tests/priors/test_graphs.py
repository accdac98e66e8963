"""Random-graph priors: exact counts, parameters, and one graph a seed. Distributions are tested beside this file."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from priors.graphs import BarabasiAlbert, ErdosRenyi, WattsStrogatz
from priors.transforms import layer, orient
from priors.wiring import Wiring


def n_undirected(wiring: Wiring) -> int:
    """Count edges of what must be a simple undirected graph."""
    assert wiring.n_layers == 1
    assert wiring.is_undirected
    assert (wiring.edges[:, 0] != wiring.edges[:, 1]).all()
    return wiring.n_edges // 2


@pytest.mark.parametrize(("n", "k", "edges"), [(10, 2, 10), (23, 4, 46), (50, 10, 250)])
@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_watts_strogatz_keeps_its_number_of_edges(n: int, k: int, p: float, edges: int):
    assert n_undirected(WattsStrogatz(n, k, p).sample(0)) == edges


@pytest.mark.parametrize(("n", "m", "edges"), [(10, 1, 9), (30, 3, 81), (50, 5, 225)])
@pytest.mark.parametrize(("initial", "more"), [("isolated", False), ("star", False), ("complete", True)])
def test_barabasi_albert_has_its_number_of_edges(n: int, m: int, edges: int, initial: str, more: bool):
    wiring = BarabasiAlbert(n, m, initial).sample(0)
    assert n_undirected(wiring) == edges + more * m * (m - 1) // 2


@settings(deadline=None, max_examples=60)
@given(st.integers(3, 14), st.integers(1, 6), st.floats(0, 1), st.integers(0, 2**32))
def test_watts_strogatz_counts_hold_up_to_full_degree(n: int, half: int, p: float, seed: int):
    k = min(2 * half, 2 * ((n - 1) // 2))
    assert n_undirected(WattsStrogatz(n, k, p).sample(seed)) == n * k // 2


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 14), st.data(), st.integers(0, 2**32))
def test_barabasi_albert_counts_and_sources(n: int, data: st.DataObject, seed: int):
    m = data.draw(st.integers(1, n - 1))
    isolated, star = (BarabasiAlbert(n, m, initial).sample(seed) for initial in ("isolated", "star"))
    assert n_undirected(isolated) == n_undirected(star) == m * (n - m)
    assert orient(isolated, "index").sources.tolist() == list(range(m))
    assert orient(star, "index").sources.tolist() == [0]
    assert (isolated.out_degree[m:] >= m).all()


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 14), st.data(), st.integers(0, 2**32))
def test_erdos_renyi_by_edges_is_exact(n: int, data: st.DataObject, seed: int):
    edges = data.draw(st.integers(0, n * (n - 1) // 2))
    assert n_undirected(ErdosRenyi(n, edges=edges).sample(seed)) == edges


@pytest.mark.parametrize("prior", [ErdosRenyi(9, 1.0), ErdosRenyi(9, edges=36), WattsStrogatz(9, 8, 0.7)])
def test_extremes_are_complete(prior: ErdosRenyi):
    assert prior.sample(0) == Wiring.from_networkx(nx.complete_graph(9))


@pytest.mark.parametrize("prior", [ErdosRenyi(9, 0.0), ErdosRenyi(9, edges=0), ErdosRenyi(1, 0.5)])
def test_extremes_are_empty(prior: ErdosRenyi):
    assert prior.sample(0).n_edges == 0


def test_an_unrewired_ring_is_the_lattice():
    assert WattsStrogatz(12, 4, 0).sample() == Wiring.from_networkx(nx.watts_strogatz_graph(12, 4, 0))


def test_rewiring_keeps_the_near_end_of_every_edge():
    degree = WattsStrogatz(40, 6, 1.0).sample(0).out_degree
    assert degree.min() >= 3
    assert degree.max() > 6


def test_rewiring_goes_on_while_one_free_far_end_is_left():
    lattice = WattsStrogatz(10, 8, 0).sample()
    assert all(WattsStrogatz(10, 8, 1).sample(seed) != lattice for seed in range(20))


def test_a_ring_oriented_by_index_is_a_chain():
    assert layer(orient(WattsStrogatz(100, 4, 0).sample(0), "index")).sizes == (1,) * 100


@pytest.mark.parametrize(
    ("prior", "order", "depth"),
    [
        (BarabasiAlbert(30, 3, "star"), "index", 9.4),
        (BarabasiAlbert(30, 3, "star"), "random", 9.0),
        (WattsStrogatz(30, 6, 0.1), "index", 27),
        (WattsStrogatz(30, 6, 0.1), "random", 9.2),
        (WattsStrogatz(30, 6, 1.0), "index", 8.1),
    ],
)
def test_depth_after_orientation_is_as_measured_elsewhere(prior: WattsStrogatz, order: str, depth: float):
    generator = np.random.default_rng(0)
    depths = [layer(orient(prior.sample(generator), order, generator)).n_layers for _ in range(100)]
    assert np.mean(depths) == pytest.approx(depth, abs=0.75)


def test_growth_takes_doubles_as_documented():
    doubles = iter(np.random.default_rng(8).random(1000).tolist())
    ends = [2, 0, 2, 1]
    edges = {(0, 2), (1, 2)}
    for node in range(3, 20):
        targets: list[int] = []
        while len(targets) < 2:
            target = ends[int(next(doubles) * len(ends))]
            targets += [target] * (target not in targets)
        edges |= {(target, node) for target in targets}
        ends += [*targets, node, node]
    grown = BarabasiAlbert(20, 2).sample(8)
    assert {(a, b) for a, b in grown.edges.tolist() if a < b} == edges


def test_rewiring_takes_doubles_as_documented():
    doubles = iter(np.random.default_rng(9).random(1000).tolist())
    ring = [(node, (node + step) % 15) for step in (1, 2) for node in range(15)]
    rewired = [next(doubles) < 0.5 for _ in ring]
    for index in np.flatnonzero(rewired):
        node, new = ring[index][0], ring[index][0]
        while new == node or (node, new) in ring or (new, node) in ring:
            new = int(next(doubles) * 15)
        ring[index] = (node, new)
    assert {tuple(edge) for edge in WattsStrogatz(15, 4, 0.5).sample(9).edges.tolist()} == {
        *ring,
        *((far, node) for node, far in ring),
    }


@pytest.mark.parametrize(
    ("prior", "fingerprint"),
    [
        (WattsStrogatz(32, 6, 0.3), "058f8ab0481b0743"),
        (BarabasiAlbert(32, 3), "2e43c43cecc7f76f"),
        (BarabasiAlbert(32, 3, "star"), "4a8678b9a80d66d6"),
        (BarabasiAlbert(32, 3, "complete"), "c1687943dd3b74a1"),
        (ErdosRenyi(32, 0.2), "33126bb3a2902f5c"),
        (ErdosRenyi(32, edges=90), "19f87c125aacd11c"),
    ],
)
def test_one_seed_gives_the_same_graph_for_ever(prior: WattsStrogatz, fingerprint: str):
    wiring = prior.sample(2024)
    assert wiring.fingerprint[:16] == fingerprint
    assert prior.sample(np.random.default_rng(2024)) == wiring
    assert prior.sample(2025) != wiring


def test_a_generator_is_drawn_from():
    generator = np.random.default_rng(0)
    assert ErdosRenyi(20, 0.5).sample(generator) != ErdosRenyi(20, 0.5).sample(generator)


def test_parameters_are_plain_numbers():
    prior = WattsStrogatz(np.int8(100), np.int64(4), np.float32(0.5))
    assert [type(value) for value in (prior.n, prior.k, prior.p)] == [int, int, float]
    assert prior == WattsStrogatz(100, 4, 0.5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WattsStrogatz(6, 7, 0.1), r"^k=7: WattsStrogatz .* 2 <= k <= n - 1 = 5; nearest valid is 4$"),
        (lambda: WattsStrogatz(6, 3, 0.1), r"^k=3: .*nearest valid is 4$"),
        (lambda: WattsStrogatz(6, 0, 0.1), r"^k=0: .*nearest valid is 2$"),
        (lambda: WattsStrogatz(2, 2, 0.1), r"^n=2: WattsStrogatz .*nearest valid is 3$"),
        (lambda: WattsStrogatz(6, 4, 1.1), r"^p=1.1: WattsStrogatz .*nearest valid is 1$"),
        (lambda: BarabasiAlbert(6, 6), r"^m=6: BarabasiAlbert .* 1 <= m <= n - 1 = 5; nearest valid is 5$"),
        (lambda: BarabasiAlbert(6, 0), r"^m=0: .*nearest valid is 1$"),
        (
            lambda: BarabasiAlbert(6, 2, "ring"),
            r"^initial='ring': BarabasiAlbert knows 'isolated', 'star', 'complete'$",
        ),
        (lambda: ErdosRenyi(6), r"exactly one of p and edges$"),
        (lambda: ErdosRenyi(6, 0.5, 3), r"exactly one of p and edges$"),
        (lambda: ErdosRenyi(6, edges=16), r"^edges=16: .* <= 15; nearest valid is 15$|n \(n - 1\) / 2 = 15"),
        (lambda: ErdosRenyi(0, 0.5), r"^n=0: .*nearest valid is 1$"),
    ],
)
def test_parameters_out_of_bounds_are_refused(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()
