"""Wiring -> Wiring: orient an undirected graph, layer a DAG, stack recurrence onto layers, expand a graph to layers.

Names follow their neurons and weights their edges. Random draws follow the promise of `priors.draws`. Compiled code
works where it was built; the functions in Python are what it is held to, and they say what is wrong with a wiring that
it refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from priors.checks import choice
from priors.compiled import draw, extension, extension_for
from priors.draws import Seed, permutation
from priors.edges import checked_sizes
from priors.wiring import Wiring, trusted_wiring

__all__ = ["ORIENTATIONS", "drop_self_edges", "expand", "layer", "longest_paths", "orient", "stack"]

ORIENTATIONS = ("index", "random", "degree")
"""Orders by which `orient` directs edges."""


def drop_self_edges(wiring: Wiring) -> Wiring:
    """Return a graph without the edges that lead from a neuron to itself; the same one where there are none."""
    stay = wiring.edges[:, 0] != wiring.edges[:, 1]
    if stay.all():
        return wiring
    weights = None if wiring.weights is None else wiring.weights[stay]
    return wiring.replace(edges=wiring.edges[stay], weights=weights)


def orient(wiring: Wiring, order: str = "random", rng: Seed = None) -> Wiring:
    """Turn an undirected graph into a DAG by keeping one direction of every edge.

    Parameters
    ----------
    wiring : Wiring
        One layer that holds both directions of every edge, and no self edges.
    order : {"index", "random", "degree"}
        Edges lead from the earlier to the later neuron of this order: by number (as published), in a random order, or
        from high to low degree with ties by number. It decides depth, sources and sinks more than the prior does.
    rng : int, Generator or None
        Randomness of the random order, a permutation; the other orders draw nothing.

    Returns
    -------
    Wiring
        One acyclic layer of the same neurons, under the same numbers, with half of the edges.

    Raises
    ------
    ValueError
        For an unknown order, or a wiring that is not undirected.

    Examples
    --------
    >>> from priors import ORIENTATIONS, Wiring, orient
    >>> path = Wiring((3,), [(0, 1), (1, 0), (1, 2), (2, 1)])
    >>> orient(path, "index").edges.tolist()
    [[0, 1], [1, 2]]
    >>> orient(path, "degree").edges.tolist()
    [[1, 0], [1, 2]]
    >>> ORIENTATIONS
    ('index', 'random', 'degree')
    """
    choice("orient", "order", order, ORIENTATIONS)
    native = extension_for(wiring)
    if native is None or wiring.n_layers > 1 or wiring.inputs or wiring.outputs or wiring.directed:
        return _orient(wiring, order, rng)
    generator = np.random.default_rng(rng) if order == "random" else None
    edges = draw(native.orient, generator, wiring.edges, wiring.n_neurons, ORIENTATIONS.index(order))
    return _orient(wiring, order, rng) if edges is None else trusted_wiring(wiring.sizes, edges)


def layer(wiring: Wiring) -> Wiring:
    """Sort the neurons of a DAG into layers by their longest path from a source.

    Parameters
    ----------
    wiring : Wiring
        An acyclic wiring without input and output units; layers that it has are not looked at.

    Returns
    -------
    Wiring
        The same graph, numbered by layer and within a layer in the old order; all of its edges are forward.

    Raises
    ------
    ValueError
        For a cyclic wiring, or one with input or output units.

    Examples
    --------
    >>> from priors import Wiring, layer
    >>> layer(Wiring((4,), [(0, 1), (0, 2), (1, 3), (2, 3)])).sizes
    (1, 2, 1)
    """
    if wiring.inputs or wiring.outputs:
        raise ValueError(f"{wiring!r} has input or output units: layer works on hidden neurons, and attach follows it")
    native = extension_for(wiring)
    layered = None if native is None else native.layer(wiring.edges, wiring.n_neurons)
    return _layer(wiring) if layered is None else trusted_wiring(*layered)


def expand(graph: Wiring, sizes: Sequence[int], rng: Seed = None) -> Wiring:
    """Spread a graph over wide layers: its nodes are groups of neurons, which exchange messages from layer to layer.

    This is the relational graph of a network: the neurons of every layer are shared out over the nodes, and those of a
    node read, in the layer before, those of the same node and of all nodes with an edge to it.

    Parameters
    ----------
    graph : Wiring
        One layer without input and output units, undirected or not. Self edges make no difference.
    sizes : sequence of int
        Neurons of each layer, at least two layers, none of fewer neurons than the graph has nodes.
    rng : int, Generator or None
        Where neurons cannot be shared out evenly, a permutation of the nodes is drawn, the first of which get one more
        neuron; it is the same in all layers. Nothing is drawn otherwise.

    Returns
    -------
    Wiring
        Layers of these sizes, all of whose edges lead to the next layer, without weights and names.

    Raises
    ------
    ValueError
        For fewer than two layers, a layer that is too small, or a graph of several layers.

    References
    ----------
    You et al. (2020), Graph structure of neural networks, arXiv:2007.06559

    Examples
    --------
    >>> from priors import Wiring, expand
    >>> ring = Wiring((4,), [(0, 1), (1, 2), (2, 3), (3, 0)])
    >>> wiring = expand(ring, (8, 8, 8))
    >>> wiring.sizes, wiring.n_edges  # each neuron reads 2 of its own group and 2 of the one before
    ((8, 8, 8), 64)
    """
    if graph.n_layers != 1 or graph.inputs or graph.outputs:
        raise ValueError(f"{graph.n_layers} layers: expand needs a graph of one layer, without input and output units")
    own, n = checked_sizes(sizes, 0), graph.n_neurons
    if len(own) < 2:
        raise ValueError(f"sizes={own}: expand needs at least two layers")
    if min(own) < n:
        raise ValueError(f"sizes={own}: expand needs at least {n} neurons in every layer, one for each node")
    reads = np.eye(n, dtype=bool)
    reads[graph.edges[:, 1], graph.edges[:, 0]] = True
    order = np.arange(n)
    if any(size % n for size in own):
        order = permutation(np.random.default_rng(rng), n)
    return Wiring.from_masks([reads[_nodes(after, order)][:, _nodes(before, order)] for before, after in pairwise(own)])


def _nodes(size: int, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the node of each of some neurons, ascending; nodes that come first in order have one neuron more."""
    each, more = divmod(size, len(order))
    counts = np.full(len(order), each)
    counts[order[:more]] += 1
    return np.repeat(np.arange(len(order)), counts)


