"""Walk through the elements of an XML file without a tree, a document type or entities.

Expat hands over one element after the other, so memory does not grow with what the reader of a format does not keep.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from priors.formats import limits
from priors.formats.values import shown

__all__ = ["End", "Start", "attribute", "quoted_names", "walk"]

Start = Callable[[dict[str, str], str], None]
"""Takes an element's attributes and the name of the element around it."""
End = Callable[[str, str], None]
"""Takes an element's text and the name of the element around it."""

_ENCODINGS = {"utf-8", "utf-16", "iso-8859-1", "us-ascii", "windows-1252"}
_STRETCH = 2**20


class _Walk:
    """Handlers of one pass; elements are told by their names without prefix."""

    def __init__(self, root: str, starts: Mapping[str, Start], ends: Mapping[str, End]) -> None:
        self.root, self.starts, self.ends = root, starts, ends
        self.around: list[str] = []
        self.texts: list[str] = []
        self.n_tags = 0
        self.tag_names: dict[str, str] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        self.n_tags += 1
        if not self.around and tag != self.root:
            raise ValueError(f"begins with the element {shown(tag)}: it must be {self.root!r}")
        if len(self.around) >= limits.MAX_DEPTH:
            raise ValueError(f"nests its elements deeper than {limits.MAX_DEPTH}")
        if self.n_tags > limits.MAX_TAGS or len(self.tag_names) > limits.MAX_TAG_NAMES:
            raise ValueError(f"holds more than {limits.MAX_TAGS} elements, or {limits.MAX_TAG_NAMES} names of them")
        handler = self.starts.get(tag)
        if handler is not None:
            handler(attributes, self.around[-1] if self.around else "")
        self.around.append(tag)
        self.texts.clear()

    def end(self, _: str) -> None:
        tag = self.around.pop()
        handler = self.ends.get(tag)
        if handler is not None:
            handler("".join(self.texts), self.around[-1] if self.around else "")
        self.texts.clear()


def walk(content: bytes, root: str, starts: Mapping[str, Start], ends: Mapping[str, End]) -> None:
    """Call `starts` and `ends` for the elements that have a handler there, in the order of the file.

    Raises
    ------
    ValueError
        If the file is no XML, its outermost element is not `root`, or it declares a document type (and with it
        entities), another encoding than a few common ones, or more than the limits allow.
    """
    _refuse_long_stretches(content)
    state = _Walk(root, starts, ends)
    parser = expat.ParserCreate(intern=state.tag_names)
    parser.buffer_text = True
    parser.XmlDeclHandler = _check_encoding
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.EntityDeclHandler = _refuse_doctype
    parser.StartElementHandler = state.start
    parser.EndElementHandler = state.end
    parser.CharacterDataHandler = state.texts.append
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise ValueError(f"is not XML: {error}") from error


def attribute(attributes: Mapping[str, str], name: str, tag: str) -> str:
    """Return an attribute that an element must have."""
    if name not in attributes:
        raise ValueError(f"holds the element {tag!r} without the attribute {name!r}")
    return attributes[name]


def quoted_names(names: list[str]) -> list[str]:
    """Return names as values of attributes, in quotes.

    Raises
    ------
    ValueError
        For characters that XML cannot hold.
    """
    for name in names:
        if not name.isprintable() and not all(map(_is_xml, name)):
            raise ValueError(f"name {shown(name)} has characters that XML cannot hold; a .json file can")
    return [quoteattr(name) for name in names]


def _is_xml(sign: str) -> bool:
    return sign in "\t\n\r" or " " <= sign < "\ud800" or "\ue000" <= sign < "\ufffe" or sign >= "\U00010000"


def _refuse_long_stretches(content: bytes) -> None:
    """Refuse more than 2 MiB without a tag: expat would build all attributes of one tag before it tells of any."""
    for first in range(0, len(content) - _STRETCH, _STRETCH):
        if content.find(b"<", first, first + _STRETCH) < 0:
            raise ValueError(f"holds no tag in the {_STRETCH} bytes from {first} on: it is no graph")


def _check_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and encoding.lower() not in _ENCODINGS:
        raise ValueError(f"encoding {shown(encoding)} is not read; known are {', '.join(sorted(_ENCODINGS))}")


def _refuse_doctype(*_: object) -> NoReturn:
    raise ValueError("declares a document type or entities, which are never read: remove the declaration")
