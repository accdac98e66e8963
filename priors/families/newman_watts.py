"""Newman-Watts graphs: small worlds whose ring is never cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from priors.checks import fraction, settle, whole
from priors.families.classic import P
from priors.families.record import NODES, Argument, Family, edges_of_degree, n_pairs, undirected_wiring

if TYPE_CHECKING:
    from priors.draws import Seed
    from priors.wiring import Wiring

__all__ = ["NEWMAN_WATTS", "NewmanWatts"]


@dataclass(frozen=True)
class NewmanWatts:
    """Small worlds without rewiring: a ring lattice, and shortcuts between nodes that it does not join.

    Parameters
    ----------
    n : int
        Nodes, at least 3.
    k : int
        Degree of the lattice, even, 2 <= k <= n - 1: every node is joined to its k/2 nearest on each side.
    p : float, optional
        Probability of a shortcut for every edge of the lattice; there are no more than nodes that lack an edge.
    shortcuts : int, optional
        Exact number of shortcuts. Exactly one of `p` and `shortcuts` is given.

    Raises
    ------
    ValueError
        For parameters out of bounds, or if not exactly one of `p` and `shortcuts` is given.

    Notes
    -----
    By `p` one double an edge of the lattice is drawn, and a shortcut counts where it is below `p`. Then a subset of the
    pairs that the lattice does not join is drawn, which count by their distance on the ring and then node by node. In
    networkx a shortcut begins at the edge that it is drawn for, so that degrees vary a little less.

    References
    ----------
    Newman and Watts (1999), Renormalization group analysis of the small-world network model,
    doi:10.1016/S0375-9601(99)00757-4

    Examples
    --------
    >>> from priors import NewmanWatts
    >>> graph = NewmanWatts(n=20, k=4, shortcuts=5).sample(0)
    >>> graph.n_edges // 2  # 20 * 4 / 2 of the lattice, and 5
    45
    """

    n: int
    k: int
    p: float | None = None
    shortcuts: int | None = None
    family: ClassVar[str] = "newman-watts"

    def __post_init__(self) -> None:
        n = whole("NewmanWatts", "n", self.n, 3, 2**31 - 1)
        k = whole("NewmanWatts", "k", self.k, 2, n - 1, limit="n - 1", even=True)
        settle(self, n=n, k=k)
        if (self.p is None) == (self.shortcuts is None):
            raise ValueError(
                f"p={self.p!r}, shortcuts={self.shortcuts!r}: NewmanWatts needs exactly one of p and shortcuts"
            )
        if self.p is not None:
            settle(self, p=fraction("NewmanWatts", "p", self.p))
        else:
            most, limit = n_pairs(n) - n * k // 2, "pairs that the lattice does not join"
            settle(self, shortcuts=whole("NewmanWatts", "shortcuts", self.shortcuts, 0, most, limit=limit))

    def sample(self, rng: Seed = None) -> Wiring:
        """Draw one graph: a one-layer wiring of `n` neurons with both directions of every edge."""
        import numpy as np

        from priors.draws import subset

        n, generator = self.n, np.random.default_rng(rng)
        lattice = np.arange(n * (self.k // 2))
        free, count = n_pairs(n) - len(lattice), self.shortcuts
        if self.p is not None:
            count = min(int((generator.random(len(lattice)) < self.p).sum()), free)
        # Pair number i joins the nodes i mod n and i div n + 1 places further on.
        pair = np.concatenate([lattice, subset(generator, free, count or 0) + len(lattice)])
        near = pair % n
        return undirected_wiring(n, near, (near + pair // n + 1) % n)


def _of_degree(params: Mapping[str, Any]) -> NewmanWatts:
    """Return a lattice of about degree / (1 + p), and as many shortcuts as are missing."""
    n, degree = params["n"], params["degree"]
    edges = edges_of_degree(n, degree, least=n)
    half = min(max(round(degree / (1 + params["p"]) / 2), 1), edges // n, (n - 1) // 2)
    return NewmanWatts(n, 2 * half, shortcuts=edges - n * half)


def _mean_degree(prior: NewmanWatts) -> float:
    assert prior.shortcuts is not None
    return prior.k + 2 * prior.shortcuts / prior.n


NEWMAN_WATTS = Family(
    make=NewmanWatts,
    arguments=(
        NODES,
        Argument("k", int, "neighbours on the ring, even"),
        Argument("p", float, "probability of a shortcut for each edge of the ring", is_needed=False),
        Argument("shortcuts", int, "number of shortcuts", is_needed=False),
    ),
    of_degree=_of_degree,
    mean_degree=_mean_degree,
    parameters=(P,),
    example=lambda: NewmanWatts(12, 4, shortcuts=5),
)
