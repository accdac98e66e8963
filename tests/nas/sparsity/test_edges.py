"""Whole edges: all gates of an edge are dropped and grown together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.errors import InputError
from nas.sparsity.allocation import allocate
from nas.sparsity.edges import EdgeView, whole_counts
from nas.sparsity.layers import Layer, Live
from nas.sparsity.methods import METHODS
from nas.sparsity.update import drop_and_grow, drop_to, expand

LAYERS = (Layer("read", (12, 3), 5, 3), Layer("recur", (12, 4), 41, 3), Layer("head", (2, 4), 89))


def random_live(seed: int, share: float = 0.5) -> Live:
    """Return weights some edges of which lack some gates."""
    rng = np.random.default_rng(seed)
    slots = 5 + np.flatnonzero(rng.random(92) < share)
    return Live(LAYERS, slots, rng.standard_normal(len(slots)))


def edges_of(slots: np.ndarray) -> dict[tuple[int, int, int], int]:
    """Return the number of live gates of each edge (layer, target, source), counted one by one."""
    found: dict[tuple[int, int, int], int] = {}
    for slot in slots.tolist():
        index = next(i for i, layer in enumerate(LAYERS) if slot < layer.stop)
        row, column = divmod(slot - LAYERS[index].first, LAYERS[index].shape[1])
        key = index, row % LAYERS[index].n_targets, column
        found[key] = found.get(key, 0) + 1
    return found


@given(st.integers(0, 50))
def test_weights_are_seen_as_edges(seed: int):
    live = random_live(seed)
    view = EdgeView.of(live)
    assert [layer.shape for layer in view.layers] == [(4, 3), (4, 4), (2, 4)]
    counted = edges_of(live.slots)
    assert np.bincount(view.edge).tolist() == [counted[key] for key in sorted(counted)]
    assert view.sums(np.ones(live.n)).tolist() == [counted[key] for key in sorted(counted)]
    places = view.to_places(view.slots)
    assert set(live.slots.tolist()) <= set(places.tolist())
    assert places.tolist() == sorted(places.tolist())
    assert len(places) == sum(LAYERS[key[0]].gates for key in counted)
    assert np.unique(view.of_places(places)).tolist() == view.slots.tolist()


@given(st.integers(0, 50), st.sampled_from(["allow", "restart", "forbid"]), st.sampled_from(["random", "gradient"]))
def test_edges_are_dropped_and_grown_whole(seed: int, regrow: str, growth: str):
    live, rng = random_live(seed), np.random.default_rng(seed)
    method = METHODS["rigl"].replace(granularity="edge", regrow_dropped=regrow, growth=growth)
    dense = [rng.standard_normal(layer.shape) for layer in LAYERS]
    update = drop_and_grow(
        live, np.abs(live.weight), growth, 0.4, switches=method, rng=rng, dense_gradient=dense.__getitem__
    )
    before, after = edges_of(live.slots), edges_of(update.slots)
    for index in range(3):
        assert sum(key[0] == index for key in before) == sum(key[0] == index for key in after)
    grown = edges_of(update.grown)
    assert all(count == LAYERS[key[0]].gates for key, count in grown.items())
    assert all(count == before[key] for key, count in after.items() if key not in grown)
    stays = update.source >= 0
    assert update.carry(live.weight)[stays].tobytes() == live.weight[update.kept].tobytes()
    if growth == "gradient" and regrow == "forbid":
        for index, layer in enumerate(LAYERS):
            norms = np.linalg.norm(dense[index].reshape(layer.gates, layer.n_targets, -1), axis=0)
            chosen = [norms[key[1:]] for key in grown if key[0] == index]
            free = [norm for key, norm in np.ndenumerate(norms) if (index, *key) not in before]
            assert sorted(chosen) == sorted(free)[len(free) - len(chosen) :]


def test_edges_are_pruned():
    live = random_live(3)
    view = EdgeView.of(live)
    edges, scores = view.live(live), view.sums(np.abs(live.weight))
    update = expand(view, live, drop_to(edges, scores, allocate("class-blinded", edges, 14, scores)))
    kept = edges_of(update.slots)
    before = edges_of(live.slots)
    assert len(kept) == 14
    assert all(before[key] == count for key, count in kept.items())
    best = np.argsort(-scores)[:14]
    assert sorted(kept) == [sorted(before)[index] for index in np.sort(best)]


def test_one_gate_an_edge_is_a_weight():
    live = Live((Layer("a", (3, 4), 2),), np.arange(2, 14, 2), np.arange(6.0))
    updates = [
        drop_and_grow(
            live, live.weight, "random", 0.5, switches=METHODS["set"].replace(granularity=granularity),
            rng=np.random.default_rng(1),
        )
        for granularity in ("weight", "edge")
    ]  # fmt: skip
    assert updates[0].slots.tolist() == updates[1].slots.tolist()
    assert updates[0].source.tolist() == updates[1].source.tolist()


def test_allowed_places_are_those_of_their_edges():
    live = random_live(1, 0.3)
    allowed = np.union1d(live.slots, np.array([5, 6, 90]))
    method = METHODS["set"].replace(granularity="edge")
    update = drop_and_grow(
        live, np.abs(live.weight), "random", 0.5, switches=method, rng=np.random.default_rng(0), allowed=allowed
    )
    assert set(edges_of(update.slots)) <= set(edges_of(allowed))


def test_scores_of_another_length_are_one_line():
    method = METHODS["set"].replace(granularity="edge")
    with pytest.raises(InputError, match="scores have shape"):
        drop_and_grow(random_live(0), np.ones(1), "random", 0.5, switches=method, rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="granularity='edge' needs"):
        METHODS["nowak-released"].replace(granularity="edge")


@given(st.integers(0, 200), st.floats(0, 1))
def test_counts_of_whole_edges_have_the_same_sum(seed: int, share: float):
    """As far as any can: found by trying all of them."""
    rng = np.random.default_rng(seed)
    gates = rng.integers(1, 5, size=3).tolist()
    layers, first = [], 0
    for index, (own, rows, columns) in enumerate(zip(gates, rng.integers(1, 3, 3), rng.integers(1, 4, 3), strict=True)):
        layers.append(Layer(f"layer {index}", (int(own * rows), int(columns)), first, own))
        first = layers[-1].stop
    capacity = np.array([layer.size for layer in layers])
    counts = np.array([rng.binomial(size, share) for size in capacity.tolist()])
    found = whole_counts(layers, counts, capacity)
    assert (found % np.array(gates) == 0).all()
    assert ((found >= gates) & (found <= capacity)).all()
    total = int(counts.sum())
    if total >= sum(gates):
        assert found.sum() <= total
        assert total - found.sum() < max(gates)
    if 1 in gates and sum(gates) <= total <= capacity.sum() - 2 * max(gates) and min(capacity) > 6:
        assert found.sum() == total


def test_single_weights_make_up_for_what_is_no_whole_edge():
    capacity = np.array([36, 48, 8])
    assert whole_counts(LAYERS, np.array([10, 20, 5]), capacity).tolist() == [9, 18, 8]
    assert whole_counts(LAYERS, np.array([10, 20, 8]), capacity).sum() == 38
    assert whole_counts(LAYERS, np.array([1, 1, 5]), capacity).tolist() == [3, 3, 1]
    assert whole_counts(LAYERS, np.array([1, 1, 1]), capacity).tolist() == [3, 3, 1]
    single = tuple(Layer(own.name, own.shape, own.first) for own in LAYERS)
    assert whole_counts(single, np.array([10, 20, 5]), capacity).tolist() == [10, 20, 5]


def test_places_are_those_of_whole_edges_or_not():
    view = EdgeView.of_layers(LAYERS)
    whole = view.to_places(np.array([view.layers[0].first, view.layers[1].first + 3, view.layers[2].first]))
    assert len(whole) == 7
    assert view.is_whole(whole)
    assert not view.is_whole(whole[1:])
    assert view.is_whole(whole[:0])
