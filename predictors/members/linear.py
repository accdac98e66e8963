"""Members that are a number, or linear in scaled columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictors.members.member import check_bounds, check_number, settle_array
from predictors.members.scaling import Scaling
from priors.checks import choice

__all__ = ["Constant", "Linear"]


@dataclass(frozen=True, eq=False)
class Constant:
    """The same value for all.

    Raises
    ------
    ValueError
        If `value` is not finite.
    """

    value: float

    def __post_init__(self) -> None:
        check_number(self, "value")

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the value for each of (n, n_columns) rows."""
        return np.full(len(X), self.value)


@dataclass(frozen=True, eq=False)
class Linear:
    """A weighted sum of scaled columns.

    Parameters
    ----------
    scaling : Scaling
    coefficients : (n_selected,) float64 array
    intercept : float
    low, high : float
        Bounds of predictions.
    link : {"identity", "logistic"}
        What turns the sum into the prediction; "logistic" gives a probability.

    Raises
    ------
    ValueError
        For arrays that do not fit together, or numbers that are not finite.
    """

    scaling: Scaling
    coefficients: NDArray[np.float64]
    intercept: float
    low: float
    high: float
    link: str = "identity"

    def __post_init__(self) -> None:
        settle_array(self, "coefficients", np.float64, (len(self.scaling),))
        check_number(self, "intercept")
        check_bounds(self)
        choice("Linear", "link", self.link, ("identity", "logistic"))

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the expected values of (n, n_columns) rows, (n,) float64."""
        total = self.scaling.apply(X) @ self.coefficients + self.intercept
        # The hyperbolic tangent, unlike the exponential function, cannot overflow.
        values = total if self.link == "identity" else 0.5 * (1 + np.tanh(0.5 * total))
        return np.clip(values, self.low, self.high)
