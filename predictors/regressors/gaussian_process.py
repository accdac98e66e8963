"""Gaussian-process regression with the Matern 5/2 kernel, its two parameters by marginal likelihood."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from predictors.members import Constant, GaussianProcess, Member, Scaling
from predictors.members.gaussian_process import matern
from predictors.regressors.rows import Floats, Indices, range_of

__all__ = ["best_parameters", "fit_gaussian_process", "likeliest"]

_MOST_ROWS = 800
_MOST_ROWS_FOR_PARAMETERS = 300
_NOISES = np.logspace(-3, 2, 31)
_LENGTHS = np.logspace(-0.5, 1.5, 9)
_REFINEMENTS = 2


def fit_gaussian_process(
    X: Floats, y: Floats, columns: Indices | None = None, seed: int = 0, weight: Floats | None = None
) -> Member:
    """Fit a Gaussian process to at most 800 rows, which the seed chooses where there are more.

    Parameters
    ----------
    X, y, columns, seed, weight
        See `predictors.regressors.rows.Fit`; a row's noise is divided by its weight.

    References
    ----------
    Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, algorithm 2.1
    """
    from scipy.linalg import cho_factor, cho_solve

    scaling = Scaling.fit(X, columns)
    mean, unit = float(np.average(y, weights=weight)), float(y.std())
    if not len(scaling) or unit == 0:
        return Constant(mean)
    order = np.random.default_rng(seed).permutation(len(y))
    chosen = order[:_MOST_ROWS]
    inputs, values = scaling.apply(X[chosen]), (y[chosen] - mean) / unit
    few = slice(_MOST_ROWS_FOR_PARAMETERS)
    length, noise = best_parameters(inputs[few], values[few])
    shares = np.ones(len(chosen)) if weight is None else weight[chosen] / weight.mean()
    kernel = matern(inputs, inputs, length) + np.diag(noise / shares)
    dual = unit * cho_solve(cho_factor(kernel, lower=True), values)
    return GaussianProcess(scaling, inputs, dual, mean, length, *range_of(y))


def best_parameters(inputs: Floats, values: Floats, expected: float | None = None) -> tuple[float, float]:
    """Return the length of the kernel between rows, and the noise, with the largest marginal likelihood.

    Parameters
    ----------
    inputs : (n, k) float64 array
    values : (n,) float64 array
        With a mean of about 0.
    expected : float, optional
        See `likeliest`; over sqrt(k).
    """
    return likeliest(
        lambda length: matern(inputs, inputs, length), values, math.sqrt(inputs.shape[1]), expected=expected
    )


def likeliest(
    kernel: Callable[[float], Floats], values: Floats, typical: float, *, expected: float | None = None
) -> tuple[float, float]:
    """Return the length of a kernel, and the noise over the signal's variance, with the largest marginal likelihood.

    A single ascent often ends where all is noise. One eigendecomposition gives the likelihood of all noises at once, so
    a grid of lengths is walked instead, and twice refined. Negative eigenvalues count as 0.

    Parameters
    ----------
    kernel : callable
        From a length to the (n, n) kernel.
    values : (n,) float64 array
        With a mean of about 0.
    typical : float
        Length in the midst of those that are tried.
    expected : float, optional
        Length that is expected, over `typical`; its logarithm then has a normal prior of standard deviation 1. Ten rows
        do not tell a length, and a short one lets a search see a chance wherever nothing is known.
    """

    def fitness(length: float) -> tuple[float, float]:
        likelihood, noise = _best_noise(kernel(length * typical), values)
        return likelihood - (0.0 if expected is None else 0.5 * math.log(length / expected) ** 2), noise

    tried = {length: fitness(length) for length in _LENGTHS.tolist()}
    step = math.sqrt(_LENGTHS[1] / _LENGTHS[0])
    for _ in range(_REFINEMENTS):
        best = max(tried, key=lambda length: tried[length][0])
        for length in (best / step, best * step):
            tried[length] = fitness(length)
        step = math.sqrt(step)
    best = max(tried, key=lambda length: tried[length][0])
    return best * typical, tried[best][1]


def _best_noise(kernel: Floats, values: Floats) -> tuple[float, float]:
    """Return the largest log marginal likelihood of a kernel, the signal's variance being the best, and its noise."""
    from scipy.linalg import eigh

    eigenvalues, vectors = eigh(kernel)
    squares = np.square(vectors.T @ values)
    spectrum = np.maximum(eigenvalues, 0.0)[:, None] + _NOISES
    variance = (squares[:, None] / spectrum).mean(axis=0)
    likelihood = -0.5 * (len(values) * np.log(variance) + np.log(spectrum).sum(axis=0))
    best = int(likelihood.argmax())
    return float(likelihood[best]), float(_NOISES[best])
