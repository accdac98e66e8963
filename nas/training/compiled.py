"""Bridge to the compiled engine: which networks it takes, and networks and tasks in the form that it reads.

Imports the extension ``nas.training._native``, which is there only where a C++ compiler was at the installation.
"""

from __future__ import annotations

import os
import weakref
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nas.networks import LinearMean, MaskedLinear, NetworkSpec, SequenceNetwork, SparseMLP, SparseRNN
from nas.networks.blocks import Block, slots_of
from nas.networks.parameters import (
    EdgeWeights,
    feedforward_weights,
    head_weights,
    recurrent_bias,
    recurrent_weights,
)
from nas.networks.readout import mean_over_time
from priors import Wiring

if TYPE_CHECKING:
    from torch import Tensor, nn

    from nas.tasks.task import Task

__all__ = [
    "Compiled",
    "compile_network",
    "compile_wiring",
    "data_of",
    "engine",
    "fill",
    "has_sparse_inputs",
    "instruction_set",
]

_ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu", "identity")
_CELLS = ("tanh", "relu", "gru", "lstm")
_LOSSES = ("cross-entropy", "squared-error")
_LANES = 16
_INSTRUCTION_SET_VARIABLE = "WIRENAS_INSTRUCTION_SET"

Parameters = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]


@cache
def engine() -> Any:
    """Return the extension module, or None where it was not built."""
    try:
        return import_module("nas.training._native")
    except ImportError:
        return None


@cache
def instruction_set() -> str:
    """Return the instruction set that kernels run with: the best of the processor's, or WIRENAS_INSTRUCTION_SET."""
    known: list[str] = engine().instruction_sets()
    wanted = os.environ.get(_INSTRUCTION_SET_VARIABLE, known[-1])
    if wanted not in known:
        raise ValueError(f"{_INSTRUCTION_SET_VARIABLE}={wanted}: this processor has {', '.join(known)}")
    return wanted


@dataclass(frozen=True, eq=False)
class Compiled:
    """A network as the engine reads it.

    Attributes
    ----------
    network : object
        The extension's: structure alone.
    parameters : tuple of arrays
        Weights, biases, and the head's weights and biases (empty for feed-forward networks), all flat and float32 or
        float64. Those of a module are views of its tensors; those of a wiring lie edge by edge, gate by gate.
    mean : bool
        Whether the network reads the mean of a sequence.
    """

    network: Any
    parameters: Parameters
    mean: bool = False


def compile_wiring(wiring: Wiring, spec: NetworkSpec, rng: np.random.Generator, *, sparse: bool = False) -> Compiled:
    """Return the network that ``spec.build(wiring, rng)`` makes, in the engine's form and without making a module.

    With `sparse` it is laid out for inputs that are mostly zero; see `has_sparse_inputs`.
    """
    if spec.kind != "rnn":
        start = feedforward_weights(wiring, _activation(spec), rng)
        biases = np.zeros(wiring.n_neurons - wiring.n_inputs, np.float32)
        network = _feedforward(wiring, _activation(spec), start.edges, None, sparse and spec.kind == "mlp")
        return Compiled(network, (_flat(start), biases, *_no_head(np.float32)), mean=spec.kind == "linear-mean")
    body, head = recurrent_weights(wiring, spec.cell, rng), head_weights(wiring, rng)
    gates = body.weights.shape[1]
    network = _recurrent(
        wiring,
        spec.cell,
        np.repeat(body.edges, gates, axis=0),
        np.tile(np.arange(gates, dtype=np.int32), len(body.edges)),
        np.arange(body.weights.size),
        head.edges,
        np.arange(len(head.edges)),
    )
    bias = recurrent_bias(wiring, spec.cell).astype(np.float32)
    return Compiled(network, (_flat(body), bias, _flat(head), np.zeros(wiring.n_outputs, np.float32)))


def fill(module: nn.Module, wiring: Wiring, compiled: Compiled) -> None:
    """Copy the parameters of a compiled wiring into the module that its spec builds."""
    import torch

    weights, biases, read_out, read_out_biases = compiled.parameters
    to_output = wiring.edges[:, 1] >= wiring.n_neurons - wiring.n_outputs
    parts: list[tuple[SparseMLP | SparseRNN | MaskedLinear, NDArray[Any], NDArray[Any], NDArray[Any]]]
    if isinstance(module, SequenceNetwork):
        parts = [
            (module.rnn, wiring.edges[~to_output], weights, biases),
            (module.head, wiring.edges[to_output], read_out, read_out_biases),
        ]
    else:
        linear = module.linear if isinstance(module, LinearMean) else module
        assert isinstance(linear, SparseMLP)
        parts = [(linear, wiring.edges, weights, biases)]
    with torch.no_grad():
        for part, edges, values, bias in parts:
            part.weight[torch.from_numpy(slots_of(part.blocks, edges).ravel())] = torch.from_numpy(values)
            part.bias.copy_(torch.from_numpy(bias))


