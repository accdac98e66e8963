"""Wiring: the one type that everything speaks. A directed graph over neurons that are numbered layer by layer."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from priors.compiled import extension
from priors.edges import (
    checked_names,
    checked_sizes,
    checked_weights,
    protected,
    refuse_unit_edges,
    sorted_rows,
)

if TYPE_CHECKING:
    import networkx as nx
    import scipy.sparse

__all__ = ["Wiring", "trusted_wiring"]

_FINGERPRINT_HEADER = b"wirenas-wiring-1\0"


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Wiring:
    """A directed graph over neurons, which are numbered layer by layer.

    An edge into a later layer acts within the step (*forward*); every other edge is *recurrent*: it acts one time step
    later. An undirected graph is a one-layer wiring that holds both directions of every edge.

    Parameters
    ----------
    sizes : tuple of int
        Neurons per layer, each at least 1. Authoritative: a layer may hold neurons without any edge.
    edges : (n_edges, 2) integer array
        Rows (source, target) of neuron numbers. Sorted on construction and kept as a write-protected int32 array.
    inputs, outputs : bool
        Whether the first / last layer are input / output units, which have no activation of their own.
    weights : (n_edges,) float array, optional
        One weight an edge, in the order in which `edges` was given; NaN where an edge has none of its own. Not part of
        the identity.
    names : sequence of hashable, optional
        One distinct name a neuron. Not part of the identity.
    directed : bool
        Whether edges have a direction even where every edge stands beside its reverse, which is an undirected graph
        otherwise. Not part of the identity.

    Raises
    ------
    ValueError
        For an empty layer, an edge outside the neurons, a repeated edge, an edge into an input unit or out of an output
        unit, or weights and names of the wrong length.

    Notes
    -----
    Two wirings are equal when `sizes`, `edges`, `inputs` and `outputs` are equal, and `fingerprint` is then equal too.

    Examples
    --------
    >>> from priors import Wiring
    >>> wiring = Wiring((2, 3, 1), [(0, 2), (0, 3), (1, 4), (2, 5), (3, 5), (4, 5)], inputs=True, outputs=True)
    >>> wiring
    <Wiring 2-3-1, inputs, outputs: 6 neurons, 6 edges, ...>
    >>> [mask.shape for mask in wiring.masks()]
    [(3, 2), (1, 3)]
    >>> Wiring.from_networkx(wiring.to_networkx()) == wiring
    True
    """

    sizes: tuple[int, ...]
    edges: NDArray[np.int32]
    inputs: bool = False
    outputs: bool = False
    weights: NDArray[np.float32] | None = None
    names: tuple[Hashable, ...] | None = None
    directed: bool = False

    def __init__(
        self,
        sizes: Sequence[int],
        edges: ArrayLike = (),
        inputs: bool = False,
        outputs: bool = False,
        weights: ArrayLike | None = None,
        names: Sequence[Hashable] | None = None,
        directed: bool = False,
    ) -> None:
        own_sizes = checked_sizes(sizes, bool(inputs) + bool(outputs))
        rows, order = sorted_rows(edges, sum(own_sizes), keep_order=weights is not None)
        refuse_unit_edges(rows, own_sizes, bool(inputs), bool(outputs))
        vars(self).update(
            sizes=own_sizes,
            edges=rows,
            inputs=bool(inputs),
            outputs=bool(outputs),
            weights=checked_weights(weights, order),
            names=checked_names(names, sum(own_sizes)),
            directed=bool(directed),
        )

    # Identity

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal sha256 that identifies the wiring on every platform.

        The hashed bytes are the text ``wirenas-wiring-1`` and a zero byte, then little-endian: the number of layers
        and each size as uint32, `inputs` and `outputs` as one byte each, the number of edges as uint64, and the
        sorted edges as int32 (source, target) pairs.
        """
        digest = hashlib.sha256(_FINGERPRINT_HEADER)
        digest.update(np.array([self.n_layers, *self.sizes], dtype="<u4").tobytes())
        digest.update(bytes([self.inputs, self.outputs]))
        digest.update(np.array([self.n_edges], dtype="<u8").tobytes())
        digest.update(self.edges.astype("<i4", copy=False).tobytes())
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Wiring):
            return NotImplemented
        same_units = (self.sizes, self.inputs, self.outputs) == (other.sizes, other.inputs, other.outputs)
        return same_units and np.array_equal(self.edges, other.edges)

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        units = f"{', inputs' if self.inputs else ''}{', outputs' if self.outputs else ''}"
        sizes = "-".join(map(str, self.sizes if self.n_layers <= 8 else (*self.sizes[:3], "…", *self.sizes[-3:])))
        return f"<Wiring {sizes}{units}: {self.n_neurons} neurons, {self.n_edges} edges, {self.fingerprint[:12]}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Wiring, (self.sizes, self.edges, self.inputs, self.outputs, self.weights, self.names, self.directed)

    def replace(self, **changes: Any) -> Wiring:
        """Return a copy with some fields changed, checked like any new wiring."""
        return replace(self, **changes)

    # Neurons and layers

    @property
    def n_layers(self) -> int:
        """Number of layers, input and output units included."""
        return len(self.sizes)

    @property
    def n_neurons(self) -> int:
        """Number of neurons, input and output units included."""
        return sum(self.sizes)

    @property
    def n_edges(self) -> int:
        """Number of edges."""
        return len(self.edges)

    @property
    def n_inputs(self) -> int:
        """Number of input units; 0 where there are none."""
        return self.sizes[0] if self.inputs else 0

    @property
    def n_outputs(self) -> int:
        """Number of output units; 0 where there are none."""
        return self.sizes[-1] if self.outputs else 0

    @property
    def n_hidden(self) -> int:
        """Number of neurons that are neither input nor output units."""
        return self.n_neurons - self.n_inputs - self.n_outputs

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """(n_layers + 1,) int64 array: layer i holds the neurons ``offsets[i]`` up to ``offsets[i + 1]``."""
        return protected(np.concatenate([[0], np.cumsum(self.sizes, dtype=np.int64)]).astype(np.int64))

    @cached_property
    def layer_of(self) -> NDArray[np.int64]:
        """(n_neurons,) int64 array: the layer of every neuron."""
        return protected(np.repeat(np.arange(self.n_layers), self.sizes))

    def neurons(self, layer: int) -> range:
        """Return the numbers of the neurons of one layer; negative layers count from the end."""
        layer = range(self.n_layers)[layer]
        return range(int(self.offsets[layer]), int(self.offsets[layer + 1]))

    # Edges

    @cached_property
    def forward(self) -> NDArray[np.bool_]:
        """(n_edges,) bool array: whether an edge leads to a later layer and so acts within the step."""
        layers = self.layer_of[self.edges]
        return protected(layers[:, 1] > layers[:, 0])

    @cached_property
    def in_degree(self) -> NDArray[np.int64]:
        """(n_neurons,) int64 array: edges into every neuron."""
        return protected(np.bincount(self.edges[:, 1], minlength=self.n_neurons))

    @cached_property
    def out_degree(self) -> NDArray[np.int64]:
        """(n_neurons,) int64 array: edges out of every neuron."""
        return protected(np.bincount(self.edges[:, 0], minlength=self.n_neurons))

    @property
    def sources(self) -> NDArray[np.int64]:
        """Neurons without an edge into them, ascending (isolated neurons are sources and sinks)."""
        return np.flatnonzero(self.in_degree == 0)

    @property
    def sinks(self) -> NDArray[np.int64]:
        """Neurons without an edge out of them, ascending (isolated neurons are sources and sinks)."""
        return np.flatnonzero(self.out_degree == 0)

    @cached_property
    def is_undirected(self) -> bool:
        """Whether every edge stands beside its reverse, and the wiring is not `directed`."""
        if self.directed:
            return False
        reverse = self.edges[:, ::-1]
        order = np.lexsort((reverse[:, 1], reverse[:, 0]))
        return bool(np.array_equal(self.edges, reverse[order]))

    @cached_property
    def is_acyclic(self) -> bool:
        """Whether no path leads from a neuron back to itself."""
        if self.n_neurons == 0 or bool(self.forward.all()):
            return True
        if bool((self.edges[:, 0] == self.edges[:, 1]).any()):
            return False
        native = extension()
        if native is not None:
            return native.longest_paths(self.edges, self.n_neurons) is not None
        from scipy.sparse.csgraph import connected_components

        components, _ = connected_components(self.csr(), directed=True, connection="strong")
        return int(components) == self.n_neurons

    @property
    def hidden(self) -> Wiring:
        """The wiring without its input and output units; names and weights are kept."""
        if not (self.inputs or self.outputs):
            return self
        first, last = self.n_inputs, self.n_neurons - self.n_outputs
        kept = ((self.edges >= first) & (self.edges < last)).all(axis=1)
        return Wiring(
            self.sizes[int(self.inputs) : self.n_layers - int(self.outputs)],
            self.edges[kept] - first,
            weights=None if self.weights is None else self.weights[kept],
            names=None if self.names is None else self.names[first:last],
            directed=self.directed,
        )

    # Matrices

    def csr(self) -> scipy.sparse.csr_array:
        """Return the (target, source) adjacency as a float32 CSR array: `weights`, or 1 for every edge."""
        import scipy.sparse

        data = np.ones(self.n_edges, np.float32) if self.weights is None else self.weights
        shape = (self.n_neurons, self.n_neurons)
        return scipy.sparse.coo_array((data, (self.edges[:, 1], self.edges[:, 0])), shape=shape).tocsr()

    def mask(self, target: int, source: int) -> NDArray[np.bool_]:
        """Return the (n_target, n_source) bool mask between two layers, oriented like ``nn.Linear.weight``."""
        rows, columns = self.neurons(target), self.neurons(source)
        mask = np.zeros((len(rows), len(columns)), dtype=bool)
        first, last = np.searchsorted(self.edges[:, 0], [columns.start, columns.stop])
        into = self.edges[first:last]
        into = into[(into[:, 1] >= rows.start) & (into[:, 1] < rows.stop)]
        mask[into[:, 1] - rows.start, into[:, 0] - columns.start] = True
        return mask

    def masks(self) -> tuple[NDArray[np.bool_], ...]:
        """Return the (n_target, n_source) masks between consecutive layers; edges that skip a layer are not in them."""
        return tuple(self.mask(layer, layer - 1) for layer in range(1, self.n_layers))

    @classmethod
    def from_masks(cls, masks: Sequence[ArrayLike], inputs: bool = False, outputs: bool = False) -> Wiring:
        """Build a layered wiring from its (n_target, n_source) masks between consecutive layers.

        Raises
        ------
        ValueError
            If there is no mask, or a mask does not read as many neurons as the mask before it has rows.
        """
        blocks = [np.atleast_2d(np.asarray(mask)) != 0 for mask in masks]
        if not blocks:
            raise ValueError("masks is empty: a layered wiring needs at least one mask (n_target, n_source)")
        sizes = [blocks[0].shape[1]]
        edges = []
        for index, block in enumerate(blocks):
            if block.ndim != 2 or block.shape[1] != sizes[-1]:
                raise ValueError(f"mask {index} has shape {block.shape}: it must read {sizes[-1]} neurons")
            target, source = np.nonzero(block)
            edges.append(np.stack([source + sum(sizes[:-1]), target + sum(sizes)], axis=1))
            sizes.append(block.shape[0])
        return cls(sizes, np.concatenate(edges), inputs=inputs, outputs=outputs)

    # networkx

    def to_networkx(self) -> nx.DiGraph[Hashable]:
        """Return a ``networkx.DiGraph`` that `from_networkx` turns back into an equal wiring.

        Nodes carry their ``layer``, edges their ``weight`` where there is one, the graph ``inputs`` and ``outputs``.
        """
        import networkx as nx

        names = self.names if self.names is not None else range(self.n_neurons)
        graph: nx.DiGraph[Hashable] = nx.DiGraph(inputs=self.inputs, outputs=self.outputs)
        graph.add_nodes_from((name, {"layer": int(layer)}) for name, layer in zip(names, self.layer_of, strict=True))
        for index, (source, target) in enumerate(self.edges.tolist()):
            weight = {} if self.weights is None else {"weight": float(self.weights[index])}
            graph.add_edge(names[source], names[target], **weight)
        return graph

    @classmethod
    def from_networkx(cls, graph: nx.Graph[Any]) -> Wiring:
        """Turn a graph into a wiring; an undirected graph gives one layer with both directions of every edge.

        Where every node carries an integer ``layer`` (0, 1, … without gaps) the neurons are numbered by it, otherwise
        all of them form one layer. Nodes keep their order within a layer, their names where these are not 0, 1, …,
        and edges their ``weight`` where any of them has one: those without count as 1, as in networkx.

        Raises
        ------
        ValueError
            For a multigraph, or layers that are not 0, 1, … without gaps.
        """
        if graph.is_multigraph():
            raise ValueError("a multigraph has no wiring: give a networkx Graph or DiGraph, one edge a pair of nodes")
        nodes: list[Hashable] = list(graph)
        layers = [graph.nodes[node].get("layer") for node in nodes]
        layer_of = np.array([0] * len(nodes) if None in layers else layers)
        if layer_of.size and (layer_of.dtype.kind not in "iu" or layer_of.min() < 0):
            raise ValueError("the node attribute 'layer' must hold whole numbers from 0")
        layer_of = layer_of.astype(np.int64)
        nodes = [nodes[index] for index in np.argsort(layer_of, kind="stable")]
        counts = np.bincount(layer_of)
        if not counts.all():
            raise ValueError(f"layer {int(np.argmin(counts))} holds no node: layers are numbered 0, 1, … without gaps")
        number = {node: index for index, node in enumerate(nodes)}
        # Neighbours hold both directions of what has none; a copy of the graph with directions would take most of the
        # time.
        sources: list[int] = []
        targets: list[int] = []
        found: list[float | None] = []
        for source, neighbours in graph.adjacency():
            sources += [number[source]] * len(neighbours)
            targets += [number[target] for target in neighbours]
            found += [data.get("weight") for data in neighbours.values()]
        known = [1.0 if weight is None else weight for weight in found]
        return cls(
            counts.tolist(),
            np.array([sources, targets], dtype=np.int64).T,
            inputs=bool(graph.graph.get("inputs", False)),
            outputs=bool(graph.graph.get("outputs", False)),
            weights=known if any(weight is not None for weight in found) else None,
            names=None if nodes == list(range(len(nodes))) else nodes,
        )


def trusted_wiring(
    sizes: Sequence[int],
    edges: NDArray[np.int32],
    inputs: bool = False,
    outputs: bool = False,
    directed: bool = False,
) -> Wiring:
    """Build a wiring without any check, of what is known to be valid: sorted edges that are nobody else's."""
    wiring = object.__new__(Wiring)
    fields = {"sizes": tuple(sizes), "edges": protected(edges), "inputs": inputs, "outputs": outputs}
    vars(wiring).update(fields, weights=None, names=None, directed=directed)
    return wiring
