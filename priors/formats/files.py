"""Read and write files of wirings: the table of formats by suffix, and one clear line for whatever is wrong."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from priors.files import atomic_write
from priors.formats import limits
from priors.formats.edge_list import read_edge_list, write_edge_list
from priors.formats.gexf import read_gexf, write_gexf
from priors.formats.graphml import read_graphml, write_graphml
from priors.formats.json_files import read_json, write_json, write_node_link
from priors.formats.matrix_market import read_matrix_market, write_matrix_market
from priors.formats.sparse_npz import read_sparse_npz, write_sparse_npz
from priors.wiring import Wiring

__all__ = ["FORMATS", "TABLE", "Format", "parse_wiring", "read_wiring", "write_wiring"]


class Format(NamedTuple):
    """A format of graph files: what it is, from bytes to a wiring, and back."""

    description: str
    read: Callable[[bytes], Wiring]
    write: Callable[[Wiring], bytes]


_COMMAS = partial(read_edge_list, separator=","), partial(write_edge_list, separator=",")
_TABS = partial(read_edge_list, separator="\t"), partial(write_edge_list, separator="\t")
TABLE: dict[str, Format] = {
    ".json": Format("our own exact document; node-link data of networkx is read too", read_json, write_json),
    ".node-link.json": Format("node-link data of networkx and D3", read_json, write_node_link),
    ".graphml": Format("GraphML of networkx, igraph and yEd", read_graphml, write_graphml),
    ".gexf": Format("GEXF of Gephi and networkx", read_gexf, write_gexf),
    ".edgelist": Format("lines 'source target weight', separated by blanks", read_edge_list, write_edge_list),
    ".txt": Format("the same as .edgelist", read_edge_list, write_edge_list),
    ".csv": Format("lines 'source,target,weight'", *_COMMAS),
    ".tsv": Format("lines of source, target and weight, separated by tabs", *_TABS),
    ".npz": Format("scipy.sparse.save_npz, row = source, column = target", read_sparse_npz, write_sparse_npz),
    ".mtx": Format("Matrix Market, row = source, column = target", read_matrix_market, write_matrix_market),
}
"""Every format by its suffix."""

FORMATS: dict[str, str] = {suffix: entry.description for suffix, entry in TABLE.items()}
"""What a file of each suffix holds; ``.gz`` may follow any of them."""


def read_wiring(path: str | os.PathLike[str]) -> Wiring:
    """Read a wiring in the format that the suffix of `path` names, see `FORMATS`.

    GraphML, GEXF and lists of edges know names only as text: those that are whole numbers become integers. Directed
    edges lead from source to target, in a matrix from row to column; an undirected graph gives both directions of every
    edge. Nodes are numbered by their attribute ``layer`` as in `Wiring.from_networkx`.

    Raises
    ------
    ValueError
        Whatever is wrong with the file: one line that begins with its name.
    """
    try:
        _format(os.fspath(path))
        return parse_wiring(_bytes(Path(path)), os.fspath(path))
    except OSError as error:
        raise ValueError(f"{os.fspath(path)}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from error


def parse_wiring(content: bytes, suffix: str) -> Wiring:
    """Read a wiring from the bytes of a file, in the format that a suffix such as ``.graphml`` names.

    Raises
    ------
    ValueError
        Whatever is wrong with the bytes: one line.
    """
    try:
        if len(content) > limits.MAX_BYTES:
            raise ValueError(f"holds more than the {limits.MAX_BYTES} bytes that are read at most")
        unpacked = _unpacked(content) if suffix.lower().endswith(".gz") else content
        return _format(suffix).read(unpacked)
    except RecursionError:
        raise ValueError("is nested too deeply to be a wiring") from None
    except ValueError as error:
        raise ValueError(_one_line(error)) from error


def write_wiring(wiring: Wiring, path: str | os.PathLike[str]) -> None:
    """Write a wiring in the format that the suffix of `path` names, replacing an older file in one step.

    Names other than strings and integers are written as their text, which ``.json``, being exact, refuses. An
    undirected graph is written as one where the format knows such, with both directions of every edge elsewhere. What
    lists of edges and matrices cannot tell (layers, input and output units, names in a matrix) stands in a note that
    other programs skip.

    Raises
    ------
    ValueError
        For an unknown suffix, what the format cannot hold, or more than a file may hold.
    OSError
        If the folder cannot be written to.
    """
    name = os.fspath(path)
    try:
        _check_size(wiring)
        content = _format(name).write(wiring)
        if len(content) > limits.MAX_BYTES:
            raise ValueError(f"{wiring!r} takes {len(content)} bytes: a file may hold {limits.MAX_BYTES}")
    except ValueError as error:
        raise ValueError(f"{name}: {_one_line(error)}") from error
    with atomic_write(path) as temporary:
        temporary.write_bytes(gzip.compress(content, mtime=0) if name.lower().endswith(".gz") else content)


def _format(name: str) -> Format:
    """Return the format that the longest known suffix of a file's name stands for."""
    own = Path(name).name.lower().removesuffix(".gz")
    suffix = max((suffix for suffix in TABLE if own.endswith(suffix)), key=len, default=None)
    if suffix is None:
        raise ValueError(f"suffix {Path(own).suffix!r} names no format of wirings; known are {', '.join(TABLE)}")
    return TABLE[suffix]


def _bytes(path: Path) -> bytes:
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("cannot be read: is no regular file")
    with path.open("rb") as file:
        return file.read(limits.MAX_BYTES + 1)


def _unpacked(content: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(content, limits.MAX_BYTES + 1)
    except zlib.error as error:
        raise ValueError(f"is not compressed by gzip: {error}") from error
    if len(unpacked) > limits.MAX_BYTES:
        raise ValueError(f"unpacks to more than the {limits.MAX_BYTES} bytes that are read at most")
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("is not one whole file compressed by gzip")
    return unpacked


def _check_size(wiring: Wiring) -> None:
    weights = np.zeros(0) if wiring.weights is None else wiring.weights
    if not np.isfinite(weights).all():
        wrong = weights[~np.isfinite(weights)][0]
        raise ValueError(f"weights hold {wrong}: each must be a finite number of single precision")
    for count, most, what in (
        (wiring.n_neurons, limits.MAX_NEURONS, "neurons"),
        (wiring.n_edges, limits.MAX_EDGES, "edges"),
    ):
        if count > most:
            raise ValueError(f"{count} {what} are more than the {most} that a file may hold")


def _one_line(error: ValueError) -> str:
    line = " ".join(str(error).split())
    return line if len(line) <= 600 else f"{line[:600]}..."
