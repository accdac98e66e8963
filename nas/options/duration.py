"""Duration: a span of time as people write it."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from nas.errors import InputError

__all__ = ["UNITS", "duration_of", "seconds_of"]

UNITS: dict[str, int] = {"": 1, "s": 1, "min": 60, "m": 60, "h": 3_600, "d": 86_400}
"""Seconds by the word behind the number."""

_WRITTEN = re.compile(r"\s*([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([A-Za-z]*)\s*")


def seconds_of(written: Any) -> float:
    """Return the seconds of a number, which counts them, or of text such as 90s, 10m or 2h.

    Raises
    ------
    InputError
        For what is no number with a known unit, or nothing at all.
    """
    found = None if isinstance(written, bool) else _WRITTEN.fullmatch(str(written))
    if found is None or found[2].lower() not in UNITS:
        raise InputError(f"timeout={written}: it must be a number and a unit, such as 90s, 10m or 2h")
    seconds = Fraction(found[1]) * UNITS[found[2].lower()]
    if not Fraction(1, 10**6) <= seconds <= 10**9:
        raise InputError(f"timeout={written}: it must be more than 0, and 30 years at most")
    return float(seconds)


def duration_of(written: Any) -> str:
    """Return the same span in its largest unit of which it is a whole multiple; see `seconds_of`."""
    seconds = seconds_of(written)
    for unit in ("d", "h", "m"):
        if seconds % UNITS[unit] == 0:
            return f"{seconds / UNITS[unit]:.0f}{unit}"
    return f"{seconds:.6f}".rstrip("0").rstrip(".") + "s"