def longest_paths(wiring: Wiring) -> NDArray[np.int64]:
    """Return the number of edges on the longest path from a source to every neuron, (n_neurons,) int64.

    All edges count, forward or not.

    Raises
    ------
    ValueError
        For a cyclic wiring; it names a neuron on a cycle.

    Examples
    --------
    >>> from priors import Wiring, longest_paths
    >>> longest_paths(Wiring((4,), [(0, 1), (1, 2), (0, 2), (2, 3)])).tolist()
    [0, 1, 2, 3]
    """
    native = extension()
    depth: NDArray[np.int64] | None = None if native is None else native.longest_paths(wiring.edges, wiring.n_neurons)
    return _longest_paths(wiring) if depth is None else depth


def stack(wiring: Wiring) -> Wiring:
    """Add complete recurrence inside every layer of a layered DAG: all ordered pairs of neurons, self edges included.

    Parameters
    ----------
    wiring : Wiring
        A wiring with forward edges only, as `layer` makes. Its input and output units get no recurrence.

    Returns
    -------
    Wiring
        The same layers and forward edges. Weights are dropped, since the new edges have none.

    Raises
    ------
    ValueError
        For an edge that is not forward.

    Examples
    --------
    >>> from priors import Wiring, stack
    >>> wiring = stack(Wiring((2, 1), [(0, 2), (1, 2)]))
    >>> wiring.edges[~wiring.forward].tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1], [2, 2]]
    """
    native = extension_for(wiring)
    edges = None if native is None else native.stack(wiring.edges, wiring.sizes, wiring.inputs, wiring.outputs)
    return _stack(wiring) if edges is None else trusted_wiring(wiring.sizes, edges, wiring.inputs, wiring.outputs)


