"""A picture of what a network reads: its inputs where they lie, with the weights of all neurons and of some."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from predictors.figures import save_figure

if TYPE_CHECKING:
    from nas.networks import SparseMLP

__all__ = ["READS", "READS_LINE", "plot_reads"]

READS = "reads.png"
READS_LINE = f"![What it reads]({READS})\n\n"
"""How a card shows the picture beside it."""

_ROWS, _COLUMNS = 4, 6


def plot_reads(path: Path, network: SparseMLP, shape: tuple[int, ...], title: str) -> None:
    """Draw what an MLP reads of images of so many rows and columns.

    On the left is the sum of the absolute weights that read each pixel; pixels that nothing reads are white. On the
    right are the weights of the neurons whose reads weigh most, blue where they are positive and red where negative.
    Of several channels all weights of a pixel are added up.

    Parameters
    ----------
    path : Path
    network : SparseMLP
    shape : (int, int) or (int, int, int)
        Of the images that its input units read, which may be means over squares of pixels: rows and columns, behind
        channels where there are several.
    title : str
    """
    from matplotlib.figure import Figure

    read_in = _read_in(network)
    together = _over_channels(np.abs(read_in).sum(axis=0), shape)
    strongest = np.argsort(-np.abs(read_in).sum(axis=1), kind="stable")[: _ROWS * _COLUMNS]
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(2, 3))[0]
    axes = left.subplots()
    shown = axes.imshow(np.where(together > 0, together, np.nan), cmap="viridis")
    left.colorbar(shown, ax=axes, shrink=0.8, label="sum of absolute weights")
    n_read = np.count_nonzero(np.abs(read_in).sum(axis=0))
    axes.set_title(f"{n_read} of {read_in.shape[1]} inputs are read", fontsize="medium")
    axes.set_xticks([])
    axes.set_yticks([])
    right.suptitle(f"weights of {len(strongest)} of {len(read_in)} neurons that read inputs", fontsize="medium")
    for place, own in enumerate(right.subplots(_ROWS, _COLUMNS).flat):
        own.set_xticks([])
        own.set_yticks([])
        if place >= len(strongest):
            own.set_axis_off()
            continue
        weights = _over_channels(read_in[strongest[place]], shape)
        bound = np.abs(weights).max()
        own.imshow(weights, cmap="RdBu", vmin=-bound, vmax=bound)
    figure.suptitle(title)
    save_figure(figure, path)


def _over_channels(weights: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the sum of the weights of each pixel, (rows, columns)."""
    found: NDArray[np.float64] = weights.reshape(-1, *shape[-2:]).sum(axis=0)
    return found


def _read_in(network: SparseMLP) -> NDArray[np.float64]:
    """Return the weights of all neurons that read inputs, (n_neurons, n_inputs), 0 where there is none."""
    wiring = network.blueprint
    edges = network.live_weights().edges
    weights = network.weight.detach().cpu().double().numpy()
    own = edges[:, 0] < wiring.n_inputs
    readers, row = np.unique(edges[own, 1], return_inverse=True)
    found = np.zeros((len(readers), wiring.n_inputs))
    found[row, edges[own, 0]] = weights[own]
    return found
