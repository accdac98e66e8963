"""The only ways in which this storey draws at random.

Promise: one seed gives the same wiring on every platform. Everything is drawn as doubles ``rng.random()`` from numpy's
PCG64, one by one or in blocks, which is the same stream: an index below n is ``int(u * n)``, a permutation is the
stable argsort of n doubles. No double is drawn that is not used.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Seed", "permutation", "subset"]

Seed = int | np.random.Generator | None
"""What `sample` and the transforms take for randomness: a seed, a generator to go on drawing from, or None."""


def permutation(rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    """Return the numbers below n in random order, (n,) int64: the stable argsort of n doubles."""
    return np.argsort(rng.random(n), kind="stable").astype(np.int64)


def subset(rng: np.random.Generator, n: int, count: int) -> NDArray[np.int64]:
    """Return `count` distinct numbers below n, every such set equally likely, as an ascending (count,) int64 array.

    Floyd's algorithm: it uses as many doubles as it draws numbers, and draws the numbers that are left out where these
    are fewer.

    References
    ----------
    Bentley and Floyd (1987), Programming pearls: a sample of brilliance, doi:10.1145/30401.315746
    """
    n_drawn = min(count, n - count)
    drawn: set[int] = set()
    for size, double in enumerate(rng.random(n_drawn).tolist(), start=n - n_drawn + 1):
        number = int(double * size)
        drawn.add(size - 1 if number in drawn else number)
    chosen = np.full(n, count > n_drawn)
    chosen[np.fromiter(drawn, np.int64, n_drawn)] = count == n_drawn
    return np.flatnonzero(chosen)
