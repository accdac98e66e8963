"""GraphML, the XML of nodes and edges with typed attributes that networkx, igraph and yEd write.

References
----------
.. [1] U. Brandes et al., "GraphML Progress Report", 2002, doi:10.1007/3-540-45848-4_59
"""

from __future__ import annotations

from collections.abc import Iterator

from priors.formats import limits
from priors.formats.draft import Draft, undirected_half
from priors.formats.headings import OTHER_NUMBERS
from priors.formats.reading import Reading
from priors.formats.values import TextNames, flag_of_text, layer_of_text, shown, text_names, weight_or_none
from priors.formats.xml_events import attribute, quoted_names, walk
from priors.wiring import Wiring

__all__ = ["read_graphml", "write_graphml"]

_NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
_WEIGHTS = ("weight", "value")
_KEPT = {("graph", "inputs"), ("graph", "outputs"), ("node", "layer"), *(("edge", name) for name in _WEIGHTS)}
_NUMBERS = ("int", "long", "float", "double", "integer")
_DIRECTIONS = {"directed": "true", "undirected": "false"}


def read_graphml(content: bytes, reading: Reading) -> Wiring:
    """Read the one graph of a GraphML file; attributes other than `layer`, `weight`, `inputs`, `outputs` are dropped.

    Node ids that are whole numbers become integers, all others strings. Where no edge attribute is called ``weight``,
    one called ``value`` holds weights. Edges may differ in whether they have a direction.
    """
    reader = _Reader(reading)
    walk(
        content,
        "graphml",
        {
            "key": reader.start_key,
            "graph": reader.start_graph,
            "node": reader.start_item,
            "edge": reader.start_item,
            "data": reader.start_data,
            "hyperedge": _refuse_hyperedge,
        },
        {"default": reader.end_default, "data": reader.end_data, "node": reader.end_node, "edge": reader.end_edge},
    )
    return reader.wiring()


