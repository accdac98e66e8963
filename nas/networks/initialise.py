"""Initial weights, drawn edge by edge: independent of how they lie in memory.

Every neuron's weights are scaled by its own fan-in, since the fan-in of a sparse layer varies from neuron to neuron;
recurrent weights may be rescaled to a measured spectral radius.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackError, eigs

from priors.wiring import Wiring

__all__ = ["draw_weights", "rescale_recurrent", "spectral_radius"]

_DENSE_LIMIT = 300
_NEGLIGIBLE = 1e-6


def draw_weights(
    edges: NDArray[np.integer[Any]],
    side: NDArray[np.bool_],
    gain: NDArray[np.float64],
    gates: int,
    rng: int | np.random.Generator | None,
) -> NDArray[np.float64]:
    """Draw normal weights with variance ``gain / fan_in``, one an edge and gate.

    Parameters
    ----------
    edges : (n_edges, 2) integer array
        Rows (source, target).
    side : (n_edges,) bool array
        Edges into the same neuron but of different sides (input-to-hidden, hidden-to-hidden) are counted apart.
    gain : (n_edges,) float64 array
        Wanted variance times fan-in.
    gates : int
        Weights an edge.
    rng : int, numpy Generator or None
        Where the draws come from, in the order of the edges.

    Returns
    -------
    (n_edges, gates) float64 array
    """
    group = 2 * edges[:, 1].astype(np.int64) + side
    fan_in = np.bincount(group)[group]
    draws = np.random.default_rng(rng).standard_normal((len(edges), gates))
    return draws * np.sqrt(gain / fan_in)[:, None]


def spectral_radius(wiring: Wiring) -> float:
    """Return the largest modulus among the eigenvalues of a wiring's weights (1 for every edge that has none).

    Without a cycle of nonzero weights it is exactly 0, which no eigenvalue routine reports of a large matrix. Below 300
    neurons all eigenvalues are computed, above that the largest ones by Arnoldi iteration, with the former as fallback.
    """
    weights = np.ones(wiring.n_edges)
    if wiring.weights is not None:
        weights = np.where(np.isnan(wiring.weights), 1.0, wiring.weights)
    return _radius(wiring.edges, weights, wiring.n_neurons)


def rescale_recurrent(
    edges: NDArray[np.integer[Any]], weights: NDArray[np.float64], radius: float, n_neurons: int
) -> NDArray[np.float64]:
    """Return the (n_edges, gates) recurrent weights with every gate scaled to one spectral radius.

    A gate of radius 0 (no cycle) is left as it is: nothing can scale it.

    Raises
    ------
    ValueError
        If `radius` is not a finite number of at least 0.
    """
    if not (np.isfinite(radius) and radius >= 0):
        raise ValueError(f"spectral_radius={radius}: it must be a finite number of at least 0, such as 0.9")
    scaled = weights.copy()
    for gate in range(weights.shape[1]):
        measured = _radius(edges, weights[:, gate], n_neurons)
        if measured > 0:
            scaled[:, gate] *= radius / measured
    return scaled


def _radius(edges: NDArray[np.integer[Any]], weights: NDArray[np.floating[Any]], n_neurons: int) -> float:
    kept = weights != 0
    edges, values = edges[kept], weights[kept].astype(np.float64)
    if Wiring((n_neurons,), edges).is_acyclic:
        return 0.0
    matrix = scipy.sparse.coo_array((values, (edges[:, 1], edges[:, 0])), shape=(n_neurons, n_neurons)).tocsr()
    radius = float(np.abs(_largest_eigenvalues(matrix)).max())
    # Cancelling weights can make a cyclic matrix nilpotent; what is then measured is rounding.
    return radius if radius > _NEGLIGIBLE * float(np.abs(values).max()) else 0.0


def _largest_eigenvalues(matrix: scipy.sparse.csr_array) -> NDArray[np.complex128]:
    n_neurons = matrix.shape[0]
    if n_neurons > _DENSE_LIMIT:
        start = np.random.default_rng(0).standard_normal(n_neurons)
        try:
            found: NDArray[np.complex128] = eigs(matrix, k=6, which="LM", v0=start, return_eigenvectors=False)
        except ArpackError:
            pass
        else:
            return found
    every: NDArray[np.complex128] = np.linalg.eigvals(matrix.toarray()).astype(np.complex128)
    return every
