"""SparseRNN: a wiring as a recurrent network with the call of ``nn.LSTM``.

Every hidden neuron is a cell; forward edges are the input side of its gates, recurrent edges the hidden side.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from nas.networks.blocks import Block, lay_out
from nas.networks.cells import CELLS, leaky
from nas.networks.parameters import EdgeWeights, check_recurrent, recurrent_bias, recurrent_weights
from nas.networks.sequences import Parts, run_layers, run_steps
from nas.networks.wired import WiredModule, is_autocast, is_plain
from priors.wiring import Wiring

__all__ = ["InitialState", "SparseRNN", "rnn_blocks"]

InitialState = Literal["zero", "learned"]


class SparseRNN(WiredModule):
    """A recurrent network whose connections are exactly the edges of a wiring; called like a batch-first ``nn.LSTM``.

    Every neuron that is neither input nor output unit is a cell. Forward edges act within the step, on the input side
    of the gates; recurrent edges (same or earlier layer) act one step later, on the hidden side. A missing self-edge
    never removes a cell's own state. Output units are not part of it: see `SequenceNetwork`.

    Parameters
    ----------
    wiring : Wiring
        With input units. Its weights, where it has any, are the initial weights (cells of one gate only).
    cell : str
        A key of `CELLS`: ``tanh``, ``relu``, ``gru`` or ``lstm``, with the equations and the order of gates of torch.
    rng : int, numpy Generator or None
        Source of the initial weights: normal with variance 1 / fan-in of the neuron, for either side apart. Biases
        begin at 0, the LSTM's forget bias at 1. None follows ``torch.manual_seed``.
    spectral_radius : float, optional
        Scale every gate's recurrent weights to this measured spectral radius; without cycles they stay as they are.
    initial_state : {"zero", "learned"}
        Where sequences begin: at zeros, or at a state that is learned beside the biases, and begins at zeros itself.
    leak : float
        Share of a state that is new in each step, above 0 and at most 1; less than 1 for cells of one gate alone. The
        rest is the state before: of ``tanh``, ``(1 - leak) h + leak tanh(…)``.
    device, dtype : optional
        As for ``nn.LSTM``.

    Attributes
    ----------
    weight : (n_edges * gates,) Parameter
        By block, gate and target, sources ascending.
    biases : (n_biases,) Parameter
        Layer by layer, one a gate and neuron in the order of the gates; for the GRU then the new gate's hidden side.
        Where it is learned, the initial state of all neurons follows, for the LSTM that of its cells after it.
    blocks : tuple of Block
        Two a layer: input side, then hidden side; ``matrices()[i]`` is the (gates * n_target, n_columns) matrix of
        ``blocks[i]``.
    blueprint : Wiring
        The wiring as constructed; `wiring_of` gives the one that lives.
    input_size, hidden_size : int
    fused : bool
        Whether every recurrent edge stays within its layer, so that torch's kernels run whole sequences layer by layer.
    num_layers, batch_first, bidirectional, dropout, proj_size, mode, bias
        As of an ``nn.LSTM`` of one layer with biases, for code that reads them.

    Raises
    ------
    ValueError
        For a wiring without input units or hidden neurons, an unknown cell, a wiring with weights and a gated cell, or
        such a cell that leaks.

    Examples
    --------
    >>> import torch
    >>> from nas import SparseRNN
    >>> from priors import WattsStrogatz, attach
    >>> wiring = attach(WattsStrogatz(12, 4, 0.3).sample(0), n_inputs=3, n_outputs=0, rng=0, reads=2)
    >>> rnn = SparseRNN(wiring, cell="lstm", rng=0)
    >>> outputs, (h, c) = rnn(torch.zeros(5, 7, 3))  # 5 sequences of 7 steps
    >>> tuple(outputs.shape), tuple(h.shape)
    ((5, 7, 12), (1, 5, 12))
    """

    biases: Tensor
    biases_name = "biases"
    num_layers, batch_first, bidirectional, dropout, proj_size, bias = 1, True, False, 0.0, 0, True

    def __init__(
        self,
        wiring: Wiring,
        cell: str = "tanh",
        *,
        rng: int | np.random.Generator | None = None,
        spectral_radius: float | None = None,
        initial_state: InitialState = "zero",
        leak: float = 1.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.cell = cell
        self.spectral_radius = spectral_radius
        self.input_size, self.hidden_size = wiring.n_inputs, wiring.n_hidden
        if initial_state not in ("zero", "learned"):
            raise ValueError(f"initial_state={initial_state!r}: it must be 'zero' or 'learned'")
        self.initial_state = initial_state
        self.leak = float(leak)
        self.fused = _stays_within_layers(wiring)
        check_recurrent(wiring, cell)
        if not 0 < leak <= 1:
            raise ValueError(f"leak={leak}: it must be above 0 and at most 1")
        if leak < 1 and CELLS[cell].gates > 1:
            raise ValueError(f"leak={leak}: gates of a {cell} cell decide what stays; give 1, or a tanh or relu cell")
        self._install(wiring, rnn_blocks(wiring, cell), rng, device, dtype)

    def _start(self, wiring: Wiring, rng: np.random.Generator) -> tuple[EdgeWeights, NDArray[np.float64]]:
        start = recurrent_weights(wiring, self.cell, rng, self.spectral_radius)
        return start, recurrent_bias(wiring, self.cell, self.initial_state)

    @property
    def mode(self) -> str:
        """What ``nn.RNNBase`` calls the cell: ``RNN_TANH``, ``RNN_RELU``, ``GRU`` or ``LSTM``."""
        return self.cell.upper() if CELLS[self.cell].gates > 1 else f"RNN_{self.cell.upper()}"

    def flatten_parameters(self) -> None:
        """Do nothing: the weights lie in one piece of memory anyway. For code that calls it of an ``nn.LSTM``."""

    def forward(
        self,
        input: Tensor | PackedSequence,  # noqa: A002  As torch's layers call it.
        hx: Tensor | tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Any, Any]:
        """Run sequences through the network.

        Parameters
        ----------
        input : (batch, time, n_inputs) or (time, n_inputs) Tensor, or PackedSequence
        hx : (1, batch, n_hidden) Tensor, or for ``lstm`` a pair (h, c) of them, optional
            Where to begin, by default at the initial state; (1, n_hidden) without a batch.

        Returns
        -------
        output : (batch, time, n_hidden) or (time, n_hidden) Tensor, or PackedSequence
            The state h of all hidden neurons at every step.
        state : like `hx`
            After the last step; of packed sequences after the true end of each.

        Raises
        ------
        ValueError
            If `input` or `hx` has another shape or type than the network reads.
        """
        x, state = input, hx
        if isinstance(x, PackedSequence):
            return self._forward_packed(x, state)
        self._check_sequence(x, (2, 3))
        if x.ndim == 3:
            before = self._state_parts(state, x, (1, x.shape[0], self.hidden_size))
            output, after = self._run(x, None, before)
            return output, _as_state(after)
        before = self._state_parts(state, x, (1, self.hidden_size))
        output, after = self._run(x.unsqueeze(0), None, tuple(part.unsqueeze(1) for part in before))
        return output.squeeze(0), _as_state(tuple(part.squeeze(1) for part in after))

    def _forward_packed(self, x: PackedSequence, state: Any) -> tuple[PackedSequence, Tensor | tuple[Tensor, ...]]:
        self._check_sequence(x.data, (2,))
        parts = self._state_parts(state, x.data, (1, int(x.batch_sizes[0]), self.hidden_size))
        data, after = self._run(x.data, x.batch_sizes, _reorder(parts, x.sorted_indices))
        packed = PackedSequence(data, x.batch_sizes, x.sorted_indices, x.unsorted_indices)
        return packed, _as_state(_reorder(after, x.unsorted_indices))

    def _run(
        self, x: Tensor, batch_sizes: Tensor | None, state: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        biases = self.biases[: len(self.biases) - self._n_initial]
        parts = Parts.of(self.blocks, leaky(CELLS[self.cell], self.leak), self._matrices(), biases, self._indices())
        if self.leak == 1 and self.fused and self._is_dense() and is_plain(x.device.type):
            return run_layers(parts, x, batch_sizes, state)
        return run_steps(parts, x, batch_sizes, state)

    def _check_sequence(self, x: Tensor, dimensions: tuple[int, ...]) -> None:
        is_cast = is_autocast(x.device.type)
        is_other = x.dtype != self.weight.dtype and not is_cast
        if x.ndim not in dimensions or x.shape[-1] != self.input_size or 0 in x.shape or is_other:
            raise ValueError(
                f"input has shape {tuple(x.shape)} and type {x.dtype}: this network reads "
                f"(batch, time, {self.input_size}) of {self.weight.dtype}, with at least one sequence and step"
            )

    @property
    def _n_initial(self) -> int:
        """How many of the last biases are an initial state."""
        return CELLS[self.cell].states * self.hidden_size if self.initial_state == "learned" else 0

    def _state_parts(self, state: Any, x: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, ...]:
        n_parts = CELLS[self.cell].states
        if state is None and self._n_initial:
            initial = self.biases[len(self.biases) - self._n_initial :].to(x.dtype).view(n_parts, self.hidden_size)
            return tuple(part.expand(shape) for part in initial.unbind())
        if state is None:
            return (x.new_zeros(shape),) * n_parts
        parts = (state,) if isinstance(state, Tensor) else tuple(state)
        is_cast = is_autocast(x.device.type)
        if len(parts) != n_parts or any(
            part.shape != shape or (part.dtype != x.dtype and not is_cast) for part in parts
        ):
            found = ", ".join(f"{tuple(part.shape)} of {part.dtype}" for part in parts)
            raise ValueError(f"hx is {found}: a {self.cell} network needs {n_parts} of {shape} of {x.dtype} here")
        return parts

    def extra_repr(self) -> str:
        """Return what ``print`` shows between the brackets."""
        initial = ", initial_state='learned'" if self._n_initial else ""
        leak = "" if self.leak == 1 else f", leak={self.leak:g}"
        return f"{self.blueprint!r}, cell={self.cell!r}{initial}{leak}"


def rnn_blocks(wiring: Wiring, cell: str) -> tuple[Block, ...]:
    """Lay the edges of a recurrent network out, two blocks a layer of cells."""
    complete = _stays_within_layers(wiring)
    return lay_out(wiring, _hidden_layers(wiring), CELLS[cell].gates, recurrent=True, complete=complete)


def _stays_within_layers(wiring: Wiring) -> bool:
    layers = wiring.layer_of[wiring.edges[~wiring.forward]]
    return bool((layers[:, 0] == layers[:, 1]).all())


def _hidden_layers(wiring: Wiring) -> range:
    return range(1, wiring.n_layers - wiring.outputs)


def _reorder(parts: tuple[Tensor, ...], order: Tensor | None) -> tuple[Tensor, ...]:
    return parts if order is None else tuple(part.index_select(1, order) for part in parts)


def _as_state(parts: tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
    return parts[0] if len(parts) == 1 else parts
