"""What an experiment leaves in its folder: the best network, a card, the outcome, and plots."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nas.errors import InputError
from nas.networks import load_network, save_network
from nas.networks.structure import AnyNetwork, parts_of, wiring_of
from nas.report.card import markdown_table, number, recipe_rows, spread
from nas.structure.found import Found, Standing
from nas.structure.options import StructureOptions
from nas.tasks.files.pipeline import FILE as PIPELINE
from nas.tasks.files.pipeline import Pipeline
from predictors.figures import BLUE, GREEN, ORANGE, save_figure
from priors import Wiring, write_wiring
from priors.files import atomic_folder, atomic_write
from priors.formats.limits import MAX_EDGES, MAX_NEURONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "DENSITY",
    "FEATURE",
    "network_file",
    "plot_curve",
    "plot_densities",
    "plot_features",
    "plot_standings",
    "rate_text",
    "read_found",
    "read_network",
    "reading",
    "removed",
    "write_found",
]


DENSITY = "density_"
"""What names of densities of single layers begin with in a curve."""
FEATURE = "wiring_"
"""What names of features begin with in a curve, beside densities and counts of the network."""


def write_found(
    out: Path, found: Found, network: AnyNetwork, options: StructureOptions, pipeline: Pipeline | None = None
) -> None:
    """Write ``best/``, with the pipeline where the task has one, ``curve.csv`` and pictures.

    These are ``curve.png``, ``references.png``, ``density.png`` of several layers, and ``features.png`` where any were
    followed. Each replaces an older one at once.
    """
    with atomic_folder(out / "best") as temporary:
        save_network(network, temporary / "network.safetensors")
        if pipeline is not None:
            pipeline.save(temporary / PIPELINE)
        if _is_readable(wiring := wiring_of(network)):
            write_wiring(wiring, temporary / "wiring.json")
        (temporary / "outcome.json").write_text(json.dumps(found.to_json(), indent=2) + "\n", encoding="utf-8")
        (temporary / "card.md").write_text(_card(found, options, _is_readable(wiring)), encoding="utf-8")
    with atomic_write(out / "curve.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(found.curve[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(found.curve)
    plot_curve(out / "curve.png", found)
    if len(layers := [name for name in found.curve[0] if name.startswith(DENSITY)]) > 1:
        plot_densities(out / "density.png", found, layers)
    if features := [name for name in found.curve[0] if name.startswith(FEATURE)]:
        plot_features(out / "features.png", found, features)
    plot_standings(out / "references.png", [found.learned, *found.references], found.metric)


def read_found(out: Path) -> dict[str, Any]:
    """Return what the experiment in a folder has found, as JSON types.

    Raises
    ------
    InputError
        If it is not over yet, or its outcome cannot be read.
    """
    file = out / "best" / "outcome.json"
    if not file.is_file():
        raise InputError(f"{out}: the structure is not learned yet; the command that started it goes on")
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot be read: {error}") from None
    return {**found, "out": str(out)}  # The folder may have been moved since.


def _is_readable(wiring: Wiring) -> bool:
    """Whether a graph file may hold so much; the network's own file has its wiring too."""
    return wiring.n_edges <= MAX_EDGES and wiring.n_neurons <= MAX_NEURONS


def _card(found: Found, options: StructureOptions, has_graph: bool) -> str:
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
            f"Parent: {found.parent}.{reading(found.pool)}",
            "",
            f"| network | test {found.metric} | parameters | learning rate |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
            "| layer | places | live | density |",
            "| --- | --- | --- | --- |",
            *layers,
            "",
            *([f"{line}.", ""] if (line := removed(found.layers)) else []),
            *_of_the_saved(found),
            "## Recipe",
            "",
            markdown_table(("what", "value"), recipe_rows(options.spec, options.recipe, options.seed)),
            "",
            "## Load",
            "",
            "```python",
            "from nas import load_network",
            "",
            'network = load_network("network.safetensors")',
            "```",
            "",
            "`wiring.json` is read by `priors.read_wiring`."
            if has_graph
            else "There is no `wiring.json`: no graph file may hold so many edges.",
            "",
        ]
    )


