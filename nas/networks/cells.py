"""Cells: what a recurrent neuron does with what it reads, exactly as torch defines it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import _VF, Tensor

__all__ = ["CELLS", "Cell", "leaky"]

State = tuple[Tensor, ...]


@dataclass(frozen=True)
class Cell:
    """A kind of recurrent neuron.

    Attributes
    ----------
    gates : int
        Weights an edge, in torch's order: LSTM input, forget, cell, output; GRU reset, update, new.
    biases : int
        Biases a neuron: one a gate, and for the GRU one more, of the new gate's hidden side (torch's ``b_hn``).
    states : int
        Tensors of state: 1, or 2 where there is a cell state.
    fused : callable
        Torch's kernel for whole sequences.
    step : callable
        ``step(below, before, state)`` makes one step from the input side and the hidden side of all gates, each
        (batch, gates * n), and the state before, each (batch, n); returns the state after.
    forget_gate : int, optional
        The gate whose bias begins at 1, so that a cell begins by remembering [1]_.

    References
    ----------
    .. [1] R. Jozefowicz, W. Zaremba, I. Sutskever, "An empirical exploration of recurrent network
       architectures", ICML 2015.
    """

    gates: int
    biases: int
    states: int
    fused: Callable[..., tuple[Tensor, ...]]
    step: Callable[[Tensor, Tensor, State], State]
    forget_gate: int | None = None

    def biases_with(self, initial_state: str) -> int:
        """Return the numbers of a neuron beside its weights: biases, and its initial state where that is learned."""
        return self.biases + (self.states if initial_state == "learned" else 0)


def _lstm_step(below: Tensor, before: Tensor, state: State) -> State:
    input_gate, forget_gate, candidate, output_gate = (below + before).chunk(4, dim=1)
    cell = forget_gate.sigmoid() * state[1] + input_gate.sigmoid() * candidate.tanh()
    return output_gate.sigmoid() * cell.tanh(), cell


def _gru_step(below: Tensor, before: Tensor, state: State) -> State:
    reset_below, update_below, new_below = below.chunk(3, dim=1)
    reset_before, update_before, new_before = before.chunk(3, dim=1)
    reset, update = (reset_below + reset_before).sigmoid(), (update_below + update_before).sigmoid()
    new = (new_below + reset * new_before).tanh()
    return ((1 - update) * new + update * state[0],)


def _tanh_step(below: Tensor, before: Tensor, _state: State) -> State:
    return ((below + before).tanh(),)


def _relu_step(below: Tensor, before: Tensor, _state: State) -> State:
    return ((below + before).relu(),)


CELLS: dict[str, Cell] = {
    "tanh": Cell(1, 1, 1, _VF.rnn_tanh, _tanh_step),
    "relu": Cell(1, 1, 1, _VF.rnn_relu, _relu_step),
    "gru": Cell(3, 4, 1, _VF.gru, _gru_step),
    "lstm": Cell(4, 4, 2, _VF.lstm, _lstm_step, forget_gate=1),
}


def leaky(cell: Cell, leak: float) -> Cell:
    """Return a cell of which a share `leak` of the state is new in each step, and the rest what it was before.

    References
    ----------
    Jaeger, Lukosevicius, Popovici, Siewert, "Optimization and applications of echo state networks with leaky-integrator
    neurons", Neural Networks 20, 2007, doi:10.1016/j.neunet.2007.04.016
    """

    def step(below: Tensor, before: Tensor, state: State) -> State:
        new = cell.step(below, before, state)
        return tuple((1 - leak) * old + leak * now for old, now in zip(state, new, strict=True))

    return cell if leak == 1 else replace(cell, step=step)
