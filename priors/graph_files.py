"""Many graph files at once: which files of a folder or an archive are graphs, and what all of them may hold."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path, PurePosixPath

from priors.archives import ARCHIVES, DAMAGE, MAX_ARCHIVE, MAX_MEMBERS, Read, members, open_regular
from priors.formats.columns import NodeTableError
from priors.formats.files import FORMATS, has_format, parse, reader_of, warn_of
from priors.formats.files import Read as Parser
from priors.formats.limits import MAX_BYTES
from priors.formats.reading import Reading
from priors.wiring import Wiring

__all__ = ["MAX_GRAPHS", "MAX_TOTALS", "read_wirings"]

MAX_GRAPHS = MAX_MEMBERS
"""Most graphs that are read at once."""
MAX_TOTALS = {"bytes": MAX_ARCHIVE, "neurons": 2**25, "edges": 2**27}
"""Most that all graphs together may hold; bytes count unpacked."""

# Tables and notes that lie beside graphs have the suffixes of edge lists too. Of the first kind that is there every
# file must be a graph; what has a later kind's suffix and is none is left out, and said.
_KINDS = {".csv": 1, ".tsv": 1, ".txt": 2, ".dat": 2}
_NOTE = 3
_NOTES = re.compile(r"(read_?me|licen[cs]e|copying|notes?|change_?log|authors?|citation)\b", re.IGNORECASE)
_FRACTION = re.compile(r"[+-]?\d*[.,]\d+(e[+-]?\d+)?", re.IGNORECASE)
_MOST_NAMES = 5


def read_wirings(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002
    directed: bool | None = None,
    merge: str = "sum",
    stacklevel: int = 2,
    failed: dict[str, str] | None = None,
) -> dict[str, Wiring]:
    """Read the graph files of a folder or an archive, or a single one; `GraphPool.read` says which these are.

    Options are those of `priors.read_wiring`. What had to be assumed is said in a `GraphFileWarning`, once for all
    files alike, that points `stacklevel` calls up; what was left out, and why, in another one. With `failed` a file
    that is wrong does not keep others from being read: its line comes to stand there, by its name.

    Returns
    -------
    dict
        Wirings by the names of their files, sorted by name. A name from an archive holds the folders in it.

    Raises
    ------
    ValueError
        Whatever is wrong: one line that begins with the file, ``archive!member`` where it lies in an archive.
    """
    where, found, totals = os.fspath(path), dict[str, Wiring](), Counter[str]()
    remarks: list[tuple[str, list[str]]] = []
    left_out = dict[str, str]()
    unsure = set[str]()
    try:
        parser = reader_of(format)
        with closing(_files(Path(path), left_out, unsure)) as files:
            for name, read in files:
                where = _label(path, name)
                _check_name(name, found)
                reading, content = Reading(directed, merge), None
                try:
                    content = read(MAX_BYTES + 1)
                    wiring = _parsed(content, name, reading, parser, is_unsure=name in unsure)
                    remarks.append((where, reading.remarks))
                except NodeTableError:
                    if not _holds_several(Path(path)):
                        raise
                    remarks.append((where, ["a table of nodes, passed over"]))
                    continue
                except (OSError, *DAMAGE, RecursionError, ValueError) as error:
                    is_readable = content is not None
                    if is_readable and name in unsure:
                        left_out[name] = _one_line(error)
                    elif failed is not None and (is_readable or Path(path).is_dir()):
                        failed[where] = _told(where, error)
                    else:  # What follows in an archive that cannot be read is no better.
                        raise
                    continue
                _charge(totals, name, content, wiring)
                found[name] = wiring
    except (OSError, *DAMAGE, RecursionError, ValueError) as error:
        raise ValueError(_told(where, error)) from error
    if not found and not failed:
        raise ValueError(f"{os.fspath(path)}: holds tables of nodes alone: give tables of edges")
    warn_of([*remarks, (os.fspath(path), _told_left_out(left_out))], stacklevel + 1)
    return dict(sorted(found.items()))


def _holds_several(path: Path) -> bool:
    return path.is_dir() or path.name.lower().endswith(ARCHIVES)


def _files(path: Path, left_out: dict[str, str], unsure: set[str]) -> Generator[tuple[str, Read], None, None]:
    """Yield names and contents of graph files; what has no such name comes to stand in `left_out`, with the reason."""
    if path.is_dir():
        yield from _folder(path, left_out, unsure)
    elif path.name.lower().endswith(ARCHIVES):
        yield from members(path, partial(_chosen, left_out=left_out, unsure=unsure))
    elif path.exists() and not has_format(path.name):
        raise ValueError(f"is no folder, no archive ({', '.join(ARCHIVES)}) and no graph file ({', '.join(FORMATS)})")
    else:
        yield path.name, partial(_content, path)


def _folder(path: Path, left_out: dict[str, str], unsure: set[str]) -> Iterator[tuple[str, Read]]:
    files = []
    for entry in path.iterdir():
        if not entry.is_dir():
            files.append(entry.name)
        elif not _is_hidden(entry.name):
            left_out[entry.name] = "a folder"
    for name in _chosen(files, left_out, unsure):
        yield name, partial(_content, path / name)


def _content(path: Path, size: int) -> bytes:
    with open_regular(path) as file:
        return file.read(size)


def _chosen(names: Collection[str], left_out: dict[str, str], unsure: set[str]) -> list[str]:
    """Return the names of the graph files that are not hidden, sorted; of some only their content can tell."""
    visible = [name for name in names if not _is_hidden(name)]
    chosen = {name: _kind(name) for name in visible if has_format(name)}
    if not chosen:
        raise ValueError(f"holds no graph file; formats are {', '.join(FORMATS)}, and .gz may follow any of them")
    if len(chosen) > MAX_GRAPHS:
        raise ValueError(f"holds {len(chosen)} graph files: at most {MAX_GRAPHS} are read")
    first = min(chosen.values())
    notes = [name for name, kind in chosen.items() if kind == _NOTE > first]
    unsure.update(name for name, kind in chosen.items() if first < kind < _NOTE)
    left_out.update((name, "no format of graphs") for name in visible if name not in chosen)
    left_out.update((name, "a note by its name") for name in notes)
    return sorted(set(chosen) - set(notes))


def _kind(name: str) -> int:
    """Return how sure it is by its name that a file is a graph, 0 for certain."""
    own = PurePosixPath(name).name.lower().removesuffix(".gz")
    kind = _KINDS.get(PurePosixPath(own).suffix, 0)
    return _NOTE if kind and _NOTES.match(own) else kind


def _parsed(content: bytes, name: str, reading: Reading, parser: Parser | None, *, is_unsure: bool) -> Wiring:
    """Read one graph; a table that may be none is refused where, by all appearances, it holds something else."""
    wiring = parse(content, name, reading, parser)
    if not wiring.n_neurons:
        raise ValueError("holds no node: every graph of a pool needs at least 1")
    if not is_unsure:
        return wiring
    guessed = [remark for remark in reading.remarks if remark.endswith("taken as source and target")]
    if guessed:
        raise ValueError("its heading does not name source and target")
    if any(_FRACTION.fullmatch(str(name)) for name in wiring.names or ()):
        raise ValueError("fractions would be names of its neurons")
    return wiring


def _told_left_out(left_out: Mapping[str, str]) -> list[str]:
    """Return what is said of files that were left out, by their reasons."""
    by_reason: dict[str, list[str]] = {}
    for name, why in sorted(left_out.items()):
        shown = name if name.isprintable() else repr(name)[1:-1]
        by_reason.setdefault(why, []).append(shown)
    parts = []
    for why, names in by_reason.items():
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        parts.append(f"{', '.join(names[:_MOST_NAMES])}{more} ({why})")
    return [f"left out: {', '.join(parts)}"] if parts else []


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") and part != ".." for part in PurePosixPath(name).parts)


def _check_name(name: str, found: Collection[str]) -> None:
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts:
        raise ValueError("leads out of its archive: names of members are relative and without '..'")
    if name in found:
        raise ValueError("is there twice")


def _charge(totals: Counter[str], name: str, content: bytes, wiring: Wiring) -> None:
    """Add one graph to the totals, or raise where these become too much."""
    # The last bytes of a .gz tell its unpacked size, which unpacking has checked.
    packed = name.lower().endswith(".gz")
    n_bytes = int.from_bytes(content[-4:], "little") if packed else len(content)
    totals.update(bytes=n_bytes, neurons=wiring.n_neurons, edges=wiring.n_edges)
    for what, most in MAX_TOTALS.items():
        if totals[what] > most:
            raise ValueError(f"brings the graphs to {totals[what]} {what} in all: at most {most} are read")


def _label(path: str | os.PathLike[str], name: str) -> str:
    """Return how a message calls a file, whatever characters an archive calls it by."""
    if Path(path).is_dir():
        label = str(Path(path) / name)
    else:
        archive = Path(path).name.lower().endswith(ARCHIVES)
        label = f"{os.fspath(path)}!{name[:200]}" if archive else os.fspath(path)
    return label if label.isprintable() else repr(label)[1:-1]


def _told(where: str, error: Exception) -> str:
    """Return the line on a file that is wrong."""
    if isinstance(error, OSError):
        return f"{where}: cannot be read: {error.strerror or error}"
    if isinstance(error, (*DAMAGE, RecursionError)):
        return f"{where}: is damaged: {_one_line(error) or 'it ends too early'}"
    return f"{where}: {_one_line(error)}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
