"""What a prediction rests on: shares of families of features, for one wiring and for all of them.

These are associations: they say what the predictor uses, not what would happen if a wiring were changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from predictors.features.reads import READ_FEATURES
from predictors.features.table import FEATURES

__all__ = ["association", "contributions", "families_of", "shap_values"]

Predict = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def families_of(names: Sequence[str]) -> tuple[str, ...]:
    """Return the family of every column; columns that are in neither catalogue are a family of their own, "own"."""
    known = FEATURES | READ_FEATURES
    return tuple(known[name].family if name in known else "own" for name in names)


def contributions(
    predict: Predict,
    X: NDArray[np.float64],
    families: Sequence[str],
    background: NDArray[np.float64],
    *,
    permutations: int = 4,
    seed: int = 0,
) -> dict[str, NDArray[np.float64]]:
    """Divide the difference between predictions and the mean prediction of a background among families of columns.

    Shapley values of families, over random orders and their reverses: a family's contribution is the mean change of the
    prediction when its columns change from a background row's values to the wiring's own, after the columns of the
    families before it. For each wiring they sum to its prediction less the mean prediction of the background.

    Parameters
    ----------
    predict : callable
        From (n, n_columns) to (n,).
    X : (n, n_columns) float array
    families : sequence of str
        One name a column.
    background : (n_background, n_columns) float array
        Rows that stand for a typical wiring.
    permutations : int
        Orders to draw; each is also taken in reverse.
    seed : int

    Returns
    -------
    dict
        (n,) float arrays by family.

    References
    ----------
    Strumbelj and Kononenko (2014), doi:10.1007/s10115-013-0679-x
    """
    names = tuple(dict.fromkeys(families))
    columns = [np.flatnonzero(np.array(families) == name) for name in names]
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(names)) for _ in range(permutations)]
    orders += [order[::-1] for order in orders]
    found = np.zeros((len(X), len(names)))
    for row, x in enumerate(X):
        steps = np.concatenate([_steps(x, background, columns, order) for order in orders])
        means = predict(steps).reshape(len(orders), len(names) + 1, len(background)).mean(axis=2)
        for order, mean in zip(orders, means, strict=True):
            found[row, order] += np.diff(mean) / len(orders)
    return {name: found[:, index] for index, name in enumerate(names)}


def _steps(
    x: NDArray[np.float64], background: NDArray[np.float64], columns: list[NDArray[np.int64]], order: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the background rows, and them again after each family of an order was taken from the wiring."""
    current = background.copy()
    steps = [current.copy()]
    for family in order.tolist():
        current[:, columns[family]] = x[columns[family]]
        steps.append(current.copy())
    return np.concatenate(steps)


def association(
    predict: Predict,
    X: NDArray[np.float64],
    y: NDArray[np.float64],
    families: Sequence[str],
    rng: np.random.Generator,
    repeats: int = 5,
) -> dict[str, float]:
    """Return how much of R2 is lost when the columns of a family are shuffled together between wirings.

    Parameters
    ----------
    predict : callable
        Fitted on other rows than these.
    X : (n, n_columns) float array
    y : (n,) float array
    families : sequence of str
        One name a column.
    rng : Generator
    repeats : int
        Shuffles of every family.

    References
    ----------
    Breiman (2001), doi:10.1023/A:1010933404324
    """
    total = float(np.square(y - y.mean()).sum())
    if total == 0:
        return dict.fromkeys(families, 0.0)
    error = float(np.square(y - predict(X)).sum())
    lost = {}
    for name in dict.fromkeys(families):
        columns = np.flatnonzero(np.array(families) == name)
        shuffled = np.tile(X, (repeats, 1))
        order = np.concatenate([rng.permutation(len(X)) for _ in range(repeats)])
        shuffled[:, columns] = X[order][:, columns]
        errors = np.square(np.tile(y, repeats) - predict(shuffled)).sum() / repeats
        lost[name] = float(errors - error) / total
    return lost


def shap_values(predict: Predict, X: NDArray[np.float64], background: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide predictions among single columns instead of families, by the package shap, (n, n_columns) float.

    Columns that measure nearly the same share their part between them at random: read families first.

    Parameters
    ----------
    predict, X, background
        As in `contributions`.

    Raises
    ------
    ValueError
        If the package is not installed.

    References
    ----------
    Lundberg and Lee (2017), arXiv:1705.07874
    """
    try:
        import shap
    except ImportError:
        raise ValueError("SHAP values need the package shap: pip install 'wirenas[explain]'") from None
    explainer = shap.explainers.Permutation(predict, shap.maskers.Independent(background, max_samples=len(background)))
    found: NDArray[np.float64] = explainer(X, max_evals=2 * X.shape[1] + 1, silent=True).values
    return found
