"""Splits of examples into train, validation and test, drawn alike on every platform."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["SPLIT_SEED", "split", "stratified_split"]

SPLIT_SEED = 20240719
"""Seed of every split, fixed so that all candidates of all searches see the same test part."""


def stratified_split(
    targets: ArrayLike, fraction: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Take a fraction of the examples of every class away, of each class to the nearest whole example.

    Parameters
    ----------
    targets : (n,) integer array or (n, n_outputs) float array
        Classes; examples with float targets are all of one class.
    rng : numpy.random.Generator
        Gives one uniform number an example, class by class.

    Returns
    -------
    rest, part : int64 arrays
        What stays and what was taken, each ascending.

    Raises
    ------
    ValueError
        If `fraction` is not between 0 and 1, or leaves one of the two empty.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction={fraction}: a split needs 0 < fraction < 1")
    labels = np.asarray(targets)
    classes = labels if labels.dtype.kind in "biu" else np.zeros(len(labels), np.int64)
    taken = np.zeros(len(classes), bool)
    for label in np.unique(classes):
        members = np.flatnonzero(classes == label)
        # Sorting uniform draws gives the same order on every platform, which Generator.permutation does not promise.
        order = np.argsort(rng.random(len(members)), kind="stable")
        taken[members[order[: round(fraction * len(members))]]] = True
    rest, part = np.flatnonzero(~taken), np.flatnonzero(taken)
    if not (len(rest) and len(part)):
        raise ValueError(f"{len(classes)} examples are too few to take {fraction:g} of every class and leave a rest")
    return rest, part


def split(
    targets: ArrayLike, seed: int = SPLIT_SEED, test: ArrayLike | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Split examples into train, validation and test: a fifth is the test part, a fifth of the rest validates.

    Parameters
    ----------
    targets : (n,) integer array or (n, n_outputs) float array
        Classes, whose shares are kept in all parts, or values.
    test : integer array, optional
        A published test part; it is kept as it is, and only the validation part is drawn.

    Returns
    -------
    train, validation, test : int64 arrays
        Indices; ascending, a given test part in its own order.

    Raises
    ------
    ValueError
        If `test` holds an index that does not exist, or a part comes out empty.
    """
    rng = np.random.default_rng(seed)
    labels = np.asarray(targets)
    if test is None:
        rest, held_out = stratified_split(labels, 0.2, rng)
    else:
        held_out = np.asarray(test, dtype=np.int64)
        if held_out.size and not 0 <= held_out.min() <= held_out.max() < len(labels):
            raise ValueError(f"test holds an index outside the {len(labels)} examples, which are numbered from 0")
        rest = np.setdiff1d(np.arange(len(labels)), held_out)
    train, validation = stratified_split(labels[rest], 0.2, rng)
    return rest[train], rest[validation], held_out
