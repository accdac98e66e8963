"""How far apart two wirings are, and how far apart they would be by chance; and how far several are from each other."""

from __future__ import annotations

import csv
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nas.errors import InputError
from nas.failures import unusable
from nas.options.resolve import n_cores
from nas.report.sources import wiring_at
from nas.store.folders import check_folder
from predictors.distances import density_distance, edge_jaccard, nnstd, spectral_distance
from predictors.pairs import distance_matrix, nnstd_value, plane_of, plot_pairs
from priors import NULLS, NullModel, Wiring, draw_nulls, plain_null
from priors.files import atomic_write

__all__ = ["check_distances", "measure_distances", "measure_pairs", "wirings_of"]

_WORTH_PROCESSES_S = 60.0
"""Seconds of work from which on other processes are begun, which takes seconds, and longer on a busy machine."""


def check_distances(n_wirings: int, *, n_nulls: int = 0, kind: str | None = None, out: Path | None = None) -> None:
    """Refuse options that do not go with so many wirings.

    Raises
    ------
    InputError
    """
    if n_wirings < 2:
        raise InputError("one wiring has no distance; give two or more")
    if n_wirings > 2 and (n_nulls or kind is not None):
        name, value = ("n_nulls", n_nulls) if n_nulls else ("kind", kind)
        raise InputError(f"{name}={value}: nulls are of two wirings, and there are {n_wirings}; leave it out")
    if n_wirings == 2 and out is not None:
        raise InputError(f"out={out}: files are written of three wirings or more; leave it out")


def wirings_of(sources: Sequence[str], **reading: Any) -> list[Wiring]:
    """Return the wirings of graph files, saved networks and folders; see `nas.report.sources.wiring_at`.

    Parameters
    ----------
    sources : sequence of str
    **reading
        How graph files are read: format, directed and merge of `priors.read_wiring`.

    Raises
    ------
    InputError
        For a path without a character, or one at which no wiring lies; and for what says how graph files are read,
        where there are none.
    """
    for place, source in enumerate(sources, start=1):
        if not source:
            raise InputError(f"the path of wiring {place} is empty; give a graph file, a saved network or a folder")
    paths = [Path(source) for source in sources]
    if all(path.is_dir() or path.suffix == ".safetensors" for path in paths):
        by_default = {"format": None, "directed": None, "merge": "sum"}
        for name, value in reading.items():
            if value != by_default[name]:
                shown = str(value).lower() if isinstance(value, bool) else value
                raise InputError(f"{name}={shown}: it says how graph files are read, and there are none; leave it out")
    return [wiring_at(path, **reading)[0] for path in paths]


def measure_distances(
    first: Wiring,
    second: Wiring,
    *,
    n_nulls: int = 0,
    kind: str | None = None,
    seed: int = 0,
    watch: Callable[[str, int, int], None] = lambda *_: None,
) -> dict[str, Any]:
    """Return distances between two wirings as JSON types.

    Parameters
    ----------
    first, second : Wiring
    n_nulls : int
        Nulls of the second wiring whose distances to the first are measured too.
    kind : str, optional
        Null model, one of `priors.NULLS`; by default the first of layers, order and degree that fits.
    seed : int
        Of the nulls.
    watch : callable
        Told what is measured, how many are done, and all of them.

    Returns
    -------
    dict
        nnstd (value and layers; see `predictors.distances.nnstd`), edge_jaccard (None where neurons of the same number
        are not the same), density, spectral, and null: None, or kind, keeps, n, overlap (share of the edges that may
        move that nulls have too), mean, std (None of one null), and z, by how many of these the value is above the mean
        (None where nulls do not differ).

    Raises
    ------
    InputError
        For wirings that cannot be compared, or a null model that does not fit.
    """
    if kind is not None and not n_nulls:
        raise InputError(f"kind={kind}: it acts on nulls alone; give their number too")
    try:
        model = _model(second, kind) if n_nulls else None
        found, density = nnstd(first, second), density_distance(first, second)
    except ValueError as error:
        raise InputError(str(error)) from None
    null = None
    if model is not None:
        values, overlaps = [], []
        watch("nulls", 0, n_nulls)
        try:
            for drawn, mixing in draw_nulls(model, n_nulls, seed):
                values.append(nnstd(first, drawn).value)
                overlaps.append(mixing.overlap)
                watch("nulls", len(values), n_nulls)
        except ValueError as error:
            raise InputError(str(error)) from None
        mean, std = statistics.fmean(values), statistics.stdev(values) if n_nulls > 1 else None
        null = {
            "kind": model.kind,
            "keeps": list(model.keeps),
            "n": n_nulls,
            "overlap": statistics.fmean(overlaps),
            "mean": mean,
            "std": std,
            "z": (found.value - mean) / std if std else None,
        }
    return {
        "nnstd": {"value": found.value, "layers": list(found.layers)},
        "edge_jaccard": edge_jaccard(first, second) if first.sizes == second.sizes else None,
        "density": density,
        "spectral": spectral_distance(first, second),
        "null": null,
    }


