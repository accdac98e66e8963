"""Columns as members read them: selected, filled where undefined, put on a logarithmic scale, standardised, clipped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictors.members.member import check_number, settle_array, wrong

__all__ = ["Columns", "Scaling"]


@dataclass(frozen=True, eq=False)
class Columns:
    """A selection of columns.

    Parameters
    ----------
    indices : (n_selected,) int64 array
    fill : (n_selected,) float64 array
        What stands for an undefined value of each.

    Raises
    ------
    ValueError
        For arrays that do not fit together, or a negative index.
    """

    indices: NDArray[np.int64]
    fill: NDArray[np.float64]

    def __post_init__(self) -> None:
        indices = settle_array(self, "indices", np.int64, (None,))
        settle_array(self, "fill", np.float64, indices.shape)
        if (self.indices < 0).any():
            raise wrong(self, f"indices go down to {self.indices.min()}; they must be at least 0")

    def __len__(self) -> int:
        return len(self.indices)

    def take(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the selected columns of rows, (n, n_selected) float64 without NaN.

        Raises
        ------
        ValueError
            If the rows have too few columns.
        """
        needed = int(self.indices.max(initial=-1)) + 1
        if X.ndim != 2 or X.shape[1] < needed:
            raise wrong(self, f"rows have shape {X.shape}; they must be (n, {needed} or more)")
        taken = np.asarray(X[:, self.indices], dtype=np.float64)
        return np.where(np.isnan(taken), self.fill, taken)

    @classmethod
    def fit(cls, X: NDArray[np.float64], indices: NDArray[np.int64] | None = None) -> Columns:
        """Select those of some columns that vary, undefined values being filled with the median of the others.

        Parameters
        ----------
        X : (n, n_columns) float64 array
        indices : (n_selected,) int64 array, optional
            By default all columns.
        """
        own = np.arange(X.shape[1]) if indices is None else np.asarray(indices, dtype=np.int64)
        own = own[np.isfinite(X[:, own]).any(axis=0)]
        known = np.where(np.isfinite(X[:, own]), X[:, own], np.nan)
        fill = np.nanmedian(known, axis=0) if own.size else np.zeros(0)
        filled = np.where(np.isnan(known), fill, known)
        # Differences in the last digits are no variation: they would be blown up by standardisation.
        varies = np.ptp(filled, axis=0) > 1e-9 * np.abs(filled).max(axis=0, initial=0.0)
        return cls(own[varies].astype(np.int64), fill[varies])


@dataclass(frozen=True, eq=False)
class Scaling:
    """Columns on the scale of their variation in training.

    Parameters
    ----------
    columns : Columns
    logarithmic : bool
        Whether sign(x) log(1 + abs(x)) is taken first.
    centre, scale : (n_selected,) float64 arrays
    clip : float
        Limit of the standardised values, on both sides. Without it, columns far beyond training make linear
        predictions meaningless.

    Raises
    ------
    ValueError
        For arrays that do not fit together, or a scale or limit that is not positive.
    """

    columns: Columns
    logarithmic: bool
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    clip: float = 2.5

    def __post_init__(self) -> None:
        for name in ("centre", "scale"):
            settle_array(self, name, np.float64, (len(self.columns),))
        if (self.scale <= 0).any():
            raise wrong(self, f"scale goes down to {self.scale.min()}; it must be positive")
        check_number(self, "clip", 1e-3, 1e3)

    def __len__(self) -> int:
        return len(self.columns)

    def apply(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scaled columns of rows, (n, n_selected) float64."""
        with np.errstate(over="ignore"):  # What is too large for a float is clipped as well.
            z = (_logarithm(self.columns.take(X), self.logarithmic) - self.centre) / self.scale
        return np.clip(z, -self.clip, self.clip)

    @classmethod
    def fit(
        cls, X: NDArray[np.float64], indices: NDArray[np.int64] | None = None, *, logarithmic: bool = True
    ) -> Scaling:
        """Learn medians, means and standard deviations of some columns; without `indices`, of all."""
        columns = Columns.fit(X, indices)
        taken = _logarithm(columns.take(np.where(np.isfinite(X), X, np.nan)), logarithmic)
        # What varies by less than numbers can tell has no scale.
        kept = taken.std(axis=0) > 0
        columns, taken = Columns(columns.indices[kept], columns.fill[kept]), taken[:, kept]
        return cls(columns, logarithmic, taken.mean(axis=0), taken.std(axis=0))


def _logarithm(values: NDArray[np.float64], logarithmic: bool) -> NDArray[np.float64]:
    return np.sign(values) * np.log1p(np.abs(values)) if logarithmic else values
