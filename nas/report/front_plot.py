"""The plot of a front: accuracy against parameters. Imports matplotlib inside, without pyplot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.report.outcome import Outcome
from nas.report.plot import label_of, title_of
from nas.store.records import Records
from predictors.figures import BLUE, GREEN, ORANGE, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_front"]


def plot_front(path: Path, records: Records, outcome: Outcome) -> None:
    """Draw values and tests over the number of parameters: all trials, the front afresh with spread, its references.

    Parameters
    ----------
    path : Path
        A PNG file; replaced at once.
    records : Records
    outcome : Outcome
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    complete = records.complete
    fresh = [entry for entry in outcome.front if entry["test"] is not None]
    parts = ("validation", "test") if fresh else ("validation",)
    figure = Figure(figsize=(5.5 * len(parts), 4.5), layout="constrained")
    several = figure.subplots(1, len(parts), sharex=True, sharey=True, squeeze=False)[0]
    for axes, part in zip(several, parts, strict=True):
        if part == "validation":
            sizes, values = [row.n_parameters for row in complete], [row.value for row in complete]
            axes.plot(sizes, values, "o", color="0.75", markersize=3, zorder=1, label="trial")
            found = [(entry["n_parameters"], entry["value"]) for entry in outcome.front]
            axes.step(*zip(*found, strict=True), where="post", color="0.45", linewidth=1, label="front of the search")
        _spread(axes, fresh, part, "o", BLUE, "front, fresh seeds (bars: sd over seeds)")
        dense = [row for row in outcome.front_references if row["trial"] is not None]
        linear = [row for row in outcome.front_references if row["trial"] is None]
        _spread(axes, dense, part, "s", ORANGE, "dense, equal parameters")
        _spread(axes, linear, part, "^", GREEN, "linear")
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("parameters")
        axes.set_ylabel(label_of(outcome, part))
        axes.grid(alpha=0.3)
        axes.legend(loc="best", fontsize="small")
    figure.suptitle(title_of(outcome))
    save_figure(figure, path)


def _spread(axes: Axes, rows: Sequence[Mapping[str, Any]], part: str, marker: str, colour: str, label: str) -> None:
    """Draw means over seeds, with their standard deviations where there are several seeds."""
    if not rows:
        return
    axes.errorbar(
        [row["n_parameters"] for row in rows],
        [row[part]["mean"] for row in rows],
        yerr=[row[part]["std"] or 0.0 for row in rows],
        fmt=marker,
        color=colour,
        markersize=5,
        capsize=2,
        label=label,
    )
