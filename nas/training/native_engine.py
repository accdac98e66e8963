"""The compiled engine: a whole training in one call, with the interpreter lock released.

It follows the trajectory of the torch engine to the rounding of floats: the same draws, batches, losses and updates.
"""

from __future__ import annotations

import time
import weakref
from dataclasses import replace
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nas.networks.readout import mean_over_time, means_so_far
from nas.tasks.task import Task
from nas.training.compiled import Compiled, compile_network
from nas.training.extension import extension, instruction_set
from nas.training.normalisation import check_normalise, examples_to_fold
from nas.training.places import split_places, weights_of, wired_parts
from nas.training.recipe import Recipe
from nas.training.session import Epoch, History, Interrupted, Normalised, Progress, Score, StopFlag, Weights

__all__ = [
    "NativeSession",
    "data_of",
    "evaluate",
    "has_sparse_inputs",
    "measured",
    "outputs",
    "predict",
    "weight_gradients",
]

_SECONDS_BETWEEN_CHECKS = 0.05
_LANES = 16
_TILE = 64
_data: weakref.WeakKeyDictionary[Task, dict[tuple[str, bool], Any]] = weakref.WeakKeyDictionary()
_data_lock = Lock()


class NativeSession:
    """One training inside the compiled engine.

    Parameters
    ----------
    compiled : Compiled
        Its parameters are trained in place: they are read whenever `run` begins and written whenever it returns. Where
        the recipe normalises, they are read once, and given the folded ones.
    network : nn.Module, optional
        The module that they belong to, where there is one; it alone can be rewired.
    task, recipe, learning_rate, rng, stop, threads
        As in `nas.training.train.session`; the flag is looked at about twenty times a second.
    """

    def __init__(
        self,
        compiled: Compiled,
        task: Task,
        recipe: Recipe,
        *,
        learning_rate: float,
        rng: np.random.Generator,
        stop: StopFlag | None = None,
        network: nn.Module | None = None,
        threads: int | None = None,
    ) -> None:
        self._compiled, self._task, self._recipe, self._stop = compiled, task, recipe, stop
        self._network = network
        self._threads = torch.get_num_threads() if threads is None else threads
        self._normalises = check_normalise(network, recipe) and not compiled.mean
        # After how many updates they were folded last, and the factors.
        self._folded: tuple[int, NDArray[np.float64]] | None = None
        self._bits = rng.bit_generator
        self._seconds = 0.0
        single = compiled.parameters[0].dtype == np.float32
        n_steps = recipe.epochs * recipe.updates_of_epoch(len(task.train))
        self._training = (extension().Training if single else extension().Training64)(
            compiled.network,
            data_of(task, compiled.parameters[0].dtype, mean=compiled.mean),
            instruction_set(),
            extension().Plan(
                epochs=recipe.epochs,
                batch_size=min(recipe.batch_size, len(task.train)),
                patience=min(recipe.patience or 0, recipe.epochs),
                clip=recipe.clip or 0.0,
                maximize=task.direction == "maximize",
                normalise=self._normalises,
                update=extension().Update(
                    optimizer=recipe.optimizer,
                    weight_decay=recipe.weight_decay,
                    momentum=recipe.momentum,
                    nesterov=recipe.nesterov,
                ),
            ),
            _rates(recipe, learning_rate, n_steps),
            task.train.numpy(),
            task.validation.numpy(),
            examples_to_fold(task, compiled.network.n_neurons).numpy(),
            *compiled.parameters,
            self._bits,
        )

    def run(self, n_steps: int | None = None) -> Progress:
        """Make up to `n_steps` updates, all that are left by default; see `Session.run`."""
        started = time.perf_counter()
        training = self._training
        last = training.n_steps if n_steps is None else min(training.n_steps, training.step + n_steps)
        if not self._normalises:
            training.load(*self._compiled.parameters)
        try:
            while training.step < last and not training.finished:
                if self._stop is not None and self._stop.is_set():
                    raise Interrupted(f"stopped after {training.step} of {training.n_steps} updates")
                with self._bits.lock:
                    training.run(last, _SECONDS_BETWEEN_CHECKS, self._threads)
            if training.step:
                self._fold()
        finally:
            if not self._normalises:
                training.store(*self._compiled.parameters)
            self._seconds += time.perf_counter() - started
        return self._progress()

    def _fold(self) -> NDArray[np.float64] | None:
        """Write what was learnt into the network where it has it folded; return the factors of the neurons' weights."""
        if not self._normalises:
            return None
        step = self._training.step
        if self._folded is None or self._folded[0] != step:
            factors = self._training.store_folded(self._threads, *self._compiled.parameters)
            ones = np.ones(self._compiled.network.n_outputs)
            self._folded = step, np.concatenate([np.array(factors, np.float64), ones])
        return self._folded[1]

    def _progress(self) -> Progress:
        training = self._training
        return Progress(training.step, training.n_steps, len(training.epochs), training.finished)

    def weights(self) -> Weights:
        """Return copies of what lives now; see `RewirableSession.weights`."""
        parts = wired_parts(self._network)
        factors, rows = self._fold(), []
        for which in range(self._n_moments):
            places = [np.zeros_like(own) for own in self._compiled.parameters]
            self._training.store_moment(which, *places)
            rows.append(np.concatenate(places[::2]))
        found = weights_of(parts, np.array(rows).reshape(len(rows), sum(len(part.weight) for part in parts)))
        if factors is None:
            return found
        (part,) = parts
        targets = part.live_weights().edges[:, 1] - part.blueprint.n_inputs
        return replace(found, weight=self._own()[0], scale=factors[targets])

    def _own(self) -> list[NDArray[Any]]:
        """Return copies of what is trained, in the order of the network's parameters."""
        found = [np.empty_like(own) for own in self._compiled.parameters]
        self._training.store(*found)
        return found

    def normalised(self) -> Normalised | None:
        """Return copies of what is trained; see `RewirableSession.normalised`."""
        if not self._normalises:
            return None
        weight, bias, *_ = self._own()
        return Normalised(weight, bias, np.array(self._training.gamma, weight.dtype))

    def rewire(self, weights: Weights) -> None:
        """Go on with other weights; see `RewirableSession.rewire`."""
        parts = wired_parts(self._network)
        assert self._network is not None
        split = split_places(parts, weights)
        kept = [[np.zeros_like(own) for own in self._compiled.parameters] for _ in range(self._n_moments)]
        for which, places in enumerate(kept):
            self._training.store_moment(which, *places)
            # Of biases they stay.
            places[::2] = [own.moments[which].astype(places[0].dtype) for own in split] + places[2 * len(split) :: 2]
        biases = self._own()[1] if self._normalises else None
        for part, own in zip(parts, split, strict=True):
            part.replace_weights(torch.from_numpy(own.slots), torch.from_numpy(own.weight).to(part.weight))
            if biases is not None:
                part.bias_vector.detach().copy_(torch.from_numpy(biases))
        compiled = compile_network(self._network, sparse=has_sparse_inputs(self._task))
        assert compiled is not None
        self._compiled = compiled
        self._training.rewire(compiled.network, *compiled.parameters)
        for which, places in enumerate(kept):
            self._training.load_moment(which, *places)
        self._folded = None
        self._fold()

    def next_batch(self) -> NDArray[np.int64]:
        """Return the examples of the next update; see `RewirableSession.next_batch`."""
        with self._bits.lock:
            examples: NDArray[np.int64] = self._training.next_batch()
        return examples

    def skip(self) -> Progress:
        """Count the next update as done; see `RewirableSession.skip`."""
        with self._bits.lock:
            self._training.skip()
        return self._progress()

    @property
    def _n_moments(self) -> int:
        return 0 if self._recipe.optimizer == "sgd" and not self._recipe.momentum else int(self._training.n_moments)

    def history(self) -> History:
        """Return what happened so far; see `Session.history`."""
        training = self._training
        epochs = tuple(Epoch(*epoch) for epoch in training.epochs)
        if training.diverged or not epochs:
            value = self._task.constant_value
        else:
            value = epochs[-1 if self._recipe.patience is None else training.best_epoch].validation_metric
        return History(epochs, value, training.diverged, training.step, self._seconds, "native")


