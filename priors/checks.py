"""Checks of parameters that several modules share; every message says what, which value and which rule."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from numbers import Real
from typing import Any

__all__ = ["choice", "fraction", "number", "settle", "whole"]


def whole(
    owner: str, name: str, value: Any, low: int, high: int | None = None, *, limit: str = "", even: bool = False
) -> int:
    """Return an integer parameter as an int, or raise.

    Parameters
    ----------
    owner, name : str
        Who needs the parameter, and what it is called.
    value : int
        Anything that is an integer, numpy's included.
    low, high : int
        Bounds, both included; without `high` there is no upper one. Where `even` is true `low` is even.
    limit : str
        How `high` follows from other parameters, for the message.
    even : bool
        Whether only even numbers will do.

    Raises
    ------
    ValueError
        If the value is no integer, is out of bounds, or is odd where it must be even.
    """
    step = 2 if even else 1
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is not None and low <= number and (high is None or number <= high) and number % step == 0:
        return number
    above = "" if high is None else f" <= {limit} = {high}" if limit else f" <= {high}"
    rule = f"{owner} needs an {'even' if even else 'integer'} {name} with {low} <= {name}{above}"
    raise ValueError(f"{name}={value!r}: {rule}{_nearest(value, low, high, step)}")


def _nearest(value: Any, low: int, high: int | None, step: int) -> str:
    given = float(value) if isinstance(value, Real) else math.nan
    if not math.isfinite(given):
        return ""
    number = max(step * round(given / step), low)
    if high is not None:
        number = min(number, high - high % step)
    return f"; nearest valid is {number}" if number >= low else "; there is none"


def number(value: Any) -> float:
    """Return a real number as a float, and NaN for what is none."""
    return float(value) if isinstance(value, Real) else math.nan


def fraction(owner: str, name: str, value: Any, *, positive: bool = False) -> float:
    """Return a parameter between 0 and 1 as a float, or raise; where `positive`, 0 itself is refused.

    Raises
    ------
    ValueError
        If the value is no number or out of bounds.
    """
    given = number(value)
    if 0 < given <= 1 or (given == 0 and not positive):
        return given
    rule = f"{owner} needs a number with 0 {'<' if positive else '<='} {name} <= 1"
    nearest = "; nearest valid is 1" if given > 1 else "; nearest valid is 0" if given < 0 and not positive else ""
    raise ValueError(f"{name}={value!r}: {rule}{nearest}")


def choice(owner: str, name: str, value: Any, options: Sequence[str]) -> str:
    """Return a parameter that is one of a few words, or raise.

    Raises
    ------
    ValueError
        If the value is none of them.
    """
    if isinstance(value, str) and value in options:
        return value
    raise ValueError(f"{name}={value!r}: {owner} knows {', '.join(map(repr, options))}")


def settle(instance: object, **values: Any) -> None:
    """Set checked values on a frozen dataclass while it is being constructed."""
    for name, value in values.items():
        object.__setattr__(instance, name, value)
