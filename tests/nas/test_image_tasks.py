"""MNIST and Fashion-MNIST: where files are looked for, what is refused, what is fetched, and what the tasks hold."""

import gzip
import hashlib
import inspect
import struct
import urllib.error
import warnings
from http.client import IncompleteRead
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import fetch_openml

from nas.cli import main
from nas.errors import InputError
from nas.tasks import FROM_FILES, images, load_task, mnist
from nas.tasks.idx import IdxFile
from nas.tasks.image_files import ImageSet, cache_folder, locate
from nas.tasks.images import FASHION_MNIST, MNIST, image_task

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


@pytest.fixture(autouse=True)
def openml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenML:
    """No test reads the user's folders or the network."""
    monkeypatch.delenv("WIRENAS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    fake = OpenML()
    monkeypatch.setattr("sklearn.datasets.fetch_openml", fake)
    return fake


def refusal(call: Any, *args: Any) -> str:
    with pytest.raises(InputError) as caught:
        call(*args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


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


# Where files are looked for


def test_the_subfolder_goes_before_the_folder(tmp_path: Path):
    # A folder may hold another set under the same file names.
    write(tmp_path, train_labels=b"not these")
    inner = write(tmp_path / "mnist", packed=True)
    assert {path.parent for path in locate(TINY, tmp_path).values()} == {inner}


def test_plain_files_go_before_packed_ones(tmp_path: Path):
    write(write(tmp_path), packed=True)
    assert {path.suffix for path in locate(TINY, tmp_path).values()} == {""}


def test_the_order_is_argument_variable_cache_openml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, openml: OpenML):
    def chosen(folder: Path | None = None) -> Path:
        return next(iter(locate(TINY, folder).values())).parent

    cache = tmp_path / "cache/wirenas/mnist"
    assert chosen() == cache
    assert openml.calls == [("mnist_784", 1)]
    monkeypatch.setenv("WIRENAS_DATA", str(tmp_path / "variable"))
    assert chosen() == cache  # A variable that leads nowhere does not keep from the cache.
    variable = write(tmp_path / "variable/mnist")
    assert chosen() == variable
    assert chosen(write(tmp_path / "argument")) == tmp_path / "argument"
    monkeypatch.setenv("WIRENAS_DATA", "")
    monkeypatch.chdir(variable)
    assert chosen() == cache  # An empty variable is none, and does not mean the working folder.
    assert len(openml.calls) == 1


def test_the_cache_is_in_the_home_unless_xdg_says_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert cache_folder() == tmp_path / "cache/wirenas"
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert cache_folder() == tmp_path / "home/.cache/wirenas"


def test_a_given_folder_without_the_files_is_refused_and_nothing_is_fetched(tmp_path: Path, openml: OpenML):
    write(tmp_path / "cache/wirenas/mnist")
    folder = write(tmp_path / "given", test_labels=None)
    message = refusal(locate, TINY, folder)
    assert f"{folder}/mnist (no train-images-idx3-ubyte), {folder} (no t10k-labels-idx1-ubyte)" in message
    assert message.endswith("give the folder that holds them")
    assert openml.calls == []


# What is refused in a file

TRAIN = IdxFile(NAMES[0], ARRAYS[0].shape, MD5[0])
HEADER = len(TRAIN.header)
WRONG = {
    "empty": (b"", "0 bytes of content, where train-images-idx3-ubyte has 556"),
    "half a magic number": (CONTENTS[NAMES[0]][:2], "2 bytes of content"),
    "labels for images": (CONTENTS[NAMES[1]], "magic number 2049, where train-images-idx3-ubyte begins with 2051"),
    "another shape": (idx(PIXELS[:N_TEST]), r"shape (20, 3, 3), where train-images-idx3-ubyte has (60, 3, 3)"),
    "a shape below 0": (struct.pack(">iiii", 2051, -1, 3, 3), "shape (4294967295, 3, 3)"),
    "header only": (TRAIN.header, f"{HEADER} bytes of content"),
    "short": (CONTENTS[NAMES[0]][:-1], "555 bytes of content, where train-images-idx3-ubyte has 556"),
    "long": (CONTENTS[NAMES[0]] + b"\0", "more than 556 bytes of content"),
    "another pixel": (
        CONTENTS[NAMES[0]][:-1] + bytes([CONTENTS[NAMES[0]][-1] ^ 1]),
        f"of the content, where train-images-idx3-ubyte has {MD5[0]}",
    ),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("content", "problem"), WRONG.values(), ids=WRONG)
def test_content_that_is_not_the_published_one(tmp_path: Path, packed: bool, content: bytes, problem: str):
    write(tmp_path, packed=packed, train_images=content)
    message = refusal(image_task, TINY, "tiny", tmp_path)
    assert message.startswith(f"{tmp_path}/train-images-idx3-ubyte{'.gz' if packed else ''}: ")
    assert problem in message
    assert message.endswith("; replace it by the published file, plain or .gz, or delete it")


@pytest.mark.parametrize("name", NAMES)
def test_every_file_is_checked(tmp_path: Path, name: str):
    content = CONTENTS[name]
    write(tmp_path)
    (tmp_path / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    found = hashlib.md5((tmp_path / name).read_bytes()).hexdigest()
    assert f"{name}: md5 {found} of the content" in refusal(image_task, TINY, "tiny", tmp_path)


def test_files_from_the_cache_are_checked_too(tmp_path: Path):
    write(tmp_path / "cache/wirenas/mnist", train_images=CONTENTS[NAMES[0]][:-1])
    assert "555 bytes" in refusal(image_task, TINY, "tiny")


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda packed: packed[:-9], "the compressed file ends too early"),
        (lambda _: b"plain text", "ot a gzipped file"),
        (lambda packed: packed[:12] + b"\xff" * 8 + packed[20:], "Error -3"),
        (lambda packed: packed[:-8] + b"\0\0\0\0" + packed[-4:], "CRC check failed"),
    ],
)
def test_damaged_packed_files(tmp_path: Path, damage: Any, problem: str):
    write(tmp_path, packed=True)
    path = tmp_path / f"{NAMES[0]}.gz"
    path.write_bytes(damage(path.read_bytes()))
    message = refusal(image_task, TINY, "tiny", tmp_path)
    assert message.startswith(f"{path}: ")
    assert problem in message


