"""Constant fan-in: every row reads equally many, the best are kept, poor targets are ablated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.errors import InputError
from nas.sparsity.fan_in import draw_fan_in, highest_by_row, rewire_fan_in, salient_targets
from nas.sparsity.layers import Layer, Live, stack
from nas.sparsity.methods import METHODS
from nas.sparsity.update import drop_and_grow


def fan_ins(layer: Layer, slots: np.ndarray) -> np.ndarray:
    return np.bincount(layer.entries(slots)[0], minlength=layer.shape[0])


@given(st.integers(1, 6), st.integers(1, 8), st.integers(1, 60))
def test_drawn_rows_read_equally_many(rows: int, columns: int, count: int):
    layer = Layer("a", (rows, columns), 7)
    slots = draw_fan_in(layer, count, np.random.default_rng(0))
    fan_in = min(max(round(count / rows), 1), columns)
    assert (fan_ins(layer, slots) == fan_in).all()
    assert slots.tolist() == sorted(set(slots.tolist()))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=20), st.integers(0, 4))
def test_the_highest_of_each_row(entries: list[tuple[int, int]], count: int):
    entries.sort(key=lambda entry: entry[0])
    rows, scores = (np.array([entry[i] for entry in entries], float) for i in (0, 1))
    marked = highest_by_row(rows.astype(np.int64), scores, count)
    for row in range(5):
        own = [i for i, entry in enumerate(entries) if entry[0] == row]
        best = sorted(own, key=lambda i: -entries[i][1])[:count]
        assert [i for i in own if marked[i]] == sorted(best)


@given(st.integers(1, 5), st.integers(1, 7), st.integers(0, 50))
def test_rows_grow_as_by_a_stable_sort(n_rows: int, n_columns: int, seed: int):
    rng = np.random.default_rng(seed)
    layer, gradient = Layer("a", (n_rows, n_columns), 3), rng.integers(-2, 3, (n_rows, n_columns)).astype(float)
    slots = 3 + np.flatnonzero(rng.random(layer.size) < 0.3)
    target = int(rng.integers(1, layer.size + 1))
    dropped, grown = rewire_fan_in(
        layer, slots, rng.random(len(slots)), gradient, 0, target=target, min_salient=0.0, ablate=False
    )
    kept, fan_in = slots[~dropped], min(max(round(target / n_rows), 1), n_columns)
    expected = []
    for row in range(n_rows):
        first = 3 + row * n_columns
        taken = [place for place in kept.tolist() if first <= place < first + n_columns]
        free = [place for place in range(first, first + n_columns) if place not in taken]
        free.sort(key=lambda place: -abs(gradient.ravel()[place - 3]))
        expected += sorted(free[: fan_in - len(taken)])
    assert grown.tolist() == expected


@given(st.integers(1, 3), st.integers(2, 6), st.integers(2, 9), st.floats(0, 0.9), st.integers(0, 20), st.booleans())
def test_rewiring_keeps_the_fan_in_constant(
    gates: int, targets: int, columns: int, fraction: float, seed: int, ablate: bool
):
    rng = np.random.default_rng(seed)
    layer = Layer("a", (gates * targets, columns), 5, gates)
    slots = draw_fan_in(layer, rng.integers(1, layer.size + 1), rng)
    scores, gradient = np.abs(np.round(rng.standard_normal(len(slots)), 1)), rng.standard_normal(layer.shape)
    n_prune = int(len(slots) * fraction)
    dropped, grown = rewire_fan_in(
        layer, slots, scores, gradient, n_prune, target=len(slots), min_salient=0.5, ablate=ablate
    )
    kept = slots[~dropped]
    after = np.union1d(kept, grown)
    assert len(after) == len(kept) + len(grown)
    found = fan_ins(layer, after).reshape(gates, targets)
    assert len(set(found[found > 0].tolist())) == 1
    assert ((found > 0) == (found > 0)[0]).all()
    assert ablate or (found > 0).all()
    n_active = int((found > 0).sum())
    assert found.max() == min(max(round(len(slots) / n_active), 1), columns)
    assert len(kept) <= len(slots) - n_prune


def test_what_grows_has_the_largest_gradients_of_its_row():
    layer = Layer("a", (2, 5), 0)
    slots = np.array([0, 1, 5, 6])
    gradient = np.array([[9.0, 8, 1, 7, 2], [9, 8, 3, 1, 5]])
    dropped, grown = rewire_fan_in(
        layer, slots, np.array([4.0, 1, 3, 2]), gradient, 2, target=4, min_salient=0.0, ablate=True
    )
    assert dropped.tolist() == [False, True, False, True]
    # Dropped places are candidates as others are.
    assert grown.tolist() == [1, 6]


def test_targets_without_salient_weights_are_ablated():
    layer = Layer("a", (3, 4), 0)
    slots = np.array([0, 1, 4, 5, 8, 9])
    scores = np.array([9.0, 8, 7, 6, 0.1, 0.2])
    gradient = np.zeros((3, 4))
    gradient[0, 3] = gradient[1, 2] = 1
    stays = salient_targets(layer, slots, scores, gradient, 2, 0.3)
    assert stays.tolist() == [True, True, False]
    dropped, grown = rewire_fan_in(layer, slots, scores, gradient, 2, target=6, min_salient=0.3)
    after = np.union1d(slots[~dropped], grown)
    assert fan_ins(layer, after).tolist() == [3, 3, 0]
    assert {3, 6} <= set(after.tolist())
    assert salient_targets(layer, slots, scores, gradient, 2, 1.0).tolist() == [True, True, False]


def test_an_ablated_target_comes_back_where_gradients_are_large():
    layer = Layer("a", (3, 4), 0)
    slots, scores = np.array([0, 1, 2, 4, 5, 6]), np.array([9.0, 8, 7, 6, 5, 4])
    gradient = np.zeros((3, 4))
    gradient[2] = [3, 2, 1, 0]
    dropped, grown = rewire_fan_in(layer, slots, scores, gradient, 2, target=6, min_salient=0.3)
    assert fan_ins(layer, np.union1d(slots[~dropped], grown)).tolist() == [2, 2, 2]
    assert {8, 9} <= set(grown.tolist())


def test_srigl_through_an_update():
    layers, rng = stack({"a": (6, 10), "b": (4, 6), "c": (2, 4)}), np.random.default_rng(3)
    slots = np.concatenate([draw_fan_in(layer, count, rng) for layer, count in zip(layers, (24, 12, 8), strict=True)])
    targets = np.array([24, 12, 8])
    for _ in range(10):
        weight = rng.standard_normal(len(slots))
        live = Live(layers, slots, weight)
        dense = [rng.standard_normal(layer.shape) for layer in layers]
        update = drop_and_grow(
            live, np.abs(weight), "gradient", 0.3, switches=METHODS["srigl"], rng=rng,
            dense_gradient=dense.__getitem__, targets=targets,
        )  # fmt: skip
        slots, bounds = update.slots, np.searchsorted(update.slots, [0, 60, 84, 92])
        for index, layer in enumerate(layers):
            found = fan_ins(layer, slots[bounds[index] : bounds[index + 1]])
            assert len(set(found[found > 0].tolist())) == 1
            assert abs(found.sum() - targets[index]) <= (found > 0).sum() / 2
        assert (found > 0).all()
        assert update.carry(weight)[update.source >= 0].tolist() == weight[update.kept].tolist()


def test_bad_fan_ins_are_one_line():
    layer = Layer("a", (2, 3), 0)
    with pytest.raises(InputError, match=r"needs a matrix of shape \(2, 3\)"):
        rewire_fan_in(layer, np.arange(2), np.ones(2), np.ones((3, 2)), 1, target=2, min_salient=0.3)
    live = Live((layer,), np.arange(2), np.ones(2))
    with pytest.raises(InputError, match="constant fan-in needs"):
        drop_and_grow(live, live.weight, "random", 0.5, switches=METHODS["srigl"], rng=np.random.default_rng(0))