def measure_pairs(
    wirings: Sequence[Wiring],
    names: Sequence[str],
    out: Path | None = None,
    *,
    watch: Callable[[str, int, int], None] = lambda *_: None,
) -> dict[str, Any]:
    """Return the distances between all pairs of three or more wirings as JSON types.

    Parameters
    ----------
    wirings : sequence of Wiring
    names : sequence of str
        What they are called.
    out : Path, optional
        Folder for ``distances.csv``, ``map.png`` and ``tree.png``.
    watch : callable
        Told what is measured, how many pairs are done, and all of them.

    Returns
    -------
    dict
        wirings (their names), nnstd (rows of the matrix; see `predictors.distances.nnstd`), stress (of the map in the
        plane; see `predictors.pairs.Plane`), and files (those written).

    Raises
    ------
    InputError
        For wirings that cannot be compared, or a folder that holds something else or cannot be written.
    """
    if out is not None:
        check_folder(out, beside=True)
        _make(out)
    try:
        began = time.perf_counter()
        nnstd_value(wirings[0], wirings[1])
        expected = (time.perf_counter() - began) * len(wirings) * (len(wirings) - 1) / 2
        matrix = distance_matrix(
            wirings,
            processes=n_cores() if expected > _WORTH_PROCESSES_S else 1,
            watch=lambda done, total: watch("pairs", done, total),
        )
    except ValueError as error:
        raise InputError(str(error)) from None
    found = {
        "wirings": list(names),
        "nnstd": matrix.tolist(),
        "stress": plane_of(matrix).stress,
        "files": [],
    }
    if out is None:
        return found
    files = [out / name for name in ("distances.csv", "map.png", "tree.png")]
    try:
        with atomic_write(files[0]) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["", *names])
            writer.writerows([name, *row] for name, row in zip(names, found["nnstd"], strict=True))
        plot_pairs(out, matrix, _short(names))
    except OSError as error:
        raise unusable(error, f"out={out}", "give a folder that can be written") from None
    return {**found, "files": [str(file) for file in files]}


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(error, f"out={out}", "give a folder that can be written") from None


def _short(names: Sequence[str]) -> list[str]:
    """Return the last parts of paths, or as many of them as tell the paths apart."""
    paths = [Path(name).parts for name in names]
    for n in range(1, max(map(len, paths)) + 1):
        found = ["/".join(parts[-n:]) for parts in paths]
        if len(set(found)) == len(set(names)):
            return found
    return list(names)


def _model(wiring: Wiring, kind: str | None) -> NullModel:
    """Return a null model of a wiring: that of this kind, or else the first that fits."""
    if kind is not None:
        if kind not in NULLS or kind in ("weights", "spatial"):
            usable = ", ".join(name for name in NULLS if name not in ("weights", "spatial"))
            raise InputError(f"kind={kind}: it must be one of {usable}")
        return NullModel(wiring, kind)
    return plain_null(wiring)
