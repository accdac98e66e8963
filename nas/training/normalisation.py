"""Batch normalisation of an MLP's hidden neurons while it is trained, folded into weights and biases for all else.

Of what a hidden neuron sums up, the mean and the biased variance over a batch, m and v, take its value to
``activation(gamma * (sum - m) / sqrt(v + 1e-5) + bias)``. Folded, m and v are those of the first examples of the
training part, and the neuron is one of a plain network again: its weights times gamma / sqrt(v + 1e-5), beside a bias.
So a batch of one example, whose variance is 0, shows nothing of its inputs: every neuron gives activation(bias).
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nas.errors import InputError
from nas.networks import LinearMean, SequenceNetwork, SparseMLP
from nas.networks.mlp import run_layers
from nas.tasks.task import Task
from nas.training.recipe import Recipe

__all__ = ["EPSILON", "NormalisedMLP", "check_normalise", "examples_to_fold"]

EPSILON = 1e-5
"""Added to variances."""
_EXAMPLES, _MOST_VALUES, _FEWEST = 8192, 2**27, 256


def check_normalise(network: nn.Module | None, recipe: Recipe) -> bool:
    """Return whether the training of a network, None for one in the compiled engine's form, normalises anything.

    Raises
    ------
    InputError
        If the recipe asks for it, and the network is not one whose weights and biases can take it over.
    """
    if not recipe.normalise or isinstance(network, LinearMean):
        return False
    if network is None:
        return True
    if type(network) is not SparseMLP:
        kind = "an RNN" if isinstance(network, SequenceNetwork) else f"a {type(network).__name__}"
        raise InputError(f"normalise=true: it is for MLPs, and this is {kind}; leave it out")
    if any(part._forward_hooks or part._forward_pre_hooks for part in network.modules()):
        raise InputError("normalise=true: the network has hooks, which training with it would not call; remove them")
    if network.held is not None or not all(own.requires_grad for own in network.parameters()):
        raise InputError("normalise=true: some weights are held or frozen, and it would change them; leave it out")
    return True


def examples_to_fold(task: Task, n_neurons: int) -> Tensor:
    """Return the examples whose statistics are folded: the first 8,192 of the training part.

    They are fewer, but 256, where all neurons' values for them would fill gigabytes.
    """
    return task.train[: min(_EXAMPLES, max(_MOST_VALUES // n_neurons, _FEWEST))]


class NormalisedMLP(nn.Module):
    """An MLP in training whose hidden neurons are normalised, beside the plain network that it is folded into.

    Parameters
    ----------
    network : SparseMLP
        Given the folded weights and biases by `fold`.
    raw : SparseMLP, optional
        By default a copy of `network` as it is.
    gamma : (n_hidden,) Tensor, optional
        By default ones.

    Attributes
    ----------
    raw : SparseMLP
        Of the same edges, with weights and biases as they are trained.
    gamma : (n_hidden,) Parameter
    """

    def __init__(self, network: SparseMLP, raw: SparseMLP | None = None, gamma: Tensor | None = None) -> None:
        super().__init__()
        self.raw = copy.deepcopy(network) if raw is None else raw
        n_hidden = network.blueprint.n_neurons - network.in_features - network.out_features
        self.gamma = nn.Parameter(network.bias.new_ones(n_hidden) if gamma is None else gamma)
        # A tuple, so that its parameters are none of this module.
        self._folded = (network,)
        self._targets: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs, in training with the statistics of this batch and else those that are folded."""
        x = x.to(self.raw.weight.dtype)
        if not self.training:
            folded: Tensor = self._folded[0](x)
            return folded
        return self._outputs(x)[0]

    def _outputs(self, x: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Return the outputs, and of each hidden layer means and 1 / standard deviations."""
        raw, n_inputs = self.raw, self.raw.in_features
        means: list[Tensor] = []
        inverses: list[Tensor] = []

        def normalise(sums: Tensor, targets: range) -> Tensor:
            own = slice(targets.start - n_inputs, targets.stop - n_inputs)
            variance, mean = torch.var_mean(sums, dim=0, correction=0)
            inverse = torch.rsqrt(variance + EPSILON)
            means.append(mean)
            inverses.append(inverse)
            return (sums - mean) * (inverse * self.gamma[own]) + raw.bias[own]

        return run_layers(raw, x, normalise), means, inverses

    @torch.no_grad()
    def fold(self, task: Task) -> NDArray[np.float64]:
        """Write the folded weights and biases into the plain network; return each weight's factor, (n_weights,)."""
        raw, (network,) = self.raw, self._folded
        n_neurons, n_inputs, n_hidden = raw.blueprint.n_neurons, raw.in_features, len(self.gamma)
        x, _, _ = task.batch(examples_to_fold(task, n_neurons))
        _, means, inverses = self._outputs(x.to(raw.weight.dtype))
        empty = self.gamma.new_zeros(0)
        factor = self.gamma * torch.cat([empty, *inverses])
        factors = torch.cat([factor, factor.new_ones(raw.out_features)])
        if self._targets is None:
            self._targets = torch.from_numpy(raw.live_weights().edges[:, 1] - n_inputs).to(raw.slots.device)
        of_weights = factors[self._targets]
        if len(network.slots) != len(raw.slots) or not torch.equal(network.slots, raw.slots):
            network.replace_weights(raw.slots, raw.weight)
        network.weight.copy_(raw.weight * of_weights)
        network.bias.copy_(raw.bias)
        network.bias[:n_hidden] -= torch.cat([empty, *means]) * factor
        found: NDArray[np.float64] = of_weights.double().cpu().numpy()
        return found

    def rewired(self) -> None:
        """Take note that other weights live in `raw`."""
        self._targets = None
