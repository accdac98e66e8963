"""Read and write files of wirings: the table of formats by suffix, and one clear line for whatever is wrong."""

from __future__ import annotations

import gzip
import os
import re
import stat
import warnings
import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from priors.files import atomic_write
from priors.formats import limits
from priors.formats.arrays import read_npy, write_npy
from priors.formats.columns import NodeTableError
from priors.formats.edge_list import read_adjacency_list, read_edge_list, read_lgl, write_edge_list
from priors.formats.gexf import read_gexf, write_gexf
from priors.formats.gml import read_gml, write_gml
from priors.formats.graphml import read_graphml, write_graphml
from priors.formats.json_files import read_json, write_json, write_node_link
from priors.formats.matrix_market import read_matrix_market, write_matrix_market
from priors.formats.npz import read_npz, write_npz
from priors.formats.pajek import write_pajek
from priors.formats.reading import GraphFileWarning, Reading
from priors.formats.text import read_list, read_matrix, read_net, read_text
from priors.formats.values import counted
from priors.wiring import Wiring

__all__ = [
    "FORMATS",
    "TABLE",
    "Format",
    "check_reading",
    "has_format",
    "parse",
    "parse_wiring",
    "read_wiring",
    "reader_of",
    "warn_of",
    "write_wiring",
]


Read = Callable[[bytes, Reading], Wiring]
Write = Callable[[Wiring], bytes]


class Format(NamedTuple):
    """A format of graph files: its name and what it is, from bytes to a wiring, and back where it is written too."""

    name: str
    description: str
    read: Read
    write: Write | None = None


_BLANKS = Format("edge-list", "lines 'source target weight', separated by blanks", read_list, write_edge_list)
_TEXT = Format("text", "a matrix, with labels or without, or a table or list of edges", read_text, write_edge_list)
_COMMAS = partial(read_text, separator=","), partial(write_edge_list, separator=",")
_TABS = partial(read_text, separator="\t"), partial(write_edge_list, separator="\t")
TABLE: dict[str, Format] = {
    ".json": Format("json", "our own exact document; JSON of networkx, D3, Cytoscape and JGF", read_json, write_json),
    ".node-link.json": Format("json", "node-link data of networkx and D3", read_json, write_node_link),
    ".graphml": Format("graphml", "GraphML of networkx, igraph and yEd", read_graphml, write_graphml),
    ".gexf": Format("gexf", "GEXF of Gephi and networkx", read_gexf, write_gexf),
    ".gml": Format("gml", "GML of igraph, networkx and Newman's collection", read_gml, write_gml),
    ".net": Format("pajek", "Pajek's networks; lists of edges are read too", read_net, write_pajek),
    ".edgelist": _BLANKS,
    ".edges": _BLANKS,
    ".ncol": _BLANKS,
    ".adjlist": Format("adjacency-list", "lines of a node and those it is joined to, of networkx", read_adjacency_list),
    ".lgl": Format("lgl", "igraph's LGL: '# a' and below it what a is joined to", read_lgl),
    ".txt": _TEXT,
    ".dat": _TEXT,
    ".csv": Format("text", "the same, mostly separated by commas; written as 'source,target,weight'", *_COMMAS),
    ".tsv": Format("text", "the same, separated by tabs", *_TABS),
    ".npz": Format("npz", "scipy.sparse.save_npz or one array of numpy.savez, row = source", read_npz, write_npz),
    ".npy": Format("npy", "numpy.save of a matrix, row = source, column = target", read_npy, write_npy),
    ".mtx": Format("matrix-market", "Matrix Market, row = source", read_matrix_market, write_matrix_market),
}
"""Every format by its suffix."""

FORMATS: dict[str, str] = {suffix: entry.description for suffix, entry in TABLE.items()}
"""What a file of each suffix holds; ``.gz`` may follow any of them."""

_NO_SUFFIX = re.compile(r"out\.[\w.-]+", re.ASCII)
"""Names of KONECT's files."""


