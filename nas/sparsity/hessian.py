"""Second derivatives: what optimal brain damage and layer-wise optimal brain surgeon ask for.

Both are exact where sums of products are: the diagonal of the Hessian of a feed-forward network follows from one second
derivative for each neuron and example, and the surgeon's inverse is that of the inputs which a neuron reads. Nothing
that was dropped comes back.

References
----------
LeCun, Denker and Solla (1989), Optimal brain damage, NIPS; Hassibi and Stork (1992), Second order derivatives for
network pruning, NIPS; Dong, Chen and Pan (2017), Learning to prune deep neural networks via layer-wise optimal brain
surgeon, arXiv:1705.07565
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError
from nas.sparsity.layers import Floats, Layer, Places

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["compensate", "input_products", "inverse_diagonal", "neuron_curvature", "weight_curvature"]

_CHUNK = 2**22
"""Numbers that a sum over examples holds at a time."""
_DENSE = 64
"""Places for each weight up to which all of them are computed."""


def neuron_curvature(loss_of: Callable[[Tensor], Tensor], offsets: Tensor) -> Tensor:
    """Return the second derivative of each example's loss by what each neuron sums up.

    Parameters
    ----------
    loss_of : callable
        From (n_examples, n_neurons) numbers, which are added to the sums of the neurons before their activation, to the
        sum of the examples' losses. The loss of an example must depend on its own numbers alone.
    offsets : (n_examples, n_neurons) Tensor
        Zeros.

    Returns
    -------
    (n_examples, n_neurons) Tensor
    """
    import torch

    offsets = offsets.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(loss_of(offsets), offsets, create_graph=True)
    curvature = torch.zeros_like(gradient)
    if not gradient.requires_grad:
        return curvature  # The loss is linear in all sums.
    for neuron in range(offsets.shape[1]):
        (row,) = torch.autograd.grad(gradient[:, neuron].sum(), offsets, retain_graph=True, allow_unused=True)
        if row is not None:
            curvature[:, neuron] = row[:, neuron].detach()
    return curvature


def weight_curvature(
    curvature: NDArray[np.floating[Any]], inputs: NDArray[np.floating[Any]], rows: Places, columns: Places
) -> Floats:
    """Return the second derivative of the mean loss by each weight, (n_weights,).

    A weight acts only through what its neuron sums up, so this is the mean over examples of the neuron's curvature
    times the square of what the weight reads, exactly.

    Parameters
    ----------
    curvature : (n_examples, n_rows) array
        Of `neuron_curvature`, for the rows of one layer.
    inputs : (n_examples, n_columns) array
        What the columns of the layer hold.
    rows, columns : (n_weights,) int64
    """
    by_row, squares = np.asarray(curvature, np.float64), np.asarray(inputs, np.float64) ** 2
    if by_row.shape[1] * squares.shape[1] <= _DENSE * max(len(rows), 1):
        # One product of matrices is much faster than sums for single weights.
        every: Floats = (by_row.T @ squares)[rows, columns] / max(len(by_row), 1)
        return every
    found = np.empty(len(rows))
    step = max(1, _CHUNK // max(len(by_row), 1))
    for first in range(0, len(rows), step):
        own = slice(first, first + step)
        found[own] = np.einsum("ek,ek->k", by_row[:, rows[own]], squares[:, columns[own]])
    return found / max(len(by_row), 1)


def input_products(inputs: NDArray[np.floating[Any]], damping: float = 1e-6) -> Floats:
    """Return the mean over examples of the products of a layer's inputs, (n_columns, n_columns).

    Parameters
    ----------
    inputs : (n_examples, n_columns) array
    damping : float
        Added to the diagonal, so that there is an inverse.
    """
    if not damping > 0:
        raise InputError(f"damping={damping!r}: it must be a number above 0")
    values = np.asarray(inputs, np.float64)
    found: Floats = values.T @ values / max(len(values), 1) + damping * np.eye(values.shape[1])
    return found


def inverse_diagonal(layer: Layer, slots: Places, products: Floats) -> Floats:
    """Return for each live weight its entry in the diagonal of the inverse of what its row reads, (n_weights,).

    Parameters
    ----------
    layer : Layer
    slots : (n_weights,) int64
        Its live weights, ascending.
    products : (n_columns, n_columns) array
        Of `input_products`.
    """
    _check(layer, products)
    found, complete = np.empty(len(slots)), None
    for own, columns in _rows(layer, slots):
        if len(columns) == layer.shape[1]:
            complete = np.diagonal(np.linalg.inv(products)) if complete is None else complete
            found[own] = complete
        else:
            found[own] = np.diagonal(np.linalg.inv(products[np.ix_(columns, columns)]))
    return found


def compensate(
    layer: Layer, slots: Places, weight: NDArray[np.floating[Any]], kept: NDArray[np.bool_], products: Floats
) -> Floats:
    """Return weights that make up, as well as can be, for those that are dropped, which become 0.

    The sums of every neuron change as little as they can over the examples: removing weights one by one with an update
    of the inverse gives the same.

    Parameters
    ----------
    layer : Layer
    slots, weight : (n_weights,) arrays
        The live weights of the layer before any is dropped.
    kept : (n_weights,) bool
    products : (n_columns, n_columns) array
        Of `input_products`.
    """
    _check(layer, products)
    changed = np.where(kept, weight, 0.0).astype(np.float64)
    for own, columns in _rows(layer, slots):
        stays = kept[own]
        if stays.all() or not stays.any():
            continue
        inner, outer = columns[stays], columns[~stays]
        lost = products[np.ix_(inner, outer)] @ np.asarray(weight[own][~stays], np.float64)
        change = np.zeros(len(columns))
        change[stays] = np.linalg.solve(products[np.ix_(inner, inner)], lost)
        changed[own] += change
    return changed


def _check(layer: Layer, products: Floats) -> None:
    needed = (layer.shape[1], layer.shape[1])
    if products.shape != needed:
        raise InputError(f"layer {layer.name!r} needs input products of shape {needed}, and got {products.shape}")


def _rows(layer: Layer, slots: Places) -> Iterator[tuple[slice, Places]]:
    """Yield which weights belong to each row that has some, and the columns that they read."""
    rows, columns = layer.entries(slots)
    edges = [*np.flatnonzero(np.diff(rows, prepend=-1)).tolist(), len(rows)]
    for first, stop in pairwise(edges):
        yield slice(first, stop), columns[first:stop]
