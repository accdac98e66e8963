"""The plot of a search: every trial, the best so far, and the references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.report.outcome import Outcome
from nas.store.records import Records
from predictors.figures import BLUE, GREEN, ORANGE, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["label_of", "plot_front", "plot_progress", "title_of"]

_REFERENCE_STYLES = ("-", "--", "-.", ":")


def title_of(outcome: Outcome) -> str:
    """Return what a figure of a campaign is called."""
    return f"{outcome.task or 'own evaluation'}, {outcome.network}, {outcome.sampler}"


def label_of(outcome: Outcome, part: str) -> str:
    """Return what the values of a campaign are called, on a part of the data."""
    return f"{part} {outcome.metric}" if outcome.task else "value"


def plot_progress(path: Path, records: Records, outcome: Outcome) -> None:
    """Draw values by trial number with the best so far, and the mean validation value of winner and references.

    Parameters
    ----------
    path : Path
        A PNG file; replaced at once.
    records : Records
    outcome : Outcome
    """
    from matplotlib.figure import Figure

    complete = records.complete
    numbers = [record.number for record in complete]
    values = [record.value or 0.0 for record in complete]
    best = list(accumulate(values, max if outcome.direction == "maximize" else min))
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(numbers, values, "o", color="0.65", markersize=4, label="trial")
    axes.step(numbers, best, where="post", color="C0", linewidth=2, label="best so far")
    for index, reference in enumerate(outcome.references):
        style = _REFERENCE_STYLES[index % len(_REFERENCE_STYLES)]
        label = f"{reference['name']} ({reference['n_parameters']} parameters)"
        axes.axhline(reference["validation"], color="C1", linestyle=style, linewidth=1, label=label)
    if outcome.test is not None:
        axes.axhline(outcome.test["validation"], color="C2", linewidth=1, label="winner, fresh seeds")
    axes.set_xlabel("trial")
    axes.set_ylabel(label_of(outcome, "validation"))
    axes.set_title(title_of(outcome))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right" if outcome.direction == "maximize" else "upper right", fontsize="small")
    save_figure(figure, path)


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