def _orient(wiring: Wiring, order: str, rng: Seed) -> Wiring:
    _reject_directed(wiring)
    if order == "random":
        sequence = permutation(np.random.default_rng(rng), wiring.n_neurons)
    elif order == "degree":
        sequence = np.argsort(-wiring.out_degree, kind="stable")
    else:
        sequence = np.arange(wiring.n_neurons)
    ranks = _inverse(sequence)[wiring.edges]
    kept = ranks[:, 0] < ranks[:, 1]
    return wiring.replace(edges=wiring.edges[kept], weights=None if wiring.weights is None else wiring.weights[kept])


def _layer(wiring: Wiring) -> Wiring:
    depth = _longest_paths(wiring)
    sequence = np.argsort(depth, kind="stable")
    return Wiring(
        np.bincount(depth).tolist(),
        _inverse(sequence)[wiring.edges],
        weights=wiring.weights,
        names=None if wiring.names is None else [wiring.names[neuron] for neuron in sequence.tolist()],
    )


def _longest_paths(wiring: Wiring) -> NDArray[np.int64]:
    starts = np.searchsorted(wiring.edges[:, 0], np.arange(wiring.n_neurons + 1)).tolist()
    targets = wiring.edges[:, 1].tolist()
    waiting = wiring.in_degree.tolist()
    depth = [0] * wiring.n_neurons
    ready = wiring.sources.tolist()
    # Kahn's order: the list grows while it is walked, and is sorted by depth. So the last predecessor to be walked is a
    # deepest one.
    for neuron in ready:
        for target in targets[starts[neuron] : starts[neuron + 1]]:
            waiting[target] -= 1
            if not waiting[target]:
                depth[target] = depth[neuron] + 1
                ready.append(target)
    if len(ready) < wiring.n_neurons:
        neuron = _neuron_on_cycle(wiring, np.asarray(waiting) > 0)
        raise ValueError(f"neuron {neuron} lies on a cycle: layers need an acyclic wiring, such as orient makes")
    return np.asarray(depth, dtype=np.int64)


def _stack(wiring: Wiring) -> Wiring:
    if not wiring.forward.all():
        source, target = wiring.edges[~wiring.forward][0].tolist()
        raise ValueError(f"edge ({source}, {target}) leads to no later layer: stack needs a layered DAG, see layer")
    blocks: list[NDArray[Any]] = [wiring.edges]
    for index in range(int(wiring.inputs), wiring.n_layers - int(wiring.outputs)):
        neurons = np.asarray(wiring.neurons(index))
        blocks.append(np.stack([np.repeat(neurons, len(neurons)), np.tile(neurons, len(neurons))], axis=1))
    return wiring.replace(edges=np.concatenate(blocks), weights=None)


def _inverse(sequence: NDArray[np.int64]) -> NDArray[np.int64]:
    inverse = np.empty_like(sequence)
    inverse[sequence] = np.arange(len(sequence))
    return inverse


def _reject_directed(wiring: Wiring) -> None:
    if wiring.n_layers > 1 or wiring.inputs or wiring.outputs:
        raise ValueError(f"{wiring!r}: orient needs an undirected graph, which has one layer and no units")
    if wiring.directed:
        raise ValueError(f"{wiring!r} is directed, as its file or its reader says: orient needs an undirected graph")
    edges = wiring.edges.astype(np.int64)
    for wrong, rule in (
        (edges[:, 0] == edges[:, 1], "is a self edge, which has no direction to choose"),
        (~np.isin(edges @ (1, wiring.n_neurons), edges @ (wiring.n_neurons, 1)), "lacks its reverse"),
    ):
        if wrong.any():
            source, target = edges[wrong][0].tolist()
            raise ValueError(f"edge ({source}, {target}) {rule}: orient needs both directions of every edge")


def _neuron_on_cycle(wiring: Wiring, waiting: NDArray[np.bool_]) -> int:
    """Walk back along neurons that Kahn's order never reached: each has such a predecessor, so one recurs."""
    stuck = wiring.edges[waiting[wiring.edges].all(axis=1)]
    predecessor = dict(zip(stuck[:, 1].tolist(), stuck[:, 0].tolist(), strict=True))
    neuron = int(np.flatnonzero(waiting)[0])
    seen: set[int] = set()
    while neuron not in seen:
        seen.add(neuron)
        neuron = predecessor[neuron]
    return neuron
