"""SERIES: what reservoirs are asked, step by step: to remember a signal, or to foresee one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError, known
from nas.tasks.attractors import AHEAD, BEFORE, integrate_lorenz, integrate_mackey_glass

__all__ = ["SERIES", "Series", "load_series", "normalised_error", "remember"]

Floats = NDArray[np.float64]

_WASHOUT = 200
"""Steps that are not counted, at least: the states still tell of the beginning."""
_PARTS = (2_000, 1_000, 1_000)
"""Steps of the training, validation and test part."""


@dataclass(frozen=True, eq=False)
class Series:
    """A signal, and what is asked for after every step of it.

    Parameters
    ----------
    name : str
    inputs : (n_steps, n_inputs) float64 array
    wanted : (n_steps, n_outputs) float64 array
    ends : tuple of int
        The first step that counts, and those behind the training, validation and test part.
    metric : {"memory capacity", "normalised error"}
    """

    name: str
    inputs: Floats
    wanted: Floats
    ends: tuple[int, int, int, int]
    metric: Literal["memory capacity", "normalised error"]

    @property
    def n_inputs(self) -> int:
        """Numbers that are read in a step."""
        return int(self.inputs.shape[1])

    @property
    def n_outputs(self) -> int:
        """Numbers that are asked for in a step."""
        return int(self.wanted.shape[1])

    @property
    def direction(self) -> Literal["maximize", "minimize"]:
        """Whether more or less of the metric is better."""
        return "maximize" if self.metric == "memory capacity" else "minimize"

    @property
    def measure(self) -> Callable[[Floats, Floats], float]:
        """From (n_steps, n_outputs) of what was said, and what was asked for, to the metric."""
        return remember if self.metric == "memory capacity" else normalised_error

    @property
    def fingerprint(self) -> str:
        """Hexadecimal sha256 over numbers, parts and metric."""
        digest = hashlib.sha256(f"wirenas-series-1 {self.metric} {self.ends}".encode())
        for array in (self.inputs, self.wanted):
            digest.update(f" {array.shape} ".encode() + np.ascontiguousarray(array, "<f8").tobytes())
        return digest.hexdigest()

    def parts(self, steps: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the training, validation and test part of (n_steps, …) values."""
        train, validation, test = (steps[first:end] for first, end in pairwise(self.ends))
        return train, validation, test


def _memory(delays: int = 40) -> Series:
    """Return the task to say what was read 1, 2, …, `delays` steps ago, of uniform noise from -1 to 1.

    References
    ----------
    Jaeger (2001), "Short term memory in echo state networks", GMD report 152
    """
    washout = max(_WASHOUT, delays)  # Nothing is asked for that came before the signal.
    signal = np.random.default_rng(0).uniform(-1.0, 1.0, washout + sum(_PARTS))
    before = np.stack([np.roll(signal, delay) for delay in range(1, delays + 1)], axis=1)
    return Series("memory", signal[:, None], before, _ends(washout), "memory capacity")


def _mackey_glass() -> Series:
    """Return the task to foresee the Mackey-Glass series by 10 steps; x' = 0.2 x(t - 17) / (1 + x(t - 17)^10) - 0.1 x.

    It is sampled once a unit of time, and integrated by the classical Runge-Kutta method in steps of a tenth.

    References
    ----------
    Mackey and Glass (1977), doi:10.1126/science.267326
    """
    steps = _WASHOUT + sum(_PARTS) + AHEAD
    return _foreseen("mackey-glass", integrate_mackey_glass(BEFORE + steps)[BEFORE:, None])


def _lorenz() -> Series:
    """Return the task to foresee Lorenz' series of three numbers by 10 steps of 0.02 units of time.

    References
    ----------
    Lorenz (1963), doi:10.1175/1520-0469(1963)020<0130:DNF>2.0.CO;2
    """
    steps = _WASHOUT + sum(_PARTS) + AHEAD
    return _foreseen("lorenz", integrate_lorenz(BEFORE + steps)[BEFORE:])


SERIES: dict[str, Callable[[], Series]] = {"memory": _memory, "mackey-glass": _mackey_glass, "lorenz": _lorenz}
"""The series that have a name on the command line."""


def load_series(name: str, delays: int | None = None) -> Series:
    """Return the series of that name.

    Raises
    ------
    InputError
        If there is none, or `delays` are given for another one than memory.
    """
    known("series", name, SERIES)
    if delays is None:
        return SERIES[name]()
    if name != "memory":
        raise InputError(f"delays={delays}: task {name} ignores it; it is for memory")
    return _memory(delays)


# Metrics


def remember(found: Floats, wanted: Floats) -> float:
    """Return the memory capacity: the sum over delays of the squared correlation of what was said and what was asked.

    Parameters
    ----------
    found, wanted : (n_steps, n_delays) array
    """
    said, asked = found - found.mean(axis=0), wanted - wanted.mean(axis=0)
    power = (said**2).sum(axis=0) * (asked**2).sum(axis=0)
    shared = (said * asked).sum(axis=0) ** 2
    return float((shared[power > 0] / power[power > 0]).sum())


def normalised_error(found: Floats, wanted: Floats) -> float:
    """Return the root of the mean squared error over that of the mean: 0 is perfect, 1 no better than the mean.

    Parameters
    ----------
    found, wanted : (n_steps, n_outputs) array
    """
    return float(np.sqrt(np.square(found - wanted).sum() / np.square(wanted - wanted.mean(axis=0)).sum()))


def _foreseen(name: str, series: Floats) -> Series:
    """Return the task to foresee a series, which is standardised by its training part."""
    inputs, later = series[:-AHEAD], series[AHEAD:]
    ends = _ends(_WASHOUT)
    known_part = inputs[ends[0] : ends[1]]
    middle, spread = known_part.mean(axis=0), known_part.std(axis=0)
    return Series(name, (inputs - middle) / spread, (later - middle) / spread, ends, "normalised error")


def _ends(washout: int) -> tuple[int, int, int, int]:
    first, second, third, last = np.cumsum((washout, *_PARTS)).tolist()
    return first, second, third, last
