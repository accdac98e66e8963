"""Targets as people have them: text, numbers from 1, floats that may be codes; and a task in one line."""

import math
from typing import Any

import numpy as np
import pytest
import torch

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


def test_each_step_of_a_sequence_may_have_a_target():
    inputs, lengths = np.ones((20, 4, 2)), np.tile([4, 2], 10)
    words = np.array([["a", "b", "c", "b"]] * 20)
    task = Task.from_arrays("words", inputs, words, lengths=lengths)
    assert task.labels == ("a", "b", "c")
    assert task.targets[:2].tolist() == [[0, 1, 2, 1], [0, 1, -1, -1]]
    assert task.is_stepwise
    assert task.steps_per_example == pytest.approx(task.lengths[task.train].double().mean().item())
    late = Task.from_arrays("words", inputs, words, counted=np.tile(np.arange(4) > 0, (20, 1)))
    assert (late.labels, late.targets[0].tolist()) == (("b", "c"), [-1, 0, 1, 0])
    targets, examples = late.flat_targets(torch.tensor([3, 1]))
    assert (targets.tolist(), examples.tolist()) == ([0, 1, 0, 0, 1, 0], [3, 3, 3, 1, 1, 1])
    numbers = Task.from_arrays("numbers", inputs, inputs.cumsum(axis=1), lengths=lengths)
    assert (numbers.n_outputs, numbers.loss, repr(numbers)) == (
        2,
        "squared-error",
        "Task('numbers': 20 examples of 4x2, 2 numbers to predict at a step, 13/3/4 train/validation/test)",
    )
    assert numbers.targets[1, 2:].isnan().all()
    x, _, y = numbers.batch(torch.tensor([1, 3]))
    assert x.shape == y.shape == (2, 2, 2)
    assert numbers.fingerprint != late.fingerprint != task.fingerprint


def test_two_dimensions_of_numbers_are_those_of_the_end():
    task = Task.from_arrays("ends", np.ones((20, 4, 2)), np.random.default_rng(0).normal(size=(20, 4)))
    assert (task.is_stepwise, task.n_outputs, task.counted) == (False, 4, None)


def test_the_best_constant_is_that_of_the_steps_that_count():
    rng = np.random.default_rng(0)
    classes, counted = rng.integers(0, 3, (40, 5)), rng.random((40, 5)) < 0.5
    counted[:, 0] = True
    classes[~counted] = 0
    task = Task.from_arrays("classes", np.ones((40, 5, 1)), classes, counted=counted, weights=np.arange(40) + 1)
    own = np.where(counted, classes, -1)
    by_class = np.zeros(3)
    for example in task.train.tolist():
        for step in own[example][counted[example]]:
            by_class[step] += example + 1
    right, total = 0.0, 0.0
    for example in task.test.tolist():
        for step in own[example][counted[example]]:
            total += example + 1
            right += (example + 1) * (step == by_class.argmax())
    assert task.constant_score(task.test) == pytest.approx(right / total)
    assert task.loss_weights.shape == (40, 5)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"counted": np.ones((20, 3), bool)}, r"^counted has shape \(20, 3\) and type bool: \(20, 4\) bool is needed$"),
        ({"counted": np.zeros((20, 4), bool)}, "^no step of example 0 counts: give it a target, or drop it$"),
        (
            {"targets": np.zeros((20, 3), int)},
            r"^targets have shape \(20, 3\), and inputs \(20, 4, 2\): one for each of",
        ),
        ({"targets": np.full((20, 4, 1), np.nan)}, "^targets hold a value that is not finite"),
        ({"targets": np.zeros(20, int), "counted": np.ones((20, 4), bool)}, r"^counted is given, and targets of shape"),
    ],
)
def test_what_no_targets_of_steps_are(changes: dict[str, Any], line: str):
    given = {"inputs": np.ones((20, 4, 2)), "targets": np.zeros((20, 4), int), **changes}
    with pytest.raises(ValueError, match=line):
        Task.from_arrays("own", **given)


@pytest.mark.parametrize(
    ("targets", "line"),
    [
        ([[0, 1, -2]] * 9, "^targets hold the class -2: steps that do not count have -1$"),
        ([[0, 1, 1]] * 9, "^a step behind the end of its sequence has a target: give it the class -1, or NaN$"),
        ([[0, 3, -1]] * 9, "^classes reach from 0 to 3: n_outputs=2 are numbered from 0$"),
        ([[[0.0, 1.0], [1.0, math.nan], [math.nan, 1.0]]] * 9, "^a step has NaN for its first target and numbers for"),
    ],
)
def test_what_no_stored_targets_of_steps_are(targets: Any, line: str):
    held = torch.tensor(targets)
    parts = dict(zip(("train", "validation", "test"), torch.arange(9).split(3), strict=True))
    loss: Any = "squared-error" if held.is_floating_point() else "cross-entropy"
    lengths = torch.full((9,), 3 if loss == "squared-error" else 2)
    with pytest.raises(ValueError, match=line):
        Task("own", torch.ones(9, 3, 1), held, **parts, n_inputs=1, n_outputs=2, lengths=lengths, loss=loss)
