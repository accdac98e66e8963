"""Exchanges: a random walk over wirings, in which edges exchange their ends and leave as many edges of each kind.

Compiled code walks where it was built; the functions in Python are what it is held to. Random draws follow the promise
of `priors.draws`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from priors.compiled import draw, extension

__all__ = ["Edges", "Kinds", "Links", "Walk", "lengths_of", "tries_for", "walk"]

_THREES = 0.125
"""Share of tries that exchange the targets of three edges, which some structures can only be reached by."""
_BY = ("nothing", "order", "pair")

Edges = NDArray[np.int32]
Numbers = NDArray[np.int64]


def lengths_of(edges: Edges | Numbers, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far apart the ends of each of some (n, 2) edges lie, (n,)."""
    apart = positions[edges[:, 0]] - positions[edges[:, 1]]
    found: NDArray[np.float64] = np.sqrt((apart**2).sum(axis=1))
    return found


@dataclass(frozen=True, eq=False)
class Kinds:
    """What kind of edge joins two neurons: a number that follows from their labels and from how far apart they are.

    Parameters
    ----------
    by : {"nothing", "order", "pair"}
        Whether labels count not at all, by whether the target's is larger, or both.
    labels : (n_neurons,) int64 array
        From 0.
    positions : (n_neurons, n_dimensions) float64 array
        Without a dimension, lengths do not count.
    borders : (n_borders,) float64 array
        Ascending lengths at which other kinds begin.
    """

    by: str
    labels: Numbers
    positions: NDArray[np.float64]
    borders: NDArray[np.float64]

    def of(self, edges: Edges | Numbers) -> Numbers:
        """Return the kind of each of some (n, 2) edges."""
        source, target = edges.T
        label = self.labels
        kind = np.zeros(len(edges), np.int64)
        if self.by == "order":
            kind = (label[source] < label[target]).astype(np.int64)
        elif self.by == "pair":
            kind = label[source] * self.n_labels + label[target]
        if not self.positions.shape[1]:
            return kind
        length = lengths_of(edges, self.positions)
        found: Numbers = kind * (len(self.borders) + 1) + np.searchsorted(self.borders, length, side="right")
        return found

    @property
    def n_labels(self) -> int:
        """One more than the largest label."""
        return int(self.labels.max(initial=0)) + 1


@dataclass(frozen=True, eq=False)
class Links:
    """Edges that may move.

    Parameters
    ----------
    singles : (n, 2) int32 array
        Edges that exchange their targets.
    pairs : (n_pairs, 2) int32 array
        Edges that move with their reverse, and exchange an end.
    ahead, back : (n_pairs,) int64 array
        Numbers of what belongs to the two directions of each pair; it stays with the source.
    """

    singles: Edges
    pairs: Edges
    ahead: Numbers
    back: Numbers

    @property
    def n_edges(self) -> int:
        """Number of edges, two a pair."""
        return len(self.singles) + 2 * len(self.pairs)

    def edges(self) -> Edges:
        """Return all edges, (n_edges, 2): singles, pairs, and their reverses."""
        return np.concatenate([self.singles, self.pairs, self.pairs[:, ::-1]])


@dataclass(frozen=True, eq=False)
class Walk:
    """Where a walk has come to.

    Attributes
    ----------
    links : Links
    n_tries, n_moves : int
    overlaps : (n_parts,) int64 array
        How many of the first edges are there after each part.
    """

    links: Links
    n_tries: int
    n_moves: int
    overlaps: Numbers


def walk(
    links: Links,
    fixed: Edges,
    kinds: Kinds,
    rng: np.random.Generator,
    *,
    keeps_mutual: bool,
    part_size: int,
    n_parts: int,
) -> Walk:
    """Try to exchange ends of random edges, `n_parts` times `part_size` times.

    Parameters
    ----------
    links : Links
    fixed : (n_fixed, 2) int32 array
        Edges that stay, beside which none may come to stand twice.
    kinds : Kinds
        Of whose kinds there are as many after each exchange as before.
    rng : numpy Generator
    keeps_mutual : bool
        Whether no single edge may come to stand beside the reverse of an edge.
    part_size, n_parts : int
    """
    native = extension()
    n_neurons = len(kinds.labels)
    if native is None or not links.n_edges:
        return _walk(links, fixed, kinds, rng, keeps_mutual=keeps_mutual, part_size=part_size, n_parts=n_parts)
    singles, pairs, ahead, back, n_tries, n_moves, overlaps = draw(
        native.walk, rng, n_neurons, links.singles, links.pairs, links.ahead, links.back, fixed, _BY.index(kinds.by),
        kinds.labels, kinds.n_labels, kinds.positions, kinds.borders, keeps_mutual, part_size, n_parts,
    )  # fmt: skip
    return Walk(Links(singles, pairs, ahead, back), n_tries, n_moves, overlaps)


