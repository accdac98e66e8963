"""The work of a published study of random recurrent networks, timed: its graphs, its strings, its 15 epochs.

Run from the repository's root: ``python -m benchmarks.published_rnn --data FOLDER``, where FOLDER holds ``stier2021``.
Graphs, strings and recipe are the published ones [1]_. The networks are not: every neuron is a cell, the forward edges
that skip layers lead straight into it rather than into a recurrent cell of their own, letters are read without an
embedding, weights begin as this project's do, and a string is read at its true end rather than behind its padding. So
times answer for the amount of work, and accuracies are for comparison only.

References
----------
.. [1] J. Stier, H. Darji and M. Granitzer, "Experiments on properties of hidden structures of sparse neural networks",
   2021, arXiv:2107.12917.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import platform
import shlex
import string
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.report import cpu_name, write
from nas.errors import InputError
from nas.evaluation.threads import in_order, one_torch_thread
from nas.networks import NetworkSpec
from nas.seeds import stream
from nas.tasks import Task
from nas.tasks.sequences import plateaus_of
from nas.training import ENGINES, Recipe, begin_wiring
from nas.training.extension import describe_machine
from nas.training.train import engine_for
from priors import Wiring, attach, layer, orient, stack

CELLS = {"RNN_TANH": "tanh", "RNN_RELU": "relu", "GRU": "gru", "LSTM": "lstm"}
"""Cells by the name that the study calls them."""
EPOCHS, BATCH, LEARNING_RATE, CLIP = 15, 128, 1e-3, 5.0
LETTERS = string.ascii_uppercase
DEFAULT_OUT = Path(__file__).resolve().parents[1] / "build" / "benchmarks" / "published_rnn.json"


@dataclass(frozen=True)
class Graph:
    """A published graph as a wiring, and what the study reached on it."""

    name: str
    mode: str
    wiring: Wiring
    published_accuracy: float


@dataclass(frozen=True)
class Training:
    """One training, evaluation included: wall-clock time, CPU time of its thread, accuracy on the 6,250 strings."""

    graph: Graph
    seconds: float
    cpu_seconds: float
    accuracy: float
    diverged: bool


@dataclass(frozen=True)
class Spread:
    """Mean, lowest and highest of some values."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return those of some values."""
        return cls(math.fsum(values) / len(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.mean:.4f} [{self.low:.4f}, {self.high:.4f}]"


@dataclass(frozen=True)
class Summary:
    """What became of one cell's networks; `seconds_all` is what all of its published graphs would take."""

    mode: str
    networks: int
    seconds: float
    cpu_seconds: float
    seconds_all: float
    accuracy: Spread
    published_accuracy: Spread


# Graphs and strings


def read_graphs(folder: Path) -> dict[str, list[Graph]]:
    """Return the published graphs of every cell, in the order of the file."""
    graphs: dict[str, list[Graph]] = {mode: [] for mode in CELLS}
    for record in json.loads((folder / "graphs.json").read_text(encoding="utf-8")):
        name = f"{record['mode']}/{record['graph']}_{record['graph_nr']}"
        wiring = published_wiring(record["n"], record["edges"])
        graphs[record["mode"]].append(Graph(name, record["mode"], wiring, record["test_acc"]))
    return graphs


def published_wiring(n: int, edges: Sequence[Sequence[int]]) -> Wiring:
    """Turn an undirected graph into the study's layers: sources read all letters, the last layer feeds both classes.

    Edges lead from the lower to the higher number, layers are those of the longest path, and within a layer recurrence
    is complete.
    """
    both = [pair for source, target in edges for pair in ((source, target), (target, source))]
    hidden = stack(layer(orient(Wiring((n,), both), "index")))
    return attach(hidden, len(LETTERS), 2, "published")


def read_task(folder: Path) -> Task:
    """Return the published strings: all 18,750 for training, half of the 6,250 for validation, the others for the test.

    The study validates on nothing. Neither is anything chosen by the validation part here, so that both halves together
    are the published test part.
    """
    known, unknown = _rows(folder / "train_data.csv"), _rows(folder / "test_data.csv")
    strings = [row["string"] for row in known + unknown]
    labels = np.array([int(row["valid"]) for row in known + unknown])
    lengths = np.array([len(text) for text in strings])
    symbols = np.zeros((len(strings), lengths.max()), np.int64)
    for index, text in enumerate(strings):
        symbols[index, : len(text)] = [LETTERS.index(letter) for letter in text]
    train, held_out = np.split(np.arange(len(strings)), [len(known)])
    validation, test = np.array_split(held_out, 2)
    task = Task.from_arrays(
        "reber-stier2021",
        symbols,
        labels,
        lengths=lengths,
        n_symbols=len(LETTERS),
        test=test,
        plateaus=plateaus_of(strings, labels, train, held_out),
        description="the published Reber strings",
    )
    return replace(task, train=torch.from_numpy(train), validation=torch.from_numpy(validation))


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


# Trainings


def train_all(
    graphs: Sequence[Graph], task: Task, *, epochs: int, engine: str, threads: int, progress: Console
) -> list[Training]:
    """Train one network a graph, several at a time; results do not depend on how many."""
    recipe = Recipe(learning_rates=(LEARNING_RATE,), schedule="constant", epochs=epochs, batch_size=BATCH, clip=CLIP)
    stop = threading.Event()
    trainings: list[Training] = []

    def make(number: int) -> Training:
        return _train(graphs[number], task, recipe, engine, stop)

    for known in in_order(make, range(len(graphs)), threads, stop):
        for training in known:
            trainings.append(training)
            line = f"[{len(trainings)}/{len(graphs)}] {training.graph.name}: {training.seconds:.2f} s"
            progress.print(line, markup=False, highlight=False)
    return trainings


def _train(graph: Graph, task: Task, recipe: Recipe, engine: str, stop: threading.Event) -> Training:
    started, cpu_started = time.perf_counter(), time.thread_time()
    key = graph.wiring.fingerprint
    trained = begin_wiring(
        graph.wiring,
        NetworkSpec("rnn", cell=CELLS[graph.mode]),
        task,
        recipe,
        learning_rate=LEARNING_RATE,
        weights=stream(0, "weights", key),
        batches=stream(0, "batches", key),
        engine=engine,
        stop=stop,
    ).run()
    accuracy = trained.score(torch.cat([task.validation, task.test])).metric
    seconds, cpu_seconds = time.perf_counter() - started, time.thread_time() - cpu_started
    return Training(graph, seconds, cpu_seconds, accuracy, trained.history.diverged)


def summarise(trainings: Iterable[Training], graphs: Sequence[Graph]) -> Summary:
    """Sum up the trainings of one cell, of which `graphs` are all that were published; time is taken to go by edges."""
    own = list(trainings)
    seconds = math.fsum(training.seconds for training in own)
    edges = sum(training.graph.wiring.n_edges for training in own)
    edges_all = sum(graph.wiring.n_edges for graph in graphs)
    return Summary(
        own[0].graph.mode,
        len(own),
        seconds,
        math.fsum(training.cpu_seconds for training in own),
        seconds * edges_all / edges,
        Spread.of([training.accuracy for training in own]),
        Spread.of([training.graph.published_accuracy for training in own]),
    )


# Report


def show(summaries: Sequence[Summary], wall: float, threads: int, task: Task, console: Console) -> None:
    """Print the table, the wall-clock time, and what all published graphs would take."""
    header = ("cell", "networks", "seconds", "seconds each", "CPU s each", "accuracy", "published accuracy")
    plateaus = ", ".join(f"{rule} {accuracy:.3f}" for rule, accuracy in task.plateaus.items())
    caption = (
        "The first graphs of each cell in graphs.json, where 100 Barabasi-Albert precede 100 Watts-Strogatz graphs. "
        "Accuracies on the 6,250 test strings: mean [lowest, highest]. The published ones are those of other networks "
        f"on the same graphs, one run each as here: for comparison only. Rules reach: {plateaus}."
    )
    table = Table(*header, caption=Text(caption), caption_justify="left")
    for each in summaries:
        times = (each.seconds, each.seconds / each.networks, each.cpu_seconds / each.networks)
        accuracies = map(str, (each.accuracy, each.published_accuracy))
        table.add_row(each.mode, str(each.networks), *(f"{value:.2f}" for value in times), *map(Text, accuracies))
    console.print(table)
    n_networks = sum(each.networks for each in summaries)
    console.print(f"{n_networks} networks: {wall:.1f} s on {threads} threads", highlight=False)
    console.print(f"all 800, by edges: about {wall_of_all(summaries, wall) / 60:.1f} min", highlight=False)


def wall_of_all(summaries: Sequence[Summary], wall: float) -> float:
    """Return the seconds that all published graphs would take with the same threads."""
    return wall * sum(each.seconds_all for each in summaries) / sum(each.seconds for each in summaries)


def document(
    trainings: Sequence[Training], summaries: Sequence[Summary], wall: float, options: argparse.Namespace, command: str
) -> dict[str, Any]:
    """Return everything that was measured, in seconds, as JSON's types."""
    return {
        "machine": {
            "cpu": cpu_name(),
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "versions": describe_machine(),
        },
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "engine": engine_for(options.engine),
        "threads": options.threads,
        "epochs": options.epochs,
        "wall_seconds": wall,
        "wall_seconds_all": wall_of_all(summaries, wall),
        "cells": [asdict(summary) for summary in summaries],
        "networks": [_network(training) for training in trainings],
    }


def _network(training: Training) -> dict[str, Any]:
    graph = training.graph
    return {
        "graph": graph.name,
        "fingerprint": graph.wiring.fingerprint,
        "neurons": graph.wiring.n_hidden,
        "edges": graph.wiring.n_edges,
        "parameters": NetworkSpec("rnn", cell=CELLS[graph.mode]).n_parameters(graph.wiring)["total"],
        "seconds": training.seconds,
        "cpu_seconds": training.cpu_seconds,
        "accuracy": training.accuracy,
        "diverged": training.diverged,
        "published_accuracy": graph.published_accuracy,
    }


# Command line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return the exit code: 0, or 2 where the data or the engine are missing."""
    options = _options(arguments)
    folder = options.data / "stier2021"
    try:
        engine_for(options.engine)
        task, graphs = read_task(folder), read_graphs(folder)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        advice = "give the folder that holds stier2021"
        print(f"--data {options.data}: cannot read {error.filename}; {advice}", file=sys.stderr)
        return 2
    chosen = [graph for mode in CELLS for graph in graphs[mode][: options.graphs]]
    progress = Console(stderr=True)
    with one_torch_thread():
        started = time.perf_counter()
        trainings = train_all(
            chosen, task, epochs=options.epochs, engine=options.engine, threads=options.threads, progress=progress
        )
        wall = time.perf_counter() - started
    summaries = [summarise((each for each in trainings if each.graph.mode == mode), graphs[mode]) for mode in CELLS]
    show(summaries, wall, options.threads, task, Console(width=None if sys.stdout.isatty() else 160))
    command = ["python", "-m", "benchmarks.published_rnn", *(sys.argv[1:] if arguments is None else arguments)]
    write(options.out, document(trainings, summaries, wall, options, shlex.join(command)))
    progress.print(f"wrote {options.out}", markup=False, highlight=False, soft_wrap=True)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    description = __doc__.splitlines()[0] if __doc__ else None
    parser = argparse.ArgumentParser(prog="benchmarks.published_rnn", description=description)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="the folder that holds stier2021")
    parser.add_argument("--graphs", type=_positive, default=20, help="of every cell, the first ones; default 20 of 200")
    parser.add_argument("--epochs", type=_positive, default=EPOCHS, help=f"default {EPOCHS}, as published")
    parser.add_argument("--threads", type=_positive, default=os.cpu_count(), help="trainings at a time; default: cores")
    parser.add_argument("--engine", choices=ENGINES, default="auto", help="what trains (default auto)")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="JSON file")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: a whole number of at least 1 is needed")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
