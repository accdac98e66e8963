"""Tiny image files, a stand-in for OpenML, and what the tests of image sets call."""

import gzip
import hashlib
import inspect
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import fetch_openml

from nas.errors import InputError
from nas.tasks.images import ImageSet

FETCH = inspect.signature(fetch_openml)
N_TRAIN, N_TEST, SIDE = 60, 20, 3
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}i", *array.shape) + array.tobytes()


RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (N_TRAIN + N_TEST, SIDE, SIDE)).astype(np.uint8)
# Class 1 is the commonest; of the test part it makes up 5 of 20.
LABELS = np.concatenate([np.repeat([0, 1, 2], [15, 30, 15]), np.repeat([2, 1, 0], [8, 5, 7])]).astype(np.uint8)
ARRAYS = (PIXELS[:N_TRAIN], LABELS[:N_TRAIN], PIXELS[N_TRAIN:], LABELS[N_TRAIN:])
CONTENTS = {name: idx(array) for name, array in zip(NAMES, ARRAYS, strict=True)}
MD5 = tuple(hashlib.md5(content).hexdigest() for content in CONTENTS.values())
TINY = ImageSet("mnist", "mnist_784", MD5, N_TRAIN, N_TEST, (SIDE, SIDE))


def write(folder: Path, *, packed: bool = False, **changes: bytes | None) -> Path:
    """Write the four files; `changes` are by the first letters and kind: train_images and so on, None for no file."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = ("train_images", "train_labels", "test_images", "test_labels")
    for key, (name, content) in zip(keys, CONTENTS.items(), strict=True):
        chosen = changes.get(key, content)
        if chosen is not None:
            path = folder / (f"{name}.gz" if packed else name)
            path.write_bytes(gzip.compress(chosen) if packed else chosen)
    return folder


class OpenML:
    """Stands in for scikit-learn's function."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.table: Any = PIXELS.reshape(len(PIXELS), -1).astype(np.int64)
        self.labels: Any = np.array([str(label) for label in LABELS], dtype=object)
        self.error: Exception | None = None

    def __call__(self, *args: Any, **options: Any) -> tuple[Any, Any]:
        given = FETCH.bind(*args, **options).arguments
        self.calls.append((given["name"], given["version"]))
        assert given["return_X_y"]
        assert (given["as_frame"], given["cache"]) == (False, False)
        assert given["n_retries"] >= 1  # As scikit-learn demands.
        warnings.warn("A network error occurred. Retrying...", stacklevel=2)
        if self.error is not None:
            raise self.error
        return self.table, self.labels


def refusal(call: Any, *args: Any) -> str:
    with pytest.raises(InputError) as caught:
        call(*args)
    assert "\n" not in str(caught.value)
    return str(caught.value)
