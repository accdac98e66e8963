"""Means over squares of pixels in place of pixels: fewer inputs, and no parameters."""

from __future__ import annotations

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

    Raises
    ------
    ValueError
        If a number is not a positive integer, or the square is larger than the image.
    """

    rows: int
    columns: int
    size: int

    def __post_init__(self) -> None:
        if not all(type(own) is int and own > 0 for own in (self.rows, self.columns, self.size)):
            raise ValueError(
                f"rows={self.rows}, columns={self.columns}, size={self.size}: positive integers are needed"
            )
        if self.size > max(self.rows, self.columns):
            raise ValueError(f"size={self.size}: an image of {self.rows} x {self.columns} pixels has no such square")

    @property
    def n_pixels(self) -> int:
        """Of an image."""
        return self.rows * self.columns

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of what is left of an image."""
        return -(-self.rows // self.size), -(-self.columns // self.size)

    def __call__(self, images: Tensor) -> Tensor:
        """Return the means, (…, n_means), of images, (…, n_pixels)."""
        planes = images.reshape(-1, 1, self.rows, self.columns)
        means = functional.avg_pool2d(planes, self.size, ceil_mode=True, count_include_pad=False)
        return means.reshape(*images.shape[:-1], -1)
