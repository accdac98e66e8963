"""Networks on disk: one safetensors file holds the weights and the wiring.

Nothing in such a file is ever executed, and a file is checked before anything of its claimed size is built. Version 1
held a value for every entry of the blocks, and a mask; it is read, and no longer written.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Hashable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from nas.inputs import Pooling
from nas.networks.activations import ACTIVATIONS
from nas.networks.blocks import Block, lay_out
from nas.networks.cells import CELLS
from nas.networks.mlp import SparseMLP
from nas.networks.pooled import PooledMLP
from nas.networks.readout import SequenceNetwork
from nas.networks.rnn import InitialState, SparseRNN, rnn_blocks
from nas.networks.structure import AnyNetwork, Network, network_within, parts_of
from nas.networks.wired import WiredModule
from priors.files import atomic_write, naming
from priors.wiring import Wiring

__all__ = ["load_network", "save_network"]

_KEY = "wirenas"
_FORMAT = "wirenas-network"
_VERSION = 3
_MAX_NEURONS, _MAX_LAYERS = 10_000_000, 100_000
"""More would take minutes to build, whoever wrote the file."""
_MOST_LETTERS = 500
_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_PLAIN = 2
"""Version of files of networks that have nothing of what came later."""
_PARAMETERS = ("weight", "bias", "biases")
_CLASSES: dict[str, type[Network]] = {
    "SparseMLP": SparseMLP,
    "SparseRNN": SparseRNN,
    "SequenceNetwork": SequenceNetwork,
}


def save_network(network: AnyNetwork, path: str | PathLike[str]) -> None:
    """Write a network to one safetensors file, which replaces an older one only once it is complete.

    The file holds the parameters of ``network.state_dict()``; the wiring as constructed: ``wiring.degrees``, how many
    edges leave each neuron, ``wiring.targets``, where they lead, and ``wiring.weights``, where it has any; for each
    part whose weights are not those of its edges, ``gaps``, the differences of their places; for each part with weights
    that are held, ``held``, which these are; and in its metadata, under
    ``wirenas``, a JSON object of ``format``, ``version``, ``class``, ``unit`` (activation or cell), ``sizes``,
    ``inputs``, ``outputs`` and ``names``. Whole numbers are stored in the narrowest type. Equal networks give equal
    bytes.

    Some networks are of a later version: a `PooledMLP` has ``pooling`` (rows and columns of an image, the side of a
    square, and how many channels, where there are several), one with room for more edges ``room``, one with outputs at
    every step ``every_step``, one that learned its initial state ``initial_state``, and one whose cells leak ``leak``.

    Raises
    ------
    ValueError
        If the neurons have names that JSON cannot hold, or the network is not one of the three kinds as they are made:
        a subclass, a parametrised or pruned one has other parameters, which no file could bring back.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from nas import SparseMLP, load_network, save_network, wiring_of
    >>> from priors import Layered
    >>> network = SparseMLP(Layered((4, 8, 2), density=0.5, inputs=True, outputs=True).sample(0), rng=0)
    >>> with TemporaryDirectory() as folder:
    ...     save_network(network, f"{folder}/network.safetensors")
    ...     print(wiring_of(load_network(f"{folder}/network.safetensors")) == wiring_of(network))
    True
    """
    pooling = network.pooling if isinstance(network, PooledMLP) else None
    network = network_within(network)
    _check_kind(network)
    body = network.rnn if isinstance(network, SequenceNetwork) else network
    wiring = body.blueprint
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.named_parameters()}
    source, target = wiring.edges.T  # Sorted by source and target, as those of every wiring.
    tensors["wiring.degrees"] = _narrow(np.bincount(source, minlength=wiring.n_neurons))
    tensors["wiring.targets"] = _narrow(target)
    for name, part in _named_parts(network):
        slots = part.slots.cpu().numpy()
        if not np.array_equal(slots, part.slots_of_blueprint()):
            tensors[f"{name}gaps"] = _narrow(np.diff(slots, prepend=0))
        if part.held is not None:
            tensors[f"{name}weight"] = part.values.detach().cpu().contiguous()
            tensors[f"{name}held"] = ~part.held.isnan().cpu()
    if wiring.weights is not None:
        tensors["wiring.weights"] = torch.from_numpy(wiring.weights.copy())
    # One entry, because safetensors writes several in any order.
    description = {
        "format": _FORMAT,
        "version": _PLAIN,
        "class": type(network).__name__,
        "unit": body.activation if isinstance(body, SparseMLP) else body.cell,
        "sizes": wiring.sizes,
        "inputs": wiring.inputs,
        "outputs": wiring.outputs,
        "names": None if wiring.names is None else [_plain(name) for name in wiring.names],
    }
    if pooling is not None:
        channels = [pooling.channels] if pooling.channels > 1 else []
        description.update(version=_VERSION, pooling=[pooling.rows, pooling.columns, pooling.size, *channels])
    if isinstance(body, SparseMLP) and body.room:
        description.update(version=_VERSION, room=True)
    if isinstance(network, SequenceNetwork) and network.every_step:
        description.update(version=_VERSION, every_step=True)
    if isinstance(body, SparseRNN) and body.initial_state == "learned":
        description.update(version=_VERSION, initial_state="learned")
    if isinstance(body, SparseRNN) and body.leak != 1:
        description.update(version=_VERSION, leak=body.leak)
    metadata = {_KEY: json.dumps(description, allow_nan=False)}
    with atomic_write(Path(path)) as temporary:
        # Written by Python, what a full disk says is an OSError.
        temporary.write_bytes(save(tensors, metadata))


def _check_kind(network: Network) -> None:
    found = [name for name, _ in network.named_parameters()]
    needed = [f"{name}{own}" for name, part in _named_parts(network) for own in ("weight", part.biases_name)]
    if type(network) not in _CLASSES.values() or sorted(found) != sorted(needed):
        raise ValueError(
            f"{type(network).__name__} with parameters {', '.join(found)}: only {', '.join(_CLASSES)} themselves are "
            "stored; remove parametrisations and torch's pruning first"
        )


def load_network(path: str | PathLike[str]) -> AnyNetwork:
    """Read a network that `save_network` wrote, on the CPU; its outputs equal the saved one's bit for bit.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    OSError
        If the system does not let it be read.
    ValueError
        If the file is not such a network, is damaged, or is of an unknown version.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import torch
    >>> from nas import SparseMLP, load_network, save_network
    >>> from priors import Layered
    >>> network = SparseMLP(Layered((4, 8, 2), density=0.5, inputs=True, outputs=True).sample(0), rng=0)
    >>> with TemporaryDirectory() as folder:
    ...     save_network(network, f"{folder}/network.safetensors")
    ...     same = load_network(f"{folder}/network.safetensors")
    >>> torch.equal(same(torch.ones(1, 4)), network(torch.ones(1, 4)))
    True
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    try:
        with naming(path), safe_open(path, framework="pt", device="cpu") as file:
            description = json.loads((file.metadata() or {}).get(_KEY, "{}"))
            _check_format(description)
            _n_neurons(description)
            state = {name: file.get_tensor(name) for name in sorted(file.keys())}
        network = (_rebuild_masked if description["version"] == 1 else _rebuild)(description, state)
        return _pooled(network, description["pooling"]) if "pooling" in description else network
    except (SafetensorError, ValueError, LookupError, TypeError, AttributeError, RuntimeError) as error:
        _raise_refusal(error, path)
        reason = " ".join(str(error).split())[:_MOST_LETTERS]
        raise ValueError(f"{path}: this is no intact network file: {reason}") from error


