"""Members of members."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictors.members.member import Member, check_bounds, check_number

__all__ = ["Hurdle", "Mean"]


@dataclass(frozen=True, eq=False)
class Mean:
    """The mean of two members, within bounds.

    Raises
    ------
    ValueError
        If the bounds are not two finite numbers in order.
    """

    first: Member
    second: Member
    low: float
    high: float

    def __post_init__(self) -> None:
        check_bounds(self)

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the expected values of (n, n_columns) rows, (n,) float64."""
        return np.clip((self.first.predict(X) + self.second.predict(X)) / 2, self.low, self.high)


@dataclass(frozen=True, eq=False)
class Hurdle:
    """An expectation in two parts: whether a network trains at all, and how well if it does.

    Parameters
    ----------
    trains : Member
        Probability that a network trains.
    value : Member
        Expected value of those that do.
    collapsed : float
        Mean value of those that do not.

    References
    ----------
    Mullahy (1986), doi:10.1016/0304-4076(86)90002-3
    """

    trains: Member
    value: Member
    collapsed: float

    def __post_init__(self) -> None:
        check_number(self, "collapsed")

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the expected values of (n, n_columns) rows, (n,) float64."""
        share = np.clip(self.trains.predict(X), 0.0, 1.0)
        return share * self.value.predict(X) + (1 - share) * self.collapsed
