"""Candidates: wirings that a sampler chooses among, with the parameters that each follows from and its features.

Fresh draws of a space, neighbours of good ones, or all graphs of a finite pool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nas.seeds import stream
from nas.space.draws import Uniform
from nas.space.lineage import rebuilt
from nas.space.space import EDIT_NAMES, Params, Space
from nas.store.records import n_nodes_of
from predictors import describe, names_of
from predictors.rows import chosen_tiers
from priors import Wiring

__all__ = ["Candidates", "Columns", "GraphColumns", "Source", "Tried", "joined", "stratum"]

_POPULATION = 256
_MOST_REJECTED = 20
"""Draws for each candidate, all of which may be beyond the limits."""
_LEAST_DRAWS = 1000
"""Draws at least, however few candidates are wanted."""
_JITTER = 0.1
_MOST_NEW_MOVES = 4


@dataclass(frozen=True, eq=False)
class Tried:
    """What a trial is a trial of: parameters, and the fingerprint, size and features of their wiring."""

    params: Params
    fingerprint: str
    size: int
    row: NDArray[np.float64]

    @property
    def replicate(self) -> int:
        """Which training of its wiring the trial is."""
        return int(self.params.get("replicate", 0))

    def again(self, replicate: int) -> Tried:
        """Return another training of the same wiring."""
        return replace(self, params={**self.params, "replicate": replicate})


@dataclass(frozen=True, eq=False)
class Candidates:
    """Distinct wirings.

    Parameters
    ----------
    params : tuple of mapping
        What each follows from, see `Space.wiring`.
    origins : tuple of str
        Where each comes from, such as "prior" or "neighbour".
    wirings : tuple of Wiring
    sizes : (n,) int64 array
        Parameters of the network of each.
    X : (n, n_columns) float array
        Its features.
    """

    params: tuple[Params, ...]
    origins: tuple[str, ...]
    wirings: tuple[Wiring, ...]
    sizes: NDArray[np.int64]
    X: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.params)

    @cached_property
    def fingerprints(self) -> tuple[str, ...]:
        """Fingerprints of the wirings."""
        return tuple(wiring.fingerprint for wiring in self.wirings)

    def tried(self, index: int) -> Tried:
        """Return one of them as what a trial is a trial of."""
        return Tried(self.params[index], self.fingerprints[index], int(self.sizes[index]), self.X[index])


def joined(parts: Sequence[Candidates]) -> Candidates:
    """Return candidates together, the first of those that are equal."""
    everything = Candidates(
        tuple(own for part in parts for own in part.params),
        tuple(own for part in parts for own in part.origins),
        tuple(own for part in parts for own in part.wirings),
        np.concatenate([part.sizes for part in parts]),
        np.concatenate([part.X for part in parts]),
    )
    first: dict[str, int] = {}
    for index, fingerprint in enumerate(everything.fingerprints):
        first.setdefault(fingerprint, index)
    kept = list(first.values())
    return Candidates(
        tuple(everything.params[index] for index in kept),
        tuple(everything.origins[index] for index in kept),
        tuple(everything.wirings[index] for index in kept),
        everything.sizes[kept],
        everything.X[kept],
    )


class Columns(Protocol):
    """What wirings are described by."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""

    def __call__(self, wirings: Sequence[Wiring], params: Sequence[Params]) -> NDArray[np.float64]:
        """Return the columns of wirings and of the parameters that they follow from, (n, n_columns) float."""


@dataclass(frozen=True)
class GraphColumns:
    """Features of wirings; see `predictors.describe`."""

    tiers: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return names_of(self.tiers)

    def __call__(self, wirings: Sequence[Wiring], params: Sequence[Params]) -> NDArray[np.float64]:  # noqa: ARG002
        """Describe wirings; see `Columns`."""
        return describe(wirings, self.tiers)


