"""Random-graph priors: distributions over undirected graphs, given as wirings of one layer with both directions.

Promise: one seed gives the same graph on every platform, now and later. Randomness is drawn only as doubles
``rng.random()``, in the documented order, and an index below n is ``int(u * n)``. Compiled code draws where it was
built; the functions in Python are what it is held to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike

from priors.checks import choice, fraction, settle, whole
from priors.compiled import draw, extension
from priors.draws import Seed, subset
from priors.edges import MOST_NEURONS
from priors.wiring import Wiring, trusted_wiring

__all__ = ["BarabasiAlbert", "ErdosRenyi", "Prior", "WattsStrogatz", "rewire"]

_INITIAL_GRAPHS = ("isolated", "star", "complete")


class Prior(Protocol):
    """A distribution over wirings.

    Examples
    --------
    Anything with this method is a prior, such as one of your own; those of the project stand in `PRIORS` by name, and
    what there is to know of them in `FAMILIES`.

    >>> from priors import FAMILIES, PRIORS, Wiring
    >>> class Ring:
    ...     def sample(self, rng=None):
    ...         return Wiring((4,), [(0, 1), (1, 2), (2, 3), (3, 0)])
    >>> Ring().sample().n_edges, PRIORS["erdos-renyi"](n=4, edges=4).sample(0).n_edges
    (4, 8)
    >>> [parameter.name for parameter in FAMILIES["modular"].parameters]
    ['modules', 'mixing']
    """

    def sample(self, rng: Seed = None) -> Wiring:
        """Draw one wiring; an int is a seed, a generator is drawn from, None draws afresh."""
        ...


@dataclass(frozen=True)
class WattsStrogatz:
    """Small worlds: a ring lattice of which every edge is rewired with probability `p`.

    Every node is joined to its k/2 nearest neighbours on each side. Then the edges are visited, nearest neighbours
    first and node by node; a chosen edge keeps its node and gets a uniformly drawn far end that makes neither a self
    edge nor a double edge, and stays where its node is joined to all others already.

    Parameters
    ----------
    n : int
        Nodes, at least 3.
    k : int
        Mean degree, even, 2 <= k <= n - 1. There are exactly n k / 2 edges.
    p : float
        Probability of rewiring: 0 is the lattice, 1 nearly a uniform random graph.

    Raises
    ------
    ValueError
        For parameters out of bounds.

    Notes
    -----
    Draws one double an edge (rewired where it is below `p`), then one double a try for a far end.

    References
    ----------
    Watts and Strogatz (1998), Collective dynamics of 'small-world' networks, doi:10.1038/30918

    Examples
    --------
    >>> from priors import WattsStrogatz
    >>> graph = WattsStrogatz(n=20, k=4, p=0.3).sample(0)
    >>> graph.n_neurons, graph.n_edges, graph.is_undirected
    (20, 80, True)
    """

    n: int
    k: int
    p: float
    family: ClassVar[str] = "watts-strogatz"

    def __post_init__(self) -> None:
        n = whole("WattsStrogatz", "n", self.n, 3, MOST_NEURONS)
        k = whole("WattsStrogatz", "k", self.k, 2, n - 1, limit="n - 1", even=True)
        settle(self, n=n, k=k, p=fraction("WattsStrogatz", "p", self.p))

    def sample(self, rng: Seed = None) -> Wiring:
        """Draw one graph: a one-layer wiring of `n` neurons and n k edges, two for each undirected one."""
        generator, native = np.random.default_rng(rng), extension()
        if native is None:
            return _watts_strogatz(self.n, self.k, self.p, generator)
        return trusted_wiring((self.n,), draw(native.watts_strogatz, generator, self.n, self.k, self.p))


@dataclass(frozen=True)
class BarabasiAlbert:
    """Scale-free graphs: every new node is joined to `m` distinct old ones, drawn in proportion to their degree.

    Parameters
    ----------
    n : int
        Nodes, at least 2.
    m : int
        Edges of every new node, 1 <= m < n.
    initial : {"isolated", "star", "complete"}
        The graph that growth starts from. Orientation turns it into the sources of a network, so it matters:

        - ``isolated`` (as in the papers): `m` nodes without edges, all of which the first new node is joined to; low to
          high orientation leaves m sources. m (n - m) edges.
        - ``star`` (as in networkx since version 3): node 0 joined to the nodes 1 to m; one source. m (n - m) edges.
        - ``complete``: m + 1 nodes, all joined to each other; one source. m (n - m) + m (m - 1) / 2 edges.

    Raises
    ------
    ValueError
        For parameters out of bounds.

    Notes
    -----
    Draws one double a try: an index into the list that holds every node as often as it has edges.

    References
    ----------
    Barabási and Albert (1999), Emergence of scaling in random networks, doi:10.1126/science.286.5439.509

    Examples
    --------
    >>> from priors import BarabasiAlbert
    >>> graph = BarabasiAlbert(n=20, m=2).sample(0)
    >>> graph.n_edges == 2 * 2 * (20 - 2)  # m (n - m), in both directions
    True
    """

    n: int
    m: int
    initial: str = "isolated"
    family: ClassVar[str] = "barabasi-albert"

    def __post_init__(self) -> None:
        n = whole("BarabasiAlbert", "n", self.n, 2, MOST_NEURONS)
        m = whole("BarabasiAlbert", "m", self.m, 1, n - 1, limit="n - 1")
        settle(self, n=n, m=m, initial=choice("BarabasiAlbert", "initial", self.initial, _INITIAL_GRAPHS))

    def sample(self, rng: Seed = None) -> Wiring:
        """Draw one graph: a one-layer wiring of `n` neurons with both directions of every edge."""
        generator, native = np.random.default_rng(rng), extension()
        if native is None:
            return _barabasi_albert(self.n, self.m, self.initial, generator)
        initial = _INITIAL_GRAPHS.index(self.initial)
        return trusted_wiring((self.n,), draw(native.barabasi_albert, generator, self.n, self.m, initial))


@dataclass(frozen=True)
class ErdosRenyi:
    """Uniform random graphs: every pair of nodes with probability `p`, or exactly `edges` pairs.

    Parameters
    ----------
    n : int
        Nodes, at least 1.
    p : float, optional
        Probability of every edge.
    edges : int, optional
        Exact number of undirected edges, at most n (n - 1) / 2. Exactly one of `p` and `edges` is given.

    Raises
    ------
    ValueError
        For parameters out of bounds, or if not exactly one of `p` and `edges` is given.

    Notes
    -----
    Pairs count in the order (0, 1), (0, 2), …, (1, 2), …. By `p` one double a pair is drawn; by `edges` a subset of the
    pairs.

    References
    ----------
    Erdős and Rényi (1959), On random graphs I; Gilbert (1959), Random graphs, doi:10.1214/aoms/1177706098

    Examples
    --------
    >>> from priors import ErdosRenyi
    >>> graph = ErdosRenyi(n=20, edges=30).sample(0)
    >>> graph.n_edges, graph == ErdosRenyi(n=20, edges=30).sample(0)
    (60, True)
    """

    n: int
    p: float | None = None
    edges: int | None = None
    family: ClassVar[str] = "erdos-renyi"

    def __post_init__(self) -> None:
        n = whole("ErdosRenyi", "n", self.n, 1, MOST_NEURONS)
        if (self.p is None) == (self.edges is None):
            raise ValueError(f"p={self.p!r}, edges={self.edges!r}: ErdosRenyi needs exactly one of p and edges")
        settle(self, n=n)
        if self.p is not None:
            settle(self, p=fraction("ErdosRenyi", "p", self.p))
        else:
            pairs = n * (n - 1) // 2
            settle(self, edges=whole("ErdosRenyi", "edges", self.edges, 0, pairs, limit="n (n - 1) / 2"))

    def sample(self, rng: Seed = None) -> Wiring:
        """Draw one graph: a one-layer wiring of `n` neurons with both directions of every edge."""
        generator, native = np.random.default_rng(rng), extension()
        if native is None:
            return _erdos_renyi(self.n, self.p, self.edges, generator)
        if self.p is None:
            return trusted_wiring((self.n,), draw(native.erdos_renyi_exact, generator, self.n, self.edges))
        return trusted_wiring((self.n,), draw(native.erdos_renyi, generator, self.n, self.p))


def _watts_strogatz(n: int, k: int, p: float, rng: np.random.Generator) -> Wiring:
    steps = range(1, k // 2 + 1)
    near = list(range(n)) * len(steps)
    far = [(node + step) % n for step in steps for node in range(n)]
    rewire(n, p, near, far, rng)
    return _undirected(n, near, far)


def _barabasi_albert(n: int, m: int, initial: str, rng: np.random.Generator) -> Wiring:
    return _undirected(n, *_grow(n, m, initial, rng))


def _erdos_renyi(n: int, p: float | None, edges: int | None, rng: np.random.Generator) -> Wiring:
    n_pairs = n * (n - 1) // 2
    pairs = np.flatnonzero(rng.random(n_pairs) < p) if p is not None else subset(rng, n_pairs, edges or 0)
    row_ends = np.cumsum(np.arange(n - 1, 0, -1))
    low = np.searchsorted(row_ends, pairs, side="right")
    high = pairs + n - row_ends[low]
    return _undirected(n, low, high)


def _undirected(n: int, near: ArrayLike, far: ArrayLike) -> Wiring:
    edges = np.stack([np.asarray(near, np.int64), np.asarray(far, np.int64)], axis=1)
    return Wiring((n,), np.concatenate([edges, edges[:, ::-1]]))


def rewire(n: int, p: float, near: Sequence[int], far: list[int], rng: np.random.Generator) -> None:
    """Replace far ends in place; plain lists and sets, since most graphs are too small for arrays to pay."""
    neighbours: list[set[int]] = [set() for _ in range(n)]
    for node, other in zip(near, far, strict=True):
        neighbours[node].add(other)
        neighbours[other].add(node)
    for edge in np.flatnonzero(rng.random(len(far)) < p).tolist():
        node, old = near[edge], far[edge]
        taken = neighbours[node]
        if len(taken) >= n - 1:
            continue
        new = int(rng.random() * n)
        while new == node or new in taken:
            new = int(rng.random() * n)
        taken.remove(old)
        neighbours[old].remove(node)
        taken.add(new)
        neighbours[new].add(node)
        far[edge] = new


def _grow(n: int, m: int, initial: str, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Return old and new ends of the edges; growth from isolated nodes begins with a star around the first new one."""
    if initial == "complete":
        start = list(combinations(range(m + 1), 2))
    else:
        hub, leaves = (m, range(m)) if initial == "isolated" else (0, range(1, m + 1))
        start = [(hub, leaf) for leaf in leaves]
    old, new = [first for first, _ in start], [second for _, second in start]
    ends = list(chain.from_iterable(start))
    for node in range(m + 1, n):
        # A dict and not a set: its order is the order of drawing, on which later draws depend.
        chosen: dict[int, None] = {}
        while len(chosen) < m:
            chosen[ends[int(rng.random() * len(ends))]] = None
        old.extend(chosen)
        new.extend([node] * m)
        ends.extend(chosen)
        ends.extend([node] * m)
    return old, new
