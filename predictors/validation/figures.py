"""Figures of a validation as PNG files.

Equal input gives equal bytes under one version of matplotlib: no date and no version is written into the files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from predictors.figures import BLUE, GREEN, ORANGE, RED, save_figure
from predictors.validation.baselines import Step
from predictors.validation.components import Component
from predictors.validation.transfer import CurvePoint

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_components", "plot_curves", "plot_ladder", "plot_predictions", "plot_single_splits"]

_COLOURS = (BLUE, ORANGE, GREEN, "#CC79A7", "#56B4E9", RED, "#F0E442", "#999999")
_SMALLEST_TOLD = 0.05
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def plot_predictions(
    path: Path,
    values: ArrayLike,
    predictions: ArrayLike,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    quantity: str = "accuracy",
    level: float | None = None,
) -> None:
    """Draw values (n,) of one training each over predictions (n,) of rows that were not fitted.

    Intervals are drawn where given, with the share of trainings that they are to hold, `level`.

    How many lie within theirs is not told here: intervals may have been calibrated on these very rows.
    """
    y, p = np.asarray(values, dtype=np.float64), np.asarray(predictions, dtype=np.float64)
    figure, axes = _figure(5.5, 5.5)
    if low is not None and high is not None:
        ends = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
        inside = (ends[0] <= y) & (y <= ends[1])
        axes.hlines(y, *ends, color="0.8", linewidth=0.8, zorder=1, label="interval")
        axes.plot(p[inside], y[inside], "o", color=BLUE, markersize=3.5, label="measured within it")
        axes.plot(p[~inside], y[~inside], "^", color=RED, markersize=4.5, label="measured outside")
        of = "intervals" if level is None else f"{100 * level:.4g} % intervals"
        title = f"Measured values beside {of} of predictions"
    else:
        axes.plot(p, y, "o", color=BLUE, markersize=3.5, label="wiring")
        title = "Measured beside predicted values"
    ends_of_both = [min(y.min(), p.min()), max(y.max(), p.max())]
    axes.plot(ends_of_both, ends_of_both, color="0.3", linewidth=1, linestyle="--", label="predicted = measured")
    _label(axes, f"predicted {quantity}, out of fold", f"measured {quantity} of one training", title)
    axes.legend(loc="upper left", fontsize="small")
    save_figure(figure, path)


def plot_ladder(path: Path, references: Sequence[Step], ladder: Sequence[Step], ceiling: float | None = None) -> None:
    """Draw R2 of references and of the ladder's steps as bars with intervals, and the noise ceiling as a line."""
    steps = [*references, *ladder]
    figure, axes = _figure(8, 0.45 * len(steps) + 1.6)
    for place, step in enumerate(steps):
        colour = "0.65" if place < len(references) else BLUE
        spread = [[step.r2.mean - step.r2.low], [step.r2.high - step.r2.mean]]
        axes.barh(place, step.r2.mean, color=colour, height=0.7)
        axes.errorbar(step.r2.mean, place, xerr=np.maximum(spread, 0), color="0.1", capsize=3, linewidth=1)
        axes.annotate(
            f"{step.r2.mean:.3f}",
            (max(step.r2.high, 0.0), place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
        )
    if ceiling is not None:
        axes.axvline(ceiling, color=RED, linestyle="--", linewidth=1.5, label=f"noise ceiling {ceiling:.3f}")
        axes.legend(loc="upper right", fontsize="small")
    axes.axvline(0, color="0.2", linewidth=0.8)
    axes.set_yticks(range(len(steps)), [f"{step.name} ({step.n_features})" for step in steps])
    axes.invert_yaxis()
    axes.margins(x=0.12)
    title = "What each further kind of structure explains"
    _label(axes, "R² out of fold: mean over repeats, 95 % interval over wirings", "columns (number of them)", title)
    save_figure(figure, path)


def plot_curves(path: Path, curves: Mapping[str, Sequence[CurvePoint]], ceiling: float | None = None) -> None:
    """Draw R2 by the number of training wirings, a line a name, with a band of one standard deviation over splits."""
    figure, axes = _figure(7, 4.5)
    for index, (name, points) in enumerate(curves.items()):
        sizes = [point.size for point in points]
        colour = _COLOURS[index % len(_COLOURS)]
        axes.plot(
            sizes,
            [point.r2.mean for point in points],
            color=colour,
            marker=_MARKERS[index % len(_MARKERS)],
            label=name,
        )
        low, high = ([point.r2.mean + sign * point.r2.sd for point in points] for sign in (-1, 1))
        axes.fill_between(sizes, low, high, color=colour, alpha=0.15, linewidth=0)
    if ceiling is not None:
        axes.axhline(ceiling, color=RED, linestyle="--", linewidth=1.5, label=f"noise ceiling {ceiling:.3f}")
    axes.set_xscale("log")
    ticks = sorted({point.size for points in curves.values() for point in points})
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    title = "How many trained wirings a predictor needs"
    _label(axes, "training wirings", "R² on wirings held out: mean over splits, ± sd", title)
    figure.legend(fontsize="small", loc="outside lower center", ncols=3)
    save_figure(figure, path)


def plot_components(path: Path, populations: Mapping[str, Sequence[Component]]) -> None:
    """Draw the shares of the variance components as one stacked bar a population."""
    figure, axes = _figure(8, 0.6 * len(populations) + 1.8)
    names = list(dict.fromkeys(part.name for parts in populations.values() for part in parts))
    left = np.zeros(len(populations))
    for index, name in enumerate(names):
        shares = np.array([sum(part.share for part in parts if part.name == name) for parts in populations.values()])
        axes.barh(
            range(len(populations)),
            shares,
            left=left,
            height=0.65,
            color=_COLOURS[index % len(_COLOURS)],
            edgecolor="white",
            label=name,
        )
        for place, share in enumerate(shares):
            if share >= _SMALLEST_TOLD:
                axes.text(left[place] + share / 2, place, f"{share:.0%}", ha="center", va="center", fontsize="small")
        left += np.nan_to_num(shares)
    axes.set_yticks(range(len(populations)), list(populations))
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    _label(axes, "share of the variance", "", "Where the variance comes from")
    figure.legend(loc="outside lower center", ncols=min(len(names), 6), fontsize="small")
    save_figure(figure, path)


def plot_single_splits(path: Path, splits: Mapping[str, ArrayLike], published: Mapping[str, float]) -> None:
    """Draw how R2 is distributed over single random splits, a panel a name, with the published value as a line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 1.5 * len(splits) + 1), layout="constrained")
    rows = figure.subplots(len(splits), sharex=True, squeeze=False)[:, 0]
    arrays = {name: np.asarray(split, dtype=np.float64) for name, split in splits.items()}
    values = {name: array[~np.isnan(array)] for name, array in arrays.items()}
    # A few splits go far below 0 and would squeeze all others into a corner.
    lowest = min([*(float(np.quantile(v, 0.02)) for v in values.values()), *published.values()])
    for axes, (name, split) in zip(rows, values.items(), strict=True):
        bins = np.linspace(lowest, 1.0, 41).tolist()
        axes.hist(np.clip(split, lowest, 1.0), bins=bins, color=BLUE)
        axes.axvline(np.median(split), color="0.1", linewidth=1.5, label=f"median {np.median(split):.2f}")
        if name in published:
            said = published[name]
            axes.axvline(said, color=RED, linestyle="--", linewidth=1.5, label=f"published {said:.2f}")
        axes.set_ylabel(name)
        axes.set_yticks([])
        axes.grid(alpha=0.3)
        axes.legend(loc="upper left", fontsize="small")
    rows[-1].set_xlabel("R² on the rows held out by one random split (lowest bar: and below)")
    figure.suptitle("What one split says depends on the split")
    save_figure(figure, path)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _label(axes: Axes, x: str, y: str, title: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title)
    axes.set_axisbelow(True)
    axes.grid(alpha=0.3)