def test_a_packed_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked = []
    read = gzip.GzipFile.read

    def bounded(self: gzip.GzipFile, size: int | None = -1) -> bytes:
        asked.append(size)
        return read(self, size)

    monkeypatch.setattr(gzip.GzipFile, "read", bounded)
    write(tmp_path, packed=True, train_images=CONTENTS[NAMES[0]] + bytes(10**6))
    assert "more than 556 bytes" in refusal(image_task, TINY, "tiny", tmp_path)
    assert asked == [557]


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path)

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert f"{tmp_path}/{NAMES[0]}: Permission denied; " in refusal(image_task, TINY, "tiny", tmp_path)


# OpenML


@pytest.mark.parametrize("kind", [object, np.int64, np.float64])
def test_what_openml_gives_is_kept_as_the_published_files(tmp_path: Path, openml: OpenML, kind: Any):
    openml.labels = openml.labels.astype(kind)
    openml.table = openml.table.astype(np.int64 if kind is object else kind)
    task = image_task(TINY, "tiny")
    cache = tmp_path / "cache/wirenas/mnist"
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == CONTENTS
    assert task.fingerprint == image_task(TINY, "tiny", write(tmp_path / "files")).fingerprint
    openml.error = AssertionError("fetched twice")
    assert image_task(TINY, "tiny").fingerprint == task.fingerprint


def test_a_cache_that_was_interrupted_is_completed(tmp_path: Path, openml: OpenML):
    cache = write(tmp_path / "cache/wirenas/mnist", test_labels=None, train_labels=b"half")
    image_task(TINY, "tiny")
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == CONTENTS


@pytest.mark.parametrize(
    ("table", "labels", "problem"),
    [
        (PIXELS[::-1], LABELS, f"mnist_784 of OpenML: md5 .*, where train-images-idx3-ubyte has {MD5[0]}; give"),
        (PIXELS, LABELS[::-1], f"mnist_784 of OpenML: md5 .*, where train-labels-idx1-ubyte has {MD5[1]}; give"),
        (PIXELS[1:], LABELS[1:], r"\(its table has shape \(79, 9\) and 79 labels\)"),
        (PIXELS, LABELS[1:], "and 79 labels"),
        (PIXELS, np.array(["shirt"] * len(LABELS), dtype=object), "invalid literal"),
    ],
)
def test_other_data_from_openml_are_refused_and_not_kept(
    tmp_path: Path, openml: OpenML, table: Any, labels: Any, problem: str
):
    openml.table, openml.labels = table.reshape(len(table), -1), labels
    with pytest.raises(InputError, match=problem):
        image_task(TINY, "tiny")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (urllib.error.URLError("no\nroute"), "<urlopen error no route>"),
        (TimeoutError(), "TimeoutError"),
        (ValueError("md5 checksum does not match"), "md5 checksum does not match"),
        (IncompleteRead(b"12"), "IncompleteRead(2 bytes read)"),
        (EOFError(), "EOFError"),
        (KeyError("data_features"), "'data_features'"),
    ],
)
def test_without_files_and_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, openml: OpenML, error: Exception, reason: str
):
    openml.error = error
    monkeypatch.setenv("WIRENAS_DATA", str(tmp_path / "data"))
    looked = ", ".join(
        f"{tmp_path}/{place} (no train-images-idx3-ubyte)" for place in ("data/mnist", "data", "cache/wirenas/mnist")
    )
    assert refusal(load_task, "mnist") == (
        f"mnist: the four published idx files, plain or .gz, are in none of {looked}, and OpenML did not give them "
        f"({reason}); give the folder that holds them by the environment variable WIRENAS_DATA or by --data"
    )


def test_a_cache_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "cache").write_text("a file")
    message = refusal(image_task, TINY, "tiny")
    assert message.startswith(f"{tmp_path}/cache/wirenas/mnist: Not a directory: ")
    assert "XDG_CACHE_HOME" in message


def test_files_arrive_in_the_cache_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(self: Path, _: bytes) -> None:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert "No space left on device" in refusal(image_task, TINY, "tiny")
    assert list((tmp_path / "cache/wirenas/mnist").iterdir()) == []


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
