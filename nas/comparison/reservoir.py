"""Reservoirs: recurrent networks of fixed weights, of which ridge regression reads out what is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from nas.errors import InputError
from nas.tasks import Task
from priors import Wiring, spectral_radius

__all__ = ["MEMORY", "Reservoir", "Score", "remember"]

MEMORY = "memory"
"""Name of the task of which a reservoir is to say what it read some steps ago."""

_WASHOUT, _STEPS = 200, (2_000, 1_000, 1_000)
"""Steps of the memory task that are not counted, at least, and those of the training, validation and test part."""
_AT_A_TIME = 512
"""Sequences that are read side by side."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """What a read-out reaches on the validation and the test part, and the choices that did best on validation."""

    validation: float
    test: float
    radius: float
    ridge: float


@dataclass(frozen=True)
class Reservoir:
    """How a wiring becomes a reservoir, and what is chosen by validation.

    Parameters
    ----------
    radii : sequence of float
        Spectral radii that the recurrent weights are scaled to; weights whose radius is 0 stay as they are.
    ridges : sequence of float
        Strengths of ridge regression, as shares of the states' mean variance.
    leak : float
        Share of a state that is new in each step, from above 0 to 1.
    input_scale : float
        Inputs have weights from -input_scale to input_scale.
    delays : int
        Steps back that the memory task asks for.

    Notes
    -----
    ``x(t) = (1 - leak) x(t - 1) + leak tanh(W x(t - 1) + V u(t) + b)`` from ``x = 0``, with biases b from
    -input_scale to input_scale. Weights of the wiring's recurrent edges are its own, or normal ones where it has none,
    drawn by ``recurrence``; those of inputs and biases are drawn by ``boundary``, so that wirings that are compared may
    share them. A sequence is judged by the states after its last step.

    References
    ----------
    Jaeger (2001), "The echo state approach to analysing and training recurrent neural networks", GMD report 148;
    Lukosevicius (2012), doi:10.1007/978-3-642-35289-8_36
    """

    radii: tuple[float, ...] = (0.5, 0.7, 0.9, 1.1)
    ridges: Sequence[float] = (1e-6, 1e-4, 1e-2, 1.0)
    leak: float = 1.0
    input_scale: float = 0.5
    delays: int = 40

    def evaluate(
        self,
        wiring: Wiring,
        task: Task | None,
        boundary: np.random.Generator,
        recurrence: np.random.Generator,
        stopped: Callable[[], None] = lambda: None,
    ) -> Score:
        """Return what the best read-out reaches.

        Parameters
        ----------
        wiring : Wiring
            With input units, and output units that are read from.
        task : Task or None
            Of sequences; None for memory.
        boundary, recurrence : numpy.random.Generator
        stopped : callable
            Called between two passes; may raise.
        """
        net = _Net.of(wiring, self, boundary, recurrence)
        best: Score | None = None
        radii = self.radii if net.radius else (0.0,)
        for radius, parts in zip(radii, _parts(net, radii, task, self.delays), strict=True):
            stopped()
            scores = _read_outs(parts, self.ridges, remember if task is None else _accuracy)
            for ridge, (validation, test) in zip(self.ridges, scores, strict=True):
                if best is None or validation > best.validation:
                    best = Score(validation, test, radius, ridge)
        assert best is not None
        return best


@dataclass(frozen=True)
class _Net:
    """Weights: of the recurrence, (n, n), from inputs, (n, n_inputs), biases, (n,); and which neurons are read."""

    recurrent: csr_array
    inputs: csr_array
    bias: Floats
    read: NDArray[np.int64]
    radius: float
    leak: float

    @classmethod
    def of(cls, wiring: Wiring, how: Reservoir, boundary: np.random.Generator, recurrence: np.random.Generator) -> _Net:
        first, last = wiring.n_inputs, wiring.n_neurons - wiring.n_outputs
        n, (source, target) = wiring.n_hidden, wiring.edges.T
        reads, inner = (source < first) & (target < last), (source >= first) & (target < last)
        # One weight for each pair of an input and a neuron, so that those of two wirings are the same where both read.
        every = boundary.uniform(-how.input_scale, how.input_scale, (n, first + 1))
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
            spectral_radius(scaled),
            how.leak,
        )

    def step(self, state: Floats, given: Floats, radius: float | Floats) -> Floats:
        """Return the states, (n, batch), after a step in which `given`, (n, batch), comes from inputs and biases.

        There may be a radius for each of the batch.
        """
        factor = radius / self.radius if self.radius else 1.0
        new = np.tanh(factor * (self.recurrent @ state) + given)
        found: Floats = new if self.leak == 1 else (1 - self.leak) * state + self.leak * new
        return found


_Part = tuple[Floats, Floats]
"""States of the neurons that are read, (n_examples, n_read), and what is wanted, (n_examples, n_outputs)."""


def _parts(net: _Net, radii: Sequence[float], task: Task | None, delays: int) -> Iterator[tuple[_Part, ...]]:
    """Yield the training, validation and test part for each radius."""
    if task is None:
        yield from _remembered(net, radii, delays)
        return
    for radius in radii:
        yield _classified(net, radius, task)


def _classified(net: _Net, radius: float, task: Task) -> tuple[_Part, ...]:
    """Return states after each sequence of the training, validation and test part, and classes as columns."""
    return tuple(_part(net, radius, task, part.numpy()) for part in (task.train, task.validation, task.test))


def _part(net: _Net, radius: float, task: Task, part: NDArray[np.int64]) -> _Part:
    states = np.concatenate(
        [_last(net, radius, task, part[first : first + _AT_A_TIME]) for first in range(0, len(part), _AT_A_TIME)]
    )
    wanted = np.zeros((len(part), task.n_outputs))
    wanted[np.arange(len(part)), task.targets[part].numpy()] = 1.0
    return states, wanted


def _last(net: _Net, radius: float, task: Task, part: NDArray[np.int64]) -> Floats:
    """Return the states of the neurons that are read after the last step of some sequences, (n_sequences, n_read)."""
    assert task.lengths is not None
    lengths = task.lengths[part].numpy()
    inputs = task.inputs[part].numpy()[:, : lengths.max()]
    state = np.zeros((len(net.bias), len(part)))
    last = np.empty_like(state)
    symbols = net.inputs.toarray() if inputs.ndim == 2 else None
    for time in range(inputs.shape[1]):
        if symbols is None:
            given = net.inputs @ inputs[:, time].T.astype(np.float64)
        else:
            # What fills sequences up comes after their ends.
            given = symbols[:, np.minimum(inputs[:, time], symbols.shape[1] - 1)]
        state = net.step(state, given + net.bias[:, None], radius)
        ends = lengths == time + 1
        last[:, ends] = state[:, ends]
    return last[net.read].T


def _remembered(net: _Net, radii: Sequence[float], delays: int) -> Iterator[tuple[_Part, ...]]:
    """Yield for each radius states on a random signal, and what the signal was 1, 2, … steps ago."""
    if net.inputs.shape[1] != 1:
        raise InputError(f"n_inputs={net.inputs.shape[1]}: the memory task has one input")
    washout = max(_WASHOUT, delays)  # Nothing is asked for that came before the signal.
    n_steps = washout + sum(_STEPS)
    # All networks hear the same signal.
    signal = np.random.default_rng(0).uniform(-1.0, 1.0, n_steps)
    state = np.zeros((len(net.bias), len(radii)))
    states = np.empty((n_steps, len(net.read), len(radii)))
    of_input, bias, every = net.inputs.toarray(), net.bias[:, None], np.array(radii, np.float64)
    for time in range(n_steps):
        state = net.step(state, of_input * signal[time] + bias, every)
        states[time] = state[net.read]
    before = np.stack([np.roll(signal, delay) for delay in range(1, delays + 1)], axis=1)
    ends = np.cumsum((washout, *_STEPS))
    for own in np.moveaxis(states, 2, 0):
        yield tuple((own[first:end], before[first:end]) for first, end in pairwise(ends))


def _read_outs(
    parts: Sequence[_Part], ridges: Sequence[float], measure: Callable[[Floats, Floats], float]
) -> Iterator[tuple[float, float]]:
    """Fit ridge regression on the first part, and yield by strength what it reaches on the second and the third."""
    states, wanted = parts[0]
    middle, level = states.mean(axis=0), wanted.mean(axis=0)
    centred = states - middle
    values, vectors = np.linalg.eigh(centred.T @ centred)
    turned = vectors.T @ (centred.T @ (wanted - level))
    scale = float(np.abs(values).mean())
    for ridge in ridges:
        weights = vectors @ (turned / np.maximum(values + ridge * scale, np.finfo(np.float64).tiny)[:, None])
        validation, test = (measure((own - middle) @ weights + level, targets) for own, targets in parts[1:])
        yield validation, test


def _accuracy(found: Floats, wanted: Floats) -> float:
    return float((found.argmax(axis=1) == wanted.argmax(axis=1)).mean())


def remember(found: Floats, wanted: Floats) -> float:
    """Return the memory capacity: the sum over delays of the squared correlation of what was said and what was asked.

    Parameters
    ----------
    found, wanted : (n_steps, n_delays) array
    """
    said, asked = found - found.mean(axis=0), wanted - wanted.mean(axis=0)
    power = (said**2).sum(axis=0) * (asked**2).sum(axis=0)
    shared = (said * asked).sum(axis=0) ** 2
    return float((shared[power > 0] / power[power > 0]).sum())
