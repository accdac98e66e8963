"""A random structure for a module, or one that is given by masks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nas.errors import InputError
from nas.sparsity.allocation import allocate, total_of
from nas.sparsity.fan_in import draw_fan_in
from nas.sparsity.growth import draw_places
from nas.sparsity.layers import Layer, Live, size_of
from nas.sparsity.modules.masks import let_live, masks_from
from nas.sparsity.modules.reporting import Report, report
from nas.sparsity.modules.targets import Target, layers_in, live_slots, targets_of

__all__ = ["draw", "fan_in_factors", "number_of", "sparsify"]


def sparsify(
    module: nn.Module,
    density: float | Mapping[str, Tensor] | None = None,
    *,
    weights: int | None = None,
    allocation: str = "erk",
    dense: Collection[str] = (),
    layers: Collection[str] | None = None,
    rescale: bool = True,
    rng: int | np.random.Generator | None = None,
) -> Report:
    """Let random weights of a module live, or those that are given, and the others be 0 for good.

    Parameters
    ----------
    module : nn.Module
        Changed in place: every layer gets a mask as a buffer. Biases and norms are never masked, nor are other layers
        than Linear, Conv1d, Conv2d, RNN, GRU, LSTM and MultiheadAttention. Where there are masks already, weights are
        drawn among those that live.
    density : float or mapping of str to Tensor
        Weights that live / all weights of the layers, 0 < density <= 1; or masks by the names of parameters, as
        `masks_of` gives them, nonzero where a weight lives. Layers that these do not name stay as they are.
    weights : int, optional
        The number of weights that live, in place of a density.
    allocation : str
        How many live in each layer, one of `ALLOCATIONS` that needs no scores: "uniform", "er", "erk" or
        "class-uniform".
    dense : collection of str
        Names of layers that keep all of their weights.
    layers : collection of str, optional
        Names of the submodules or parameters that are meant; by default all.
    rescale : bool
        Multiply the weights of each row by the root of its columns / its live weights, so that initial values have the
        variance of the fan-in that is left. Leave it out for weights that were trained.
    rng : int or numpy.random.Generator, optional

    Returns
    -------
    Report

    Raises
    ------
    InputError
        For bad input, in one line; the module is as it was then.
    """
    targets = targets_of(module, layers)
    if isinstance(density, Mapping):
        if weights is not None:
            raise InputError(f"weights={weights!r}: masks say how many weights live; leave it out")
        masks = masks_from(targets, density)
        named = [target for target in targets if target.name in masks]
        _install(named, [masks[target.name] for target in named], rescale)
        return report(module)
    draw(targets, density, weights, allocation, dense, np.random.default_rng(rng), rescale=rescale)
    return report(module)


def number_of(size: int, density: Any, weights: Any, layers: Sequence[Layer]) -> int:
    """Return the weights that a density or a number stands for, of which exactly one is given.

    Raises
    ------
    InputError
        For none or both, or a number that is out of bounds.
    """
    if (density is None) == (weights is None):
        raise InputError(f"density={density!r}, weights={weights!r}: exactly one of them says how many weights live")
    if density is not None:
        if isinstance(density, bool) or not isinstance(density, int | float):
            raise InputError(f"density={density!r}: it must be a number with 0 < density <= 1")
        total = total_of(layers, density)
    else:
        if isinstance(weights, bool) or not isinstance(weights, int | np.integer):
            raise InputError(f"weights={weights!r}: it must be a whole number of weights")
        total = int(weights)
    if not 0 < total <= size:
        raise InputError(f"{total} weights were to live where {size} do: it must be a number from 1 to {size}")
    return total


def draw(
    targets: Sequence[Target],
    density: float | None,
    weights: int | None,
    allocation: str,
    dense: Collection[str],
    rng: np.random.Generator,
    *,
    rescale: bool,
    constant_fan_in: bool = False,
) -> None:
    """Draw a structure among what lives; with constant fan-in every row of a layer gets equally many weights."""
    layers, slots = layers_in(targets), live_slots(targets)
    room = Live(layers, slots, np.zeros(len(slots)))
    counts = allocate(allocation, room, number_of(len(slots), density, weights, layers), dense=dense)
    complete = len(slots) == size_of(layers)
    if constant_fan_in:
        if not complete:
            raise InputError("constant fan-in is drawn in dense layers, and some have masks: bake(module) them first")
        places = np.concatenate(
            [draw_fan_in(layer, int(count), rng) for layer, count in zip(layers, counts, strict=True)]
        )
    else:
        places = draw_places(layers, counts, rng, None if complete else slots)
    _install(targets, [target.marks(places) for target in targets], rescale)


@torch.no_grad()
def _install(targets: Sequence[Target], masks: Sequence[Tensor], rescale: bool) -> None:
    for target, mask in zip(targets, masks, strict=True):
        before = target.mask.reshape(len(mask), -1).sum(dim=1)
        let_live(target, mask)
        if rescale:
            target.parameter.data.mul_(fan_in_factors(mask, before))


def fan_in_factors(mask: Tensor, before: Tensor | None = None) -> Tensor:
    """Return for each row the root of its live weights before, by default its columns, / those that a mask marks.

    Its shape goes with that of the mask; 1 for rows without weights.
    """
    rows = mask.reshape(len(mask), -1)
    read = rows.sum(dim=1)
    had = torch.full_like(read, rows.shape[1]) if before is None else before
    factors = torch.where(read > 0, (had.double() / read.clamp(min=1)).sqrt(), 1.0)
    return factors.reshape(-1, *[1] * (mask.ndim - 1))
