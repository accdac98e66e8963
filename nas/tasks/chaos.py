"""Tasks to foresee chaotic series at every step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from nas.tasks.attractors import AHEAD, BEFORE, integrate_lorenz, integrate_mackey_glass
from nas.tasks.task import Task

__all__ = ["lorenz", "mackey_glass"]

_UNCOUNTED = 20
"""Steps at the beginning of a sequence of which nothing is asked: too little of the series is known."""
_RULE = f"ridge regression on {_UNCOUNTED} steps"
_TRAINED, _VALIDATED = 0.64, 0.16
"""Shares of the sequences, in their order; all later ones are the test part."""


def mackey_glass(n: int = 300, steps: int = 100, ahead: int = AHEAD) -> Task:
    """Return the task to foresee the Mackey-Glass series, x' = 0.2 x(t - 17) / (1 + x(t - 17)^10) - 0.1 x.

    One series, sampled once a unit of time and standardised by its training part, is cut into sequences. Each step but
    the first 20 of a sequence asks for what the series is `ahead` steps later. Training, validation and test part
    follow each other in time.

    Plateaus on the test part, as squared errors, of which the root is about the error over the series' spread:
    constant, about 1; ridge regression on the last 20 steps.

    Parameters
    ----------
    n, steps : int
        Number of sequences, and steps of each, more than 20.
    ahead : int
        At least 1.

    Raises
    ------
    ValueError
        If sequences are too short, or too few to be split.

    References
    ----------
    M. C. Mackey and L. Glass, "Oscillation and chaos in physiological control systems", Science 197, 1977,
    doi:10.1126/science.267326.
    """
    return _foreseen("mackey-glass", integrate_mackey_glass(BEFORE + n * steps + ahead)[:, None], n, steps, ahead)


def lorenz(n: int = 300, steps: int = 100, ahead: int = AHEAD) -> Task:
    """Return the task to foresee Lorenz' three numbers, in steps of 0.02 units of time; otherwise as `mackey_glass`.

    References
    ----------
    E. N. Lorenz, "Deterministic nonperiodic flow", Journal of the Atmospheric Sciences 20, 1963,
    doi:10.1175/1520-0469(1963)020<0130:DNF>2.0.CO;2.
    """
    return _foreseen("lorenz", integrate_lorenz(BEFORE + n * steps + ahead), n, steps, ahead)


def _foreseen(name: str, series: NDArray[np.float64], n: int, steps: int, ahead: int) -> Task:
    if steps <= _UNCOUNTED:
        raise ValueError(f"steps={steps}: of the first {_UNCOUNTED} nothing is asked, so more are needed")
    if ahead < 1:
        raise ValueError(f"ahead={ahead}: it is a number of steps, at least 1")
    n_trained, n_validated = round(_TRAINED * n), round(_VALIDATED * n)
    if min(n_trained, n_validated, n - n_trained - n_validated) < 1:
        raise ValueError(f"n={n}: too few sequences for a training, a validation and a test part")
    series = series[BEFORE:]
    trained = series[: n_trained * steps]
    series = (series - trained.mean(axis=0)) / trained.std(axis=0)
    inputs, later = (part.reshape(n, steps, -1) for part in (series[:-ahead], series[ahead:]))
    counted = np.zeros((n, steps), bool)
    counted[:, _UNCOUNTED:] = True
    task = Task.from_arrays(
        name,
        inputs,
        later,
        counted=counted,
        loss="squared-error",
        recipe={"epochs": 100, "learning_rates": (0.03,), "clip": 1.0},
        description=f"what a chaotic series is {ahead} steps later, at the last {steps - _UNCOUNTED} of {steps} steps",
    )
    train, validation, test = torch.tensor_split(torch.arange(n), (n_trained, n_trained + n_validated))
    task = replace(task, train=train, validation=validation, test=test)
    return replace(task, plateaus={"constant": task.constant_score(task.test), _RULE: _error_of_rule(task)})


def _error_of_rule(task: Task) -> float:
    """Return the squared error of ridge regression on the last steps, as many as those of which nothing is asked.

    Its strength is 1: least squares would tell the future from the last digits of numbers that are read.
    """
    steps = sliding_window_view(task.inputs[:, 1:].double().numpy(), _UNCOUNTED, axis=1)
    wanted = task.targets[:, _UNCOUNTED:].double().numpy()
    seen = steps.reshape(*wanted.shape[:2], -1)
    (known, learned), (asked, truth) = (
        (np.concatenate(seen[part]), np.concatenate(wanted[part])) for part in (task.train, task.test)
    )
    middle, level = known.mean(axis=0), learned.mean(axis=0)
    centred = known - middle
    weights = np.linalg.solve(centred.T @ centred + np.eye(seen.shape[2]), centred.T @ (learned - level))
    return float(np.square((asked - middle) @ weights + level - truth).mean())
