"""Layer and Live: weight matrices by name and size, and the weights that live in them, as flat vectors.

Nothing here ever has an entry for every place of a matrix: a layer may have 10^11 places and 10^7 live ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError

__all__ = ["Floats", "Layer", "Live", "Places", "in_order", "stack"]

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Layer:
    """One weight matrix, whose places are numbered row by row.

    Parameters
    ----------
    name : str
        What messages call it.
    shape : (int, int)
        Rows, which are targets, and columns, which are sources; the rows of a gate lie together, as in ``nn.LSTM``.
    first : int
        The place of the first entry; that of row i and column j is ``first + i * n_columns + j``.
    gates : int
        Weights an edge.
    kernel : tuple of int
        Extent of a convolution's kernel: a channel of the source then has as many columns as the kernel has entries.
    """

    name: str
    shape: tuple[int, int]
    first: int
    gates: int = 1
    kernel: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        rows, columns = self.shape
        if min(rows, columns, self.first) < 0 or self.gates < 1 or rows % self.gates:
            raise InputError(
                f"layer {self.name!r} has shape={self.shape}, first={self.first}, gates={self.gates}: none may be "
                "negative, and the rows must be a multiple of the gates"
            )
        if min(self.kernel, default=1) < 1 or columns % math.prod(self.kernel):
            raise InputError(
                f"layer {self.name!r} has {columns} columns and kernel={self.kernel}: they must be a multiple of its "
                "entries"
            )

    @property
    def size(self) -> int:
        """Number of places."""
        return self.shape[0] * self.shape[1]

    @property
    def stop(self) -> int:
        """The place behind the last one."""
        return self.first + self.size

    @property
    def n_targets(self) -> int:
        """Rows of one gate."""
        return self.shape[0] // self.gates

    def places(self, rows: NDArray[np.integer[Any]], columns: NDArray[np.integer[Any]]) -> Places:
        """Return the places of entries."""
        found: Places = self.first + np.asarray(rows, np.int64) * self.shape[1] + np.asarray(columns, np.int64)
        return found

    def entries(self, places: Places) -> tuple[Places, Places]:
        """Return the rows and the columns of places."""
        return np.divmod(places - self.first, max(self.shape[1], 1))


def stack(shapes: Mapping[str, tuple[int, int]], *, first: int = 0, gates: int = 1) -> tuple[Layer, ...]:
    """Return layers of some names and shapes that lie one behind the other."""
    layers: list[Layer] = []
    for name, shape in shapes.items():
        layers.append(Layer(name, shape, layers[-1].stop if layers else first, gates))
    return tuple(layers)


def in_order(places: NDArray[Any], low: int, high: int) -> bool:
    """Return whether int64 places ascend, none twice, from `low` to below `high`."""
    if places.dtype != np.int64 or places.ndim != 1:
        return False
    if not len(places):
        return True
    return bool(places[0] >= low and places[-1] < high and np.all(places[1:] > places[:-1]))


@dataclass(frozen=True, eq=False)
class Live:
    """The live weights of some layers, and what scores want to know of them.

    Parameters
    ----------
    layers : tuple of Layer
        One behind the other.
    slots : (n,) int64
        Places of the live weights over all layers, ascending.
    weight : (n,) float
    gradient : (n,) float, optional
        Of the loss by each weight.
    input_sd, input_norm : (n,) float, optional
        Standard deviation and Euclidean norm, over training examples, of the value that each weight reads.
    hessian : (n,) float, optional
        Second derivative of the loss by each weight.
    inverse_hessian : (n,) float, optional
        Diagonal of the inverse of the mean products of the live inputs of each weight's row; see
        `nas.sparsity.hessian`.
    flow : (n,) float, optional
        See `nas.zero_cost.saliency.flow`.

    Raises
    ------
    InputError
        If the layers leave gaps, the slots do not ascend within them, or a vector has another length.
    """

    layers: tuple[Layer, ...]
    slots: Places
    weight: NDArray[np.floating[Any]]
    gradient: NDArray[np.floating[Any]] | None = None
    input_sd: NDArray[np.floating[Any]] | None = None
    input_norm: NDArray[np.floating[Any]] | None = None
    hessian: NDArray[np.floating[Any]] | None = None
    inverse_hessian: NDArray[np.floating[Any]] | None = None
    flow: NDArray[np.floating[Any]] | None = None

    def __post_init__(self) -> None:
        if not self.layers:
            raise InputError("there are no layers: at least one is needed")
        for one, other in pairwise(self.layers):
            if one.stop != other.first:
                raise InputError(f"layer {other.name!r} begins at place {other.first}, and the one before it ends at "
                                 f"{one.stop}: they must lie one behind the other")  # fmt: skip
        if not in_order(self.slots, self.layers[0].first, self.layers[-1].stop):
            raise InputError(
                f"{self.slots.size} {self.slots.dtype} slots: they must be int64, ascend, and lie between "
                f"{self.layers[0].first} and {self.layers[-1].stop - 1}"
            )
        for name in ("weight", "gradient", "input_sd", "input_norm", "hessian", "inverse_hessian", "flow"):
            values = getattr(self, name)
            if values is not None and values.shape != self.slots.shape:
                raise InputError(f"{name} has shape {values.shape}: {self.slots.shape} is needed, one for each slot")

    @property
    def n(self) -> int:
        """Number of live weights."""
        return len(self.slots)

    def bounds(self) -> Places:
        """Return (n_layers + 1,) indices: those of layer l are ``bounds[l]:bounds[l + 1]``."""
        edges = np.array([self.layers[0].first, *(layer.stop for layer in self.layers)], np.int64)
        return np.searchsorted(self.slots, edges)

    def counts(self) -> Places:
        """Return the number of live weights of every layer, (n_layers,)."""
        return np.diff(self.bounds())

    def densities(self) -> Floats:
        """Return live weights / places of every layer, (n_layers,); 1 for a layer without places."""
        sizes = np.array([layer.size for layer in self.layers], np.float64)
        return np.where(sizes > 0, self.counts() / np.maximum(sizes, 1), 1.0)

    def density(self) -> float:
        """Return live weights / places of all layers."""
        return self.n / max(size_of(self.layers), 1)


def size_of(layers: Iterable[Layer]) -> int:
    """Return the number of places of some layers."""
    return sum(layer.size for layer in layers)
