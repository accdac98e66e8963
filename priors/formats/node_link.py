"""Node-link data, the JSON of networkx and D3: nodes with an ``id``, links with ``source`` and ``target``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from priors.formats.document import DOCUMENT_FORMAT
from priors.formats.draft import Draft, undirected_half
from priors.formats.reading import Reading
from priors.formats.values import is_name, is_weight, layer_of_text, plain_names, shown
from priors.wiring import Wiring

__all__ = ["from_node_link", "is_node_link", "to_node_link"]

_LINKS = ("edges", "links")
_WEIGHTS = ("weight", "value")


def is_node_link(document: object) -> bool:
    """Whether a JSON value is node-link data rather than our own document."""
    return isinstance(document, Mapping) and "nodes" in document and document.get("format") != DOCUMENT_FORMAT


def to_node_link(wiring: Wiring) -> dict[str, Any]:
    """Return what ``networkx.node_link_data(wiring.to_networkx())`` does, with names as strings or integers.

    An undirected graph is told as one, each edge once.
    """
    names = plain_names(wiring)
    half = undirected_half(wiring)
    edges = wiring.edges if half is None else wiring.edges[half]
    links = [{"source": names[source], "target": names[target]} for source, target in edges.tolist()]
    if wiring.weights is not None:
        weights = wiring.weights if half is None else wiring.weights[half]
        links = [link | {"weight": weight} for link, weight in zip(links, weights.tolist(), strict=True)]
    layers = wiring.layer_of.tolist()
    return {
        "directed": half is None,
        "multigraph": False,
        "graph": {"inputs": wiring.inputs, "outputs": wiring.outputs},
        "nodes": [{"layer": layer, "id": name} for layer, name in zip(layers, names, strict=True)],
        "edges": links,
    }


def from_node_link(document: Mapping[str, Any], reading: Reading) -> Wiring:
    """Build a wiring from node-link data; without the key ``directed`` the graph is undirected, as in networkx.

    Where no node has an ``id``, links name nodes by their places, as D3's older data do. Where no link has a
    ``weight``, a ``value`` is taken for it.

    Raises
    ------
    ValueError
        For links under both ``edges`` and ``links``, wrong types, or a graph that is no wiring.
    """
    keys = [key for key in _LINKS if key in document]
    if len(keys) != 1:
        raise ValueError(f"holds {' and '.join(keys) or 'neither edges nor links'}: node-link data has one of the two")
    nodes, links = _items(document, "nodes"), _items(document, keys[0])
    draft = Draft(reading)
    is_vis = bool(links) and "source" not in links[0] and "from" in links[0]
    source, target = ("from", "to") if is_vis else ("source", "target")
    ends = [(_end(link, source), _end(link, target)) for link in links]
    key = "id"
    if nodes and not any("id" in node for node in nodes) and all("name" in node for node in nodes):
        named = {name for pair in ends for name in pair} <= {node["name"] for node in nodes if _is_plain(node["name"])}
        key = "name" if named else "id"
    by_place = bool(nodes) and not any(key in node for node in nodes)
    ids: list[str | int] = list(range(len(nodes))) if by_place else [_name(node, key) for node in nodes]
    if by_place:
        reading.remark("nodes without an id, taken by their places")
    elif ends and not {name for pair in ends for name in pair} & set(ids) and _are_places(ends, len(nodes)):
        reading.remark("links between places of nodes, since none of them is an id")
        ends = [(ids[int(first)], ids[int(second)]) for first, second in ends]
    for name, node in zip(ids, nodes, strict=True):
        draft.node(name, _layer(node.get("layer"), reading))
    weighted = next((key for key in _WEIGHTS if any(link.get(key) is not None for link in links)), "weight")
    if weighted != "weight":
        reading.remark(f"{weighted!r} of links, taken as their weight")
    directed = _flag(document, "directed")
    for (first, second), link in zip(ends, links, strict=True):
        otherwise = "directed" in link and _flag(link, "directed") != directed
        draft.edge(first, second, _weight(link.get(weighted)), otherwise=otherwise)
    graph = document.get("graph", {})
    attributes = graph if isinstance(graph, dict) else {}
    if "directed" not in document:
        reading.remark("no key 'directed', so that edges are undirected; --directed or --undirected decides")
    return draft.wiring(directed=directed, inputs=_flag(attributes, "inputs"), outputs=_flag(attributes, "outputs"))


def _end(link: Mapping[str, Any], key: str) -> str | int:
    """Return an end of a link; D3 replaces names by whole nodes."""
    node = link.get(key)
    if isinstance(node, dict):
        return _name(node, "id" if "id" in node else "name")
    return _name(link, key)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int)


def _are_places(ends: list[tuple[str | int, str | int]], n_nodes: int) -> bool:
    return all(isinstance(place, int) and 0 <= place < n_nodes for pair in ends for place in pair)


def _items(document: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    items = document[key]
    if type(items) is not list:
        raise ValueError(f"key {key!r} holds a {type(items).__name__}: it must be a list")
    for item in items:
        if type(item) is not dict:
            raise ValueError(f"{key} hold {shown(item)}: each must be an object")
    return items


def _name(item: Mapping[str, Any], key: str) -> str | int:
    if key not in item:
        raise ValueError(f"key {key!r} is missing in {shown(item)}")
    told = item[key]
    name: str | int = told if type(told) in (str, int) else str(_as_tuple(told))
    if not is_name(name):
        raise ValueError(f"{key} is {shown(name)}: names of nodes are short strings or integers of 64 bits")
    return name


def _as_tuple(value: object) -> object:
    """Return lists as the tuples that networkx makes of them, so that their text is the same in every format."""
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list) else value


def _layer(value: object, reading: Reading) -> int | None:
    if value is None or (type(value) is int and value >= 0):
        return value
    return layer_of_text(str(value), reading)


def _weight(value: Any) -> float | None:
    if value is None or value != value or is_weight(value):
        return None if value is None or value != value else float(value)
    raise ValueError(f"weight {shown(value)}: each must be a finite number of single precision")


def _flag(item: Mapping[str, Any], key: str) -> bool:
    value = item.get(key, False)
    if type(value) is not bool:
        raise ValueError(f"key {key!r} holds {shown(value)}: it must be true or false")
    return value
