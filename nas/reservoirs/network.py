"""A reservoir's weights, and the states that they go through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from nas.training.extension import extension
from priors import Wiring, spectral_radius

__all__ = ["ReservoirNetwork"]

Floats = NDArray[np.float64]

_EXACT = 1e-3
"""Of the spectral radius, to which weights are scaled: in practice it is known a hundred times better."""


@dataclass(frozen=True, eq=False)
class ReservoirNetwork:
    """Fixed weights of a recurrent network, and which of its neurons are read.

    Parameters
    ----------
    recurrent : (n, n) sparse array
        Row i holds the weights of what neuron i reads.
    inputs : (n, n_inputs) sparse array
    bias : (n,) float64 array
    read : (n_read,) int64 array
        The neurons that a read-out sees.
    radius : float
        Spectral radius of `recurrent`; 0 where nothing goes round.
    leak : float
        Share of a state that is new in each step.

    Notes
    -----
    ``x(t) = (1 - leak) x(t - 1) + leak tanh(r / radius W x(t - 1) + V u(t) + b)`` from ``x = 0``, for the radius r that
    is asked for; weights whose radius is 0 stay as they are. All is in double precision.
    """

    recurrent: csr_array
    inputs: csr_array
    bias: Floats
    read: NDArray[np.int64]
    radius: float
    leak: float = 1.0

    @classmethod
    def draw(
        cls,
        wiring: Wiring,
        boundary: np.random.Generator,
        recurrence: np.random.Generator,
        *,
        input_scale: float = 0.5,
        leak: float = 1.0,
    ) -> ReservoirNetwork:
        """Give a wiring weights.

        Parameters
        ----------
        wiring : Wiring
            With input units, and output units that are read from; without output units all neurons are read.
        boundary : numpy.random.Generator
            Draws the weights of inputs and the biases, from -input_scale to input_scale: one for each pair of an input
            and a neuron, so that those of two wirings are the same where both read.
        recurrence : numpy.random.Generator
            Draws normal weights for recurrent edges that have none of their own.
        input_scale, leak : float
        """
        first, last = wiring.n_inputs, wiring.n_neurons - wiring.n_outputs
        n, (source, target) = wiring.n_hidden, wiring.edges.T
        reads, inner = (source < first) & (target < last), (source >= first) & (target < last)
        every = boundary.uniform(-input_scale, input_scale, (n, first + 1))
        into, of = target[reads] - first, source[reads]
        drawn = recurrence.standard_normal(int(inner.sum()))
        own = None if wiring.weights is None else wiring.weights[inner].astype(np.float64)
        weights = drawn if own is None else np.where(np.isfinite(own), own, drawn)
        edges = wiring.edges[inner].astype(np.int64) - first
        scaled = Wiring((n,), edges, weights=weights.astype(np.float32))
        return cls(
            csr_array((weights, (edges[:, 1], edges[:, 0])), shape=(n, n)),
            csr_array((every[into, of], (into, of)), shape=(n, first)),
            every[:, first],
            np.unique(source[target >= last]) - first if wiring.n_outputs else np.arange(n),
            spectral_radius(scaled, tolerance=_EXACT),
            leak,
        )

    @property
    def n_inputs(self) -> int:
        """Numbers that are read in a step."""
        return int(self.inputs.shape[1])

    def states(self, inputs: Floats, radii: Sequence[float]) -> Floats:
        """Return the states of the neurons that are read, after every step of one series, once for each radius.

        Parameters
        ----------
        inputs : (n_steps, n_inputs) array
        radii : sequence of float

        Returns
        -------
        (n_radii, n_steps, n_read) float64 array
        """
        return self._run(np.asarray(inputs, np.float64)[None], self._factors(radii), None)

    def sequence_states(self, inputs: Floats, lengths: NDArray[np.int64] | None, radius: float) -> Floats:
        """Return the states that are read, of several sequences: after the last step of each, or after every step.

        Parameters
        ----------
        inputs : (n, n_steps, n_inputs) array
        lengths : (n,) int64 array or None
            Steps of each, from 1 to n_steps. Without them the states after every step are returned.
        radius : float

        Returns
        -------
        (n, n_read) or (n, n_steps, n_read) float64 array
        """
        factors = np.repeat(self._factors([radius]), len(inputs))
        ends = None if lengths is None else np.ascontiguousarray(lengths, np.int64)
        return self._run(np.asarray(inputs, np.float64), factors, ends)

    def _factors(self, radii: Sequence[float]) -> Floats:
        return np.array([radius / self.radius if self.radius else 1.0 for radius in radii])

    @cached_property
    def _packed(self) -> tuple[Any, ...]:
        """What the compiled part takes."""
        rows = (self.recurrent, self.inputs)
        parts = [(own.indptr.astype(np.int32), own.indices.astype(np.int32), own.data) for own in rows]
        return (*parts, self.bias, self.leak, self.read.astype(np.int32))

    def _run(self, inputs: Floats, factors: Floats, lengths: NDArray[np.int64] | None) -> Floats:
        """Return states, (n_copies, n_steps, n_read), or those after the last step alone, (n_copies, n_read)."""
        compiled = extension()
        steps = () if lengths is not None else inputs.shape[1:2]
        states = np.empty((len(factors), *steps, len(self.read)))
        if compiled is None:
            self._run_slowly(inputs, factors, lengths, states)
        else:
            compiled.reservoir_states(*self._packed, factors, np.ascontiguousarray(inputs), lengths, states.reshape(-1))
        return states

    def _run_slowly(self, inputs: Floats, factors: Floats, lengths: NDArray[np.int64] | None, states: Floats) -> None:
        """Do without the compiled part."""
        state = np.zeros((len(self.bias), len(factors)))
        for time in range(inputs.shape[1]):
            given = self.inputs @ inputs[:, time].T + self.bias[:, None]
            new = np.tanh(factors * (self.recurrent @ state) + given)
            state = (1 - self.leak) * state + self.leak * new
            if lengths is None:
                states[:, time] = state[self.read].T
            else:
                ends = lengths == time + 1
                states[ends] = state[np.ix_(self.read, ends)].T
