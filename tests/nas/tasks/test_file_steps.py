"""Files of sequences with a target for each step."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from command_line import wirenas

from nas import Task, load_pipeline
from nas.errors import InputError
from nas.tasks.files.loading import read_file

pytestmark = pytest.mark.usefixtures("no_plot")

N, TIME = 60, 7


def arrays(seed: int = 0, text: bool = False) -> dict[str, Any]:
    """Sequences whose class at each step says whether the inputs so far add up to more than 0."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, TIME + 1, N)
    x = rng.normal(size=(N, TIME, 2))
    above = x.sum(axis=2).cumsum(axis=1) > 0
    y = np.where(above, "above", "below") if text else above.astype(int)
    return {"X": x, "y": y, "lengths": lengths}


def inside(held: dict[str, Any]) -> Any:
    return np.arange(TIME) < held["lengths"][:, None]


def task_of(path: Path, held: dict[str, Any], **options: Any) -> Task:
    np.savez(path / "steps.npz", **held)
    return read_file(f"npz:{path / 'steps.npz'}", options).task


@pytest.mark.parametrize("text", [False, True])
def test_classes_of_steps_are_those_of_arrays(tmp_path: Path, text: bool) -> None:
    held = arrays(text=text)
    own = task_of(tmp_path, held)
    expected = Task.from_arrays("steps", held["X"], held["y"], lengths=held["lengths"])
    assert own.is_stepwise
    assert torch.equal(own.targets, expected.targets)
    assert own.counted is not None
    assert np.array_equal(own.counted.numpy(), inside(held))
    assert own.labels == (("above", "below") if text else ())
    assert own.n_outputs == 2
    parts = torch.cat([own.train, own.validation, own.test]).sort().values
    assert torch.equal(parts, torch.arange(N))
    # End to end, as sequences of different lengths are often kept.
    flat = {"X": held["X"][inside(held)], "y": held["y"][inside(held)], "lengths": held["lengths"]}
    again = task_of(tmp_path, flat)
    steps = int(held["lengths"].max())
    assert torch.equal(again.targets, own.targets[:, :steps])
    assert torch.equal(again.inputs, own.inputs[:, :steps])


def test_numbers_of_steps_are_scaled_by_the_steps_that_are_learned_from(tmp_path: Path) -> None:
    held = arrays()
    numbers = 50 + 3 * held["X"].cumsum(axis=1)
    own = task_of(tmp_path, {**held, "y": numbers})
    assert own.is_stepwise
    assert own.metric == "mse"
    learned = inside(held)[own.train.numpy()]
    train = numbers[own.train.numpy()][learned]
    expected = (numbers - train.mean(axis=0)) / train.std(axis=0)
    assert np.allclose(own.targets.numpy()[inside(held)], expected[inside(held)], atol=1e-4)
    assert np.isnan(own.targets.numpy()[~inside(held)]).all()
    one = task_of(tmp_path, {**held, "y": numbers[:, :, :1]})
    assert one.targets.shape == (N, TIME, 1)
    flat = {"X": held["X"][inside(held)], "y": numbers[inside(held)][:, 0], "lengths": held["lengths"]}
    again = task_of(tmp_path, flat)
    assert torch.equal(again.targets.nan_to_num(), one.targets[:, : again.targets.shape[1]].nan_to_num())


def test_two_dimensions_of_numbers_are_predicted_at_the_end(tmp_path: Path) -> None:
    held = arrays()
    own = task_of(tmp_path, {**held, "y": held["X"][:, :, 0]})
    assert not own.is_stepwise
    assert own.n_outputs == TIME
    assert not task_of(tmp_path, held, metric="mse").is_stepwise


def test_a_file_says_which_steps_count(tmp_path: Path) -> None:
    held = arrays()
    counted = np.random.default_rng(3).random((N, TIME)) < 0.5
    counted[:, 0] = True
    counted[5] = False
    loaded = task_of(tmp_path, {**held, "counted": counted})
    assert len(loaded.inputs) == N - 1
    assert any("1 of 60 examples have no y and are left out" in note for note in loaded.notes)
    both = np.delete(counted & inside(held), 5, axis=0)
    assert loaded.counted is not None
    assert np.array_equal(loaded.counted.numpy(), both)
    for wrong in (counted.astype(int), counted[:, 1:]):
        with pytest.raises(InputError, match=r"counted: it has shape .* bool \(60, 7\) is needed"):
            task_of(tmp_path, {**held, "counted": wrong})
    flat = {**held, "y": held["y"][inside(held)], "counted": counted[inside(held)]}
    assert torch.equal(task_of(tmp_path, flat).targets, loaded.targets)
    with pytest.raises(InputError, match="are predicted at the end of a sequence with metric=mse; for those of each"):
        task_of(tmp_path, {**held, "counted": counted}, metric="mse")
    with pytest.raises(
        InputError, match=r"which steps count, and targets of shape \(60,\) and type int64 are predicted at the"
    ):
        task_of(tmp_path, {**held, "y": held["y"][:, 0], "counted": counted})
    with pytest.raises(InputError, match="target=y: no step counts"):
        task_of(tmp_path, {**held, "counted": np.zeros_like(counted)})


