"""Which of the user's own graphs can become networks without cycles; importing this costs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from priors import GraphPool, Wiring

__all__ = ["KEEPS_CYCLES", "Usable", "has_weights", "listed", "scaled_weights", "usable"]

KEEPS_CYCLES = "graphs_directed=false keeps such graphs, and orientation then gives each pair of neurons one direction"
"""How to go on with graphs that have directed cycles."""

_MOST_POOLS, _MOST_NAMES = 8, 3


@dataclass(frozen=True)
class Usable:
    """What of own graphs a space can use, and what it leaves out.

    Parameters
    ----------
    pool : GraphPool
        The usable graphs, without self edges where networks have no recurrence.
    cyclic : tuple of str
        Names of graphs that are left out.
    looped : tuple of str
        Names of usable graphs that lost self edges.
    """

    pool: GraphPool
    cyclic: tuple[str, ...] = ()
    looped: tuple[str, ...] = ()

    @classmethod
    def of(cls, pool: GraphPool) -> Usable:
        """Return what of a pool can be oriented or layered; all of it where nothing can be."""
        from priors import GraphPool
        from priors.transforms import drop_self_edges

        kept: dict[str, Wiring] = {}
        cyclic, looped = [], []
        for name, graph in zip(pool.names, pool.wirings, strict=True):
            own = graph if graph.inputs else drop_self_edges(graph)
            if not (own.inputs or own.is_acyclic or own.is_undirected):
                cyclic.append(name)
                continue
            kept[name] = own
            if own is not graph:
                looped.append(name)
        if not kept:
            return cls(pool)
        same = not (cyclic or looped)
        return cls(pool if same else GraphPool(kept.values(), kept), tuple(cyclic), tuple(looped))


_USABLE: dict[tuple[str, str, tuple[str, ...]], Usable] = {}
"""Of the pools that were asked for last."""


def usable(pool: GraphPool) -> Usable:
    """Return what of a pool can be used, which is found out once."""
    key = (pool.fingerprint, pool.weights_fingerprint, pool.names)
    if key not in _USABLE:
        if len(_USABLE) >= _MOST_POOLS:
            _USABLE.clear()
        _USABLE[key] = Usable.of(pool)
    return _USABLE[key]


def has_weights(graph: Wiring) -> bool:
    """Whether a graph has weights, some of which are numbers other than 0."""
    import numpy as np

    return graph.weights is not None and bool(np.any(np.isfinite(graph.weights) & (graph.weights != 0)))


def scaled_weights(graph: Wiring) -> Wiring:
    """Return a graph whose weights one factor has brought to about the size of drawn ones.

    Those have a variance of about 1 over the number of weights that their neuron reads, so that the mean square is made
    the mean of that over the edges of the graph; orientation, units and activations change it a little. Weights that
    are no finite numbers are NaN, for drawn ones; without any other than 0 there are none.
    """
    import numpy as np

    if graph.weights is None or not has_weights(graph):
        return graph.replace(weights=None)
    weights = np.where(np.isfinite(graph.weights), graph.weights.astype(np.float64), np.nan)
    wanted = np.sqrt(np.count_nonzero(graph.in_degree) / graph.n_edges)
    return graph.replace(weights=(weights * (wanted / np.sqrt(np.nanmean(np.square(weights))))).astype(np.float32))


def listed(names: Sequence[str]) -> str:
    """Return some of many names."""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{', '.join(names[:_MOST_NAMES])}{more}"
