"""A network as layers of places, and what scores want to know of its weights: gradients, and how inputs vary."""

from __future__ import annotations

import copy
from functools import lru_cache
from itertools import accumulate
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nas.networks import SequenceNetwork, SparseMLP
from nas.networks.activations import ACTIVATIONS
from nas.networks.blocks import Block, n_slots
from nas.networks.cells import CELLS
from nas.networks.wired import WiredModule, affine
from nas.sparsity.layers import Floats, Layer, Places
from nas.sparsity.neurons import Neurons
from nas.tasks.task import Task
from nas.training.places import places_of, split_places, wired_parts
from nas.training.session import Normalised, Weights

__all__ = ["DenseGradients", "gradients_of", "input_statistics", "layers_of", "neurons_of", "place_weights"]

_EXAMPLES = 2048
_MOST_VALUES = 2**27
"""Of all neurons for all examples."""
_ROWS_AT_A_TIME = 1024


def layers_of(network: nn.Module) -> tuple[Layer, ...]:
    """Return the blocks of a `SparseMLP` or a `SequenceNetwork`, with their places over all of its parts.

    Raises
    ------
    InputError
        For another module.
    """
    parts = wired_parts(network)
    starts = accumulate((n_slots(part.blocks) for part in parts), initial=0)
    return tuple(
        Layer(_name(part, block), block.shape, start + block.offset, block.gates)
        for part, start in zip(parts, starts, strict=False)
        for block in part.blocks
    )


def _name(part: WiredModule, block: Block) -> str:
    wiring = part.blueprint
    if block.targets.start >= wiring.n_neurons - wiring.n_outputs:
        return "output"
    number = next(layer for layer in range(wiring.n_layers) if wiring.neurons(layer).start == block.targets.start)
    return f"layer {number}{' recurrent' if block.recurrent else ''}"


def neurons_of(network: nn.Module) -> Neurons:
    """Return which neurons the rows and columns of `layers_of` are."""
    parts = wired_parts(network)
    wiring = parts[0].blueprint
    blocks = [block for part in parts for block in part.blocks]
    biases = np.zeros(wiring.n_neurons, np.int64)
    first_output = wiring.n_neurons - wiring.n_outputs
    per_neuron = 1
    if isinstance(network, SequenceNetwork):
        per_neuron = CELLS[network.rnn.cell].biases_with(network.rnn.initial_state)
    biases[wiring.n_inputs : first_output] = per_neuron
    biases[first_output:] = 1
    return Neurons(
        wiring.n_neurons,
        tuple(np.arange(block.targets.start, block.targets.stop) for block in blocks),
        tuple(block.columns for block in blocks),
        np.arange(wiring.n_inputs),
        np.arange(first_output, wiring.n_neurons),
        biases,
    )


def place_weights(network: nn.Module, slots: Places, weight: NDArray[np.floating[Any]]) -> None:
    """Let weights of these values live at exactly these places, ascending."""
    parts = wired_parts(network)
    split = split_places(parts, Weights(slots, weight, np.zeros((0, len(slots)))))
    for part, own in zip(parts, split, strict=True):
        part.replace_weights(torch.from_numpy(own.slots), torch.from_numpy(own.weight).to(part.weight))


