"""Read-ins: which inputs each neuron of the first layer reads, drawn by what is known of the data.

`Inputs` holds what is known, a read-in of `READ_INS` turns it into the affinity of a neuron to every input, and
`draw_reads` draws by affinities. Random draws follow the promise of `priors.draws`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from priors.checks import choice, fraction, settle, whole
from priors.draws import Seed, subset
from priors.edges import protected

__all__ = ["READ_INS", "Inputs", "ReadIn", "correlation_power", "draw_reads", "local_sigma", "spread"]

Affinities = NDArray[np.float64]

_NARROWEST = 0.7
_MOST_POWER = 8.0
_ROUNDING = 1e-5
_ZERO = 1e-300
"""Affinities below this share of a neuron's largest count as 0."""
_POSITIVE = 2.0**-55
"""Added to doubles below 1, which makes them positive and leaves them below 1."""


@dataclass(frozen=True, eq=False, repr=False)
class Inputs:
    """What is known of the inputs of a task, from its training part.

    Parameters
    ----------
    deviation : (n_inputs,) float array
        Standard deviation of every input; 0 where it never varies. Inputs that never vary are never read.
    positions : (n_inputs, n_dimensions) float array, optional
        Where every input lies, in units of the distance between neighbours: pixels, or time steps.
    correlation : (n_inputs, n_inputs) float array, optional
        Correlation of every two inputs, 0 where one of them never varies. Kept as float32.
    relevance : (n_inputs,) float array, optional
        Share of every input's variance, 0 to 1, that the targets explain; 0 where it never varies.

    Raises
    ------
    ValueError
        If there are no inputs, or shapes or values contradict each other.

    Notes
    -----
    Arrays are copied and write-protected.

    Examples
    --------
    >>> from priors import Inputs
    >>> inputs = Inputs([0.0, 1.0, 2.0, 1.0], positions=[[0], [1], [2], [3]])
    >>> inputs
    <Inputs: 4, of which 3 vary; positions known>
    >>> inputs.live.tolist(), inputs.variance.tolist()
    ([1, 2, 3], [0.0, 0.25, 1.0, 0.25])
    """

    deviation: NDArray[np.float64]
    positions: NDArray[np.float64] | None = None
    correlation: NDArray[np.float32] | None = None
    relevance: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        deviation = _numbers("deviation", self.deviation, np.float64, 1)
        n = len(deviation)
        if n == 0:
            raise ValueError("deviation is empty: Inputs needs at least one input")
        _refuse("deviation", deviation, 0, None)
        settle(self, deviation=deviation)
        if self.positions is not None:
            positions = _numbers("positions", self.positions, np.float64, 2, n)
            if positions.shape[1] == 0:
                raise ValueError(f"positions have shape {positions.shape}: they need at least one dimension")
            settle(self, positions=positions)
        if self.correlation is not None:
            correlation = _numbers("correlation", self.correlation, np.float32, 2, n)
            if correlation.shape != (n, n):
                raise ValueError(f"correlation has shape {correlation.shape}: {n} inputs need ({n}, {n})")
            _refuse("correlation", correlation, -1, 1)
            if correlation[deviation == 0].any() or correlation[:, deviation == 0].any():
                raise ValueError("correlation of an input that never varies is not 0: it must be")
            settle(self, correlation=correlation)
        if self.relevance is not None:
            relevance = _numbers("relevance", self.relevance, np.float64, 1, n)
            _refuse("relevance", relevance, 0, 1)
            if relevance[deviation == 0].any():
                raise ValueError("relevance of an input that never varies is not 0: it must be")
            settle(self, relevance=relevance)

    def __repr__(self) -> str:
        """Return one line: how many inputs there are, how many of them vary, and what is known of them."""
        known = [name for name in ("positions", "correlation", "relevance") if getattr(self, name) is not None]
        named = f"{', '.join(known)} known" if known else "nothing else known"
        return f"<Inputs: {self.n_inputs}, of which {len(self.live)} vary; {named}>"

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""
        return len(self.deviation)

    @cached_property
    def live(self) -> NDArray[np.int64]:
        """(n_live,) int64 array: the inputs that vary, ascending."""
        return protected(np.flatnonzero(self.deviation > 0))

    @cached_property
    def variance(self) -> NDArray[np.float64]:
        """(n_inputs,) float64 array: variance of every input as a share of the largest one; 0 where none varies."""
        return protected(np.square(self.deviation / (self.deviation.max() or 1.0)))

    @cached_property
    def extent(self) -> float:
        """Inputs along the longest side of the box around all positions: 28 for 28 x 28 pixels; NaN where unknown."""
        if self.positions is None:
            return math.nan
        return float(np.ptp(self.positions, axis=0).max()) + 1.0

    def squared_distances(self, centre: int) -> NDArray[np.float64]:
        """Return the squared distance of every input from one of them, (n_inputs,) float64; 0 without positions."""
        if self.positions is None:
            return np.zeros(self.n_inputs)
        apart = self.positions - self.positions[centre]
        return np.asarray(np.einsum("ij,ij->i", apart, apart))

    @cached_property
    def by_variance(self) -> NDArray[np.int64]:
        """(n_live,) int64 array: the inputs that vary, the most variable first, by number among equals."""
        return protected(self.live[np.argsort(-self.deviation[self.live], kind="stable")])

    def nearest(self, centre: int, count: int) -> NDArray[np.int64]:
        """Return some inputs that vary, the nearest to a centre first, by variance and then number among equals.

        Without positions all are equally near, and the order is that of variance.
        """
        distances = self.squared_distances(centre)[self.by_variance]
        near = np.flatnonzero(distances <= np.partition(distances, count - 1)[count - 1])
        return np.asarray(self.by_variance[near[np.argsort(distances[near], kind="stable")[:count]]])


