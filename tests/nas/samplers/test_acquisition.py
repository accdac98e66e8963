"""Fronts, hypervolumes and what points would add to them, against areas that are summed cell by cell."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.samplers.acquisition import front_of, hypervolume, hypervolume_gain

REFERENCE = (0.25, 40.0)

coarse = st.tuples(st.integers(-4, 8).map(lambda value: value / 8), st.integers(1, 50).map(float))
fine = st.tuples(st.floats(-1, 1), st.floats(0.5, 60))
points = st.lists(coarse | fine, max_size=12)


def arrays(given):
    table = np.array(given, dtype=np.float64).reshape(len(given), 2)
    return table[:, 0], table[:, 1]


def area(values, sizes):
    """The area that points dominate: every cell between two neighbouring coordinates is in it or not."""
    inside = [(value, math.log(size)) for value, size in zip(values, sizes, strict=True)]
    xs = sorted({math.log(REFERENCE[1]), *(x for _, x in inside)})
    ys = sorted({REFERENCE[0], *(y for y, _ in inside)})
    total = 0.0
    for left, right in pairwise(xs):
        for low, high in pairwise(ys):
            if low < REFERENCE[0] or right > math.log(REFERENCE[1]):
                continue
            if any(x <= left and y >= high for y, x in inside):
                total += (right - left) * (high - low)
    return total


@settings(deadline=None, max_examples=150)
@given(points)
def test_the_hypervolume_is_the_sum_of_its_cells(known):
    values, sizes = arrays(known)
    assert hypervolume(values, sizes, REFERENCE) == pytest.approx(area(values, sizes), abs=1e-12)


@settings(deadline=None, max_examples=150)
@given(points, st.lists(coarse | fine, min_size=1, max_size=5))
def test_the_gain_of_a_point_is_the_area_that_it_adds(known, new):
    values, sizes = arrays(known)
    gains = hypervolume_gain(*arrays(new), (values, sizes), REFERENCE)
    before = area(values, sizes)
    expected = [area([*values, value], [*sizes, size]) - before for value, size in new]
    np.testing.assert_allclose(gains, expected, atol=1e-12)


@settings(deadline=None, max_examples=150)
@given(points)
def test_the_front_holds_one_of_all_that_nothing_dominates(known):
    values, sizes = arrays(known)
    front = front_of(values, sizes)
    assert (np.diff(sizes[front]) > 0).all()
    assert (np.diff(values[front]) > 0).all()
    for index in range(len(known)):
        ahead = (values[front] >= values[index]) & (sizes[front] <= sizes[index])
        assert ahead.any()
        if index in front:
            assert ahead.sum() == 1


def test_what_is_worse_than_the_reference_adds_nothing():
    known = np.array([0.5]), np.array([10.0])
    gains = hypervolume_gain(np.array([0.2, 0.9, 0.4, 0.5]), np.array([1.0, 41.0, 20.0, 10.0]), known, REFERENCE)
    np.testing.assert_array_equal(gains, 0.0)
    assert hypervolume(np.array([0.2, 0.9]), np.array([1.0, 41.0]), REFERENCE) == 0.0
