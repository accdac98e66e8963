"""Which way is tried next where time is what counts."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from nas.samplers.worth import Tried, expected_improvement, worthiest


def trials(way: str, seconds: float, *gains: float) -> list[Tried]:
    return [Tried(way, gain, seconds) for gain in gains]


@settings(deadline=None)
@given(mean=st.floats(-2, 2), scale=st.floats(0.05, 2), freedom=st.integers(2, 40), best=st.floats(-2, 2))
def test_expected_improvement_is_the_integral(mean: float, scale: float, freedom: int, best: float):
    density = stats.t(freedom, mean, scale).pdf
    wanted, _ = integrate.quad(lambda x: (x - best) * density(x), best, math.inf, limit=200)
    assert expected_improvement(mean, scale, freedom, best) == pytest.approx(wanted, rel=1e-3, abs=1e-7)


def test_without_spread_the_mean_is_all_that_can_be_expected():
    assert expected_improvement(3.0, 0.0, 5, 2.0) == 1.0
    assert expected_improvement(1.0, 0.0, 5, 2.0) == 0.0


def test_ways_that_were_not_tried_come_first_in_their_order():
    assert worthiest(("a", "b", "c"), []) == "a"
    assert worthiest(("a", "b", "c"), trials("a", 1.0, 0.5)) == "b"
    assert worthiest(("a", "b", "c"), trials("a", 1.0, 0.5), ["b"]) == "c"
    # One in work is waited for.
    assert worthiest(("a", "b"), trials("a", 1.0, 0.5), ["b"]) == "a"


def test_before_anything_is_known_ways_take_turns():
    assert worthiest(("a", "b"), [], ["a", "b"]) == "a"
    assert worthiest(("a", "b"), [], ["a", "b", "a"]) == "b"
    assert worthiest(("a", "b"), [Tried("a", None, 1.0)], ["b"]) == "a"


def test_of_equals_the_cheaper_way_is_tried():
    gains = (0.5, 0.6, 0.4, 0.55)
    assert worthiest(("a", "b"), trials("a", 10.0, *gains) + trials("b", 1.0, *gains)) == "b"
    assert worthiest(("a", "b"), trials("a", 1.0, *gains) + trials("b", 10.0, *gains)) == "a"


def test_a_dear_way_is_worth_its_time_where_it_is_far_better():
    rng = np.random.default_rng(0)
    cheap = trials("cheap", 1.0, *rng.normal(0.5, 0.01, 50))
    dear = trials("dear", 20.0, *rng.normal(0.9, 0.01, 5))
    assert worthiest(("cheap", "dear"), cheap + dear) == "dear"


def test_what_failed_costs_time_and_gains_nothing():
    fails = [Tried("b", None, 10.0)] * 9 + trials("b", 10.0, 0.5, 0.6)
    assert worthiest(("a", "b"), trials("a", 12.0, 0.5, 0.6) + fails) == "a"
    assert worthiest(("a", "b"), trials("a", 60.0, 0.5, 0.6) + fails) == "b"
    # However quickly it fails.
    quick = [Tried("b", None, 0.01)] * 9 + trials("b", 10.0, 0.5, 0.6)
    assert worthiest(("a", "b"), trials("a", 9.0, 0.5, 0.6) + quick) == "a"
    assert worthiest(("a", "b"), trials("a", 11.0, 0.5, 0.6) + quick) == "b"


def test_where_nothing_promises_more_the_cheaper_way_is_tried():
    assert worthiest(("a", "b"), trials("a", 100.0, 0.5, 0.5) + trials("b", 1.0, 0.5, 0.5)) == "b"


@given(
    st.lists(
        st.builds(Tried, st.sampled_from("abc"), st.none() | st.floats(-1e6, 1e6), st.floats(0, 1e6)), max_size=30
    ),
    st.lists(st.sampled_from("abc"), max_size=5),
)
def test_a_way_is_always_found(tried: list[Tried], running: list[str]):
    assert worthiest(("a", "b", "c"), tried, running) in ("a", "b", "c")