def _walk(
    links: Links,
    fixed: Edges,
    kinds: Kinds,
    rng: np.random.Generator,
    *,
    keeps_mutual: bool,
    part_size: int,
    n_parts: int,
) -> Walk:
    chain = _Chain(links, fixed, kinds, keeps_mutual)
    n_moves, overlaps = 0, []
    for _ in range(n_parts if links.n_edges else 0):
        n_moves += sum(chain.try_move(rng) for _ in range(part_size))
        overlaps.append(len(chain.there & chain.first))
    return Walk(chain.links(), len(overlaps) * part_size, n_moves, np.array(overlaps, np.int64))


Pair = tuple[int, int]


class _Chain:
    """What the compiled walk is held to."""

    def __init__(self, links: Links, fixed: Edges, kinds: Kinds, keeps_mutual: bool) -> None:
        self.singles: list[Pair] = [(int(a), int(b)) for a, b in links.singles]
        self.pairs: list[Pair] = [(int(a), int(b)) for a, b in links.pairs]
        self.ahead, self.back = links.ahead.tolist(), links.back.tolist()
        self.first = {(int(a), int(b)) for a, b in links.edges()}
        self.there = self.first | {(int(a), int(b)) for a, b in fixed}
        self.kinds, self.keeps_mutual = kinds, keeps_mutual

    def links(self) -> Links:
        rows = [np.array(own, np.int32).reshape(-1, 2) for own in (self.singles, self.pairs)]
        return Links(rows[0], rows[1], np.array(self.ahead, np.int64), np.array(self.back, np.int64))

    def try_move(self, rng: np.random.Generator) -> bool:
        n = len(self.singles)
        chosen = int(rng.random() * (n + len(self.pairs)))
        if chosen >= n:
            return self._exchange_ends(rng, chosen - n)
        others = 2 if rng.random() < _THREES else 1
        return self._exchange_targets([chosen, *(int(rng.random() * n) for _ in range(others))])

    def _exchange_targets(self, at: list[int]) -> bool:
        before = [self.singles[place] for place in at]
        after = [(source, target) for (source, _), (_, target) in zip(before, before[1:] + before[:1], strict=True)]
        if len(set(at)) < len(at) or not self._fits(before, after):
            return False
        if self.keeps_mutual:
            later = (self.there - set(before)) | set(after)
            if any((target, source) in later for source, target in after):
                return False
        self._replace(before, after)
        for place, edge in zip(at, after, strict=True):
            self.singles[place] = edge
        return True

    def _exchange_ends(self, rng: np.random.Generator, one: int) -> bool:
        other, is_turned = int(rng.random() * len(self.pairs)), rng.random() < 0.5
        if one == other:
            return False
        (a, b), (c, d) = self.pairs[one], self.pairs[other]
        if is_turned:
            c, d = d, c
        before, after = [(a, b), (b, a), (c, d), (d, c)], [(a, d), (d, a), (c, b), (b, c)]
        if not self._fits(before, after):
            return False
        self._replace(before, after)
        if is_turned:
            self.ahead[other], self.back[other] = self.back[other], self.ahead[other]
        self.back[one], self.back[other] = self.back[other], self.back[one]
        self.pairs[one], self.pairs[other] = (a, d), (c, b)
        return True

    def _fits(self, before: list[Pair], after: list[Pair]) -> bool:
        if any(source == target or (source, target) in self.there for source, target in after):
            return False
        kinds = [sorted(self.kinds.of(np.array(edges)).tolist()) for edges in (before, after)]
        return kinds[0] == kinds[1]

    def _replace(self, before: list[Pair], after: list[Pair]) -> None:
        self.there.difference_update(before)
        self.there.update(after)


def tries_for(n_moves: float, walked: Walk, most: int) -> int:
    """Return how many tries so many moves take, by what a walk has needed, and `most` at most."""
    return min(most, math.ceil(n_moves * walked.n_tries / max(walked.n_moves, 1)))
