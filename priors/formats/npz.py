"""Archives of ``scipy.sparse.save_npz`` and ``numpy.savez``: an adjacency matrix, row = source, column = target."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from priors.formats import limits
from priors.formats.arrays import read_arrays, wiring_of_array
from priors.formats.matrix import check_shape, needed_note, wiring_of_entries
from priors.formats.note import read_note
from priors.formats.reading import Reading
from priors.formats.values import shown
from priors.wiring import Wiring

__all__ = ["read_npz", "write_npz"]

_NOTE = "wirenas"
_EARLIEST = (1980, 1, 1, 0, 0, 0)


def read_npz(content: bytes, reading: Reading) -> Wiring:
    """Read a CSR, CSC or COO matrix of scipy, or the one array that ``numpy.savez`` has written."""
    arrays = read_arrays(content)
    if "format" in arrays and "shape" in arrays:
        return _sparse(arrays, reading)
    if len(arrays) != 1:
        raise ValueError(
            f"holds the arrays {shown(', '.join(arrays))}: an archive of scipy.sparse.save_npz or of one matrix is read"
        )
    return wiring_of_array(next(iter(arrays.values())), reading)


def _sparse(arrays: Mapping[str, NDArray[Any]], reading: Reading) -> Wiring:
    layout = _text(arrays, "format")
    n_neurons = check_shape(tuple(_whole(arrays, "shape").tolist()))
    if layout in ("bsr", "dia"):
        return wiring_of_entries(n_neurons, *_blocks_or_diagonals(arrays, layout, n_neurons), None, reading)
    values = _vector(arrays, "data", "biuf")
    if layout in ("csr", "csc"):
        minor = _whole(arrays, "indices")
        major = _majors(_whole(arrays, "indptr"), n_neurons, len(minor))
    elif layout == "coo":
        major, minor = _coordinates(arrays)
    else:
        raise ValueError(f"holds a matrix of the format {shown(layout)}: known are csr, csc, coo, bsr and dia")
    if not len(values) == len(major) == len(minor):
        raise ValueError(f"holds {len(values)} values for {len(major)} rows and {len(minor)} columns")
    rows, columns = (minor, major) if layout == "csc" else (major, minor)
    note = read_note(_text(arrays, _NOTE)) if _NOTE in arrays else None
    return wiring_of_entries(n_neurons, rows, columns, values, note, reading)


def _blocks_or_diagonals(
    arrays: Mapping[str, NDArray[Any]], layout: str, n_neurons: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[Any]]:
    """Return rows, columns and values of what is not 0 in a matrix of dense blocks or of diagonals."""
    data = _get(arrays, "data")
    if data.ndim != (3 if layout == "bsr" else 2) or data.dtype.kind not in "biuf" or 0 in data.shape:
        raise ValueError(
            f"array 'data' has shape {data.shape} and type {data.dtype}: it is none of a matrix of {layout}"
        )
    places = np.argwhere(data != 0)
    values = data[tuple(places.T)]
    if layout == "dia":
        offsets = _whole(arrays, "offsets")
        if len(offsets) != len(data):
            raise ValueError(f"holds {len(offsets)} offsets of {len(data)} diagonals")
        columns = places[:, 1]
        rows = columns - offsets[places[:, 0]]
        inside = (rows >= 0) & (rows < n_neurons) & (columns < n_neurons)
        return rows[inside], columns[inside], values[inside]
    minor = _whole(arrays, "indices")
    major = _majors(_whole(arrays, "indptr"), n_neurons // data.shape[1], len(minor))
    if len(minor) != len(data):
        raise ValueError(f"holds {len(data)} blocks for {len(minor)} columns")
    block, row, column = places.T
    return major[block] * data.shape[1] + row, minor[block] * data.shape[2] + column, values


def write_npz(wiring: Wiring) -> bytes:
    """Return the adjacency as the CSR archive of ``scipy.sparse.save_npz``, the same bytes every time."""
    note = needed_note(wiring)
    arrays: dict[str, Any] = {
        "indices": wiring.edges[:, 1],
        "indptr": np.searchsorted(wiring.edges[:, 0], np.arange(wiring.n_neurons + 1)).astype(np.int32),
        "format": np.array(b"csr"),
        "shape": np.array([wiring.n_neurons] * 2),
        "data": np.ones(wiring.n_edges, np.int8) if wiring.weights is None else wiring.weights,
        "_is_array": np.array(True),
    }
    if note is not None:
        arrays[_NOTE] = np.array(note.encode())
    file, size = BytesIO(), 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = BytesIO()
            np.lib.format.write_array(member, array, allow_pickle=False)
            size += member.tell()
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EARLIEST), member.getvalue(), zipfile.ZIP_DEFLATED)
    if size > limits.MAX_BYTES:
        raise ValueError(f"{wiring!r} unpacks to {size} bytes: a file may hold {limits.MAX_BYTES}")
    return file.getvalue()


def _get(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    if name not in arrays:
        raise ValueError(f"has no array {name!r}: it must be an archive that scipy.sparse.save_npz writes")
    return arrays[name]


def _vector(arrays: Mapping[str, NDArray[Any]], name: str, kinds: str) -> NDArray[Any]:
    array = _get(arrays, name)
    if array.ndim != 1 or array.dtype.kind not in kinds or array.dtype.itemsize > 8:
        raise ValueError(f"array {name!r} has shape {array.shape} and type {array.dtype}: it must be a list of numbers")
    if len(array) > max(limits.MAX_EDGES, limits.MAX_NEURONS + 1):
        raise ValueError(f"array {name!r} has {len(array)} entries: at most {limits.MAX_EDGES} edges are read")
    return array


def _whole(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[np.int64]:
    return _vector(arrays, name, "iu").astype(np.int64)


def _text(arrays: Mapping[str, NDArray[Any]], name: str) -> str:
    array = _get(arrays, name)
    if array.ndim != 0 or array.dtype.kind not in "SU":
        raise ValueError(f"array {name!r} has shape {array.shape} and type {array.dtype}: it must be one text")
    value = array.item()
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)


def _coordinates(arrays: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and columns of a COO matrix, which newer versions of scipy may write as one array."""
    if "coords" not in arrays:
        return _whole(arrays, "row"), _whole(arrays, "col")
    if arrays["coords"].ndim != 2 or len(arrays["coords"]) != 2:
        raise ValueError(f"array 'coords' has shape {arrays['coords'].shape}: it must be (2, entries)")
    row, column = arrays["coords"]
    return _whole({"coords": row}, "coords"), _whole({"coords": column}, "coords")


def _majors(pointers: NDArray[np.int64], n_neurons: int, n_entries: int) -> NDArray[np.int64]:
    """Return the row (of CSC: the column) of every entry."""
    # Differences of numbers that are out of bounds may overflow, and then look as if they rose.
    bounded = len(pointers) == n_neurons + 1 and bool(((pointers >= 0) & (pointers <= n_entries)).all())
    counts = np.diff(pointers)
    if not bounded or pointers[0] != 0 or pointers[-1] != n_entries or (counts < 0).any():
        raise ValueError(f"array 'indptr' must rise from 0 to {n_entries} in {n_neurons + 1} steps")
    return np.repeat(np.arange(n_neurons), counts)
