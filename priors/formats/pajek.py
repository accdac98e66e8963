"""Pajek's network files: a section of vertices, then sections of arcs, edges, lists of them, or a matrix.

References
----------
.. [1] A. Mrvar and V. Batagelj, "Pajek: Reference Manual", http://mrvar.fdv.uni-lj.si/pajek/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from priors.formats import limits
from priors.formats.draft import Draft, undirected_half
from priors.formats.lines import numbered_lines
from priors.formats.note import Note, comment_lines, read_comments, write_note
from priors.formats.reading import Reading
from priors.formats.values import name_of_text, shown, text_names, weight_of_text
from priors.wiring import Wiring

__all__ = ["is_pajek", "read_pajek", "write_pajek"]

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"?|(\S+)')
_EDGES = {"arcs": True, "edges": False, "arcslist": True, "edgeslist": False}
_STARTS = (b"*vertices", b"*network", b"*arcs", b"*edges", b"*matrix")
_HEAD = 2**16
_DIGITS = re.compile(r"[0-9]{1,9}", re.ASCII)


def is_pajek(content: bytes) -> bool:
    """Whether a file begins as Pajek's do."""
    for line in content[:_HEAD].removeprefix(b"\xef\xbb\xbf").splitlines():
        text = line.strip().lower()
        if text and not text.startswith(b"%"):
            return text.replace(b"* ", b"*").startswith(_STARTS)
    return False


def read_pajek(content: bytes, reading: Reading) -> Wiring:
    """Read the network of a Pajek file: arcs have a direction, edges have none; a weight that is left out is 1.

    Nodes are named by their labels, or by their numbers where these are missing or not distinct. Several relations are
    parallel edges; partitions and vectors are passed over.
    """
    reader, comments = _Reader(reading), list[str]()
    for number, line in numbered_lines(content, reading):
        text = line.strip()
        if text.startswith("%"):
            comments.append(text[1:])
        elif text:
            try:
                reader.line(text)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None
    return reader.wiring(read_comments(comments))


