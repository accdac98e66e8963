"""Task: data, split, loss and metric of one learning problem, whatever the data came from."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from nas.tasks.measures import SQUARED_ERROR, Measure
from nas.tasks.splits import SPLIT_SEED, split
from nas.tasks.steps import placed_at

if TYPE_CHECKING:
    from nas.tasks.files.pipeline import Pipeline

__all__ = ["Loss", "Task"]

Loss = Literal["cross-entropy", "squared-error"]

_FINGERPRINT_HEADER = b"wirenas-task-1\0"


@dataclass(frozen=True, eq=False)
class Task:
    """A learning problem: data, split, loss and metric. `Task.from_arrays` makes one from own arrays.

    Parameters
    ----------
    name : str
        What the task is called in records.
    inputs : Tensor
        (n, n_inputs) float32 rows, or (n, time, n_inputs) float32 sequences, or (n, time) uint8 sequences of symbols
        that are numbered from 0, filled up with the value `n_inputs`.
    targets : Tensor
        (n,) int64 classes for cross-entropy, (n, n_outputs) float32 for squared error. Or, of sequences, a target for
        each step: (n, time) classes, or (n, time, n_outputs) numbers. Steps that do not count, such as those behind the
        end of a sequence, have the class -1, or NaN.
    train, validation, test : Tensor
        int64 indices of the examples of each part, disjoint and not empty.
    n_inputs, n_outputs : int
        Numbers a network reads (per time step) and gives.
    lengths : Tensor, optional
        (n,) int64 true lengths; given for sequences and only for them.
    loss : {"cross-entropy", "squared-error"}
        What training minimises.
    plateaus : mapping
        What simple rules reach on the test part, by the rule's name.
    recipe : mapping
        Training defaults of this task that differ from the general ones.
    description : str
        One line for people.
    labels : tuple
        What the classes are called in the data, in their order; empty where they are the numbers 0, 1, ….
    shape : tuple of int, optional
        Rows and columns of images, where rows of `inputs` are images, row by row; behind channels, (channels, rows,
        columns), where there are several, one after the other. Signals in time have one row.
    measure : Measure, optional
        The metric, where it is not what follows from the loss: accuracy, or the mean squared error of the targets.
    class_weights : Tensor, optional
        (n_outputs,) float32 factors of the loss of examples of each class.
    pipeline : Pipeline, optional
        Where the examples come from a file: from raw rows to `inputs`, and from outputs to answers.
    notes : tuple of str
        What was assumed of a file, a line each.
    weights : Tensor, optional
        (n,) float32 of 0 or more: what each example, and with it each step of it that counts, counts in losses and
        metrics, relative to the others; all the same where left out.

    Raises
    ------
    ValueError
        If shapes, types, values or parts contradict each other.

    Examples
    --------
    >>> import numpy as np
    >>> from nas import Task
    >>> inputs = np.random.default_rng(0).normal(size=(100, 4))
    >>> task = Task.from_arrays("signs", inputs, np.where(inputs[:, 0] > 0, "positive", "negative"))
    >>> task
    Task('signs': 100 examples of 4, 2 classes, 64/16/20 train/validation/test)
    >>> task.labels, task.metric
    (('negative', 'positive'), 'accuracy')

    Of sequences, each step may have a target:

    >>> sums = inputs[:, :, None].cumsum(axis=1)
    >>> Task.from_arrays("running sums", inputs[:, :, None], sums)
    Task('running sums': 100 examples of 4x1, 1 numbers to predict at a step, 64/16/20 train/validation/test)
    """

    name: str
    inputs: Tensor
    targets: Tensor
    train: Tensor
    validation: Tensor
    test: Tensor
    n_inputs: int
    n_outputs: int
    lengths: Tensor | None = None
    loss: Loss = "cross-entropy"
    plateaus: Mapping[str, float] = field(default_factory=dict)
    recipe: Mapping[str, object] = field(default_factory=dict)
    description: str = ""
    labels: tuple[Any, ...] = ()
    shape: tuple[int, ...] | None = None
    measure: Measure | None = None
    class_weights: Tensor | None = None
    pipeline: Pipeline | None = None
    notes: tuple[str, ...] = ()
    weights: Tensor | None = None

    def __repr__(self) -> str:
        """Return one line: tensors would fill the screen."""
        shape = "x".join(map(str, self.inputs.shape[1:]))
        parts = "/".join(str(len(part)) for part in (self.train, self.validation, self.test))
        kind = f"{self.n_outputs} classes" if self.loss == "cross-entropy" else f"{self.n_outputs} numbers to predict"
        kind += " at a step" if self.is_stepwise else ""
        return f"Task({self.name!r}: {len(self.inputs)} examples of {shape}, {kind}, {parts} train/validation/test)"

    def __post_init__(self) -> None:
        _check_inputs(self)
        _check_lengths(self)
        _check_targets(self)
        _check_measure(self)
        _check_parts(self)
        _check_weights(self)

    @classmethod
    def from_arrays(
        cls,
        name: str,
        inputs: ArrayLike,
        targets: ArrayLike,
        *,
        lengths: ArrayLike | None = None,
        n_symbols: int | None = None,
        counted: ArrayLike | None = None,
        test: ArrayLike | None = None,
        strata: ArrayLike | None = None,
        seed: int = SPLIT_SEED,
        loss: Loss | None = None,
        plateaus: Mapping[str, float] | None = None,
        recipe: Mapping[str, object] | None = None,
        description: str = "",
        shape: tuple[int, ...] | None = None,
        weights: ArrayLike | None = None,
    ) -> Task:
        """Make a task from arrays and split it.

        Parameters
        ----------
        inputs : array
            (n, n_inputs) rows, (n, time, n_inputs) sequences, or, with `n_symbols`, (n, time) symbols numbered from 0;
            what lies behind a sequence's length is ignored.
        targets : array
            (n,) classes, as integers or as text (cross-entropy), or (n,) or (n, n_outputs) floats (squared error).
            Classes are numbered in their order from 0, so that labels 1, 2, 3 are three classes; `labels` keeps them.
            Sequences may have one for each step: (n, time) classes, or (n, time, n_outputs) floats.
        lengths : (n,) integer array, optional
            True lengths of sequences; the whole width where left out.
        n_symbols : int, optional
            Size of the alphabet, for sequences of symbols.
        counted : (n, time) bool array, optional
            Where there is a target for each step, which of them count: at least one of each sequence. All within its
            length where left out; what stands at others is ignored.
        test : integer array, optional
            Indices of a published test part, which is kept; otherwise a fifth of the examples is drawn.
        strata : (n,) integer array, optional
            Groups whose shares the split keeps in all parts; the classes of examples where left out.
        seed : int
            Seed of the split.
        loss : {"cross-entropy", "squared-error"}, optional
            Needed where targets are floats that may be codes of classes, and to predict integers as numbers.
        weights : (n,) array, optional
            What each example counts, 0 or more. The split does not heed them.
        name, plateaus, recipe, description, shape
            As in `Task`.

        Raises
        ------
        ValueError
            If the arrays do not make a task, or are too few to be split.
        """
        outcomes = np.asarray(targets)
        if outcomes.size == 0:
            raise ValueError("targets are empty: a task needs examples")
        values, own_lengths = _padded(np.asarray(inputs), lengths, n_symbols)
        steps = _counted(outcomes, values, own_lengths, counted, loss)
        outcomes, labels = _outcomes(outcomes if steps is None else outcomes[steps], loss)
        classes, groups = labels is not None, outcomes
        if steps is not None:
            outcomes, groups = _at_steps(outcomes, steps), np.zeros(len(steps))  # No group: all examples are alike.
        train, validation, held_out = split(groups if strata is None else strata, seed, test)
        return cls(
            name=name,
            inputs=torch.from_numpy(values),
            targets=torch.from_numpy(outcomes.astype(np.int64 if classes else np.float32)),
            train=torch.from_numpy(train),
            validation=torch.from_numpy(validation),
            test=torch.from_numpy(held_out),
            n_inputs=n_symbols if n_symbols is not None else values.shape[-1],
            n_outputs=outcomes.shape[-1] if labels is None else len(labels),
            lengths=None if own_lengths is None else torch.from_numpy(own_lengths),
            loss="cross-entropy" if classes else "squared-error",
            plateaus=dict(plateaus or {}),
            recipe=dict(recipe or {}),
            description=description,
            labels=() if labels is None or labels == tuple(range(len(labels))) else labels,
            shape=shape,
            weights=None if weights is None else torch.from_numpy(np.array(weights, dtype=np.float32)),
        )

    @property
    def is_sequence(self) -> bool:
        """Whether an example is a sequence in time."""
        return self.lengths is not None

    @property
    def is_stepwise(self) -> bool:
        """Whether there is a target for each step of a sequence, and not one for the whole of it."""
        return self.targets.ndim == (2 if self.loss == "cross-entropy" else 3)

    @property
    def counted(self) -> Tensor | None:
        """Which steps have a target that counts, (n, time) bool; None where a target is for the whole of an example."""
        return self._counted if self.is_stepwise else None

    @cached_property
    def _counted(self) -> Tensor:
        return self.targets >= 0 if self.loss == "cross-entropy" else ~self.targets[:, :, 0].isnan()

    @cached_property
    def steps_per_example(self) -> float:
        """How many steps of an example count on average over the training part; 1 where a target is for all of it."""
        return 1.0 if self.counted is None else float(self.counted[self.train].sum()) / len(self.train)

    @property
    def metric(self) -> str:
        """Name of the metric that is reported and searched by."""
        if self.measure is not None:
            return self.measure.name
        return "accuracy" if self.loss == "cross-entropy" else SQUARED_ERROR

    @property
    def direction(self) -> Literal["maximize", "minimize"]:
        """Whether more or less of the metric is better."""
        if self.measure is not None:
            return self.measure.direction
        return "maximize" if self.loss == "cross-entropy" else "minimize"

    @cached_property
    def constant_value(self) -> float:
        """What a diverged training scores: the metric of the constant prediction on the validation part."""
        return self.constant_score(self.validation)

    def constant_score(self, indices: Tensor) -> float:
        """Return the metric, over the examples in `indices`, of the best constant prediction learnt in training.

        That is the commonest class (the lowest of equally common ones) or the mean, by their weights where examples
        have some; of other metrics see `Measure.constant`.
        """
        trained, of_trained = self.flat_targets(self.train)
        held_out, of_held_out = self.flat_targets(indices)
        if self.measure is not None:
            constant = self.measure.constant(trained.cpu().numpy(), self.n_outputs)
            return self.measure(np.repeat(constant, len(held_out), axis=0), held_out.cpu().numpy())
        if self.weights is not None:
            own, counted = self.weights[of_trained].double(), self.weights[of_held_out].double()
            if self.loss == "cross-entropy":
                commonest = torch.bincount(trained, own).argmax()
                return float((held_out == commonest).double() @ counted / counted.sum())
            mean = own @ trained.double() / own.sum()
            return float(counted @ (held_out.double() - mean).square().mean(dim=1) / counted.sum())
        if self.loss == "cross-entropy":
            return float((held_out == torch.bincount(trained).argmax()).double().mean())
        return float((held_out.double() - trained.double().mean(dim=0)).square().mean())

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal sha256 over data and parts, the same on every platform and device.

        The hashed bytes are the text ``wirenas-task-1`` and a zero byte, the loss, `n_inputs` and `n_outputs` as text,
        then for each of inputs, lengths, targets, train, validation and test a line of its type and shape, and its
        values little-endian in C order; weights of classes, the measure and weights of examples follow where there are
        any. Name, plateaus, recipe, description, shape, pipeline and notes do not count.
        """
        digest = hashlib.sha256(_FINGERPRINT_HEADER)
        digest.update(f"{self.loss} {self.n_inputs} {self.n_outputs}\n".encode())
        weights = [own for own in (self.class_weights, self.weights) if own is not None]
        for tensor in (self.inputs, self.lengths, self.targets, self.train, self.validation, self.test, *weights):
            array = np.zeros(0, np.int64) if tensor is None else tensor.cpu().numpy()
            digest.update(f"{array.dtype.name} {array.shape}\n".encode())
            # Without a copy where the values lie in memory like this already: they may be large.
            digest.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(-1).data)
        if self.measure is not None:
            digest.update(f"{self.measure.name} {self.measure.mean} {self.measure.scale}\n".encode())
        return digest.hexdigest()

    @cached_property
    def relative_weights(self) -> Tensor | None:
        """The weights of the examples over their mean in training, (n,) float32; None where all count the same.

        Where each step has a target, the mean is over those that count.
        """
        if self.weights is None:
            return None
        return (self.weights.double() / self.weights[self.flat_targets(self.train)[1]].double().mean()).float()

    @cached_property
    def loss_weights(self) -> Tensor | None:
        """Factors of the losses of the targets by the examples' own weights and those of classes, or None.

        They are (n,) float32, or (n, time) where each step has a target.
        """
        own = self.relative_weights
        if own is not None and self.is_stepwise:
            own = own[:, None].expand(self.targets.shape[:2])
        if self.class_weights is None:
            return own
        of_class = self.class_weights[self.targets.clamp(min=0)]
        return of_class if own is None else of_class * own

    def flat_targets(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Return the targets that count of the examples in `indices`, one after the other, and whose they are.

        Returns
        -------
        targets : (n_targets,) int64 or (n_targets, n_outputs) float32 tensor
            One an example, or those of its steps in their order.
        examples : (n_targets,) int64 tensor
        """
        targets = self.targets[indices]
        if self.counted is None:
            return targets, indices
        counted = self.counted[indices]
        return targets[counted], indices[counted.nonzero()[:, 0]]

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor | None, Tensor]:
        """Return inputs, lengths and targets of the examples in `indices`, (batch,) int64, ready for a network.

        Returns
        -------
        x : (batch, n_inputs) or (batch, time, n_inputs) float32 tensor
            Sequences end where the longest of the batch ends; symbols are one-hot and zero behind the end.
        lengths : (batch,) int64 tensor or None
            True lengths of sequences.
        y : (batch,) int64 or (batch, n_outputs) float32 tensor
            Or (batch, time) and (batch, time, n_outputs), where each step has a target.
        """
        x, y = self.inputs[indices], self.targets[indices]
        if self.lengths is None:
            return x, None, y
        lengths = self.lengths[indices]
        width = int(lengths.max())
        x, y = x[:, :width], y[:, :width] if self.is_stepwise else y
        if x.dtype == torch.uint8:
            x = self._one_hot[x.long()]
        return x, lengths, y

    @cached_property
    def _one_hot(self) -> Tensor:
        return torch.eye(self.n_inputs + 1, device=self.inputs.device)[:, : self.n_inputs].contiguous()

    def to(self, device: torch.device | str) -> Task:
        """Return the task with all its tensors on a device."""
        values: dict[str, Any] = {item.name: getattr(self, item.name) for item in fields(self)}
        moved = {name: value.to(device) for name, value in values.items() if isinstance(value, Tensor)}
        return replace(self, **(values | moved))


_MOST_CODES = 100
"""Different whole numbers among floats, from which on they are taken for numbers and not for codes of classes."""


def _outcomes(targets: NDArray[Any], loss: Loss | None) -> tuple[NDArray[Any], tuple[Any, ...] | None]:
    """Return targets as classes from 0 with their labels, or as (n, n_outputs) numbers with None."""
    if loss not in (None, "cross-entropy", "squared-error"):
        raise ValueError(f"loss={loss!r}: it must be 'cross-entropy' or 'squared-error'")
    if targets.dtype.kind == "O":
        targets = _of_one_type(targets)
    is_text = targets.dtype.kind in "US"
    if targets.dtype.kind not in "USbiuf":
        raise ValueError(f"targets have type {targets.dtype}: give integers or text for classes, or floats")
    is_flat = targets.ndim == 2 and targets.shape[1] == 1 and (is_text or loss == "cross-entropy")
    column = targets[:, 0] if is_flat else targets
    if loss is None and targets.dtype.kind == "f":
        _ask_about_codes(targets)
    if loss == "squared-error" or (loss is None and targets.dtype.kind == "f"):
        if is_text:
            raise ValueError("targets are text, and squared-error needs numbers: leave loss out for classes")
        numbers = targets.astype(np.float64)  # The split takes integers for classes.
        return (numbers[:, None] if numbers.ndim == 1 else numbers), None
    if column.ndim != 1:
        raise ValueError(f"targets have shape {targets.shape}: one class for each example, (n,), is needed")
    if column.dtype.kind == "f":
        if not (np.isfinite(column).all() and (column == np.round(column)).all()):
            raise ValueError("targets hold numbers that are not whole, and loss='cross-entropy' needs classes")
        column = column.astype(np.int64)
    labels, classes = np.unique(column, return_inverse=True)
    return classes.reshape(-1), tuple(labels.tolist())


def _counted(
    targets: NDArray[Any],
    inputs: NDArray[np.generic],
    lengths: NDArray[np.int64] | None,
    counted: ArrayLike | None,
    loss: Loss | None,
) -> NDArray[np.bool_] | None:
    """Return which steps have a target that counts, (n, time), or None where a target is for the whole of an example.

    Numbers to predict at each step have three dimensions, as two may be the numbers that are predicted at the end.
    """
    are_numbers = loss == "squared-error" or (loss is None and targets.dtype.kind == "f")
    size = inputs.shape[:2]
    one_step = size[1:] == (1,) and counted is None and not are_numbers  # Of which a target is that of the end.
    if lengths is None or targets.ndim != (3 if are_numbers else 2) or one_step:
        if counted is not None:
            raise ValueError(
                f"counted is given, and targets of shape {targets.shape} are not one for each step of a sequence: give "
                "(n, time) classes or (n, time, n_outputs) numbers, or leave counted out"
            )
        return None
    if targets.shape[:2] != size:
        raise ValueError(
            f"targets have shape {targets.shape}, and inputs {inputs.shape}: one for each of the {size[1]} steps is "
            "needed, or one for each example"
        )
    inside: NDArray[np.bool_] = np.arange(size[1]) < lengths[:, None]
    if counted is None:
        return inside
    own = np.asarray(counted)
    if own.dtype != bool or own.shape != size:
        raise ValueError(f"counted has shape {own.shape} and type {own.dtype}: {size} bool is needed")
    both: NDArray[np.bool_] = inside & own
    return both


def _at_steps(flat: NDArray[Any], steps: NDArray[np.bool_]) -> NDArray[Any]:
    """Return targets of the steps that count at their places, with the class -1 or NaN at others."""
    if flat.ndim == 1:
        return placed_at(steps, flat.astype(np.int64))
    if not np.isfinite(flat).all():
        raise ValueError("targets hold a value that is not finite: leave those steps out of counted")
    return placed_at(steps, flat.astype(np.float64))


def _of_one_type(targets: NDArray[Any]) -> NDArray[Any]:
    """Return an array of Python objects, as pandas gives for text, as one of text or numbers."""
    if all(isinstance(value, str) for value in targets.flat):
        return targets.astype(str)
    if all(isinstance(value, (bool, int, float, np.number, np.bool_)) for value in targets.flat):
        return np.array(targets.tolist())
    odd = next((value for value in targets.flat if not isinstance(value, str)), None)
    raise ValueError(f"targets hold {odd!r} among others: give all classes as text or all as integers, none missing")


def _ask_about_codes(targets: NDArray[Any]) -> None:
    """Refuse floats that look like classes: few whole numbers, each of them often, or rows with a single 1."""
    if not np.isfinite(targets).all() or not (targets == np.round(targets)).all():
        return
    found = np.unique(targets)
    way = "astype(int)"
    if targets.ndim == 2 and targets.shape[1] > 1:
        if found.tolist() != [0.0, 1.0] or not (targets.sum(axis=1) == 1).all():
            return
        way = "argmax(axis=1)"
    elif not 2 <= len(found) <= min(_MOST_CODES, len(targets) // 2):
        return
    shown = ", ".join(f"{value:g}" for value in found[:3]) + (", …" if len(found) > 3 else "")
    raise ValueError(
        f"targets are floats that are all whole ({shown}): for classes give integers, targets.{way}; "
        "for numbers to predict give loss='squared-error'"
    )


def _padded(
    inputs: NDArray[np.generic], lengths: ArrayLike | None, n_symbols: int | None
) -> tuple[NDArray[np.generic], NDArray[np.int64] | None]:
    """Return the inputs in the stored type, blank behind the ends of sequences, and the lengths of sequences."""
    if n_symbols is None and inputs.ndim == 2:
        return inputs.astype(np.float32), None if lengths is None else np.array(lengths, dtype=np.int64)
    if n_symbols is not None and not 1 <= n_symbols <= 255:
        raise ValueError(f"n_symbols={n_symbols}: symbols are stored in one byte, so 1 to 255 of them are possible")
    if inputs.ndim != (3 if n_symbols is None else 2):
        rule = "(n, time) symbols" if n_symbols is not None else "(n, n_inputs) rows or (n, time, n_inputs) sequences"
        raise ValueError(f"inputs have shape {inputs.shape}: they must be {rule}")
    n, width = inputs.shape[:2]
    ends = np.full(n, width) if lengths is None else np.array(lengths, dtype=np.int64)
    if ends.shape != (n,):
        raise ValueError(f"lengths have shape {ends.shape}: one length for each of the {n} sequences is needed")
    inside = np.arange(width) < ends[:, None]
    if n_symbols is None:
        return np.where(inside[:, :, None], inputs, 0).astype(np.float32), ends
    symbols = inputs[inside]
    if symbols.dtype.kind not in "iu":
        raise ValueError(f"symbols have type {symbols.dtype}: they must be integers, numbered from 0")
    if symbols.size and not 0 <= int(symbols.min()) <= int(symbols.max()) < n_symbols:
        raise ValueError(f"symbols reach from {symbols.min()} to {symbols.max()}: {n_symbols} are numbered from 0")
    return np.where(inside, inputs, n_symbols).astype(np.uint8), ends


def _check_inputs(task: Task) -> None:
    shape, kind = tuple(task.inputs.shape), task.inputs.dtype
    if task.inputs.numel() == 0:
        raise ValueError(f"inputs have shape {shape}: a task needs examples, and these have no values")
    symbols = kind == torch.uint8 and task.inputs.ndim == 2
    if not symbols and not (kind == torch.float32 and task.inputs.ndim in (2, 3) and shape[-1] == task.n_inputs):
        raise ValueError(
            f"inputs have shape {shape} and type {kind}: n_inputs={task.n_inputs} needs float32 (n, {task.n_inputs}) "
            f"or (n, time, {task.n_inputs}), or uint8 symbols (n, time)"
        )
    if symbols and int(task.inputs.max()) > task.n_inputs:
        raise ValueError(
            f"symbol {int(task.inputs.max())} is none of the {task.n_inputs}, nor the padding {task.n_inputs}"
        )
    # Smallest and largest value tell as much as all of them, without a mask as long as the data.
    if not symbols and not bool(torch.isfinite(torch.stack(torch.aminmax(task.inputs))).all()):
        raise ValueError("inputs hold a value that is not finite: replace or drop those examples")
    if task.shape is not None and len(task.shape) not in (2, 3):
        raise ValueError(f"shape={task.shape}: it is (rows, columns) or (channels, rows, columns) of images")
    if task.shape is not None and (task.is_sequence or math.prod(task.shape) != task.n_inputs):
        held = "sequences" if task.is_sequence else f"rows of {task.n_inputs}"
        raise ValueError(f"shape={task.shape}: inputs are {held}, and images of {' x '.join(map(str, task.shape))} "
                         f"are rows of {math.prod(task.shape)}")  # fmt: skip


def _check_lengths(task: Task) -> None:
    sequences = task.inputs.ndim == 3 or task.inputs.dtype == torch.uint8
    if sequences != (task.lengths is not None):
        wanted = "needed for sequences" if sequences else "for sequences only"
        raise ValueError(f"lengths are {wanted}: inputs have shape {tuple(task.inputs.shape)}")
    if task.lengths is None:
        return
    n, width = task.inputs.shape[:2]
    if task.lengths.shape != (n,) or task.lengths.dtype != torch.int64:
        raise ValueError(f"lengths have shape {tuple(task.lengths.shape)}: ({n},) int64 is needed")
    low, high = int(task.lengths.min()), int(task.lengths.max())
    if low < 1 or high > width:
        raise ValueError(f"lengths reach from {low} to {high}: sequences of width {width} have 1 to {width} steps")
    if task.inputs.dtype == torch.uint8:
        behind = torch.arange(width, device=task.inputs.device) >= task.lengths[:, None]
        if not torch.equal(task.inputs == task.n_inputs, behind):
            raise ValueError(f"padding {task.n_inputs} must stand behind the end of every sequence and nowhere else")


def _check_targets(task: Task) -> None:
    if task.loss not in ("cross-entropy", "squared-error"):
        raise ValueError(f"loss={task.loss!r}: it must be 'cross-entropy' or 'squared-error'")
    n, shape, kind = len(task.inputs), tuple(task.targets.shape), task.targets.dtype
    classes = task.loss == "cross-entropy"
    of_each = tuple(task.inputs.shape[:2]) if task.is_stepwise and task.is_sequence else (n,)
    needed = (of_each, torch.int64) if classes else ((*of_each, task.n_outputs), torch.float32)
    if (shape, kind) != needed:
        raise ValueError(f"targets have shape {shape} and type {kind}: {task.loss} needs {needed[0]} {needed[1]}")
    _check_counted(task)
    held, _ = task.flat_targets(torch.arange(n, device=task.targets.device))
    if not classes and not bool(torch.isfinite(held).all()):
        raise ValueError("targets hold a value that is not finite: drop those examples")
    if classes and not 0 <= int(held.min()) <= int(held.max()) < task.n_outputs:
        low, high = int(held.min()), int(held.max())
        raise ValueError(f"classes reach from {low} to {high}: n_outputs={task.n_outputs} are numbered from 0")


def _check_counted(task: Task) -> None:
    if task.counted is None:
        return
    assert task.lengths is not None
    if task.loss == "squared-error" and not bool(task.targets[~task.counted].isnan().all()):
        raise ValueError("a step has NaN for its first target and numbers for others: one that does not count has NaN "
                         "for all")  # fmt: skip
    if task.loss == "cross-entropy" and int(task.targets.min()) < -1:
        raise ValueError(f"targets hold the class {int(task.targets.min())}: steps that do not count have -1")
    behind = torch.arange(task.counted.shape[1], device=task.lengths.device) >= task.lengths[:, None]
    if bool((task.counted & behind).any()):
        raise ValueError("a step behind the end of its sequence has a target: give it the class -1, or NaN")
    if not bool(task.counted.any(dim=1).all()):
        lacking = int((~task.counted.any(dim=1)).nonzero()[0])
        raise ValueError(f"no step of example {lacking} counts: give it a target, or drop it")


def _check_measure(task: Task) -> None:
    if task.measure is not None and task.measure.loss != task.loss:
        raise ValueError(f"measure={task.measure.name}: it is for {task.measure.loss}, and loss={task.loss}")
    weights = task.class_weights
    if weights is None:
        return
    if task.loss != "cross-entropy" or weights.shape != (task.n_outputs,) or weights.dtype != torch.float32:
        raise ValueError(f"class_weights have shape {tuple(weights.shape)} and type {weights.dtype}: for classes "
                         f"({task.n_outputs},) float32 is needed, for numbers none")  # fmt: skip
    if not bool((torch.isfinite(weights) & (weights >= 0)).all()):
        raise ValueError("class_weights hold a value that is negative or not finite")


def _check_parts(task: Task) -> None:
    parts = {"train": task.train, "validation": task.validation, "test": task.test}
    n = len(task.inputs)
    for name, indices in parts.items():
        if indices.ndim != 1 or indices.dtype != torch.int64 or len(indices) == 0:
            raise ValueError(
                f"{name} has shape {tuple(indices.shape)} and type {indices.dtype}: indices, int64, are needed"
            )
        if not 0 <= int(indices.min()) <= int(indices.max()) < n:
            raise ValueError(f"{name} holds an index outside the {n} examples, which are numbered from 0")
    together = torch.cat(list(parts.values()))
    if len(torch.unique(together)) != len(together):
        raise ValueError("an example is in two parts, or twice in one: train, validation and test must be disjoint")


def _check_weights(task: Task) -> None:
    if task.weights is None:
        return
    if task.measure is not None:
        raise ValueError(f"weights are given, and measure={task.measure.name} knows none: leave one of them out")
    n, shape, kind = len(task.inputs), tuple(task.weights.shape), task.weights.dtype
    if (shape, kind) != ((n,), torch.float32):
        raise ValueError(f"weights have shape {shape} and type {kind}: ({n},) torch.float32 is needed")
    if not bool(torch.isfinite(task.weights).all()) or float(task.weights.min()) < 0:
        raise ValueError("weights hold a value that is negative or not finite: give 0 or more for each example")
    for name in ("train", "validation", "test"):
        if float(task.weights[getattr(task, name)].sum()) == 0:
            raise ValueError(f"all weights of the {name} part are 0: an example of it has to count")
