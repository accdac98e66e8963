"""Activations: what a neuron does with its sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["ACTIVATIONS", "Activation", "InPlace"]

_aten = torch.ops.aten


@dataclass(frozen=True)
class InPlace:
    """An activation function and its gradient, written into given memory.

    Attributes
    ----------
    forward : callable
        ``forward(sums, out)`` writes the activations of `sums` into `out`, which may be `sums` itself.
    backward : callable
        ``backward(gradient, kept)`` turns the gradient by the activations into the gradient by the sums, in place;
        `kept` holds the sums where `keeps_sums`, otherwise the activations.
    keeps_sums : bool
        Whether the gradient needs the sums.
    """

    forward: Callable[[Tensor, Tensor], object]
    backward: Callable[[Tensor, Tensor], object]
    keeps_sums: bool = False


@dataclass(frozen=True)
class Activation:
    """An activation function, elementwise.

    Attributes
    ----------
    function : callable
        From sums to activations.
    gain : float
        Variance of the weights into a neuron times its fan-in that keeps the size of signals [1]_.
    in_place : InPlace, optional
        The same function in a form that trains an MLP faster.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers", ICCV 2015, arXiv:1502.01852.
    """

    function: Callable[[Tensor], Tensor]
    gain: float = 1.0
    in_place: InPlace | None = None


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(
        torch.relu,
        2.0,
        InPlace(
            lambda sums, out: torch.clamp_min(sums, 0.0, out=out),
            lambda gradient, kept: _aten.threshold_backward.grad_input(gradient, kept, 0.0, grad_input=gradient),
        ),
    ),
    "tanh": Activation(
        torch.tanh,
        in_place=InPlace(
            lambda sums, out: torch.tanh(sums, out=out),
            lambda gradient, kept: _aten.tanh_backward.grad_input(gradient, kept, grad_input=gradient),
        ),
    ),
    "sigmoid": Activation(
        torch.sigmoid,
        in_place=InPlace(
            lambda sums, out: torch.sigmoid(sums, out=out),
            lambda gradient, kept: _aten.sigmoid_backward.grad_input(gradient, kept, grad_input=gradient),
        ),
    ),
    "gelu": Activation(
        functional.gelu,
        2.0,
        InPlace(
            lambda sums, out: _aten.gelu.out(sums, out=out),
            lambda gradient, kept: _aten.gelu_backward.grad_input(gradient, kept, grad_input=gradient),
            keeps_sums=True,
        ),
    ),
    "identity": Activation(
        lambda sums: sums, in_place=InPlace(lambda _sums, _out: None, lambda _gradient, _kept: None)
    ),
}
