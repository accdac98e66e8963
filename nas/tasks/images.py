"""Published images as tasks: MNIST, Fashion-MNIST and the digits of scikit-learn.

The pixels are scaled to [0, 1] and nothing else, so that the background stays exactly 0: engines skip zero inputs.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from nas.tasks.image_files import ImageSet, locate
from nas.tasks.task import Task

__all__ = ["FASHION_MNIST", "MNIST", "digits", "fashion_mnist", "image_task", "mnist"]

MNIST = ImageSet(
    name="mnist",
    openml="mnist_784",
    md5=(
        "6bbc9ace898e44ae57da46a324031adb",
        "a25bea736e30d166cdddb491f175f624",
        "2646ac647ad5339dbf082846283269ea",
        "27ae3e4e09519cfbb04c329615203637",
    ),
)
"""Handwritten digits."""

FASHION_MNIST = ImageSet(
    name="fashion-mnist",
    openml="Fashion-MNIST",
    md5=(
        "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "9018921c3c673c538a1fc5bad174d6f9",
        "8181f5470baa50b63fa0f6fddb340f0a",
        "15d484375f8d13e6eb1aabb0c3f46965",
    ),
)
"""Articles of clothing."""


def mnist(folder: str | Path | None = None) -> Task:
    """Return MNIST's 70,000 handwritten digits: 28 x 28 pixels in [0, 1], 10 classes, the published test part.

    Pixels are divided by 255 and not standardised: four of five are 0 and stay so, which engines exploit. See
    `image_task` for the folder and errors.

    Plateaus on the test part: constant 0.114.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document recognition",
    Proceedings of the IEEE 86(11), 1998, doi:10.1109/5.726791.
    """
    return image_task(MNIST, "28 x 28 images of handwritten digits, 10 classes", folder)


def fashion_mnist(folder: str | Path | None = None) -> Task:
    """Return Fashion-MNIST's 70,000 articles of clothing: like `mnist` in everything but what the images show.

    Plateaus on the test part: constant 0.100.

    References
    ----------
    H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning
    algorithms", 2017, arXiv:1708.07747.
    """
    return image_task(FASHION_MNIST, "28 x 28 images of articles of clothing, 10 classes", folder)


def image_task(images: ImageSet, description: str, folder: str | Path | None = None) -> Task:
    """Return an image set as a task.

    Inputs are float32 (n_train + n_test, rows * columns) in [0, 1], train images first. The test part is the published
    one; a fifth of the rest validates. See `nas.tasks.image_files.locate` for where files are looked for.

    Raises
    ------
    InputError
        If the files are nowhere, cannot be fetched, or are not the published ones.
    """
    paths = locate(images, folder)
    train_images, train_labels, test_images, test_labels = (file.read(paths[file]) for file in images.files)
    labels = np.concatenate([train_labels, test_labels])
    task = Task.from_arrays(
        images.name,
        np.concatenate([train_images, test_images]).reshape(len(labels), -1),
        labels,
        test=np.arange(images.n_train, images.n_train + images.n_test),
        recipe={"epochs": 10, "batch_size": 128, "learning_rates": (0.003, 0.01, 0.03)},
        description=description,
    )
    # In place: the task holds the only float copy, and another one would be large.
    task.inputs.div_(255)
    return replace(task, plateaus={"constant": task.constant_score(task.test)})


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
    return replace(
        task, plateaus={"constant": task.constant_score(task.test), "nearest class mean": _nearest_mean(task)}
    )


def _nearest_mean(task: Task) -> float:
    """Return the test accuracy of the class whose mean over the training part is nearest."""
    inputs, labels = task.inputs[task.train], task.targets[task.train]
    means = torch.stack([inputs[labels == label].mean(dim=0) for label in range(task.n_outputs)])
    guesses = torch.cdist(task.inputs[task.test], means).argmin(dim=1)
    return float((guesses == task.targets[task.test]).double().mean())
