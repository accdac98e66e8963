"""Pool: the wirings of a survey, all of them trained, as what a search chooses among."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nas.networks import NetworkSpec
from nas.space.space import Params, Space, without_draws
from nas.store.survey_table import SurveyTable
from nas.training.session import sign_of
from predictors import describe, names_of
from predictors.members import Scaling
from predictors.rows import chosen_tiers
from predictors.surrogate import scalings_of
from predictors.validation.baselines import parameter_table
from priors import GraphPool, Wiring

__all__ = ["Pool", "read_pool"]

_APART = 10.0
"""Distance of wirings of different families: more than any parameters make."""

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pool:
    """Trained wirings, each of which a search may choose once.

    Parameters
    ----------
    name : str
    prior : Space
        That they were drawn from.
    wirings : tuple of n Wiring
        Distinct.
    params : tuple of n mappings
        What each was drawn from, its seeds left out.
    sizes : (n,) int64 array
        Parameters of the networks.
    labels : (n, n_replicates) float array
        What one training of a search gives: the validation metric at the best learning rate of this training.
    truth : (n,) float array
        How good they are: the mean test metric at the learning rate that is best on the validation part.
    names : tuple of str
    X : (n, n_columns) float array
        Features.
    """

    name: str
    prior: Space
    wirings: tuple[Wiring, ...]
    params: tuple[Params, ...]
    sizes: Indices
    labels: Floats
    truth: Floats
    names: tuple[str, ...]
    X: Floats

    def __len__(self) -> int:
        return len(self.wirings)

    @cached_property
    def space(self) -> Space:
        """The space that holds these wirings and no others."""
        return Space(graphs=GraphPool(self.wirings), structure=self.prior.structure)

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal sha256 of the wirings and all their values."""
        digest = hashlib.sha256(bytes.fromhex(GraphPool(self.wirings).fingerprint))
        for values in (self.labels, self.truth):
            digest.update(np.ascontiguousarray(values, dtype="<f8").tobytes())
        return digest.hexdigest()

    @cached_property
    def scalings(self) -> tuple[Scaling, ...]:
        """The columns of a surrogate on features."""
        return scalings_of(self.X, self.names)

    @cached_property
    def points(self) -> Floats:
        """Where the wirings lie by the prior's parameters, see `place`; (n, n_parameters) float."""
        table, _ = self.parameters
        return np.where(self.are_numbers, (table - self._low) / self._span, table * _APART)

    @cached_property
    def are_numbers(self) -> NDArray[np.bool_]:
        """Which of the prior's parameters are numbers; the others say whether a text is there."""
        return np.array(["=" not in name for name in self.parameters[1]], dtype=bool)

    @cached_property
    def parameters(self) -> tuple[Floats, list[str]]:
        """The prior's parameters as columns, and their names; see `parameter_table`."""
        return parameter_table(self.params)

    @cached_property
    def _low(self) -> Floats:
        low: Floats = np.nanmin(self.parameters[0], axis=0)
        return low

    @cached_property
    def _span(self) -> Floats:
        span = np.nanmax(self.parameters[0], axis=0) - self._low
        return np.where(span > 0, span, 1.0)

    @cached_property
    def _sizes_of(self) -> dict[str, int]:
        return {wiring.fingerprint: size for wiring, size in zip(self.wirings, self.sizes.tolist(), strict=True)}

    def size_of(self, wiring: Wiring) -> int:
        """Return the parameters of the network of one of the wirings."""
        return self._sizes_of[wiring.fingerprint]

    def place(self, params: Params) -> Floats:
        """Return where a wiring with these parameters would lie: numbers by their range, texts far apart."""
        row = np.full(len(self.parameters[1]), np.nan)
        for index, name in enumerate(self.parameters[1]):
            key, is_text, text = name.partition("=")
            if is_text:
                row[index] = _APART * (params.get(key) == text)
            elif key in params:
                row[index] = (float(params[key]) - self._low[index]) / self._span[index]
        return row


def read_pool(name: str, table: SurveyTable) -> Pool:
    """Return the wirings of a survey of which every training has a value; of equal ones the first."""
    values, tests = table.trainings("value"), table.trainings("test")
    wirings = [table.wiring(number) for number in range(table.n_wirings)]
    first = {wiring.fingerprint: number for number, wiring in reversed(list(enumerate(wirings)))}
    sound = set(np.flatnonzero(np.isfinite(values + tests).all(axis=(1, 2))).tolist())
    kept = np.array([number for number in sorted(first.values()) if number in sound], dtype=np.int64)
    sign = sign_of(str(table.identity["direction"]))
    values, tests = sign * values[kept], sign * tests[kept]
    best = values.mean(axis=2).argmax(axis=1)
    own = tuple(wirings[number] for number in kept.tolist())
    tiers = chosen_tiers(None, own)
    spec = NetworkSpec(table.identity["network"], activation=table.identity["activation"], cell=table.identity["cell"])
    return Pool(
        name,
        table.space,
        own,
        tuple(without_draws(table.parameters(number)) for number in kept.tolist()),
        np.array([spec.n_parameters(wiring)["total"] for wiring in own], dtype=np.int64),
        values.max(axis=1),
        tests[np.arange(len(kept)), best].mean(axis=1),
        names_of(tiers),
        describe(own, tiers),
    )
