"""Task and its splits: what is checked, what a batch holds, and that draws can be repeated anywhere."""

import hashlib
import re
import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.tasks import TASKS, Task, digits, load_task, split, stratified_split


def tiny_rows(**changes):
    fields = {
        "name": "rows",
        "inputs": torch.arange(12, dtype=torch.float32).reshape(6, 2),
        "targets": torch.tensor([0, 1, 1, 0, 1, 2]),
        "train": torch.tensor([0, 1, 2]),
        "validation": torch.tensor([3, 4]),
        "test": torch.tensor([5]),
        "n_inputs": 2,
        "n_outputs": 3,
    }
    return Task(**(fields | changes))


def tiny_symbols(**changes):
    fields = {
        "inputs": torch.tensor(
            [[0, 2, 1, 0], [1, 3, 3, 3], [2, 2, 3, 3], [0, 3, 3, 3], [1, 3, 3, 3], [2, 3, 3, 3]]
        ).byte(),
        "lengths": torch.tensor([4, 1, 2, 1, 1, 1]),
        "n_inputs": 3,
    }
    return tiny_rows(**(fields | changes))


def tiny_values(**changes):
    targets = torch.tensor([[1.0, 0.0], [2.0, 0.0], [6.0, 3.0], [3.0, 1.0], [5.0, 3.0], [9.0, 9.0]])
    return tiny_rows(**({"targets": targets, "n_outputs": 2, "loss": "squared-error"} | changes))


def test_metric_and_direction_follow_the_loss():
    assert (tiny_rows().metric, tiny_rows().direction) == ("accuracy", "maximize")
    assert (tiny_values().metric, tiny_values().direction) == ("mean-squared-error", "minimize")
    assert not tiny_rows().is_sequence
    assert tiny_symbols().is_sequence


def test_constant_value_is_learnt_on_train_and_scored_on_validation():
    assert tiny_rows().constant_value == 0.5  # train says 1; validation holds 0 and 1
    assert tiny_rows(train=torch.tensor([0, 1])).constant_value == 0.5  # a tie goes to class 0
    assert tiny_rows(validation=torch.tensor([4])).constant_value == 1.0
    assert tiny_values().constant_value == 2.0  # the means are 3 and 1: squared errors 0, 0, 4 and 4


def test_batch_of_rows():
    x, lengths, y = tiny_rows().batch(torch.tensor([4, 0]))
    assert lengths is None
    assert torch.equal(x, torch.tensor([[8.0, 9.0], [0.0, 1.0]]))
    assert torch.equal(y, torch.tensor([1, 0]))


def test_batch_of_symbols_is_one_hot_and_cut_at_its_longest():
    x, lengths, y = tiny_symbols().batch(torch.tensor([2, 1]))
    assert lengths is not None
    assert lengths.tolist() == [2, 1]
    assert x.dtype == torch.float32
    assert x.tolist() == [[[0, 0, 1], [0, 0, 1]], [[0, 1, 0], [0, 0, 0]]]
    assert y.tolist() == [1, 1]
    assert tiny_symbols().batch(torch.tensor([0]))[0].tolist() == [[[1, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]]]


def test_batch_of_float_sequences():
    values = np.arange(60, dtype=np.float64).reshape(10, 3, 2)
    task = Task.from_arrays("waves", values, np.arange(10) % 2, lengths=[1, 2] + [3] * 8)
    x, lengths, _ = task.batch(torch.tensor([0, 1]))
    assert lengths is not None
    assert lengths.tolist() == [1, 2]
    assert x.tolist() == [[[0, 1], [0, 0]], [[6, 7], [8, 9]]]
    assert (task.n_inputs, task.n_outputs, task.inputs.dtype) == (2, 2, torch.float32)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no second device")
def test_to_moves_every_tensor():
    task = tiny_symbols().to("cuda")
    x, lengths, y = task.batch(task.train)
    assert lengths is not None
    assert {x.device.type, lengths.device.type, y.device.type, task.test.device.type} == {"cuda"}
    assert torch.equal(x.cpu(), tiny_symbols().batch(torch.tensor([0, 1, 2]))[0])
    assert (task.fingerprint, task.constant_value) == (tiny_symbols().fingerprint, tiny_symbols().constant_value)


@pytest.mark.parametrize(
    "changes",
    [
        {"inputs": torch.ones(6, 2)},
        {"targets": torch.tensor([0, 1, 1, 0, 1, 1])},
        {"train": torch.tensor([0, 2, 1])},
        {"validation": torch.tensor([4, 3])},
        {"test": torch.tensor([3]), "validation": torch.tensor([4])},
        {"n_outputs": 4},
    ],
)
def test_fingerprint_follows_data_and_parts(changes):
    assert tiny_rows(**changes).fingerprint != tiny_rows().fingerprint


