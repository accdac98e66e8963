"""Images as tasks: MNIST and Fashion-MNIST from their published files, which are fetched once, and small digits.

The pixels are scaled to [0, 1] and nothing else, so that the background stays exactly 0: engines skip zero inputs.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import struct
import warnings
import zlib
from dataclasses import dataclass, replace
from http.client import HTTPException
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from nas.errors import InputError
from nas.tasks.task import Task
from priors.files import atomic_write

__all__ = [
    "FASHION_MNIST",
    "MNIST",
    "IdxFile",
    "ImageSet",
    "cache_folder",
    "digits",
    "fashion_mnist",
    "image_task",
    "locate",
    "mnist",
]

_FOLDER_VARIABLE = "WIRENAS_DATA"
_REPLACE = "replace it by the published file, plain or .gz, or delete it"
_UNSIGNED_BYTES = 0x0800


@dataclass(frozen=True)
class ImageSet:
    """Images and labels published as four idx files.

    Parameters
    ----------
    name : str
        Name of the task, and of the subfolder in which its files are looked for.
    openml : str
        Name on OpenML, of version 1.
    md5 : tuple of str
        Of train images, train labels, test images and test labels, not compressed.
    n_train, n_test, shape
        Number of images of each part; rows and columns of an image.
    """

    name: str
    openml: str
    md5: tuple[str, str, str, str]
    n_train: int = 60_000
    n_test: int = 10_000
    shape: tuple[int, int] = (28, 28)

    @property
    def files(self) -> tuple[IdxFile, IdxFile, IdxFile, IdxFile]:
        """Train images, train labels, test images, test labels."""
        train_images, train_labels, test_images, test_labels = self.md5
        return (
            IdxFile("train-images-idx3-ubyte", (self.n_train, *self.shape), train_images),
            IdxFile("train-labels-idx1-ubyte", (self.n_train,), train_labels),
            IdxFile("t10k-images-idx3-ubyte", (self.n_test, *self.shape), test_images),
            IdxFile("t10k-labels-idx1-ubyte", (self.n_test,), test_labels),
        )


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
    one; a fifth of the rest validates. See `locate` for where files are looked for.

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
        shape=images.shape,
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
        shape=(8, 8),
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


# Files


@dataclass(frozen=True)
class IdxFile:
    """One published file: its name without ``.gz``, the shape of its array, and the md5 of its content, not compressed.

    Its magic number follows from the number of dimensions.
    """

    name: str
    shape: tuple[int, ...]
    md5: str

    @property
    def header(self) -> bytes:
        """What the content begins with: magic number and shape, big-endian."""
        return struct.pack(f">{1 + len(self.shape)}I", _UNSIGNED_BYTES + len(self.shape), *self.shape)

    @property
    def size(self) -> int:
        """Bytes of the content, not compressed."""
        return len(self.header) + math.prod(self.shape)

    def find(self, folder: Path) -> Path | None:
        """Return the file in a folder, plain or with ``.gz``; None where it is not."""
        paths = (folder / self.name, folder / f"{self.name}.gz")
        return next((path for path in paths if path.is_file()), None)

    def read(self, path: Path) -> NDArray[np.uint8]:
        """Return the array in a file, read-only; of whatever lies there, at most one byte too many is unpacked.

        Raises
        ------
        InputError
            If the file cannot be read, or its content is not the published one.
        """
        try:
            with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
                content = file.read(self.size + 1)
        except EOFError:
            raise InputError(f"{path}: the compressed file ends too early; {_REPLACE}") from None
        except (OSError, zlib.error) as error:
            raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}; {_REPLACE}") from None
        self.check(content, str(path), _REPLACE)
        return np.frombuffer(content, np.uint8, offset=len(self.header)).reshape(self.shape)

    def check(self, content: bytes, where: str, advice: str) -> None:
        """Refuse content that is not the published one; `where` begins the message and `advice` ends it.

        Raises
        ------
        InputError
            Naming the first of magic number, shape, size and md5 that is wrong.
        """
        header, size, md5 = self.header, len(content), hashlib.md5(content, usedforsecurity=False).hexdigest()
        if size >= 4 and content[:4] != header[:4]:
            magic, expected = int.from_bytes(content[:4], "big"), int.from_bytes(header[:4], "big")
            problem = f"magic number {magic}, where {self.name} begins with {expected}"
        elif size >= len(header) and content[: len(header)] != header:
            shape = struct.unpack(f">{1 + len(self.shape)}I", content[: len(header)])[1:]
            problem = f"shape {shape}, where {self.name} has {self.shape}"
        elif size != self.size:
            found = f"more than {self.size}" if size > self.size else str(size)
            problem = f"{found} bytes of content, where {self.name} has {self.size}"
        elif md5 != self.md5:
            problem = f"md5 {md5} of the content, where {self.name} has {self.md5}"
        else:
            return
        raise InputError(f"{where}: {problem}; {advice}")


def cache_folder() -> Path:
    """Return the folder for fetched files: ``$XDG_CACHE_HOME/wirenas``, by default ``~/.cache/wirenas``."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG specification has relative paths ignored.
    return (base if base.is_absolute() else Path.home() / ".cache") / "wirenas"


