"""Record of layered wirings, whose prior `priors.bipartite` holds."""

from __future__ import annotations

from priors.families.record import Argument, Family, Later, numbers

__all__ = ["LAYERED"]

LAYERED = Family(
    make=Later("priors.bipartite", "Layered"),
    arguments=(
        Argument(
            "sizes",
            str,
            "neurons per layer, such as 32,32",
            parse=numbers("sizes", int, "neurons per layer are written like 32,32"),
        ),
        Argument("density", float, "share of edges present", is_needed=False),
        Argument("edges", int, "number of edges", is_needed=False),
        Argument("allocation", str, "uniform or erk: how edges are shared out over blocks", is_needed=False),
        Argument(
            "pattern",
            str,
            "uniform, small-world, scale-free, fan-in or regular: how edges lie in a block",
            is_needed=False,
        ),
        Argument("beta", float, "small-world: share of the edges that are rewired", is_needed=False),
    ),
    is_undirected=False,
    example=lambda: Later("priors.bipartite", "Layered")((3, 4, 2), 0.5),
)
