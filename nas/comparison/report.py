"""What a comparison found, for people: sentences, a page, a picture and tables."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from nas.comparison.comparison import Found, Pair
from nas.comparison.judgement import nulls_needed
from nas.comparison.options import ComparisonOptions
from nas.report.card import markdown_table, number
from predictors.figures import BLUE, GREEN, save_figure
from priors.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["describe", "sentence_of", "to_json", "write_comparison"]

_KEPT = {
    "counts": "numbers of neurons and edges",
    "blocks": "numbers of neurons and edges of each layer",
    "degree": "degrees",
    "order": "degrees and order",
    "layers": "degrees and layers",
    "boundary": "degrees, layers and boundary",
    "reciprocity": "degrees, boundary and reciprocity",
    "spectral": "degrees, reciprocity and spectral radius",
    "spatial": "degrees, boundary and lengths of edges",
    "weights": "edges and other weights",
}
_STUCK = 0.9
"""Share of edges that are in place above which nulls are hardly others."""
_VERDICTS = {
    "better": "Better than chance",
    "worse": "Worse than chance",
    "not unusual": "Not unusual",
    "undecided": "Undecided",
}


def write_comparison(out: Path, found: Found) -> None:
    """Write outcome.json, comparison.md, nulls.png and nulls.csv; each replaces an older one at once."""
    _write(out / "outcome.json", json.dumps(to_json(found), indent=2) + "\n")
    plot_nulls(out / "nulls.png", found)
    with atomic_write(out / "nulls.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("graph", "null", "number", "seed", "value"))
        for pair in found.pairs:
            table.writerows((pair.graph, "", 0, seed, value) for seed, value in enumerate(pair.own))
            for number_, values in enumerate(pair.nulls):
                table.writerows((pair.graph, pair.null, number_, seed, value) for seed, value in enumerate(values))
    _write(out / "comparison.md", _page(found))


def to_json(found: Found) -> dict[str, Any]:
    """Return what was found as JSON types; None stands for what is not finite."""
    return {
        "out": found.out,
        "task": found.task,
        "network": found.options.network,
        "metric": found.metric,
        "comparisons": [_pair_json(pair, found) for pair in found.pairs],
        "verdict": describe(found),
        "is_precise": found.is_precise,
        "changes": [dict(change) for change in found.changes],
        "seconds": found.seconds,
    }


def _pair_json(pair: Pair, found: Found) -> dict[str, Any]:
    own = pair.judgement
    return {
        "graph": pair.graph,
        "null": pair.null,
        "keeps": list(pair.keeps),
        "overlap": pair.overlap,
        "nulls": own.n_nulls,
        "seeds": own.seeds,
        "trainings": own.trainings,
        "mean": own.own,
        "null_mean": own.null,
        "difference": own.difference,
        "low": own.low,
        "high": own.high,
        "null_std": own.between,
        "training_std": own.within,
        "rank": own.rank,
        "of": own.n_nulls + 1,
        "p": own.p,
        "p_corrected": own.corrected,
        "detectable": own.detectable if math.isfinite(own.detectable) else None,
        "verdict": own.verdict,
        "sentence": sentence_of(pair, found),
    }


def describe(found: Found) -> str:
    """Say in a sentence each what the comparisons found, and what of the plan was changed."""
    return " ".join([*(sentence_of(pair, found) for pair in found.pairs), _changes_text(found)])


def sentence_of(pair: Pair, found: Found) -> str:
    """Say what one wiring is beside the nulls of one model."""
    own = pair.judgement
    ends = (own.low, own.high) if own.difference >= 0 else (-own.high, -own.low)
    lead = f"{_amount(abs(own.difference), found)} {_interval(*ends, found)}"
    side = "ahead of" if own.difference >= 0 else "behind"
    among = "" if len(found.pairs) == 1 else f" corrected for {len(found.pairs)} comparisons"
    line = (
        f"{_VERDICTS[own.verdict]}: {pair.graph} is {lead} {side} the average of {own.n_nulls} random wirings with its "
        f"{_KEPT[pair.null]}, rank {own.rank} of {own.n_nulls + 1}, p = {own.corrected:.2g}{among}"
    )
    if own.is_constant:
        return f"Undecided: every training of {pair.graph} and of its nulls reached the same, {number(own.own)}."
    if own.verdict in ("better", "worse"):
        return f"{line}."
    if pair.overlap > _STUCK:
        line = f"{line}; nulls have {pair.overlap:.0%} of its edges in place, so that they can show little"
    if not math.isfinite(own.detectable):
        needed = nulls_needed(own.n_judgements)
        return f"{line}; among {own.n_nulls} nulls none can stand out: at least {needed} are needed."
    return f"{line}; a lead of {_amount(own.detectable, found)} would have been found four times in five."


def _is_share(found: Found) -> bool:
    return found.metric == "accuracy"


def _amount(value: float, found: Found) -> str:
    return f"{100 * value:.2f} points" if _is_share(found) else number(value)


def _interval(low: float, high: float, found: Found) -> str:
    ends = [f"{100 * end:.2f}" if _is_share(found) else number(end) for end in (low, high)]
    return f"[{', '.join(ends)}]"


def _changes_text(found: Found) -> str:
    if not found.changes:
        return "Nothing was changed since the plan was registered."
    told = [
        f"{change['name']} from {json.dumps(change['before'])} to {json.dumps(change['after'])} "
        f"when {change['trainings']} wirings were trained"
        for change in found.changes
    ]
    return f"Changed since the plan was registered: {'; '.join(told)}."


def _page(found: Found) -> str:
    rows = []
    for pair in found.pairs:
        own = pair.judgement
        rows.append(
            (
                pair.graph, pair.null, number(own.own), number(own.null),
                f"{_amount(own.difference, found)} {_interval(own.low, own.high, found)}",
                f"{own.rank} of {own.n_nulls + 1}", f"{own.p:.2g}", f"{own.corrected:.2g}",
                _amount(own.between, found), _amount(own.within, found),
                _amount(own.detectable, found) if math.isfinite(own.detectable) else "–",
                f"{100 * pair.overlap:.0f} %", own.verdict,
            )
        )  # fmt: skip
    head = (
        "graph", "null", found.metric, "of nulls", "difference [95 %]", "rank", "p", "p corrected", "sd between nulls",
        "sd of trainings", "would be found", "edges in place", "verdict",
    )  # fmt: skip
    kept = {pair.null: pair.keeps for pair in found.pairs}
    seeds, trainings = found.pairs[0].judgement.seeds, found.pairs[0].judgement.trainings
    return "\n".join(
        [
            f"# {', '.join(found.options.graphs)} beside random wirings, on {found.task}",
            "",
            *(sentence_of(pair, found) for pair in found.pairs),
            "",
            "![Nulls](nulls.png)",
            "",
            markdown_table(head, rows),
            "",
            f"A graph is trained {trainings} times, a null {seeds} times; values are those of the test part, at the "
            "learning rate that each training chose by validation."
            if found.options.network != "reservoir"
            else f"A graph stands for {trainings} reservoirs, a null for {seeds}; values are those of the test part, "
            "with the spectral radius and the ridge that each chose by validation.",
            "The interval is of the difference to the average null; the rank is among nulls, and alone decides whether "
            "a graph is better or worse than chance: nulls differ too, and a graph that is one of them is ahead of "
            "their average half of the time. p is that of the rank, two-sided, corrected by Holm's method.",
            "",
            *(f"- `{null}` keeps {', '.join(keeps)}." for null, keeps in kept.items()),
            "",
            f"The plan is in `plan.toml`, every training in `runs.jsonl`. {_changes_text(found)}",
            _stop_text(found.options, is_precise=found.is_precise),
            "",
        ]
    )


def _stop_text(options: ComparisonOptions, *, is_precise: bool) -> str:
    if options.precision is None:
        return "All nulls that were planned are trained."
    if is_precise:
        return f"It ended when every interval reached no further than {options.precision:g} to either side."
    return f"All nulls are trained; some interval reaches further than {options.precision:g} to either side."


def plot_nulls(path: Path, found: Found) -> None:
    """Draw what nulls are worth, a histogram each, with the real wiring in it."""
    from matplotlib.figure import Figure

    n = len(found.pairs)
    figure = Figure(figsize=(8, 1 + 1.9 * n), layout="constrained")
    panels = figure.subplots(n, 1, sharex=True, squeeze=False)[:, 0]
    for axes, pair in zip(panels, found.pairs, strict=True):
        _draw(axes, pair)
    panels[-1].set_xlabel(f"test {found.metric}, mean of {found.pairs[0].judgement.seeds} trainings")
    figure.suptitle(f"{found.task}: graphs beside random wirings that share what is named", fontsize="medium")
    save_figure(figure, path)


def _draw(axes: Axes, pair: Pair) -> None:
    means = [fmean(values) for values in pair.nulls]
    axes.hist(means, bins=min(30, max(5, len(means) // 5)), color=BLUE, alpha=0.5)
    own = fmean(pair.own)
    low, high = _own_interval(pair.own)
    axes.axvspan(low, high, color=GREEN, alpha=0.25)
    axes.axvline(own, color=GREEN, linewidth=2)
    judgement = pair.judgement
    axes.set_title(
        f"{pair.graph} | {pair.null}: rank {judgement.rank} of {judgement.n_nulls + 1}, {judgement.verdict}",
        fontsize="small", loc="left",
    )  # fmt: skip
    axes.set_ylabel("nulls", fontsize="small")
    axes.grid(alpha=0.3)


def _own_interval(values: Sequence[float]) -> tuple[float, float]:
    from nas.evaluation.estimates import mean_of

    mean = mean_of(values)
    return mean.low, mean.high


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
