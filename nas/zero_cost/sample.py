"""Sample: all that zero-cost measures see of a task, none of it from its validation or test part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nas.seeds import stream
from nas.tasks.task import Task
from nas.zero_cost.moments import Moments

__all__ = ["Examples", "Sample"]

_FITTED = 8


@dataclass(frozen=True, eq=False)
class Examples:
    """Some examples, laid out for several initialisations at once.

    Parameters
    ----------
    x : (n_inputs, n) or (time, n_inputs, n) float32 Tensor
    lengths : (n,) int64 Tensor or None
        True lengths of sequences.
    y : (n,) int64 or (n, n_outputs) float32 Tensor
    """

    x: Tensor
    lengths: Tensor | None
    y: Tensor

    @classmethod
    def of(cls, task: Task, indices: Tensor) -> Examples:
        """Take examples of a task."""
        x, lengths, y = task.batch(indices)
        return cls(x.movedim(0, -1).contiguous(), lengths, y)

    def repeated(self, n_inits: int) -> Tensor:
        """Return the inputs once an initialisation, the first dimension."""
        return self.x.expand(n_inits, *self.x.shape)


@dataclass(frozen=True, eq=False)
class Sample:
    """What is taken of a task once, for any number of wirings.

    Parameters
    ----------
    n_inputs, n_outputs : int
    loss : str
        The task's.
    minibatch : Examples
        For gradients.
    fitted, judged : Examples
        Further ones, to fit linear readouts to and to judge them by; disjoint.
    moments : Moments
    """

    n_inputs: int
    n_outputs: int
    loss: str
    minibatch: Examples
    fitted: Examples
    judged: Examples
    moments: Moments

    @classmethod
    def of(cls, task: Task, seed: int, batch: int) -> Sample:
        """Draw from the training part of a task.

        Raises
        ------
        ValueError
            If `batch` is below 2.
        """
        if batch < 2:
            raise ValueError(f"batch={batch}: measures of how examples differ need at least 2 of them")
        order = np.argsort(stream(seed, "batches").random(len(task.train)), kind="stable")
        drawn = task.train[torch.from_numpy(order)]
        fitted, judged = drawn[: 2 * _FITTED * batch].tensor_split(2)
        return cls(
            task.n_inputs,
            task.n_outputs,
            task.loss,
            Examples.of(task, drawn[:batch]),
            Examples.of(task, fitted),
            Examples.of(task, judged),
            Moments.of(task),
        )

    def losses(self, outputs: Tensor) -> Tensor:
        """Return the (n_inits,) mean losses of (n_inits, n_outputs, batch) outputs for the minibatch."""
        rows = outputs.transpose(1, 2)
        if self.loss == "cross-entropy":
            targets = self.minibatch.y.expand(len(rows), -1)
            return functional.cross_entropy(rows.transpose(1, 2), targets, reduction="none").mean(dim=1)
        return (rows - self.minibatch.y).square().mean(dim=(1, 2))
