"""Draws: the wirings of a survey, each a pure function of (seed, number)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nas.networks import NetworkSpec
from nas.seeds import stream
from nas.space.space import Space
from priors import Wiring

__all__ = ["Draw", "Draws", "Uniform"]

_MAX_DRAWS = 1000


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

    def suggest_int(self, name: str, low: int, high: int) -> int:  # noqa: ARG002
        """Choose an integer, both ends included."""
        return low + int(self.rng.random() * (high - low + 1))

    def suggest_float(self, name: str, low: float, high: float) -> float:  # noqa: ARG002
        """Choose a number."""
        return low + (high - low) * float(self.rng.random())


@dataclass(frozen=True)
class Draws:
    """Draws wirings uniformly from a space, with input and output units, for networks of a spec."""

    space: Space
    seed: int
    spec: NetworkSpec
    n_inputs: int
    n_outputs: int

    def draw(self, number: int) -> Draw:
        """Return wiring `number`, whatever was drawn before.

        An InputError says that none of 1000 draws keeps to the limits of the space.
        """
        extents = []
        for attempt in range(_MAX_DRAWS):
            searched = self.space.suggest(Uniform(stream(self.seed, "sampler", number, attempt)))
            params = {**searched, **self.space.seeds(stream(self.seed, "wiring", number, attempt))}
            wiring = self.space.wiring(params, self.n_inputs, self.n_outputs)
            size = self.spec.n_parameters(wiring)["total"]
            if self.space.allows(wiring, size):
                return Draw(number, params, wiring, size)
            extents.append(self.space.extent(wiring, size))
        raise self.space.impossible(extents)