@dataclass(frozen=True, eq=False)
class Source:
    """Makes candidates of a space.

    Parameters
    ----------
    space : Space
    units : (int, int)
        Input and output units to attach.
    size_of : callable
        Number of parameters of the network of a wiring.
    seed : int
        Of the population.
    columns : Columns, optional
        What wirings are described by; by default the features that make sense for them.
    """

    space: Space
    units: tuple[int, int]
    size_of: Callable[[Wiring], int]
    seed: int
    columns: Columns | None = None

    @property
    def is_finite(self) -> bool:
        """Whether the space is a list of wirings that are taken as they are."""
        return self.space.is_finite

    @cached_property
    def described_by(self) -> Columns:
        """What wirings are described by."""
        if self.columns is not None:
            return self.columns
        pool = self.space.pool
        # A graph of one's own is oriented before it is trained, unless it has input units or stays as it is.
        if pool is None or (self.space.is_oriented and not self.is_finite):
            drawn = self._draw(np.random.default_rng(self.seed), 8)
            return GraphColumns(chosen_tiers(None, [wiring for wiring, _ in drawn]))
        return GraphColumns(chosen_tiers(None, pool.wirings))

    @cached_property
    def population(self) -> Candidates:
        """All wirings of a finite space; of any other a sample that tells how features vary in it.

        Raises
        ------
        InputError
            If no wiring keeps to the limits of the space.
        """
        if self.is_finite:
            pool = self.space.pool
            assert pool is not None
            members = [(wiring, {"graph": index}) for index, wiring in enumerate(pool.wirings)]
            found = self.described(members, "prior")
            if not len(found):
                raise self.space.impossible([self.space.extent(own, self.size_of(own)) for own in pool.wirings])
            return found
        return self.described(self._draw(np.random.default_rng(self.seed), _POPULATION), "prior")

    def fresh(self, rng: np.random.Generator, n: int) -> Candidates:
        """Draw candidates from the space, as a survey does; fewer, or none, where few keep to its limits."""
        return self.described(self._try_draws(rng, n)[0], "prior")

    def of(self, params: Iterable[Params], origin: str) -> Candidates:
        """Return the candidates of given parameters that keep to the limits of the space."""
        return self.described([(self.wiring(own), own) for own in params], origin)

    def neighbours(self, rng: np.random.Generator, params: Sequence[Params], n: int) -> Candidates:
        """Return candidates near given ones: other draws of theirs, parameters next to theirs, or edited graphs."""
        if not params:
            return self.of([], "neighbour")
        ways = [self._redraw, self._jitter] + ([self._edit] if self.space.edits else [])
        made = []
        for _ in range(n):
            way, own = ways[int(rng.random() * len(ways))], params[int(rng.random() * len(params))]
            made.append(way(rng, {name: value for name, value in own.items() if name in self._names}))
        return self.of(made, "neighbour")

    def wiring(self, params: Params) -> Wiring:
        """Rebuild the wiring of parameters."""
        return self.space.wiring(params, *self.units)

    def rebuilt(self, params: Params, stored: Mapping[str, Any]) -> Wiring:
        """Rebuild the wiring of a trial; see `nas.space.lineage.rebuilt`."""
        return rebuilt(self.space, params, stored, self.units)

    def redrawn(self, rng: np.random.Generator, params: Params) -> dict[str, Any]:
        """Return parameters of another draw: the same ones, or others next to them, with new seeds."""
        return (self._redraw, self._jitter)[int(rng.random() * 2)](rng, params)

    @cached_property
    def _names(self) -> frozenset[str]:
        """Of the parameters that a wiring follows from."""
        return frozenset(self.space.distributions())

    # Drawing

    def _draw(self, rng: np.random.Generator, n: int) -> list[tuple[Wiring, Params]]:
        kept, extents = self._try_draws(rng, n)
        if not kept:
            raise self.space.impossible(extents)
        return kept

    def _try_draws(self, rng: np.random.Generator, n: int) -> tuple[list[tuple[Wiring, Params]], list[tuple[int, int]]]:
        """Return draws that keep to the limits, and the extents of all."""
        kept: list[tuple[Wiring, Params]] = []
        extents: list[tuple[int, int]] = []
        while len(kept) < n and len(extents) < max(_MOST_REJECTED * n, _LEAST_DRAWS):
            params = {**self.space.suggest(Uniform(rng)), **self.space.seeds(rng)}
            wiring = self.wiring(params)
            size = self.size_of(wiring)
            extents.append(self.space.extent(wiring, size))
            if self.space.allows(wiring, size):
                kept.append((wiring, params))
        return kept, extents

    def described(self, made: Iterable[tuple[Wiring, Params]], origin: str) -> Candidates:
        """Return the distinct ones of some wirings that keep to the limits of the space, with their features."""
        distinct: dict[str, tuple[Wiring, Params, int]] = {}
        for wiring, own in made:
            size = self.size_of(wiring)
            if self.space.allows(wiring, size) and self._has_its_neurons(wiring, own):
                distinct.setdefault(wiring.fingerprint, (wiring, own, size))
        wirings = tuple(wiring for wiring, _, _ in distinct.values())
        params = tuple(own for _, own, _ in distinct.values())
        sizes = np.array([size for _, _, size in distinct.values()], dtype=np.int64)
        return Candidates(params, (origin,) * len(params), wirings, sizes, self.described_by(wirings, params))

    def _has_its_neurons(self, wiring: Wiring, params: Params) -> bool:
        """Whether edits left a wiring as many neurons as the space allows."""
        if self.space.pool is not None:
            return True
        low, high = self.space.nodes
        return low <= n_nodes_of(wiring, params.get("attachment")) <= high

    # Neighbours

    def _redraw(self, rng: np.random.Generator, params: Params) -> dict[str, Any]:
        return {**_without_edits(params), **self.space.seeds(rng)}

    def _jitter(self, rng: np.random.Generator, params: Params) -> dict[str, Any]:
        moved = dict(_without_edits(params))
        ranges = {"n": self.space.nodes, "degree": self.space.degree, **self.space.own_ranges}
        for name, (low, high) in ranges.items():
            if name in moved:
                step = _JITTER * (high - low) * (2 * float(rng.random()) - 1)
                value = min(max(float(moved[name]) + step, low), high)
                moved[name] = round(value) if name == "n" else value
        return {**moved, **self.space.seeds(rng)}

    def _edit(self, rng: np.random.Generator, params: Params) -> dict[str, Any]:
        """Go on with the edits that made a wiring, or begin with others where the most are made."""
        made, new = int(params.get("n_moves", 0)), 1 + int(rng.random() * _MOST_NEW_MOVES)
        seed = int(rng.random() * 2**31)
        if made == 0 or made + new > self.space.edits:
            return {**params, "n_moves": min(new, self.space.edits), "move_seed": seed}
        return {**params, "n_moves": made + new}


def _without_edits(params: Params) -> Params:
    return {name: value for name, value in params.items() if name not in EDIT_NAMES}


def stratum(population: Candidates, n: int, number: int, seed: int) -> NDArray[np.int64]:
    """Return which candidates the start-up trial `number` of n is drawn from.

    The population is cut into n parts by family and size, which are taken in a random order.
    """
    families = [str(params.get("family")) for params in population.params]
    order = np.lexsort((population.sizes, np.array(families)))
    turn = int(stream(seed, "start").permutation(n)[number])
    return np.array_split(order, n)[turn]