class _Reader:
    """What is known in the middle of a Pajek file."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.section = ""
        self.n_vertices: int | None = None
        self.labels: dict[int, str] = {}
        self.edges: list[tuple[int, int, float | None, bool]] = []
        self.n_rows = 0
        self.n_first: int | None = None

    def line(self, text: str) -> None:
        if text.startswith("*"):
            self._begin(text[1:].split() or [""])
        elif self.section == "vertices":
            self._vertex([quoted.replace('\\"', '"') or plain for quoted, plain in _TOKEN.findall(text)])
        elif self.section in ("arcs", "edges"):
            cells = text.split()
            # The number of a relation may stand before an edge.
            self._edge(cells[1:] if cells[0].endswith(":") else cells)
        elif self.section in ("arcslist", "edgeslist"):
            first, *others = text.split()
            for other in others:
                self._add(first, other, None)
        elif self.section == "matrix":
            self._row(text.split())

    def _begin(self, words: list[str]) -> None:
        section = words[0].lower().rstrip(":")
        if section == "vertices":
            if self.n_vertices is not None:
                # Partitions and vectors have a section of vertices of their own.
                self.section = ""
                return
            if len(words) < 2 or not _DIGITS.fullmatch(words[1]):
                raise ValueError(f"{shown(' '.join(words))}: '*Vertices' needs the number of vertices")
            if len(words) > 2 and _DIGITS.fullmatch(words[2]):
                self.n_first = int(words[2])
                self.reading.remark("a network of two modes, whose nodes are taken as one set")
            self.n_vertices = int(words[1])
            if self.n_vertices > limits.MAX_NEURONS:
                raise ValueError(f"{self.n_vertices} vertices are more than the {limits.MAX_NEURONS} read at most")
        elif section in _EDGES or section == "matrix":
            if self.n_vertices is None:
                raise ValueError(f"'*{words[0]}' stands before '*Vertices'")
        elif section == "network" and self.edges:
            raise ValueError("holds a second network: a wiring is one graph")
        self.section = section

    def _vertex(self, cells: list[str]) -> None:
        number = self._number(cells[0])
        if len(cells) > 1:
            self.labels[number] = cells[1]

    def _edge(self, cells: list[str]) -> None:
        if len(cells) < 2:
            raise ValueError(f"{shown(' '.join(cells))}: two vertices and maybe a weight are needed")
        self._add(cells[0], cells[1], weight_of_text(cells[2]) if len(cells) > 2 and _is_value(cells[2]) else None)

    def _row(self, cells: list[str]) -> None:
        n_vertices = self.n_vertices or 0
        n_rows, first = (n_vertices, 0) if self.n_first is None else (self.n_first, self.n_first)
        if len(cells) != n_vertices - first or self.n_rows >= n_rows:
            raise ValueError(f"a matrix of {n_vertices} vertices has {n_rows} rows of {n_vertices - first} numbers")
        self.n_rows += 1
        for column, cell in enumerate(cells, start=1 + first):
            value = weight_of_text(cell)
            if value:
                self._add(str(self.n_rows), str(column), value)

    def _add(self, source: str, target: str, weight: float | None) -> None:
        if len(self.edges) >= limits.MAX_EDGES:
            raise ValueError(f"holds more than the {limits.MAX_EDGES} edges that are read at most")
        # In lists of arcs a minus stands before the number of a vertex that an arc of negative value leads to.
        if target.startswith("-") and weight is None:
            target, weight = target[1:], -1.0
        directed = _EDGES.get(self.section, self.n_first is None)
        self.edges.append((self._number(source), self._number(target), weight, directed))

    def _number(self, text: str) -> int:
        number = int(text) if _DIGITS.fullmatch(text) else 0
        if not 1 <= number <= (self.n_vertices or 0):
            raise ValueError(f"vertex {shown(text)}: vertices are numbered from 1 to {self.n_vertices}")
        return number

    def wiring(self, note: Note | None) -> Wiring:
        if self.n_vertices is None:
            raise ValueError("holds no section '*Vertices'")
        if self.section == "matrix" and self.n_rows < (self.n_vertices if self.n_first is None else self.n_first):
            raise ValueError(f"its matrix has {self.n_rows} rows: {self.n_vertices} vertices need more")
        if note is not None and sum(note["sizes"]) != self.n_vertices:
            raise ValueError(f"its note tells of {sum(note['sizes'])} neurons, '*Vertices' of {self.n_vertices}")
        draft = Draft(self.reading)
        names = list(self._names(self.n_vertices)) if note is None or note["names"] is None else note["names"]
        sizes = [self.n_vertices] if note is None else note["sizes"]
        for name, layer in zip(names, np.repeat(np.arange(len(sizes)), sizes).tolist(), strict=True):
            draft.node(name, layer)
        directed = any(one_way for *_, one_way in self.edges)
        same = {weight for _, _, weight, _ in self.edges} <= {None, 1.0} and not (note and note["weighted"])
        for source, target, weight, one_way in self.edges:
            own = None if same else weight
            draft.edge(names[source - 1], names[target - 1], own, otherwise=one_way != directed)
        units = {} if note is None else {"inputs": note["inputs"], "outputs": note["outputs"]}
        return draft.wiring(directed=directed, missing_is_one=True, **units)

    def _names(self, n_vertices: int) -> Iterator[str | int]:
        labels = [self.labels.get(number, "") for number in range(1, n_vertices + 1)]
        if all(label.strip() for label in labels) and len(set(labels)) == n_vertices:
            return map(name_of_text, labels)
        if any(labels):
            self.reading.remark("labels that are missing or repeated, so that nodes are named by their numbers")
        return iter(range(1, n_vertices + 1))


def _is_value(text: str) -> bool:
    return text[:1].isdigit() or text[:1] in "+-."


def write_pajek(wiring: Wiring) -> bytes:
    """Return a wiring as a Pajek file: edges of an undirected graph, else arcs.

    What these cannot tell, such as layers, stands in comments.

    Raises
    ------
    ValueError
        For names that hold a quote or what is no text.
    """
    names = text_names(wiring)
    for name in names:
        if '"' in name or not name.isprintable() or not name.strip():
            raise ValueError(f"name {shown(name)} cannot stand in a Pajek file; a .json file can hold it")
    half = undirected_half(wiring)
    edges = wiring.edges if half is None else wiring.edges[half]
    ones = wiring.weights is not None and bool((wiring.weights == 1).all())
    is_plain = wiring.n_layers < 2 and not (wiring.inputs or wiring.outputs or ones)
    lines = [] if is_plain else comment_lines(write_note(wiring), "% ")
    lines += [f"*Vertices {len(names)}", *(f'{number} "{name}"' for number, name in enumerate(names, start=1))]
    lines.append("*Arcs" if half is None else "*Edges")
    if wiring.weights is None:
        lines += [f"{source} {target}" for source, target in (edges + 1).tolist()]
    else:
        kept = wiring.weights if half is None else wiring.weights[half]
        pairs = zip((edges + 1).tolist(), kept.tolist(), strict=True)
        lines += [f"{source} {target} {weight!r}" for (source, target), weight in pairs]
    return "".join(f"{line}\n" for line in lines).encode()
