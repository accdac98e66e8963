"""What the functions that fit share: types, and the range of values."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from predictors.members import Member

__all__ = ["Fit", "Floats", "Indices", "range_of"]

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_MARGIN = 0.1


class Fit(Protocol):
    """A function that fits a member.

    It takes rows (n, n_columns) float64 with NaN where undefined, values (n,), the columns that the member may use (all
    by default), a seed for whatever is drawn, and weights of the rows (equal by default).
    """

    def __call__(
        self, X: Floats, y: Floats, columns: Indices | None = None, seed: int = 0, weight: Floats | None = None
    ) -> Member:
        """Return the fitted member."""


def range_of(y: Floats) -> tuple[float, float]:
    """Return the range of values with a tenth of its width on both sides, the bounds of what members predict."""
    low, high = float(y.min()), float(y.max())
    margin = _MARGIN * (high - low)
    return low - margin, high + margin
