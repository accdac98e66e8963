"""Arrays in numpy's files, .npy and .npz: read without pickle, and none is made before its bytes are there."""

from __future__ import annotations

import math
import re
import struct
import zipfile
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from priors.formats import limits
from priors.formats.edges import FileEdges, kept_directed, settled_edges
from priors.formats.matrix import needed_note, wiring_of_matrix
from priors.formats.reading import Reading
from priors.formats.values import shown
from priors.wiring import Wiring

__all__ = ["read_array", "read_arrays", "read_npy", "wiring_of_array", "write_npy"]

_MAGIC = re.compile(rb"\x93NUMPY(?:\x01\x00(?P<short>..)|[\x02\x03]\x00(?P<long>....))", re.DOTALL)
_HEAD = re.compile(
    rb"\{'descr': '(?P<kind>[<>|=]?[a-zA-Z]\d{0,9})', 'fortran_order': (?P<fortran>True|False), "
    rb"'shape': \((?P<shape>[\d, ]{0,80})\),? ?\}\s*"
)
_MOST_ENTRIES = 64


def read_npy(content: bytes, reading: Reading) -> Wiring:
    """Read a dense adjacency matrix, or a list of edges of shape (n_edges, 2) or (2, n_edges), of ``numpy.save``."""
    return wiring_of_array(read_array("the file", content), reading)


def write_npy(wiring: Wiring) -> bytes:
    """Return the adjacency as a dense matrix: of weights, or of 0 and 1.

    Raises
    ------
    ValueError
        For a wiring that no matrix can hold alone: with several layers, units, names, or weights of which some are 0
        or all are 1.
    """
    zeros = wiring.weights is not None and bool((wiring.weights == 0).any())
    if zeros or needed_note(wiring) is not None:
        raise ValueError(f"{wiring!r} holds more than a matrix tells (layers, units, names, weights); .npz holds all")
    size = wiring.n_neurons**2 * (1 if wiring.weights is None else 4)
    if size > limits.MAX_BYTES:
        raise ValueError(f"{wiring!r} takes {size} bytes: a file may hold {limits.MAX_BYTES}; .npz holds it in fewer")
    matrix = np.zeros((wiring.n_neurons,) * 2, np.int8 if wiring.weights is None else np.float32)
    matrix[wiring.edges[:, 0], wiring.edges[:, 1]] = 1 if wiring.weights is None else wiring.weights
    file = BytesIO()
    np.lib.format.write_array(file, matrix, allow_pickle=False)
    return file.getvalue()


def wiring_of_array(array: NDArray[Any], reading: Reading) -> Wiring:
    """Return the wiring of a square matrix, or of whole numbers in two rows or columns."""
    if array.ndim == 2 and 2 in array.shape and array.shape != (2, 2) and array.dtype.kind in "iu":
        reading.remark(f"an array of shape {array.shape}, taken as a list of edges")
        return _wiring_of_list(array.T if array.shape[1] != 2 else array, reading)
    return wiring_of_matrix(array, reading)


def _wiring_of_list(ends: NDArray[Any], reading: Reading) -> Wiring:
    if len(ends) > limits.MAX_EDGES:
        raise ValueError(f"{len(ends)} edges are more than the {limits.MAX_EDGES} that are read at most")
    names, numbers = np.unique(ends, return_inverse=True)
    if len(names) > limits.MAX_NEURONS:
        raise ValueError(f"holds more than the {limits.MAX_NEURONS} nodes that are read at most")
    found = FileEdges(numbers.reshape(-1, 2).astype(np.int64), np.full(len(ends), np.nan), directed=None)
    known = [int(name) for name in names]
    edges, weights = settled_edges(found, reading, lambda number: str(known[number]))
    own_names = None if known == list(range(len(known))) else known
    wiring = Wiring((len(known),) if known else (), edges, weights=weights, names=own_names)
    return kept_directed(wiring, found, reading)


def read_arrays(content: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of an .npz archive by name, refusing an archive that would unpack to more than `MAX_BYTES`."""
    if content.count(b"PK\x01\x02") > _MOST_ENTRIES:
        raise ValueError(f"holds an archive of more than {_MOST_ENTRIES} members: a matrix has fewer than 10")
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entries = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
            size = sum(entry.file_size for entry in entries.values())
            if size > limits.MAX_BYTES:
                raise ValueError(f"unpacks to {size} bytes: at most {limits.MAX_BYTES} are read")
            return {name: read_array(name, _member(archive, entry)) for name, entry in entries.items()}
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError) as error:
        raise ValueError(f"is no .npz archive: {error}") from error


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"member {shown(entry.filename)} is encrypted or packed otherwise than numpy does")
    with archive.open(entry) as file:
        content = file.read(limits.MAX_BYTES + 1)
    if len(content) != entry.file_size:
        raise ValueError(f"member {shown(entry.filename)} unpacks to {len(content)} bytes: {entry.file_size} are told")
    return content


def read_array(name: str, member: bytes) -> NDArray[Any]:
    """Return the array of an .npy file, all of whose bytes must be there; `name` is what messages call it."""
    magic = _MAGIC.match(member)
    if magic is None:
        raise ValueError(f"{name!r} is no .npy array")
    first = magic.end() + int.from_bytes(magic["short"] or magic["long"], "little")
    head = _HEAD.fullmatch(member[magic.end() : min(first, magic.end() + 10_000)])
    if head is None or head["kind"].lstrip(b"<>|=")[:1] not in b"biufSU":
        raise ValueError(f"{name!r} is no .npy array of booleans, numbers or text")
    try:
        kind = np.dtype(head["kind"].decode())
        shape = tuple(int(size) for size in head["shape"].split(b",") if size.strip())
    except (TypeError, ValueError):
        raise ValueError(f"{name!r} has a head that is not understood: {shown(head[0])}") from None
    if max(shape, default=0) > limits.MAX_BYTES:
        raise ValueError(f"{name!r} tells of shape {shape}: no file holds as much")
    count = math.prod(shape)
    if count * kind.itemsize != len(member) - first or not kind.itemsize:
        raise ValueError(f"{name!r} tells of shape {shape} of {kind.itemsize} bytes: {len(member) - first} follow")
    array = np.frombuffer(member, kind, offset=first)
    return array.reshape(shape, order="F" if head["fortran"] == b"True" else "C")
