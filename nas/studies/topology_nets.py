"""What the study of topologies trains and measures: sparse MLPs, their wirings at epochs, and distances."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from nas.errors import InputError
from nas.networks import NetworkSpec, SparseMLP
from nas.networks.structure import wiring_of
from nas.seeds import stream
from nas.sparsity.learning import learn
from nas.sparsity.methods import Method, method_of
from nas.tasks.task import Task
from nas.training import evaluate, train
from nas.training.places import places_of, wired_parts
from nas.training.recipe import Recipe
from nas.training.session import StopFlag
from predictors.distances import nnstd, nnstd_of_masks
from priors import Wiring

__all__ = [
    "AGAIN",
    "AT",
    "EPSILON",
    "LESS",
    "LINKS",
    "METHODS",
    "NULLS",
    "PARTS",
    "RECIPE",
    "SET",
    "SLOW",
    "STEP",
    "VALIDATION",
    "Measure",
    "Shape",
    "Sizes",
    "after_one_update",
    "between_hidden",
    "first_layer",
    "mean_over_nets",
    "packed",
    "sample",
    "train_wiring",
    "unpacked",
    "weighted",
]

PARTS = ("set-vs-dense", "evolution", "plenitude")

RECIPE = Recipe(
    optimizer="sgd",
    learning_rates=(0.02, 0.05, 0.1),
    schedule="constant",
    epochs=10,
    batch_size=40,
    momentum=0.9,
    weight_decay=2e-4,
)

EPSILON = 13
"""Links between two layers for each of their neurons, where SET is held against dense networks."""
LINKS = 3772 / 1568
"""The same where topologies are compared: 0.6137 % of the links between layers of 784 neurons."""
STEP = 0.01
"""Share of the links by which a start differs from the one before it."""
AT = (0, 10, 50, 100, 190)
"""Epochs at which distances are measured, beside the last one."""
VALIDATION = 1_000
"""Examples by which learning rates are chosen."""
AGAIN = 2
"""Networks that begin like the first one, with other seeds."""
LESS = 0.1
"""Share that is dropped at an update where less is dropped than SET drops."""
SLOW = 0.01
"""Learning rate where networks keep more of what they begin with."""
NULLS = 10

Measure = Callable[[Wiring, Wiring], float]

SET = method_of("set-truly-sparse")
"""Once an epoch, the shares .3 of the positive and of the negative weights that are nearest to 0 are dropped, and as
many grown at random, with values of N(0, 1) / 10 and without momentum."""

METHODS: dict[str, tuple[Method | None, str]] = {
    "dense": (None, "cosine"),
    "static": (None, "cosine"),
    "set": (SET.replace(end="75%"), "cosine"),
    "set-published": (SET, "constant"),
}
"""What is held against dense networks: how the structure changes, if it does, and the schedule of learning rates.

Under rates that fall to 0, links that grow in the end would keep their first values, so that the last quarter leaves
the structure alone.
"""


@dataclass(frozen=True)
class Sizes:
    """How much is trained.

    Parameters
    ----------
    seeds : int
        Networks of each kind where SET is held against dense ones.
    epochs, sparse_epochs : int
        Of dense ones, and of sparse ones, which take a fraction of the time.
    examples : int
        That each seed draws to train on.
    width : int
        Neurons of each of three hidden layers.
    nets : int
        Starts of the evolution, and independent ones.
    net_epochs, net_examples, net_width : int
        The same of networks whose topologies are compared.
    """

    seeds: int = 20
    epochs: int = RECIPE.epochs
    sparse_epochs: int = 50
    examples: int = 2_000
    width: int = 1_000
    nets: int = 10
    net_epochs: int = 200
    net_examples: int = 8_000
    net_width: int = 784

    def __post_init__(self) -> None:
        least = {"nets": 3}
        for name in self.__dataclass_fields__:
            value, low = getattr(self, name), least.get(name, 1)
            if value < low:
                raise InputError(f"{name}={value}: it must be at least {low}")

    @property
    def setting(self) -> dict[str, int]:
        """What rows of one folder have in common."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("seeds", "nets")}


