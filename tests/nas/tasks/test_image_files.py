"""Files of MNIST and Fashion-MNIST: where they are looked for, what is refused, and what is fetched."""

import gzip
import hashlib
import struct
import urllib.error
from http.client import IncompleteRead
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_cases import ARRAYS, CONTENTS, LABELS, MD5, N_TEST, NAMES, PIXELS, TINY, OpenML, idx, refusal, write

from nas.errors import InputError
from nas.tasks import load_task
from nas.tasks.images import IdxFile, cache_folder, image_task, locate

pytestmark = pytest.mark.usefixtures("openml")

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
