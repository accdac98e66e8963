"""Chaotic series by their equations, which every machine computes to the same last bit.

Two series that differ in one bit soon differ everywhere. So nothing here calls a function of the mathematical library,
not even for a power: its last digits are others on other processors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["AHEAD", "BEFORE", "integrate_lorenz", "integrate_mackey_glass"]

Floats = NDArray[np.float64]

AHEAD = 10
"""Steps that series are to be foreseen by."""
BEFORE = 1_000
"""Steps until a series is on its attractor."""

_DELAY, _FINE = 17, 10
"""Of Mackey and Glass: delay, and steps of the integration in a unit of time."""


def integrate_mackey_glass(n_steps: int, start: float = 1.2, fine: int = _FINE) -> Floats:
    """Return the Mackey-Glass series of a constant past, (n_steps,), one number a unit of time."""
    lag, h = _DELAY * fine, 1.0 / fine
    x = [start] * (lag + 1)

    def slope(now: float, past: float) -> float:
        square = past * past
        fourth = square * square
        return 0.2 * past / (1.0 + fourth * fourth * square) - 0.1 * now

    for i in range(n_steps * fine):
        now, past, later = x[-1], x[i], x[i + 1]
        between = 0.5 * (past + later)
        one = slope(now, past)
        two = slope(now + 0.5 * h * one, between)
        three = slope(now + 0.5 * h * two, between)
        four = slope(now + h * three, later)
        x.append(now + h / 6.0 * (one + 2.0 * two + 2.0 * three + four))
    return np.array(x[lag + fine :: fine])


def integrate_lorenz(n_steps: int, fine: int = 4) -> Floats:
    """Return Lorenz' series for sigma = 10, rho = 28 and beta = 8/3, (n_steps, 3), one row in 0.02 units of time."""
    h = 0.02 / fine
    state, found = (1.0, 1.0, 1.0), np.empty((n_steps, 3))

    def slope(x: float, y: float, z: float) -> tuple[float, float, float]:
        return 10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z

    def after(step: float, change: tuple[float, float, float]) -> tuple[float, float, float]:
        (x, y, z), (dx, dy, dz) = state, change
        return x + step * dx, y + step * dy, z + step * dz

    for row in found:
        for _ in range(fine):
            one = slope(*state)
            two = slope(*after(0.5 * h, one))
            three = slope(*after(0.5 * h, two))
            four = slope(*after(h, three))
            x, y, z = (a + 2.0 * b + 2.0 * c + d for a, b, c, d in zip(one, two, three, four, strict=True))
            state = after(h / 6.0, (x, y, z))
        row[:] = state
    return found
