"""From the edges of a file to those of a wiring: directions, weights that are missing, parallel edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from priors.formats import limits
from priors.formats.reading import Reading
from priors.formats.values import LARGEST_WEIGHT, counted
from priors.wiring import Wiring

__all__ = ["FileEdges", "kept_directed", "settled_edges"]

_MERGED = {"sum": "their weights are added", "max": "the largest weight is kept", "first": "the first is kept"}
_DECIDES = "--directed or --undirected decides"


@dataclass
class FileEdges:
    """Edges as a file gives them, in its order.

    Parameters
    ----------
    ends : (n_edges, 2) int64 array
        Numbers of source and target.
    weights : (n_edges,) float64 array
        NaN where an edge has none.
    directed : bool or None
        Whether edges have a direction; None where the file does not say it.
    otherwise : (n_edges,) bool array, optional
        Edges that differ in that from the rest.
    missing_is_one : bool
        Whether the format says that a weight that is left out is 1.
    is_declared : bool
        Whether the file itself says what `directed` is, not its layout or the words of its heading.
    """

    ends: NDArray[np.int64]
    weights: NDArray[np.float64]
    directed: bool | None
    otherwise: NDArray[np.bool_] | None = None
    missing_is_one: bool = False
    is_declared: bool = True


def settled_edges(
    found: FileEdges, reading: Reading, name_of: Callable[[int], str]
) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
    """Return distinct directed edges, and their weights if there are any; an undirected edge becomes two.

    Raises
    ------
    ValueError
        For parallel edges where they are refused, and for more edges or larger weights than a file may hold.
    """
    weights = _completed(found, reading)
    ends = found.ends
    one_way = _one_way(found, reading)
    kept = _halved(ends, weights, one_way, reading)
    ends, weights, one_way = ends[kept], None if weights is None else weights[kept], one_way[kept]
    # An undirected edge is sorted, so that both ways of writing it are parallel.
    ends = np.where(one_way[:, None], ends, np.sort(ends, axis=1))
    if one_way.any() and not one_way.all():
        ends, weights = _both_ways(ends, weights, ~one_way)
        one_way = np.ones(len(ends), bool)
    ends, weights = _merged(ends, weights, reading, name_of)
    if len(one_way) and not one_way[0]:
        ends, weights = _both_ways(ends, weights, np.ones(len(ends), bool))
    if len(ends) > limits.MAX_EDGES:
        raise ValueError(f"{len(ends)} edges are more than the {limits.MAX_EDGES} that are read at most")
    if weights is not None and not (np.abs(weights) <= LARGEST_WEIGHT).all():
        raise ValueError(f"weights add up to more than {LARGEST_WEIGHT:.3g}: each must be of single precision")
    return ends, weights


def kept_directed(wiring: Wiring, found: FileEdges, reading: Reading) -> Wiring:
    """Return the wiring of edges: directed where user or file say so, even if every pair of nodes goes both ways."""
    if not len(found.ends) or not wiring.is_undirected:
        return wiring
    if reading.directed is None and (not found.is_declared or found.directed is None):
        return wiring
    return wiring.replace(directed=True) if _one_way(found, reading).any() else wiring


def _completed(found: FileEdges, reading: Reading) -> NDArray[np.float64] | None:
    missing = np.isnan(found.weights)
    if missing.all():
        return None
    if missing.any() and not found.missing_is_one:
        n_missing = int(missing.sum())
        reading.remark(f"{counted(n_missing, 'edge')} of {len(missing)} without a weight: taken as 1")
    return np.where(missing, 1.0, found.weights)


def _one_way(found: FileEdges, reading: Reading) -> NDArray[np.bool_]:
    """Return the (n_edges,) bool array of edges that lead from source to target only."""
    if reading.directed is not None:
        return np.full(len(found.ends), reading.directed)
    directed = found.directed
    if directed is None:
        directed = _guessed_directed(found.ends, reading)
    one_way = np.full(len(found.ends), directed)
    return one_way if found.otherwise is None else one_way ^ found.otherwise


def _guessed_directed(ends: NDArray[np.int64], reading: Reading) -> bool:
    different = ends[ends[:, 0] != ends[:, 1]]
    if not len(different):
        return True
    keys, reversed_keys = _keys(different), _keys(different[:, ::-1])
    if np.isin(keys, reversed_keys).any():
        reading.remark(f"edges taken as directed, since some pairs stand there in both directions; {_DECIDES}")
        return True
    reading.remark(f"edges taken as undirected, since no pair stands there in both directions; {_DECIDES}")
    return False


def _halved(
    ends: NDArray[np.int64], weights: NDArray[np.float64] | None, one_way: NDArray[np.bool_], reading: Reading
) -> NDArray[np.bool_]:
    """Return the (n_edges,) bool array of edges but for those that are the other direction of an undirected one.

    Each pair of nodes is judged by itself: where as many undirected edges lead one way as the other, with the same
    weights, each is there in both directions, and those of one direction are kept. Otherwise every edge is one of its
    own, whichever of its ends comes first, parallel to the others of the pair.
    """
    kept = np.ones(len(ends), bool)
    both = np.flatnonzero(~one_way & (ends[:, 0] != ends[:, 1]))
    backward = ends[both, 0] > ends[both, 1]
    if not backward.any() or backward.all():
        return kept
    pairs, pair = np.unique(_keys(np.sort(ends[both], axis=1)), return_inverse=True)
    own = np.zeros(len(both)) if weights is None else weights[both]
    n_ways = np.stack([np.bincount(pair[way], minlength=len(pairs)) for way in (~backward, backward)])
    mirrored = n_ways[0] == n_ways[1]
    # Of pairs with as many edges each way, those of one way and of the other stand side by side, sorted by weight.
    ways = [np.flatnonzero(way & mirrored[pair]) for way in (~backward, backward)]
    forth, back = (way[np.lexsort((own[way], pair[way]))] for way in ways)
    mirrored[pair[forth[own[forth] != own[back]]]] = False
    kept[both[backward & mirrored[pair]]] = False
    if not kept.all():
        reading.remark(f"{counted(int((~kept).sum()), 'edge')} in both directions, taken as undirected edges")
    n_other = int((n_ways.all(axis=0) & ~mirrored).sum())
    if n_other:
        reading.remark(
            f"{counted(n_other, 'pair')} in both directions, but not with the same weights or as often: parallel edges"
        )
    return kept


def _both_ways(
    ends: NDArray[np.int64], weights: NDArray[np.float64] | None, both: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
    """Add the other direction of some edges, but for loops."""
    added = both & (ends[:, 0] != ends[:, 1])
    both_ends = np.concatenate([ends, ends[added, ::-1]])
    return both_ends, None if weights is None else np.concatenate([weights, weights[added]])


def _merged(
    ends: NDArray[np.int64], weights: NDArray[np.float64] | None, reading: Reading, name_of: Callable[[int], str]
) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
    keys = _keys(ends)
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    if len(first) == len(keys):
        return ends, weights
    n_parallel = len(keys) - len(first)
    if reading.merge == "error":
        again = np.setdiff1d(np.arange(len(keys)), first)[0]
        source, target = ends[again].tolist()
        raise ValueError(
            f"edge ({name_of(source)}, {name_of(target)}) is there twice: every edge is given once, unless parallel "
            "edges are to be merged: --merge sum, max or first"
        )
    how = _MERGED[reading.merge]
    if weights is None and reading.merge == "sum":
        how = "the number of edges is the weight"
    reading.remark(f"{counted(n_parallel, 'parallel edge')} merged into others, {how} (--merge)")
    merged: NDArray[np.float64]
    if reading.merge == "sum":
        # bincount adds in the order of the file, so that sums are the same on every platform.
        merged = np.bincount(number, np.ones(len(keys)) if weights is None else weights).astype(np.float64)
    elif weights is None:
        return ends[np.sort(first)], None
    elif reading.merge == "max":
        merged = np.full(len(first), -np.inf)
        np.maximum.at(merged, number, weights)
    else:
        merged = weights[first]
    order = np.argsort(first)
    return ends[first[order]], merged[order]


def _keys(ends: NDArray[np.int64]) -> NDArray[np.int64]:
    return ends[:, 0] * (limits.MAX_NEURONS + 1) + ends[:, 1]
