"""Layered: exact counts, uniform masks, shares of a total."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from priors.bipartite import Layered
from priors.wiring import Wiring

sizes_lists = st.lists(st.integers(1, 9), min_size=2, max_size=5)


def block_counts(wiring: Wiring) -> list[int]:
    counts = [int(mask.sum()) for mask in wiring.masks()]
    assert sum(counts) == wiring.n_edges
    return counts


@settings(deadline=None, max_examples=60)
@given(sizes_lists, st.floats(0.01, 1), st.integers(0, 2**32))
def test_density_gives_exact_counts(sizes: list[int], density: float, seed: int):
    prior = Layered(sizes, density)
    wiring = prior.sample(seed)
    expected = [round(density * a * b) for a, b in pairwise(sizes)]
    assert block_counts(wiring) == expected == list(prior.counts)
    assert wiring.sizes == tuple(sizes)


@settings(deadline=None, max_examples=60)
@given(sizes_lists, st.data(), st.integers(0, 2**32))
def test_a_total_is_shared_in_proportion(sizes: list[int], data: st.DataObject, seed: int):
    possible = [a * b for a, b in pairwise(sizes)]
    total = data.draw(st.integers(0, sum(possible)))
    counts = block_counts(Layered(sizes, edges=total).sample(seed))
    assert sum(counts) == total
    for count, pairs in zip(counts, possible, strict=True):
        assert abs(count - total * pairs / sum(possible)) < 1


def test_largest_remainders_come_first():
    assert Layered((3, 1, 5, 2), edges=9).counts == (2, 2, 5)
    assert Layered((2, 2, 2, 2), edges=7).counts == (3, 2, 2)


def test_one_density_for_every_block():
    prior = Layered((4, 5, 2), (0.5, 1.0), inputs=True, outputs=True)
    wiring = prior.sample(0)
    assert block_counts(wiring) == [10, 10]
    assert (wiring.n_inputs, wiring.n_outputs) == (4, 2)


def test_units_are_off_unless_asked_for():
    wiring = Layered((4, 5, 2), 0.5).sample(0)
    assert (wiring.inputs, wiring.outputs) == (False, False)


def test_masks_are_uniform():
    generator = np.random.default_rng(0)
    share = sum(Layered((4, 3, 5), 0.25).sample(generator).mask(1, 0).astype(float) for _ in range(3000)) / 3000
    assert share.shape == (3, 4)
    assert np.abs(share - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / 3000)


def test_one_seed_gives_the_same_wiring_for_ever():
    prior = Layered((20, 10, 5), 0.3)
    assert prior.sample(2024).fingerprint[:16] == "4bd33339a02bcb10"
    assert prior.sample(2024) != prior.sample(2025)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Layered((4,), 0.5), "at least two layers"),
        (lambda: Layered((4, 0), 0.5), r"^size=0: .*nearest valid is 1$"),
        (lambda: Layered((4, 5)), "exactly one of them"),
        (lambda: Layered((4, 5), 0.5, 3), "exactly one of them"),
        (lambda: Layered((4, 5), 0), r"^density=0: Layered needs a number with 0 < density <= 1$"),
        (lambda: Layered((4, 5), (0.5, 0.5)), r"one for each of 1 blocks"),
        (lambda: Layered((4, 5), edges=21), r"^edges=21: .*all pairs = 20; nearest valid is 20$"),
    ],
)
def test_parameters_out_of_bounds_are_refused(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()


def test_drawing_takes_memory_by_edges_and_not_by_pairs():
    """A million edges of 10^10 pairs."""
    prior = Layered((28, 100_000, 100_000, 2), edges=1_000_000, inputs=True, outputs=True)
    tracemalloc.start()
    wiring = prior.sample(0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert wiring.n_edges == 1_000_000
    assert Wiring(wiring.sizes, wiring.edges, inputs=True, outputs=True) == wiring
    assert peak < 150 * 1_000_000
