"""Trees of other libraries as the flat arrays of `predictors.members.Trees`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Nodes", "flat_trees", "level_order", "not_above"]


class Nodes(NamedTuple):
    """The nodes of one tree, level after level, siblings side by side; 0 stands for no child."""

    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    child: NDArray[np.int32]
    value: NDArray[np.float64]


def not_above(threshold: ArrayLike) -> NDArray[np.float32]:
    """Return the largest float32 numbers that are not above float64 thresholds.

    For every float32 number x, ``x <= threshold`` is the same for both.
    """
    exact = np.asarray(threshold, dtype=np.float64)
    rounded = exact.astype(np.float32)
    lower = np.nextafter(rounded, np.float32(-np.inf))
    return np.where(rounded.astype(np.float64) > exact, lower, rounded).astype(np.float32)


def level_order(
    *, feature: ArrayLike, threshold: ArrayLike, left: ArrayLike, right: ArrayLike, value: ArrayLike
) -> Nodes:
    """Renumber the nodes of a tree.

    Parameters
    ----------
    feature, threshold, value : (n_nodes,) array_like
        Of nodes with and without children, each ignoring what it does not need.
    left, right : (n_nodes,) array_like of int
        Children, -1 for none; the root is node 0. Rows at most at the threshold go left.
    """
    left, right = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
    levels = [np.zeros(1, dtype=np.int64)]
    while levels[-1].size:
        splits = levels[-1][left[levels[-1]] >= 0]
        levels.append(np.stack([left[splits], right[splits]], axis=1).ravel())
    order = np.concatenate(levels)
    is_split = left[order] >= 0
    child = np.zeros(len(order), dtype=np.int32)
    child[is_split] = 1 + 2 * np.arange(int(is_split.sum()))
    return Nodes(
        np.where(is_split, np.asarray(feature)[order], 0).astype(np.int32),
        np.where(is_split, np.asarray(threshold)[order], 0).astype(np.float32),
        child,
        np.where(is_split, 0, np.asarray(value)[order]).astype(np.float64),
    )


def flat_trees(
    trees: Sequence[Nodes],
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int32], NDArray[np.float64], NDArray[np.int32]]:
    """Return features, thresholds, children and values of several trees one after another, and their roots."""
    sizes = [len(tree.child) for tree in trees]
    roots = np.concatenate([[0], np.cumsum(sizes[:-1])]).astype(np.int32)
    child = [np.where(tree.child > 0, tree.child + root, 0) for tree, root in zip(trees, roots.tolist(), strict=True)]
    return (
        np.concatenate([tree.feature for tree in trees]),
        np.concatenate([tree.threshold for tree in trees]),
        np.concatenate(child).astype(np.int32),
        np.concatenate([tree.value for tree in trees]),
        roots,
    )
