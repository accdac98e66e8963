"""The features of one wiring, as the table defines them, in readable Python.

Compiled code computes the same for many wirings at once, and is held to this; where it was not built, this runs. May
import numpy, networkx and the measures beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from predictors.features import reference_flow as flow
from predictors.features import reference_graph as undirected
from predictors.features.table import FEATURES, names_of
from priors.checks import whole
from priors.wiring import Wiring

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["describe_one"]


def describe_one(wiring: Wiring, tiers: tuple[str, ...], pivots: int | None = None) -> dict[str, float]:
    """Compute the features of one wiring.

    Parameters
    ----------
    wiring : Wiring
        With or without input and output units.
    tiers : tuple of str
        Some of `TIERS`.
    pivots : int, optional
        Neurons at which the paths of betweenness start, evenly spaced by number; each then stands for n / pivots. All
        of them where there are not more neurons. Without a number: all of up to 500 neurons, else 64.

    Returns
    -------
    dict
        Every feature of the tiers by name, in the order of `FEATURES`; NaN where it is undefined.

    Raises
    ------
    ValueError
        If a tier is not known, or there is not at least one pivot.

    References
    ----------
    The table names the source of every definition. Betweenness from pivots: Brandes & Pich 2007,
    doi:10.1142/S0218127407018403.
    """
    names = names_of(tiers)
    parts = _Parts(wiring, None if pivots is None else whole("describe", "pivots", pivots, 1))
    found: dict[str, float] = {}
    for tier in tiers:
        found |= _TIERS[tier](parts)
    for name in names:
        if (measure := FEATURES[name].measure) is not None:
            found[name] = measure(wiring)
    return {name: float(found.get(name, np.nan)) for name in names}


@dataclass(frozen=True)
class _Parts:
    """What several families look at, computed when first asked for."""

    wiring: Wiring
    pivots: int | None

    @cached_property
    def hidden(self) -> Wiring:
        return self.wiring.hidden

    @cached_property
    def graph(self) -> nx.Graph[int]:
        return undirected.graph_of(self.hidden)

    @cached_property
    def feed_forward(self) -> nx.DiGraph[int] | None:
        return flow.feed_forward(self.hidden)

    @cached_property
    def hops(self) -> undirected.Array:
        """(n, n) float64 array: distances between all neurons of the graph."""
        edges = np.array(self.graph.edges, dtype=np.int64).reshape(-1, 2)
        return undirected.hops(len(self.graph), np.concatenate([edges, edges[:, ::-1]]), range(len(self.graph)))

    @cached_property
    def betweenness(self) -> tuple[undirected.Array, undirected.Array]:
        return undirected.betweenness(self.graph, self.pivots)


def _size(parts: _Parts) -> dict[str, float]:
    wiring, hidden, dag = parts.wiring, parts.hidden, parts.feed_forward
    directed = flow.digraph(hidden.n_neurons, hidden.edges) if dag is None else dag
    possible = hidden.n_neurons * (hidden.n_neurons - 1) / 2
    n_inputs, first_output = wiring.n_inputs, wiring.n_neurons - wiring.n_outputs
    from_input, to_output = wiring.edges[:, 0] < n_inputs, wiring.edges[:, 1] >= first_output
    return {
        "n_neurons": hidden.n_neurons,
        "n_edges": hidden.n_edges,
        "density": parts.graph.size() / max(possible, 1),
        "n_sources": sum(not count for _, count in directed.in_degree),
        "n_sinks": sum(not count for _, count in directed.out_degree),
        "all_edges": wiring.n_edges,
        "n_inputs": n_inputs,
        "n_outputs": wiring.n_outputs,
        "read_in_edges": (from_input & ~to_output).sum(),
        "read_out_edges": (to_output & ~from_input).sum(),
        "io_edges": wiring.n_edges - hidden.n_edges,
    }


def _structure(parts: _Parts) -> dict[str, float]:
    dag = parts.feed_forward
    return {
        **undirected.degrees(parts.hidden, parts.graph),
        **undirected.components(parts.graph),
        **undirected.distances(parts.hops),
        **undirected.clustering(parts.graph, parts.hops),
        **({} if dag is None else {**flow.layers(dag), **flow.paths(dag)}),
        **flow.signal(parts.wiring),
    }


def _centrality(parts: _Parts) -> dict[str, float]:
    return undirected.centrality(*parts.betweenness)


def _published(parts: _Parts) -> dict[str, float]:
    """Measures under their published names: sample variances, and nothing of distances where not connected."""
    graph, hops, n = parts.graph, parts.hops, len(parts.graph)
    nodes, pairs = parts.betweenness
    degree = np.array([count for _, count in graph.degree])
    found = {
        "nodes": n,
        "edges": graph.size(),
        "density": graph.size() / max(n * (n - 1), 1),
        # networkx: the only neuron of a graph is in its centre.
        **undirected.summary("degree", degree / (n - 1) if n > 1 else np.ones(n), of_sample=True),
        **undirected.summary("closeness", undirected.closeness(hops), of_sample=True),
        **undirected.summary("nodes_betweenness", nodes, of_sample=True),
        **undirected.summary("edge_betweenness", pairs, of_sample=True),
    }
    if n and np.isfinite(hops).all():
        found |= undirected.summary("eccentricity", hops.max(axis=1), of_sample=True)
        found["diameter"] = hops.max()
        found |= {"average_shortest_path_length": hops.sum() / (n * (n - 1))} if n > 1 else {}
    if parts.feed_forward is not None:
        sizes = flow.layer_sizes(parts.feed_forward)
        found["layers"] = len(sizes)
        found |= {"source_nodes": sizes[0], "sink_nodes": sizes[-1]} if sizes else {}
    return {f"published_{name}": value for name, value in found.items()}


def _recurrent(parts: _Parts) -> dict[str, float]:
    return flow.cycles(parts.hidden)


_TIERS: dict[str, Callable[[_Parts], dict[str, float]]] = {
    "size": _size,
    "structure": _structure,
    "centrality": _centrality,
    "published": _published,
    "recurrent": _recurrent,
}
