"""Random regular graphs: every node has the same degree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from priors.checks import settle, whole
from priors.families.record import NODES, Argument, Family, undirected_wiring

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from priors.draws import Seed
    from priors.wiring import Wiring

__all__ = ["RANDOM_REGULAR", "RandomRegular"]


@dataclass(frozen=True)
class RandomRegular:
    """Random graphs in which every node has exactly `d` neighbours; nearly uniform among all of them.

    Parameters
    ----------
    n : int
        Nodes, at least 2.
    d : int
        Degree of every node, 1 <= d <= n - 1; n d is even.

    Raises
    ------
    ValueError
        For parameters out of bounds.

    Notes
    -----
    Every node has as many stubs as neighbours. All free stubs are put into random order, a permutation, and paired;
    pairs that make a self edge or a double edge leave their stubs free for the next round, and where no two free stubs
    can be joined all begins anew. Beyond half of all pairs the edges that are missing are drawn instead.

    References
    ----------
    Steger and Wormald (1999), Generating random regular graphs quickly, doi:10.1017/S0963548399003867

    Examples
    --------
    >>> from priors import RandomRegular
    >>> graph = RandomRegular(n=10, d=3).sample(0)
    >>> graph.out_degree.tolist()
    [3, 3, 3, 3, 3, 3, 3, 3, 3, 3]
    """

    n: int
    d: int
    family: ClassVar[str] = "random-regular"

    def __post_init__(self) -> None:
        n = whole("RandomRegular", "n", self.n, 2, 2**31 - 1)
        d = whole("RandomRegular", "d", self.d, 1, n - 1, limit="n - 1")
        if n * d % 2:
            near = " or ".join(str(each) for each in (d - 1, d + 1) if 1 <= each <= n - 1)
            raise ValueError(f"d={d}: n d = {n * d} is odd, and every edge has two ends; nearest valid is {near}")
        settle(self, n=n, d=d)

    def sample(self, rng: Seed = None) -> Wiring:
        """Draw one graph: a one-layer wiring of `n` neurons and n d edges, two for each undirected one."""
        import numpy as np

        from priors.compiled import draw, extension
        from priors.wiring import trusted_wiring

        generator, native = np.random.default_rng(rng), extension()
        if native is None:
            return _random_regular(self.n, self.d, generator)
        return trusted_wiring((self.n,), draw(native.random_regular, generator, self.n, self.d))


def _random_regular(n: int, d: int, rng: np.random.Generator) -> Wiring:
    import numpy as np

    missing = n - 1 - d
    if missing >= d:
        return undirected_wiring(n, *np.divmod(_regular(n, d, rng), n))
    low, high = np.triu_indices(n, 1)
    is_there = ~np.isin(low * n + high, _regular(n, missing, rng))
    return undirected_wiring(n, low[is_there], high[is_there])


def _regular(n: int, d: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the edges of a random regular graph as numbers low * n + high, ascending."""
    import numpy as np

    if d == 0:
        return np.zeros(0, np.int64)
    while (found := _paired(n, d, rng)) is None:
        pass
    return found


def _paired(n: int, d: int, rng: np.random.Generator) -> NDArray[np.int64] | None:
    """Return edges, or None where the stubs that are left cannot be paired."""
    import numpy as np

    from priors.draws import permutation

    edges, free = np.zeros(0, np.int64), np.repeat(np.arange(n), d)
    while len(free):
        pairs = np.sort(free[permutation(rng, len(free))].reshape(-1, 2), axis=1)
        number = pairs[:, 0] * n + pairs[:, 1]
        is_new = np.zeros(len(number), bool)
        is_new[np.unique(number, return_index=True)[1]] = True
        is_new &= (pairs[:, 0] != pairs[:, 1]) & ~np.isin(number, edges)
        edges = np.concatenate([edges, number[is_new]])
        free = pairs[~is_new].ravel()
        # A node with a free stub has less than d neighbours: among more than d nodes there are two to be joined.
        if 0 < len(nodes := np.unique(free)) <= d:
            low, high = np.triu_indices(len(nodes), 1)
            if np.isin(nodes[low] * n + nodes[high], edges).all():
                return None
    return np.sort(edges)


def _of_degree(params: Mapping[str, Any]) -> RandomRegular:
    """Return at least a degree of 2, below which graphs are pairs, or there are none."""
    n, step = params["n"], 1 + params["n"] % 2
    return RandomRegular(n, min(max(step * round(params["degree"] / step), 2), n - 1))


RANDOM_REGULAR = Family(
    make=RandomRegular,
    arguments=(NODES, Argument("d", int, "neighbours of every node")),
    of_degree=_of_degree,
    mean_degree=lambda prior: float(prior.d),
    example=lambda: RandomRegular(12, 3),
)
