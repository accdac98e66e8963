"""Several initialisations of one wiring's network, run side by side, with all that measures need kept for gradients.

They begin from the same numbers as the networks that are trained but build no module: stacked, three of them cost
little more than one. Tensors lie (initialisation, neuron, example).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from nas.networks.blocks import Block, lay_out, slots_of
from nas.networks.cells import CELLS, Cell, State, leaky
from nas.networks.parameters import EdgeWeights, feedforward_weights, head_weights, recurrent_bias, recurrent_weights
from nas.networks.spec import NetworkSpec
from priors.wiring import Wiring

__all__ = ["Ensemble", "Pass"]

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": functional.gelu,
    "identity": torch.clone,
}


class Pass(NamedTuple):
    """What happened in one pass.

    Attributes
    ----------
    outputs : (n_inits, n_outputs, batch) Tensor
    steps : tuple of tuple of Tensor
        The (n_inits, n_in_layer, batch) activations of hidden neurons by time step, of which an MLP has one, and layer.
    final : (n_inits, n_hidden, batch) Tensor
        What outputs can read: activations of an MLP's hidden neurons, states of an RNN's at each sequence's end.
    """

    outputs: Tensor
    steps: tuple[tuple[Tensor, ...], ...]
    final: Tensor


class _Layer(NamedTuple):
    """One layer of cells."""

    below: Block
    before: Block
    below_matrix: Tensor
    before_matrix: Tensor
    below_bias: Tensor
    before_bias: Tensor


class Ensemble:
    """Networks of one wiring that differ in their initial weights alone.

    Parameters
    ----------
    wiring, spec
        Of an MLP or an RNN.
    rngs : sequence of numpy.random.Generator
        One a network; each draws what ``spec.build`` draws from it.
    dtype : torch.dtype

    Attributes
    ----------
    weights : (n_inits, n_weights) Tensor
        All weights; biases are those that networks start with, mostly 0.
    """

    def __init__(
        self, wiring: Wiring, spec: NetworkSpec, rngs: Sequence[np.random.Generator], dtype: torch.dtype = torch.float32
    ) -> None:
        self.wiring, self.spec = wiring, spec
        self._parts = _parts(wiring, spec)
        drawn = [_draw(wiring, spec, rng) for rng in rngs]
        self._slots = _slots(self._parts, [part.edges for part in drawn[0]])
        rows = [np.concatenate([part.weights.ravel() for part in parts]) for parts in drawn]
        self.weights = torch.as_tensor(np.stack(rows), dtype=dtype)

    def run(self, weights: Tensor, x: Tensor, lengths: Tensor | None = None) -> Pass:
        """Run all networks.

        Parameters
        ----------
        weights : (n_inits, n_weights) Tensor
            In the order of `weights`.
        x : (n_inits, n_inputs, batch) or (n_inits, time, n_inputs, batch) Tensor
        lengths : (batch,) int64 Tensor
            True lengths of sequences, or None.
        """
        if lengths is None:
            return self._run_mlp(weights, x, _ACTIVATIONS[self.spec.activation])
        *matrices, last = self._matrices(weights)
        cell = leaky(CELLS[self.spec.cell], self.spec.leak)
        bias = torch.as_tensor(recurrent_bias(self.wiring, self.spec.cell), dtype=weights.dtype)
        steps, ends = _recurrent(_layers(self._parts[:-1], matrices, bias, cell), cell, x, lengths)
        return Pass(last @ _read(ends, self._parts[-1]), tuple(steps), ends[:, self.wiring.n_inputs :])

    def run_linear(self, weights: Tensor, x: Tensor) -> Tensor:
        """Return the (n_inits, n_outputs, batch) outputs of an MLP whose neurons only sum."""
        return self._run_mlp(weights, x, torch.clone).outputs

    def _run_mlp(self, weights: Tensor, x: Tensor, activation: Callable[[Tensor], Tensor]) -> Pass:
        *matrices, last = self._matrices(weights)
        values, activations = x, []
        for block, matrix in zip(self._parts[:-1], matrices, strict=True):
            activations.append(activation(matrix @ _read(values, block)))
            values = torch.cat([values, activations[-1]], dim=1)
        return Pass(last @ _read(values, self._parts[-1]), (tuple(activations),), values[:, self.wiring.n_inputs :])

    def _matrices(self, weights: Tensor) -> tuple[Tensor, ...]:
        sizes = [block.size for block in self._parts]
        flat = weights.new_zeros(len(weights), sum(sizes)).index_copy(1, self._slots, weights)
        pieces = torch.split(flat, sizes, dim=1)
        return tuple(piece.view(len(weights), *block.shape) for piece, block in zip(pieces, self._parts, strict=True))


def _parts(wiring: Wiring, spec: NetworkSpec) -> tuple[Block, ...]:
    """Return the blocks of a network, those of an RNN's head last; each counts its offset from its own part."""
    if spec.kind == "mlp":
        return lay_out(wiring, range(1, wiring.n_layers))
    hidden = range(1, wiring.n_layers - 1)
    body = lay_out(wiring, hidden, CELLS[spec.cell].gates, recurrent=True)
    return body + lay_out(wiring, [wiring.n_layers - 1])


