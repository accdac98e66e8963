"""How much of a recurrent network can be pruned, and what rewired and pruned GRUs are worth beside drawn ones.

References
----------
J. Stier, H. Darji and M. Granitzer, "Experiments on properties of hidden structures of sparse neural networks", 2021,
arXiv:2107.12917. Numbers that stand beside ours are those of H. Darji's thesis, arXiv:2407.20601.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any, cast

from torch import nn

from nas.errors import InputError, as_input_errors, known
from nas.evaluation.estimates import Mean, mean_of
from nas.evaluation.trainings import Row, Training, Trainings, grouped, write_rows
from nas.networks import NetworkSpec, load_network, save_network
from nas.networks.structure import Network
from nas.report.card import markdown_table
from nas.seeds import stream
from nas.sparsity.iterative import IterativePruning, prune_iteratively
from nas.sparsity.network import layers_of
from nas.studies import rnn_structures
from nas.studies.rnn_structures import Structures
from nas.studies.tables import check_study, format_estimate, write_results
from nas.tasks import Task, reber_published
from nas.training import Recipe, evaluate, train
from nas.training.extension import describe_machine
from nas.training.recipe import changed
from nas.training.session import StopFlag
from predictors.figures import BLUE, GREEN, ORANGE, save_figure
from priors import Wiring, stack

__all__ = ["CELLS", "DEFAULTS", "LEVELS", "RECIPE", "pages", "rnn_pruning_study", "stacked"]

CELLS = ("tanh", "relu", "lstm", "gru")
KINDS = ("both", "input-to-hidden", "hidden-to-hidden")
"""Which weights are pruned."""
LEVELS = tuple(range(10, 101, 10))
"""Percent of them that are pruned."""
N_LAYERS = 3
PUBLISHED = {
    "tanh": {"accuracy": 0.93728, "both": 80, "input-to-hidden": 70, "hidden-to-hidden": 80},
    "relu": {"accuracy": 1.0, "both": 70, "input-to-hidden": 70, "hidden-to-hidden": 70},
    "lstm": {"accuracy": 1.0, "both": 60, "input-to-hidden": 70, "hidden-to-hidden": 90},
    "gru": {"accuracy": 1.0, "both": 80, "input-to-hidden": 80, "hidden-to-hidden": 90},
}
"""Accuracies before pruning, and safe levels in percent, of one network each."""
PUBLISHED_UPDATES = 586
"""Of an epoch: 18,750 strings in batches of 32."""
PUBLISHED_PLATEAUS = {"constant": 0.494, "letters": 0.779, "bigrams": 0.937, "trigrams": 1.0}
"""Of the published strings, measured."""
RECIPE = Recipe(learning_rates=(0.001, 0.003), schedule="constant", epochs=50, batch_size=32, clip=5.0)
"""Of networks that are pruned, before and after."""
DEFAULTS = {
    "strings": 25_000,
    "width": 50,
    "epochs": RECIPE.epochs,
    "retraining": 10,
    "structure_strings": 4_000,
    "structure_epochs": 60,
    "neurons": 48,
    "seeds": 5,
}
"""Numbers that the study takes where no others are given."""
TOLERANCE = 0.005
"""By which accuracy may be below that before pruning where it counts as regained."""


def stacked(n_inputs: int, width: int, n_layers: int, n_outputs: int) -> Wiring:
    """Return layers of recurrent neurons, each completely connected in itself and with the one before."""
    return stack(NetworkSpec("mlp").complete(n_inputs, (width,) * n_layers, n_outputs))


@dataclass(frozen=True)
class _Bench:
    """What all prunings have in common."""

    task: Task
    wiring: Wiring
    recipe: Recipe
    retraining: int
    networks: Path
    engine: str

    def _file(self, cell: str, rate: float, seed: int) -> Path:
        return self.networks / f"{cell}-{rate:g}-{seed}.safetensors"

    def _test(self, network: nn.Module) -> float:
        return evaluate(network, self.task, self.task.test, engine=self.engine).metric

    def train(self, cell: str, rate: float, seed: int, stop: StopFlag | None = None) -> Row:
        """Train a complete network, and keep it."""
        fingerprint = self.wiring.fingerprint
        network = NetworkSpec("rnn", cell=cell).build(self.wiring, stream(seed, "weights", fingerprint, 0))
        rng = stream(seed, "batches", fingerprint, 0)
        history = train(network, self.task, self.recipe, learning_rate=rate, rng=rng, engine=self.engine, stop=stop)
        self.networks.mkdir(parents=True, exist_ok=True)
        save_network(cast("Network", network), self._file(cell, rate, seed))
        return {"validation": history.value, "test": self._test(network)}

    def prune(self, cell: str, rate: float, seed: int, kind: str, level: int, stop: StopFlag) -> Row:
        """Prune a trained network at once, and train it again."""
        if not self._file(cell, rate, seed).is_file():
            self.train(cell, rate, seed, stop)
        network = load_network(self._file(cell, rate, seed))
        layers = [
            layer.name
            for layer in layers_of(network)
            if layer.name != "output" and kind in ("both", _kind_of(layer.name))
        ]
        total = sum(layer.size for layer in layers_of(network) if layer.name in layers)
        # Nothing is chosen by validation from here on, so that every epoch can be measured on the test part.
        measured = replace(self.task, validation=self.task.test, test=self.task.validation)
        pruning = IterativePruning(epochs=self.retraining, may_empty=True)
        recipe = self.recipe.model_copy(update={"schedule": "constant"})
        (step,) = prune_iteratively(
            network,
            measured,
            recipe,
            pruning,
            weights=round(total * (1 - level / 100)),
            layers=layers,
            learning_rate=rate,
            rng=stream(seed, "batches", self.wiring.fingerprint, 1),
            engine=self.engine,
            stop=stop,
        )
        tests = [epoch.validation_metric for epoch in step.history.epochs]
        lost = self.task.constant_score(self.task.test)  # Of a training that diverged.
        tests += [lost] * (self.retraining - len(tests))
        return {"weights": step.weights, "pruned": step.pruned.metric, "tests": tests}


def _kind_of(layer: str) -> str:
    return "hidden-to-hidden" if layer.endswith("recurrent") else "input-to-hidden"


def rnn_pruning_study(
    out: Path,
    watch: Any = lambda *_: None,
    *,
    data: Path | None = None,
    cells: Sequence[str] = CELLS,
    levels: Sequence[int] = LEVELS,
    strings: int = DEFAULTS["strings"],
    width: int = DEFAULTS["width"],
    epochs: int = DEFAULTS["epochs"],
    retraining: int = DEFAULTS["retraining"],
    rates: Sequence[float] = RECIPE.learning_rates,
    structure_strings: int = DEFAULTS["structure_strings"],
    structure_epochs: int = DEFAULTS["structure_epochs"],
    neurons: int = DEFAULTS["neurons"],
    seeds: int = DEFAULTS["seeds"],
    engine: str = "auto",
    threads: int = 1,
) -> dict[str, Any]:
    """Prune recurrent networks of four cells, learn structures of GRUs, and write numbers, tables and figures.

    Parameters
    ----------
    out : Path
        Folder of the results, and of what is trained; see `nas.studies.trainings`.
    watch : callable
        Told a part of the study, how many trainings of it are done, and all of them.
    data : Path, optional
        Folder of ``japanese-vowels.npz``; without it structures are learned on strings alone.
    cells, levels : sequence
        What is pruned, and how many percent.
    strings, width, epochs, retraining, rates
        Of the networks that are pruned: strings of the task, neurons of each of three layers, epochs before and after,
        and learning rates, of which one is chosen by validation for each cell.
    structure_strings, structure_epochs, neurons
        Of the GRUs whose structures are compared.
    seeds, engine, threads
    """
    check_study(out, "rnn-pruning")
    for name in cells:
        known("cell", name, CELLS)
    for level in levels:
        if not 1 <= level <= 100:
            raise InputError(f"level={level}: it must be a percentage from 1 to 100")
    recipe = changed(RECIPE, epochs=epochs, learning_rates=tuple(rates))
    with as_input_errors("strings need more memory than there is"):
        task = reber_published(strings)
    wiring = stacked(task.n_inputs, width, N_LAYERS, task.n_outputs)
    bench = _Bench(task, wiring, recipe, retraining, out / "networks", engine)
    structures = Structures.of(data, structure_strings, structure_epochs, neurons, engine)
    setting = {
        "strings": strings,
        "width": width,
        "epochs": epochs,
        "retraining": retraining,
        "rates": list(rates),
        "engine": engine,
        "structure_strings": structure_strings,
        "structure_epochs": structure_epochs,
        "neurons": neurons,
        "structures": structures.setting,
    }
    trainings = Trainings(out, setting, threads, watch)

    def dense(cell: str, rate: float, seed: int) -> Training:
        key = {"part": "dense", "cell": cell, "learning_rate": rate, "seed": seed}
        return Training(key, lambda stop: bench.train(cell, rate, seed, stop))

    def pruned(cell: str, kind: str, level: int, seed: int) -> Training:
        key = {"part": "pruned", "cell": cell, "kind": kind, "level": level, "seed": seed}
        return Training(key, lambda stop: bench.prune(cell, best[cell], seed, kind, level, stop))

    best = trainings.best_rates("learning rates", cells, rates, dense)
    found = structures.run(trainings, seeds)
    bases = trainings.run("networks", [dense(cell, best[cell], seed) for seed in range(seeds) for cell in cells])
    rows = trainings.run(
        "pruning",
        [pruned(*each, seed) for seed in range(seeds) for each in product(cells, KINDS, levels)],
    )
    numbers = {
        "seeds": seeds,
        "levels": list(levels),
        **setting,
        "examples": [len(task.train), len(task.validation), len(task.test)],
        "plateaus": dict(task.plateaus),
        "cells": [_cell(cell, best[cell], bases, rows, levels) for cell in cells],
        "learned": rnn_structures.numbers_of(found),
        "machine": f"{os.cpu_count()} cores; {describe_machine()}",
        "cpu": sum(row["cpu"] for row in (*bases, *rows, *found)),
    }
    told = write_results(out, "rnn-pruning.json", numbers, pages)
    write_rows(out / "pruned.csv", [_flat(row) for row in rows])
    write_rows(out / "structures.csv", [rnn_structures.flat(row) for row in found])
    _plot(out / "rnn-pruning.png", told)
    return {"out": str(out), **told}


def _flat(row: Row) -> dict[str, Any]:
    kept = {name: row[name] for name in ("cell", "kind", "level", "seed", "weights", "pruned")}
    return {**kept, **{f"epoch {number}": test for number, test in enumerate(row["tests"], start=1)}}


# Numbers


def _cell(cell: str, rate: float, bases: Sequence[Row], rows: Sequence[Row], levels: Sequence[int]) -> dict[str, Any]:
    own = {row["seed"]: row["test"] for row in bases if row["cell"] == cell}
    groups = grouped([row for row in rows if row["cell"] == cell], "kind", "level")
    kinds = {}
    for kind in KINDS:
        points = []
        for level in levels:
            of = groups[kind, level]
            points.append(
                {
                    "level": level,
                    "pruned": mean_of([row["pruned"] for row in of]),
                    "first": mean_of([row["tests"][0] for row in of]),
                    "last": mean_of([row["tests"][-1] for row in of]),
                }
            )
        kinds[kind] = {
            "points": points,
            "safe": {when: _safe_levels(own, groups, kind, levels, at) for when, at in (("first", 0), ("last", -1))},
        }
    return {"cell": cell, "learning_rate": rate, "test": mean_of(list(own.values())), "kinds": kinds}


def _safe_levels(
    bases: Mapping[int, float],
    groups: Mapping[tuple[Any, ...], Sequence[Row]],
    kind: str,
    levels: Sequence[int],
    at: int,
) -> list[int]:
    """Return for each network the highest level up to which accuracy is regained at all levels; 0 if at none."""
    found = []
    for seed, base in bases.items():
        safe = 0
        for level in sorted(levels):
            row = next(row for row in groups[kind, level] if row["seed"] == seed)
            if row["tests"][at] < base - TOLERANCE:
                break
            safe = level
        found.append(safe)
    return found


# Report


def pages(numbers: Mapping[str, Any]) -> dict[str, str]:
    """Return the text of every page by the name of its file, from the numbers as they are read back."""
    text = _TEXT.format(
        **{name: numbers[name] for name in ("seeds", "strings", "width", "epochs", "retraining", "machine")},
        command=_command(numbers),
        n_layers=N_LAYERS,
        lowest=min(numbers["levels"]),
        rates=" or ".join(f"{rate:g}" for rate in numbers["rates"]),
        train=numbers["examples"][0],
        validation=numbers["examples"][1],
        test=numbers["examples"][2],
        tolerance=TOLERANCE,
        safe=_safe_table(numbers),
        levels=_level_table(numbers),
        plateaus=_plateau_table(numbers),
        verdict=_verdict(numbers),
        learned=rnn_structures.section(numbers["learned"], numbers["structures"], numbers["seeds"]),
        minutes=f"{numbers['cpu'] / 60:.0f}",
    )
    return {"README.md": text}


def _command(numbers: Mapping[str, Any]) -> str:
    """Return the command with the options that are not its defaults."""
    words = ["wirenas study rnn-pruning"]
    cells, levels = [cell["cell"] for cell in numbers["cells"]], numbers["levels"]
    words += [f"--cell {cell}" for cell in cells] if tuple(cells) != CELLS else []
    words += [f"--level {level}" for level in levels] if tuple(levels) != LEVELS else []
    words += [
        f"--{name.replace('_', '-')} {numbers[name]}" for name, value in DEFAULTS.items() if numbers[name] != value
    ]
    if tuple(numbers["rates"]) != RECIPE.learning_rates:
        words += [f"--learning-rate {rate:g}" for rate in numbers["rates"]]
    if len(numbers["structures"]["tasks"]) > 1:
        words.append("--data FOLDER")
    return " ".join(words)


def _span(levels: Sequence[int]) -> str:
    low, high = min(levels), max(levels)
    return f"{median(levels):g} %" + ("" if low == high else f" ({low} to {high})")


def _safe(cell: Mapping[str, Any], kind: str, when: str) -> list[int]:
    levels: list[int] = cell["kinds"][kind]["safe"][when]
    return levels


def _safe_table(numbers: Mapping[str, Any]) -> str:
    rows = []
    for cell in numbers["cells"]:
        published = PUBLISHED[cell["cell"]]
        row = [cell["cell"], format_estimate(Mean.of(cell["test"])), f"{published['accuracy']:.3f}"]
        for kind in KINDS:
            row += [_span(_safe(cell, kind, when)) for when in ("first", "last")]
            row.append(f"{published[kind]:.0f} %")
        rows.append(row)
    head = ["cell", "accuracy", "published"]
    for kind in KINDS:
        head += [f"{kind}, 1 epoch", "all epochs", "published"]
    return markdown_table(head, rows)


def _level_table(numbers: Mapping[str, Any]) -> str:
    rows = []
    for cell in numbers["cells"]:
        for kind in KINDS:
            for point in cell["kinds"][kind]["points"]:
                estimates = (format_estimate(Mean.of(point[name])) for name in ("pruned", "first", "last"))
                rows.append([cell["cell"], kind, f"{point['level']} %", *estimates])
    return markdown_table(("cell", "pruned weights", "level", "pruned", "after 1 epoch", "after all epochs"), rows)


def _plateau_table(numbers: Mapping[str, Any]) -> str:
    rows = [
        [rule, f"{value:.3f}", f"{PUBLISHED_PLATEAUS.get(rule, float('nan')):.3f}"]
        for rule, value in numbers["plateaus"].items()
    ]
    return markdown_table(("rule", "here", "published strings"), rows)


def _verdict(numbers: Mapping[str, Any]) -> str:
    updates = RECIPE.updates_of_epoch(numbers["examples"][0])
    sentences = [
        f"After one epoch, {updates} updates here and {PUBLISHED_UPDATES} in the paper, median safe levels are "
        f"{_beside_published(numbers, 'first')}. After all, {updates * numbers['retraining']} updates, they are "
        f"{_beside_published(numbers, 'last')}."
    ]
    gone = [
        f"{cell['cell']} {format_estimate(Mean.of(point['last']))}"
        for cell in numbers["cells"]
        for point in cell["kinds"]["hidden-to-hidden"]["points"]
        if point["level"] == 100
    ]
    if gone:
        sentences.append(
            f"Without any hidden-to-hidden weight, after all epochs: {', '.join(gone)}; in the paper LSTM and GRU come "
            "back to 1.0, tanh and ReLU do not."
        )
    return " ".join(sentences)


def _beside_published(numbers: Mapping[str, Any], when: str) -> str:
    """Say which median safe levels are below the published ones, and which are not."""
    groups: dict[str, list[str]] = {"BELOW the published ones": [], "equal to them": [], "above them": []}
    for cell in numbers["cells"]:
        for kind in KINDS:
            own, other = median(_safe(cell, kind, when)), PUBLISHED[cell["cell"]][kind]
            word = "BELOW the published ones" if own < other else "above them" if own > other else "equal to them"
            groups[word].append(f"{cell['cell']} {kind}")
    return "; ".join(f"{word} for {', '.join(names)}" for word, names in groups.items() if names)


def _plot(path: Path, numbers: Mapping[str, Any]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.2 * len(numbers["cells"]), 3.4), layout="constrained")
    panels = figure.subplots(1, len(numbers["cells"]), sharey=True, squeeze=False)[0]
    for axes, cell in zip(panels, numbers["cells"], strict=True):
        for kind, colour, marker in zip(KINDS, (BLUE, ORANGE, GREEN), "os^", strict=True):
            points = cell["kinds"][kind]["points"]
            levels = [point["level"] for point in points]
            for when, style in (("first", "--"), ("last", "-")):
                means = [Mean.of(point[when]) for point in points]
                label = f"{kind}, {'1 epoch' if when == 'first' else 'all epochs'}"
                axes.plot(
                    levels, [own.mean for own in means], style, color=colour, marker=marker, markersize=3, label=label
                )
        axes.axhline(cell["test"]["mean"], color="0.4", linestyle=":", linewidth=1)
        axes.set_title(cell["cell"], fontsize="medium")
        axes.set_xlabel("pruned, %")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("test accuracy, mean over seeds")
    panels[0].legend(fontsize="x-small", loc="lower left")
    save_figure(figure, path, dpi=110)


_TEXT = """\
# Pruned and rewired recurrent networks

