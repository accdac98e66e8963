"""Families refuse what they cannot draw in one line, which says what would be valid; and what they hold exactly."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from priors import (
    FAMILIES,
    Connectome,
    GeoHub,
    Geometric,
    Modular,
    NewmanWatts,
    RandomRegular,
    StochasticBlock,
    Wiring,
    WSFlex,
)

few = settings(deadline=None, max_examples=60)
seeds = st.integers(0, 2**32)


def n_edges(graph: Wiring) -> int:
    assert graph.is_undirected
    assert (graph.edges[:, 0] != graph.edges[:, 1]).all()
    return graph.n_edges // 2


@few
@given(st.integers(3, 14), st.data(), seeds)
def test_counts_are_exact(n: int, data: st.DataObject, seed: int):
    pairs = n * (n - 1) // 2
    edges, k = data.draw(st.integers(1, pairs)), 2 * data.draw(st.integers(1, (n - 1) // 2))
    shortcuts = data.draw(st.integers(0, pairs - n * k // 2))
    assert n_edges(NewmanWatts(n, k, shortcuts=shortcuts).sample(seed)) == n * k // 2 + shortcuts
    assert n_edges(WSFlex(n, 2 * edges / n, data.draw(st.floats(0, 1))).sample(seed)) == edges
    assert n_edges(Modular(n, data.draw(st.integers(1, n)), edges, data.draw(st.floats(0, 1))).sample(seed)) == edges
    assert n_edges(Geometric(n, 10 ** data.draw(st.floats(-6, 6)), edges=edges).sample(seed)) == edges
    hubs = data.draw(st.integers(1, max(h for h in range(1, n + 1) if h * (h - 1) // 2 <= edges)))
    assert n_edges(GeoHub(n, edges, hubs).sample(seed)) == edges


@few
@given(st.integers(2, 16), st.data(), seeds)
def test_regular_graphs_are_regular(n: int, data: st.DataObject, seed: int):
    d = data.draw(st.sampled_from([d for d in range(1, n) if n * d % 2 == 0]))
    graph = RandomRegular(n, d).sample(seed)
    assert n_edges(graph) == n * d // 2
    assert (graph.out_degree == d).all()


@pytest.mark.parametrize(
    ("name", "n"), [(name, n) for name in ("ws-flex", "random-regular", "geo-hub") for n in (4, 40)]
)
def test_compiled_code_draws_the_same_graphs_at_all_densities(both_ways, name: str, n: int):
    pytest.importorskip("priors._native", reason="the extension was not built")
    family = FAMILIES[name]
    for seed, degree in enumerate(np.linspace(0.5, n, 12)):
        own = {parameter.name: parameter.default[seed % 2] for parameter in family.parameters}
        both_ways(family.of_degree({"n": n, "degree": float(degree), **own}).sample, seed)


def test_directions_of_geo_hub():
    prior = GeoHub(60, 6 + 2 * 3 * 60, 3, one_way=True)
    graph = prior.sample(0)
    loops = graph.edges[:, 0] == graph.edges[:, 1]
    assert not graph.is_undirected
    assert graph.edges[loops, 0].tolist() == [0, 1, 2]
    assert (~loops).sum() == prior.edges
    assert graph.in_degree.min() >= 3
    assert graph.out_degree.min() >= 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NewmanWatts(1, 2, 0.1), r"^n=1: NewmanWatts .* 3 <= n .*; nearest valid is 3$"),
        (lambda: NewmanWatts(6, 8, 0.1), r"^k=8: .* 2 <= k <= n - 1 = 5; nearest valid is 4$"),
        (lambda: NewmanWatts(6, 3, 0.1), r"^k=3: .* an even k .*; nearest valid is 4$"),
        (lambda: NewmanWatts(6, 2, -0.1), r"^p=-0.1: .*; nearest valid is 0$"),
        (lambda: NewmanWatts(6, 2), r"exactly one of p and shortcuts$"),
        (lambda: NewmanWatts(6, 2, shortcuts=10), r"^shortcuts=10: .* does not join = 9; nearest valid is 9$"),
        (lambda: WSFlex(2, 1.0, 0.1), r"^n=2: "),
        (lambda: WSFlex(6, 5.1, 0.1), r"^degree=5.1: WSFlex needs a number with 0 < degree <= n - 1 = 5"),
        (lambda: WSFlex(6, float("nan"), 0.1), r"^degree=nan: "),
        (lambda: WSFlex(6, "3", 0.1), r"^degree='3': "),
        (lambda: WSFlex(6, 0.1, 0.1), r"^degree=0.1: .* at least one edge$"),
        (lambda: WSFlex(6, 3, 2), r"^p=2: .*; nearest valid is 1$"),
        (lambda: WSFlex(6, 1.2, 0.1, True), r"^degree=1.2: no graph of 6 nodes is connected below .* 1.66667$"),
        (lambda: RandomRegular(1, 1), r"^n=1: .*; nearest valid is 2$"),
        (lambda: RandomRegular(5, 3), r"^d=3: n d = 15 is odd, and every edge has two ends; nearest valid is 2 or 4$"),
        (lambda: RandomRegular(6, 6), r"^d=6: .* d <= n - 1 = 5; nearest valid is 5$"),
        (lambda: StochasticBlock((3, 0), ((1, 1), (1, 1))), r"^size=0: "),
        (lambda: StochasticBlock((), ()), r"^sizes=\(\): .* at least one block$"),
        (
            lambda: StochasticBlock((3, 3), ((0.5, 0.1),)),
            r"^block_p: 1 rows of 2 numbers, where 2 blocks need 2 rows of 2$",
        ),
        (
            lambda: StochasticBlock((3, 3), ((0.5, 0.1), (0.2, 0.5))),
            r"^block_p: 0.1 for blocks 0 and 1, 0.2 for 1 and 0; they ",
        ),
        (lambda: StochasticBlock((3, 3), ((0.5, 1.1), (1.1, 0.5))), r"^block_p=1.1: .*; nearest valid is 1$"),
        (
            lambda: StochasticBlock((3, 3), block_edges=((4, 1), (1, 1))),
            r"^block_edges=4: .* pairs of the blocks = 3; nearest",
        ),
        (lambda: StochasticBlock((3, 3)), r"exactly one of them$"),
        (lambda: Modular(5, 6, 3, 0.1), r"^modules=6: .* modules <= n = 5; nearest valid is 5$"),
        (lambda: Modular(5, 2, 11, 0.1), r"^edges=11: .* = 10; nearest valid is 10$"),
        (lambda: Modular(5, 2, 3, 7), r"^mixing=7: "),
        (lambda: Geometric(0, 0.1, 0.1), r"^n=0: "),
        (lambda: Geometric(5, 0, 0.1), r"^scale=0: Geometric needs a number with 0 < scale$"),
        (lambda: Geometric(5, float("nan"), 0.1), r"^scale=nan: "),
        (lambda: Geometric(5, 0.1), r"exactly one of p and edges$"),
        (lambda: Geometric(5, 0.1, edges=11), r"^edges=11: "),
        (lambda: Geometric(5, 0.1, edges=1, dimensions=9), r"^dimensions=9: .* nearest valid is 8$"),
        (lambda: GeoHub(1, 0), r"^n=1: "),
        (lambda: GeoHub(5, 4, 4), r"^edges=4: the core of 4 hubs has 6 alone; nearest valid is 6$"),
        (lambda: GeoHub(5, 4, 6), r"^hubs=6: .* nearest valid is 5$"),
        (lambda: GeoHub(5, 17, 2, one_way=True), r"^edges=17: .* nearest valid is 22$|nearest valid is 12$"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(make: Callable[[], object], message: str):
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


WORM = Wiring(
    (5,),
    [(0, 1), (1, 2), (2, 0), (3, 3), (3, 4)],
    weights=[1, -2, 3, -4, 5],
    names=["AVA", "AVB", "AVA (2)", "PVC", "DD"],
)


def edges_by_name(graph: Wiring) -> dict[tuple[object, object], float]:
    assert graph.names is not None
    assert graph.weights is not None
    rows = zip(graph.edges.tolist(), graph.weights.tolist(), strict=True)
    return {(graph.names[a], graph.names[b]): weight for (a, b), weight in rows}


@few
@given(st.integers(1, 5), seeds)
def test_a_subsample_is_a_part_with_its_weights_and_names(n: int, seed: int):
    part = Connectome(WORM, n).sample(seed)
    whole = edges_by_name(WORM)
    assert part.n_neurons == n
    assert part.names is not None
    kept = set(part.names)
    assert edges_by_name(part) == {ends: weight for ends, weight in whole.items() if kept.issuperset(ends)}
    assert not part.is_undirected
    assert n < 5 or part is WORM


@few
@given(st.integers(1, 30), seeds)
def test_copies_have_the_edges_of_their_neuron(n: int, seed: int):
    part = Connectome(WORM, n, "bootstrap").sample(seed)
    assert part.n_neurons == n
    assert part.names is not None
    assert len(set(part.names)) == n
    drawn = np.sort((np.random.default_rng(seed).random(n) * 5).astype(int))
    weights = {tuple(edge): weight for edge, weight in zip(WORM.edges.tolist(), WORM.weights.tolist(), strict=True)}
    expected = {
        (a, b): weights[drawn[a], drawn[b]]
        for a in range(n)
        for b in range(n)
        if (drawn[a], drawn[b]) in weights and (drawn[a] != drawn[b] or a == b)
    }
    assert {
        tuple(edge): weight for edge, weight in zip(part.edges.tolist(), part.weights.tolist(), strict=True)
    } == expected
    assert [str(name).split(" (")[0] for name in part.names] == [str(WORM.names[own]).split(" (")[0] for own in drawn]


def test_nodes_are_drawn_uniformly():
    """Edges of subsamples and bootstraps in the mean, in closed form."""
    generator, samples, n = np.random.default_rng(0), 1000, 3
    graph = Wiring((5,), [(0, 1), (1, 2), (2, 0), (3, 4)])
    sub = np.mean([Connectome(graph, n).sample(generator).n_edges for _ in range(samples)])
    boot = np.mean([Connectome(graph, n, "bootstrap").sample(generator).n_edges for _ in range(samples)])
    assert sub == pytest.approx(4 * (3 * 2) / (5 * 4), abs=0.12)
    assert boot == pytest.approx(4 * 3 * 2 / 25, abs=0.16)


def test_layers_and_kinds_of_graphs_are_kept():
    layered = Wiring((3, 3, 3), [(0, 3), (1, 4), (3, 6), (5, 8)])
    part = Connectome(layered, 8).sample(1)
    assert part.forward.all()
    assert Connectome(layered, 2).sample(0).n_layers <= 2
    ring = Wiring((6,), [*((i, (i + 1) % 6) for i in range(6)), *(((i + 1) % 6, i) for i in range(6))])
    assert Connectome(ring, 9, "bootstrap").sample(0).is_undirected
    assert Connectome(Wiring((3,), [(0, 1)]), 2).sample(3).weights is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Connectome(WORM, 6), r"^n=6: .* nodes of the graph = 5; nearest valid is 5; draw='bootstrap' draws "),
        (lambda: Connectome(WORM, 0, "bootstrap"), r"^n=0: .*; nearest valid is 1$"),
        (lambda: Connectome(WORM, 2, "jackknife"), r"^draw='jackknife': Connectome knows 'subsample', 'bootstrap'$"),
        (
            lambda: Connectome("worm.graphml", 2),
            r"^graph is a str: Connectome needs a Wiring; read_wiring reads files$",
        ),
        (lambda: Connectome(Wiring(()), 2), r"^graph holds no node"),
        (lambda: Connectome(Wiring((2, 1), [(0, 2)], inputs=True), 2), r"^graph has input or output units"),
    ],
)
def test_what_is_no_connectome_is_said(make: Callable[[], object], message: str):
    with pytest.raises(ValueError, match=message):
        make()
