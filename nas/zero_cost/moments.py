"""Moments: how the inputs of a task vary over its training part, and what tells its classes apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nas.tasks.task import Task

__all__ = ["Moments"]

_PART = 4096
_SHRINKAGE = 0.1


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