def evaluate(compiled: Compiled, task: Task, indices: NDArray[np.int64]) -> Score:
    """Return the mean loss and the metric of a network over the examples in `indices`."""
    score = _evaluate(compiled, task, indices)
    if task.measure is None:
        return score
    return replace(score, metric=measured(compiled, task, indices))


def _evaluate(compiled: Compiled, task: Task, indices: NDArray[np.int64]) -> Score:
    dtype = compiled.parameters[0].dtype
    function = extension().evaluate if dtype == np.float32 else extension().evaluate64
    data = data_of(task, dtype, mean=compiled.mean)
    threads = torch.get_num_threads()
    return Score(*function(compiled.network, data, instruction_set(), threads, indices, *compiled.parameters))


def measured(compiled: Compiled, task: Task, indices: NDArray[np.int64]) -> float:
    """Return the measure of a task of the outputs of a network for the examples in `indices`."""
    outputs, examples = predict(compiled, task, indices), torch.from_numpy(indices)
    if task.counted is not None:
        outputs = outputs[task.counted[examples].numpy()]
    assert task.measure is not None
    return task.measure(outputs, task.flat_targets(examples)[0].numpy())


def predict(compiled: Compiled, task: Task, indices: NDArray[np.int64]) -> NDArray[Any]:
    """Return the outputs of a network for the examples in `indices`; see `nas.training.train.predict`."""
    dtype = compiled.parameters[0].dtype
    if not task.is_stepwise:
        return _predict(compiled, data_of(task, dtype, mean=compiled.mean), indices)
    assert task.lengths is not None
    width = task.inputs.shape[1]
    inside = np.arange(width) < task.lengths.numpy()[indices][:, None]
    found = np.full((len(indices), width, compiled.network.n_outputs), np.nan, dtype)
    if compiled.mean:
        found[inside] = outputs(compiled, _means_so_far(task, indices, inside).astype(dtype, copy=False))
    else:
        _predict(compiled, data_of(task, dtype), indices, found.reshape(-1, found.shape[-1]))
    return found


