"""What single weights do to a loss or to the flow through a network.

Zero-cost measures are sums of it over a network's weights; scores of pruning compare it weight by weight.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["flow", "saliency"]

Values = TypeVar("Values", NDArray[np.float64], "Tensor")


def saliency(weight: Values, gradient: Values) -> Values:
    """Return |w g|: to first order, by how much a loss changes when a weight is removed.

    References
    ----------
    Lee, Ajanthan and Torr (2019), SNIP: single-shot network pruning based on connection sensitivity, arXiv:1810.02340
    """
    return abs(weight * gradient)


def flow(weights: Tensor, outputs: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the derivative of the summed outputs, when all inputs are 1, by the absolute value of each weight.

    Parameters
    ----------
    weights : Tensor
    outputs : callable
        From absolute values of the weights, float64, to the outputs that the network has without activations and biases
        where all inputs are 1.

    Returns
    -------
    float64 Tensor
        Like the weights. Its product with their absolute values is SynFlow.

    References
    ----------
    Tanaka, Kunin, Yamins and Ganguli (2020), Pruning neural networks without any data by iteratively conserving
    synaptic flow, arXiv:2006.05467
    """
    import torch

    # Products along deep paths leave what float32 holds.
    sizes = weights.detach().double().abs().requires_grad_()
    (gradient,) = torch.autograd.grad(outputs(sizes).sum(), sizes)
    return gradient
