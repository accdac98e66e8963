"""The compiled features: equal to their readable twin, to networkx and to published numbers, in batches of any kind."""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from predictors.compiled import extension
from predictors.features.describe import DEFAULT_TIERS, describe
from predictors.features.packing import packed
from predictors.features.reference import describe_one
from predictors.features.table import FEATURES, TIERS, names_of
from priors.attachment import ATTACHMENTS, attach
from priors.bipartite import Layered
from priors.graphs import BarabasiAlbert, ErdosRenyi, WattsStrogatz
from priors.transforms import ORIENTATIONS, layer, orient, stack
from priors.wiring import Wiring

pytestmark = pytest.mark.skipif(extension() is None, reason="the extension was not built")


def random_wirings(rng: np.random.Generator) -> Iterator[Wiring]:
    """One wiring of every kind: undirected, oriented, layered, stacked, attached, cyclic."""
    n = int(rng.integers(3, 40))
    graphs = [
        WattsStrogatz(max(n, 6), 4, 0.3).sample(rng),
        BarabasiAlbert(max(n, 6), 2).sample(rng),
        ErdosRenyi(n, float(rng.choice([0.04, 0.15, 0.5]))).sample(rng),
    ]
    for graph in graphs:
        yield graph
        yield attach(graph, 3, 2, "natural", rng)
        dag = orient(graph, ORIENTATIONS[int(rng.integers(len(ORIENTATIONS)))], rng)
        yield dag
        yield stack(layer(dag))
        for mode in ATTACHMENTS:
            yield attach(layer(dag), 5, 3, mode, rng, reads=2, readouts=3, width=4)
        yield attach(dag, 4, 0, "controlled", rng)
    yield Layered((4, 6, 5, 2), 0.5).sample(rng)
    for inputs, outputs in ((0, 0), (0, 2), (3, 0), (3, 2)):
        yield cyclic(rng, inputs, outputs)


def cyclic(rng: np.random.Generator, inputs: int, outputs: int) -> Wiring:
    """A directed graph with self-loops and cycles, in one layer or several, with and without units."""
    sizes = [int(size) for size in rng.integers(1, 8, int(rng.integers(1, 5)))]
    sizes = [*([inputs] if inputs else []), *sizes, *([outputs] if outputs else [])]
    n = sum(sizes)
    edges = np.argwhere(rng.random((n, n)) < rng.choice([0.05, 0.15, 0.4]))
    edges = edges[(edges[:, 1] >= inputs) & (edges[:, 0] < n - outputs)]
    return Wiring(sizes, edges, inputs=bool(inputs), outputs=bool(outputs))


@pytest.fixture(scope="module")
def wirings() -> list[Wiring]:
    rng = np.random.default_rng(0)
    return [wiring for _ in range(4) for wiring in random_wirings(rng)]


def assert_equal(found: np.ndarray, expected: dict[str, float], label: object) -> None:
    wrong = {
        name: (value, expected[name])
        for name, value in zip(expected, found.tolist(), strict=True)
        if not np.isclose(value, expected[name], rtol=1e-9, atol=1e-9, equal_nan=True)
    }
    assert not wrong, (label, wrong)


def test_equal_to_the_reference(wirings: list[Wiring]):
    assert len(wirings) >= 100
    for wiring, row in zip(wirings, describe(wirings, TIERS), strict=True):
        assert_equal(row, describe_one(wiring, TIERS), wiring)


@pytest.mark.parametrize("pivots", [1, 7, 8, 9, 64])
def test_pivots_are_those_of_the_reference(wirings: list[Wiring], pivots: int):
    tiers = ("centrality",)
    for wiring, row in zip(wirings[::9], describe(wirings[::9], tiers, pivots), strict=True):
        assert_equal(row, describe_one(wiring, tiers, pivots), (wiring, pivots))


def test_many_neurons_take_pivots():
    many = WattsStrogatz(501, 4, 0.2).sample(0)
    assert np.array_equal(describe([many], ("centrality",)), describe([many], ("centrality",), 64))
    exact = WattsStrogatz(500, 4, 0.2).sample(0)
    assert np.array_equal(describe([exact], ("centrality",)), describe([exact], ("centrality",), 500))
    assert not np.array_equal(describe([exact], ("centrality",)), describe([exact], ("centrality",), 64))


@pytest.mark.parametrize("n", [63, 64, 65, 128, 129, 257, 513, 700])
def test_blocks_of_bits(n: int):
    """Sets of neurons have 64, 128, 256 or 512 members, and there may be several."""
    rng = np.random.default_rng(n)
    graph = ErdosRenyi(n, 6 / n).sample(rng)
    hidden = layer(orient(graph, "random", rng))
    attached = attach(hidden, n, 3, "controlled", rng)
    edges = rng.integers(0, n, (3 * n, 2))
    tangle = Wiring((n,), np.unique(edges, axis=0))
    tiers = ("size", "structure", "recurrent")
    for wiring, row in zip([attached, tangle], describe([attached, tangle], tiers), strict=True):
        assert_equal(row, describe_one(wiring, tiers), wiring)


@pytest.mark.parametrize("p", [0.0, 0.02, 0.2])
def test_betweenness_at_any_diameter(p: float):
    """Few levels are walked from eight sources side by side, many from one source at a time."""
    graph = WattsStrogatz(150, 4, p).sample(1)
    undirected = nx.Graph(graph.edges.tolist())
    found = dict(zip(names_of(("centrality",)), describe([graph], ("centrality",))[0], strict=True))
    nodes = np.array(list(nx.betweenness_centrality(undirected).values()))
    pairs = np.array(list(nx.edge_betweenness_centrality(undirected).values()))
    assert (nx.diameter(undirected) > 20) == (p < 0.1)
    assert found["betweenness_std"] == pytest.approx(nodes.std(), abs=1e-12)
    assert found["betweenness_max"] == pytest.approx(nodes.max(), rel=1e-12)
    assert found["edge_betweenness_std"] == pytest.approx(pairs.std(), abs=1e-12)
    assert found["edge_betweenness_max"] == pytest.approx(pairs.max(), rel=1e-12)


