"""Two ways to run a recurrent network over sequences, of the same function.

`run_layers` hands every layer's whole sequence to torch's fused kernel, which needs recurrent edges to stay within
their layer; `run_steps` goes step by step and takes any recurrent edge.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from nas.networks.blocks import Block, gather
from nas.networks.cells import Cell, State
from nas.networks.wired import Matrix, affine

__all__ = ["Layer", "Parts", "run_layers", "run_steps"]


class Layer(NamedTuple):
    """One layer of cells: two blocks, what they read, their matrices and their biases."""

    below: Block
    below_index: Tensor
    below_matrix: Matrix
    below_bias: Tensor
    before: Block
    before_index: Tensor
    before_matrix: Matrix
    before_bias: Tensor


class Parts(NamedTuple):
    """A network's matrices and biases by layers."""

    cell: Cell
    layers: tuple[Layer, ...]

    @classmethod
    def of(
        cls,
        blocks: tuple[Block, ...],
        cell: Cell,
        matrices: tuple[Matrix, ...],
        bias: Tensor,
        indices: tuple[Tensor, ...],
    ) -> Parts:
        """Cut the biases, and pair what acts within a step with what acts across steps."""
        biases = torch.split(bias, [cell.biases * len(block.targets) for block in blocks[::2]])
        layers = []
        for number, layer_bias in enumerate(biases):
            below, before = 2 * number, 2 * number + 1
            n_gates = blocks[below].shape[0]
            below_bias, candidate = layer_bias[:n_gates], layer_bias[n_gates:]
            before_bias = torch.cat([bias.new_zeros(n_gates - len(candidate)), candidate])
            layers.append(
                Layer(
                    blocks[below],
                    indices[below],
                    matrices[below],
                    below_bias,
                    blocks[before],
                    indices[before],
                    matrices[before],
                    before_bias,
                )
            )
        return cls(cell, tuple(layers))


def run_layers(parts: Parts, x: Tensor, batch_sizes: Tensor | None, state: State) -> tuple[Tensor, State]:
    """Run layer by layer with torch's fused kernels.

    Parameters
    ----------
    parts : Parts
    x : (batch, time, n_inputs) Tensor, or (n_steps, n_inputs) of packed sequences
    batch_sizes : (time,) int64 Tensor of packed sequences, or None
    state : tuple of (1, batch, n_hidden) Tensors

    Returns
    -------
    output : (batch, time, n_hidden) Tensor, or (n_steps, n_hidden) of packed sequences
    state : tuple of (1, batch, n_hidden) Tensors
    """
    values, finals = [x], []
    n_inputs = x.shape[-1]
    for layer in parts.layers:
        every = values[0] if len(values) == 1 else torch.cat(values, dim=-1)
        read = gather(every, -1, layer.below, layer.below_index)
        start, n_cells = layer.below.targets.start - n_inputs, len(layer.below.targets)
        begin = tuple(part.narrow(-1, start, n_cells).contiguous() for part in state)
        # One layer, biases, no dropout, one direction; the kernels must keep what a backward pass needs while gradients
        # are recorded, also in evaluation mode.
        options = (_kernel_weights(layer), True, 1, 0.0, torch.is_grad_enabled(), False)
        hidden = begin if parts.cell.states > 1 else begin[0]
        if batch_sizes is None:
            output, *after = parts.cell.fused(read, hidden, *options, True)
        else:
            output, *after = parts.cell.fused(read, batch_sizes, hidden, *options)
        values.append(output)
        finals.append(after)
    if len(finals) == 1:
        return values[1], tuple(finals[0])
    return torch.cat(values[1:], dim=-1), tuple(torch.cat(part, dim=-1) for part in zip(*finals, strict=True))


def _kernel_weights(layer: Layer) -> list[Tensor]:
    matrices = (layer.below_matrix, layer.before_matrix)
    weights = [*(matrix for matrix in matrices if isinstance(matrix, Tensor)), layer.below_bias, layer.before_bias]
    if not layer.below_bias.is_cuda:
        return weights
    # cuDNN wants the four in one piece of memory, warns where they are not, and then copies them all the same.
    flat = torch.cat([weight.reshape(-1) for weight in weights])
    pieces = torch.split(flat, [weight.numel() for weight in weights])
    return [piece.view_as(weight) for piece, weight in zip(pieces, weights, strict=True)]


def run_steps(parts: Parts, x: Tensor, batch_sizes: Tensor | None, state: State) -> tuple[Tensor, State]:
    """Run step by step, layer by layer within a step; arguments and results as of `run_layers`."""
    if batch_sizes is None:
        now, outputs = tuple(part[0] for part in state), []
        for step in x.unbind(1):
            now = _step(parts, step, now)
            outputs.append(now[0])
        return torch.stack(outputs, dim=1), tuple(part.unsqueeze(0) for part in now)
    output, after = _walk(parts, torch.split(x, batch_sizes.tolist()), tuple(part[0] for part in state))
    return torch.cat(output), after


def _walk(parts: Parts, steps: tuple[Tensor, ...], state: State) -> tuple[list[Tensor], State]:
    """Walk through steps of (n_running, n_inputs) inputs; sequences that have ended keep their state."""
    outputs = []
    for x in steps:
        running = len(x)
        after = _step(parts, x, tuple(part[:running] for part in state))
        outputs.append(after[0])
        if running < len(state[0]):
            after = tuple(torch.cat([new, old[running:]]) for new, old in zip(after, state, strict=True))
        state = after
    return outputs, tuple(part.unsqueeze(0) for part in state)


def _step(parts: Parts, x: Tensor, state: State) -> State:
    n_inputs = x.shape[1]
    # Both lie like the neurons of the wiring, so that a block's columns index either; nothing reads old inputs.
    values, old = x, torch.cat([x, state[0]], dim=1)
    news = []
    for layer in parts.layers:
        read = gather(values, 1, layer.below, layer.below_index)
        below = affine(read, layer.below_matrix, layer.below_bias)
        remembered = gather(old, 1, layer.before, layer.before_index)
        before = affine(remembered, layer.before_matrix, layer.before_bias)
        start, n_cells = layer.below.targets.start - n_inputs, len(layer.below.targets)
        new = parts.cell.step(below, before, tuple(part.narrow(1, start, n_cells) for part in state))
        values = torch.cat([values, new[0]], dim=1)
        news.append(new)
    return tuple(torch.cat(part, dim=1) for part in zip(*news, strict=True))