def reader_of(name: str | None) -> Read | None:
    """Return the reader of a format by its name, None for None, so that suffixes decide.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    if name is None:
        return None
    known = {entry.name: entry.read for entry in reversed(TABLE.values())}
    known |= {"matrix": read_matrix, "edge-list": read_edge_list}
    if name not in known:
        raise ValueError(f"format={name!r}: valid are {', '.join(sorted(known))}")
    return known[name]


def check_reading(
    *,
    format: str | None = None,  # noqa: A002
    directed: bool | None = None,
    merge: str = "sum",
) -> None:
    """Raise a ValueError for options of `read_wiring` that none of its files could be read with."""
    reader_of(format)
    Reading(directed, merge)


def read_wiring(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002
    directed: bool | None = None,
    merge: str = "sum",
) -> Wiring:
    r"""Read a wiring in the format that the suffix of `path` names, see `FORMATS`.

    Directed edges lead from source to target, in a matrix from row to column; an undirected graph gives both directions
    of every edge. Names are text where the format knows nothing else, and whole numbers become integers. Nodes are
    numbered by their attribute ``layer`` as in `Wiring.from_networkx`. What a file does not say itself is assumed, and
    said in a `GraphFileWarning`.

    Parameters
    ----------
    path : str or path
        The file; ``.gz`` may follow its suffix.
    format : str, optional
        A name instead of the suffix: json, graphml, gexf, gml, pajek, edge-list, adjacency-list, matrix, text (one of
        the two), npz, npy or matrix-market.
    directed : bool, optional
        Whether edges have a direction, whatever the file says.
    merge : {"sum", "max", "first", "error"}
        What becomes of parallel edges. Their weights are added by default; where none has one, their number is the
        weight.

    Raises
    ------
    ValueError
        Whatever is wrong with the file: one line that begins with its name.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from priors import FORMATS, MERGES, read_wiring
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "flights.csv"
    ...     _ = path.write_text("source,target,weight\nBER,OSL,2\nOSL,LIS,1\n")
    ...     wiring = read_wiring(path, directed=True)
    >>> wiring.names, wiring.weights.tolist()
    (('BER', 'OSL', 'LIS'), [2.0, 1.0])
    >>> FORMATS[".gml"], MERGES
    ("GML of igraph, networkx and Newman's collection", ('sum', 'max', 'first', 'error'))
    """
    name = os.fspath(path)
    try:
        reading = Reading(directed, merge)
        read = reader_of(format) or _format(name).read
        wiring = parse(_bytes(Path(path)), name, reading, read)
    except OSError as error:
        raise ValueError(f"{name}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    warn_of([(name, reading.remarks)], stacklevel=3)
    return wiring


def parse_wiring(
    content: bytes,
    suffix: str,
    *,
    directed: bool | None = None,
    merge: str = "sum",
) -> Wiring:
    r"""Read a wiring from the bytes of a file, in the format that a suffix such as ``.graphml`` names.

    Raises
    ------
    ValueError
        Whatever is wrong with the bytes: one line.

    Examples
    --------
    >>> from priors import parse_wiring
    >>> parse_wiring(b"source,target\na,b\nb,c\n", ".csv", directed=True).edges.tolist()
    [[0, 1], [1, 2]]
    """
    reading = Reading(directed, merge)
    wiring = parse(content, suffix, reading)
    warn_of([(suffix, reading.remarks)], stacklevel=3)
    return wiring


def parse(content: bytes, name: str, reading: Reading, read: Read | None = None) -> Wiring:
    """Read a wiring from the bytes of a file; what was assumed is added to the reading.

    Raises
    ------
    ValueError
        Whatever is wrong with the bytes: one line.
    """
    try:
        if len(content) > limits.MAX_BYTES:
            raise ValueError(f"holds more than the {limits.MAX_BYTES} bytes that are read at most")
        unpacked = _unpacked(content) if name.lower().endswith(".gz") else content
        return (read or _format(name).read)(unpacked, reading)
    except RecursionError:
        raise ValueError("is nested too deeply to be a wiring") from None
    except ValueError as error:
        # A table of nodes stays one.
        kind = NodeTableError if isinstance(error, NodeTableError) else ValueError
        raise kind(_one_line(error)) from error


def warn_of(remarks: Iterable[tuple[str, Sequence[str]]], stacklevel: int) -> None:
    """Warn of what was assumed of files; what was assumed of many of them is said once."""
    files: dict[str, list[str]] = {}
    texts: dict[str, str] = {}
    for name, lines in remarks:
        if lines:
            text = "; ".join(lines)
            kind = re.sub(r"\d+", "0", text)
            texts.setdefault(kind, text)
            files.setdefault(kind, []).append(name)
    for kind, names in files.items():
        others = f" and {counted(len(names) - 1, 'other file')} alike" if len(names) > 1 else ""
        warnings.warn(f"{names[0]}{others}: {texts[kind]}", GraphFileWarning, stacklevel=stacklevel)


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

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from priors import WattsStrogatz, read_wiring, write_wiring
    >>> graph = WattsStrogatz(n=20, k=4, p=0.3).sample(0)
    >>> with TemporaryDirectory() as folder:
    ...     write_wiring(graph, f"{folder}/small-world.graphml.gz")
    ...     print(read_wiring(f"{folder}/small-world.graphml.gz") == graph)
    True
    """
    name = os.fspath(path)
    try:
        _check_size(wiring)
        write = _format(name).write
        if write is None:
            raise ValueError(f"format {_format(name).name} is read only; written are {', '.join(_written())}")
        content = write(wiring)
        if len(content) > limits.MAX_BYTES:
            raise ValueError(f"{wiring!r} takes {len(content)} bytes: a file may hold {limits.MAX_BYTES}")
    except ValueError as error:
        raise ValueError(f"{name}: {_one_line(error)}") from error
    with atomic_write(path) as temporary:
        temporary.write_bytes(gzip.compress(content, mtime=0) if name.lower().endswith(".gz") else content)


def _written() -> list[str]:
    return [suffix for suffix, entry in TABLE.items() if entry.write is not None]


def _format(name: str) -> Format:
    """Return the format that the longest known suffix of a file's name stands for."""
    own = Path(name).name.lower().removesuffix(".gz")
    suffix = max((suffix for suffix in TABLE if own.endswith(suffix)), key=len, default=None)
    if suffix is None and _NO_SUFFIX.fullmatch(own):
        return _BLANKS
    if suffix is None:
        raise ValueError(f"suffix {Path(own).suffix!r} names no format of wirings; known are {', '.join(TABLE)}")
    return TABLE[suffix]


def has_format(name: str) -> bool:
    """Whether a file's name tells a format."""
    try:
        _format(name)
    except ValueError:
        return False
    return True


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
        hint = " (edges that were attached have none: write it with weights=None)" if np.isnan(wrong) else ""
        raise ValueError(f"weights hold {wrong}: each must be a finite number of single precision{hint}")
    for count, most, what in (
        (wiring.n_neurons, limits.MAX_NEURONS, "neurons"),
        (wiring.n_edges, limits.MAX_EDGES, "edges"),
    ):
        if count > most:
            raise ValueError(f"{count} {what} are more than the {most} that a file may hold")


def _one_line(error: ValueError) -> str:
    line = " ".join(str(error).split())
    return line if len(line) <= 600 else f"{line[:600]}..."
