"""The compiled engine: a whole training in one call, with the interpreter lock released.

It follows the trajectory of the torch engine to the rounding of floats: the same draws, batches, losses and updates.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nas.training.compiled import Compiled
from nas.training.examples import data_of
from nas.training.extension import extension, instruction_set
from nas.training.recipe import Recipe
from nas.training.session import Epoch, History, Interrupted, Progress, Score, StopFlag

if TYPE_CHECKING:
    from nas.tasks.task import Task

__all__ = ["NativeSession", "evaluate", "predict"]

_SECONDS_BETWEEN_CHECKS = 0.05


class NativeSession:
    """One training inside the compiled engine.

    Parameters
    ----------
    compiled : Compiled
        Its parameters are trained in place: they are read whenever `run` begins and written whenever it returns.
    task, recipe, learning_rate, rng, stop
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
    ) -> None:
        self._compiled, self._task, self._recipe, self._stop = compiled, task, recipe, stop
        self._bits = rng.bit_generator
        self._seconds = 0.0
        single = compiled.parameters[0].dtype == np.float32
        n_steps = recipe.epochs * -(-len(task.train) // recipe.batch_size)
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
            *compiled.parameters,
            self._bits,
        )

    def run(self, n_steps: int | None = None) -> Progress:
        """Make up to `n_steps` updates, all that are left by default; see `Session.run`."""
        started = time.perf_counter()
        training = self._training
        last = training.n_steps if n_steps is None else min(training.n_steps, training.step + n_steps)
        training.load(*self._compiled.parameters)
        try:
            while training.step < last and not training.finished:
                if self._stop is not None and self._stop.is_set():
                    raise Interrupted(f"stopped after {training.step} of {training.n_steps} updates")
                with self._bits.lock:
                    training.run(last, _SECONDS_BETWEEN_CHECKS)
        finally:
            training.store(*self._compiled.parameters)
            self._seconds += time.perf_counter() - started
        return Progress(training.step, training.n_steps, len(training.epochs), training.finished)

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
    dtype = compiled.parameters[0].dtype
    function = extension().evaluate if dtype == np.float32 else extension().evaluate64
    data = data_of(task, dtype, mean=compiled.mean)
    return Score(*function(compiled.network, data, instruction_set(), indices, *compiled.parameters))


def predict(compiled: Compiled, task: Task, indices: NDArray[np.int64]) -> NDArray[Any]:
    """Return the (n_indices, n_outputs) outputs of a network for the examples in `indices`."""
    dtype = compiled.parameters[0].dtype
    function = extension().predict if dtype == np.float32 else extension().predict64
    data = data_of(task, dtype, mean=compiled.mean)
    outputs = np.empty((len(indices), compiled.network.n_outputs), dtype)
    function(compiled.network, data, instruction_set(), indices, *compiled.parameters, outputs)
    return outputs


@lru_cache(maxsize=64)
def _rates(recipe: Recipe, learning_rate: float, n_steps: int) -> NDArray[np.float64]:
    return np.array([recipe.rate(learning_rate, step, n_steps) for step in range(n_steps)])
