"""What an experiment leaves in its folder: the best network, a card, the outcome, and plots."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nas.errors import InputError
from nas.networks import load_network, save_network
from nas.networks.structure import Network, wiring_of
from nas.report.card import spread
from nas.structure.found import Found, Standing
from predictors.figures import BLUE, GREEN, ORANGE, save_figure
from priors import write_wiring
from priors.files import atomic_folder, atomic_write

__all__ = ["network_file", "plot_curve", "plot_standings", "rate_text", "read_network", "write_found"]


def write_found(out: Path, found: Found, network: Network) -> None:
    """Write ``best/``, ``curve.csv``, ``curve.png`` and ``references.png``; each replaces an older one at once."""
    with atomic_folder(out / "best") as temporary:
        save_network(network, temporary / "network.safetensors")
        write_wiring(wiring_of(network), temporary / "wiring.json")
        (temporary / "outcome.json").write_text(json.dumps(found.to_json(), indent=2) + "\n", encoding="utf-8")
        (temporary / "card.md").write_text(_card(found), encoding="utf-8")
    with atomic_write(out / "curve.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(found.curve[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(found.curve)
    plot_curve(out / "curve.png", found)
    plot_standings(out / "references.png", [found.learned, *found.references], found.metric)


def _card(found: Found) -> str:
    rows = [
        f"| {own['name']} | {spread(own)} | {own['n_parameters']} | {rate_text(own)} |"
        for own in (found.learned.summary(), *(each.summary() for each in found.references))
    ]
    layers = [
        f"| {own['name']} | {' × '.join(map(str, own['shape']))} | {own['live']} | {100 * own['density']:.2f} % |"
        for own in found.layers
    ]
    return "\n".join(
        [
            f"# {found.task}: a learned structure",
            "",
            found.verdict,
            "",
            f"Parent: {found.parent}.",
            "",
            f"| network | test {found.metric} | parameters | learning rate |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
            "| layer | places | live | density |",
            "| --- | --- | --- | --- |",
            *layers,
            "",
            "`network.safetensors` is read by `nas.load_network`; `wiring.json` by `priors.read_wiring`.",
            "",
        ]
    )


def rate_text(summary: Mapping[str, Any]) -> str:
    """Return a learning rate for a table; a network that was not trained has none."""
    return "–" if summary["learning_rate"] is None else f"{summary['learning_rate']:g}"


def network_file(path: Path) -> Path:
    """Return a network's file, or that of the best network of a folder.

    Raises
    ------
    InputError
        If there is none.
    """
    own = path / "best" / "network.safetensors" if path.is_dir() else path
    if not own.is_file():
        raise InputError(f"{own}: there is no such network")
    return own


def read_network(file: Path) -> Network:
    """Return the network of a file.

    Raises
    ------
    InputError
        If it is damaged, or none.
    """
    try:
        return load_network(file)
    except ValueError as error:
        raise InputError(str(error)) from None


def plot_curve(path: Path, found: Found) -> None:
    """Draw the validation metric and the number of live parameters by epoch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    epochs = [row["epoch"] for row in found.curve]
    axes.plot(epochs, [row[found.metric] for row in found.curve], color=BLUE, marker="o", markersize=3)
    axes.set_xlabel("epoch")
    axes.set_ylabel(f"validation {found.metric}", color=BLUE)
    axes.grid(alpha=0.3)
    other = axes.twinx()
    other.plot(epochs, [row["parameters"] for row in found.curve], color=ORANGE, marker="s", markersize=3)
    other.set_ylabel("live parameters", color=ORANGE)
    if found.curve[0]["parameters"] > 2 * found.curve[-1]["parameters"]:
        other.set_yscale("log")
    axes.set_title(f"{found.task}: the network that is kept, while its structure is learned")
    save_figure(figure, path)


def plot_standings(path: Path, standings: Sequence[Standing], metric: str) -> None:
    """Draw the test metric of every seed, and means."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 1.2 + 0.5 * len(standings)), layout="constrained")
    axes = figure.subplots()
    for place, own in enumerate(standings):
        colour = GREEN if place == 0 else "0.5"
        axes.plot(own.test, [place] * len(own.test), "o", color=colour, markersize=4, alpha=0.6)
        axes.plot([sum(own.test) / len(own.test)], [place], "|", color=colour, markersize=18, markeredgewidth=2)
    names = [f"{own.name}\n{own.n_parameters:.0f} parameters" for own in standings]
    axes.set_yticks(range(len(names)), names, fontsize="small")
    axes.invert_yaxis()
    axes.grid(alpha=0.3, axis="x")
    axes.set_xlabel(f"test {metric}: a dot a seed, a bar their mean")
    save_figure(figure, path)
