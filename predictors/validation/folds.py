"""Folds of cross-validation that leave groups of related rows whole."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictors.validation.resampling import codes_of

__all__ = ["Folds", "repeated_folds"]

Folds = list[list[NDArray[np.int64]]]
"""Of every repeat, the rows that each fold tests, ascending."""


def repeated_folds(
    n: int,
    folds: int = 5,
    repeats: int = 20,
    groups: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Folds:
    """Split n rows into folds, several times over.

    Parameters
    ----------
    n : int
        Number of rows.
    folds, repeats : int
        Every row is in one fold of every repeat.
    groups : sequence of n labels, optional
        Rows of one label are never in two folds: a wiring and what was derived from it.
    seed : int
        Repeat i depends on `seed` and i alone, so that more repeats keep the former ones.

    Returns
    -------
    list of `repeats` lists of `folds` int64 arrays

    Raises
    ------
    ValueError
        If there are fewer than 2 folds, no repeat, or fewer groups than folds.

    Notes
    -----
    Groups are dealt out in random order, those of twice the size before the others, each to the smallest fold so far.
    The sizes of two folds therefore differ by one group at most.
    """
    if folds < 2 or repeats < 1:
        raise ValueError(f"folds={folds}, repeats={repeats}: there must be at least 2 folds and 1 repeat")
    codes = codes_of(groups, n)
    sizes = np.bincount(codes)
    if len(sizes) < folds:
        raise ValueError(f"folds={folds}: {len(sizes)} groups of rows allow {len(sizes)} folds at most")
    return [_folds(codes, sizes, folds, np.random.default_rng((seed, repeat))) for repeat in range(repeats)]


def _folds(
    codes: NDArray[np.int64], sizes: NDArray[np.int64], folds: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-np.frexp(sizes[order])[1], kind="stable")]
    heap = [(0, fold) for fold in range(folds)]
    fold_of = np.empty(len(sizes), dtype=np.int64)
    for group in order:
        filled, fold = heapq.heappop(heap)
        fold_of[group] = fold
        heapq.heappush(heap, (filled + int(sizes[group]), fold))
    fold_of_rows = fold_of[codes]
    return [np.flatnonzero(fold_of_rows == fold) for fold in range(folds)]
