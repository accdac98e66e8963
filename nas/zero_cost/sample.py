"""Sample: what zero-cost measures take of a task, none of it from its validation or test part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from nas.seeds import stream
from nas.tasks.task import Task

__all__ = ["Examples", "Moments", "Sample"]

_FITTED = 8
_PART = 4096
_SHRINKAGE = 0.1


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
    task : Task
    minibatch : Examples
        For gradients.
    fitted, judged : Examples
        To fit linear readouts to and to judge them by; disjoint.
    moments : Moments
    """

    task: Task
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
            If `batch` is below 2, or the task has a target for each step.
        """
        if task.is_stepwise:
            raise ValueError(f"task={task.name}: it has a target for each step, and zero-cost measures are of networks "
                             "that are read out at the end of a sequence")  # fmt: skip
        if batch < 2:
            raise ValueError(f"batch={batch}: measures of how examples differ need at least 2 of them")
        order = np.argsort(stream(seed, "batches").random(len(task.train)), kind="stable")
        drawn = task.train[torch.from_numpy(order)]
        parts = (drawn[:batch], *drawn[: 2 * _FITTED * batch].tensor_split(2))
        minibatch, fitted, judged = (Examples.of(task, part) for part in parts)
        return cls(task, minibatch, fitted, judged, Moments.of(task))

    def losses(self, outputs: Tensor) -> Tensor:
        """Return the (n_inits,) mean losses of (n_inits, n_outputs, batch) outputs for the minibatch."""
        if self.task.loss == "cross-entropy":
            targets = self.minibatch.y.expand(len(outputs), -1)
            return functional.cross_entropy(outputs, targets, reduction="none").mean(dim=1)
        return (outputs.transpose(1, 2) - self.minibatch.y).square().mean(dim=(1, 2))


@dataclass(frozen=True)
class Moments:
    """How inputs vary over the training part; every step of a sequence counts as an example of its class.

    Parameters
    ----------
    total : (n_inputs,) float64 array
        Variance of each input.
    separation : (n_inputs,) float64 array or None
        The share of it that lies between the means of the classes, 0 of constant inputs; None without classes.
    discriminant : (n_inputs,) float64 array or None
        Variance of the input times its mean squared weight in the linear discriminants of the classes.
    """

    total: NDArray[np.float64]
    separation: NDArray[np.float64] | None = None
    discriminant: NDArray[np.float64] | None = None

    @classmethod
    def of(cls, task: Task) -> Moments:
        """Measure a task."""
        classes = task.n_outputs if task.loss == "cross-entropy" else 1
        counts = np.zeros(classes)
        sums, products = np.zeros((classes, task.n_inputs)), np.zeros((task.n_inputs, task.n_inputs))
        for indices in torch.split(task.train, _PART):
            rows, labels = _rows(task, indices)
            counts += np.bincount(labels, minlength=classes)
            np.add.at(sums, labels, rows)
            products += rows.T @ rows
        mean = sums.sum(axis=0) / counts.sum()
        covariance = products / counts.sum() - np.outer(mean, mean)
        total = np.maximum(covariance.diagonal(), 0.0)
        if task.loss != "cross-entropy":
            return cls(total)
        deviations = np.divide(sums, counts[:, None], out=np.tile(mean, (classes, 1)), where=counts[:, None] > 0) - mean
        shares = counts / counts.sum()
        between = shares @ np.square(deviations)
        separation = np.divide(between, total, out=np.zeros_like(total), where=total > 0)
        return cls(total, separation, total * _squared_weights(covariance, deviations, shares))


def _squared_weights(
    covariance: NDArray[np.float64], deviations: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the (n_inputs,) mean squared weights of the classes' discriminants, shrunk as inputs may be constant."""
    within = covariance - deviations.T @ (shares[:, None] * deviations)
    scale = within.trace() / len(within)
    if not scale > 0:
        return np.zeros(len(within))
    weights = np.linalg.solve(within + _SHRINKAGE * scale * np.eye(len(within)), deviations.T)
    squares: NDArray[np.float64] = np.square(weights) @ shares
    return squares


def _rows(task: Task, indices: Tensor) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return (n_rows, n_inputs) inputs and the (n_rows,) classes that they belong to, all 0 without classes."""
    x, lengths, y = task.batch(indices)
    labels = y if task.loss == "cross-entropy" else torch.zeros(len(x), dtype=torch.int64)
    if lengths is not None:
        inside = torch.arange(x.shape[1]) < lengths[:, None]
        x, labels = x[inside], labels[:, None].expand(inside.shape)[inside]
    return x.double().numpy(), labels.numpy()
