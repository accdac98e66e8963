"""What a very large sparse network costs: to draw, build, train by SET, save and load; and an edge at four sizes.

Run from the repository's root: ``python -m benchmarks.large`` (an hour on two cores), or with ``--quick`` to try it.
Every part runs in a process of its own, so that each has its own peak of memory; the same command goes on where it was
stopped. ``--data`` is a folder of published
data that holds ``tabular/higgs-sample``; without it the examples are random numbers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.report import cpu_name, write
from nas.networks import NetworkSpec, SparseMLP, load_network, save_network
from nas.networks.structure import wiring_of
from nas.sparsity import METHODS
from nas.sparsity.allocation import allocate
from nas.sparsity.compact import compact
from nas.sparsity.layers import stack
from nas.sparsity.learning import learn
from nas.studies.published_data import higgs_sample
from nas.tasks.task import Task
from nas.training import Recipe, evaluate
from nas.training.extension import instruction_set
from nas.training.train import begin_wiring
from priors import Layered, Wiring

DEFAULT_OUT = Path(__file__).resolve().parents[1] / "build" / "benchmarks" / "large.json"
ROOT = Path(__file__).resolve().parents[1]
INPUTS, OUTPUTS, BATCH = 28, 2, 64
PER_NEURON = 10
SIZES = (300, 10_000, 100_000, 1_000_000)
RATE = 4e-6
"""Adam's. Output units read half a million neurons: small steps add up."""
SET = {"new_weight": "zero", "every": "1 epoch", "begin": "1 epoch"}
"""Weights of N(0, 1) / 10 would drown what such units compute."""


def sizes_of(n_hidden: int) -> tuple[int, ...]:
    """Return the layers of a network with so many hidden neurons, in two layers."""
    return INPUTS, n_hidden // 2, n_hidden - n_hidden // 2, OUTPUTS


