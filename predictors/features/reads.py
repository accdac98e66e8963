"""READ_FEATURES: measures of what a network reads, from an attached wiring and what is known of its inputs.

They stand beside `FEATURES` because a wiring alone does not tell them. A predictor that is told what is known of the
inputs, ``Predictor(inputs=inputs)``, computes them itself; any other takes them as columns of one's own.

Words of the definitions: an input is *live* where it varies over the training part; a *read* is an edge from a live
input to a hidden neuron; a *reader* is a hidden neuron with a read; a *readout* is an edge from a hidden neuron to an
output. The *depth* of a hidden neuron is its layer among the hidden layers, from 0 for the first to 1 for the last, and
0 where there is one. The *influence* of a neuron is 1 for an output, and for another the sum over its successors of
their influence over their fan-in: what the outputs' squared derivatives by it are expected to be before training. The
*strength* of an input is ln(1 + r), with r the sum over its readers of g / (g + outputs / hidden neurons), g being the
influence; in a wiring with recurrent edges each reader from which a path leads to an output adds 1 to r. *Blocks* are
the inputs themselves where there are 64 at most; of more they are squares that divide the places of the inputs into 64,
or 64 runs of inputs by number where places are not known. What is undefined is NaN; standard deviations are not of a
sample.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from predictors.features.influence import strength_of_inputs
from predictors.features.table import Feature
from priors.reads import Inputs

if TYPE_CHECKING:
    from priors.wiring import Wiring

__all__ = ["READ_FEATURES", "read_features", "read_names"]

Floats = NDArray[np.float64]
Numbers = NDArray[np.integer[Any]]
Pairs = tuple[Numbers, Numbers, Numbers]

_VARIES = 1e-9
"""Share of the largest possible variance above which a mean of inputs varies."""
_SPARSE, _FEW = 0.1, 0.06
"""Shares of all pairs of a reader and an input, and of all inputs, up to which reads are few."""

_BLOCK = 2**20
"""Pairs of inputs that are looked at together."""
_BLOCKS = 64
"""Blocks of inputs, at most."""
_NEEDS = {"read correlation": "correlation", "read locality": "positions", "read relevance": "relevance"}
"""What must be known of inputs beside their deviation, by family."""

_ROWS = (
    (
        "reads",
        "O(m)",
        ("reads_share", "share of all edges that are reads"),
        ("reads_direct", "share of all edges that lead from a live input to an output"),
        ("reads_dead", "share of the edges from inputs to hidden neurons whose input is not live"),
        ("reads_depth", "mean over reads of the depth of the reader"),
        ("reads_per_neuron_mean", "mean number of reads of a reader"),
        ("reads_per_neuron_std", "standard deviation of the number of reads of a reader"),
        ("reads_per_neuron_max", "largest number of reads of a reader"),
        ("reads_per_input_mean", "mean number of readers of a live input"),
        ("reads_per_input_std", "standard deviation of the number of readers of a live input"),
        ("reads_per_input_gini", "Gini coefficient of the number of readers of live inputs"),
        ("reads_coverage", "share of the live inputs with a reader"),
        ("reads_overlap", "mean over pairs of readers of the inputs that both read over those that either reads"),
    ),
    (
        "readouts",
        "O(m)",
        ("readouts_share", "share of all edges that are readouts"),
        ("readouts_depth", "mean over readouts of the depth of the hidden neuron"),
        ("readouts_per_output_mean", "mean number of readouts of an output"),
        ("readouts_per_output_std", "standard deviation of the number of readouts of an output"),
    ),
    (
        "read variance",
        "O(m)",
        ("reads_deviation_mean", "mean over reads of the input's standard deviation, over the mean of live inputs"),
        ("reads_deviation_std", "standard deviation of the same ratio over reads"),
        ("reads_variance_coverage", "share of the sum of all inputs' variances that inputs with a reader have"),
        (
            "reads_variance_strength",
            "strength of an input, mean over inputs weighted by their variances",
        ),
    ),
    (
        "read correlation",
        "O(m inputs)",
        ("reads_correlation", "mean |correlation| between two reads of a reader, mean over readers with several"),
        ("reads_correlation_between", "mean over pairs of readers of |correlation| between the means of their reads"),
        (
            "reads_dimension",
            "effective number of different means of reads: n^2 over the sum of the squared correlations between the "
            "means of n readers, those with themselves included",
        ),
    ),
    (
        "read locality",
        "O(m inputs)",
        (
            "reads_distance",
            "mean distance between two reads of a reader, mean over readers with several, over the mean distance "
            "between two live inputs",
        ),
    ),
    (
        "read relevance",
        "O(m)",
        (
            "reads_relevance_mean",
            "mean over reads of the share of the input's variance that the targets explain, over the mean of live "
            "inputs",
        ),
        ("reads_relevance_std", "standard deviation of the same ratio over reads"),
        ("reads_relevance_coverage", "share of the sum of these shares that inputs with a reader have"),
        (
            "reads_relevance_strength",
            "strength of an input, mean over inputs weighted by the variance that the targets explain",
        ),
    ),
)

READ_FEATURES: dict[str, Feature] = {
    name: Feature(name, "reads", family, cost, "attached", definition)
    for family, cost, *rows in _ROWS
    for name, definition in rows
}
_STRENGTHS = {
    name: Feature(
        name, "reads", "read strength", "O(m)", "attached", f"sum of the strengths of the live inputs of {block}"
    )
    for name, block in ((f"reads_strength_{number}", f"block {number}") for number in range(_BLOCKS))
}
READ_FEATURES |= _STRENGTHS
"""Every measure of what is read by name, in the order of the columns of `read_features`."""


def read_names(inputs: Inputs) -> tuple[str, ...]:
    """Return the names of the features for which enough is known of the inputs, in the order of `READ_FEATURES`.

    Examples
    --------
    >>> from predictors import READ_FEATURES, read_names
    >>> from priors import Inputs
    >>> names = read_names(Inputs([1.0, 2.0, 1.0], positions=[[0], [1], [2]]))
    >>> names[:2], "reads_distance" in names, "reads_correlation" in names
    (('reads_share', 'reads_direct'), True, False)
    >>> READ_FEATURES["reads_share"].definition
    'share of all edges that are reads'
    """
    missing = {family for family, need in _NEEDS.items() if getattr(inputs, need) is None}
    blocks, strengths = set(_block_of(inputs)[inputs.live].tolist()), list(_STRENGTHS)
    missing |= {strengths[block] for block in range(_BLOCKS) if block not in blocks}
    return tuple(name for name, own in READ_FEATURES.items() if missing.isdisjoint((name, own.family)))


def read_features(wirings: Sequence[Wiring], inputs: Inputs) -> tuple[tuple[str, ...], Floats]:
    """Compute what wirings read.

    Parameters
    ----------
    wirings : sequence of Wiring
        Attached, with as many input units as there are inputs.
    inputs : Inputs
        What is known of these; see `nas.tasks.inputs_of`.

    Returns
    -------
    names : tuple of str
        `read_names` of the inputs.
    rows : (n_wirings, n_names) float64 array
        NaN where a feature is undefined. A row depends on its own wiring alone.

    Raises
    ------
    ValueError
        If a wiring has another number of input units.

    Examples
    --------
    >>> from predictors import read_features
    >>> from priors import Inputs, Wiring
    >>> wiring = Wiring((2, 2, 1), [(0, 2), (1, 2), (1, 3), (2, 4), (3, 4)], inputs=True, outputs=True)
    >>> names, rows = read_features([wiring], Inputs([1.0, 2.0]))
    >>> dict(zip(names, rows[0].tolist()))["reads_share"]
    0.6
    """
    known, names = _known(inputs), read_names(inputs)
    rows = np.full((len(wirings), len(names)), np.nan)
    for index, wiring in enumerate(wirings):
        if wiring.n_inputs != inputs.n_inputs:
            raise ValueError(f"wirings[{index}]: {wiring.n_inputs} input units, and {inputs!r} needs {inputs.n_inputs}")
        found = _described(wiring, known)
        rows[index] = [found[name] for name in names]
    return names, rows


@dataclass(frozen=True, eq=False)
class _Known:
    """What is computed once for some inputs."""

    inputs: Inputs

    @cached_property
    def live(self) -> NDArray[np.bool_]:
        return self.inputs.deviation > 0

    @cached_property
    def block_of(self) -> Numbers:
        """(n_inputs,) int array: the block of each input."""
        return _block_of(self.inputs)

    @cached_property
    def covariance(self) -> Floats:
        """(n_inputs, n_inputs) float64 array: covariance, in units of the largest variance."""
        assert self.inputs.correlation is not None
        deviation = np.sqrt(self.inputs.variance)
        return np.asarray(self.inputs.correlation * deviation * deviation[:, None], np.float64)

    def alike(self, one: Numbers, other: Numbers) -> Floats:
        """Return the |correlation| of inputs."""
        assert self.inputs.correlation is not None
        return np.abs(self.inputs.correlation[one, other], dtype=np.float64)

    def distance(self, one: Numbers, other: Numbers) -> Floats:
        """Return the distance of inputs."""
        assert self.inputs.positions is not None
        return np.asarray(np.sqrt(np.square(self.inputs.positions[one] - self.inputs.positions[other]).sum(axis=-1)))

    @cached_property
    def mean_distance(self) -> float:
        """Mean distance of two live inputs."""
        live = self.inputs.live
        total = sum(self.distance(some[:, None], live).sum() for some in _blocks(live, len(live)))
        return _ratio(total, len(live) * (len(live) - 1))


@lru_cache(maxsize=2)
def _known(inputs: Inputs) -> _Known:
    return _Known(inputs)


def _block_of(inputs: Inputs) -> Numbers:
    """Return the block of each input, (n_inputs,) int array."""
    n = inputs.n_inputs
    if n <= _BLOCKS:
        return np.arange(n)
    if inputs.positions is None:
        return np.arange(n) * _BLOCKS // n
    places = inputs.positions - inputs.positions.min(axis=0)
    n_dimensions = places.shape[1]
    a_side = max(side for side in range(1, _BLOCKS + 1) if side**n_dimensions <= _BLOCKS)
    cells = (places * a_side / (places.max(axis=0) + 1)).astype(np.int64)
    return np.asarray(cells @ a_side ** np.arange(n_dimensions)[::-1])


def _described(wiring: Wiring, known: _Known) -> dict[str, float]:
    source, target = wiring.edges[:, 0], wiring.edges[:, 1]
    from_input, to_output = source < wiring.n_inputs, target >= wiring.n_neurons - wiring.n_outputs
    into_hidden = from_input & ~to_output
    is_live = np.zeros(len(source), bool)
    is_live[from_input] = known.live[source[from_input]]
    is_read, is_readout = into_hidden & is_live, to_output & ~from_input
    n_hidden_layers = wiring.n_layers - 1 - int(wiring.outputs)
    depth = (wiring.layer_of - 1) / max(n_hidden_layers - 1, 1)
    per_output = np.bincount(target[is_readout] - (wiring.n_neurons - wiring.n_outputs), minlength=wiring.n_outputs)
    order = np.argsort(target[is_read], kind="stable")
    strength = strength_of_inputs(wiring)
    by_block = np.bincount(known.block_of, np.where(known.live, strength, 0.0))
    relevance = known.inputs.relevance
    explained = {} if relevance is None else {"reads_relevance_strength": known.inputs.variance * relevance}
    weights = {"reads_variance_strength": known.inputs.variance, **explained}
    return {
        **_of_reads(source[is_read][order], target[is_read][order], known),
        "reads_share": _ratio(np.count_nonzero(is_read), wiring.n_edges),
        "reads_direct": _ratio(np.count_nonzero(is_live & to_output), wiring.n_edges),
        "reads_dead": _ratio(np.count_nonzero(into_hidden & ~is_live), np.count_nonzero(into_hidden)),
        "reads_depth": _mean(depth[target[is_read]]),
        "readouts_share": _ratio(np.count_nonzero(is_readout), wiring.n_edges),
        "readouts_depth": _mean(depth[source[is_readout]]),
        "readouts_per_output_mean": _mean(per_output),
        "readouts_per_output_std": _std(per_output),
        **{name: _ratio(float(own @ strength), float(own.sum())) for name, own in weights.items()},
        **dict(zip(_STRENGTHS, by_block.tolist(), strict=False)),
    }


def _of_reads(source: NDArray[np.int32], reader: NDArray[np.int32], known: _Known) -> dict[str, float]:
    """Describe reads, sorted by reader."""
    from scipy.sparse import csr_array

    inputs, live = known.inputs, known.live
    _, first, per_neuron = np.unique(reader, return_index=True, return_counts=True)
    n = len(per_neuron)
    per_input = np.bincount(source, minlength=inputs.n_inputs)
    found = {
        "reads_per_neuron_mean": _mean(per_neuron),
        "reads_per_neuron_std": _std(per_neuron),
        "reads_per_neuron_max": float(per_neuron.max()) if n else np.nan,
        "reads_per_input_mean": _mean(per_input[live]),
        "reads_per_input_std": _std(per_input[live]),
        "reads_per_input_gini": _gini(per_input[live]),
        "reads_coverage": _mean(per_input[live] > 0),
        **_compared("deviation", inputs.deviation, source, live),
        "reads_variance_coverage": _ratio(inputs.variance[per_input > 0].sum(), inputs.variance.sum()),
    }
    if inputs.relevance is not None:
        found |= _compared("relevance", inputs.relevance, source, live)
        found["reads_relevance_coverage"] = _ratio(inputs.relevance[per_input > 0].sum(), inputs.relevance.sum())
    if n == 0:
        return {**dict.fromkeys(read_names(inputs), np.nan), **found}
    reads = csr_array((np.ones(len(source)), source, np.append(first, len(source))), shape=(n, inputs.n_inputs))
    both = _times(reads, reads.T)
    both = both if isinstance(both, np.ndarray) else both.toarray()
    found["reads_overlap"] = _between(both / (per_neuron + per_neuron[:, None] - both))
    pairs = _pairs_of(reads)
    if inputs.correlation is not None:
        found["reads_correlation"] = _within(reads, pairs, known.alike)
        found |= _of_means(reads, known)
    if inputs.positions is not None:
        found["reads_distance"] = _ratio(_within(reads, pairs, known.distance), known.mean_distance)
    return found


def _of_means(reads: Any, known: _Known) -> dict[str, float]:
    """Compare the means of what readers read; those that do not vary are left out."""
    covariance = _times(reads, np.ascontiguousarray(_times(reads, known.covariance).T))
    variance = covariance.diagonal()
    varies = variance > _VARIES * np.diff(reads.indptr) * (reads @ known.inputs.variance)
    scale = np.sqrt(variance[varies])
    correlation = covariance[np.ix_(varies, varies)] / scale / scale[:, None]
    return {
        "reads_correlation_between": _between(np.abs(correlation)),
        "reads_dimension": _ratio(len(scale) ** 2, np.square(correlation).sum()),
    }


def _compared(name: str, worth: Floats, source: NDArray[np.int32], live: NDArray[np.bool_]) -> dict[str, float]:
    """Compare what inputs that are read have of something with the mean of live ones."""
    mean = _mean(worth[live])
    ratio = worth[source] / mean if mean > 0 else np.zeros(0)
    return {f"reads_{name}_mean": _mean(ratio), f"reads_{name}_std": _std(ratio)}


def _times(reads: Any, matrix: Any) -> Any:
    """Return reads times a matrix, by the kind of product that is faster."""
    if reads.nnz <= _SPARSE * np.prod(reads.shape):
        return reads @ matrix
    return reads.toarray() @ (matrix if isinstance(matrix, np.ndarray) else matrix.toarray())


def _pairs_of(reads: Any) -> Pairs | None:
    """Return all pairs of inputs that a reader reads: reader, one input, and the other; None where they are many."""
    counts = np.diff(reads.indptr)
    if counts.max() > _FEW * reads.shape[1]:
        return None
    reader = np.repeat(np.arange(len(counts)), counts)
    # Each read with the next one, with the one after that, and so on.
    steps = [np.flatnonzero(reader[step:] == reader[: len(reader) - step]) for step in range(1, counts.max())]
    one = np.concatenate([np.zeros(0, np.int64), *steps])
    other = np.concatenate([np.zeros(0, np.int64), *(own + step for step, own in enumerate(steps, 1))])
    return reader[one], reads.indices[one], reads.indices[other]


def _within(reads: Any, pairs: Pairs | None, value: Callable[[Numbers, Numbers], Floats]) -> float:
    """Return the mean over readers with several reads of the mean over pairs of these of a symmetric value."""
    counts = np.diff(reads.indptr)
    sums = np.zeros(len(counts))
    if pairs is not None:
        reader, one, other = pairs
        sums += np.bincount(reader, value(one, other), minlength=len(counts))
    else:
        own, every = reads.toarray(), np.arange(reads.shape[1])
        for some in _blocks(every, len(every)):
            values = value(some[:, None], every)
            values[np.arange(len(some)), some] = 0  # An input is no pair with itself.
            sums += np.einsum("ij,ij->i", own @ values.T, own[:, some]) / 2
    several = counts > 1
    return _mean(sums[several] / (counts * (counts - 1) / 2)[several])


def _blocks(numbers: Numbers, width: int) -> list[Numbers]:
    """Divide numbers into blocks, each of which makes few enough pairs with `width` others."""
    size = max(1, _BLOCK // max(width, 1))
    return [numbers[first : first + size] for first in range(0, len(numbers), size)]


def _between(matrix: Floats) -> float:
    """Return the mean over pairs of a symmetric matrix, whose diagonal does not count."""
    n = len(matrix)
    return _ratio(matrix.sum() - matrix.diagonal().sum(), n * (n - 1))


def _ratio(part: Any, whole: Any) -> float:
    return float(part / whole) if whole > 0 else np.nan


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else np.nan


def _std(values: NDArray[Any]) -> float:
    return float(values.std()) if len(values) else np.nan


def _gini(values: NDArray[np.int64]) -> float:
    """Return the Gini coefficient of numbers of 0 or more; NaN where all are 0."""
    n = len(values)
    ranks = np.arange(1, n + 1)
    return _ratio(float((2 * ranks - n - 1) @ np.sort(values)), n * float(values.sum()))
