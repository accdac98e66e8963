"""GML, the nested lists of keys and values of M. Himsolt, as igraph, Gephi, networkx and Newman's collection write it.

References
----------
.. [1] M. Himsolt, "GML: A portable Graph File Format", University of Passau, 1997
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

from priors.formats import limits
from priors.formats.draft import Draft, undirected_half
from priors.formats.lines import numbered_lines
from priors.formats.reading import Reading
from priors.formats.values import layer_of_text, name_of_text, shown, text_names, weight_or_none
from priors.wiring import Wiring

__all__ = ["read_gml", "write_gml"]

_BRACKETS = {"[": "open", "]": "close"}
_WEIGHTS = ("weight", "value")
_KEPT = {"node": {"id", "label", "layer"}, "edge": {"source", "target", "directed", *_WEIGHTS}}
_GRAPH = {"directed", "multigraph", "inputs", "outputs"}


def read_gml(content: bytes, reading: Reading) -> Wiring:
    """Read the one graph of a GML file; nodes are named by their labels, or by their ids where these are not distinct.

    An edge's weight is its ``weight``, or its ``value`` as in Newman's collection.
    """
    reader = _Reader(reading)
    reader.read(_tokens(content, reading))
    return reader.wiring()


def _tokens(content: bytes, reading: Reading) -> Iterator[tuple[str, str]]:
    """Yield kind and text of every token; a text in quotes may span lines."""
    quoted: list[str] | None = None
    for _, line in numbered_lines(content, reading):
        if quoted is None and ('"' not in line or line.lstrip().startswith("#")):
            yield from _words("" if line.lstrip().startswith("#") else line)
            continue
        # Every other part of a line with quotes is inside of them.
        for index, part in enumerate(line.split('"')):
            if index and quoted is not None:
                yield "text", " ".join(quoted)
                quoted = None
            elif index:
                quoted = []
            if quoted is None:
                yield from _words(part)
            else:
                quoted.append(part)
    if quoted is not None:
        raise ValueError("ends inside of a text in quotes")


def _words(text: str) -> Iterator[tuple[str, str]]:
    for word in text.replace("[", " [ ").replace("]", " ] ").split():
        yield _BRACKETS.get(word, "word"), word


class _Reader:
    """What is known in the middle of a GML file."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.graph: dict[str, str] | None = None
        self.nodes: list[dict[str, str]] = []
        self.edges: list[dict[str, str]] = []
        self.unread: set[str] = set()

    def read(self, tokens: Iterator[tuple[str, str]]) -> None:
        around: list[str] = []
        key: str | None = None
        for kind, text in tokens:
            if kind == "close":
                if key is not None or not around:
                    raise ValueError("holds a closing bracket where a value or a key is needed")
                around.pop()
            elif key is None:
                if kind != "word":
                    raise ValueError(f"holds {shown(text)} where a key is needed")
                key = text
            elif kind == "open":
                if len(around) >= limits.MAX_DEPTH:
                    raise ValueError(f"nests its lists deeper than {limits.MAX_DEPTH}")
                self._begin(key, around)
                around.append(key)
                key = None
            else:
                self._value(key, text, kind, around)
                key = None
        if around or key is not None:
            raise ValueError(f"ends inside of {shown(around[-1] if around else key)}")

    def _begin(self, key: str, around: list[str]) -> None:
        if key == "graph" and not around:
            if self.graph is not None:
                raise ValueError("holds a second graph: a wiring is one graph")
            self.graph = {}
        elif around == ["graph"] and key in ("node", "edge"):
            items, most = (self.nodes, limits.MAX_NEURONS) if key == "node" else (self.edges, limits.MAX_EDGES)
            if len(items) >= most:
                raise ValueError(f"holds more than the {most} {key}s that are read at most")
            items.append({})

    def _value(self, key: str, text: str, kind: str, around: list[str]) -> None:
        if around == ["graph"] and self.graph is not None:
            if key in _GRAPH:
                self.graph[key] = text
        elif around in (["graph", "node"], ["graph", "edge"]):
            owner = around[1]
            item = (self.nodes if owner == "node" else self.edges)[-1]
            if key in _KEPT[owner]:
                item[key] = html.unescape(text) if kind == "text" else text
            elif owner == "edge" and kind == "word":
                self.unread.add(key)

    def wiring(self) -> Wiring:
        if self.graph is None:
            raise ValueError("holds no graph")
        ids = [_needed(node, "id", "node") for node in self.nodes]
        names = self._names(ids)
        draft = Draft(self.reading)
        for node, own in zip(self.nodes, ids, strict=True):
            layer = node.get("layer")
            draft.node(names[own], None if layer is None else layer_of_text(layer, self.reading))
        directed = self.graph.get("directed", "0") not in ("0", "false")
        weighted = next((key for key in _WEIGHTS if any(key in edge for edge in self.edges)), None)
        if weighted == "value":
            self.reading.remark("the attribute 'value' of edges, taken as their weight")
        elif weighted is None and self.unread:
            self.reading.remark(f"attributes {', '.join(sorted(self.unread))} of edges, which are not read")
        for edge in self.edges:
            ends = [_needed(edge, end, "edge") for end in ("source", "target")]
            for end in ends:
                if end not in names:
                    raise ValueError(f"node {shown(end)} has an edge, but is not declared as a node")
            own_way = edge.get("directed")
            otherwise = own_way is not None and (own_way not in ("0", "false")) != directed
            text = edge.get(weighted, "") if weighted is not None else ""
            draft.edge(names[ends[0]], names[ends[1]], weight_or_none(text), otherwise=otherwise)
        flags = {key: self.graph.get(key) == "1" for key in ("inputs", "outputs")}
        return draft.wiring(directed=directed, **flags)

    def _names(self, ids: list[str]) -> dict[str, str | int]:
        if len(set(ids)) < len(ids):
            repeated = next(own for index, own in enumerate(ids) if own in ids[:index])
            raise ValueError(f"node {shown(repeated)} is there twice")
        labels = [node.get("label") for node in self.nodes]
        if any(label is None or not label.strip() for label in labels) or len(set(labels)) < len(labels):
            if any(labels):
                self.reading.remark("labels that are missing or repeated, so that nodes are named by their ids")
            return {own: name_of_text(own) for own in ids}
        return {own: name_of_text(str(label)) for own, label in zip(ids, labels, strict=True)}