def _draw(wiring: Wiring, spec: NetworkSpec, rng: np.random.Generator) -> tuple[EdgeWeights, ...]:
    if spec.kind == "mlp":
        return (feedforward_weights(wiring, spec.activation, rng),)
    return recurrent_weights(wiring, spec.cell, rng), head_weights(wiring, rng)


def _slots(blocks: tuple[Block, ...], edges: list[NDArray[np.int32]]) -> Tensor:
    """Return where the weights of all parts lie in the flat vector of all blocks."""
    if len(edges) == 1:
        return torch.from_numpy(slots_of(blocks, edges[0]).ravel())
    body, head = blocks[:-1], blocks[-1:]
    behind = body[-1].offset + body[-1].size
    return torch.from_numpy(
        np.concatenate([slots_of(body, edges[0]).ravel(), behind + slots_of(head, edges[1]).ravel()])
    )


def _recurrent(layers: list[_Layer], cell: Cell, x: Tensor, lengths: Tensor) -> tuple[list[tuple[Tensor, ...]], Tensor]:
    """Return the states of each layer at each step, and inputs and states of all neurons at each sequence's end."""
    n_inits, _, n_inputs, batch = x.shape
    n_hidden = sum(len(layer.below.targets) for layer in layers)
    state: State = (x.new_zeros(n_inits, n_hidden, batch),) * cell.states
    ends = x.new_zeros(n_inits, n_inputs + n_hidden, batch)
    steps = []
    for time, now in enumerate(x.unbind(1)):
        values, old = now, torch.cat([now, state[0]], dim=1)
        news = []
        for layer in layers:
            below = layer.below_bias + layer.below_matrix @ _read(values, layer.below)
            before = layer.before_bias + layer.before_matrix @ _read(old, layer.before)
            start, n_cells = layer.below.targets.start - n_inputs, len(layer.below.targets)
            news.append(cell.step(below, before, tuple(part.narrow(1, start, n_cells) for part in state)))
            values = torch.cat([values, news[-1][0]], dim=1)
        steps.append(tuple(new[0] for new in news))
        state = tuple(torch.cat(part, dim=1) for part in zip(*news, strict=True))
        ends = torch.where(lengths == time + 1, values, ends)
    return steps, ends


def _layers(blocks: tuple[Block, ...], matrices: Sequence[Tensor], bias: Tensor, cell: Cell) -> list[_Layer]:
    """Pair what acts within a step with what acts across steps, and cut the (n_biases,) biases up."""
    biases = torch.split(bias, [cell.biases * len(block.targets) for block in blocks[::2]])
    layers = []
    for below, before, below_matrix, before_matrix, own in zip(
        blocks[::2], blocks[1::2], matrices[::2], matrices[1::2], biases, strict=True
    ):
        n_gates = below.shape[0]
        candidate = own[n_gates:]
        before_bias = torch.cat([own.new_zeros(n_gates - len(candidate)), candidate])
        layers.append(_Layer(below, before, below_matrix, before_matrix, own[:n_gates, None], before_bias[:, None]))
    return layers


def _read(values: Tensor, block: Block) -> Tensor:
    return values.index_select(1, torch.from_numpy(block.columns))
