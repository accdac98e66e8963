"""Metrics that networks are judged by where it is not what their loss says: from outputs and targets to one number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nas.errors import known

__all__ = ["MEASURES", "SQUARED_ERROR", "Measure", "loss_of"]

SQUARED_ERROR = "mean-squared-error"
"""What a task that predicts numbers is judged by, in their standardised form, if it has no measure of its own."""

Floats = NDArray[np.float64]
Loss = Literal["cross-entropy", "squared-error"]
Direction = Literal["maximize", "minimize"]


def _accuracy(outputs: Floats, classes: NDArray[np.int64]) -> float:
    return float((outputs.argmax(axis=1) == classes).mean())


def _counts(outputs: Floats, classes: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Return how many examples of each class there are, were said to be, and were rightly said to be."""
    n, said = outputs.shape[1], outputs.argmax(axis=1)
    there, called, right = (np.bincount(own, minlength=n) for own in (classes, said, classes[said == classes]))
    return there.astype(float), called.astype(float), right.astype(float)


def _balanced_accuracy(outputs: Floats, classes: NDArray[np.int64]) -> float:
    there, _, right = _counts(outputs, classes)
    return float((right[there > 0] / there[there > 0]).mean())


def _macro_f1(outputs: Floats, classes: NDArray[np.int64]) -> float:
    there, called, right = _counts(outputs, classes)
    either = there + called > 0
    return float((2 * right[either] / (there + called)[either]).mean())


def _log_shares(outputs: Floats) -> Floats:
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    logs: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logs


def _log_loss(outputs: Floats, classes: NDArray[np.int64]) -> float:
    return float(-_log_shares(outputs)[np.arange(len(classes)), classes].mean())


def _auc(outputs: Floats, classes: NDArray[np.int64]) -> float:
    from scipy.stats import rankdata

    shares = np.exp(_log_shares(outputs))
    areas = []
    for label in range(1, 2) if outputs.shape[1] == 2 else range(outputs.shape[1]):
        own = classes == label
        n, others = int(own.sum()), int((~own).sum())
        if n and others:
            areas.append((rankdata(shares[:, label])[own].sum() - n * (n + 1) / 2) / (n * others))
    return float(np.mean(areas)) if areas else 0.5


def _mse(outputs: Floats, values: Floats) -> float:
    return float(((outputs - values) ** 2).mean())


def _mae(outputs: Floats, values: Floats) -> float:
    return float(np.abs(outputs - values).mean())


def _r2(outputs: Floats, values: Floats) -> float:
    around = ((values - values.mean(axis=0)) ** 2).sum(axis=0)
    missed = ((outputs - values) ** 2).sum(axis=0)
    return float(np.where(around > 0, 1 - missed / np.where(around > 0, around, 1), np.where(missed > 0, 0, 1)).mean())


MEASURES: dict[str, tuple[Callable[[Any, Any], float], Loss, Direction]] = {
    "accuracy": (_accuracy, "cross-entropy", "maximize"),
    "balanced-accuracy": (_balanced_accuracy, "cross-entropy", "maximize"),
    "macro-f1": (_macro_f1, "cross-entropy", "maximize"),
    "auc": (_auc, "cross-entropy", "maximize"),
    "log-loss": (_log_loss, "cross-entropy", "minimize"),
    "mse": (_mse, "squared-error", "minimize"),
    "mae": (_mae, "squared-error", "minimize"),
    "r2": (_r2, "squared-error", "maximize"),
}
"""Metrics by name, with the loss that networks are trained by and whether more is better.

AUC of more than two classes is the mean of each class against the rest; balanced accuracy, macro-F1 and AUC are means
over the classes that occur. They are scikit-learn's, without what its checks cost in every epoch.
"""


def loss_of(metric: str) -> Loss:
    """Return the loss that networks judged by a metric are trained by."""
    return MEASURES[known("metric", metric, MEASURES)][1]


@dataclass(frozen=True)
class Measure:
    """A metric of a task, in the units of what is predicted.

    Parameters
    ----------
    name : str
        One of `MEASURES`.
    mean, scale : tuple of float
        Of each number to predict: targets of the task are numbers minus `mean`, divided by `scale`. Empty for classes.
    """

    name: str
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()

    @property
    def loss(self) -> Loss:
        """The loss of tasks that it is for."""
        return loss_of(self.name)

    @property
    def direction(self) -> Direction:
        """Whether more or less of it is better."""
        return MEASURES[self.name][2]

    def __call__(self, outputs: NDArray[Any], targets: NDArray[Any]) -> float:
        """Return the metric of outputs, (n, n_outputs), for (n,) classes or (n, n_outputs) targets."""
        function = MEASURES[self.name][0]
        if self.loss == "cross-entropy":
            return function(np.asarray(outputs, np.float64), np.asarray(targets))
        return function(self._unscaled(outputs), self._unscaled(targets))

    def constant(self, trained: NDArray[Any], n_outputs: int) -> Floats:
        """Return the best constant outputs, (1, n_outputs), for the targets of a training part.

        These are the shares of classes, as logits, or the median for the absolute error and else the mean.
        """
        if self.loss == "cross-entropy":
            shares = np.bincount(trained, minlength=n_outputs) / len(trained)
            return np.log(np.maximum(shares, 1e-12))[None, :]
        values = np.asarray(trained, np.float64)
        middle: Floats = np.median(values, axis=0) if self.name == "mae" else values.mean(axis=0)
        return middle[None, :]

    def _unscaled(self, values: NDArray[Any]) -> Floats:
        wide: Floats = np.asarray(values, np.float64) * np.asarray(self.scale) + np.asarray(self.mean)
        return wide
