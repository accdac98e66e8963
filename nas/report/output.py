"""What a campaign leaves in its folder beside the study: the best network, its card, the front, and plots."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from nas.report.card import PICTURE, PICTURE_LINE, card
from nas.report.drawing import MOST_EDGES, MOST_NEURONS, plot_wiring
from nas.report.outcome import Outcome, best_record
from nas.report.reads import READS, READS_LINE, plot_reads
from nas.store.records import summary_of
from nas.tasks.files.pipeline import FILE as PIPELINE
from predictors.figures import BLUE, GREEN, ORANGE, RED, save_figure
from priors import Wiring, write_wiring
from priors.files import atomic_folder, atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nas.evaluation.finals import Finals, Standing
    from nas.networks.structure import Network
    from nas.options.options import CampaignOptions
    from nas.store.records import Record, Records
    from nas.tasks import Task

__all__ = ["log_axis_of_sizes", "plot_progress", "write_output"]

NETWORK = "network.safetensors"


def write_output(
    out: Path,
    options: CampaignOptions,
    task: Task | None,
    records: Records,
    finals: Finals | None,
    outcome: Outcome,
    rebuild: Callable[[Record], Wiring],
) -> None:
    """Write ``best/``, ``progress.png``, and what there is of a front; each replaces its former version at once."""
    best = best_record(records, options.direction)
    if best is None:
        return
    plot_progress(out / "progress.png", records, outcome, finals)
    if outcome.front:
        plot_front(out / "front.png", records, outcome)
        _write_front_table(out / "front.csv", outcome.front)
        members = {entry["trial"] for entry in outcome.front}
        with atomic_folder(out / "front") as temporary:
            for record in records:
                if record.number in members:
                    write_wiring(_storable(rebuild(record)), temporary / f"{record.number}.json")
    with atomic_folder(out / "best") as temporary:
        wiring = _storable(rebuild(best) if finals is None else finals.wiring)
        write_wiring(wiring, temporary / "wiring.json")
        text = card(options, task, finals, outcome, records)
        if finals is None or not _write_network(temporary, task, finals, outcome):
            text = text.replace(READS_LINE, "")
        (temporary / "outcome.json").write_text(json.dumps(outcome.to_json(), indent=2) + "\n", encoding="utf-8")
        if wiring.n_neurons <= MOST_NEURONS and wiring.n_edges <= MOST_EDGES:
            assert outcome.best is not None
            plot_wiring(temporary / PICTURE, wiring, f"wiring of trial {outcome.best['trial']}")
        else:
            text = text.replace(PICTURE_LINE, "")
        (temporary / "card.md").write_text(text, encoding="utf-8")


def _storable(wiring: Wiring) -> Wiring:
    """Return a wiring without weights where some edges have none, as those have that attach units."""
    is_partial = wiring.weights is not None and not np.isfinite(wiring.weights).all()
    return wiring.replace(weights=None) if is_partial else wiring


def _write_network(folder: Path, task: Task | None, finals: Finals, outcome: Outcome) -> bool:
    """Write the winner's network, and a picture of what it reads where it reads images; return whether there is one."""
    from nas.networks import SparseMLP, save_network
    from nas.networks.pooled import behind_pooling

    network = finals.training.network
    if task is not None and task.pipeline is not None:
        task.pipeline.save(folder / PIPELINE)
    shape = None if task is None else task.shape
    if shape is None or not isinstance(network, SparseMLP):
        save_network(cast("Network", network), folder / NETWORK)
        return False
    save_network(behind_pooling(network, shape, finals.pool), folder / NETWORK)
    assert outcome.best is not None
    of_means = "" if finals.pool == 1 else f", of means over {finals.pool} x {finals.pool} pixels"
    reads = finals.training.task.shape or shape
    plot_reads(folder / READS, network, reads, f"what trial {outcome.best['trial']} reads{of_means}")
    return True


def _write_front_table(path: Path, front: Sequence[Mapping[str, Any]]) -> None:
    """Write one line a member as csv, with empty fields for what was not trained afresh."""
    rows = [_row(entry) for entry in front]
    with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _row(entry: Mapping[str, Any]) -> dict[str, Any]:
    row = {name: entry[name] for name in ("trial", "n_parameters", "n_hidden", "n_edges", "value", "learning_rate")}
    for part in ("validation", "test"):
        row |= {f"{part}_{name}": (entry[part] or {}).get(name) for name in ("mean", "std", "seeds")}
    row |= {"stays": entry["stays"], "fingerprint": entry["fingerprint"]}
    return row | {f"param_{name}": value for name, value in entry["params"].items()}


