"""Sparse networks as they are usually written in torch, with the initial weights of this project's. Imports torch, nas.

Every one computes the function of the network that `NetworkSpec.build` makes of the same wiring and seed. Masks are of
float32: multiplying by one of bool takes torch five times as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize

from nas.networks.cells import CELLS
from nas.networks.parameters import feedforward_weights, head_weights, recurrent_bias, recurrent_weights
from priors import Wiring

__all__ = ["MaskedMLP", "MaskedRNN", "Population"]


class MaskedMLP(nn.Module):
    """Dense layers: a mask on the weights, or a mask on their gradients.

    Layers of a layered wiring read the layer before them, all others read everything before them. Masks on weights are
    on every layer, as such code has them; masks on gradients are left out where a layer is complete.
    """

    def __init__(self, wiring: Wiring, seed: int, *, mask_weights: bool) -> None:
        super().__init__()
        self.consecutive = _is_consecutive(wiring)
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        self.masks: list[Tensor | None] = []
        self.gradient_masks: list[tuple[nn.Parameter, Tensor]] = []
        for values, exists in _matrices(wiring, seed):
            weight, mask = nn.Parameter(torch.from_numpy(values)), torch.from_numpy(exists)
            self.weights.append(weight)
            self.biases.append(nn.Parameter(torch.zeros(len(values))))
            self.masks.append(mask if mask_weights else None)
            if not mask_weights and not exists.all():
                self.gradient_masks.append((weight, mask))

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, n_outputs)."""
        last = len(self.masks) - 1
        for index, (weight, bias, mask) in enumerate(zip(self.weights, self.biases, self.masks, strict=True)):
            sums = functional.linear(x, weight if mask is None else weight * mask, bias)
            if index == last:
                return sums
            x = sums.relu() if self.consecutive else torch.cat([x, sums.relu()], dim=1)
        return x


class Population(nn.Module):
    """Several layered networks side by side, which read the same batches.

    The first layer is one matrix product for all of them, every other layer a batched one.
    """

    def __init__(self, wirings: Sequence[Wiring], seeds: Sequence[int]) -> None:
        super().__init__()
        self.n_networks = len(wirings)
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        self.gradient_masks: list[tuple[nn.Parameter, Tensor]] = []
        each = [_matrices(wiring, seed) for wiring, seed in zip(wirings, seeds, strict=True)]
        for index, layer in enumerate(zip(*each, strict=True)):
            values, exists = (torch.from_numpy(np.stack(matrices)) for matrices in zip(*layer, strict=True))
            bias = torch.zeros(values.shape[:2])
            if index == 0:
                values, exists, bias = values.flatten(0, 1), exists.flatten(0, 1), bias.flatten()
            else:
                values, exists, bias = values.mT.contiguous(), exists.mT.contiguous(), bias.unsqueeze(1)
            weight = nn.Parameter(values)
            self.weights.append(weight)
            self.biases.append(nn.Parameter(bias))
            if not exists.all():
                self.gradient_masks.append((weight, exists))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n_networks, batch, n_outputs)."""
        first, *weights = self.weights
        first_bias, *biases = self.biases
        x = functional.linear(x, first, first_bias).view(len(x), self.n_networks, -1).transpose(0, 1)
        for weight, bias in zip(weights, biases, strict=True):
            x = torch.baddbmm(bias, x.relu(), weight)
        return x


class _Masked(nn.Module):
    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", mask)

    def forward(self, weight: Tensor) -> Tensor:
        """Return the weights of the edges, and zeros elsewhere."""
        return weight * self.mask


class MaskedRNN(nn.Module):
    """``nn.RNN``, ``nn.GRU`` or ``nn.LSTM`` with a mask on its recurrent weights, and a linear head on the last state.

    With a mask on gradients, it also covers the second bias of every gate, which says the same as the first, so that
    the parameters are those of the project's network; a mask on weights leaves both biases as they usually are.
    """

    def __init__(self, wiring: Wiring, cell: str, seed: int, *, mask_weights: bool) -> None:
        super().__init__()
        kind = {"tanh": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell]
        self.rnn = kind(wiring.n_inputs, wiring.n_hidden, batch_first=True)
        self.head = nn.Linear(wiring.n_hidden, wiring.n_outputs)
        mask = self._initialise(wiring, cell, seed)
        self.gradient_masks: list[tuple[nn.Parameter, Tensor]] = []
        if mask_weights:
            parametrize.register_parametrization(self.rnn, "weight_hh_l0", _Masked(mask))
        else:
            bias_mask = torch.zeros(len(self.rnn.bias_hh_l0))
            bias_mask[2 * wiring.n_hidden :] = float(cell == "gru")
            self.gradient_masks = [(self.rnn.weight_hh_l0, mask), (self.rnn.bias_hh_l0, bias_mask)]

    def _initialise(self, wiring: Wiring, cell: str, seed: int) -> Tensor:
        """Set all parameters and return the mask of the recurrent weights."""
        rng = np.random.default_rng(seed)
        body, head = recurrent_weights(wiring, cell, rng), head_weights(wiring, rng)
        gates, n = CELLS[cell].gates, wiring.n_hidden
        values = np.zeros((gates, n, wiring.n_inputs + n), np.float32)
        exists = np.zeros_like(values)
        source, target = body.edges.T
        values[:, target - wiring.n_inputs, source] = body.weights.T
        exists[:, target - wiring.n_inputs, source] = 1.0
        read_out = np.zeros((wiring.n_outputs, n), np.float32)
        read_out[head.edges[:, 1] - wiring.n_inputs - n, head.edges[:, 0] - wiring.n_inputs] = head.weights[:, 0]
        complete = exists[:, :, : wiring.n_inputs].all() and len(head.edges) == read_out.size
        assert complete, "only recurrent weights have a mask here"
        flat = values.reshape(gates * n, -1)
        with torch.no_grad():
            self.rnn.weight_ih_l0.copy_(torch.from_numpy(flat[:, : wiring.n_inputs]))
            self.rnn.weight_hh_l0.copy_(torch.from_numpy(flat[:, wiring.n_inputs :]))
            self.rnn.bias_ih_l0.copy_(torch.from_numpy(recurrent_bias(wiring, cell)[: gates * n]))
            self.rnn.bias_hh_l0.zero_()
            self.head.weight.copy_(torch.from_numpy(read_out))
            self.head.bias.zero_()
        return torch.from_numpy(exists.reshape(gates * n, -1)[:, wiring.n_inputs :].copy())

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, time, n_inputs) sequences to (batch, n_outputs)."""
        states, _ = self.rnn(x)
        outputs: Tensor = self.head(states[:, -1])
        return outputs


def _is_consecutive(wiring: Wiring) -> bool:
    layers = wiring.layer_of[wiring.edges]
    return bool((layers[:, 1] - layers[:, 0] == 1).all())


def _matrices(wiring: Wiring, seed: int) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return, for every layer but the first, initial weights and mask over what it may read."""
    edges, weights = feedforward_weights(wiring, "relu", np.random.default_rng(seed))
    values = np.zeros((wiring.n_neurons, wiring.n_neurons), np.float32)
    exists = np.zeros_like(values)
    values[edges[:, 1], edges[:, 0]] = weights[:, 0]
    exists[edges[:, 1], edges[:, 0]] = 1.0
    consecutive, matrices = _is_consecutive(wiring), []
    for before, own in pairwise(map(wiring.neurons, range(wiring.n_layers))):
        block = slice(own.start, own.stop), slice(before.start if consecutive else 0, before.stop)
        matrices.append((values[block].copy(), exists[block].copy()))
    return matrices
