"""What searches for accurate and small networks found: hypervolumes, paired differences, a figure. Imports the runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.studies.paired import Difference, holm, paired_difference
from nas.studies.pareto import ARMS, CHANCE, FRESH_SEEDS, START, Run, checkpoints, pareto_runs
from nas.studies.tables import markdown_table, plain, said, write_text
from predictors.figures import save_figure

__all__ = ["SEEDS", "TRAININGS", "pareto_study"]

SEEDS, TRAININGS = 20, 60
_OWN, *_OTHERS = ARMS
_LEVEL = 0.05
_SIZES = 60
"""Sizes at which fronts are compared."""

Floats = NDArray[np.float64]


def pareto_study(
    out: Path, watch: Callable[[str], None] = lambda _: None, *, seeds: int = SEEDS, trainings: int = TRAININGS
) -> dict[str, Any]:
    """Search with every arm and seed, and write numbers, a table and a figure.

    Parameters
    ----------
    out : Path
        Where to write; runs that lie there in ``runs.jsonl`` are taken as they are.
    watch : callable
        Told in words what is done.
    seeds, trainings : int
        Fewer for a trial.
    """
    out.mkdir(parents=True, exist_ok=True)
    runs, setting = pareto_runs(out / "runs.jsonl", seeds, trainings, watch)
    largest = setting.largest
    found = _numbers(runs, largest, trainings)
    document = plain({"largest": largest, "seeds": seeds, "trainings": trainings, **found})
    write_text(out / "pareto.json", json.dumps(document, indent=1, allow_nan=False) + "\n")
    _plot(out / "pareto.png", runs, largest, trainings)
    write_text(out / "README.md", _report(found, runs, largest, trainings))
    return {"out": str(out), **document}


def _numbers(runs: Sequence[Run], largest: int, trainings: int) -> dict[str, Any]:
    volumes = {
        arm: {
            "true": [run.true(trainings, largest) for run in _of(runs, arm)],
            "observed": [run.observed(trainings, largest) for run in _of(runs, arm)],
        }
        for arm in ARMS
    }
    ahead = {
        (other, kind): paired_difference(volumes[_OWN][kind], volumes[other][kind])
        for other in _OTHERS
        for kind in ("true", "observed")
    }
    corrected = holm([difference.p for difference in ahead.values()])
    return {
        "arms": {
            arm: {
                **{kind: {"mean": np.mean(of), "sd": np.std(of, ddof=1)} for kind, of in kinds.items()},
                "front": np.mean([len(run.front()) for run in _of(runs, arm)]),
                "most_accurate": np.mean([run.true_front(trainings)[0].max() for run in _of(runs, arm)]),
            }
            for arm, kinds in volumes.items()
        },
        "ahead": {
            other: {
                kind: {**vars(ahead[other, kind]), "p_corrected": corrected[list(ahead).index((other, kind))]}
                for kind in ("true", "observed")
            }
            for other in _OTHERS
        },
    }


def _of(runs: Sequence[Run], arm: str) -> list[Run]:
    return [run for run in runs if run.arm == arm]


def _mean_front(runs: Sequence[Run], sizes: Floats, trainings: int) -> Floats:
    """Return the mean over runs of the best true value with no more parameters than each of some sizes."""
    rows = []
    for run in runs:
        values, own = run.true_front(trainings)
        reached = np.where(own <= sizes[:, None], values, CHANCE)
        rows.append(np.maximum(reached.max(axis=1), CHANCE))
    mean: Floats = np.mean(rows, axis=0)
    return mean


# Report


def _report(found: Mapping[str, Any], runs: Sequence[Run], largest: int, trainings: int) -> str:
    rows = [
        (
            arm,
            *(f"{own[kind]['mean']:.3f} ± {own[kind]['sd']:.3f}" for kind in ("true", "observed")),
            f"{own['front']:.1f}",
            f"{own['most_accurate']:.4f}",
        )
        for arm, own in found["arms"].items()
    ]
    differences = [
        (other, kind, said(_difference(own[kind]), "+"), f"{own[kind]['p']:.2g}", f"{own[kind]['p_corrected']:.2g}")
        for other, own in found["ahead"].items()
        for kind in ("true", "observed")
    ]
    return _TEXT.format(
        seeds=len(_of(runs, _OWN)),
        trainings=trainings,
        start=START,
        fresh=FRESH_SEEDS,
        chance=CHANCE,
        largest=largest,
        tests=len(differences),
        volumes=markdown_table(
            ("sampler", "true hypervolume", "observed hypervolume", "wirings on the front", "best of them"), rows
        ),
        differences=markdown_table(("structural less", "hypervolume", "mean", "p", "p, corrected"), differences),
        verdict=_verdict(found, runs, largest, trainings),
    )


def _difference(stored: Mapping[str, float]) -> Difference:
    return Difference(*(stored[name] for name in ("mean", "low", "high", "p")))


def _verdict(found: Mapping[str, Any], runs: Sequence[Run], largest: int, trainings: int) -> str:
    """Say in words how the structural sampler stands beside the others."""
    groups: dict[str, list[str]] = {"is ahead of": [], "cannot be told apart from": [], "is BEHIND": []}
    for other, own in found["ahead"].items():
        difference, is_sure = _difference(own["true"]), own["true"]["p_corrected"] < _LEVEL
        sure = is_sure and not difference.low <= 0 <= difference.high
        word = "cannot be told apart from" if not sure else "is ahead of" if difference.mean > 0 else "is BEHIND"
        groups[word].append(f"{other} ({said(difference, '+')})")
    sentences = [
        f"By true hypervolume the structural sampler {word} {_joined(of)}." for word, of in groups.items() if of
    ]
    sizes = np.geomspace(min(min(run.sizes) for run in runs), largest, _SIZES)
    fronts = {arm: _mean_front(_of(runs, arm), sizes, trainings) for arm in ARMS}
    others = np.max([fronts[other] for other in _OTHERS], axis=0)
    ahead, behind = sizes[fronts[_OWN] > others], sizes[fronts[_OWN] < others]
    if len(ahead):
        share = f"{len(ahead)} of {len(sizes)} sizes, from {ahead[0]:.0f} to {ahead[-1]:.0f} parameters"
        sentences.append(f"Its mean front is above those of all others at {share}.")
    if len(behind):
        worst = int((fronts[_OWN] - others).argmin())
        gap = f"{100 * (others[worst] - fronts[_OWN][worst]):.1f} points at {sizes[worst]:.0f} parameters"
        sentences.append(f"At {len(behind)} sizes it is BELOW the best of them, most by {gap}.")
    best = {arm: own["most_accurate"] for arm, own in found["arms"].items()}
    first = max(best, key=best.__getitem__)
    sentences.append(
        f"The most accurate wiring of a front is worth {best[_OWN]:.4f} with it"
        + (", more than with any other." if first == _OWN else f", LESS than with {first}, {best[first]:.4f}.")
    )
    loss = [own["observed"]["mean"] - own["true"]["mean"] for own in found["arms"].values()]
    sentences.append(
        f"Of every sampler's observed hypervolume {min(loss):.2f} to {max(loss):.2f} is the luck of single trainings."
    )
    return " ".join(sentences)


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _plot(path: Path, runs: Sequence[Run], largest: int, trainings: int) -> None:
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    sizes = np.geomspace(min(min(run.sizes) for run in runs), largest, 4 * _SIZES)
    steps = checkpoints(trainings)
    for arm, colour, marker in zip(ARMS, ("#0072B2", "#D55E00", "#009E73", "0.5"), "os^D", strict=True):
        own = _of(runs, arm)
        volumes = np.array([[run.true(after, largest) for after in steps] for run in own])
        error = 1.96 * volumes.std(axis=0, ddof=1) / len(own) ** 0.5
        left.errorbar(
            steps, volumes.mean(axis=0), error, color=colour, marker=marker, markersize=4, capsize=2, label=arm
        )
        right.plot(sizes, _mean_front(own, sizes, trainings), color=colour, linewidth=1.5, label=arm)
    left.set_xlabel("trainings")
    left.set_ylabel("true hypervolume, mean and 95 % interval")
    right.set_xscale("log")
    right.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    right.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    right.xaxis.set_minor_formatter(NullFormatter())
    right.set_xlabel("parameters")
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
on validation. "Best of them" is the highest of these, mean over seeds.

{volumes}

Differences are paired by seed, with 95 % bootstrap intervals over seeds; p is of Wilcoxon's signed-rank test, corrected
for all {tests} by Holm's method.

{differences}

{verdict}

![Hypervolume by trainings, and mean fronts](pareto.png)
"""