def plot_progress(path: Path, records: Records, outcome: Outcome, finals: Finals | None = None) -> None:
    """Draw values by trial number with the best so far and, apart from them, winner and references with fresh seeds.

    Trials and references far below the others (of what is minimised: above) are triangles at the edge.
    """
    from matplotlib.figure import Figure

    complete = records.complete
    numbers = [record.number for record in complete]
    values = [record.value or 0.0 for record in complete]
    best = list(accumulate(values, max if outcome.direction == "maximize" else min))
    standings = [] if finals is None else [finals.winner, *finals.references]
    figure = Figure(figsize=(11, 5) if standings else (8, 4.8), layout="constrained")
    ratios = [3, 2] if standings else [1]
    parts = figure.subplots(1, len(ratios), sharey=True, squeeze=False, width_ratios=ratios)
    axes = parts[0][0]
    low, high = _interesting(values, standings[:1], outcome.direction)
    _at_the_edge(axes, numbers, values, (low, high), "trial")
    axes.plot(numbers, values, "o", color="0.65", markersize=4, label="trial")
    axes.step(numbers, best, where="post", color=BLUE, linewidth=2, label="best so far")
    if finals is not None and outcome.best is not None:
        winner, value = outcome.best["trial"], min(max(outcome.best["value"], low), high)
        style = {"color": GREEN, "markersize": 9, "markeredgewidth": 1.5, "fillstyle": "none"}
        axes.plot([winner], [value], "o", **style, label=f"winner: trial {winner}")
    axes.set_xlabel("trial")
    axes.set_ylabel(f"{_label(outcome, 'validation')}{_averaged(records, outcome)}")
    axes.grid(alpha=0.3)
    below = {"loc": "outside lower left", "ncols": 2, "fontsize": "small", "frameon": False}
    figure.legend(*axes.get_legend_handles_labels(), **below)  # Beside the axes it hides no trial.
    if standings:
        _plot_finals(parts[0][1], standings, (low, high))
    axes.set_ylim(low, high)
    figure.suptitle(_title(outcome))
    save_figure(figure, path)


def _plot_finals(axes: Axes, standings: Sequence[Standing], limits: tuple[float, float]) -> None:
    """Draw a mean with its standard deviation for each network that was trained afresh, and a line for the winner."""
    n_seeds = len(standings[0].validation)
    axes.axhline(summary_of(standings[0].validation)["mean"], color=GREEN, linewidth=1)
    for place, own in enumerate(standings):
        mean, spread = summary_of(own.validation)["mean"], summary_of(own.validation)["std"]
        colour = GREEN if place == 0 else ORANGE
        axes.errorbar([place], [mean], yerr=[spread or 0.0], fmt="o", color=colour, markersize=5, capsize=3)
        _at_the_edge(axes, [place], [mean], limits)
    axes.set_xlim(-0.6, len(standings) - 0.4)
    names = ["winner", *(own.name for own in standings[1:])]
    labels = [f"{name} ({own.n_parameters:,})" for name, own in zip(names, standings, strict=True)]
    axes.set_xticks(range(len(names)), labels, fontsize="small", rotation=35, ha="right", rotation_mode="anchor")
    axes.set_title(f"mean ± sd over {n_seeds} fresh seeds (parameters)", fontsize="medium")
    axes.grid(alpha=0.3, axis="y")


def _interesting(values: Sequence[float], shown: Sequence[Standing], direction: str) -> tuple[float, float]:
    """Return limits that hold the better trials and the networks shown, and no trial far worse than the others."""
    first, middle, third = np.quantile(values, [0.25, 0.5, 0.75])
    reach = 1.5 * max(third - first, 1e-3 * abs(middle))
    ends = [max(min(values), first - reach), max(values)]
    if direction == "minimize":
        ends = [min(values), min(max(values), third + reach)]
    for own in shown:
        summary = summary_of(own.validation)
        ends += [summary["mean"] - (summary["std"] or 0.0), summary["mean"] + (summary["std"] or 0.0)]
    margin = 0.06 * max(max(ends) - min(ends), 1e-9 + 1e-3 * abs(middle))
    return min(ends) - margin, max(ends) + margin


def _at_the_edge(
    axes: Axes, places: Sequence[float], values: Sequence[float], limits: tuple[float, float], what: str = ""
) -> None:
    """Mark what lies outside of the limits at their edge: trials by their number, a network by its value."""
    for edge, marker, outside in (
        (limits[0], "v", [(x, y) for x, y in zip(places, values, strict=True) if y < limits[0]]),
        (limits[1], "^", [(x, y) for x, y in zip(places, values, strict=True) if y > limits[1]]),
    ):
        if outside:
            label = f"{len(outside)} beyond the axis" if what else None
            xs = [x for x, _ in outside]
            axes.plot(xs, [edge] * len(xs), marker, color=RED, markersize=6, clip_on=False, zorder=3, label=label)
            if not what:
                up = edge == limits[0]
                axes.annotate(f"{outside[0][1]:.3g}", (xs[0], edge), (0, 8 if up else -12), textcoords="offset points",
                              ha="center", fontsize="small")  # fmt: skip


def _averaged(records: Records, outcome: Outcome) -> str:
    """Say what the value of a trial is the mean of, and the best of."""
    replicates = max((len(record.values) for record in records.complete), default=0)
    rates = max((len(record.ladder) for record in records.complete), default=0)
    mean = f", mean of {replicates} trainings" if replicates > 1 else ", one training" if replicates else ""
    best = f"\nat the best of {rates} {outcome.rungs}" if rates > 1 else ""
    return mean + best


def plot_front(path: Path, records: Records, outcome: Outcome) -> None:
    """Draw values and tests over the number of parameters: all trials, the front afresh with spread, its references."""
    from matplotlib.figure import Figure

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
        log_axis_of_sizes(axes)
        axes.set_ylabel(_label(outcome, part))
        axes.grid(alpha=0.3)
        axes.legend(loc="best", fontsize="small")
    figure.suptitle(_title(outcome))
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


def log_axis_of_sizes(axes: Axes) -> None:
    """Let the horizontal axis be the number of parameters on a logarithmic scale with plain numbers."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("parameters")


def _title(outcome: Outcome) -> str:
    return f"{outcome.task or 'own evaluation'}, {outcome.network}, {outcome.sampler}"


def _label(outcome: Outcome, part: str) -> str:
    """Return what the values of a campaign are called, on a part of the data."""
    return f"{part} {outcome.metric}" if outcome.task else "value"
