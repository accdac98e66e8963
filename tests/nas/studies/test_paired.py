"""Paired statistics against references: differences, the correction of Holm, and what chance alone finds."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nas.evaluation.estimates import holm
from nas.studies.tables import Difference, expected_median, paired_difference


def test_paired_differences_by_hand_and_by_scipy():
    rng = np.random.default_rng(1)
    own, other = rng.normal(0.3, 1, 40), rng.normal(0, 1, 40)
    found = paired_difference(own, other)
    assert found.mean == pytest.approx(float(np.mean(own - other)))
    assert found.p == stats.wilcoxon(own, other).pvalue
    expected = stats.bootstrap(
        (own - other,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(5)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.02)
    assert found == paired_difference(own, other)
    # Five gains: of the 32 signs that chance may give them, two are as one-sided.
    assert paired_difference([5, 4, 3, 2, 1], [0] * 5).p == pytest.approx(2 / 32)
    assert paired_difference([2.0, 2.0], [2.0, 2.0]) == Difference(0.0, 0.0, 0.0, 1.0)
    with pytest.raises(ValueError, match=r"values \(2,\) and \(3,\): a paired difference needs one pair a seed"):
        paired_difference([1, 2], [1, 2, 3])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
@settings(deadline=None, max_examples=100)
def test_holm_rejects_as_its_steps_do(p: list[float]):
    corrected = holm(p)
    for level in (0.01, 0.05, 0.2):
        rejected = set()
        for step, index in enumerate(sorted(range(len(p)), key=p.__getitem__)):
            if p[index] * (len(p) - step) > level:
                break
            rejected.add(index)
        assert {index for index, value in enumerate(corrected) if value <= level} == rejected


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@pytest.mark.parametrize(("n", "good"), [(2500, 25), (240, 5), (7, 7), (10, 1), (2, 1)])
def test_the_expected_median_is_the_first_to_reach_one_half(n: int, good: int):
    found = expected_median(n, good)
    assert 2 * comb(n - good, found) <= comb(n, found)
    assert found == 1 or 2 * comb(n - good, found - 1) > comb(n, found - 1)


def test_the_expected_median_needs_something_to_find():
    for good in (0, 11):
        with pytest.raises(ValueError, match=f"good={good}: must be between 1 and n=10"):
            expected_median(10, good)