def test_fingerprint_ignores_words():
    renamed = tiny_rows(name="other", description="words", plateaus={"constant": 0.5}, recipe={"epochs": 3})
    assert renamed.fingerprint == tiny_rows().fingerprint


def test_fingerprint_has_the_documented_layout():
    task = tiny_symbols()
    parts = [
        b"wirenas-task-1\0cross-entropy 3 3\n",
        b"uint8 (6, 4)\n" + bytes([0, 2, 1, 0, 1, 3, 3, 3, 2, 2, 3, 3, 0, 3, 3, 3, 1, 3, 3, 3, 2, 3, 3, 3]),
        b"int64 (6,)\n" + struct.pack("<6q", 4, 1, 2, 1, 1, 1),
        b"int64 (6,)\n" + struct.pack("<6q", 0, 1, 1, 0, 1, 2),
        b"int64 (3,)\n" + struct.pack("<3q", 0, 1, 2),
        b"int64 (2,)\n" + struct.pack("<2q", 3, 4),
        b"int64 (1,)\n" + struct.pack("<q", 5),
    ]
    assert task.fingerprint == hashlib.sha256(b"".join(parts)).hexdigest()


@pytest.mark.parametrize(
    ("make", "changes", "message"),
    [
        (tiny_rows, {"inputs": torch.ones(6, 3)}, r"inputs have shape \(6, 3\) .* n_inputs=2 needs float32 \(n, 2\)"),
        (tiny_rows, {"inputs": torch.ones(6, 2).double()}, "needs float32"),
        (tiny_rows, {"inputs": torch.full((6, 2), torch.nan)}, "not finite"),
        (tiny_rows, {"inputs": torch.ones(0, 2)}, "needs examples"),
        (tiny_rows, {"targets": torch.zeros(5).long()}, r"targets have shape \(5,\).*needs \(6,\)"),
        (tiny_rows, {"targets": torch.zeros(6)}, "cross-entropy needs"),
        (tiny_rows, {"targets": torch.tensor([0, 1, 2, 3, 0, 0])}, "classes reach from 0 to 3: n_outputs=3"),
        (tiny_rows, {"targets": torch.tensor([0, 1, 2, -1, 0, 0])}, "classes reach from -1 to 2"),
        (tiny_rows, {"loss": "hinge"}, "loss='hinge': it must be 'cross-entropy' or 'squared-error'"),
        (tiny_rows, {"train": torch.tensor([0, 3])}, "disjoint"),
        (tiny_rows, {"train": torch.tensor([0, 0])}, "disjoint"),
        (tiny_rows, {"test": torch.tensor([6])}, "test holds an index outside the 6 examples"),
        (tiny_rows, {"test": torch.tensor([-1])}, "test holds an index outside the 6 examples"),
        (tiny_rows, {"validation": torch.zeros(0).long()}, "validation has shape"),
        (tiny_rows, {"validation": torch.tensor([3], dtype=torch.int32)}, "int64"),
        (tiny_rows, {"lengths": torch.ones(6).long()}, "lengths are for sequences only"),
        (tiny_symbols, {"lengths": None}, "lengths are needed for sequences"),
        (tiny_symbols, {"lengths": torch.tensor([4, 1, 2, 1, 1])}, r"lengths have shape \(5,\): \(6,\) int64"),
        (tiny_symbols, {"lengths": torch.tensor([4, 1, 2, 1, 1, 0])}, "lengths reach from 0 to 4"),
        (tiny_symbols, {"lengths": torch.tensor([5, 1, 2, 1, 1, 1])}, "lengths reach from 1 to 5"),
        (tiny_symbols, {"lengths": torch.tensor([3, 1, 2, 1, 1, 1])}, "padding 3 must stand behind"),
        (tiny_symbols, {"lengths": torch.tensor([4, 2, 2, 1, 1, 1])}, "padding 3 must stand behind"),
        (tiny_symbols, {"n_inputs": 2}, "symbol 3 is none of the 2"),
        (tiny_values, {"n_outputs": 3}, r"squared-error needs \(6, 3\)"),
        (tiny_values, {"targets": torch.full((6, 2), torch.inf)}, "targets hold a value that is not finite"),
    ],
)
def test_contradictions_are_refused_in_one_line(make, changes, message):
    with pytest.raises(ValueError, match=message) as caught:
        make(**changes)
    assert "\n" not in str(caught.value)