def _numbers(
    name: str, values: ArrayLike, kind: type[np.floating[Any]], n_dimensions: int, n_inputs: int | None = None
) -> NDArray[Any]:
    """Return finite numbers with a row an input as a write-protected copy of one type."""
    try:
        array = np.array(values, dtype=kind)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: Inputs needs an array of floats") from None
    if array.ndim != n_dimensions or (n_inputs is not None and len(array) != n_inputs):
        needed = "n_inputs" if n_inputs is None else n_inputs
        rule = f"({needed},)" if n_dimensions == 1 else f"({needed}, …)"
        raise ValueError(f"{name}: shape {array.shape} is wrong, Inputs needs {rule}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: a number is not finite")
    return protected(array)


def _refuse(name: str, values: NDArray[Any], low: float, high: float | None) -> None:
    """Refuse numbers out of bounds, but for rounding."""
    smallest, largest = float(values.min()), float(values.max())
    if smallest < low - (high is not None) * _ROUNDING or (high is not None and largest > high + _ROUNDING):
        rule = f"{low} or more" if high is None else f"{low} to {high}"
        raise ValueError(f"{name}: a number is {smallest if smallest < low else largest:g}, and must be {rule}")


# Read-ins


def local_sigma(locality: float, extent: float) -> float:
    """Return the standard deviation of the Gaussian of `local`, in distances between neighbouring inputs.

    It is 0.7 + extent (1 - locality) / (12 locality), where `extent` counts inputs along the longest side: infinite at
    0, 0.7 at 1. With 28 x 28 pixels a locality of 0.4 to 0.65 means 4.2 to 2 pixels, with 8 x 8 pixels 1.7 to 1.1.
    """
    return _NARROWEST + extent * (1 - locality) / (12 * locality) if locality > 0 else math.inf


def correlation_power(locality: float) -> float:
    """Return the power of |correlation| in `correlated`: 8 times the locality."""
    return _MOST_POWER * locality


def _random(inputs: Inputs, _centre: int, _locality: float) -> Affinities:
    return (inputs.deviation > 0).astype(np.float64)


def _variance(inputs: Inputs, _centre: int, _locality: float) -> Affinities:
    return inputs.variance


def _local(inputs: Inputs, centre: int, locality: float) -> Affinities:
    sigma = local_sigma(locality, inputs.extent)
    return inputs.variance * np.exp(-inputs.squared_distances(centre) / (2 * sigma * sigma))


def _correlated(inputs: Inputs, centre: int, locality: float) -> Affinities:
    assert inputs.correlation is not None
    return np.asarray(np.abs(inputs.correlation[centre], dtype=np.float64) ** correlation_power(locality))


def _patches(inputs: Inputs, centre: int, _locality: float) -> Affinities:
    # The centre alone: what is missing is made up by the nearest inputs.
    affinities = np.zeros(inputs.n_inputs)
    affinities[centre] = 1.0
    return affinities


