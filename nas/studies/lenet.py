"""LeNet-300-100 on images, trained while its structure changes: what studies of rewiring have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from nas.errors import InputError
from nas.networks import NetworkSpec, SparseMLP
from nas.networks.structure import n_parameters
from nas.seeds import stream
from nas.sparsity.allocation import allocate
from nas.sparsity.layers import Live
from nas.sparsity.learning import learn, sparsify
from nas.sparsity.methods import Method
from nas.sparsity.modules import Rewirer, masks_of, rewire
from nas.sparsity.modules import sparsify as sparsify_module
from nas.sparsity.network import layers_of
from nas.studies.tables import listed
from nas.tasks.task import Task
from nas.training import Interrupted, evaluate
from nas.training.places import places_of, wired_parts
from nas.training.recipe import Recipe
from nas.training.session import StopFlag, epoch_order
from priors import Wiring

__all__ = ["WIDTHS", "LeNet", "Trained", "check_densities", "fewer_examples", "how_rates_are_chosen", "options_of"]

WIDTHS = (300, 100)
"""Neurons of the two hidden layers."""


@dataclass(frozen=True)
class Trained:
    """A network that is trained on a task by one recipe, in whatever way its structure comes about.

    Parameters
    ----------
    task : Task
    recipe : Recipe
    """

    task: Task
    recipe: Recipe

    @property
    def n_steps(self) -> int:
        """Updates of a training."""
        return self.recipe.epochs * self.recipe.updates_of_epoch(len(self.task.train))

    def setting_of(self, **network: Any) -> dict[str, Any]:
        """Return what all trainings of a network that is described so have in common, as JSON types."""
        recipe = self.recipe.model_dump(mode="json")
        del recipe["learning_rates"]
        return {"task": self.task.name, "data": self.task.fingerprint, **network, **recipe}


@dataclass(frozen=True)
class LeNet(Trained):
    """Trains the network on a task by one recipe, from equal initial draws for every method; see `Trained`."""

    @property
    def description(self) -> str:
        """What the network is."""
        return f"a network with hidden layers of {listed(map(str, WIDTHS))} neurons"

    @property
    def setting(self) -> dict[str, Any]:
        """What all trainings have in common, as JSON types."""
        return self.setting_of(widths=list(WIDTHS))

    def weights(self, density: float) -> int:
        """Return how many weights live at a density."""
        return max(1, round(density * self._wiring.n_edges))

    @cached_property
    def _wiring(self) -> Wiring:
        return NetworkSpec("mlp").complete(self.task.n_inputs, WIDTHS, self.task.n_outputs)

    def network(self, seed: int) -> SparseMLP:
        """Return the network in which all weights live."""
        return SparseMLP(self._wiring, rng=stream(0, "weights", seed))

    def train(self, method: Method, density: float, rate: float, seed: int, stop: StopFlag) -> dict[str, Any]:
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

    def train_masked(self, method: Method, density: float, rate: float, seed: int, stop: StopFlag) -> dict[str, Any]:
        """Train as `train` does, with masks on dense weights in torch, for methods that need those; see there.

        Initial weights, first structure and order of examples are the same. ``seconds`` is left out.

        Raises
        ------
        Interrupted
            If the stop flag is set before the end.
        """
        task = self.task
        batches, structure = stream(0, "batches", seed).spawn(2)
        module = self._module(method, density, seed, structure)
        rewirer = self.train_module(module, method, rate, batches, structure, stop)
        live = sum(int(mask.sum()) for mask in masks_of(module).values())
        return {
            "validation": self._accuracy(module, task.validation),
            "test": self._accuracy(module, task.test),
            "weights": live,
            "parameters": live + sum(WIDTHS) + task.n_outputs,
            "explored": rewirer.explored,
            "updates": rewirer.updates,
        }

    def train_module(
        self,
        module: nn.Module,
        method: Method,
        rate: float,
        batches: np.random.Generator,
        rng: np.random.Generator,
        stop: StopFlag,
        *,
        weights: int | None = None,
        watch: Callable[[int], None] = lambda _: None,
    ) -> Rewirer:
        """Train a module in torch by the recipe, with SGD, while a method changes its structure.

        Parameters
        ----------
        batches, rng : numpy.random.Generator
            Draw the order of the examples, and what the method draws.
        weights : int, optional
            That live, where the module has no masks yet.
        watch : callable
            Told how many updates are done, before the first one and after each.

        Raises
        ------
        Interrupted
            If the stop flag is set before the end.
        """
        task, recipe, n_steps = self.task, self.recipe, self.n_steps
        optimizer = torch.optim.SGD(
            module.parameters(),
            rate,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            weight_decay=recipe.weight_decay,
        )
        per_epoch, step = n_steps // recipe.epochs, 0
        rewirer = rewire(
            module, optimizer, method, weights=weights, n_steps=n_steps, steps_per_epoch=per_epoch, rng=rng
        )
        watch(step)
        for _ in range(recipe.epochs):
            order = task.train[torch.from_numpy(epoch_order(batches, len(task.train)))]
            for examples in torch.split(order, recipe.batch_size):
                if stop.is_set():
                    raise Interrupted
                optimizer.param_groups[0]["lr"] = recipe.rate(rate, step, n_steps)
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(module(task.inputs[examples]), task.targets[examples])
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                step += 1
                watch(step)
        return rewirer

    def _module(self, method: Method, density: float, seed: int, rng: np.random.Generator) -> nn.Sequential:
        """Return a module with masks and the weights of the sparse network that `train` would begin with."""
        network = self.network(seed)
        layers, places = layers_of(network), places_of(wired_parts(network))
        everything = Live(layers, places, np.zeros(len(places)))
        sparsify(network, allocate(method.allocation, everything, self.weights(density)), rng)
        sizes = (self.task.n_inputs, *WIDTHS, self.task.n_outputs)
        parts = [nn.Linear(before, after) for before, after in pairwise(sizes)]
        masks = {}
        with torch.no_grad():
            biases = torch.split(network.bias, [*sizes[1:]])
            for place, (part, matrix, bias) in enumerate(zip(parts, network.matrices(), biases, strict=True)):
                part.weight.copy_(matrix)
                part.bias.copy_(bias)
                masks[f"{2 * place}.weight"] = matrix != 0
        module = nn.Sequential(parts[0], nn.ReLU(), parts[1], nn.ReLU(), parts[2])
        sparsify_module(module, masks, rescale=False)
        return module

    @torch.no_grad()
    def _accuracy(self, module: nn.Module, indices: Tensor) -> float:
        guesses = module(self.task.inputs[indices]).argmax(dim=1)
        return float((guesses == self.task.targets[indices]).double().mean())


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


def options_of(recipe: Mapping[str, Any], default: Recipe, **chosen: tuple[Sequence[Any], Sequence[Any]]) -> str:
    """Return the options of a command that a study was made by, where they are not its defaults.

    Parameters
    ----------
    recipe : mapping
        Of the study, as JSON types.
    default : Recipe
    **chosen : tuple of two sequences
        What was trained, and what would be by default, by the name of the option.
    """
    words = [] if recipe["epochs"] == default.epochs else [f"--epochs {recipe['epochs']}"]
    everything = {"learning_rate": (recipe["learning_rates"], default.learning_rates), **chosen}
    for name, (own, by_default) in everything.items():
        if set(own) != set(by_default):
            words += [f"--{name.replace('_', '-')} {value}" for value in own]
    return "".join(f" {word}" for word in words)


def how_rates_are_chosen(recipe: Mapping[str, Any], of: str, where: str) -> str:
    """Return the sentence on the learning rates of a study."""
    rates = [f"{rate:g}" for rate in recipe["learning_rates"]]
    if len(rates) == 1:
        return f"The learning rate is {rates[0]}."
    return (
        f"The learning rate of {of} is the one of {listed(rates)} that does best on validation at {where}, by one "
        "training each that does not count."
    )


def check_densities(densities: Sequence[float]) -> None:
    """Refuse densities outside (0, 1].

    Raises
    ------
    InputError
    """
    for density in densities:
        if not 0 < density <= 1:
            raise InputError(f"density={density:g}: it must be above 0, and 1 at most")