def test_own_arrays_become_a_task():
    rng = np.random.default_rng(0)
    task = Task.from_arrays("own", rng.random((100, 5)), np.repeat([0, 1], [70, 30]), description="own data")
    assert (task.n_inputs, task.n_outputs, task.loss, task.description) == (5, 2, "cross-entropy", "own data")
    assert [len(part) for part in (task.train, task.validation, task.test)] == [64, 16, 20]
    assert [int(task.targets[part].sum()) for part in (task.train, task.validation, task.test)] == [19, 5, 6]
    values = Task.from_arrays("own", rng.random((100, 5)), rng.random(100))
    assert (values.loss, values.n_outputs, values.targets.shape) == ("squared-error", 1, (100, 1))
    assert Task.from_arrays("own", rng.random((20, 1)), np.arange(20) % 2 == 0).n_outputs == 2


def test_shares_of_strata_are_kept_in_all_parts():
    strata = np.repeat([0, 1], [75, 25])
    task = Task.from_arrays("own", np.ones((100, 2)), np.zeros(100, np.int64), strata=strata)
    assert [int(strata[part].sum()) for part in (task.train, task.validation, task.test)] == [16, 4, 5]


def test_own_symbols_are_padded_behind_their_ends():
    task = Task.from_arrays("own", np.tile([0, 1, 2], (20, 1)), np.arange(20) % 2, lengths=[2] * 20, n_symbols=3)
    assert task.inputs.dtype == torch.uint8
    assert task.inputs[7].tolist() == [0, 1, 3]
    whole = Task.from_arrays("own", np.tile([0, 1, 2], (20, 1)), np.arange(20) % 2, n_symbols=3)
    assert whole.lengths is not None
    assert set(whole.lengths.tolist()) == {3}


@pytest.mark.parametrize(
    ("inputs", "options", "message"),
    [
        (np.ones(20), {}, r"inputs have shape \(20,\): they must be \(n, n_inputs\) rows"),
        (np.ones((20, 2, 2)), {"n_symbols": 3}, r"they must be \(n, time\) symbols"),
        (np.ones((20, 2)), {"n_symbols": 3}, "symbols have type float64"),
        (np.full((20, 2), 3), {"n_symbols": 3}, "symbols reach from 3 to 3"),
        (np.full((20, 2), -1), {"n_symbols": 3}, "symbols reach from -1 to -1"),
        (np.full((20, 2), 0), {"n_symbols": 256}, "n_symbols=256"),
        (np.ones((20, 2, 2)), {"lengths": [1, 2]}, r"lengths have shape \(2,\)"),
        (np.ones((20, 2)), {"lengths": [1] * 20}, "for sequences only"),
        (np.ones((20, 2)), {"test": [20]}, "test holds an index outside the 20 examples"),
    ],
)
def test_own_arrays_that_make_no_task(inputs, options, message):
    with pytest.raises(ValueError, match=message):
        Task.from_arrays("own", inputs, np.arange(20) % 2, **options)


def test_empty_arrays_make_no_task():
    with pytest.raises(ValueError, match="targets are empty"):
        Task.from_arrays("own", np.ones((0, 2)), np.zeros(0, np.int64))


@given(st.lists(st.integers(5, 60), min_size=1, max_size=5), st.integers(0, 5), st.floats(0.2, 0.8))
@settings(deadline=None, max_examples=50)
def test_stratified_split_takes_the_same_share_of_every_class(sizes, seed, fraction):
    targets = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    rest, part = stratified_split(targets, fraction, np.random.default_rng(seed))
    assert sorted([*rest, *part]) == list(range(len(targets)))
    assert (np.diff(rest) > 0).all()
    assert (np.diff(part) > 0).all()
    assert [int((targets[part] == label).sum()) for label in range(len(sizes))] == [round(fraction * n) for n in sizes]


def test_split_is_drawn_from_uniform_numbers_only():
    # The definition in three lines, for one class: sort uniform draws, take the first fifth.
    rng = np.random.default_rng(7)
    test = np.sort(np.argsort(rng.random(50), kind="stable")[:10])
    rest = np.setdiff1d(np.arange(50), test)
    validation = np.sort(rest[np.argsort(rng.random(40), kind="stable")[:8]])
    for targets in (np.zeros(50, np.int64), np.random.default_rng(0).random((50, 2))):
        parts = split(targets, seed=7)
        assert np.array_equal(parts[2], test)
        assert np.array_equal(parts[1], validation)
        assert np.array_equal(parts[0], np.setdiff1d(rest, validation))