def test_a_row_depends_on_its_wiring_alone(wirings: list[Wiring]):
    together = describe(wirings, TIERS)
    alone = np.concatenate([describe([wiring], TIERS) for wiring in wirings])
    backwards = describe(wirings[::-1], TIERS)[::-1]
    assert np.array_equal(together, alone, equal_nan=True)
    assert np.array_equal(together, backwards, equal_nan=True)


@pytest.mark.parametrize("tiers", [(tier,) for tier in TIERS] + [("size", "published"), ("recurrent", "structure")])
def test_tiers_are_columns_of_all(wirings: list[Wiring], tiers: tuple[str, ...]):
    columns = [list(FEATURES).index(name) for name in names_of(tiers)]
    some = wirings[::5]
    assert np.array_equal(describe(some, tiers), describe(some, TIERS)[:, columns], equal_nan=True)


def test_every_instruction_set_gives_the_same(wirings: list[Wiring]):
    batch = packed([*wirings, WattsStrogatz(700, 6, 0.2).sample(0)])
    flags = 2 ** len(TIERS) - 1
    arrays = (batch.edges, batch.first_edge, batch.sizes, batch.first_size, batch.units, flags, 0)
    native = extension()
    rows = [native.describe(*arrays, name) for name in native.feature_instruction_sets()]
    assert all(np.array_equal(rows[0], other, equal_nan=True) for other in rows)


def test_arguments():
    assert describe([]).shape == (0, len(names_of(DEFAULT_TIERS)))
    with pytest.raises(ValueError, match="tier 'cheap' is not known"):
        describe([], ("cheap",))
    with pytest.raises(ValueError, match="pivots=0"):
        describe([], pivots=0)


def test_without_the_extension(monkeypatch: pytest.MonkeyPatch, wirings: list[Wiring]):
    compiled = describe(wirings[:5], TIERS)
    monkeypatch.setattr(sys.modules[describe.__module__], "extension", lambda: None)
    np.testing.assert_allclose(describe(wirings[:5], TIERS), compiled, rtol=1e-9, atol=1e-9)
    assert describe([], TIERS).shape == (0, len(FEATURES))


def columns_of(wiring: Wiring) -> dict[str, float]:
    return dict(zip(FEATURES, describe([wiring], TIERS)[0].tolist(), strict=True))


def test_toy_graph():
    found = columns_of(Wiring((6,), [(0, 2), (0, 3), (1, 3), (2, 4), (3, 4), (1, 5)]))
    expected = {
        "density": 0.4,
        "n_sources": 2,
        "n_sinks": 2,
        "diameter": 4,
        "radius": 2,
        "path_length_mean": 1.933333,
        "efficiency": 0.65,
        "assortativity": -0.090909,
        "betweenness_max": 0.65,
        "depth": 3,
        "layer_entropy": 1.011404,
        "bottleneck_neurons": 2,
        "bottleneck_edges": 2,
        "log_paths": 1.386294,
        "flow_length_mean": 1.75,
        "reach_io": 0.75,
        "effective_depth": 1.5,
    }
    assert {name: round(found[name], 6) for name in expected} == expected


def test_karate_club():
    club = Wiring((34,), sorted((min(pair), max(pair)) for pair in nx.karate_club_graph().edges))
    found = columns_of(club)
    expected = {
        "n_neurons": 34,
        "n_edges": 78,
        "n_sources": 9,
        "n_sinks": 8,
        "depth": 7,
        "path_length_mean": 2.4082,
        "diameter": 5,
        "triangles": 45,
        "transitivity": 0.255682,
        "clustering_mean": 0.570638,
        "assortativity": -0.475613,
        "betweenness_max": 0.437635,
        "efficiency": 0.492008,
        "core_max": 4,
        "log_paths": 4.477337,
        "bottleneck_neurons": 9,
        "bottleneck_edges": 17,
        "small_world_sigma": 4.064315,
    }
    assert {name: round(found[name], 6) for name in expected} == expected


def test_published_graphs(shared_data: Path):
    folder = shared_data / "stier2021"
    rows = {}
    for path in sorted(folder.glob("structure_*.csv")):
        mode = path.stem.removeprefix("structure_")
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
            rows[mode, row["graph"], int(row["graph_nr"])] = row
    records = json.loads((folder / "graphs.json").read_text(encoding="utf-8"))
    names = names_of(("published",))
    wirings = [layer(Wiring((record["n"],), record["edges"])) for record in records]
    expected = [
        [float(rows[key][name.removeprefix("published_")]) for name in names]
        for record in records
        if (key := (record["mode"].lower(), record["graph"], record["graph_nr"])) in rows
    ]
    assert len(expected) == len(records) == 800
    np.testing.assert_allclose(describe(wirings, ("published",)), expected, rtol=1e-9, atol=1e-9)


def test_weights_do_not_count_in_the_spectral_radius():
    ring = [(i, (i + 1) % 40) for i in range(40)] + [(0, 2)]
    plain, weighted = Wiring((40,), ring), Wiring((40,), ring, weights=[3.0] * 41)
    assert describe([weighted], ("recurrent",)).tolist() == describe([plain], ("recurrent",)).tolist()
