"""How a hidden wiring reads its inputs and is read out, and which neurons that leaves dead.

Attachment is a choice with a name because it decides much of what a network reaches. Random draws follow the promise of
`priors.draws`. Compiled code attaches where it was built; the functions in Python are what it is held to.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from priors.checks import choice, whole
from priors.compiled import draw, extension_for
from priors.draws import Seed, subset
from priors.edges import checked_sizes
from priors.transforms import longest_paths
from priors.wiring import Wiring, trusted_wiring

__all__ = ["ATTACHMENTS", "attach", "dead_neurons"]

ATTACHMENTS = ("controlled", "natural", "projected", "published")
"""Modes of `attach`."""


def attach(
    wiring: Wiring,
    n_inputs: int,
    n_outputs: int,
    mode: str = "controlled",
    rng: Seed = None,
    *,
    reads: int = 10,
    readouts: int = 16,
    width: int = 16,
) -> Wiring:
    """Put a layer of input units before a hidden wiring and a layer of output units after it.

    Parameters
    ----------
    wiring : Wiring
        Hidden neurons only.
    n_inputs : int
        Input units, at least 1.
    n_outputs : int
        Output units; 0 appends none, for recurrent layers whose states are the output.
    mode : {"controlled", "natural", "projected", "published"}
        - ``controlled``: every neuron reads `reads` distinct random inputs, and the last `readouts` neurons feed every
          output. Parameters and widths are then the same for all wirings with as many neurons and edges.
        - ``natural``: sources read every input, sinks feed every output.
        - ``projected``: a layer of `width` ordinary neurons reads every input and is dealt out in turn over the
          sources, so that every source reads at least one of them and each of them is read; sinks feed every output.
        - ``published``: the first layer reads every input and the last layer alone feeds every output, for parity with
          published networks. Earlier sinks are dead. In a wiring of one layer these are all neurons.
    rng : int, Generator or None
        Randomness of ``controlled``: the inputs of each neuron in turn, then the read-out neurons where they are drawn.
    reads, readouts, width : int
        At least 1. More reads than inputs, or readouts than neurons, mean all of them.

    Returns
    -------
    Wiring
        With ``inputs``, and ``outputs`` unless `n_outputs` is 0. Neurons keep their order. Where there are weights,
        those of the new edges are NaN, which networks draw; where there are names, units are called ``input 0``,
        ``projection 0``, ``output 0``, ….

    Raises
    ------
    ValueError
        For an unknown mode, numbers out of bounds, a wiring without neurons, or one that has units already.

    Notes
    -----
    In a wiring of several layers, sources and sinks are those of the forward edges, and the last neurons those with the
    highest numbers: recurrence changes neither. In a wiring of one layer all edges count: if it is acyclic the last
    neurons are those on the longest paths from a source, by number among equals. If it is cyclic every neuron counts as
    source and as sink, and there is no last one, so read-out neurons are drawn: by number they would always be the
    youngest, least connected nodes of a grown graph. An isolated neuron is a source and a sink.

    Examples
    --------
    >>> from priors import ATTACHMENTS, ErdosRenyi, attach, layer, orient
    >>> hidden = layer(orient(ErdosRenyi(n=20, edges=40).sample(0), rng=0))
    >>> wiring = attach(hidden, n_inputs=4, n_outputs=3, mode="controlled", rng=0, reads=2, readouts=5)
    >>> wiring.n_edges == 20 * 2 + 40 + 5 * 3
    True
    >>> ATTACHMENTS
    ('controlled', 'natural', 'projected', 'published')
    """
    choice("attach", "mode", mode, ATTACHMENTS)
    n_inputs = whole("attach", "n_inputs", n_inputs, 1)
    n_outputs = whole("attach", "n_outputs", n_outputs, 0)
    reads, readouts = whole("attach", "reads", reads, 1), whole("attach", "readouts", readouts, 1)
    width = whole("attach", "width", width, 1) if mode == "projected" else 0
    if wiring.inputs or wiring.outputs or not wiring.n_neurons:
        raise ValueError(f"{wiring!r}: attach needs hidden neurons, and no input or output units yet")
    generator = np.random.default_rng(rng)
    numbers = (n_inputs, n_outputs, width, min(reads, n_inputs), min(readouts, wiring.n_neurons))
    native = extension_for(wiring)
    if native is None:
        return _attach(wiring, mode, generator, *numbers)
    sizes = checked_sizes([size for size in (n_inputs, width, *wiring.sizes, n_outputs) if size], 0)
    edges = draw(native.attach, generator, wiring.edges, wiring.sizes, ATTACHMENTS.index(mode), *numbers)
    return trusted_wiring(sizes, edges, inputs=True, outputs=n_outputs > 0, directed=wiring.directed)


def dead_neurons(wiring: Wiring) -> NDArray[np.int64]:
    """Return the hidden neurons that cannot matter: no path leads to them from an input, or from them to an output.

    Paths take forward and recurrent edges. Without output units every state is an output, and only inputs count.

    Parameters
    ----------
    wiring : Wiring
        An attached wiring.

    Returns
    -------
    (n_dead,) int64 array
        Their numbers in the attached wiring, ascending.

    Raises
    ------
    ValueError
        For a wiring without input units.

    Examples
    --------
    >>> from priors import Wiring, dead_neurons
    >>> wiring = Wiring((1, 3, 1), [(0, 1), (0, 2), (1, 4), (3, 4)], inputs=True, outputs=True)
    >>> dead_neurons(wiring).tolist()  # 2 leads nowhere, and nothing leads to 3
    [2, 3]
    """
    if not wiring.inputs:
        raise ValueError(f"{wiring!r} has no input units: attach it first")
    alive = _reached(wiring.edges, wiring.n_neurons, wiring.neurons(0))
    if wiring.outputs:
        alive &= _reached(wiring.edges[:, ::-1], wiring.n_neurons, wiring.neurons(-1))
    hidden = np.arange(wiring.n_inputs, wiring.n_neurons - wiring.n_outputs)
    return hidden[~alive[hidden]]


def _attach(
    wiring: Wiring,
    mode: str,
    rng: np.random.Generator,
    n_inputs: int,
    n_outputs: int,
    width: int,
    reads: int,
    readouts: int,
) -> Wiring:
    first = n_inputs + width
    edges: list[NDArray[Any]] = [_read_in(wiring, mode, n_inputs, width, reads, rng), wiring.edges + first]
    if n_outputs:
        units = np.arange(n_outputs) + first + wiring.n_neurons
        edges.append(_dense(_readout_neurons(wiring, mode, readouts, rng) + first, units))
    weights = None
    if wiring.weights is not None:
        unknown = [np.full(len(part), np.nan) for part in edges]
        weights = np.concatenate([unknown[0], wiring.weights, *unknown[2:]])
    return Wiring(
        [size for size in (n_inputs, width, *wiring.sizes, n_outputs) if size],
        np.concatenate(edges),
        inputs=True,
        outputs=n_outputs > 0,
        weights=weights,
        names=_names(wiring, n_inputs, width, n_outputs),
        directed=wiring.directed,
    )


def _read_in(
    wiring: Wiring, mode: str, n_inputs: int, width: int, reads: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Edges from the inputs, and from the projection, in the numbering of the attached wiring."""
    inputs = np.arange(n_inputs)
    if mode == "controlled":
        chosen = np.concatenate([subset(rng, n_inputs, reads) for _ in range(wiring.n_neurons)])
        return np.stack([chosen, np.repeat(np.arange(wiring.n_neurons) + n_inputs, reads)], axis=1)
    if mode == "projected":
        projection = np.arange(width) + n_inputs
        sources = _sources_and_sinks(wiring)[0] + n_inputs + width
        turns = np.arange(max(width, len(sources)))
        dealt = np.stack([projection[turns % width], sources[turns % len(sources)]], axis=1)
        return np.concatenate([_dense(inputs, projection), dealt])
    readers = np.asarray(wiring.neurons(0)) if mode == "published" else _sources_and_sinks(wiring)[0]
    return _dense(inputs, readers + n_inputs)


