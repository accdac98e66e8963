"""Files in the idx format: published arrays of unsigned bytes, read with every bound and checksum known beforehand."""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError

__all__ = ["IdxFile"]

_UNSIGNED_BYTES = 0x0800

_REPLACE = "replace it by the published file, plain or .gz, or delete it"


@dataclass(frozen=True)
class IdxFile:
    """One published file: what it is called and holds. Its magic number follows from the number of dimensions.

    Parameters
    ----------
    name : str
        File name without ``.gz``.
    shape : tuple of int
        Shape of the array.
    md5 : str
        Hexadecimal md5 of the content, not compressed.
    """

    name: str
    shape: tuple[int, ...]
    md5: str

    @property
    def header(self) -> bytes:
        """What the content begins with: magic number and shape, big-endian."""
        return struct.pack(f">{1 + len(self.shape)}I", _UNSIGNED_BYTES + len(self.shape), *self.shape)

    @property
    def size(self) -> int:
        """Bytes of the content, not compressed."""
        return len(self.header) + math.prod(self.shape)

    def find(self, folder: Path) -> Path | None:
        """Return the file in a folder, plain or with ``.gz``; None where it is not."""
        paths = (folder / self.name, folder / f"{self.name}.gz")
        return next((path for path in paths if path.is_file()), None)

    def read(self, path: Path) -> NDArray[np.uint8]:
        """Return the array in a file, read-only; of whatever lies there, at most one byte too many is unpacked.

        Raises
        ------
        InputError
            If the file cannot be read, or its content is not the published one.
        """
        try:
            with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
                content = file.read(self.size + 1)
        except EOFError:
            raise InputError(f"{path}: the compressed file ends too early; {_REPLACE}") from None
        except (OSError, zlib.error) as error:
            raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}; {_REPLACE}") from None
        self.check(content, str(path), _REPLACE)
        return np.frombuffer(content, np.uint8, offset=len(self.header)).reshape(self.shape)

    def pack(self, values: NDArray[np.uint8]) -> bytes:
        """Return the file's content for an array."""
        return self.header + values.tobytes()

    def check(self, content: bytes, where: str, advice: str) -> None:
        """Refuse content that is not the published one; `where` begins the message and `advice` ends it.

        Raises
        ------
        InputError
            Naming the first of magic number, shape, size and md5 that is wrong.
        """
        problem = self._problem(content)
        if problem:
            raise InputError(f"{where}: {problem}; {advice}")

    def _problem(self, content: bytes) -> str | None:
        expected, n_fields = self.header, 1 + len(self.shape)
        if len(content) >= 4 and content[:4] != expected[:4]:
            magic, wanted = int.from_bytes(content[:4], "big"), int.from_bytes(expected[:4], "big")
            return f"magic number {magic}, where {self.name} begins with {wanted}"
        if len(content) >= len(expected) and content[: len(expected)] != expected:
            shape = struct.unpack(f">{n_fields}I", content[: len(expected)])[1:]
            return f"shape {shape}, where {self.name} has {self.shape}"
        if len(content) != self.size:
            found = f"more than {self.size}" if len(content) > self.size else str(len(content))
            return f"{found} bytes of content, where {self.name} has {self.size}"
        found = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return f"md5 {found} of the content, where {self.name} has {self.md5}" if found != self.md5 else None
