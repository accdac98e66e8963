"""Measures from backward passes at initialisation."""

from __future__ import annotations

from itertools import chain

import torch
from torch import Tensor

from nas.zero_cost.passes import Ensemble, Pass
from nas.zero_cost.sample import Sample

__all__ = ["gradient_measures", "synflow"]


def gradient_measures(ensemble: Ensemble, sample: Sample) -> tuple[dict[str, Tensor], Pass]:
    """Return the measures that need gradients, (n_inits,) each, and the pass over the minibatch that they came from."""
    weights = ensemble.weights.clone().requires_grad_()
    x = sample.minibatch.repeated(len(weights)).clone().requires_grad_()
    ran = ensemble.run(weights, x, sample.minibatch.lengths)
    losses = sample.losses(ran.outputs)
    activations = list(chain.from_iterable(ran.steps))
    gradient, *by_activation = torch.autograd.grad(
        losses.sum(), [weights, *activations], retain_graph=True, materialize_grads=True
    )
    measures = {
        "loss": losses,
        "gradient_norm": torch.linalg.vector_norm(gradient, dim=1),
        "snip": (weights * gradient).abs().sum(dim=1),
        "fisher": _fisher(ran, by_activation),
        "jacobian": _jacobian(ran.outputs, x),
    }
    detached = Pass(
        ran.outputs.detach(), tuple(tuple(a.detach() for a in step) for step in ran.steps), ran.final.detach()
    )
    return {name: values.detach() for name, values in measures.items()}, detached


def synflow(ensemble: Ensemble) -> Tensor:
    """Return the (n_inits,) logarithms of SynFlow of an MLP."""
    # Products along deep paths leave what float32 holds.
    weights = ensemble.weights.double().abs().requires_grad_()
    ones = weights.new_ones(len(weights), ensemble.wiring.n_inputs, 1)
    (gradient,) = torch.autograd.grad(ensemble.run_linear(weights, ones).sum(), weights)
    return (weights.detach() * gradient).sum(dim=1).log()


def _fisher(ran: Pass, by_activation: list[Tensor]) -> Tensor:
    batch = ran.outputs.shape[-1]
    n_layers = len(ran.steps[0])
    if not n_layers:
        return ran.outputs.new_full((len(ran.outputs),), torch.nan)
    total = ran.outputs.new_zeros(len(ran.outputs))
    for layer in range(n_layers):
        pairs = zip(ran.steps, by_activation[layer::n_layers], strict=True)
        # The loss is a mean: an example's own gradient is as many times larger as there are examples.
        products = sum((step[layer] * gradient for step, gradient in pairs), start=torch.zeros(())) * batch
        total = total + products.square().mean(dim=2).sum(dim=1)
    return total


def _jacobian(outputs: Tensor, x: Tensor) -> Tensor:
    n_outputs = outputs.shape[1]
    # No example depends on another, so that one row serves all of them.
    rows = torch.eye(n_outputs)[:, None, :, None].expand(n_outputs, *outputs.shape)
    (derivatives,) = torch.autograd.grad(outputs, x, rows, is_grads_batched=True)
    squares = derivatives.square().transpose(0, 1).flatten(1, -2)
    return squares.sum(dim=1).mean(dim=1).sqrt()
