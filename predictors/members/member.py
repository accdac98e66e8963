"""The protocol of members, and the checks that they share."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from priors.checks import settle

__all__ = ["Member", "check_bounds", "check_number", "settle_array", "wrong"]


class Member(Protocol):
    """A fitted regressor, or a part of one."""

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the expected values of rows: (n, n_columns) float64 to (n,) float64."""


def wrong(member: object, rule: str) -> ValueError:
    """Return the error of a member that breaks a rule."""
    return ValueError(f"{type(member).__name__}: {rule}")


def settle_array(
    member: object, name: str, dtype: type[np.generic], shape: tuple[int | None, ...]
) -> NDArray[np.generic]:
    """Keep an own, write-protected copy of an array of a member that is being constructed.

    Parameters
    ----------
    member : object
        A frozen dataclass.
    name : str
        Of its field.
    dtype : numpy type
    shape : tuple
        None stands for any length.

    Raises
    ------
    ValueError
        If the array is of another type or shape, or holds a number that is not finite.
    """
    value: ArrayLike = getattr(member, name)
    array = np.array(value, order="C")
    lengths = ", ".join("any" if length is None else str(length) for length in shape)
    if array.dtype != dtype:
        raise wrong(member, f"{name} is of type {array.dtype}; it must be {np.dtype(dtype)}")
    if array.ndim != len(shape) or any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
        raise wrong(member, f"{name} has shape {array.shape}; it must be ({lengths})")
    if not np.isfinite(array).all():
        raise wrong(member, f"{name} holds a number that is not finite")
    array.flags.writeable = False
    settle(member, **{name: array})
    return array


def check_number(member: object, name: str, low: float = -math.inf, high: float = math.inf) -> None:
    """Keep a scalar of a member as a float.

    Raises
    ------
    ValueError
        If it is no finite number, or lies outside of `low` to `high`, which are included.
    """
    value: Any = getattr(member, name)
    try:
        number = float(value) if not isinstance(value, bool) and isinstance(value, Real) else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or not low <= number <= high:
        raise wrong(member, f"{name}={value!r:.40}; it must be a finite number from {low:g} to {high:g}")
    settle(member, **{name: number})


def check_bounds(member: object) -> None:
    """Check the fields `low` and `high`, between which a member's predictions lie.

    Raises
    ------
    ValueError
        If they are not two finite numbers in order.
    """
    check_number(member, "low")
    low: float = vars(member)["low"]
    check_number(member, "high", low)
