"""Networks from sequences to outputs: SequenceNetwork, a SparseRNN with its head MaskedLinear, and LinearMean."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nas.networks.blocks import lay_out
from nas.networks.mlp import SparseMLP
from nas.networks.parameters import EdgeWeights, check_head, check_linear, head_weights
from nas.networks.rnn import InitialState, SparseRNN
from nas.networks.wired import WiredModule, affine, generator_of
from priors.wiring import Wiring

__all__ = ["LinearMean", "MaskedLinear", "SequenceNetwork", "mean_over_time", "means_so_far"]


class MaskedLinear(WiredModule):
    """A linear layer from the hidden neurons of a wiring to its output units that holds exactly the edges between them.

    Parameters
    ----------
    wiring : Wiring
        With output units, which only hidden neurons feed. Its weights, where it has any, are the initial weights.
    rng : int, numpy Generator or None
        Source of the initial weights: normal with variance 1 / fan-in of the output unit. Biases begin at 0.
    device, dtype : optional
        As for ``nn.Linear``.

    Attributes
    ----------
    weight : (n_edges,) Parameter
        One weight for every edge, by output unit, sources ascending; ``matrices()[0]`` is the (n_outputs, n_columns)
        matrix.
    bias : (n_outputs,) Parameter
    blocks : tuple of one Block
    in_features, out_features : int

    Raises
    ------
    ValueError
        For a wiring without output units, or with edges from input to output units.
    """

    bias: Tensor

    def __init__(
        self,
        wiring: Wiring,
        *,
        rng: int | np.random.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_head(wiring)
        self.in_features, self.out_features = wiring.n_hidden, wiring.n_outputs
        self._install(wiring, lay_out(wiring, [wiring.n_layers - 1]), rng, device, dtype)

    def _start(self, wiring: Wiring, rng: np.random.Generator) -> tuple[EdgeWeights, NDArray[np.float64]]:
        return head_weights(wiring, rng), np.zeros(wiring.n_outputs)

    def _columns(self) -> NDArray[np.int64]:
        # The head counts the hidden neurons alone, blocks count all neurons of the wiring.
        return super()._columns() - self.blueprint.n_inputs

    def forward(self, hidden: Tensor) -> Tensor:
        """Map (..., n_hidden) states to (..., n_outputs) outputs."""
        (matrix,) = self._matrices()
        read = hidden.index_select(-1, self.columns)
        if isinstance(matrix, Tensor):
            return nn.functional.linear(read, matrix, self.bias)
        return affine(read.reshape(-1, read.shape[-1]), matrix, self.bias).view(*read.shape[:-1], self.out_features)

    def extra_repr(self) -> str:
        """Return what ``print`` shows between the brackets."""
        return f"in_features={self.in_features}, out_features={self.out_features}, edges={len(self.weight)}"


class SequenceNetwork(nn.Module):
    """A wiring as a network from sequences to outputs: a `SparseRNN` and a `MaskedLinear` head.

    The head reads the states at the end of each sequence, or at every step.

    Parameters
    ----------
    wiring : Wiring
        With input and output units, which only hidden neurons feed.
    every_step : bool
        Whether there are outputs at every step.
    cell, rng, spectral_radius, initial_state, leak, device, dtype
        As of `SparseRNN`; the head draws its initial weights after the recurrent network.

    Attributes
    ----------
    rnn : SparseRNN
    head : MaskedLinear

    Examples
    --------
    >>> import torch
    >>> from nas import SequenceNetwork
    >>> from priors import WattsStrogatz, attach
    >>> wiring = attach(WattsStrogatz(12, 4, 0.3).sample(0), n_inputs=3, n_outputs=2, rng=0, reads=2, readouts=4)
    >>> network = SequenceNetwork(wiring, cell="gru", rng=0)
    >>> outputs = network(torch.zeros(5, 7, 3), lengths=torch.tensor([7, 7, 4, 3, 1]))
    >>> tuple(outputs.shape)
    (5, 2)
    """

    def __init__(
        self,
        wiring: Wiring,
        cell: str = "tanh",
        *,
        rng: int | np.random.Generator | None = None,
        spectral_radius: float | None = None,
        initial_state: InitialState = "zero",
        leak: float = 1.0,
        every_step: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_head(wiring)
        self.every_step = every_step
        rng = generator_of(rng)
        self.rnn = SparseRNN(
            wiring,
            cell,
            rng=rng,
            spectral_radius=spectral_radius,
            initial_state=initial_state,
            leak=leak,
            device=device,
            dtype=dtype,
        )
        self.head = MaskedLinear(wiring, rng=rng, device=device, dtype=dtype)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Map sequences to outputs.

        Parameters
        ----------
        x : (batch, time, n_inputs) Tensor
            Sequences, padded at their ends with any finite values.
        lengths : (batch,) int64 Tensor, optional
            Steps of every sequence, at least 1 and at most `time`; by default all of them.

        Returns
        -------
        (batch, n_outputs) Tensor, or with `every_step` (batch, time, n_outputs)
            What stands behind the end of a sequence means nothing.

        Raises
        ------
        ValueError
            If `lengths` has another shape or leaves this range.
        """
        _check_dimensions(x)
        if lengths is not None:
            _check_lengths(lengths, x)
        states, _ = self.rnn(x)
        # What follows the end cannot reach back to it, so the padding needs no masking.
        outputs: Tensor = self.head(states if self.every_step else _ends(states, lengths))
        return outputs

    def extra_repr(self) -> str:
        """Return what ``print`` shows between the brackets."""
        return "every_step=True" if self.every_step else ""


