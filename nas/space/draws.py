"""Draws: the wirings of a survey, each a pure function of (seed, number)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nas.networks import NetworkSpec
from nas.seeds import stream
from nas.space.space import Space
from priors import Wiring

__all__ = ["Draw", "Draws", "Turns", "Uniform", "first_draw", "largest", "unspent"]

_MAX_DRAWS = 1000
_NEARLY = 0.95
"""The share of a limit that counts as spending it."""


@dataclass(frozen=True)
class Draw:
    """Wiring `number` of a survey, with the parameters that it can be rebuilt from."""

    number: int
    params: Mapping[str, Any]
    wiring: Wiring
    n_parameters: int


@dataclass(frozen=True)
class Uniform:
    """Chooses uniformly within every range; see `nas.space.space.Suggester`."""

    rng: np.random.Generator

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:  # noqa: ARG002
        """Choose one of `choices`."""
        return choices[int(self.rng.random() * len(choices))]

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:  # noqa: ARG002
        """Choose an integer, both ends included."""
        if log:  # Each integer stands for what rounds to it.
            return min(max(round(self._on_a_log_scale(low - 0.5, high + 0.5)), low), high)
        return low + int(self.rng.random() * (high - low + 1))

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:  # noqa: ARG002
        """Choose a number."""
        if log:
            return self._on_a_log_scale(low, high)
        return low + (high - low) * float(self.rng.random())

    def _on_a_log_scale(self, low: float, high: float) -> float:
        return math.exp(math.log(low) + math.log(high / low) * float(self.rng.random()))


@dataclass(frozen=True)
class _Largest:
    """Chooses the upper end of every range, and of names those that are given; see `nas.space.space.Suggester`."""

    names: Mapping[str, str]

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Choose the given one of `choices`, or the first."""
        return self.names.get(name, choices[0])

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:  # noqa: ARG002
        """Choose the upper end."""
        return high

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:  # noqa: ARG002
        """Choose the upper end."""
        return high


def largest(space: Space, units: tuple[int, int], size_of: Callable[[Wiring], int]) -> dict[str, int]:
    """Return about how many parameters the largest networks of a space of families have, by attachment."""
    found = {}
    for attachment in space.attachment:
        sizes = []
        for family in space.priors:
            rng = np.random.default_rng(0)
            params = {**space.suggest(_Largest({"family": family, "attachment": attachment})), **space.seeds(rng)}
            sizes.append(size_of(space.wiring(params, *units)))
        found[attachment] = max(sizes)
    return found


def unspent(space: Space, units: tuple[int, int], size_of: Callable[[Wiring], int]) -> str | None:
    """Return a line on a limit of parameters that no wiring of a space comes near; None where some do."""
    if space.max_parameters is None or space.pool is not None:
        return None
    if (found := max(largest(space, units, size_of).values())) >= _NEARLY * space.max_parameters:
        return None
    return (
        f"space.max_parameters={space.max_parameters}: the largest networks of this space have about {found}; "
        "larger space.nodes, space.degree or space.reads can spend more"
    )


def first_draw(space: Space, seed: int, graph: int) -> dict[str, Any]:
    """Return the parameters that one of the user's own graphs has when its turn comes first."""
    rng = stream(seed, "wiring", graph)
    return {**space.suggest(Uniform(rng)), **space.seeds(rng), "graph": graph}


@dataclass(frozen=True)
class Turns:
    """Whose turn it is among the user's own graphs: each comes once before any comes twice, in an order by chance."""

    space: Space
    seed: int
    units: tuple[int, int]
    size_of: Callable[[Wiring], int]

    def graph(self, number: int) -> int:
        """Return the graph of draw `number`; an InputError says that none keeps to the limits of the space."""
        graphs = self._small_enough
        lap, place = divmod(number, len(graphs))
        return graphs[int(stream(self.seed, "sampler", lap).permutation(len(graphs))[place])]

    @cached_property
    def _small_enough(self) -> list[int]:
        pool = self.space.pool
        assert pool is not None
        if not self.space.is_limited:
            return list(range(len(pool)))
        kept, extents = [], []
        for index in range(len(pool)):
            wiring = self.space.wiring(first_draw(self.space, self.seed, index), *self.units)
            size = self.size_of(wiring)
            extents.append(self.space.extent(wiring, size))
            kept += [index] * self.space.allows(wiring, size)
        if not kept:
            raise self.space.impossible(extents)
        return kept


@dataclass(frozen=True)
class Draws:
    """Draws wirings uniformly from a space, with input and output units, for networks of a spec."""

    space: Space
    seed: int
    spec: NetworkSpec
    n_inputs: int
    n_outputs: int

    @cached_property
    def _turns(self) -> Turns:
        return Turns(self.space, self.seed, (self.n_inputs, self.n_outputs), self.size_of)

    def size_of(self, wiring: Wiring) -> int:
        """Return the number of parameters of a wiring's network."""
        return self.spec.n_parameters(wiring)["total"]

    def draw(self, number: int) -> Draw:
        """Return wiring `number`, whatever was drawn before.

        An InputError says that none of 1000 draws keeps to the limits of the space.
        """
        extents = []
        own = {} if self.space.pool is None else {"graph": self._turns.graph(number)}
        for attempt in range(_MAX_DRAWS):
            searched = self.space.suggest(Uniform(stream(self.seed, "sampler", number, attempt))) | own
            params = {**searched, **self.space.seeds(stream(self.seed, "wiring", number, attempt))}
            wiring = self.space.wiring(params, self.n_inputs, self.n_outputs)
            size = self.size_of(wiring)
            if self.space.allows(wiring, size):
                return Draw(number, params, wiring, size)
            extents.append(self.space.extent(wiring, size))
        raise self.space.impossible(extents)