def compile_network(module: nn.Module, *, sparse: bool = False) -> Compiled | None:
    """Return a module in the engine's form, or None for a kind, type or device that it does not take."""
    import torch

    mean = isinstance(module, LinearMean)
    network = module.linear if isinstance(module, LinearMean) else module
    if not isinstance(network, SparseMLP | SequenceNetwork):
        return None
    kinds = {(tensor.device.type, tensor.dtype) for tensor in network.parameters()}
    if kinds not in ({("cpu", torch.float32)}, {("cpu", torch.float64)}):
        return None
    if isinstance(network, SparseMLP):
        edges, _, slots = _entries(network.blocks, _array(network.mask))
        weights, biases = _array(network.weight), _array(network.bias)
        return Compiled(
            _feedforward(network.blueprint, network.activation, edges, slots, sparse and not mean),
            (weights, biases, *_no_head(weights.dtype)),
            mean,
        )
    rnn, head = network.rnn, network.head
    head_edges, _, head_slots = _entries(head.blocks, _array(head.mask))
    return Compiled(
        _recurrent(rnn.blueprint, rnn.cell, *_entries(rnn.blocks, _array(rnn.mask)), head_edges, head_slots),
        (_array(rnn.weight), _array(rnn.bias), _array(head.weight), _array(head.bias)),
    )


def _activation(spec: NetworkSpec) -> str:
    return "identity" if spec.kind == "linear-mean" else spec.activation


def _feedforward(
    wiring: Wiring, activation: str, edges: NDArray[np.int32], slots: NDArray[np.int64] | None, sparse: bool
) -> Any:
    kind = _ACTIVATIONS.index(activation)
    return engine().feedforward(wiring.n_inputs, wiring.n_neurons, wiring.n_outputs, kind, edges, slots, sparse)


def _recurrent(
    wiring: Wiring,
    cell: str,
    edges: NDArray[np.int32],
    gates: NDArray[np.int32],
    slots: NDArray[np.int64],
    head_edges: NDArray[np.int32],
    head_slots: NDArray[np.int64],
) -> Any:
    kind = _CELLS.index(cell)
    sizes = list(wiring.sizes[:-1])
    return engine().recurrent(sizes, wiring.n_outputs, kind, edges, gates, slots, head_edges, head_slots)


def _flat(start: EdgeWeights) -> NDArray[np.float32]:
    return start.weights.astype(np.float32).ravel()


def _no_head(dtype: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    return np.zeros(0, dtype), np.zeros(0, dtype)


def _array(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.detach().numpy()
    return array


def _entries(
    blocks: tuple[Block, ...], mask: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    """Return the live weights: (n, 2) edges, gates and places in the flat vector, sources ascending for each target."""
    edges, gates, slots = [np.zeros((0, 2), np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for block in blocks:
        gate, target, column = np.nonzero(block.cube(mask))
        edges.append(np.stack([block.columns[column], target + block.targets.start], axis=1))
        gates.append(gate)
        slots.append(block.offset + (gate * len(block.targets) + target) * len(block.columns) + column)
    return (
        np.concatenate(edges).astype(np.int32),
        np.concatenate(gates).astype(np.int32),
        np.concatenate(slots),
    )


# Tasks


def has_sparse_inputs(task: Task) -> bool:
    """Whether so many inputs of a task are zero that it pays to skip them."""
    sparse: bool = not task.is_sequence and data_of(task).sparse
    return sparse


_data: weakref.WeakKeyDictionary[Task, dict[tuple[str, bool], Any]] = weakref.WeakKeyDictionary()
_data_lock = Lock()


def data_of(task: Task, dtype: Any = np.float32, *, mean: bool = False) -> Any:
    """Return a task's examples in the engine's form, made once a task and shared by all threads.

    Parameters
    ----------
    task : Task
        On the CPU.
    dtype : numpy dtype
        float32, or float64 for tests.
    mean : bool
        Replace sequences by their mean over time.
    """
    key = (np.dtype(dtype).name, mean)
    with _data_lock:
        known = _data.setdefault(task, {})
        if key not in known:
            known[key] = _make_data(task, np.dtype(dtype), mean)
        return known[key]


def _make_data(task: Task, dtype: np.dtype[Any], mean: bool) -> Any:
    inputs, lengths = task.inputs.numpy(), None if task.lengths is None else task.lengths.numpy()
    if mean:
        inputs, lengths = _means(task), None
    if inputs.dtype != np.uint8:
        inputs = inputs.reshape(len(inputs), -1).astype(dtype, copy=False)
    if lengths is None:
        # Kernels read whole vectors.
        inputs = np.pad(inputs, ((0, 0), (0, -inputs.shape[1] % _LANES))) if inputs.shape[1] % _LANES else inputs
    targets = task.targets.numpy()
    if targets.dtype != np.int64:
        targets = targets.astype(dtype, copy=False)
    kind = engine().Data if dtype == np.float32 else engine().Data64
    return kind(
        np.ascontiguousarray(inputs),
        None if lengths is None else np.ascontiguousarray(lengths),
        np.ascontiguousarray(targets),
        task.n_inputs,
        task.n_outputs,
        _LOSSES.index(task.loss),
    )


def _means(task: Task) -> NDArray[np.float32]:
    import torch

    parts = torch.split(torch.arange(len(task.inputs)), 4096)
    means = [mean_over_time(*task.batch(part)[:2]) for part in parts]
    array: NDArray[np.float32] = torch.cat(means).numpy()
    return array
