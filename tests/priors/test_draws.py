"""The draws that promise one wiring a seed, and the checks of parameters."""

import tracemalloc
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from priors.checks import fraction, whole
from priors.draws import _floyd, _floyd_by_one, permutation, subset


@pytest.mark.parametrize(("n", "count"), [(5, 2), (5, 3), (6, 3)])
def test_subsets_are_equally_likely(n: int, count: int):
    generator = np.random.default_rng(1)
    draws = Counter(tuple(subset(generator, n, count).tolist()) for _ in range(6000))
    possible = list(combinations(range(n), count))
    expected = 6000 / len(possible)
    assert set(draws) == set(possible)
    assert max(abs(draws[each] - expected) for each in possible) < 4.5 * expected**0.5


@pytest.mark.parametrize(
    ("n", "count", "n_doubles"), [(9, 0, 0), (9, 2, 2), (9, 7, 2), (9, 9, 0), (8, 4, 4), (0, 0, 0)]
)
def test_a_subset_uses_no_more_doubles_than_it_must(n: int, count: int, n_doubles: int):
    generator, beside = np.random.default_rng(3), np.random.default_rng(3)
    chosen = subset(generator, n, count)
    beside.random(n_doubles)
    assert len(np.unique(chosen)) == len(chosen) == count
    assert np.array_equal(chosen, np.sort(chosen))
    assert generator.random() == beside.random()


def test_a_permutation_is_the_order_of_doubles():
    doubles = np.random.default_rng(5).random(40).tolist()
    order = sorted(range(40), key=doubles.__getitem__)
    assert permutation(np.random.default_rng(5), 40).tolist() == order


@pytest.mark.parametrize(
    ("value", "nearest"), [(7, "4"), (1, "2"), (0, "2"), (-3, "2"), (99, "4"), (3.2, "4"), (True, "2"), (4.0, "4")]
)
def test_an_odd_number_is_refused_with_the_nearest_even_one(value: float, nearest: str):
    rule = "someone needs an even k with 2 <= k <= n - 1 = 5"
    with pytest.raises(ValueError, match=f"^k={value}: {rule}; nearest valid is {nearest}$"):
        whole("someone", "k", value, 2, 5, limit="n - 1", even=True)


def test_what_is_no_number_has_no_nearest():
    with pytest.raises(ValueError, match=r"^k='four': someone needs an integer k with 2 <= k$"):
        whole("someone", "k", "four", 2)
    with pytest.raises(ValueError, match=r"^k=nan: someone needs an integer k with 2 <= k <= 4$"):
        whole("someone", "k", float("nan"), 2, 4)


def test_whole_takes_numpy_integers():
    assert type(whole("someone", "n", np.uint8(200), 1)) is int


@pytest.mark.parametrize(
    ("value", "positive", "ending"),
    [
        (1.5, False, "0 <= p <= 1; nearest valid is 1"),
        (-0.5, False, "0 <= p <= 1; nearest valid is 0"),
        (0, True, "0 < p <= 1"),
        (float("nan"), False, "0 <= p <= 1"),
        ("half", False, "0 <= p <= 1"),
    ],
)
def test_fractions_out_of_bounds_are_refused(value: float, positive: bool, ending: str):
    with pytest.raises(ValueError, match=f"^p={value!r}: someone needs a number with {ending}$"):
        fraction("someone", "p", value, positive=positive)


def test_bounds_of_fractions_are_valid():
    assert [fraction("someone", "p", value) for value in (0, 1, np.float32(0.5))] == [0.0, 1.0, 0.5]
    assert fraction("someone", "p", 1, positive=True) == 1.0


def floyd(doubles: list[float], n: int) -> set[int]:
    """Bentley and Floyd's algorithm, word by word."""
    drawn: set[int] = set()
    for last, double in zip(range(n - len(doubles), n), doubles, strict=True):
        number = int(double * (last + 1))
        drawn.add(last if number in drawn else number)
    return drawn


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 400), st.data(), st.integers(0, 2**32))
def test_a_subset_is_that_of_floyds_algorithm(n: int, data: st.DataObject, seed: int):
    count = data.draw(st.integers(0, n))
    fewer = min(count, n - count)
    drawn = floyd(np.random.default_rng(seed).random(fewer).tolist(), n)
    expected = drawn if fewer == count else set(range(n)) - drawn
    assert subset(np.random.default_rng(seed), n, count).tolist() == sorted(expected)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 60), st.data())
def test_many_draws_at_once_fall_back_where_single_ones_do(more: int, data: st.DataObject):
    """With doubles of few values, so that draws fall back on what others fell back on."""
    doubles = data.draw(st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 0.9, 0.999]), max_size=60))
    n = len(doubles) + more
    found = _floyd(np.array(doubles), n)
    assert found.tolist() == _floyd_by_one(np.array(doubles), n).tolist()
    assert set(found.tolist()) == floyd(doubles, n)


def test_a_few_of_very_many_are_drawn_without_listing_them():
    tracemalloc.start()
    chosen = subset(np.random.default_rng(0), 10**14, 10_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(np.unique(chosen)) == 10_000
    assert abs(float(chosen.mean()) / 10**14 - 0.5) < 0.02
    assert peak < 200 * 10_000
