"""The only ways in which this storey draws at random.

Promise: one seed gives the same wiring on every platform. Everything is drawn as doubles ``rng.random()`` from numpy's
PCG64, one by one or in blocks, which is the same stream: an index below n is ``int(u * n)``, a permutation is the
stable argsort of n doubles. No double is drawn that is not used.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Seed", "permutation", "subset"]

_FEW = 64
"""Draws up to which one by one is faster than all at once."""

Seed = int | np.random.Generator | None
"""What `sample` and the transforms take for randomness: a seed, a generator to go on drawing from, or None."""


def permutation(rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    """Return the numbers below n in random order, (n,) int64: the stable argsort of n doubles."""
    return np.argsort(rng.random(n), kind="stable").astype(np.int64)


def subset(rng: np.random.Generator, n: int, count: int) -> NDArray[np.int64]:
    """Return `count` distinct numbers below n, every such set equally likely, as an ascending (count,) int64 array.

    Floyd's algorithm: it uses as many doubles as it draws numbers, and draws the numbers that are left out where these
    are fewer. Time and memory follow from `count`, however large n is.

    References
    ----------
    Bentley and Floyd (1987), Programming pearls: a sample of brilliance, doi:10.1145/30401.315746
    """
    n_drawn = min(count, n - count)
    doubles = rng.random(n_drawn)
    drawn = np.sort(_floyd_by_one(doubles, n) if n_drawn < _FEW else _floyd(doubles, n))
    if count == n_drawn:
        return drawn
    chosen = np.ones(n, bool)
    chosen[drawn] = False
    return np.flatnonzero(chosen)


def _floyd_by_one(doubles: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """Return as many distinct numbers below n as there are doubles, in the order in which they are drawn."""
    drawn: dict[int, None] = {}
    for size, double in enumerate(doubles.tolist(), start=n - len(doubles) + 1):
        number = int(double * size)
        drawn[size - 1 if number in drawn else number] = None
    return np.fromiter(drawn, np.int64, len(drawn))


def _floyd(doubles: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """Return the same, all at once.

    A draw falls back on the largest number that it could have been where the one that it is was drawn before: by an
    earlier draw for itself, or by one that fell back on it. The latter makes chains of draws, each of which falls back
    where the one before it does.
    """
    draws = np.arange(len(doubles))
    fallback = draws + (n - len(doubles))
    number = (doubles * (fallback + 1)).astype(np.int64)
    order = np.argsort(number, kind="stable")
    falls_back = np.zeros(len(doubles), bool)
    falls_back[order[1:]] = number[order[1:]] == number[order[:-1]]
    before = number - (n - len(doubles))
    follows = np.flatnonzero((before >= 0) & (before < draws) & ~falls_back)
    if len(follows):
        first = draws.copy()
        first[follows] = before[follows]
        while not np.array_equal(nearer := first[first[follows]], first[follows]):
            first[follows] = nearer
        falls_back[follows] = falls_back[first[follows]]
    return np.where(falls_back, fallback, number)
