"""Several wirings side by side: the distance of each pair, a map of them in the plane, and a tree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predictors.distances import nnstd
from predictors.figures import BLUE, save_figure
from predictors.threads import one_thread
from priors import Wiring

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "Plane",
    "checked_matrix",
    "distance_matrix",
    "draw_map",
    "draw_tree",
    "nnstd_value",
    "plane_of",
    "plot_pairs",
    "tree_of",
]

Floats = NDArray[np.float64]

_STARTS, _MOST_STEPS, _SMALLEST_STEP = 4, 1_000, 1e-9


def nnstd_value(first: Wiring, second: Wiring) -> float:
    """Return the mean over layers of `nnstd`."""
    return nnstd(first, second).value


def distance_matrix(
    wirings: Sequence[Wiring],
    measure: Callable[[Wiring, Wiring], float] = nnstd_value,
    *,
    processes: int = 1,
    watch: Callable[[int, int], None] = lambda *_: None,
) -> Floats:
    """Return the distances of all pairs of wirings.

    Parameters
    ----------
    wirings : sequence of Wiring
    measure : callable
        From two wirings to their distance, which is the same the other way round; with several processes one that can
        be pickled, such as a function of a module.
    processes : int
        Pairs at a time; results do not depend on it. Threads would wait for each other: most of the work holds
        Python's lock. Each process takes seconds to begin.
    watch : callable
        Told how many pairs are done, and all of them.

    Returns
    -------
    (n, n) float64 array
        Symmetric, 0 on the diagonal.

    Raises
    ------
    ValueError
        If two of them cannot be compared.
    """
    from predictors.validation.fits import side_by_side

    n = len(wirings)
    places = list(combinations(range(n), 2))
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        watch(done, len(places))

    watch(0, len(places))
    found = np.zeros((n, n))
    with one_thread(), side_by_side(max(1, min(processes, len(places))), count) as fits:
        pairs = ((wirings[row], wirings[column]) for row, column in places)
        for (row, column), value in zip(places, fits.map(measure, pairs), strict=True):
            found[row, column] = found[column, row] = value
    return found


class Plane(NamedTuple):
    """Points of the plane whose distances are near to given ones.

    Attributes
    ----------
    points : (n, 2) float64 array
        Their mean is 0; they spread most along the first axis.
    stress : float
        Root of the squared errors of all distances by the sum of the squared distances: 0 where all are met, up to .05
        good, above .2 poor (Kruskal 1964). Points that are all equally far apart have no place in the plane.
    """

    points: Floats
    stress: float


def plane_of(matrix: ArrayLike) -> Plane:
    """Return a point for each row of an (n, n) matrix of distances, by metric multidimensional scaling.

    References
    ----------
    Kruskal (1964), Multidimensional scaling by optimizing goodness of fit to a nonmetric hypothesis,
    doi:10.1007/BF02289565; de Leeuw (1977), Applications of convex analysis to multidimensional scaling
    """
    from scipy.spatial.distance import pdist, squareform
    from sklearn.manifold import smacof

    wanted = checked_matrix(matrix)
    if not wanted.any():
        return Plane(np.zeros((len(wanted), 2)), 0.0)
    with one_thread():
        points, _ = smacof(
            wanted,
            n_components=2,
            n_init=_STARTS,
            max_iter=_MOST_STEPS,
            eps=_SMALLEST_STEP,
            random_state=0,
            normalized_stress=False,
        )
        points = points - points.mean(axis=0)
        # Axes as they come from chance would be others with every version.
        points = points @ np.linalg.svd(points, full_matrices=False)[2].T
    largest = np.abs(points).argmax(axis=0)
    points = points * np.where(points[largest, np.arange(2)] < 0, -1.0, 1.0)
    missed = pdist(points) - squareform(wanted)
    return Plane(points, float(np.sqrt((missed**2).sum() / (squareform(wanted) ** 2).sum())))


def tree_of(matrix: ArrayLike) -> Floats:
    """Return the tree of an (n, n) matrix of distances by average linkage, as `scipy.cluster.hierarchy` has it."""
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    found: Floats = linkage(squareform(checked_matrix(matrix)), "average", optimal_ordering=True)
    return found


def checked_matrix(matrix: ArrayLike) -> Floats:
    """Return an (n, n) matrix of distances as float64.

    Raises
    ------
    ValueError
        For what is not square, or no distances: finite, 0 or more, the same both ways, and 0 on the diagonal.
    """
    found = np.array(matrix, np.float64)
    if found.ndim != 2 or found.shape[0] != found.shape[1] or len(found) < 2:
        raise ValueError(f"a matrix of shape {found.shape}: distances of two or more wirings are a square one")
    if not (
        np.isfinite(found).all() and (found >= 0).all() and np.allclose(found, found.T) and not found.diagonal().any()
    ):
        raise ValueError("distances must be finite, 0 or more, the same both ways, and 0 on the diagonal")
    return (found + found.T) / 2


def draw_map(axes: Axes, matrix: ArrayLike, names: Sequence[str], colours: Sequence[Any] | None = None) -> Plane:
    """Draw a point for each wiring, as near to each other as they are, and return the points."""
    plane = plane_of(matrix)
    x, y = plane.points.T
    axes.scatter(x, y, c=[BLUE] * len(names) if colours is None else list(colours), s=24)
    for name, point in zip(names, plane.points, strict=True):
        axes.annotate(name, point, (3, 3), textcoords="offset points", fontsize="x-small", parse_math=False)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.15)
    axes.locator_params(nbins=5)
    axes.set_title(f"distances in the plane, stress {plane.stress:.2f}", fontsize="small")
    axes.grid(alpha=0.3)
    return plane


def draw_tree(axes: Axes, matrix: ArrayLike, names: Sequence[str]) -> None:
    """Draw the tree of some wirings: two branches meet at the mean distance of what is on the one and on the other."""
    from scipy.cluster.hierarchy import dendrogram

    dendrogram(tree_of(matrix), labels=list(names), orientation="left", ax=axes, color_threshold=0)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
        label.set_fontsize("x-small")
    axes.set_xlabel("distance", fontsize="small")


def plot_pairs(folder: Path, matrix: ArrayLike, names: Sequence[str]) -> Plane:
    """Write ``map.png`` and ``tree.png`` into a folder, and return the points of the map."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 6), layout="constrained")
    plane = draw_map(figure.subplots(), matrix, names)
    save_figure(figure, folder / "map.png")
    figure = Figure(figsize=(7, 1.5 + 0.22 * len(names)), layout="constrained")
    draw_tree(figure.subplots(), matrix, names)
    save_figure(figure, folder / "tree.png")
    return plane
