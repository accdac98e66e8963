"""Note: what edge lists and matrices cannot say about a wiring, as one JSON object in a comment or an extra array.

Programs that do not know the note skip it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NotRequired, TypedDict

from priors.formats import limits
from priors.formats.json_files import check_memory, loads
from priors.formats.values import is_name, plain_names, shown
from priors.wiring import Wiring

__all__ = ["Note", "comment_lines", "read_comments", "read_note", "write_note"]


class Note(TypedDict):
    """Layers, units and names of a wiring, and whether its entries are weights even where all of them are 1."""

    sizes: list[int]
    inputs: bool
    outputs: bool
    weighted: bool
    names: list[str | int] | None
    directed: NotRequired[bool]


_MARK = "wirenas "
_PIECE = 900
_TYPES = {"sizes": list, "inputs": bool, "outputs": bool, "weighted": bool}
_KEYS = [*_TYPES, "names"]


def write_note(wiring: Wiring) -> str:
    """Return the note of a wiring as ASCII text."""
    note = Note(
        sizes=list(wiring.sizes),
        inputs=wiring.inputs,
        outputs=wiring.outputs,
        weighted=wiring.weights is not None,
        names=None if wiring.names is None else plain_names(wiring),
    )
    if wiring.directed:
        note["directed"] = True
    text = json.dumps(note, separators=(",", ":"))
    check_memory(text.encode())
    return text


def read_note(text: str) -> Note:
    """Return the note that a file holds, checked by itself.

    Raises
    ------
    ValueError
        If it is none, or holds more than a file may.
    """
    note = loads(text.encode())
    if not isinstance(note, dict) or set(note) - {"directed"} != set(_KEYS):
        raise ValueError(f"its note {shown(note)} must be an object with the keys {', '.join(_KEYS)}")
    note.setdefault("directed", False)
    for key, kind in {**_TYPES, "directed": bool}.items():
        if type(note[key]) is not kind:
            raise ValueError(f"its note holds {key} {shown(note[key])}: it must be a {kind.__name__}")
    sizes, names = note["sizes"], note["names"]
    if not all(type(size) is int and size > 0 for size in sizes) or sum(sizes) > limits.MAX_NEURONS:
        raise ValueError(f"its note holds sizes {shown(sizes)}: layers hold 1 to {limits.MAX_NEURONS} neurons in all")
    if names is not None and (type(names) is not list or len(names) != sum(sizes) or not all(map(is_name, names))):
        raise ValueError(f"its note holds names {shown(names)}: each neuron needs a short string or an integer")
    return Note(
        sizes=sizes,
        inputs=note["inputs"],
        outputs=note["outputs"],
        weighted=note["weighted"],
        names=names,
        directed=note["directed"],
    )


def comment_lines(note: str, sign: str) -> list[str]:
    """Return a note as lines of comments, none longer than the 1024 characters of Matrix Market."""
    return [f"{sign}{_MARK}{note[first : first + _PIECE]}" for first in range(0, len(note), _PIECE)]


def read_comments(comments: Iterable[str]) -> Note | None:
    """Return the note in comments, which are given without their sign, or None if there is none."""
    texts = (comment.removeprefix(" ") for comment in comments)
    pieces = [text.removeprefix(_MARK) for text in texts if text.startswith(_MARK)]
    return read_note("".join(pieces)) if pieces else None
