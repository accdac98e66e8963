"""Members of .zip and .tar archives: listed, chosen by name and read in memory, bounded, never extracted."""

from __future__ import annotations

import gzip
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

__all__ = ["ARCHIVES", "DAMAGE", "MAX_ARCHIVE", "MAX_MEMBERS", "Choose", "Read", "members", "open_regular"]

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
"""Suffixes of the archives that are read."""
MAX_ARCHIVE = 2**31
"""Most bytes that the chosen members of a .zip, or a .tar from its beginning to its end, may hold unpacked."""
MAX_MEMBERS = 2**20
"""Most members of an archive."""
DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, struct.error, EOFError, NotImplementedError)
"""What the standard library raises for archives that are broken, beside OSError, ValueError and RecursionError."""

Read = Callable[[int], bytes]
"""Gives the content of a member, or its first bytes: as many as are asked for."""
Choose = Callable[[Collection[str]], Collection[str]]
"""Which of some names are wanted."""

# A zip's directory and a tar's long headers are read in one piece; 2**20 members with usual names take less.
_LARGEST_PIECE = 2**27
_BLOCK = 512


def members(path: Path, choose: Choose) -> Iterator[tuple[str, Read]]:
    """Yield name and content of the chosen members; a content is to be read before the next one is asked for.

    Raises
    ------
    ValueError
        If the archive holds too much. A content raises it for what is no plain file.
    OSError, RecursionError
        As `DAMAGE`: what else the standard library raises for a broken archive.
    """
    return _zip_members(path, choose) if path.name.lower().endswith(".zip") else _tar_members(path, choose)


def open_regular(path: Path) -> IO[bytes]:
    """Open a regular file for reading; pipes and devices, which may never end, raise a ValueError."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("cannot be read: is no regular file")
    return path.open("rb")


class _Bounded:
    """What zipfile and tarfile need of a file, in bounded pieces; a stream leads only forward, and to an end."""

    def __init__(self, file: IO[bytes], *, stream: bool = False) -> None:
        self._file, self._stream = file, stream
        self.tell, self.seekable = file.tell, file.seekable
        self.piece = b""

    def read(self, size: int = _LARGEST_PIECE) -> bytes:
        if not 0 <= size <= _LARGEST_PIECE:
            raise ValueError(f"tells of a piece of {size} bytes: at most {_LARGEST_PIECE} are read at once")
        self._check(self.tell() + size)
        self.piece = self._file.read(size)
        return self.piece

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if self._stream:
            self._check(offset)
        return self._file.seek(offset, whence)

    def _check(self, position: int) -> None:
        # Compressed streams are long at no cost, and broken sizes lead back to where a stream has been.
        if self._stream and position < self.tell():
            raise ValueError("is damaged: a size leads backwards")
        if self._stream and position > MAX_ARCHIVE:
            raise ValueError(f"unpacks to more than the {MAX_ARCHIVE} bytes that are read at most")


def _plain(name: str) -> str:
    # Some programs of Windows write its separator, which no archive should hold.
    return str(PurePosixPath(name.replace("\\", "/")))


def _check_count(count: int) -> None:
    if count > MAX_MEMBERS:
        raise ValueError(f"holds more than {MAX_MEMBERS} members")


def _zip_members(path: Path, choose: Choose) -> Iterator[tuple[str, Read]]:
    with open_regular(path) as file, zipfile.ZipFile(cast(IO[bytes], _Bounded(file))) as archive:
        entries = [(_plain(entry.filename), entry) for entry in archive.infolist() if not entry.is_dir()]
        _check_count(len(archive.infolist()))
        chosen = set(choose([name for name, _ in entries]))
        kept = [(name, entry) for name, entry in entries if name in chosen]
        size = sum(entry.file_size for _, entry in kept)
        if size > MAX_ARCHIVE:
            raise ValueError(f"unpacks to {size} bytes: at most {MAX_ARCHIVE} are read")
        for name, entry in sorted(kept, key=lambda item: item[0]):
            yield name, partial(_zip_content, archive, entry)


def _zip_content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, size: int) -> bytes:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise ValueError("is a link or a device: only plain files are read")
    # The other compressions of zipfile unpack more at once than is asked for.
    if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("is encrypted, or packed otherwise than stored or deflated")
    with archive.open(entry) as file:
        return file.read(size)


def _tar_members(path: Path, choose: Choose) -> Iterator[tuple[str, Read]]:
    """Go through the archive twice, for names and for contents: its members follow each other in a packed stream."""
    chosen = set(choose([name for name, _ in _tar_entries(path)]))
    return ((name, read) for name, read in _tar_entries(path) if name in chosen)


def _tar_entries(path: Path) -> Iterator[tuple[str, Read]]:
    with open_regular(path) as file:
        unpacked: Any = file if path.name.lower().endswith(".tar") else gzip.GzipFile(fileobj=file)
        stream = _Bounded(unpacked, stream=True)
        with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r:") as archive:
            for count, entry in enumerate(archive, start=1):
                _check_count(count)
                if not entry.isdir():
                    yield _plain(entry.name), partial(_tar_content, archive, entry)
            _check_end(stream)


def _check_end(stream: _Bounded) -> None:
    """Raise unless the last thing read was the end of a .tar: tarfile takes a broken head for it too."""
    if stream.piece.strip(b"\0") or len(stream.piece) != _BLOCK:
        raise ValueError("is damaged: a member's head is broken, or the end is missing")
    # Only at its end does a packed stream tell that it was whole.
    while stream.read(2**16):
        pass


def _tar_content(archive: tarfile.TarFile, entry: tarfile.TarInfo, size: int) -> bytes:
    # Parts of sparse files may lie in any order, and they are larger than what is there.
    file = archive.extractfile(entry) if entry.isreg() and not entry.issparse() else None
    if file is None:
        raise ValueError("is a link, a device or a sparse file: only plain files are read")
    with file:
        return file.read(size)
