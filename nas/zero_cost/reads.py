"""Measures of which inputs a wiring reads, which need no network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nas.zero_cost.moments import Moments
from priors.wiring import Wiring

__all__ = ["influences", "live_neurons", "read_measures"]


def read_measures(wiring: Wiring, moments: Moments) -> dict[str, float]:
    """Return how much the inputs that hidden neurons read vary, and how well what tells classes apart is read."""
    sources, targets = wiring.edges.T
    read_in = (sources < wiring.n_inputs) & (targets < wiring.n_neurons - wiring.n_outputs)
    inputs, readers = sources[read_in], targets[read_in]
    measures = {
        "input_variance": float(moments.total[inputs].mean()) if len(inputs) else np.nan,
        "linear_reads": np.nan,
        "discriminant_reads": np.nan,
    }
    if moments.separation is not None and moments.discriminant is not None:
        live = live_neurons(wiring).astype(np.float64)
        counts, strengths = (
            np.bincount(inputs, weight[readers], minlength=wiring.n_inputs).astype(np.float64)
            for weight in (live, _strengths(wiring) if wiring.forward.all() else live)
        )
        measures["linear_reads"] = _mean(counts, moments.separation)
        measures["discriminant_reads"] = _mean(np.log1p(strengths), moments.discriminant)
    return measures


def live_neurons(wiring: Wiring) -> NDArray[np.bool_]:
    """Return whether a path leads from each neuron to an output unit, (n_neurons,) bool array."""
    sources, targets = wiring.edges.T
    live = np.arange(wiring.n_neurons) >= wiring.n_neurons - wiring.n_outputs
    before = -1
    while before != (before := int(live.sum())):
        live[sources[live[targets]]] = True
    return live


def influences(wiring: Wiring) -> NDArray[np.float64]:
    """Return the expected squared derivative of the outputs by each neuron at initialisation, (n_neurons,) float array.

    It is 1 for output units, and for others the sum over successors of their influence over their fan-in, as ReLU and
    a gain of 2 have it. All edges must be forward.
    """
    sources, targets = wiring.edges.T
    influence = np.zeros(wiring.n_neurons)
    influence[wiring.n_neurons - wiring.n_outputs :] = 1.0
    bounds = np.searchsorted(sources, wiring.offsets)
    for first, last in zip(bounds[-3::-1], bounds[-2:0:-1], strict=True):
        into = targets[first:last]
        np.add.at(influence, sources[first:last], influence[into] / wiring.in_degree[into])
    return influence


def _strengths(wiring: Wiring) -> NDArray[np.float64]:
    """Return how much each neuron counts as a reader: one half at its equal share of all influence, at most 1."""
    influence = influences(wiring)
    strengths: NDArray[np.float64] = influence / (influence + wiring.n_outputs / max(wiring.n_hidden, 1))
    return strengths


def _mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    return float(weights @ values / weights.sum()) if weights.sum() > 0 else np.nan
