"""Distances between wirings whose hidden neurons have no names: how much two structures differ once they are matched.

`nnstd_of_masks` is the neural-network sparse-topology distance as published and released; `nnstd` the same idea without
what depends on the numbering of neurons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from priors import Wiring

if TYPE_CHECKING:
    import scipy.sparse

__all__ = ["Distance", "density_distance", "edge_jaccard", "nnstd", "nnstd_of_masks", "spectral_distance", "spectrum"]

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

_DENSE = 400
"""Neurons up to which all singular values are computed."""
_TIE = 1e-6
"""What a tie is broken by counts so much less than what is minimised."""
_SWEEPS = 8
"""Times that all layers are matched anew, each with the layers around it."""
_MOST_ALIGNED = 300
"""Neurons that are matched all at once."""
_MOST_NAMED = 500
"""Neurons that are told apart by name because nothing else tells them apart."""


@dataclass(frozen=True, eq=False)
class Distance:
    """How much two wirings differ.

    Attributes
    ----------
    value : float
        Mean over layers, from 0 to 1.
    layers : tuple of float
        Of each layer but the input units, the mean over its neurons of the Jaccard distance between what a neuron and
        its partner read.
    partner : (n_neurons,) int64 array
        For each neuron of the first wiring the one of the second that it is matched with; where layers are of unequal
        width, both are numbered as if they had as many neurons as the wider one.
    """

    value: float
    layers: tuple[float, ...]
    partner: Numbers


def nnstd_of_masks(first: Sequence[ArrayLike], second: Sequence[ArrayLike]) -> tuple[float, tuple[float, ...]]:
    """Return the neural-network sparse-topology distance of two layered networks as published and released.

    Layer by layer, neurons are matched so that the sum of Jaccard distances between what they read is smallest, where
    what they read is numbered by the matches of the layer before. Output units are matched too, as if they had no
    names, and ties are broken by the numbering of neurons, so that a network and a relabelled copy of it may be apart.

    Parameters
    ----------
    first, second : sequence of (n_in, n_out) array
        What is not 0 is an edge; both have the same shapes.

    Returns
    -------
    value, layers : float, tuple of float
        The mean over layers, and each of them.

    Raises
    ------
    ValueError
        For other shapes.

    References
    ----------
    Liu et al. (2020), Topological insights into sparse neural networks, arXiv:2006.14085
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse import csr_array

    pairs = [(np.asarray(a) != 0, np.asarray(b) != 0) for a, b in zip(first, second, strict=False)]
    shapes = [[tuple(np.shape(mask)) for mask in masks] for masks in (first, second)]
    is_chain = all(a[1:] == b[:1] for a, b in zip(shapes[0], shapes[0][1:], strict=False))
    if shapes[0] != shapes[1] or not shapes[0] or not all(len(shape) == 2 for shape in shapes[0]) or not is_chain:
        raise ValueError(
            f"masks have shapes {shapes[0]} and {shapes[1]}: both need the same matrices, each with as many rows as "
            "the one before has columns"
        )
    order, values = np.arange(shapes[0][0][0]), []
    for one, other in pairs:
        cost = _jaccard(csr_array(one.T, dtype=np.float64), csr_array(other[order].T, dtype=np.float64))
        _, partner = linear_sum_assignment(cost)
        values.append(float(cost[np.arange(len(cost)), partner].mean()))
        order = partner
    return float(np.mean(values)), tuple(values)


