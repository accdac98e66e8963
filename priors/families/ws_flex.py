"""WS-flex graphs: small worlds of any mean degree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from priors.checks import fraction, number, settle, whole
from priors.families.classic import P
from priors.families.record import NODES, Argument, Family, edges_of_degree, n_pairs, undirected_wiring

if TYPE_CHECKING:
    import numpy as np

    from priors.draws import Seed
    from priors.wiring import Wiring

__all__ = ["WS_FLEX", "WSFlex"]

_TRIES = 100


@dataclass(frozen=True)
class WSFlex:
    """Small worlds of a real mean degree: Watts-Strogatz graphs with any number of edges.

    Of ``round(degree * n / 2)`` edges every node gets an equal number to the next nodes on the ring, and the first
    nodes one more. Then the edges are visited node by node; a chosen edge keeps its node and gets a uniformly drawn far
    end, as in `WattsStrogatz`.

    Parameters
    ----------
    n : int
        Nodes, at least 3.
    degree : float
        Mean degree, 0 < degree <= n - 1, with at least one edge.
    p : float
        Probability of rewiring.
    connected : bool
        Whether a graph that is not connected is drawn anew, from the same generator, up to 100 times, as published.

    Raises
    ------
    ValueError
        For parameters out of bounds, and in `sample` if none of 100 graphs is connected.

    Notes
    -----
    Draws one double an edge (rewired where it is below `p`), then one double a try for a far end.

    References
    ----------
    You et al. (2020), Graph structure of neural networks, arXiv:2007.06559

    Examples
    --------
    >>> from priors import WSFlex
    >>> prior = WSFlex(n=20, degree=3.5, p=0.2)
    >>> prior.n_edges, prior.sample(0).n_edges
    (35, 70)
    """

    n: int
    degree: float
    p: float
    connected: bool = False
    family: ClassVar[str] = "ws-flex"

    def __post_init__(self) -> None:
        n = whole("WSFlex", "n", self.n, 3, 2**31 - 1)
        degree = number(self.degree)
        if not 0 < degree <= n - 1 or round(degree * n / 2) < 1:
            rule = f"WSFlex needs a number with 0 < degree <= n - 1 = {n - 1}, and at least one edge"
            raise ValueError(f"degree={self.degree!r}: {rule}")
        settle(self, n=n, degree=degree, p=fraction("WSFlex", "p", self.p), connected=bool(self.connected))
        if self.connected and self.n_edges < n - 1:
            least = 2 * (n - 1) / n
            raise ValueError(f"degree={degree:g}: no graph of {n} nodes is connected below a mean degree of {least:g}")

    @property
    def n_edges(self) -> int:
        """Undirected edges of every graph."""
        return min(round(self.degree * self.n / 2), n_pairs(self.n))

    def sample(self, rng: Seed = None) -> Wiring:
        """Draw one graph: a one-layer wiring of `n` neurons with both directions of every edge."""
        import numpy as np

        generator = np.random.default_rng(rng)
        for _ in range(_TRIES if self.connected else 1):
            found = self._draw(generator)
            if not self.connected or _is_connected(found):
                return found
        raise ValueError(f"degree={self.degree:g}: none of {_TRIES} graphs is connected; give a larger degree")

    def _draw(self, rng: np.random.Generator) -> Wiring:
        from priors.compiled import draw, extension
        from priors.wiring import trusted_wiring

        native = extension()
        if native is None:
            return _ws_flex(self.n, self.n_edges, self.p, rng)
        return trusted_wiring((self.n,), draw(native.ws_flex, rng, self.n, self.n_edges, self.p))


def _ws_flex(n: int, n_edges: int, p: float, rng: np.random.Generator) -> Wiring:
    from priors.graphs import rewire

    each, more = divmod(n_edges, n)
    near = [node for node in range(n) for _ in range(each + (node < more))]
    far = [(node + step) % n for node in range(n) for step in range(1, each + (node < more) + 1)]
    rewire(n, p, near, far, rng)
    return undirected_wiring(n, near, far)


def _is_connected(graph: Wiring) -> bool:
    from scipy.sparse.csgraph import connected_components

    count, _ = connected_components(graph.csr(), directed=False)
    return int(count) == 1


def _of_degree(params: Mapping[str, Any]) -> WSFlex:
    n = params["n"]
    return WSFlex(n, 2 * edges_of_degree(n, params["degree"]) / n, params["p"])


WS_FLEX = Family(
    make=WSFlex,
    arguments=(
        NODES,
        Argument("degree", float, "mean degree, any number"),
        Argument("p", float, "probability that an edge is rewired"),
        Argument("connected", bool, "whether graphs that are not connected are drawn anew", is_needed=False),
    ),
    of_degree=_of_degree,
    mean_degree=lambda prior: 2 * prior.n_edges / prior.n,
    parameters=(P,),
    example=lambda: WSFlex(12, 3.3, 0.2),
)
