"""Dates as numbers: when, and where in the year, the week and the day."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PARTS", "numbers_of_dates", "telling_parts"]

_DAY = 86_400e6
"""Microseconds."""

_PERIODS = {"year": 365.2425, "week": 7.0, "day": 1.0}
"""Days after which what it names comes again."""

PARTS = ("days", *_PERIODS)
"""What is taken of a date: days since 1970, and places in a year, a week and a day, as cosine and sine."""


def telling_parts(dates: NDArray[np.datetime64]) -> tuple[str, ...]:
    """Return the parts that differ between some dates; none where there is one date alone."""
    days = _days(dates)
    if len(days) == 0 or days.min() == days.max():
        return ()
    parts = ["days"]
    if days.max() - days.min() > _PERIODS["year"]:
        parts.append("year")
    if len(np.unique(np.floor(days) % 7)) > 1:
        parts.append("week")
    if len(np.unique(np.round(days % 1, 6))) > 1:
        parts.append("day")
    return tuple(parts)


def numbers_of_dates(name: str, dates: NDArray[np.datetime64], parts: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Return columns of numbers by their names, NaN where there is no date."""
    days, found = _days(dates), dict[str, NDArray[Any]]()
    for part in parts:
        if part == "days":
            found[f"{name}: days"] = days
            continue
        angle = 2 * np.pi * days / _PERIODS[part]
        if part == "week":
            angle = 2 * np.pi * np.floor(days) / _PERIODS[part]
        found[f"{name}: {part}, cosine"], found[f"{name}: {part}, sine"] = np.cos(angle), np.sin(angle)
    return found


def _days(dates: NDArray[np.datetime64]) -> NDArray[np.float64]:
    days = dates.astype("datetime64[us]").astype(np.int64) / _DAY
    days[np.isnat(dates)] = np.nan
    return days
