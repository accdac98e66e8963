"""Regression trees of any origin as flat arrays, walked by the compiled extension or by numpy, to the same bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictors.compiled import extension
from predictors.members.member import check_bounds, check_number, settle_array, wrong
from predictors.members.scaling import Columns
from priors.checks import choice

__all__ = ["COMBINATIONS", "Trees"]

COMBINATIONS = ("mean", "sum", "median")
"""How the values of trees become one: forests, boosting of gradients, and AdaBoost.R2's weighted median."""
_BLOCK_NUMBERS = 2**20
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class Trees:
    """An ensemble of regression trees.

    A row, rounded to float32, begins at a tree's root and moves on to `child` where its column is at most the
    threshold, to ``child + 1`` where it is above, until a node has no children.

    Parameters
    ----------
    columns : Columns
    feature : (n_nodes,) int32 array
        Which of the selected columns a node compares.
    threshold : (n_nodes,) float32 array
    child : (n_nodes,) int32 array
        First of two adjacent children, 0 for none. Children come after their parents.
    value : (n_nodes,) float64 array
        What a node without children gives.
    roots : (n_trees,) int32 array
        First node of every tree, ascending from 0.
    weights : (n_trees,) float64 array
        Votes in the weighted median; empty for other combinations.
    combination : {"mean", "sum", "median"}
    base : float
        Added to the combined value.
    low, high : float
        Bounds of predictions.

    Raises
    ------
    ValueError
        For arrays that are no such trees. Those accepted can be walked without a further check: every walk ends, and
        stays inside of the arrays.

    References
    ----------
    Drucker (1997), Improving regressors using boosting techniques, ICML, for the weighted median
    """

    columns: Columns
    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    child: NDArray[np.int32]
    value: NDArray[np.float64]
    roots: NDArray[np.int32]
    weights: NDArray[np.float64]
    combination: str
    base: float
    low: float
    high: float

    def __post_init__(self) -> None:
        nodes = settle_array(self, "feature", np.int32, (None,)).shape
        settle_array(self, "threshold", np.float32, nodes)
        settle_array(self, "child", np.int32, nodes)
        settle_array(self, "value", np.float64, nodes)
        trees = settle_array(self, "roots", np.int32, (None,)).shape
        choice("Trees", "combination", self.combination, COMBINATIONS)
        settle_array(self, "weights", np.float64, trees if self.combination == "median" else (0,))
        check_number(self, "base")
        check_bounds(self)
        self._check_nodes()
        if (self.weights <= 0).any():
            raise wrong(self, f"weights go down to {self.weights.min()}; they must be positive")

    @property
    def is_forest(self) -> bool:
        """Whether the trees are independent, so that their disagreement says something."""
        return self.combination == "mean"

    def _check_nodes(self) -> None:
        n_nodes = len(self.feature)
        if not len(self.roots) or self.roots[0] != 0 or (np.diff(self.roots) <= 0).any() or self.roots[-1] >= n_nodes:
            raise wrong(self, f"roots must ascend from 0 and stay below the {n_nodes} nodes")
        if not len(self.columns):
            raise wrong(self, "columns are none; trees need at least one")
        if (self.feature < 0).any() or (self.feature >= len(self.columns)).any():
            raise wrong(self, f"feature must be at least 0 and below the {len(self.columns)} selected columns")
        parents = np.flatnonzero(self.child)
        first = self.child[parents].astype(np.int64)
        ends = np.append(self.roots[1:], n_nodes)[np.searchsorted(self.roots, parents, side="right") - 1]
        if (first <= parents).any() or (first + 1 >= ends).any():
            raise wrong(self, "child must come after its parent, within the same tree")
        # That every other node has one parent makes these trees: no node is reached twice or never.
        n_parents = np.bincount(np.concatenate([self.roots, first, first + 1]), minlength=n_nodes)
        if (n_parents != 1).any():
            raise wrong(self, f"node {np.flatnonzero(n_parents != 1)[0]} must have one parent, or be a root")

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the expected values of (n, n_columns) rows, (n,) float64."""
        if self.combination == "median":
            values = self._medians(X)
        else:
            values = self._sums(self._rows(X))
            if self.combination == "mean":
                values /= len(self.roots)
        return np.clip(values + self.base, self.low, self.high)

    def spread(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the standard deviation over the trees of (n, n_columns) rows, (n,) float64."""
        return np.concatenate([np.zeros(0), *(values.std(axis=1) for values in self._by_tree(X))])

    def _medians(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        found = [np.zeros(0)]
        for values in self._by_tree(X):
            order = np.argsort(values, axis=1)
            votes = np.cumsum(self.weights[order], axis=1)
            middle = np.argmax(votes >= 0.5 * votes[:, -1:], axis=1)
            rows = np.arange(len(values))
            found.append(values[rows, order[rows, middle]])
        return np.concatenate(found)

    def _by_tree(self, X: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
        """Yield what every tree gives, in blocks of rows, (n_rows, n_trees) float64 each."""
        step = max(1, _BLOCK_NUMBERS // len(self.roots))
        blocks = (X[start : start + step] for start in range(0, len(X), step))
        return (self._values(self._rows(block)) for block in blocks)

    def _sums(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the sums of what the trees give, (n_rows,) float64, added tree after tree."""
        if extension() is not None:
            total: NDArray[np.float64] = self._forest.sums(rows)
            return total
        total = np.zeros(len(rows))
        for root in self.roots.tolist():
            total += self.value[_leaves(self._nodes, root, rows)]
        return total

    def _values(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what every tree gives, (n_rows, n_trees) float64."""
        if extension() is not None:
            values: NDArray[np.float64] = self._forest.values(rows)
            return values
        return np.stack([self.value[_leaves(self._nodes, root, rows)] for root in self.roots.tolist()], axis=1)

    def _rows(self, X: NDArray[np.float64]) -> NDArray[np.float32]:
        return np.clip(self.columns.take(X), -_LARGEST, _LARGEST).astype(np.float32)

    @cached_property
    def _forest(self) -> Any:
        """The trees as compiled code owns them: checked once, and changed by nobody."""
        return extension().Forest(self._nodes, self.roots, self.value, len(self.columns))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_forest"}

    @cached_property
    def _nodes(self) -> NDArray[np.int32]:
        """Nodes as they are walked, (n_nodes, 4) int32: threshold's bits, feature, child, nothing.

        A node without children is its own child and sends no row to the right, so that walks need no test for the end.
        """
        is_leaf = self.child == 0
        nodes = np.zeros((len(self.child), 4), dtype=np.int32)
        nodes[:, 0] = np.where(is_leaf, np.float32(np.inf), self.threshold).view(np.int32)
        nodes[:, 1] = np.where(is_leaf, 0, self.feature)
        nodes[:, 2] = np.where(is_leaf, np.arange(len(self.child)), self.child)
        return nodes


def _leaves(nodes: NDArray[np.int32], root: int, rows: NDArray[np.float32]) -> NDArray[np.int32]:
    threshold, feature, child = nodes[:, 0].view(np.float32), nodes[:, 1], nodes[:, 2]
    every = np.arange(len(rows))
    here = np.full(len(rows), root, dtype=np.int32)
    while True:
        following = child[here] + (rows[every, feature[here]] > threshold[here])
        if np.array_equal(following, here):
            return here
        here = following
