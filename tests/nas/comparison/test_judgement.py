"""Differences, ranks and what a design could have found, against scipy and against simulated wirings."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import brentq

from nas.comparison.judgement import correct, judge, nulls_needed, power_at


def test_the_interval_is_welchs():
    rng = np.random.default_rng(0)
    own, nulls = rng.normal(0.9, 0.02, 12), rng.normal(0.88, 0.01, (30, 4))
    found = judge(list(own), nulls)
    expected = stats.ttest_ind(own, nulls.mean(axis=1), equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.difference == pytest.approx(own.mean() - nulls.mean())
    assert (found.n_nulls, found.seeds, found.trainings) == (30, 4, 12)


def test_spreads_are_those_of_a_random_effects_model():
    rng = np.random.default_rng(1)
    worth = rng.normal(0, 3.0, (20_000, 1))
    found = judge([0.0, 1.0] * 2, worth + rng.normal(0, 2.0, (20_000, 4)))
    assert found.between == pytest.approx(3.0, rel=0.03)
    assert found.within == pytest.approx(2.0, rel=0.03)


@pytest.mark.parametrize(
    ("own", "rank", "p"), [(9.5, 1, 0.2), (-0.5, 10, 0.2), (5.5, 5, 1.0), (8.0, 3, 0.6), (1.0, 9, 0.4)]
)
def test_ranks_by_hand(own: float, rank: int, p: float):
    # What is level counts against the wiring, on either side; later trainings do not count.
    found = judge([own, own, 99.0, 99.0], [[float(value)] * 2 for value in range(1, 10)])
    assert found.rank == rank
    assert found.p == pytest.approx(p)


@pytest.mark.parametrize("value", [k / 359 for k in range(0, 360, 7)])
def test_equal_values_are_equal_whatever_their_number(value: float):
    found = judge([value] * 40, [[value] * 5] * 200)
    assert (found.difference, found.low, found.high, found.within, found.between) == (0.0,) * 5
    assert found.p == 1.0
    assert found.is_constant
    assert found.verdict == "undecided"


def test_the_side_is_that_of_the_rank():
    found = judge([0.101, 0.1011], [[0.1]] * 980 + [[0.9]] * 20)
    assert found.difference < 0
    assert (found.rank, found.verdict) == (21, "better")


def test_nothing_is_called_usual_where_no_rank_is_unusual():
    found = judge([0.9, 0.91], [[0.1], [0.12], [0.11]])
    assert found.low > 0
    assert found.verdict == "undecided"


def test_a_metric_that_is_to_be_small_turns_everything_round():
    rng = np.random.default_rng(2)
    own, nulls = list(rng.normal(1.0, 0.1, 9)), rng.normal(1.3, 0.1, (50, 3))
    up, down = judge([-value for value in own], -nulls), judge(own, nulls, sign=-1.0)
    for name in ("difference", "low", "high", "rank", "p", "between", "within", "detectable"):
        assert getattr(up, name) == pytest.approx(getattr(down, name))
    assert down.difference > 0
    assert down.rank == 1


@given(st.integers(2, 30), st.integers(1, 4), st.integers(4, 8), st.integers(0, 2**32 - 1))
def test_nothing_leaves_its_bounds(n_nulls: int, seeds: int, trainings: int, seed: int):
    rng = np.random.default_rng(seed)
    # Few different values, so that many are level.
    found = judge(list(rng.integers(0, 4, trainings).astype(float)), rng.integers(0, 4, (n_nulls, seeds)))
    assert found.low <= found.difference <= found.high
    assert 1 <= found.rank <= n_nulls + 1
    assert 0 < found.p <= 1
    assert found.between >= 0
    assert found.detectable >= 0


def test_too_little_is_refused():
    for own, nulls in (([1.0], [[1.0], [2.0]]), ([1.0, 2.0], [[1.0]]), ([1.0, 2.0], [[1.0] * 3] * 4)):
        with pytest.raises(ValueError, match="2 nulls are needed, and 2 trainings or as many as of a null"):
            judge(own, nulls)


def test_several_judgements_are_corrected_together():
    rng = np.random.default_rng(3)
    nulls = rng.normal(0, 1, (199, 2))
    found = correct([judge([9.0, 9.1], nulls), judge([0.0, 0.1], nulls)])
    assert [own.corrected for own in found] == pytest.approx([2 * found[0].p, found[1].p])
    assert found[0].verdict == "better"
    assert found[0].detectable > judge([9.0, 9.1], nulls).detectable
    # 10 nulls cannot single anything out.
    assert math.isinf(judge([9.0, 9.1], nulls[:10]).detectable)


def simulated(rng: np.random.Generator, lead: float, n_nulls: int = 60, seeds: int = 2, trainings: int = 16):
    """Return the judgement of a wiring that is ahead of one that a null model drew, and its true lead."""
    worth, own = rng.normal(0, 1.0, (n_nulls, 1)), rng.normal(0, 1.0) + lead
    noise = rng.normal(0, 1.5, (n_nulls, seeds))
    return judge(list(own + rng.normal(0, 1.5, trainings)), worth + noise), own


def failing(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return accuracies of trainings of which 2 % fail."""
    return np.where(rng.random(shape) < 0.02, 0.1, 0.9) + rng.normal(0, 0.01, shape)


