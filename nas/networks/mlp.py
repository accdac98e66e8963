"""SparseMLP: a wiring of forward edges as a feed-forward network.

The whole network is one autograd function over a buffer of activations laid out (neuron, batch): every layer is one
matrix product that reads rows of it and writes rows into it, so that edges which skip layers cost nothing extra.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from nas.networks.activations import ACTIVATIONS, Activation
from nas.networks.blocks import Block, gather, install, lay_out, slots_of
from nas.networks.parameters import feedforward_weights
from priors.wiring import Wiring

__all__ = ["SparseMLP"]


class SparseMLP(nn.Module):
    """A feed-forward network whose connections are exactly the edges of a wiring.

    Every hidden neuron is ``activation(sum over its predecessors + bias)``; output units are the sum and the bias
    alone. Edges may skip layers, and output units may read any layer. Weights lie in one flat vector, made of one
    `Block` a layer; those off the mask are exactly zero and stay so under any optimizer, as their gradient is zero.

    Parameters
    ----------
    wiring : Wiring
        With input and output units, forward edges only. Its weights, where it has any, are the initial weights.
    activation : str
        A key of `ACTIVATIONS`: ``relu``, ``tanh``, ``sigmoid``, ``gelu`` or ``identity``.
    rng : int, numpy Generator or None
        Source of the initial weights: normal with variance gain / fan-in of the neuron, gain 2 for ``relu`` and
        ``gelu``, 1 for the others and for output units. Biases begin at 0.
    device, dtype : optional
        As for ``nn.Linear``.

    Attributes
    ----------
    weight : (n_slots,) Parameter
    bias : (n_neurons - n_inputs,) Parameter
        One bias for every neuron that is no input unit, in their order.
    mask : (n_slots,) bool buffer
    blocks : tuple of Block
        ``blocks[i].matrix(network.weight)`` is the (n_target, n_columns) view of layer i + 1's weights.
    blueprint : Wiring
        The wiring as constructed; `wiring_of` gives the one that lives.

    Raises
    ------
    ValueError
        For a wiring without input or output units or with recurrent edges, or an unknown activation.
    """

    weight: nn.Parameter
    bias: nn.Parameter
    mask: Tensor
    columns: Tensor

    def __init__(
        self,
        wiring: Wiring,
        activation: str = "relu",
        *,
        rng: int | np.random.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        edges, weights = feedforward_weights(wiring, activation, rng)
        self.blueprint = wiring
        self.activation = activation
        self.blocks = lay_out(wiring, range(1, wiring.n_layers))
        slots = slots_of(self.blocks, edges)
        install(self, self.blocks, slots, weights, np.zeros(wiring.n_neurons - wiring.n_inputs), device, dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Map a (batch, n_inputs) batch to its (batch, n_outputs) outputs.

        Raises
        ------
        ValueError
            If `x` has another shape or type than the network reads.
        """
        n_inputs = self.blueprint.n_inputs
        if x.ndim != 2 or x.shape[1] != n_inputs or x.dtype != self.weight.dtype:
            raise ValueError(
                f"x has shape {tuple(x.shape)} and type {x.dtype}: "
                f"this network reads (batch, {n_inputs}) of {self.weight.dtype}"
            )
        plan = _Plan(self.blueprint, self.blocks, ACTIVATIONS[self.activation])
        return _apply(x, self.weight, self.bias, self.mask, self.columns, plan)

    def extra_repr(self) -> str:
        """Return what ``print`` shows between the brackets."""
        return f"{self.blueprint!r}, activation={self.activation!r}"


class _Plan(NamedTuple):
    """What a pass needs to know apart from tensors."""

    wiring: Wiring
    blocks: tuple[Block, ...]
    activation: Activation


class _Pass(torch.autograd.Function):
    """Forward and backward pass over the whole network; activations lie (neuron, batch)."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mask: Tensor, columns: Tensor, plan: _Plan
    ) -> Tensor:
        wiring, activation = plan.wiring, plan.activation
        values = weight.new_empty(wiring.n_neurons, len(x))
        values[: wiring.n_inputs].copy_(x.t())
        sums = torch.empty_like(values) if activation.keeps_sums else values
        bias_column = bias.unsqueeze(1)
        for block, index in zip(plan.blocks, _indices(plan, columns), strict=True):
            start, stop = block.targets.start, block.targets.stop
            own = sums[start:stop]
            read = gather(values, 0, block, index)
            torch.addmm(
                bias_column[start - wiring.n_inputs : stop - wiring.n_inputs], block.matrix(weight), read, out=own
            )
            if block is not plan.blocks[-1]:
                activation.forward(own, values[start:stop])
        ctx.save_for_backward(weight, mask, columns, values, sums)
        ctx.plan = plan
        return sums[wiring.n_neurons - wiring.n_outputs :].t().contiguous()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        weight, mask, columns, values, sums = ctx.saved_tensors
        plan: _Plan = ctx.plan
        n_inputs = plan.wiring.n_inputs
        deltas = torch.zeros_like(values)
        deltas[plan.wiring.n_neurons - plan.wiring.n_outputs :].copy_(gradient.t())
        weight_gradient = torch.empty_like(weight)
        indices = _indices(plan, columns)
        for block, index in zip(reversed(plan.blocks), reversed(indices), strict=True):
            rows = slice(block.targets.start, block.targets.stop)
            delta = deltas[rows]
            if block is not plan.blocks[-1]:
                plan.activation.backward(delta, sums[rows])
            torch.mm(delta, gather(values, 0, block, index).t(), out=block.matrix(weight_gradient))
            _send_back(deltas, delta, block, index, weight, 0 if ctx.needs_input_grad[0] else n_inputs)
        return (
            deltas[:n_inputs].t() if ctx.needs_input_grad[0] else None,
            torch.where(mask, weight_gradient, 0.0),
            deltas[n_inputs:].sum(dim=1),
            None,
            None,
            None,
        )


_apply: Callable[..., Tensor] = _Pass.apply


def _indices(plan: _Plan, columns: Tensor) -> tuple[Tensor, ...]:
    return torch.split(columns, [len(block.columns) for block in plan.blocks])


def _send_back(deltas: Tensor, delta: Tensor, block: Block, index: Tensor, weight: Tensor, first: int) -> None:
    """Add what a block's targets send back to the neurons that they read, from neuron `first` on."""
    skipped = int(np.searchsorted(block.columns, first)) if first else 0
    if skipped == len(block.columns):
        return
    matrix = block.matrix(weight)[:, skipped:].t()
    if block.run is not None:
        deltas[block.run.start + skipped : block.run.stop].addmm_(matrix, delta)
    else:
        deltas.index_add_(0, index[skipped:], matrix @ delta)
