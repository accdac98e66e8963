"""Activations: what a neuron does with its sum, forward and backward, written into given memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["ACTIVATIONS", "Activation"]

_aten = torch.ops.aten


@dataclass(frozen=True)
class Activation:
    """An activation function, elementwise.

    Attributes
    ----------
    forward : callable
        ``forward(sums, out)`` writes the activations of `sums` into `out`, which may be `sums` itself.
    backward : callable
        ``backward(gradient, kept)`` turns the gradient by the activations into the gradient by the sums, in place;
        `kept` holds the sums where `keeps_sums`, otherwise the activations.
    gain : float
        Variance of the weights into a neuron times its fan-in that keeps the size of signals [1]_.
    keeps_sums : bool
        Whether the gradient needs the sums.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers", ICCV 2015, arXiv:1502.01852.
    """

    forward: Callable[[Tensor, Tensor], object]
    backward: Callable[[Tensor, Tensor], object]
    gain: float = 1.0
    keeps_sums: bool = False


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(
        lambda sums, out: torch.clamp_min(sums, 0.0, out=out),
        lambda gradient, kept: _aten.threshold_backward.grad_input(gradient, kept, 0.0, grad_input=gradient),
        gain=2.0,
    ),
    "tanh": Activation(
        lambda sums, out: torch.tanh(sums, out=out),
        lambda gradient, kept: _aten.tanh_backward.grad_input(gradient, kept, grad_input=gradient),
    ),
    "sigmoid": Activation(
        lambda sums, out: torch.sigmoid(sums, out=out),
        lambda gradient, kept: _aten.sigmoid_backward.grad_input(gradient, kept, grad_input=gradient),
    ),
    "gelu": Activation(
        lambda sums, out: _aten.gelu.out(sums, out=out),
        lambda gradient, kept: _aten.gelu_backward.grad_input(gradient, kept, grad_input=gradient),
        gain=2.0,
        keeps_sums=True,
    ),
    "identity": Activation(lambda _sums, _out: None, lambda _gradient, _kept: None),
}