def task_of(data: Path | None, examples: int | None = None) -> Task:
    """Return the Higgs sample with standardised columns, or random examples."""
    if data is None:
        rng = np.random.default_rng(0)
        x = rng.standard_normal((7500, INPUTS)).astype(np.float32)
        task = Task.from_arrays("random", x, (x[:, 0] * x[:, 1] > 0).astype(np.int64), test=np.arange(7000, 7500))
    else:
        found = higgs_sample(data)
        assert found is not None
        task = found
    if examples is None:
        return task
    x, y = task.inputs[-examples:].numpy(), task.targets[-examples:].numpy()
    return Task.from_arrays(task.name, x, y, test=np.arange(examples - examples // 5, examples))


def counts_of(n_hidden: int, weights: int) -> list[int]:
    """Return how many weights each layer of SET's first structure holds."""
    shapes = {str(number): (after, before) for number, (before, after) in enumerate(pairwise(sizes_of(n_hidden)))}
    return [int(count) for count in allocate("er", stack(shapes), weights)]


def drawn(n_hidden: int, weights: int) -> Wiring:
    """Draw a wiring with as many edges in each layer as SET has."""
    sizes = sizes_of(n_hidden)
    places = [before * after for before, after in pairwise(sizes)]
    densities = [count / size for count, size in zip(counts_of(n_hidden, weights), places, strict=True)]
    return Layered(sizes, tuple(densities), inputs=True, outputs=True).sample(0)


# Parts, each in a process of its own


class Meter:
    """Seconds and memory of what is done one thing after another."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {"peak_before": peak()}
        self._at = self._now()

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()

    def lap(self, name: str) -> None:
        """Note what was done since the last one."""
        now = self._now()
        self.found[name] = {"seconds": now[0] - self._at[0], "cpu_seconds": now[1] - self._at[1], "peak": peak()}
        self._at = self._now()


def peak() -> int:
    """Return the most bytes that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def draw_part(options: argparse.Namespace) -> dict[str, Any]:
    """Draw a wiring from a prior, make a network of it, and save and load that."""
    meter = Meter()
    wiring = drawn(options.neurons, options.weights)
    meter.lap("draw")
    assert wiring.fingerprint
    meter.lap("fingerprint")
    network = SparseMLP(wiring, rng=0)
    meter.lap("build")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.safetensors"
        save_network(network, file)
        meter.lap("save")
        meter.found["file_bytes"] = file.stat().st_size
        load_network(file)
        meter.lap("load")
    return {"edges": wiring.n_edges, **meter.found}


def train_part(options: argparse.Namespace) -> dict[str, Any]:
    """Train by SET from layer sizes alone, then save, load, compact and test what was learned."""
    torch.set_num_threads(options.threads)
    task = task_of(options.data, options.examples)
    meter = Meter()
    sizes = sizes_of(options.neurons)
    network = SparseMLP(Wiring(sizes, inputs=True, outputs=True), room=True, rng=0)
    meter.lap("room")
    recipe = Recipe(epochs=options.epochs, batch_size=BATCH, learning_rates=(options.rate,), schedule="constant")
    ends: list[tuple[float, float]] = []

    def watch(step: int, n_steps: int) -> None:
        ends.append((time.perf_counter(), time.process_time()))
        print(f"step {step} of {n_steps}: {ends[-1][0] - started:.0f} s", file=sys.stderr, flush=True)

    started = time.perf_counter()
    found = learn(
        network,
        task,
        recipe,
        METHODS["set-truly-sparse"].replace(**SET),
        weights=options.weights,
        rng=0,
        watch=watch,
    )
    meter.lap("train")
    steps = recipe.epochs * -(-len(task.train) // BATCH)
    live = wiring_of(network)
    meter.lap("wiring_of")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.safetensors"
        save_network(network, file)
        meter.lap("save")
        meter.found["file_bytes"] = file.stat().st_size
        loaded = load_network(file)
        meter.lap("load")
    meter.found["test_accuracy"] = evaluate(loaded, task, task.test).metric
    meter.lap("test")
    small = compact(loaded)  # type: ignore[arg-type]
    meter.lap("compact")
    assert evaluate(small, task, task.test).metric == meter.found["test_accuracy"]
    return {
        "task": task.name,
        "sizes": sizes,
        "neurons": sum(sizes),
        "weights": live.n_edges,
        "weights_by_snapshot": [snapshot.weights for snapshot in found.snapshots],
        "turnover": [snapshot.turnover for snapshot in found.snapshots],
        "train_examples": len(task.train),
        "epochs": [vars(epoch) for epoch in found.history.epochs],
        "seconds_inside_session": found.history.seconds,
        "seconds_a_step": found.history.seconds / steps,
        "updates": found.updates,
        "ever": found.ever,
        "alive_neurons": sum(small.blueprint.sizes),
        **meter.found,
    }


def edge_part(options: argparse.Namespace) -> dict[str, Any]:
    """Measure a training step of 64 examples at one size, with one thread and with several."""
    task = task_of(None)
    weights = PER_NEURON * options.neurons
    wiring = drawn(options.neurons, weights)
    steps = max(int(options.seconds / (weights * 2e-7)), 1)
    recipe = Recipe(epochs=200, batch_size=BATCH, learning_rates=(1e-6,))
    draws = [np.random.default_rng(seed) for seed in (1, 2)]
    opened = begin_wiring(
        wiring, NetworkSpec("mlp"), task, recipe, learning_rate=1e-6, weights=draws[0], batches=draws[1]
    )
    training: Any = opened.session._training  # type: ignore[attr-defined]
    training.run(1, 1e9, 1)
    found: dict[int, list[tuple[float, float]]] = {1: [], options.threads: []}
    for _ in range(options.rounds):
        for threads, times in found.items():
            # Whole epochs end with an evaluation, which is no part of a step.
            first = training.step % (per_epoch := -(-len(task.train) // BATCH))
            count = min(steps, per_epoch - 1 - first)
            if count < 1:
                training.run(training.step + per_epoch - first, 1e9, 1)
                count = min(steps, per_epoch - 1)
            before = time.perf_counter(), time.process_time()
            training.run(training.step + count, 1e9, threads)
            times.append(((time.perf_counter() - before[0]) / count, (time.process_time() - before[1]) / count))
    edges = wiring.n_edges
    return {
        "neurons": options.neurons,
        "edges": edges,
        "threads": {
            str(threads): {
                "nanoseconds_an_edge": 1e9 * float(np.median([wall for wall, _ in times])) / edges,
                "fastest": 1e9 * min(wall for wall, _ in times) / edges,
                "cpu_nanoseconds_an_edge": 1e9 * float(np.median([cpu for _, cpu in times])) / edges,
            }
            for threads, times in found.items()
        },
    }


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "draw": draw_part,
    "train": train_part,
    "edge": edge_part,
}


def in_own_process(part: str, options: argparse.Namespace, **changes: Any) -> dict[str, Any]:
    """Run one part and return what it found, or what it found when the same command was stopped."""
    given = {**vars(options), **changes, "part": part}
    arguments = [
        text
        for name, value in given.items()
        if value is not None and value is not False and name not in ("out", "quick")
        for text in (f"--{name}", str(value))
    ]
    file, key = unfinished(options.out), " ".join(arguments)
    stored: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file.is_file() else {}
    if key not in stored:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.large", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        stored[key] = json.loads(done.stdout.splitlines()[-1])
        write(file, stored)
    return stored[key]


def unfinished(out: Path) -> Path:
    """Return where the parts that are done lie until all are."""
    return out.with_name(f"{out.name}.parts")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write; or run one part and print it as JSON."""
    options = _options(arguments)
    if options.part:
        print(json.dumps(PARTS[options.part](options)))
        return 0
    if options.quick:
        options.neurons, options.weights, options.epochs = 20_000, 200_000, 2
        options.rounds, options.seconds, options.examples = 2, 0.01, 800
    sizes = [size for size in SIZES if size <= options.neurons]
    found = {
        "train": in_own_process("train", options),
        "edges": [in_own_process("edge", options, neurons=size) for size in sizes],
        "draw": in_own_process("draw", options),
    }
    given = sys.argv[1:] if arguments is None else arguments
    # Where the data lie is nobody's business.
    named = ["data" if options.data and text == str(options.data) else text for text in given]
    command = shlex.join(["python", "-m", "benchmarks.large", *named])
    machine = {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "instruction_set": instruction_set(),
        "load_average": os.getloadavg(),
    }
    date = datetime.now(UTC).isoformat(timespec="seconds")
    write(options.out, {"machine": machine, "date": date, "command": command, **found})
    unfinished(options.out).unlink()
    for line in lines_of(found):
        print(line)
    return 0


def lines_of(found: dict[str, Any]) -> list[str]:
    """Return what was found, in words."""
    lines = [
        f"{own['neurons']:>9,} neurons, {own['edges']:>10,} edges: a step of {BATCH} takes "
        + ", ".join(
            f"{times['nanoseconds_an_edge']:.0f} ns an edge on {threads} thread{'s' * (threads != '1')} "
            f"({times['cpu_nanoseconds_an_edge']:.0f} ns of CPU time)"
            for threads, times in own["threads"].items()
        )
        for own in found["edges"]
    ]
    draw, train = found["draw"], found["train"]
    for part, names in ((draw, ("draw", "fingerprint", "build", "save", "load")), (train, ("train", "save", "load"))):
        count = part.get("edges", part.get("weights"))
        lines += [
            f"{name}: {part[name]['seconds']:.1f} s, peak {part[name]['peak'] / 2**20:.0f} MiB, "
            f"{(part[name]['peak'] - part['peak_before']) / count:.0f} bytes an edge above what imports take"
            for name in names
        ]
    epochs = len(train["epochs"])
    lines.append(
        f"SET: {train['neurons']:,} neurons, {train['weights']:,} weights, {train['train_examples']:,} examples: "
        f"{train['train']['seconds'] / epochs:.0f} s an epoch, {train['seconds_a_step']:.2f} s a step; "
        f"test accuracy {train['test_accuracy']:.3f} on {train['task']}"
    )
    return lines


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.large", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--neurons", type=int, default=1_000_000, help="hidden ones (default 1,000,000)")
    parser.add_argument("--weights", type=int, default=10_000_000, help="connections (default 10,000,000)")
    parser.add_argument("--epochs", type=int, default=3, help="of SET (default 3)")
    parser.add_argument("--rate", type=float, default=RATE, help=f"learning rate (default {RATE:g})")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="default: one a core")
    parser.add_argument("--rounds", type=int, default=5, help="turns of every number of threads (default 5)")
    parser.add_argument("--seconds", type=float, default=0.3, help="of a turn, about (default 0.3)")
    parser.add_argument("--examples", type=int, default=None, help="fewer examples than there are")
    parser.add_argument("--data", type=Path, default=None, help="folder of published data (default: random examples)")
    parser.add_argument("--quick", action="store_true", help="a small network: to try the benchmark, not to measure")
    parser.add_argument("--part", choices=PARTS, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="JSON file")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
