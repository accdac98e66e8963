"""describe: the features of many wirings, by compiled code where it was built and in Python otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictors.compiled import extension
from predictors.features.packing import packed
from predictors.features.table import COMPILED, FEATURES, TIERS, names_of, tiers_of
from priors.checks import whole
from priors.wiring import Wiring

__all__ = ["DEFAULT_TIERS", "describe", "measured"]

DEFAULT_TIERS = ("size", "structure")
"""Tiers that cost about as much as drawing a wiring."""

_CHUNK = 64
"""Wirings packed together: few enough for the processor's caches."""

_PRECISION = 1e-12


def describe(
    wirings: Sequence[Wiring], tiers: tuple[str, ...] = DEFAULT_TIERS, pivots: int | None = None
) -> NDArray[np.float64]:
    """Compute the features of wirings.

    Parameters
    ----------
    wirings : sequence of Wiring
        With or without input and output units.
    tiers : tuple of str
        Some of `TIERS`; the others cost nothing.
    pivots : int, optional
        Neurons at which the paths of betweenness start, evenly spaced by number; each then stands for n / pivots. All
        of them where there are not more neurons. Without a number: all of up to 500 neurons, else 64.

    Returns
    -------
    (n_wirings, n_features) float64 array
        Columns are ``names_of(tiers)``; NaN where a feature is undefined. A row depends on its own wiring alone.

    Raises
    ------
    ValueError
        If a tier is not known, or there is not at least one pivot.

    References
    ----------
    Betweenness: Brandes 2001, doi:10.1080/0022250X.2001.9990249; from pivots: Brandes & Pich 2007,
    doi:10.1142/S0218127407018403. Distances by bits: Then et al. 2014, doi:10.14778/2735496.2735507.

    Examples
    --------
    >>> from predictors import describe, names_of
    >>> from priors import BarabasiAlbert, WattsStrogatz
    >>> rows = describe([WattsStrogatz(20, 4, 0.3).sample(0), BarabasiAlbert(20, 2).sample(0)])
    >>> rows.shape == (2, len(names_of(("size", "structure"))))
    True
    >>> rows[:, names_of(("size", "structure")).index("n_edges")].tolist()
    [80.0, 72.0]
    """
    return measured(wirings, names_of(tiers), pivots)


def measured(wirings: Sequence[Wiring], names: Sequence[str], pivots: int | None = None) -> NDArray[np.float64]:
    """Compute chosen features, (n_wirings, n_names) float64, in the order of their names; see `describe`."""
    count = 0 if pivots is None else whole("describe", "pivots", pivots, 1)
    native = extension()
    if native is None:
        return _in_python(wirings, names, pivots)
    wanted = frozenset(names)
    needed = {feature.tier for feature in COMPILED if feature.name in wanted}
    tiers = tuple(tier for tier in TIERS if tier in needed)
    computed = [feature.name for feature in COMPILED if feature.tier in needed]
    found = np.empty((len(wirings), len(computed)))
    for first in range(0, len(wirings), _CHUNK):
        some = wirings[first : first + _CHUNK]
        found[first : first + len(some)] = _compiled(native, some, tiers, count)
    if "recurrent" in tiers:
        radius = found[:, computed.index("spectral_radius")]
        for index in np.flatnonzero(np.isnan(radius)).tolist():
            radius[index] = _spectral_radius(wirings[index].hidden)
    return found if computed == list(names) else _by_name(found, computed, wirings, names)


def _by_name(
    found: NDArray[np.float64], computed: Sequence[str], wirings: Sequence[Wiring], names: Sequence[str]
) -> NDArray[np.float64]:
    """Return the columns of some names, from those that were computed and from functions of one wiring."""
    place = {name: index for index, name in enumerate(computed)}
    rows = np.empty((len(wirings), len(names)))
    for index, name in enumerate(names):
        measure = FEATURES[name].measure
        rows[:, index] = found[:, place[name]] if measure is None else [measure(wiring) for wiring in wirings]
    return rows


def _compiled(native: Any, wirings: Sequence[Wiring], tiers: tuple[str, ...], pivots: int) -> NDArray[np.float64]:
    """Return the rows of a few wirings; a spectral radius that takes longer is NaN."""
    batch = packed(wirings)
    flags = sum(1 << index for index, tier in enumerate(TIERS) if tier in tiers)
    rows: NDArray[np.float64] = native.describe(
        batch.edges, batch.first_edge, batch.sizes, batch.first_size, batch.units, flags, pivots, _instruction_set()
    )
    return rows


def _instruction_set() -> str:
    best: str = extension().feature_instruction_sets()[-1]
    return best


def _in_python(wirings: Sequence[Wiring], names: Sequence[str], pivots: int | None) -> NDArray[np.float64]:
    from predictors.features.reference import describe_one

    tiers = tiers_of(names)
    described = [describe_one(wiring, tiers, pivots) for wiring in wirings]
    rows = [[found[name] for name in names] for found in described]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(names))


def _spectral_radius(hidden: Wiring) -> float:
    """Return the largest absolute eigenvalue of a wiring whose cycles mix slowly, so that powers converge slowly."""
    from scipy.sparse.csgraph import connected_components

    adjacency = hidden.replace(weights=None).csr().astype(np.float64)
    _, component = connected_components(adjacency, directed=True, connection="strong")
    members = np.split(np.argsort(component, kind="stable"), np.cumsum(np.bincount(component))[:-1])
    # A single neuron has 0 or 1, and no component of several has less than 1.
    return max(_radius(adjacency[own][:, own]) for own in members if len(own) > 1)


def _radius(adjacency: Any) -> float:
    """Return the largest eigenvalue of the adjacency of a strongly connected component, by Noda's iteration.

    For any positive vector x the ratios (A x)_i / x_i enclose it. Inverse iteration at their upper end keeps x positive
    and converges quadratically, whatever the other eigenvalues are.

    References
    ----------
    Noda 1971, doi:10.1007/BF01436383.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import splu

    n = adjacency.shape[0]
    diagonal = np.arange(n, dtype=np.int32), np.arange(n, dtype=np.int32)  # scipy before 1.12 takes no others
    x = np.ones(n)
    high = np.inf
    while True:
        ratios = (adjacency @ x) / x
        if not ratios.max() < high or np.ptp(ratios) <= _PRECISION * ratios.max():
            return float(min(high, ratios.max()))
        high = ratios.max()
        x = splu((coo_array((np.full(n, high), diagonal), shape=(n, n)) - adjacency).tocsc()).solve(x)
        x /= x.max()
