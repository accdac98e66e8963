"""Layer-to-layer priors: distributions over layered wirings, drawn block by block between consecutive layers.

Random draws follow the promise of `priors.draws`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import ClassVar

import numpy as np

from priors.checks import fraction, settle, whole
from priors.draws import Seed, subset
from priors.edges import checked_sizes
from priors.wiring import Wiring, trusted_wiring

__all__ = ["Layered"]


@dataclass(frozen=True)
class Layered:
    """Uniformly random masks with exact counts between consecutive layers.

    Parameters
    ----------
    sizes : tuple of int
        Neurons per layer, at least two layers.
    density : float or tuple of float, optional
        Edges present / edges possible, 0 < density <= 1, for all blocks or for each of them. A block of density d holds
        ``round(d * n_source * n_target)`` edges.
    edges : int, optional
        Exact number of edges in all, shared out in proportion to the blocks' sizes, largest remainders first. Exactly
        one of `density` and `edges` is given.
    inputs, outputs : bool
        Whether the first / last layer are input / output units.

    Raises
    ------
    ValueError
        For parameters out of bounds, as many densities as there are not blocks, or not exactly one of `density` and
        `edges`.

    Notes
    -----
    For each block in turn a subset of its pairs is drawn, which count source by source.
    """

    sizes: tuple[int, ...]
    density: float | tuple[float, ...] | None = None
    edges: int | None = None
    inputs: bool = False
    outputs: bool = False
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

    @property
    def _blocks(self) -> list[int]:
        return [source * target for source, target in pairwise(self.sizes)]

    @property
    def counts(self) -> tuple[int, ...]:
        """Edges in every block, the same in every sample."""
        if self.edges is not None:
            return _shares(self.edges, self._blocks)
        densities = self.density if isinstance(self.density, tuple) else (self.density or 0.0,) * len(self._blocks)
        return tuple(round(each * block) for each, block in zip(densities, self._blocks, strict=True))

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
            source, target = np.divmod(subset(generator, n_source * n_target, count), n_target)
            edges[row : row + count, 0] = source + first
            edges[row : row + count, 1] = target + (first + n_source)
        return trusted_wiring(sizes, edges, self.inputs, self.outputs)


def _shares(total: int, blocks: Sequence[int]) -> tuple[int, ...]:
    """Share out by largest remainder, in whole numbers; equal remainders favour the earlier block."""
    quotas = [divmod(total * block, sum(blocks)) for block in blocks]
    missing = total - sum(quota for quota, _ in quotas)
    favoured = set(sorted(range(len(blocks)), key=lambda index: -quotas[index][1])[:missing])
    return tuple(quota + (index in favoured) for index, (quota, _) in enumerate(quotas))
