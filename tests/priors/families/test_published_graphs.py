"""Published graphs: WS-flex and expanded graphs as You et al. made them, and the graphs of Stier et al."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import networkx as nx
import numpy as np
import pytest

from priors import BarabasiAlbert, ErdosRenyi, Wiring, WSFlex, expand

YOU = [
    # Nodes, mean degree, probability, seed; clustering and path length, from graphs_n64_52.npy and graphs_n16_48.npy.
    (64, 26.076670551162216, 0.41665082046062124, 0, 0.43109343751749113, 1.5863095238095237),
    (64, 9.600235973637375, 0.5512690014653079, 16, 0.16460197788322795, 2.0540674603174605),
    (64, 17.318418776164545, 0.0044742228834129365, 16, 0.69875838493292, 2.2807539682539684),
    (64, 9.186508469980122, 0.016151944609120703, 29, 0.631534090909091, 3.212797619047619),
    (16, 5.814590578128132, 0.2192369212872339, 15, 0.4575892857142857, 1.6833333333333333),
    (16, 7.149782024833152, 0.0206820952785763, 18, 0.6226190476190475, 1.5666666666666667),
]
"""facebookresearch/graph2nn, MIT licence, Copyright (c) Facebook, Inc. and its affiliates."""


class Published:
    """WS-flex as published, from Python's random numbers; it notes what it decided."""

    def __init__(self, n: int, degree: float, p: float, rng: random.Random) -> None:
        each, more = divmod(round(degree * n / 2), n)
        edges = [(node, (node + step) % n) for node in range(n) for step in range(1, each + (node < more) + 1)]
        self.graph, self.chosen, self.tried = nx.empty_graph(n), [], []
        self.graph.add_edges_from(edges)
        for node, far in edges:
            self.chosen.append(rng.random() < p)
            if not self.chosen[-1]:
                continue
            tried = [rng.choice(range(n))]
            while tried[-1] == node or self.graph.has_edge(node, tried[-1]):
                tried.append(rng.choice(range(n)))
                if self.graph.degree(node) >= n - 1:
                    break
            else:
                self.graph.remove_edge(node, far)
                self.graph.add_edge(node, tried[-1])
                self.tried += tried


def connected(n: int, degree: float, p: float, seed: int) -> Iterator[Published]:
    rng = random.Random(seed)
    while True:
        yield (found := Published(n, degree, p, rng))
        if nx.is_connected(found.graph):
            return


@pytest.mark.parametrize(("n", "degree", "p", "seed", "clustering", "length"), YOU)
def test_the_reference_has_the_published_numbers(
    n: int, degree: float, p: float, seed: int, clustering: float, length: float
):
    *_, found = connected(n, degree, p, seed)
    assert nx.average_clustering(found.graph) == pytest.approx(clustering, abs=1e-12)
    assert nx.average_shortest_path_length(found.graph) == pytest.approx(length, abs=1e-12)


@pytest.mark.parametrize(
    ("n", "degree", "p", "seed"), [*(row[:4] for row in YOU), (9, 7.6, 0.9, 1), (8, 7.0, 1.0, 2), (8, 6.5, 1.0, 3)]
)
def test_ws_flex_makes_the_published_graph_of_the_same_decisions(
    python_only, n: int, degree: float, p: float, seed: int
):
    found = Published(n, degree, p, random.Random(seed))
    # Every edge has a double below p or not; a node that is tried has one in the middle of its range.
    doubles = [0.0 if chosen else 1.0 for chosen in found.chosen] + [(node + 0.5) / n for node in found.tried]
    stream = iter(doubles)
    rng = mock.Mock()
    rng.random = lambda size=None: next(stream) if size is None else np.array([next(stream) for _ in range(size)])
    with python_only(), mock.patch("numpy.random.default_rng", return_value=rng):
        ours = WSFlex(n, degree, min(p, 0.999)).sample(0)
    assert next(stream, None) is None
    assert ours == Wiring.from_networkx(found.graph)


def test_only_connected_graphs_are_kept():
    prior = WSFlex(30, 2.2, 0.9, connected=True)
    for seed in range(10):
        assert nx.is_connected(prior.sample(seed).to_networkx().to_undirected())
    assert not all(
        nx.is_connected(WSFlex(30, 2.2, 0.9).sample(seed).to_networkx().to_undirected()) for seed in range(10)
    )
    with (
        mock.patch("priors.families.ws_flex._is_connected", return_value=False) as asked,
        pytest.raises(ValueError, match=r"^degree=2.2: none of 100 graphs is connected; give a larger degree$"),
    ):
        prior.sample(0)
    assert asked.call_count == 100


