"""What is reached at several budgets: found networks beside their references, as a table and a curve."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.evaluation.references import COUNTS, DEGREES, EQUAL_PARAMETERS, LINEAR, ONE_SHOT, PRUNED_LINEAR, RETRAINED
from nas.report.card import spread
from nas.report.outcome import Outcome
from nas.report.output import log_axis_of_sizes
from nas.report.verdict import format_difference
from nas.store.reading import check_types, reading
from predictors.figures import BLUE, GREEN, ORANGE, RED, save_figure
from priors.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FOUND", "Frontier", "draw_frontier", "read_frontier", "write_frontier"]

FOUND = "found"
_FILE = "frontier.json"
_KEPT = ("name", "mean", "std", "seeds", "n_parameters", "learning_rate")
"""What is kept of a network, beside its budget."""
_COLOURS = {
    FOUND: BLUE,
    EQUAL_PARAMETERS: ORANGE,
    LINEAR: GREEN,
    PRUNED_LINEAR: RED,
    ONE_SHOT: "0.45",
    RETRAINED: "#CC79A7",
    DEGREES: "#56B4E9",
    COUNTS: "0.7",
}


@dataclass(frozen=True)
class Frontier:
    """Networks by budget.

    Parameters
    ----------
    out, task, metric, direction : str
    budgets : tuple of str
        Those whose campaigns are over, as they were given.
    networks : tuple of mapping
        budget, name, mean, std, seeds, n_parameters and learning_rate of the found network of each budget, called
        `FOUND`, and of its references.
    """

    out: str
    task: str
    metric: str
    direction: str
    budgets: tuple[str, ...]
    networks: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, out: Path, outcomes: Mapping[str, Outcome]) -> Frontier:
        """Put together what campaigns found, by their budgets."""
        any_one = next(iter(outcomes.values()))
        rows = []
        for budget, outcome in outcomes.items():
            assert outcome.test is not None
            several = ({**outcome.test, "name": FOUND}, *outcome.references)
            rows += [{"budget": budget, **{name: row[name] for name in _KEPT}} for row in several]
        return cls(str(out), str(any_one.task), any_one.metric, any_one.direction, tuple(outcomes), tuple(rows))

    def joined(self, earlier: Frontier) -> Frontier:
        """Return it with the budgets of an earlier one that it does not have, smaller ones first."""
        kept = tuple(row for row in earlier.networks if row["budget"] not in self.budgets)
        size = {row["budget"]: row["n_parameters"] for row in (*kept, *self.networks) if row["name"] == FOUND}
        budgets = sorted({*earlier.budgets, *self.budgets}, key=lambda budget: size[budget])
        networks = sorted((*kept, *self.networks), key=lambda row: budgets.index(row["budget"]))
        return replace(self, budgets=tuple(budgets), networks=tuple(networks))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return asdict(self)

    @property
    def names(self) -> list[str]:
        """What the networks are called, the found one first."""
        return list(dict.fromkeys(row["name"] for row in self.networks))

    def of_name(self, name: str) -> list[Mapping[str, Any]]:
        """Return the networks of one name, by ascending size."""
        return sorted((row for row in self.networks if row["name"] == name), key=lambda row: row["n_parameters"])

    def of_budget(self, budget: str) -> dict[str, Mapping[str, Any]]:
        """Return the networks of a budget, by their names."""
        return {row["name"]: row for row in self.networks if row["budget"] == budget}

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Return a header, and a row a budget: tests of all networks, and by how much the found one leads the dense."""
        header = ["budget", *self.names, f"{FOUND} less {EQUAL_PARAMETERS.removesuffix(' with equal parameters')}"]
        rows = []
        for budget in self.budgets:
            own = self.of_budget(budget)
            dense = own.get(EQUAL_PARAMETERS)
            lead = "–" if dense is None else format_difference(own[FOUND], dense, self.metric)
            rows.append([budget, *(spread(own[name]) if name in own else "–" for name in self.names), lead])
        return header, rows


def read_frontier(out: Path) -> Frontier | None:
    """Return the frontier that lies in a folder; None where none does.

    Raises
    ------
    InputError
        If it is damaged.
    """
    path = out / _FILE
    if not path.is_file():
        return None
    with reading(path):
        stored = json.loads(path.read_text(encoding="utf-8"))
        several = {name: tuple(stored[name]) for name in ("budgets", "networks")}
        frontier = Frontier(**{**stored, **several, "out": str(out)})
        check_types(frontier)
        for row in frontier.networks:
            if row.keys() != {"budget", *_KEPT}:
                raise ValueError(f"a network has {', '.join(row)} in place of budget, {', '.join(_KEPT)}")
        frontier.joined(frontier)  # Each budget has a network that was found.
    return frontier


def write_frontier(frontier: Frontier) -> None:
    """Write ``frontier.csv``, ``frontier.json`` and ``frontier.png`` into its folder."""
    out = Path(frontier.out)
    with atomic_write(out / "frontier.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(frontier.networks[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(frontier.networks)
    with atomic_write(out / _FILE) as temporary:
        temporary.write_text(json.dumps(frontier.to_json(), indent=1) + "\n", encoding="utf-8")
    _plot(out / "frontier.png", frontier)


def _plot(path: Path, frontier: Frontier) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    draw_frontier(axes, frontier)
    axes.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    figure.suptitle(f"{frontier.task}: what a budget buys")
    save_figure(figure, path)


def draw_frontier(axes: Axes, frontier: Frontier) -> None:
    """Draw a curve a name, of tests by parameters, with standard deviations over seeds; each name has its colour."""
    for name in frontier.names:
        rows = frontier.of_name(name)
        axes.errorbar(
            [row["n_parameters"] for row in rows],
            [row["mean"] for row in rows],
            yerr=[row["std"] or 0.0 for row in rows],
            marker="o",
            markersize=5 if name == FOUND else 4,
            linewidth=2 if name == FOUND else 1,
            capsize=2,
            color=_COLOURS.get(name, "0.3"),
            label=f"{name} network" if name == FOUND else name,
        )
    log_axis_of_sizes(axes)
    axes.set_ylabel(f"test {frontier.metric}, mean ± sd over fresh seeds")
    axes.grid(alpha=0.3)
