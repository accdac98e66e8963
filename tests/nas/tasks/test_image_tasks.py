"""MNIST and Fashion-MNIST: what the tasks hold, by name and on the command line, and the published data."""

import urllib.error
from pathlib import Path

import numpy as np
import pytest
import torch
from image_cases import LABELS, N_TEST, N_TRAIN, NAMES, PIXELS, SIDE, TINY, OpenML, refusal, write

from nas.cli.app import main
from nas.tasks import FROM_FILES, images, load_task, mnist
from nas.tasks.images import FASHION_MNIST, MNIST, ImageSet, image_task

pytestmark = pytest.mark.usefixtures("openml")

# The task


@pytest.mark.parametrize("packed", [False, True])
def test_a_task_from_files(tmp_path: Path, packed: bool):
    task = image_task(TINY, "tiny", write(tmp_path, packed=packed))
    assert (task.name, task.description, task.metric) == ("mnist", "tiny", "accuracy")
    assert (task.n_inputs, task.n_outputs) == (SIDE * SIDE, 3)
    assert (task.inputs.dtype, task.targets.dtype) == (torch.float32, torch.int64)
    assert np.array_equal(task.inputs.numpy(), PIXELS.reshape(-1, SIDE * SIDE).astype(np.float32) / np.float32(255))
    assert np.array_equal(task.targets.numpy(), LABELS)
    assert task.test.tolist() == list(range(N_TRAIN, N_TRAIN + N_TEST))
    assert torch.bincount(task.targets[task.validation]).tolist() == [3, 6, 3]
    assert len(task.train) == 48
    assert task.plateaus == {"constant": 0.25} == {"constant": task.constant_score(task.test)}
    assert task.fingerprint == image_task(TINY, "other words", tmp_path).fingerprint


# By name, and on the command line


def test_only_tasks_with_files_take_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert list(FROM_FILES) == ["mnist", "fashion-mnist"]
    monkeypatch.setattr(images, "MNIST", TINY)
    assert load_task("mnist", folder=write(tmp_path)).n_inputs == 9
    assert refusal(load_task, "digits", tmp_path) == (
        f"data={tmp_path}: task digits reads no files; leave it out, it is for mnist, fashion-mnist"
    )


def test_the_sets_do_not_take_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(images, "MNIST", TINY)
    monkeypatch.setattr(
        images, "FASHION_MNIST", ImageSet("fashion-mnist", "x", ("0" * 32,) * 4, N_TRAIN, N_TEST, (3, 3))
    )
    write(tmp_path)
    assert load_task("mnist", tmp_path).name == "mnist"
    assert f"where train-images-idx3-ubyte has {'0' * 32}" in refusal(load_task, "fashion-mnist", tmp_path)


def command(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["wirenas", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_offline_the_command_line_ends_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, openml: OpenML, capsys: pytest.CaptureFixture[str]
):
    openml.error = urllib.error.URLError("offline")
    assert command(monkeypatch, "run", "--task", "mnist", "--out", str(tmp_path / "out")) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("wirenas: mnist: the four published idx files")
    assert not (tmp_path / "out").exists()


def test_a_campaign_resumes_with_data_found_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, openml: OpenML, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(images, "MNIST", TINY)
    openml.error = urllib.error.URLError("offline")
    out, first, second = (str(tmp_path / name) for name in ("out", "first", "second"))
    words = "--task mnist --trials 1 --nodes 8 --epochs 1 --learning-rate 0.01 --finalists 1 --final-seeds 1 --batch 1"
    write(Path(first))
    assert command(monkeypatch, "run", "--data", first, "--out", out, *words.split()) == 0, capsys.readouterr().err
    stored = b"".join(path.read_bytes() for path in Path(out).rglob("*") if path.is_file())
    assert first.encode() not in stored
    for path in Path(first).iterdir():
        path.unlink()
    write(Path(second))
    assert command(monkeypatch, "run", "--trials", "2", "--data", second, "--out", out) == 0, capsys.readouterr().err
    assert command(monkeypatch, "run", "--out", out, "--data", first) == 2
    assert "are in none of" in capsys.readouterr().err


# The published data


def test_the_checksums_are_the_published_ones():
    assert MNIST.md5[0] == "6bbc9ace898e44ae57da46a324031adb"
    assert FASHION_MNIST.md5[3] == "15d484375f8d13e6eb1aabb0c3f46965"
    assert [(file.name, file.size) for file in MNIST.files] == [
        (NAMES[0], 47040016),
        (NAMES[1], 60008),
        (NAMES[2], 7840016),
        (NAMES[3], 10008),
    ]
    assert [file.header[:4].hex() for file in MNIST.files] == ["00000803", "00000801"] * 2


# Mean and standard deviation of the training images as commonly published; class counts of train and test.
PUBLISHED = {
    "mnist": (
        (0.1307, 0.3081),
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    ),
    "fashion-mnist": ((0.2860, 0.3530), [6000] * 10, [1000] * 10),
}


@pytest.mark.parametrize("name", FROM_FILES)
def test_published_images(name: str, shared_data: Path):
    task = load_task(name, shared_data)
    (mean, deviation), in_train, in_test = PUBLISHED[name]
    assert task.inputs.shape == (70_000, 784)
    assert (float(task.inputs.min()), float(task.inputs.max())) == (0.0, 1.0)
    assert float(task.inputs[:60_000].mean(dtype=torch.float64)) == pytest.approx(mean, abs=5e-5)
    assert float(task.inputs[:60_000].std()) == pytest.approx(deviation, abs=1e-4)
    assert float((task.inputs == 0).float().mean()) > 0.49  # The background stays exactly 0.
    assert (task.n_outputs, task.metric, len(task.train), len(task.validation)) == (10, "accuracy", 48_000, 12_000)
    assert task.test.tolist() == list(range(60_000, 70_000))
    assert torch.bincount(task.targets[:60_000]).tolist() == in_train
    assert torch.bincount(task.targets[task.test]).tolist() == in_test
    assert torch.bincount(task.targets[task.validation]).tolist() == [round(0.2 * n) for n in in_train]
    assert task.plateaus == {"constant": max(in_test) / 10_000 if name == "mnist" else 0.1}
    assert f"constant {task.plateaus['constant']:.3f}" in str(FROM_FILES[name].__doc__)


def test_the_published_files_give_one_fingerprint(shared_data: Path):
    assert mnist(shared_data).fingerprint == "1a55687488c491b9d8bae68a0144603cd6cd5e3adab9e76e0a75f0f718d29337"