def outputs(compiled: Compiled, rows: NDArray[np.float32]) -> NDArray[Any]:
    """Return the (n, n_outputs) outputs of an MLP that was not laid out for sparse inputs, for (n, n_inputs) rows."""
    dtype, n_outputs = compiled.parameters[0].dtype, compiled.network.n_outputs
    n, n_inputs = rows.shape
    # Sums of a short tile are taken in another order: with whole ones a row's outputs do not depend on its neighbours.
    whole = np.zeros((n + -n % _TILE, n_inputs), dtype)
    whole[:n] = rows
    targets = np.zeros(len(whole), np.int64)
    data = _data_class(dtype)(_padded(whole), None, targets, n_inputs, n_outputs, "cross-entropy")
    return _predict(compiled, data, np.arange(len(whole)))[:n]


def _predict(
    compiled: Compiled, data: Any, indices: NDArray[np.int64], into: NDArray[Any] | None = None
) -> NDArray[Any]:
    dtype = compiled.parameters[0].dtype
    function = extension().predict if dtype == np.float32 else extension().predict64
    found = np.empty((len(indices), compiled.network.n_outputs), dtype) if into is None else into
    threads = torch.get_num_threads()
    function(compiled.network, data, instruction_set(), threads, indices, *compiled.parameters, found)
    return found


def weight_gradients(
    compiled: Compiled, task: Task, indices: NDArray[np.int64], gamma: NDArray[Any] | None = None
) -> NDArray[Any]:
    """Return the gradients, by all weights, of the mean loss over the examples in `indices`, (n_weights,).

    They are of the weights' type, and those of a network's parts follow each other. With `gamma`, (n_hidden,), hidden
    neurons are normalised over the examples.
    """
    dtype = compiled.parameters[0].dtype
    function = extension().gradients if dtype == np.float32 else extension().gradients64
    found = [np.zeros_like(own) for own in compiled.parameters]
    data = data_of(task, dtype, mean=compiled.mean)
    normalised = () if gamma is None else (gamma, np.empty_like(gamma))
    function(compiled.network, data, instruction_set(), indices, *compiled.parameters, *found, *normalised)
    weights, head_weights = found[::2]
    return np.concatenate([weights, head_weights]) if len(head_weights) else weights