def test_published_test_part_is_kept():
    published = np.array([9, 3, 1])
    train, validation, test = split(np.zeros(23, np.int64), test=published)
    assert test.tolist() == [9, 3, 1]
    assert len(validation) == 4
    assert sorted([*train, *validation, *test]) == list(range(23))
    task = Task.from_arrays("own", np.ones((23, 2)), np.zeros(23, np.int64), test=published)
    assert task.test.tolist() == [9, 3, 1]


def test_splits_that_cannot_be_made():
    with pytest.raises(ValueError, match=r"fraction=1.5: a split needs 0 < fraction < 1"):
        stratified_split([0, 1], 1.5, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"2 examples are too few to take 0.2 of every class"):
        split([0, 1])
    with pytest.raises(ValueError, match="test holds an index outside the 3 examples"):
        split([0, 1, 1], test=[-1])


def documented_plateaus(make):
    line = re.search(r"Plateaus on the test part: (.+)\.\n", make.__doc__)[1]
    return dict(entry.rsplit(" ", 1) for entry in line.split(", "))


def test_digits():
    task = digits()
    assert task.inputs.shape == (1797, 64)
    assert (float(task.inputs.min()), float(task.inputs.max())) == (0.0, 1.0)
    assert (task.n_inputs, task.n_outputs, task.metric) == (64, 10, "accuracy")
    assert [len(part) for part in (task.train, task.validation, task.test)] == [1151, 287, 359]
    assert torch.bincount(task.targets[task.test]).tolist() == [36, 36, 35, 37, 36, 36, 36, 36, 35, 36]
    assert task.fingerprint == digits().fingerprint
    assert task.plateaus == pytest.approx({"constant": 36 / 359, "nearest class mean": 331 / 359})
    assert documented_plateaus(digits) == {name: f"{value:.3f}" for name, value in task.plateaus.items()}


def test_tasks_by_name():
    assert list(TASKS)[:6] == ["digits", "reber", "reber-published", "reber-embedded", "mnist", "fashion-mnist"]
    assert list(TASKS)[6:8] == ["mnist-1d", "mnist-1d-shuffled"]
    assert list(TASKS)[8:] == ["adding", "copy", "delayed-parity", "sequential-digits", "mackey-glass", "lorenz"]


def test_unknown_task_is_answered_with_the_names():
    with pytest.raises(
        ValueError,
        match=r"\(nearest: digits\); known: digits, reber, reber-published, reber-embedded, mnist, fashion-mnist, "
        r"mnist-1d, mnist-1d-shuffled, adding, copy, delayed-parity, sequential-digits, mackey-glass, lorenz$",
    ):
        load_task("digist")
    with pytest.raises(ValueError, match=r"\(nearest: reber-embedded\)"):
        load_task("reber_embeded")


# Weights


def test_weights_are_relative_to_the_training_part():
    task = tiny_rows(weights=torch.tensor([1.0, 2.0, 3.0, 4.0, 0.0, 1.0]))
    assert task.relative_weights.tolist() == [0.5, 1.0, 1.5, 2.0, 0.0, 0.5]
    assert tiny_rows().relative_weights is None
    assert task.fingerprint != tiny_rows().fingerprint
    assert Task.from_arrays("own", np.eye(20), np.arange(20) % 2, weights=range(1, 21)).weights.tolist()[-1] == 20.0


def test_constant_predictions_heed_weights():
    weights = torch.tensor([8.0, 1.0, 1.0, 1.0, 3.0, 1.0])
    assert tiny_rows().constant_value == 0.5
    assert tiny_rows(weights=weights).constant_value == 0.25  # Class 0 is commonest, and the first of two is of it.
    task = tiny_values(weights=weights)
    values, own = task.targets.double().numpy(), weights.numpy()
    mean = np.average(values[:3], axis=0, weights=own[:3])
    expected = np.average(((values[3:5] - mean) ** 2).mean(axis=1), weights=own[3:5])
    assert task.constant_value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (torch.ones(5), r"shape \(5,\)"),
        (torch.ones(6, dtype=torch.float64), "float64"),
        (torch.tensor([1.0, -1.0, 1.0, 1.0, 1.0, 1.0]), "negative"),
        (torch.tensor([1.0, float("nan"), 1.0, 1.0, 1.0, 1.0]), "not finite"),
        (torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0, 1.0]), "validation"),
    ],
)
def test_weights_that_weigh_nothing_are_refused(weights: torch.Tensor, message: str):
    with pytest.raises(ValueError, match=message):
        tiny_rows(weights=weights)
