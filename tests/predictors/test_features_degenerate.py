"""Features of wirings at the edge of their definitions, against numbers that can be worked out by hand."""

import math
import time
from itertools import pairwise

import numpy as np
import pytest

from predictors.compiled import extension
from predictors.features.describe import describe
from predictors.features.reference import describe_one
from predictors.features.table import FEATURES, TIERS, names_of
from priors.graphs import WattsStrogatz
from priors.wiring import Wiring

pytestmark = pytest.mark.skipif(extension() is None, reason="the extension was not built")


def features(wiring: Wiring, tiers: tuple[str, ...] = TIERS, pivots: int | None = None) -> dict[str, float]:
    return dict(zip(names_of(tiers), describe([wiring], tiers, pivots)[0].tolist(), strict=True))


def both_ways(pairs: list[tuple[int, int]], n: int) -> Wiring:
    return Wiring((n,), sorted({*pairs, *((v, u) for u, v in pairs)}))


SMALL = {
    "nothing": Wiring((), ()),
    "units alone": Wiring((3, 2), (), inputs=True, outputs=True),
    "input to output": Wiring((3, 2), [(0, 3), (1, 3), (1, 4)], inputs=True, outputs=True),
    "one neuron": Wiring((1,), ()),
    "one loop": Wiring((1,), [(0, 0)]),
    "two neurons": Wiring((2,), ()),
    "one edge": Wiring((2,), [(0, 1)]),
    "one pair": Wiring((2,), [(0, 1), (1, 0)]),
    "no edges": Wiring((5,), ()),
    "no edges in layers": Wiring((2, 3, 1), ()),
    "loops alone": Wiring((4,), [(i, i) for i in range(4)]),
    "loops in layers": Wiring((2, 2), [(0, 0), (0, 2), (3, 3)]),
    "isolated in layers": Wiring((2, 3, 2), [(0, 2), (2, 5)]),
    "complete": both_ways([(u, v) for v in range(7) for u in range(v)], 7),
    "complete DAG": Wiring((7,), [(u, v) for v in range(7) for u in range(v)]),
    "star": both_ways([(0, v) for v in range(1, 9)], 9),
    "star outwards": Wiring((9,), [(0, v) for v in range(1, 9)]),
    "disjoint cycles": Wiring((9,), [(u, 3 * (u // 3) + (u + 1) % 3) for u in range(9)]),
    "dead input and output": Wiring((2, 2, 2), [(0, 2), (2, 4), (3, 5)], inputs=True, outputs=True),
    "no path": Wiring((1, 2, 1), [(0, 1), (2, 3)], inputs=True, outputs=True),
    "path by recurrence": Wiring((1, 2, 1), [(0, 1), (1, 2), (2, 1), (2, 3)], inputs=True, outputs=True),
    "inputs alone": Wiring((2, 3), [(0, 2), (2, 3)], inputs=True),
    "outputs alone": Wiring((3, 2), [(0, 1), (1, 3)], outputs=True),
}


@pytest.mark.parametrize("name", SMALL)
def test_small_wirings_are_as_the_reference_has_them(name: str):
    found, expected = features(SMALL[name]), describe_one(SMALL[name], TIERS)
    wrong = {
        feature: (found[feature], expected[feature])
        for feature in FEATURES
        if not np.isclose(found[feature], expected[feature], rtol=1e-12, atol=1e-12, equal_nan=True)
    }
    assert not wrong


def test_one_neuron():
    found = features(SMALL["one neuron"])
    zeros = ("density", "diameter", "efficiency", "transitivity", "closeness_mean", "betweenness_max", "log_paths")
    ones = ("n_sources", "n_sinks", "depth", "largest_component", "reach_io", "reach_all", "published_degree_mean")
    undefined = (
        "path_length_mean",
        "assortativity",
        "skip_mean",
        "reciprocity",
        "edge_betweenness_mean",
        "fan_in_mean",
    )
    assert {name: found[name] for name in zeros} == dict.fromkeys(zeros, 0)
    assert {name: found[name] for name in ones} == dict.fromkeys(ones, 1)
    assert all(math.isnan(found[name]) for name in undefined)


def test_complete_graph():
    found = features(SMALL["complete"])
    assert found["density"] == found["transitivity"] == found["clustering_mean"] == found["efficiency"] == 1
    assert found["triangles"] == math.comb(7, 3)
    assert found["three_cycles"] == 2 * math.comb(7, 3)
    assert found["spectral_radius"] == pytest.approx(6, rel=1e-12)
    assert math.isnan(found["assortativity"])
    assert math.isnan(found["betweenness_gini"])
    assert math.isnan(found["depth"])


def test_star():
    found = features(SMALL["star"])
    assert found["betweenness_max"] == 1
    assert found["betweenness_gini"] == pytest.approx(8 / 9)
    assert found["assortativity"] == pytest.approx(-1)
    assert found["edge_betweenness_mean"] == pytest.approx(8 / 36)
    assert found["spectral_radius"] == pytest.approx(math.sqrt(8), rel=1e-12)


@pytest.mark.parametrize("length", [100, 300, 1000])
def test_spectral_radius_of_neurons_on_a_long_way_back(length: int):
    """Their entries of the eigenvector go down to 20^-length, below the smallest double."""
    edges = [(u, v) for u in range(20) for v in range(20) if u != v]
    way = [0, *range(20, 20 + length), 0]
    found = features(Wiring((20 + length,), [*edges, *pairwise(way)]), ("recurrent",))
    assert found["spectral_radius"] == pytest.approx(19, rel=1e-9)


def test_path_of_thousands_of_neurons():
    n = 3000
    path = Wiring((1,) * n, [(i, i + 1) for i in range(n - 1)])
    started = time.process_time()
    found = features(path, pivots=n)
    assert time.process_time() - started < 10
    assert found["diameter"] == found["depth"] - 1 == found["flow_length_mean"] == n - 1
    assert found["path_length_mean"] == pytest.approx((n + 1) / 3)
    assert found["log_paths"] == found["flow_length_std"] == found["spectral_radius"] == 0
    assert found["log_synflow"] == pytest.approx((n - 1) * math.log(2 / math.sqrt(math.pi)))
    # Neuron i lies between i neurons and n - 1 - i.
    between = np.arange(n) * np.arange(n)[::-1] / ((n - 1) * (n - 2) / 2)
    assert found["betweenness_mean"] == pytest.approx(between.mean())
    assert found["betweenness_std"] == pytest.approx(between.std())
    ring = features(Wiring((n,), [(i, (i + 1) % n) for i in range(n)]), ("structure", "recurrent"))
    assert ring["strong_components"] == ring["spectral_radius"] == 1
    assert ring["diameter"] == n // 2


def layered(depth: int, width: int) -> Wiring:
    """Complete layers between one input and one output."""
    sizes = (1, *(width,) * depth, 1)
    offsets = np.cumsum([0, *sizes])
    blocks = [
        (u, v)
        for first in range(depth + 1)
        for u in range(offsets[first], offsets[first + 1])
        for v in range(offsets[first + 1], offsets[first + 2])
    ]
    return Wiring(sizes, blocks, inputs=True, outputs=True)


def test_numbers_of_paths_beyond_a_float():
    depth, width = 300, 20
    found = features(layered(depth, width), ("structure",))
    assert found["log_paths"] == pytest.approx(depth * math.log(width), rel=1e-12)
    assert found["log_signal_paths"] == pytest.approx(depth * math.log(width), rel=1e-12)
    assert found["log_paths"] > math.log(np.finfo(float).max)
    assert found["signal_length_mean"] == found["signal_effective_depth"] == found["signal_depth"] == depth + 1
    assert found["signal_length_std"] == found["flow_length_std"] == 0
    synflow = math.log(2 / math.sqrt(math.pi)) + depth * math.log(2 * math.sqrt(width / math.pi))
    assert found["log_signal_synflow"] == pytest.approx(synflow, rel=1e-12)
    assert found["signal_width"] == pytest.approx(depth * width, rel=1e-12)


def test_weights_of_paths_below_a_float():
    """Every layer reads one live and one dead neuron, which halves the weight of the signal."""
    depth = 2000
    edges = [(0, 1)]
    for first in range(1, 2 * depth - 1, 2):
        edges += [(first, first + 2), (first + 1, first + 2)]
    edges.append((2 * depth - 1, 2 * depth + 1))
    wiring = Wiring((1, *(2,) * depth, 1), edges, inputs=True, outputs=True)
    found = features(wiring, ("structure",))
    assert found["signal_effective_depth"] == found["signal_depth"] == depth + 1
    assert found["log_signal_synflow"] == pytest.approx(
        2 * math.log(2 / math.sqrt(math.pi)) + (depth - 1) * math.log(math.sqrt(2 / math.pi)), rel=1e-12
    )
    assert found["input_width"] == 1
    # Shares halve from layer to layer, and the dead neurons have those of the live ones that they stand beside.
    shares = 0.5 ** np.arange(60.0)
    shares = np.concatenate([shares, shares[1:]])
    assert found["signal_width"] == pytest.approx(shares.sum() ** 2 / (shares**2).sum(), rel=1e-12)


def test_shortest_paths_beyond_a_float():
    """A chain of diamonds doubles the number of shortest paths with each; every middle lies on half of them."""
    n_diamonds = 1200
    pairs = []
    for first in range(0, 3 * n_diamonds, 3):
        pairs += [(first, first + 1), (first, first + 2), (first + 1, first + 3), (first + 2, first + 3)]
    n = 3 * n_diamonds + 1
    found = features(Wiring((n,), pairs), ("centrality",), pivots=1)
    # From the first neuron: a joint at place j is passed to all behind it, a middle to half of them.
    behind = n - 1 - np.arange(0, n, 3)
    middles = np.repeat(behind[1:] + 1, 2) / 2
    expected = np.concatenate([behind[1:], middles]) * (n / 2) / ((n - 1) * (n - 2) / 2)
    assert found["betweenness_mean"] == pytest.approx(expected.sum() / n, rel=1e-9)
    assert found["betweenness_max"] == pytest.approx(expected.max(), rel=1e-9)


def test_layers_with_isolated_neurons():
    found = features(SMALL["isolated in layers"])
    # Layers are found anew: 0 -> 2 -> 5, and everything else starts and ends in the first one.
    assert (found["depth"], found["layer_max"], found["last_layer"], found["n_isolated"]) == (3, 5, 1, 4)
    assert found["log_paths"] == pytest.approx(math.log(5))
    assert found["bottleneck_neurons"] == found["bottleneck_edges"] == 1


@pytest.mark.parametrize(
    "wiring",
    [
        WattsStrogatz(600, 4, 0.01).sample(0),
        Wiring((300,), [*((i, (i + 1) % 300) for i in range(300)), (0, 5)]),
        Wiring((403,), [*((i, (i + 1) % 400) for i in range(400)), (7, 2), (400, 401), (401, 402), (402, 400)]),
    ],
    ids=["ring lattice", "cycle with a chord", "two components"],
)
def test_spectral_radius_where_powers_converge_slowly(wiring: Wiring):
    native = extension()
    row = native.describe(
        wiring.edges,
        np.array([0, wiring.n_edges]),
        np.array(wiring.sizes, dtype=np.int32),
        np.array([0, 1]),
        np.zeros((1, 2), bool),
        1 << TIERS.index("recurrent"),
        0,
        "baseline",
    )
    assert np.isnan(row[0, -1]), "a case that the power method solves tests nothing here"
    dense = np.zeros((wiring.n_neurons,) * 2)
    dense[wiring.edges[:, 0], wiring.edges[:, 1]] = 1
    expected = np.abs(np.linalg.eigvals(dense)).max()
    assert features(wiring, ("recurrent",))["spectral_radius"] == pytest.approx(expected, rel=1e-10)
