"""Read-outs: ridge regression in closed form, of several strengths at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

__all__ = ["fit_read_outs"]

Floats = NDArray[np.float64]


def fit_read_outs(states: Floats, wanted: Floats, ridges: Sequence[float]) -> Iterator[tuple[Floats, Floats]]:
    """Fit ridge regressions, and yield the weights and the intercept of each.

    Parameters
    ----------
    states : (n_examples, n_read) array
    wanted : (n_examples, n_outputs) array
    ridges : sequence of float
        Strengths, above 0, as shares of the states' mean variance.

    Yields
    ------
    weights : (n_read, n_outputs) float64 array
    intercept : (n_outputs,) float64 array
    """
    middle, level = states.mean(axis=0), wanted.mean(axis=0)
    centred = states - middle
    squares, products = centred.T @ centred, centred.T @ (wanted - level)
    scale = float(squares.trace()) / len(squares)
    for ridge in ridges:
        # States that never vary get no weight, whatever the strength.
        own = squares.copy()
        own.flat[:: len(own) + 1] += max(ridge * scale, np.finfo(np.float64).tiny)
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
