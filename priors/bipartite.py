"""Layer-to-layer priors: distributions over layered wirings, drawn block by block between consecutive layers.

Random draws follow the promise of `priors.draws`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import ClassVar

import numpy as np

from priors.checks import choice, fraction, settle, whole
from priors.draws import Seed
from priors.edges import checked_sizes
from priors.patterns import PATTERNS, Block
from priors.shares import shares
from priors.wiring import Wiring, trusted_wiring

__all__ = ["Layered"]

_ALLOCATIONS = ("uniform", "erk")


@dataclass(frozen=True)
class Layered:
    """Random masks with exact counts between consecutive layers.

    Parameters
    ----------
    sizes : tuple of int
        Neurons per layer, at least two layers.
    density : float or tuple of float, optional
        Edges present / edges possible, 0 < density <= 1, for all blocks or for each of them. A block of density d holds
        ``round(d * n_source * n_target)`` edges.
    edges : int, optional
        Exact number of edges in all. Exactly one of `density` and `edges` is given.
    inputs, outputs : bool
        Whether the first / last layer are input / output units.
    allocation : {"uniform", "erk"}
        How edges in all are shared out over blocks, largest remainders first: in proportion to the blocks' sizes, or
        to n_source + n_target, as in Erdős-Rényi-kernel allocation, where no block holds more than it can.
    pattern : {"uniform", "fan-in", "regular", "small-world", "scale-free"}
        How the edges of a block lie, see `priors.patterns`: every set equally likely; every target reads equally many
        sources; and every source is read equally often too; windows, of which a share is rewired; or degrees as in a
        grown graph. By density and with fan-in every target reads ``round(d * n_source)`` sources, and one at least;
        otherwise equal degrees differ by one where they must.
    beta : float, optional
        Share of the edges that are rewired, for small-world alone, which needs it.

    Raises
    ------
    ValueError
        For parameters out of bounds, as many densities as there are not blocks, not exactly one of `density` and
        `edges`, or a `beta` that is missing or does nothing.

    Notes
    -----
    The blocks are drawn in turn. For a uniform one a subset of its pairs is drawn, which count source by source.

    References
    ----------
    erk: Evci et al. (2020), Rigging the lottery, arXiv:1911.11134; constant fan-in: Lasby et al. (2024), Dynamic sparse
    training with structured sparsity, arXiv:2305.02299; small-world and scale-free: Zhang et al. (2025), Brain network
    science modelling of sparse neural networks, arXiv:2501.19107

    Examples
    --------
    >>> from priors import Layered
    >>> Layered((20, 30, 10), density=0.1).counts, Layered((20, 30, 10), density=0.1, allocation="erk").counts
    ((60, 30), (50, 40))
    >>> wiring = Layered((20, 30, 10), density=0.1, pattern="fan-in", inputs=True, outputs=True).sample(0)
    >>> wiring.in_degree[20:50].tolist() == 30 * [2], wiring.in_degree[50:].tolist() == 10 * [3]
    (True, True)
    """

    sizes: tuple[int, ...]
    density: float | tuple[float, ...] | None = None
    edges: int | None = None
    inputs: bool = False
    outputs: bool = False
    allocation: str = "uniform"
    pattern: str = "uniform"
    beta: float | None = None
    family: ClassVar[str] = "layered"

    def __post_init__(self) -> None:
        sizes = tuple(whole("Layered", "size", size, 1) for size in self.sizes)
        if len(sizes) < 2:
            raise ValueError(f"sizes={sizes}: Layered needs at least two layers")
        if (self.density is None) == (self.edges is None):
            raise ValueError(f"density={self.density!r}, edges={self.edges!r}: Layered needs exactly one of them")
        settle(self, sizes=sizes, inputs=bool(self.inputs), outputs=bool(self.outputs))
        if self.edges is not None:
            settle(self, edges=whole("Layered", "edges", self.edges, 0, sum(self._blocks), limit="all pairs"))
        elif isinstance(self.density, Sequence | np.ndarray):
            settle(self, density=tuple(fraction("Layered", "density", each, positive=True) for each in self.density))
        else:
            settle(self, density=fraction("Layered", "density", self.density, positive=True))
        if isinstance(self.density, tuple) and len(self.density) != len(sizes) - 1:
            blocks = len(sizes) - 1
            raise ValueError(f"density={self.density}: Layered needs one number, or one for each of {blocks} blocks")
        self._check_pattern()

    def _check_pattern(self) -> None:
        choice("Layered", "allocation", self.allocation, _ALLOCATIONS)
        choice("Layered", "pattern", self.pattern, tuple(PATTERNS))
        if self.allocation != "uniform" and isinstance(self.density, tuple):
            raise ValueError(f"allocation={self.allocation!r}: a density for each block leaves it nothing to share out")
        if self.pattern == "small-world":
            settle(self, beta=fraction("Layered", "beta", self.beta))
        elif self.beta is not None:
            raise ValueError(f"beta={self.beta!r}: only pattern='small-world' heeds it; leave it out")

    @property
    def _blocks(self) -> list[int]:
        return [source * target for source, target in pairwise(self.sizes)]

    @property
    def counts(self) -> tuple[int, ...]:
        """Edges in every block, the same in every sample."""
        blocks = self._blocks
        if self.edges is not None:
            return self._shared(self.edges)
        if self.allocation != "uniform":
            assert isinstance(self.density, float)
            found = self._shared(round(self.density * sum(blocks)))
        else:
            densities = self.density if isinstance(self.density, tuple) else (self.density or 0.0,) * len(blocks)
            found = tuple(round(each * block) for each, block in zip(densities, blocks, strict=True))
        if self.pattern != "fan-in":
            return found
        return tuple(
            max(round(Fraction(count, target)), 1) * target for count, target in zip(found, self.sizes[1:], strict=True)
        )

    def _shared(self, total: int) -> tuple[int, ...]:
        weights = self._blocks if self.allocation == "uniform" else [sum(sizes) for sizes in pairwise(self.sizes)]
        return tuple(shares(total, list(map(Fraction, weights)), self._blocks))

    def sample(self, rng: Seed = None) -> Wiring:
        """Draw one layered wiring whose blocks hold exactly `counts` edges."""
        generator = np.random.default_rng(rng)
        sizes = checked_sizes(self.sizes, self.inputs + self.outputs)
        edges = np.empty((sum(self.counts), 2), np.int32)
        first_neurons, first_edges = accumulate(sizes, initial=0), accumulate(self.counts, initial=0)
        for count, row, first, (n_source, n_target) in zip(
            self.counts, first_edges, first_neurons, pairwise(sizes), strict=False
        ):
            # Pairs ascend, and so do the edges of all blocks.
            block = Block(n_source, n_target, count, self.beta or 0.0)
            source, target = np.divmod(PATTERNS[self.pattern](block, generator), n_target)
            edges[row : row + count, 0] = source + first
            edges[row : row + count, 1] = target + (first + n_source)
        return trusted_wiring(sizes, edges, self.inputs, self.outputs)
