"""Points: wirings that a sampler chooses among, with the parameters that each follows from and its features.

Fresh draws of a space, neighbours of good ones, or all graphs of a finite pool.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nas.seeds import stream
from nas.space.draws import Uniform, first_draw
from nas.space.space import EDIT_NAMES, Params, Space
from nas.store.records import n_nodes_of
from predictors import describe, names_of
from predictors.rows import chosen_tiers
from priors import Wiring

__all__ = ["Columns", "Floats", "Point", "Source", "distinct", "stratum", "without_edits"]

Floats = NDArray[np.float64]

_POPULATION = 256
_MOST_REJECTED = 20
"""Draws for each candidate, all of which may be beyond the limits."""
_LEAST_DRAWS = 1000
"""Draws at least, however few candidates are wanted."""
_JITTER = 0.1
_MOST_NEW_MOVES = 4


@dataclass(frozen=True, eq=False)
class Point:
    """A wiring as samplers see it.

    Parameters
    ----------
    params : mapping
        What it follows from, see `Space.wiring`; for a trial, all of its parameters.
    fingerprint : str
    n_edges : int
    size : int
        Parameters of its network.
    row : (n_columns,) float array
        Its features.
    origin : str
        Where it comes from, such as "prior" or "neighbour".
    """

    params: Params
    fingerprint: str
    n_edges: int
    size: int
    row: Floats
    origin: str = ""

    @property
    def replicate(self) -> int:
        """Which training of its wiring a trial is."""
        return int(self.params.get("replicate", 0))

    @cached_property
    def graph(self) -> int | None:
        """Which of the user's own graphs it is made of; None where it is of none."""
        graph = self.params.get("graph")
        return None if graph is None else int(graph)

    def again(self, replicate: int) -> Point:
        """Return another training of the same wiring."""
        return replace(self, params={**self.params, "replicate": replicate})


def distinct(points: Iterable[Point]) -> list[Point]:
    """Return points of different wirings, the first of those that are equal."""
    found: dict[str, Point] = {}
    for point in points:
        found.setdefault(point.fingerprint, point)
    return list(found.values())


