"""Draft: nodes and edges as a file tells them, in any order, kept in arrays until they are a wiring."""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray

from priors.formats import limits
from priors.formats.values import shown
from priors.wiring import Wiring

__all__ = ["Draft", "undirected_half"]

_NO_LAYER = -1


class Draft:
    """Collects named nodes and edges; `wiring` numbers them by layer as `Wiring.from_networkx` does."""

    def __init__(self) -> None:
        self._numbers: dict[str | int, int] = {}
        self._order = array("i")
        self._layers = array("q")
        self._declared = bytearray()
        self._ends = array("i")
        self._weights = array("d")

    def node(self, name: str | int, layer: int | None = None) -> None:
        """Add a node that the file declares."""
        number = self._number(name)
        if self._declared[number]:
            raise ValueError(f"node {shown(name)} is there twice")
        self._declared[number] = 1
        self._order.append(number)
        self._layers.append(_NO_LAYER if layer is None else min(layer, 2**62))

    def edge(self, source: str | int, target: str | int, weight: float | None = None) -> None:
        """Add an edge between nodes that are declared before or after it."""
        if len(self._weights) >= limits.MAX_EDGES:
            raise ValueError(f"holds more than the {limits.MAX_EDGES} edges that are read at most")
        self._ends.append(self._number(source))
        self._ends.append(self._number(target))
        self._weights.append(np.nan if weight is None else weight)

    def declare_ends(self) -> None:
        """Declare the ends of all edges: sorted where all their names are integers, as they came otherwise."""
        whole = all(type(name) is int for name in self._numbers)
        for name in sorted(self._numbers) if whole else list(self._numbers):
            self.node(name)

    def wiring(self, *, directed: bool, inputs: bool = False, outputs: bool = False) -> Wiring:
        """Return the wiring: one layer where a node has none; weights where all edges have one."""
        self._refuse_undeclared()
        order, layers = np.array(self._order, dtype=np.int64), np.array(self._layers, dtype=np.int64)
        sizes = _sizes(layers)
        if len(sizes) > 1:
            order = order[np.argsort(layers, kind="stable")]
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        edges = place[np.array(self._ends, dtype=np.int64)].reshape(-1, 2)
        weights = np.array(self._weights)
        known = list(self._numbers)
        names = [known[number] for number in order.tolist()]
        _refuse_repeated(edges, names, directed)
        if not directed:
            other = edges[:, 0] != edges[:, 1]
            edges = np.concatenate([edges, edges[other, ::-1]])
            weights = np.concatenate([weights, weights[other]])
        if len(edges) > limits.MAX_EDGES:
            raise ValueError(f"{len(edges)} edges are more than the {limits.MAX_EDGES} that are read at most")
        return Wiring(
            sizes,
            edges,
            inputs=inputs,
            outputs=outputs,
            weights=weights if len(weights) and not np.isnan(weights).any() else None,
            names=None if names == list(range(len(names))) else names,
        )

    def _number(self, name: str | int) -> int:
        number = self._numbers.get(name)
        if number is None:
            number = len(self._numbers)
            if number >= limits.MAX_NEURONS:
                raise ValueError(f"holds more than the {limits.MAX_NEURONS} nodes that are read at most")
            self._numbers[name] = number
            self._declared.append(0)
        return number

    def _refuse_undeclared(self) -> None:
        missing = self._declared.find(0)
        if missing >= 0:
            raise ValueError(f"node {shown(list(self._numbers)[missing])} has an edge, but is not declared as a node")


def undirected_half(wiring: Wiring) -> NDArray[np.bool_] | None:
    """Return the (n_edges,) bool array of the edges that stand for an undirected graph, or None if it is directed.

    A wiring is an undirected graph where every edge stands beside its reverse, with the same weight.
    """
    if not wiring.is_undirected:
        return None
    if wiring.weights is not None:
        reverse = np.lexsort((wiring.edges[:, 0], wiring.edges[:, 1]))
        if not np.array_equal(wiring.weights, wiring.weights[reverse]):
            return None
    return wiring.edges[:, 0] <= wiring.edges[:, 1]


def _sizes(layers: NDArray[np.int64]) -> list[int]:
    if layers.size == 0:
        return []
    if (layers == _NO_LAYER).any():
        return [layers.size]
    counts = np.bincount(np.minimum(layers, layers.size))
    if not counts.all():
        raise ValueError(f"layer {int(np.argmin(counts))} holds no node: layers are numbered 0, 1, … without gaps")
    return [int(count) for count in counts]


def _refuse_repeated(edges: NDArray[np.int64], names: list[str | int], directed: bool) -> None:
    ends = edges if directed else np.sort(edges, axis=1)
    keys = np.sort(ends[:, 0] * len(names) + ends[:, 1])
    repeated = keys[1:][keys[1:] == keys[:-1]]
    if repeated.size:
        source, target = divmod(int(repeated[0]), len(names))
        raise ValueError(
            f"edge ({shown(names[source])}, {shown(names[target])}) is there twice: every edge is given once"
        )
