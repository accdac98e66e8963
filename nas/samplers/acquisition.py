"""Acquisition: what a search may gain from a candidate, given what is expected of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["front_of", "hypervolume", "hypervolume_gain"]

Floats = NDArray[np.float64]


def front_of(values: Floats, sizes: Floats) -> NDArray[np.int64]:
    """Return the points that no other one is at least as good as at no more size, by ascending size.

    Parameters
    ----------
    values : (n,) float array
        The more the better.
    sizes : (n,) float array
        The less the better.
    """
    order = np.lexsort((-values, sizes))
    best = np.maximum.accumulate(np.concatenate([[-np.inf], values[order][:-1]]))
    return order[values[order] > best]


def hypervolume(values: Floats, sizes: Floats, reference: tuple[float, float]) -> float:
    """Return the area between a reference point and the front of some points, over value and log size.

    Parameters
    ----------
    values, sizes : (n,) float arrays
    reference : (float, float)
        Value and size; what is worse in either adds nothing.
    """
    edges, levels = _staircase(values, sizes, reference)
    return float(np.sum(np.diff(edges) * (levels - reference[0])))


def hypervolume_gain(
    values: Floats, sizes: Floats, known: tuple[Floats, Floats], reference: tuple[float, float]
) -> Floats:
    """Return by how much each point alone would enlarge the hypervolume of known points, (n,) float.

    Parameters
    ----------
    values, sizes : (n,) float arrays
        Of the candidates.
    known : two float arrays
        Values and sizes.
    reference : (float, float)
    """
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
