"""Growth: exact counts at free places, uniformly or where a matrix is largest, whatever the size of a layer."""

import time
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from nas.errors import InputError
from nas.sparsity.growth import GROWTH, draw_places, n_empty, random_places
from nas.sparsity.layers import Layer, stack

LAYER = Layer("a", (3, 4), 20)


def ascending(values) -> np.ndarray:
    return np.array(sorted(values), np.int64)


PLACES = st.sets(st.integers(15, 36)).map(ascending)


@given(PLACES, st.none() | PLACES, st.data())
def test_random_growth_is_exact_and_at_free_places(taken: np.ndarray, allowed: np.ndarray | None, data):
    free = set(range(20, 32)) - set(taken.tolist())
    free &= set(range(20, 32)) if allowed is None else set(allowed.tolist())
    assert n_empty(20, 32, taken, allowed) == len(free)
    count = data.draw(st.integers(0, len(free)))
    grown = GROWTH["random"].function(LAYER, taken, count, np.random.default_rng(count), allowed=allowed)
    assert grown.dtype == np.int64
    assert len(grown) == count
    assert grown.tolist() == sorted(set(grown.tolist()) & free)
    with pytest.raises(InputError, match=f"ask for no more than {len(free)}"):
        random_places(20, 32, taken, len(free) + 1, np.random.default_rng(0), allowed)


@pytest.mark.parametrize("allowed", [None, ascending([20, 22, 23, 25, 27, 29, 30, 31])])
def test_every_set_of_free_places_is_equally_likely(allowed: np.ndarray | None):
    taken = ascending([20, 21, 24, 25, 31])
    free = [22, 23, 27, 29, 30] if allowed is not None else [22, 23, 26, 27, 28, 29, 30]
    rng, seen = np.random.default_rng(5), dict.fromkeys(combinations(free, 2), 0)
    for _ in range(4000):
        seen[tuple(random_places(20, 32, taken, 2, rng, allowed).tolist())] += 1
    assert chisquare(list(seen.values())).pvalue > 1e-3


def test_random_growth_in_a_huge_layer():
    layer = Layer("huge", (400_000, 400_000), 12)
    rng = np.random.default_rng(0)
    taken = random_places(layer.first, layer.stop, np.zeros(0, np.int64), 300_000, rng)
    start = time.perf_counter()
    grown = GROWTH["random"].function(layer, taken, 100_000, rng)
    assert time.perf_counter() - start < 5
    assert len(np.unique(np.concatenate([taken, grown]))) == 400_000
    assert grown[0] >= layer.first
    assert grown[-1] < layer.stop


def test_random_growth_into_the_last_free_places():
    taken = ascending(set(range(10**6)) - {5, 999_999})
    assert random_places(0, 10**6, taken, 2, np.random.default_rng(0)).tolist() == [5, 999_999]


def test_almost_all_places_take_no_longer_than_a_few():
    drawn = random_places(0, 10**6, np.zeros(0, np.int64), 10**6 - 2, np.random.default_rng(0))
    assert len(drawn) == 10**6 - 2


def test_independent_draws_drift_and_are_right_on_average():
    taken, rng = ascending(range(20, 24)), np.random.default_rng(2)
    grown = [GROWTH["bernoulli"].function(LAYER, taken, 2, rng) for _ in range(4000)]
    counts = np.array([len(each) for each in grown])
    assert len(set(counts.tolist())) > 3
    assert counts.mean() == pytest.approx(2, abs=0.1)
    assert counts.var() == pytest.approx(8 * 0.25 * 0.75, abs=0.15)
    at = np.bincount(np.concatenate(grown) - 20, minlength=12)
    assert not at[:4].any()
    assert chisquare(at[4:]).pvalue > 1e-3
    assert len(GROWTH["bernoulli"].function(LAYER, ascending(range(20, 32)), 0, rng)) == 0


@given(PLACES, st.none() | PLACES, st.data())
def test_gradient_growth_is_that_of_a_stable_sort(taken: np.ndarray, allowed: np.ndarray | None, data):
    entries = data.draw(st.lists(st.integers(-3, 3), min_size=12, max_size=12))
    matrix = np.array(entries, np.float32).reshape(3, 4)
    before = matrix.copy()
    free = [place for place in range(20, 32) if place not in taken and (allowed is None or place in allowed)]
    count = data.draw(st.integers(0, len(free)))
    by_size = sorted(free, key=lambda place: -abs(entries[place - 20]))[:count]
    for name in ("gradient", "momentum"):
        grown = GROWTH[name].function(LAYER, taken, count, np.random.default_rng(0), matrix=matrix, allowed=allowed)
        assert grown.tolist() == sorted(by_size)
    assert np.array_equal(matrix, before)
    with pytest.raises(InputError, match=f"ask for no more than {len(free)}"):
        GROWTH["gradient"].function(LAYER, taken, len(free) + 1, np.random.default_rng(0), matrix, allowed)


@pytest.mark.parametrize("matrix", [None, np.zeros((4, 3))])
def test_a_matrix_of_another_shape_is_refused(matrix):
    with pytest.raises(InputError, match=r"needs a matrix of shape \(3, 4\)"):
        GROWTH["gradient"].function(LAYER, ascending([]), 1, np.random.default_rng(0), matrix)


def test_a_first_structure_has_its_counts():
    layers = stack({"a": (3, 4), "b": (5, 2)}, first=3)
    slots = draw_places(layers, [4, 10], np.random.default_rng(0))
    assert np.searchsorted(slots, [3, 15, 25]).tolist() == [0, 4, 14]
    assert len(np.unique(slots)) == 14


def test_what_growths_need():
    assert {name: entry.needs for name, entry in GROWTH.items()} == {
        "random": None, "gradient": "gradient", "momentum": "momentum", "bernoulli": None,
    }  # fmt: skip