@lru_cache(maxsize=64)
def _rates(recipe: Recipe, learning_rate: float, n_steps: int) -> NDArray[np.float64]:
    return np.array([recipe.rate(learning_rate, step, n_steps) for step in range(n_steps)])


# Examples


def has_sparse_inputs(task: Task) -> bool:
    """Whether so many inputs of a task are zero that it pays to skip them."""
    return not task.is_sequence and bool(data_of(task).sparse)


def data_of(task: Task, dtype: Any = np.float32, *, mean: bool = False) -> Any:
    """Return the examples of a task on the CPU in the engine's form, made once a task and shared by all threads.

    They are of float32, or for tests float64; with `mean`, sequences are replaced by their mean over time.
    """
    key = (np.dtype(dtype).name, mean)
    with _data_lock:
        of_task = _data.setdefault(task, {})
        if key not in of_task:
            of_task[key] = _make_data(task, np.dtype(dtype), mean)
        return of_task[key]


def _make_data(task: Task, dtype: np.dtype[Any], mean: bool) -> Any:
    inputs, lengths = task.inputs.numpy(), None if task.lengths is None else task.lengths.numpy()
    targets, weights = task.targets, (task.loss_weights, task.relative_weights)
    first_row = None
    if mean and task.counted is not None:
        # Steps that count become rows.
        everything, counted = np.arange(len(inputs)), task.counted
        inputs, lengths = _means_so_far(task, everything, counted.numpy()), None
        targets, examples = task.flat_targets(torch.from_numpy(everything))
        first_row = np.concatenate([[0], counted.sum(dim=1).cumsum(dim=0).numpy()])
        of_losses, of_examples = weights
        weights = (
            None if of_losses is None else of_losses[counted],
            None if of_examples is None else of_examples[examples],
        )
    elif mean:
        parts = torch.split(torch.arange(len(task.inputs)), 4096)
        inputs, lengths = torch.cat([mean_over_time(*task.batch(part)[:2]) for part in parts]).numpy(), None
    if inputs.dtype != np.uint8:
        inputs = inputs.reshape(len(inputs), -1).astype(dtype, copy=False)
    if lengths is None:
        inputs = _padded(inputs)
    numbers = targets.numpy()
    if numbers.dtype != np.int64:
        numbers = numbers.astype(dtype, copy=False)
    return _data_class(dtype)(
        np.ascontiguousarray(inputs),
        None if lengths is None else np.ascontiguousarray(lengths),
        np.ascontiguousarray(numbers),
        task.n_inputs,
        task.n_outputs,
        task.loss,
        *(None if own is None else np.ascontiguousarray(own.numpy(), dtype) for own in weights),
        task.steps_per_example,
        first_row,
    )


def _means_so_far(task: Task, examples: NDArray[np.int64], which: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the means of inputs up to some steps of some examples, (n_steps, n_inputs), in the order of `which`."""
    found = []
    for first in range(0, len(examples), 4096):
        x, _, _ = task.batch(torch.from_numpy(examples[first : first + 4096]))
        found.append(means_so_far(x).numpy()[which[first : first + 4096, : x.shape[1]]])
    return np.concatenate(found)


def _data_class(dtype: np.dtype[Any]) -> Any:
    return extension().Data if dtype == np.float32 else extension().Data64


def _padded(rows: NDArray[Any]) -> NDArray[Any]:
    """Return rows with zeros at their ends: kernels read whole vectors."""
    if not rows.shape[1] % _LANES:
        return np.ascontiguousarray(rows)
    return np.pad(rows, ((0, 0), (0, -rows.shape[1] % _LANES)))
