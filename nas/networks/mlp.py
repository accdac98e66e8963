"""SparseMLP: a wiring of forward edges as a feed-forward network.

While nothing but autograd looks on, the whole network is one autograd function over a buffer of activations laid out
(neuron, batch): every layer is one matrix product that reads rows of it and writes rows into it, so that edges which
skip layers cost nothing extra. Everything else (second derivatives, transforms of functions, compilers, exporters,
autocast, networks too large for dense matrices) is computed by standard operations, layer by layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nas.networks.activations import ACTIVATIONS, Activation, InPlace
from nas.networks.blocks import Block, gather, lay_out, split_columns
from nas.networks.parameters import EdgeWeights, feedforward_weights
from nas.networks.wired import Matrix, WiredModule, affine, is_autocast, is_plain
from priors.wiring import Wiring

__all__ = ["SparseMLP", "run_layers"]


class SparseMLP(WiredModule):
    """A feed-forward network whose connections are exactly the edges of a wiring.

    Every hidden neuron is ``activation(sum over its predecessors + bias)``; output units are the sum and the bias
    alone. Edges may skip layers, and output units may read any layer.

    Parameters
    ----------
    wiring : Wiring
        With input and output units, forward edges only. Its weights, where it has any, are the initial weights.
    activation : str
        A key of `ACTIVATIONS`: ``relu``, ``tanh``, ``sigmoid``, ``gelu`` or ``identity``.
    rng : int, numpy Generator or None
        Source of the initial weights: normal with variance gain / fan-in of the neuron, gain 2 for ``relu`` and
        ``gelu``, 1 for the others and for output units. Biases begin at 0. None follows ``torch.manual_seed``.
    device, dtype : optional
        As for ``nn.Linear``.
    room : bool
        Whether there are places for edges between all neurons of consecutive layers, so that weights may come to live
        there (`replace_weights`, `nas.sparsity.learn`). Memory follows from the edges all the same: with a wiring
        without edges this is a network of any size in which everything may live.

    Attributes
    ----------
    weight : (n_edges,) Parameter
        One weight for every edge, by target, sources ascending.
    bias : (n_neurons - n_inputs,) Parameter
        One bias for every neuron that is no input unit, in their order.
    blocks : tuple of Block
        ``matrices()[i]`` is the (n_target, n_columns) matrix of ``blocks[i]``, which is layer i + 1.
    blueprint : Wiring
        The wiring as constructed; `wiring_of` gives the one that lives.
    in_features, out_features : int

    Raises
    ------
    ValueError
        For a wiring without input or output units or with recurrent edges, or an unknown activation.

    Examples
    --------
    >>> import torch
    >>> from nas import SparseMLP
    >>> from priors import BarabasiAlbert, attach, layer, orient
    >>> hidden = layer(orient(BarabasiAlbert(n=20, m=2).sample(0), rng=0))
    >>> network = SparseMLP(attach(hidden, n_inputs=6, n_outputs=3, rng=0), activation="tanh", rng=0)
    >>> tuple(network(torch.zeros(5, 6)).shape)
    (5, 3)
    >>> network.weight.numel(), network.bias.numel()  # one an edge, and one a neuron
    (204, 23)
    """

    bias: Tensor

    def __init__(
        self,
        wiring: Wiring,
        activation: str = "relu",
        *,
        rng: int | np.random.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        room: bool = False,
    ) -> None:
        super().__init__()
        self.activation, self.room = activation, room
        self.in_features, self.out_features = wiring.n_inputs, wiring.n_outputs
        self._install(wiring, lay_out(wiring, range(1, wiring.n_layers), room=room), rng, device, dtype)

    def _start(self, wiring: Wiring, rng: np.random.Generator) -> tuple[EdgeWeights, NDArray[np.float64]]:
        return feedforward_weights(wiring, self.activation, rng), np.zeros(wiring.n_neurons - wiring.n_inputs)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  As torch's layers call it.
        """Map a (batch, n_inputs) batch to its (batch, n_outputs) outputs.

        Raises
        ------
        ValueError
            If `input` has another shape or type than the network reads.
        """
        x, weight = input, self.weight
        is_cast = is_autocast(x.device.type)
        if x.ndim != 2 or x.shape[1] != self.in_features or (x.dtype != weight.dtype and not is_cast):
            raise ValueError(
                f"input has shape {tuple(x.shape)} and type {x.dtype}: "
                f"this network reads (batch, {self.in_features}) of {weight.dtype}"
            )
        activation = ACTIVATIONS[self.activation]
        if activation.in_place is not None and self._is_dense() and is_plain(x.device.type):
            plan = _Plan(self.blueprint, self.blocks, activation, activation.in_place)
            fast: Tensor = _Pass.apply(x, self._dense(), self.bias, self.columns, plan)  # type: ignore[no-untyped-call]
            return fast
        return _run(x, self._matrices(), self.bias, self.blocks, self._indices(), activation)

    def extra_repr(self) -> str:
        """Return what ``print`` shows between the brackets."""
        return f"{self.blueprint!r}, activation={self.activation!r}"


def run_layers(network: SparseMLP, x: Tensor, change: Callable[[Tensor, range], Tensor]) -> Tensor:
    """Return a network's (batch, n_outputs) outputs, where something is done to the sums of hidden neurons.

    `change` is given the (batch, n_targets) sums of a layer without their biases, and the layer's neurons; it returns
    what the activation function is given.
    """
    first_output = network.blueprint.n_neurons - network.in_features - network.out_features
    bias = torch.cat([torch.zeros_like(network.bias[:first_output]), network.bias[first_output:]])
    activation = ACTIVATIONS[network.activation]
    return _run(x, network._matrices(), bias, network.blocks, network._indices(), activation, change)


def _run(
    x: Tensor,
    matrices: tuple[Matrix, ...],
    bias: Tensor,
    blocks: tuple[Block, ...],
    indices: tuple[Tensor, ...],
    activation: Activation,
    change: Callable[[Tensor, range], Tensor] = lambda sums, _: sums,
) -> Tensor:
    """Compute the outputs by standard operations, layer by layer; see `run_layers` for `change`."""
    layers, starts = [x], [0]
    sums = x
    for block, index, matrix, own_bias in zip(
        blocks, indices, matrices, torch.split(bias, [len(block.targets) for block in blocks]), strict=True
    ):
        # Only the layers between the first and the last that are read need to lie together.
        first = sum(start <= block.reach.start for start in starts[1:])
        last = max(sum(start < block.reach.stop for start in starts), first + 1)
        values = layers[first] if last - first == 1 else torch.cat(layers[first:last], dim=1)
        sums = affine(_read(values, block, index, starts[first]), matrix, own_bias)
        if block is blocks[-1]:
            break
        starts.append(block.targets.start)
        layers.append(activation.function(change(sums, block.targets)))
    return sums


def _read(values: Tensor, block: Block, index: Tensor, start: int) -> Tensor:
    """Return what a block reads of values that begin with neuron `start`."""
    if block.run is not None:
        if len(block.run) == values.shape[1]:
            return values
        return values.narrow(1, block.run.start - start, len(block.run))
    return values.index_select(1, index - start if start else index)


class _Plan(NamedTuple):
    """What a pass needs to know apart from tensors."""

    wiring: Wiring
    blocks: tuple[Block, ...]
    activation: Activation
    in_place: InPlace


class _Pass(torch.autograd.Function):
    """Forward and backward pass over the whole network; activations lie (neuron, batch)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, columns: Tensor, plan: _Plan) -> Tensor:
        wiring, activation = plan.wiring, plan.in_place
        values = weight.new_empty(wiring.n_neurons, len(x))
        values[: wiring.n_inputs].copy_(x.t())
        sums = torch.empty_like(values) if activation.keeps_sums else values
        bias_column = bias.unsqueeze(1)
        for block, index in zip(plan.blocks, split_columns(columns, plan.blocks), strict=True):
            start, stop = block.targets.start, block.targets.stop
            own = sums[start:stop]
            read = gather(values, 0, block, index)
            torch.addmm(
                bias_column[start - wiring.n_inputs : stop - wiring.n_inputs], block.matrix(weight), read, out=own
            )
            if block is not plan.blocks[-1]:
                activation.forward(own, values[start:stop])
        ctx.save_for_backward(x, weight, bias, columns, values, sums)
        ctx.plan = plan
        return sums[wiring.n_neurons - wiring.n_outputs :].t().clone(memory_format=torch.contiguous_format)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled() or _is_batched(gradients[0]):
            return *_differentiable_gradients(ctx, gradients[0]), None, None
        _, weight, _, columns, values, sums = ctx.saved_tensors
        plan: _Plan = ctx.plan
        n_inputs = plan.wiring.n_inputs
        deltas = torch.zeros_like(values)
        deltas[plan.wiring.n_neurons - plan.wiring.n_outputs :].copy_(gradients[0].t())
        weight_gradient = torch.empty_like(weight)
        indices = split_columns(columns, plan.blocks)
        for block, index in zip(reversed(plan.blocks), reversed(indices), strict=True):
            rows = slice(block.targets.start, block.targets.stop)
            delta = deltas[rows]
            if block is not plan.blocks[-1]:
                plan.in_place.backward(delta, sums[rows])
            torch.mm(delta, gather(values, 0, block, index).t(), out=block.matrix(weight_gradient))
            _send_back(deltas, delta, block, index, weight, 0 if ctx.needs_input_grad[0] else n_inputs)
        return (
            deltas[:n_inputs].t() if ctx.needs_input_grad[0] else None,
            weight_gradient,
            deltas[n_inputs:].sum(dim=1),
            None,
            None,
        )


def _is_batched(gradient: Tensor) -> bool:
    """Whether a gradient stands for many at once, as ``autograd.grad(is_grads_batched=True)`` makes them."""
    functorch = torch._C._functorch
    return functorch.is_batchedtensor(gradient) or functorch.is_legacy_batchedtensor(gradient)


def _differentiable_gradients(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
    """Return the gradients by x, weight and bias as functions of all of them, by autograd through `_run`."""
    plan: _Plan = ctx.plan
    x, weight, bias, columns, *_ = ctx.saved_tensors
    inputs = [tensor for tensor, needed in zip((x, weight, bias), ctx.needs_input_grad, strict=False) if needed]
    options: dict[str, Any] = {"create_graph": torch.is_grad_enabled(), "allow_unused": True, "materialize_grads": True}
    with torch.enable_grad():
        matrices = tuple(block.matrix(weight) for block in plan.blocks)
        outputs = _run(x, matrices, bias, plan.blocks, split_columns(columns, plan.blocks), plan.activation)
    found = iter(torch.autograd.grad(outputs, inputs, gradient, **options))
    return tuple(next(found) if needed else None for needed in ctx.needs_input_grad[:3])


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
