"""What searches for accurate and small networks found: hypervolumes, paired differences, a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.evaluation.estimates import holm
from nas.report.output import log_axis_of_sizes
from nas.studies.pareto_runs import ARMS, CHANCE, FRESH_SEEDS, START, Run, checkpoints, pareto_runs
from nas.studies.tables import (
    Difference,
    Watch,
    check_study,
    format_estimate,
    listed,
    paired_difference,
    table_of,
    write_results,
)
from predictors.figures import save_figure
from predictors.validation.resampling import LEVEL

__all__ = ["SEEDS", "TRAININGS", "pages", "pareto_study"]

SEEDS, TRAININGS = 20, 60
_OWN, *_OTHERS = ARMS
_KINDS = ("true", "observed")
_LEVEL = 0.05
_MORE = {True: "more than", False: "LESS than"}
_SIZES = 60
"""Sizes at which fronts are compared."""

Floats = NDArray[np.float64]


def pareto_study(
    out: Path, watch: Watch = lambda _: None, *, seeds: int = SEEDS, trainings: int = TRAININGS
) -> dict[str, Any]:
    """Search with every arm and seed, and write numbers, a table and a figure; see `nas.studies.tables`.

    Runs that lie in ``runs.jsonl`` in `out` are taken as they are.
    """
    check_study(out, "pareto")
    out.mkdir(parents=True, exist_ok=True)
    runs, setting = pareto_runs(out / "runs.jsonl", seeds, trainings, watch)
    _plot(out / "pareto.png", runs, setting.largest, trainings)
    numbers = write_results(out, "pareto.json", _numbers(runs, setting.largest, trainings), pages)
    return {"out": str(out), **numbers}


def _numbers(runs: Mapping[str, Sequence[Run]], largest: int, trainings: int) -> dict[str, Any]:
    volumes = {
        arm: {
            "true": [run.true(trainings, largest) for run in own],
            "observed": [run.observed(trainings, largest) for run in own],
        }
        for arm, own in runs.items()
    }
    best = {arm: [float(run.true_front(trainings)[0].max()) for run in own] for arm, own in runs.items()}
    ahead = {
        other: {kind: paired_difference(volumes[_OWN][kind], volumes[other][kind]) for kind in _KINDS}
        for other in _OTHERS
    }
    corrected = iter(holm([difference.p for own in ahead.values() for difference in own.values()]))
    return {
        "largest": largest,
        "seeds": len(runs[_OWN]),
        "trainings": trainings,
        "arms": {
            arm: {
                **{kind: {"mean": np.mean(of), "sd": np.std(of, ddof=1)} for kind, of in kinds.items()},
                "front": np.mean([len(run.front()) for run in runs[arm]]),
                "most_accurate": np.mean(best[arm]),
            }
            for arm, kinds in volumes.items()
        },
        "ahead": {
            other: {
                **{kind: {**vars(found), "p_corrected": next(corrected)} for kind, found in own.items()},
                "most_accurate": paired_difference(best[_OWN], best[other]),
            }
            for other, own in ahead.items()
        },
        "fronts": _compare_fronts(runs, largest, trainings),
    }


def _compare_fronts(runs: Mapping[str, Sequence[Run]], largest: int, trainings: int) -> dict[str, Any]:
    """Return at how many sizes the mean front is above and below the best of the others, and where it is furthest."""
    sizes = np.geomspace(_smallest(runs), largest, _SIZES)
    fronts = {arm: _mean_front(own, sizes, trainings) for arm, own in runs.items()}
    gaps = fronts[_OWN] - np.max([fronts[other] for other in _OTHERS], axis=0)
    above, worst = sizes[gaps > 0], int(gaps.argmin())
    return {
        "sizes": len(sizes),
        "above": {"count": len(above), "from": above.min(initial=np.inf), "to": above.max(initial=0.0)},
        "below": {"count": int((gaps < 0).sum()), "gap": -gaps[worst], "at": sizes[worst]},
    }


def _smallest(runs: Mapping[str, Sequence[Run]]) -> int:
    return min(min(run.sizes) for own in runs.values() for run in own)


def _mean_front(runs: Sequence[Run], sizes: Floats, trainings: int) -> Floats:
    """Return the mean over runs of the best true value with no more parameters than each of some sizes."""
    rows = []
    for run in runs:
        values, own = run.true_front(trainings)
        rows.append(np.where(own <= sizes[:, None], values, CHANCE).max(axis=1, initial=CHANCE))
    mean: Floats = np.mean(rows, axis=0)
    return mean


# Report


def pages(numbers: Mapping[str, Any]) -> dict[str, str]:
    """Return the text of every page by the name of its file, from the numbers as they are read back."""
    volumes = [
        {
            "sampler": arm,
            **{f"{kind} hypervolume": f"{own[kind]['mean']:.3f} ± {own[kind]['sd']:.3f}" for kind in _KINDS},
            "wirings on the front": f"{own['front']:.1f}",
            "best of them": f"{own['most_accurate']:.4f}",
        }
        for arm, own in numbers["arms"].items()
    ]
    differences = [
        {
            "structural less": other,
            "hypervolume": kind,
            "mean": format_estimate(_difference(own[kind]), "+"),
            "p": f"{own[kind]['p']:.2g}",
            "p, corrected": f"{own[kind]['p_corrected']:.2g}",
        }
        for other, own in numbers["ahead"].items()
        for kind in _KINDS
    ]
    text = _TEXT.format(
        seeds=numbers["seeds"],
        trainings=numbers["trainings"],
        start=START,
        fresh=FRESH_SEEDS,
        chance=CHANCE,
        largest=numbers["largest"],
        tests=len(differences),
        volumes=table_of(volumes),
        differences=table_of(differences),
        verdict=" ".join([*_by_volume(numbers), *_by_size(numbers), _by_accuracy(numbers), _by_luck(numbers)]),
    )
    return {"README.md": text}


def _difference(stored: Mapping[str, float]) -> Difference:
    return Difference(**{name: stored[name] for name in ("mean", "low", "high", "p")})


def _by_volume(numbers: Mapping[str, Any]) -> list[str]:
    """Say which samplers the structural one is ahead of and behind by true hypervolume."""
    groups: dict[str, list[str]] = {"is ahead of": [], "cannot be told apart from": [], "is BEHIND": []}
    for other, own in numbers["ahead"].items():
        difference = _difference(own["true"])
        is_level = own["true"]["p_corrected"] >= _LEVEL or difference.low <= 0 <= difference.high
        word = "cannot be told apart from" if is_level else "is ahead of" if difference.mean > 0 else "is BEHIND"
        groups[word].append(f"{other} ({format_estimate(difference, '+')})")
    return [f"By true hypervolume the structural sampler {word} {listed(of)}." for word, of in groups.items() if of]


def _by_size(numbers: Mapping[str, Any]) -> list[str]:
    """Say where along the sizes the mean front is above and below those of the others."""
    fronts = numbers["fronts"]
    above, below, sentences = fronts["above"], fronts["below"], []
    if above["count"]:
        where = f"{above['count']} of {fronts['sizes']} sizes, from {above['from']:.0f} to {above['to']:.0f} parameters"
        sentences.append(f"Its mean front is above those of all others at {where}.")
    if below["count"]:
        gap = f"{100 * below['gap']:.1f} points at {below['at']:.0f} parameters"
        sentences.append(f"At {below['count']} sizes it is BELOW the best of them, most by {gap}.")
    return [*sentences, "Fronts are compared by their means over seeds, size by size, without a test."]


def _by_accuracy(numbers: Mapping[str, Any]) -> str:
    """Say whether the most accurate wirings are better than those of the other that has the best of them."""
    best = {arm: own["most_accurate"] for arm, own in numbers["arms"].items()}
    first = max(_OTHERS, key=best.__getitem__)
    difference = _difference(numbers["ahead"][first]["most_accurate"])
    word = "not told apart from that" if difference.low <= 0 <= difference.high else _MORE[difference.mean > 0]
    return (
        f"The most accurate wiring of a front is worth {best[_OWN]:.4f} with it, {word} with {first}, "
        f"{best[first]:.4f} ({format_estimate(difference, '+', 4)}), the best of the others."
    )


def _by_luck(numbers: Mapping[str, Any]) -> str:
    loss = [own["observed"]["mean"] - own["true"]["mean"] for own in numbers["arms"].values()]
    return (
        f"Of every sampler's observed hypervolume {min(loss):.2f} to {max(loss):.2f} is lost in fresh trainings, "
        "tested on other examples: it was the luck of single trainings, and of the validation examples."
    )


def _plot(path: Path, runs: Mapping[str, Sequence[Run]], largest: int, trainings: int) -> None:
    from matplotlib.figure import Figure
    from scipy.special import stdtrit

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    sizes = np.geomspace(_smallest(runs), largest, 4 * _SIZES)
    steps = checkpoints(trainings)
    for arm, colour, marker in zip(ARMS, ("#0072B2", "#D55E00", "#009E73", "0.5"), "os^D", strict=True):
        own = runs[arm]
        volumes = np.array([[run.true(after, largest) for after in steps] for run in own])
        error = stdtrit(len(own) - 1, (1 + LEVEL) / 2) * volumes.std(axis=0, ddof=1) / len(own) ** 0.5
        left.errorbar(
            steps, volumes.mean(axis=0), error, color=colour, marker=marker, markersize=4, capsize=2, label=arm
        )
        right.plot(sizes, _mean_front(own, sizes, trainings), color=colour, linewidth=1.5, label=arm)
    left.set_xlabel("trainings")
    left.set_ylabel("true hypervolume, mean and 95 % interval over seeds")
    log_axis_of_sizes(right)
    right.set_ylabel(f"true accuracy of the front after {trainings}, mean")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right", fontsize="small")
    save_figure(figure, path, dpi=110)


_TEXT = """\
# Accuracy against size

