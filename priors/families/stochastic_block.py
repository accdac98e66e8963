"""Stochastic block models: how likely an edge is follows from the blocks of its ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from priors.checks import fraction, settle, whole
from priors.families.blocks import BlockPairs
from priors.families.record import Argument, Family, Parameter, edges_of_degree, numbers, undirected_wiring
from priors.shares import shares

if TYPE_CHECKING:
    from priors.draws import Seed
    from priors.wiring import Wiring

__all__ = ["STOCHASTIC_BLOCK", "StochasticBlock"]

Matrix = tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class StochasticBlock:
    """Random graphs of blocks: every pair of nodes with the probability of its blocks, or exact counts of edges.

    Parameters
    ----------
    sizes : tuple of int
        Nodes of each block, which hold consecutive nodes.
    block_p : matrix of float, optional
        Probability of an edge between each pair of blocks, symmetric, a row a block.
    block_edges : matrix of int, optional
        Exact number of undirected edges between each pair of blocks, symmetric, and within each block on the diagonal.
        Exactly one of `block_p` and `block_edges` is given.

    Raises
    ------
    ValueError
        For parameters out of bounds, a matrix of another size than there are blocks, or one that is not symmetric.

    Notes
    -----
    Pairs count block pair by block pair: (0, 0), (0, 1), …, (1, 1), …. By `block_p` one double a pair is drawn; by
    `block_edges` a subset of the pairs of every block pair.

    References
    ----------
    Holland, Laskey and Leinhardt (1983), Stochastic blockmodels, doi:10.1016/0378-8733(83)90021-7; exact counts:
    Peixoto (2017), Nonparametric Bayesian inference of the microcanonical stochastic block model,
    doi:10.1103/PhysRevE.95.012317

    Examples
    --------
    >>> from priors import StochasticBlock
    >>> graph = StochasticBlock((10, 20), block_edges=((15, 5), (5, 10))).sample(0)
    >>> low, high = graph.edges[graph.edges[:, 0] < graph.edges[:, 1]].T
    >>> graph.n_edges // 2, int((high < 10).sum()), int((low >= 10).sum())
    (30, 15, 10)
    """

    sizes: tuple[int, ...]
    block_p: Matrix | None = None
    block_edges: Matrix | None = None
    family: ClassVar[str] = "stochastic-block"

    def __post_init__(self) -> None:
        given = self.sizes if isinstance(self.sizes, Sequence) else (self.sizes,)
        settle(self, sizes=tuple(whole("StochasticBlock", "size", size, 1, 2**31 - 1) for size in given))
        if not self.sizes:
            raise ValueError("sizes=(): StochasticBlock needs at least one block")
        if (self.block_p is None) == (self.block_edges is None):
            raise ValueError(
                f"block_p={self.block_p!r}, block_edges={self.block_edges!r}: StochasticBlock needs exactly one of them"
            )
        if self.block_p is not None:
            settle(self, block_p=self._checked("block_p", self.block_p, self._probability))
        else:
            settle(self, block_edges=self._checked("block_edges", self.block_edges, self._count))

    def _probability(self, value: Any, most: int) -> float:  # noqa: ARG002
        return fraction("StochasticBlock", "block_p", value)

    def _count(self, value: Any, most: int) -> int:
        return whole("StochasticBlock", "block_edges", value, 0, most, limit="pairs of the blocks")

    def _checked(self, name: str, matrix: Any, checked: Any) -> Matrix:
        size, rows = len(self.sizes), [list(row) for row in matrix]
        if [len(row) for row in rows] != [size] * size:
            shape = " and ".join(str(len(row)) for row in rows)
            raise ValueError(
                f"{name}: {len(rows)} rows of {shape} numbers, where {size} blocks need {size} rows of {size}"
            )
        pairs = BlockPairs.all(self.sizes)
        for (r, s), most in zip(pairs.blocks, pairs.counts, strict=True):
            if rows[r][s] != rows[s][r]:
                raise ValueError(
                    f"{name}: {rows[r][s]!r} for blocks {r} and {s}, {rows[s][r]!r} for {s} and {r}; they must be equal"
                )
            rows[r][s] = rows[s][r] = checked(rows[r][s], most)
        return tuple(map(tuple, rows))

    @property
    def n(self) -> int:
        """Nodes in all."""
        return sum(self.sizes)

    def sample(self, rng: Seed = None) -> Wiring:
        """Draw one graph: a one-layer wiring of all nodes with both directions of every edge."""
        import numpy as np

        from priors.draws import subset

        generator, pairs = np.random.default_rng(rng), BlockPairs.all(self.sizes)
        found, first = [], 0
        for (r, s), count in zip(pairs.blocks, pairs.counts, strict=True):
            if self.block_p is not None:
                drawn = np.flatnonzero(generator.random(count) < self.block_p[r][s])
            else:
                assert self.block_edges is not None
                drawn = subset(generator, count, self.block_edges[r][s])
            found.append(drawn + first)
            first += count
        return undirected_wiring(self.n, *pairs.nodes(np.concatenate(found)))


def _of_degree(params: Mapping[str, Any]) -> StochasticBlock:
    """Return a core and a periphery, whose nodes are worth 1 and `periphery`; an edge is as likely as the product."""
    n = params["n"]
    core = min(max(round(params["core"] * n), 1), n - 1)
    pairs, worth = BlockPairs.all((core, n - core)), (1.0, params["periphery"])
    weights = [worth[r] * worth[s] * count for (r, s), count in zip(pairs.blocks, pairs.counts, strict=True)]
    inner, across, outer = shares(edges_of_degree(n, params["degree"]), weights, pairs.counts)
    return StochasticBlock(pairs.sizes, block_edges=((inner, across), (across, outer)))


def _mean_degree(prior: StochasticBlock) -> float:
    assert prior.block_edges is not None
    n_edges: int = sum(prior.block_edges[r][s] for r, s in BlockPairs.all(prior.sizes).blocks)
    return 2 * n_edges / prior.n


def _rows(name: str, kind: type, text: str) -> Matrix:
    """Read a matrix from text."""
    try:
        return tuple(tuple(kind(number) for number in row.split(",")) for row in text.split("/"))
    except ValueError:
        raise ValueError(f"{name}={text!r}: rows of numbers are written like 0.5,0.1/0.1,0.5") from None


STOCHASTIC_BLOCK = Family(
    make=StochasticBlock,
    arguments=(
        Argument(
            "sizes",
            str,
            "nodes of each block, such as 16,48",
            parse=numbers("sizes", int, "nodes of each block are written like 16,48"),
        ),
        Argument(
            "block_p",
            str,
            "probability of edges between blocks, row by row, such as 0.5,0.1/0.1,0.5",
            is_needed=False,
            parse=lambda text: _rows("block_p", float, text),
        ),
        Argument(
            "block_edges",
            str,
            "number of edges between blocks, row by row, such as 40,20/20,60",
            is_needed=False,
            parse=lambda text: _rows("block_edges", int, text),
        ),
    ),
    of_degree=_of_degree,
    mean_degree=_mean_degree,
    parameters=(
        Parameter("core", "Share of the neurons in the core of stochastic-block.", (0.05, 0.5), limits=(0.0, 1.0)),
        Parameter(
            "periphery",
            "How likely edges outside of the core of stochastic-block are, as a share of those inside.",
            (0.1, 1.0),
            limits=(0.001, 1.0),
        ),
    ),
    example=lambda: StochasticBlock((5, 7), block_p=((0.8, 0.2), (0.2, 0.6))),
)
