"""MNIST-1D: its examples are the published ones, and the shuffled control holds the same numbers in another order."""

import numpy as np
import pytest
import torch

from nas.networks import NetworkSpec
from nas.space.budget import Budget
from nas.space.designs import WaySpace
from nas.space.ways import Ways
from nas.tasks import Task, inputs_of, mnist_1d, mnist_1d_shuffled

PUBLISHED_LABELS = [2, 6, 4, 5, 6, 6, 6, 0, 3, 1]
PUBLISHED_START = [-0.33200567, -0.47191037, -0.77869708, -1.00974083]
PUBLISHED_END = [0.44723289, 0.65987565, 0.87773435, 1.19315184]
"""Of the file mnist1d_data.pkl of github.com/greydanus/mnist1d: the first labels, and where the examples begin and end.
A dropped or misplaced random number would change all that follow it."""


@pytest.fixture(scope="module")
def task() -> Task:
    return mnist_1d()


def test_examples_are_the_published_ones(task: Task):
    assert task.targets[:10].tolist() == PUBLISHED_LABELS
    assert task.inputs[0, :4].tolist() == pytest.approx(PUBLISHED_START, abs=1e-7)
    assert task.inputs[4999, -4:].tolist() == pytest.approx(PUBLISHED_END, abs=1e-7)
    assert task.targets[-5:].tolist() == [2, 5, 9, 6, 4]
    assert task.test.tolist() == list(range(4000, 5000))
    values = task.inputs.double()
    assert float(values.mean()) == pytest.approx(0, abs=1e-6)
    assert float(values.std(correction=0)) == pytest.approx(1, abs=1e-6)
    assert torch.bincount(task.targets).tolist() == [500] * 10


def test_the_control_has_the_same_columns_in_another_order(task: Task):
    control = mnist_1d_shuffled()
    assert control.targets.equal(task.targets)
    own, other = (each.inputs.numpy().T for each in (task, control))
    order = [next(at for at, column in enumerate(own) if np.array_equal(column, wanted)) for wanted in other]
    assert sorted(order) == list(range(40))
    assert order != list(range(40))


def test_neighbours_are_known_of_the_signal_alone(task: Task):
    places = inputs_of(task).positions
    assert places is not None
    assert np.ptp(places, axis=0).tolist() == [0, 39]
    assert mnist_1d_shuffled().shape is None


def test_means_over_neighbours_may_be_read(task: Task):
    options = Ways(ways=("prior",), read_ins=("local",))
    own = WaySpace(options, Budget.of(500), 32, task, NetworkSpec("mlp"), (0.01,))
    assert own.pools == (1, 2, 4)
    assert [own.means(pool).n_live for pool in own.pools] == [40, 20, 10]
