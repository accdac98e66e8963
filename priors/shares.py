"""Whole numbers with an exact sum: something shared out in proportion to weights, none above its capacity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

__all__ = ["shares"]


def shares(
    total: int,
    weights: Sequence[Fraction | float],
    capacity: Sequence[int],
    is_full: Sequence[bool] | None = None,
) -> list[int]:
    """Share a number out in proportion to weights, none above its capacity, exactly.

    While a share exceeds the capacity, those whose share does so by the largest factor become full, and the rest is
    shared out anew: in google-research/rigl these are the layers with the largest raw value. Quotas are rounded down,
    the largest remainders up; equal ones favour the earlier.

    Parameters
    ----------
    total : int
        At most the sum of the capacities.
    weights : sequence of Fraction or float
        Positive where there is a capacity.
    capacity : sequence of int
    is_full : sequence of bool, optional
        Which are full from the beginning.

    Returns
    -------
    list of int
        Their sum is the total.
    """
    full = [given or not room for given, room in zip(is_full or [False] * len(capacity), capacity, strict=True)]
    while not all(full):
        rest = total - sum(room for room, each in zip(capacity, full, strict=True) if each)
        weight = sum(each for each, done in zip(weights, full, strict=True) if not done)
        factors = {
            index: weights[index] / capacity[index] for index, done in enumerate(full) if not done
        }  # Times rest / weight the density.
        largest = max(factors.values())
        if largest * rest <= weight:
            break
        full = [done or factors[index] == largest for index, done in enumerate(full)]
    else:
        rest, weight = 0, 1
    quotas = [
        room if done else min(each * rest / weight, room)
        for each, room, done in zip(weights, capacity, full, strict=True)
    ]
    return _whole(total, quotas, capacity)


def _whole(total: int, quotas: Sequence[Fraction | float], capacity: Sequence[int]) -> list[int]:
    """Round quotas to whole numbers with an exact sum, the largest remainders up; equal ones favour the earlier."""
    counts = [math.floor(quota) for quota in quotas]
    remainders = [quota - count for quota, count in zip(quotas, counts, strict=True)]
    order = sorted(range(len(counts)), key=lambda index: -remainders[index])
    while sum(counts) < total:
        open_ones = [index for index in order if counts[index] < capacity[index]]
        for index in open_ones[: total - sum(counts)]:
            counts[index] += 1
    while sum(counts) > total:  # The rounding of floats.
        counts[max(reversed(order), key=lambda index: counts[index])] -= 1
    return counts
