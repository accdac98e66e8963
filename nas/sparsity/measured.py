"""What scores want to know of the live weights of a network, measured on the examples of a task."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nas.errors import InputError
from nas.networks import SequenceNetwork, SparseMLP
from nas.networks.activations import ACTIVATIONS
from nas.sparsity.hessian import (
    compensate,
    input_products,
    inverse_diagonal,
    linear_curvature,
    neuron_curvature,
    weight_curvature,
)
from nas.sparsity.layers import Floats, Live
from nas.sparsity.network import input_statistics, neurons_of
from nas.sparsity.scores import SCORES
from nas.tasks.task import Task
from nas.zero_cost.saliency import flow

__all__ = ["check_score", "input_products_of", "loss_curvature", "measured", "surgery"]

_EXAMPLES, _FOR_CURVATURE = 10_000, 2_048
_PIECEWISE_LINEAR = ("relu", "identity")
_AT_A_TIME = 1024


def check_score(name: str, network: nn.Module) -> None:
    """Raise an InputError if a network does not have what a score, one of `SCORES`, needs."""
    if {"hessian", "flow"} & SCORES[name].needs and not isinstance(network, SparseMLP):
        raise InputError(f"score={name}: it is for MLPs, and this network is recurrent; use another, such as obs or "
                         "snip")  # fmt: skip


def measured(
    live: Live, network: nn.Module, task: Task, needs: Collection[str], products: Sequence[Floats] | None = None
) -> Live:
    """Return the live weights of a network with what a score needs, but for gradients.

    Parameters
    ----------
    live : Live
        All live weights of the network.
    network : nn.Module
        A `SparseMLP` or a `SequenceNetwork`.
    task : Task
        Inputs are those of training examples, and the second derivatives those of the validation loss.
    needs : collection of str
        Names of `nas.sparsity.scores.NEEDS`.
    products : sequence of arrays, optional
        Of `input_products_of`, where they are there already.
    """
    if {"inputs", "norms"} & set(needs):
        source, _ = neurons_of(network).edges(live)
        spread, norm = input_statistics(network, task)
        live = replace(live, input_sd=spread[source], input_norm=norm[source])
    if "hessian" in needs:
        assert isinstance(network, SparseMLP)
        live = replace(live, hessian=loss_curvature(live, network, task, task.validation[:_FOR_CURVATURE]))
    if "flow" in needs:
        assert isinstance(network, SparseMLP)
        live = replace(live, flow=flow(network.weight, lambda sizes: _linear_outputs(network, sizes)).cpu().numpy())
    if "inverse-hessian" in needs:
        products = input_products_of(network, task) if products is None else products
        parts = zip(live.layers, _pieces(live, live.slots), products, strict=True)
        live = replace(live, inverse_hessian=np.concatenate([inverse_diagonal(*part) for part in parts]))
    return live


def _linear_outputs(network: SparseMLP, weights: Tensor) -> Tensor:
    """Return the (1, n_outputs) outputs of a network with other weights whose neurons only sum, where inputs are 1."""
    values = sums = weights.new_ones(1, network.in_features)
    for block, matrix in zip(network.blocks, network.matrices(weights), strict=True):
        sums = functional.linear(values[:, torch.from_numpy(block.columns).to(weights.device)], matrix)
        values = torch.cat([values, sums], dim=1)
    return sums


def loss_curvature(live: Live, network: SparseMLP, task: Task, examples: Tensor) -> Floats:
    """Return the second derivative of the mean loss of some examples by each live weight of an MLP, (n,)."""
    found = np.zeros(live.n)
    for part in torch.split(examples, _AT_A_TIME):
        sums, values = _curvature_of_sums(network, task, part)
        pieces = []
        for layer, block, slots in zip(live.layers, network.blocks, _pieces(live, live.slots), strict=True):
            first, last = block.targets.start - network.in_features, block.targets.stop - network.in_features
            pieces.append(weight_curvature(sums[:, first:last], values[:, block.columns], *layer.entries(slots)))
        found += np.concatenate(pieces) * (len(part) / len(examples))
    return found


def _curvature_of_sums(network: SparseMLP, task: Task, examples: Tensor) -> tuple[Floats, Floats]:
    """Return the second derivatives of the loss of each example by what each neuron sums up, and all neurons' values.

    They are (n_examples, n_hidden + n_outputs) and (n_examples, n_inputs + n_hidden + n_outputs).
    """
    x, _, targets = task.batch(examples)
    x, n_inputs, activation = x.double(), network.in_features, ACTIVATIONS[network.activation].function
    biases = torch.split(network.bias.detach().double(), [len(block.targets) for block in network.blocks])
    parts = []
    for block, matrix, bias in zip(network.blocks, network.matrices(), biases, strict=True):
        # What comes from inputs is the same whatever is added to the sums of neurons.
        columns, weight = torch.from_numpy(block.columns).to(x.device), matrix.detach().double()
        n_read = int(np.searchsorted(block.columns, n_inputs))
        below = functional.linear(x[:, columns[:n_read]], weight[:, :n_read], bias)
        parts.append((block, below, columns[n_read:] - n_inputs, weight[:, n_read:]))
    hidden: list[Tensor] = []

    def outputs(offsets: Tensor) -> Tensor:
        hidden.clear()
        sums = offsets
        for block, below, columns, weight in parts:
            sums = below + offsets[:, block.targets.start - n_inputs : block.targets.stop - n_inputs]
            if len(columns):
                sums = sums + functional.linear(torch.cat(hidden, dim=1)[:, columns], weight)
            hidden.append(activation(sums))
        return sums

    def loss(sums: Tensor) -> Tensor:
        if task.loss == "cross-entropy":
            return functional.cross_entropy(sums, targets, reduction="sum")
        return functional.mse_loss(sums, targets.to(sums.dtype)) * len(x)

    offsets = x.new_zeros(len(x), network.blueprint.n_neurons - n_inputs)
    if network.activation in _PIECEWISE_LINEAR:
        curvature = linear_curvature(outputs, loss, offsets)
    else:
        curvature = neuron_curvature(lambda own: loss(outputs(own)), offsets)
    return curvature.cpu().numpy(), torch.cat([x, *hidden], dim=1).detach().cpu().numpy()


@torch.no_grad()
def input_products_of(network: nn.Module, task: Task, most: int = _EXAMPLES) -> list[Floats]:
    """Return, for each layer, the mean products of what its columns hold, over the first `most` training examples.

    Of sequences it is the mean over all of their steps. A recurrent layer reads what neurons were one step before, 0 at
    the first step, and a head the state at the end, or where each step has a target those at steps that count.
    """
    x, lengths, _ = task.batch(task.train[:most])
    if isinstance(network, SparseMLP):
        values, activation = x.to(network.weight.dtype), ACTIVATIONS[network.activation].function
        biases = torch.split(network.bias, [len(block.targets) for block in network.blocks])
        found = []
        for block, matrix, bias in zip(network.blocks, network.matrices(), biases, strict=True):
            read = values[:, torch.from_numpy(block.columns).to(x.device)]
            found.append(input_products(read.cpu().numpy()))
            values = torch.cat([values, activation(functional.linear(read, matrix, bias))], dim=1)
        return found
    assert isinstance(network, SequenceNetwork)
    assert lengths is not None
    x = x.to(network.rnn.weight.dtype)
    now = torch.cat([x, network.rnn(x)[0]], dim=2)
    before = functional.pad(now, (0, 0, 1, 0))[:, :-1]
    lives = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
    ends = torch.arange(x.shape[1], device=x.device) == lengths[:, None] - 1
    read = now[ends if task.counted is None else task.counted[task.train[:most]][:, : x.shape[1]]]
    within, across = now[lives], before[lives]
    blocks = [(block, across if block.recurrent else within) for block in network.rnn.blocks]
    blocks += [(block, read) for block in network.head.blocks]
    return [
        input_products(values[:, torch.from_numpy(block.columns).to(x.device)].cpu().numpy())
        for block, values in blocks
    ]


def surgery(live: Live, kept: NDArray[np.integer[Any]], products: Sequence[Floats]) -> Floats:
    """Return the weights, (n,), that make up best for those that the optimal brain surgeon drops, layer by layer.

    Parameters
    ----------
    live : Live
        All live weights of a network, before any is dropped.
    kept : (n_kept,) int array
        Indices of those that stay.
    products : sequence of arrays
        Of `input_products_of`.
    """
    stays = np.zeros(live.n, bool)
    stays[kept] = True
    parts = zip(
        live.layers, _pieces(live, live.slots), _pieces(live, live.weight), _pieces(live, stays), products, strict=True
    )
    return np.concatenate([compensate(*part) for part in parts])


def _pieces(live: Live, values: NDArray[Any]) -> list[NDArray[Any]]:
    """Cut values of all live weights up into those of each layer."""
    return np.split(values, live.bounds()[1:-1])
