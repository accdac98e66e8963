"""Text files as lines of bounded length and number, without comments."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from priors.formats import limits

__all__ = ["numbered_lines"]


def numbered_lines(content: bytes) -> Iterator[tuple[int, str]]:
    """Yield the number, from 1 on, and the text of every line, without what ends it.

    Raises
    ------
    ValueError
        For too many lines, a line that is too long, or one that is no UTF-8.
    """
    n_lines = content.count(b"\n")
    if n_lines > limits.MAX_LINES:
        raise ValueError(f"has {n_lines} lines: at most {limits.MAX_LINES} are read")
    file = BytesIO(content.removeprefix(b"\xef\xbb\xbf"))
    for number, line in enumerate(iter(lambda: file.readline(limits.MAX_LINE + 1), b""), start=1):
        if len(line) > limits.MAX_LINE:
            raise ValueError(f"line {number} is longer than the {limits.MAX_LINE} bytes that are read at most")
        try:
            yield number, line.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise ValueError(f"line {number} is not UTF-8 text") from None
