"""What is known of the inputs of a task: how much each varies, where it lies, and what it goes with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from priors import Inputs

__all__ = ["describe_inputs"]

Floats = NDArray[np.float64]

_VALUES = 2**20
"""Values that are looked at together, as float64."""
_EXAMPLES = 8_000
"""Examples, evenly spaced, that correlations are of."""
_MOST_INPUTS = 4_096
"""More inputs have no correlation: their matrix would be too large."""


def describe_inputs(
    inputs: Tensor | NDArray[Any],
    shape: tuple[int, ...] | None = None,
    *,
    lengths: Tensor | NDArray[Any] | None = None,
    n_symbols: int | None = None,
    targets: Tensor | NDArray[Any] | None = None,
    examples: Tensor | NDArray[Any] | None = None,
) -> Inputs:
    """Return what is known of inputs, from examples that must be of the training part alone.

    Parameters
    ----------
    inputs : (n, n_inputs) or (n, time, n_inputs) array, or (n, time) integer array with `n_symbols`
        Rows, sequences, or sequences of symbols numbered from 0, of which each counts as an input that is 0 or 1.
    shape : tuple of int, optional
        Rows and columns of images, whose values lie row by row in `inputs`, or channels, rows and columns, one channel
        after the other; not for sequences. Signals in time have one row.
    lengths : (n,) integer array, optional
        True lengths of sequences; every step within them counts alike. The whole width where left out.
    n_symbols : int, optional
        Size of the alphabet, for sequences of symbols.
    targets : (n,) integer array or (n, n_outputs) float array, optional
        Classes, or numbers to predict; the steps of a sequence share its target.
    examples : (n_examples,) integer array, optional
        The examples to look at, so that no copy of them is needed; all of them where left out.

    Returns
    -------
    Inputs
        Standard deviations, divided by the number of values, are over all examples, and exactly 0 for an input that
        never varies. Positions are (row, column), where there is a shape, of all channels alike. Correlations are over
        at most 8,000 evenly spaced examples, 0 for inputs that do not vary there and 1 with oneself, and left out for
        more than 4,096 inputs. Relevance, where there are targets, is the share of variance that a linear regression on
        the targets explains, over all examples; with classes the correlation ratio, between-class over total variance.

    Raises
    ------
    ValueError
        If the arrays contradict each other.

    Notes
    -----
    About a million values are held as float64 at a time, and two matrices of n_inputs squared.
    """
    values = _Values.of(inputs, lengths, n_symbols, examples)
    positions = None
    if shape is not None:
        if values.ends is not None or len(shape) not in (2, 3) or math.prod(shape) != values.n_inputs:
            kind = "sequences" if values.ends is not None else f"rows of {values.n_inputs}"
            raise ValueError(f"shape={shape}: inputs are {kind}, and a shape (rows, columns), or (channels, rows, "
                             "columns), must multiply to it")  # fmt: skip
        positions = np.indices(shape, np.float64).reshape(len(shape), -1)[-2:].T
    mean, varies, count = _means(values, values.examples)
    squares = sum((np.square(rows - mean).sum(axis=0) for _, rows in values.blocks(values.examples)), np.zeros(1))
    deviation = np.where(varies, np.sqrt(squares / count), 0.0)
    relevance = None
    if targets is not None:
        explained = _explained(values, mean, _array(targets))
        relevance = np.divide(explained, squares, out=np.zeros_like(squares), where=varies).clip(0, 1)
    return Inputs(deviation, positions, _correlation(values, deviation > 0), relevance)


@dataclass(frozen=True)
class _Values:
    """Rows or sequences, and which of their examples are looked at."""

    inputs: NDArray[Any]
    examples: NDArray[np.int64]
    ends: NDArray[np.int64] | None
    n_symbols: int | None

    @classmethod
    def of(cls, inputs: Any, lengths: Any, n_symbols: int | None, examples: Any) -> _Values:
        array = _array(inputs)
        is_sequence = array.ndim == 3 or n_symbols is not None
        if array.ndim != (2 if n_symbols is not None or not is_sequence else 3) or 0 in array.shape:
            raise ValueError(
                f"inputs have shape {array.shape}: describe_inputs needs (n, n_inputs) rows, (n, time, n_inputs) "
                "sequences or (n, time) symbols"
            )
        if lengths is not None and not is_sequence:
            raise ValueError("lengths are for sequences only, and inputs are rows")
        n, width = array.shape[:2]
        chosen = np.arange(n) if examples is None else _array(examples).astype(np.int64)
        if chosen.ndim != 1 or not len(chosen) or not 0 <= chosen.min() <= chosen.max() < n:
            raise ValueError(f"examples must be numbers of the {n} examples, from 0, and at least one of them")
        ends = None
        if is_sequence:
            ends = np.full(n, width) if lengths is None else _array(lengths).astype(np.int64)
            if ends.shape != (n,) or not 1 <= ends.min() <= ends.max() <= width:
                raise ValueError(f"lengths must be one number from 1 to {width} for each of the {n} sequences")
        return cls(array, chosen, ends, n_symbols)

    @property
    def n_inputs(self) -> int:
        """Numbers that a network reads, per time step."""
        return self.n_symbols if self.n_symbols is not None else int(self.inputs.shape[-1])

    def blocks(self, examples: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], Floats]]:
        """Yield places in `examples`, (n_rows,), and the rows or steps that belong to them, (n_rows, n_inputs)."""
        steps = 1 if self.ends is None else self.inputs.shape[1]
        many = max(1, _VALUES // (steps * self.n_inputs))
        for first in range(0, len(examples), many):
            some = examples[first : first + many]
            rows, own = self.inputs[some], np.arange(first, first + len(some))
            if self.ends is not None:
                inside = np.arange(steps) < self.ends[some][:, None]
                rows, own = rows[inside], np.repeat(own, self.ends[some])
            if self.n_symbols is not None:
                rows = rows[:, None] == np.arange(self.n_symbols)
            yield own, rows.astype(np.float64)


def _array(values: Tensor | ArrayLike) -> NDArray[Any]:
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)


def _means(values: _Values, examples: NDArray[np.int64]) -> tuple[Floats, NDArray[np.bool_], int]:
    """Return the means of all inputs, whether they vary at all, and how many values of each there are."""
    total = np.zeros(values.n_inputs)
    low, high, count = np.full(values.n_inputs, np.inf), np.full(values.n_inputs, -np.inf), 0
    for _, rows in values.blocks(examples):
        total += rows.sum(axis=0)
        low, high = np.minimum(low, rows.min(axis=0)), np.maximum(high, rows.max(axis=0))
        count += len(rows)
    return total / count, high > low, count


def _correlation(values: _Values, varies: NDArray[np.bool_]) -> NDArray[np.float32] | None:
    """Return the correlation of every two inputs over evenly spaced examples."""
    n = len(values.examples)
    if values.n_inputs > _MOST_INPUTS:
        return None
    chosen = values.examples if n <= _EXAMPLES else values.examples[np.linspace(0, n - 1, _EXAMPLES).astype(np.int64)]
    mean, varies_here, _ = _means(values, chosen)
    products = np.zeros((values.n_inputs, values.n_inputs))
    for _, rows in values.blocks(chosen):
        centred = rows - mean
        products += centred.T @ centred
    scale = np.where(varies_here, np.sqrt(products.diagonal()), np.inf)
    products /= scale
    products /= scale[:, None]
    np.fill_diagonal(products, varies)
    return products.clip(-1, 1).astype(np.float32)


def _explained(values: _Values, mean: Floats, targets: NDArray[Any]) -> Floats:
    """Return how much of the inputs' sums of squared deviations a linear regression on the targets explains."""
    if len(targets) != len(values.inputs) or targets.ndim not in (1, 2):
        raise ValueError(f"targets have shape {targets.shape}: one for each of {len(values.inputs)} examples is needed")
    own = targets[values.examples]
    steps = np.ones(len(own)) if values.ends is None else values.ends[values.examples].astype(np.float64)
    if own.ndim == 1 and own.dtype.kind in "biu":
        classes, class_of = np.unique(own, return_inverse=True)
        sums = np.zeros((len(classes), values.n_inputs))
        for places, rows in values.blocks(values.examples):
            order = np.argsort(class_of[places], kind="stable")
            found, first = np.unique(class_of[places][order], return_index=True)
            sums[found] += np.add.reduceat((rows - mean)[order], first, axis=0)
        return np.asarray((np.square(sums) / np.bincount(class_of, steps)[:, None]).sum(axis=0))
    numbers = own.reshape(len(own), -1).astype(np.float64)
    numbers -= np.average(numbers, axis=0, weights=steps)
    along = np.zeros((numbers.shape[1], values.n_inputs))
    for places, rows in values.blocks(values.examples):
        along += numbers[places].T @ (rows - mean)
    inverse = np.linalg.pinv((numbers * steps[:, None]).T @ numbers, rcond=1e-10, hermitian=True)
    return np.asarray(np.einsum("ki,ki->i", along, inverse @ along))
