"""The weights of a module that may be masked: which they are, and their matrices as layers of places."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter
from torch.nn.utils import parametrize

from nas.errors import InputError, known
from nas.sparsity.layers import Floats, Layer, Places
from nas.sparsity.modules.checks import check_module

__all__ = [
    "SUPPORTED",
    "Target",
    "flat",
    "layer_names",
    "layers_in",
    "live_slots",
    "masked_targets",
    "supported_targets",
    "targets_of",
]

SUPPORTED = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.RNN,
    nn.GRU,
    nn.LSTM,
    nn.RNNCell,
    nn.GRUCell,
    nn.LSTMCell,
    nn.MultiheadAttention,
)
"""The modules whose weights may be masked; their biases never are."""

_GATES = {nn.RNN: 1, nn.GRU: 3, nn.LSTM: 4, nn.RNNCell: 1, nn.GRUCell: 3, nn.LSTMCell: 4}


@dataclass(frozen=True, eq=False)
class Target:
    """One parameter that may be masked.

    Its mask is a buffer of the module that holds it, beside the parameter and with its name and ``_mask``.

    Parameters
    ----------
    owner : nn.Module
        The module that holds the parameter.
    caller : nn.Module
        The one that is called: the attention whose output projection is meant, otherwise the owner.
    attribute : str
        The parameter's name in its owner.
    name : str
        Its name in the whole module, as in ``named_parameters()``.
    layers : tuple of Layer
        Its matrices, one behind the other: three where queries, keys and values are projected by one parameter.
    """

    owner: nn.Module
    caller: nn.Module
    attribute: str
    name: str
    layers: tuple[Layer, ...]

    @property
    def parameter(self) -> nn.Parameter:
        """The parameter."""
        found = getattr(self.owner, self.attribute)
        assert isinstance(found, nn.Parameter)
        return found

    @property
    def mask_name(self) -> str:
        """The buffer's name in the owner."""
        return f"{self.attribute}_mask"

    @property
    def is_masked(self) -> bool:
        """Whether there is a mask."""
        return self.mask_name in self.owner._buffers

    @property
    def mask(self) -> Tensor:
        """The mask, bool of the parameter's shape; all True where there is none."""
        found = self.owner._buffers.get(self.mask_name)
        return torch.ones_like(self.parameter, dtype=torch.bool) if found is None else found

    @property
    def first(self) -> int:
        """The place of its first weight."""
        return self.layers[0].first

    @property
    def stop(self) -> int:
        """The place behind that of its last weight."""
        return self.layers[-1].stop

    def marks(self, places: Places) -> Tensor:
        """Return which of its weights lie at some ascending places, bool of the parameter's shape."""
        own = places[slice(*np.searchsorted(places, [self.first, self.stop]))] - self.first
        marks = np.zeros(self.stop - self.first, bool)
        marks[own] = True
        parameter = self.parameter
        return torch.from_numpy(marks).reshape(parameter.shape).to(parameter.device)

    def of(self, places: Places, values: NDArray[Any]) -> NDArray[Any]:
        """Return those of values, one for each of some ascending places, that belong to its weights."""
        return values[slice(*np.searchsorted(places, [self.first, self.stop]))]


@dataclass(frozen=True)
class _Matrix:
    """A matrix of a parameter before it has places."""

    suffix: str
    shape: tuple[int, int]
    gates: int = 1
    kernel: tuple[int, ...] = ()


