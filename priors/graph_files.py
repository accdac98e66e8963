"""Many graph files at once: which files of a folder or an archive are graphs, and what all of them may hold."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Generator, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path, PurePosixPath

from priors.archives import ARCHIVES, DAMAGE, MAX_ARCHIVE, MAX_MEMBERS, Read, members, open_regular
from priors.formats.columns import NodeTableError
from priors.formats.files import FORMATS, parse, reader_of, warn_of
from priors.formats.limits import MAX_BYTES
from priors.formats.reading import Reading
from priors.wiring import Wiring

__all__ = ["MAX_GRAPHS", "MAX_TOTALS", "read_wirings"]

MAX_GRAPHS = MAX_MEMBERS
"""Most graphs that are read at once."""
MAX_TOTALS = {"bytes": MAX_ARCHIVE, "neurons": 2**25, "edges": 2**27}
"""Most that all graphs together may hold; bytes count unpacked."""

# Tables and notes that lie beside graphs have the suffixes of edge lists too, so the first group that is there wins.
_LISTS = (".csv", ".tsv", ".txt", ".dat")
_GROUPS = (tuple(suffix for suffix in FORMATS if suffix not in _LISTS), (".csv", ".tsv"), (".txt", ".dat"))


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
    files alike, that points `stacklevel` calls up. With `failed` a file that is wrong does not keep others from being
    read: its line comes to stand there, by its name.

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
    try:
        parser = reader_of(format)
        with closing(_files(Path(path))) as files:
            for name, read in files:
                where = _label(path, name)
                _check_name(name, found)
                reading, content = Reading(directed, merge), None
                try:
                    content = read(MAX_BYTES + 1)
                    remarks.append((where, reading.remarks))
                    wiring = parse(content, name, reading, parser)
                    if not wiring.n_neurons:
                        raise ValueError("holds no node: every graph of a pool needs at least 1")
                except NodeTableError:
                    if not Path(path).is_dir():
                        raise
                    reading.remark("a table of nodes, passed over")
                    continue
                except (OSError, *DAMAGE, RecursionError, ValueError) as error:
                    # What follows in an archive that cannot be read is no better.
                    if failed is None or (content is None and not Path(path).is_dir()):
                        raise
                    failed[where] = _told(where, error)
                    continue
                _charge(totals, name, content, wiring)
                found[name] = wiring
    except (OSError, *DAMAGE, RecursionError, ValueError) as error:
        raise ValueError(_told(where, error)) from error
    if not found and not failed:
        raise ValueError(f"{os.fspath(path)}: holds tables of nodes alone: give tables of edges")
    warn_of(remarks, stacklevel + 1)
    return dict(sorted(found.items()))


def _files(path: Path) -> Generator[tuple[str, Read], None, None]:
    if path.is_dir():
        yield from _folder(path)
    elif path.name.lower().endswith(ARCHIVES):
        yield from members(path, _chosen)
    elif path.exists() and not _graph_names([path.name]):
        raise ValueError(f"is no folder, no archive ({', '.join(ARCHIVES)}) and no graph file ({', '.join(FORMATS)})")
    else:
        yield path.name, partial(_content, path)


def _folder(path: Path) -> Iterator[tuple[str, Read]]:
    for name in _chosen([entry.name for entry in path.iterdir() if not entry.is_dir()]):
        yield name, partial(_content, path / name)


def _content(path: Path, size: int) -> bytes:
    with open_regular(path) as file:
        return file.read(size)


def _chosen(names: Collection[str]) -> list[str]:
    """Return the names of the graph files that are not hidden, sorted."""
    chosen = _graph_names([name for name in names if not _is_hidden(name)])
    if not chosen:
        raise ValueError(f"holds no graph file; formats are {', '.join(FORMATS)}, and .gz may follow any of them")
    if len(chosen) > MAX_GRAPHS:
        raise ValueError(f"holds {len(chosen)} graph files: at most {MAX_GRAPHS} are read")
    return sorted(chosen)


def _graph_names(names: Collection[str]) -> list[str]:
    for suffixes in _GROUPS:
        found = [name for name in names if name.lower().removesuffix(".gz").endswith(suffixes)]
        if found:
            return found
    return []


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
