"""Masks as buffers of a module: set, kept in force, exchanged with ``torch.nn.utils.prune``, and removed.

Weights that do not live are exactly 0 in the dense parameter itself, so that every kind of layer computes with it as
ever, and gradients of what does not live are there. A hook sets them to 0 again before each call of the layer,
whatever an optimizer made of them, and another one before they are saved. Hooks are functions without state: a module
with masks can be copied, pickled and saved. Where nothing may be changed, as in transforms of `torch.func` and exports,
a layer computes with masked copies of its parameters instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import prune as torch_prune

from nas.errors import InputError, known
from nas.sparsity.modules.checks import check_module
from nas.sparsity.modules.targets import SUPPORTED, Target, masked_targets, supported_targets

__all__ = ["bake", "export_masks", "import_masks", "let_live", "masks_from", "masks_of", "zero_masked"]


def masks_of(module: nn.Module) -> dict[str, Tensor]:
    """Return the masks of a module by the names of their parameters, True where a weight lives."""
    return {target.name: target.mask for target in supported_targets(module) if target.is_masked}


def masks_from(targets: tuple[Target, ...], masks: Mapping[str, Any]) -> dict[str, Tensor]:
    """Check masks that were given by the names of parameters, and return them as bool.

    Raises
    ------
    InputError
        For an unknown name, another shape, or a mask without any weight, with NaN or that is none.
    """
    if not masks:
        raise InputError("masks={}: they name no layer; give one by the name of a parameter at least")
    by_name = {target.name: target for target in targets}
    found: dict[str, Tensor] = {}
    for name, given in masks.items():
        parameter = by_name[known("layer", name, by_name)].parameter
        try:
            mask = torch.as_tensor(given)
        except (TypeError, ValueError, RuntimeError):
            raise InputError(f"the mask of {name!r} is a {type(given).__name__}: numbers are needed as a tensor or an "
                             f"array of shape {tuple(parameter.shape)}") from None  # fmt: skip
        if tuple(mask.shape) != tuple(parameter.shape):
            raise InputError(f"the mask of {name!r} has shape {tuple(mask.shape)}: {tuple(parameter.shape)} is needed, "
                             "that of its weights")  # fmt: skip
        if mask.isnan().any():
            raise InputError(f"the mask of {name!r} has NaN: 0 is needed where a weight does not live, and any other "
                             "number where it does")  # fmt: skip
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
    """Set what does not live to 0: a hook before each call of a module with masks.

    Parameters that are not the module's own but given to `torch.func.functional_call`, those that a transform of
    `torch.func` must not change, and those of an export are masked for this call alone.
    """
    found = list(_masked_parameters(module))
    if _must_not_change(found):
        _mask_for_one_call(module, found)
    else:
        _zero(found)


def zero_before_saving(module: nn.Module, *_: Any) -> None:
    """Set what does not live to 0: a hook before the state of a module is read."""
    _zero([each for each in _masked_parameters(module) if isinstance(each[2], nn.Parameter)])


_Masked = tuple[nn.Module, str, Tensor, Tensor]


def _masked_parameters(module: nn.Module) -> Iterator[_Masked]:
    """Yield owner, name, parameter and mask of what is masked in a module, and in its output projection."""
    for owner in (module, getattr(module, "out_proj", None)):
        if not isinstance(owner, nn.Module):
            continue
        for mask_name, mask in owner._buffers.items():
            if mask is None or not mask_name.endswith("_mask"):
                continue
            name = mask_name.removesuffix("_mask")
            parameter = owner._parameters.get(name)
            if parameter is not None and parameter.shape == mask.shape and mask.dtype == torch.bool:
                yield owner, name, parameter, mask


def _zero(found: Sequence[_Masked]) -> None:
    for _, _, parameter, mask in found:
        # Not seen by autograd, which may still hold the parameter for a call before: its values stay.
        parameter.data.masked_fill_(~mask, 0)


_is_exporting = getattr(torch.compiler, "is_exporting", lambda: False)  # From torch 2.7 on.


def _must_not_change(found: Sequence[_Masked]) -> bool:
    if not all(isinstance(parameter, nn.Parameter) for _, _, parameter, _ in found) or _is_exporting():
        return True
    return not torch.compiler.is_compiling() and torch._C._functorch.peek_interpreter_stack() is not None


def _mask_for_one_call(module: nn.Module, found: Sequence[_Masked]) -> None:
    """Let a module compute with masked copies of its parameters, and put these back when it has been called."""
    for owner, name, parameter, mask in found:
        owner._parameters[name] = parameter.masked_fill(~mask, 0)  # type: ignore[assignment]

    def put_back(*_: Any) -> None:
        handle.remove()
        for owner, name, parameter, _mask in found:
            owner._parameters[name] = parameter  # type: ignore[assignment]

    handle = module.register_forward_hook(put_back, always_call=True)


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
    check_module(module)
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
