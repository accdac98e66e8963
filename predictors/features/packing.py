"""Batch: many wirings as flat arrays, for one call of compiled code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

import numpy as np
from numpy.typing import NDArray

from priors.wiring import Wiring

__all__ = ["Batch", "packed"]


@dataclass(frozen=True)
class Batch:
    """Wirings one after another.

    Attributes
    ----------
    edges : (total_edges, 2) int32 array
        Of all wirings; the neurons of each are numbered from 0.
    first_edge : (n_wirings + 1,) int64 array
        Where the edges of each wiring start.
    sizes : (total_layers,) int32 array
        Neurons per layer, of all wirings.
    first_size : (n_wirings + 1,) int64 array
        Where the sizes of each wiring start.
    units : (n_wirings, 2) bool array
        Whether the first layer is input units, and the last one output units.
    """

    edges: NDArray[np.int32]
    first_edge: NDArray[np.int64]
    sizes: NDArray[np.int32]
    first_size: NDArray[np.int64]
    units: NDArray[np.bool_]


def packed(wirings: Sequence[Wiring]) -> Batch:
    """Pack some wirings, in their order."""
    return Batch(
        edges=np.concatenate([np.zeros((0, 2), np.int32), *(wiring.edges for wiring in wirings)]),
        first_edge=_starts(len(wiring.edges) for wiring in wirings),
        sizes=np.fromiter(chain.from_iterable(wiring.sizes for wiring in wirings), np.int32),
        first_size=_starts(len(wiring.sizes) for wiring in wirings),
        units=np.array([(wiring.inputs, wiring.outputs) for wiring in wirings], dtype=np.bool_).reshape(-1, 2),
    )


def _starts(lengths: Iterable[int]) -> NDArray[np.int64]:
    return np.fromiter(accumulate(lengths, initial=0), np.int64)
