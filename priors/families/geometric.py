"""Geometric graphs: nodes have places, and near ones are joined more likely than far ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from priors.checks import fraction, number, settle, whole
from priors.families.record import NODES, Argument, Family, Parameter, edges_of_degree, n_pairs, undirected_wiring

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from priors.draws import Seed
    from priors.wiring import Wiring

__all__ = ["GEOMETRIC", "Geometric"]

_FEW = 512
"""Nodes up to which the pairs of graphs of a size are kept for the next one."""
_MOST_NODES = 30_000
"""The distances of all pairs are held in memory."""


@dataclass(frozen=True)
class Geometric:
    """Random geometric graphs: the odds of an edge fall off exponentially with the distance of its ends.

    Nodes lie uniformly in the unit square, or the cube of another dimension.

    Parameters
    ----------
    n : int
        Nodes, 1 <= n <= 30000.
    scale : float
        Distance at which the odds have fallen to 1/e, above 0: small for a graph of the nearest pairs, large or even
        infinite for a uniform random graph.
    p : float, optional
        Probability of an edge at distance 0: Waxman's graphs.
    edges : int, optional
        Exact number of undirected edges: pairs are drawn one after another, in proportion to their odds. Exactly one of
        `p` and `edges` is given.
    dimensions : int
        Of the space, 1 to 8.

    Raises
    ------
    ValueError
        For parameters out of bounds, or if not exactly one of `p` and `edges` is given.

    Notes
    -----
    Draws the coordinates node by node, then a double a pair in the order (0, 1), (0, 2), …, (1, 2), …: by `p` an edge
    is there where it is below its probability; by `edges` a pair comes after the waiting time -log(1 - u) / odds, and
    the first ones are taken.

    References
    ----------
    Waxman (1988), Routing of multipoint connections, doi:10.1109/49.12889; pairs by waiting times: Efraimidis and
    Spirakis (2006), Weighted random sampling with a reservoir, doi:10.1016/j.ipl.2005.11.003

    Examples
    --------
    >>> from priors import Geometric
    >>> prior = Geometric(n=30, scale=0.1, edges=60)
    >>> prior.sample(0).n_edges, prior.places(0).shape
    (120, (30, 2))
    """

    n: int
    scale: float
    p: float | None = None
    edges: int | None = None
    dimensions: int = 2
    family: ClassVar[str] = "geometric"

    def __post_init__(self) -> None:
        n = whole("Geometric", "n", self.n, 1, _MOST_NODES)
        scale = number(self.scale)
        if not scale > 0:
            raise ValueError(f"scale={self.scale!r}: Geometric needs a number with 0 < scale")
        settle(self, n=n, scale=scale, dimensions=whole("Geometric", "dimensions", self.dimensions, 1, 8))
        if (self.p is None) == (self.edges is None):
            raise ValueError(f"p={self.p!r}, edges={self.edges!r}: Geometric needs exactly one of p and edges")
        if self.p is not None:
            settle(self, p=fraction("Geometric", "p", self.p))
        else:
            settle(self, edges=whole("Geometric", "edges", self.edges, 0, n_pairs(n), limit="n (n - 1) / 2"))

    def places(self, rng: Seed = None) -> NDArray[np.float64]:
        """Return where the nodes of the graph of the same seed lie, (n, dimensions) from 0 to 1."""
        import numpy as np

        return np.random.default_rng(rng).random((self.n, self.dimensions))

    def sample(self, rng: Seed = None) -> Wiring:
        """Draw one graph: a one-layer wiring of `n` neurons with both directions of every edge."""
        import numpy as np

        generator = np.random.default_rng(rng)
        places = self.places(generator)
        low, high = _pairs(self.n) if self.n <= _FEW else np.triu_indices(self.n, 1)
        decay = np.sqrt(sum((axis[low] - axis[high]) ** 2 for axis in places.T)) / self.scale
        doubles = generator.random(len(low))
        if self.p is not None:
            chosen = np.flatnonzero(doubles < self.p * np.exp(-decay))
        else:
            # Logarithms of waiting times, since odds of far pairs would be 0.
            with np.errstate(divide="ignore"):
                wait = np.log(-np.log1p(-doubles)) + decay
            chosen = np.argpartition(wait, max((self.edges or 0) - 1, 0))[: self.edges] if len(wait) else low
        return undirected_wiring(self.n, low[chosen], high[chosen])


@lru_cache(maxsize=8)
def _pairs(n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    import numpy as np

    return np.triu_indices(n, 1)


def _of_degree(params: Mapping[str, Any]) -> Geometric:
    n = params["n"]
    return Geometric(n, params["scale"], edges=edges_of_degree(n, params["degree"]))


GEOMETRIC = Family(
    make=Geometric,
    arguments=(
        NODES,
        Argument("scale", float, "distance at which edges are e times less likely, in sides of the square"),
        Argument("p", float, "probability of an edge at distance 0", is_needed=False),
        Argument("edges", int, "number of edges", is_needed=False),
        Argument("dimensions", int, "dimensions of the space", is_needed=False),
    ),
    of_degree=_of_degree,
    mean_degree=lambda prior: 2 * prior.edges / prior.n,
    parameters=(
        Parameter(
            "scale",
            "Distance at which edges of geometric are e times less likely, in sides of the square.",
            (0.02, 1.0),
            limits=(0.001, 1000.0),
            log=True,
        ),
    ),
    example=lambda: Geometric(12, 0.2, edges=20),
)
