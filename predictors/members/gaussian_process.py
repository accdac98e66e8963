"""The mean of a Gaussian process with the Matern 5/2 kernel."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictors.members.member import check_bounds, check_number, settle_array
from predictors.members.scaling import Scaling

__all__ = ["GaussianProcess", "matern", "matern_of_distances"]

_BLOCK_NUMBERS = 2**15
"""Of the kernel at once, so that they stay in the cache."""


def matern(A: NDArray[np.float64], B: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    """Return the isotropic Matern 5/2 kernel between rows, (n_a, k) and (n_b, k) float64 to (n_a, n_b) float64."""
    squares = np.square(A).sum(axis=1)[:, None] + np.square(B).sum(axis=1) - 2 * (A @ B.T)
    return matern_of_distances(np.sqrt(np.maximum(squares, 0.0)), length)


def matern_of_distances(distances: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    """Return the Matern 5/2 kernel of an array of distances, float64 of the same shape.

    References
    ----------
    Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, equation 4.17
    """
    r = distances * (math.sqrt(5) / length)
    kernel: NDArray[np.float64] = (1 + r * (1 + r / 3)) * np.exp(-r)
    return kernel


@dataclass(frozen=True, eq=False)
class GaussianProcess:
    """The mean of a Gaussian process, given what it was fitted on.

    Parameters
    ----------
    scaling : Scaling
    inputs : (n_inputs, n_selected) float64 array
        Scaled rows of training.
    dual : (n_inputs,) float64 array
        Weights of their kernels: variance (variance K + noise)^-1 (y - mean).
    mean : float
        Far from all of them.
    length : float
        Of the kernel.
    low, high : float
        Bounds of predictions.

    Raises
    ------
    ValueError
        For arrays that do not fit together, or numbers that are not finite.
    """

    scaling: Scaling
    inputs: NDArray[np.float64]
    dual: NDArray[np.float64]
    mean: float
    length: float
    low: float
    high: float

    def __post_init__(self) -> None:
        inputs = settle_array(self, "inputs", np.float64, (None, len(self.scaling)))
        settle_array(self, "dual", np.float64, (inputs.shape[0],))
        check_number(self, "mean")
        check_number(self, "length", 1e-6, 1e6)
        check_bounds(self)

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the expected values of (n, n_columns) rows, (n,) float64."""
        scaled = self.scaling.apply(X)
        values = np.empty(len(X))
        rows = max(1, _BLOCK_NUMBERS // max(1, len(self.inputs)))
        for start in range(0, len(X), rows):
            block = slice(start, start + rows)
            values[block] = matern(scaled[block], self.inputs, self.length) @ self.dual
        return np.clip(values + self.mean, self.low, self.high)
