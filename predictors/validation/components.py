"""Variance components of nested levels, from families of priors down to seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predictors.validation.resampling import codes_of, interval_of

__all__ = ["Component", "variance_components"]


@dataclass(frozen=True)
class Component:
    """The variance that one level adds to those above it.

    Parameters
    ----------
    name : str
    variance : float
        In squared units of the values; 0 where the estimate was below.
    share : float
        Of the sum of all components.
    low, high : float
        95 % interval of the share.
    negative : bool
        Whether the estimate was below 0: the level's cells differ less than those below them let expect.
    """

    name: str
    variance: float
    share: float
    low: float
    high: float
    negative: bool = False


@dataclass(frozen=True)
class _Level:
    """The cells of one level: rows in each, sum of their values, cell above at each higher level, resampled cell."""

    counts: NDArray[np.float64]
    sums: NDArray[np.float64]
    parents: tuple[NDArray[np.int64], ...]
    drawn: NDArray[np.int64] | None


def variance_components(
    values: ArrayLike,
    levels: Mapping[str, Sequence[Any] | NDArray[Any]],
    residual: str = "rest",
    resample: str | None = None,
    draws: int = 500,
    seed: int = 0,
) -> list[Component]:
    """Split the variance of values over nested random levels, by the analysis of variance (Henderson's method I).

    Parameters
    ----------
    values : (n,) array
        One value a training.
    levels : mapping of name to n labels
        From the top downwards, for example family, parameters, graph, orientation, attachment. Labels are read within
        the level above: graph 0 of two families is two graphs.
    residual : str
        Name of what is left between values of one cell of the lowest level, for example seed.
    resample : str, optional
        The level whose cells are drawn anew within those above it, for the intervals. Default: the second one, as the
        first, the families, is not a sample of anything; the first where it is the only one.
    draws, seed : int

    Returns
    -------
    list of Component
        One a level, and last the residual.

    Raises
    ------
    ValueError
        If a level does not branch, so that no data can tell it from the level above or below.

    Notes
    -----
    Sums of squares are set equal to their expectations, which holds without any distribution, and unbiased whether or
    not the cells are of equal size. Estimates below 0 are reported as 0 with a flag.

    References
    ----------
    .. [1] C. R. Henderson, "Estimation of variance and covariance components", doi:10.2307/3001853
    """
    y = np.asarray(values, dtype=np.float64)
    if y.ndim != 1 or not np.isfinite(y).all():
        raise ValueError(f"values {y.shape}: must be (n,) and finite")
    names = list(levels)
    if not names or (resample is not None and resample not in levels):
        raise ValueError(
            f"resample={resample!r}: must be one of the levels, {', '.join(names) or 'of which there is none'}"
        )
    codes = _nested_codes(levels, len(y))
    chosen = min(1, len(names) - 1) if resample is None else names.index(resample)
    tables = _tables(y - y.mean(), codes, chosen + 1)
    estimates = _solve(tables, np.ones(len(tables[chosen + 1].counts)))
    above = tables[chosen + 1].parents[chosen]
    rng = np.random.default_rng(seed)
    drawn = np.array([_shares(_solve(tables, _multiplicities(above, rng))) for _ in range(draws)])
    return [
        Component(name, max(0.0, float(variance)), float(share), *interval_of(drawn[:, index]), bool(variance < 0))
        for index, (name, variance, share) in enumerate(
            zip([*names, residual], estimates, _shares(estimates), strict=True)
        )
    ]


def _nested_codes(levels: Mapping[str, Sequence[Any] | NDArray[Any]], n: int) -> list[NDArray[np.int64]]:
    """Return the cells of all rows at the root, at every level, and at the rows themselves."""
    codes = [np.zeros(n, dtype=np.int64)]
    cells = 1
    for name, labels in levels.items():
        own = codes_of(labels, n)
        codes.append(codes_of(codes[-1] * (int(own.max()) + 1) + own, n))
        if int(codes[-1].max()) + 1 == cells:
            raise ValueError(f"level {name!r}: has one value in each cell of the level above; leave it out")
        cells = int(codes[-1].max()) + 1
    if cells == n:
        raise ValueError(f"level {list(levels)[-1]!r}: holds one value a cell; leave it out, it is the residual")
    return [*codes, np.arange(n)]


def _tables(y: NDArray[np.float64], codes: list[NDArray[np.int64]], chosen: int) -> list[_Level]:
    tables = []
    for depth, own in enumerate(codes):
        first = np.unique(own, return_index=True)[1]
        tables.append(
            _Level(
                counts=np.bincount(own).astype(np.float64),
                sums=np.bincount(own, weights=y).astype(np.float64),
                parents=tuple(higher[first] for higher in codes[:depth]),
                drawn=codes[chosen][first] if depth >= chosen else None,
            )
        )
    return tables


def _multiplicities(above: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw as many cells as there are below each cell above, with replacement, and count how often each came."""
    order = np.argsort(above, kind="stable")
    sizes = np.bincount(above)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    drawn = order[starts + rng.integers(np.repeat(sizes, sizes))]
    return np.bincount(drawn, minlength=len(above)).astype(np.float64)


def _solve(tables: list[_Level], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the components, those of levels below the root, where each resampled cell is there some times over.

    A cell that is there twice stands for two cells of equal content, so cells below it are there twice, while those
    above it grow. The sum of squares T of a level, of cell sums squared over cell counts, has the expectation
    sum over components k of v_k K, where K sums over cells of k their squared counts over the count of their cell at
    the level of T. Differences of T from level to level are free of the mean, and of the components above.
    """
    copies = [np.ones(len(t.counts)) if t.drawn is None else times[t.drawn] for t in tables]
    rows, copied = tables[-1], copies[-1]
    counts, sums = [], []
    for depth, table in enumerate(tables):
        grown = table.drawn is None
        parent = rows.parents[depth] if grown else None
        counts.append(table.counts if parent is None else np.bincount(parent, copied))
        sums.append(table.sums if parent is None else np.bincount(parent, copied * rows.sums))
    squares = np.array([(m * s**2 / c).sum() for m, s, c in zip(copies, sums, counts, strict=True)])
    depths = range(len(tables))
    expected = np.full((len(tables), len(tables)), counts[0].sum())
    for lower in depths:
        for upper in range(lower):
            over = counts[upper][tables[lower].parents[upper]]
            expected[upper, lower] = (copies[lower] * counts[lower] ** 2 / over).sum()
    system = np.diff(expected, axis=0)[:, 1:]
    if (np.abs(np.diag(system)) < 1e-9 * counts[0].sum()).any():
        return np.full(len(tables) - 1, np.nan)
    return np.linalg.solve(np.triu(system), np.diff(squares))


def _shares(variances: NDArray[np.float64]) -> NDArray[np.float64]:
    positive = np.maximum(variances, 0.0)
    total = positive.sum()
    return positive / total if total > 0 else np.full(len(positive), np.nan)
