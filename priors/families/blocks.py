"""Pairs of nodes by the blocks that they lie in: nodes are numbered block by block, pairs block by block too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

from priors.families.record import n_pairs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["BlockPairs", "equal_sizes"]


def equal_sizes(n: int, count: int) -> tuple[int, ...]:
    """Share nodes out over blocks evenly, the first blocks one more."""
    each, more = divmod(n, count)
    return tuple(each + (block < more) for block in range(count))


@dataclass(frozen=True)
class BlockPairs:
    """The pairs of nodes of some pairs of blocks, numbered block pair by block pair.

    Parameters
    ----------
    sizes : tuple of int
        Nodes of each block.
    blocks : tuple of (int, int)
        Pairs of blocks (r, s) with r <= s.
    """

    sizes: tuple[int, ...]
    blocks: tuple[tuple[int, int], ...]

    @classmethod
    def all(cls, sizes: Sequence[int]) -> BlockPairs:
        """Return those of all pairs of blocks, in the order (0, 0), (0, 1), …, (1, 1), …."""
        return cls(tuple(sizes), tuple(combinations_with_replacement(range(len(sizes)), 2)))

    @classmethod
    def within(cls, sizes: Sequence[int]) -> BlockPairs:
        """Return those within a block."""
        return cls(tuple(sizes), tuple((block, block) for block in range(len(sizes))))

    @classmethod
    def between(cls, sizes: Sequence[int]) -> BlockPairs:
        """Return those between two blocks."""
        found = combinations_with_replacement(range(len(sizes)), 2)
        return cls(tuple(sizes), tuple((low, high) for low, high in found if low < high))

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """Pairs of nodes of each pair of blocks."""
        sizes = self.sizes
        return tuple(n_pairs(sizes[r]) if r == s else sizes[r] * sizes[s] for r, s in self.blocks)

    def nodes(self, pair: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the nodes (n,), (n,) that some pairs join, given their numbers (n,)."""
        import numpy as np

        if not len(pair):
            return pair, pair
        first_node = np.concatenate([[0], np.cumsum(self.sizes)])
        ends = np.cumsum(self.counts)
        block = np.searchsorted(ends, pair, side="right")
        r, s = np.array(self.blocks)[block].T
        local, size = pair - ends[block] + np.array(self.counts)[block], np.array(self.sizes)[s]
        low, high = np.divmod(local, size)
        # Within a block the pairs count (0, 1), (0, 2), …, (1, 2), …; the root is rounded, so that it may miss the row.
        same = np.flatnonzero(r == s)
        rank, n = local[same], size[same]
        width = 2 * n - 1
        row = ((width - np.sqrt(np.maximum(width * width - 8.0 * rank, 0.0))) / 2).astype(np.int64)
        row -= row * (width - row) // 2 > rank
        row += (row + 1) * (width - row - 1) // 2 <= rank
        low[same], high[same] = row, row + 1 + rank - row * (width - row) // 2
        return low + first_node[r], high + first_node[s]
