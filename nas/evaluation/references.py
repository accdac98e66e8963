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
from priors import Layered, Wiring, attach
from priors.draws import subset

__all__ = ["EQUAL_PARAMETERS", "LINEAR", "Contender", "complete", "dense_of_equal_size", "references"]

EQUAL_PARAMETERS = "dense with equal parameters"
"""Name of the reference that the verdict is about."""

LINEAR = "linear"
"""Name of the reference without hidden neurons."""

_MOST_EDGES = 2_000_000


@dataclass(frozen=True)
class Contender:
    """A network that is trained with fresh seeds: a finalist, or one to compare it with."""

    name: str
    wiring: Wiring
    spec: NetworkSpec


def references(wiring: Wiring, spec: NetworkSpec, rng: np.random.Generator) -> list[Contender]:
    """Return the references of an attached wiring.

    For an MLP: a linear one; two dense hidden layers of equal width, with as many parameters as comes nearest; two
    dense hidden layers with as many neurons; the same layers with as many edges, at random places (with fewer where
    they cannot hold as many). For an RNN: a linear one on the mean input over time; a completely connected one with as
    many parameters as comes nearest; one with as many neurons; and as many neurons with as many edges of each kind, at
    random places. The dense one with as many neurons is left out where it would have more than two million edges.
    """
    units = (wiring.n_inputs, wiring.n_outputs)
    linear = NetworkSpec("linear-mean" if spec.kind == "rnn" else "mlp")
    found = [
        Contender(LINEAR, Wiring.from_masks([np.ones(units[::-1])], inputs=True, outputs=True), linear),
        dense_of_equal_size(wiring, spec),
    ]
    if sum(_dense_edges(spec, units, wiring.n_hidden)) <= _MOST_EDGES:
        found.append(Contender("dense with equal neurons", _dense(spec, units, wiring.n_hidden), spec))
    sparse = _sparse_rnn if spec.kind == "rnn" else _sparse_mlp
    return [*found, Contender("random with equal edges", sparse(wiring, rng), spec)]


def dense_of_equal_size(wiring: Wiring, spec: NetworkSpec) -> Contender:
    """Return the dense network whose number of parameters comes nearest to that of an attached wiring."""
    units = (wiring.n_inputs, wiring.n_outputs)

    def parameters(n_hidden: int) -> int:
        return spec.count_parameters(_dense_edges(spec, units, n_hidden), n_hidden, units[1])["total"]

    width = _nearest_width(parameters, spec.n_parameters(wiring)["total"])
    return Contender(EQUAL_PARAMETERS, _dense(spec, units, width), spec)


def complete(n: int) -> Wiring:
    """Return one layer of `n` neurons with every edge, from each neuron to each and to itself."""
    return Wiring((n,), np.argwhere(np.ones((n, n), dtype=bool)))


def _dense(spec: NetworkSpec, units: tuple[int, int], n_hidden: int) -> Wiring:
    """Return the dense wiring with so many hidden neurons."""
    if spec.kind == "rnn":
        return attach(complete(n_hidden), *units, "natural")
    sizes = [units[0], *_two_layers(n_hidden), units[1]]
    masks = [np.ones((after, before)) for before, after in pairwise(sizes)]
    return Wiring.from_masks(masks, inputs=True, outputs=True)


def _dense_edges(spec: NetworkSpec, units: tuple[int, int], n_hidden: int) -> tuple[int, int, int]:
    """Return how many edges of each kind that wiring has: from inputs, between hidden neurons, to outputs."""
    if spec.kind == "rnn":
        return units[0] * n_hidden, n_hidden**2, n_hidden * units[1]
    layers = _two_layers(n_hidden)
    return units[0] * layers[0], sum(before * after for before, after in pairwise(layers)), layers[-1] * units[1]


def _sparse_mlp(wiring: Wiring, rng: np.random.Generator) -> Wiring:
    sizes = (wiring.n_inputs, *_two_layers(wiring.n_hidden), wiring.n_outputs)
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


def _two_layers(n_hidden: int) -> list[int]:
    return [n_hidden] if n_hidden == 1 else [(n_hidden + 1) // 2, n_hidden // 2]


def _nearest_width(size_of: Callable[[int], int], budget: int) -> int:
    high = 2
    while size_of(high) < budget:
        high *= 2
    enough = bisect_left(range(high + 1), budget, lo=1, key=size_of)
    return min((max(enough - 1, 1), enough), key=lambda n: abs(size_of(n) - budget))
