"""Whether more or less is better, as a sign. Imports nothing."""

from __future__ import annotations

__all__ = ["sign_of"]


def sign_of(direction: str) -> float:
    """Return 1 to maximize and -1 to minimize: a better value is one whose product with it is larger."""
    return 1.0 if direction == "maximize" else -1.0
