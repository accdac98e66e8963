"""Targets as people have them: text, numbers from 1, floats that may be codes; and a task in one line."""

import numpy as np
import pytest

from nas.tasks import Task

X = np.random.default_rng(0).random((60, 3))


def test_text_labels_are_classes_in_their_order():
    for targets in (np.array(["b", "a", "c"] * 20), np.array(["b", "a", "c"] * 20, object)):
        task = Task.from_arrays("own", X, targets)
        assert (task.loss, task.n_outputs, task.labels) == ("cross-entropy", 3, ("a", "b", "c"))
        assert task.targets[:3].tolist() == [1, 0, 2]


@pytest.mark.parametrize("labels", [(1, 2, 3), (-1, 0, 1), (0, 5, 9)])
def test_labels_that_do_not_count_from_0_make_no_ghost_class(labels):
    task = Task.from_arrays("own", X, np.array(labels * 20))
    assert (task.n_outputs, task.labels) == (3, labels)
    assert task.targets[:3].tolist() == [0, 1, 2]


def test_labels_from_0_stay_as_they_are():
    assert Task.from_arrays("own", X, np.arange(60) % 3).labels == ()


@pytest.mark.parametrize(
    "targets", [np.arange(60) % 3 * 1.0, (np.arange(60) % 3)[:, None] * 1.0, np.eye(3)[np.arange(60) % 3]]
)
def test_floats_that_may_be_codes_are_asked_about(targets):
    with pytest.raises(ValueError, match=r"for classes give integers.*loss='squared-error'") as caught:
        Task.from_arrays("own", X, targets)
    assert "\n" not in str(caught.value)
    assert Task.from_arrays("own", X, targets, loss="squared-error").loss == "squared-error"


def test_the_loss_decides_where_it_is_given():
    assert Task.from_arrays("own", X, np.arange(60), loss="squared-error").n_outputs == 1
    assert Task.from_arrays("own", X, np.arange(60) % 3 * 1.0, loss="cross-entropy").n_outputs == 3
    with pytest.raises(ValueError, match="not whole"):
        Task.from_arrays("own", X, X[:, 0], loss="cross-entropy")
    with pytest.raises(ValueError, match="None among others"):
        Task.from_arrays("own", X, np.array(["a", None] * 30, object))


def test_a_task_is_printed_in_one_line():
    text = repr(Task.from_arrays("own", X, np.arange(60) % 3))
    assert "\n" not in text
    assert len(text) < 120