def nnstd(first: Wiring, second: Wiring) -> Distance:
    """Return how much two wirings differ once their hidden neurons are matched; input and output units have names.

    What a neuron reads are the neurons of all layers, within the step or one step later. Neurons that no property of
    the graph tells from one neuron of the other wiring are partners of it: colour refinement from the units inwards,
    with ties named one after the other. The others are matched so that the Jaccard distances between what partners
    read are small, layer by layer and then each layer between the others, from either side; of the two results the
    smaller one counts, so that the distance is symmetric. Of layers of unequal width, the narrower one counts as if it
    had neurons without an edge.

    Parameters
    ----------
    first, second : Wiring
        With as many layers, and the same input and output units.

    Raises
    ------
    ValueError
        For wirings with other units or another number of layers.

    Notes
    -----
    Hidden neurons may be relabelled without changing the distance, and a wiring and a relabelled copy of it are at 0,
    unless it has neurons that colour refinement does not tell apart though the graph does, as in regular graphs. In
    general the best matches are as hard to find as the largest common subgraph; those found here need not be the best.
    Where the neurons of the only hidden layer read each other, up to 300 of them are matched all at once too, which
    finds better matches, so that larger ones seem farther apart.
    Distances are no metric: the triangle inequality may fail.
    """
    one, other = _Padded(first, second), _Padded(second, first)
    # Ties are broken by the numbers of neurons: they are numbered by what they are.
    colours = _refined(one, other, _first_colours(one))
    orders = [np.lexsort((part, own.layer)) for own, part in ((one, colours[: one.n]), (other, colours[one.n :]))]
    one.number(orders[0])
    other.number(orders[1])
    ours, theirs = colours[: one.n][orders[0]], colours[one.n :][orders[1]]
    partner, turned = _match(one, other, (ours, theirs)), np.argsort(_match(other, one, (theirs, ours)))
    found = [(_values(one, other, own), own) for own in (partner, turned)]
    values, best = min(found, key=lambda own: sum(own[0]))
    partner = np.empty_like(best)
    partner[orders[0]] = orders[1][best]
    return Distance(float(np.mean(values)) if values else 0.0, tuple(values), partner)


def edge_jaccard(first: Wiring, second: Wiring) -> float:
    """Return the Jaccard distance of two wirings' edges, neurons taken as they are numbered, from 0 to 1.

    Raises
    ------
    ValueError
        For wirings with other layers.
    """
    if first.sizes != second.sizes:
        raise ValueError(f"{first!r} and {second!r} have other layers: neurons of the same number are not the same")
    codes = [own.edges[:, 0].astype(np.int64) * own.n_neurons + own.edges[:, 1] for own in (first, second)]
    shared = len(np.intersect1d(codes[0], codes[1], assume_unique=True))
    union = len(codes[0]) + len(codes[1]) - shared
    return 1 - shared / union if union else 0.0


def density_distance(first: Wiring, second: Wiring) -> float:
    """Return the mean absolute difference of densities between layers, over pairs of layers that any edge joins.

    Raises
    ------
    ValueError
        For wirings with another number of layers.
    """
    if first.n_layers != second.n_layers:
        raise ValueError(f"{first!r} and {second!r} have {first.n_layers} and {second.n_layers} layers")
    densities = []
    for own in (first, second):
        layers = own.layer_of[own.edges].T
        counts = np.zeros((own.n_layers, own.n_layers))
        np.add.at(counts, tuple(layers), 1)
        densities.append(counts / np.outer(own.sizes, own.sizes))
    joined = (densities[0] > 0) | (densities[1] > 0)
    return float(np.abs(densities[0] - densities[1])[joined].mean()) if joined.any() else 0.0


def spectral_distance(first: Wiring, second: Wiring, n: int = 50) -> float:
    """Return the Euclidean distance, by the root of their number, of the largest singular values of two wirings.

    They are those of the matrix with 1 for each edge, divided by the root of the number of edges; it does not depend on
    the numbering of neurons, and wirings may have any sizes.
    """
    spectra = [spectrum(own, n) for own in (first, second)]
    return float(np.linalg.norm(spectra[0] - spectra[1]) / np.sqrt(n))