def supported_targets(module: nn.Module) -> tuple[Target, ...]:
    """Return all parameters of a module that may be masked, in the order of its modules.

    Raises
    ------
    InputError
        If one has no weights yet, or masks of ``torch.nn.utils.prune``, or for what is no module.
    """
    check_module(module)
    found: list[Target] = []
    seen: set[int] = set()
    first = 0
    for caller, owner, attribute, name in _weights(module):
        parameter = owner._parameters.get(attribute)
        if parameter is None:
            if f"{attribute}_orig" in owner._parameters and f"{attribute}_mask" in owner._buffers:
                raise InputError(f"layer {name!r} has a mask of torch.nn.utils.prune: take it over by "
                                 "import_masks(module) first")  # fmt: skip
            continue
        if isinstance(parameter, UninitializedParameter):
            raise InputError(f"layer {name!r} has no weights yet: call the module once before")
        if id(parameter) in seen:
            continue  # Shared with another layer, which comes before.
        seen.add(id(parameter))
        layers: list[Layer] = []
        for matrix in _matrices(caller, attribute, parameter):
            layers.append(Layer(name + matrix.suffix, matrix.shape, first, matrix.gates, matrix.kernel))
            first = layers[-1].stop
        found.append(Target(owner, caller, attribute, name, tuple(layers)))
    return tuple(found)


def _weights(module: nn.Module) -> Iterator[tuple[nn.Module, nn.Module, str, str]]:
    """Yield of each weight of supported layers what is called, the owner, its name there and in the module."""
    inner: set[nn.Module] = set()
    for prefix, each in module.named_modules():
        if each in inner or not isinstance(each, SUPPORTED):
            continue
        if isinstance(each, nn.MultiheadAttention):
            inner.add(each.out_proj)
        for owner, attribute, own_name in _parameters(each):
            yield each, owner, attribute, f"{prefix}.{own_name}" if prefix else own_name


def _computed(module: nn.Module) -> list[str]:
    """Return the weights of supported layers that are computed from other parameters, as by a weight norm."""
    return [
        name
        for _, owner, attribute, name in _weights(module)
        if attribute not in owner._parameters
        and (attribute in vars(owner) or parametrize.is_parametrized(owner, attribute))
    ]


def _parameters(module: nn.Module) -> Iterator[tuple[nn.Module, str, str]]:
    """Yield the owner of each weight of a supported module, its name there, and its name in the module."""
    if isinstance(module, nn.MultiheadAttention):
        yield from ((module, name, name) for name in _projections(module))
        yield module.out_proj, "weight", "out_proj.weight"
    elif isinstance(module, nn.RNNBase):
        names = [name for names in module._all_weights for name in names]
        yield from ((module, name, name) for name in names if name.startswith("weight_"))
    elif isinstance(module, nn.RNNCellBase):
        yield from ((module, name, name) for name in ("weight_ih", "weight_hh"))
    else:
        yield module, "weight", "weight"


def _projections(module: nn.MultiheadAttention) -> tuple[str, ...]:
    if module._qkv_same_embed_dim:
        return ("in_proj_weight",)
    return ("q_proj_weight", "k_proj_weight", "v_proj_weight")


