"""From a mean degree, which all families share, to each family's own parameter. Imports priors only.

The degree is a real number in the search space so that families can be compared at nearly equal size; every family
takes the nearest degree that it can reach.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from priors import BarabasiAlbert, ErdosRenyi, Prior, WattsStrogatz

__all__ = ["FAMILIES"]


def _watts_strogatz(params: Mapping[str, Any]) -> Prior:
    n = params["n"]
    most = (n - 1) // 2
    return WattsStrogatz(n, 2 * min(max(round(params["degree"] / 2), 1), most), params["p"])


def _barabasi_albert(params: Mapping[str, Any]) -> Prior:
    n, initial = params["n"], params["initial"]
    wanted = params["degree"] * n / 2
    # Beyond m = n / 2 only growth from a complete graph still gains edges; elsewhere ties go to the smaller m.
    m = min(range(1, n), key=lambda m: abs(_n_edges(n, m, initial) - wanted))
    return BarabasiAlbert(n, m, initial)


def _n_edges(n: int, m: int, initial: str) -> int:
    """Return the edges of a grown graph: m for every added node, and those of the initial graph."""
    return m * (n - m) if initial != "complete" else m * (m + 1) // 2 + m * (n - m - 1)


def _erdos_renyi(params: Mapping[str, Any]) -> Prior:
    n = params["n"]
    return ErdosRenyi(n, edges=min(max(round(params["degree"] * n / 2), 1), n * (n - 1) // 2))


FAMILIES: dict[str, Callable[[Mapping[str, Any]], Prior]] = {
    "watts-strogatz": _watts_strogatz,
    "barabasi-albert": _barabasi_albert,
    "erdos-renyi": _erdos_renyi,
}
"""Family name to the prior of given n, degree and the family's own parameters."""
