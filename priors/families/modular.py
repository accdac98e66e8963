"""Modular graphs: communities of equal size, with an exact number of edges within and between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from priors.checks import fraction, settle, whole
from priors.families.blocks import BlockPairs, equal_sizes
from priors.families.record import NODES, Argument, Family, Parameter, edges_of_degree, undirected_wiring

if TYPE_CHECKING:
    from priors.draws import Seed
    from priors.wiring import Wiring

__all__ = ["MODULAR", "Modular"]


@dataclass(frozen=True)
class Modular:
    """Random graphs of communities: of exactly `edges` edges a share `mixing` runs between modules.

    Parameters
    ----------
    n : int
        Nodes, at least 2.
    modules : int
        Communities, 1 <= modules <= n; they hold consecutive nodes, the first of them one more where n is no multiple.
    edges : int
        Number of undirected edges.
    mixing : float
        Share of the edges that run between modules, 0 to 1. Where there is no room for so many on one side, the others
        lie on the other side.

    Raises
    ------
    ValueError
        For parameters out of bounds.

    Notes
    -----
    Draws a subset of the pairs within modules, and then one of those between. This is the microcanonical planted
    partition, whose `mixing` is the mixing parameter of benchmarks of community detection.

    References
    ----------
    Girvan and Newman (2002), Community structure in social and biological networks, doi:10.1073/pnas.122653799;
    Lancichinetti, Fortunato and Radicchi (2008), doi:10.1103/PhysRevE.78.046110

    Examples
    --------
    >>> from priors import Modular
    >>> prior = Modular(n=40, modules=4, edges=100, mixing=0.2)
    >>> prior.n_between, prior.sample(0).n_edges
    (20, 200)
    """

    n: int
    modules: int
    edges: int
    mixing: float
    family: ClassVar[str] = "modular"

    def __post_init__(self) -> None:
        n = whole("Modular", "n", self.n, 2, 2**31 - 1)
        settle(self, n=n, modules=whole("Modular", "modules", self.modules, 1, n, limit="n"))
        most = n * (n - 1) // 2
        settle(self, edges=whole("Modular", "edges", self.edges, 0, most, limit="n (n - 1) / 2"))
        settle(self, mixing=fraction("Modular", "mixing", self.mixing))

    @cached_property
    def n_between(self) -> int:
        """Edges between modules, the same in every sample."""
        within, between = (sum(pairs.counts) for pairs in self._pairs)
        return min(max(round(self.mixing * self.edges), self.edges - within), between)

    @cached_property
    def _pairs(self) -> tuple[BlockPairs, BlockPairs]:
        sizes = equal_sizes(self.n, self.modules)
        return BlockPairs.within(sizes), BlockPairs.between(sizes)

    def sample(self, rng: Seed = None) -> Wiring:
        """Draw one graph: a one-layer wiring of `n` neurons with both directions of every edge."""
        import numpy as np

        from priors.draws import subset

        generator = np.random.default_rng(rng)
        within, between = self._pairs
        inside = within.nodes(subset(generator, sum(within.counts), self.edges - self.n_between))
        outside = between.nodes(subset(generator, sum(between.counts), self.n_between))
        return undirected_wiring(self.n, *(np.concatenate(ends) for ends in zip(inside, outside, strict=True)))


def _of_degree(params: Mapping[str, Any]) -> Modular:
    n = params["n"]
    return Modular(n, min(params["modules"], n), edges_of_degree(n, params["degree"]), params["mixing"])


MODULAR = Family(
    make=Modular,
    arguments=(
        NODES,
        Argument("modules", int, "number of communities"),
        Argument("edges", int, "number of edges"),
        Argument("mixing", float, "share of the edges between communities"),
    ),
    of_degree=_of_degree,
    mean_degree=lambda prior: 2 * prior.edges / prior.n,
    parameters=(
        Parameter("modules", "Communities of modular.", (2, 8), limits=(1, 1000), is_whole=True),
        Parameter("mixing", "Share of the edges between communities of modular.", (0.0, 0.5), limits=(0.0, 1.0)),
    ),
    example=lambda: Modular(12, 3, 20, 0.2),
)