def locate(images: ImageSet, folder: str | Path | None = None) -> dict[IdxFile, Path]:
    """Return the paths of the four files of an image set; they are fetched from OpenML where they lie nowhere.

    If a folder is given, they must lie there or in its subfolder named after the set. Otherwise the folder in the
    environment variable ``WIRENAS_DATA`` is tried first, then `cache_folder`, then OpenML.

    Raises
    ------
    InputError
        Saying what is missing and where it was looked for, if the files are nowhere and cannot be fetched.
    """
    given = folder if folder is not None else os.environ.get(_FOLDER_VARIABLE)
    # All sets use the same file names, so a subfolder goes before what lies beside it.
    places = [Path(given).expanduser() / images.name, Path(given).expanduser()] if given else []
    if folder is None:
        places.append(cache_folder() / images.name)
    missing = []
    for place in places:
        paths = {file: path for file in images.files if (path := file.find(place)) is not None}
        absent = next((file.name for file in images.files if file not in paths), None)
        if absent is None:
            return paths
        missing.append(f"{place} (no {absent})")
    looked = f"{images.name}: the four published idx files, plain or .gz, are in none of {', '.join(missing)}"
    if folder is not None:
        raise InputError(f"{looked}; give the folder that holds them")
    return _fetch(images, looked)


def _fetch(images: ImageSet, looked: str) -> dict[IdxFile, Path]:
    give = f"give the folder that holds them by the environment variable {_FOLDER_VARIABLE} or by --data"
    try:
        arrays = _from_openml(images)
    except (OSError, ValueError, LookupError, EOFError, HTTPException) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{looked}, and OpenML did not give them ({reason}); {give}") from None
    contents = {file: file.header + array.tobytes() for file, array in arrays.items()}
    for file, content in contents.items():
        file.check(content, f"{images.openml} of OpenML", give)
    folder = cache_folder() / images.name
    paths = {file: folder / file.name for file in contents}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, path in paths.items():
            with atomic_write(path) as temporary:
                temporary.write_bytes(contents[file])
    except OSError as error:
        raise InputError(
            f"{folder}: {error.strerror}: what was fetched cannot be kept; set XDG_CACHE_HOME to a folder that can be "
            f"written, or {give}"
        ) from None
    return paths


def _from_openml(images: ImageSet) -> dict[IdxFile, NDArray[np.uint8]]:
    """Return the arrays of the four files. OpenML has one table, which holds the train images before the test images.

    References
    ----------
    J. Vanschoren, J. N. van Rijn, B. Bischl and L. Torgo, "OpenML: networked science in machine learning", SIGKDD
    Explorations 15(2), 2013, doi:10.1145/2641190.2641198.
    """
    from sklearn.datasets import fetch_openml

    with warnings.catch_warnings():
        # scikit-learn warns of every retry; the error at the end is enough.
        warnings.simplefilter("ignore")
        # The other parser is faster, but fails on labels that look like numbers with some versions of pandas. The
        # converted files are what is kept, so scikit-learn need not keep its own.
        table, labels = fetch_openml(
            images.openml, version=1, return_X_y=True, as_frame=False, parser="liac-arff", cache=False, n_retries=1
        )
    n = images.n_train + images.n_test
    pixels = np.asarray(table)
    if pixels.shape != (n, images.shape[0] * images.shape[1]) or len(labels) != n:
        raise ValueError(f"its table has shape {pixels.shape} and {len(labels)} labels")
    grey, classes = pixels.astype(np.uint8), np.asarray(labels).astype(np.uint8)
    parts = (grey[: images.n_train], classes[: images.n_train], grey[images.n_train :], classes[images.n_train :])
    return dict(zip(images.files, parts, strict=True))
