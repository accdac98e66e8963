"""Wirings of which only the degrees of all neurons are kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from priors import Wiring

__all__ = ["shuffled"]

_SWAPS = 10
"""Tries to swap the targets of two edges, for each edge."""


def shuffled(wiring: Wiring, rng: int | np.random.Generator | None) -> Wiring:
    """Return a wiring in which every neuron reads as many neurons of each layer as before, and is read by as many.

    Within each pair of layers the targets of two random edges are swapped, again and again, where no edge would then be
    there twice.
    """
    rng = np.random.default_rng(rng)
    layer = np.searchsorted(np.cumsum(wiring.sizes), np.arange(wiring.n_neurons), side="right")
    edges = wiring.edges.astype(np.int64)
    groups = layer[edges[:, 0]] * wiring.n_layers + layer[edges[:, 1]]
    found = [_swapped(edges[groups == group], wiring.n_neurons, rng) for group in np.unique(groups)]
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