def spectrum(wiring: Wiring, n: int = 50) -> Floats:
    """Return the singular values, (n,), that `spectral_distance` compares; 0 where there are fewer."""
    found = np.zeros(n)
    if not wiring.n_edges:
        return found
    matrix = wiring.replace(weights=None).csr().astype(np.float64)
    if wiring.n_neurons <= _DENSE:
        values = np.linalg.svd(matrix.toarray(), compute_uv=False)[:n]
    else:
        from scipy.sparse.linalg import svds

        start = np.ones(wiring.n_neurons)
        values = np.sort(svds(matrix, k=n, v0=start, return_singular_vectors=False))[::-1]
    found[: len(values)] = values / np.sqrt(wiring.n_edges)
    return found


def _jaccard(one: scipy.sparse.csr_array, other: scipy.sparse.csr_array) -> Floats:
    """Return the Jaccard distances of the rows of two matrices of 0 and 1; of empty rows 0."""
    shared = (one @ other.T).toarray()
    sizes = [np.asarray(own.sum(axis=1)).ravel() for own in (one, other)]
    union = sizes[0][:, None] + sizes[1][None, :] - shared
    found: Floats = 1 - np.divide(shared, union, out=np.ones_like(union), where=union > 0)
    return found


class _Padded:
    """A wiring with as many neurons in each layer as the wider one of two has, as matrices of what reads what."""

    reads: scipy.sparse.csr_array
    """(n, 2 n): for each neuron what it reads within the step, and then what it reads one step later."""
    is_read: scipy.sparse.csr_array
    """(n, 2 n): for each neuron what reads it, in the same way."""

    def __init__(self, wiring: Wiring, other: Wiring) -> None:
        import scipy.sparse

        own, units = (wiring.n_inputs, wiring.n_outputs), (other.n_inputs, other.n_outputs)
        if own != units:
            raise ValueError(
                f"{wiring!r} and {other!r} have other units: {own[0]} and {units[0]} inputs, {own[1]} and {units[1]} "
                "outputs; those of both must be the same"
            )
        if wiring.n_layers != other.n_layers:
            raise ValueError(f"{wiring!r} and {other!r} have {wiring.n_layers} and {other.n_layers} layers")
        self.sizes = tuple(map(max, wiring.sizes, other.sizes))
        self.starts = np.concatenate([[0], np.cumsum(self.sizes, dtype=np.int64)])
        self.n = n = int(self.starts[-1])
        number = np.concatenate(
            [start + np.arange(size) for start, size in zip(self.starts, wiring.sizes, strict=False)]
            or [np.zeros(0, np.int64)]
        )
        source, target = number[wiring.edges].T
        later = ~wiring.forward
        ones = np.ones(len(source))
        shape = (n, 2 * n)
        self.reads = scipy.sparse.coo_array((ones, (target, source + n * later)), shape=shape).tocsr()
        self.is_read = scipy.sparse.coo_array((ones, (source, target + n * later)), shape=shape).tocsr()
        self.fixed = np.zeros(n, bool)
        self.fixed[: wiring.n_inputs] = True
        self.fixed[n - wiring.n_outputs :] = True
        self.first_layer = int(wiring.inputs)
        self.layer = np.repeat(np.arange(len(self.sizes)), self.sizes)

    def number(self, order: Numbers) -> None:
        """Give neurons other numbers within their layers: `order` are the present ones in the order of the new."""
        both = np.concatenate([order, self.n + order])
        self.reads, self.is_read = self.reads[order][:, both], self.is_read[order][:, both]

    def neurons(self, layer: int) -> Numbers:
        return np.arange(self.starts[layer], self.starts[layer + 1])


def _renamed(matrix: scipy.sparse.csr_array, partner: Numbers, rows: Numbers) -> scipy.sparse.csr_array:
    """Return some rows, whose columns have the numbers of their partners; what has no partner counts as 0."""
    import scipy.sparse

    own = matrix[rows]
    later, column = np.divmod(own.indices, len(partner))
    to = partner[column]
    return scipy.sparse.csr_array(
        (own.data * (to >= 0), np.maximum(to, 0) + len(partner) * later, own.indptr), shape=own.shape
    )