class _Reader:
    """What is known in the middle of a GraphML file."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.draft = Draft(reading)
        self.names = TextNames()
        self.direction: str | None = None
        self.keys: dict[tuple[str, str], str] = {}
        self.declared: set[str] = set()
        self.values: dict[tuple[str, str], str] = {}
        self.defaults: dict[tuple[str, str], str] = {}
        self.key = ""
        self.item: dict[str, str] | None = None
        self.numbers: dict[str, str] = {}

    def start_key(self, attributes: dict[str, str], _: str) -> None:
        self.key = attribute(attributes, "id", "key")
        self.declared.add(self.key)
        if len(self.declared) > limits.MAX_TAG_NAMES:
            raise ValueError(f"declares more than {limits.MAX_TAG_NAMES} keys")
        owner, name = attributes.get("for", "all"), attributes.get("attr.name", self.key)
        own = name.lower() if name.lower() in _WEIGHTS else name
        for kept in _KEPT:
            if own == kept[1] and owner in (kept[0], "all"):
                self.keys[kept[0], self.key] = own
        if owner == "node" and own in _WEIGHTS:
            # Cytoscape declares keys of edges as those of nodes.
            self.keys.setdefault(("edge", self.key), own)
        is_number = attributes.get("attr.type", "string") in _NUMBERS
        if owner in ("edge", "all") and is_number and own not in _WEIGHTS and not OTHER_NUMBERS.search(own.lower()):
            self.numbers[self.key] = own

    def end_default(self, text: str, _: str) -> None:
        for owner in ("graph", "node", "edge"):
            name = self.keys.get((owner, self.key))
            if name is not None:
                self.defaults[owner, name] = text

    def start_graph(self, attributes: dict[str, str], around: str) -> None:
        if self.direction is not None and around == "node":
            # yEd's groups.
            self.reading.remark("graphs inside of nodes, whose nodes are taken as nodes beside these")
            self.end_node("", "")
            return
        if self.direction is not None or around != "graphml":
            raise ValueError("holds a second graph, or one inside another: a wiring is one graph")
        if not any(owner == "edge" for owner, _ in self.keys) and len(self.numbers) == 1:
            ((key, name),) = self.numbers.items()
            self.keys["edge", key] = "weight"
            self.reading.remark(f"the attribute {shown(name)} of edges, taken as their weight")
        elif self.numbers and not any(owner == "edge" for owner, _ in self.keys):
            listed = ", ".join(sorted(self.numbers.values()))
            self.reading.remark(f"attributes {listed} of edges, none of which is taken as their weight")
        if "edgedefault" not in attributes:
            self.reading.remark("no edgedefault, so that edges are undirected; --directed or --undirected decides")
        self.direction = attributes.get("edgedefault", "undirected")
        if self.direction not in _DIRECTIONS:
            raise ValueError(f"edgedefault is {shown(self.direction)}: it must be 'directed' or 'undirected'")

    def start_item(self, attributes: dict[str, str], around: str) -> None:
        if around != "graph":
            raise ValueError(f"holds a node or an edge inside {shown(around)}: it must be inside 'graph'")
        self.item = attributes

    def start_data(self, attributes: dict[str, str], _: str) -> None:
        self.key = attribute(attributes, "key", "data")
        if self.key not in self.declared:
            # Neo4j declares none: keys are then the names themselves.
            self.start_key({"id": self.key}, "")

    def end_data(self, text: str, around: str) -> None:
        name = self.keys.get((around, self.key))
        if name is not None:
            self.values[around, name] = text

    def end_node(self, _text: str, _around: str) -> None:
        if self.item is None:
            return  # It was declared when a graph began inside of it.
        layer = self.values.pop(("node", "layer"), self.defaults.get(("node", "layer")))
        name = self.names[attribute(self.item or {}, "id", "node")]
        self.draft.node(name, None if layer is None else layer_of_text(layer, self.reading))
        self.item = None

    def end_edge(self, _text: str, _around: str) -> None:
        item = self.item or {}
        texts = {name: self.values.pop(("edge", name), self.defaults.get(("edge", name))) for name in _WEIGHTS}
        weight = item.get("weight", texts["weight"])
        if weight is None and not self.has_weights:
            weight = texts["value"]
            if weight is not None:
                self.reading.remark("the attribute 'value' of edges, taken as their weight")
        # graphonline has a name of its own for it.
        own = item.get("directed", item.get("isDirect", _DIRECTIONS[str(self.direction)]))
        if own not in _DIRECTIONS.values():
            raise ValueError(f"holds an edge with directed={shown(own)}: it must be true or false")
        self.draft.edge(
            self.names[attribute(item, "source", "edge")],
            self.names[attribute(item, "target", "edge")],
            None if weight is None else weight_or_none(weight),
            otherwise=own != _DIRECTIONS[str(self.direction)],
        )
        self.item = None

    @property
    def has_weights(self) -> bool:
        """Whether the file declares an attribute of edges that is called ``weight``."""
        return any(owner == "edge" and name == "weight" for (owner, _), name in self.keys.items())

    def wiring(self) -> Wiring:
        if self.direction is None:
            raise ValueError("holds no graph")
        values = {name: text for (owner, name), text in (self.defaults | self.values).items() if owner == "graph"}
        flags = {name: flag_of_text(name, text) for name, text in values.items()}
        return self.draft.wiring(directed=self.direction == "directed", **flags)


def _refuse_hyperedge(_attributes: dict[str, str], _around: str) -> None:
    raise ValueError("holds a hyperedge: an edge of a wiring has one source and one target")


def write_graphml(wiring: Wiring) -> bytes:
    """Return a wiring as GraphML: an undirected graph is told as one, each edge once."""
    return ("\n".join(_lines(wiring)) + "\n").encode()


def _lines(wiring: Wiring) -> Iterator[str]:
    names = quoted_names(text_names(wiring))
    half = undirected_half(wiring)
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield f'<graphml xmlns="{_NAMESPACE}">'
    yield '<key id="inputs" for="graph" attr.name="inputs" attr.type="boolean"/>'
    yield '<key id="outputs" for="graph" attr.name="outputs" attr.type="boolean"/>'
    yield '<key id="layer" for="node" attr.name="layer" attr.type="long"/>'
    if wiring.weights is not None:
        yield '<key id="weight" for="edge" attr.name="weight" attr.type="double"/>'
    yield f'<graph edgedefault="{"directed" if half is None else "undirected"}">'
    yield f'<data key="inputs">{str(wiring.inputs).lower()}</data>'
    yield f'<data key="outputs">{str(wiring.outputs).lower()}</data>'
    for name, layer in zip(names, wiring.layer_of.tolist(), strict=True):
        yield f'<node id={name}><data key="layer">{layer}</data></node>'
    edges = wiring.edges if half is None else wiring.edges[half]
    if wiring.weights is None:
        yield from (f"<edge source={names[source]} target={names[target]}/>" for source, target in edges.tolist())
    else:
        weights = wiring.weights if half is None else wiring.weights[half]
        for (source, target), weight in zip(edges.tolist(), weights.tolist(), strict=True):
            yield f'<edge source={names[source]} target={names[target]}><data key="weight">{weight!r}</data></edge>'
    yield "</graph>"
    yield "</graphml>"
