"""Rows of cells in a text file: what separates them, and what comments declare."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple

from priors.formats import limits
from priors.formats.headings import named_ends
from priors.formats.lines import numbered_lines
from priors.formats.note import Note, read_comments
from priors.formats.reading import Reading
from priors.formats.values import is_number

__all__ = ["BOTH_WAYS", "SAMPLE", "Row", "Rows", "read_rows"]

SAMPLE = 66
"""Rows at the beginning of a file by which is judged what it is."""

BOTH_WAYS = "both ways"
"""What a comment says of the directed edges of an undirected graph."""

_TOKEN = re.compile(r'"(?P<quoted>[^"]*)"(?=\s|$)|(?P<data>\{.*\})\s*$|(?P<plain>\([^()]*\)(?=\s|$)|\S+)')
_DATA = re.compile(r"\{.*\}\s*$|\([^()]*\)")
_SEP = re.compile(r'"?sep=([;,|\t])"?', re.IGNORECASE)
"""What Excel writes and reads as a first line."""
_QUOTED = r'[^\S\t]*"[^"]*(?:""[^"]*)*'
_LAST = re.compile(rf'{_QUOTED}"[^\S\t]*|(?![^\S\t]*")[^;,|\t\n]*')
_CELL = re.compile(rf"(?:{_LAST.pattern})[;,|\t]")
_OPEN = re.compile(_QUOTED)
_MOST_JOINED = 50
_DIRECTED = re.compile(r"\b(un)?directed\b", re.IGNORECASE)
_KONECT = re.compile(r"\s*(sym|asym|bip)\s+[a-z]+\b", re.ASCII)


class Row(NamedTuple):
    """The cells of one line, without what quotes or surrounds them."""

    number: int
    cells: list[str]


@dataclass
class Rows:
    """The rows of a text file.

    Attributes
    ----------
    sample : list of Row
        The first `SAMPLE` rows at most.
    rest : iterator of Row
        Those after them.
    whole : bool
        Whether the sample is all rows.
    separator : str or None
        What separates cells; None stands for blanks.
    n_lines : int
        Lines of the file, comments and blank ones included.
    directed : bool or None
        What comments say about edges.
    both_ways : bool
        Whether comments say that directed edges stand for undirected ones.
    bipartite : bool
        Whether comments say that sources and targets are numbered apart.
    note : Note or None
        What this project has noted in a comment.
    """

    sample: list[Row]
    rest: Iterator[Row]
    whole: bool
    separator: str | None
    n_lines: int = 0
    directed: bool | None = None
    both_ways: bool = False
    bipartite: bool = False
    note: Note | None = None

    def __iter__(self) -> Iterator[Row]:
        """Yield all rows, once."""
        return chain(self.sample, self.rest)

    @property
    def separators(self) -> str:
        """What separates cells, for a message."""
        return {None: "blanks", "\t": "tabs"}.get(self.separator, repr(self.separator))


def read_rows(content: bytes, reading: Reading, separator: str | None = None) -> Rows:
    """Read rows of cells: blank lines are skipped, lines that begin with ``#`` or ``%`` are comments.

    A ``#`` after a blank begins a comment too where blanks separate cells; inside a name or quotes it is part of them.
    What separates cells is seen by the first rows, but in this project's own files, where it is `separator`.
    """
    comments: list[str] = []
    lines = _uncommented(content, reading, comments)
    declared = next(lines, None)
    said = None if declared is None else _SEP.fullmatch(declared[1].strip(" "))
    if declared is not None and said is None:
        lines = chain([declared], lines)
    first = list(islice(lines, SAMPLE + 1))
    note = read_comments(comments)
    if said is not None:
        separator = said[1]
    elif note is None:
        separator = _separator([line for _, line in first])
    rows = _rows(chain(first, lines), separator)
    sample = list(islice(rows, SAMPLE))
    if note is None and sample and all(len(row.cells) > 2 and not row.cells[-1] for row in sample):
        # A separator ends every line.
        rows = (row if row.cells[-1] else Row(row.number, row.cells[:-1]) for row in rows)
        sample = [Row(row.number, row.cells[:-1]) for row in sample]
    if note is None and sample and comments and (heading := _heading(comments[-1], separator, len(sample[0].cells))):
        sample.insert(0, Row(0, heading))
    found = Rows(sample, rows, len(first) <= SAMPLE, separator, content.count(b"\n") + 1, note=note)
    for comment in comments if note is None else ():
        konect, said = _KONECT.match(comment), _DIRECTED.search(comment)
        if konect is not None:
            found.directed, found.bipartite = konect[1] == "asym", konect[1] == "bip"
            break
        if said is not None:
            found.directed, found.both_ways = not said[1], BOTH_WAYS in comment
            break
    return found


def _heading(comment: str, separator: str | None, width: int) -> list[str] | None:
    """Return the last comment before the first row where it is a heading of as many cells."""
    cells = _cells(comment, separator) if separator is not None else comment.split()
    names = [cell.strip().lower() for cell in cells]
    if len(cells) != width or not (named_ends(cells) or {"index", "name"} <= set(names)):
        return None
    return cells


def _uncommented(content: bytes, reading: Reading, comments: list[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines that hold more than a comment; what the others say is added to `comments`."""
    for number, line in _whole_rows(numbered_lines(content, reading)):
        text = line.strip()
        if text.startswith(("#", "%")):
            comments.append(text[1:])
        elif text:
            yield number, line


