"""What estimators learn from: rows and targets as networks take them, standardised by what is fitted alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from nas.errors import InputError
from nas.seeds import stream
from nas.tasks import Loss, Task, stratified_split

__all__ = ["Examples", "Scaling"]

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Scaling:
    """How rows, and targets that are numbers, are standardised; None where they are taken as they are."""

    inputs: StandardScaler | None
    targets: StandardScaler | None

    def rows(self, X: NDArray[Any]) -> NDArray[np.float32]:
        """Return (n, n_features) rows as networks read them.

        Raises
        ------
        InputError
            If a number is too large for float32.
        """
        scaled = X if self.inputs is None else self.inputs.transform(X)
        with np.errstate(over="ignore"):
            rows: NDArray[np.float32] = np.ascontiguousarray(scaled, dtype=np.float32)
        if not np.isfinite(rows).all():
            raise InputError("X holds a number that float32 cannot hold; rescale it, or give standardize=True")
        return rows

    def scaled_targets(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return targets as networks learn them: (n,) classes, or (n, n_outputs) numbers."""
        return y if self.targets is None else np.asarray(self.targets.transform(y))

    def unscaled(self, outputs: NDArray[Any]) -> NDArray[np.float64]:
        """Return the (n, n_outputs) outputs of networks in the units of the targets."""
        found = outputs.astype(np.float64)
        return found if self.targets is None else np.asarray(self.targets.inverse_transform(found))


@dataclass(frozen=True)
class Examples:
    """Rows with what is to be learnt of them.

    Parameters
    ----------
    X : (n, n_features) array
    y : (n,) int64 array of classes from 0, or (n, n_outputs) float array
    weights : (n,) array or None
        What each example counts; those that count nothing are left out by `counted`.
    n_outputs : int
    loss : {"cross-entropy", "squared-error"}
    """

    X: NDArray[Any]
    y: NDArray[Any]
    weights: NDArray[np.float64] | None
    n_outputs: int
    loss: Loss

    def counted(self) -> Examples:
        """Return those that count: an example of weight 0 is no example."""
        if self.weights is None:
            return self
        if (self.weights < 0).any():
            raise InputError(f"sample_weight holds {self.weights.min()}: give 0 or more for each example")
        kept = self.weights > 0
        if not kept.any():
            raise InputError("sample_weight is 0 for every example; one of them has to count")
        return Examples(self.X[kept], self.y[kept], self.weights[kept], self.n_outputs, self.loss)

    def scaling(self, fitted: Indices, standardize: bool) -> Scaling:
        """Return how the examples are standardised, by the mean and deviation of those in `fitted`, with weights."""
        if not standardize:
            return Scaling(None, None)
        weights = None if self.weights is None else self.weights[fitted]
        inputs = StandardScaler().fit(self.X[fitted], sample_weight=weights)
        if self.loss == "cross-entropy":
            return Scaling(inputs, None)
        return Scaling(inputs, StandardScaler().fit(self.y[fitted], sample_weight=weights))

    def split(self, fraction: float, seed: int) -> tuple[Indices, Indices]:
        """Return examples to learn from and examples that validate, a fraction of every class."""
        if not (isinstance(fraction, float | np.floating) and 0 < fraction < 1):
            raise InputError(f"validation_fraction={fraction!r}: it must be between 0 and 1")
        try:
            return stratified_split(self.y, float(fraction), stream(seed, "start", 0))
        except ValueError as error:
            raise InputError(f"validation_fraction={fraction}: {error}; give another, or more examples") from None

    def task(self, scaling: Scaling, train: Indices, validation: Indices, test: Indices) -> Task:
        """Return the task that these parts of the examples make."""
        return self._task(scaling, slice(None), (train, validation, test))

    def task_of_all(self, scaling: Scaling, train: Indices, validation: Indices | None) -> Task:
        """Return a task without a test part, and where nothing validates, of training alone.

        A task has all three parts: for one that is not there stands a copy of the first example, whose score nobody
        looks at.
        """
        n = len(self.X)
        spare = [0] if validation is not None else [0, 0]
        parts = (train, np.array([n]) if validation is None else validation, np.array([n + len(spare) - 1]))
        return self._task(scaling, np.concatenate([np.arange(n), spare]).astype(np.int64), parts)

    def _task(self, scaling: Scaling, rows: slice | Indices, parts: tuple[Indices, Indices, Indices]) -> Task:
        targets = scaling.scaled_targets(self.y)[rows]
        kind = np.int64 if self.loss == "cross-entropy" else np.float32
        train, validation, test = (torch.from_numpy(np.asarray(part, np.int64)) for part in parts)
        weights = None if self.weights is None else torch.from_numpy(self.weights[rows].astype(np.float32))
        return Task(
            name="data",
            inputs=torch.from_numpy(scaling.rows(self.X)[rows]),
            targets=torch.from_numpy(np.ascontiguousarray(targets, dtype=kind)),
            train=train,
            validation=validation,
            test=test,
            n_inputs=self.X.shape[1],
            n_outputs=self.n_outputs,
            loss=self.loss,
            weights=weights,
        )
