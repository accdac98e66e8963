"""Benchmark of rewiring: what an epoch of RigL costs beside static sparse training, and beside RigL in masked torch.

LeNet-300-100 (784-300-100-10) at density .05, on images of MNIST's size, Adam in batches of 100, an update of the
structure every 100 steps. Run from the repository's root: ``python -m benchmarks.rewiring``.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.inputs import layered
from benchmarks.measure import Quartiles, Verdict
from benchmarks.report import cpu_name, write
from nas.networks import SparseMLP
from nas.sparsity import method_of
from nas.sparsity.learning import learn
from nas.tasks import Task
from nas.training import Recipe
from nas.training.extension import MISSING, has_native, instruction_set

__all__ = ["CONTENDERS", "MaskedRigL", "Result", "batches", "images", "measure"]

DEFAULT_OUT = Path(__file__).resolve().parents[1] / "build" / "benchmarks" / "rewiring.json"
SIZES, DENSITY, BATCH, EVERY, RATE = (784, 300, 100, 10), 0.05, 100, 100, 1e-3
FRACTION = 0.3
PIXELS = 0.19
"""Share of MNIST's pixels that are not zero."""
MOST_OVER_STATIC, LEAST_UNDER_TORCH = 1.3, 5.0


@cache
def images(n: int) -> Task:
    """Return images of MNIST's size, as many of whose pixels are zero, of which a tenth are for validation."""
    rng = np.random.default_rng(0)
    targets = rng.integers(SIZES[-1], size=n)
    templates = rng.random((SIZES[-1], SIZES[0])) < PIXELS
    lit = templates[targets] ^ (rng.random((n, SIZES[0])) < 0.05)
    inputs = np.where(lit, 1.0 - rng.random(lit.shape), 0.0).astype(np.float32)
    task = Task.from_arrays("images", inputs, targets)
    order, held_out = torch.arange(n), n // 10
    train, validation, test = torch.split(order, [n - held_out - 1, held_out, 1])
    return replace(task, train=train, validation=validation, test=test)


@cache
def n_weights() -> int:
    """Return how many weights live."""
    return round(DENSITY * sum(a * b for a, b in pairwise(SIZES)))


# The project's own