Made by `{command}`.

## How much can be pruned

Recurrent networks of {n_layers} layers of {width} cells learn for {epochs} epochs which strings the Reber grammar made
(`reber-published`, {strings} strings: {train} for training, {validation} for validation, {test} for testing), by Adam
in batches of 32 with gradients clipped at 5; the rate ({rates}) is chosen for each cell by validation, with a network
that does not count. Then the smallest weights are pruned at once, by one threshold over all of those that may be
pruned, and what is left is trained for {retraining} epochs. Every level starts from the same trained network; there
are {seeds} networks a cell. Biases and the head are never pruned.

A level is safe for a network if its accuracy, at this and all lower levels, comes back to what it was before pruning
({tolerance} below counts as back). Given are medians over networks, with the lowest and the highest of them, after one
epoch of retraining, which is the published criterion, and after all; beside them the published levels, of one network
each. 0 % is a network for which the lowest level here, {lowest} %, is not safe.

{safe}

{verdict}

What rules reach that know letters, pairs or triples of letters alone: no accuracy here needs memory for more than three
letters.

{plateaus}

![Accuracy by what is pruned](rnn-pruning.png)

{learned}

## All levels

Test accuracy, mean over networks with 95 % intervals of Student's t.

{levels}

## What differs from the published experiments

Their layers have 50 cells. They embed 128 codes of letters in 50 numbers before the first layer and never prune these;
here letters are inputs of the first layer, so that its input-to-hidden weights are fewer and take that role. Their
strings are others of the same grammar (25,000, of which 18,750 train), their networks read on through padding, and are
trained for 50 epochs at rate 0.001, one of each cell. Ours end where the string ends, and retrainings have a new
optimizer.

Trainings took {minutes} minutes of processor time, on {machine}. `pruned.csv` has the accuracy after every epoch of
every retraining, `structures.csv` all trainings of GRUs.
"""
