"""Compiled sorting of edges: the rows of the reference in Python, and its errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from priors import Wiring

pytest.importorskip("priors._native", reason="the extension was not built")

ROWS = st.lists(st.tuples(st.integers(-1, 8), st.integers(-1, 8)), max_size=12)


def outcome(n: int, edges: object) -> object:
    try:
        return Wiring((n,), edges).edges.tolist()
    except ValueError as error:
        return str(error)


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 9), ROWS, st.sampled_from([np.int8, np.int32, np.int64, np.intp]))
def test_rows_are_sorted_or_refused_alike(python_only, n: int, rows: list[tuple[int, int]], dtype: type):
    edges = np.array(rows, dtype).reshape(-1, 2)
    for given_edges in (rows, edges, np.asfortranarray(edges), edges[::-1], np.sort(edges, axis=0)):
        ours = outcome(n, given_edges)
        with python_only():
            assert ours == outcome(n, given_edges)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 2**31 - 2), st.integers(0, 2**31 - 2)), unique=True, max_size=12))
def test_few_edges_of_many_neurons_need_little_memory(rows: list[tuple[int, int]]):
    assert Wiring((2**31 - 1,), rows).edges.tolist() == [list(row) for row in sorted(rows)]


def test_numbers_beyond_int64_are_refused(python_only):
    edges = np.array([[0, 2**64 - 1]], np.uint64)
    ours = outcome(3, edges)
    with python_only():
        assert ours == outcome(3, edges)
    assert "leaves the 3 neurons" in ours


@pytest.mark.parametrize("size", [10, 1000, 200_000])
def test_many_rows(size: int):
    generator = np.random.default_rng(size)
    numbers = generator.permutation(600 * 600)[:size]
    rows = np.stack(np.divmod(numbers, 600), axis=1)
    wiring = Wiring((600,), rows)
    assert np.array_equal(wiring.edges @ np.array([600, 1]), np.sort(numbers))
    with pytest.raises(ValueError, match="is there twice"):
        Wiring((600,), np.concatenate([rows, rows[-1:]]))
