"""Trainings in which nothing is learned but the read-out: of networks whose other weights stay as they are drawn.

A wiring becomes an RNN of tanh cells with the weights of a `ReservoirNetwork`, and ridge regression solves its head:
what comes out of it is a `SequenceNetwork` like any other. Classes are regressed on as 0 and 1; one factor for all
outputs then makes their softmax as likely as it can be on the validation part.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from nas.errors import InputError
from nas.networks import LinearMean, MaskedLinear, NetworkSpec, SequenceNetwork, SparseMLP, SparseRNN
from nas.networks.readout import mean_over_time, means_so_far
from nas.reservoirs.network import ReservoirNetwork
from nas.reservoirs.readout import Moments
from nas.reservoirs.reservoir import Reservoir, StatesOf, check_task, judge_of, target_states
from nas.tasks import Task
from nas.training.recipe import Recipe
from nas.training.session import Epoch, History, Interrupted, Progress, Score, StopFlag, sign_of
from nas.training.train import Training, engine_for, evaluate, spec_for
from priors import Wiring

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ReadOutSession", "begin_read_out", "check_read_out"]

Floats = NDArray[np.float64]

_SHARPEST = 1_000.0


def check_read_out(spec: NetworkSpec, task: Task) -> None:
    """Refuse networks and tasks whose read-out ridge regression does not solve.

    Raises
    ------
    InputError
    """
    if spec.kind == "mlp":
        raise InputError("optimizer=ridge: it is for RNNs, whose weights stay as they are drawn; give another")
    if spec.kind == "rnn" and spec.cell != "tanh":
        raise InputError(f"optimizer=ridge: weights of cell={spec.cell} would have to be learned; give cell=tanh")
    check_task(task)


def begin_read_out(
    wiring: Wiring,
    spec: NetworkSpec,
    task: Task,
    recipe: Recipe,
    *,
    radius: float,
    rng: np.random.Generator,
    engine: str = "auto",
    stop: StopFlag | None = None,
    replicate: int = 0,
) -> Training:
    """Open the training of a network of which only the read-out is learned.

    Parameters
    ----------
    wiring : Wiring
        With input and output units, and weights or not; see `ReservoirNetwork.draw`. Each output unit reads the neurons
        that have an edge to it.
    spec : NetworkSpec
        An RNN of tanh cells, or linear-mean.
    task, recipe
        Of sequences; of the recipe `input_scale` and `leak` count.
    radius : float
        Spectral radius that the recurrent weights are scaled to; weights whose radius is 0 stay as they are.
    rng : numpy.random.Generator
        Draws the weights that stay.
    engine, stop, replicate
        As for `nas.training.train.begin_wiring`; the engine evaluates.

    Raises
    ------
    InputError
        For a network or task that does not fit.
    """
    check_read_out(spec, task)
    spec = spec_for(spec, task)
    if spec.kind == "rnn":
        spec = replace(spec, leak=recipe.leak)
        engine_for(engine, spec=spec)
    module = spec.build(wiring.replace(weights=None), 0)
    network = None
    if spec.kind == "rnn":
        network = ReservoirNetwork.draw(wiring, *rng.spawn(2), input_scale=recipe.input_scale, leak=recipe.leak)
        assert isinstance(module, SequenceNetwork)
        _place(module, wiring, network, radius)
    opened = ReadOutSession(module, wiring, network, radius, task, recipe, engine, stop)
    return Training(wiring, spec, task, opened, radius, replicate, module=module)


def _place(module: SequenceNetwork, wiring: Wiring, network: ReservoirNetwork, radius: float) -> None:
    """Give a module the weights of a reservoir."""
    first = wiring.n_inputs
    edges = wiring.edges[wiring.edges[:, 1] < wiring.n_neurons - wiring.n_outputs]
    source, target = edges.astype(np.int64).T
    is_inner = source >= first
    values = np.empty(len(edges))
    factor = radius / network.radius if network.radius else 1.0
    values[is_inner] = factor * network.recurrent[target[is_inner] - first, source[is_inner] - first]
    values[~is_inner] = network.inputs[target[~is_inner] - first, source[~is_inner]]
    module.rnn.place(edges, values.astype(np.float32))
    module.rnn.bias_vector.detach().copy_(torch.from_numpy(network.bias))


@dataclass
class ReadOutSession:
    """Solves the read-out of one network, in one go.

    Parameters
    ----------
    module : nn.Module
        Whose head is written.
    wiring : Wiring
    network : ReservoirNetwork or None
        The same weights; None where the mean over time is read.
    radius : float
    task, recipe, engine, stop
    """

    module: nn.Module
    wiring: Wiring
    network: ReservoirNetwork | None
    radius: float
    task: Task
    recipe: Recipe
    engine: str
    stop: StopFlag | None
    _history: History | None = field(default=None, init=False)

    def run(self, n_steps: int | None = None) -> Progress:  # noqa: ARG002
        """Solve it, in one step."""
        if self._history is None:
            started = time.perf_counter()
            self._solve()
            train, validation = (self._score(part) for part in (self.task.train, self.task.validation))
            epoch = Epoch(train.loss, validation.loss, validation.metric)
            seconds = time.perf_counter() - started
            self._history = History((epoch,), epoch.validation_metric, False, 1, seconds, self._engine)
        return Progress(1, 1, 1, True)

    def history(self) -> History:
        """Return what happened."""
        return self._history or History((), self.task.constant_value, False, 0, 0.0, self._engine)

    @property
    def _engine(self) -> str:
        # The compiled engine runs states that leak, but no such networks.
        return engine_for(self.engine, self.task.train.device.type) if self.recipe.leak == 1 else "torch"

    def _score(self, part: torch.Tensor) -> Score:
        return evaluate(self.module, self.task, part, engine=self._engine)

    def _solve(self) -> None:
        """Write the read-out that is best on validation, of several strengths of ridge regression."""
        measure, wanted, (asked, _) = judge_of(self.task)
        moments = self._moments(wanted)
        sign, ridges = sign_of(self.task.direction), Reservoir.ridges
        columns, levels = self._columns(), np.tile(moments.level, (len(ridges), 1))
        found = np.zeros((len(ridges), moments.n_read, len(columns)))
        for own, outputs in _alike(columns):
            for weights, level, (solved, intercept) in zip(
                found, levels, moments.fit(ridges, own, outputs), strict=True
            ):
                weights[np.ix_(own, outputs)] = solved
                level[outputs] = intercept
        parts = [states @ found for states in self._features(self.task.validation)]
        values, factors = [], []
        for predicted in np.concatenate(parts, axis=1) + levels[:, None]:
            factor = _sharpness(predicted, asked) if self.task.loss == "cross-entropy" else 1.0
            values.append(sign * measure(factor * predicted, asked))
            factors.append(factor)
        best = int(np.argmax(values))
        self._write(factors[best] * found[best], factors[best] * levels[best], columns)

    def _moments(self, wanted: Floats) -> Moments:
        """Return what is known of the training part, whose states are never held all at once."""
        moments, first = None, 0
        for states in self._features(self.task.train):
            asked = wanted[first : first + len(states)]
            first += len(states)
            if moments is None:
                moments = Moments(states, asked)
            else:
                moments.add(states, asked)
        assert moments is not None
        return moments

    def _features(self, part: torch.Tensor) -> Iterator[Floats]:
        """Yield what read-outs see of some examples, (n, n_features)."""
        return target_states(self._states, self.task, part, self._look)

    @property
    def _states(self) -> StatesOf:
        if self.network is None:
            return _means
        if self.wiring.hidden.n_layers > 1:
            assert isinstance(self.module, SequenceNetwork)
            # Edges into later layers act within the step: the states are the module's own, in double precision.
            return partial(_states_of_layers, copy.deepcopy(self.module.rnn).double(), self.network.read)
        return partial(self.network.sequence_states, radius=self.radius)

    def _look(self) -> None:
        if self.stop is not None and self.stop.is_set():
            raise Interrupted("stopped while states were computed")

    def _columns(self) -> list[NDArray[np.int64]]:
        """Return which features each output reads, ascending."""
        first, last = self.wiring.n_inputs, self.wiring.n_neurons - self.wiring.n_outputs
        source, target = self.wiring.edges.astype(np.int64).T
        own = [np.sort(source[target == output]) for output in range(last, self.wiring.n_neurons)]
        if self.network is None:
            return own
        return [np.searchsorted(self.network.read, sources - first) for sources in own]

    def _write(self, weights: Floats, level: Floats, columns: list[NDArray[np.int64]]) -> None:
        last = self.wiring.n_neurons - self.wiring.n_outputs
        module = self.module
        assert isinstance(module, LinearMean | SequenceNetwork)
        part = module.linear if isinstance(module, LinearMean) else module.head
        assert isinstance(part, SparseMLP | MaskedLinear)
        edges, values = [], []
        for output, own in enumerate(columns):
            sources = own if self.network is None else self.network.read[own] + self.wiring.n_inputs
            edges.append(np.stack([sources, np.full(len(sources), last + output)], axis=1))
            values.append(weights[own, output])
        part.place(np.concatenate(edges).astype(np.int32), np.concatenate(values).astype(np.float32))
        part.bias_vector.detach().copy_(torch.from_numpy(level))


def _means(inputs: Floats, lengths: NDArray[np.int64] | None) -> Floats:
    """Return the mean inputs over time, or up to each step; see `StatesOf`."""
    x = torch.from_numpy(inputs)
    means: Floats = (means_so_far(x) if lengths is None else mean_over_time(x, torch.from_numpy(lengths))).numpy()
    return means


def _states_of_layers(
    rnn: SparseRNN, read: NDArray[np.int64], inputs: Floats, lengths: NDArray[np.int64] | None
) -> Floats:
    """Return the states that a module goes through; see `StatesOf`."""
    with torch.no_grad():
        states: Floats = rnn(torch.from_numpy(inputs))[0].numpy()
    return states[:, :, read] if lengths is None else states[np.arange(len(states)), lengths - 1][:, read]


def _sharpness(outputs: Floats, classes: NDArray[np.integer[Any]]) -> float:
    """Return the factor of outputs, (n, n_classes), by which their softmax fits classes best, up to a thousand.

    References
    ----------
    Guo et al. (2017), On calibration of modern neural networks, arXiv:1706.04599
    """

    def loss(log_factor: float) -> float:
        likely = log_softmax(np.exp(log_factor) * outputs, axis=1)
        return -float(likely[np.arange(len(classes)), classes].mean())

    bounds = (-np.log(_SHARPEST), np.log(_SHARPEST))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def _alike(columns: list[NDArray[np.int64]]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return which outputs read the same features: these, and the outputs."""
    found: dict[bytes, tuple[NDArray[np.int64], list[int]]] = {}
    for output, own in enumerate(columns):
        found.setdefault(own.tobytes(), (own, []))[1].append(output)
    return [(own, np.array(outputs)) for own, outputs in found.values() if len(own)]
