"""Linear regression on scaled columns, its penalty chosen by cross-validation or by evidence."""

from __future__ import annotations

from typing import Any

import numpy as np

from predictors.members import Constant, Linear, Member, Scaling
from predictors.regressors.rows import Floats, Indices, range_of

__all__ = ["fit_bayesian_ridge", "fit_ridge"]

_PENALTIES = np.logspace(-2, 4, 25)


def fit_ridge(
    X: Floats, y: Floats, columns: Indices | None = None, seed: int = 0, weight: Floats | None = None
) -> Member:
    """Fit a ridge regression whose penalty has the least error in leaving each row out.

    Parameters
    ----------
    X, y, columns, seed, weight
        See `predictors.regressors.rows.Fit`; nothing is drawn.
    """
    from sklearn.linear_model import RidgeCV

    del seed  # Every fit takes one.
    return _fitted(RidgeCV(_PENALTIES), X, y, columns, weight)


def fit_bayesian_ridge(
    X: Floats, y: Floats, columns: Indices | None = None, seed: int = 0, weight: Floats | None = None
) -> Member:
    """Fit a ridge regression whose penalty has the largest evidence.

    Parameters
    ----------
    X, y, columns, seed, weight
        See `predictors.regressors.rows.Fit`; nothing is drawn.

    References
    ----------
    MacKay (1992), doi:10.1162/neco.1992.4.3.415
    """
    from sklearn.linear_model import BayesianRidge

    del seed  # Every fit takes one.
    return _fitted(BayesianRidge(), X, y, columns, weight)


def _fitted(estimator: Any, X: Floats, y: Floats, columns: Indices | None, weight: Floats | None) -> Member:
    scaling = Scaling.fit(X, columns)
    if not len(scaling) or np.ptp(y) == 0:
        return Constant(float(np.average(y, weights=weight)))
    estimator.fit(scaling.apply(X), y, sample_weight=weight)
    return Linear(scaling, np.asarray(estimator.coef_, dtype=np.float64), float(estimator.intercept_), *range_of(y))
