"""Partial selection: exact counts and stable ties, as by a stable sort; distinct numbers, uniformly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from nas.errors import InputError
from nas.sparsity import selection
from nas.sparsity.selection import distinct, highest, insert_sorted, is_among, lowest, ranks

SCORES = st.lists(st.sampled_from([0.0, 1.0, 2.5, -1.0, np.inf, -np.inf]), max_size=30)


@given(SCORES, st.data())
def test_the_lowest_are_those_of_a_stable_sort(scores: list[float], data):
    count = data.draw(st.integers(0, len(scores)))
    values = np.array(scores)
    first = np.argsort(values, kind="stable")[:count]
    assert np.flatnonzero(lowest(values, count)).tolist() == sorted(first.tolist())
    first = np.argsort(-values, kind="stable")[:count]
    assert np.flatnonzero(highest(values, count)).tolist() == sorted(first.tolist())


@pytest.mark.parametrize("kind", ["distinct", "few values", "ascending", "descending", "infinite", "rare"])
@pytest.mark.parametrize("count", [1, 37, 2_000, 4_999, 30_000, 45_001, 47_500, 49_999])
def test_the_lowest_of_many_are_those_of_a_stable_sort(kind: str, count: int, monkeypatch: pytest.MonkeyPatch):
    rng, n = np.random.default_rng(0), 50_000
    values = {
        "distinct": rng.normal(size=n),
        "few values": rng.integers(0, 40, n) / 8,
        "ascending": np.arange(float(n)),
        "descending": -np.arange(float(n)),
        "infinite": np.where(rng.random(n) < 0.5, -np.inf, rng.normal(size=n)),
        # What a sample of every so many does not show.
        "rare": np.where(np.arange(n) % 97 == 5, -1.0, 1.0),
    }[kind]
    first = np.sort(np.argsort(values, kind="stable")[:count])
    assert np.array_equal(np.flatnonzero(lowest(values, count)), first)
    assert np.array_equal(
        np.flatnonzero(lowest(values.astype(np.float32), count)),
        np.sort(np.argsort(values.astype(np.float32), kind="stable")[:count]),
    )
    drawn = lowest(values, count, np.random.default_rng(1))
    assert np.count_nonzero(drawn) == count
    assert values[drawn].max() <= values[~drawn].min()
    # No sample decides what is drawn.
    monkeypatch.setattr(selection, "_MANY", n + 1)
    assert np.array_equal(lowest(values, count, np.random.default_rng(1)), drawn)


@given(SCORES, st.data())
def test_random_ties_keep_the_count_and_the_order(scores: list[float], data):
    count = data.draw(st.integers(0, len(scores)))
    values = np.array(scores)
    marked = lowest(values, count, np.random.default_rng(0))
    assert np.count_nonzero(marked) == count
    if 0 < count < len(scores):
        assert values[marked].max() <= values[~marked].min()


def test_random_ties_favour_no_place():
    rng = np.random.default_rng(1)
    counts = sum(lowest(np.zeros(6), 2, rng).astype(int) for _ in range(3000))
    assert chisquare(counts).pvalue > 1e-3


def test_nan_is_lowest():
    assert lowest(np.array([1.0, np.nan, -np.inf, 0.0]), 1).tolist() == [False, True, False, False]


@pytest.mark.parametrize("count", [-1, 4])
def test_more_than_there_are_is_refused(count: int):
    with pytest.raises(InputError, match="a number from 0 to 3"):
        lowest(np.zeros(3), count)
    with pytest.raises(InputError, match="a number from 0 to 3"):
        distinct(np.random.default_rng(0), 3, count)


@given(st.integers(0, 60), st.data())
def test_distinct_numbers_are_distinct_and_ascend(n: int, data):
    count = data.draw(st.integers(0, n))
    drawn = distinct(np.random.default_rng(data.draw(st.integers(0, 9))), n, count)
    assert drawn.dtype == np.int64
    assert len(drawn) == count
    assert drawn.tolist() == sorted(set(drawn.tolist()) & set(range(n)))


@pytest.mark.parametrize("count", [2, 3, 4])
def test_every_set_of_distinct_numbers_is_equally_likely(count: int):
    rng, seen = np.random.default_rng(count), {}
    for _ in range(6000):
        chosen = tuple(distinct(rng, 6, count).tolist())
        seen[chosen] = seen.get(chosen, 0) + 1
    assert len(seen) == {2: 15, 3: 20, 4: 15}[count]
    assert chisquare(list(seen.values())).pvalue > 1e-3


def test_distinct_numbers_below_a_huge_one():
    drawn = distinct(np.random.default_rng(0), 10**15, 100_000)
    assert len(np.unique(drawn)) == 100_000
    assert abs(drawn.mean() / 10**15 - 0.5) < 0.01


def test_distinct_numbers_are_drawn_as_doubles():
    drawn = np.sort(np.floor(np.random.default_rng(7).random(5) * 1000))
    assert distinct(np.random.default_rng(7), 1000, 5).tolist() == drawn.tolist()


@given(st.sets(st.integers(0, 40)), st.sets(st.integers(0, 40)))
def test_sorted_arrays_are_merged(one: set[int], other: set[int]):
    kept, new = np.array(sorted(one), np.int64), np.array(sorted(other - one), np.int64)
    both, at = insert_sorted(kept, new)
    assert both.tolist() == sorted(one | other)
    assert both[at].tolist() == new.tolist()
    assert is_among(both, kept).tolist() == [each in one for each in both.tolist()]


def test_ranks_keep_the_order_of_ties():
    assert ranks(np.array([2.0, 1.0, 2.0, 0.0])).tolist() == [2, 1, 3, 0]
