"""JSON of other programs: Cytoscape's elements, and JGF, the JSON Graph Format; both become node-link data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from priors.formats.values import shown

__all__ = ["node_link_of"]


def node_link_of(document: Any) -> Any:
    """Return node-link data of a document of Cytoscape or JGF; what is neither is returned as it is.

    Raises
    ------
    ValueError
        If it is one of them, and damaged or more than one graph.
    """
    if not isinstance(document, Mapping):
        return document
    if isinstance(document.get("adjacency"), list) and isinstance(document.get("nodes"), list):
        return _adjacency(document)
    if isinstance(document.get("nodes"), list) and isinstance(document.get("options"), dict):
        return _graphology(document)
    if isinstance(document.get("elements"), dict | list):
        return _cytoscape(document)
    if isinstance(document.get("graphs"), list):
        if len(document["graphs"]) != 1:
            raise ValueError(f"holds {len(document['graphs'])} graphs: a wiring is one graph")
        return _jgf(document["graphs"][0])
    if isinstance(document.get("graph"), dict) and "nodes" in document["graph"] and "nodes" not in document:
        return _jgf(document["graph"])
    return document


def _adjacency(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return networkx's adjacency data, which of an undirected graph hold each edge at both of its ends."""
    nodes = [_object(node, "a node") for node in document["nodes"]]
    if len(nodes) != len(document["adjacency"]):
        raise ValueError(f"holds {len(nodes)} nodes and {len(document['adjacency'])} lists of neighbours")
    edges = [
        {**_object(neighbour, "a neighbour"), "source": node.get("id"), "target": neighbour.get("id")}
        for node, neighbours in zip(nodes, document["adjacency"], strict=True)
        for neighbour in (neighbours if isinstance(neighbours, list) else [neighbours])
    ]
    return {"directed": document.get("directed", False), "nodes": nodes, "edges": edges}


def _graphology(document: Mapping[str, Any]) -> dict[str, Any]:
    directed = document["options"].get("type", "mixed") != "undirected"
    edges = []
    for edge in document.get("edges", []):
        attributes = _object(edge, "an edge").get("attributes")
        weight = attributes.get("weight") if isinstance(attributes, dict) else None
        edges.append({**edge, "weight": weight, "directed": directed and not edge.get("undirected", False)})
    return {"directed": directed, "nodes": [{"id": node.get("key")} for node in document["nodes"]], "edges": edges}


def _cytoscape(document: Mapping[str, Any]) -> dict[str, Any]:
    elements = document["elements"]
    if isinstance(elements, list):
        groups: dict[str, list[Any]] = {"nodes": [], "edges": []}
        for element in elements:
            data = _object(element, "an element").get("data")
            groups["edges" if isinstance(data, dict) and "source" in data else "nodes"].append(element)
        elements = groups
    found: dict[str, Any] = {name: document[name] for name in ("directed",) if name in document}
    for name in ("nodes", "edges"):
        items = elements.get(name, [])
        if not isinstance(items, list):
            raise ValueError(f"key {name!r} holds a {type(items).__name__}: it must be a list")
        found[name] = [_object(_object(item, "an element").get("data"), "data") for item in items]
    if all(str(node.get("value")) == node.get("id") for node in found["nodes"]):
        # networkx writes ids as texts, and what they were as values.
        found["nodes"] = [{"id": node["value"]} for node in found["nodes"]]
    return found


def _jgf(graph: Any) -> dict[str, Any]:
    graph = _object(graph, "graph")
    nodes, edges = graph.get("nodes", {}), graph.get("edges", [])
    if isinstance(nodes, dict):
        nodes = [{"id": name} for name in nodes]
    if not isinstance(nodes, list) or not isinstance(edges, list):
        raise ValueError("holds nodes or edges that are no list: JSON Graph Format has lists of them")
    found: dict[str, Any] = {
        "nodes": [{"id": _object(node, "a node").get("id")} for node in nodes],
        "edges": [_object(edge, "an edge") for edge in edges],
    }
    for edge in found["edges"]:
        if isinstance(metadata := edge.get("metadata"), dict):
            edge.setdefault("weight", metadata.get("weight"))
    # A graph of JGF is directed unless it says otherwise.
    return found | {"directed": graph.get("directed", True)}


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is {shown(value)}: it must be an object")
    return value