@torch.no_grad()
def input_statistics(network: nn.Module, task: Task, most: int = _EXAMPLES) -> tuple[Floats, Floats]:
    """Return the standard deviation and the Euclidean norm of every neuron's value, (n_neurons,) each.

    They are over the first `most` examples of the training part (fewer for hundreds of thousands of neurons), and of
    sequences over all of their steps; those of output units are 0.
    """
    wiring = wired_parts(network)[0].blueprint
    n_outputs, most = wiring.n_outputs, min(most, max(_MOST_VALUES // wiring.n_neurons, 1))
    x, lives = _inputs(task, most)
    if isinstance(network, SparseMLP):
        hidden = _hidden_values(network, x.to(network.weight.dtype))
    else:
        assert isinstance(network, SequenceNetwork)
        hidden = network.rnn(x.to(network.rnn.weight.dtype))[0][lives]
    parts = zip(_statistics_of_inputs(task, most), _statistics(hidden), strict=True)
    spread, norm = (np.concatenate([*part, np.zeros(n_outputs)]) for part in parts)
    return spread, norm


def _inputs(task: Task, most: int) -> tuple[Tensor, Tensor | None]:
    """Return the inputs of the first examples of the training part, and of sequences which of their steps there are."""
    x, lengths, _ = task.batch(task.train[:most])
    return x, None if lengths is None else torch.arange(x.shape[1], device=x.device) < lengths[:, None]


@lru_cache(maxsize=4)
def _statistics_of_inputs(task: Task, most: int) -> tuple[Floats, Floats]:
    x, lives = _inputs(task, most)
    return _statistics(x if lives is None else x[lives])


def _statistics(rows: Tensor) -> tuple[Floats, Floats]:
    """Return the standard deviation and the Euclidean norm of columns.

    Sums of a thousand rows at a time stay in the cache; they are of differences from the first row, so that a column
    that never varies has no deviation, and large means leave no rounding.
    """
    values = rows.cpu().numpy()
    n, n_columns = values.shape
    if not n_columns:
        return np.zeros(0), np.zeros(0)
    first = values[0].astype(np.float64)
    sums, squares = np.zeros(n_columns), np.zeros(n_columns)
    with np.errstate(invalid="ignore", over="ignore"):  # Of a training that diverges.
        for start in range(0, n, _ROWS_AT_A_TIME):
            apart = values[start : start + _ROWS_AT_A_TIME] - first
            sums += np.ones(len(apart)) @ apart
            squares += np.einsum("ij,ij->j", apart, apart)
        mean = sums / n
        variance = np.maximum(squares / n - mean**2, 0.0)
        return np.sqrt(variance), np.sqrt(n * (variance + (mean + first) ** 2))


def _hidden_values(network: SparseMLP, x: Tensor) -> Tensor:
    """Return the (batch, n_hidden) values of an MLP's hidden neurons."""
    values, activation = x, ACTIVATIONS[network.activation].function
    biases = torch.split(network.bias, [len(block.targets) for block in network.blocks])
    for block, matrix, bias in list(zip(network.blocks, network._matrices(), biases, strict=True))[:-1]:
        # Often all of them are read, in their order.
        is_all = np.array_equal(block.columns, np.arange(values.shape[1]))
        read = values if is_all else values[:, torch.from_numpy(block.columns).to(x.device)]
        values = torch.cat([values, activation(affine(read, matrix, bias))], dim=1)
    return values[:, x.shape[1] :]


class DenseGradients:
    """Gradients of the loss by everything that could live, whatever does.

    The network is held beside one in which every allowed place lives, with weight 0 where the network has none: the
    two compute the same, and the gradients of the latter are those asked for. They are computed by the engine that
    trains.

    Parameters
    ----------
    network : nn.Module
        In which everything lives that may.
    task : Task
    engine : str
        One of `nas.training.ENGINES`.
    """

    def __init__(self, network: nn.Module, task: Task, engine: str) -> None:
        self._whole, self._task = copy.deepcopy(network), task
        self._parts, self._layers = wired_parts(self._whole), layers_of(network)
        self.allowed: Places = places_of(self._parts)
        self._gradients = gradients_of(self._whole, task, engine)

    def at(self, network: nn.Module, examples: NDArray[np.int64], normalised: Normalised | None = None) -> NDArray[Any]:
        """Return the gradients of the mean loss of some examples by what is allowed, (n_allowed,) of the weights' type.

        In a training that normalises, they are those by its own parameters, normalised with these examples' statistics.
        """
        with torch.no_grad():
            for whole, own in zip(self._parts, wired_parts(network), strict=True):
                # Where every place is allowed, a weight's place is its index.
                complete = len(whole.slots) == n_slots(whole.blocks)
                at = own.slots if complete else torch.searchsorted(whole.slots, own.slots)
                weight, biases = own.weight.detach(), own.bias_vector.detach()
                if normalised is not None:
                    weight = torch.from_numpy(normalised.weight).to(weight)
                    biases = torch.from_numpy(normalised.bias).to(biases)
                whole.weight.zero_().index_copy_(0, at, weight)
                whole.bias_vector.copy_(biases)
        return self._gradients(examples, None if normalised is None else normalised.gamma)

    def matrix(self, gradients: NDArray[Any], index: int) -> NDArray[Any]:
        """Return the (rows, columns) matrix of one layer, 0 at places that are not allowed."""
        layer = self._layers[index]
        first, last = np.searchsorted(self.allowed, [layer.first, layer.stop])
        if last - first == layer.size:
            return gradients[first:last].reshape(layer.shape)
        dense = np.zeros(layer.size, gradients.dtype)
        dense[self.allowed[first:last] - layer.first] = gradients[first:last]
        return dense.reshape(layer.shape)


class GradientsOf(Protocol):
    """A function from examples to the gradients, of their mean loss, by a network's live weights."""

    def __call__(self, examples: NDArray[np.int64], gamma: NDArray[Any] | None = None) -> NDArray[Any]:
        """Return the gradients, (n,) of the weights' type.

        With `gamma`, hidden neurons are normalised over the examples.
        """


def gradients_of(whole: nn.Module, task: Task, engine: str) -> GradientsOf:
    """Return a function from examples to the gradients, of their mean loss, by a network's live weights.

    Those of its parts follow each other. The function may be called again when values of weights have changed.
    """
    from nas.training.train import compiled_for

    if (compiled := compiled_for(whole, task, engine)) is not None:
        from nas.training import native_engine

        return lambda examples, gamma=None: native_engine.weight_gradients(compiled, task, examples, gamma)
    parts = wired_parts(whole)

    def by_autograd(examples: NDArray[np.int64], gamma: NDArray[Any] | None = None) -> NDArray[Any]:
        from nas.training.normalisation import NormalisedMLP
        from nas.training.torch_engine import mean_loss

        network = whole
        if gamma is not None:
            assert isinstance(whole, SparseMLP)
            network = NormalisedMLP(whole, whole, torch.from_numpy(gamma).to(whole.weight))
        network.train()
        loss = mean_loss(network, task, torch.from_numpy(examples).to(task.train.device))
        found = torch.autograd.grad(loss, [part.weight for part in parts])
        gradients: NDArray[Any] = torch.cat(found).cpu().numpy()
        return gradients

    return by_autograd
