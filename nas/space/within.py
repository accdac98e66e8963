"""Wirings that cost what they may: so many neurons as there is budget for, and what is left becomes reads."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas.networks import NetworkSpec
from nas.networks.cells import CELLS
from priors import READ_INS, Inputs, Prior, Wiring, draw_reads, orient, spread

__all__ = [
    "Means",
    "Reading",
    "balanced",
    "complete_edges",
    "graph_within",
    "largest",
    "layered_within",
    "parent_within",
]

Edges = NDArray[np.int64]
Draw = Callable[[int], Prior]
"""From a number of neurons to the prior of the graph between them."""

_MOST_NEURONS = 100_000
_FEWEST_NODES = 3
"""So few neurons are not connected: no family has graphs of them."""


@dataclass(frozen=True)
class Means:
    """What a network may spend, and what it reads and says.

    Parameters
    ----------
    limit : int
        Weights, and biases where they count.
    counts_biases : bool
    spec : NetworkSpec
    inputs : Inputs
    n_outputs : int
    """

    limit: int
    counts_biases: bool
    spec: NetworkSpec
    inputs: Inputs
    n_outputs: int

    @property
    def gates(self) -> int:
        """Weights of an edge that leads to a hidden neuron."""
        return CELLS[self.spec.cell].gates if self.spec.kind == "rnn" else 1

    @property
    def n_live(self) -> int:
        """Inputs that vary."""
        return len(self.inputs.live)

    def biases(self, n_hidden: int) -> int:
        """Return what the biases of so many neurons and of the outputs cost."""
        own = CELLS[self.spec.cell].biases_with(self.spec.initial_state) if self.spec.kind == "rnn" else 1
        return (own * n_hidden + self.n_outputs) * self.counts_biases

    def leaves_some(self, left: int, n_neurons: int, reading: Reading) -> bool:
        """Whether something of what is left remains although so many neurons read, and are read by, all that they may.

        Not where they must read everything: one more neuron then costs more than remains.
        """
        out = n_neurons * self.n_outputs - max(n_neurons * reading.fan_out, self.n_outputs)
        return not READ_INS[reading.read_in].reads_all and left > self.gates * n_neurons * self.n_live + out

    def least(self, depth: int = 1) -> int:
        """Return what a network costs that has one hidden neuron in each of its layers, and reads one input."""
        return self.gates + depth - 1 + self.n_outputs + self.biases(depth)

    def resolved(self, reading: Reading, depth: int = 1) -> Reading:
        """Return a reading of no more inputs and outputs than there are, and of all inputs only if there is budget."""
        reads_all = READ_INS[reading.read_in].reads_all
        too_many = reads_all and self.least(depth) + self.gates * (self.n_live - 1) > self.limit
        return Reading(
            self.n_live if reads_all else min(reading.fan_in, self.n_live),
            min(reading.fan_out, self.n_outputs),
            "random" if too_many else reading.read_in,
            reading.locality,
        )

    def of_cells(self, n: int) -> int:
        """Return what an RNN of n cells costs that read all inputs and each other, and are read by all outputs."""
        return self.biases(n) + self.gates * (self.n_live * n + n * n) + n * self.n_outputs

    def reads(self, n_neurons: int, most: int, reading: Reading) -> int:
        """Return how many inputs so many neurons read together: `most` if they can, and at least one each."""
        if READ_INS[reading.read_in].reads_all:
            return n_neurons * self.n_live
        return max(min(most, n_neurons * self.n_live), n_neurons)


@dataclass(frozen=True)
class Reading:
    """How hidden neurons read and are read.

    Parameters
    ----------
    fan_in : int
        Inputs that a neuron reads, about; at least 1, and more than there are means all.
    fan_out : int
        Outputs that read a neuron, likewise.
    read_in, locality
        As in `priors.draw_reads`.
    """

    fan_in: int
    fan_out: int
    read_in: str
    locality: float = 0.0


def layered_within(means: Means, reading: Reading, depth: int, links: int, rng: int) -> Wiring:
    """Return an MLP's wiring of `depth` equal hidden layers, as wide as the budget allows.

    Those of the first layer read inputs, those of later ones `links` neurons of the layer before, and those of the last
    one are read by outputs; all neurons of a layer are read equally often, or once more. What is left over becomes
    further reads.

    Parameters
    ----------
    means : Means
    reading : Reading
    depth, links : int
        At least 1; more links than there are neurons mean all, and more layers than there is budget for as many as fit.
    rng : int
        Seed of all draws.
    """
    depth = min(depth, largest(means.least, means.limit))
    reading = means.resolved(reading, depth)

    def beside_reads(width: int) -> int:
        between = (depth - 1) * width * min(links, width)
        return means.biases(depth * width) + between + max(width * reading.fan_out, means.n_outputs)

    width = largest(lambda width: beside_reads(width) + width * reading.fan_in, means.limit)
    wider = beside_reads(width + 1) + width + 1 <= means.limit
    if wider and means.leaves_some(means.limit - beside_reads(width), width, reading):
        width += 1  # Each neuron then reads a little less.
    generator = np.random.default_rng(rng)
    reads = means.reads(width, means.limit - beside_reads(width), reading)
    between = [
        balanced(width, np.full(width, min(links, width)), generator)[:, ::-1]
        + (layer - 1) * width
        + np.array([0, width])
        for layer in range(1, depth)
    ]
    hidden = np.concatenate([np.zeros((0, 2), np.int64), *between])
    return _put_together(means, [width] * depth, hidden, reads, reading, generator, of_all=False)


def parent_within(
    means: Means,
    reading: Reading,
    depth: int,
    links: int,
    taper: float,
    rng: int | np.random.Generator,
    *,
    shortcuts: bool = False,
    kept: int | None = None,
) -> Wiring:
    """Return the wiring of a network that is to lose most of its weights: layers as wide as the budget allows.

    Like `layered_within`, but for three things: each layer has `taper` times as many neurons as the one before; where
    inputs have places and are read around a centre, neurons of later layers read around one too, from twice as far away
    and as many as `links`; and what is not spent is left. All outputs read all neurons of the last layer, and with
    `shortcuts` all inputs that vary too. With all inputs read, so are all neurons. Of no layers it is a linear network,
    whatever the budget. There are no more neurons than `kept` weights and biases pay for, where that is given, if each
    reads one other and all of the last layer are read by all outputs.
    """
    n_inputs = means.inputs.n_inputs
    lines = complete_edges(means.inputs.live, np.arange(means.n_outputs))
    if depth == 0:
        return Wiring((n_inputs, means.n_outputs), lines + np.array([0, n_inputs]), inputs=True, outputs=True)
    if kept is not None:
        depth = min(depth, largest(means.least, kept))
    fan_in = means.resolved(reading, depth).fan_in
    is_complete = READ_INS[reading.read_in].reads_all

    def widths(first: int) -> list[int]:
        return [max(round(first * taper**layer), 1) for layer in range(depth)]

    def fan_ins(own: Sequence[int]) -> list[int]:
        return [fan_in, *(before if is_complete else min(links, before) for before in own[:-1])]

    def cost(first: int) -> int:
        own = widths(first)
        between = sum(width * reads for width, reads in zip(own, fan_ins(own), strict=True))
        return means.biases(sum(own)) + between + own[-1] * means.n_outputs + shortcuts * len(lines)

    def least(first: int) -> int:
        own = widths(first)
        return means.biases(sum(own)) + sum(own) + own[-1] * means.n_outputs

    own = widths(min(largest(cost, means.limit), largest(least, means.limit if kept is None else kept)))
    sizes = [n_inputs, *own, means.n_outputs]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    generator = np.random.default_rng(rng)
    inputs, locality, found = means.inputs, reading.locality, []
    for layer, (width, reads) in enumerate(zip(own, fan_ins(own), strict=True)):
        if layer == 0 or is_complete or inputs.positions is not None:
            drawn: Edges = draw_reads(inputs, np.full(width, reads), reading.read_in, locality, generator)
        else:
            drawn = balanced(sizes[layer], np.full(width, reads), generator)[:, ::-1]
        found.append(drawn + starts[layer : layer + 2])
        inputs, locality = _as_inputs(inputs, drawn, width, READ_INS[reading.read_in].needs), locality / 2
    found.append(complete_edges(np.arange(own[-1]), np.arange(means.n_outputs)) + starts[depth : depth + 2])
    if shortcuts:
        found.append(lines + np.array([0, starts[depth + 1]]))
    return Wiring(sizes, np.concatenate(found), inputs=True, outputs=True)


def _as_inputs(inputs: Inputs, drawn: Edges, n: int, needs: tuple[str, ...]) -> Inputs:
    """Return neurons as inputs of the layer behind them: each lies in the midst of what it reads."""
    if inputs.positions is None or "positions" not in needs:
        return Inputs(np.ones(n))
    reads = np.bincount(drawn[:, 1], minlength=n)
    middle = [np.bincount(drawn[:, 1], inputs.positions[drawn[:, 0], axis], n) / reads
              for axis in range(inputs.positions.shape[1])]  # fmt: skip
    return Inputs(np.ones(n), np.stack(middle, axis=1))


def complete_edges(sources: Edges, targets: Edges) -> Edges:
    """Return an edge from each source to each target, (n_sources * n_targets, 2)."""
    return np.stack([np.repeat(sources, len(targets)), np.tile(targets, len(sources))], axis=1)


def graph_within(means: Means, reading: Reading, draw: Draw, degree: float, rng: int) -> Wiring:
    """Return a wiring whose hidden neurons are the nodes of a random graph, of as many as the budget allows.

    Every neuron reads inputs and is read by outputs; what is left over becomes further reads. For an MLP edges get
    random directions without cycles, for an RNN they are recurrent as the graph has them.

    Parameters
    ----------
    means : Means
    reading : Reading
    draw : callable
        Returns the prior of a graph of so many nodes.
    degree : float
        Mean degree that these graphs have, about.
    rng : int
        Seed of all draws.
    """
    from priors import layer

    reading, is_recurrent = means.resolved(reading), means.spec.kind == "rnn"
    generator = np.random.default_rng(rng)

    def beside_reads(n: int, edges: int) -> int:
        return means.biases(n) + means.gates * edges + max(n * reading.fan_out, means.n_outputs)

    def affordable(edges_a_neuron: float) -> int:
        def cost(n: int) -> int:
            return beside_reads(n, round(n * min(edges_a_neuron, n - 1))) + means.gates * n * reading.fan_in

        return largest(cost, means.limit)

    def drawn(n: int) -> Wiring:
        graph = draw(n).sample(generator) if n > _FEWEST_NODES else Wiring((n,))
        return graph if is_recurrent else layer(orient(graph, "random", generator))

    def fitted(n: int) -> tuple[Wiring, int]:
        """Return a graph of at most n nodes that leaves its neurons an input each, and how many they read together."""
        while True:
            between = drawn(n)
            left = means.limit - beside_reads(n, between.n_edges)
            reads = means.reads(n, left // means.gates, reading)
            if means.gates * reads <= left or n == 1:
                return between, reads
            n -= 1

    # Graphs have the degree that they can, which is near to the wanted one.
    n = affordable(degree if is_recurrent else degree / 2)
    edges_a_neuron = drawn(n).n_edges / n
    n = affordable(edges_a_neuron)
    n += means.leaves_some(means.limit - beside_reads(n, round(n * edges_a_neuron)), n, reading)
    between, reads = fitted(n)
    n, edges_a_neuron = between.n_neurons, between.n_edges / between.n_neurons
    most_edges = 2 * edges_a_neuron + 3  # That one neuron more brings, whatever the family.
    one_more = means.biases(1) + means.gates * (means.n_live + most_edges) + means.n_outputs
    if means.limit - means.biases(n) - means.gates * (between.n_edges + reads) - n * means.n_outputs > one_more:
        # Its graph has fewer edges than others of nearly as many nodes, as of an odd degree only some have.
        between, reads = fitted(affordable(edges_a_neuron))
    edges = between.edges.astype(np.int64)
    return _put_together(means, between.sizes, edges, reads, reading, generator, of_all=True)


def _put_together(
    means: Means,
    sizes: Sequence[int],
    hidden: Edges,
    reads: int,
    reading: Reading,
    rng: np.random.Generator,
    *,
    of_all: bool,
) -> Wiring:
    """Let hidden neurons, in layers and with edges between them, read inputs, and spend what is left on read-out.

    Either all neurons read and are read (`of_all`), or those of the first layer read, and those of the last one are.
    """
    n, first = sum(sizes), means.inputs.n_inputs
    n_reading, n_read = (n, n) if of_all else (sizes[0], sizes[-1])
    read_in: Edges = draw_reads(means.inputs, spread(reads, n_reading, rng), reading.read_in, reading.locality, rng)
    left = means.limit - means.biases(n) - means.gates * (len(read_in) + len(hidden))
    out = max(min(left, n_read * means.n_outputs), n_read * reading.fan_out, means.n_outputs)
    read_out = balanced(means.n_outputs, spread(out, n_read, rng), rng)
    edges = [read_in + np.array([0, first]), hidden + first, read_out + np.array([first + n - n_read, first + n])]
    return Wiring([first, *sizes, means.n_outputs], np.concatenate(edges), inputs=True, outputs=True)


def balanced(n_targets: int, degrees: NDArray[np.int64], rng: np.random.Generator) -> Edges:
    """Return edges from sources with given degrees to distinct targets, whose own degrees differ by at most one.

    Each source, in random order, takes the targets with the fewest edges so far, at random among equals.

    Parameters
    ----------
    n_targets : int
    degrees : (n_sources,) int64
        At most `n_targets` each.
    rng : numpy.random.Generator

    Returns
    -------
    (n_edges, 2) int64 array
        Source and target of each edge, sorted.
    """
    load = np.zeros(n_targets)
    found = []
    for source in rng.permutation(len(degrees)):
        degree = int(degrees[source])
        chosen = np.argpartition(load + rng.random(n_targets), degree - 1)[:degree]
        load[chosen] += 1
        found.append(np.stack([np.full(degree, source), chosen], axis=1))
    edges = np.concatenate(found)
    return edges[np.lexsort((edges[:, 1], edges[:, 0]))]


def largest(cost: Callable[[int], int], limit: int) -> int:
    """Return the largest number of neurons, at least 1, whose cost is within a limit."""
    high = 1
    while cost(high) <= limit and high < _MOST_NEURONS:
        high *= 2
    return max(bisect_right(range(1, high + 1), limit, key=cost), 1)
