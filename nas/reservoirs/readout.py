"""Read-outs: ridge regression in closed form, of several strengths at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

__all__ = ["Moments"]

Floats = NDArray[np.float64]

_ALL = slice(None)
_TINY = float(np.finfo(np.float64).tiny)
_EPSILON = float(np.finfo(np.float64).eps)
_LAST_DIGITS = 16
"""By how many last digits computed states that should be equal may differ."""


class Moments:
    """What ridge regression needs to know of states and of what is wanted of them, told part by part.

    Parameters
    ----------
    states : (n_examples, n_read) array
    wanted : (n_examples, n_outputs) array
        Of the first part.
    """

    def __init__(self, states: Floats, wanted: Floats) -> None:
        # Sums are of differences to the means of the first part, so that nothing is lost where spreads are small.
        self._origin, self._level = states.mean(axis=0), wanted.mean(axis=0)
        self._n = 0
        self._states, self._wanted = np.zeros(states.shape[1]), np.zeros(wanted.shape[1])
        self._squares = np.zeros((states.shape[1], states.shape[1]))
        self._products = np.zeros((states.shape[1], wanted.shape[1]))
        self.add(states, wanted)

    def add(self, states: Floats, wanted: Floats) -> None:
        """Add another part."""
        own, asked = states - self._origin, wanted - self._level
        self._n += len(own)
        self._states += own.sum(axis=0)
        self._wanted += asked.sum(axis=0)
        self._squares += own.T @ own
        self._products += own.T @ asked

    @property
    def n_read(self) -> int:
        """Number of states."""
        return len(self._states)

    @property
    def level(self) -> Floats:
        """Means of what is wanted, (n_outputs,)."""
        means: Floats = self._level + self._wanted / self._n
        return means

    def fit(
        self,
        ridges: Sequence[float],
        read: NDArray[np.integer[Any]] | slice = _ALL,
        outputs: NDArray[np.integer[Any]] | slice = _ALL,
    ) -> Iterator[tuple[Floats, Floats]]:
        """Fit ridge regressions, and yield the weights and the intercept of each.

        Parameters
        ----------
        ridges : sequence of float
            Strengths, above 0, as shares of the states' mean variance.
        read, outputs : integer arrays, optional
            Which states are read, and for which outputs; all by default.

        Yields
        ------
        weights : (n_read, n_outputs) float64 array
        intercept : (n_outputs,) float64 array
        """
        shift, raw = self._states[read], self._squares[read][:, read]
        squares = raw - np.outer(shift, shift) / self._n
        products = self._products[read][:, outputs] - np.outer(shift, self._wanted[outputs]) / self._n
        middle, level = self._origin[read] + shift / self._n, self.level[outputs]
        # Of states that never vary nothing but rounding is left, which must not be read.
        rounding = self._n * (_EPSILON * raw.diagonal() + (_LAST_DIGITS * _EPSILON * middle) ** 2)
        never = squares.diagonal() <= rounding
        squares[never], squares[:, never], products[never] = 0.0, 0.0, 0.0
        scale = float(squares.trace()) / len(squares)
        for ridge in ridges:
            own = squares.copy()
            own.flat[:: len(own) + 1] += max(ridge * scale, _TINY)
            weights = _solve(own, products)
            yield weights, level - middle @ weights


def _solve(matrix: Floats, right: Floats) -> Floats:
    """Solve for a symmetric matrix without negative eigenvalues, but for rounding."""
    try:
        return np.asarray(cho_solve(cho_factor(matrix, check_finite=False), right, check_finite=False))
    except LinAlgError:
        values, vectors = np.linalg.eigh(matrix)
        inverse = np.divide(
            1.0, values, out=np.zeros_like(values), where=values > len(values) * np.spacing(values.max())
        )
        return np.asarray(vectors @ (inverse[:, None] * (vectors.T @ right)))
