"""What layers read: mean squares and spread of their inputs, by hooks on the user's own calls."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from nas.errors import InputError
from nas.sparsity.layers import Floats, Places
from nas.sparsity.modules.targets import Target

__all__ = ["Recorder", "check_inputs"]


def check_inputs(targets: Sequence[Target]) -> None:
    """Refuse layers whose inputs cannot be seen.

    Raises
    ------
    InputError
    """
    for target in targets:
        if target.attribute.startswith("weight_hr") or getattr(target.caller, "proj_size", False):
            raise InputError(f"layer {target.name!r}: what an LSTM with proj_size reads is not seen from outside; use "
                             "a score without inputs")  # fmt: skip


class Recorder:
    """Sums over what the layers of some targets read, while it listens.

    Parameters
    ----------
    targets : sequence of Target

    Raises
    ------
    InputError
        For a layer whose inputs cannot be seen.
    """

    def __init__(self, targets: Sequence[Target]) -> None:
        self._targets = targets
        self.is_listening = False
        self._sums: dict[str, list[tuple[int, Tensor, Tensor]]] = {}
        check_inputs(targets)
        callers = {id(target.caller): target.caller for target in targets}
        self._handles = [
            each.register_forward_pre_hook(_Tap(self), with_kwargs=True) for each in callers.values()
        ]  # fmt: skip

    def remove(self) -> None:
        """Remove the hooks."""
        for handle in self._handles:
            handle.remove()

    def clear(self) -> None:
        """Forget what was read."""
        self._sums = {}

    @torch.no_grad()
    def add(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Add what the layers of a module that is called read."""
        if not self.is_listening:
            return
        read = _inputs(module, args, kwargs)
        for target in self._targets:
            if target.caller is not module:
                continue
            new = [_sums(values) for values in read[target.attribute if target.owner is module else "out_proj"]]
            old = self._sums.get(target.name)
            self._sums[target.name] = new if old is None else [_added(*pair) for pair in zip(old, new, strict=True)]

    def check_called(self) -> None:
        """Refuse layers of which nothing is known.

        Raises
        ------
        InputError
            If a layer was not called.
        """
        for target in self._targets:
            if target.name not in self._sums:
                raise InputError(f"layer {target.name!r} was not called on the examples, so that nothing is known of "
                                 "what it reads; leave it out by layers=")  # fmt: skip

    def check_spread(self) -> None:
        """Refuse layers of which it is not known how much what they read varies.

        Raises
        ------
        InputError
            If a layer was called on one example, or all read the same.
        """
        for target in self._targets:
            for n, _, _ in self._sums[target.name]:
                if n < 2:
                    raise InputError(f"layer {target.name!r} read {n} example: the score compares what is read in "
                                     "several; give 2 or more")  # fmt: skip
        # Means of equal values are rounded.
        varies = (
            (squares > n * (1e-12 * mean) ** 2).any() for sums in self._sums.values() for n, mean, squares in sums
        )
        if not any(varies):
            raise InputError("what the layers read does not vary over the examples, by which the score judges: give "
                             "examples that differ")  # fmt: skip

    def statistics(self, slots: Places) -> tuple[Floats, Floats]:
        """Return standard deviation and Euclidean norm of what each of some live weights reads, (n_live,) each.

        Both are 0 for layers that were not called.
        """
        spread, norm = np.zeros(len(slots)), np.zeros(len(slots))
        for target in self._targets:
            if target.name not in self._sums:
                continue
            for layer, (n, mean, squares) in zip(target.layers, self._sums[target.name], strict=True):
                own = slice(*np.searchsorted(slots, [layer.first, layer.stop]))
                row, column = layer.entries(slots[own])
                group = row * len(mean) // max(layer.shape[0], 1)
                spread[own] = (squares / max(n, 1)).clamp(min=0).sqrt().cpu().numpy()[group, column]
                norm[own] = (squares + n * mean**2).sqrt().cpu().numpy()[group, column]
        return spread, norm