def _whole_rows(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield lines, of which one that ends inside of a cell in quotes goes on with those after it."""
    waiting: deque[tuple[int, str]] = deque()
    while True:
        line = waiting.popleft() if waiting else next(lines, None)
        if line is None:
            return
        number, text = line
        if text.count('"') % 2 and not text.lstrip().startswith(("#", "%")) and _ends(text, _OPEN):
            waiting.extend(islice(lines, max(_MOST_JOINED - len(waiting), 0)))
            for n_more, (_, more) in enumerate(waiting, start=1):
                # A quote that none ends is part of a name.
                if more.count('"') % 2:
                    parts = [text, *(own for _, own in islice(waiting, n_more))]
                    if sum(map(len, parts)) <= limits.MAX_LINE and _ends("\n".join(parts), _LAST):
                        text = "\n".join(parts)
                        for _ in range(n_more):
                            waiting.popleft()
                    break
        yield number, text


def _ends(text: str, end: re.Pattern[str]) -> bool:
    """Whether a text ends as `end` says after cells in quotes or without."""
    place = 0
    while (cell := _CELL.match(text, place)) is not None:
        place = cell.end()
    return end.fullmatch(text, place) is not None


def _separator(lines: list[str]) -> str | None:
    """Return what separates the cells of all these lines; None for blanks."""
    if len(lines) > 1 and lines[0].strip().isdecimal():
        lines = lines[1:]  # A size, or a number of edges.
    plain = [_DATA.sub("", line) for line in lines]
    tokens = [line.split() for line in plain]
    if not tokens or all(len(row) > 1 and all(map(is_number, row)) for row in tokens):
        return None
    for separator in ("\t", ";", ",", "|"):
        try:
            if all(len(_cells(line, separator)) > 1 for line in plain):
                return separator
        except csv.Error:  # A cell is too long, which its line says.
            return separator
    return None


def _rows(lines: Iterator[tuple[int, str]], separator: str | None) -> Iterator[Row]:
    for number, line in lines:
        try:
            cells = _tokens(line) if separator is None else _cells(line, separator)
        except csv.Error as error:
            raise ValueError(f"line {number} is no row of cells: {error}") from None
        if any(cells):
            yield Row(number, cells)


def _tokens(line: str) -> list[str]:
    if not any(sign in line for sign in '"{#('):
        return line.split()
    tokens = []
    for match in _TOKEN.finditer(line):
        if match["plain"] is not None and match["plain"].startswith("#"):
            break
        tokens.append(match["quoted"] if match["quoted"] is not None else match["data"] or match["plain"])
    return tokens


def _cells(line: str, separator: str) -> list[str]:
    if '"' not in line:
        cells = [cell.strip() for cell in line.split(separator)]
        quoted = all(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in cells if cell)
        return [cell[1:-1] for cell in cells] if quoted else cells
    return [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True))]