def shape(adjacency: np.ndarray) -> list[float]:
    """Spread and maximum of the degrees, and clustering; distances differ, since theirs are connected."""
    degree, triangles = adjacency.sum(axis=0), np.einsum("ij,jk,ki->i", adjacency, adjacency, adjacency, optimize=True)
    return [degree.var(), degree.max(), (triangles / np.maximum(degree * (degree - 1), 1)).mean()]


def test_published_small_worlds_are_those_of_ws_flex(shared_data: Path):
    """400 graphs of Stier et al.: edges exactly, structure in the mean."""
    stored = json.loads((shared_data / "stier2021" / "graphs.json").read_text(encoding="utf-8"))
    rows = [row for row in stored if row["graph"] == "watts_strogatz"]
    assert len(rows) == 400
    generator, differences = np.random.default_rng(0), []
    for row in rows:
        n = row["n"]
        ours = WSFlex(n, 2 * (n // 5 // 2), 1.0).sample(generator)
        assert ours.n_edges == 2 * len(row["edges"])
        theirs = np.zeros((n, n))
        theirs[tuple(np.transpose(row["edges"]))] = 1
        differences.append(np.subtract(shape(ours.csr().toarray().astype(float)), shape(theirs + theirs.T)))
    table = np.array(differences)
    error = table.std(axis=0) / np.sqrt(len(table))
    assert (np.abs(table.mean(axis=0)) <= 4 * error + 1e-9).all()


def test_published_scale_free_graphs_are_grown_from_isolated_nodes(shared_data: Path):
    stored = json.loads((shared_data / "stier2021" / "graphs.json").read_text(encoding="utf-8"))
    for row in [row for row in stored if row["graph"] == "barabasi_albert"]:
        ours = BarabasiAlbert(row["n"], row["n"] // 10).sample(0)
        assert ours.n_edges == 2 * len(row["edges"])


def masked(graph: Wiring, sizes: tuple[int, ...], counts: list[np.ndarray]) -> list[np.ndarray]:
    """Masks as published: the adjacency with ones on its diagonal, rows and columns repeated."""
    adjacency = graph.csr().toarray() != 0
    np.fill_diagonal(adjacency, True)
    return [
        np.repeat(np.repeat(adjacency, counts[layer + 1], axis=0), counts[layer], axis=1)
        for layer in range(len(sizes) - 1)
    ]


@pytest.mark.parametrize(("n", "degree", "p", "seed"), [row[:4] for row in YOU[:2]])
def test_expanded_graphs_have_the_published_masks(n: int, degree: float, p: float, seed: int):
    *_, found = connected(n, degree, p, seed)
    graph, sizes = Wiring.from_networkx(found.graph), (512,) * 4
    wiring = expand(graph, sizes)
    expected = masked(graph, sizes, [np.full(n, 512 // n)] * 4)
    assert wiring.sizes == sizes
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(wiring.masks(), expected, strict=True))
    # The share of a complete layer that the published program counts as its cost.
    assert wiring.n_edges / (3 * 512**2) == (2 * found.graph.number_of_edges() + n) / n**2
    assert expand(graph, sizes, 1) == expand(graph, sizes, 2)


def test_neurons_that_cannot_be_shared_out_evenly_go_to_the_same_nodes_everywhere():
    graph = ErdosRenyi(7, edges=9).sample(3)
    first = expand(graph, (17, 17, 24, 14), 5)
    order = np.argsort(np.random.default_rng(5).random(7), kind="stable")
    counts = []
    for size in first.sizes:
        counts.append(np.full(7, size // 7))
        counts[-1][order[: size % 7]] += 1
    expected = masked(graph, first.sizes, counts)
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(first.masks(), expected, strict=True))
    assert {expand(graph, (17, 17), seed) for seed in range(5)} != {expand(graph, (17, 17), 5)}


def test_directions_are_kept_when_a_graph_is_expanded():
    wiring = expand(Wiring((2,), [(0, 1), (0, 0)]), (2, 2))
    assert wiring.mask(1, 0).tolist() == [[True, False], [True, True]]


@pytest.mark.parametrize(
    ("graph", "sizes", "message"),
    [
        (Wiring((3,), [(0, 1)]), (4,), r"^sizes=\(4,\): expand needs at least two layers$"),
        (Wiring((3,), [(0, 1)]), (4, 2), r"^sizes=\(4, 2\): expand needs at least 3 neurons in every layer"),
        (Wiring((2, 1), [(0, 2)]), (4, 4), r"^2 layers: expand needs a graph of one layer"),
        (Wiring((3,), [(0, 1)]), (4, 2.5), r"neurons per layer are whole numbers$"),
    ],
)
def test_what_cannot_be_expanded_is_said(graph: Wiring, sizes: tuple[int, ...], message: str):
    with pytest.raises(ValueError, match=message):
        expand(graph, sizes)
