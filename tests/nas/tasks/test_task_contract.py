"""What every task that has a name keeps to; a new one joins by being registered in `TASKS`."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch

from nas.tasks import FROM_FILES, TASKS, Task, load_task


@pytest.fixture(scope="module", params=list(TASKS))
def named(request: pytest.FixtureRequest) -> tuple[str, Task]:
    """A task with its name, or a skip where its data are not here."""
    return request.param, made(request.param, request)


def made(name: str, request: pytest.FixtureRequest) -> Task:
    return load_task(name, request.getfixturevalue("shared_data") if name in FROM_FILES else None)


@pytest.fixture
def task(named: tuple[str, Task]) -> Task:
    return named[1]


def test_it_has_its_name_and_says_what_it_is(named: tuple[str, Task]):
    name, task = named
    assert task.name == name
    assert task.description
    assert "\n" not in task.description
    assert task.plateaus


def test_it_cannot_be_changed(task: Task):
    with pytest.raises(FrozenInstanceError):
        task.name = "other"  # type: ignore[misc]


def test_its_parts_hold_every_example_once(task: Task):
    together = torch.cat([task.train, task.validation, task.test])
    assert together.sort().values.equal(torch.arange(len(task.inputs)))
    assert min(map(len, (task.train, task.validation, task.test))) > 0
    assert len(task.train) > len(task.validation)


def test_it_is_the_same_every_time(named: tuple[str, Task], request: pytest.FixtureRequest):
    name, task = named
    again = made(name, request)
    assert again.fingerprint == task.fingerprint
    for part in ("train", "validation", "test"):
        assert getattr(again, part).equal(getattr(task, part))


def test_metric_direction_and_constant_value_belong_together(task: Task):
    metric, direction = {
        "cross-entropy": ("accuracy", "maximize"),
        "squared-error": ("mean-squared-error", "minimize"),
    }[task.loss]
    assert (task.metric, task.direction) == (metric, direction)
    known, held_out = (task.targets[part].numpy() for part in (task.train, task.validation))
    if task.is_stepwise and task.loss == "cross-entropy":
        known, held_out = known[known >= 0], held_out[held_out >= 0]
    elif task.is_stepwise:
        known, held_out = (part[~np.isnan(part).any(axis=2)] for part in (known, held_out))
    if task.loss == "cross-entropy":
        expected = np.mean(held_out == np.bincount(known).argmax())
        assert 0 < task.constant_value < 1
    else:
        expected = np.mean((held_out - known.astype(float).mean(axis=0)) ** 2)
    assert task.constant_value == pytest.approx(expected)
    assert task.plateaus["constant"] == pytest.approx(task.constant_score(task.test))


def test_a_batch_is_what_a_network_reads(task: Task):
    x, lengths, y = task.batch(task.train[:7])
    assert (len(x), x.shape[-1], x.dtype) == (7, task.n_inputs, torch.float32)
    assert np.array_equal(y, task.targets[task.train[:7]], equal_nan=task.loss == "squared-error")
    assert (lengths is not None) == task.is_sequence
    assert torch.isfinite(x).all()
    if lengths is not None:
        assert x.shape[1] == int(lengths.max())
    if task.loss == "cross-entropy":
        assert 0 <= int(task.targets.min()) <= int(task.targets.max()) < task.n_outputs
