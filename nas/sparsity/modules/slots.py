"""What an optimizer keeps for each weight: its tensors of the parameter's shape, whatever their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from nas.errors import InputError
from nas.sparsity.modules.targets import Target

__all__ = ["check_momentum", "check_optimizer", "momentum_of", "reset_slots", "slots_of"]


def check_optimizer(optimizer: Optimizer, targets: Sequence[Target]) -> None:
    """Refuse an optimizer that does not hold some parameters, or keeps one state for all of them.

    Raises
    ------
    InputError
    """
    if not isinstance(optimizer, Optimizer):
        raise InputError(f"optimizer is a {type(optimizer).__name__}: a torch.optim.Optimizer is needed")
    if isinstance(optimizer, torch.optim.LBFGS):
        raise InputError("LBFGS keeps one history of all parameters together, which no change of structure can be "
                         "told of: use another optimizer")  # fmt: skip
    held = {id(each) for group in optimizer.param_groups for each in group["params"]}
    missing = [target.name for target in targets if id(target.parameter) not in held]
    if missing:
        raise InputError(f"the optimizer does not hold {', '.join(missing)}: give it the parameters of this module, or "
                         "leave these layers out by layers=")  # fmt: skip


_STARTS = {torch.optim.Rprop: ("step_size", "lr"), torch.optim.Adagrad: ("sum", "initial_accumulator_value")}
"""Slots that do not start at 0, and the option of the optimizer that says at what."""


def slots_of(optimizer: Optimizer, target: Target) -> Iterator[tuple[str, Tensor]]:
    """Yield names and tensors that an optimizer keeps for a parameter, one entry a weight."""
    parameter = target.parameter
    for name, value in optimizer.state.get(parameter, {}).items():
        if isinstance(value, Tensor) and value.shape == parameter.shape:
            yield name, value


@torch.no_grad()
def reset_slots(optimizer: Optimizer, target: Target, marks: Tensor | None = None) -> None:
    """Set what is kept for marked weights, for all by default, to what it starts with, of most optimizers 0."""
    name, option = next((own for kind, own in _STARTS.items() if isinstance(optimizer, kind)), ("", ""))
    for each, slot in slots_of(optimizer, target):
        start = float(_group_of(optimizer, target)[option]) if each == name else 0.0
        slot.fill_(start) if marks is None else slot.masked_fill_(marks, start)


def _group_of(optimizer: Optimizer, target: Target) -> dict[str, Any]:
    """Return the options by which an optimizer treats a parameter."""
    return next(group for group in optimizer.param_groups if any(each is target.parameter for each in group["params"]))


def momentum_of(optimizer: Optimizer, target: Target) -> Tensor:
    """Return the momentum of a parameter; of Adam and its like the mean of gradients / the root of mean squares.

    Before the first step it is 0.
    """
    state = optimizer.state.get(target.parameter, {})
    for name in ("momentum_buffer", "exp_avg"):
        momentum = state.get(name)
        if isinstance(momentum, Tensor):
            squares = state.get("exp_avg_sq")
            return momentum if squares is None or name != "exp_avg" else momentum / (squares.sqrt() + 1e-8)
    return torch.zeros_like(target.parameter)


def check_momentum(optimizer: Optimizer) -> None:
    """Refuse an optimizer that keeps no momentum.

    Raises
    ------
    InputError
    """
    for group in optimizer.param_groups:
        if not (group.get("momentum") or group.get("betas")):
            raise InputError(f"growth='momentum': {type(optimizer).__name__} keeps no momentum; give it one, or use "
                             "growth='gradient'")  # fmt: skip
