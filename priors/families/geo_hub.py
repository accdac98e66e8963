"""GeoHub graphs: a core of hubs in a small world, as geometric pruning of recurrent networks leaves them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar

from priors.checks import settle, whole
from priors.families.record import NODES, Argument, Family, Parameter, edges_of_degree, n_pairs, undirected_wiring

if TYPE_CHECKING:
    import numpy as np

    from priors.draws import Seed
    from priors.wiring import Wiring

__all__ = ["GEO_HUB", "GeoHub"]

_BIAS = 0.05
"""What a node without an edge is worth, beside one for each edge."""
_TRIES = 16
"""Draws of a partner that may be one already, after which those that are not are listed."""


@dataclass(frozen=True)
class GeoHub:
    """Hubs and small worlds: nodes join others in proportion to how many have, and to a core of hubs.

    The first `hubs` nodes are all joined to each other. Then every node in turn joins others, drawn in proportion to
    their degree, plus 0.05, plus for hubs the number of edges that a node gets.

    Parameters
    ----------
    n : int
        Nodes, at least 2.
    edges : int
        Number of undirected edges, or with `one_way` edges of one direction each, self edges not counted. The core
        takes the first, and the nodes share the rest evenly, the first of them one more.
    hubs : int
        Nodes of the core, 1 <= hubs <= n, with no more edges among themselves than there are.
    one_way : bool
        Whether edges have a direction, as published: half of those that every node gets lead to others, drawn in
        proportion to the edges that lead there; then the other half come from others, drawn in proportion to all their
        edges, hubs no more than others; and hubs have self edges. Edges have then to be hubs (hubs - 1) plus an even
        multiple of n; where a node has no other left to join, there are fewer.

    Raises
    ------
    ValueError
        For parameters out of bounds.

    Notes
    -----
    Draws one double a try for a partner; after 16 tries that are partners already, one among those that are not.

    References
    ----------
    Hemmer, Brenner, Hess and Durstewitz (2024), Optimal recurrent network topologies for dynamical systems
    reconstruction, arXiv:2406.04934; the published code draws directed graphs, in which the hubs are the neurons that
    are observed

    Examples
    --------
    >>> from priors import GeoHub
    >>> graph = GeoHub(n=30, edges=70, hubs=4).sample(0)
    >>> hubs, others = graph.out_degree[:4], graph.out_degree[4:]
    >>> graph.n_edges, bool(hubs.mean() > 2 * others.mean())
    (140, True)
    """

    n: int
    edges: int
    hubs: int = 1
    one_way: bool = False
    family: ClassVar[str] = "geo-hub"

    def __post_init__(self) -> None:
        n = whole("GeoHub", "n", self.n, 2, 2**31 - 1)
        hubs, both = whole("GeoHub", "hubs", self.hubs, 1, n, limit="n"), 1 + bool(self.one_way)
        settle(self, n=n, hubs=hubs, one_way=bool(self.one_way))
        limit = "n (n - 1)" if self.one_way else "n (n - 1) / 2"
        edges = whole("GeoHub", "edges", self.edges, 0, both * n_pairs(n), limit=limit)
        settle(self, edges=edges)
        core = both * n_pairs(hubs)
        if edges < core:
            raise ValueError(f"edges={edges}: the core of {hubs} hubs has {core} alone; nearest valid is {core}")
        if self.one_way and (edges - core) % (2 * n):
            near = core + round((edges - core) / (2 * n)) * 2 * n
            raise ValueError(f"edges={edges}: beside the {core} of the core every node gets as many edges to others as "
                             f"from others; nearest valid is {near}")  # fmt: skip

    def sample(self, rng: Seed = None) -> Wiring:
        """Draw one graph: a one-layer wiring of `n` neurons, with both directions of every edge unless `one_way`."""
        import numpy as np

        from priors.compiled import draw, extension
        from priors.wiring import trusted_wiring

        generator, native = np.random.default_rng(rng), extension()
        if self.one_way:
            return _directed(self, generator)
        if native is None:
            return _geo_hub(self, generator)
        return trusted_wiring((self.n,), draw(native.geo_hub, generator, self.n, self.edges, self.hubs))


class _Choice:
    """Draws partners in proportion to how often they stand in a list, plus a bias, plus more for hubs."""

    def __init__(self, n: int, ends: list[int], bias: float, hubs: int, more: float) -> None:
        self.n, self.ends, self.bias, self.hubs, self.more = n, ends, bias, hubs, more
        self.total = len(ends) + bias * n + more * hubs

    def draw(self, taken: set[int], rng: np.random.Generator) -> int:
        """Return a node that is not taken."""
        for _ in range(_TRIES):
            if (node := self._node(float(rng.random()))) not in taken:
                return node
        free = [node for node in range(self.n) if node not in taken]
        worth = [self.ends.count(node) + self.bias + self.more * (node < self.hubs) for node in free]
        ends = list(accumulate(worth))
        at = float(rng.random()) * ends[-1]
        return next((node for node, end in zip(free, ends, strict=True) if at < end), free[-1])

    def _node(self, uniform: float) -> int:
        at = uniform * self.total
        if at < len(self.ends):
            return self.ends[int(at)]
        at -= len(self.ends)
        if at < self.bias * self.n:
            return min(int(at / self.bias), self.n - 1)
        return min(int((at - self.bias * self.n) / self.more), self.hubs - 1) if self.more else self.n - 1


def _geo_hub(prior: GeoHub, rng: np.random.Generator) -> Wiring:
    n, hubs = prior.n, prior.hubs
    near = [low for low in range(hubs) for _ in range(low + 1, hubs)]
    far = [high for low in range(hubs) for high in range(low + 1, hubs)]
    ends = [node for edge in zip(near, far, strict=True) for node in edge]
    neighbours = [set(range(hubs)) if node < hubs else {node} for node in range(n)]
    each, more = divmod(prior.edges - len(near), n)
    left, node = prior.edges - len(near), 0
    owed = 0  # What nodes that were joined to all others already could not take.
    while left:
        own = neighbours[node % n]
        wanted = owed + (each + (node < more) if node < n else 0)
        count = min(wanted, n - len(own), left)
        owed = wanted - count
        choice, joined = _Choice(n, ends, _BIAS, hubs, each), []
        for _ in range(count):
            joined.append(partner := choice.draw(own, rng))
            own.add(partner)
            neighbours[partner].add(node % n)
        near += [node % n] * count
        far += joined
        ends += [end for partner in joined for end in (partner, node % n)]
        left, node = left - count, node + 1
    return undirected_wiring(n, near, far)


def _directed(prior: GeoHub, rng: np.random.Generator) -> Wiring:
    from priors.wiring import Wiring

    n, hubs = prior.n, prior.hubs
    half = (prior.edges - hubs * (hubs - 1)) // (2 * n)
    edges = [(a, b) for a in range(hubs) for b in range(hubs) if a != b]
    ahead, back = ([set(range(hubs)) if node < hubs else {node} for node in range(n)] for _ in range(2))
    into, ends = [b for _, b in edges], [node for edge in edges for node in edge]
    for leads_out in (True, False):
        for node in range(n):
            taken, theirs = (ahead[node], back) if leads_out else (back[node], ahead)
            choice = _Choice(n, into, _BIAS, hubs, half) if leads_out else _Choice(n, ends, half / 2 + 2 * _BIAS, 0, 0)
            joined: list[int] = []
            for _ in range(min(half, n - len(taken))):
                joined.append(other := choice.draw(taken, rng))
                taken.add(other)
                theirs[other].add(node)
            edges += [(node, other) if leads_out else (other, node) for other in joined]
            into += joined if leads_out else [node] * len(joined)
            ends += [*joined, *[node] * len(joined)]
    return Wiring((n,), edges + [(hub, hub) for hub in range(hubs)], directed=True)


def _of_degree(params: Mapping[str, Any]) -> GeoHub:
    """Return a core of as many hubs as the edges are enough for."""
    n, edges = params["n"], edges_of_degree(params["n"], params["degree"])
    hubs = min(params["hubs"], n)
    while n_pairs(hubs) > edges:
        hubs -= 1
    return GeoHub(n, edges, hubs)


GEO_HUB = Family(
    make=GeoHub,
    arguments=(
        NODES,
        Argument("edges", int, "number of edges"),
        Argument("hubs", int, "nodes of the core, all joined to each other", is_needed=False),
        Argument("one_way", bool, "whether edges have one direction each, as published", is_needed=False),
    ),
    of_degree=_of_degree,
    mean_degree=lambda prior: 2 * prior.edges / prior.n,
    parameters=(Parameter("hubs", "Nodes in the core of geo-hub.", (1, 6), limits=(1, 1000), is_whole=True),),
    example=lambda: GeoHub(12, 20, 3),
)
