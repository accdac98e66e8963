"""Which are the lowest of many numbers: exact counts, and ties that are settled, by partial selection."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError
from nas.sparsity.layers import Floats, Places, in_order

__all__ = ["check_allowed", "distinct", "highest", "insert_sorted", "is_among", "lowest", "ranks"]


_MANY, _FEW, _SAMPLE = 20_000, 10, 4096
"""So many scores are worth a sample of this size, where no more than one in `_FEW` of them is wanted, or is not."""


def lowest(scores: NDArray[np.floating[Any]], count: int, rng: np.random.Generator | None = None) -> NDArray[np.bool_]:
    """Mark the `count` lowest of (n,) scores; NaN is lower than all others.

    Parameters
    ----------
    scores : (n,) float
    count : int
        How many; exactly as many are marked.
    rng : numpy Generator, optional
        Draws among scores that are equal at the border; without it those that come first are marked, as by a stable
        sort.
    """
    n = len(scores)
    marked: NDArray[np.bool_]
    if not 0 <= count <= n:
        raise InputError(f"{count} of {n} were to be selected: it must be a number from 0 to {n}")
    if count in (0, n):
        return np.full(n, count == n)
    if np.isnan(scores).any():
        scores = np.where(np.isnan(scores), -np.inf, scores)
    few = _enough_of_the_lowest(scores, count)
    if few is not None:
        marked = np.zeros(n, bool)
        marked[few[lowest(scores[few], count, rng)]] = True
        return marked
    # Where nearly all are wanted, those are looked at that may be among the others.
    few = _enough_of_the_lowest(-scores, n - count) if n - count <= n // _FEW else None
    if few is not None:
        marked = np.ones(n, bool)
        marked[few] = lowest(scores[few], count - (n - len(few)), rng)
        return marked
    border = np.partition(scores, count - 1)[count - 1]
    marked = scores < border
    ties = np.flatnonzero(scores == border)
    missing = count - int(np.count_nonzero(marked))
    if rng is None or missing == len(ties):
        marked[ties[:missing]] = True
    else:
        marked[ties[distinct(rng, len(ties), missing)]] = True
    return marked


def _enough_of_the_lowest(scores: NDArray[np.floating[Any]], count: int) -> Places | None:
    """Return where all scores up to some bound are, at least `count`, if a sample of many scores shows a good bound.

    Comparing all with a bound takes a tenth of the time of their partial selection.
    """
    n = len(scores)
    if n < _MANY or count > n // _FEW:
        return None
    sample = scores[:: n // _SAMPLE]
    share = len(sample) * count / n
    rank = int(share + 3 * math.sqrt(share)) + 1
    found = np.flatnonzero(scores <= np.partition(sample, rank)[rank])
    return found if count <= len(found) <= n // 2 else None


def highest(scores: NDArray[np.floating[Any]], count: int, rng: np.random.Generator | None = None) -> NDArray[np.bool_]:
    """Mark the `count` highest of (n,) scores, with ties as in `lowest`; NaN is higher than all others."""
    return lowest(-scores, count, rng)


def distinct(rng: np.random.Generator, n: int, count: int) -> Places:
    """Return `count` distinct numbers below n, every such set equally likely, as an ascending (count,) int64 array.

    Numbers are drawn until enough of them are distinct, so that time and memory follow from `count` alone, or from
    ``n - count`` where that is less. Only doubles are drawn, so one seed gives the same numbers on every platform.
    """
    if not 0 <= count <= n:
        raise InputError(f"{count} of {n} were to be drawn: it must be a number from 0 to {n}")
    if count > n - count:
        left_out = distinct(rng, n, n - count)
        kept = np.ones(n, bool)
        kept[left_out] = False
        return np.flatnonzero(kept)
    found = np.zeros(0, np.int64)
    while len(found) < count:
        # Never more than are missing: to choose among too many would favour some.
        drawn = np.sort((rng.random(count - len(found)) * n).astype(np.int64))
        drawn = drawn[np.diff(drawn, prepend=-1) > 0]  # Much faster than np.unique.
        found, _ = insert_sorted(found, drawn[~is_among(drawn, found)])
    return found


def is_among(values: Places, among: Places) -> NDArray[np.bool_]:
    """Return which values are in an ascending array."""
    if not len(among):
        return np.zeros(len(values), bool)
    at = np.searchsorted(among, values)
    found: NDArray[np.bool_] = among[np.minimum(at, len(among) - 1)] == values
    return found


def insert_sorted(kept: Places, new: Places) -> tuple[Places, Places]:
    """Return two ascending arrays without common entries as one, and the indices in it of the second one's entries."""
    at = np.searchsorted(kept, new) + np.arange(len(new))
    both = np.empty(len(kept) + len(new), np.int64)
    old = np.ones(len(both), bool)
    old[at] = False
    both[old], both[at] = kept, new
    return both, at


def ranks(values: Floats) -> Places:
    """Return the rank of every value, 0 for the lowest, equal ones in the order in which they come."""
    order = np.argsort(values, kind="stable")
    found = np.empty(len(values), np.int64)
    found[order] = np.arange(len(values))
    return found


def check_allowed(allowed: Places | None, low: int, high: int) -> None:
    """Refuse allowed places that do not ascend within the layers."""
    if allowed is not None and not in_order(allowed, low, high):
        raise InputError(f"allowed holds {allowed.size} places: they must be int64, ascend, and lie between {low} and "
                         f"{high - 1}")  # fmt: skip
