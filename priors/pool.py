"""GraphPool: a prior over graphs that are given, such as connectomes or the graphs of a benchmark."""

from __future__ import annotations

import hashlib
import operator
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from priors.checks import settle
from priors.draws import Seed
from priors.graph_files import MAX_GRAPHS, read_wirings
from priors.wiring import Wiring

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["GraphPool"]

_FINGERPRINT_HEADER = b"wirenas-pool-1\0"


@dataclass(frozen=True, init=False, repr=False)
class GraphPool:
    """Graphs in a fixed order, each of them equally likely.

    Parameters
    ----------
    graphs : sequence of Wiring or networkx graph
        At least one and at most 2**20 graphs, each with at least one node; equal graphs may repeat and then count as
        often. Graphs of networkx become wirings by `Wiring.from_networkx`.
    names : sequence of str, optional
        One distinct name a graph; ``"0"``, ``"1"``, … where none are given. Not part of the identity.

    Attributes
    ----------
    wirings : tuple of Wiring
        The graphs.
    names : tuple of str
        Their names.

    Raises
    ------
    ValueError
        For no graph or too many, what is no graph, or names that are not distinct or not as many.

    Notes
    -----
    Two pools are equal when their wirings are, in the same order; `fingerprint` is then equal too.

    Examples
    --------
    >>> from priors import GraphPool, Wiring
    >>> pool = GraphPool([Wiring((3,), [(0, 1), (1, 2)]), Wiring((2,), [(0, 1)])], names=["path", "edge"])
    >>> pool.sample(0)
    <Wiring 2: 2 neurons, 1 edges, ...>
    >>> len(pool), pool.names, [wiring.n_edges for wiring in pool]
    (2, ('path', 'edge'), [2, 1])
    """

    wirings: tuple[Wiring, ...]
    names: tuple[str, ...] = field(compare=False)
    family: ClassVar[str] = "pool"

    def __init__(self, graphs: Iterable[Wiring | nx.Graph[Any]], names: Iterable[str] | None = None) -> None:
        if isinstance(graphs, str | os.PathLike | Wiring) or hasattr(graphs, "adj"):
            raise ValueError(f"graphs={graphs!r}: GraphPool takes a list of graphs; GraphPool.read takes a path")
        wirings = tuple(_as_wiring(graph, index) for index, graph in enumerate(graphs))
        if not 1 <= len(wirings) <= MAX_GRAPHS:
            raise ValueError(f"graphs holds {len(wirings)} graphs: GraphPool needs 1 to {MAX_GRAPHS}")
        settle(self, wirings=wirings, names=_checked_names(names, len(wirings)))

    @classmethod
    def read(
        cls,
        path: str | os.PathLike[str],
        *,
        format: str | None = None,  # noqa: A002
        directed: bool | None = None,
        merge: str = "sum",
    ) -> GraphPool:
        """Read the graphs of a folder or an archive, sorted by the names of their files, or a single graph file.

        Graph files are those with a suffix of `priors.FORMATS`, in capitals or not, and ``.gz`` may follow. Hidden
        files are passed over. Since tables and notes often lie beside graphs, a ``.csv`` or ``.tsv`` file beside graphs
        of other formats, and a ``.txt`` or ``.dat`` file beside any others, is left out where it is neither a list of
        edges nor a matrix, or its heading does not name source and target; so are ``README.txt`` and the like. One
        `GraphFileWarning` says what was left out, and why.

        Folders in a folder are left out, those in an archive are not: the names of its members hold them. An archive
        is a .zip, .tar, .tar.gz or .tgz file; it is read in memory and never extracted.

        Parameters
        ----------
        path : str or path
            The folder, archive or graph file. The names of the pool are those of the graphs' files, suffix included.
        format, directed, merge
            As in `priors.read_wiring`, for all files.

        Raises
        ------
        ValueError
            Whatever is wrong: one line that begins with the file, ``archive!member`` where it lies in an archive.
            Refused are graphs without nodes; links, absolute names and names with ``..`` among the graphs of an
            archive; files that hold more than `priors.read_wiring` takes; and more than 2**20 graphs or, in all, 2**31
            bytes (unpacked), 2**25 neurons or 2**27 edges.
        """
        found = read_wirings(path, format=format, directed=directed, merge=merge, stacklevel=3)
        return cls(found.values(), found)

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal sha256 that identifies the pool on every platform.

        The hashed bytes are the text ``wirenas-pool-1`` and a zero byte, then the 32 bytes of the fingerprint of every
        wiring, in order.
        """
        digest = hashlib.sha256(_FINGERPRINT_HEADER)
        for wiring in self.wirings:
            digest.update(bytes.fromhex(wiring.fingerprint))
        return digest.hexdigest()

    @cached_property
    def weights_fingerprint(self) -> str:
        """Hexadecimal sha256 of the weights of all wirings, in order, which `fingerprint` leaves out."""
        digest = hashlib.sha256()
        for wiring in self.wirings:
            weights = b"" if wiring.weights is None else wiring.weights.astype("<f4").tobytes()
            digest.update(len(weights).to_bytes(8, "little") + weights)
        return digest.hexdigest()

    def sample(self, rng: Seed = None) -> Wiring:
        """Draw one of the graphs, each with the same probability, by one double."""
        return self.wirings[int(np.random.default_rng(rng).random() * len(self))]

    def __len__(self) -> int:
        return len(self.wirings)

    def __getitem__(self, index: int) -> Wiring:
        return self.wirings[operator.index(index)]

    def __iter__(self) -> Iterator[Wiring]:
        return iter(self.wirings)

    def __repr__(self) -> str:
        neurons = _span([wiring.n_neurons for wiring in self.wirings], "neurons")
        edges = _span([wiring.n_edges for wiring in self.wirings], "edges")
        return f"<GraphPool of {len(self)}: {neurons}, {edges}, {self.fingerprint[:12]}>"


def _as_wiring(graph: Wiring | nx.Graph[Any], index: int) -> Wiring:
    if not isinstance(graph, Wiring):
        if not (hasattr(graph, "is_multigraph") and hasattr(graph, "adj")):
            raise ValueError(
                f"graphs[{index}] is a {type(graph).__name__}: GraphPool takes wirings and networkx graphs"
            )
        try:
            graph = Wiring.from_networkx(graph)
        except ValueError as error:
            raise ValueError(f"graphs[{index}]: {error}") from error
    if not graph.n_neurons:
        raise ValueError(f"graphs[{index}] holds no node: every graph of a pool needs at least 1")
    return graph


def _checked_names(names: Iterable[str] | None, count: int) -> tuple[str, ...]:
    own = tuple(map(str, range(count))) if names is None else tuple(names)
    if len(own) != count:
        raise ValueError(f"names holds {len(own)} names: {count} graphs need as many")
    seen = set[str]()
    for name in own:
        if not isinstance(name, str) or name in seen:
            raise ValueError(f"names hold {name!r}{' twice' if name in seen else ''}: each must be a string of its own")
        seen.add(name)
    return own


def _span(counts: list[int], what: str) -> str:
    low, high = min(counts), max(counts)
    return f"{low} {what}" if low == high else f"{low} to {high} {what}"
