"""Byte order marks: what the first bytes of a text say about how it is encoded."""

from __future__ import annotations

import codecs

__all__ = ["marked_encoding"]

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # Begins as that of UTF-16 does.
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def marked_encoding(content: bytes) -> str | None:
    """Return the codec of a text that begins with a byte order mark, which it takes off; None for any other text."""
    return next((encoding for mark, encoding in _MARKS.items() if content.startswith(mark)), None)
