"""The live weights of all parts of a network as one vector, and back.

A network's parts, such as an RNN and its head, have blocks of their own; here their places follow each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from nas.errors import InputError
from nas.networks import SequenceNetwork, SparseMLP
from nas.networks.blocks import n_slots
from nas.networks.structure import parts_of
from nas.networks.wired import WiredModule
from nas.training.session import Weights

__all__ = ["places_of", "split_places", "weights_of", "wired_parts"]


def wired_parts(network: nn.Module | None) -> tuple[WiredModule, ...]:
    """Return the parts of a network that hold weights of edges, in the order of their places.

    Raises
    ------
    InputError
        For a module whose edges are not its own to choose.
    """
    if not isinstance(network, SparseMLP | SequenceNetwork):
        kind = "a wiring in the engine's form" if network is None else f"a {type(network).__name__}"
        raise InputError(f"{kind} cannot get other edges; give a SparseMLP or a SequenceNetwork")
    return parts_of(network)


def places_of(parts: Sequence[WiredModule]) -> NDArray[np.int64]:
    """Return the (n,) places of all live weights, ascending."""
    starts = _bounds(parts)[:-1]
    return np.concatenate([part.slots.cpu().numpy() + start for part, start in zip(parts, starts, strict=True)])


def weights_of(parts: Sequence[WiredModule], moments: NDArray[np.floating[Any]]) -> Weights:
    """Return copies of all live weights, beside their (n_moments, n) moments."""
    weight = np.concatenate([part.weight.detach().cpu().numpy() for part in parts])
    return Weights(places_of(parts), weight, moments)


def split_places(parts: Sequence[WiredModule], weights: Weights) -> list[Weights]:
    """Return the weights of every part, at places counted from its own first one.

    Raises
    ------
    InputError
        If vectors differ in length, or places do not ascend or lie outside of the network's blocks.
    """
    slots, n = weights.slots, len(weights.slots)
    bounds = _bounds(parts)
    if weights.weight.shape != (n,) or weights.moments.shape[1:] != (n,):
        raise InputError(f"{n} places, {weights.weight.shape[0]} weights and moments of {weights.moments.shape[1:]}: "
                         "there must be as many of each")  # fmt: skip
    if n and not (slots[0] >= 0 and slots[-1] < bounds[-1] and (slots[1:] > slots[:-1]).all()):
        raise InputError(f"places of weights must ascend between 0 and {bounds[-1] - 1}, without one that comes twice")
    cuts = np.searchsorted(slots, bounds)
    return [
        Weights(slots[first:last] - start, weights.weight[first:last], weights.moments[:, first:last])
        for start, (first, last) in zip(bounds, pairwise(cuts.tolist()), strict=False)
    ]


def _bounds(parts: Sequence[WiredModule]) -> list[int]:
    """Return the first place of every part, and the one behind the last."""
    return list(accumulate((n_slots(part.blocks) for part in parts), initial=0))
