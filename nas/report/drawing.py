"""Drawings of wirings: layers from left to right, a ring, or springs; equal wirings give equal pictures.

Edges are thin and transparent, so that a thousand neurons can be looked at. Where an edge has a weight, its colour is
the sign and its width the size. In rings and springs directed edges are darker towards their target.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError, known
from nas.failures import unusable
from nas.report.sources import wiring_at
from predictors.figures import BLUE, GREEN, ORANGE, RED, save_figure
from priors import Wiring, dead_neurons, layer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LAYOUTS", "MOST_EDGES", "MOST_NEURONS", "SUFFIXES", "count_edges", "draw_file", "plot_wiring", "positions"]

LAYOUTS = ("layered", "ring", "spring")
SUFFIXES = (".png", ".svg", ".pdf")
MOST_NEURONS, MOST_EDGES = 3000, 100_000
"""A larger wiring would be a blot."""

_GREY, _DARK = "0.6", "0.15"
_SWEEPS = 4
_CURVE = np.linspace(0.0, 1.0, 13)
_LOOP = 0.05
"""Radius of the circle of an edge that leads from a neuron to itself, where no layers are drawn."""

Points = NDArray[np.float64]


def draw_file(
    source: Path, out: Path | None = None, layout: str | None = None, **reading: Any
) -> tuple[Path, str, Wiring]:
    """Draw the wiring of a graph file or a saved network, or the best one of a campaign's folder.

    Parameters
    ----------
    source : path
        As in `wiring_at`.
    out : path, optional
        A file that ends in one of `SUFFIXES`; by default it is named after the source, in the present folder.
    layout : {"layered", "ring", "spring"}, optional
        By default layered where hidden neurons have layers or can get them, and a ring elsewhere.
    **reading
        How a graph file is read: format, directed and merge of `priors.read_wiring`.

    Returns
    -------
    path, layout, wiring
        The file that was written, how, and what is on it.

    Raises
    ------
    InputError
        If there is no wiring, it is too large or has no layers, or the file cannot be written.
    """
    target = out or Path(f"{source.resolve().stem if source.is_file() else source.resolve().name}.png")
    if target.suffix.lower() not in SUFFIXES:
        raise InputError(f"out={target}: a picture ends in {', '.join(SUFFIXES)}")
    if target.is_dir() or (target.exists() and source.exists() and target.samefile(source)):
        raise InputError(f"out={target}: that is {'a folder' if target.is_dir() else 'the graph'}; give another name")
    wiring, title = wiring_at(source, **reading)
    try:
        used = plot_wiring(target, wiring, title, layout)
    except OSError as error:
        raise unusable(error, f"out={target}", "give a file that can be written") from None
    return target, used, wiring


def plot_wiring(path: Path, wiring: Wiring, title: str = "", layout: str | None = None) -> str:
    """Draw a wiring as png, svg or pdf, by the suffix, and return the layout.

    Raises
    ------
    InputError
        If the wiring is empty, too large, or has no layers where they are asked for.
    """
    from matplotlib.figure import Figure

    for count, most, what in ((wiring.n_neurons, MOST_NEURONS, "neurons"), (wiring.n_edges, MOST_EDGES, "edges")):
        if count > most:
            raise InputError(f"{title or 'wiring'}: {count} {what} cannot be told apart; at most {most} are drawn")
    if wiring.n_neurons == 0:
        raise InputError(f"{title or 'wiring'}: holds no neuron; at least 1 is drawn")
    layout = layout or default_layout(wiring)
    wiring, points = positions(wiring, layout)
    figure = Figure(figsize=(8, 6), layout="constrained")
    axes = figure.add_subplot()
    axes.set_axis_off()
    if layout != "layered":
        axes.set_aspect("equal", "datalim")
    _draw_edges(axes, wiring, points, layout)
    _draw_neurons(axes, wiring, points)
    axes.update_datalim(np.stack([points.min(axis=0) - 0.12, points.max(axis=0) + 0.12]))
    axes.autoscale_view()
    axes.set_title(f"{title}\n{_counts(wiring)}".strip(), fontsize="medium")
    _, labels = axes.get_legend_handles_labels()
    if labels:
        figure.legend(loc="outside lower center", ncols=4, fontsize="small", frameon=False)
    save_figure(figure, path, dpi=150)
    return layout


def default_layout(wiring: Wiring) -> str:
    """Return layered for what has layers or can get them, and ring for undirected and recurrent wirings."""
    hidden = wiring.hidden
    has_order = hidden.n_layers > 1 or (hidden.is_acyclic and hidden.n_edges > 0)
    return "layered" if has_order or (wiring.n_layers > 1 and wiring.is_acyclic) else "ring"


def positions(wiring: Wiring, layout: str) -> tuple[Wiring, Points]:
    """Return the wiring, layered where it is to be, and where each neuron lies: (n_neurons, 2), from -1 to 1.

    Raises
    ------
    InputError
        For layers of a wiring with cycles and one layer.
    """
    known("layout", layout, LAYOUTS)
    if layout == "layered":
        if wiring.n_layers == 1:
            if not wiring.is_acyclic:
                raise InputError("layout=layered: the graph has cycles and so no layers; valid: ring or spring")
            wiring = layer(wiring)
        return wiring, _in_layers(wiring)
    points = np.zeros((wiring.n_neurons, 2))
    first, last = wiring.n_inputs, wiring.n_neurons - wiring.n_outputs
    points[first:last] = _in_a_ring(last - first) if layout == "ring" else _by_springs(wiring.hidden)
    for units, x in ((np.arange(first), -1.5), (np.arange(last, wiring.n_neurons), 1.5)):
        points[units] = np.stack([np.full(len(units), x), -_spread(len(units))], axis=1)
    return wiring, points


def _in_layers(wiring: Wiring) -> Points:
    """Return columns, in which each hidden neuron lies near the mean height of its neighbours."""
    height = np.concatenate([_spread(size) for size in wiring.sizes])
    source, target = wiring.edges.T
    hidden = range(int(wiring.inputs), wiring.n_layers - int(wiring.outputs))
    for sweep in range(_SWEEPS):
        ends = (target, source) if sweep % 2 == 0 else (source, target)
        for index in hidden if sweep % 2 == 0 else reversed(hidden):
            own = wiring.neurons(index)
            sums = np.bincount(ends[0], height[ends[1]], wiring.n_neurons)[own.start : own.stop]
            counts = np.bincount(ends[0], minlength=wiring.n_neurons)[own.start : own.stop]
            wanted = np.where(counts > 0, sums / np.maximum(counts, 1), height[own.start : own.stop])
            height[own.start + np.argsort(wanted, kind="stable")] = _spread(len(own))
    return np.stack([_spread(wiring.n_layers)[wiring.layer_of], -height], axis=1)


def _in_a_ring(n: int) -> Points:
    angles = np.pi / 2 - 2 * np.pi * np.arange(n) / max(n, 1)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _by_springs(hidden: Wiring) -> Points:
    import networkx as nx

    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(hidden.n_neurons))
    graph.add_edges_from(hidden.edges.tolist())
    start = dict(enumerate(_in_a_ring(hidden.n_neurons)))
    found = nx.spring_layout(graph, pos=start, seed=0)
    points = np.array([found[number] for number in range(hidden.n_neurons)], dtype=np.float64).reshape(-1, 2)
    points -= points.mean(axis=0) if len(points) else 0.0
    return points / max(float(np.abs(points).max(initial=0.0)), 1e-9)


def _spread(n: int) -> NDArray[np.float64]:
    """Return `n` places from -1 to 1, as far apart from each other as twice from the ends."""
    return (2 * np.arange(n) + 1) / max(n, 1) - 1


def _draw_edges(axes: Axes, wiring: Wiring, points: Points, layout: str) -> None:
    from matplotlib.collections import LineCollection

    chosen = _drawn_once(wiring)
    edges = wiring.edges[chosen]
    if not len(edges):
        return
    alpha = float(np.clip(8 / np.sqrt(len(edges)), 0.08, 0.7))
    thin = float(np.clip(12 / np.sqrt(len(edges)), 0.3, 1.5))
    lines = _lines(wiring, edges, points, layout)
    widths = np.full(len(edges), thin)
    if wiring.weights is not None:
        weights = np.nan_to_num(wiring.weights[chosen].astype(np.float64))
        widths = thin * (0.3 + 1.7 * np.abs(weights) / max(float(np.abs(weights).max()), 1e-12))
        kinds = [("weight above 0", BLUE, weights > 0), ("weight below 0", RED, weights < 0)]
    else:
        acts_later = (layout == "layered") & (wiring.layer_of[edges[:, 1]] <= wiring.layer_of[edges[:, 0]])
        kinds = [("", _DARK, ~acts_later), ("recurrent edge", ORANGE, acts_later)]
    # A second stroke over the half at the target shows the direction where no layers do.
    has_two = layout != "layered" and not wiring.hidden.is_undirected
    is_explained = False
    for name, colour, are_of in kinds:
        rows = np.flatnonzero(are_of).tolist()
        if rows:
            style: dict[str, Any] = {
                "colors": colour,
                "linewidths": widths[rows],
                "alpha": alpha / 2 if has_two else alpha,
            }
            own = [lines[row] for row in rows]
            axes.add_collection(LineCollection(own, label=name or None, zorder=1, **style))
            if has_two:
                halves = [_second_half(line) for line in own]
                label = None if is_explained else "the dark half of an edge is at its target"
                axes.add_collection(LineCollection(halves, label=label, zorder=1, **style))
                is_explained = True


def _second_half(line: Points) -> Points:
    """Return the part of a line that is at its end."""
    return line[len(line) // 2 :] if len(line) > 2 else np.stack([line.mean(axis=0), line[-1]])


def _drawn_once(wiring: Wiring) -> NDArray[np.bool_]:
    """Return which edges are drawn: all, but of the two directions between undirected neurons only one."""
    first, last = wiring.n_inputs, wiring.n_neurons - wiring.n_outputs
    is_between = ((wiring.edges >= first) & (wiring.edges < last)).all(axis=1)
    falls = wiring.edges[:, 0] > wiring.edges[:, 1]
    has_pairs = wiring.hidden.is_undirected
    return ~(is_between & falls) if has_pairs else np.ones(wiring.n_edges, dtype=bool)


def _lines(wiring: Wiring, edges: NDArray[np.int32], points: Points, layout: str) -> list[Points]:
    """Return one line an edge; in layers, what skips one or leads back is bent around what lies between."""
    ends = points[edges]
    if layout != "layered":
        return [line if (line[0] != line[1]).any() else _loop_outward(line[0]) for line in ends]
    steps = wiring.layer_of[edges[:, 1]] - wiring.layer_of[edges[:, 0]]
    gap = 2 / wiring.n_layers
    lines: list[Points] = []
    for line, step in zip(ends, steps.tolist(), strict=True):
        if step == 1:
            lines.append(line)
            continue
        bend = np.array([0.35 * gap, 0.0]) if step == 0 else np.array([0.0, 0.06 * (abs(step) - 1) + 0.1 * (step < 0)])
        if (line[0] == line[1]).all():  # A neuron's edge to itself.
            turn = 2 * np.pi * _CURVE
            loop = np.stack([0.12 * gap * np.sin(turn), 0.03 * (1 - np.cos(turn))], axis=1)
            lines.append(line[0] + loop)
            continue
        share = _CURVE[:, None]
        lines.append((1 - share) * line[0] + share * line[1] + 4 * share * (1 - share) * bend)
    return lines


def _loop_outward(point: Points) -> Points:
    """Return a small circle through a neuron, on the side that leads away from the middle."""
    distance = float(np.linalg.norm(point))
    outward = point / distance if distance > 1e-9 else np.array([0.0, 1.0])
    turn = 2 * np.pi * _CURVE
    across = np.array([-outward[1], outward[0]])
    circle: Points = point + _LOOP * ((1 - np.cos(turn))[:, None] * outward + np.sin(turn)[:, None] * across)
    return circle


def _draw_neurons(axes: Axes, wiring: Wiring, points: Points) -> None:
    size = float(np.clip(4000 / wiring.n_neurons, 4.0, 60.0))
    number = np.arange(wiring.n_neurons)
    first, last = wiring.n_inputs, wiring.n_neurons - wiring.n_outputs
    is_dead = np.isin(number, dead_neurons(wiring) if wiring.inputs else ())
    is_hidden = (number >= first) & (number < last)
    has_units = wiring.inputs or wiring.outputs
    for name, chosen, colour, marker in (
        ("input", number < first, GREEN, "s"),
        ("hidden neuron", is_hidden & ~is_dead, BLUE if wiring.weights is None else _DARK, "o"),
        ("dead neuron", is_dead, "white", "o"),
        ("output", number >= last, ORANGE, "D"),
    ):
        if chosen.any():
            marks: dict[str, Any] = {
                "c": colour,
                "marker": marker,
                "edgecolors": _DARK if name == "dead neuron" else _GREY,
            }
            label = name if has_units else None
            axes.scatter(points[chosen, 0], points[chosen, 1], s=size, linewidths=0.4, zorder=2, label=label, **marks)


def count_edges(wiring: Wiring) -> tuple[int, bool]:
    """Return the number of edges between hidden neurons, each undirected one once, and whether they are undirected."""
    hidden = wiring.hidden
    if not hidden.n_edges or not hidden.is_undirected:
        return hidden.n_edges, False
    return int(np.count_nonzero(hidden.edges[:, 0] <= hidden.edges[:, 1])), True


def _counts(wiring: Wiring) -> str:
    edges, is_undirected = count_edges(wiring)
    units = f"{wiring.n_inputs} inputs, " if wiring.inputs else ""
    units += f"{wiring.n_outputs} outputs, " if wiring.outputs else ""
    dead = len(dead_neurons(wiring)) if wiring.inputs else 0
    note = f" ({dead} dead)" if dead else ""
    kind = "undirected " if is_undirected else ""
    return f"{units}{wiring.n_hidden} neurons{note}, {edges} {kind}edges between them"
