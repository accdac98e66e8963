"""The plot of a search: every trial, the best so far, and the references. Imports matplotlib inside, without pyplot."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

from nas.report.outcome import Outcome
from nas.store.records import Records
from predictors.figures import save_figure

__all__ = ["label_of", "plot_progress", "title_of"]

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
