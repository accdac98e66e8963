"""Targets of each step of a sequence: which count, what they ask to predict, and where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError
from nas.tasks.files.answers import Outcomes, outcomes_of
from nas.tasks.files.parting import Parts
from nas.tasks.measures import loss_of
from nas.tasks.steps import placed_at

__all__ = ["filled_up", "steps_of_parts", "stepwise_outcomes", "stepwise_targets"]

_OF_CLASSES = "biuU"
"""Types of arrays whose values may be classes."""

Steps = NDArray[np.bool_]


def stepwise_targets(
    name: str,
    targets: NDArray[Any],
    counted: NDArray[Any] | None,
    size: tuple[int, int],
    lengths: NDArray[np.int64],
    metric: str | None,
) -> tuple[NDArray[Any], Steps] | None:
    """Return the target of each step of some sequences, and which of these count; None where there is one at the end.

    Parameters
    ----------
    name : str
        Of the targets, for messages.
    targets : array
        Of each step: (n, time) classes, as whole numbers or text; (n, time, n_outputs) numbers, or (n, time) ones that
        are NaN where sequences are over; any of these end to end, (sum of lengths, ...). Anything else is predicted at
        the end, two dimensions of other numbers too.
    counted : array, optional
        bool, (n, time) or end to end: which steps count, of those within the lengths.
    size : (n, time)
    lengths : (n,) int64 array
    metric : str or None
        Whole numbers are no classes where it is for numbers.

    Returns
    -------
    (n, time) classes or (n, time, n_outputs) numbers, and (n, time) bool array; or None

    Raises
    ------
    InputError
        If there is no target for some steps, or `counted` does not fit.
    """
    inside = np.arange(size[1]) < lengths[:, None]
    are_classes = targets.dtype.kind in _OF_CLASSES and (metric is None or loss_of(metric) == "cross-entropy")
    found = _at_steps(targets, inside, are_classes=are_classes)
    if found is None and are_classes and targets.ndim == 2 and targets.shape[1] > 1 and len(targets) == size[0]:
        as_numbers = f"; for {targets.shape[1]} numbers at the end give metric=mse" if targets.dtype.kind != "U" else ""
        raise InputError(
            f"target={name}: it has shape {targets.shape}, and sequences have {size[1]} steps; one for each of them is "
            f"needed, {size}, or one for each sequence{as_numbers}"
        )
    if found is None and counted is not None:
        why = "" if metric is None else f" with metric={metric}"
        raise InputError(
            f"target={name}: the file says which steps count, and targets of shape {targets.shape} and type "
            f"{targets.dtype} are predicted at the end of a sequence{why}; for those of each step give (n, time) "
            "classes or (n, time, n_outputs) numbers"
        )
    if found is None or counted is None:
        return None if found is None else (found, inside)
    own = placed_at(inside, counted) if counted.shape == (int(inside.sum()),) and counted.dtype == bool else counted
    if own.dtype != bool or own.shape != size:
        raise InputError(f"counted: it has shape {counted.shape} and type {counted.dtype}; bool {size} is needed")
    return found, inside & own


def _at_steps(targets: NDArray[Any], inside: Steps, *, are_classes: bool) -> NDArray[Any] | None:
    """Return targets as (n, time) classes or (n, time, n_outputs) numbers, where they are those of steps."""
    if len(targets) == int(inside.sum()) != len(inside) and targets.ndim in (1, 2):
        targets = placed_at(inside, targets[:, None] if targets.ndim == 1 else targets)
    elif targets.shape == inside.shape and inside.shape[1] > 1:
        is_filled_up = targets.dtype.kind == "f" and not inside.all() and bool((np.isnan(targets) == ~inside).all())
        if not (are_classes or is_filled_up):
            return None
        targets = targets[:, :, None]
    elif targets.ndim != 3 or targets.shape[:2] != inside.shape:
        return None
    return targets[:, :, 0] if are_classes and targets.shape[2] == 1 else targets


def filled_up(pieces: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return what stands at the steps of several files or parts, (n, time, ...), as long as the longest."""
    longest = max(piece.shape[1] for piece in pieces)
    ends = [[(0, 0), (0, longest - piece.shape[1]), *[(0, 0)] * (piece.ndim - 2)] for piece in pieces]
    return np.concatenate([np.pad(piece, end) for piece, end in zip(pieces, ends, strict=True)])


def stepwise_outcomes(name: str, targets: NDArray[Any], steps: Steps, metric: str | None) -> tuple[Outcomes, Steps]:
    """Return what the steps that count ask to predict, in their order, and those of them in which it is known.

    Raises
    ------
    InputError
        If no step counts, or the targets do not fit the metric.
    """
    if not steps.any():
        raise InputError(f"target={name}: no step counts, so nothing can be predicted")
    found = outcomes_of(name, targets[steps], metric or ("accuracy" if targets.ndim == 2 else "mse"))
    known = steps.copy()
    known[steps] = found.known
    line = f"{found.line.partition(';')[0]} at each step ({int(known.sum())} count)"
    return replace(found, line=line), known


def steps_of_parts(parts: Parts, steps: Steps) -> Parts:
    """Return which of the steps that count are in each part."""
    owner = steps.nonzero()[0]
    train, validation, test = (
        np.flatnonzero(np.isin(owner, own)) for own in (parts.train, parts.validation, parts.test)
    )
    return Parts(train, validation, test, parts.line)
