"""How far apart two wirings are, and how far apart they would be by chance."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

from nas.errors import InputError
from predictors.distances import density_distance, edge_jaccard, nnstd, spectral_distance
from priors import NULLS, NullModel, Wiring, draw_nulls, plain_null

__all__ = ["measure_distances"]


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


def _model(wiring: Wiring, kind: str | None) -> NullModel:
    """Return a null model of a wiring: that of this kind, or else the first that fits."""
    if kind is not None:
        if kind not in NULLS or kind in ("weights", "spatial"):
            usable = ", ".join(name for name in NULLS if name not in ("weights", "spatial"))
            raise InputError(f"kind={kind}: it must be one of {usable}")
        return NullModel(wiring, kind)
    return plain_null(wiring)