def _values(one: _Padded, other: _Padded, partner: Numbers) -> list[float]:
    """Return the mean Jaccard distance between what partners read, by layer."""
    bounds = one.starts[one.first_layer :]
    rows = np.arange(bounds[0], bounds[-1])
    reads, others = _renamed(one.reads, partner, rows), other.reads[partner[rows]]
    shared = np.asarray(reads.multiply(others).sum(axis=1)).ravel()
    union = np.asarray(reads.sum(axis=1)).ravel() + np.asarray(others.sum(axis=1)).ravel() - shared
    apart = 1 - np.divide(shared, union, out=np.ones_like(union), where=union > 0)
    ends = bounds - bounds[0]
    return [float(apart[start:end].mean()) for start, end in pairwise(ends.tolist()) if end > start]


def _match(one: _Padded, other: _Padded, colours: tuple[Numbers, Numbers]) -> Numbers:
    """Return a partner for each neuron, of its layer; `colours` are those of `_refined`."""
    from scipy.optimize import linear_sum_assignment

    partner = _anchored(one, other, np.concatenate(colours))
    for layer in range(len(one.sizes)):
        rows = one.neurons(layer)
        taken = np.isin(rows, partner[partner >= 0])
        free, columns = rows[partner[rows] < 0], rows[~taken]
        if not len(free):
            continue
        cost = _jaccard(_renamed(one.reads, partner, free), other.reads[columns])
        read_by = [np.asarray(own.is_read[at].sum(axis=1)).ravel() for own, at in ((one, free), (other, columns))]
        cost = cost + _TIE * np.abs(read_by[0][:, None] - read_by[1][None, :]) / (1 + read_by[0].max(initial=0))
        chosen, to = linear_sum_assignment(cost)
        partner[free[chosen]] = columns[to]
    starts = [partner, _aligned(one, other)]
    return min((_improved(one, other, own) for own in starts if own is not None), key=lambda found: found[0])[1]


def _aligned(one: _Padded, other: _Padded) -> Numbers | None:
    """Return partners of neurons of one layer, matched all at once so that many edges are shared.

    That is how neurons that read each other are matched, none of which has a partner before the others. None where
    other layers have neurons without names too, or there are too many of them.

    References
    ----------
    Vogelstein et al. (2015), Fast approximate quadratic programming for graph matching,
    doi:10.1371/journal.pone.0121002
    """
    from scipy.optimize import quadratic_assignment

    free = np.flatnonzero(~one.fixed)
    if len(np.unique(one.layer[free])) != 1 or len(free) > _MOST_ALIGNED or not one.reads[free][:, one.n + free].nnz:
        return None
    n = one.n
    matrices = [(own.reads[:, :n] + own.reads[:, n:]).toarray() for own in (one, other)]
    seeds = np.flatnonzero(one.fixed)
    options: Any = {
        "maximize": True,
        "partial_match": np.stack([seeds, seeds], axis=1),
        "rng": np.random.default_rng(0),
    }
    found: Numbers = quadratic_assignment(matrices[0], matrices[1], method="faq", options=options).col_ind
    return found


def _improved(one: _Padded, other: _Padded, partner: Numbers) -> tuple[float, Numbers]:
    """Match each layer anew by what it reads and by what reads it, as long as that makes the distance smaller.

    Returns the sum of the distance over layers, and the partners.
    """
    from scipy.optimize import linear_sum_assignment

    best = float(np.sum(_values(one, other, partner)))
    for _ in range(_SWEEPS):
        before = best
        for layer in range(len(one.sizes)):
            rows = one.neurons(layer)
            rows = rows[~one.fixed[rows]]
            if not len(rows) or not best:
                continue
            cost = _jaccard(_renamed(one.reads, partner, rows), other.reads[rows])
            cost += _jaccard(_renamed(one.is_read, partner, rows), other.is_read[rows])
            chosen, to = linear_sum_assignment(cost)
            changed = partner.copy()
            changed[rows[chosen]] = rows[to]
            value = float(np.sum(_values(one, other, changed)))
            if value < best:
                best, partner = value, changed
        if best == before:
            break
    return best, partner


