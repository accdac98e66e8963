"""Metrics equal those of scipy and scikit-learn, and tiny cases worked out by hand."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr
from sklearn.metrics import mean_absolute_error, r2_score

from predictors.validation.metrics import coverage, kendall, mae, r2, regret_at_k, spearman, top_k_share

PAIRS = st.integers(2, 60).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(-6, 6), min_size=n, max_size=n) for _ in range(2)])
)


@settings(deadline=None, max_examples=200)
@given(PAIRS)
def test_rank_correlations_with_many_ties_equal_those_of_scipy(pair: tuple[list[int], list[int]]):
    x, y = pair
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert kendall(x, y) == 0
        assert spearman(x, y) == 0
        return
    assert kendall(x, y) == pytest.approx(kendalltau(x, y).statistic, abs=1e-12)
    assert spearman(x, y) == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)


@pytest.mark.parametrize("n", [2, 3, 64, 65, 1000])
def test_rank_correlations_without_ties_equal_those_of_scipy(n: int):
    rng = np.random.default_rng(n)
    x = rng.normal(size=n)
    y = x + rng.normal(size=n)
    assert kendall(x, y) == pytest.approx(kendalltau(x, y).statistic, abs=1e-12)
    assert spearman(x, y) == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)
    assert kendall(x, -np.exp(x)) == -1
    assert kendall(x, x) == 1


def test_kendall_of_ten_thousand_takes_milliseconds():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 10_000))
    seconds = []
    for _ in range(5):
        start = time.process_time()
        kendall(x, y)
        seconds.append(time.process_time() - start)
    # A count of all pairs takes a second; the limit leaves room for a busy machine.
    assert min(seconds) < 0.05


def test_a_single_value_has_no_order():
    assert kendall([1.0], [2.0]) == 0


def test_r2_and_mae_equal_those_of_sklearn():
    rng = np.random.default_rng(1)
    y = rng.normal(5, 2, size=50)
    p = y + rng.normal(size=50)
    assert r2(y, p) == pytest.approx(r2_score(y, p), abs=1e-12)
    assert mae(y, p) == pytest.approx(mean_absolute_error(y, p), abs=1e-12)
    assert r2(y, np.full(50, y.mean())) == pytest.approx(0, abs=1e-12)


def test_constant_values_leave_nothing_to_explain():
    assert np.isnan(r2([0.1] * 3, [0.1, 0.2, 0.3]))


def test_regret_is_what_the_k_predicted_best_stay_behind():
    values, predictions = [0.9, 0.5, 0.7, 0.8], [0.1, 0.4, 0.3, 0.2]
    assert [regret_at_k(values, predictions, k) for k in (1, 2, 3, 4)] == pytest.approx([0.4, 0.2, 0.1, 0.0])
    # Predicted least are rows 0 and 3, of which row 3 is the lower one; the lowest of all is row 1.
    assert regret_at_k(values, predictions, 2, maximise=False) == pytest.approx(0.3)


def test_share_of_the_best_that_is_found():
    values, predictions = [4.0, 3.0, 2.0, 1.0], [1.0, 4.0, 3.0, 2.0]
    assert [top_k_share(values, predictions, k) for k in (1, 2, 3, 4)] == pytest.approx([0, 1 / 2, 2 / 3, 1])
    assert top_k_share(values, predictions, 2, maximise=False) == pytest.approx(1 / 2)


def test_coverage_counts_both_ends():
    assert coverage([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 2.5, 2.0], [0.5, 1.0, 3.0, 2.5]) == 0.5


@pytest.mark.parametrize("k", [0, 5])
def test_k_is_within_the_number_of_values(k: int):
    with pytest.raises(ValueError, match=f"k={k}: must be between 1 and the number of values, 4"):
        regret_at_k([1.0] * 4, [1.0] * 4, k)


@pytest.mark.parametrize("metric", [r2, mae, kendall, spearman])
def test_what_cannot_be_compared_is_refused(metric: object):
    with pytest.raises(ValueError, match=r"one and the same length"):
        metric([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match=r"one and the same length"):
        metric([], [])
    with pytest.raises(ValueError, match=r"must be finite"):
        metric([1.0, float("nan")], [1.0, 2.0])
