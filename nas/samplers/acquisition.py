"""Acquisition: what a search may gain from a candidate, given what is expected of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["front_of", "hypervolume", "hypervolume_gain"]

Floats = NDArray[np.float64]


def front_of(values: Floats, sizes: Floats) -> NDArray[np.int64]:
    """Return the points that no other one is at least as good as at no more size, by ascending size.

    More of the values, (n,) float, is better, and less of the sizes, (n,) float.
    """
    order = np.lexsort((-values, sizes))
    best = np.maximum.accumulate(np.concatenate([[-np.inf], values[order][:-1]]))
    return order[values[order] > best]


def hypervolume(values: Floats, sizes: Floats, reference: tuple[float, float]) -> float:
    """Return the area between a reference point and the front of some points, over value and log size.

    What is worse than the reference, a value and a size, in either of them adds nothing.
    """
    edges, levels = _staircase(values, sizes, reference)
    return float(np.sum(np.diff(edges) * (levels - reference[0])))


def hypervolume_gain(
    values: Floats, sizes: Floats, known: tuple[Floats, Floats], reference: tuple[float, float]
) -> Floats:
    """Return by how much each point alone would enlarge the hypervolume of known values and sizes, (n,) float."""
    edges, levels = _staircase(*known, reference)
    gains = np.zeros(len(values))
    logs = np.log(sizes)
    starts = np.concatenate([[-np.inf], edges[:-1]])
    for low, high, level in zip(starts, edges, np.append(reference[0], levels), strict=True):
        gains += np.maximum(values - level, 0.0) * np.maximum(high - np.maximum(logs, low), 0.0)
    return gains


def _staircase(values: Floats, sizes: Floats, reference: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return log sizes at which the front rises, with the reference's at the end, and its level after each."""
    inside = (values > reference[0]) & (sizes < reference[1])
    kept = front_of(values[inside], sizes[inside])
    edges = np.append(np.log(sizes[inside][kept]), np.log(reference[1]))
    return edges, values[inside][kept]
