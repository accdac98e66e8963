"""Targets of each step of a sequence: which count, what they ask to predict, and where they stand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError
from nas.tasks.files.answers import Outcomes, outcomes_of
from nas.tasks.files.arrays import Arrays
from nas.tasks.files.parting import Parts
from nas.tasks.measures import loss_of

__all__ = ["placed_at", "steps_of_parts", "stepwise_outcomes"]

_OF_CLASSES = "biuU"
"""Types of arrays whose values may be classes."""


def stepwise_outcomes(
    name: str, arrays: Arrays, targets: NDArray[Any], metric: str | None
) -> tuple[Outcomes, NDArray[np.bool_]] | None:
    """Return what the steps that count ask to predict, in their order, and which these are, (n, time).

    There is a target for each step where sequences have (n, time) or (n, time, 1) classes, as whole numbers or text, or
    (n, time, n_outputs) numbers; None elsewhere: two dimensions of floats are numbers that are predicted at the end.

    Raises
    ------
    InputError
        If these are no targets of steps, or do not fit the metric.
    """
    if not _is_stepwise(arrays, targets, metric):
        if arrays.counted is not None:
            raise InputError(
                f"target={name}: the file says which steps count, and it has shape {targets.shape} and type "
                f"{targets.dtype}; (n, time) classes or (n, time, n_outputs) numbers are needed"
            )
        return None
    assert arrays.lengths is not None
    steps = np.arange(targets.shape[1]) < arrays.lengths[:, None]
    if arrays.counted is not None:
        steps &= arrays.counted
    if not steps.any():
        raise InputError(f"target={name}: no step counts, so nothing can be predicted")
    are_classes = targets.dtype.kind in _OF_CLASSES and targets.shape[2:] in ((), (1,))
    found = outcomes_of(name, targets[steps], metric or ("accuracy" if are_classes else "mse"))
    steps[steps] = found.known
    line = f"{found.line.partition(';')[0]} at each step ({int(steps.sum())} count)"
    return replace(found, line=line), steps


def _is_stepwise(arrays: Arrays, targets: NDArray[Any], metric: str | None) -> bool:
    if arrays.lengths is None or targets.shape[:2] != arrays.inputs.shape[:2] or targets.ndim not in (2, 3):
        return False
    if targets.ndim == 3:
        return True
    are_classes = targets.dtype.kind in _OF_CLASSES and (metric is None or loss_of(metric) == "cross-entropy")
    return targets.shape[1] > 1 and are_classes


def steps_of_parts(parts: Parts, steps: NDArray[np.bool_]) -> Parts:
    """Return which of the steps that count are in each part."""
    owner = steps.nonzero()[0]
    train, validation, test = (
        np.flatnonzero(np.isin(owner, own)) for own in (parts.train, parts.validation, parts.test)
    )
    return Parts(train, validation, test, parts.line)


def placed_at(steps: NDArray[np.bool_], flat: NDArray[Any]) -> NDArray[Any]:
    """Return targets of the steps that count at their places, with the class -1 or NaN at others."""
    found = np.full((*steps.shape, *flat.shape[1:]), -1 if flat.ndim == 1 else np.nan, flat.dtype)
    found[steps] = flat
    return found
