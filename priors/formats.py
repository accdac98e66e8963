"""Files of wirings: read and write, bounded and safe. One reader and one writer for every suffix, in two tables.

May import Wiring and `priors.files`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from priors.files import atomic_write
from priors.wiring import Wiring

__all__ = ["MAX_BYTES", "MAX_NEURONS", "from_dict", "read_wiring", "to_dict", "write_wiring"]

MAX_BYTES = 256 * 2**20
"""Largest file that is read or written."""
MAX_NEURONS = 2**24
"""Most neurons that a file may announce: a few bytes must not claim gigabytes."""

Handler = TypeVar("Handler")

_FORMAT, _VERSION = "wirenas-wiring", 1
_REQUIRED: dict[str, type] = {
    "format": str,
    "version": int,
    "sizes": list,
    "inputs": bool,
    "outputs": bool,
    "edges": list,
}
_OPTIONAL: dict[str, type] = {"weights": list, "names": list, "fingerprint": str}
_LARGEST_WEIGHT = float(np.finfo(np.float32).max)


def to_dict(wiring: Wiring) -> dict[str, Any]:
    """Return a wiring as lists, numbers and strings, which `from_dict` turns back into it.

    Keys are ``format`` and ``version``, ``sizes``, ``inputs``, ``outputs``, ``edges`` as [source, target] pairs,
    ``weights`` and ``names`` where there are any, and the ``fingerprint``.

    Raises
    ------
    ValueError
        For names other than strings and integers, or weights that are not finite.
    """
    document: dict[str, Any] = {
        "format": _FORMAT,
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
    )
    if document.get("fingerprint", wiring.fingerprint) != wiring.fingerprint:
        raise ValueError(f"fingerprint {document['fingerprint']!r} is not the wiring's, {wiring.fingerprint!r}")
    return wiring


def write_wiring(wiring: Wiring, path: str | os.PathLike[str]) -> None:
    """Write a wiring in the format that the suffix of `path` names, replacing an older file in one step.

    Raises
    ------
    ValueError
        For an unknown suffix, what the format cannot hold, or more than `MAX_BYTES`.
    OSError
        If the folder cannot be written to.
    """
    try:
        content = _handler(_WRITERS, path)(wiring)
        if len(content) > MAX_BYTES:
            raise ValueError(f"{wiring!r} takes {len(content)} bytes: a file may hold {MAX_BYTES}")
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from error
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def read_wiring(path: str | os.PathLike[str]) -> Wiring:
    """Read a wiring in the format that the suffix of `path` names.

    Raises
    ------
    ValueError
        Whatever is wrong with the file: one line that begins with its name.
    """
    try:
        read = _handler(_READERS, path)
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ValueError(f"holds more than the {MAX_BYTES} bytes that are read at most")
        return read(content)
    except OSError as error:
        raise ValueError(f"{os.fspath(path)}: cannot be read: {error.strerror}") from error
    except RecursionError as error:
        raise ValueError(f"{os.fspath(path)}: is nested too deeply to be a wiring") from error
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from error


def _handler(table: Mapping[str, Handler], path: str | os.PathLike[str]) -> Handler:
    suffix = Path(path).suffix.lower()
    if suffix not in table:
        raise ValueError(f"suffix {suffix!r} names no format of wirings; known are {', '.join(sorted(table))}")
    return table[suffix]


def _to_json(wiring: Wiring) -> bytes:
    return json.dumps(to_dict(wiring), separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _from_json(content: bytes) -> Wiring:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from error
    return from_dict(document)


_WRITERS: dict[str, Callable[[Wiring], bytes]] = {".json": _to_json}
_READERS: dict[str, Callable[[bytes], Wiring]] = {".json": _from_json}


def _check_header(document: Mapping[str, Any]) -> None:
    if not isinstance(document, Mapping) or document.get("format") != _FORMAT:
        raise ValueError(f"is no wiring: it must be an object with the format {_FORMAT!r}")
    if document.get("version") != _VERSION:
        raise ValueError(f"version {document.get('version')!r} is not known: this reads version {_VERSION}")
    known = _REQUIRED | _OPTIONAL
    for key in _REQUIRED:
        if key not in document:
            raise ValueError(f"key {key!r} is missing")
    for key, value in document.items():
        if key not in known:
            raise ValueError(f"key {key!r} is not known; known are {', '.join(known)}")
        if type(value) is not known[key]:
            raise ValueError(f"key {key!r} holds a {type(value).__name__}: it must be a {known[key].__name__}")


def _check_items(document: Mapping[str, Any]) -> None:
    for key, valid, rule in (
        ("sizes", _is_integer, "an integer"),
        ("edges", _is_pair, "a pair of integers [source, target]"),
        ("weights", _is_weight, "a finite number of single precision"),
        ("names", _is_name, "a string or an integer"),
    ):
        for item in document.get(key, ()):
            if not valid(item):
                raise ValueError(f"{key} hold {repr(item)[:80]}: each must be {rule}")
    if sum(document["sizes"]) > MAX_NEURONS:
        raise ValueError(f"{sum(document['sizes'])} neurons are more than the {MAX_NEURONS} that a file may hold")


def _is_integer(item: object) -> bool:
    return type(item) is int


def _is_pair(item: object) -> bool:
    return type(item) is list and len(item) == 2 and type(item[0]) is int and type(item[1]) is int


def _is_weight(item: object) -> bool:
    return isinstance(item, int | float) and not isinstance(item, bool) and abs(item) <= _LARGEST_WEIGHT


def _is_name(item: object) -> bool:
    return type(item) in (str, int)