def _of_the_saved(found: Found) -> list[str]:
    """Return what the card says of the network that is saved, which is one of those that the means are of."""
    if found.saved is None:
        return []
    return [
        f"The saved network is the one of the {len(found.learned.test)} that did best on validation "
        f"({number(found.saved['validation'])}); on its own it reaches {number(found.saved['test'])} on the test part.",
        "",
    ]


def rate_text(summary: Mapping[str, Any]) -> str:
    """Return a learning rate for a table; a network that was not trained has none."""
    return "–" if summary["learning_rate"] is None else f"{summary['learning_rate']:g}"


def reading(pool: int) -> str:
    """Return a sentence on what the input units are, empty where they are the inputs."""
    return "" if pool == 1 else f" Input units read means over squares of {pool} x {pool} pixels."


def removed(layers: Sequence[Mapping[str, Any]]) -> str:
    """Return what is said of the weights that lived and are not kept, empty where there are none."""
    dead = sum(own.get("dead", 0) for own in layers)
    return f"{dead} more took no part and {'was' if dead == 1 else 'were'} removed" if dead else ""


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


def read_network(file: Path) -> AnyNetwork:
    """Return the network of a file.

    Raises
    ------
    InputError
        If it is damaged, or none, or some of its weights are held.
    """
    try:
        network = load_network(file)
    except ValueError as error:
        raise InputError(str(error)) from None
    if any(part.held is not None for part in parts_of(network)):
        raise InputError(f"{file}: some of its weights are fixed, so that its structure stays; give another network")
    return network


def plot_curve(path: Path, found: Found) -> None:
    """Draw the validation metric and the number of live parameters by epoch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    epochs = [row["epoch"] for row in found.curve]
    axes.plot(epochs, [row[found.metric] for row in found.curve], color=BLUE, marker="o", markersize=3)
    _count_epochs(axes)
    axes.set_ylabel(f"validation {found.metric}", color=BLUE)
    axes.grid(alpha=0.3)
    other = axes.twinx()
    other.plot(epochs, [row["parameters"] for row in found.curve], color=ORANGE, marker="s", markersize=3)
    other.set_ylabel("live parameters", color=ORANGE)
    if found.curve[0]["parameters"] > 2 * found.curve[-1]["parameters"]:
        other.set_yscale("log")
    axes.set_title(f"{found.task}: the network that is kept, while its structure is learned")
    save_figure(figure, path)


def plot_densities(path: Path, found: Found, columns: Sequence[str]) -> None:
    """Draw the density of each layer by epoch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    epochs = [row["epoch"] for row in found.curve]
    values = [[row[name] for row in found.curve] for name in columns]
    for name, own in zip(columns, values, strict=True):
        axes.plot(epochs, own, marker="o", markersize=3, label=name.removeprefix(DENSITY))
    if 0 < 10 * min(map(min, values)) < max(map(max, values)):
        axes.set_yscale("log")
    _count_epochs(axes)
    axes.set_ylabel("weights that live / places")
    axes.grid(alpha=0.3)
    axes.legend()
    axes.set_title(f"{found.task}: densities of the network that is kept, while it is learned")
    save_figure(figure, path)


def _count_epochs(axes: Axes) -> None:
    """Let the horizontal axis be epochs, which are whole."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def plot_features(path: Path, found: Found, features: Sequence[str]) -> None:
    """Draw each feature by epoch, one below the other."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.8 + 1.7 * len(features)), layout="constrained")
    panels = figure.subplots(len(features), 1, sharex=True, squeeze=False)[:, 0]
    epochs = [row["epoch"] for row in found.curve]
    for axes, name in zip(panels, features, strict=True):
        axes.plot(epochs, [np.nan if row[name] is None else row[name] for row in found.curve], color=BLUE, marker="o",
                  markersize=3)  # fmt: skip
        axes.set_ylabel(name.removeprefix(FEATURE), fontsize="small")
        axes.grid(alpha=0.3)
    _count_epochs(panels[-1])
    figure.suptitle(f"{found.task}: the wiring of the network that is kept, while it is learned", fontsize="medium")
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
