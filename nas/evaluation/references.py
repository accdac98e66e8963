"""What a found wiring is held against: a linear network, dense networks and a random one of equal size.

References are wirings too, trained by the same engine with the same recipe, ladder and seeds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nas.networks import NetworkSpec
from nas.space.way import PLAIN, Way
from priors import Wiring
from priors.draws import permutation, subset

__all__ = [
    "COUNTS",
    "DEGREES",
    "EQUAL_PARAMETERS",
    "LINEAR",
    "ONE_SHOT",
    "PRUNED_LINEAR",
    "RANDOM",
    "RANDOM_MEANS",
    "RETRAINED",
    "Contender",
    "dense_of_equal_size",
    "references",
]

EQUAL_PARAMETERS = "dense with equal parameters"
"""Name of the reference that the verdict is about."""

LINEAR = "linear"
"""Name of the reference without hidden neurons."""

RANDOM = "random with equal edges"
RANDOM_MEANS = (
    "Random with equal edges has as many neurons, and as many edges of each kind (that read inputs, join neurons, are "
    "read out), each at a random place."
)
"""The reference that shares a wiring's counts, and what it is, in the words of a verdict."""

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
    wiring: Wiring,
    spec: NetworkSpec,
    rng: np.random.Generator,
    n_inputs: int | None = None,
    n_parameters: int | None = None,
) -> list[Contender]:
    """Return the references of an attached wiring; they read `n_inputs` inputs, where these are others than its own.

    The network has `n_parameters`, where these are fewer than the wiring's: where not all gates of its edges live.

    For an MLP: a linear one; dense hidden layers with as many parameters as comes nearest, two of equal width, or one
    where two would be narrower than the outputs; two dense hidden layers with as many neurons; and as many neurons in
    each layer with as many edges of each kind (from inputs, between hidden neurons, to outputs), at random places, but
    so that no hidden neuron is dead while there are edges enough. For an RNN: a linear one on the mean input over time;
    a completely connected one with as many parameters as comes nearest; one with as many neurons; and as many neurons
    with as many edges of each kind, at random places. Where other inputs are read, and too few for all edges that read
    them, there are as many as these inputs allow.

    The dense one with as many neurons is left out where it would have more than two million edges, and the one with as
    many parameters where it would be narrower than the outputs and four neurons: so narrow, any network beats it.
    """
    units = (n_inputs or wiring.n_inputs, wiring.n_outputs)
    linear = NetworkSpec("linear-mean" if spec.kind == "rnn" else "mlp")
    found = [
        Contender(LINEAR, linear.complete(units[0], (), units[1]), linear),
    ]
    if (dense := dense_of_equal_size(wiring, spec, units[0], n_parameters)) is not None:
        found.append(dense)
    layers = _equal_layers(wiring.n_hidden, 1 if spec.kind == "rnn" else 2)
    if sum(_dense_edges(spec, units, layers)) <= _MOST_EDGES:
        found.append(Contender("dense with equal neurons", spec.complete(units[0], layers, units[1]), spec))
    sparse = _sparse_rnn(wiring, rng) if spec.kind == "rnn" else _sparse_mlp(wiring, units[0], rng)
    return [*found, Contender(RANDOM, sparse, spec)]


def dense_of_equal_size(
    wiring: Wiring, spec: NetworkSpec, n_inputs: int | None = None, n_parameters: int | None = None
) -> Contender | None:
    """Return the dense network whose number of parameters comes nearest to `n_parameters`, by default the wiring's.

    None where it would be narrower than the outputs and four neurons.
    """
    units = (n_inputs or wiring.n_inputs, wiring.n_outputs)
    budget = spec.n_parameters(wiring)["total"] if n_parameters is None else n_parameters

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
    """As many neurons in each layer and edges of each kind, every edge at a random place among those of its kind.

    Hidden edges may lead from any layer to any later one. As far as there are edges enough, every hidden neuron reads
    something and is read, and every output reads something: such places are drawn first, and all others evenly.
    """
    own_first, n_hidden, n_outputs = wiring.n_inputs, wiring.n_hidden, wiring.n_outputs
    source, target = wiring.edges.T
    from_input, to_output = source < own_first, target >= own_first + n_hidden
    counts = [
        int(np.count_nonzero(kind))
        for kind in (from_input & ~to_output, ~from_input & ~to_output, ~from_input & to_output, from_input & to_output)
    ]
    n_read = min(counts[0], n_inputs * n_hidden)
    sizes = (n_inputs, *wiring.sizes[1:-1], n_outputs)
    hidden = _hidden_edges(wiring.sizes[1:-1], counts[1], n_hidden - n_read, n_hidden - counts[2], rng)
    sources = np.setdiff1d(np.arange(n_hidden), hidden[:, 1])
    read_in = np.stack([(rng.random(len(sources)) * n_inputs).astype(np.int64), sources], axis=1)
    sinks = permutation(rng, n_hidden)
    sinks = sinks[~np.isin(sinks, hidden[:, 0])]
    # Sinks take turns at the outputs; outputs that are left over read any neuron.
    turns = permutation(rng, n_outputs)
    others = (rng.random(max(n_outputs - len(sinks), 0)) * n_hidden).astype(np.int64)
    read_out = np.stack([np.concatenate([sinks, others]), np.resize(turns, max(len(sinks), n_outputs))], axis=1)
    direct = subset(rng, n_inputs * n_outputs, min(counts[3], n_inputs * n_outputs))
    first, last = n_inputs, n_inputs + n_hidden
    edges = [
        _filled(read_in, (n_inputs, n_hidden), n_read, rng) + np.array([0, first]),
        hidden + first,
        _filled(read_out, (n_hidden, n_outputs), counts[2], rng) + np.array([first, last]),
        np.stack(np.divmod(direct, n_outputs), axis=1) + np.array([0, last]),
    ]
    return Wiring(sizes, np.concatenate(edges), inputs=True, outputs=True)


