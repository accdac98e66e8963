"""Families against networkx and small second implementations, by means over many graphs."""

from collections.abc import Callable
from functools import partial
from itertools import combinations

import graph_statistics
import networkx as nx
import numpy as np
import pytest
from graph_statistics import N, assert_alike
from numpy.typing import NDArray

from priors import ErdosRenyi, GeoHub, Geometric, Modular, NewmanWatts, RandomRegular, StochasticBlock, WSFlex

Matrix = NDArray[np.float64]
SAMPLES = 60
draws = partial(graph_statistics.draws, samples=SAMPLES)
networkx_draws = partial(graph_statistics.networkx_draws, samples=SAMPLES)


def slow_draws(make: Callable[[np.random.Generator], nx.Graph]) -> list[Matrix]:
    generator = np.random.default_rng(11)
    return [nx.to_numpy_array(make(generator)) for _ in range(SAMPLES)]


def with_edges(n: int, edges: list[tuple[int, int]]) -> nx.Graph:
    graph = nx.empty_graph(n)
    graph.add_edges_from(edges)
    return graph


def some(rng: np.random.Generator, pairs: list[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    return [pairs[index] for index in rng.choice(len(pairs), count, replace=False)]


@pytest.mark.parametrize(("k", "shortcuts"), [(4, 30), (2, 200)])
def test_newman_watts_by_shortcuts(k: int, shortcuts: int):
    def slow(rng: np.random.Generator) -> nx.Graph:
        ring = nx.watts_strogatz_graph(N, k, 0)
        ring.add_edges_from(some(rng, list(nx.non_edges(ring)), shortcuts))
        return ring

    assert_alike(draws(NewmanWatts(N, k, shortcuts=shortcuts)), slow_draws(slow))


@pytest.mark.parametrize(("k", "p"), [(4, 0.0), (4, 0.3), (8, 1.0)])
def test_newman_watts_by_probability(k: int, p: float):
    ours = np.array([own.sum() / 2 for own in draws(NewmanWatts(N, k, p))])
    theirs = np.array([own.sum() / 2 for own in networkx_draws(lambda s: nx.newman_watts_strogatz_graph(N, k, p, s))])
    # Binomial, of n k / 2 edges of the ring.
    mean, variance = N * k / 2 * (1 + p), N * k / 2 * p * (1 - p)
    assert abs(ours.mean() - mean) <= 4 * np.sqrt(variance / SAMPLES)
    assert abs(ours.mean() - theirs.mean()) <= 4 * np.sqrt(2 * variance / SAMPLES)
    assert abs(ours.var() - variance) <= 0.5 * variance


def test_newman_watts_is_never_cut():
    ring = nx.watts_strogatz_graph(N, 2, 0)
    for seed in range(20):
        graph = nx.Graph(NewmanWatts(N, 2, 0.5).sample(seed).to_networkx())
        assert set(ring.edges) <= set(map(tuple, map(sorted, graph.edges)))


@pytest.mark.parametrize(("k", "p"), [(4, 0.3), (10, 1.0)])
def test_ws_flex_of_even_degree_is_watts_strogatz(k: int, p: float):
    reference = networkx_draws(lambda seed: nx.watts_strogatz_graph(N, k, p, seed=seed))
    assert_alike(draws(WSFlex(N, float(k), p)), reference)


@pytest.mark.parametrize("d", [3, 8, 20])
def test_random_regular(d: int):
    assert_alike(draws(RandomRegular(N, d)), networkx_draws(lambda seed: nx.random_regular_graph(d, N, seed=seed)))


def test_regular_graphs_are_about_equally_likely():
    """Of the 70 graphs of degree 2 on six nodes 10 are two triangles, which networkx draws a little too often."""
    generator, samples = np.random.default_rng(4), 1500
    counts: dict[str, int] = {}
    for _ in range(samples):
        found = RandomRegular(6, 2).sample(generator).fingerprint
        counts[found] = counts.get(found, 0) + 1
    assert len(counts) == 70
    theirs = [nx.number_connected_components(nx.random_regular_graph(2, 6, seed=seed)) == 2 for seed in range(samples)]
    two = [nx.to_numpy_array(with_edges(6, [*combinations(own, 2), *combinations(set(range(6)) - set(own), 2)]))
           for own in combinations(range(6), 3)]  # fmt: skip
    ours = 0
    generator = np.random.default_rng(5)
    for _ in range(samples):
        adjacency = RandomRegular(6, 2).sample(generator).csr().toarray()
        ours += any(np.array_equal(adjacency, own) for own in two)
    share = np.mean(theirs)
    assert abs(ours / samples - share) < 4 * np.sqrt(2 * share * (1 - share) / samples)


@pytest.mark.parametrize("p", [((0.7, 0.05, 0.3), (0.05, 0.4, 0.0), (0.3, 0.0, 1.0)), ((0.2,) * 3,) * 3])
def test_stochastic_block_by_probability(p: tuple[tuple[float, ...], ...]):
    sizes = (12, 10, 8)
    reference = networkx_draws(lambda seed: nx.stochastic_block_model(sizes, p, seed=seed))
    ours = draws(StochasticBlock(sizes, p))
    assert_alike(ours, reference)
    ends = np.cumsum((0, *sizes))
    for r, s in combinations(range(3), 2):
        block = np.array([own[ends[r] : ends[r + 1], ends[s] : ends[s + 1]].mean() for own in ours])
        size = sizes[r] * sizes[s] * SAMPLES
        assert abs(block.mean() - p[r][s]) <= 4 * np.sqrt(p[r][s] * (1 - p[r][s]) / size) + 1e-12


def test_stochastic_block_by_edges():
    sizes, edges = (12, 10, 8), ((20, 5, 30), (5, 40, 0), (30, 0, 28))
    blocks = np.repeat(range(3), sizes)

    def slow(rng: np.random.Generator) -> nx.Graph:
        found = []
        for r in range(3):
            for s in range(r, 3):
                pairs = [(a, b) for a, b in combinations(range(N), 2) if (blocks[a], blocks[b]) == (r, s)]
                found += some(rng, pairs, edges[r][s])
        return with_edges(N, found)

    ours = draws(StochasticBlock(sizes, block_edges=edges))
    assert_alike(ours, slow_draws(slow))
    for own in ours[:20]:
        counts = [[int(own[np.ix_(blocks == r, blocks == s)].sum()) for s in range(3)] for r in range(3)]
        assert [[count // (1 + (r == s)) for s, count in enumerate(row)] for r, row in enumerate(counts)] == [
            list(row) for row in edges
        ]


@pytest.mark.parametrize(("modules", "edges", "mixing"), [(3, 60, 0.2), (4, 90, 0.0), (1, 50, 0.5), (30, 40, 0.0)])
def test_modular(modules: int, edges: int, mixing: float):
    prior = Modular(N, modules, edges, mixing)
    block = np.concatenate([[own] * len(part) for own, part in enumerate(np.array_split(range(N), modules))])

    def slow(rng: np.random.Generator) -> nx.Graph:
        kinds = [[pair for pair in combinations(range(N), 2) if (block[pair[0]] != block[pair[1]]) == cut] for cut in (0, 1)]  # fmt: skip  # noqa: E501
        n_between = min(max(round(mixing * edges), edges - len(kinds[0])), len(kinds[1]))
        return with_edges(N, some(rng, kinds[0], edges - n_between) + some(rng, kinds[1], n_between))

    ours = draws(prior)
    assert_alike(ours, slow_draws(slow))
    between = [own[block[:, None] != block].sum() / 2 for own in ours]
    assert set(between) == {prior.n_between}


@pytest.mark.parametrize(("scale", "p"), [(0.1, 1.0), (0.5, 0.6)])
def test_geometric_by_probability(scale: float, p: float):
    reference = networkx_draws(
        lambda seed: nx.soft_random_geometric_graph(N, 2, p_dist=lambda d: p * np.exp(-d / scale), seed=seed)
    )
    assert_alike(draws(Geometric(N, scale, p)), reference)


@pytest.mark.parametrize(("scale", "dimensions"), [(0.05, 2), (0.2, 3)])
def test_geometric_by_edges(scale: float, dimensions: int):
    low, high = np.triu_indices(N, 1)

    def slow(rng: np.random.Generator) -> nx.Graph:
        places = rng.random((N, dimensions))
        odds = np.exp(-np.linalg.norm(places[low] - places[high], axis=1) / scale)
        chosen = rng.choice(len(odds), 70, replace=False, p=odds / odds.sum())
        return with_edges(N, list(zip(low[chosen], high[chosen], strict=True)))

    assert_alike(draws(Geometric(N, scale, edges=70, dimensions=dimensions)), slow_draws(slow))


def test_geometric_reaches_from_the_nearest_pairs_to_a_uniform_graph():
    prior = Geometric(N, 1e-6, edges=50)
    for seed in range(5):
        places = prior.places(seed)
        low, high = np.triu_indices(N, 1)
        length = np.linalg.norm(places[low] - places[high], axis=1)
        radius = np.sort(length)[[49, 50]].mean()
        near = nx.random_geometric_graph(N, radius, pos=dict(enumerate(places.tolist())))
        assert prior.sample(seed).n_edges == 100
        assert set(near.edges) == {(a, b) for a, b in prior.sample(seed).edges.tolist() if a < b}
    assert_alike(draws(Geometric(N, np.inf, edges=50)), draws(ErdosRenyi(N, edges=50)))


@pytest.mark.parametrize(("edges", "hubs"), [(90, 4), (200, 10), (420, 2)])
def test_geo_hub(edges: int, hubs: int):
    def slow(rng: np.random.Generator) -> nx.Graph:
        graph = nx.empty_graph(N)
        graph.add_edges_from(combinations(range(hubs), 2))
        each, more = divmod(edges - graph.number_of_edges(), N)
        turn, owed = 0, 0
        while graph.number_of_edges() < edges:
            node = turn % N
            worth = np.array([graph.degree(other) + 0.05 + each * (other < hubs) for other in range(N)])
            worth[[node, *graph[node]]] = 0
            wanted = owed + (each + (node < more) if turn < N else 0)
            count = min(wanted, int((worth > 0).sum()), edges - graph.number_of_edges())
            owed = wanted - count
            if count:
                chosen = rng.choice(N, count, replace=False, p=worth / worth.sum())
                graph.add_edges_from((node, other) for other in chosen)
            turn += 1
        return graph

    ours, theirs = draws(GeoHub(N, edges, hubs)), slow_draws(slow)
    assert_alike(ours, theirs)
    core, reference = (np.array([own[:hubs].sum() for own in sample]) for sample in (ours, theirs))
    assert abs(core.mean() - reference.mean()) <= 4 * np.sqrt((core.var() + reference.var()) / SAMPLES) + 1e-9


@pytest.mark.parametrize(("k", "hubs"), [(8, 4), (6, 1)])
def test_geo_hub_with_directions_is_as_published(k: int, hubs: int):
    """As the published program does it: draws without replacement, of which those that are there are drawn anew."""

    def published(rng: np.random.Generator) -> Matrix:
        half, there = round(k / 2), np.zeros((N, N))
        there[:hubs, :hubs] = 1 - np.eye(hubs)
        for leads_out in (True, False):
            for node in range(N):
                worth = there.sum(axis=0) + 0.05
                if leads_out:
                    worth[:hubs] += half
                else:
                    worth += there.sum(axis=1) + 0.05 + half / 2
                worth /= worth.sum()
                for first in rng.choice(N, half, replace=False, p=worth):
                    other, tries = int(first), 1
                    edge = (node, other) if leads_out else (other, node)
                    while (other == node or there[edge]) and tries < 10 * N:
                        other, tries = int(rng.choice(N, p=worth)), tries + 1
                        edge = (node, other) if leads_out else (other, node)
                    there[edge] = other != node or there[edge]
        there[range(hubs), range(hubs)] = 1
        return there

    def numbers(there: Matrix) -> list[float]:
        into, out = there.sum(axis=0), there.sum(axis=1)
        both = (there * there.T).sum()
        return [there.sum(), into.var(), out.var(), into.max(), out.max(), both, np.corrcoef(into, out)[0, 1],
                np.trace(np.linalg.matrix_power(there, 3)), into[:hubs].sum()]  # fmt: skip

    generator, prior = (
        np.random.default_rng(3),
        GeoHub(N, hubs * (hubs - 1) + 2 * round(k / 2) * N, hubs, one_way=True),
    )
    ours = np.array([numbers(prior.sample(generator).csr().toarray().T.astype(float)) for _ in range(SAMPLES // 2)])
    theirs = np.array([numbers(published(generator)) for _ in range(SAMPLES // 2)])
    error = np.sqrt((ours.var(axis=0) + theirs.var(axis=0)) / (SAMPLES // 2))
    assert (np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) <= 4 * error + 1e-9).all()
