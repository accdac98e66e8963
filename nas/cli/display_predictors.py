"""What people see of predictors: predictions, features, what a predictor is worth and rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from nas.cli.console import say
from nas.report.card import number
from nas.report.outcome import Outcome
from predictors import FEATURES

__all__ = [
    "counting",
    "show_explanation",
    "show_features",
    "show_predictions",
    "show_steering",
    "show_validation",
    "show_worth",
]

_DRIVES = 3


def show_predictions(console: Console, out: Path, found: Sequence[Mapping[str, Any]]) -> None:
    """Print what is expected of every graph, and what that rests on; for many graphs, a line each is easy to search."""
    for row in found:
        say(
            console,
            f"{row['graph']}: {row['mean']:.4g} ± {row['std']:.2g} expected, "
            f"{100 * row['coverage']:.4g} % of trainings "
            f"within {row['low']:.4g} to {row['high']:.4g}, rank {row['rank']} of {row['of']}",
        )
        drives = [f"{family} {share:+.2g}" for family, share in row["contributions"].items() if share][:_DRIVES]
        say(console, f"  against typical wirings: {', '.join(drives) or 'no difference'}")
        if not row["in_domain"]:
            say(console, f"  unlike what was trained, so this is a guess: {row['outside']}")
        if row["trains"] < 0.9:
            say(console, f"  trains at all with a probability of {_percent(row['trains'])}")
    say(console, f"± is of a single training. Judge the predictor itself: wirenas validate {out}")


def show_features(console: Console, found: Sequence[Mapping[str, Any]]) -> None:
    """Print features, one row each, with a column a graph."""
    table = Table("tier", "family", "feature", *(Path(row["graph"]).name for row in found))
    for name in found[0]["features"] if found else ():
        feature = FEATURES[name]
        values = (row["features"][name] for row in found)
        table.add_row(feature.tier, feature.family, name, *("–" if v is None else f"{v:.6g}" for v in values))
    console.print(table)


def show_worth(console: Console, found: Mapping[str, Any]) -> None:
    """Print what a predictor learnt from, and its R2 beside what it must beat."""
    say(console, f"Predictor: learnt from {found['trained_on']}.")
    r2 = ", ".join(f"{name} {'–' if value is None else f'{value:.2f}'}" for name, value in found["r2"].items())
    say(console, f"R2 on wirings held out: {r2}.")
    if "out" in found:
        say(console, f"Ask it: wirenas predict {found['out']} GRAPH   judge it: wirenas validate {found['out']}")


def show_explanation(console: Console, found: Mapping[str, Any]) -> None:
    """Print how much of R2 is lost without each family."""
    table = Table("family", "R2 lost when shuffled", "features")
    for row in found["families"]:
        table.add_row(row["family"], f"{row['r2_lost']:.3f}", ", ".join(row["features"]), style=None)
    console.print(table)
    say(console, "An association: what the predictor uses, not what would happen if a wiring were changed.")


def show_validation(console: Console, found: Mapping[str, Any]) -> None:
    """Print the tables of a validation and where its files lie."""
    table = Table("what", "value")
    for row in found["rows"]:
        table.add_row(*row)
    console.print(table)
    table = Table("explained by", "columns", "R2", "95 % interval", "gain")
    for step in (*found["references"], *found["ladder"]):
        r2, delta = step["r2"], step["delta"]
        table.add_row(
            step["name"],
            str(step["n_features"]),
            _number(r2["mean"]),
            _ends(r2),
            "" if delta is None else f"{_number(delta['mean'], '+')} ({_ends(delta, '+')})",
        )
    console.print(table)
    for file in found["files"]:
        say(console, file)


@contextmanager
def counting(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told how many of how many are done, and shows it where somebody looks."""
    if not console.is_terminal:
        yield lambda *_: None
        return
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(compact=True))
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)


def _ends(estimate: Mapping[str, float | None], sign: str = "") -> str:
    return f"{_number(estimate['low'], sign)} to {_number(estimate['high'], sign)}"


def _number(value: float | None, sign: str = "") -> str:
    return "–" if value is None else f"{value:{sign}.3f}"


def show_steering(console: Console, outcome: Outcome) -> None:
    """Print what predictions did for a search, and what choosing and storing cost it."""
    if outcome.steering is not None:
        say(console, f"Steering: {_steered(outcome.steering)}")
    if outcome.overhead is not None and outcome.overhead["share"] is not None:
        say(console, f"Choosing and storing took {_percent(outcome.overhead['share'])} of the time of the trials.")


def _steered(found: Mapping[str, Any]) -> str:
    # Outcomes of fronts hold no means, and those of an older version do not say how often TPE took over.
    means = [found["steered"], found["chance"]]
    told = ["" if mean is None else f" {number(mean)}" for mean in means]
    reached = f" reached{told[0]} on average" if told[0] else ""
    text = f"{found['n_steered']} trials chosen by predictions{reached}, {found['n_chance']} by chance{told[1]}."
    if found.get("n_fallback"):
        text += f" {found['n_fallback']} chosen by TPE, while predictions were no better than the mean."
    if found["rank_correlation"] is not None:
        text += f" Predicted before training: rank correlation {found['rank_correlation']:.2f}"
        text += f", {_percent(found['coverage'])} of values inside of their 90 % intervals."
    return text


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
