"""What a found wiring is held against: a linear network, dense networks and a random one of equal size. Imports priors.

References are wirings too, trained by the same engine with the same recipe, ladder and seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nas.networks import NetworkSpec
from priors import Layered, Wiring, attach

__all__ = ["EQUAL_PARAMETERS", "Reference", "complete", "references"]

EQUAL_PARAMETERS = "dense, equal parameters"
"""Name of the reference that the verdict is about."""


@dataclass(frozen=True)
class Reference:
    """A network to compare with."""

    name: str
    wiring: Wiring
    spec: NetworkSpec


def references(wiring: Wiring, spec: NetworkSpec, rng: np.random.Generator) -> list[Reference]:
    """Return the references of an attached wiring.

    Parameters
    ----------
    wiring : Wiring
        With input and output units.
    spec : NetworkSpec
        How the wiring is made a network.
    rng : numpy.random.Generator
        Draws the random reference.

    Returns
    -------
    list of Reference
        For an MLP: a linear one; two dense hidden layers of equal number of parameters; two dense hidden layers with as
        many neurons; the same layers with as many edges, at random places. For an RNN: a linear one on the mean input
        over time; a completely connected one with as many parameters; one with as many neurons; and as many neurons
        with as many recurrent edges, at random places.
    """
    dense, sparse = (_dense_rnn, _sparse_rnn) if spec.kind == "rnn" else (_dense_mlp, _sparse_mlp)
    n_inputs, n_outputs, n_hidden = wiring.n_inputs, wiring.n_outputs, wiring.n_hidden
    budget = spec.n_parameters(wiring)["total"]
    width = _nearest_width(lambda n: spec.n_parameters(dense(n_inputs, n, n_outputs))["total"], budget)
    linear = NetworkSpec("linear-mean" if spec.kind == "rnn" else "mlp")
    return [
        Reference("linear", Wiring.from_masks([np.ones((n_outputs, n_inputs))], inputs=True, outputs=True), linear),
        Reference(EQUAL_PARAMETERS, dense(n_inputs, width, n_outputs), spec),
        Reference("dense, equal neurons", dense(n_inputs, n_hidden, n_outputs), spec),
        Reference("random, equal edges", sparse(wiring, rng), spec),
    ]


def complete(n: int) -> Wiring:
    """Return one layer of `n` neurons with every edge, from each neuron to each and to itself."""
    return Wiring((n,), np.argwhere(np.ones((n, n), dtype=bool)))


def _dense_mlp(n_inputs: int, n_hidden: int, n_outputs: int) -> Wiring:
    sizes = [n_inputs, *_two_layers(n_hidden), n_outputs]
    masks = [np.ones((after, before)) for before, after in pairwise(sizes)]
    return Wiring.from_masks(masks, inputs=True, outputs=True)


def _dense_rnn(n_inputs: int, n_hidden: int, n_outputs: int) -> Wiring:
    return attach(complete(n_hidden), n_inputs, n_outputs, "natural")


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
    chosen = np.argsort(rng.random(len(sources) * len(targets)), kind="stable")[:count]
    source, target = np.divmod(chosen, len(targets))
    return np.stack([source + sources.start, target + targets.start], axis=1)


def _two_layers(n_hidden: int) -> list[int]:
    return [n_hidden] if n_hidden == 1 else [(n_hidden + 1) // 2, n_hidden // 2]


def _nearest_width(size_of: Callable[[int], int], budget: int) -> int:
    low, high = 1, 2
    while size_of(high) < budget:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size_of(middle) < budget else (low, middle)
    return min((low, high), key=lambda n: abs(size_of(n) - budget))
