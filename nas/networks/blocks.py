"""Blocks: how the weights of a wiring lie in one flat vector, as rectangles over what each layer reads.

A block covers one layer of targets and only the neurons that this layer reads: a layer is one matrix product over what
it needs, and masking a gradient or an optimizer's step is one operation over one vector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from priors.wiring import Wiring

__all__ = ["Block", "gather", "install", "lay_out", "live_edges", "slots_of", "without_dead"]


@dataclass(frozen=True, eq=False)
class Block:
    """One rectangle of the flat weight vector: everything that one layer reads within (or across) a step.

    Attributes
    ----------
    targets : range
        The neurons that read, contiguous.
    columns : (n_columns,) int64 array
        The neurons that are read, ascending.
    gates : int
        Weights an edge; the rows of a gate lie together, as in ``nn.LSTM``.
    offset : int
        Where the block begins in the flat vector.
    recurrent : bool
        Whether its edges act one time step later.
    """

    targets: range
    columns: NDArray[np.int64]
    gates: int
    offset: int
    recurrent: bool = False

    @cached_property
    def shape(self) -> tuple[int, int]:
        """Shape of the matrix, ``(gates * n_target, n_columns)``."""
        return self.gates * len(self.targets), len(self.columns)

    @cached_property
    def size(self) -> int:
        """Number of entries, masked ones included."""
        return self.shape[0] * self.shape[1]

    @cached_property
    def run(self) -> range | None:
        """The columns as a range where they are neighbours, so that a slice reads them; otherwise None."""
        if len(self.columns) == 0 or self.columns[-1] - self.columns[0] != len(self.columns) - 1:
            return None
        return range(int(self.columns[0]), int(self.columns[-1]) + 1)

    def matrix(self, flat: Tensor) -> Tensor:
        """Return the block's view of a flat vector (weights, mask, gradient or optimizer state).

        The view has the shape ``(gates * n_target, n_columns)``, oriented like ``nn.Linear.weight``: entry (i, j) of a
        gate belongs to the edge from neuron ``columns[j]`` to neuron ``targets[i]``.
        """
        return flat[self.offset : self.offset + self.size].view(self.shape)

    def cube(self, flat: NDArray[Any]) -> NDArray[Any]:
        """Return the block's (gates, n_target, n_columns) view of a flat array."""
        return flat[self.offset : self.offset + self.size].reshape(self.gates, len(self.targets), len(self.columns))

    def slots(self, edges: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Return the (n_edges, gates) places in the flat vector of edges that lie in the block."""
        row = edges[:, 1, None].astype(np.int64) - self.targets.start + np.arange(self.gates) * len(self.targets)
        column = np.searchsorted(self.columns, edges[:, 0])
        return self.offset + row * len(self.columns) + column[:, None]


def lay_out(
    wiring: Wiring, layers: Iterable[int], gates: int = 1, *, recurrent: bool = False, complete: bool = False
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
    """
    by_target = wiring.edges[np.argsort(wiring.edges[:, 1], kind="stable")].astype(np.int64)
    blocks: list[Block] = []
    offset = 0
    for layer in layers:
        targets = wiring.neurons(layer)
        first, last = np.searchsorted(by_target[:, 1], [targets.start, targets.stop])
        sources = np.unique(by_target[first:last, 0])
        within, across = sources[sources < targets.start], sources[sources >= targets.start]
        if complete:
            within = within if len(within) else np.zeros(1, np.int64)
            across = np.arange(targets.start, targets.stop)
        for columns, is_recurrent in ((within, False), (across, True))[: 1 + recurrent]:
            blocks.append(Block(targets, columns, gates, offset, is_recurrent))
            offset += blocks[-1].size
    return tuple(blocks)


def slots_of(blocks: Sequence[Block], edges: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return the (n_edges, gates) places of edges in the flat vector; every edge must lie in one of the blocks."""
    slots = np.full((len(edges), blocks[0].gates), -1, dtype=np.int64)
    order = np.argsort(edges[:, 1], kind="stable")
    targets = edges[order, 1]
    for block in blocks:
        first, last = np.searchsorted(targets, [block.targets.start, block.targets.stop])
        into = order[first:last]
        into = into[(edges[into, 0] >= block.targets.start) == block.recurrent]
        slots[into] = block.slots(edges[into])
    return slots


def live_edges(blocks: Sequence[Block], mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the (n_edges, 2) edges of which at least one gate lives in the flat mask, in the order of the blocks."""
    edges = [np.zeros((0, 2), np.int64)]
    for block in blocks:
        target, column = np.nonzero(block.cube(mask).any(axis=0))
        edges.append(np.stack([block.columns[column], target + block.targets.start], axis=1))
    return np.concatenate(edges)


def install(
    module: nn.Module,
    blocks: Sequence[Block],
    slots: NDArray[np.int64],
    weights: NDArray[np.floating[Any]],
    bias: NDArray[np.floating[Any]],
    device: torch.device | str | None,
    dtype: torch.dtype | None,
) -> None:
    """Give a module its parameters ``weight`` and ``bias`` and its buffers ``mask`` and ``columns``, all of them flat.

    `weights` holds one row an edge and one column a gate, and `slots` says where they go.
    """
    size = blocks[-1].offset + blocks[-1].size if blocks else 0
    mask, values = np.zeros(size, dtype=bool), np.zeros(size)
    mask[slots], values[slots] = True, weights
    dtype = dtype or torch.get_default_dtype()
    module.register_parameter("weight", nn.Parameter(torch.as_tensor(values, dtype=dtype, device=device)))
    module.register_parameter("bias", nn.Parameter(torch.as_tensor(bias, dtype=dtype, device=device)))
    module.register_buffer("mask", torch.as_tensor(mask, device=device))
    columns = np.concatenate([np.zeros(0, np.int64), *(block.columns for block in blocks)])
    # Not part of the state: the blocks say the same, but only a buffer moves along with the network.
    module.register_buffer("columns", torch.as_tensor(columns, device=device), persistent=False)


def gather(values: Tensor, dim: int, block: Block, index: Tensor) -> Tensor:
    """Return what a block reads of all neurons' values along `dim`: a view where the columns are neighbours."""
    if block.run is not None:
        return values.narrow(dim, block.run.start, len(block.run))
    return values.index_select(dim, index)


class _WithoutDead(torch.autograd.Function):
    """Identity whose gradient is zero off the mask."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, mask: Tensor) -> Tensor:
        ctx.save_for_backward(mask)
        return weight.view_as(weight)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (mask,) = ctx.saved_tensors
        # Not a product: infinity times zero would carry a diverging gradient off the mask.
        return torch.where(mask, gradients[0], 0.0), None


_apply: Callable[..., Tensor] = _WithoutDead.apply


def without_dead(weight: Tensor, mask: Tensor) -> Tensor:
    """Return the flat weights as they are, and keep their gradient exactly zero where the mask is False.

    No optimizer then ever moves a weight off the mask away from zero: momentum, moments and decay of zero are zero.
    """
    return _apply(weight, mask)
