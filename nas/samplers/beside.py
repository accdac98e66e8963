"""Beside: parameters of one's own that no wiring follows from, such as a learning rate: asked for, and as columns."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial

__all__ = ["Beside", "ask_beside"]

Floats = NDArray[np.float64]

_NEAR = 0.1
"""Standard deviation of a step, as a share of a range."""
_OTHER_CHOICE = 0.2
"""Share of steps that take another one of some choices."""
_AT_WILL = 0.25
"""Share of draws that are near nothing."""


def ask_beside(trial: Any, distributions: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    """Ask a trial for parameters of these distributions."""
    found: dict[str, Any] = {}
    for name, given in distributions.items():
        if isinstance(given, CategoricalDistribution):
            found[name] = trial.suggest_categorical(name, given.choices)
        elif isinstance(given, IntDistribution):
            found[name] = trial.suggest_int(name, given.low, given.high, step=given.step, log=given.log)
        else:
            assert isinstance(given, FloatDistribution)
            found[name] = trial.suggest_float(name, given.low, given.high, step=given.step, log=given.log)
    return found


@dataclass(frozen=True)
class Beside:
    """Parameters with their distributions, by name.

    A number is one column, from 0 to 1 over its range, on the scale of its distribution; a choice is a column of each.
    """

    distributions: Mapping[str, BaseDistribution]

    @classmethod
    def of(cls, trials: Iterable[FrozenTrial], others: Collection[str]) -> Beside:
        """Return what all of some trials have, as the first of them has it, without the names of `others`."""
        found: dict[str, BaseDistribution] | None = None
        for trial in trials:
            if found is None:
                own = trial.distributions.items()
                found = {name: given for name, given in own if name not in others and not given.single()}
            found = {name: given for name, given in found.items() if name in trial.params}
        return cls(found or {})

    def __bool__(self) -> bool:
        return bool(self.distributions)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column for column, _ in self._columns)

    @cached_property
    def groups(self) -> tuple[int, ...]:
        """Which parameter each column is of, from 1."""
        order = list(self.distributions)
        return tuple(order.index(name) + 1 for _, name in self._columns)

    @cached_property
    def _columns(self) -> list[tuple[str, str]]:
        columns = []
        for name, given in self.distributions.items():
            if isinstance(given, CategoricalDistribution):
                columns += [(f"{name}={choice}", name) for choice in given.choices]
            else:
                columns.append((name, name))
        return columns

    def own(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of a trial's parameters that are among these."""
        return {name: params[name] for name in self.distributions if name in params}

    def rows(self, params: Sequence[Mapping[str, Any]]) -> Floats:
        """Return the columns of trials, (n, n_columns) float, NaN where a trial has not got a parameter."""
        found = np.full((len(params), len(self.names)), np.nan)
        place = 0
        for name, given in self.distributions.items():
            width = len(given.choices) if isinstance(given, CategoricalDistribution) else 1
            for row, own in zip(found, params, strict=True):
                if name in own:
                    row[place : place + width] = _encoded(given, own[name])
            place += width
        return found

    def draw(self, rng: np.random.Generator, near: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """Draw parameters, at will or near those of one of some trials."""
        good = None
        if near and rng.random() >= _AT_WILL:
            good = near[int(rng.random() * len(near))]
        return {
            name: _drawn(rng, given, None if good is None else good.get(name))
            for name, given in self.distributions.items()
        }


def _bounds(given: FloatDistribution | IntDistribution) -> tuple[float, float]:
    """Return the ends of a range, on a logarithmic scale where the distribution has one."""
    low, high = float(given.low), float(given.high)
    return (math.log(low), math.log(high)) if given.log else (low, high)


def _encoded(given: BaseDistribution, value: Any) -> Floats:
    if isinstance(given, CategoricalDistribution):
        # Others than the choices of today are none of them.
        return np.array([float(choice == value) for choice in given.choices])
    assert isinstance(given, FloatDistribution | IntDistribution)
    low, high = _bounds(given)
    if given.log and value <= 0:
        return np.array([0.0])
    place = math.log(value) if given.log else float(value)
    return np.array([min(max((place - low) / (high - low), 0.0), 1.0)])


def _drawn(rng: np.random.Generator, given: BaseDistribution, good: Any) -> Any:
    """Draw a value at will, or near a good one."""
    if isinstance(given, CategoricalDistribution):
        if good in given.choices and rng.random() >= _OTHER_CHOICE:
            return good
        return given.choices[int(rng.random() * len(given.choices))]
    assert isinstance(given, FloatDistribution | IntDistribution)
    place = float(rng.random())
    if good is not None:
        place = min(max(float(_encoded(given, good)[0]) + _NEAR * float(rng.normal()), 0.0), 1.0)
    low, high = _bounds(given)
    value = low + place * (high - low)
    if given.log:
        value = math.exp(value)
    if given.step is not None:
        value = given.low + round((value - given.low) / given.step) * given.step
    value = min(max(value, given.low), given.high)
    return int(value) if isinstance(given, IntDistribution) else float(value)