@dataclass(frozen=True)
class ReadIn:
    """A way to choose which inputs a neuron reads.

    Parameters
    ----------
    affinity : callable
        From `Inputs`, the number of the neuron's centre and the locality to (n_inputs,) floats of 0 or more, in any
        unit; those of inputs that never vary do not count. Inputs are drawn one after another without replacement, with
        chances in proportion. Where fewer than wanted are positive, all of these are read, and the inputs that are
        nearest to the centre (the most variable ones without a centre or positions).
    about : str
        What a neuron reads.
    is_centred : bool
        Whether a neuron has a centre: an input drawn with chances in proportion to variance. The others get -1.
    needs : tuple of str
        What must be known of the inputs: "positions", "correlation" or both.
    locality : str
        What the locality, from 0 for none to 1, means; "" where there is none.
    reads_all : bool
        Whether every neuron reads all inputs that vary, however many are wanted.

    Examples
    --------
    >>> from priors import READ_INS, ReadIn
    >>> READ_INS["local"].needs, READ_INS["complete"].reads_all
    (('positions',), True)
    >>> ReadIn(lambda inputs, centre, locality: inputs.variance, "inputs by their variance").is_centred
    False
    """

    affinity: Callable[[Inputs, int, float], Affinities]
    about: str
    is_centred: bool = False
    needs: tuple[str, ...] = ()
    locality: str = ""
    reads_all: bool = False


READ_INS: dict[str, ReadIn] = {
    "random": ReadIn(_random, "inputs that vary, each as likely as the others"),
    "variance": ReadIn(_variance, "inputs, in proportion to their variance"),
    "local": ReadIn(
        _local,
        "inputs around a centre, in proportion to variance times a Gaussian of the distance",
        is_centred=True,
        needs=("positions",),
        locality="0 is as variance, 1 a standard deviation of 0.7 inputs; see local_sigma",
    ),
    "correlated": ReadIn(
        _correlated,
        "inputs that go with a centre, in proportion to a power of |correlation|",
        is_centred=True,
        needs=("correlation",),
        locality="0 is as random, 1 a power of 8; see correlation_power",
    ),
    "patches": ReadIn(_patches, "the inputs nearest to a centre", is_centred=True, needs=("positions",)),
    "complete": ReadIn(_random, "all inputs that vary", reads_all=True),
}
"""Every read-in by name."""


def draw_reads(
    inputs: Inputs, fan_in: ArrayLike, read_in: str, locality: float = 0.5, rng: Seed = None
) -> NDArray[np.int64]:
    """Draw which inputs each of some neurons reads.

    Parameters
    ----------
    inputs : Inputs
    fan_in : (n_neurons,) integer array
        Inputs that each neuron reads, at least 1. More than vary mean all that vary; `complete` always means these.
    read_in : str
        One of `READ_INS`.
    locality : float
        From 0 to 1, for the read-ins that have one.
    rng : int, Generator or None
        Randomness: a double for each neuron's centre, where they have any; then one for each input that varies, neuron
        by neuron, for those whose reads are drawn.

    Returns
    -------
    (n_edges, 2) int64 array
        Distinct rows (input, neuron), by neuron and then by input; both are numbered from 0.

    Raises
    ------
    ValueError
        For an unknown read-in, numbers out of bounds, inputs of which none varies, or of which the read-in needs to
        know more.

    Notes
    -----
    Inputs of a neuron are drawn one after another, each with chances in proportion to the affinities of those that are
    left. All at once this is a race: each input arrives after an exponential time whose rate is its affinity, and the
    first ones are read (Efraimidis & Spirakis 2006, doi:10.1016/j.ipl.2005.11.003).

    Examples
    --------
    >>> from priors import READ_INS, Inputs, draw_reads
    >>> inputs = Inputs([0.0, 1.0, 2.0, 1.0], positions=[[0], [1], [2], [3]])
    >>> edges = draw_reads(inputs, [1, 2], "local", locality=0.5, rng=0)
    >>> edges[:, 1].tolist()  # neurons; of the inputs, the one that never varies is not read
    [0, 1, 1]
    >>> list(READ_INS)
    ['random', 'variance', 'local', 'correlated', 'patches', 'complete']
    """
    choice("draw_reads", "read_in", read_in, tuple(READ_INS))
    locality = fraction("draw_reads", "locality", locality)
    own = READ_INS[read_in]
    wanted = _checked_fan_in(fan_in, inputs.n_inputs)
    _check_known(inputs, read_in, own)
    generator = np.random.default_rng(rng)
    live = inputs.live
    wanted = np.full_like(wanted, len(live)) if own.reads_all else np.minimum(wanted, len(live))
    if not len(wanted):
        return np.zeros((0, 2), np.int64)
    centres = _centres(inputs, len(wanted), generator) if own.is_centred else np.full(len(wanted), -1)
    times = _arrivals(_affinities(inputs, read_in, centres, locality), wanted, centres, inputs, generator)
    order = np.argpartition(times, np.unique(wanted) - 1, axis=1)[:, : wanted.max()]
    places = order[np.arange(order.shape[1]) < wanted[:, None]]
    neuron, place = np.divmod(np.sort(np.repeat(np.arange(len(wanted)), wanted) * len(live) + places), len(live))
    return np.stack([live[place], neuron], axis=1)


