"""Draft: nodes and edges as a file gives them, in any order, kept in arrays until they are a wiring."""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray

from priors.formats import limits
from priors.formats.edges import FileEdges, kept_directed, settled_edges
from priors.formats.reading import Reading
from priors.formats.values import shown
from priors.wiring import Wiring

__all__ = ["Draft", "undirected_half"]

_NO_LAYER = -1


class Draft:
    """Collects named nodes and edges; `wiring` numbers them by layer as `Wiring.from_networkx` does."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._numbers: dict[str | int, int] = {}
        self._order = array("i")
        self._layers = array("q")
        self._declared = bytearray()
        self._ends = array("i")
        self._weights = array("d")
        self._otherwise = bytearray()

    def node(self, name: str | int, layer: int | None = None) -> None:
        """Add a node that the file declares."""
        number = self._number(name)
        if self._declared[number]:
            raise ValueError(f"node {shown(name)} is there twice")
        self._declared[number] = 1
        self._order.append(number)
        self._layers.append(_NO_LAYER if layer is None else min(layer, 2**62))

    def edge(
        self, source: str | int, target: str | int, weight: float | None = None, *, otherwise: bool = False
    ) -> None:
        """Add an edge between nodes that are declared before or after it.

        One that is `otherwise` is undirected where the graph is directed, and directed where the graph is undirected.
        """
        if len(self._weights) >= limits.MAX_EDGES:
            raise ValueError(f"holds more than the {limits.MAX_EDGES} edges that are read at most")
        self._ends.append(self._number(source))
        self._ends.append(self._number(target))
        self._weights.append(np.nan if weight is None else weight)
        self._otherwise.append(otherwise)

    def mention(self, name: str | int) -> None:
        """Count a node among the ends of edges, whether or not it is one."""
        self._number(name)

    def declare_ends(self) -> None:
        """Declare the ends of edges that no node was declared for: sorted where all names are integers."""
        whole = all(type(name) is int for name in self._numbers)
        for name in sorted(self._numbers) if whole else list(self._numbers):
            if not self._declared[self._numbers[name]]:
                self.node(name)

    def wiring(
        self,
        *,
        directed: bool | None,
        inputs: bool = False,
        outputs: bool = False,
        missing_is_one: bool = False,
        is_declared: bool = True,
    ) -> Wiring:
        """Return the wiring: one layer where a node has none, or where the layers are not 0, 1, … without gaps.

        Parameters
        ----------
        directed : bool or None
            What the file says about its edges; None where it says nothing.
        inputs, outputs : bool
            As in `Wiring`.
        missing_is_one : bool
            Whether the format says that a weight that is left out is 1.
        is_declared : bool
            As in `FileEdges`.
        """
        self._refuse_undeclared()
        order, layers = np.array(self._order, dtype=np.int64), np.array(self._layers, dtype=np.int64)
        sizes = self._sizes(layers)
        if len(sizes) == 1 and (inputs or outputs):
            why = next((remark for remark in self._reading.remarks if "layer" in remark), "only one")
            raise ValueError(f"input and output units need layers, and it has {why}")
        if len(sizes) > 1:
            order = order[np.argsort(layers, kind="stable")]
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        known = list(self._numbers)
        names = [known[number] for number in order.tolist()]
        otherwise = np.frombuffer(self._otherwise, np.bool_)
        found = FileEdges(
            place[np.array(self._ends, dtype=np.int64)].reshape(-1, 2),
            np.array(self._weights),
            directed,
            otherwise if otherwise.any() else None,
            missing_is_one,
            is_declared,
        )
        edges, weights = settled_edges(found, self._reading, lambda number: shown(names[number]))
        wiring = Wiring(
            sizes,
            edges,
            inputs=inputs,
            outputs=outputs,
            weights=weights,
            names=None if names == list(range(len(names))) else names,
        )
        return kept_directed(wiring, found, self._reading)

    def _sizes(self, layers: NDArray[np.int64]) -> list[int]:
        if layers.size == 0:
            return []
        if (layers == _NO_LAYER).any():
            if (layers != _NO_LAYER).any():
                self._reading.remark("layers of some nodes only, which are not read")
            return [layers.size]
        counts = np.bincount(np.minimum(layers, layers.size))
        if not counts.all():
            empty = int(np.argmin(counts))
            self._reading.remark(f"layers that are not numbered 0, 1, … (none has layer {empty}), which are not read")
            return [layers.size]
        return [int(count) for count in counts]

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

    A wiring is an undirected graph where every edge stands beside its reverse, with the same weight, the sign of 0
    included.
    """
    if not wiring.is_undirected:
        return None
    if wiring.weights is not None:
        reverse = np.lexsort((wiring.edges[:, 0], wiring.edges[:, 1]))
        if wiring.weights.tobytes() != wiring.weights[reverse].tobytes():
            return None
    return wiring.edges[:, 0] <= wiring.edges[:, 1]