def _matrices(module: nn.Module, attribute: str, parameter: Tensor) -> list[_Matrix]:
    rows, columns = parameter.shape[0], math.prod(parameter.shape[1:])
    if attribute == "in_proj_weight":
        return [_Matrix(f"[{part}]", (rows // 3, columns)) for part in ("query", "key", "value")]
    gates = next((gates for kind, gates in _GATES.items() if isinstance(module, kind)), 1)
    if attribute.startswith("weight_hr"):
        gates = 1
    return [_Matrix("", (rows, columns), gates, tuple(parameter.shape[2:]))]


def targets_of(
    module: nn.Module, layers: Collection[str] | None = None, *, skip_computed: bool = False
) -> tuple[Target, ...]:
    """Return the parameters that may be masked in some submodules, by default in all, one behind the other.

    Parameters
    ----------
    module : nn.Module
    layers : collection of str, optional
        Names of submodules or parameters; that of a submodule stands for all that it holds.
    skip_computed : bool
        Whether all layers are those whose weights are parameters, and others are passed over without being named.

    Raises
    ------
    InputError
        For an unknown or unsupported layer, a module without supported ones, or weights that are computed from other
        parameters or hold no values.
    """
    found = supported_targets(module)
    wanted = None if layers is None else _names(layers)
    for name in [] if skip_computed and wanted is None else _computed(module):
        if wanted is None or any(_is_in(name, each) for each in wanted):
            raise InputError(f"layer {name!r} is computed from other parameters, as by weight_norm or spectral_norm: "
                             "make it a parameter again, or name the layers that are meant by layers=")  # fmt: skip
    if wanted is not None:
        _check_names(module, found, wanted)
        found = tuple(each for each in found if any(_is_in(each.name, name) for name in wanted))
    if not found:
        raise InputError(f"{type(module).__name__} has no layer whose weights may be masked: supported are "
                         f"{', '.join(kind.__name__ for kind in SUPPORTED)}")  # fmt: skip
    for each in found:
        if each.parameter.is_meta:
            raise InputError(f"layer {each.name!r} is on the meta device, where weights have no values: load the "
                             "module to another device first")  # fmt: skip
    return _restacked(found)


def masked_targets(targets: Sequence[Target]) -> tuple[Target, ...]:
    """Return those that have masks, one behind the other."""
    return _restacked([each for each in targets if each.is_masked])


def layer_names(targets: Sequence[Target], names: Collection[str]) -> list[str]:
    """Return the names of the layers that some names of submodules, parameters or layers stand for.

    Raises
    ------
    InputError
        For an unknown one.
    """
    layers = [(target.name, layer.name) for target in targets for layer in target.layers]
    found: list[str] = []
    for name in _names(names):
        own = [layer for target, layer in layers if layer == name or _is_in(target, name)]
        if not own:
            known("layer", name, [layer for _, layer in layers])
        found += own
    return found


def _names(given: Any) -> list[str]:
    """Return names that are given as one or several."""
    names = [given] if isinstance(given, str) else list(given) if isinstance(given, Iterable) else [given]
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        raise InputError(f"{wrong[0]!r} is no layer: layers are called by the names of submodules or parameters, such "
                         "as '0' or '0.weight'")  # fmt: skip
    return names


def _check_names(module: nn.Module, found: Sequence[Target], names: Sequence[str]) -> None:
    """Refuse names of layers that are unknown or not supported."""
    if not names:
        raise InputError(f"layers={names}: name at least one; the module has "
                         f"{', '.join(each.name for each in found)}")  # fmt: skip
    modules = dict(module.named_modules())
    for name in names:
        if any(_is_in(each.name, name) for each in found):
            continue
        if name in modules:
            raise InputError(f"layer {name!r} is a {type(modules[name]).__name__}: supported are "
                             f"{', '.join(kind.__name__ for kind in SUPPORTED)}")  # fmt: skip
        raise InputError(f"layers={name!r}: the module has no such layer; it has "
                         f"{', '.join(each.name for each in found)}")  # fmt: skip


def _is_in(parameter: str, name: str) -> bool:
    """Return whether a parameter is meant by a name, its own or that of a submodule."""
    return not name or parameter == name or parameter.startswith(f"{name}.")


def _restacked(targets: Sequence[Target]) -> tuple[Target, ...]:
    """Return targets whose layers leave no gaps."""
    found: list[Target] = []
    first = 0
    for target in targets:
        layers: list[Layer] = []
        for layer in target.layers:
            layers.append(Layer(layer.name, layer.shape, first, layer.gates, layer.kernel))
            first = layers[-1].stop
        found.append(Target(target.owner, target.caller, target.attribute, target.name, tuple(layers)))
    return tuple(found)


def layers_in(targets: Sequence[Target]) -> tuple[Layer, ...]:
    """Return the layers of some targets, one behind the other."""
    return tuple(layer for target in targets for layer in target.layers)


def live_slots(targets: Sequence[Target]) -> Places:
    """Return the places of the weights that live, ascending."""
    found = [
        target.first + np.flatnonzero(target.mask.reshape(-1).cpu().numpy())
        if target.is_masked
        else np.arange(target.first, target.stop)
        for target in targets
    ]
    return np.concatenate([np.zeros(0, np.int64), *found])


def flat(tensor: Tensor) -> Floats:
    """Return the entries of a tensor row by row as float64."""
    found: Floats = tensor.detach().reshape(-1).to("cpu", torch.float64).numpy()
    return found
