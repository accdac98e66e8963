"""Measures of the undirected graph beneath a wiring: degrees, components, distances, clustering, betweenness.

Where networkx and a textbook differ, networkx is followed. Undefined measures are left out of what is returned. May
import numpy, scipy and networkx.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike, NDArray

from priors.wiring import Wiring

if TYPE_CHECKING:
    Graph = nx.Graph[int]

__all__ = [
    "betweenness",
    "centrality",
    "closeness",
    "clustering",
    "components",
    "degrees",
    "distances",
    "entropy",
    "graph_of",
    "hops",
    "summary",
]

Array = NDArray[np.float64]


def graph_of(wiring: Wiring) -> Graph:
    """Return the undirected graph of a wiring, without self-loops; its nodes are 0, 1, … in this order."""
    graph: Graph = nx.Graph()
    graph.add_nodes_from(range(wiring.n_neurons))
    graph.add_edges_from((source, target) for source, target in wiring.edges.tolist() if source != target)
    return graph


def hops(n: int, edges: NDArray[Any], starts: Sequence[int] | NDArray[Any]) -> Array:
    """Return the fewest edges from every start to every neuron, (n_starts, n) float64; infinite without a path."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    if not len(starts):
        return np.zeros((0, n))
    source, target = edges.astype(np.int32).T  # scipy before 1.15 takes no others
    adjacency = coo_array((np.ones(len(edges)), (source, target)), shape=(n, n)).tocsr()
    found: Array = dijkstra(adjacency, indices=np.asarray(starts), unweighted=True)
    return found


def summary(name: str, values: ArrayLike, *, of_sample: bool = False) -> dict[str, float]:
    """Return mean and standard deviation under the names of the table; of a sample, the variance too."""
    own = np.asarray(values, dtype=np.float64)
    if not own.size:
        return {}
    if not of_sample:
        return {f"{name}_mean": own.mean(), f"{name}_std": own.std()}
    mean = {f"{name}_mean": own.mean()}
    return mean if own.size < 2 else {**mean, f"{name}_var": own.var(ddof=1), f"{name}_std": own.std(ddof=1)}


def entropy(counts: NDArray[np.int64]) -> float:
    """Return the entropy, in nats, of a distribution that is given by how often each value occurs."""
    shares = counts[counts > 0] / counts.sum()
    return float(shares @ np.log(1 / shares))


def degrees(hidden: Wiring, graph: Graph) -> dict[str, float]:
    """Measures of the family "degree"."""
    if not hidden.n_neurons:
        return {}
    degree = np.array([count for _, count in graph.degree])
    core = np.array(list(nx.core_number(graph).values()))
    found = {
        **summary("degree", degree),
        "degree_min": degree.min(),
        "degree_max": degree.max(),
        "degree_entropy": entropy(np.bincount(degree)),
        "in_degree_std": hidden.in_degree.std(),
        "in_degree_max": hidden.in_degree.max(),
        "out_degree_std": hidden.out_degree.std(),
        "out_degree_max": hidden.out_degree.max(),
        "core_max": core.max(),
        "core_mean": core.mean(),
        **_assortativity(graph, degree),
    }
    return {**found, "degree_cv": degree.std() / degree.mean()} if graph.size() else found


def _assortativity(graph: Graph, degree: NDArray[np.int64]) -> dict[str, float]:
    """Correlate in whole numbers, so that no variance is exactly none."""
    pairs = np.array(graph.edges, dtype=np.int64).reshape(-1, 2)
    one, other = degree[np.concatenate([pairs, pairs[:, ::-1]])].T
    count, total = len(one), int(one.sum())
    variance = count * int(one @ one) - total**2
    return {"assortativity": (count * int(one @ other) - total**2) / variance} if variance else {}


def components(graph: Graph) -> dict[str, float]:
    """Measures of the family "components"."""
    sizes = [len(component) for component in nx.connected_components(graph)]
    found: dict[str, float] = {"n_isolated": nx.number_of_isolates(graph), "n_components": len(sizes)}
    return {**found, "largest_component": max(sizes) / len(graph)} if sizes else found


def distances(hops: Array) -> dict[str, float]:
    """Measures of the family "distance", of the (n, n) distances between all neurons."""
    n = len(hops)
    if not n:
        return {"efficiency": 0.0}
    eccentricity = np.where(np.isfinite(hops), hops, 0).max(axis=1)
    lengths = hops[np.isfinite(hops) & (hops > 0)]
    close = closeness(hops)
    return {
        "diameter": eccentricity.max(),
        "radius": eccentricity.min(),
        **summary("eccentricity", eccentricity),
        **summary("path_length", lengths),
        "efficiency": (1 / lengths).sum() / max(n * (n - 1), 1),
        **summary("closeness", close),
        "closeness_min": close.min(),
        "closeness_max": close.max(),
    }


def closeness(hops: Array) -> Array:
    """Return the closeness of every neuron, (n,) float64; 0 where nothing else is reached."""
    finite = np.isfinite(hops)
    others = finite.sum(axis=1) - 1
    total = np.where(finite, hops, 0).sum(axis=1)
    scaled: Array = others**2 / (np.maximum(total, 1) * max(len(hops) - 1, 1))
    return scaled


def clustering(graph: Graph, hops: Array) -> dict[str, float]:
    """Measures of the family "clustering", with the small-world measures that rest on it."""
    local = np.array([nx.clustering(graph, neuron) for neuron in graph])
    found = {
        "triangles": sum(len(graph.adj[one].keys() & graph.adj[other].keys()) for one, other in graph.edges) / 3,
        "transitivity": nx.transitivity(graph),
        **summary("clustering", local),
    }
    if not graph.size():
        return found
    n, degree = len(graph), 2 * graph.size() / len(graph)
    found["small_world_gamma"] = local.mean() / (degree / n)
    if degree > 1:
        found["small_world_lambda"] = hops[np.isfinite(hops) & (hops > 0)].mean() / (math.log(n) / math.log(degree))
        found["small_world_sigma"] = found["small_world_gamma"] / found["small_world_lambda"]
    return found


def betweenness(graph: Graph, pivots: int | None) -> tuple[Array, Array]:
    """Return the betweenness of neurons, (n,), and of pairs, (n_pairs,).

    Paths start at `pivots` neurons, evenly spaced by number, and count n / pivots times. Without a number they start
    at all neurons of up to 500, else at 64.
    """
    n = len(graph)
    most = pivots or (n if n <= 500 else 64)
    count = min(most, n)
    starts = [index * n // count for index in range(count)]
    nodes = nx.betweenness_centrality_subset(graph, starts, list(graph), normalized=True)
    pairs = nx.edge_betweenness_centrality_subset(graph, starts, list(graph), normalized=True)
    return n / max(count, 1) * np.array(list(nodes.values())), n / max(count, 1) * np.array(list(pairs.values()))


def centrality(nodes: Array, pairs: Array) -> dict[str, float]:
    """Measures of the family "centrality", of what `betweenness` returns."""
    found = {**summary("betweenness", nodes), **summary("edge_betweenness", pairs)}
    if nodes.size:
        found["betweenness_max"] = nodes.max()
    if pairs.size:
        found["edge_betweenness_max"] = pairs.max()
    if nodes.any():
        ranks = np.arange(1, nodes.size + 1)
        found["betweenness_gini"] = (2 * ranks - nodes.size - 1) @ np.sort(nodes) / (nodes.size * nodes.sum())
    return found
