"""Means over squares of pixels, held to plain loops."""

import gc
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nas.errors import InputError
from nas.inputs import Pooling
from nas.tasks import Task, load_task, pooled


def by_loops(image: NDArray[np.float64], size: int) -> list[float]:
    rows, columns = image.shape
    corners = [(i, j) for i in range(0, rows, size) for j in range(0, columns, size)]
    return [float(image[i : i + size, j : j + size].mean()) for i, j in corners]


@settings(deadline=None)
@given(rows=st.integers(1, 9), columns=st.integers(1, 9), size=st.integers(1, 9), seed=st.integers(0, 99))
def test_means_are_those_of_the_squares_that_an_image_has(rows: int, columns: int, size: int, seed: int) -> None:
    if size > max(rows, columns):
        with pytest.raises(ValueError, match="has no such square"):
            Pooling(rows, columns, size)
        return
    pooling = Pooling(rows, columns, size)
    images = np.random.default_rng(seed).normal(size=(3, rows, columns))
    found = pooling(torch.from_numpy(images.reshape(3, -1)))
    assert found.shape == (3, pooling.shape[0] * pooling.shape[1])
    for own, image in zip(found.tolist(), images, strict=True):
        assert own == pytest.approx(by_loops(image, size))


def test_a_task_of_images_is_pooled() -> None:
    task = load_task("digits")
    assert task.shape == (8, 8)
    smaller = pooled(task, 2)
    assert (smaller.n_inputs, smaller.shape) == (16, (4, 4))
    first = task.inputs[5].reshape(8, 8).double().numpy()
    assert smaller.inputs[5].tolist() == pytest.approx(by_loops(first, 2))
    assert (smaller.name, smaller.n_outputs) == (task.name, task.n_outputs)
    assert torch.equal(smaller.test, task.test)
    assert smaller.fingerprint != task.fingerprint
    assert pooled(task, 1) is task


def test_means_are_taken_once_whichever_thread_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    task, taken = load_task("digits"), []
    task = replace(task, name="fresh")
    genuine = Pooling.__call__

    def watched(self: Pooling, inputs: torch.Tensor) -> torch.Tensor:
        taken.append(self.size)
        time.sleep(0.02)
        return genuine(self, inputs)

    monkeypatch.setattr(Pooling, "__call__", watched)
    with ThreadPoolExecutor(4) as executor:
        found = list(executor.map(lambda size: pooled(task, size), [2, 4, 2, 4, 2, 4]))
    assert sorted(taken) == [2, 4]
    assert len(set(map(id, found))) == 2
    assert pooled(replace(task), 2) is not found[0]


def test_what_was_pooled_goes_with_its_task() -> None:
    task = replace(load_task("digits"), name="fresh")
    kept = weakref.ref(pooled(task, 2))
    assert kept() is pooled(task, 2)
    del task
    gc.collect()
    assert kept() is None


def test_what_cannot_be_pooled_is_said() -> None:
    with pytest.raises(InputError, match="pool=9: size=9: an image of 8 x 8 pixels has no such square"):
        pooled(load_task("digits"), 9)
    with pytest.raises(InputError, match="task reber are not known to be images"):
        pooled(load_task("reber"), 2)
    with pytest.raises(ValueError, match="positive integers are needed"):
        Pooling(4, 4, 0)


def test_a_shape_must_be_that_of_the_inputs() -> None:
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(40, 12)), np.arange(40) % 4
    assert Task.from_arrays("own", inputs, targets, shape=(3, 4)).shape == (3, 4)
    with pytest.raises(ValueError, match=r"shape=\(3, 5\): inputs are rows of 12, and images of 3 x 5 are rows of 15"):
        Task.from_arrays("own", inputs, targets, shape=(3, 5))
    with pytest.raises(ValueError, match="inputs are sequences"):
        Task.from_arrays("own", rng.normal(size=(40, 3, 12)), targets, shape=(3, 4))


@pytest.mark.parametrize(("shape", "size"), [((3, 5, 4), 2), ((6, 1, 10), 4), ((2, 3, 3), 3)])
def test_each_channel_is_averaged_by_itself(shape: tuple[int, int, int], size: int):
    pooling = Pooling.of(shape, size)
    images = np.random.default_rng(0).normal(size=(4, *shape))
    found = pooling(torch.from_numpy(images.reshape(4, -1))).numpy()
    channels, rows, columns = shape
    expected = [
        [
            images[example, channel, row : row + size, column : column + size].mean()
            for channel in range(channels)
            for row in range(0, rows, size)
            for column in range(0, columns, size)
        ]
        for example in range(4)
    ]
    assert np.allclose(found, expected)
    assert found.shape[1] == pooling.n_means == np.prod(pooling.shape)
    assert pooling.shape[0] == channels
    assert pooling.n_pixels == np.prod(shape)
