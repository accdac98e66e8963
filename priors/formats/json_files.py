"""JSON files: the project's own document and those of other programs, told apart by what they hold."""

from __future__ import annotations

import json
from typing import Any

from priors.formats import limits
from priors.formats.document import from_dict, to_dict
from priors.formats.node_link import from_node_link, is_node_link, to_node_link
from priors.formats.other_json import node_link_of
from priors.formats.reading import Reading
from priors.wiring import Wiring

__all__ = ["check_memory", "dumps", "loads", "read_json", "write_json", "write_node_link"]

# What a value takes at most, in bytes: an object with one key; an empty list; a key, its memo and its slot; an item.
_COSTS = {b"{": 240, b"[": 100, b":": 220, b",": 64}


def read_json(content: bytes, reading: Reading) -> Wiring:
    """Read a wiring from our own document, node-link data, or what Cytoscape and JGF have."""
    document = node_link_of(loads(content))
    return from_node_link(document, reading) if is_node_link(document) else from_dict(document)


def write_json(wiring: Wiring) -> bytes:
    """Return our own document of a wiring."""
    return dumps(to_dict(wiring))


def write_node_link(wiring: Wiring) -> bytes:
    """Return a wiring as node-link data."""
    return dumps(to_node_link(wiring))


def loads(content: bytes) -> Any:
    """Return the value of a JSON text, refusing in advance what would take too much memory.

    Raises
    ------
    ValueError
        If it is no JSON, or may take more than `MAX_JSON_MEMORY`.
    """
    check_memory(content)
    try:
        return json.loads(content)
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from error


def dumps(document: Any) -> bytes:
    """Return a value as JSON text that `loads` takes.

    Raises
    ------
    ValueError
        If reading it may take more than `MAX_JSON_MEMORY`.
    """
    content = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    check_memory(content)
    return content


def check_memory(content: bytes) -> None:
    """Raise where the values of a JSON text may take more than `MAX_JSON_MEMORY`, by an estimate from above."""
    memory = sum(content.count(sign) * cost for sign, cost in _COSTS.items())
    if memory > limits.MAX_JSON_MEMORY:
        raise ValueError(
            f"its JSON values may take {memory} bytes of memory: at most {limits.MAX_JSON_MEMORY} are allowed; "
            "an .npz file holds as large a graph in less"
        )
