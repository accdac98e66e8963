"""How much neurons act on the outputs of a network that nobody has trained, and how strongly its inputs are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from priors.wiring import Wiring

__all__ = ["influences", "live_neurons", "strength_of_inputs"]


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


def strength_of_inputs(wiring: Wiring) -> NDArray[np.float64]:
    """Return ln(1 + r) of each input unit, (n_inputs,) float array, with r the sum of how much its readers count.

    A reader counts by its influence g, as g / (g + outputs / hidden neurons): one half at its equal share of all
    influence, and 1 at most. In a wiring with recurrent edges it counts as 1 where a path leads from it to an output,
    and else as 0. Without outputs all of this is undefined, and NaN.
    """
    if not wiring.outputs:
        return np.full(wiring.n_inputs, np.nan)
    sources, targets = wiring.edges.T
    read = (sources < wiring.n_inputs) & (targets < wiring.n_neurons - wiring.n_outputs)
    counts = live_neurons(wiring).astype(np.float64)
    if wiring.forward.all():
        influence = influences(wiring)
        counts = influence / (influence + wiring.n_outputs / max(wiring.n_hidden, 1))
    return np.log1p(np.bincount(sources[read], counts[targets[read]], minlength=wiring.n_inputs))
