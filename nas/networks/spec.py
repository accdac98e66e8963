"""NetworkSpec: which network a wiring becomes, and how many parameters it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from priors import Wiring, attach

if TYPE_CHECKING:
    from torch import nn

__all__ = ["NetworkSpec"]


@dataclass(frozen=True)
class NetworkSpec:
    """How an attached wiring becomes a network.

    Parameters
    ----------
    kind : {"mlp", "rnn", "linear-mean"}
        mlp is a `SparseMLP`, rnn a `SequenceNetwork` whose neurons are cells, linear-mean a linear function of the mean
        input over time, for comparison.
    activation : str
        Of an MLP's hidden neurons.
    cell : {"tanh", "relu", "gru", "lstm"}
        Of an RNN's hidden neurons.
    initial_state : {"zero", "learned"}
        Where RNNs begin; see `SparseRNN`.
    leak : float
        Share of an RNN's states that is new in each step; see `SparseRNN`.
    every_step : bool
        Whether networks of sequences have outputs at every step, and not at the end alone.
    """

    kind: Literal["mlp", "rnn", "linear-mean"]
    activation: str = "relu"
    cell: str = "gru"
    initial_state: Literal["zero", "learned"] = "zero"
    every_step: bool = False
    leak: float = 1.0

    def build(self, wiring: Wiring, rng: int | np.random.Generator | None = None, *, room: bool = False) -> nn.Module:
        """Return the network with fresh weights; an MLP may have room for more edges, see `SparseMLP`."""
        from nas.networks.mlp import SparseMLP
        from nas.networks.readout import LinearMean, SequenceNetwork

        if self.kind == "mlp":
            return SparseMLP(wiring, self.activation, rng=rng, room=room)
        if self.kind == "rnn":
            return SequenceNetwork(
                wiring,
                self.cell,
                rng=rng,
                initial_state=self.initial_state,
                leak=self.leak,
                every_step=self.every_step,
            )
        return LinearMean(wiring, rng=rng, every_step=self.every_step)

    def complete(self, n_inputs: int, widths: Sequence[int], n_outputs: int) -> Wiring:
        """Return the wiring with every edge from each layer to the next, and of an RNN from its neurons to themselves.

        `widths` are the hidden neurons of each layer, of which an RNN has one.
        """
        if self.kind == "rnn":
            (width,) = widths
            hidden = Wiring((width,), np.argwhere(np.ones((width, width), dtype=bool)))
            return attach(hidden, n_inputs, n_outputs, "natural")
        masks = [np.ones((after, before)) for before, after in pairwise((n_inputs, *widths, n_outputs))]
        return Wiring.from_masks(masks, inputs=True, outputs=True)

    def n_parameters(self, wiring: Wiring) -> dict[str, int]:
        """Return the number of weights and biases by part, without building the network.

        Parts are read_in, wiring (between hidden neurons), read_out and biases; total is their sum.
        """
        first, last = wiring.n_inputs, wiring.n_neurons - wiring.n_outputs
        source, target = wiring.edges.T
        read_out = int(np.count_nonzero(target >= last))
        read_in = int(np.count_nonzero((source < first) & (target < last)))
        edges = (read_in, wiring.n_edges - read_in - read_out, read_out)
        return self.count_parameters(edges, wiring.n_hidden, wiring.n_outputs)

    def count_parameters(self, edges: tuple[int, int, int], n_hidden: int, n_outputs: int) -> dict[str, int]:
        """Return the same from the numbers of edges (read-in, between hidden neurons, read-out) and of neurons."""
        read_in, between, read_out = edges
        gates, biases = 1, 1
        if self.kind == "rnn":
            from nas.networks.cells import CELLS

            gates, biases = CELLS[self.cell].gates, CELLS[self.cell].biases_with(self.initial_state)
        parts = {
            "read_in": gates * read_in,
            "wiring": gates * between,
            "read_out": read_out,
            "biases": biases * n_hidden + n_outputs,
        }
        return {**parts, "total": sum(parts.values())}
