"""Inputs of the workloads: tasks, and the wirings of a seed. Imports numpy, torch, priors, nas.tasks."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import torch

from nas.tasks import Task, digits
from priors import BarabasiAlbert, Layered, WattsStrogatz, Wiring, attach, layer, orient

__all__ = [
    "BATCH",
    "N_CLASSES",
    "TIME",
    "dag",
    "digits_in_full_batches",
    "images",
    "layered",
    "recurrent",
    "sequences",
    "whole_digits",
]

BATCH = 64
N_CLASSES = 10
N_BATCHES = 26
"""Of an epoch, where an update is measured: all of them full, and a small evaluation after the last."""
TIME = 20
"""Steps of a sequence."""

# Tasks


def _in_full_batches(task: Task) -> Task:
    n_train = N_BATCHES * BATCH
    sizes = [n_train, BATCH, len(task.inputs) - n_train - BATCH]
    train, validation, test = torch.split(torch.arange(len(task.inputs)), sizes)
    return replace(task, train=train, validation=validation, test=test)


whole_digits = cache(digits)


@cache
def digits_in_full_batches() -> Task:
    """Return digits with another split."""
    return _in_full_batches(whole_digits())


def _synthetic(name: str, shape: tuple[int, ...], share: float) -> Task:
    rng = np.random.default_rng(0)
    n = (N_BATCHES + 2) * BATCH
    inputs = np.where(rng.random((n, *shape)) < share, 1.0 - rng.random((n, *shape)), 0.0)
    return _in_full_batches(Task.from_arrays(name, inputs, np.arange(n) % N_CLASSES))


@cache
def images(share: float) -> Task:
    """Return images of MNIST's size, of which a share of the pixels is not zero."""
    return _synthetic("images", (784,), share)


@cache
def sequences() -> Task:
    """Return sequences of 8 numbers a step."""
    return _synthetic("sequences", (TIME, 8), 1.0)


# Wirings


def layered(sizes: tuple[int, ...], density: float | tuple[float, ...], seed: int) -> Wiring:
    """Draw a layered wiring, read-in and read-out included in `density`."""
    return Layered(sizes, density=density, inputs=True, outputs=True).sample(seed)


def _graph(family: str, n: int, density: float, seed: int) -> Wiring:
    """Draw the undirected graph of the family whose share of possible edges comes nearest to `density`."""
    if family == "WS":
        return WattsStrogatz(n, 2 * max(1, round(density * (n - 1) / 2)), 0.5).sample(seed)
    wanted = density * n * (n - 1) / 2
    m = min(range(1, n // 2 + 1), key=lambda m: abs(m * (n - m) - wanted))
    return BarabasiAlbert(n, m).sample(seed)


def dag(family: str, n: int, density: float, seed: int) -> Wiring:
    """Draw a graph with random orientation for digits: sources read all pixels, sinks feed all classes."""
    hidden = layer(orient(_graph(family, n, density, seed), "random", seed))
    return attach(hidden, 64, N_CLASSES, "natural")


def recurrent(n: int, density: float, seed: int) -> Wiring:
    """Draw a graph as recurrent edges, for sequences: every neuron reads all inputs and feeds all classes."""
    return attach(_graph("WS", n, density, seed), 8, N_CLASSES, "natural")
