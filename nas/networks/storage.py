"""Networks on disk: one safetensors file holds the weights, the masks and the wiring.

Nothing in such a file is ever executed, and a file is checked before anything of its claimed size is built.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from nas.networks.activations import ACTIVATIONS
from nas.networks.blocks import Block, lay_out
from nas.networks.cells import CELLS
from nas.networks.mlp import SparseMLP
from nas.networks.readout import SequenceNetwork
from nas.networks.rnn import SparseRNN, rnn_blocks
from nas.networks.structure import Network, parts_of
from priors.files import atomic_write
from priors.wiring import Wiring

__all__ = ["load_network", "save_network"]

_KEY = "wirenas"
_FORMAT = "wirenas-network"
_VERSION = 1
_MAX_NEURONS = 10_000_000
_CLASSES: dict[str, type[Network]] = {
    "SparseMLP": SparseMLP,
    "SparseRNN": SparseRNN,
    "SequenceNetwork": SequenceNetwork,
}


def save_network(network: Network, path: str | PathLike[str]) -> None:
    """Write a network to one safetensors file, which replaces an older one only once it is complete.

    The file holds the tensors of ``network.state_dict()``, the wiring as constructed (``wiring.edges`` and, where it
    has them, ``wiring.weights``), and in its metadata, under ``wirenas``, a JSON object of ``format``, ``version``,
    ``class``, ``unit`` (activation or cell), ``sizes``, ``inputs``, ``outputs`` and ``names``. Equal networks give
    equal bytes.

    Raises
    ------
    ValueError
        If the neurons have names that JSON cannot hold.
    """
    body = network.rnn if isinstance(network, SequenceNetwork) else network
    wiring = body.blueprint
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    tensors["wiring.edges"] = torch.from_numpy(wiring.edges.copy())
    if wiring.weights is not None:
        tensors["wiring.weights"] = torch.from_numpy(wiring.weights.copy())
    # One entry, because safetensors writes several in any order.
    description = {
        "format": _FORMAT,
        "version": _VERSION,
        "class": type(network).__name__,
        "unit": body.activation if isinstance(body, SparseMLP) else body.cell,
        "sizes": wiring.sizes,
        "inputs": wiring.inputs,
        "outputs": wiring.outputs,
        "names": None if wiring.names is None else [_plain(name) for name in wiring.names],
    }
    metadata = {_KEY: json.dumps(description, allow_nan=False)}
    with atomic_write(Path(path)) as temporary:
        save_file(tensors, temporary, metadata)


def load_network(path: str | PathLike[str]) -> Network:
    """Read a network that `save_network` wrote, on the CPU; its outputs equal the saved one's bit for bit.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not such a network, is damaged, or is of an unknown version.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            description = json.loads((file.metadata() or {}).get(_KEY, "{}"))
            _check_format(description)
            state = {name: file.get_tensor(name) for name in sorted(file.keys())}
        return _rebuild(description, state)
    except (SafetensorError, ValueError, LookupError, TypeError, AttributeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: this is no intact network file: {reason}") from error


def _check_format(description: Mapping[str, Any]) -> None:
    if description.get("format") != _FORMAT:
        raise ValueError(f"its format is {description.get('format')!r} where {_FORMAT!r} is needed")
    if description.get("version") != _VERSION:
        raise ValueError(f"its version is {description.get('version')!r} and only {_VERSION!r} is known")


def _rebuild(description: Mapping[str, Any], state: dict[str, Tensor]) -> Network:
    wiring = _wiring(description, state.pop("wiring.edges"), state.pop("wiring.weights", None))
    kind, unit = description["class"], description["unit"]
    expected = sum(block.size for block in _blocks(wiring, kind, unit))
    found = sum(tensor.numel() for name, tensor in state.items() if name.rpartition(".")[2] == "weight")
    if found != expected:
        raise ValueError(f"it holds {found} weights where its wiring has room for {expected}")
    network = _CLASSES[kind](wiring, unit, rng=0, dtype=_dtype(state))
    network.load_state_dict(state)
    for part in parts_of(network):
        if bool((part.weight.detach()[~part.mask] != 0).any()):
            raise ValueError("it holds weights that are not zero off its mask")
    return network


def _wiring(description: Mapping[str, Any], edges: Tensor, weights: Tensor | None) -> Wiring:
    sizes, names = description["sizes"], description["names"]
    if not all(type(size) is int for size in sizes) or sum(sizes) > _MAX_NEURONS:
        raise ValueError(f"sizes must be integers that add up to at most {_MAX_NEURONS}")
    return Wiring(
        sizes,
        edges.numpy(),
        inputs=description["inputs"],
        outputs=description["outputs"],
        weights=None if weights is None else weights.numpy(),
        names=None if names is None else [_hashable(name) for name in names],
    )


def _dtype(state: Mapping[str, Tensor]) -> torch.dtype:
    masks = {name for name in state if name.rpartition(".")[2] == "mask"}
    if any(state[name].dtype != torch.bool for name in masks):
        raise ValueError("its masks must be boolean")
    dtypes = {state[name].dtype for name in state.keys() - masks}
    if len(dtypes) != 1 or not (dtype := dtypes.pop()).is_floating_point:
        raise ValueError("its weights and biases must be of one floating-point type")
    return dtype


def _blocks(wiring: Wiring, kind: str, unit: str) -> tuple[Block, ...]:
    """Lay out what the file claims, which takes little memory, before networks of that size are built."""
    units: Mapping[str, object] = ACTIVATIONS if kind == "SparseMLP" else CELLS
    if kind not in _CLASSES or unit not in units:
        raise ValueError(f"it is a {kind!r} of {unit!r}, which is not known")
    if kind == "SparseMLP":
        return lay_out(wiring, range(1, wiring.n_layers))
    head = lay_out(wiring, [wiring.n_layers - 1]) if kind == "SequenceNetwork" else ()
    return rnn_blocks(wiring, unit) + head


def _plain(name: Hashable) -> Any:
    """Turn a neuron's name into what JSON can hold and give back."""
    if isinstance(name, np.generic):
        name = name.item()
    if isinstance(name, tuple):
        return [_plain(part) for part in name]
    if name is None or isinstance(name, str | int | float):
        return name
    raise ValueError(
        f"name {name!r} is a {type(name).__name__}: stored names are text, numbers or tuples of them; "
        "give others with wiring.replace(names=...)"
    )


def _hashable(name: Any) -> Hashable:
    return tuple(_hashable(part) for part in name) if isinstance(name, list) else name
