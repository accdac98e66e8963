"""Edge lists: one edge a line as source, target and maybe weight, and tables of edges with a heading."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice, pairwise

import numpy as np

from priors.formats.columns import Columns, are_times, columns_of, has_heading
from priors.formats.draft import Draft, undirected_half
from priors.formats.headings import DIRECTIONS, WEIGHT_NAMES, named_ends, plain_name
from priors.formats.lines import numbered_lines
from priors.formats.note import comment_lines, write_note
from priors.formats.reading import Reading
from priors.formats.rows import BOTH_WAYS, SAMPLE, Row, Rows, read_rows
from priors.formats.values import TextNames, is_number, shown, text_names, weight_of_text, weight_or_none
from priors.wiring import Wiring

__all__ = ["read_adjacency_list", "read_edge_list", "read_lgl", "wiring_of_rows", "write_edge_list"]

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_COLUMNS = ["source", "target", "weight"]
# Data of an edge as Python and JSON write them: texts, numbers, those of numpy, and flat lists.
_QUOTED = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_VALUE = rf"""(?:{_QUOTED}|np\.\w+\([^()\[\]{{}}"]*\)|[\[(][^()\[\]{{}}"']*[\])]|[^\s,'"(){{}}\[\]]+)"""
_ITEM = rf"({_QUOTED}): ?({_VALUE})"
_DATA_ITEM = re.compile(rf"{_ITEM}(?:, ?|$)")
_DATA = re.compile(rf"\{{({_ITEM}(, ?{_ITEM})*)?\}}")
_NUMPY = re.compile(r"np\.\w+\(|\)$")
_WEIGHTED = re.compile(r"[^:]+:[0-9.]+", re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
_MOST_CELLS = 5
_MOST_OTHER_LINES = 20
_DECLARED = "# directed"


def read_edge_list(content: bytes, reading: Reading, separator: str | None = None) -> Wiring:
    """Read edges, separated by blanks, tabs, semicolons or commas; see `wiring_of_rows`."""
    return wiring_of_rows(read_rows(content, reading, separator), reading)


def read_adjacency_list(content: bytes, reading: Reading) -> Wiring:
    """Read lines of a node and those that it is joined to, as ``networkx.write_adjlist`` writes them."""
    rows, draft, names = read_rows(content, reading), Draft(reading), TextNames()
    seen = set[str | int]()
    own = iter(rows)
    for row in own:
        cells = row.cells
        if len(cells) == 2 and cells[1].isdecimal() and (held := _neighbours(own, int(cells[1]), rows)) is not None:
            draft.mention(names[cells[0]])
            for target, weight in held:
                draft.edge(names[cells[0]], names[target], weight)
            continue
        if len(cells) == 1 and ":" in cells[0]:
            cells = [cell for cell in cells[0].split(":") if cell]
        if any(_WEIGHTED.fullmatch(cell) for cell in cells[1:]):
            raise ValueError(f"line {row.number} holds {shown(cells[1])}: neighbours have no weights; use an edge list")
        source = names[cells[0].removesuffix(":")]
        if source not in seen:
            seen.add(source)
            draft.node(source)
        for target in cells[1:]:
            draft.edge(source, names[target])
    draft.declare_ends()
    return draft.wiring(directed=rows.directed)


def _neighbours(own: Iterator[Row], count: int, rows: Rows) -> list[tuple[str, float | None]] | None:
    """Return the neighbours of a node of networkx's multi-line lists, one with its data a line; None in other lists."""
    if not any(cell.startswith("{") for row in rows.sample for cell in row.cells[1:2]):
        return None
    return [(row.cells[0], _weight(row.cells[1]) if len(row.cells) > 1 else None) for row in islice(own, count)]


def read_lgl(content: bytes, reading: Reading) -> Wiring:
    """Read igraph's LGL: ``# a`` names the node that the lines below are joined to, each with a weight or without."""
    draft, names, source = Draft(reading), TextNames(), None
    for number, line in numbered_lines(content, reading):
        cells = line.split()
        if cells[:1] == ["#"] and len(cells) > 1:
            source = names[cells[1]]
        elif cells and source is None:
            raise ValueError(f"line {number} stands before the first line '# NAME'")
        elif cells and source is not None:
            draft.edge(source, names[cells[0]], weight_or_none(cells[1]) if len(cells) > 1 else None)
    draft.declare_ends()
    return draft.wiring(directed=False, missing_is_one=True)


def wiring_of_rows(rows: Rows, reading: Reading) -> Wiring:
    """Return the wiring of a list or a table of edges.

    Columns are those that a heading names, else source, target and maybe a weight, which networkx writes as
    ``{'weight': 0.5}`` too. Names that are whole numbers become integers. Neurons are sorted by name where all names
    are integers, and come as the file first names them otherwise.

    Whether edges have a direction is said by a comment (``# Undirected graph``, ``% sym``), a column ``Type``, or names
    such as ``source`` and ``target``. Where nothing says it, edges are undirected unless a pair stands there in both
    directions.
    """
    note = rows.note
    first = [row.cells[0] for row in rows.sample if row.cells]
    if note is None and "p" in first and "e" in first:
        raise ValueError("is a file of DIMACS, which is not read: lines of source and target are needed")
    if note is None and first and all(_DATE.match(cell) for cell in first):
        raise ValueError("begins its lines with dates: source and target come first, or a heading names them")
    names = [] if note is None else note["names"] or range(sum(note["sizes"]))
    draft = Draft(reading)
    if note is not None:
        for name, layer in zip(names, np.repeat(np.arange(len(note["sizes"])), note["sizes"]).tolist(), strict=True):
            draft.node(name, layer)
    named = TextNames((str(name), name) for name in names)
    _drop_count(rows, reading)
    _name_rows(rows, reading)
    columns = columns_of(rows, reading) if rows.sample else Columns(0, 1, None)
    for number, (source, target, weight, otherwise) in _edges(_without_counts(rows, columns, reading), rows, columns):
        try:
            end = named[f"right {target}"] if rows.bipartite else named[target]
            draft.edge(named[source], end, weight, otherwise=otherwise)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
    if rows.bipartite:
        reading.remark("a bipartite graph, whose right nodes are called 'right 1', 'right 2', …")
    if note is None:
        draft.declare_ends()
        said = columns.kinds is not None or (rows.directed is not None and not rows.both_ways)
        return draft.wiring(directed=True if columns.kinds is not None else _direction(rows, columns), is_declared=said)
    units = {"inputs": note["inputs"], "outputs": note["outputs"]}
    wiring = draft.wiring(directed=True, is_declared=False, **units)
    return wiring.replace(directed=True) if note.get("directed", False) else wiring


def write_edge_list(wiring: Wiring, separator: str | None = None) -> bytes:
    """Return every edge of a wiring as a line, after a note where lines alone do not tell the whole wiring.

    Raises
    ------
    ValueError
        For names that hold a separator, a quote or ``#``, begin or end with a blank, or are empty.
    """
    names = text_names(wiring)
    for name in names:
        is_cell = name.split(separator) == [name] == [name.strip()] and name.isprintable()
        if not name or name.startswith(("#", "%")) or '"' in name or not is_cell:
            raise ValueError(f"name {shown(name)} cannot stand in a list of edges; a .json file can hold it")
    joint = separator or " "
    # Tables have a column for it, which Gephi reads too: other programs stumble over comments there.
    half = undirected_half(wiring)
    direction = "directed" if half is None else "undirected"
    declared = [_DECLARED if half is None else f"{_DECLARED} {BOTH_WAYS}"] if separator is None else []
    last = "" if separator is None else f"{separator}{direction}"
    lines = declared if _is_plain(wiring) else comment_lines(write_note(wiring), "# ")
    # Where a column says that edges have no direction, each stands there once.
    kept = slice(None) if half is None or separator is None else half
    edges = wiring.edges[kept].tolist()
    if wiring.weights is None:
        rows = [f"{names[source]}{joint}{names[target]}{last}" for source, target in edges]
    else:
        weights = zip(edges, wiring.weights[kept].tolist(), strict=True)
        rows = [f"{names[source]}{joint}{names[target]}{joint}{value!r}{last}" for (source, target), value in weights]
    # Between blanks a heading is needed only where the first edge would be taken for one.
    if separator is not None or _looks_named(rows):
        heading = [*_COLUMNS[: 2 if wiring.weights is None else 3], *(["type"] if last else [])]
        lines.append(joint.join(heading))
    return "".join(f"{line}\n" for line in chain(lines, rows)).encode()


def _looks_named(rows: list[str]) -> bool:
    sample = [Row(number, row.split()) for number, row in enumerate(rows[:SAMPLE])]
    return bool(sample) and (named_ends(sample[0].cells) is not None or has_heading(sample))


def _is_plain(wiring: Wiring) -> bool:
    """Whether lines of numbers alone are read as this wiring."""
    other = wiring.n_layers > 1 or wiring.inputs or wiring.outputs or wiring.names is not None
    return not other and not (wiring.in_degree + wiring.out_degree == 0).any()


def _direction(rows: Rows, columns: Columns) -> bool | None:
    if rows.bipartite:
        return False
    return columns.directed if rows.directed is None else rows.directed


def _drop_count(rows: Rows, reading: Reading) -> None:
    """Pass over a first line that holds one number and nothing else, where others hold more."""
    if len(rows.sample) < 2 or not len(rows.sample[0].cells) == 1 < len(rows.sample[1].cells):
        return
    if rows.sample[0].cells[0].isdecimal():
        reading.remark(f"line {rows.sample[0].number}, which holds a number alone and is taken as a heading")
        del rows.sample[0]


def _name_rows(rows: Rows, reading: Reading) -> None:
    """Give a heading an empty first cell where it is one shorter than all rows and these begin with their own names.

    R's ``write.table`` and pandas' ``to_string`` write such tables. Rows are named by distinct words, or by numbers
    that ascend; otherwise the last column is the one without a name.
    """
    sample = rows.sample
    if len(sample) < 2 or rows.note is not None:
        return
    heading, body = sample[0].cells, [row.cells for row in sample[1:]]
    ends = named_ends(heading, is_heading=True)
    if len(heading) < 2 or any(len(cells) != len(heading) + 1 for cells in body):
        return
    if any(map(is_number, heading)) or not (named_ends(heading) or has_heading(sample)):
        return
    names = [cells[0] for cells in body]
    source, target = (0, 1) if ends is None else ends[:2]
    numbers = [int(name) for name in names if name.isdecimal() and len(name) < 19]
    ascending = len(numbers) == len(names) and all(one < other for one, other in pairwise(numbers))
    words = len(set(names)) == len(names) and not any(map(is_number, names))
    ends_below = [cells[end + 1] for cells in body for end in (source, target)]
    fractions = any(is_number(cell) and not _WHOLE.fullmatch(cell) for cell in ends_below)
    if (ascending or words) and not fractions:
        reading.remark("a first column without a heading, taken as names of rows, which are not read")
        sample[0] = Row(sample[0].number, ["", *heading])
        return
    last = [cells[-1] for cells in body]
    is_weight = (
        all(map(is_number, last)) and not are_times(last) and not set(WEIGHT_NAMES) & set(map(plain_name, heading))
    )
    sample[0] = Row(sample[0].number, [*heading, "weight" if is_weight else ""])
    taken = "taken as weight" if is_weight else "which is not read"
    reading.remark(f"a column {len(heading) + 1} without a heading, {taken}")


def _without_counts(rows: Rows, columns: Columns, reading: Reading) -> Iterator[Row]:
    """Yield the rows but for a first one that holds the numbers of nodes and of all other rows."""
    own = iter(rows)
    first = next(own, None)
    if first is None or columns.has_heading:
        return own
    # Rows are not kept, but where the second number is about that of all lines.
    counts = [int(cell) if cell.isdecimal() and len(cell) < 10 else 0 for cell in first.cells]
    is_matrix = len(counts) == 3 and counts[0] == counts[1]
    if is_matrix:
        # The sizes of a Matrix Market file.
        del counts[0]
    if len(counts) != 2 or not 1 < counts[1] <= rows.n_lines <= counts[1] + _MOST_OTHER_LINES:
        return chain([first], own)
    others = list(own)
    ends = {cell for row in others for cell in row.cells[:2]}
    if counts[1] == len(others) and counts[0] >= len(ends) and (is_matrix or first.cells[0] not in ends):
        reading.remark(f"line {first.number}, taken as the numbers of nodes and edges")
        return iter(others)
    return chain([first], others)


def _edges(
    own: Iterator[Row], rows: Rows, columns: Columns
) -> Iterator[tuple[int, tuple[str, str, float | None, bool]]]:
    """Yield line, source, target, weight, and whether it is undirected among directed ones, of every edge."""
    least = 1 + max(columns.source, columns.target)
    for row in own:
        cells = row.cells
        if not columns.has_heading and len(cells) > (_MOST_CELLS - 1 if all(map(is_number, cells)) else _MOST_CELLS):
            raise ValueError(
                f"line {row.number} holds {len(cells)} columns: it must hold source, target and maybe a weight, "
                f"separated by {rows.separators}"
            )
        if len(cells) < least or not (cells[columns.source] and cells[columns.target]):
            raise ValueError(
                f"line {row.number} holds {_count(cells)}: it must hold source, target and maybe a weight, separated "
                f"by {rows.separators}"
            )
        weight = None
        if columns.weight is not None and columns.weight < len(cells):
            try:
                weight = _weight(cells[columns.weight])
            except ValueError as error:
                raise ValueError(f"line {row.number}: {error}") from None
        kind = "" if columns.kinds is None or columns.kinds >= len(cells) else cells[columns.kinds].lower()
        if columns.kinds is not None and kind not in DIRECTIONS:
            raise ValueError(f"line {row.number} holds {_count(cells)}, and {shown(kind)} where its direction is")
        yield row.number, (cells[columns.source], cells[columns.target], weight, kind in ("undirected", "mutual"))


def _count(cells: list[str]) -> str:
    return "1 column" if len(cells) == 1 else f"{len(cells)} columns"


def _weight(cell: str) -> float | None:
    """Return the weight of a cell: a number, nothing, or networkx's data of an edge."""
    text = cell.strip()
    if not text.startswith("{"):
        return weight_or_none(text)
    if not _DATA.fullmatch(text):
        raise ValueError(f"data {shown(text)} of an edge is not understood: give a weight or {{'weight': 0.5}}")
    data = {match[0][1:-1]: match[1] for match in _DATA_ITEM.findall(text[1:-1])}
    return weight_of_text(_NUMPY.sub("", data["weight"])) if "weight" in data else None
