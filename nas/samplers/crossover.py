"""Crossover: a graph bred from two others, of any sizes.

Random draws follow the promise of `priors.draws`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from priors import Wiring
from priors.draws import subset
from priors.transforms import longest_paths

__all__ = ["cross", "kind_of"]

Indices = NDArray[np.int64]
Kind = Literal["undirected", "acyclic", "directed"]


def cross(first: Wiring, second: Wiring, rng: np.random.Generator | int) -> Wiring:
    """Breed a graph from two: as many neurons as the first has, and edges of both.

    Parameters
    ----------
    first, second : Wiring
        Hidden neurons only; layers are not looked at.
    rng : Generator or int
        Randomness of the choice between the edges of one parent and those of the other.

    Returns
    -------
    Wiring
        One layer, whose neurons are numbered like those of the first. Undirected if both parents are, acyclic if both
        are, directed otherwise. Weights and names are dropped.

    Notes
    -----
    Neurons of two graphs have nothing in common but their places, so places are what is aligned. In DAGs neurons are
    in the topological order of `priors.edit`, by longest path from a source and then by number: an edge of either leads
    to a later place, and so no choice among them makes a cycle. In other graphs neurons are in the order of their
    degrees, largest first, and then of their numbers: hubs meet hubs, and where all degrees are equal, as on a ring,
    neighbours meet neighbours. The place r of m in the second parent is the place ``floor((r + 1/2) n / m)`` of n in
    the child. A larger graph is thereby contracted, and edges within one place are lost; a smaller one is spread out.

    Edges that both parents have are kept. Of those that one of them has, a random subset is taken, each edge alike, of
    the size that gives the child the mean of its parents' mean degrees, or as near to it as those edges allow. Taken
    one by one with probability 1/2 they would give the same on average, but a child beyond both parents now and then.
    """
    kind = kind_of(first, second)
    n, m = first.n_neurons, second.n_neurons
    places = _places(second, kind) * 2 + 1
    theirs = _order(first, kind)[places * n // (2 * m)][second.edges]
    # What one place swallowed is no self edge of the second parent.
    theirs = theirs[(theirs[:, 0] != theirs[:, 1]) | (second.edges[:, 0] == second.edges[:, 1])]
    own, others = _codes(first.edges.astype(np.int64), n, kind), _codes(theirs, n, kind)
    kept, disputed = np.intersect1d(own, others), np.setxor1d(own, others)
    n_second = len(_codes(second.edges.astype(np.int64), m, kind))
    wanted = int(np.floor((len(own) + n_second * n / m) / 2 + 0.5))
    taken = min(max(wanted - len(kept), 0), len(disputed))
    codes = np.concatenate([kept, disputed[subset(np.random.default_rng(rng), len(disputed), taken)]])
    edges = np.stack(np.divmod(codes, n), axis=1)
    if kind == "undirected":
        edges = np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)
    return Wiring((n,), edges)


def kind_of(*wirings: Wiring) -> Kind:
    """Return what all of some graphs are; a graph without edges is of any kind."""
    if all(wiring.is_undirected for wiring in wirings):
        return "undirected"
    return "acyclic" if all(wiring.is_acyclic for wiring in wirings) else "directed"


def _order(wiring: Wiring, kind: Kind) -> Indices:
    """Return the neuron in every place."""
    height = longest_paths(wiring) if kind == "acyclic" else -(wiring.in_degree + wiring.out_degree)
    return np.argsort(height, kind="stable")


def _places(wiring: Wiring, kind: Kind) -> Indices:
    """Return the place of every neuron."""
    return np.argsort(_order(wiring, kind))


def _codes(edges: Indices, n: int, kind: Kind) -> Indices:
    """Return each edge as one number; of an undirected one both directions are one edge."""
    if kind == "undirected":
        edges = edges[edges[:, 0] <= edges[:, 1]]
    return np.unique(edges[:, 0] * n + edges[:, 1])
