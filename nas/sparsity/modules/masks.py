"""Masks as buffers of a module: set, kept in force, exchanged with ``torch.nn.utils.prune``, and removed.

Weights that do not live are exactly 0 in the dense parameter itself, so that every kind of layer computes with it as
ever, and gradients of what does not live are there. A hook sets them to 0 again before each call of the layer,
whatever an optimizer made of them, and another one before they are saved. Hooks are functions without state: a module
with masks can be copied, pickled and saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import prune as torch_prune

from nas.errors import InputError, known
from nas.sparsity.modules.targets import SUPPORTED, Target, masked_targets, supported_targets

__all__ = ["bake", "export_masks", "import_masks", "let_live", "masks_from", "masks_of", "zero_masked"]


def masks_of(module: nn.Module) -> dict[str, Tensor]:
    """Return the masks of a module by the names of their parameters, True where a weight lives."""
    return {target.name: target.mask for target in supported_targets(module) if target.is_masked}


def masks_from(targets: tuple[Target, ...], masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Check masks that were given by the names of parameters, and return them as bool.

    Raises
    ------
    InputError
        For an unknown name, another shape, or a mask without any weight.
    """
    by_name = {target.name: target for target in targets}
    found: dict[str, Tensor] = {}
    for name, mask in masks.items():
        parameter = by_name[known("layer", name, by_name)].parameter
        if tuple(mask.shape) != tuple(parameter.shape):
            raise InputError(f"the mask of {name!r} has shape {tuple(mask.shape)}: {tuple(parameter.shape)} is needed, "
                             "that of its weights")  # fmt: skip
        found[name] = mask.detach().to(parameter.device) != 0
        if not found[name].any():
            raise InputError(f"the mask of {name!r} lets none of its {mask.numel()} weights live: at least 1 is needed")
    return found


@torch.no_grad()
def let_live(target: Target, mask: Tensor) -> None:
    """Let exactly the weights live that a mask marks; the others become 0."""
    owner, name = target.owner, target.mask_name
    if not target.is_masked:
        owner.register_buffer(name, mask.clone())
        for each in {owner, target.caller}:
            if zero_masked not in each._forward_pre_hooks.values():
                each.register_forward_pre_hook(zero_masked, prepend=True)
        if zero_before_saving not in owner._state_dict_pre_hooks.values():
            owner.register_state_dict_pre_hook(zero_before_saving)  # type: ignore[no-untyped-call]
    else:
        target.mask.copy_(mask)
    target.parameter.data.masked_fill_(~mask, 0)


def zero_masked(module: nn.Module, *_: Any) -> None:
    """Set what does not live to 0: a hook before each call of a module with masks."""
    for owner in (module, getattr(module, "out_proj", None)):
        if not isinstance(owner, nn.Module):
            continue
        for name, mask in owner._buffers.items():
            if mask is None or not name.endswith("_mask"):
                continue
            parameter = owner._parameters.get(name.removesuffix("_mask"))
            if parameter is not None and parameter.shape == mask.shape and mask.dtype == torch.bool:
                # Not seen by autograd, which may still hold the parameter for a call before: its values stay.
                parameter.data.masked_fill_(~mask, 0)


def zero_before_saving(module: nn.Module, *_: Any) -> None:
    """Set what does not live to 0: a hook before the state of a module is read."""
    zero_masked(module)


def bake(module: nn.Module) -> None:
    """Remove all masks and their hooks from a module; weights that do not live stay in it as zeros."""
    for target in masked_targets(supported_targets(module)):
        target.parameter.data.masked_fill_(~target.mask, 0)
        del target.owner._buffers[target.mask_name]
        target.owner._non_persistent_buffers_set.discard(target.mask_name)
        for each in (target.owner, target.caller):
            _forget(each._forward_pre_hooks, zero_masked)
        _forget(target.owner._state_dict_pre_hooks, zero_before_saving)


def _forget(hooks: Any, hook: Any) -> None:
    for key in [key for key, each in hooks.items() if each is hook]:
        del hooks[key]


def import_masks(module: nn.Module) -> None:
    """Take over the masks that ``torch.nn.utils.prune`` made: parameters get their names back, and stay the same.

    Raises
    ------
    InputError
        If there are none, or they are those of a layer or parameter that is not supported.
    """
    given: dict[str, Tensor] = {}
    pruned = [
        (prefix, each, name.removesuffix("_orig"))
        for prefix, each in module.named_modules()
        for name in each._parameters
        if name.endswith("_orig") and f"{name.removesuffix('_orig')}_mask" in each._buffers
    ]
    if not pruned:
        raise InputError(f"{type(module).__name__} has no masks of torch.nn.utils.prune: there is nothing to import")
    for prefix, each, attribute in pruned:
        name = f"{prefix}.{attribute}" if prefix else attribute
        given[name] = each._buffers[f"{attribute}_mask"]
        if not isinstance(each, SUPPORTED) or attribute.startswith("bias"):
            raise InputError(f"{name!r} of a {type(each).__name__} has a mask of torch.nn.utils.prune, and is never "
                             "masked here: make it dense by torch.nn.utils.prune.remove before")  # fmt: skip
    for _, each, attribute in pruned:
        torch_prune.remove(each, attribute)  # type: ignore[no-untyped-call]
    targets = supported_targets(module)
    by_name = {target.name: target for target in targets}
    for name, mask in masks_from(targets, given).items():
        let_live(by_name[name], mask)


def export_masks(module: nn.Module) -> None:
    """Hand all masks over to ``torch.nn.utils.prune``, as ``custom_from_mask`` makes them."""
    masked = masked_targets(supported_targets(module))
    masks = [target.mask.clone() for target in masked]
    bake(module)
    for target, mask in zip(masked, masks, strict=True):
        values = mask.to(target.parameter.dtype)
        torch_prune.custom_from_mask(target.owner, target.attribute, values)  # type: ignore[no-untyped-call]