def _learned(method: str, engine: str = "native") -> Callable[[Task, int], list[float]]:
    def run(task: Task, epochs: int) -> list[float]:
        network = SparseMLP(layered(SIZES, 1.0, 0), rng=0)
        recipe = Recipe(epochs=epochs, batch_size=BATCH, learning_rates=RATE, schedule="constant")
        switches = {} if method == "static" else {"every": EVERY, "begin": EVERY, "end": "never", "fraction": FRACTION}
        per_epoch = -(-len(task.train) // BATCH)
        ends = [time.process_time()]

        def watch(step: int, _: int) -> None:
            if step == per_epoch * len(ends):
                ends.append(time.process_time())

        learn(network, task, recipe, method_of(method, **switches), weights=n_weights(), rng=0, engine=engine,
              watch=watch)  # fmt: skip
        return np.diff(ends).tolist()

    return run


# Ordinary torch


class MaskedRigL:
    """RigL as released codes in torch have it: dense weights times masks, and dense gradients.

    Every step multiplies gradients by the masks before the optimizer's step and weights by them after it. In place of a
    step an update drops the smallest weights and grows where the dense gradients of its batch are largest.

    Parameters
    ----------
    rng : numpy Generator
        Draws the first masks and the initial weights.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        torch.manual_seed(int(rng.integers(2**31)))
        shapes = list(pairwise(SIZES))
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in shapes)
        # As ERK: density in proportion to the sum over the product of a layer's widths.
        raw = np.array([a + b for a, b in shapes])
        counts = np.minimum(raw * n_weights() / raw.sum(), [a * b for a, b in shapes]).astype(int)
        self.masks = []
        for layer, count in zip(self.layers, counts, strict=True):
            mask = torch.zeros(layer.weight.numel())
            mask[torch.from_numpy(rng.permutation(layer.weight.numel())[:count])] = 1.0
            self.masks.append(mask.view_as(layer.weight))
        self.optimizer = torch.optim.Adam(self.layers.parameters(), RATE)
        self._mask_weights()

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, n_outputs)."""
        for layer in self.layers[:-1]:
            x = layer(x).relu()
        outputs: Tensor = self.layers[-1](x)
        return outputs

    def step(self, x: Tensor, y: Tensor) -> None:
        """Update the weights."""
        self._differentiate(x, y)
        for layer, mask in zip(self.layers, self.masks, strict=True):
            layer.weight.grad.mul_(mask)
        self.optimizer.step()
        self._mask_weights()

    @torch.no_grad()
    def rewire(self, x: Tensor, y: Tensor, fraction: float) -> None:
        """Update the structure in place of a step."""
        with torch.enable_grad():
            self._differentiate(x, y)
        for layer, mask in zip(self.layers, self.masks, strict=True):
            weight, gradient, flat = layer.weight, layer.weight.grad, mask.view(-1)
            count = int(fraction * int(mask.sum()))
            dropped = torch.topk(torch.where(mask > 0, weight.abs(), torch.inf).view(-1), count, largest=False).indices
            before = flat.clone()
            flat[dropped] = 0.0
            grown = torch.topk(torch.where(mask > 0, -1.0, gradient.abs()).view(-1), count).indices
            flat[grown] = 1.0
            new = (flat > before).view_as(weight)
            weight.mul_(mask)
            weight[new] = 0.0
            for slot in self.optimizer.state[weight].values():
                if slot.shape == weight.shape:
                    slot.mul_(mask)
                    slot[new] = 0.0

    def _differentiate(self, x: Tensor, y: Tensor) -> None:
        self.optimizer.zero_grad()
        functional.cross_entropy(self.forward(x), y).backward()  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def _mask_weights(self) -> None:
        for layer, mask in zip(self.layers, self.masks, strict=True):
            layer.weight.mul_(mask)

    @torch.no_grad()
    def accuracy(self, x: Tensor, y: Tensor) -> float:
        """Return the share of examples that are classified rightly."""
        return float((self.forward(x).argmax(dim=1) == y).float().mean())


def batches(task: Task, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the batches of an epoch."""
    for part in torch.split(task.train[torch.from_numpy(rng.permutation(len(task.train)))], BATCH):
        yield task.inputs[part], task.targets[part]


def _masked(task: Task, epochs: int) -> list[float]:
    rng = np.random.default_rng(0)
    network, done = MaskedRigL(rng), 0
    n_steps, ends = epochs * -(-len(task.train) // BATCH), [time.process_time()]
    for _ in range(epochs):
        for x, y in batches(task, rng):
            if done and done % EVERY == 0:
                network.rewire(x, y, FRACTION / 2 * (1 + np.cos(np.pi * done / n_steps)))
            else:
                network.step(x, y)
            done += 1
        network.accuracy(task.inputs[task.validation], task.targets[task.validation])
        ends.append(time.process_time())
    return np.diff(ends).tolist()


def _sparselab(task: Task, epochs: int) -> list[float]:
    """Train by sparselab's RigL, with its own first masks, and the same share dropped in every update."""
    import sparselab

    torch.manual_seed(0)
    algorithm = sparselab.RigL(sparsity=1 - DENSITY, drop_fraction=FRACTION, update_freq=EVERY, seed=0)
    layers = [sparselab.SparseLinear(a, b, sparsity=1 - DENSITY) for a, b in pairwise(SIZES)]
    network = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
    network.apply(algorithm)
    optimizer, rng, ends = torch.optim.Adam(network.parameters(), RATE), np.random.default_rng(0), [time.process_time()]
    for _ in range(epochs):
        for x, y in batches(task, rng):
            optimizer.zero_grad()
            functional.cross_entropy(network(x), y).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            algorithm.step()
        with torch.no_grad():
            network(task.inputs[task.validation])
        ends.append(time.process_time())
    return np.diff(ends).tolist()


CONTENDERS: dict[str, Callable[[Task, int], list[float]]] = {
    "RigL, native": _learned("rigl"),
    "static sparse, native": _learned("static"),
    "SET, native": _learned("set-truly-sparse"),
    "RigL, masked torch": _masked,
    "RigL, sparselab": _sparselab,
}
"""Functions from a task and a number of epochs to the processor time of each epoch, validation included."""
OWN, STATIC, TORCH, SPARSELAB = "RigL, native", "static sparse, native", "RigL, masked torch", "RigL, sparselab"


@dataclass(frozen=True)
class Result:
    """Processor time of an epoch, and how many times as long as one of RigL in the compiled engine it takes.

    Attributes
    ----------
    seconds : mapping
        Of epochs after the first one, by contender.
    ratios : mapping
        To RigL in the compiled engine, within a turn.
    first : mapping
        Median seconds of a first epoch, in which some things are made once.
    skipped : mapping
        Why contenders were left out.
    """

    seconds: dict[str, Quartiles]
    ratios: dict[str, Quartiles]
    first: dict[str, float]
    skipped: dict[str, str]

    def verdicts(self) -> list[Verdict]:
        """Return what became of the targets."""
        over, under = 1 / self.ratios[STATIC].median, self.ratios[TORCH].median
        return [
            Verdict(f"x {STATIC}", MOST_OVER_STATIC, over, over <= MOST_OVER_STATIC),
            Verdict(f"x faster than {TORCH}", LEAST_UNDER_TORCH, under, under >= LEAST_UNDER_TORCH),
        ]


def measure(n: int, epochs: int, rounds: int) -> Result:
    """Let all contenders take turns, each with a training of so many epochs on so many images."""
    task = images(n)
    skipped = {} if find_spec("sparselab") else {SPARSELAB: "it is not installed (pip install sparselab)"}
    names = [name for name in CONTENDERS if name not in skipped]
    found: dict[str, list[list[float]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            found[name].append(CONTENDERS[name](task, epochs))
    later = {name: [float(np.mean(own[1:])) for own in turns] for name, turns in found.items()}
    return Result(
        {name: Quartiles.of(own) for name, own in later.items()},
        {name: Quartiles.of(np.divide(own, later[OWN]).tolist()) for name, own in later.items() if name != OWN},
        {name: float(np.median([own[0] for own in turns])) for name, turns in found.items()},
        skipped,
    )


def table(result: Result) -> Table:
    """Return the result as a table."""
    own = Table("an epoch of", "processor time", "x RigL, native", "the first epoch")
    for name, seconds in result.seconds.items():
        ratio = result.ratios.get(name)
        own.add_row(
            name,
            f"{1e3 * seconds.median:,.0f} ms [{1e3 * seconds.low:,.0f}, {1e3 * seconds.high:,.0f}]",
            "" if ratio is None else f"{ratio.median:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]",
            f"{1e3 * result.first[name]:,.0f} ms",
        )
    return own


def document(result: Result, command: str, **how: int) -> dict[str, Any]:
    """Return everything that was measured, in seconds, as JSON's types."""
    return {
        "machine": {
            "cpu": cpu_name(),
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "sparselab": None if SPARSELAB in result.skipped else version("sparselab"),
            "instruction_set": instruction_set(),
        },
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "network": {"sizes": SIZES, "density": DENSITY, "weights": n_weights(), "batch_size": BATCH, "every": EVERY},
        **how,
        **asdict(result),
        "targets": [asdict(verdict) for verdict in result.verdicts()],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and return the exit code: 0, or 2 where the compiled engine is missing."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.rewiring", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("--images", type=int, default=20_000, help="a tenth of them for validation (default 20000)")
    parser.add_argument("--epochs", type=int, default=4, help="of a training; the first is not counted (default 4)")
    parser.add_argument("--rounds", type=int, default=9, help="turns of every contender (default 9)")
    parser.add_argument("--quick", action="store_true", help="one short turn: to try the benchmark, not to measure")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="JSON file")
    options = parser.parse_args(arguments)
    if not has_native():
        print(f"the compiled engine is missing: {MISSING}", file=sys.stderr)
        return 2
    torch.set_num_threads(1)
    how = {"images": options.images, "epochs": options.epochs, "rounds": options.rounds}
    if options.quick:
        how = {"images": 6000, "epochs": 2, "rounds": 1}
    result = measure(how["images"], how["epochs"], how["rounds"])
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table(result))
    for name, reason in result.skipped.items():
        console.print(f"left out: {name}: {reason}", markup=False)
    for verdict in result.verdicts():
        met = "met" if verdict.met else "missed"
        console.print(f"{met}: {verdict.value:.2f} {verdict.what} (target {verdict.bound})", markup=False)
    command = shlex.join(["python", "-m", "benchmarks.rewiring", *(sys.argv[1:] if arguments is None else arguments)])
    write(options.out, document(result, command, **how))
    return 0


if __name__ == "__main__":
    sys.exit(main())