def _anchored(one: _Padded, other: _Padded, colours: Numbers) -> Numbers:
    """Return partners of neurons that have the same colour as one neuron of the other wiring; -1 for all others.

    A colour stands for all that can be told of a neuron by walking along edges from it. Where several neurons of a
    colour are left in both wirings, one of each is given a colour of its own, as if it had a name.
    """
    n = one.n
    for _ in range(_MOST_NAMED):
        several = _several(colours, n)
        if several is None:
            break
        colours = colours.copy()
        if _are_twins(one, several[0]) and _are_twins(other, several[1]):
            # Whichever of them is named, the others stay as they are.
            names = colours.max() + 1 + np.arange(len(several[0]))
            colours[several[0]], colours[n + several[1]] = names, names
            continue
        colours[several[0][0]] = colours[n + several[1][0]] = colours.max() + 1
        colours = _refined(one, other, colours)
    partner = np.full(n, -1)
    counts = [np.bincount(part, minlength=int(colours.max(initial=0)) + 1) for part in (colours[:n], colours[n:])]
    alone = np.flatnonzero((counts[0] == 1) & (counts[1] == 1))
    place = [np.zeros(len(counts[0]), np.int64) for _ in range(2)]
    for own, part in zip(place, (colours[:n], colours[n:]), strict=True):
        own[part] = np.arange(n)
    partner[place[0][alone]] = place[1][alone]
    partner[one.fixed] = np.flatnonzero(one.fixed)
    return partner


def _first_colours(one: _Padded) -> Numbers:
    """Return what is known of the neurons of both wirings beforehand: their layers, and which units have names."""
    start = np.where(one.fixed, np.arange(one.n) + len(one.sizes), one.layer)
    return np.concatenate([start, start])


def _several(colours: Numbers, n: int) -> tuple[Numbers, Numbers] | None:
    """Return the neurons, in both wirings, of a colour that as many of each have, more than one; None without one."""
    counts = [np.bincount(part, minlength=int(colours.max(initial=0)) + 1) for part in (colours[:n], colours[n:])]
    shared = np.flatnonzero((counts[0] == counts[1]) & (counts[0] > 1))
    if not len(shared):
        return None
    return np.flatnonzero(colours[:n] == shared[0]), np.flatnonzero(colours[n:] == shared[0])


def _are_twins(own: _Padded, neurons: Numbers) -> bool:
    """Return whether neurons read the same ones, and are read by the same ones."""
    for matrix in (own.reads, own.is_read):
        part = matrix[neurons]
        part.sort_indices()
        counts = np.diff(part.indptr)
        if (counts != counts[0]).any() or (part.indices.reshape(len(neurons), -1) != part.indices[: counts[0]]).any():
            return False
    return True


def _refined(one: _Padded, other: _Padded, colours: Numbers) -> Numbers:
    """Return colours of all neurons of both wirings, (2 n,), that tell apart what can be told apart.

    References
    ----------
    Weisfeiler and Leman (1968), The reduction of a graph to canonical form and the algebra which appears therein
    """
    n = one.n
    n_colours = -1
    while True:
        _, colours = np.unique(colours, return_inverse=True)
        found = int(colours.max(initial=-1)) + 1
        if found == n_colours:
            return colours
        n_colours = found
        # A multiset of colours has the sum of their numbers, which are random.
        numbers = np.random.default_rng(0).integers(2**62, size=(2, found), dtype=np.int64).view(np.uint64)
        columns = [colours.astype(np.uint64)]
        parts = []
        for own, part in ((one, colours[:n]), (other, colours[n:])):
            seen = np.concatenate([numbers[0][part], numbers[1][part]])
            parts.append([own.reads.astype(np.uint64) @ seen, own.is_read.astype(np.uint64) @ seen])
        columns += [np.concatenate(own) for own in zip(*parts, strict=True)]
        _, colours = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
        colours = colours.ravel()