def _raise_refusal(error: Exception, path: str | PathLike[str]) -> None:
    """Raise an OSError where torch says, in words alone, that the system did not let it read the file."""
    refusal = re.search(r"unable to (?:open|mmap|stat).*\((\d+)\)$", str(error))
    if refusal is not None:
        number = int(refusal[1])
        raise OSError(number, os.strerror(number), str(path)) from error


def _pooled(network: Network, pooling: Any) -> PooledMLP:
    if not isinstance(network, SparseMLP):
        raise ValueError(f"it pools inputs of a {type(network).__name__}, and only a SparseMLP's can be pooled")
    return PooledMLP(network, Pooling(*pooling))


def _check_format(description: Mapping[str, Any]) -> None:
    if description.get("format") != _FORMAT:
        raise ValueError(f"its format is {description.get('format')!r} where {_FORMAT!r} is needed")
    if description.get("version") not in range(1, _VERSION + 1):
        raise ValueError(f"its version is {description.get('version')!r} and only 1 to {_VERSION} are known")
    kind, unit = description["class"], description["unit"]
    units: Mapping[str, object] = ACTIVATIONS if kind == "SparseMLP" else CELLS
    if kind not in _CLASSES or unit not in units:
        raise ValueError(f"it is a {kind!r} of {unit!r}, which is not known")


