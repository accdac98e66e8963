"""Parts: the rows of a survey as Parquet files, written whole or not at all.

A part is named after the wirings that it holds, from the first to the last one, and says in its metadata which survey
it belongs to. Parts only ever follow each other; where several were merged, the large part counts and the small ones
inside it are leftovers.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any

from nas.errors import InputError
from nas.store.arrow import pa, pq
from nas.store.reading import reading
from priors.files import atomic_write, naming, remove_leftovers

__all__ = ["FORMAT", "SMALL_ROWS", "Part", "Parts", "list_parts", "read_identity", "read_rows", "schema_of"]

FORMAT = 2
"""Version of the columns and of the metadata that is written; raised when either changes.

In version 1 the columns of parameters were those of the three families, whatever was drawn; since version 2 they are
those of the space.
"""
_READ = (1, 2)

SMALL_ROWS = 4096
"""A part with fewer rows is one of the small ones that are merged while a survey goes on."""

_MOST_ROWS = 262_144
_MOST_SMALL = 64
_NAME = re.compile(r"part-(\d{9})-(\d{9})\.parquet")
_KEY = b"wirenas"

_OF_TRAINING: dict[str, Any] = {"number": pa.int64(), "replicate": pa.int32(), "learning_rate": pa.float64()}
_OF_WIRING_AND_RESULT: dict[str, Any] = {
    "fingerprint": pa.string(),
    "n_hidden": pa.int32(),
    "n_edges": pa.int32(),
    "n_layers": pa.int32(),
    "n_sources": pa.int32(),
    "n_sinks": pa.int32(),
    "degree": pa.float64(),
    "n_parameters": pa.int64(),
    "value": pa.float64(),
    "validation_loss": pa.float64(),
    "test": pa.float64(),
    "diverged": pa.bool_(),
    "steps": pa.int64(),
    "epochs": pa.int32(),
    "seconds": pa.float64(),
    "engine": pa.string(),
    "versions": pa.string(),
    "error": pa.string(),
}
_ALWAYS = {**_OF_TRAINING, **_OF_WIRING_AND_RESULT}
_NEEDED = ("number", "replicate", "learning_rate", "fingerprint", "value")
_TYPES: dict[type, Any] = {int: pa.int64(), float: pa.float64(), str: pa.string()}


def schema_of(parameters: Mapping[str, type]) -> pa.Schema:
    """Return the columns of a survey, one row a training; `SurveyTable` says what they mean.

    `parameters` of the wirings are int, float or str by name; the column of each is called ``param_`` and the name.
    """
    own = {f"param_{name}": _TYPES[kind] for name, kind in parameters.items()}
    if "graph" in parameters:
        own["graph_name"] = pa.string()  # Of the user's own graph, by its file.
    return pa.schema(list({**_OF_TRAINING, **own, **_OF_WIRING_AND_RESULT}.items()))


@dataclass(frozen=True)
class Part:
    """One file, with all rows of the wirings from `first` to `last`."""

    path: Path
    first: int
    last: int


class Parts:
    """The parts of one survey, for the one process that adds to them.

    The folder is created where it is missing, and leftovers of killed processes are removed from it. `identity` tells
    as JSON types which survey this is; `rows_per_wiring` are the trainings of every wiring; for `parameters` see
    `schema_of`. Parts that are added to older ones have their columns too, with their types.

    Raises
    ------
    InputError
        If the folder holds what does not belong there, or wirings are missing.
    """

    def __init__(
        self, folder: Path, identity: Mapping[str, Any], rows_per_wiring: int, parameters: Mapping[str, type]
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._per_wiring = folder, rows_per_wiring
        remove_leftovers(folder)
        self._parts = list_parts(folder)
        # A process that was killed while it merged left parts inside a larger one.
        for file in set(folder.glob("part-*.parquet")) - {part.path for part in self._parts}:
            file.unlink()
        files = [_open(part.path) for part in self._parts]
        schema = schema_of(parameters)
        if files:
            own = _unified(files, folder)
            schema = pa.schema([*own, *(field for field in schema if field.name not in own.names)])
        self._schema = schema.with_metadata({_KEY: json.dumps({"format": FORMAT, **identity}).encode()})
        for part, file in zip(self._parts, files, strict=True):
            found, expected = file.metadata.num_rows, self._n_rows(part)
            if found != expected:
                raise InputError(f"{part.path}: {found} rows where {expected} belong; give another folder")

    @property
    def n_wirings(self) -> int:
        """Wirings that are stored; the next one to be added has this number."""
        return self._parts[-1].last + 1 if self._parts else 0

    def append(self, n_wirings: int, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store the rows of the next `n_wirings` wirings, all of them or, if the process dies, none."""
        if len(rows) != n_wirings * self._per_wiring:
            raise ValueError(f"{len(rows)} rows: {n_wirings} wirings have {n_wirings * self._per_wiring}")
        first = self.n_wirings
        self._parts.append(self._write(first, first + n_wirings - 1, _table(rows, self._schema)))
        small = list(takewhile(lambda part: self._n_rows(part) < SMALL_ROWS, reversed(self._parts)))
        if len(small) >= _MOST_SMALL:
            self._merge(small[::-1])

    def merge(self, most_rows: int = _MOST_ROWS) -> None:
        """Turn neighbouring parts into larger ones of up to so many rows; larger parts stay as they are."""
        groups: list[list[Part]] = []
        for part in self._parts:
            if groups and part.last - groups[-1][0].first < most_rows // self._per_wiring:
                groups[-1].append(part)
            else:
                groups.append([part])
        for group in groups:
            self._merge(group)

    def _merge(self, group: Sequence[Part]) -> None:
        """Write one part in place of several; a process that dies before the last is removed leaves them inside it."""
        if len(group) < 2:
            return
        merged = self._write(group[0].first, group[-1].last, read_rows(group))
        place = self._parts.index(group[0])
        self._parts[place : place + len(group)] = [merged]
        for part in group:
            part.path.unlink()

    def _write(self, first: int, last: int, table: pa.Table) -> Part:
        part = Part(self._folder / f"part-{first:09d}-{last:09d}.parquet", first, last)
        with atomic_write(part.path) as temporary, temporary.open("wb") as file:
            pq.write_table(table.replace_schema_metadata(self._schema.metadata), file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        return part

    def _n_rows(self, part: Part) -> int:
        return (part.last - part.first + 1) * self._per_wiring


def list_parts(folder: Path) -> list[Part]:
    """Return the parts in a folder in the order of their wirings, without those inside a larger one.

    Raises
    ------
    InputError
        Naming a file that is no part, two parts that share wirings, or wirings that are in none.
    """
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []
    found = [_part(folder / name) for name in names]
    parts: list[Part] = []
    for part in sorted(found, key=lambda part: (part.first, -part.last)):
        if not parts or part.last > parts[-1].last:
            parts.append(part)
    _check_sequence(folder, parts)
    return parts


def read_rows(parts: Sequence[Part], columns: Sequence[str] | None = None) -> pa.Table:
    """Return the rows of some parts, one part after another; all columns by default, null where a part has none.

    Raises
    ------
    InputError
        Naming a part that is damaged, foreign, or of another version.
    FileNotFoundError
        If a part was merged since it was listed.
    """
    files = [_open(part.path) for part in parts]
    schema = _unified(files, parts[0].path.parent) if parts else schema_of({})
    names = schema.names if columns is None else list(columns)
    missing = [pa.field(name, _ALWAYS.get(name, pa.null())) for name in names if name not in schema.names]
    schema = pa.schema([*schema, *missing])
    empty = schema.empty_table().select(names)
    tables = [_read(part.path, file, names) for part, file in zip(parts, files, strict=True)]
    return pa.concat_tables([empty, *tables], promote_options="permissive")


def read_identity(part: Part) -> dict[str, Any]:
    """Return which survey a part says that it belongs to."""
    identity = _written(_open(part.path))
    del identity["format"]
    return identity


def _part(path: Path) -> Part:
    match = _NAME.fullmatch(path.name)
    first, last = (int(match[1]), int(match[2])) if match else (1, 0)
    if first > last:
        raise InputError(f"{path}: not a part of a survey; move it elsewhere")
    return Part(path, first, last)


def _check_sequence(folder: Path, parts: Sequence[Part]) -> None:
    start = Part(folder, -1, -1)
    for before, after in pairwise([start, *parts]):
        if after.first <= before.last:
            raise InputError(
                f"{after.path}: wirings {after.first} to {before.last} are in {before.path.name} too; "
                "remove the part that does not belong there"
            )
        if after.first > before.last + 1:
            raise InputError(
                f"{folder}: wirings {before.last + 1} to {after.first - 1} are missing; put their part back, "
                "or give another folder"
            )


def _read(path: Path, file: pq.ParquetFile, names: Sequence[str]) -> pa.Table:
    """Return those of some columns that a part has."""
    own = [name for name in names if name in file.schema_arrow.names]
    try:
        with reading(path), naming(path):
            return file.read(columns=own).select(own).replace_schema_metadata(None)
    except (pa.ArrowException, OSError) as error:
        if getattr(error, "errno", None) is not None:  # The disk's fault and not the part's.
            raise
        raise _damaged(path, error) from None


def _written(file: pq.ParquetFile) -> dict[str, Any]:
    """Return what a part says of itself."""
    written = json.loads((file.schema_arrow.metadata or {}).get(_KEY, b"{}"))
    if not isinstance(written, dict):
        raise ValueError("its metadata are no JSON object")
    return written


def _open(path: Path) -> pq.ParquetFile:
    """Open a part, and refuse what is damaged, foreign or of another version."""
    try:
        with reading(path), naming(path):
            file = pq.ParquetFile(path)
            written = _written(file)
    except (pa.ArrowException, OSError) as error:
        if getattr(error, "errno", None) is not None:  # It was merged since it was listed, or the disk is at fault.
            raise
        raise _damaged(path, error) from None
    if written.get("format") not in _READ:
        raise InputError(
            f"{path}: written in format {written.get('format')}, and this version reads formats 1 to {FORMAT}; "
            "give another folder"
        )
    own = file.schema_arrow
    if len(set(own.names)) < len(own.names):
        raise InputError(f"{path}: two of its columns have one name; give another folder")
    for name, kind in _ALWAYS.items():
        if name not in own.names and name in _NEEDED:
            raise InputError(f"{path}: column {name} is missing; give another folder")
        if name in own.names and own.field(name).type != kind:
            raise InputError(f"{path}: column {name} is {own.field(name).type} and not {kind}; give another folder")
    return file


def _unified(files: Sequence[pq.ParquetFile], folder: Path) -> pa.Schema:
    """Return the columns of all of some parts."""
    try:
        schemas = [file.schema_arrow.remove_metadata() for file in files]
        return pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowException as error:
        raise InputError(f"{folder}: parts do not fit together: {error}; give another folder") from None


def _damaged(path: Path, error: Exception) -> InputError:
    reason = str(error).partition("\n")[0]
    return InputError(f"{path}: not a part that can be read: {reason}; give another folder")


def _table(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    unknown = {name for row in rows for name in row} - set(schema.names)
    if unknown:
        raise ValueError(f"rows have columns that the survey has not: {', '.join(sorted(unknown))}")
    columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in schema]
    return pa.table(columns, schema)
