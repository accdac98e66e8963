"""Scores: normal quantiles of values, there and back, beyond the sample, and of one value alone."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictors.surrogate import Warp

numbers = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))


@settings(deadline=None, max_examples=100)
@given(st.lists(numbers, min_size=1, max_size=40))
def test_scores_and_values_are_inverse_and_increasing(values):
    warp = Warp.fit(values)
    np.testing.assert_allclose(warp.value(warp.score(values)), values, rtol=1e-9, atol=1e-6)
    assert (np.diff(warp.values) > 0).all()
    assert (np.diff(warp.scores) > 0).all()
    grid = np.linspace(-6, 6, 241)
    assert (np.diff(warp.value(grid)) >= -1e-9 * max(1, np.abs(values).max())).all()
    assert np.isfinite(warp.value(grid)).all()


@settings(deadline=None, max_examples=100)
@given(st.lists(numbers, min_size=2, max_size=40))
def test_scores_are_normal_quantiles_and_ties_share_their_mean(values):
    from statistics import NormalDist

    ordered = sorted(values)
    quantiles = [NormalDist().inv_cdf((rank + 0.5) / len(values)) for rank in range(len(values))]
    expected = [
        math.fsum(score for score, other in zip(quantiles, ordered, strict=True) if other == value)
        / ordered.count(value)
        for value in values
    ]
    np.testing.assert_allclose(Warp.fit(values).score(values), expected, atol=1e-12)


def test_beyond_the_sample_values_go_straight_on_and_scores_end():
    warp = Warp.fit([1.0, 2.0, 3.0, 4.0, 10.0])
    middle, top, low = 3.0, warp.scores[-1], warp.scores[0]
    slope = (10.0 - middle) / top
    np.testing.assert_allclose(warp.value([top, top + 1, top + 2]), [10.0, 10 + slope, 10 + 2 * slope])
    slope = (1.0 - middle) / low
    np.testing.assert_allclose(warp.value([low - 1]), [1 - slope])
    np.testing.assert_array_equal(warp.score([-99.0, 99.0]), [low, top])
    assert warp.score(3.5) == pytest.approx((warp.scores[2] + warp.scores[3]) / 2)


def test_one_distinct_value_is_expected_everywhere():
    warp = Warp.fit([0.7] * 5)
    np.testing.assert_allclose(warp.value([-3.0, 0.0, 3.0]), 0.7)
    np.testing.assert_allclose(warp.score([0.1, 0.7, 0.9]), 0.0, atol=1e-12)
