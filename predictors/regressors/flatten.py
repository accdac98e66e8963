"""Trees of other libraries as the flat arrays of `predictors.members.Trees`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Nodes", "flat_trees", "not_above"]


class Nodes(NamedTuple):
    """The nodes of one tree, the root first, in any order.

    Parameters
    ----------
    feature, threshold, value : (n_nodes,) array_like
        Of nodes with and without children, each ignoring what it does not need. Rows at most at the threshold go left.
    left, right : (n_nodes,) array_like of int
        Children, -1 for none.
    """

    feature: ArrayLike
    threshold: ArrayLike
    left: ArrayLike
    right: ArrayLike
    value: ArrayLike


def not_above(threshold: ArrayLike) -> NDArray[np.float32]:
    """Return the largest float32 numbers that are not above float64 thresholds.

    For every float32 number x, ``x <= threshold`` is the same for both.
    """
    exact = np.asarray(threshold, dtype=np.float64)
    rounded = exact.astype(np.float32)
    lower = np.nextafter(rounded, np.float32(-np.inf))
    return np.where(rounded.astype(np.float64) > exact, lower, rounded).astype(np.float32)


def flat_trees(
    trees: Sequence[Nodes],
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int32], NDArray[np.float64], NDArray[np.int32]]:
    """Return features, thresholds, first children and values of trees one after another, and their roots.

    Nodes come level after level, siblings side by side; 0 stands for no child. What no root leads to is left out.
    """
    sizes = [len(np.asarray(tree.left)) for tree in trees]
    starts = np.cumsum([0, *sizes[:-1]])
    owner = np.repeat(np.arange(len(trees)), sizes)
    feature, threshold, left, right, value = (np.concatenate(parts) for parts in zip(*trees, strict=True))
    first = starts[owner]
    levels = [starts]
    while levels[-1].size:
        splits = levels[-1][left[levels[-1]] >= 0]
        levels.append(np.stack([left[splits] + first[splits], right[splits] + first[splits]], axis=1).ravel())
    order = np.concatenate(levels)
    order = order[np.argsort(owner[order], kind="stable")]
    is_split = left[order] >= 0
    roots = np.searchsorted(owner[order], np.arange(len(trees)))
    before = np.cumsum(is_split) - is_split  # Splits of all trees before a node.
    root = roots[owner[order]]
    return (
        np.where(is_split, feature[order], 0).astype(np.int32),
        np.where(is_split, threshold[order], 0).astype(np.float32),
        np.where(is_split, root + 1 + 2 * (before - before[root]), 0).astype(np.int32),
        np.where(is_split, 0, value[order]).astype(np.float64),
        roots.astype(np.int32),
    )