def _rebuild(description: Mapping[str, Any], state: dict[str, Tensor]) -> Network:
    degrees, targets = (_whole(state.pop(name)) for name in ("wiring.degrees", "wiring.targets"))
    if _n_neurons(description) != len(degrees):
        raise ValueError(f"it holds the degrees of {len(degrees)} neurons, and its sizes are those of others")
    if (degrees < 0).any() or (degrees > len(targets)).any() or degrees.sum() != len(targets):
        raise ValueError(f"its degrees do not add up to its {len(targets)} edges")
    edges = np.stack([np.repeat(np.arange(len(degrees)), degrees), targets], axis=1)
    network = _empty(description, edges, state)
    expected = dict(network.named_parameters())
    held = {name: state.pop(f"{name}held") for name, _ in _named_parts(network) if f"{name}held" in state}
    for name, part in _named_parts(network):
        gaps = state.pop(f"{name}gaps", None)
        if gaps is not None:
            slots, weight = torch.from_numpy(np.cumsum(_whole(gaps))), state.pop(f"{name}weight")
            part.replace_weights(slots, weight)
            expected.pop(f"{name}weight")
    if state.keys() != expected.keys():
        raise ValueError(f"it holds {', '.join(state) or 'nothing'} where {', '.join(expected)} are needed")
    for name, parameter in expected.items():
        if state[name].shape != parameter.shape:
            raise ValueError(f"{name} has shape {tuple(state[name].shape)} where {tuple(parameter.shape)} is needed")
        parameter.detach().copy_(state[name])
    for name, part in _named_parts(network):
        if name in held:
            part.hold(held[name])
    return network


def _rebuild_masked(description: Mapping[str, Any], state: dict[str, Tensor]) -> Network:
    """Return a network of version 1."""
    edges = state.pop("wiring.edges").numpy()
    masks = {name: state.pop(name) for name in list(state) if name.rpartition(".")[2] == "mask"}
    if any(mask.dtype != torch.bool for mask in masks.values()):
        raise ValueError("its masks must be boolean")
    wiring_state = {name: state.pop(name) for name in list(state) if name.startswith("wiring.")}
    wiring = _wiring(description, edges, wiring_state.get("wiring.weights"))
    expected = sum(block.size for block in _blocks(wiring, description["class"], description["unit"]))
    found = sum(tensor.numel() for name, tensor in state.items() if name.rpartition(".")[2] == "weight")
    if found != expected:
        raise ValueError(f"it holds {found} weights where its wiring has room for {expected}")
    network = _empty(description, edges, {**state, **wiring_state})
    for name, _ in _named_parts(network):
        mask, weight = masks[f"{name}mask"], state[f"{name}weight"]
        if mask.shape != weight.shape:
            raise ValueError(f"{name}mask and {name}weight differ in size")
        if bool((weight[~mask] != 0).any()):
            raise ValueError("it holds weights that are not zero off its mask")
        state[f"{name}mask"] = mask
    network.load_state_dict(state)
    return network


