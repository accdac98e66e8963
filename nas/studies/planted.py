"""Whether `wirenas compare` keeps what it says: wirings of which it is known what they are worth beside their nulls."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from nas.comparison.comparison import Comparison
from nas.comparison.judgement import Judgement, power_at
from nas.comparison.options import ComparisonOptions
from nas.seeds import stream
from nas.studies.tables import check_study, format_share, table_of, write_results
from nas.tasks import Task, inputs_of, load_task
from nas.training.extension import describe_machine
from nas.training.recipe import Recipe
from predictors.figures import BLUE, GREEN, save_figure
from predictors.validation.resampling import LEVEL, share_interval
from priors import NullModel, Wiring, draw_reads

__all__ = ["CASES", "RECIPE", "pages", "planted_study"]

CASES = 100
"""Half of them are wirings that were drawn from the null model, half are better than it by their read-ins."""
RECIPE = Recipe(learning_rates=(0.03,), epochs=10)
_NULL = "blocks"
_DESIGN = {"n_nulls": 60, "seeds": 5, "repeats": 8}
"""Of the comparisons that are judged."""
_TRUTH = {"n_nulls": 600, "seeds": 1, "repeats": 400}
"""Of those that tell what a wiring is worth; their trainings are others."""
_HIDDEN, _READS, _LOCALITY = 24, 6, 0.9


def planted_study(
    out: Path,
    watch: Callable[[str, int, int], None] = lambda *_: None,
    *,
    cases: int = CASES,
    design: Mapping[str, int] = _DESIGN,
    truth: Mapping[str, int] = _TRUTH,
    recipe: Recipe = RECIPE,
    threads: int = 1,
) -> dict[str, Any]:
    """Compare planted wirings with their nulls, and hold intervals and alarms against what is known of them.

    Each case is an MLP for digits whose hidden neurons read inputs near a centre of their own (`local`), or one with as
    many edges in each layer that is random otherwise, which is what its nulls are, too. What each is worth
    beside its nulls is then measured by many more trainings, none of which the comparison has seen.

    Parameters
    ----------
    out : Path
        Comparisons are kept below it, so that the study goes on where it was stopped.
    watch : callable
        Told which part is trained, how many comparisons of it are done, and all of them.
    cases : int
    design, truth : mapping
        n_nulls, seeds and repeats of `ComparisonOptions`.
    recipe : Recipe
    threads : int
        Trainings at a time; results do not depend on it.

    Returns
    -------
    dict
        What is written to ``planted.json``, as JSON types; ``README.md`` and ``planted.png`` follow from it.
    """
    check_study(out, "planted")
    task = load_task("digits")
    rows: list[dict[str, Any]] = []
    for number in range(cases):
        watch("planted wirings", number, cases)
        is_better = number % 2 == 1
        wiring = _planted(task, number, is_better=is_better)
        found, known = (
            _compared(out / "comparisons" / part / f"{number:03}", task, wiring, own, recipe, seed, threads)
            for part, own, seed in (("judged", design, 2 * number), ("known", truth, 2 * number + 1))
        )
        error = known.high - known.difference
        rows.append(
            {
                "is_better": is_better,
                "judged": {**asdict(found), "detectable": found.detectable},
                "truth": known.difference,
                "error": error,
                "power": power_at(found, known.difference),
            }
        )
    watch("planted wirings", cases, cases)
    numbers = {
        "cases": rows,
        "design": dict(design),
        "truth": dict(truth),
        "recipe": recipe.model_dump(mode="json"),
        "summary": {name: _summary([row for row in rows if row["is_better"] == kind]) for name, kind in _KINDS.items()},
        "machine": describe_machine(),
    }
    numbers = write_results(out, "planted.json", numbers, pages)
    _plot(out / "planted.png", numbers)
    return dict(numbers)


_KINDS = {"drawn from the null model": False, "local read-ins": True}


def _planted(task: Task, number: int, *, is_better: bool) -> Wiring:
    """Return a wiring with local read-ins, or one that is random but for the numbers of its edges."""
    rng = stream(number, "wiring", 0)
    reads = draw_reads(inputs_of(task), np.full(_HIDDEN, _READS), "local", _LOCALITY, rng)
    mask = np.zeros((_HIDDEN, task.n_inputs))
    mask[reads[:, 1], reads[:, 0]] = 1
    wiring = Wiring.from_masks([mask, np.ones((task.n_outputs, _HIDDEN))], inputs=True, outputs=True)
    wiring = wiring.replace(weights=None)
    return wiring if is_better else NullModel(wiring, _NULL).sample(stream(number, "wiring", 1))


def _compared(
    out: Path, task: Task, wiring: Wiring, design: Mapping[str, int], recipe: Recipe, seed: int, threads: int
) -> Judgement:
    options = ComparisonOptions(task=task.name, nulls=(_NULL,), recipe=recipe, seed=seed, **design)
    return Comparison(out, task, options, {"planted": wiring}, threads).run().pairs[0].judgement


def _summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    n = len(rows)
    halves = [row["judged"]["high"] - row["judged"]["difference"] for row in rows]
    off = [abs(row["judged"]["difference"] - row["truth"]) for row in rows]
    holds = sum(apart <= half for apart, half in zip(off, halves, strict=True))
    # What is known of the truth has an error, too, and the two are independent.
    agrees = sum(apart <= math.hypot(half, row["error"]) for apart, half, row in zip(off, halves, rows, strict=True))
    alarms = sum(row["judged"]["corrected"] <= 1 - LEVEL for row in rows)
    return {
        "n": n,
        "truth": fmean(row["truth"] for row in rows),
        "half_width": fmean(halves),
        "detectable": fmean(row["judged"]["detectable"] for row in rows),
        "holds": {"count": holds, **_share(holds, n)},
        "agrees": {"count": agrees, **_share(agrees, n)},
        "unusual": {"count": alarms, **_share(alarms, n)},
        "power": fmean(row["power"] for row in rows),
    }


def _share(count: int, n: int) -> dict[str, float]:
    low, high = share_interval(count / n, n)
    return {"share": count / n, "low": low, "high": high}


def pages(numbers: Mapping[str, Any]) -> dict[str, str]:
    """Return README.md, from the numbers alone."""
    summary, design, truth = numbers["summary"], numbers["design"], numbers["truth"]
    rows = [
        {
            "wirings": name,
            "cases": str(own["n"]),
            "true lead, mean": f"{100 * own['truth']:+.2f} points",
            "half an interval": f"{100 * own['half_width']:.2f}",
            "lead that would be found": "–" if own["detectable"] is None else f"{100 * own['detectable']:.2f}",
            "intervals that hold it": _share_text(own["holds"]),
            "with its error": _share_text(own["agrees"]),
            "called unusual": _share_text(own["unusual"]),
            "expected": f"{own['power']:.0%}",
        }
        for name, own in summary.items()
    ]
    null, better = summary.values()
    every = null["holds"]["count"] + better["holds"]["count"]
    agreed = null["agrees"]["count"] + better["agrees"]["count"]
    n = null["n"] + better["n"]
    text = _TEXT.format(
        n=n,
        hidden=_HIDDEN,
        reads=_READS,
        epochs=numbers["recipe"]["epochs"],
        trainings=design["repeats"] * design["seeds"],
        nulls=design["n_nulls"],
        seeds=design["seeds"],
        more=truth["repeats"] * truth["seeds"],
        more_nulls=truth["n_nulls"],
        error=f"{100 * fmean(row['error'] for row in numbers['cases']):.2f}",
        machine=numbers["machine"],
        table=table_of(rows),
        holds=f"{every} of {n} intervals hold what is known of the truth, {agreed} if its error is added to them",
        alarms=f"{null['unusual']['count']} of {null['n']} wirings that are nulls themselves are called unusual",
        found=f"{better['unusual']['count']} of {better['n']} whose read-ins are local",
    )
    return {"README.md": text}


def _share_text(own: Mapping[str, Any]) -> str:
    return format_share(own["share"], own["low"], own["high"])


def _plot(path: Path, numbers: Mapping[str, Any]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    for name, kind in _KINDS.items():
        own = [row for row in numbers["cases"] if row["is_better"] == kind]
        truth = [100 * row["truth"] for row in own]
        found = [100 * row["judged"]["difference"] for row in own]
        halves = [100 * (row["judged"]["high"] - row["judged"]["difference"]) for row in own]
        axes.errorbar(
            truth, found, halves, fmt="o", markersize=3, linewidth=0.8, color=GREEN if kind else BLUE, label=name
        )
    low, high = axes.get_xlim()
    axes.plot([low, high], [low, high], color="0.5", linewidth=0.8)
    axes.set_xlabel("lead over the average null by many trainings, in points")
    axes.set_ylabel("lead that the comparison found, with its 95 % interval")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    save_figure(figure, path)


_TEXT = """\
# Planted wirings: does a comparison with nulls say what is true?

Made by `wirenas study planted`: {n} MLPs for digits, each compared with {nulls} random wirings that have as many edges
in each layer, as `wirenas compare --null blocks` does: {trainings} trainings of the wiring, {seeds} of each null, of
{epochs} epochs each. Half of the MLPs have local read-ins: each of {hidden} hidden neurons reads {reads} pixels near a
centre of its own. The other half were drawn from the null model of such a one, so that nothing sets them apart from
their nulls but chance. What each is worth beside the average of its nulls is known from other trainings, {more} of it
and one of each of {more_nulls} further nulls, to about ±{error} points (95 %).

{table}

{holds}. {alarms}, and {found}.

Intervals of shares are 95 %. "Expected" is how often wirings of these true leads are called unusual by the account that
`wirenas compare` gives of itself, from normal distributions. A wiring that is a null itself has a true lead, too, for
nulls differ: an interval that excludes zero is no alarm, and a rank that few nulls would have is one. On {machine}.

![Leads that were found, by true leads](planted.png)
"""
