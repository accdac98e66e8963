"""Structures drawn anew: of which only the degrees of all neurons are kept, or only how many weights there are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nas.errors import known
from nas.sparsity.selection import is_among
from priors import Wiring
from priors.draws import subset

__all__ = ["KEPT", "redraw", "scattered", "shuffled"]

KEPT = ("structure", "degrees", "counts")
"""What of a learned structure one that is drawn anew keeps: all of it; how many neurons of each layer every neuron
reads, and by how many it is read; or how many edges there are between each two layers."""

_SWAPS = 10
"""Tries to swap the targets of two edges, for each edge."""
_MANY = 100_000
"""Edges from which on swaps are tried at once."""


def redraw(wiring: Wiring, keeps: str, rng: int | np.random.Generator | None, live: NDArray[np.int64]) -> Wiring:
    """Return a wiring that shares with another what it keeps of it, one of `KEPT`.

    `live` are the inputs that may be read where only counts are kept.
    """
    if known("keeps", keeps, KEPT) == "structure":
        return wiring
    return shuffled(wiring, rng) if keeps == "degrees" else scattered(wiring, rng, live)


def scattered(wiring: Wiring, rng: int | np.random.Generator | None, live: NDArray[np.int64]) -> Wiring:
    """Return a wiring with as many edges between each two layers as another, at random places.

    Of the input units only `live` ones, numbered from 0, are read, unless there would be no place for all edges.
    """
    rng = np.random.default_rng(rng)
    starts = np.concatenate([[0], np.cumsum(wiring.sizes)])
    layer = np.searchsorted(starts[1:], np.arange(wiring.n_neurons), side="right")
    groups, counts = np.unique(layer[wiring.edges] @ [wiring.n_layers, 1], return_counts=True)
    found = []
    for group, count in zip(groups.tolist(), counts.tolist(), strict=True):
        before, after = divmod(group, wiring.n_layers)
        sources = np.arange(starts[before], starts[before + 1])
        if before == 0 and wiring.inputs and len(live) * wiring.sizes[after] >= count:
            sources = live
        source, target = np.divmod(subset(rng, len(sources) * wiring.sizes[after], count), wiring.sizes[after])
        found.append(np.stack([sources[source], target + starts[after]], axis=1))
    return wiring.replace(edges=np.concatenate([np.zeros((0, 2), np.int64), *found]), weights=None)


def shuffled(wiring: Wiring, rng: int | np.random.Generator | None) -> Wiring:
    """Return a wiring in which every neuron reads as many neurons of each layer as before, and is read by as many.

    Within each pair of layers the targets of two random edges are swapped, again and again, where no edge would then be
    there twice; where there are many edges, as many swaps are tried at once.
    """
    rng = np.random.default_rng(rng)
    layer = np.searchsorted(np.cumsum(wiring.sizes), np.arange(wiring.n_neurons), side="right")
    edges = wiring.edges.astype(np.int64)
    groups = layer[edges[:, 0]] * wiring.n_layers + layer[edges[:, 1]]
    found = []
    for group in np.unique(groups):
        own = edges[groups == group]
        found.append((_swapped if len(own) < _MANY else _swapped_together)(own, wiring.n_neurons, rng))
    return wiring.replace(edges=np.concatenate([np.zeros((0, 2), np.int64), *found]), weights=None)


def _swapped(edges: NDArray[np.int64], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    source, target = edges[:, 0].tolist(), edges[:, 1].tolist()
    there = {one * n + other for one, other in zip(source, target, strict=True)}
    for one, other in rng.integers(len(edges), size=(_SWAPS * len(edges), 2)).tolist():
        first, second = source[one] * n + target[other], source[other] * n + target[one]
        if first in there or second in there:
            continue
        there -= {source[one] * n + target[one], source[other] * n + target[other]}
        there |= {first, second}
        target[one], target[other] = target[other], target[one]
    return np.stack([source, target], axis=1) if len(edges) else edges


def _swapped_together(edges: NDArray[np.int64], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Try, in each round, to swap the targets of half of the edges with those of the other half."""
    source, target = edges.T.copy()
    half = len(edges) // 2
    for _ in range(2 * _SWAPS):
        there = np.sort(source * n + target)
        one, other = rng.permutation(len(edges))[: 2 * half].reshape(2, half)
        wanted = np.concatenate([source[one] * n + target[other], source[other] * n + target[one]])
        distinct, first = np.unique(wanted, return_index=True)
        fits = np.zeros(2 * half, bool)
        fits[first[~is_among(distinct, there)]] = True
        swapped = fits[:half] & fits[half:]
        one, other = one[swapped], other[swapped]
        target[one], target[other] = target[other], target[one]
    return np.stack([source, target], axis=1)
