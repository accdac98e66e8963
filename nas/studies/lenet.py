"""LeNet-300-100 on images, trained while its structure changes: what studies of rewiring have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, cast

import numpy as np
import torch
from pydantic import ValidationError

from nas.errors import InputError, input_error
from nas.networks import SparseMLP
from nas.networks.structure import n_parameters
from nas.seeds import stream
from nas.sparsity.learning import learn
from nas.sparsity.methods import Method
from nas.tasks.task import Task
from nas.training import evaluate
from nas.training.recipe import Recipe
from nas.training.session import StopFlag
from priors import Wiring

__all__ = ["WIDTHS", "LeNet", "changed", "check_densities", "fewer_examples"]

WIDTHS = (300, 100)
"""Neurons of the two hidden layers."""


@dataclass(frozen=True)
class LeNet:
    """Trains the network on a task by one recipe, from equal initial draws for every method.

    Parameters
    ----------
    task : Task
    recipe : Recipe
    """

    task: Task
    recipe: Recipe

    @property
    def setting(self) -> dict[str, Any]:
        """What all trainings have in common, as JSON types."""
        recipe = self.recipe.model_dump(mode="json")
        del recipe["learning_rates"]
        return {"task": self.task.name, "data": self.task.fingerprint, "widths": list(WIDTHS), **recipe}

    @property
    def n_steps(self) -> int:
        """Updates of a training."""
        return self.recipe.epochs * -(-len(self.task.train) // self.recipe.batch_size)

    def weights(self, density: float) -> int:
        """Return how many weights live at a density."""
        return max(1, round(density * self._wiring.n_edges))

    @cached_property
    def _wiring(self) -> Wiring:
        sizes = (self.task.n_inputs, *WIDTHS, self.task.n_outputs)
        masks = [np.ones((after, before)) for before, after in pairwise(sizes)]
        return Wiring.from_masks(masks, inputs=True, outputs=True)

    def network(self, seed: int) -> SparseMLP:
        """Return the network in which all weights live."""
        return SparseMLP(self._wiring, rng=stream(0, "weights", seed))

    def train(self, method: Method, density: float, rate: float, seed: int, stop: StopFlag) -> Mapping[str, Any]:
        """Train with a method, by the engine that is fastest, and return what it reached.

        Returns
        -------
        mapping
            ``validation`` and ``test`` accuracy after the last epoch, ``weights`` and ``parameters`` that live then,
            ``explored``, the share of all weights that lived at some time, ``updates`` of the structure, and
            ``seconds`` inside of the training by the clock.
        """
        network = self.network(seed)
        learned = learn(
            network,
            self.task,
            self.recipe,
            method,
            weights=self.weights(density),
            learning_rate=rate,
            rng=stream(0, "batches", seed),
            stop=stop,
        )
        found = cast("SparseMLP", learned.network)
        test = self.task.test
        diverged = learned.history.diverged
        return {
            "validation": learned.history.value,
            "test": self.task.constant_score(test) if diverged else evaluate(found, self.task, test).metric,
            "weights": len(found.weight),
            "parameters": n_parameters(found)["total"],
            "explored": learned.ever / self._wiring.n_edges,
            "updates": learned.updates,
            "seconds": round(learned.history.seconds, 3),
        }


def fewer_examples(task: Task, examples: int | None) -> Task:
    """Return a task with so many of its training examples, the same ones every time; validation and test stay.

    Raises
    ------
    InputError
        If there are fewer.
    """
    if examples is None:
        return task
    if not 1 <= examples <= len(task.train):
        raise InputError(f"examples={examples}: task {task.name} has {len(task.train)} to train on")
    chosen = np.argsort(np.random.default_rng(0).random(len(task.train)), kind="stable")[:examples]
    return replace(task, train=task.train[torch.from_numpy(np.sort(chosen))])


def changed(recipe: Recipe, **changes: Any) -> Recipe:
    """Return a recipe with some options changed.

    Raises
    ------
    InputError
        For a value that is not valid.
    """
    try:
        return Recipe(**{**recipe.model_dump(), **changes})
    except ValidationError as error:
        raise input_error(error, Recipe) from None


def check_densities(densities: Sequence[float]) -> None:
    """Refuse densities outside (0, 1].

    Raises
    ------
    InputError
    """
    for density in densities:
        if not 0 < density <= 1:
            raise InputError(f"density={density:g}: it must be above 0, and 1 at most")
