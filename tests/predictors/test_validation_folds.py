"""Folds: every row once, groups whole, sizes balanced, and nothing left to chance but by the seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from predictors.validation.folds import repeated_folds
from predictors.validation.resampling import codes_of, interval_of, resampled_rows, share_interval


@settings(deadline=None, max_examples=80)
@given(st.lists(st.integers(0, 12), min_size=8, max_size=80), st.integers(2, 5), st.integers(0, 1000))
def test_groups_are_never_split_and_folds_are_balanced(groups: list[int], folds: int, seed: int):
    sizes = np.bincount(codes_of(groups, len(groups)))
    if len(sizes) < folds:
        with pytest.raises(ValueError, match=f"allow {len(sizes)} folds at most"):
            repeated_folds(len(groups), folds, 2, groups, seed)
        return
    labels = np.array(groups)
    for parts in repeated_folds(len(groups), folds, 2, groups, seed):
        assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(groups)))
        homes = [set(labels[part]) for part in parts]
        assert sum(map(len, homes)) == len(sizes)
        lengths = [len(part) for part in parts]
        assert min(lengths) >= 1
        assert max(lengths) - min(lengths) <= sizes.max()


def test_sizes_of_single_rows_differ_by_one_at_most():
    assert sorted(map(len, repeated_folds(23, 5, 1)[0])) == [4, 4, 5, 5, 5]


def test_folds_are_a_function_of_seed_and_repeat():
    one, more, other = (
        repeated_folds(30, 3, 2, seed=1),
        repeated_folds(30, 3, 4, seed=1),
        repeated_folds(30, 3, 2, seed=2),
    )
    for a, b in zip(one, more, strict=False):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
    assert not all(np.array_equal(x, y) for x, y in zip(one[0], other[0], strict=True))
    assert not all(np.array_equal(x, y) for x, y in zip(one[0], one[1], strict=True))


def test_groups_of_different_sizes_are_dealt_anew_in_every_repeat():
    groups = np.repeat(np.arange(12), [9, 8, 7, 6, 5, 4, 3, 3, 2, 2, 1, 1])
    partitions = {
        frozenset(frozenset(groups[part].tolist()) for part in parts) for parts in repeated_folds(51, 3, 20, groups)
    }
    assert len(partitions) > 10
    assert all(max(map(len, parts)) - min(map(len, parts)) <= 3 for parts in repeated_folds(51, 3, 20, groups))


@pytest.mark.parametrize(("folds", "repeats"), [(1, 1), (2, 0)])
def test_senseless_numbers_are_refused(folds: int, repeats: int):
    with pytest.raises(ValueError, match=r"at least 2 folds and 1 repeat"):
        repeated_folds(10, folds, repeats)


def test_as_many_labels_as_rows_are_needed():
    with pytest.raises(ValueError, match=r"3 labels of rows: there must be one for each of the 4 rows"):
        repeated_folds(4, 2, 1, groups=["a", "b", "c"])
    with pytest.raises(ValueError, match=r"labels of rows \(4, 2\): each must be one text or number"):
        repeated_folds(4, 2, 1, groups=[("a", 1), ("a", 2), ("b", 1), ("b", 2)])


def test_resampled_rows_come_as_whole_groups():
    groups = codes_of(["a", "b", "a", "c", "c", "c"], 6)
    seen = set()
    for rows in resampled_rows(groups, 200, seed=0):
        counts = np.bincount(rows, minlength=6)
        assert counts[0] == counts[2]
        assert counts[3] == counts[4] == counts[5]
        assert counts[0] + counts[1] + counts[3] == 3
        seen.add((counts[0], counts[1], counts[3]))
    assert len(seen) == 10


def test_interval_holds_the_middle_and_leaves_out_what_is_undefined():
    assert interval_of([*range(101), float("nan")]) == pytest.approx((2.5, 97.5))
    assert np.isnan(interval_of([float("nan")])).all()


@pytest.mark.parametrize(("cases", "n"), [(0, 5), (5, 5), (24, 200), (1801, 2000)])
def test_intervals_of_shares_are_those_of_wilson(cases: int, n: int):
    expected = binomtest(cases, n).proportion_ci(0.95, method="wilson")
    assert share_interval(cases / n, n) == pytest.approx((expected.low, expected.high))


def test_no_case_has_no_interval():
    assert np.isnan(share_interval(0.5, 0)).all()
    assert np.isnan(share_interval(float("nan"), 5)).all()