@dataclass(frozen=True)
class Shape:
    """Layers of a network, and how many links it has between them.

    Parameters
    ----------
    sizes : tuple of int
        Neurons of each layer, input and output units included.
    counts : tuple of int
        Links between each layer and the next.
    """

    sizes: tuple[int, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, task: Task, widths: Sequence[int], epsilon: float, *, dense_output: bool = False) -> Shape:
        """Return the shape with ``epsilon (n_in + n_out)`` links between two layers, or all that there can be.

        With `dense_output` the output units read all neurons of the last hidden layer.

        References
        ----------
        Mocanu et al. (2018), Scalable training of artificial neural networks with adaptive sparse connectivity inspired
        by network science, doi:10.1038/s41467-018-04316-3
        """
        sizes = (task.n_inputs, *widths, task.n_outputs)
        counts = [min(round(epsilon * (before + after)), before * after) for before, after in pairwise(sizes)]
        if dense_output:
            counts[-1] = sizes[-2] * sizes[-1]
        return cls(sizes, tuple(counts))

    def start(self, seed: int) -> Wiring:
        """Return a random wiring of this shape."""
        rng = stream(0, "wiring", seed)
        masks = []
        for (before, after), count in zip(pairwise(self.sizes), self.counts, strict=True):
            mask = np.zeros(before * after, bool)
            mask[rng.choice(before * after, count, replace=False)] = True
            masks.append(mask.reshape(after, before))
        return Wiring.from_masks(masks, inputs=True, outputs=True)

    def moved(self, wiring: Wiring, share: float, seed: int) -> Wiring:
        """Return a wiring in which so large a share of the links of each layer lies at other, random places."""
        rng = stream(0, "wiring", seed, 1)
        masks = []
        for mask in wiring.masks():
            flat = mask.ravel().copy()
            live, free = np.flatnonzero(flat), np.flatnonzero(~flat)
            n = min(round(share * len(live)), len(free))
            flat[rng.choice(live, n, replace=False)] = False
            flat[rng.choice(free, n, replace=False)] = True
            masks.append(flat.reshape(mask.shape))
        return Wiring.from_masks(masks, inputs=True, outputs=True)

    def steps(self, n: int, share: float, seed: int = 0) -> list[Wiring]:
        """Return wirings each of which has so large a share of its links elsewhere than the one before it."""
        found = [self.start(seed)]
        for step in range(1, n):
            found.append(self.moved(found[-1], share, step))
        return found

    def complete(self) -> Wiring:
        """Return the wiring of the dense network of these layers."""
        return NetworkSpec("mlp").complete(self.sizes[0], self.sizes[1:-1], self.sizes[-1])


def train_wiring(
    wiring: Wiring,
    task: Task,
    recipe: Recipe,
    rate: float,
    seed: int,
    stop: StopFlag,
    *,
    method: Method | None = None,
    by_place: bool = False,
    keep: Collection[int] = (),
) -> dict[str, Any]:
    """Train the network of a wiring, by SET or as it is, and return what it reached.

    Parameters
    ----------
    seed : int
        Of initial weights, the order of examples, and what grows where.
    method : Method, optional
        How the structure changes; by default it stays.
    by_place : bool
        Whether links that two wirings have in common begin with equal draws, so that near wirings of one seed begin as
        near networks; otherwise draws go by the order of links.
    keep : collection of int
        Epochs whose wirings are returned, the first of them 0: those after the change of structure that follows the
        epoch, if one does.

    Returns
    -------
    mapping
        ``validation`` and ``test`` accuracy after the last epoch, ``weights`` that live, and ``wirings`` by epoch; see
        `packed`.
    """
    draws = stream(0, "weights", seed)
    network = SparseMLP(weighted(wiring, draws) if by_place else wiring, rng=draws, room=True)
    kept = {0: packed(wiring)} if 0 in keep else {}
    per_epoch = recipe.updates_of_epoch(len(task.train))

    def watch(step: int, _: int) -> None:
        epoch, rest = divmod(step, per_epoch)
        if not rest and epoch in keep:
            kept[epoch] = packed(wiring_of(network))

    batches = stream(0, "batches", seed)
    if method is not None:
        places = places_of(wired_parts(network))
        learned = learn(
            network,
            task,
            recipe,
            method,
            places=places,
            learning_rate=rate,
            rng=batches,
            stop=stop,
            watch=watch,
            threads=1,
        )
        network, history = cast("SparseMLP", learned.network), learned.history
    else:
        history = train(network, task, recipe, learning_rate=rate, rng=batches.spawn(2)[0], stop=stop, threads=1)
        kept = dict.fromkeys(sorted(keep), packed(wiring)) if keep else {}
    diverged = history.diverged
    return {
        "validation": history.value,
        "test": task.constant_score(task.test) if diverged else evaluate(network, task, task.test).metric,
        "weights": len(network.weight),
        **({"wirings": {str(epoch): text for epoch, text in kept.items()}} if keep else {}),
    }


