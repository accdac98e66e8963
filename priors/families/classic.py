"""Records of the three classic families, whose priors `priors.graphs` holds, and of layered wirings."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from priors.families.record import NODES, Argument, Family, Later, Parameter, edges_of_degree, n_pairs

if TYPE_CHECKING:
    from priors.graphs import BarabasiAlbert, ErdosRenyi, Prior, WattsStrogatz

__all__ = ["BARABASI_ALBERT", "ERDOS_RENYI", "WATTS_STROGATZ", "P"]

P = Parameter(
    "p",
    "Probability of rewiring of watts-strogatz and ws-flex, of shortcuts of newman-watts.",
    (0.0, 1.0),
    limits=(0.0, 1.0),
)
"""What makes a lattice a small world."""

_INITIAL = ("isolated", "star", "complete")
_MOST_PAIRS = 10**9
"""Of nodes: erdos-renyi holds a number for each of them while it draws."""


def _watts_strogatz(params: Mapping[str, Any]) -> Prior:
    from priors.graphs import WattsStrogatz

    n = params["n"]
    most = (n - 1) // 2
    return WattsStrogatz(n, 2 * min(max(round(params["degree"] / 2), 1), most), params["p"])


def _degree_of_watts_strogatz(prior: WattsStrogatz) -> float:
    return prior.k


def _barabasi_albert(params: Mapping[str, Any]) -> Prior:
    from priors.graphs import BarabasiAlbert

    n, initial = params["n"], params["initial"]
    wanted = params["degree"] * n / 2
    # Beyond m = n / 2 only growth from a complete graph still gains edges; ties go to the smaller m.
    gaining = range(1, n if initial == "complete" else n // 2 + 1)
    above = bisect_left(gaining, wanted, key=lambda m: _n_grown(n, m, initial))
    m = min(gaining[max(above - 1, 0) : above + 1], key=lambda m: abs(_n_grown(n, m, initial) - wanted))
    return BarabasiAlbert(n, m, initial)


def _n_grown(n: int, m: int, initial: str) -> int:
    """Return the edges of a grown graph: m for every added node, and those of the initial graph."""
    return m * (n - m) if initial != "complete" else m * (m + 1) // 2 + m * (n - m - 1)


def _degree_of_barabasi_albert(prior: BarabasiAlbert) -> float:
    return 2 * _n_grown(prior.n, prior.m, prior.initial) / prior.n


def _erdos_renyi(params: Mapping[str, Any]) -> Prior:
    from priors.graphs import ErdosRenyi

    return ErdosRenyi(params["n"], edges=edges_of_degree(params["n"], params["degree"]))


def _degree_of_erdos_renyi(prior: ErdosRenyi) -> float:
    assert prior.edges is not None
    return 2 * prior.edges / prior.n


class _ErdosRenyi(Later):
    """Refuses more pairs of nodes than memory holds."""

    def __call__(self, n: int, *args: Any, **arguments: Any) -> Prior:
        """Return a prior of `n` nodes."""
        if n_pairs(n) > _MOST_PAIRS:
            most = (1 + math.isqrt(1 + 8 * _MOST_PAIRS)) // 2
            raise ValueError(f"nodes={n}: erdos-renyi needs memory for every pair of nodes; nearest valid is {most}")
        return super().__call__(n, *args, **arguments)


WATTS_STROGATZ = Family(
    make=Later("priors.graphs", "WattsStrogatz"),
    arguments=(
        NODES,
        Argument("k", int, "neighbours on the ring, even"),
        Argument("p", float, "probability that an edge is rewired"),
    ),
    of_degree=_watts_strogatz,
    mean_degree=_degree_of_watts_strogatz,
    parameters=(P,),
    example=lambda: Later("priors.graphs", "WattsStrogatz")(12, 4, 0.2),
)

BARABASI_ALBERT = Family(
    make=Later("priors.graphs", "BarabasiAlbert"),
    arguments=(
        NODES,
        Argument("m", int, "edges of a new node"),
        Argument("initial", str, "isolated, star or complete graph to start from", is_needed=False),
    ),
    of_degree=_barabasi_albert,
    mean_degree=_degree_of_barabasi_albert,
    parameters=(
        Parameter(
            "initial",
            "Initial graph of barabasi-albert: isolated, star, complete.",
            ("isolated",),
            choices=_INITIAL,
        ),
    ),
    example=lambda: Later("priors.graphs", "BarabasiAlbert")(12, 2),
)

ERDOS_RENYI = Family(
    make=_ErdosRenyi("priors.graphs", "ErdosRenyi"),
    arguments=(
        NODES,
        Argument("p", float, "probability of each edge", is_needed=False),
        Argument("edges", int, "number of edges", is_needed=False),
    ),
    of_degree=_erdos_renyi,
    mean_degree=_degree_of_erdos_renyi,
    example=lambda: Later("priors.graphs", "ErdosRenyi")(12, edges=20),
)
