"""PooledMLP: a sparse MLP that reads means over squares of pixels."""

from __future__ import annotations

from torch import Tensor, nn

from nas.inputs import Pooling
from nas.networks.mlp import SparseMLP

__all__ = ["PooledMLP", "behind_pooling"]


class PooledMLP(nn.Module):
    """A `SparseMLP` whose input units read means over squares of pixels; it reads the pixels themselves.

    Parameters
    ----------
    mlp : SparseMLP
    pooling : Pooling

    Raises
    ------
    ValueError
        If the network has not as many input units as there are means.
    """

    def __init__(self, mlp: SparseMLP, pooling: Pooling) -> None:
        super().__init__()
        if mlp.in_features != pooling.n_means:
            raise ValueError(
                f"the network has {mlp.in_features} input units where {pooling} gives {pooling.n_means} means"
            )
        self.mlp, self.pooling = mlp, pooling
        self.in_features, self.out_features = pooling.n_pixels, mlp.out_features

    def forward(self, x: Tensor) -> Tensor:
        """Map a batch of images as rows of pixels, (batch, in_features), to its (batch, out_features) outputs.

        Raises
        ------
        ValueError
            If `x` has another shape.
        """
        if x.ndim != 2 or x.shape[1] != self.in_features:
            raise ValueError(f"input has shape {tuple(x.shape)}: the network reads (batch, {self.in_features})")
        found: Tensor = self.mlp(self.pooling(x))
        return found

    def extra_repr(self) -> str:
        """Return the pooling."""
        return str(self.pooling)


def behind_pooling(mlp: SparseMLP, shape: tuple[int, ...], size: int) -> SparseMLP | PooledMLP:
    """Return a network that reads images of a shape, of one that reads means over squares of `size` pixels a side."""
    return mlp if size == 1 else PooledMLP(mlp, Pooling.of(shape, size))