def weighted(wiring: Wiring, rng: np.random.Generator) -> Wiring:
    """Return a layered wiring with initial weights, each drawn for its place whatever other links there are."""
    found = np.zeros(wiring.n_edges, np.float32)
    offsets, degrees = wiring.offsets, wiring.in_degree
    for layer in range(1, wiring.n_layers):
        drawn = rng.standard_normal((wiring.sizes[layer - 1], wiring.sizes[layer]))
        own = wiring.layer_of[wiring.edges[:, 1]] == layer
        source, target = wiring.edges[own].T
        gain = 1.0 if layer == wiring.n_layers - 1 else 2.0
        found[own] = drawn[source - offsets[layer - 1], target - offsets[layer]] * np.sqrt(gain / degrees[target])
    return wiring.replace(weights=found)


def sample(task: Task, seed: int, examples: int, validation: int) -> Task:
    """Return a task with so many random examples to train on and to choose by, and the whole test part.

    Raises
    ------
    InputError
        If there are fewer.
    """
    rng = stream(0, "pool", seed)
    parts = {"train": (task.train, examples), "validation": (task.validation, validation), "test": (task.test, None)}
    places: dict[str, Any] = {}
    rows, first = [], 0
    for name, (own, n) in parts.items():
        if n is not None and not 1 <= n <= len(own):
            raise InputError(f"{'examples' if name == 'train' else name}={n}: task {task.name} has {len(own)}")
        chosen = own if n is None else own[torch.from_numpy(np.sort(rng.choice(len(own), n, replace=False)))]
        rows.append(chosen)
        places[name] = torch.arange(first, first + len(chosen))
        first += len(chosen)
    # Copies of what is used alone: engines hold all examples of a task in their own form.
    taken = torch.cat(rows)
    return replace(task, inputs=task.inputs[taken], targets=task.targets[taken], **places)


# Wirings


def packed(wiring: Wiring) -> str:
    """Return the edges of a wiring as text: the differences of their ascending numbers, compressed."""
    source, target = wiring.edges.astype(np.int64).T
    codes = np.sort(target * wiring.n_neurons + source)
    return base64.b64encode(zlib.compress(np.diff(codes, prepend=0).astype("<i4").tobytes(), 9)).decode()


def unpacked(text: str, sizes: Sequence[int]) -> Wiring:
    """Return the wiring, with input and output units, that `packed` made text of."""
    codes = np.cumsum(np.frombuffer(zlib.decompress(base64.b64decode(text)), "<i4").astype(np.int64))
    target, source = np.divmod(codes, sum(sizes))
    return Wiring(tuple(sizes), np.stack([source, target], axis=1), inputs=True, outputs=True)


# Distances


def after_one_update(shape: Shape, dropped: float) -> tuple[float, float]:
    """Return what one update of SET does to the distance of first layers when it drops at random.

    The first is the distance of two networks that began alike and drop the same links, the second that of two that drop
    links of their own; both grow others of their own.
    """
    start = shape.start(0).mask(1, 0)
    live, free = np.flatnonzero(start), np.flatnonzero(~start.ravel())
    n = min(round(dropped * len(live)), len(free))

    def updated(drop: int, grow: int) -> NDArray[np.bool_]:
        flat = start.ravel().copy()
        flat[stream(0, "structure", 0, drop).choice(live, n, replace=False)] = False
        flat[stream(0, "structure", 1, grow).choice(free, n, replace=False)] = True
        return flat.reshape(start.shape)

    one, same, other = (updated(drop, grow).T for drop, grow in ((0, 0), (0, 1), (1, 1)))
    return nnstd_of_masks([one], [same])[0], nnstd_of_masks([one], [other])[0]


def first_layer(one: Wiring, other: Wiring) -> float:
    """Return the published distance of the layer that reads the input units; see `nnstd_of_masks`."""
    return nnstd_of_masks([one.mask(1, 0).T], [other.mask(1, 0).T])[0]


def between_hidden(one: Wiring, other: Wiring) -> float:
    """Return the mean of `nnstd` over the layers of hidden neurons, without the output units."""
    return fmean(nnstd(one, other).layers[:-1])


def mean_over_nets(matrix: NDArray[np.float64]) -> Mapping[str, float]:
    """Return the mean distance of all pairs, its 95 % interval over networks, and the range of the pairs.

    Pairs share networks, so that the interval is the one of the jackknife: means without one network each.
    """
    from scipy.special import stdtrit

    n = len(matrix)
    pairs = matrix[np.triu_indices(n, 1)]
    mean, total = float(pairs.mean()), float(pairs.sum())
    found = {
        "mean": mean,
        "least": float(pairs.min()),
        "most": float(pairs.max()),
        "low": np.nan,
        "high": np.nan,
        "n": n,
    }
    if n > 2:
        without = (total - matrix.sum(axis=1)) / ((n - 1) * (n - 2) / 2)
        error = float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
        half = float(stdtrit(n - 1, 0.975)) * error
        found |= {"low": mean - half, "high": mean + half}
    return found
