"""Updates: exact counts, kept weights untouched, what is grown and where it came from."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.errors import InputError
from nas.sparsity.allocation import EmptyLayerError, allocate
from nas.sparsity.edges import EdgeView
from nas.sparsity.growth import GROWTH
from nas.sparsity.layers import Live, stack
from nas.sparsity.methods import METHODS, Method
from nas.sparsity.scores import score
from nas.sparsity.update import Update, drop_and_grow, drop_to, n_dropped

RIGL = METHODS["rigl"]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# The example of one layer with six places


def six(**changes) -> tuple[Live, Update]:
    live = Live(stack({"a": (2, 3)}), np.arange(3), np.array([0.1, -0.5, 0.3]))
    gradient = np.array([[0.9, 0.1, 0.2], [0.05, 0.8, 0.3]])
    update = drop_and_grow(
        live,
        score("magnitude", live, rng()),
        "gradient",
        0.34,
        switches=RIGL.replace(**changes),
        rng=rng(),
        dense_gradient=lambda _: gradient,
    )
    return live, update


def test_a_dropped_weight_comes_back_with_what_it_had():
    live, update = six(regrow_dropped="allow")
    assert update.slots.tolist() == [0, 1, 2]
    assert update.carry(live.weight).tolist() == live.weight.tolist()
    assert update.source.tolist() == update.kept.tolist() == [0, 1, 2]
    assert update.returned.tolist() == [0]
    assert (update.grown.tolist(), update.dropped.tolist(), update.turnover) == ([], [], 0)


def test_a_dropped_weight_starts_anew():
    live, update = six(regrow_dropped="restart")
    assert update.slots.tolist() == [0, 1, 2]
    assert update.source.tolist() == [-1, 1, 2]
    assert update.carry(live.weight).tolist() == [0.0, -0.5, 0.3]
    assert (update.grown.tolist(), update.dropped.tolist()) == ([0], [0])


def test_a_dropped_weight_does_not_come_back():
    live, update = six(regrow_dropped="forbid")
    assert update.slots.tolist() == [1, 2, 4]
    assert update.source.tolist() == [1, 2, -1]
    assert update.carry(live.weight).tolist() == [-0.5, 0.3, 0.0]
    assert (update.kept.tolist(), update.grown.tolist(), update.dropped.tolist()) == ([1, 2], [4], [0])
    assert update.carry(live.weight, np.array([7.0])).tolist() == [-0.5, 0.3, 7.0]
    assert update.turnover == pytest.approx(1 / 3)


def test_the_number_of_dropped_weights_is_truncated_or_rounded_up():
    assert n_dropped(RIGL, 3, 6, 0.34) == 1
    assert n_dropped(RIGL, 100, 600, 0.299) == 29
    assert n_dropped(RIGL.replace(rounding="up"), 100, 600, 0.291) == 30
    assert n_dropped(RIGL.replace(fraction_of="all"), 100, 600, 0.02) == 12
    assert n_dropped(RIGL.replace(fraction_of="all"), 10, 600, 0.5) == 10
    with pytest.raises(InputError, match="0 <= fraction <= 1"):
        n_dropped(RIGL, 3, 6, 1.1)


# Properties


@st.composite
def networks(draw) -> Live:
    sizes = draw(st.lists(st.integers(1, 7), min_size=2, max_size=5))
    shapes = {f"l{i}": (sizes[i + 1], sizes[i]) for i in range(len(sizes) - 1)}
    layers = stack(shapes, first=draw(st.integers(0, 9)))
    generator = rng(draw(st.integers(0, 99)))
    n = layers[-1].stop - layers[0].first
    slots = layers[0].first + np.flatnonzero(generator.random(n) < draw(st.sampled_from([0.1, 0.5, 0.9, 1.0])))
    weight, gradient = np.round(generator.standard_normal((2, len(slots))), 1)
    return Live(layers, slots, weight, gradient)


METHOD = st.builds(
    Method,
    score=st.sampled_from(["magnitude", "snip", "random", "set", "set-half", "mest"]),
    growth=st.sampled_from(["random", "gradient", "momentum"]),
    scope=st.just("layer"),
    rounding=st.sampled_from(["up", "down"]),
    regrow_dropped=st.sampled_from(["allow", "restart", "forbid"]),
    fraction_of=st.sampled_from(["live", "all"]),
    ties=st.sampled_from(["place", "random"]),
)


def matrices(live: Live, seed: int):
    return lambda index: np.round(rng(seed + 1000 * index).standard_normal(live.layers[index].shape), 1)


def changed(live: Live, method: Method, fraction: float, seed: int, **options) -> Update:
    scores = score(method.score, live, rng(seed), **method.score_options)
    options.setdefault("dense_gradient", matrices(live, seed))
    return drop_and_grow(live, scores, method.growth, fraction, switches=method, rng=rng(seed), **options)


def check_consistent(live: Live, update: Update) -> None:
    """Everything that an update says agrees, and kept weights are bitwise what they were."""
    assert update.slots.dtype == np.int64
    before, after = set(live.slots.tolist()), set(update.slots.tolist())
    assert update.slots.tolist() == sorted(after)
    stays = update.source >= 0
    assert update.source[stays].tolist() == update.kept.tolist()
    assert np.array_equal(update.slots[stays], live.slots[update.kept])
    assert update.slots[~stays].tolist() == update.grown.tolist()
    assert set(live.slots[update.kept].tolist()) | set(update.dropped.tolist()) == before
    assert len(update.kept) + len(update.dropped) == live.n
    assert set(update.returned.tolist()) <= set(update.kept.tolist())
    carried = update.carry(live.weight)
    assert carried[stays].tobytes() == live.weight[update.kept].tobytes()
    assert not carried[~stays].any()


@given(networks(), METHOD, st.floats(0, 1), st.integers(0, 9))
@settings(max_examples=200)
def test_counts_are_conserved_layer_by_layer(live: Live, method: Method, fraction: float, seed: int):
    update = changed(live, method, fraction, seed)
    check_consistent(live, update)
    assert update.counts().tolist() == live.counts().tolist()
    if method.regrow_dropped == "forbid":
        assert not set(update.grown.tolist()) & set(live.slots.tolist())
        assert not len(update.returned)
    if method.regrow_dropped != "restart":
        assert not set(update.grown.tolist()) & set(update.dropped.tolist())
    for layer, n_live, lost in zip(live.layers, live.counts(), update.counts(update.dropped), strict=True):
        wanted = n_dropped(method, int(n_live), layer.size, fraction)
        if method.regrow_dropped == "forbid":
            assert lost == min(wanted, layer.size - n_live)
        elif method.regrow_dropped == "restart":
            assert lost == wanted
        else:
            assert lost <= wanted


@given(networks(), METHOD, st.floats(0, 1), st.integers(0, 9))
def test_one_threshold_for_all_layers_conserves_the_sum(live: Live, method: Method, fraction: float, seed: int):
    try:
        update = changed(live, method.replace(scope="global"), fraction, seed)
    except EmptyLayerError:
        return
    check_consistent(live, update)
    assert len(update.slots) == live.n


@given(networks(), METHOD, st.floats(0, 1), st.integers(0, 9))
def test_growth_keeps_within_what_is_allowed(live: Live, method: Method, fraction: float, seed: int):
    low, high = live.layers[0].first, live.layers[-1].stop
    extra = low + np.flatnonzero(rng(seed).random(high - low) < 0.3)
    allowed = np.union1d(live.slots, extra)
    update = changed(live, method, fraction, seed, allowed=allowed)
    check_consistent(live, update)
    assert update.counts().tolist() == live.counts().tolist()
    assert set(update.slots.tolist()) <= set(allowed.tolist())


@given(networks(), st.floats(0, 1), st.integers(0, 9))
def test_rigl_as_in_the_released_code(live: Live, fraction: float, seed: int):
    """Compare with masks and dense scores, layer by layer, as google-research/rigl computes them."""
    dense = matrices(live, seed)
    update = changed(live, RIGL, fraction, seed, dense_gradient=dense)
    bounds, expected = live.bounds(), []
    for index, layer in enumerate(live.layers):
        own = slice(bounds[index], bounds[index + 1])
        mask, weight = np.zeros(layer.size), np.zeros(layer.size)
        mask[live.slots[own] - layer.first], weight[live.slots[own] - layer.first] = 1, live.weight[own]
        n_ones = int(mask.sum())
        n_prune = int(n_ones * fraction)
        # Masked places below all live ones, where the released code relies on noise; ties from the end are kept.
        drop_score = np.where(mask > 0, np.abs(weight), -1.0)
        order = np.lexsort((-np.arange(layer.size), -drop_score))
        kept = np.zeros(layer.size)
        kept[order[: n_ones - n_prune]] = 1
        grow_score = np.abs(dense(index)).ravel()
        grow_score = np.where(kept == 1, grow_score.min() - 1, grow_score)
        kept[np.argsort(-grow_score, kind="stable")[:n_prune]] = 1
        expected += (layer.first + np.flatnonzero(kept)).tolist()
    assert update.slots.tolist() == expected


@given(networks(), st.integers(0, 9))
def test_global_gradient_growth_takes_the_largest_of_all(live: Live, seed: int):
    method = RIGL.replace(scope="global", regrow_dropped="forbid")
    dense = matrices(live, seed)
    try:
        update = changed(live, method, 0.4, seed, dense_gradient=dense)
    except EmptyLayerError:
        return
    size = np.concatenate([np.abs(dense(index)).ravel() for index in range(len(live.layers))])
    free = np.setdiff1d(np.arange(live.layers[0].first, live.layers[-1].stop), live.slots)
    by_size = free[np.argsort(-size[free - live.layers[0].first], kind="stable")]
    assert update.grown.tolist() == sorted(by_size[: len(update.grown)].tolist())


def test_a_seed_gives_the_same_update():
    live = Live(stack({"a": (20, 30)}), np.arange(0, 600, 7), rng(1).standard_normal(86))
    method = METHODS["set"]
    one, other, third = (changed(live, method, 0.3, seed) for seed in (4, 4, 5))
    assert one.slots.tolist() == other.slots.tolist() != third.slots.tolist()


def test_set_in_a_layer_with_a_hundred_milliard_places():
    n = 200_000
    layers = stack({"huge": (10**6, 10**5), "small": (10, 10)})
    slots = np.concatenate([np.sort(rng().choice(10**11, n)), 10**11 + np.arange(10)])
    slots = np.unique(slots)
    live = Live(layers, slots, rng(1).standard_normal(len(slots)))
    update = changed(live, METHODS["set-truly-sparse"], 0.3, 0, dense_gradient=None)
    assert update.counts().tolist() == live.counts().tolist()
    assert len(update.grown) == len(update.dropped) == int(live.counts()[0] * 0.3) + 3


def test_the_released_random_growth_drifts_and_the_released_set_drops_too_much():
    live = Live(stack({"a": (100, 100)}), np.arange(0, 10_000, 2), rng(1).standard_normal(5000))
    n_negative = int((live.weight < 0).sum())
    counts = {}
    for name in ("nowak", "nowak-released"):
        updates = [changed(live, METHODS[name], 0.1, seed) for seed in range(8)]
        counts[name] = [len(update.slots) for update in updates]
        lost = [len(update.dropped) + len(update.returned) for update in updates]
        assert lost == [500 if name == "nowak" else n_negative + 1] * 8
    assert counts["nowak"] == [5000] * 8
    assert len(set(counts["nowak-released"])) > 4
    assert np.mean(counts["nowak-released"]) == pytest.approx(5000, abs=60)


def test_matrices_are_asked_for_where_weights_grow_alone():
    live = Live(stack({"a": (2, 4), "b": (1, 2)}), np.array([0, 1, 2, 3, 8]), np.arange(5.0))
    asked = []

    def dense(index: int) -> np.ndarray:
        asked.append(index)
        return np.ones(live.layers[index].shape)

    changed(live, RIGL, 0.5, 0, dense_gradient=dense)
    assert asked == [0]
    changed(live, RIGL.replace(growth="random"), 0.5, 0, dense_gradient=dense)
    assert asked == [0]


@pytest.mark.parametrize("changes", [{}, {"granularity": "edge"}, {"constant_fan_in": True}, {"growth": "random"}])
def test_fixed_layers_stay_as_they_are(changes: dict):
    layers = stack({"a": (8, 6), "b": (4, 8), "c": (4, 4)}, gates=2)
    slots = EdgeView.of_layers(layers).to_places(np.arange(0, 40, 2))
    live, gradients = Live(layers, slots, rng().normal(size=len(slots))), rng(1)

    def dense(index: int) -> np.ndarray:
        assert index != 1
        return gradients.normal(size=layers[index].shape)

    method = RIGL.replace(**changes)
    update = drop_and_grow(live, score("magnitude", live, rng()), str(method.growth), 0.5, switches=method, rng=rng(),
                           dense_gradient=dense, fixed={1})  # fmt: skip
    first, stop = layers[1].first, layers[1].stop
    assert np.array_equal(*(each[(each >= first) & (each < stop)] for each in (update.slots, slots)))
    assert len(update.grown)


def test_bad_updates_are_one_line():
    live = Live(stack({"a": (2, 3)}), np.arange(3), np.ones(3))
    for options, line in (
        ({"dense_gradient": None}, "growth by gradient needs the dense gradient"),
        ({"allowed": np.array([3, 1])}, "allowed holds 2 places"),
        ({"dense_gradient": lambda _: np.ones((3, 2))}, "needs a matrix of shape"),
    ):
        with pytest.raises(InputError, match=line):
            changed(live, RIGL, 0.5, 0, **options)
    with pytest.raises(InputError, match="scores have shape"):
        drop_and_grow(live, np.ones(2), "random", 0.5, switches=RIGL, rng=rng())
    with pytest.raises(InputError, match="scores have shape"):
        drop_to(live, np.ones(2), [1])
    with pytest.raises(InputError, match="nearest: gradient"):
        drop_and_grow(live, np.ones(3), "gradent", 0.5, switches=RIGL, rng=rng())


def test_a_global_threshold_does_not_empty_a_layer_silently():
    layers = stack({"a": (2, 4), "b": (1, 2)})
    live = Live(layers, np.array([0, 1, 2, 8]), np.array([5.0, 6.0, 7.0, 0.1]))
    method = RIGL.replace(scope="global")
    gradient = [np.ones((2, 4)), np.zeros((1, 2))]
    with pytest.raises(EmptyLayerError, match="layer 'b' would lose all of its 1 weights"):
        changed(live, method, 0.25, 0, dense_gradient=gradient.__getitem__)


@pytest.mark.parametrize("name", GROWTH)
def test_growth_is_given_by_name_or_as_it_is(name: str):
    live = Live(stack({"a": (5, 5)}), np.arange(0, 25, 2), np.arange(13.0))
    one, other = (
        drop_and_grow(live, live.weight, growth, 0.3, switches=Method(), rng=rng(), dense_gradient=matrices(live, 0))
        for growth in (name, GROWTH[name])
    )
    assert one.slots.tolist() == other.slots.tolist()


# Pruning


@given(
    networks(), st.sampled_from(["uniform", "erk", "class-uniform", "class-blinded", "class-distributed"]), st.data()
)
def test_dropping_to_counts(live: Live, name: str, data):
    least = sum(min(int(count), 1) for count in live.counts())
    total = data.draw(st.integers(least, live.n))
    scores = score("magnitude", live, rng())
    counts = allocate(name, live, total, scores, at_least=1)
    update = drop_to(live, scores, counts)
    check_consistent(live, update)
    assert update.counts().tolist() == counts.tolist()
    assert not len(update.grown)
    for first, stop in pairwise(live.bounds()):
        kept = update.kept[(update.kept >= first) & (update.kept < stop)]
        lost = np.setdiff1d(np.arange(first, stop), kept)
        if len(kept) and len(lost):
            assert scores[lost].max() <= scores[kept].min()


def test_dropping_a_whole_layer_is_refused():
    live = Live(stack({"a": (2, 3)}), np.arange(3), np.ones(3))
    with pytest.raises(EmptyLayerError, match="layer 'a' would keep none of its 3 weights"):
        drop_to(live, live.weight, [0])
