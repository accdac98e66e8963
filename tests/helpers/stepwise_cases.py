"""Tasks with a target for each step of a sequence, and what they come to with a target for each sequence."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nas.networks import NetworkSpec
from nas.tasks import Task
from priors import Wiring

LOSSES = ("cross-entropy", "squared-error")
CELLS = ("tanh", "relu", "gru", "lstm")


def stepwise(
    seed: int,
    loss: str = "cross-entropy",
    *,
    n: int = 40,
    steps: int = 6,
    n_outputs: int = 3,
    symbols: bool = False,
    share: float = 0.6,
    weights: bool = False,
) -> Task:
    """Draw a task of ragged sequences in which a share of the steps counts, and at least one of each sequence."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, steps + 1, n)
    counted = rng.random((n, steps)) < share
    counted[np.arange(n), rng.integers(0, lengths)] = True
    inputs = rng.integers(0, 4, (n, steps)) if symbols else rng.normal(size=(n, steps, 4))
    targets: Any = rng.integers(0, n_outputs, (n, steps))
    targets[0, 0], targets[1, 0], counted[:2, 0] = 0, n_outputs - 1, True
    if loss == "squared-error":
        targets = rng.normal(size=(n, steps, n_outputs))
    return Task.from_arrays(
        "stepwise",
        inputs,
        targets,
        lengths=lengths,
        n_symbols=4 if symbols else None,
        counted=counted,
        weights=rng.uniform(0.2, 2, n) if weights else None,
    )


def wiring_for(task: Task, n_cells: int = 5) -> Wiring:
    """Every cell reads every input and cell, and every output every cell."""
    return NetworkSpec("rnn").complete(task.n_inputs, (n_cells,), task.n_outputs)


def at_the_end(task: Task) -> Task:
    """The task with the target of each sequence's last step as that of the whole sequence."""
    assert task.lengths is not None
    return replace(task, targets=task.targets[torch.arange(len(task.targets)), task.lengths - 1])


def at_last_steps(task: Task) -> Task:
    """A task with a target for each sequence as one in which only the last step counts."""
    assert task.lengths is not None
    rows, width = torch.arange(len(task.inputs)), task.inputs.shape[1]
    is_class = task.loss == "cross-entropy"
    shape = (len(rows), width, *task.targets.shape[1:])
    targets = torch.full(shape, -1 if is_class else torch.nan, dtype=task.targets.dtype)
    targets[rows, task.lengths - 1] = task.targets
    return replace(task, targets=targets)


def prefixes(task: Task, examples: Tensor) -> tuple[Task, Tensor]:
    """Every beginning of the examples that ends at a step which counts, as a sequence with one target, and whose it is.

    What a recurrent network gives at a step is what it gives at the end of the sequence up to this step.
    """
    counted = task.counted
    assert counted is not None
    own, step = counted[examples].nonzero().T
    example = examples[own]
    everything = torch.arange(len(example))
    behind = torch.arange(task.inputs.shape[1]) > step[:, None]
    if task.inputs.dtype == torch.uint8:
        inputs = task.inputs[example].masked_fill(behind, task.n_inputs)
    else:
        inputs = task.inputs[example].masked_fill(behind[:, :, None], 0)
    parts = dict(zip(("train", "validation", "test"), everything.tensor_split([1, 2]), strict=True))
    found = replace(task, inputs=inputs, lengths=step + 1, targets=task.targets[example, step], weights=None, **parts)
    return found, example