class Columns(Protocol):
    """What wirings are described by."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""

    def __call__(self, wirings: Sequence[Wiring], params: Sequence[Params]) -> Floats:
        """Return the columns of wirings and of the parameters that they follow from, (n, n_columns) float."""


@dataclass(frozen=True)
class _Features:
    """Features of graphs; see `predictors.describe`."""

    tiers: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return names_of(self.tiers)

    def __call__(self, wirings: Sequence[Wiring], params: Sequence[Params]) -> Floats:  # noqa: ARG002
        """Describe wirings; see `Columns`."""
        return describe(wirings, self.tiers)


@dataclass(frozen=True, eq=False)
class Source:
    """Makes points of a space."""

    space: Space
    units: tuple[int, int]
    """Input and output units to attach."""
    size_of: Callable[[Wiring], int]
    """Number of parameters of the network of a wiring."""
    seed: int
    """Of the population."""
    columns: Columns | None = None
    """What wirings are described by; by default the features that make sense for them."""

    @cached_property
    def described_by(self) -> Columns:
        """What wirings are described by."""
        if self.columns is not None:
            return self.columns
        pool = self.space.pool
        # A graph of one's own is oriented before it is trained, unless it stays as it is.
        if pool is None or (self.space.is_oriented and not self.space.is_finite):
            wirings = [wiring for wiring, _ in self._draw(np.random.default_rng(self.seed), 8, least=1)]
            return _Features(chosen_tiers(None, wirings))
        return _Features(chosen_tiers(None, pool.wirings))

    @cached_property
    def population(self) -> list[Point]:
        """All wirings of a finite space; of any other a sample that tells how features vary in it.

        Raises
        ------
        InputError
            If no wiring keeps to the limits of the space.
        """
        if not self.space.is_finite:
            return self.described(self._draw(np.random.default_rng(self.seed), _POPULATION, least=1), "prior")
        pool = self.space.pool
        assert pool is not None
        found = self.described([(wiring, {"graph": index}) for index, wiring in enumerate(pool.wirings)], "prior")
        if not found:
            raise self.space.impossible([self.space.extent(own, self.size_of(own)) for own in pool.wirings])
        return found

    @cached_property
    def turns(self) -> list[Point]:
        """One point of each of the user's own graphs, of those that keep to the limits of the space; else none."""
        pool = self.space.pool
        if pool is None or self.space.is_finite:
            return [] if pool is None else self.population
        made = []
        for graph in range(len(pool)):
            params = first_draw(self.space, self.seed, graph)
            wiring = self.wiring(params)
            size = self.size_of(wiring)
            if self.space.allows(wiring, size):
                made.append((wiring, params, size))
        rows = self.described_by([wiring for wiring, _, _ in made], [own for _, own, _ in made]) if made else ()
        return [
            Point(own, wiring.fingerprint, wiring.n_edges, size, row, "prior")
            for (wiring, own, size), row in zip(made, rows, strict=True)
        ]

    def untried(self, tried: Container[int | None]) -> list[Point]:
        """Return one point of each of the user's own graphs that is not among those that were tried."""
        return [point for point in self.turns if point.graph not in tried]

    def fresh(self, rng: np.random.Generator, n: int) -> list[Point]:
        """Draw points from the space, as a survey does; fewer, or none, where few keep to its limits."""
        return self.described(self._draw(rng, n), "prior")

    def of(self, params: Iterable[Params], origin: str) -> list[Point]:
        """Return the points of given parameters that keep to the limits of the space."""
        return self.described([(self.wiring(own), own) for own in params], origin)

    def neighbours(self, rng: np.random.Generator, params: Sequence[Params], n: int) -> list[Point]:
        """Return points near given ones: other draws of theirs, parameters next to theirs, or edited graphs."""
        if not params:
            return []
        ways = [self._redraw, self._jitter] + ([self._edit] if self.space.edits else [])
        names, made = self.space.distributions().keys(), []
        for _ in range(n):
            way, own = ways[int(rng.random() * len(ways))], params[int(rng.random() * len(params))]
            made.append(way(rng, {name: value for name, value in own.items() if name in names}))
        return self.of(made, "neighbour")

    def wiring(self, params: Params) -> Wiring:
        """Rebuild the wiring of parameters."""
        return self.space.wiring(params, *self.units)

    def redrawn(self, rng: np.random.Generator, params: Params) -> dict[str, Any]:
        """Return parameters of another draw: the same ones, or others next to them, with new seeds."""
        return (self._redraw, self._jitter)[int(rng.random() * 2)](rng, params)

    def described(self, made: Iterable[tuple[Wiring, Params]], origin: str) -> list[Point]:
        """Return the points of the distinct ones of some wirings that keep to the limits of the space."""
        found: dict[str, tuple[Wiring, Params, int]] = {}
        for wiring, own in made:
            size = self.size_of(wiring)
            if self.space.allows(wiring, size) and self._has_its_neurons(wiring, own):
                found.setdefault(wiring.fingerprint, (wiring, own, size))
        kept = found.values()
        rows = self.described_by([wiring for wiring, _, _ in kept], [own for _, own, _ in kept])
        return [
            Point(own, wiring.fingerprint, wiring.n_edges, size, row, origin)
            for (wiring, own, size), row in zip(kept, rows, strict=True)
        ]

    def _draw(self, rng: np.random.Generator, n: int, least: int = 0) -> list[tuple[Wiring, Params]]:
        """Draw what keeps to the limits of the space; an InputError says that fewer than `least` do."""
        kept: list[tuple[Wiring, Params]] = []
        extents: list[tuple[int, int]] = []
        while len(kept) < n and len(extents) < max(_MOST_REJECTED * n, _LEAST_DRAWS):
            params = {**self.space.suggest(Uniform(rng)), **self.space.seeds(rng)}
            wiring = self.wiring(params)
            size = self.size_of(wiring)
            extents.append(self.space.extent(wiring, size))
            if self.space.allows(wiring, size):
                kept.append((wiring, params))
        if len(kept) < least:
            raise self.space.impossible(extents)
        return kept

    def _has_its_neurons(self, wiring: Wiring, params: Params) -> bool:
        """Whether edits left a wiring as many neurons as the space allows."""
        if self.space.pool is not None:
            return True
        low, high = self.space.nodes
        return low <= n_nodes_of(wiring, params.get("attachment")) <= high

    # Neighbours

    def _redraw(self, rng: np.random.Generator, params: Params) -> dict[str, Any]:
        return {**without_edits(params), **self.space.seeds(rng)}

    def _jitter(self, rng: np.random.Generator, params: Params) -> dict[str, Any]:
        moved = without_edits(params)
        whole = {"n": self.space.nodes, **self.space.ranges_of_units}
        ranges = {**whole, "degree": self.space.degree, **self.space.own_ranges}
        for name, (low, high) in ranges.items():
            if name in moved:
                step = _JITTER * (high - low) * (2 * float(rng.random()) - 1)
                value = min(max(float(moved[name]) + step, low), high)
                moved[name] = round(value) if name in whole or isinstance(moved[name], int) else value
        return {**moved, **self.space.seeds(rng)}

    def _edit(self, rng: np.random.Generator, params: Params) -> dict[str, Any]:
        """Go on with the edits that made a wiring, or begin with others where the most are made."""
        made, new = int(params.get("n_moves", 0)), 1 + int(rng.random() * _MOST_NEW_MOVES)
        seed = int(rng.random() * 2**31)
        if made == 0 or made + new > self.space.edits:
            return {**params, "n_moves": min(new, self.space.edits), "move_seed": seed}
        return {**params, "n_moves": made + new}


def without_edits(params: Params) -> dict[str, str | int | float]:
    """Return the parameters of a graph before its edits."""
    return {name: value for name, value in params.items() if name not in EDIT_NAMES}


def stratum(population: Sequence[Point], n: int, number: int, seed: int) -> list[int]:
    """Return which points the start-up trial `number` of n is drawn from.

    The population is cut into n parts by family and size, which are taken in a random order.
    """
    families = [str(point.params.get("family")) for point in population]
    sizes = [point.size for point in population]
    order = np.lexsort((np.array(sizes), np.array(families)))
    turn = int(stream(seed, "start").permutation(n)[number])
    found: list[int] = np.array_split(order, n)[turn].tolist()
    return found
