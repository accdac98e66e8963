"""Random networks, tasks and recipes for the tests of the compiled engine, which are skipped where it was not built."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from nas.networks import NetworkSpec
from nas.tasks import Task
from nas.training import Recipe
from priors import BarabasiAlbert, ErdosRenyi, Layered, WattsStrogatz, Wiring, attach, layer, orient, stack

engine: Any = pytest.importorskip(
    "nas.training._native", reason="the compiled engine was not built", exc_type=ModuleNotFoundError
)

ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu", "identity")
CELLS = ("tanh", "relu", "gru", "lstm")
LOSSES = ("cross-entropy", "squared-error")
BATCH_SIZES = (1, 5, 16, 17, 33, 64, 100, 128, 200)
KINDS = ("dag", "layered", "cells", "cyclic", "stack", "linear-mean")
OPTIMIZERS: tuple[dict[str, Any], ...] = (
    {"optimizer": "adam"},
    {"optimizer": "adamw", "weight_decay": 0.1},
    {"optimizer": "sgd", "momentum": 0.9},
    {"optimizer": "sgd", "momentum": 0.8, "nesterov": True, "weight_decay": 0.01},
    {"optimizer": "adam", "weight_decay": 0.01},
    {"optimizer": "sgd", "momentum": 0.0},
)

Generator = np.random.Generator


@dataclass(frozen=True, eq=False)
class Case:
    """A network to be trained; `seed` draws its weights and the order of the examples."""

    wiring: Wiring
    spec: NetworkSpec
    task: Task
    recipe: Recipe
    seed: int

    def network(self, dtype: torch.dtype = torch.float32) -> nn.Module:
        """The network with fresh weights and, unlike in practice, with random biases too."""
        module = self.spec.build(self.wiring, self.seed)
        rng = np.random.default_rng(self.seed)
        with torch.no_grad():
            for name, parameter in module.named_parameters():
                if "bias" in name:
                    parameter.add_(torch.from_numpy(rng.normal(size=parameter.shape) * 0.3))
        return module.to(dtype)


def random_case(seed: int) -> Case:
    """Draw a case; kinds, batch sizes, activations, cells and losses take turns."""
    rng = np.random.default_rng(seed)
    kind, turn = KINDS[seed % 6], seed // 6
    loss = LOSSES[turn // 4 % 2]
    recipe = random_recipe(rng, BATCH_SIZES[turn % 9])
    n_inputs, n_outputs = int(rng.choice([1, 2, 3, 7, 16, 20, 33])), int(rng.integers(1, 6))
    size = recipe.batch_size * int(rng.integers(1, 3)) + int(rng.integers(recipe.batch_size))
    if kind in ("dag", "layered"):
        spec = NetworkSpec("mlp", activation=ACTIVATIONS[turn % 5])
        wiring = (random_dag if kind == "dag" else random_layers)(rng, n_inputs, n_outputs)
        task = rows(rng, n_inputs, n_outputs, size, loss, sparse=turn % 3 == 0)
        return Case(wiring, spec, task, recipe, seed)
    task = sequences(rng, n_inputs, n_outputs, size, loss, symbols=rng.random() < 0.5, short=kind == "linear-mean")
    if kind == "linear-mean":
        wiring = Wiring.from_masks([np.ones((n_outputs, n_inputs))], inputs=True, outputs=True)
        return Case(wiring, NetworkSpec("linear-mean"), task, recipe, seed)
    make = {"cells": random_cells, "cyclic": random_cycles, "stack": random_stack}[kind]
    return Case(make(rng, n_inputs, n_outputs), NetworkSpec("rnn", cell=CELLS[turn % 4]), task, recipe, seed)


def random_recipe(rng: Generator, batch_size: int) -> Recipe:
    """Draw a recipe of two epochs."""
    return Recipe(
        **OPTIMIZERS[rng.integers(len(OPTIMIZERS))],
        learning_rates=float(rng.choice([0.003, 0.01, 0.03])),
        schedule=str(rng.choice(["constant", "cosine", "linear", "step"])),
        batch_size=batch_size,
        epochs=2,
        clip=float(rng.choice([0.1, 1.0])) if rng.random() < 0.5 else None,
    )


# Wirings


def random_graph(rng: Generator) -> Wiring:
    """Draw an undirected graph."""
    n = int(rng.integers(5, 30))
    prior = (WattsStrogatz(n, 4, 0.3), BarabasiAlbert(n, int(rng.integers(1, 5))), ErdosRenyi(n, 0.2))[rng.integers(3)]
    return prior.sample(rng)


def attached(rng: Generator, hidden: Wiring, n_inputs: int, n_outputs: int) -> Wiring:
    """Give hidden neurons their inputs and outputs, in one of two ways."""
    mode = str(rng.choice(["controlled", "natural"]))
    return attach(hidden, n_inputs, n_outputs, mode, rng, reads=int(rng.integers(1, 8)), readouts=5)


def random_dag(rng: Generator, n_inputs: int, n_outputs: int) -> Wiring:
    """Draw an oriented graph, with a few more edges that skip layers, some straight from inputs to outputs."""
    wiring = attached(rng, layer(orient(random_graph(rng), "random", rng)), n_inputs, n_outputs)
    pairs = rng.integers(wiring.n_neurons, size=(12, 2))
    layers = wiring.layer_of[pairs]
    return with_edges(wiring, pairs[layers[:, 0] < layers[:, 1]])


def random_layers(rng: Generator, n_inputs: int, n_outputs: int) -> Wiring:
    """Draw layers of random masks, full ones half of the time."""
    hidden = rng.integers(1, 24, size=rng.integers(0, 5)).tolist()
    density = 1.0 if rng.random() < 0.5 else float(rng.uniform(0.2, 0.9))
    return Layered((n_inputs, *hidden, n_outputs), density, inputs=True, outputs=True).sample(rng)


def random_cells(rng: Generator, n_inputs: int, n_outputs: int) -> Wiring:
    """Draw one layer of cells that read each other, some of them themselves."""
    wiring = attached(rng, random_graph(rng), n_inputs, n_outputs)
    cells = np.arange(n_inputs, n_inputs + wiring.n_hidden)
    own = cells[rng.random(len(cells)) < 0.3]
    return with_edges(wiring, np.stack([own, own], axis=1))


def random_cycles(rng: Generator, n_inputs: int, n_outputs: int) -> Wiring:
    """Draw several layers of cells with edges in all directions: within a layer, forward and backward."""
    sizes = [n_inputs, *rng.integers(1, 8, size=rng.integers(1, 4)).tolist(), n_outputs]
    cells, first = range(n_inputs, sum(sizes) - n_outputs), sum(sizes) - n_outputs
    allowed = [
        *product(range(n_inputs), cells),
        *product(cells, cells),
        *product(cells, range(first, first + n_outputs)),
    ]
    kept = np.array(allowed)[rng.random(len(allowed)) < rng.uniform(0.1, 0.7)]
    return Wiring(sizes, kept, inputs=True, outputs=True)


def random_stack(rng: Generator, n_inputs: int, n_outputs: int) -> Wiring:
    """Draw layers of cells with complete recurrence in each, as many as the longest path of a graph has."""
    return stack(attached(rng, layer(orient(random_graph(rng), "random", rng)), n_inputs, n_outputs))


def with_edges(wiring: Wiring, edges: NDArray[Any]) -> Wiring:
    """Add some edges to a wiring."""
    return wiring.replace(edges=np.unique(np.concatenate([wiring.edges, edges]), axis=0))


# Tasks


def rows(
    rng: Generator, n_inputs: int, n_outputs: int, size: int, loss: str = "cross-entropy", *, sparse: bool = False
) -> Task:
    """Draw a task of rows, with `size` examples to train on; sparse ones are mostly zero."""
    inputs = rng.normal(size=(size + 25, n_inputs)).astype(np.float32)
    if sparse:
        inputs[rng.random(inputs.shape) < 0.8] = 0
    return _task(rng, inputs, n_inputs, n_outputs, size, loss)


def sequences(
    rng: Generator,
    n_inputs: int,
    n_outputs: int,
    size: int,
    loss: str = "cross-entropy",
    *,
    symbols: bool = False,
    short: bool = False,
) -> Task:
    """Draw a task of sequences, of numbers or of symbols, with `size` examples to train on.

    The lengths of short ones, and their numbers, are such that no mean over time needs rounding.
    """
    width = 4 if short else int(rng.integers(1, 9))
    lengths = rng.choice([1, 2, 4], size + 25) if short else rng.integers(1, width + 1, size + 25)
    inside = np.arange(width) < lengths[:, None]
    if symbols:
        inputs = np.where(inside, rng.integers(n_inputs, size=inside.shape), n_inputs).astype(np.uint8)
    else:
        inputs = np.where(inside[:, :, None], rng.normal(size=(*inside.shape, n_inputs)), 0).astype(np.float32)
        inputs = np.round(inputs * 8) / 8 if short else inputs
    return _task(rng, inputs, n_inputs, n_outputs, size, loss, torch.from_numpy(lengths.astype(np.int64)))


def _task(
    rng: Generator,
    inputs: NDArray[Any],
    n_inputs: int,
    n_outputs: int,
    size: int,
    loss: str,
    lengths: torch.Tensor | None = None,
) -> Task:
    if loss == "cross-entropy":
        targets = rng.integers(n_outputs, size=len(inputs))
    else:
        targets = rng.normal(size=(len(inputs), n_outputs)).astype(np.float32)
    parts = torch.split(torch.from_numpy(rng.permutation(len(inputs))), [size, 20, 5])
    return Task(
        "random", torch.from_numpy(inputs), torch.from_numpy(targets), *parts, n_inputs, n_outputs, lengths, loss
    )
