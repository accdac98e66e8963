"""Budget: what a network may cost, in parameters, bytes or multiplications."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from nas.errors import InputError

__all__ = ["UNITS", "Budget"]

Unit = Literal["parameters", "bytes", "MAC"]

UNITS: dict[str, tuple[Unit, int]] = {
    "": ("parameters", 1),
    "k": ("parameters", 1_000),
    "parameters": ("parameters", 1),
    "B": ("bytes", 1),
    "kB": ("bytes", 1_000),
    "KiB": ("bytes", 1_024),
    "MB": ("bytes", 1_000_000),
    "MiB": ("bytes", 1_048_576),
    "MAC": ("MAC", 1),
    "kMAC": ("MAC", 1_000),
    "MMAC": ("MAC", 1_000_000),
}
"""Words behind the number of a budget: what they count, and how many of it."""

_WRITTEN = re.compile(r"\s*([0-9][0-9_]*(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*")
_INDEX_BITS = 16
"""For the number of the neuron that a weight reads, and for how many weights a neuron has."""


@dataclass(frozen=True)
class Budget:
    """What a network may cost.

    Parameters
    ----------
    amount : int
    unit : {"parameters", "bytes", "MAC"}
        parameters: weights on a way from an input to an output unit, and biases of neurons on one. MAC: these weights,
        each of which multiplies once an example, or once a time step. bytes: each of these weights and biases at the
        precision and 16 bits of index, as in a file that lists for each neuron its bias, how many weights it has, and
        these weights with the numbers of the neurons that they read. The factors of 8 bits, one for each matrix of
        weights and one for all biases, come on top.
    """

    amount: int
    unit: Unit = "parameters"

    @classmethod
    def of(cls, value: Any) -> Budget:
        """Return the budget of a number, which counts parameters, or of text such as 3000, 12KiB or 50kMAC.

        Raises
        ------
        InputError
            For what is no number with a known unit, or nothing at all.
        """
        if isinstance(value, Budget):
            return value
        written = _WRITTEN.fullmatch(str(value)) if not isinstance(value, bool) else None
        names = {name.lower(): name for name in UNITS}
        if written is None or written[2].lower() not in names:
            units = ", ".join(name for name in UNITS if name)
            raise InputError(f"budget={value}: it must be a number and a unit, such as 3000 (parameters), 12KiB or "
                             f"50kMAC; units are {units}")  # fmt: skip
        unit, size = UNITS[names[written[2].lower()]]
        exact = Fraction(written[1].replace("_", "")) * size
        if not 1 <= exact < 2**53:
            raise InputError(f"budget={value}: it must be at least 1 and less than 2^53")
        return cls(int(exact), unit)

    def __str__(self) -> str:
        """Return it as `of` reads it."""
        if self.unit == "parameters":
            return str(self.amount)
        for name, (unit, size) in sorted(UNITS.items(), key=lambda own: -own[1][1]):
            if unit == self.unit and self.amount % size == 0:
                return f"{self.amount // size}{name}"
        raise AssertionError(self.unit)

    @property
    def counts_biases(self) -> bool:
        """Whether biases cost as much as weights do; they multiply nothing."""
        return self.unit != "MAC"

    def limit(self, precision: int) -> int:
        """Return how many weights, and biases where these count, it pays for; `precision` is the bits of one."""
        if self.unit != "bytes":
            return self.amount
        return 8 * self.amount // (precision + _INDEX_BITS)

    def price(self, weights: int, biases: int, precision: int) -> int:
        """Return what so many weights and biases cost in its unit; a byte that is begun counts."""
        counted = weights + biases * self.counts_biases
        return -(-counted * (precision + _INDEX_BITS) // 8) if self.unit == "bytes" else counted
