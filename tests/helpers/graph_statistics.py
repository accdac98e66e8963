"""Random graphs by their numbers: means over many graphs of one generator, held to those of another."""

from collections.abc import Callable, Iterable

import networkx as nx
import numpy as np
import scipy.sparse.csgraph
from numpy.typing import NDArray

from priors.graphs import Prior

N, SAMPLES = 30, 150


def statistics(adjacency: NDArray[np.float64]) -> list[float]:
    """Edges, spread and maximum of the degrees, clustering, mean finite distance, share of unreachable pairs."""
    degree = adjacency.sum(axis=0)
    triangles = np.diagonal(np.linalg.matrix_power(adjacency, 3))
    clustering = (triangles / np.maximum(degree * (degree - 1), 1)).mean()
    distance = scipy.sparse.csgraph.shortest_path(adjacency, unweighted=True)[np.triu_indices(len(adjacency), 1)]
    finite = np.isfinite(distance)
    return [degree.sum(), degree.var(), degree.max(), clustering, distance[finite].mean(), 1 - finite.mean()]


def assert_alike(ours: Iterable[NDArray[np.float64]], theirs: Iterable[NDArray[np.float64]]) -> None:
    table, reference = (np.array([statistics(adjacency) for adjacency in draws]) for draws in (ours, theirs))
    error = np.sqrt(table.var(axis=0) / len(table) + reference.var(axis=0) / len(reference))
    distance = np.abs(table.mean(axis=0) - reference.mean(axis=0))
    assert (distance <= 4 * error + 1e-9).all(), distance / (error + 1e-12)


def draws(prior: Prior, samples: int = SAMPLES) -> list[NDArray[np.float64]]:
    generator = np.random.default_rng(7)
    return [prior.sample(generator).csr().toarray().astype(float) for _ in range(samples)]


def networkx_draws(make: Callable[[int], nx.Graph], samples: int = SAMPLES) -> list[NDArray[np.float64]]:
    return [nx.to_numpy_array(make(seed)) for seed in range(samples)]
