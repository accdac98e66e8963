"""Random-graph priors against networkx and small second implementations, by means over many graphs."""

import networkx as nx
import numpy as np
import pytest
from graph_statistics import SAMPLES, N, assert_alike, draws, networkx_draws
from numpy.typing import NDArray

from priors.graphs import BarabasiAlbert, ErdosRenyi, WattsStrogatz


@pytest.mark.parametrize(("k", "p"), [(4, 0.0), (4, 0.05), (4, 0.3), (4, 1.0), (10, 0.5), (26, 1.0)])
def test_watts_strogatz(k: int, p: float):
    reference = networkx_draws(lambda seed: nx.watts_strogatz_graph(N, k, p, seed=seed))
    assert_alike(draws(WattsStrogatz(N, k, p)), reference)


@pytest.mark.parametrize("m", [1, 3, 8])
def test_barabasi_albert_from_a_star(m: int):
    reference = networkx_draws(lambda seed: nx.barabasi_albert_graph(N, m, seed=seed))
    assert_alike(draws(BarabasiAlbert(N, m, "star")), reference)


@pytest.mark.parametrize("m", [2, 6])
def test_barabasi_albert_from_a_complete_graph(m: int):
    start = nx.complete_graph(m + 1)
    reference = networkx_draws(lambda seed: nx.barabasi_albert_graph(N, m, seed=seed, initial_graph=start))
    assert_alike(draws(BarabasiAlbert(N, m, "complete")), reference)


@pytest.mark.parametrize("m", [1, 3, 8])
def test_barabasi_albert_from_isolated_nodes(m: int):
    generator = np.random.default_rng(11)

    def grown() -> NDArray[np.float64]:
        adjacency = np.zeros((N, N))
        adjacency[m, :m] = adjacency[:m, m] = 1
        for node in range(m + 1, N):
            degree = adjacency.sum(axis=0)
            old = generator.choice(N, m, replace=False, p=degree / degree.sum())
            adjacency[node, old] = adjacency[old, node] = 1
        return adjacency

    ours, theirs = draws(BarabasiAlbert(N, m)), [grown() for _ in range(SAMPLES)]
    assert_alike(ours, theirs)
    # Age decides degree, which statistics of the unnumbered graph cannot see.
    early, reference = (np.array([adjacency[:m].sum() for adjacency in sample]) for sample in (ours, theirs))
    error = np.sqrt((early.var() + reference.var()) / SAMPLES)
    assert abs(early.mean() - reference.mean()) < 4 * error


@pytest.mark.parametrize("p", [0.05, 0.2, 0.7])
def test_erdos_renyi_by_probability(p: float):
    reference = networkx_draws(lambda seed: nx.gnp_random_graph(N, p, seed=seed))
    assert_alike(draws(ErdosRenyi(N, p)), reference)


@pytest.mark.parametrize("edges", [20, 90, 400])
def test_erdos_renyi_by_edges(edges: int):
    reference = networkx_draws(lambda seed: nx.gnm_random_graph(N, edges, seed=seed))
    assert_alike(draws(ErdosRenyi(N, edges=edges)), reference)


def test_every_pair_is_equally_likely():
    for prior in (ErdosRenyi(8, 0.25), ErdosRenyi(8, edges=7)):
        generator = np.random.default_rng(2)
        share = sum(prior.sample(generator).csr().toarray() for _ in range(2000)) / 2000
        pairs = share[np.triu_indices(8, 1)]
        assert np.abs(pairs - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / 2000)
