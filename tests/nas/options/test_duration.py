"""Spans of time, as people write them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.errors import InputError
from nas.options.duration import UNITS, duration_of, seconds_of


@pytest.mark.parametrize(
    ("written", "seconds", "again"),
    [
        (90, 90, "90s"), ("90s", 90, "90s"), ("1.5 min", 90, "90s"), ("10m", 600, "10m"), ("10 M", 600, "10m"),
        ("120m", 7200, "2h"), ("2h", 7200, "2h"), ("48h", 172_800, "2d"), (0.25, 0.25, "0.25s"),
    ],
)  # fmt: skip
def test_seconds_of_spans(written: object, seconds: float, again: str):
    assert seconds_of(written) == seconds
    assert duration_of(written) == again


@given(st.integers(1, 10_000), st.sampled_from(sorted(UNITS)))
def test_what_is_written_again_is_the_same_span(n: int, unit: str):
    assert seconds_of(duration_of(f"{n}{unit}")) == n * UNITS[unit]


@given(st.decimals("0.000001", 10**9, places=6))
def test_no_digit_of_a_span_is_lost(seconds: Decimal):
    assert seconds_of(duration_of(f"{seconds:f}")) == float(seconds)


@pytest.mark.parametrize("written", ["", "m", "-3s", "ten", "3 weeks", "1e3", "nan", True, "5m5s", "9" * 5000])
def test_what_is_no_span_is_refused(written: object):
    with pytest.raises(InputError, match=r"timeout=.*: it must be a number and a unit, such as 90s, 10m or 2h"):
        seconds_of(written)


@pytest.mark.parametrize("written", ["0s", 0, "20000d"])
def test_spans_that_are_too_short_or_too_long_are_refused(written: object):
    with pytest.raises(InputError, match="more than 0, and 30 years at most"):
        duration_of(written)
