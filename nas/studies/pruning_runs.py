"""Prunings with retraining of one dense network: six methods, and how fast to go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, cast

from torch import nn

from nas.evaluation.trainings import Row
from nas.networks import NetworkSpec, load_network, save_network
from nas.networks.structure import Network
from nas.seeds import stream
from nas.sparsity import EmptyLayerError
from nas.sparsity.iterative import IterativePruning, prune_iteratively
from nas.tasks import Task
from nas.training import Recipe, evaluate, train
from nas.training.session import StopFlag
from priors import Wiring

__all__ = [
    "AS_BLINDED",
    "BLINDED",
    "CONTROL",
    "DISTRIBUTED",
    "GAIN",
    "LEVELS",
    "METHODS",
    "ONE_SHOT",
    "RECIPE",
    "RETRAINING",
    "SCHEDULES",
    "SHARE",
    "UNIFORM",
    "Bench",
    "plan_of",
    "weights_at",
]

LEVELS = (0.80, 0.90, 0.95, 0.98, 0.99)
"""Compressions through which every pruning goes: shares of the weights that are gone."""
LAST = 1 - 500 / 79_400
"""Compression at which it ends: the published 500 weights of 784-100-10."""
ONE_SHOT = (0.80, 0.85, 0.90, 0.95)
"""Compressions of one-shot pruning."""
GAIN = 0.001
"""Validation accuracy that one more epoch must bring, where retrainings end by themselves."""
RECIPE = Recipe(optimizer="sgd", momentum=0.9, learning_rates=(0.003, 0.01, 0.03), epochs=20, batch_size=64)
"""Of the dense networks; retrainings have the same with a constant rate."""
SHARE, RETRAINING = 0.25, 2
"""Share of the weights that a step of every method removes, and epochs after it."""
AS_BLINDED = ("OBD", "OBS")
"""Methods that differ from class-blinded magnitude in their score alone, and have its learning rate."""

BLINDED, UNIFORM, DISTRIBUTED, CONTROL = "class-blinded", "class-uniform", "class-distributed", "unpruned"

METHODS: dict[str, IterativePruning] = {
    name: IterativePruning(score=score, allocation=allocation, rate=SHARE, epochs=RETRAINING)
    for name, score, allocation in (
        ("random", "random", BLINDED),
        (UNIFORM, "magnitude", UNIFORM),
        (DISTRIBUTED, "magnitude", DISTRIBUTED),
        (BLINDED, "magnitude", BLINDED),
        ("OBD", "obd", BLINDED),
        ("OBS", "obs", BLINDED),
    )
}
"""The six methods that are compared at a quarter a step; the middle three prune by magnitude."""

SCHEDULES: dict[str, IterativePruning] = {
    "25 %": METHODS[BLINDED],
    "50 %": IterativePruning(rate=0.5, epochs=RETRAINING),
    "75 %": IterativePruning(rate=0.75, epochs=RETRAINING),
    "1,000 weights": IterativePruning(number=1_000, epochs=RETRAINING),
    "5,000 weights": IterativePruning(number=5_000, epochs=RETRAINING),
    "10,000 weights": IterativePruning(number=10_000, epochs=RETRAINING),
    "25 %, up to 10 epochs": IterativePruning(rate=SHARE, epochs=10, gain=GAIN),
    "25 %, from initial weights": IterativePruning(rate=SHARE, epochs=RETRAINING, restart=True),
    "at once, up to 25 epochs": IterativePruning(epochs=25, gain=GAIN),
}
"""How fast class-blinded magnitude pruning goes: what a step removes, and how long a retraining is."""


@dataclass(frozen=True)
class Bench:
    """What all trainings of the study have in common."""

    task: Task
    wiring: Wiring
    recipe: Recipe
    networks: Path
    engine: str

    @property
    def total(self) -> int:
        """Weights of a dense network."""
        return self.wiring.n_edges

    def fresh(self, seed: int) -> nn.Module:
        """Return a dense network before it is trained."""
        return NetworkSpec("mlp").build(self.wiring, stream(seed, "weights", self.wiring.fingerprint, 0))

    def trained(self, seed: int, rate: float) -> nn.Module:
        """Return a dense network that was trained and kept, or train it again where it was not."""
        if not self._file(seed, rate).is_file():
            self.train(seed, rate)
        return load_network(self._file(seed, rate))

    def _file(self, seed: int, rate: float) -> Path:
        return self.networks / f"{seed}-{rate:g}.safetensors"

    def train(self, seed: int, rate: float, stop: StopFlag | None = None) -> Row:
        """Train a dense network, and keep it."""
        network, rng = self.fresh(seed), stream(seed, "batches", self.wiring.fingerprint, 0)
        history = train(network, self.task, self.recipe, learning_rate=rate, rng=rng, engine=self.engine, stop=stop)
        self.networks.mkdir(parents=True, exist_ok=True)
        save_network(cast("Network", network), self._file(seed, rate))
        return {"validation": history.value, "test": self._test(network), "seconds": history.seconds}

    def _test(self, network: nn.Module) -> float:
        return evaluate(network, self.task, self.task.test, engine=self.engine).metric

    def prune(self, pruning: IterativePruning, seed: int, dense: float, rate: float, stop: StopFlag) -> Row:
        """Prune a dense network as far as it goes, and return how accurate it is after every step."""
        rng = stream(seed, "batches", self.wiring.fingerprint, 1)
        network, curve, ended = self.trained(seed, dense), [], ""
        at_once = pruning.rate is None and pruning.number is None
        epochs = 0
        for level in ONE_SHOT if at_once else (*LEVELS, LAST):
            if at_once:
                network, epochs = self.trained(seed, dense), 0
            steps = prune_iteratively(
                network,
                self.task,
                self.retraining,
                pruning,
                weights=weights_at(level, self.total),
                initial=self.fresh(seed) if pruning.restart else None,
                learning_rate=rate,
                rng=rng,
                engine=self.engine,
                stop=stop,
            )
            try:
                for step in steps:
                    epochs += len(step.history.epochs)
                    curve.append(self._point(network, step.weights, epochs, step.history.value))
            except EmptyLayerError as error:
                ended = str(error)
                break
        return _row(curve, ended)

    def control(self, seed: int, dense: float, rate: float, n_steps: int, stop: StopFlag) -> Row:
        """Train the dense network on, as long as the methods do."""
        network, rng, curve = self.trained(seed, dense), stream(seed, "batches", self.wiring.fingerprint, 1), []
        recipe = self.retraining.model_copy(update={"epochs": RETRAINING})
        batches = rng.spawn(1)[0]
        for step in range(n_steps):
            history = train(network, self.task, recipe, learning_rate=rate, rng=batches, engine=self.engine, stop=stop)
            curve.append(self._point(network, self.total, RETRAINING * (step + 1), history.value))
        return _row(curve, "")

    @property
    def retraining(self) -> Recipe:
        """How networks are trained after a step."""
        return self.recipe.model_copy(update={"schedule": "constant"})

    def _point(self, network: nn.Module, weights: int, epochs: int, validation: float) -> dict[str, Any]:
        return {"weights": weights, "epochs": epochs, "validation": validation, "test": self._test(network)}


def _row(curve: list[dict[str, Any]], ended: str) -> Row:
    # A network that could not be pruned any further is worth nothing there.
    value = fmean(point["validation"] for point in curve) if curve else 0.0
    return {"validation": value, "curve": curve, "ended": ended}


def weights_at(level: float, total: int) -> int:
    """Return the weights that are left at a compression."""
    return max(1, round((1 - level) * total))


def plan_of(how: IterativePruning, total: int) -> list[int]:
    """Return the weights after each step of a pruning that no empty layer ends."""
    plan, left = [], total
    for level in (*LEVELS, LAST):
        plan += how.counts(left, weights_at(level, total))
        left = plan[-1]
    return plan
