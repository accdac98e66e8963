"""Iterative pruning: a trained network loses weights, is trained again with what is left, and so on.

Every retraining is a training of its own, with a new optimizer, in which the structure stays as it is.

References
----------
J. Stier, H. Darji and M. Granitzer, "Experiments on properties of hidden structures of sparse neural networks", 2021,
arXiv:2107.12917
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from torch import nn

from nas.errors import InputError, input_error, known
from nas.sparsity.allocation import ALLOCATIONS, allocate
from nas.sparsity.layers import Floats, Live
from nas.sparsity.measured import check_score, input_products_of, measured, surgery
from nas.sparsity.network import gradients_of, layers_of, place_weights
from nas.sparsity.schedules import iterative_counts
from nas.sparsity.scores import SCORES, score
from nas.sparsity.selection import lowest
from nas.sparsity.update import Update, drop_to
from nas.tasks.task import Task
from nas.training.places import weights_of, wired_parts
from nas.training.recipe import Recipe
from nas.training.session import History, Score, StopFlag, Weights, sign_of
from nas.training.train import evaluate, session

__all__ = ["IterativePruning", "PruningStep", "prune_iteratively"]

_EXAMPLES = 2048


class IterativePruning(BaseModel):
    """How a trained network is pruned step by step, and trained again after each of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    score: str = "magnitude"
    """What live weights are judged by, one of SCORES."""
    allocation: str = "class-blinded"
    """How many weights each layer keeps, one of ALLOCATIONS."""
    rate: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of the remaining weights that a step removes."""
    number: Annotated[int, Field(ge=1)] | None = None
    """Weights that a step removes; without rate and number one step removes all that are too many."""
    epochs: Annotated[int, Field(ge=1)] = 2
    """Epochs of retraining after a step, at most."""
    gain: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """A retraining ends with the first epoch that improves the validation metric by less; without it, it never ends
    early."""
    restart: bool = False
    """Whether every retraining starts from the initial weights and biases, as for lottery tickets, or goes on from the
    trained ones."""
    may_empty: bool = False
    """Whether a layer may lose all of its weights; otherwise pruning ends before one does."""

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise input_error(error, type(self)) from None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        entry = SCORES[known("score", self.score, SCORES)]
        known("allocation", self.allocation, ALLOCATIONS)
        if entry.select is not lowest:
            raise InputError(f"score={self.score}: it counts otherwise than pruning does; use set-half")
        if self.rate is not None and self.number is not None:
            raise InputError(f"rate={self.rate}, number={self.number}: a step removes a share or a number, not both")
        return self

    def counts(self, total: int, target: int) -> list[int]:
        """Return the weights that live after each step, the last of them `target`; none if there are as many now.

        Raises
        ------
        InputError
            If there are fewer.
        """
        if self.rate is None and self.number is None:
            return iterative_counts(total, target, number=max(total - target, 1))
        return iterative_counts(total, target, self.rate, self.number)


@dataclass(frozen=True, eq=False)
class PruningStep:
    """A step of iterative pruning that is done.

    Parameters
    ----------
    weights : int
        That live.
    counts : tuple of int
        The same of each layer.
    pruned : Score
        Of the validation part, before the retraining.
    history : History
        Of the retraining.
    """

    weights: int
    counts: tuple[int, ...]
    pruned: Score
    history: History


def prune_iteratively(
    network: nn.Module,
    task: Task,
    recipe: Recipe,
    pruning: IterativePruning,
    *,
    weights: int,
    layers: Collection[str] | None = None,
    initial: nn.Module | None = None,
    learning_rate: float | None = None,
    rng: int | np.random.Generator | None = None,
    engine: str = "auto",
    stop: StopFlag | None = None,
) -> Iterator[PruningStep]:
    """Prune a trained network step by step, training it again after each of them; yield when a step is done.

    Parameters
    ----------
    network : nn.Module
        A trained `SparseMLP` or `SequenceNetwork`; changed in place.
    task : Task
    recipe : Recipe
        Of each retraining; its epochs are those of `pruning`, and patience does not count.
    pruning : IterativePruning
    weights : int
        Weights that are to live in the end, of those that may be pruned.
    layers : collection of str, optional
        Names, by `layers_of`, of the layers that may be pruned; by default all of them. Biases never are.
    initial : nn.Module, optional
        The network before it was trained; needed to restart.
    learning_rate : float, optional
        One rung of the recipe's ladder; by default its first.
    rng : int or numpy.random.Generator, optional
        Draws the order of the examples and, independently of it, random scores.
    engine : str
        One of `nas.training.ENGINES`.
    stop : StopFlag, optional

    Raises
    ------
    InputError
        For a target or layers that are not there, a score that the network does not have, or a recipe that normalises
        where a retraining does not begin anew.
    EmptyLayerError
        When the next step would leave a layer without weights; the network is then as after the step before.
    Interrupted
        If the stop flag is set.
    """
    pruner = _Pruner(network, task, recipe, pruning, layers, initial, learning_rate, rng, engine, stop)
    for count in pruning.counts(pruner.n_prunable, weights):
        yield pruner.step(count)


class _Pruner:
    """The state of one iterative pruning."""

    def __init__(
        self,
        network: nn.Module,
        task: Task,
        recipe: Recipe,
        pruning: IterativePruning,
        layers: Collection[str] | None,
        initial: nn.Module | None,
        learning_rate: float | None,
        rng: int | np.random.Generator | None,
        engine: str,
        stop: StopFlag | None,
    ) -> None:
        self.network, self.task, self.pruning = network, task, pruning
        if recipe.normalise and not pruning.restart:
            raise InputError(
                "normalise=true: a retraining would not go on from what trained weights compute; give restart=true, or "
                "leave normalise out"
            )
        self.recipe = recipe.model_copy(update={"epochs": pruning.epochs, "patience": None})
        self.rate, self.engine, self.stop = learning_rate, engine, stop
        self.batches, self.rng = np.random.default_rng(rng).spawn(2)
        check_score(pruning.score, network)
        self.layers = layers_of(network)
        names = [layer.name for layer in self.layers]
        for name in layers or ():
            known("layer", name, names)
        self.kept_layers = [] if layers is None else [name for name in names if name not in layers]
        if pruning.restart and initial is None:
            raise InputError("restart=true: the network before it was trained is needed, and not given")
        self.initial = _weights(initial) if pruning.restart and initial is not None else None
        self.biases = [] if initial is None else [part.bias_vector.detach().clone() for part in wired_parts(initial)]

    @property
    def n_prunable(self) -> int:
        """Live weights that may be pruned."""
        return int(self._live().counts()[self._prunable].sum())

    @property
    def _prunable(self) -> NDArray[np.bool_]:
        return np.array([layer.name not in self.kept_layers for layer in self.layers])

    def _live(self) -> Live:
        now = _weights(self.network)
        return Live(self.layers, now.slots, now.weight.astype(np.float64))

    def step(self, count: int) -> PruningStep:
        """Prune to so many weights, and train again."""
        products = input_products_of(self.network, self.task) if self.pruning.score == "obs" else []
        live = measured(self._live(), self.network, self.task, self._needs, products)
        if "gradient" in self._needs:
            examples = self.task.train[:_EXAMPLES].cpu().numpy()
            gradients = gradients_of(self.network, self.task, self.engine)(examples)
            live = replace(live, gradient=gradients.astype(np.float64))
        update = self._drop(live, count)
        place_weights(self.network, update.slots, self._start(live, update, products))
        if self.initial is not None:
            with torch.no_grad():
                for part, biases in zip(wired_parts(self.network), self.biases, strict=True):
                    part.bias_vector.copy_(biases)
        pruned = evaluate(self.network, self.task, self.task.validation, engine=self.engine)
        return PruningStep(count, tuple(map(int, update.counts())), pruned, self._retrain(pruned))

    @property
    def _needs(self) -> frozenset[str]:
        return SCORES[self.pruning.score].needs

    def _drop(self, live: Live, count: int) -> Update:
        scores = score(self.pruning.score, live, self.rng)
        kept = int(live.counts()[~self._prunable].sum())
        may_empty = self.pruning.may_empty
        counts = allocate(
            self.pruning.allocation, live, count + kept, scores, may_empty=may_empty, dense=self.kept_layers
        )
        return drop_to(live, scores, counts, may_empty=may_empty)

    def _start(self, live: Live, update: Update, products: list[Floats]) -> Floats:
        """Return the weights that a retraining starts from."""
        if self.initial is not None:
            at: Floats = self.initial.weight[np.searchsorted(self.initial.slots, update.slots)].astype(np.float64)
            return at
        weight = live.weight
        if self.pruning.score == "obs":
            weight = surgery(live, update.kept, products)
        carried: Floats = update.carry(np.asarray(weight, np.float64))
        return carried

    def _retrain(self, pruned: Score) -> History:
        training = session(
            self.network,
            self.task,
            self.recipe,
            learning_rate=self.rate,
            rng=self.batches,
            engine=self.engine,
            stop=self.stop,
        )
        if self.pruning.gain is None:
            training.run()
            return training.history()
        per_epoch = self.recipe.updates_of_epoch(len(self.task.train))
        sign, metric = sign_of(self.task.direction), pruned.metric
        while not training.run(per_epoch).finished:
            latest = training.history().epochs[-1].validation_metric
            if sign * (latest - metric) < self.pruning.gain:
                break
            metric = latest
        return training.history()


def _weights(network: nn.Module) -> Weights:
    parts = wired_parts(network)
    return weights_of(parts, np.zeros((0, sum(len(part.weight) for part in parts))))
