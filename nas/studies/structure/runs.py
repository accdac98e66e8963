"""The trainings of the study of structure: learned, at random by the same schedule, and from a given structure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn

from nas.networks import SequenceNetwork, SparseMLP
from nas.networks.activations import ACTIVATIONS
from nas.networks.blocks import slots_of
from nas.networks.structure import wiring_of
from nas.seeds import stream
from nas.sparsity.allocation import allocate
from nas.sparsity.growth import draw_places
from nas.sparsity.layers import Floats, Layer, Live, Places, size_of
from nas.sparsity.learning import learn
from nas.sparsity.methods import METHODS, Method, method_of
from nas.sparsity.modules import masks_of
from nas.sparsity.network import layers_of, place_weights
from nas.sparsity.scores import score
from nas.sparsity.update import drop_to
from nas.studies.lenet import LeNet
from nas.studies.structure.measures import Timeline, counts_of, decoded, distance, encoded, fan_in, overlap
from nas.tasks.task import Task
from nas.training import evaluate
from nas.training.places import weights_of, wired_parts
from nas.training.recipe import Recipe
from nas.training.session import StopFlag, Weights
from predictors.distances import nnstd
from priors import Wiring
from priors.nulls import NullModel

__all__ = ["DENSE", "LEARNED", "LEVELS", "VARIANTS", "Structures", "Subject", "at_random"]

DENSE = "dense"
LEARNED: dict[str, Method] = {
    "gmp": method_of("gmp", allocation="erk"),
    "rigl": method_of("rigl"),
    "set": method_of("set", kept_slots="keep", allocation="erk", dense="none", every="1%", begin="1%", end="75%"),
    "dnw": method_of("dnw", allocation="erk"),
    "static": method_of("static"),
}
"""Methods by name, all of which end with as many weights in each layer."""

VARIANTS = {
    "initial": "the weights that the training began with",
    "initial, scaled": "the same draws, with the variance that the fan-in of the final structure asks for",
    "fresh": "fresh weights",
    "degrees": "fresh weights in a structure in which only the degrees of all neurons are the same",
    "shuffled": "fresh weights in a structure in which only the number of weights in each layer is the same",
}
"""What is trained again where a structure was learned."""

LEVELS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
"""Shares of live weights that are pruned after training."""

_RANDOM_ORDERS, _RANDOM_STRUCTURES = 3, 5
_FRESH = 1


def at_random(method: Method) -> Method:
    """Return a method with the same schedule that drops and grows at random."""
    return method.replace(score="random", growth=None if method.growth is None else "random")


class Subject(Protocol):
    """A network whose structures are looked at, such as a `LeNet` or a `GRU`."""

    @property
    def task(self) -> Task:
        """What it learns."""

    @property
    def recipe(self) -> Recipe:
        """How it is trained."""

    @property
    def n_steps(self) -> int:
        """Updates of a training."""

    def weights(self, density: float) -> int:
        """Return how many weights live at a density."""

    def network(self, seed: int) -> SparseMLP | SequenceNetwork:
        """Return the network in which all weights live."""


@dataclass(frozen=True)
class Structures:
    """Trains the network with learned and with given structures, from draws that all trainings of a seed share.

    A seed gives a standard normal draw for every place. Initial weights are these draws with variance gain / fan-in of
    the neuron, in the structure that a training begins with: all places where weights are pruned, as many random ones
    as live in the end where they are rewired.

    Parameters
    ----------
    subject : Subject
        The network, and how it is trained.
    density : float
        Of what is learned, shared out to the layers by ERK.
    marks : tuple of float
        Epochs after which structures are looked at, ascending.
    """

    subject: Subject
    density: float
    marks: tuple[float, ...]

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The weight matrices."""
        return layers_of(self._template)

    @cached_property
    def _template(self) -> SparseMLP | SequenceNetwork:
        return self.subject.network(0)

    @cached_property
    def counts(self) -> Places:
        """Weights that live in each layer in the end."""
        return allocate("erk", self.layers, self.subject.weights(self.density))

    @property
    def size(self) -> int:
        """All places."""
        return size_of(self.layers)

    @property
    def _per_epoch(self) -> int:
        return self.subject.n_steps // self.subject.recipe.epochs

    def steps_at(self, epochs: Sequence[float]) -> list[int]:
        """Return the steps that are done after some epochs."""
        return [round(epoch * self._per_epoch) for epoch in epochs]

    # Where a training begins

    def start(self, method: Method | None, seed: int) -> Places:
        """Return where weights live when a method begins; None stands for the dense network."""
        if method is None or method.action in ("prune", "shadow"):
            return np.arange(self.size)
        return draw_places(self.layers, self.counts, stream(0, "structure", seed))

    def weights(self, places: Places, seed: int, scaled_by: Places, fresh: int = 0) -> Floats:
        """Return initial weights at some places.

        Parameters
        ----------
        scaled_by : (n,) int64
            The structure whose fan-in counts.
        fresh : int
            Which of the draws of a seed.
        """
        draws = stream(0, "weights", seed, fresh).standard_normal(self.size)[places]
        bounds = np.concatenate([[0], np.cumsum(counts_of(self.layers, places))])
        gain = ACTIVATIONS["relu"].gain if isinstance(self._template, SparseMLP) else 1.0
        for index, (layer, reads) in enumerate(zip(self.layers, fan_in(self.layers, scaled_by), strict=True)):
            own = slice(bounds[index], bounds[index + 1])
            variance = (1.0 if layer is self.layers[-1] else gain) / np.maximum(reads, 1)
            draws[own] *= np.sqrt(variance[layer.entries(places[own])[0]])
        return draws

    def _network(self, places: Places, weights: Floats) -> SparseMLP | SequenceNetwork:
        network = self.subject.network(0)
        place_weights(network, places, weights)
        return network

    # Trainings

    def learned(self, method: Method | None, rate: float, seed: int, further: bool, stop: StopFlag) -> dict[str, Any]:
        """Train while a method, or none for the dense network, changes the structure; return what came of it.

        Parameters
        ----------
        further : bool
            Whether the network is pruned further afterwards.

        Returns
        -------
        mapping
            ``validation`` and ``test`` accuracy; ``structure`` as text; ``weights``; ``updates`` of the structure and
            ``dense_gradients`` that were computed for them; ``overlap`` with the final structure, and ``distance``
            from it, at each mark, beside ``random_overlap`` and ``random_distance`` of random structures with as many
            weights in each layer; and where they are asked for ``pruned`` accuracies, by the way, at each of `LEVELS`.
        """
        timeline = Timeline(self.steps_at(self.marks))
        everything, start = np.arange(self.size), self.start(method, seed)
        network = self._network(everything, self.weights(everything, seed, start))
        if method is not None and method.action == "shadow":
            assert isinstance(network, SparseMLP)
            updates = self._train_shadow(network, method, rate, seed, timeline, stop)
            diverged = False
        else:
            updates, diverged = self._train(network, method, rate, seed, start, timeline, stop)
        task = self.subject.task
        now = _weights_of(network)
        found: dict[str, Any] = {
            "validation": task.constant_score(task.validation) if diverged else self._accuracy(network, "validation"),
            "test": task.constant_score(task.test) if diverged else self._accuracy(network, "test"),
            "weights": len(now.slots),
            "updates": updates,
            "dense_gradients": 0 if method is None else self._dense_gradients(method, updates),
        }
        if method is not None:
            found |= {"structure": encoded(now.slots, self.size)}
            found |= self._emerged(timeline.ended(), now.slots, seed)
        return found | ({"pruned": self._pruned_further(network, seed)} if further else {})

    def _train(
        self,
        network: SparseMLP | SequenceNetwork,
        method: Method | None,
        rate: float,
        seed: int,
        start: Places,
        timeline: Timeline,
        stop: StopFlag,
    ) -> tuple[int, bool]:
        """Train the network; return how often the structure changed, and whether the training diverged."""
        own = METHODS["static"] if method is None else method
        pruned = own.action == "prune"
        rng = stream(0, "null", seed, 1)

        def look(step: int, slots: Places, weight: Floats) -> None:
            if method is None:
                return
            if len(slots) > self.counts.sum():
                # What would be left if pruning ended now.
                live = Live(self.layers, slots, weight)
                slots = drop_to(live, score(method.score, live, rng), self.counts).slots
            timeline.see(step, slots)

        def watch(step: int, _: int) -> None:
            now = _weights_of(network)
            look(step, now.slots, now.weight.astype(np.float64))

        look(0, start, self.weights(start, seed, start))
        learned = learn(
            network,
            self.subject.task,
            self.subject.recipe,
            own,
            weights=int(self.counts.sum()) if pruned else None,
            places=None if pruned else start,
            learning_rate=rate,
            rng=stream(0, "batches", seed),
            stop=stop,
            watch=watch,
        )
        return learned.updates, learned.history.diverged

    def _train_shadow(
        self, network: SparseMLP, method: Method, rate: float, seed: int, timeline: Timeline, stop: StopFlag
    ) -> int:
        """Train dense weights in torch the best of which live at each step, and leave these in the network."""
        assert isinstance(self.subject, LeNet)
        module = _module_of(network)
        batches, rng = stream(0, "batches", seed).spawn(2)
        marks = {0, *self.steps_at(self.marks)}

        def watch(step: int) -> None:
            if step in marks:
                timeline.see(step, self._places_of(module))

        total = int(self.counts.sum())
        rewirer = self.subject.train_module(module, method, rate, batches, rng, stop, weights=total, watch=watch)
        rewirer.remove()
        places = self._places_of(module)
        linear = [part for part in module if isinstance(part, nn.Linear)]
        weights = torch.cat([part.weight.detach().reshape(-1) for part in linear]).numpy()
        place_weights(network, places, weights[places])
        with torch.no_grad():
            network.bias.copy_(torch.cat([part.bias for part in linear]))
        return rewirer.updates

    def _places_of(self, module: nn.Module) -> Places:
        masks = torch.cat([mask.reshape(-1) for mask in masks_of(module).values()])
        return np.flatnonzero(masks.numpy()).astype(np.int64)

    def _dense_gradients(self, method: Method, updates: int) -> int:
        """Return how many gradients of all places were computed to change the structure."""
        if method.action == "shadow":
            return self.subject.n_steps
        return updates if method.needs_dense == "gradient" else 0

    def again(
        self, structure: str, method: Method, variant: str, rate: float, seed: int, stop: StopFlag
    ) -> dict[str, Any]:
        """Train with a structure that a method has learned, or a null of it, that stays; see `VARIANTS`.

        Returns
        -------
        mapping
            ``validation`` and ``test`` accuracy, and ``overlap`` of the structure with the one that was learned.
        """
        places = learned = decoded(structure, self.size)
        if variant in ("degrees", "shuffled"):
            places = self.null_of(learned, variant, seed)
        starts = variant in ("initial", "initial, scaled")
        scaled_by = self.start(method, seed) if variant == "initial" else places
        network = self._network(places, self.weights(places, seed, scaled_by, 0 if starts else _FRESH))
        trained = learn(
            network,
            self.subject.task,
            self.subject.recipe,
            METHODS["static"],
            places=places,
            learning_rate=rate,
            rng=stream(0, "batches", seed),
            stop=stop,
        )
        task, diverged = self.subject.task, trained.history.diverged
        return {
            "validation": trained.history.value,
            "test": task.constant_score(task.test) if diverged else self._accuracy(network, "test"),
            "overlap": overlap(self.layers, places, learned),
        }

    def null_of(self, places: Places, kind: str, seed: int) -> Places:
        """Return a random structure with the same degrees, or with as many weights in each layer: shuffled."""
        rng = stream(0, "null", seed)
        if kind == "shuffled":
            return draw_places(self.layers, counts_of(self.layers, places), rng)
        network = self._network(places, np.ones(len(places)))
        if not isinstance(network, SparseMLP):
            return self._null_of_matrices(places, rng)
        drawn = NullModel(wiring_of(network).replace(weights=None), "layers").sample(rng)
        return np.sort(slots_of(network.blocks, drawn.edges).ravel())

    def _null_of_matrices(self, places: Places, rng: np.random.Generator) -> Places:
        """Return a random structure in which all rows and columns of the matrix of each gate hold as many weights."""
        found = []
        bounds = np.concatenate([[0], np.cumsum(counts_of(self.layers, places))])
        for layer, first, last in zip(self.layers, bounds, bounds[1:], strict=False):
            rows, columns = layer.entries(places[first:last])
            for gate in range(layer.gates):
                own, start = rows // layer.n_targets == gate, gate * layer.n_targets
                # A matrix is a wiring of two layers: columns, and the rows that read them.
                edges = np.stack([columns[own], rows[own] - start + layer.shape[1]], axis=1)
                drawn = NullModel(Wiring((layer.shape[1], layer.n_targets), edges), "layers").sample(rng).edges
                found.append(layer.places(drawn[:, 1] - layer.shape[1] + start, drawn[:, 0]))
        return np.sort(np.concatenate(found))

    # What is measured

    def distance(self, one: Places, other: Places) -> float:
        """Return how far apart two structures are: as published, or by `nnstd` where neurons read each other."""
        if isinstance(self._template, SparseMLP):
            return distance(self.layers, one, other)
        wirings = [wiring_of(self._network(own, np.ones(len(own)))).replace(weights=None) for own in (one, other)]
        return nnstd(*wirings).value

    def _accuracy(self, network: SparseMLP | SequenceNetwork, part: str) -> float:
        task = self.subject.task
        return evaluate(network, task, cast("Tensor", getattr(task, part))).metric

    def _emerged(self, structures: Sequence[Places], final: Places, seed: int) -> dict[str, Any]:
        nulls = [
            draw_places(self.layers, self.counts, stream(0, "null", seed, 2, k)) for k in range(_RANDOM_STRUCTURES)
        ]
        return {
            "overlap": [overlap(self.layers, own, final) for own in structures],
            "distance": [self.distance(own, final) for own in structures],
            "random_overlap": float(np.mean([overlap(self.layers, own, final) for own in nulls])),
            "random_distance": float(np.mean([self.distance(own, final) for own in nulls])),
        }

    def _pruned_further(self, network: SparseMLP | SequenceNetwork, seed: int) -> dict[str, list[float]]:
        """Return test accuracies by the way weights are chosen, at each of `LEVELS`; the network is spent."""
        now = _weights_of(network)
        rng = stream(0, "null", seed, 3)
        orders = {
            "magnitude": [np.argsort(np.abs(now.weight), kind="stable")],
            "random": [rng.permutation(len(now.slots)) for _ in range(_RANDOM_ORDERS)],
        }

        def left(order: Places, share: float) -> float:
            kept = np.sort(order[round(share * len(order)) :])
            place_weights(network, now.slots[kept], now.weight[kept])
            return self._accuracy(network, "test")

        return {
            way: [float(np.mean([left(order, share) for order in own])) for share in LEVELS]
            for way, own in orders.items()
        }


def _weights_of(network: SparseMLP | SequenceNetwork) -> Weights:
    parts = wired_parts(network)
    return weights_of(parts, np.zeros((0, sum(len(part.weight) for part in parts))))


def _module_of(network: SparseMLP) -> nn.Sequential:
    """Return the network, in which all weights live, as a module of torch."""
    matrices = [matrix.detach() for matrix in network.matrices()]
    sizes = [matrices[0].shape[1], *(len(matrix) for matrix in matrices)]
    parts: list[nn.Module] = []
    for matrix, (before, after) in zip(matrices, pairwise(sizes), strict=True):
        linear = nn.Linear(before, after)
        with torch.no_grad():
            linear.weight.copy_(matrix)
            linear.bias.zero_()
        parts += [linear, nn.ReLU()]
    return nn.Sequential(*parts[:-1])
