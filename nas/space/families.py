"""From a mean degree, which all families share, to each family's own parameter. Imports priors only.

The degree is a real number in the search space so that families can be compared at nearly equal size; every family
takes the nearest degree that it can reach.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import TYPE_CHECKING, Any

from priors import BarabasiAlbert, ErdosRenyi, Prior, WattsStrogatz

if TYPE_CHECKING:
    from nas.space.space import Space

__all__ = ["FAMILIES", "out_of_reach"]


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


def out_of_reach(space: Space) -> list[str]:
    """Return a line on each family of a space that cannot reach an end of its range of degrees, at any size."""
    if space.graphs is not None:
        return []
    (low, high), (fewest, most) = space.degree, space.nodes
    neurons = f"{most} neurons" if fewest == most else f"{fewest} to {most} neurons"
    lines = []
    for family in space.priors:
        least, largest = _reach(family, space)
        told = []
        if low < least:
            told.append(f"reaches {least:.4g} at least, and gets {f'{least:.4g}' if high <= least else 'no less'}")
        if high > largest:
            told.append(f"reaches {largest:.4g} at most, and gets {f'{largest:.4g}' if low >= largest else 'no more'}")
        if told:
            wanted = f"{low:g}" if low == high else f"{low:g}:{high:g}"
            lines.append(f"space.degree={wanted}: {family} of {neurons} {'; it '.join(told)}")
    return lines


def _reach(family: str, space: Space) -> tuple[float, float]:
    """Return the least and the largest mean degree of a family; both are those of its smallest or largest graphs."""
    found = [
        _mean_degree(FAMILIES[family]({"n": n, "degree": wanted, "p": 0.0, "initial": initial}))
        for n, initial in product(space.nodes, space.initial)
        for wanted in (0.0, float(n))
    ]
    return min(found), max(found)


def _mean_degree(prior: Prior) -> float:
    if isinstance(prior, WattsStrogatz):
        return prior.k
    if isinstance(prior, BarabasiAlbert):
        return 2 * _n_edges(prior.n, prior.m, prior.initial) / prior.n
    assert isinstance(prior, ErdosRenyi)
    assert prior.edges is not None
    return 2 * prior.edges / prior.n
