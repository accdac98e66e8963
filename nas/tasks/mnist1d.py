"""MNIST-1D: ten curves of twelve points, stretched, shifted, tilted and drowned in noise.

Written by the published recipe and from the same random numbers, so that the examples are the published ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.tasks.task import Task

__all__ = ["mnist_1d", "mnist_1d_shuffled"]

Curve = NDArray[np.float64]

_CURVES = np.array([
    [5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5],
    [5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5],
    [5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5],
    [5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5],
    [5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5],
    [5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5],
    [5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5],
    [5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5],
    [5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5],
    [5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5],
])  # fmt: skip
"""Heights of the ten digits, as published."""
_LENGTH = 40
_FEWEST_ZEROS, _MOST_ZEROS = 36, 60
_STRETCHED = _CURVES.shape[1] + _MOST_ZEROS
_SHIFTS = 48
_SCALE, _SHEAR = 0.4, 0.75
_SMOOTH_NOISE, _WIDTH_OF_NOISE, _NOISE = 0.25, 2, 0.02
_BARELY = 1e-8
"""Added to a curve, so that its points are told from the zeros behind it."""
_SEED = 42


def mnist_1d() -> Task:
    """Return MNIST-1D's 5,000 signals of 40 numbers, 10 classes: small, quick, and nothing for a linear network.

    The 1,000 published test examples are the test part. Numbers of an example lie beside each other in a row, shape
    (1, 40), which read-ins and means may use.

    Plateaus on the test part: constant 0.089. Published for networks of 15,210 parameters without shared weights: .65.

    References
    ----------
    S. Greydanus and D. Kobak, "Scaling down deep learning with MNIST-1D", ICML 2024, arXiv:2011.14439.
    """
    return _task("mnist-1d", is_shuffled=False)


def mnist_1d_shuffled() -> Task:
    """Return MNIST-1D with the 40 numbers of all examples in one random order: what it is worth to be neighbours.

    Nothing says where they lie. See `mnist_1d`.

    Plateaus on the test part: constant 0.089. Published for a convolutional network: .587 instead of .923.
    """
    return _task("mnist-1d-shuffled", is_shuffled=True)


def _task(name: str, *, is_shuffled: bool) -> Task:
    signals, labels = _draw(5_000, is_shuffled=is_shuffled)
    task = Task.from_arrays(
        name,
        signals,
        labels,
        test=np.arange(4_000, 5_000),
        recipe={"epochs": 60, "learning_rates": (0.003, 0.01, 0.03)},
        description="signals of 40 numbers, 10 classes" + (", in one random order" if is_shuffled else ""),
        shape=None if is_shuffled else (1, _LENGTH),
    )
    return replace(task, plateaus={"constant": task.constant_score(task.test)})


def _draw(n: int, *, is_shuffled: bool) -> tuple[Curve, NDArray[np.int64]]:
    """Return n signals, (n, 40), of mean 0 and standard deviation 1 over all, and their classes, in random order."""
    rng = np.random.RandomState(_SEED)
    heights = (_CURVES - _CURVES.mean(axis=1, keepdims=True)) / _CURVES.std(axis=1, keepdims=True)
    heights = (heights - heights[:, :1]) / 6
    labels = np.repeat(np.arange(len(heights)), n // len(heights))
    # One example after the other, as published; only what needs no random number is done for all at once.
    draws = [_Draws.of(rng) for _ in labels]
    signals = _distorted(heights[labels], draws)
    order = rng.permutation(len(labels))
    signals, labels = signals[order], labels[order]
    if is_shuffled:
        signals = signals[:, rng.permutation(_LENGTH)]
    return (signals - signals.mean()) / signals.std(), labels


class _Draws(NamedTuple):
    """The random numbers of one example, in the order in which they are drawn."""

    stretch: float
    scale: float
    shift: int
    smooth_noise: Curve
    noise: Curve
    slope: float

    @classmethod
    def of(cls, rng: np.random.RandomState) -> _Draws:
        """Draw them."""
        return cls(
            rng.rand(), rng.rand(), int(rng.randint(_SHIFTS)), rng.randn(_STRETCHED), rng.randn(_STRETCHED), rng.rand()
        )


def _distorted(curves: Curve, draws: Sequence[_Draws]) -> Curve:
    """Return a signal, (n, 40), of each curve, (n, 12)."""
    from scipy.ndimage import gaussian_filter1d

    signals = np.stack([
        np.roll((1 + _SCALE * (own.scale - 0.5)) * _stretched(curve, own.stretch), own.shift)
        for curve, own in zip(curves, draws, strict=True)
    ])  # fmt: skip
    smooth = gaussian_filter1d(_SMOOTH_NOISE * np.stack([own.smooth_noise for own in draws]), _WIDTH_OF_NOISE)
    signals = np.where(signals != 0, signals, smooth) + _NOISE * np.stack([own.noise for own in draws])
    slopes = _SHEAR * (np.array([[own.slope] for own in draws]) - 0.5)
    return np.stack([_resampled(own, _LENGTH) for own in signals - slopes * np.linspace(-0.5, 0.5, _STRETCHED)])


def _stretched(curve: Curve, stretch: float) -> Curve:
    """Return a curve, (72,), which zeros follow: with few of them it is long."""
    zeros = np.zeros(_FEWEST_ZEROS + int(stretch * (_MOST_ZEROS - _FEWEST_ZEROS + 1)))
    return _resampled(np.concatenate([curve + _BARELY, zeros]), _STRETCHED)


def _resampled(signal: Curve, n: int) -> Curve:
    """Return a signal at n equal steps from its first to its last point, with straight lines between its points."""
    return np.interp(np.linspace(0, 1, n), np.linspace(0, 1, len(signal)), signal)
