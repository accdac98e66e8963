"""Files and folders are written whole or not at all, and what a killed process left is removed."""

import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from priors.files import atomic_folder, atomic_write, remove_leftovers


def test_atomic_write_replaces_in_the_end(tmp_path: Path):
    path = tmp_path / "notes.txt"
    path.write_text("old")
    with atomic_write(path) as temporary:
        assert temporary.parent == tmp_path
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_atomic_write_leaves_nothing_behind_on_failure(tmp_path: Path):
    path = tmp_path / "notes.txt"
    path.write_text("old")

    def fail() -> None:
        with atomic_write(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("write", [atomic_write, atomic_folder])
@pytest.mark.parametrize("of", ["nothing", "the temporary one", "another one"])
def test_errors_speak_of_what_was_asked_for(tmp_path: Path, write: Any, of: str):
    path = tmp_path / "asked"

    def fail() -> None:
        with write(path) as temporary:
            named = {"nothing": (), "the temporary one": (str(temporary),), "another one": ("other",)}[of]
            raise OSError(errno.ENOSPC, "No space left on device", *named)

    with pytest.raises(OSError, match="No space left on device") as caught:
        fail()
    assert caught.value.filename == ("other" if of == "another one" else str(path))
    assert caught.value.errno == errno.ENOSPC


def test_atomic_folder_replaces_in_the_end(tmp_path: Path):
    place = tmp_path / "best"
    for text in ("first", "second"):
        with atomic_folder(place) as temporary:
            assert temporary.parent == tmp_path
            (temporary / text).write_text(text)
            assert not (place / text).exists()
        assert [path.name for path in place.iterdir()] == [text]
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.parametrize("when", ["inside", "moving"])
def test_atomic_folder_leaves_the_old_one_on_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str):
    place, rename = tmp_path / "best", Path.rename
    place.mkdir()
    (place / "old").write_text("old")

    def fail() -> None:
        with atomic_folder(place) as temporary:
            (temporary / "new").write_text("half")
            if when == "inside":
                raise OSError("disk full")
            monkeypatch.setattr(Path, "rename", lambda path, to: gone() if path == temporary else rename(path, to))

    def gone() -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert [path.name for path in place.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.parametrize(("fails", "left"), [("new", "best lies there, whole"), ("old", "what lay there before is ")])
def test_what_cannot_be_undone_loses_nothing_and_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str, left: str
):
    place, rename = tmp_path / "best", Path.rename
    place.mkdir()
    for name in "ab":
        (place / name).write_text("old")
    moved: list[Path] = []

    def renaming(path: Path, to: Path) -> Path:
        moved.append(path)
        # The first two put the new folder into place, the third takes it back, and the fourth the old one.
        if len(moved) == (3 if fails == "new" else 4):
            raise OSError(errno.EIO, "Input/output error")
        return rename(path, to)

    def write() -> None:
        with atomic_folder(place) as temporary:
            for name in "ab":
                (temporary / name).write_text("new")
            monkeypatch.setattr(Path, "rename", renaming)
            monkeypatch.setattr("priors.files.synchronise", lambda path: failed() if path == tmp_path else None)

    def failed() -> None:
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output error") as caught:
        write()
    assert left in str(caught.value.strerror)
    folders = {path.name: {file.read_text() for file in path.iterdir()} for path in tmp_path.iterdir()}
    assert all(sorted(file.name for file in path.iterdir()) == ["a", "b"] for path in tmp_path.iterdir())
    assert {"old"} in folders.values()
    assert folders.get("best", {"new"}) == {"new"}
    assert (fails == "new") == ("best" in folders)


def test_leftovers_of_a_killed_process_are_removed_and_nothing_else(tmp_path: Path):
    kept = {"best", "notes.txt", ".hidden.tmp", ".lock"}
    for name in kept:
        (tmp_path / name).write_text("whole")
    # Kept, since one that is forgotten cleans up behind itself.
    killed = [writer(tmp_path / "best") for writer in (atomic_write, atomic_folder)]
    file, folder = (writing.__enter__() for writing in killed)
    for half in (file, file.with_name(f"{file.name}-journal"), folder / "half"):
        half.write_text("half")
    assert len(list(tmp_path.iterdir())) == len(kept) + 3
    remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept


def opened(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}").readlink()


needs_proc = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what a file is called is read from /proc")


@needs_proc
@pytest.mark.parametrize("write", [atomic_write, atomic_folder])
def test_what_is_written_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Any
):
    done: list[str] = []
    sync, replace, rename = os.fsync, Path.replace, Path.rename

    def synced(descriptor: int) -> None:
        done.append(f"sync {opened(descriptor).name}")
        sync(descriptor)

    def named(of: Any) -> Any:
        return lambda path, to: (done.append(f"name {Path(to).name}"), of(path, to))

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", named(replace))
    monkeypatch.setattr(Path, "rename", named(rename))
    with write(tmp_path / "best") as temporary:
        file = temporary / "file" if write is atomic_folder else temporary
        file.write_text("content")
    inside = ["sync file"] if write is atomic_folder else []
    assert done == [*inside, f"sync {temporary.name}", "name best", f"sync {tmp_path.name}"]


@needs_proc
def test_a_folder_that_cannot_be_synchronised_in_its_place_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    place, sync = tmp_path / "best", os.fsync
    place.mkdir()
    (place / "old").write_text("old")

    def failing(descriptor: int) -> None:
        if opened(descriptor) == tmp_path:
            raise OSError(errno.EIO, "Input/output error")
        sync(descriptor)

    def write() -> None:
        with atomic_folder(place) as temporary:
            (temporary / "new").write_text("new")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError, match="Input/output error") as caught:
        write()
    assert caught.value.filename == str(tmp_path)
    assert [path.name for path in place.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [place]
