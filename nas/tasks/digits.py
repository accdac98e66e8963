"""Handwritten digits as a task."""

from __future__ import annotations

from dataclasses import replace

import torch

from nas.tasks.task import Task

__all__ = ["digits"]


def digits() -> Task:
    """Return scikit-learn's 1,797 handwritten digits: 64 grey values of 8 x 8 pixels, scaled to [0, 1], 10 classes.

    Plateaus on the test part: constant 0.100, nearest class mean 0.922.

    References
    ----------
    E. Alpaydin and C. Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning Repository, 1998,
    doi:10.24432/C50P49.
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    task = Task.from_arrays(
        "digits",
        images / 16,
        labels,
        # Sparse and dense networks learn best at different rates; a ladder is fair to both.
        recipe={"learning_rates": (0.01, 0.03, 0.1)},
        description="8 x 8 images of handwritten digits, 10 classes",
    )
    return replace(task, plateaus=_plateaus(task))


def _plateaus(task: Task) -> dict[str, float]:
    """Return the test accuracy of the commonest class and of the nearest class mean, as learnt on the training part."""
    images, labels = task.inputs[task.train], task.targets[task.train]
    means = torch.stack([images[labels == label].mean(dim=0) for label in range(task.n_outputs)])
    guesses = {
        "constant": torch.bincount(labels).argmax(),
        "nearest class mean": torch.cdist(task.inputs[task.test], means).argmin(dim=1),
    }
    truth = task.targets[task.test]
    return {name: float((guess == truth).double().mean()) for name, guess in guesses.items()}
