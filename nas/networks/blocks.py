"""Blocks: the rectangles of a wiring's weight matrices, and the place that every weight has in them.

A block covers one layer of targets and only the neurons that this layer reads, so that a layer is one matrix product
over what it needs. Places count the entries of all blocks of a network, one block after the other and each row by row;
only the places of edges hold a weight.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from priors.wiring import Wiring

__all__ = ["Block", "LiveWeights", "gather", "lay_out", "live_weights", "n_slots", "slots_of", "split_columns"]


@dataclass(frozen=True, eq=False)
class Block:
    """One rectangle of weights: everything that one layer reads within (or across) a step.

    Attributes
    ----------
    targets : range
        The neurons that read, contiguous.
    columns : (n_columns,) int64 array
        The neurons that are read, ascending.
    gates : int
        Weights an edge; the rows of a gate lie together, as in ``nn.LSTM``.
    offset : int
        The place of the block's first entry.
    recurrent : bool
        Whether its edges act one time step later.
    shape : (int, int)
        Of the matrix, ``(gates * n_target, n_columns)``.
    size : int
        Number of entries, those without a weight included.
    reach : range
        From the first to the last of the columns.
    run : range or None
        The columns where they are neighbours, so that a slice reads them.
    """

    targets: range
    columns: NDArray[np.int64]
    gates: int
    offset: int
    recurrent: bool = False
    shape: tuple[int, int] = field(init=False)
    size: int = field(init=False)
    reach: range = field(init=False)
    run: range | None = field(init=False)

    def __post_init__(self) -> None:
        # Attributes, since compilers of torch code cannot look into properties that are cached.
        shape = self.gates * len(self.targets), len(self.columns)
        reach = range(int(self.columns[0]), int(self.columns[-1]) + 1) if shape[1] else range(0)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "size", shape[0] * shape[1])
        object.__setattr__(self, "reach", reach)
        object.__setattr__(self, "run", reach if len(reach) == shape[1] > 0 else None)

    def matrix(self, flat: Tensor) -> Tensor:
        """Return the block's view of a vector with an entry for every place.

        The view has the shape ``(gates * n_target, n_columns)``, oriented like ``nn.Linear.weight``: entry (i, j) of a
        gate belongs to the edge from neuron ``columns[j]`` to neuron ``targets[i]``.
        """
        return flat[self.offset : self.offset + self.size].view(self.shape)

    def slots(self, edges: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Return the (n_edges, gates) places of edges that lie in the block."""
        row = edges[:, 1, None].astype(np.int64) - self.targets.start + np.arange(self.gates) * len(self.targets)
        column = np.searchsorted(self.columns, edges[:, 0])
        return self.offset + row * len(self.columns) + column[:, None]


def lay_out(
    wiring: Wiring,
    layers: Iterable[int],
    gates: int = 1,
    *,
    recurrent: bool = False,
    complete: bool = False,
    room: bool = False,
) -> tuple[Block, ...]:
    """Lay the edges into some layers out as blocks, one after the other.

    Parameters
    ----------
    wiring : Wiring
        Whose edges are laid out.
    layers : iterable of int
        The target layers.
    gates : int
        Weights an edge.
    recurrent : bool
        Whether every layer gets a second block, for its recurrent edges.
    complete : bool
        Whether the recurrent block spans the whole layer and no block is without a column, as torch's fused kernels
        want it.
    room : bool
        Whether every block also has the columns of all neurons of the layer before.
    """
    by_target = wiring.edges[np.argsort(wiring.edges[:, 1], kind="stable")].astype(np.int64)
    is_read = np.zeros(wiring.n_neurons, bool)
    blocks: list[Block] = []
    offset = 0
    for layer in layers:
        targets = wiring.neurons(layer)
        first, last = np.searchsorted(by_target[:, 1], [targets.start, targets.stop])
        read = by_target[first:last, 0]
        if room:
            read = np.concatenate([read, wiring.neurons(layer - 1)])
        sources = _distinct(read, is_read)
        within, across = sources[sources < targets.start], sources[sources >= targets.start]
        if complete:
            within = within if len(within) else np.zeros(1, np.int64)
            across = np.arange(targets.start, targets.stop)
        for columns, is_recurrent in ((within, False), (across, True))[: 1 + recurrent]:
            blocks.append(Block(targets, columns, gates, offset, is_recurrent))
            offset += blocks[-1].size
    return tuple(blocks)


def _distinct(neurons: NDArray[np.int64], is_read: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the distinct ones of some neurons, ascending; `is_read` is room for a mark a neuron, all False."""
    if not len(neurons):
        return neurons
    is_read[neurons] = True
    first = neurons.min()
    found: NDArray[np.int64] = first + np.flatnonzero(is_read[first : neurons.max() + 1])
    is_read[found] = False
    return found


def n_slots(blocks: Sequence[Block]) -> int:
    """Return how many places some blocks have."""
    return blocks[-1].offset + blocks[-1].size if blocks else 0


def slots_of(blocks: Sequence[Block], edges: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return the (n_edges, gates) places of edges; every edge must lie in one of the blocks."""
    slots = np.full((len(edges), blocks[0].gates), -1, dtype=np.int64)
    order = np.argsort(edges[:, 1], kind="stable")
    targets = edges[order, 1]
    for block in blocks:
        first, last = np.searchsorted(targets, [block.targets.start, block.targets.stop])
        into = order[first:last]
        into = into[(edges[into, 0] >= block.targets.start) == block.recurrent]
        slots[into] = block.slots(edges[into])
    return slots


class LiveWeights(NamedTuple):
    """What weights connect, in the order of their places: by block, gate and target, sources ascending.

    Attributes
    ----------
    edges : (n_weights, 2) int64 array
        Rows (source, target); an edge of several gates comes once a gate.
    gates : (n_weights,) int64 array
    """

    edges: NDArray[np.int64]
    gates: NDArray[np.int64]

    def distinct_edges(self) -> NDArray[np.int64]:
        """Return the (n_edges, 2) edges any of whose gates lives, once each, in whatever order."""
        return np.unique(self.edges, axis=0) if self.gates.any() else self.edges


def live_weights(blocks: Sequence[Block], slots: NDArray[np.int64]) -> LiveWeights:
    """Return what connects weights at (n_weights,) ascending places."""
    edges = np.empty((len(slots), 2), np.int64)
    gates = np.empty(len(slots), np.int64)
    for block in blocks:
        first, last = np.searchsorted(slots, [block.offset, block.offset + block.size])
        row, column = np.divmod(slots[first:last] - block.offset, max(len(block.columns), 1))
        gates[first:last], target = np.divmod(row, len(block.targets))
        edges[first:last, 0], edges[first:last, 1] = block.columns[column], target + block.targets.start
    return LiveWeights(edges, gates)


def split_columns(columns: Tensor, blocks: Sequence[Block]) -> tuple[Tensor, ...]:
    """Return the columns of every block, of all blocks' columns one after the other."""
    return torch.split(columns, [len(block.columns) for block in blocks])


def gather(values: Tensor, dim: int, block: Block, index: Tensor) -> Tensor:
    """Return what a block reads of all neurons' values along `dim`: a view where the columns are neighbours."""
    if block.run is not None:
        return values.narrow(dim, block.run.start, len(block.run))
    return values.index_select(dim, index)
