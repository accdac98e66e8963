"""PATTERNS: how the edges of a block between two layers lie, of which there is an exact number.

A pattern is a function and a line of `PATTERNS`. Random draws follow the promise of `priors.draws`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from priors.draws import permutation, subset
from priors.exchanges import Kinds, Links, walk
from priors.graphs import BarabasiAlbert

__all__ = ["PATTERNS", "Block", "Pattern"]

Numbers = NDArray[np.int64]

_MOVES = 10
"""Exchanges of ends for each edge of a regular block."""
_ROUNDS = 16
"""Times that edges which are there already are drawn anew in proportion to degrees, before the rest is uniform."""


@dataclass(frozen=True)
class Block:
    """A block between two layers.

    Attributes
    ----------
    n_source, n_target : int
    count : int
        Edges, at most n_source n_target.
    beta : float
        Share of edges that a small world rewires.
    """

    n_source: int
    n_target: int
    count: int
    beta: float = 0.0


Pattern = Callable[[Block, np.random.Generator], Numbers]
"""Returns the edges of a block, (count,) int64: ascending, each source n_target + target."""


def _uniform(block: Block, rng: np.random.Generator) -> Numbers:
    """Every set of edges is equally likely."""
    return subset(rng, block.n_source * block.n_target, block.count)


def _fan_in(block: Block, rng: np.random.Generator) -> Numbers:
    """Every target reads equally many sources, up to one, each such set being equally likely.

    Which targets read one more is a subset. Sources are drawn for all targets side by side by Floyd's algorithm; where
    targets read more than half of the sources, those that they do not read are drawn.
    """
    fan_in, n = _even(block.n_target, block.count, rng), block.n_source
    is_rest = 2 * int(fan_in.max(initial=0)) > n
    drawn = n - fan_in if is_rest else fan_in
    most = int(drawn.max(initial=0))
    chosen = np.full((block.n_target, most), -1, np.int64)
    for column in range(most):
        open_ones = np.flatnonzero(drawn > column)
        largest = n - drawn[open_ones] + column
        number = (rng.random(len(open_ones)) * (largest + 1)).astype(np.int64)
        is_there = (chosen[open_ones, :column] == number[:, None]).any(axis=1)
        chosen[open_ones, column] = np.where(is_there, largest, number)
    target, place = np.nonzero(chosen >= 0)
    found: Numbers = chosen[target, place] * block.n_target + target
    if not is_rest:
        return np.sort(found)
    is_read = np.ones(n * block.n_target, bool)
    is_read[found] = False
    return np.flatnonzero(is_read)


def _regular(block: Block, rng: np.random.Generator) -> Numbers:
    """Every target reads equally many sources, and every source is read equally often, each up to one.

    Begins with consecutive sources for each target, of sources in random order, and exchanges ends ten times for each
    edge, which keeps both degrees.
    """
    n, n_target = block.n_source, block.n_target
    fan_in = _even(n_target, block.count, rng)
    source = permutation(rng, n)[np.arange(block.count) % n]
    target = np.repeat(np.arange(n_target), fan_in) + n
    none = np.zeros(0, np.int64)
    rows = np.stack([source, target], axis=1).astype(np.int32)
    links = Links(rows, np.zeros((0, 2), np.int32), none, none)
    kinds = Kinds("nothing", np.zeros(n + n_target, np.int64), np.zeros((n + n_target, 0)), np.zeros(0))
    walked = walk(links, links.pairs, kinds, rng, keeps_mutual=False, part_size=_MOVES * max(block.count, 1), n_parts=1)
    ends = walked.links.singles.astype(np.int64)
    return np.sort(ends[:, 0] * n_target + ends[:, 1] - n)


def _small_world(block: Block, rng: np.random.Generator) -> Numbers:
    """Neurons read those opposite of them, and a share of the edges is rewired.

    Neurons of the larger layer have windows of equal size, up to one, of the other, around the place opposite; the
    first neuron follows the last. Every edge is then taken away with probability beta, one double each, and as many are
    put where none are, uniformly.
    """
    small, large = sorted((block.n_source, block.n_target))
    ends = np.arange(large + 1) * block.count // large
    width = np.diff(ends)
    of_large = np.repeat(np.arange(large), width)
    within = np.arange(block.count) - ends[:-1][of_large]
    # In halves of a neuron, so that windows of even and odd size are both centred.
    first = ((2 * of_large + 1) * small // large - width[of_large] + 1) // 2
    of_small = (first + within) % small
    source, target = (of_small, of_large) if block.n_source == small else (of_large, of_small)
    number = source * block.n_target + target
    stays = rng.random(block.count) >= block.beta
    return _filled(np.sort(number[stays]), block, rng)


def _scale_free(block: Block, rng: np.random.Generator) -> Numbers:
    """Few neurons of both layers have many edges: a grown graph, whose nodes are shared out over the layers.

    The nodes of a Barabasi-Albert graph are put into random order, of which the first are sources. Its edges between
    the layers stay. Those within a layer are cut, and their ends joined at random across; edges that are missing or
    there already are drawn anew, each end in proportion to its degree in the grown graph.
    """
    n_source, n_target = block.n_source, block.n_target
    n = n_source + n_target
    grown = BarabasiAlbert(n, min(max(round(block.count / n), 1), n - 1)).sample(rng).edges
    place = np.empty(n, np.int64)
    place[permutation(rng, n)] = np.arange(n)
    ends = place[grown[grown[:, 0] < grown[:, 1]]]
    low, high = ends.min(axis=1), ends.max(axis=1)
    crosses = (low < n_source) & (high >= n_source)
    found = np.unique(low[crosses] * n_target + high[crosses] - n_source)
    if len(found) > block.count:
        return found[subset(rng, len(found), block.count)]
    flat = ends[~crosses].ravel()
    cut = [flat[flat < n_source], flat[flat >= n_source] - n_source]
    pairs = [own[permutation(rng, len(own))][: min(map(len, cut))] for own in cut]
    every = ends.ravel()
    pools = [every[every < n_source], every[every >= n_source] - n_source]
    for _ in range(_ROUNDS):
        number = pairs[0] * n_target + pairs[1]
        new = number[np.sort(np.unique(number, return_index=True)[1])]
        new = new[~np.isin(new, found)][: block.count - len(found)]
        found = np.concatenate([found, new])
        if len(found) == block.count:
            break
        missing = block.count - len(found)
        pairs = [own[(rng.random(missing) * len(own)).astype(np.int64)] for own in pools]
    return _filled(np.sort(found), block, rng)


def _even(n: int, total: int, rng: np.random.Generator) -> Numbers:
    """Share a number out over n, evenly, and what is left over a subset of them."""
    each, more = divmod(total, n)
    counts = np.full(n, each, np.int64)
    counts[subset(rng, n, more)] += 1
    return counts


def _filled(number: Numbers, block: Block, rng: np.random.Generator) -> Numbers:
    """Put edges where none are, uniformly, until there are enough."""
    missing = block.count - len(number)
    if not missing:
        return number
    # The i-th free place lies beyond as many taken ones as have no more than i free places before them.
    free = subset(rng, block.n_source * block.n_target - len(number), missing)
    beyond = np.searchsorted(number - np.arange(len(number)), free, side="right")
    return np.sort(np.concatenate([number, free + beyond]))


PATTERNS: dict[str, Pattern] = {
    "uniform": _uniform,
    "fan-in": _fan_in,
    "regular": _regular,
    "small-world": _small_world,
    "scale-free": _scale_free,
}
"""Every pattern by its name."""
