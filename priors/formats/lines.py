"""Text files as lines of bounded length and number."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from io import BytesIO

from priors.formats import limits
from priors.formats.encodings import marked_encoding
from priors.formats.reading import Reading

__all__ = ["numbered_lines"]


def numbered_lines(content: bytes, reading: Reading) -> Iterator[tuple[int, str]]:
    """Yield the number, from 1 on, and the text of every line, without what ends it.

    Text is UTF-8, or UTF-16 or UTF-32 that begins with a byte order mark; a line that is neither is taken as Latin-1.

    Raises
    ------
    ValueError
        For too many lines, a line that is too long, or one that is no text.
    """
    content = _as_utf8(content)
    if b"\n" not in content:
        content = content.replace(b"\r", b"\n")
    n_lines = content.count(b"\n")
    if n_lines > limits.MAX_LINES:
        raise ValueError(f"has {n_lines} lines: at most {limits.MAX_LINES} are read")
    file = BytesIO(content)
    for number, line in enumerate(iter(lambda: file.readline(limits.MAX_LINE + 1), b""), start=1):
        if len(line) > limits.MAX_LINE:
            raise ValueError(f"line {number} is longer than the {limits.MAX_LINE} bytes that are read at most")
        try:
            text = line.decode()
        except UnicodeDecodeError:
            text = line.decode("latin-1")
            reading.remark("text that is not UTF-8, taken as Latin-1")
        text = text.rstrip("\r\n")
        if not text.isprintable() and any(not sign.isprintable() and not sign.isspace() for sign in text):
            raise ValueError(f"line {number} holds control characters: it is no text")
        yield number, text


def _as_utf8(content: bytes) -> bytes:
    encoding = marked_encoding(content)
    if encoding is None:
        return content
    if encoding == "utf-8-sig":
        return content.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode(encoding).encode()
    except UnicodeError:
        raise ValueError(f"is no {encoding.upper()} text, as its first bytes say") from None