def spread(total: int, n_neurons: int, rng: Seed = None) -> NDArray[np.int64]:
    """Return fan-ins, (n_neurons,) int64, that differ by at most one and sum to a total.

    Which neurons get one more is drawn, every choice equally likely.

    Raises
    ------
    ValueError
        If there is no neuron, or the total is negative.

    Examples
    --------
    >>> from priors import spread
    >>> fan_in = spread(10, 4, rng=0)
    >>> sorted(fan_in.tolist())
    [2, 2, 3, 3]
    """
    n_neurons = whole("spread", "n_neurons", n_neurons, 1)
    each, more = divmod(whole("spread", "total", total, 0), n_neurons)
    fan_in = np.full(n_neurons, each, np.int64)
    fan_in[subset(np.random.default_rng(rng), n_neurons, more)] += 1
    return fan_in


def _checked_fan_in(fan_in: ArrayLike, n_inputs: int) -> NDArray[np.int64]:
    given = np.asarray(fan_in)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise ValueError(
            f"fan_in has shape {given.shape} and type {given.dtype}: draw_reads needs an integer a neuron, (n_neurons,)"
        )
    if given.size and given.min() < 1:
        raise ValueError(f"fan_in={given.min()}: draw_reads needs integers with 1 <= fan_in; nearest valid is 1")
    return np.asarray(np.minimum(given, n_inputs), dtype=np.int64)


def _check_known(inputs: Inputs, name: str, read_in: ReadIn) -> None:
    if not len(inputs.live):
        raise ValueError(f"{inputs!r}: draw_reads needs inputs of which at least one varies")
    possible = [
        other for other, own in READ_INS.items() if all(getattr(inputs, need) is not None for need in own.needs)
    ]
    for need in read_in.needs:
        if getattr(inputs, need) is None:
            raise ValueError(
                f"read_in={name!r} needs the {need} of the inputs, and {inputs!r} holds none; "
                f"what is known suffices for {', '.join(possible)}"
            )


def _centres(inputs: Inputs, n_neurons: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw inputs that vary, with chances in proportion to variance."""
    cumulative = np.cumsum(inputs.variance[inputs.live])
    places = np.searchsorted(cumulative, rng.random(n_neurons) * cumulative[-1], side="right")
    return np.asarray(inputs.live[places])


def _affinities(inputs: Inputs, name: str, centres: NDArray[np.int64], locality: float) -> Affinities:
    """Return the affinities to the inputs that vary, (n_neurons, n_live), as shares of each neuron's largest."""
    kinds, kind_of = np.unique(centres, return_inverse=True)
    rows = np.stack([READ_INS[name].affinity(inputs, int(centre), locality)[inputs.live] for centre in kinds])
    if not (np.isfinite(rows).all() and (rows >= 0).all()):
        raise ValueError(f"read_in={name!r}: it gave an affinity that is negative or not finite")
    largest = rows.max(axis=1, keepdims=True)
    shares = np.divide(rows, largest, out=np.zeros_like(rows), where=largest > 0)
    shares[shares < _ZERO] = 0.0
    return np.asarray(shares[kind_of.reshape(-1)])


def _arrivals(
    affinities: Affinities,
    wanted: NDArray[np.int64],
    centres: NDArray[np.int64],
    inputs: Inputs,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return when each input comes to each neuron, (n_neurons, n_live): the first ones are read.

    Times are drawn where there are more positive affinities than reads. Elsewhere all of these come at once, and then,
    where reads are missing, the others by their distance from the centre.
    """
    available = np.count_nonzero(affinities, axis=1)
    times = np.empty_like(affinities)
    contested = available > wanted
    chances = affinities[contested]
    with np.errstate(divide="ignore"):
        times[contested] = -np.log(rng.random(chances.shape) + _POSITIVE) / chances
    times[~contested] = np.where(affinities[~contested] > 0, -1.0, np.inf)
    lacking = np.flatnonzero(available < wanted)
    rank = np.full(inputs.n_inputs, np.inf)
    for centre in np.unique(centres[lacking]):
        rows = lacking[centres[lacking] == centre]
        count = int(wanted[rows].max())
        order = inputs.nearest(int(centre), count) if centre >= 0 else inputs.by_variance[:count]
        rank[order] = np.arange(count)
        times[rows] = np.where(affinities[rows] > 0, -1.0, rank[inputs.live])
        rank[order] = np.inf
    return times
