"""Tables from files: csv, parquet and arff, and data sets of OpenML."""

from __future__ import annotations

import csv
import gzip
import io
import re
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nas.errors import InputError
from nas.tasks.files.limits import MOST_BYTES, MOST_CELLS, check_size
from nas.tasks.images import cache_folder
from priors.formats.encodings import marked_encoding

__all__ = ["Table", "read_arff", "read_csv", "read_openml", "read_parquet"]

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_LINES_TO_LOOK_AT = 50
_BLANK_LINES = re.compile(r"\A(?:[ \t]*\r?\n)+")
_CELLS = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")
"""What pandas says of a line that is too long."""


@dataclass(frozen=True)
class Table:
    """A table with unique column names as text, and what was assumed of its file.

    Parameters
    ----------
    frame : DataFrame
        With rows numbered from 0; cells of a csv file are text as it stands there.
    notes : tuple of str
    target : str or None
        The column that the source says is to be predicted.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...] = ()
    target: str | None = None


def read_csv(path: Path) -> Table:
    """Read a text table: separated by commas, semicolons, tabs or bars, with a heading or without, packed or not.

    Raises
    ------
    InputError
        If it is no such table.
    """
    notes: list[str] = []
    text = _BLANK_LINES.sub("", _decoded(path, _content(path), notes))
    if not text.strip():
        raise InputError(f"{path}: the file is empty; a table with a heading is needed")
    delimiter = _delimiter(text)
    if delimiter != ",":
        notes.append(f"columns are separated by {_DELIMITERS[delimiter]}")
    heading = _heading(path, text, delimiter)
    if not heading[0]:
        notes.append(f"no heading: columns are called column-1 to column-{len(heading[1])}")
    with _readable(path, "a table"):
        frame = pd.read_csv(
            io.StringIO(text),
            sep=delimiter,
            header=None,
            skiprows=0,
            names=list(range(len(heading[1]))),
            index_col=False,
            dtype=str,
            keep_default_na=False,
            na_filter=False,
            skipinitialspace=True,
            low_memory=False,
        )
    if heading[0]:
        frame = frame.iloc[1:]
    return _checked(path, frame, heading[1], notes)


def read_parquet(path: Path) -> Table:
    """Read a Parquet file, which needs pyarrow.

    Raises
    ------
    InputError
        If pyarrow is not installed, or the file is none or too large.
    """
    try:
        import pyarrow.parquet as pq
    except ModuleNotFoundError:
        raise InputError(
            f"{path}: Parquet needs pyarrow, which is not installed: pip install 'wirenas[survey]'"
        ) from None
    check_size(path)
    with _readable(path, "a Parquet file"), pq.ParquetFile(path) as file:
        metadata = file.metadata
        n_bytes = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
        if n_bytes > MOST_BYTES or metadata.num_rows * max(metadata.num_columns, 1) > MOST_CELLS:
            raise InputError(f"{path}: it holds {metadata.num_rows} rows of {metadata.num_columns} columns; "
                             f"at most {MOST_CELLS} cells can be read")  # fmt: skip
        nested = [str(own.name) for own in file.schema_arrow if _is_nested(own.type)]
        if nested:
            raise InputError(f"{path}: column {nested[0]} holds lists or records; give a column for each value")
        frame = file.read().to_pandas(ignore_metadata=True)
        # Text that is none shows itself here, and not wherever a cell is looked at.
        texts = [name for name in frame.columns if pd.api.types.is_string_dtype(frame[name].dtype)]
        frame = frame.astype(dict.fromkeys(texts, object))
    _refuse_zero_bytes(path, frame)
    return _checked(path, frame, list(frame.columns), [])


def _refuse_zero_bytes(path: Path, frame: pd.DataFrame) -> None:
    """Refuse text with zero bytes: arrays of text end at them, so that two values would become one."""
    for name in frame.columns:
        column = frame[name]
        cells = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else column
        if pd.api.types.is_numeric_dtype(cells.dtype):
            continue
        if any(isinstance(cell, str) and "\0" in cell for cell in cells):
            raise InputError(f"{path}: a cell of column {name} holds a zero byte, which no text has; leave it out")


def _is_nested(kind: Any) -> bool:
    import pyarrow as pa

    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_nested(inner))


def read_arff(path: Path) -> Table:
    """Read an ARFF file of numeric and nominal attributes.

    Raises
    ------
    InputError
        If it is none, or has attributes of other kinds.
    """
    from scipy.io import arff

    text = _decoded(path, _content(path), [])
    with _readable(path, "an ARFF file"):
        try:
            rows, meta = arff.loadarff(io.StringIO(text))
        except NotImplementedError as error:
            raise InputError(f"{path}: {error}; save it as csv") from None
        frame = pd.DataFrame({place: rows[name] for place, name in enumerate(meta.names())})
        for place, kind in enumerate(meta.types()):
            if kind == "nominal":
                frame[place] = pd.Series([cell.decode() for cell in frame[place]], dtype=object)
    return _checked(path, frame, list(meta.names()), [])


def read_openml(name: str) -> Table:
    """Fetch a data set of OpenML by its name or number, once; it is kept in the cache.

    Raises
    ------
    InputError
        If it is not there, or cannot be fetched.
    """
    from http.client import HTTPException

    from sklearn.datasets import fetch_openml

    which: dict[str, Any] = {"data_id": int(name)} if name.isdecimal() else {"name": name}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            bunch = fetch_openml(
                **which, as_frame=True, parser="auto", data_home=str(cache_folder() / "openml"), n_retries=1
            )
    # An address that does not exist is an HTTPError, which is an OSError; what OpenML answers may be anything.
    except (OSError, HTTPException, ValueError, KeyError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"openml:{name}: it cannot be fetched ({reason}); look it up at openml.org, or give a file"
        ) from None
    frame, target = bunch.frame, bunch.target_names
    own = str(target[0]) if target else None
    return Table(_checked(Path(f"openml:{name}"), frame, list(frame.columns), []).frame, (), own)


def _checked(path: Path, frame: pd.DataFrame, names: list[Any], notes: list[str]) -> Table:
    """Return a table with columns of these names, which must differ."""
    names = [str(name).strip() or f"column-{place + 1}" for place, name in enumerate(names)]
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        if name in seen:
            raise InputError(f"{path}: columns {seen[name] + 1} and {place + 1} are both called {name!r}; rename one")
        seen[name] = place
        if "\0" in name:
            raise InputError(f"{path}: the name of column {place + 1} holds a zero byte, {name!r}; rename it")
    if len(frame) == 0 or not names:
        raise InputError(f"{path}: the table has {len(names)} columns and no rows; rows are needed")
    frame = frame.reset_index(drop=True)
    frame.columns = pd.Index(names)
    for name in names:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = frame[name].astype(object)
        elif pd.api.types.is_complex_dtype(frame[name].dtype):
            raise InputError(f"{path}: column {name} holds complex numbers; give a column for each part")
    return Table(frame, tuple(notes))


def _content(path: Path) -> bytes:
    """Return the bytes of a file, unpacked where it is packed by gzip, or refuse it."""
    check_size(path)
    content = path.read_bytes()
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        with gzip.open(io.BytesIO(content)) as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be unpacked: {error}") from None
    if len(content) > MOST_BYTES:
        raise InputError(f"{path}: it unpacks to more than {MOST_BYTES >> 20} MiB, which is too large")
    return content


def _decoded(path: Path, content: bytes, notes: list[str]) -> str:
    marked = marked_encoding(content)
    for encoding in ("utf-8-sig", "cp1252", "latin-1") if marked in (None, "utf-8-sig") else (marked,):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding in ("cp1252", "latin-1"):
            notes.append(f"the text is no UTF-8 and was read as {encoding}")
        break
    else:
        raise InputError(f"{path}: its text cannot be read as {marked}")
    if "\0" in text:
        raise InputError(f"{path}: it holds zero bytes, so it is no text; give csv, or another kind of file")
    return text


def _delimiter(text: str) -> str:
    """Return what separates columns: what stands equally often in most of the first lines."""
    lines = [line for line in text[: 1 << 20].splitlines() if line.strip()][:_LINES_TO_LOOK_AT]

    def worth(delimiter: str) -> tuple[float, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True)]
        usual = max(set(counts), key=counts.count)
        return (counts.count(usual) / len(counts) if usual > 1 else 0.0), usual

    try:
        return max(_DELIMITERS, key=worth)
    except csv.Error:
        return ","


def _heading(path: Path, text: str, delimiter: str) -> tuple[bool, list[str]]:
    """Return whether the first row names the columns, and the names."""
    try:
        first = next(row for row in csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True) if row)
    except (csv.Error, StopIteration):
        raise InputError(f"{path}: its first line is no row of a table") from None
    if all(_is_number(cell) for cell in first):
        return False, [f"column-{place + 1}" for place in range(len(first))]
    return True, first


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


@contextmanager
def _readable(path: Path, what: str) -> Iterator[None]:
    """Turn whatever a reader raises at a damaged file into one line: their errors have no common class."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    except (InputError, KeyboardInterrupt):
        raise
    except MemoryError:
        raise InputError(f"{path}: there is not enough memory to read it") from None
    except Exception as error:
        if cells := _CELLS.search(str(error)):
            wanted, line, given = cells.groups()
            raise InputError(
                f"{path}: line {line} has {given} cells, and the lines before have {wanted}; quote cells that hold "
                "what separates them, and end no line with it"
            ) from None
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: it cannot be read as {what}: {reason[:200]}") from None
