"""What a found wiring is held against: a linear network, dense networks and a random one of equal size.

References are wirings too, trained by the same engine with the same recipe, ladder and seeds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nas.networks import NetworkSpec
from nas.space.way import PLAIN, Way
from priors import Layered, Wiring
from priors.draws import subset

__all__ = [
    "COUNTS",
    "DEGREES",
    "EQUAL_PARAMETERS",
    "LINEAR",
    "ONE_SHOT",
    "PRUNED_LINEAR",
    "RETRAINED",
    "Contender",
    "dense_of_equal_size",
    "references",
]

EQUAL_PARAMETERS = "dense with equal parameters"
"""Name of the reference that the verdict is about."""

LINEAR = "linear"
"""Name of the reference without hidden neurons."""

PRUNED_LINEAR = "pruned linear"
ONE_SHOT = "dense, pruned at once"
"""Names of references of a budget, beside those above."""

RETRAINED = "its structure, new weights"
DEGREES = "only its degrees"
COUNTS = "only its counts"
"""Names of networks that share with a winner what its structure is."""

_MOST_EDGES = 2_000_000
_NARROWEST = 4


@dataclass(frozen=True)
class Contender:
    """A network that is trained with fresh seeds: a finalist, or one to compare it with."""

    name: str
    wiring: Wiring
    spec: NetworkSpec
    way: Way = PLAIN


def references(
    wiring: Wiring, spec: NetworkSpec, rng: np.random.Generator, n_inputs: int | None = None
) -> list[Contender]:
    """Return the references of an attached wiring; they read `n_inputs` inputs, where these are others than its own.

    For an MLP: a linear one; dense hidden layers with as many parameters as comes nearest, two of equal width, or one
    where two would be narrower than the outputs; two dense hidden layers with as many neurons; the same layers with as
    many edges, at random places (with fewer where they cannot hold as many). For an RNN: a linear one on the mean input
    over time; a completely connected one with as many parameters as comes nearest; one with as many neurons; and as
    many neurons with as many edges of each kind, at random places.

    The dense one with as many neurons is left out where it would have more than two million edges, and the one with as
    many parameters where it would be narrower than the outputs and four neurons: so narrow, any network beats it.
    """
    units = (n_inputs or wiring.n_inputs, wiring.n_outputs)
    linear = NetworkSpec("linear-mean" if spec.kind == "rnn" else "mlp")
    found = [
        Contender(LINEAR, linear.complete(units[0], (), units[1]), linear),
    ]
    if (dense := dense_of_equal_size(wiring, spec, units[0])) is not None:
        found.append(dense)
    layers = _equal_layers(wiring.n_hidden, 1 if spec.kind == "rnn" else 2)
    if sum(_dense_edges(spec, units, layers)) <= _MOST_EDGES:
        found.append(Contender("dense with equal neurons", spec.complete(units[0], layers, units[1]), spec))
    sparse = _sparse_rnn(wiring, rng) if spec.kind == "rnn" else _sparse_mlp(wiring, units[0], rng)
    return [*found, Contender("random with equal edges", sparse, spec)]


def dense_of_equal_size(wiring: Wiring, spec: NetworkSpec, n_inputs: int | None = None) -> Contender | None:
    """Return the dense network whose number of parameters comes nearest to that of an attached wiring.

    None where it would be narrower than the outputs and four neurons.
    """
    units = (n_inputs or wiring.n_inputs, wiring.n_outputs)
    budget = spec.n_parameters(wiring)["total"]

    def sized(n_layers: int) -> list[int]:
        def parameters(n_hidden: int) -> int:
            layers = _equal_layers(n_hidden, n_layers)
            return spec.count_parameters(_dense_edges(spec, units, layers), n_hidden, units[1])["total"]

        return _equal_layers(_nearest_width(parameters, budget), n_layers)

    layers = sized(1 if spec.kind == "rnn" else 2)
    if spec.kind == "mlp" and min(layers) < units[1]:
        layers = sized(1)
    if min(layers) < min(units[1], _NARROWEST):
        return None
    return Contender(EQUAL_PARAMETERS, spec.complete(units[0], layers, units[1]), spec)


def _dense_edges(spec: NetworkSpec, units: tuple[int, int], layers: list[int]) -> tuple[int, int, int]:
    """Return how many edges of each kind that wiring has: from inputs, between hidden neurons, to outputs."""
    if spec.kind == "rnn":
        return units[0] * layers[0], layers[0] ** 2, layers[0] * units[1]
    return units[0] * layers[0], sum(before * after for before, after in pairwise(layers)), layers[-1] * units[1]


def _sparse_mlp(wiring: Wiring, n_inputs: int, rng: np.random.Generator) -> Wiring:
    sizes = (n_inputs, *_equal_layers(wiring.n_hidden, 2), wiring.n_outputs)
    possible = sum(before * after for before, after in pairwise(sizes))
    return Layered(sizes, edges=min(wiring.n_edges, possible), inputs=True, outputs=True).sample(rng)


def _sparse_rnn(wiring: Wiring, rng: np.random.Generator) -> Wiring:
    """As many neurons and edges of each kind, every edge at a random place among those of its kind."""
    first, last = wiring.n_inputs, wiring.n_inputs + wiring.n_hidden
    source, target = wiring.edges.T
    read_in, read_out = source < first, target >= last
    inputs, hidden, outputs = range(first), range(first, last), range(last, wiring.n_neurons)
    edges = [
        _random_edges(sources, targets, int(np.count_nonzero(chosen)), rng)
        for sources, targets, chosen in (
            (inputs, hidden, read_in),
            (hidden, hidden, ~read_in & ~read_out),
            (hidden, outputs, read_out),
        )
    ]
    return Wiring((first, wiring.n_hidden, wiring.n_outputs), np.concatenate(edges), inputs=True, outputs=True)


def _random_edges(sources: range, targets: range, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    chosen = subset(rng, len(sources) * len(targets), count)
    source, target = np.divmod(chosen, len(targets))
    return np.stack([source + sources.start, target + targets.start], axis=1)


def _equal_layers(n_hidden: int, n_layers: int) -> list[int]:
    return [n_hidden] if n_hidden == 1 or n_layers == 1 else [(n_hidden + 1) // 2, n_hidden // 2]


def _nearest_width(size_of: Callable[[int], int], budget: int) -> int:
    high = 2
    while size_of(high) < budget:
        high *= 2
    enough = bisect_left(range(high + 1), budget, lo=1, key=size_of)
    return min((max(enough - 1, 1), enough), key=lambda n: abs(size_of(n) - budget))