class LinearMean(nn.Module):
    """A linear function of the mean input over time: what a sequence tells without its order, for comparison.

    Parameters
    ----------
    wiring : Wiring
        From input units straight to output units.
    every_step : bool
        Whether there are outputs at every step, of the mean up to it.
    rng, device, dtype
        As of `SparseMLP`.

    Raises
    ------
    ValueError
        For a wiring with hidden neurons.
    """

    def __init__(
        self,
        wiring: Wiring,
        *,
        rng: int | np.random.Generator | None = None,
        every_step: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_linear(wiring)
        self.every_step = every_step
        self.linear = SparseMLP(wiring, "identity", rng=rng, device=device, dtype=dtype)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Map (batch, time, n_inputs) sequences, of `lengths` steps each, to (batch, n_outputs) outputs.

        With `every_step` there are (batch, time, n_outputs).
        """
        if not self.every_step:
            outputs: Tensor = self.linear(mean_over_time(x, lengths))
            return outputs
        means = means_so_far(x)
        outputs = self.linear(means.flatten(0, 1))
        return outputs.view(*means.shape[:2], -1)


def mean_over_time(x: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Return the (batch, n_inputs) means of (batch, time, n_inputs) sequences over their own `lengths` steps."""
    _check_dimensions(x)
    if lengths is None:
        return x.mean(dim=1)
    _check_lengths(lengths, x)
    own = lengths.to(x.device).unsqueeze(1)
    padding = torch.arange(x.shape[1], device=x.device) >= own
    return x.masked_fill(padding.unsqueeze(2), 0.0).sum(dim=1) / own


def means_so_far(x: Tensor) -> Tensor:
    """Return the means of (batch, time, n_inputs) sequences up to each step, of the same shape."""
    _check_dimensions(x)
    return x.cumsum(dim=1) / torch.arange(1, x.shape[1] + 1, device=x.device)[:, None]


def _ends(states: Tensor, lengths: Tensor | None) -> Tensor:
    """Return the (batch, n_hidden) states at the ends of sequences."""
    if lengths is None:
        return states[:, -1]
    return states[torch.arange(len(states), device=states.device), lengths.to(states.device) - 1]


def _check_dimensions(x: Tensor) -> None:
    if x.ndim != 3:
        raise ValueError(f"x has shape {tuple(x.shape)}: it must be (batch, time, n_inputs)")


def _check_lengths(lengths: Tensor, x: Tensor) -> None:
    batch, time = x.shape[:2]
    if lengths.shape != (batch,) or lengths.is_floating_point():
        raise ValueError(
            f"lengths has shape {tuple(lengths.shape)} and type {lengths.dtype}: it must be ({batch},) of integers"
        )
    if int(lengths.min()) < 1 or int(lengths.max()) > time:
        found = f"lengths go from {int(lengths.min())} to {int(lengths.max())}"
        raise ValueError(f"{found}: each must be between 1 and the {time} steps of x")
