"""ALLOCATIONS: how many weights each layer holds, of a given number in all; and which these are.

Counts are whole numbers whose sum is exact: shares are rounded down, and the largest remainders rounded up. An
allocation is a function and a line of `ALLOCATIONS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError, finite_number, known
from nas.sparsity.layers import Floats, Layer, Live, Places, size_of
from nas.sparsity.selection import lowest
from priors.shares import shares

__all__ = [
    "ALLOCATIONS",
    "Allocation",
    "EmptyLayerError",
    "allocate",
    "erk_densities",
    "select",
    "set_counts",
    "total_of",
]


class EmptyLayerError(InputError):
    """A layer would keep no weight at all."""


@dataclass(frozen=True)
class Allocation:
    """One way to share weights out over layers.

    Attributes
    ----------
    function : callable
        ``function(layers, total, capacity, live, scores, **options)`` returns (n_layers,) int64 counts whose sum is
        `total`, none of which is above `capacity`.
    needs_scores : bool
        Whether the counts follow from live weights and their scores; otherwise from the layers alone.
    description : str
    """

    function: Callable[..., Places]
    needs_scores: bool
    description: str


def total_of(layers: Sequence[Layer], density: float) -> int:
    """Return the number of weights that a density stands for: the nearest, and at least 1.

    Raises
    ------
    InputError
        For a density outside (0, 1].
    """
    if not 0 < density <= 1:
        raise InputError(f"density={density!r}: it must be a number with 0 < density <= 1")
    return max(1, round(density * size_of(layers)))


def allocate(
    name: str,
    given: Live | Sequence[Layer],
    total: int,
    scores: Floats | None = None,
    *,
    at_least: int = 0,
    may_empty: bool = False,
    dense: Collection[str] = (),
    **options: Any,
) -> Places:
    """Share a number of weights out over layers.

    Parameters
    ----------
    name : str
        One of `ALLOCATIONS`.
    given : Live or sequence of Layer
        Live weights some of which are kept, or layers in which weights will be drawn.
    total : int
        Weights in all.
    scores : (n,) float64, optional
        Of the live weights; needed where counts follow from them.
    at_least : int
        Weights that every layer holds at least, or all that it can; with 0 a layer that would be empty is an error.
    may_empty : bool
        Whether it is none.
    dense : collection of str
        Names of layers that hold all that they can, within the total.
    options
        Of the allocation: `power` of "er" and "erk", `std` of "class-distributed".

    Returns
    -------
    (n_layers,) int64

    Raises
    ------
    InputError
        For an unknown name, or more weights than there is room for.
    EmptyLayerError
        If a layer would be empty.
    """
    entry = ALLOCATIONS[known("allocation", name, ALLOCATIONS)]
    live = given if isinstance(given, Live) else None
    layers = given.layers if isinstance(given, Live) else tuple(given)
    capacity = [layer.size for layer in layers] if live is None else [int(count) for count in live.counts()]
    if not 0 <= total <= sum(capacity):
        there_are = "there is room for" if live is None else "there are"
        raise InputError(f"{total} weights were to be kept where {there_are} {sum(capacity)}: it must be a number "
                         f"from 0 to {sum(capacity)}")  # fmt: skip
    if entry.needs_scores and (live is None or scores is None):
        raise InputError(f"allocation={name!r} shares out by the scores of live weights, which are not given")
    for each in dense:
        known("layer", each, [layer.name for layer in layers])
    is_dense = [layer.name in dense for layer in layers]
    reserved = sum(room for room, full in zip(capacity, is_dense, strict=True) if full)
    if reserved > total:
        raise InputError(f"the dense layers {', '.join(sorted(dense))} hold {reserved} weights, more than the {total} "
                         "in all: let fewer be dense, or keep more")  # fmt: skip
    if reserved:
        scores = _raised(live, scores, is_dense)
    if isinstance(at_least, bool) or not isinstance(at_least, int | np.integer) or at_least < 0:
        raise InputError(f"at_least={at_least!r}: it must be a whole number of weights, 0 or more")
    try:
        counts = entry.function(layers, total, capacity, live, scores, is_dense=is_dense, **options)
    except TypeError as error:
        if options and "unexpected keyword" in str(error):
            raise InputError(f"allocation={name!r} does not know the options {', '.join(sorted(options))}") from None
        raise
    if may_empty:
        return counts
    floors = [room if full else min(room, at_least) for room, full in zip(capacity, is_dense, strict=True)]
    return _lifted(layers, counts.tolist(), capacity, floors, at_least)


def _raised(live: Live | None, scores: Floats | None, is_dense: list[bool]) -> Floats | None:
    """Return scores by which nothing of dense layers is dropped."""
    if live is None or scores is None:
        return scores
    scores, bounds = scores.copy(), live.bounds()
    for index in np.flatnonzero(is_dense):
        scores[bounds[index] : bounds[index + 1]] = np.inf
    return scores


def _lifted(
    layers: Sequence[Layer], counts: list[int], capacity: list[int], floors: list[int], at_least: int
) -> Places:
    """Give layers below their least number what they lack, taken from those that hold most beyond theirs."""
    if sum(floors) > sum(counts):
        short = next(layer for layer, count, floor in zip(layers, counts, floors, strict=True) if count < floor)
        raise EmptyLayerError(f"{sum(counts)} weights are too few for {at_least} in every layer, as in {short.name!r}: "
                              f"keep at least {sum(floors)}")  # fmt: skip
    lacking = sum(max(floor - count, 0) for count, floor in zip(counts, floors, strict=True))
    counts = [max(count, floor) for count, floor in zip(counts, floors, strict=True)]
    for _ in range(lacking):
        spare = [count - floor for count, floor in zip(counts, floors, strict=True)]
        counts[spare.index(max(spare))] -= 1
    for layer, count, room in zip(layers, counts, capacity, strict=True):
        if not count and room:
            raise EmptyLayerError(f"layer {layer.name!r} would keep none of its {room} weights: keep more weights in "
                                  "all, or let every layer keep at least 1")  # fmt: skip
    return np.array(counts, np.int64)


def _shares(total: int, weights: Sequence[Fraction | float], capacity: list[int], is_dense: list[bool]) -> Places:
    return np.array(shares(total, weights, capacity, is_dense), np.int64)


def _uniform(
    layers: Sequence[Layer],
    total: int,
    capacity: list[int],
    live: Live | None,  # noqa: ARG001
    scores: Floats | None,  # noqa: ARG001
    is_dense: list[bool],
) -> Places:
    return _shares(total, [Fraction(layer.size) for layer in layers], capacity, is_dense)


def raw_density(layer: Layer, *, kernel: bool, power: float = 1.0) -> float:
    """Return the value to which Erdos-Renyi densities are proportional: (n_in + n_out) / (n_in n_out) of a matrix.

    Of a convolution these are its channels, or with `kernel` the sum over the product of all extents of its weights.
    """
    extent = layer.kernel
    n_out, n_in = layer.shape[0], layer.shape[1] // math.prod(extent)
    if kernel:
        return math.pow((n_in + n_out + sum(extent)) / max(n_in * n_out * math.prod(extent), 1), power)
    return math.pow((n_in + n_out) / max(n_in * n_out, 1), power)


def _by_raw_density(
    layers: Sequence[Layer],
    total: int,
    capacity: list[int],
    live: Live | None,  # noqa: ARG001
    scores: Floats | None,  # noqa: ARG001
    is_dense: list[bool],
    power: float = 1.0,
    *,
    kernel: bool,
) -> Places:
    power = finite_number("power", power)
    raw = [raw_density(layer, kernel=kernel, power=power) * layer.size for layer in layers]
    return _shares(total, raw, capacity, is_dense)


def erk_densities(layers: Sequence[Layer], density: float, *, power: float = 1.0, kernel: bool = True) -> list[float]:
    """Return the densities of google-research/rigl, of each layer before it is rounded.

    Its layers hold ``size - floor((1 - density) * size)`` weights, the sum of which is near to the wanted one; see
    `allocate` for counts with an exact sum.

    References
    ----------
    Evci et al. (2020), Rigging the lottery: making all tickets winners, arXiv:1911.11134
    """
    total_of(layers, density)
    raw = [raw_density(layer, kernel=kernel, power=power) for layer in layers]
    zeros = [math.floor((1 - density) * layer.size) for layer in layers]
    dense = [False] * len(layers)
    while True:
        rows = list(zip(layers, raw, zeros, dense, strict=True))
        wanted = sum(-none if full else layer.size - none for layer, _, none, full in rows)
        divisor = sum(value * layer.size for layer, value, _, full in rows if not full)
        if all(dense):
            return [1.0] * len(layers)
        factor, largest = wanted / divisor, max(value for _, value, _, full in rows if not full)
        if factor * largest <= 1:
            return [1.0 if full else factor * value for _, value, _, full in rows]
        dense = [full or value == largest for _, value, _, full in rows]


def set_counts(layers: Sequence[Layer], epsilon: float) -> Places:
    """Return the counts that SET begins with: density ``epsilon (n_in + n_out) / (n_in n_out)``, at most 1.

    References
    ----------
    Mocanu et al. (2018), Scalable training of artificial neural networks with adaptive sparse connectivity inspired by
    network science, doi:10.1038/s41467-018-04316-3
    """
    if not epsilon > 0:
        raise InputError(f"epsilon={epsilon!r}: it must be a number above 0")
    densities = [min(1.0, epsilon * raw_density(layer, kernel=False)) for layer in layers]
    return np.array([round(each * layer.size) for each, layer in zip(densities, layers, strict=True)], np.int64)


def _class_uniform(
    layers: Sequence[Layer],  # noqa: ARG001
    total: int,
    capacity: list[int],
    live: Live | None,  # noqa: ARG001
    scores: Floats | None,  # noqa: ARG001
    is_dense: list[bool],
) -> Places:
    return _shares(total, [Fraction(room) for room in capacity], capacity, is_dense)


def _class_blinded(
    layers: Sequence[Layer],  # noqa: ARG001
    total: int,
    capacity: list[int],  # noqa: ARG001
    live: Live,
    scores: Floats,
    is_dense: list[bool],  # noqa: ARG001
) -> Places:
    dropped = lowest(scores, live.n - total)
    return live.counts() - np.diff(np.searchsorted(np.flatnonzero(dropped), live.bounds()))


def _class_distributed(
    layers: Sequence[Layer],
    total: int,
    capacity: list[int],
    live: Live,
    scores: Floats,
    is_dense: list[bool],
    std: str = "all",
) -> Places:
    known("std", std, ("all", "live"))
    bounds, scaled = live.bounds(), np.array(scores, np.float64)
    for layer, first, stop in zip(layers, bounds[:-1], bounds[1:], strict=True):
        spread = _spread(live.weight[first:stop].astype(np.float64), layer.size if std == "all" else int(stop - first))
        if spread:
            scaled[first:stop] /= spread
    return _class_blinded(layers, total, capacity, live, scaled, is_dense)


def _spread(weight: Floats, size: int) -> float:
    """Return the standard deviation of some weights together with as many zeros as make up `size` of them."""
    if not len(weight):
        return 0.0
    mean = float(weight.sum()) / size
    squares = float(((weight - mean) ** 2).sum()) + (size - len(weight)) * mean**2
    return math.sqrt(squares / size)


def select(
    live: Live, scores: Floats, counts: Sequence[int] | Places, rng: np.random.Generator | None = None
) -> NDArray[np.bool_]:
    """Mark the weights with the highest scores, (n,) bool, as many in each layer as `counts` says.

    With counts of class-blinded allocation these are the highest of all. Ties at the border are settled as in
    `lowest`.

    Raises
    ------
    InputError
        If a layer has fewer live weights than it should keep.
    """
    kept, bounds = np.ones(live.n, bool), live.bounds()
    for layer, first, stop, count in zip(live.layers, bounds[:-1], bounds[1:], counts, strict=True):
        if not 0 <= count <= stop - first:
            raise InputError(f"layer {layer.name!r} has {stop - first} live weights and was to keep {count}: it must "
                             f"be a number from 0 to {stop - first}")  # fmt: skip
        kept[first:stop] = ~lowest(scores[first:stop], int(stop - first - count), rng)
    return kept


ALLOCATIONS: dict[str, Allocation] = {
    "uniform": Allocation(_uniform, False, "the same density in every layer"),
    "er": Allocation(
        partial(_by_raw_density, kernel=False),
        False,
        "density proportional to (n_in + n_out) / (n_in n_out), at most 1; doi:10.1038/s41467-018-04316-3",
    ),
    "erk": Allocation(
        partial(_by_raw_density, kernel=True),
        False,
        "density proportional to the sum over the product of all extents, at most 1; arXiv:1911.11134",
    ),
    "class-uniform": Allocation(
        _class_uniform, False, "the same share of every layer's live weights; arXiv:1606.09274"
    ),
    "class-blinded": Allocation(_class_blinded, True, "one threshold for the scores of all layers; arXiv:1606.09274"),
    "class-distributed": Allocation(
        _class_distributed,
        True,
        "one threshold for scores divided by the standard deviation of their layer's weights, of all its entries or, "
        "with std='live', of the live ones; arXiv:1606.09274",
    ),
}
"""Every allocation by its name."""