@pytest.mark.parametrize("kind", ["normal", "failing"])
def test_a_wiring_of_the_null_model_is_called_unusual_in_at_most_five_percent(kind: str):
    rng = np.random.default_rng(4)
    if kind == "normal":
        p = np.array([simulated(rng, 0.0)[0].p for _ in range(1_500)])
    else:
        p = np.array([judge(list(failing(rng, (20,))), failing(rng, (199, 1))).p for _ in range(800)])
    assert (p <= 0.05).mean() <= 0.065
    assert (p <= 0.5).mean() <= 0.54


@pytest.mark.parametrize("lead", [0.0, 2.0])
def test_intervals_hold_the_true_lead_in_95_percent(lead: float):
    rng = np.random.default_rng(5)
    found = [simulated(rng, lead) for _ in range(1_500)]
    assert 0.93 <= np.mean([own.low <= truth <= own.high for own, truth in found]) <= 0.97


@pytest.mark.parametrize("n_nulls", [39, 60, 200])
def test_leads_of_the_size_that_is_named_are_found_four_times_in_five(n_nulls: int):
    rng = np.random.default_rng(6)
    # The spread of many nulls is that of the design.
    told = judge(list(rng.normal(0, 1.5, 400)), rng.normal(0, 1.0, (20_000, 1)) + rng.normal(0, 1.5, (20_000, 2)))
    design = replace(told, n_nulls=n_nulls)
    named = brentq(lambda lead: power_at(design, lead) - 0.8, 0, 20)
    found = []
    for _ in range(1_200):
        nulls = rng.normal(0, 1.0, (n_nulls, 1)) + rng.normal(0, 1.5, (n_nulls, 2))
        found.append(judge(list(named + rng.normal(0, 1.5, 4)), nulls).p <= 0.05)
    assert 0.76 <= np.mean(found) <= 0.84


def test_the_power_at_the_lead_that_is_named_is_four_fifths():
    rng = np.random.default_rng(7)
    found = simulated(rng, 0.0)[0]
    assert power_at(found, found.detectable) == pytest.approx(0.8)
    assert power_at(found, 2 * found.detectable) > 0.99
    assert power_at(judge([9.0, 9.1], rng.normal(0, 1, (10, 2))), 100.0) == 0.0


@pytest.mark.parametrize("n_judgements", [1, 2, 3, 7])
def test_nulls_that_are_needed_are_the_fewest(n_judgements: int):
    needed = nulls_needed(n_judgements)
    assert needed == 40 * n_judgements - 1
    for n, is_enough in ((needed, True), (needed - 1, False)):
        best = [judge([9.0, 9.0], [[float(own)] for own in range(-n, 0)])]
        others = [judge([0.5, 0.6], [[0.0], [1.0]])] * (n_judgements - 1)
        assert (correct(best + others)[0].corrected <= 0.05) == is_enough