class _Tap:
    """A hook that tells a recorder of a call; copies and pickles of it tell nobody."""

    def __init__(self, recorder: Recorder | None = None) -> None:
        self._recorder = weakref.ref(recorder) if recorder is not None else None

    def __call__(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        recorder = self._recorder() if self._recorder is not None else None
        if recorder is not None:
            recorder.add(module, args, kwargs)

    def __reduce__(self) -> tuple[type[_Tap], tuple[()]]:
        return _Tap, ()


def _sums(values: Tensor) -> tuple[int, Tensor, Tensor]:
    """Return number, means, and sums of squared deviations of (groups, n, columns) values."""
    values = values.double()
    mean = values.mean(dim=1)
    return values.shape[1], mean, ((values - mean[:, None]) ** 2).sum(dim=1)


def _added(one: tuple[int, Tensor, Tensor], other: tuple[int, Tensor, Tensor]) -> tuple[int, Tensor, Tensor]:
    n = one[0] + other[0]
    change = other[1] - one[1]
    mean = one[1] + change * (other[0] / n)
    return n, mean, one[2] + other[2] + change**2 * (one[0] * other[0] / n)


def _inputs(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, list[Tensor]]:
    """Return what the weights of a supported module read, for each of their matrices (groups, n, columns)."""
    if isinstance(module, nn.MultiheadAttention):
        return dict(_attention(module, args, kwargs))
    if isinstance(module, nn.RNNBase):
        return dict(_recurrent(module, args, kwargs))
    x = args[0] if args else kwargs["input"]
    if isinstance(module, nn.RNNCellBase):
        state = args[1] if len(args) > 1 else kwargs.get("hx")
        state = state[0] if isinstance(state, tuple) else state
        h = x.new_zeros(*x.shape[:-1], module.hidden_size) if state is None else state
        return {"weight_ih": [_rows(x)], "weight_hh": [_rows(h)]}
    if isinstance(module, nn.Conv1d | nn.Conv2d):
        return {"weight": [_patches(module, x)]}
    return {"weight": [_rows(x)]}


def _rows(x: Any) -> Tensor:
    data = cast("Tensor", x.data if isinstance(x, PackedSequence) else x)
    return data.reshape(1, -1, data.shape[-1])


def _patches(module: nn.Conv1d | nn.Conv2d, x: Tensor) -> Tensor:
    """Return what each entry of the kernels of a convolution reads, (groups, n, columns)."""
    n_spatial = len(module.kernel_size)
    if x.ndim == n_spatial + 1:
        x = x[None]
    mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
    x = functional.pad(x, module._reversed_padding_repeated_twice, mode=mode)
    kernel, dilation, stride = module.kernel_size, module.dilation, module.stride
    if n_spatial == 1:
        x, kernel, dilation, stride = x[:, :, None], (1, *kernel), (1, *dilation), (1, *stride)
    columns = functional.unfold(x.double(), kernel, dilation, 0, stride)
    n_groups = module.groups
    by_group = columns.reshape(len(x), n_groups, -1, columns.shape[-1])
    return by_group.permute(1, 0, 3, 2).reshape(n_groups, -1, by_group.shape[2])


def _recurrent(module: nn.RNNBase, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[str, list[Tensor]]]:
    """Yield what each weight of a recurrent module reads, running its layers one by one; states as they come out."""
    x = args[0] if args else kwargs["input"]
    given = args[1] if len(args) > 1 else kwargs.get("hx")
    size, directions = module.hidden_size, 2 if module.bidirectional else 1
    for number in range(module.num_layers):
        layer = _one_layer(module, number)
        own = slice(number * directions, (number + 1) * directions)
        state = None if given is None or isinstance(given, tuple) else given[own]
        if isinstance(given, tuple):
            state = tuple(each[own] for each in given)
        states, _ = layer(x, state)
        values = _rows(states)
        for direction in range(directions):
            suffix = f"l{number}{'_reverse' if direction else ''}"
            yield f"weight_ih_{suffix}", [_rows(x)]
            yield f"weight_hh_{suffix}", [values[..., direction * size : (direction + 1) * size]]
        x = states


def _one_layer(module: nn.RNNBase, number: int) -> nn.RNNBase:
    """Return one layer of a recurrent module as a module."""
    directions = 2 if module.bidirectional else 1
    n_in = module.input_size if number == 0 else module.hidden_size * directions
    options = {"nonlinearity": module.nonlinearity} if isinstance(module, nn.RNN) else {}
    weight = module.weight_ih_l0
    kind: Any = type(module)
    layer: nn.RNNBase = kind(
        n_in,
        module.hidden_size,
        bias=module.bias,
        batch_first=module.batch_first,
        bidirectional=module.bidirectional,
        device=weight.device,
        dtype=weight.dtype,
        **options,
    )
    for name, parameter in layer.named_parameters():
        parameter.copy_(getattr(module, name.replace("_l0", f"_l{number}")))
    return layer


def _attention(
    module: nn.MultiheadAttention, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Iterator[tuple[str, list[Tensor]]]:
    """Yield what the projections of an attention read."""
    names = ("query", "key", "value")
    given = dict(zip(names, args, strict=False)) | {name: kwargs[name] for name in names if name in kwargs}
    read = [_rows(given[name]) for name in names]
    if module._qkv_same_embed_dim:
        yield "in_proj_weight", read
    else:
        yield from ((f"{name[0]}_proj_weight", [each]) for name, each in zip(names, read, strict=True))
    # With an output projection that does nothing, what comes out is what the real one reads.
    inner = copy.deepcopy(module).eval()
    inner._forward_pre_hooks.clear()
    inner._forward_hooks.clear()
    inner.out_proj.weight.copy_(torch.eye(module.embed_dim))
    if inner.out_proj.bias is not None:
        inner.out_proj.bias.zero_()
    yield "out_proj", [_rows(inner(*args, **kwargs)[0])]