def _needed(item: dict[str, str], key: str, what: str) -> str:
    if key not in item:
        raise ValueError(f"holds a {what} without {key!r}")
    return item[key]


def write_gml(wiring: Wiring) -> bytes:
    """Return a wiring as GML; an undirected graph is written as one, each edge once.

    Raises
    ------
    ValueError
        For names that hold a quote, an ampersand or what is no text.
    """
    names = text_names(wiring)
    for name in names:
        if '"' in name or not name.isprintable() or not name.strip():
            raise ValueError(f"name {shown(name)} cannot stand in GML; a .json file can hold it")
    half = undirected_half(wiring)
    edges = wiring.edges if half is None else wiring.edges[half]
    head: dict[str, Any] = {"directed": int(half is None)}
    head |= {key: 1 for key, there in (("inputs", wiring.inputs), ("outputs", wiring.outputs)) if there}
    lines = ["graph [", *(f"  {key} {value}" for key, value in head.items())]
    for number, (name, layer) in enumerate(zip(names, wiring.layer_of.tolist(), strict=True)):
        label = name.replace("&", "&amp;")
        lines.append(f'  node [ id {number} label "{label}" layer {layer} ]')
    weights = [""] * len(edges)
    if wiring.weights is not None:
        kept = wiring.weights if half is None else wiring.weights[half]
        weights = [f" weight {weight!r}" for weight in kept.tolist()]
    for (source, target), weight in zip(edges.tolist(), weights, strict=True):
        lines.append(f"  edge [ source {source} target {target}{weight} ]")
    return "".join(f"{line}\n" for line in [*lines, "]"]).encode()