def test_parts_of_different_lengths_and_rare_classes(tmp_path: Path) -> None:
    first, second = arrays(), arrays(1)
    y = second["y"].copy()
    y[0, 0] = 2
    cut = {"X_train": first["X"], "y_train": first["y"], "lengths_train": first["lengths"]}
    cut |= {"X_test": second["X"][:, :5], "y_test": y[:, :5], "lengths_test": np.minimum(second["lengths"], 5)}
    own = task_of(tmp_path, cut)
    assert own.targets.shape == (2 * N, TIME)
    assert own.test.tolist() == list(range(N, 2 * N))
    assert any("1 of" in note and "test steps have a class that training never sees" in note for note in own.notes)
    weighted = task_of(tmp_path, first, class_weights=True)
    flat = weighted.targets[weighted.train]
    counts = torch.bincount(flat[flat >= 0], minlength=2)
    assert weighted.class_weights is not None
    assert torch.allclose(weighted.class_weights, counts.sum() / counts / 2, rtol=1e-5)
    np.savez(tmp_path / "test.npz", X=second["X"][:, :5], y=y[:, :5], lengths=np.minimum(second["lengths"], 5))
    joined = task_of(tmp_path, first, test=str(tmp_path / "test.npz"))
    assert torch.equal(joined.targets, own.targets)
    with pytest.raises(InputError, match="targets of its parts have shapes"):
        task_of(tmp_path, {**cut, "y_test": np.zeros((N, 3, 2))})


@pytest.mark.parametrize("text", [False, True])
def test_a_campaign_learns_them_and_its_network_says_them(tmp_path: Path, text: bool) -> None:
    held = arrays(text=text)
    np.savez(tmp_path / "steps.npz", **held)
    task = f"npz:{tmp_path / 'steps.npz'}"
    few = ("--trials", 1, "--finalists", 1, "--final-seeds", 1, "--epochs", 60, "--nodes", 10, "--learning-rate", 0.03)
    code, _, err = wirenas("run", "--task", task, "--network", "rnn", *few, "--out", tmp_path / "found")
    assert code == 0, err
    pipeline = load_pipeline(tmp_path / "found")
    found = pipeline.predict(held["X"], held["lengths"])
    assert found.shape == (N, TIME)
    assert all(value is None for value in found[~inside(held)])
    right = np.mean(found[inside(held)] == held["y"][inside(held)])
    assert right > 0.8
    new = tmp_path / "new.npz"
    np.savez(new, X=held["X"], lengths=held["lengths"])
    code, text_of, _ = wirenas("apply", tmp_path / "found", new, "--json")
    assert code == 0
    assert json.loads(text_of)["predictions"] == found.tolist()
    code, table, _ = wirenas("apply", tmp_path / "found", new)
    rows = list(csv.reader(io.StringIO(table)))
    assert rows[0] == [f"y_{step}" for step in range(TIME)]
    assert rows[1] == ["" if value is None else str(value) for value in found[0].tolist()]


def test_numbers_come_back_in_their_own_units(tmp_path: Path) -> None:
    held = arrays()
    numbers = 50 + 3 * held["X"].cumsum(axis=1)
    np.savez(tmp_path / "steps.npz", **{**held, "y": numbers})
    few = ("--trials", 1, "--finalists", 1, "--final-seeds", 1, "--epochs", 60, "--nodes", 10, "--learning-rate", 0.03)
    code, _, err = wirenas("run", "--task", f"npz:{tmp_path / 'steps.npz'}", "--network", "rnn", *few, "--out",
                           tmp_path / "found")  # fmt: skip
    assert code == 0, err
    found = load_pipeline(tmp_path / "found").predict(held["X"], held["lengths"])
    assert found.shape == (N, TIME, 2)
    assert np.isnan(found[~inside(held)]).all()
    wanted = numbers[inside(held)]
    assert np.mean((found[inside(held)] - wanted) ** 2) < 0.5 * wanted.var()
    np.savez(tmp_path / "new.npz", X=held["X"], lengths=held["lengths"])
    code, said, _ = wirenas("apply", tmp_path / "found", tmp_path / "new.npz", "--json")
    assert code == 0
    told = np.array(json.loads(said)["predictions"], dtype=float)
    assert np.allclose(told, found, equal_nan=True)


