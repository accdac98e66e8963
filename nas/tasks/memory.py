"""Tasks whose answer lies steps back: marked numbers added, symbols copied, a parity of bits, digits pixel by pixel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nas.tasks.images import digits
from nas.tasks.task import Task

__all__ = ["adding", "copy", "delayed_parity", "sequential_digits"]

_BITS = 3
"""Bits whose parity is asked for."""
_BESIDE = 8
"""Steps by which sequences of bits differ in length, at most."""
_COPIED, _SYMBOLS = 10, 8
"""Symbols that are to be copied, and of how many kinds they are; two more kinds are the blank and the marker."""


def adding(n: int = 4_000, steps: int = 40, seed: int = 0) -> Task:
    """Return the adding problem: the sum of the two numbers of a sequence that are marked.

    Every step has a number from 0 to 1 and a mark, which is 1 twice and else 0: once among the first ten steps, or the
    first half of fewer, and once among the others of the first half. Lengths are from `steps` to a tenth more.

    Plateaus on the test part: the mean, a squared error of about 1 / 6.

    Parameters
    ----------
    n : int
        Number of sequences.
    steps : int
        At least 8.
    seed : int
        Seed of the sequences; the split has its own.

    Raises
    ------
    ValueError
        If the sequences are too short, or too few to be split.

    References
    ----------
    S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997,
    doi:10.1162/neco.1997.9.8.1735 (section 5.4), with numbers from 0 to 1 as in Q. V. Le, N. Jaitly and G. E. Hinton,
    2015, arXiv:1504.00941.
    """
    if steps < 8:
        raise ValueError(f"steps={steps}: two numbers of the first half are marked, so at least 8 steps are needed")
    rng = np.random.default_rng(seed)
    lengths = rng.integers(steps, steps + steps // 10 + 1, n)
    inputs = np.zeros((n, int(lengths.max(initial=steps)), 2))
    inputs[:, :, 0] = rng.random(inputs.shape[:2])
    early = min(10, steps // 4)
    marked = np.stack([rng.integers(0, early, n), rng.integers(early, steps // 2, n)], axis=1)
    rows = np.arange(n)[:, None]
    inputs[rows, marked, 1] = 1.0
    return _with_constant(
        Task.from_arrays(
            "adding",
            inputs,
            inputs[rows, marked, 0].sum(axis=1),
            lengths=lengths,
            recipe={"epochs": 40, "learning_rates": (0.01,), "schedule": "constant", "clip": 1.0},
            description=f"the sum of the two marked numbers of a sequence of {steps} steps",
        )
    )


def copy(n: int = 4_000, delay: int = 10, seed: int = 0, *, recalled: bool = False) -> Task:
    """Return the copy memory task: to say ten symbols again, in their order, once a marker is read.

    A sequence is ten symbols of eight kinds, `delay` - 1 blanks, the marker and ten blanks: `delay` + 20 steps. Each
    step has a target: a blank up to the marker, the marker's step included, and then the ten symbols. All steps count,
    as published, or with `recalled` the last ten alone, of which no blank is the answer.

    A network without memory can do no better than to say blanks up to the marker and then each symbol with the same
    probability: a cross-entropy of 10 ln 8 / (`delay` + 20) a step, or ln 8 a recalled one.

    Plateaus on the test part: constant, a blank, (`delay` + 10) / (`delay` + 20); without memory, about 1 / 8 of the
    recalled steps more. With `recalled` both are about 1 / 8.

    Parameters
    ----------
    n : int
        Number of sequences.
    delay : int
        Steps from the last symbol to the marker, at least 1.
    seed : int
        Seed of the sequences; the split has its own.
    recalled : bool
        Whether only the recalled steps count.

    Raises
    ------
    ValueError
        If the delay is below 1, or the sequences are too few to be split.

    References
    ----------
    S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997,
    doi:10.1162/neco.1997.9.8.1735; in the form of M. Arjovsky, A. Shah and Y. Bengio, "Unitary evolution recurrent
    neural networks", ICML 2016, arXiv:1511.06464 (section 5.1).
    """
    if delay < 1:
        raise ValueError(f"delay={delay}: it is a number of steps up to the marker, at least 1")
    blank, marker = _SYMBOLS, _SYMBOLS + 1
    symbols = np.random.default_rng(seed).integers(0, _SYMBOLS, (n, _COPIED))
    inputs = np.full((n, delay + 2 * _COPIED), blank)
    targets = inputs.copy()
    inputs[:, :_COPIED] = targets[:, -_COPIED:] = symbols
    inputs[:, -_COPIED - 1] = marker
    counted = np.zeros(inputs.shape, bool)
    counted[:, -_COPIED if recalled else 0 :] = True
    task = _with_constant(
        Task.from_arrays(
            "copy",
            inputs,
            targets,
            n_symbols=_SYMBOLS + 2,
            counted=counted,
            recipe={"epochs": 60, "learning_rates": (0.03,), "clip": 1.0},
            description=f"ten symbols to be said again after {delay} steps, {delay + 2 * _COPIED} steps in all",
        )
    )
    said = np.bincount(symbols[task.train].ravel(), minlength=_SYMBOLS).argmax()
    right = (symbols[task.test] == said).mean() * _COPIED
    without = right / _COPIED if recalled else (right + delay + _COPIED) / (delay + 2 * _COPIED)
    return replace(task, plateaus={**task.plateaus, "without memory": float(without)})


def delayed_parity(n: int = 4_000, delay: int = 8, seed: int = 0) -> Task:
    """Return the task to say whether an odd number of the three bits `delay` steps before a sequence's end are 1.

    Bits are read as -1 and 1. No two of the three tell anything; what has to be remembered moves on with every step,
    because nobody knows where a sequence ends. Lengths are from `delay` + 3 to 8 steps more.

    Plateaus on the test part: constant, about 0.5.

    Parameters
    ----------
    n : int
        Number of sequences.
    delay : int
        Steps that follow the three bits, at least 0.
    seed : int
        Seed of the sequences; the split has its own.

    Raises
    ------
    ValueError
        If the delay is negative, or the sequences are too few to be split.

    References
    ----------
    N. Bertschinger and T. Natschlaeger, "Real-time computation at the edge of chaos in recurrent neural networks",
    Neural Computation 16(7), 2004, doi:10.1162/089976604323057443.
    """
    if delay < 0:
        raise ValueError(f"delay={delay}: it is a number of steps, at least 0")
    rng = np.random.default_rng(seed)
    shortest = delay + _BITS
    lengths = rng.integers(shortest, shortest + _BESIDE + 1, n)
    bits = rng.integers(0, 2, (n, shortest + _BESIDE))
    places = lengths[:, None] - delay - 1 - np.arange(_BITS)
    return _with_constant(
        Task.from_arrays(
            "delayed-parity",
            2.0 * bits[:, :, None] - 1.0,
            np.take_along_axis(bits, places, axis=1).sum(axis=1) % 2,
            lengths=lengths,
            recipe={"epochs": 60, "learning_rates": (0.01,), "schedule": "constant", "clip": 1.0},
            description=f"the parity of three bits, {delay} steps ago",
        )
    )


def sequential_digits() -> Task:
    """Return scikit-learn's digits as sequences of 64 grey values, pixel by pixel; split as `digits`.

    Plateaus on the test part: constant 0.100.

    References
    ----------
    Q. V. Le, N. Jaitly and G. E. Hinton, "A simple way to initialize recurrent networks of rectified linear units",
    2015, arXiv:1504.00941, read the larger digits of MNIST so.
    """
    images = digits()
    task = Task.from_arrays(
        "sequential-digits",
        images.inputs.numpy()[:, :, None],
        images.targets.numpy(),
        recipe={"epochs": 40, "learning_rates": (0.01,), "clip": 1.0},
        description="8 x 8 images of handwritten digits, pixel by pixel, 10 classes",
    )
    return _with_constant(replace(task, train=images.train, validation=images.validation, test=images.test))


def _with_constant(task: Task) -> Task:
    return replace(task, plateaus={"constant": task.constant_score(task.test)})