def _readout_neurons(wiring: Wiring, mode: str, readouts: int, rng: np.random.Generator) -> NDArray[np.int64]:
    if mode == "published":
        return np.asarray(wiring.neurons(-1))
    if mode != "controlled":
        return _sources_and_sinks(wiring)[1]
    if wiring.n_layers > 1:
        return np.arange(wiring.n_neurons - readouts, wiring.n_neurons)
    if wiring.is_acyclic:
        return np.argsort(longest_paths(wiring), kind="stable")[-readouts:]
    return subset(rng, wiring.n_neurons, readouts)


def _sources_and_sinks(wiring: Wiring) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if wiring.n_layers > 1:
        flow = wiring.replace(edges=wiring.edges[wiring.forward], weights=None)
        return flow.sources, flow.sinks
    if wiring.is_acyclic:
        return wiring.sources, wiring.sinks
    return np.arange(wiring.n_neurons), np.arange(wiring.n_neurons)


def _dense(sources: NDArray[np.int64], targets: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.stack([np.repeat(sources, len(targets)), np.tile(targets, len(sources))], axis=1)


def _names(wiring: Wiring, n_inputs: int, width: int, n_outputs: int) -> list[Hashable] | None:
    if wiring.names is None:
        return None
    before = [f"input {unit}" for unit in range(n_inputs)] + [f"projection {unit}" for unit in range(width)]
    after = [f"output {unit}" for unit in range(n_outputs)]
    clash = {*before, *after}.intersection(wiring.names)
    if clash:
        raise ValueError(f"name {min(clash)!r} is that of an attached unit: rename the neuron")
    return [*before, *wiring.names, *after]


def _reached(edges: NDArray[np.int32], n_neurons: int, starts: ArrayLike) -> NDArray[np.bool_]:
    """Neurons on a path from any of `starts`: a search from one extra node that leads to all of them."""
    import scipy.sparse.csgraph

    first = np.asarray(starts, dtype=np.int32)
    sources = np.concatenate([edges[:, 0], np.full(len(first), n_neurons, np.int32)])
    targets = np.concatenate([edges[:, 1], first])
    shape = (n_neurons + 1, n_neurons + 1)
    graph = scipy.sparse.coo_array((np.ones(len(sources), np.float32), (sources, targets)), shape=shape).tocsr()
    order = scipy.sparse.csgraph.breadth_first_order(graph, n_neurons, return_predecessors=False)
    reached = np.zeros(n_neurons + 1, dtype=bool)
    reached[order] = True
    return reached[:-1]