def _hidden_edges(
    sizes: Sequence[int], count: int, n_read: int, n_reading: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return edges from layers to later ones, (count, 2).

    So many neurons have a predecessor for certain, and so many a successor, as far as layers and edges allow.
    """
    starts = np.concatenate([[0], np.cumsum(sizes)])
    n, layer_of = int(starts[-1]), np.repeat(np.arange(len(sizes)), sizes)
    n_first, n_before_last = int(starts[1]), int(starts[-2])
    n_read, n_reading = min(max(n_read, 0), n - n_first), min(max(n_reading, 0), n_before_last)
    drawn = _covering(n_first + subset(rng, n - n_first, n_read), subset(rng, n_before_last, n_reading), starts, rng)
    if len(drawn) > count:
        # One edge serves two neurons most often where early ones are read by late ones.
        drawn = _covering(np.arange(n - n_read, n), np.arange(n_reading), starts, rng)[:count]
    first = np.array(drawn, dtype=np.int64).reshape(-1, 2)
    # Pairs from layers to later ones are counted source by source.
    behind = n - starts[layer_of + 1]
    before = np.concatenate([[0], np.cumsum(behind)])
    taken = np.unique(before[first[:, 0]] + first[:, 1] - starts[layer_of[first[:, 0]] + 1])
    codes = _with_others(taken, int(before[-1]), count, rng)
    source = np.searchsorted(before, codes, side="right") - 1
    return np.stack([source, codes - before[source] + starts[layer_of[source] + 1]], axis=1)


def _covering(
    reading: NDArray[np.int64], waiting: NDArray[np.int64], starts: NDArray[np.int64], rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Return as few edges as serve neurons without predecessors and ones without successors, in ascending order."""
    drawn: list[tuple[int, int]] = []
    ready: list[int] = []
    n, sources, seen = int(starts[-1]), waiting.tolist(), 0
    layers = np.searchsorted(starts, reading, side="right") - 1
    for node, before in zip(reading.tolist(), starts[layers].tolist(), strict=True):
        # Layers come in turn, so that those whose successors are missing become candidates one after another.
        while seen < len(sources) and sources[seen] < before:
            ready.append(sources[seen])
            seen += 1
        source = ready.pop(int(rng.random() * len(ready))) if ready else int(rng.random() * before)
        drawn.append((source, node))
    left = ready + sources[seen:]
    for node, layer in zip(left, (np.searchsorted(starts, left, side="right") - 1).tolist(), strict=True):
        behind = int(starts[layer + 1])
        drawn.append((node, behind + int(rng.random() * (n - behind))))
    return drawn


def _filled(
    first: NDArray[np.int64], shape: tuple[int, int], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return `count` pairs, (count, 2): some that come first, and others drawn evenly from those that are left."""
    if len(first) > count:
        first = first[subset(rng, len(first), count)]
    codes = _with_others(np.unique(first[:, 0] * shape[1] + first[:, 1]), shape[0] * shape[1], count, rng)
    return np.stack(np.divmod(codes, shape[1]), axis=1)


def _with_others(taken: NDArray[np.int64], n: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return `count` numbers below n: ascending ones that are taken, and others drawn evenly from the rest."""
    others = subset(rng, n - len(taken), count - len(taken))
    # So many taken ones lie below each that as many are skipped.
    others += np.searchsorted(taken - np.arange(len(taken)), others, side="right")
    return np.concatenate([taken, others])


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
