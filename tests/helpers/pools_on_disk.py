"""Pools of graphs as folders and archives, and the form in which a wrong one is refused."""

import io
import re
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from priors import GraphPool, Wiring
from priors.formats.files import _format

PATH = Wiring((3,), [(0, 1), (1, 2)])
LAYERED = Wiring((2, 2, 1), [(0, 2), (1, 3), (3, 2), (2, 4)], inputs=True, outputs=True, weights=[1, -2, 3, 0.5])
NAMED = Wiring((2,), [(0, 1), (1, 0)], names=("Zürich", 7))
GRAPHS = (PATH, LAYERED, NAMED)
KINDS = ("folder", "zip", "tar", "tar.gz", "tgz")


def text_of(wiring: Wiring, suffix: str = ".json") -> bytes:
    return _format(suffix).write(wiring)


def pack(kind: str, folder: Path, files: dict[str, bytes], member: Callable = lambda entry: entry) -> Path:
    """Write files as a folder or an archive, whose entries `member` may change beforehand."""
    path = folder / f"pool.{kind}"
    if kind == "folder":
        path.mkdir()
        for name, content in files.items():
            (path / name).write_bytes(content)
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(member(zipfile.ZipInfo(name)), content, zipfile.ZIP_DEFLATED)
    else:
        with tarfile.open(path, "w" if kind == "tar" else "w:gz") as archive:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(member(entry), io.BytesIO(content))
    return path


def refused(path: Path, message: str = "", member: str = "") -> str:
    """Return what is wrong with a pool: one line that begins with the file."""
    with pytest.raises(ValueError, match=re.escape(f"{path}{member}: ") + ".*" + message) as caught:
        GraphPool.read(path)
    line = str(caught.value)
    assert line.startswith(f"{path}{member}: ")
    assert line.isprintable()
    return line


def refused_anywhere(path: Path) -> None:
    """The same, whichever of its members is named."""
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}[!:]") as caught:
        GraphPool.read(path)
    assert len(str(caught.value).splitlines()) == 1
