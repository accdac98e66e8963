"""Trainings of the compiled engine whose task has a metric that the engine does not know."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from nas.tasks.task import Task
from nas.training.compiled import Compiled
from nas.training.native_engine import NativeSession, measured
from nas.training.recipe import Recipe, changed
from nas.training.session import Epoch, History, Progress, StopFlag, Weights, sign_of

__all__ = ["MeasuredSession", "native_session"]


def native_session(
    compiled: Compiled,
    task: Task,
    recipe: Recipe,
    *,
    learning_rate: float,
    rng: np.random.Generator,
    stop: StopFlag | None = None,
    network: nn.Module | None = None,
    threads: int | None = None,
) -> NativeSession:
    """Return a training of the compiled engine, which measures what the task asks for; see `NativeSession`."""
    kind = NativeSession if task.measure is None else MeasuredSession
    return kind(
        compiled, task, recipe, learning_rate=learning_rate, rng=rng, stop=stop, network=network, threads=threads
    )


class MeasuredSession(NativeSession):
    """A training that is left after every epoch for its network to be measured.

    The engine itself has the loss and the accuracy alone. With patience, the weights of the epoch of the best metric
    are kept here.
    """

    def __init__(self, compiled: Compiled, task: Task, recipe: Recipe, **options: Any) -> None:
        super().__init__(compiled, task, changed(recipe, patience=None), **options)
        self._patience = recipe.patience
        self._metrics: list[float] = []
        self._first_epoch = self._best_epoch = 0
        self._best: list[NDArray[Any]] | None = None
        self._is_over = False

    def run(self, n_steps: int | None = None) -> Progress:
        """Make up to `n_steps` updates, all that are left by default; see `Session.run`."""
        training = self._training
        epoch = self._recipe.updates_of_epoch(len(self._task.train))
        last = training.n_steps if n_steps is None else min(training.n_steps, training.step + n_steps)
        while training.step < last and not training.finished and not self._is_over:
            super().run(min(epoch - training.step % epoch, last - training.step))
            self._measure()
        return self._progress()

    def skip(self) -> Progress:
        """Count the next update as done; see `RewirableSession.skip`."""
        super().skip()
        self._measure()
        return self._progress()

    def rewire(self, weights: Weights) -> None:
        """Go on with other weights; see `RewirableSession.rewire`."""
        super().rewire(weights)
        self._best, self._first_epoch = None, len(self._metrics)

    def history(self) -> History:
        """Return what happened so far; see `Session.history`."""
        found = super().history()
        epochs = tuple(
            Epoch(epoch.train_loss, epoch.validation_loss, metric)
            for epoch, metric in zip(found.epochs, self._metrics, strict=True)
        )
        if found.diverged or not epochs:
            return replace(found, epochs=epochs)
        value = self._metrics[-1 if self._patience is None else self._best_epoch]
        return replace(found, epochs=epochs, value=value)

    def _progress(self) -> Progress:
        return replace(super()._progress(), finished=self._training.finished or self._is_over)

    def _measure(self) -> None:
        """Measure the network where an epoch has ended since it was done last."""
        training, task = self._training, self._task
        if len(training.epochs) == len(self._metrics):
            return
        self._metrics.append(measured(self._compiled, task, task.validation.numpy()))
        if self._patience is not None:
            self._keep_best(self._patience)

    def _keep_best(self, patience: int) -> None:
        sign, latest = sign_of(self._task.direction), len(self._metrics) - 1
        if latest == self._first_epoch or sign * self._metrics[latest] > sign * self._metrics[self._best_epoch]:
            self._best_epoch = latest
            self._best = [own.copy() for own in self._compiled.parameters]
        self._is_over = self._training.finished or latest - self._best_epoch >= patience
        if self._is_over and self._best is not None:
            for own, best in zip(self._compiled.parameters, self._best, strict=True):
                own[...] = best
