"""Means over squares of pixels in place of pixels: fewer inputs, and no parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

__all__ = ["Pooling"]


@dataclass(frozen=True)
class Pooling:
    """Averages images, which are rows of numbers, over squares of pixels that do not overlap.

    Parameters
    ----------
    rows, columns : int
        Of an image.
    size : int
        Pixels along a side of a square, at most as many as the longer side of an image has. Squares at the right and at
        the lower edge are cut off where the image ends.
    channels : int
        Colours, or signals beside each other, which lie one after the other, and of which each is averaged by itself.

    Raises
    ------
    ValueError
        If a number is not a positive integer, or the square is larger than the image.
    """

    rows: int
    columns: int
    size: int
    channels: int = 1

    @classmethod
    def of(cls, shape: Sequence[int], size: int) -> Pooling:
        """Return the pooling of examples of a shape, (rows, columns) or (channels, rows, columns)."""
        *channels, rows, columns = shape
        return cls(rows, columns, size, *channels)

    def __post_init__(self) -> None:
        if not all(type(own) is int and own > 0 for own in (self.rows, self.columns, self.size, self.channels)):
            raise ValueError(
                f"rows={self.rows}, columns={self.columns}, size={self.size}, channels={self.channels}: positive "
                "integers are needed"
            )
        if self.size > max(self.rows, self.columns):
            raise ValueError(f"size={self.size}: an image of {self.rows} x {self.columns} pixels has no such square")

    @property
    def n_pixels(self) -> int:
        """Of an image, in all channels."""
        return self.channels * self.rows * self.columns

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns of what is left of an image, behind its channels where there are several."""
        left = -(-self.rows // self.size), -(-self.columns // self.size)
        return left if self.channels == 1 else (self.channels, *left)

    @property
    def n_means(self) -> int:
        """Of an image, in all channels."""
        return math.prod(self.shape)

    def __call__(self, images: Tensor) -> Tensor:
        """Return the means, (…, n_means), of images, (…, n_pixels)."""
        planes = images.reshape(-1, self.channels, self.rows, self.columns)
        means = functional.avg_pool2d(planes, self.size, ceil_mode=True, count_include_pad=False)
        return means.reshape(*images.shape[:-1], -1)
