"""GEXF, the XML of Gephi, as networkx writes and reads it.

A graph of GEXF has no attributes of its own: inputs and outputs are told by keywords of the file.

References
----------
.. [1] GEXF 1.2 draft, https://gexf.net/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from priors.formats.draft import Draft, undirected_half
from priors.formats.reading import Reading
from priors.formats.values import TextNames, layer_of_text, shown, text_names, weight_or_none
from priors.formats.xml_events import attribute, quoted_names, walk
from priors.wiring import Wiring

__all__ = ["read_gexf", "write_gexf"]

_NAMESPACE = "http://www.gexf.net/1.2draft"
_INPUTS, _OUTPUTS = "wirenas-inputs", "wirenas-outputs"
_KEYWORDS = re.compile(rf"(?:^|,)\s*({_INPUTS}|{_OUTPUTS})\s*(?=,|$)")
_KEPT = {"node": "layer", "edge": "weight"}
_DIRECTIONS = ("directed", "undirected")
# Gephi once wrote mixed, which the format does not know, for graphs whose edges say it themselves.
_KINDS = {"directed": True, "undirected": False, "mutual": False, "mixed": False}


def read_gexf(content: bytes, reading: Reading) -> Wiring:
    """Read the static graph of a GEXF file; attributes other than `layer` and `weight` are dropped.

    Nodes are named by their ids, as networkx does; whole numbers become integers. A weight that is left out is 1, as
    the format says. Edges may differ in whether they have a direction.
    """
    reader = _Reader(reading)
    walk(
        content,
        "gexf",
        {
            "graph": reader.start_graph,
            "attributes": reader.start_attributes,
            "attribute": reader.start_attribute,
            "node": reader.start_item,
            "edge": reader.start_item,
            "attvalue": reader.start_value,
        },
        {
            "keywords": reader.end_keywords,
            "default": reader.end_default,
            "node": reader.end_node,
            "edge": reader.end_edge,
        },
    )
    return reader.wiring()


class _Reader:
    """What is known in the middle of a GEXF file."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.draft = Draft(reading)
        self.names = TextNames()
        self.direction: str | None = None
        self.keywords: set[str] = set()
        self.owner = ""
        self.key = ""
        self.keys: set[tuple[str, str]] = set()
        self.declared: set[tuple[str, str]] = set()
        self.outer: list[tuple[dict[str, str], str, str | None]] = []
        self.seen: set[str | int] = set()
        self.defaults: dict[str, str] = {}
        self.item: dict[str, str] | None = None
        self.item_owner = ""
        self.value: str | None = None

    def end_keywords(self, text: str, _: str) -> None:
        # Looked for in the text: a list of all its words could take many times as much memory.
        self.keywords.update(found[1] for found in _KEYWORDS.finditer(text))

    def start_graph(self, attributes: dict[str, str], around: str) -> None:
        if self.direction is not None or around != "gexf":
            raise ValueError("holds a second graph, or one inside another: a wiring is one graph")
        if attributes.get("mode", "static") != "static":
            self.reading.remark(f"a graph of mode {shown(attributes['mode'])}, taken as what is there at any time")
        self.direction = attributes.get("defaultedgetype", "undirected").lower()
        if self.direction not in _KINDS:
            raise ValueError(f"defaultedgetype is {shown(self.direction)}: it must be one of {', '.join(_KINDS)}")

    def start_attributes(self, attributes: dict[str, str], _: str) -> None:
        self.owner = attributes.get("class", "")

    def start_attribute(self, attributes: dict[str, str], _: str) -> None:
        self.key = attribute(attributes, "id", "attribute")
        self.declared.add((self.owner, self.key))
        if attributes.get("title", "").lower() == _KEPT.get(self.owner, ""):
            self.keys.add((self.owner, self.key))

    def end_default(self, text: str, _: str) -> None:
        if (self.owner, self.key) in self.keys:
            self.defaults[self.owner] = text

    def start_item(self, attributes: dict[str, str], around: str) -> None:
        owner = {"nodes": "node", "edges": "edge"}.get(around, "")
        if not owner:
            raise ValueError("holds a node or an edge outside of 'nodes' and 'edges'")
        if self.item is not None:
            self.reading.remark("nodes inside others, taken as nodes beside them")
            self.outer.append((self.item, self.item_owner, self.value))
        self.item, self.item_owner, self.value = attributes, owner, self.defaults.get(owner)

    def start_value(self, attributes: dict[str, str], _: str) -> None:
        key = (self.item_owner, attributes.get("for", ""))
        # Gephi once wrote weights as values of an attribute that it did not declare.
        if key in self.keys or (key not in self.declared and key[1].lower() == _KEPT.get(key[0])):
            self.value = attribute(attributes, "value", "attvalue")

    def end_node(self, _text: str, _around: str) -> None:
        name = self.names[attribute(self.item or {}, "id", "node")]
        if name in self.seen:
            self.reading.remark("nodes that are there twice, taken as one")
        else:
            self.draft.node(name, None if self.value is None else layer_of_text(self.value, self.reading))
        self.seen.add(name)
        self._leave()

    def _leave(self) -> None:
        if self.outer:
            self.item, self.item_owner, self.value = self.outer.pop()
        else:
            self.item = None

    def end_edge(self, _text: str, _around: str) -> None:
        item = self.item or {}
        kind = item.get("type", str(self.direction)).lower()
        if kind not in _KINDS:
            raise ValueError(f"holds an edge of type {shown(kind)}: it must be one of {', '.join(_KINDS)}")
        weight = item.get("weight", self.value)
        self.draft.edge(
            self.names[attribute(item, "source", "edge")],
            self.names[attribute(item, "target", "edge")],
            None if weight is None else weight_or_none(weight),
            otherwise=_KINDS[kind] != _KINDS[str(self.direction)],
        )
        self._leave()

    def wiring(self) -> Wiring:
        if self.direction is None:
            raise ValueError("holds no graph")
        return self.draft.wiring(
            directed=_KINDS[self.direction],
            inputs=_INPUTS in self.keywords,
            outputs=_OUTPUTS in self.keywords,
            missing_is_one=True,
        )


