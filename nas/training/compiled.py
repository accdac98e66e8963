"""Networks in the form that the compiled engine reads, made of a module or straight of a wiring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nas.networks import LinearMean, MaskedLinear, NetworkSpec, SequenceNetwork, SparseMLP, SparseRNN
from nas.networks.parameters import (
    EdgeWeights,
    check_linear,
    feedforward_weights,
    head_weights,
    recurrent_bias,
    recurrent_weights,
)
from nas.networks.wired import WiredModule
from nas.training.extension import extension
from priors import Wiring

__all__ = ["Compiled", "compile_network", "compile_wiring", "fill", "supports"]

_KINDS = ({("cpu", torch.float32)}, {("cpu", torch.float64)})

Parameters = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]


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


def supports(spec: NetworkSpec) -> bool:
    """Whether the compiled engine has the cell, or the activation, of a network; it has no cells that leak."""
    if spec.kind == "rnn":
        return spec.leak == 1 and spec.cell in extension().cells()
    return _activation(spec) in extension().activations()


def compile_wiring(wiring: Wiring, spec: NetworkSpec, rng: np.random.Generator, *, sparse: bool = False) -> Compiled:
    """Return the network that ``spec.build(wiring, rng)`` makes, in the engine's form and without making a module.

    With `sparse` it is laid out for inputs that are mostly zero; see `has_sparse_inputs`.
    """
    if spec.kind == "linear-mean":
        check_linear(wiring)
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
        spec.initial_state,
    )
    bias = recurrent_bias(wiring, spec.cell, spec.initial_state).astype(np.float32)
    return Compiled(network, (_flat(body), bias, _flat(head), np.zeros(wiring.n_outputs, np.float32)))


def fill(module: nn.Module, wiring: Wiring, compiled: Compiled) -> None:
    """Copy the parameters of a compiled wiring into the module that its spec builds."""
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
    for part, edges, values, bias in parts:
        part.place(edges, values)
        part.bias_vector.detach().copy_(torch.from_numpy(bias))


def compile_network(module: nn.Module, *, sparse: bool = False) -> Compiled | None:
    """Return a module in the engine's form, or None for one that the engine cannot train as it is.

    It takes `SparseMLP`, `SequenceNetwork` and `LinearMean` themselves: a subclass, a hook or a frozen parameter may
    mean another function or another training.
    """
    network = module.linear if type(module) is LinearMean else module
    if any(part._forward_hooks or part._forward_pre_hooks for part in module.modules()):
        return None
    parts = [network, network.rnn, network.head] if type(network) is SequenceNetwork else [network]
    if [type(part) for part in parts] not in ([SparseMLP], [SequenceNetwork, SparseRNN, MaskedLinear]):
        return None
    if any(getattr(part, "held", None) is not None for part in parts):
        return None
    parameters = list(module.parameters())
    if not all(parameter.requires_grad and parameter.is_contiguous() for parameter in parameters):
        return None
    if {(parameter.device.type, parameter.dtype) for parameter in parameters} not in _KINDS:
        return None
    mean = network is not module
    assert isinstance(network, SparseMLP | SequenceNetwork)
    if isinstance(network, SparseMLP):
        if network.activation not in extension().activations():
            return None
        edges, _, slots = _entries(network)
        weights, biases = _array(network.weight), _array(network.bias)
        return Compiled(
            _feedforward(network.blueprint, network.activation, edges, slots, sparse and not mean),
            (weights, biases, *_no_head(weights.dtype)),
            mean,
        )
    rnn, head = network.rnn, network.head
    if rnn.cell not in extension().cells() or rnn.leak != 1:
        return None
    head_edges, _, head_slots = _entries(head)
    return Compiled(
        _recurrent(rnn.blueprint, rnn.cell, *_entries(rnn), head_edges, head_slots, rnn.initial_state),
        (_array(rnn.weight), _array(rnn.biases), _array(head.weight), _array(head.bias)),
    )


def _activation(spec: NetworkSpec) -> str:
    return "identity" if spec.kind == "linear-mean" else spec.activation


def _feedforward(
    wiring: Wiring, activation: str, edges: NDArray[np.int32], slots: NDArray[np.int64] | None, sparse: bool
) -> Any:
    sizes = (wiring.n_inputs, wiring.n_neurons, wiring.n_outputs)
    return extension().feedforward(*sizes, activation, edges, slots, sparse)


def _recurrent(
    wiring: Wiring,
    cell: str,
    edges: NDArray[np.int32],
    gates: NDArray[np.int32],
    slots: NDArray[np.int64],
    head_edges: NDArray[np.int32],
    head_slots: NDArray[np.int64],
    initial_state: str,
) -> Any:
    sizes, learns = list(wiring.sizes[:-1]), initial_state == "learned"
    return extension().recurrent(sizes, wiring.n_outputs, cell, edges, gates, slots, head_edges, head_slots, learns)


def _flat(start: EdgeWeights) -> NDArray[np.float32]:
    return start.weights.astype(np.float32).ravel()


def _no_head(dtype: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    return np.zeros(0, dtype), np.zeros(0, dtype)


def _array(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.detach().numpy()
    return array


def _entries(part: WiredModule) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    """Return the weights: (n, 2) edges, gates and places in the flat vector, sources ascending for each target."""
    edges, gates = part.live_weights()
    return edges.astype(np.int32), gates.astype(np.int32), np.arange(len(gates))
