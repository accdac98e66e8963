"""Masks of a module's layers from wirings, and from the priors that draw these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from nas.errors import InputError
from nas.sparsity.modules.targets import Target
from priors import Wiring

__all__ = ["drawn", "is_wiring", "masks_of_wiring"]

_VALID = "a layered one is needed, such as priors.Layered((64, 100, 10), density=0.1)"


def is_wiring(given: Any) -> bool:
    """Return whether something is a wiring, or a prior that draws some."""
    return isinstance(given, Wiring) or (not isinstance(given, type) and callable(getattr(given, "sample", None)))


def masks_of_wiring(targets: Sequence[Target], given: Any, rng: np.random.Generator) -> dict[str, NDArray[np.bool_]]:
    """Return the masks of the Linear layers among some targets, in their order, by a wiring or one that a prior draws.

    Raises
    ------
    InputError
        For a wiring without layers, with others than the module has, or with edges that do not lead into the next one.
    """
    wiring = _drawn(given, rng)
    linear = [each for each in targets if isinstance(each.owner, nn.Linear) and each.caller is each.owner]
    shapes = [(layer.shape[1], layer.shape[0]) for each in linear for layer in each.layers]
    if list(zip(wiring.sizes[:-1], wiring.sizes[1:], strict=True)) != shapes:
        own = ", ".join(f"{n}-{m} ({each.name})" for each, (n, m) in zip(linear, shapes, strict=True))
        raise InputError(f"the wiring has layers of {'-'.join(map(str, wiring.sizes))} neurons, and the Linear layers "
                         f"are {own or 'none'}: they must agree, and layers= chooses among them")  # fmt: skip
    masks = wiring.masks()
    _check_consecutive(wiring, masks)
    return {target.name: mask for target, mask in zip(linear, masks, strict=True)}


def drawn(targets: Sequence[Target], masks: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Return masks by the names of parameters, those that are given as wirings or priors of two layers drawn.

    Raises
    ------
    InputError
        For a wiring with other layers than the columns and rows of its parameter.
    """
    by_name = {target.name: target for target in targets}
    found = dict(masks)
    for name, given in masks.items():
        if not is_wiring(given) or name not in by_name:
            continue
        wiring, shape = _drawn(given, rng), tuple(by_name[name].parameter.shape)
        rows, columns = shape[0], by_name[name].parameter[0].numel()
        if wiring.sizes != (columns, rows):
            raise InputError(f"the wiring of {name!r} has layers of {'-'.join(map(str, wiring.sizes))} neurons: "
                             f"{columns}-{rows} is needed, the columns and rows of its weights")  # fmt: skip
        _check_consecutive(wiring, wiring.masks())
        found[name] = wiring.mask(1, 0).reshape(shape)
    return found


def _drawn(given: Any, rng: np.random.Generator) -> Wiring:
    wiring = given if isinstance(given, Wiring) else given.sample(rng)
    if not isinstance(wiring, Wiring):
        raise InputError(f"{type(given).__name__} draws a {type(wiring).__name__}, and no priors.Wiring: {_VALID}")
    if wiring.n_layers < 2:
        what = "the wiring" if isinstance(given, Wiring) else f"a wiring of {type(given).__name__}"
        raise InputError(f"{what} has one layer of {wiring.n_neurons} neurons that are joined to each other, as no "
                         f"layers of a module are: {_VALID}")  # fmt: skip
    return wiring


def _check_consecutive(wiring: Wiring, masks: Sequence[NDArray[np.bool_]]) -> None:
    others = wiring.n_edges - sum(int(np.count_nonzero(mask)) for mask in masks)
    if others:
        raise InputError(f"{others} of the wiring's {wiring.n_edges} edges do not lead into the next layer, as all "
                         f"weights of a module do: {_VALID}")  # fmt: skip