def write_gexf(wiring: Wiring) -> bytes:
    """Return a wiring as GEXF: an undirected graph is told as one, each edge once."""
    return ("\n".join(_lines(wiring)) + "\n").encode()


def _lines(wiring: Wiring) -> Iterator[str]:
    names = quoted_names(text_names(wiring))
    half = undirected_half(wiring)
    keywords = [_INPUTS] * wiring.inputs + [_OUTPUTS] * wiring.outputs
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield f'<gexf xmlns="{_NAMESPACE}" version="1.2">'
    yield f"<meta><creator>WireNAS</creator><keywords>{', '.join(keywords)}</keywords></meta>"
    yield f'<graph mode="static" defaultedgetype="{_DIRECTIONS[half is not None]}">'
    yield '<attributes class="node" mode="static"><attribute id="layer" title="layer" type="long"/></attributes>'
    yield "<nodes>"
    for name, layer in zip(names, wiring.layer_of.tolist(), strict=True):
        values = f'<attvalues><attvalue for="layer" value="{layer}"/></attvalues>'
        yield f"<node id={name} label={name}>{values}</node>"
    yield "</nodes>"
    yield "<edges>"
    edges = wiring.edges if half is None else wiring.edges[half]
    weights = [""] * len(edges)
    if wiring.weights is not None:
        kept = wiring.weights if half is None else wiring.weights[half]
        weights = [f' weight="{weight!r}"' for weight in kept.tolist()]
    for index, ((source, target), weight) in enumerate(zip(edges.tolist(), weights, strict=True)):
        yield f'<edge id="{index}" source={names[source]} target={names[target]}{weight}/>'
    yield "</edges>"
    yield "</graph>"
    yield "</gexf>"
