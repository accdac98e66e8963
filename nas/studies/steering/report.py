"""What the study of steering writes: numbers, tables of them, and a figure a pool."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nas.studies.steering.replay import START, TRIALS
from nas.studies.steering.results import OWN, SHARES, PoolResult
from nas.studies.steering.words import pages
from nas.studies.tables import plain, write_numbers, write_text
from nas.training.extension import describe_machine
from predictors.figures import save_figure

__all__ = ["numbers_of", "summary", "write_report"]

_SHARE = f"{SHARES[0]:.0%}"
_STYLES = {OWN: ("#D55E00", "-"), "random": ("0.4", "--")}
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442", "#999999")


def write_report(out: Path, found: Sequence[PoolResult]) -> None:
    """Write the numbers as JSON and tables, a figure a pool, and the report."""
    out.mkdir(parents=True, exist_ok=True)
    for name, rows in (("arms", _arms(found)), ("comparisons", _comparisons(found)), ("forecasts", _forecasts(found))):
        write_text(out / f"{name}.csv", _csv(rows))
    for result in found:
        _plot(out / f"{result.pool.name}.png", result)
    for name, text in pages(write_numbers(out / "steering.json", numbers_of(found))).items():
        write_text(out / name, text)


def summary(found: Sequence[PoolResult]) -> dict[str, Any]:
    """Return the most important numbers of each pool as JSON types."""
    document: dict[str, Any] = plain(
        {
            result.pool.name: {
                "seeds": result.seeds,
                "trainings_by_chance": result.by_chance(SHARES[0]),
                "trainings": {arm: own.trainings[_SHARE] for arm, own in result.arms.items()},
                "proposals": {arm: own.proposals for arm, own in result.arms.items()},
                "incumbent": {arm: own.incumbent for arm, own in result.arms.items()},
            }
            for result in found
        }
    )
    return document


def numbers_of(found: Sequence[PoolResult]) -> dict[str, Any]:
    """Return everything that is stored of pools."""
    return {
        "trials": TRIALS,
        "start": START,
        "machine": describe_machine(),
        "pools": {
            result.pool.name: {
                "wirings": len(result.pool),
                "replicates": result.pool.labels.shape[1],
                "fingerprint": result.pool.fingerprint,
                "seeds": result.seeds,
                "truth": dict(zip(("least", "median", "most"), result.quantiles, strict=True)),
                "thresholds": {f"{share:.0%}": result.threshold(share) for share in SHARES},
                "trainings_by_chance": {f"{share:.0%}": result.by_chance(share) for share in SHARES},
                "arms": result.arms,
                "comparisons": result.comparisons,
            }
            for result in found
        },
    }


# Tables


def _arms(found: Sequence[PoolResult]) -> list[dict[str, Any]]:
    return [
        {
            "pool": result.pool.name,
            "arm": arm,
            "seeds": result.seeds,
            "proposals": own.proposals,
            "steered": own.steered,
            "incumbent": own.incumbent,
            "incumbent_by_label": own.incumbent_by_label,
            **{f"trainings_to_{share}".replace("%", "_percent"): count for share, count in own.trainings.items()},
            **{f"reached_{share}".replace("%", "_percent"): part for share, part in own.reached.items()},
            "seconds": own.seconds,
        }
        for result in found
        for arm, own in result.arms.items()
    ]


def _comparisons(found: Sequence[PoolResult]) -> list[dict[str, Any]]:
    return [
        {
            "pool": result.pool.name,
            "measure": own.measure,
            "arm": own.arm,
            "other": own.other,
            "difference": own.difference.mean,
            "low": own.difference.low,
            "high": own.difference.high,
            "p": own.difference.p,
            "p_holm": own.p_holm,
            "verdict": own.verdict,
        }
        for result in found
        for own in result.comparisons
    ]


def _forecasts(found: Sequence[PoolResult]) -> list[dict[str, Any]]:
    return [
        {"pool": result.pool.name, "arm": arm, "origin": origin, "n": own.n, "tau": own.tau, "coverage": own.coverage}
        for result in found
        for arm, arm_result in result.arms.items()
        for origin, own in arm_result.forecasts.items()
    ]


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(plain(list(rows)))
    return text.getvalue()


# Figure


def _plot(path: Path, result: PoolResult) -> None:
    """Draw the share of runs that found one of the best wirings against trainings, a line an arm."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.8), layout="constrained")
    axes = figure.add_subplot()
    trainings = np.arange(1, TRIALS + 1)
    others = iter(_COLOURS)
    for arm in result.runs:
        colour, style = _STYLES.get(arm) or (next(others), "-")
        first = np.array(result.first(arm, SHARES[0]))
        share = (first[None, :] <= trainings[:, None]).mean(axis=1)
        axes.step(
            trainings,
            share,
            where="post",
            color=colour,
            linestyle=style,
            linewidth=2 if arm in _STYLES else 1.2,
            label=arm,
        )
    axes.axvline(START, color="0.7", linewidth=0.8)
    axes.set_xlim(1, TRIALS)
    axes.set_ylim(0, 1)
    axes.set_xlabel(f"trainings (the first {START} are the same for all arms)")
    axes.set_ylabel(f"share of {result.seeds} runs")
    axes.set_title(f"{result.pool.name}: runs that found one of the best {_SHARE}")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right center", fontsize="small")
    save_figure(figure, path)
