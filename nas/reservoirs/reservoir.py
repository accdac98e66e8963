"""Reservoir: what becomes of a wiring as a recurrent network of fixed weights that ridge regression reads out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nas.errors import InputError
from nas.reservoirs.network import ReservoirNetwork
from nas.reservoirs.readout import Moments
from nas.reservoirs.series import Series
from nas.tasks import MEASURES, Task
from nas.training.session import sign_of
from priors import Wiring

__all__ = ["Reservoir", "Score", "StatesOf", "check_task", "judge_of", "target_states"]

_AT_A_TIME, _STEPS_AT_A_TIME = 512, 2**16
"""Sequences that are read side by side, and steps where the states after each of them are kept."""

Floats = NDArray[np.float64]
Parts = tuple[Floats, Floats, Floats]
"""Training, validation and test part."""


@dataclass(frozen=True, eq=False)
class Score:
    """What the read-out that is best on validation reaches.

    Attributes
    ----------
    validation, test : float
    radius, ridge : float
        What it was found with.
    network : ReservoirNetwork
    weights : (n_read, n_outputs) float64 array
        Of the read-out.
    intercept : (n_outputs,) float64 array
    """

    validation: float
    test: float
    radius: float
    ridge: float
    network: ReservoirNetwork
    weights: Floats
    intercept: Floats


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

    Notes
    -----
    Weights of the wiring's recurrent edges are its own, or normal ones where it has none; see `ReservoirNetwork`. A
    sequence of a task is judged by the states after its last step, or after those that have a target; a series by those
    after each.

    References
    ----------
    Jaeger (2001), "The echo state approach to analysing and training recurrent neural networks", GMD report 148;
    Lukosevicius (2012), doi:10.1007/978-3-642-35289-8_36
    """

    radii: tuple[float, ...] = (0.5, 0.7, 0.9, 1.1)
    ridges: Sequence[float] = (1e-6, 1e-4, 1e-2, 1.0)
    leak: float = 1.0
    input_scale: float = 0.5

    def evaluate(
        self,
        wiring: Wiring,
        task: Task | Series,
        boundary: np.random.Generator,
        recurrence: np.random.Generator,
        stopped: Callable[[], None] = lambda: None,
    ) -> Score:
        """Return what the best read-out reaches.

        Parameters
        ----------
        wiring : Wiring
            With as many input units as the task has, and output units that are read from.
        task : Task or Series
            Of sequences, or step by step.
        boundary, recurrence : numpy.random.Generator
            See `ReservoirNetwork.draw`.
        stopped : callable
            Called between two passes; may raise.

        Raises
        ------
        InputError
            If the task's losses have weights.
        ValueError
            If the wiring has another number of input units.
        """
        check_task(task)
        if wiring.n_inputs != task.n_inputs:
            raise ValueError(f"the wiring has {wiring.n_inputs} input units, and task {task.name} {task.n_inputs}")
        net = ReservoirNetwork.draw(wiring, boundary, recurrence, input_scale=self.input_scale, leak=self.leak)
        radii = self.radii if net.radius else (0.0,)
        measure, wanted, asked = judge_of(task)
        sign, best = sign_of(task.direction), None
        for radius, states in zip(radii, _states(net, radii, task, stopped), strict=True):
            stopped()
            for ridge, read_out in zip(self.ridges, Moments(states[0], wanted).fit(self.ridges), strict=True):
                weights, intercept = read_out
                validation = measure(states[1] @ weights + intercept, asked[0])
                if best is None or sign * validation > sign * best.validation:
                    test = measure(states[2] @ weights + intercept, asked[1])
                    best = Score(validation, test, radius, ridge, net, weights, intercept)
        assert best is not None
        return best


def check_task(task: Task | Series) -> None:
    """Refuse a task whose losses have weights, which ridge regression does not heed.

    Raises
    ------
    InputError
    """
    if isinstance(task, Task) and task.loss_weights is not None:
        name = "weights" if task.class_weights is None else "class_weights"
        raise InputError(f"{name}: a reservoir's read-out counts every example once; leave them out")


def judge_of(
    task: Task | Series,
) -> tuple[Callable[[Floats, NDArray[Any]], float], Floats, tuple[NDArray[Any], NDArray[Any]]]:
    """Return how a read-out is judged, what it learns to say, and the targets of validation and test."""
    if isinstance(task, Series):
        train, validation, test = task.parts(task.wanted)
        return task.measure, train, (validation, test)
    train, validation, test = (task.flat_targets(part)[0].numpy() for part in (task.train, task.validation, task.test))
    is_class = task.loss == "cross-entropy"
    wanted = np.eye(task.n_outputs)[train] if is_class else train.astype(np.float64)
    return task.measure or MEASURES["accuracy" if is_class else "mse"][0], wanted, (validation, test)


def _states(
    net: ReservoirNetwork, radii: Sequence[float], task: Task | Series, stopped: Callable[[], None]
) -> Iterator[Parts]:
    """Yield the states that are read, by radius, of each part."""
    if isinstance(task, Series):
        for own in net.states(task.inputs, radii):
            yield task.parts(own)
        return
    for radius in radii:
        run = partial(net.sequence_states, radius=radius)
        train, validation, test = (
            np.concatenate(list(target_states(run, task, part, stopped)))
            for part in (task.train, task.validation, task.test)
        )
        yield train, validation, test


StatesOf = Callable[[Floats, NDArray[np.int64] | None], Floats]
"""From sequences, (n, n_steps, n_inputs), to the states after the last steps, (n, n_read), or without lengths all."""


def target_states(
    run: StatesOf, task: Task, examples: torch.Tensor, stopped: Callable[[], None] = lambda: None
) -> Iterator[Floats]:
    """Yield the states, (n, n_read), where the targets of some examples stand, in the order of `Task.flat_targets`.

    `stopped` is called now and then, and may raise.
    """
    at_a_time = _AT_A_TIME
    if task.is_stepwise:
        at_a_time = max(1, _STEPS_AT_A_TIME // task.inputs.shape[1])
    for some in torch.split(examples, at_a_time):
        stopped()
        inputs, lengths, _ = task.batch(some)
        assert lengths is not None
        numbers = inputs.double().numpy()
        if task.counted is None:
            yield run(numbers, lengths.numpy())
        else:
            yield run(numbers, None)[task.counted[some, : numbers.shape[1]].numpy()]
