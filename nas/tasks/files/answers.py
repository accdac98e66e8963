"""What is predicted: classes with their labels, or numbers in their own units; and back from outputs to these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import AllowInfNan, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, model_validator

from nas.errors import InputError
from nas.tasks.files.cells import is_missing, is_text, numbers_of, texts_of
from nas.tasks.files.columns import examples
from nas.tasks.measures import loss_of

__all__ = ["MOST_CLASSES", "Answers", "Outcomes", "outcomes_of", "shares_of"]

MOST_CODES = 50
"""Different whole numbers up to which a column of numbers to predict is taken for classes."""
MOST_CLASSES = 10_000

Finite = Annotated[float, AllowInfNan(False)]
Label = StrictBool | StrictInt | StrictStr


class Answers(BaseModel):
    """From outputs of a network to what was asked for.

    Parameters
    ----------
    name : str
        The column that is predicted.
    loss : {"cross-entropy", "squared-error"}
    labels : tuple
        Of classes, in the order of the outputs.
    mean, scale : tuple of float
        Of the numbers to predict, which were scaled to mean 0 and standard deviation 1 in training.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    loss: Literal["cross-entropy", "squared-error"]
    labels: tuple[Label, ...] = ()
    mean: tuple[Finite, ...] = ()
    scale: tuple[Annotated[Finite, Field(gt=0)], ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Answers:
        if (self.loss == "cross-entropy") != bool(self.labels) or len(self.mean) != len(self.scale):
            raise ValueError("classes have labels, and numbers a mean and a scale")
        return self

    @property
    def n_outputs(self) -> int:
        """Outputs of the network."""
        return len(self.labels) or len(self.mean)

    def predictions(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Return the label of the largest output, (n,), or numbers in their own units, (n,) or (n, n_outputs).

        Of outputs at every step, (n, time, n_outputs), there are (n, time) labels, None where a sequence is over, and
        (n, time) or (n, time, n_outputs) numbers, NaN there.
        """
        if self.labels:
            kind = object if len({type(label) for label in self.labels}) > 1 else None
            named: NDArray[Any] = np.array(self.labels, dtype=kind)[outputs.argmax(axis=-1)]
            if outputs.ndim > 2 and (over := np.isnan(outputs).all(axis=-1)).any():
                named = named.astype(object)
                named[over] = None
            return named
        values: NDArray[Any] = np.asarray(outputs, np.float64) * np.asarray(self.scale) + np.asarray(self.mean)
        return values[..., 0] if values.shape[-1] == 1 else values


def shares_of(outputs: NDArray[Any]) -> NDArray[np.float64]:
    """Return the probability of each class, (..., n_classes), for the outputs of a network."""
    from scipy.special import softmax

    return np.asarray(softmax(np.asarray(outputs, np.float64), axis=-1))


@dataclass(frozen=True)
class Outcomes:
    """What is to be predicted, of the rows in which it is known.

    Parameters
    ----------
    known : (n,) bool array
        Which rows of the file have it.
    values : (n_known,) int64 classes, or (n_known, n_outputs) float64 numbers
    labels : tuple
        Of the classes; empty for numbers.
    line : str
        What it was taken for.
    """

    known: NDArray[np.bool_]
    values: NDArray[Any]
    labels: tuple[Any, ...]
    line: str

    @property
    def loss(self) -> Literal["cross-entropy", "squared-error"]:
        """The loss that networks are trained by."""
        return "cross-entropy" if self.labels else "squared-error"


def outcomes_of(name: str, values: Any, metric: str | None) -> Outcomes:
    """Return what a column, or an array of (n,) or (n, n_outputs), asks to predict.

    Text is classes, and so are whole numbers of which there are at most `MOST_CODES`; the metric decides otherwise.

    Raises
    ------
    InputError
        If it is missing everywhere, the same everywhere, or does not fit the metric.
    """
    wanted = None if metric is None else loss_of(metric)
    if isinstance(values, np.ndarray) and values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if isinstance(values, np.ndarray) and values.ndim > 1:
        return _several(name, values, wanted, metric)
    column = pd.Series(values).reset_index(drop=True)
    known = ~is_missing(column)
    if not known.any():
        raise InputError(f"target={name}: it has no value in any row; give another target")
    column = column[known]
    numbers = _as_numbers(column)
    if wanted == "squared-error" and numbers is None:
        texts = texts_of(column)
        strange = [text for text, number in zip(texts, numbers_of(column), strict=True) if not np.isfinite(number)]
        raise InputError(
            f"metric={metric}: it is for numbers, and target {name} holds {examples(strange)}; leave it out for classes"
        )
    is_whole = (
        numbers is not None and bool((numbers == np.round(numbers)).all()) and float(np.abs(numbers).max()) < 2**53
    )
    n_codes = len(np.unique(numbers)) if numbers is not None else 0
    as_classes = numbers is None or (is_whole and n_codes <= MOST_CODES)
    if wanted is not None:
        as_classes = wanted == "cross-entropy"
    if not as_classes and numbers is not None:
        if numbers.min() == numbers.max():
            raise InputError(f"target={name}: it is {numbers[0]:g} in every row; there is nothing to predict")
        line = "numbers to predict"
        if wanted is None and is_whole:
            line = f"numbers to predict ({n_codes} different whole ones; give metric=accuracy for classes)"
        return Outcomes(known, numbers[:, None], (), line)
    return _classes(name, column, known, numbers if is_whole else None, as_codes=wanted is None and numbers is not None)


def _as_numbers(column: pd.Series[Any]) -> NDArray[np.float64] | None:
    """Return a column as numbers if all of it is some, written in one way."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return None
    for style in ("plain", "comma", "thousands") if is_text(column) else ("plain",):
        numbers = numbers_of(column, style)
        if np.isfinite(numbers).all():
            return numbers
    return None


def _classes(
    name: str,
    column: pd.Series[Any],
    known: NDArray[np.bool_],
    codes: NDArray[np.float64] | None,
    *,
    as_codes: bool,
) -> Outcomes:
    own = texts_of(column).astype(str) if codes is None else codes.astype(np.int64)
    labels, classes = np.unique(own, return_inverse=True)
    if len(labels) == 1:
        raise InputError(f"target={name}: it is {labels.tolist()[0]!r} in every row; there is nothing to predict")
    if len(labels) > MOST_CLASSES:
        raise InputError(f"target={name}: it has {len(labels)} different labels, and at most {MOST_CLASSES} can be "
                         "told apart; give another target, or metric=mse for numbers")  # fmt: skip
    if codes is None and len(labels) == len(own) and len(own) > 2:
        raise InputError(f"target={name}: every row has a label of its own ({examples(labels)}); give another target")
    line = f"{len(labels)} classes ({examples(labels)})"
    if as_codes:
        line += "; give metric=mse to predict them as numbers"
    return Outcomes(known, classes.reshape(-1), tuple(labels.tolist()), line)


def _several(name: str, values: NDArray[Any], wanted: str | None, metric: str | None) -> Outcomes:
    if values.ndim != 2 or values.dtype.kind not in "biuf":
        raise InputError(f"target={name}: it has shape {values.shape} and type {values.dtype}; one class or some "
                         "numbers an example are needed")  # fmt: skip
    if wanted == "cross-entropy":
        raise InputError(f"metric={metric}: it is for classes, and target {name} holds {values.shape[1]} numbers each; "
                         "give one class an example")  # fmt: skip
    numbers = np.stack([numbers_of(pd.Series(column)) for column in values.T], axis=1)
    known = np.asarray(np.isfinite(numbers).all(axis=1), dtype=bool)
    if not known.any():
        raise InputError(f"target={name}: it has no value in any row; give another target")
    return Outcomes(known, numbers[known], (), f"{values.shape[1]} numbers to predict")