def test_what_would_be_done_is_shown(tmp_path: Path) -> None:
    held = arrays()
    np.savez(tmp_path / "steps.npz", **held)
    code, said, _ = wirenas("data", tmp_path / "steps.npz", "--json")
    assert code == 0
    assert json.loads(said)["columns"]["y"] == f"target: 2 classes ('0', '1') at each step ({inside(held).sum()} count)"


def test_what_stands_behind_the_end_does_not_matter(tmp_path: Path) -> None:
    held = arrays()
    expected = task_of(tmp_path, held)
    padded = {**held, "y": np.where(inside(held), held["y"], -1)}
    assert torch.equal(task_of(tmp_path, padded).targets, expected.targets)
    named = task_of(tmp_path, {**padded, "classes": np.array(["low", "high"])})
    assert named.labels == ("high", "low")
    assert torch.equal(torch.where(named.targets < 0, -1, 1 - named.targets), expected.targets)
    numbers = np.where(inside(held), held["X"][:, :, 0], np.nan)
    one = task_of(tmp_path, {**held, "y": numbers})
    assert one.is_stepwise
    assert torch.equal(
        one.targets.nan_to_num(), task_of(tmp_path, {**held, "y": numbers[:, :, None]}).targets.nan_to_num()
    )
    flat = task_of(tmp_path, {**held, "y": numbers[inside(held)]})
    assert torch.equal(flat.targets.nan_to_num(), one.targets.nan_to_num())
    ends = task_of(tmp_path, {**held, "y": held["X"][:, :, 0]})
    assert "y is (60, 7): 7 numbers at the end of each sequence; for one at each step give (n, 7, 1)" in ends.notes


def test_inputs_may_be_wider_than_the_longest_sequence(tmp_path: Path) -> None:
    held = arrays()
    held["lengths"] = np.minimum(held["lengths"], TIME - 2)
    expected = task_of(tmp_path, held)
    flat = task_of(tmp_path, {**held, "y": held["y"][inside(held)]})
    assert torch.equal(flat.targets, expected.targets)
    with pytest.raises(InputError, match=r"target=y: it has shape \(60, 5\), and sequences have 7 steps"):
        task_of(tmp_path, {**held, "y": held["y"][:, : TIME - 2]})


def test_parts_agree_on_what_counts(tmp_path: Path) -> None:
    held = arrays()
    counted = np.random.default_rng(3).random((N, TIME)) < 0.5
    counted[:, 0] = True
    parts = {f"{name}_{part}": own for name, own in held.items() for part in ("train", "test")}
    own = task_of(tmp_path, {**parts, "counted_train": counted})
    assert own.counted is not None
    assert np.array_equal(own.counted[:N].numpy(), counted & inside(held))
    assert np.array_equal(own.counted[N:].numpy(), inside(held))
    floats = {**parts, "y_train": held["X"][:, :, 0], "y_test": held["X"][:, :4, 0], "X_test": held["X"][:, :4]}
    floats["lengths_test"] = np.minimum(held["lengths"], 4)
    with pytest.raises(InputError, match="targets of its parts have shapes"):
        task_of(tmp_path, floats)


def test_numbers_beside_classes_stay_numbers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    held = {"X": rng.normal(size=(N, 6)), "y": rng.integers(0, 2, (N, 3)), "classes": np.array(["cat", "dog", "cow"])}
    own = task_of(tmp_path, held)
    assert (own.loss, own.n_outputs, own.labels) == ("squared-error", 3, ())


@pytest.mark.parametrize("width", [TIME - 1, TIME + 1, 2])
def test_classes_of_another_number_of_steps_are_refused(width: int, tmp_path: Path):
    held = arrays()
    held["y"] = np.resize(held["y"], (N, width))
    told = rf"target=y: it has shape \({N}, {width}\), and sequences have {TIME} steps; .* give metric=mse"
    with pytest.raises(InputError, match=told):
        task_of(tmp_path, held)
    assert task_of(tmp_path, held, metric="mse").n_outputs == width


def test_what_is_missing_is_said(tmp_path: Path):
    held = arrays(text=True)
    rows, steps = inside(held).nonzero()
    held["X"][rows[3], steps[3], 0], held["X"][rows[9], steps[9], 1] = np.nan, np.inf
    held["X"][~inside(held)] = np.nan  # Nobody reads what is behind an end.
    held["y"][rows[:5], steps[:5]] = ""
    np.savez(tmp_path / "steps.npz", **held)
    loaded = read_file(f"npz:{tmp_path / 'steps.npz'}")
    notes = loaded.task.notes
    total = int(inside(held).sum())
    assert (
        f"X: 2 of {2 * total} values are missing, or no finite numbers, and count as the mean of their channel" in notes
    )
    assert f"5 of {total} steps have no y, or no finite one, and do not count" in notes
    assert loaded.task.counted.sum() == total - 5
