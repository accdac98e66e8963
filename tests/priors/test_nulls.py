"""Null models keep what they promise and change the rest, and what they draw is uniform."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

import networkx as nx
import numpy as np
import pytest
from null_cases import directed, model_of, wiring_of

from priors import Wiring
from priors.nulls import KEPT, NULLS, NullModel, draw_nulls, spectral_radius


def codes(wiring: Wiring) -> set[tuple[int, int]]:
    return {(int(source), int(target)) for source, target in wiring.edges}


# An account of what is kept that knows nothing of the module's own.


def facts(wiring: Wiring, model: NullModel) -> dict[str, Any]:
    edges = codes(wiring)
    graph = nx.DiGraph(sorted(edges))
    of = wiring.layer_of
    hidden = [i for i in range(wiring.n_neurons) if wiring.n_inputs <= i < wiring.n_neurons - wiring.n_outputs]
    recurrent = np.zeros((wiring.n_neurons, wiring.n_neurons))
    for place, (source, target) in enumerate(wiring.edges.tolist()):
        if of[target] <= of[source]:
            recurrent[target, source] = 1.0 if wiring.weights is None else wiring.weights[place]
    inner = recurrent[np.ix_(hidden, hidden)]
    given = model.wiring
    if given.inputs or given.outputs:
        first_output = given.n_neurons - given.n_outputs
        boundary = {(a, b) for a, b in edges if a < given.n_inputs or b >= first_output}
    else:
        sources, sinks = set(given.sources.tolist()), set(given.sinks.tolist())
        boundary = {(a, b) for a, b in edges if a in sources or b in sinks}
    lengths = []
    if model.positions is not None:
        at = np.asarray(model.positions)
        far = {edge: float(np.linalg.norm(at[edge[0]] - at[edge[1]])) for edge in edges}
        lengths = np.histogram(list(far.values()), [-1.0, *model._borders, 99.0])[0].tolist()
    return {
        "neurons": (wiring.sizes, wiring.inputs, wiring.outputs, wiring.names),
        "number of edges": (len(edges), {a for a, b in edges if a == b}),
        "degrees": (dict(graph.in_degree()), dict(graph.out_degree())),
        "order": (sum(of[a] < of[b] for a, b in edges), nx.is_directed_acyclic_graph(graph)),
        "layers": Counter((int(of[a]), int(of[b])) for a, b in edges),
        "boundary": boundary,
        "reciprocity": Counter(a for a, b in edges if a != b and (b, a) in edges),
        "spectral radius": float(np.abs(np.linalg.eigvals(inner)).max()) if hidden else 0.0,
        "lengths": lengths,
        "edges": edges,
    }


def check(wiring: Wiring, drawn: Wiring, model: NullModel, kind: str) -> set[str]:
    """Check that what is promised is kept; return what is not kept."""
    before, after = facts(wiring, model), facts(drawn, model)
    for what in NULLS[kind].keeps:
        if what == "spectral radius":
            assert after[what] == pytest.approx(before[what], rel=0.01)
        elif what == "order":
            assert after[what][0] == before[what][0]
            assert after[what][1] or not before[what][1]
        else:
            assert after[what] == before[what], (what, wiring)
    if wiring.weights is not None:
        assert drawn.weights is not None
        assert np.array_equal(np.sort(drawn.weights), np.sort(wiring.weights))
        if kind not in ("counts", "blocks", "weights"):
            out = [np.bincount(own.edges[:, 0], own.weights) for own in (wiring, drawn)]
            assert out[0] == pytest.approx(out[1], abs=1e-5)
    return {what for what in KEPT if before[what] != after[what]}


def is_changed(wiring: Wiring, drawn: Wiring, kind: str) -> bool:
    if kind != "weights":
        return drawn != wiring
    assert drawn.weights is not None
    assert wiring.weights is not None
    return not np.array_equal(drawn.weights, wiring.weights)


@pytest.mark.parametrize("kind", NULLS)
def test_a_null_keeps_what_it_promises_and_changes_the_rest(kind: str) -> None:
    tried = changed = 0
    lost: Counter[str] = Counter()
    models = [model for number in range(200) if (model := model_of(wiring_of(number), kind)) is not None]
    for number, model in enumerate(models):
        try:
            drawn = model.sample(number)
        except ValueError:
            if kind != "spectral":
                raise
            continue
        tried += 1
        lost.update(check(model.wiring, drawn, model, kind))
        changed += is_changed(model.wiring, drawn, kind)
    assert tried >= 50
    assert changed >= 0.9 * tried
    # What is not promised is lost.
    free = set(KEPT) - set(NULLS[kind].keeps) - {"lengths"}
    if kind != "weights":
        assert free <= set(lost), free - set(lost)


# Uniformity, against all there are


def all_with_degrees(wiring: Wiring) -> Iterator[frozenset[tuple[int, int]]]:
    """Yield all sets of edges, none of them a self edge, in which every neuron has its degrees.

    Where all edges lead forward, those of other wirings do.
    """
    n, of = wiring.n_neurons, wiring.layer_of

    def choose(source: int, left: tuple[int, ...]) -> Iterator[frozenset[tuple[int, int]]]:
        if source == n:
            yield frozenset()
            return
        open_to = [target for target in range(n) if target != source and left[target]]
        if wiring.forward.all():
            open_to = [target for target in open_to if of[target] > of[source]]
        for targets in combinations(open_to, int(wiring.out_degree[source])):
            rest = tuple(count - (target in targets) for target, count in enumerate(left))
            for others in choose(source + 1, rest):
                yield others | {(source, target) for target in targets}

    yield from choose(0, tuple(wiring.in_degree.tolist()))


def all_of(wiring: Wiring, kind: str) -> Iterator[frozenset[tuple[int, int]]]:
    """Yield all sets of edges that a null may be, as far as degrees and numbers are concerned."""
    n, last = wiring.n_neurons, wiring.n_neurons - wiring.n_outputs
    if kind not in ("counts", "blocks"):
        yield from all_with_degrees(wiring)
    elif wiring.is_undirected:
        for chosen in combinations(list(combinations(range(n), 2)), wiring.n_edges // 2):
            yield frozenset(edge for a, b in chosen for edge in ((a, b), (b, a)))
    else:
        places = [(a, b) for a, b in product(range(last), range(wiring.n_inputs, n)) if a != b]
        yield from map(frozenset, combinations(places, wiring.n_edges))


CYCLE = Wiring((3,), [(0, 1), (1, 2), (2, 0)], directed=True)
FIVE = Wiring((5,), [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (0, 2), (1, 0)], directed=True)
DAG = Wiring((6,), [(0, 2), (0, 4), (1, 3), (1, 5), (2, 4), (3, 5)])
DEEP = Wiring((2, 2, 2, 1), [(0, 2), (1, 3), (2, 4), (3, 5), (0, 4), (4, 6), (5, 6)], inputs=True, outputs=True)
DEPTH = [0, 0, 1, 1, 2, 2]
RING = Wiring((6,), [edge for i in range(6) for edge in ((i, (i + 1) % 6), ((i + 1) % 6, i))])
MUTUAL = Wiring((5,), [(0, 1), (1, 0), (2, 3), (3, 2), (0, 2), (1, 3), (3, 4), (4, 1)], directed=True)
SMALL = Wiring((4,), [(0, 1), (1, 2), (2, 0)], directed=True)
TINY = Wiring((1, 2, 1), [(0, 1), (1, 2), (2, 1)], inputs=True, outputs=True)
SQUARE = Wiring((4,), [edge for i in range(4) for edge in ((i, (i + 1) % 4), ((i + 1) % 4, i))])
LOOP = Wiring((1, 3, 1), [(0, 1), (0, 2), (1, 2), (2, 3), (3, 1), (2, 4), (3, 4)], inputs=True, outputs=True)


@pytest.mark.parametrize(
    ("wiring", "kind"),
    [
        (CYCLE, "degree"),
        (SMALL, "counts"),
        (FIVE, "degree"),
        (FIVE, "reciprocity"),
        (MUTUAL, "reciprocity"),
        (DAG, "degree"),
        (DAG, "order"),
        (DEEP, "order"),
        (DEEP, "layers"),
        (DEEP, "boundary"),
        (TINY, "counts"),
        (TINY, "blocks"),
        (LOOP, "blocks"),
        (LOOP, "order"),
        (LOOP, "boundary"),
        (SQUARE, "counts"),
        (RING, "degree"),
    ],
)
def test_all_wirings_that_keep_what_is_kept_are_equally_likely(wiring: Wiring, kind: str) -> None:
    model = NullModel(wiring, kind)
    before = facts(wiring, model)
    there = set()
    for edges in all_of(wiring, kind):
        other = Wiring(wiring.sizes, sorted(edges), wiring.inputs, wiring.outputs, directed=wiring.directed)
        after = facts(other, model)
        is_kept = all(before[what] == after[what] for what in NULLS[kind].keeps if what != "order")
        if "order" in NULLS[kind].keeps:
            is_kept = is_kept and before["order"][0] == after["order"][0]
            if wiring.n_layers == 1 and wiring.is_acyclic:
                # A walk keeps to one order of the neurons, that by longest paths.
                is_kept = is_kept and all(DEPTH[a] < DEPTH[b] for a, b in edges)
        if is_kept and (not wiring.is_undirected or all((b, a) in edges for a, b in edges)):
            there.add(edges)
    assert len(there) > 1
    mean = max(40, 400 / len(there))
    found = Counter(frozenset(codes(drawn)) for drawn, _ in draw_nulls(model, round(mean * len(there)), seed=1))
    assert set(found) == there, (len(found), len(there))
    # Chi squared, as standard deviations of its distribution.
    chi = sum((found[own] - mean) ** 2 / mean for own in there)
    assert (chi - (len(there) - 1)) / np.sqrt(2 * (len(there) - 1)) < 4


@pytest.mark.slow
def test_ranks_among_nulls_of_what_is_a_null_are_uniform() -> None:
    """A statistic of a wiring that is drawn from the null itself, among nulls that are drawn from that wiring."""
    start, ranks = directed(30, 0.12, 3).replace(weights=None), []
    model = NullModel(start, "degree")
    for number in range(500):
        own = model.sample(number)
        nulls = [spectral_radius(drawn) for drawn, _ in draw_nulls(NullModel(own, "degree"), 9, seed=number + 1)]
        ranks.append(sum(value < spectral_radius(own) for value in nulls))
    counts = np.bincount(ranks, minlength=10)
    chi = float(((counts - 50) ** 2 / 50).sum())
    assert chi < 27.9, counts  # The .999 quantile with 9 degrees of freedom.


def test_threads_change_nothing() -> None:
    model = NullModel(wiring_of(7), "degree")
    one = [(drawn.fingerprint, mixing) for drawn, mixing in draw_nulls(model, 9, seed=3)]
    other = [(drawn.fingerprint, mixing) for drawn, mixing in draw_nulls(model, 9, seed=3, threads=3)]
    assert one == other
    assert len({fingerprint for fingerprint, _ in one}) == 9


def test_mixing_tells_a_short_walk_from_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    wiring = directed(60, 0.1, 0)
    drawn, long = NullModel(wiring, "degree").draw(0)
    n_shared = len(codes(drawn) & codes(wiring))
    assert long.overlap == n_shared / wiring.n_edges
    assert abs(long.overlap - long.expected) < 0.1
    assert long.autocorrelation < 0.85
    assert long.moves > 9 * wiring.n_edges
    monkeypatch.setattr("priors.nulls._MOVES", 0.3)
    short = NullModel(wiring, "degree").draw(0)[1]
    assert short.expected > 0.5 > long.expected
    assert short.autocorrelation > 0.9


@pytest.mark.parametrize(
    ("wiring", "kind", "given", "line"),
    [
        (FIVE, "shuffle", {}, "kind='shuffle'"),
        (FIVE, "order", {}, "it has one layer and cycles, so there is no order to keep; use degree"),
        (FIVE, "layers", {}, "it has one layer; use order or degree"),
        (FIVE, "boundary", {}, "it has neither input or output units nor sources and sinks; use degree"),
        (FIVE, "weights", {}, "it has no weights that differ"),
        (DAG, "reciprocity", {}, "it has no cycles; use boundary"),
        (DAG, "spectral", {}, "it has no cycles; use boundary"),
        (Wiring((5,)), "order", {}, "it has no edges; use degree"),
        (RING, "layers", {}, "an undirected graph has no order, layers, boundary or reciprocity to keep; use degree"),
        (FIVE, "spatial", {}, "it needs positions"),
        (FIVE, "degree", {"positions": np.zeros((5, 2))}, "only spatial heeds positions; leave them out"),
        (FIVE, "spatial", {"positions": np.zeros((4, 2))}, "positions have shape (4, 2): one row of coordinates"),
        (FIVE, "spatial", {"positions": np.zeros(5)}, "positions have shape (5,): one row of coordinates"),
    ],
)
def test_what_keeps_no_more_is_refused_in_one_line(wiring: Wiring, kind: str, given: dict[str, Any], line: str) -> None:
    with pytest.raises(ValueError, match=re.escape(line)) as caught:
        NullModel(wiring, kind, **given)
    assert "\n" not in str(caught.value)


def test_edges_of_neurons_that_lie_nowhere_stay() -> None:
    wiring = directed(20, 0.3, 1)
    positions = np.random.default_rng(0).random((20, 3))
    positions[:5] = np.nan
    drawn = NullModel(wiring, "spatial", positions).sample(0)
    stay = {edge for edge in codes(wiring) if min(edge) < 5}
    assert stay <= codes(drawn)
    assert len(codes(drawn) & codes(wiring)) < wiring.n_edges


@pytest.mark.parametrize("n_dimensions", [2, 9])
def test_lengths_that_differ_by_rounding_are_one(n_dimensions: int) -> None:
    rng = np.random.default_rng(n_dimensions)
    wiring, positions = directed(40, 0.15, 5), rng.integers(3, size=(40, n_dimensions)) * 0.1
    model = NullModel(wiring, "spatial", positions)
    apart = np.asarray(positions)[wiring.edges[:, 0]] - np.asarray(positions)[wiring.edges[:, 1]]
    lengths = np.sort(np.round(np.sqrt((apart**2).sum(axis=1)), 6))
    assert len(model._borders) > 0
    assert np.abs(model._borders[:, None] - lengths[None, :]).min() > 1e-4
    for seed in range(5):
        drawn = model.sample(seed)
        apart = np.asarray(positions)[drawn.edges[:, 0]] - np.asarray(positions)[drawn.edges[:, 1]]
        found = np.sqrt((apart**2).sum(axis=1))
        bins = [np.histogram(own, [-1, *model._borders, 99])[0].tolist() for own in (lengths, found)]
        assert bins[0] == bins[1]


@pytest.mark.parametrize("sizes", [(0,), (3,)])
def test_nothing_to_move_is_no_trouble(sizes: tuple[int, ...]) -> None:
    wiring = Wiring(sizes if sizes != (0,) else (1,), [(0, 0)] if sizes == (3,) else [])
    drawn, mixing = NullModel(wiring, "counts").draw(0)
    assert drawn == wiring
    assert mixing.tries == 0
    if not wiring.is_undirected:
        assert NullModel(wiring, "degree").sample(0) == wiring


def test_spectral_radius_is_that_of_recurrence() -> None:
    assert spectral_radius(CYCLE) == pytest.approx(1.0)
    assert spectral_radius(DAG) == 0.0
    assert spectral_radius(CYCLE.replace(weights=[2.0, 4.0, 1.0])) == pytest.approx(2.0)
    # Parts that lead into each other, and rings, on which searches for eigenvalues go wrong.
    ring = [(i, (i + 1) % 200) for i in range(200)]
    chain = [(i, i + 1) for i in range(199, 299)]
    assert spectral_radius(Wiring((300,), [*ring, *chain], directed=True)) == pytest.approx(1.0)
    assert spectral_radius(Wiring((300,), [(i, i + 1) for i in range(299)])) == 0.0
    assert spectral_radius(Wiring((3,), [(0, 0), (0, 1)], weights=[-2.5, 1.0])) == pytest.approx(2.5)
    large = directed(700, 0.02, 0)
    dense = large.csr().toarray().astype(float)
    assert spectral_radius(large) == pytest.approx(np.abs(np.linalg.eigvals(dense)).max(), rel=1e-6)