def _empty(description: Mapping[str, Any], edges: NDArray[Any], state: dict[str, Tensor]) -> Network:
    """Return a network of a file's wiring; its weights are still to be read."""
    wiring = _wiring(description, edges, state.pop("wiring.weights", None))
    kind, unit, dtype = description["class"], description["unit"], _dtype(state)
    if kind == "SparseMLP" and description.get("room") is True:
        return SparseMLP(wiring, unit, rng=0, dtype=dtype, room=True)
    if kind == "SparseMLP":
        return SparseMLP(wiring, unit, rng=0, dtype=dtype)
    initial: InitialState = "learned" if description.get("initial_state") == "learned" else "zero"
    leak = float(description.get("leak", 1.0))
    if kind == "SparseRNN":
        return SparseRNN(wiring, unit, rng=0, dtype=dtype, initial_state=initial, leak=leak)
    every_step = description.get("every_step") is True
    return SequenceNetwork(wiring, unit, rng=0, dtype=dtype, initial_state=initial, leak=leak, every_step=every_step)


def _named_parts(network: Network) -> list[tuple[str, WiredModule]]:
    """Return the parts of a network with what the names of their tensors begin with."""
    names = ("rnn.", "head.") if isinstance(network, SequenceNetwork) else ("",)
    return list(zip(names, parts_of(network), strict=True))


def _n_neurons(description: Mapping[str, Any]) -> int:
    sizes = description["sizes"]
    if len(sizes) > _MAX_LAYERS:
        raise ValueError(f"it tells of {len(sizes)} layers, and at most {_MAX_LAYERS} are read")
    if not all(type(size) is int for size in sizes) or sum(sizes) > _MAX_NEURONS:
        raise ValueError(f"sizes must be integers that add up to at most {_MAX_NEURONS}")
    return sum(sizes)


def _wiring(description: Mapping[str, Any], edges: NDArray[Any], weights: Tensor | None) -> Wiring:
    names = description["names"]
    _n_neurons(description)
    return Wiring(
        description["sizes"],
        edges,
        inputs=description["inputs"],
        outputs=description["outputs"],
        weights=None if weights is None else weights.numpy(),
        names=None if names is None else [_hashable(name) for name in names],
    )


def _dtype(state: Mapping[str, Tensor]) -> torch.dtype:
    dtypes = {tensor.dtype for name, tensor in state.items() if name.rpartition(".")[2] in _PARAMETERS}
    if len(dtypes) != 1 or (dtype := dtypes.pop()) not in _DTYPES:
        raise ValueError("its weights and biases must be of one floating-point type")
    return dtype


def _narrow(numbers: NDArray[np.integer[Any]]) -> Tensor:
    """Return whole numbers in the narrowest of torch's signed types that holds them."""
    largest = int(numbers.max(initial=0))
    kind = next(kind for kind in (np.int8, np.int16, np.int32, np.int64) if largest <= np.iinfo(kind).max)
    return torch.from_numpy(numbers.astype(kind))


def _whole(tensor: Tensor) -> NDArray[np.int64]:
    if tensor.ndim != 1 or tensor.dtype not in (torch.int8, torch.int16, torch.int32, torch.int64):
        raise ValueError("degrees, targets and gaps must be vectors of whole numbers")
    numbers: NDArray[np.int64] = tensor.numpy().astype(np.int64)
    return numbers


def _blocks(wiring: Wiring, kind: str, unit: str) -> tuple[Block, ...]:
    """Lay out what a file claims, which takes little memory, before networks of that size are built."""
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
