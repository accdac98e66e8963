"""The project's own JSON document of a wiring: exact, with a fingerprint that is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from priors.formats import limits
from priors.formats.values import is_name, is_weight, shown
from priors.wiring import Wiring

__all__ = ["DOCUMENT_FORMAT", "from_dict", "to_dict"]

DOCUMENT_FORMAT = "wirenas-wiring"
"""What the key ``format`` of a document holds."""

_VERSION = 1
_REQUIRED: dict[str, type] = {
    "format": str,
    "version": int,
    "sizes": list,
    "inputs": bool,
    "outputs": bool,
    "edges": list,
}
_OPTIONAL: dict[str, type] = {"weights": list, "names": list, "directed": bool, "fingerprint": str}


def to_dict(wiring: Wiring) -> dict[str, Any]:
    """Return a wiring as lists, numbers and strings, which `from_dict` turns back into it.

    Keys are ``format`` and ``version``, ``sizes``, ``inputs``, ``outputs``, ``edges`` as [source, target] pairs,
    ``weights`` and ``names`` where there are any, ``directed`` where it is true, and the ``fingerprint``.

    Raises
    ------
    ValueError
        For names other than strings and integers, weights that are not finite, or more than a file may hold.

    Examples
    --------
    >>> from priors import Wiring, to_dict
    >>> document = to_dict(Wiring((2, 1), [(0, 2), (1, 2)], weights=[0.5, -1]))
    >>> document["sizes"], document["edges"], document["weights"]
    ([2, 1], [[0, 2], [1, 2]], [0.5, -1.0])
    """
    document: dict[str, Any] = {
        "format": DOCUMENT_FORMAT,
        "version": _VERSION,
        "sizes": list(wiring.sizes),
        "inputs": wiring.inputs,
        "outputs": wiring.outputs,
        "edges": wiring.edges.tolist(),
    }
    if wiring.weights is not None:
        document["weights"] = wiring.weights.tolist()
    if wiring.names is not None:
        document["names"] = [int(name) if isinstance(name, np.integer) else name for name in wiring.names]
    if wiring.directed:
        document["directed"] = True
    document["fingerprint"] = wiring.fingerprint
    _check_items(document)
    return document


def from_dict(document: Mapping[str, Any]) -> Wiring:
    """Build a wiring from what `to_dict` gave, checking everything.

    Raises
    ------
    ValueError
        For another format or version, missing or unknown keys, wrong types, a graph that is no wiring, or a fingerprint
        that is not the wiring's.

    Examples
    --------
    >>> import json
    >>> from priors import Wiring, from_dict, to_dict
    >>> wiring = Wiring((2, 1), [(0, 2), (1, 2)])
    >>> from_dict(json.loads(json.dumps(to_dict(wiring)))) == wiring
    True
    """
    _check_header(document)
    _check_items(document)
    wiring = Wiring(
        document["sizes"],
        np.asarray(document["edges"]).reshape(-1, 2),
        inputs=document["inputs"],
        outputs=document["outputs"],
        weights=document.get("weights"),
        names=document.get("names"),
        directed=document.get("directed", False),
    )
    if document.get("fingerprint", wiring.fingerprint) != wiring.fingerprint:
        raise ValueError(f"fingerprint {shown(document['fingerprint'])} is not the wiring's, {wiring.fingerprint!r}")
    return wiring


def _check_header(document: Mapping[str, Any]) -> None:
    if not isinstance(document, Mapping) or document.get("format") != DOCUMENT_FORMAT:
        raise ValueError(
            f"is no wiring: it must be an object with the format {DOCUMENT_FORMAT!r}, or of Cytoscape or JGF, or "
            "node-link data with 'nodes' and 'edges' or 'links'"
        )
    if document.get("version") != _VERSION:
        raise ValueError(f"version {shown(document.get('version'))} is not known: this reads version {_VERSION}")
    known = _REQUIRED | _OPTIONAL
    for key in _REQUIRED:
        if key not in document:
            raise ValueError(f"key {key!r} is missing")
    for key, value in document.items():
        if key not in known:
            raise ValueError(f"key {shown(key)} is not known; known are {', '.join(known)}")
        if type(value) is not known[key]:
            raise ValueError(f"key {key!r} holds a {type(value).__name__}: it must be a {known[key].__name__}")


def _check_items(document: Mapping[str, Any]) -> None:
    for key, valid, rule in (
        ("sizes", _is_integer, "an integer"),
        ("edges", _is_pair, "a pair of integers [source, target]"),
        ("weights", is_weight, "a finite number of single precision"),
        ("names", is_name, f"a string of at most {limits.MAX_NAME} characters or an integer of 64 bits"),
    ):
        for item in document.get(key, ()):
            if not valid(item):
                raise ValueError(f"{key} hold {shown(item)}: each must be {rule}")
    n_neurons, n_edges = sum(document["sizes"]), len(document["edges"])
    if n_neurons > limits.MAX_NEURONS:
        raise ValueError(f"{shown(n_neurons)} neurons are more than the {limits.MAX_NEURONS} that a file may hold")
    if n_edges > limits.MAX_EDGES:
        raise ValueError(f"{n_edges} edges are more than the {limits.MAX_EDGES} that a file may hold")


def _is_integer(item: object) -> bool:
    return type(item) is int


def _is_pair(item: object) -> bool:
    return type(item) is list and len(item) == 2 and type(item[0]) is int and type(item[1]) is int