Made by `wirenas study pareto`: searches for accurate and small MLPs on digits (20 to 100 neurons, natural attachment,
three families), {trainings} trainings with each of four samplers, {seeds} seeds. The first {start} trainings of a seed
are the same for all samplers: drawn from the prior evenly over families and sizes. TPE begins to learn after as many,
and they are NSGA-II's first generation. Equal wirings have equal initial weights and batches within a seed. A value is
the validation accuracy of one training at the best of three learning rates. The samplers are told after each training;
the structural one fits anew every time, and chooses among 256 candidates. How it chooses was settled on other seeds.

The hypervolume is the area between the front and the reference point, over accuracy and the logarithm of the number of
parameters. The reference point is accuracy {chance} (chance) and {largest} parameters, more than any network of the
space has. "Observed" is of the validation accuracies that the search saw, which are partly luck. "True" is of the same
wirings, each trained anew with {fresh} fresh seeds at all learning rates: mean test accuracy at the rate that is best
on validation. "Best of them" is the highest of these, mean over seeds; ± is the standard deviation over seeds.

{volumes}

Differences are paired by seed, with 95 % bootstrap intervals over seeds; p is of Wilcoxon's signed-rank test, corrected
for all {tests} by Holm's method. Seeds change the search, the wirings that it begins with and the luck of training; the
task, its split and the space are one and the same, and of others the intervals say nothing.

{differences}

{verdict}

![Hypervolume by trainings, and mean fronts](pareto.png)
"""
