"""A trained network within one that has room for other weights, from which it is rewired."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nas.networks.blocks import n_slots, slots_of
from nas.sparsity.layers import Places
from nas.training.places import wired_parts
from priors import Wiring

__all__ = ["edges_within_reach", "move_in", "with_room"]


def edges_within_reach(wiring: Wiring) -> int:
    """Return how many edges `with_room` has."""
    sizes = wiring.sizes
    return sum(sizes[source] * sizes[target] for source, target in _linked_layers(wiring))


def with_room(wiring: Wiring) -> Wiring:
    """Return a wiring with every edge between layers that any edge joins, and between layers that follow each other."""
    joined = [
        np.stack(np.meshgrid(wiring.neurons(source), wiring.neurons(target), indexing="ij"), axis=-1).reshape(-1, 2)
        for source, target in _linked_layers(wiring)
    ]
    return wiring.replace(edges=np.concatenate(joined), weights=None)


def _linked_layers(wiring: Wiring) -> list[tuple[int, int]]:
    linked: NDArray[np.int64] = np.unique(wiring.layer_of[wiring.edges], axis=0)
    return sorted({*map(tuple, linked.tolist()), *pairwise(range(wiring.n_layers))})


@torch.no_grad()
def move_in(network: nn.Module, room: nn.Module) -> Places:
    """Let one network compute what another one does, whose edges it has: its other weights are 0.

    Parameters
    ----------
    network, room : nn.Module
        Each a `SparseMLP` or a `SequenceNetwork`; `room` is changed in place, and takes on the other's type.

    Returns
    -------
    (n_weights,) int64 array
        The places of the network's weights in `room`, ascending.
    """
    parts, rooms = wired_parts(network), wired_parts(room)
    room.to(parts[0].weight.dtype)
    found, before = [], 0
    for part, own in zip(parts, rooms, strict=True):
        live = part.live_weights()
        places = slots_of(own.blocks, live.edges)[np.arange(len(live.edges)), live.gates]
        own.weight.zero_()
        own.weight[torch.from_numpy(np.searchsorted(own.slots.numpy(), places))] = part.weight
        own.bias_vector.copy_(part.bias_vector)
        found.append(before + places)
        before += n_slots(own.blocks)
    return np.concatenate(found)
