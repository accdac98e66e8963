"""Campaigns that are over, for the tests of what they leave behind."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np

from nas.evaluation.finals import Finals, run_finals
from nas.evaluation.trainer import Trainer
from nas.evaluation.watcher import Watcher
from nas.networks import NetworkSpec
from nas.options.options import CampaignOptions
from nas.report.card import card
from nas.report.outcome import Outcome
from nas.report.output import write_output
from nas.store.records import Record, Records, describe
from nas.tasks import Task
from nas.training import Recipe
from priors import WattsStrogatz, Wiring, attach, layer, orient

KINDS = ["mlp", "rnn", "minimize", "own"]
NAMES = ["linear", "dense with equal parameters", "dense with equal neurons", "random with equal edges"]


def wiring(kind: str, seed: int = 0) -> Wiring:
    graph = WattsStrogatz(6, 4, 0.5).sample(seed)
    if kind == "own":
        return layer(orient(graph, rng=seed))
    return attach(graph if kind == "rnn" else layer(orient(graph, rng=seed)), 4, 3, "natural")


def task_of(kind: str) -> Task:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(60, 5, 4) if kind == "rnn" else (60, 4))
    targets = rng.normal(size=(60, 3)) if kind == "minimize" else rng.integers(3, size=60)
    return Task.from_arrays("tiny", inputs, targets, description="random numbers", plateaus={"dice": 0.3321})


class Found:
    """A campaign that is over: of an MLP, an RNN, a task to minimise, or an own evaluation."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        own = kind == "own"
        self.task = None if own else task_of(kind)
        self.options = CampaignOptions(
            task=None if own else "tiny",
            network="rnn" if kind == "rnn" else "mlp",
            cell="lstm",
            activation="tanh",
            trials=5,
            seed=11,
            direction="minimize" if kind == "minimize" else "maximize",
            recipe=Recipe(epochs=1, learning_rates=(0.01, 0.02), weight_decay=0.125),
        )
        values = [0.5, None, 0.75, 0.75, 0.25]
        self.records = Records(tuple(self.record(index, value) for index, value in enumerate(values)))
        self.finals = None if own else self.run_finals()

    def record(self, index: int, value: float | None) -> Record:
        return Record(
            number=index,
            state="failed" if value is None else "complete",
            value=value,
            params={"family": "watts-strogatz", "n": 6},
            engine="own" if self.kind == "own" else "torch",
            n_parameters=77,
            **describe(wiring(self.kind, index)),
        )

    def run_finals(self) -> Finals:
        assert self.task is not None
        spec = NetworkSpec(self.options.network, activation="tanh", cell="lstm")
        trainer = Trainer(self.task, spec, self.options.recipe, seed=11)
        candidates = [(index, wiring(self.kind, index)) for index in (2, 3)]
        with ThreadPoolExecutor(1) as executor:
            return run_finals(trainer, candidates, n_seeds=2, executor=executor, watcher=Watcher())

    def rebuild(self, record: Record) -> Wiring:
        return wiring(self.kind, record.number)

    def outcome(self, out: Path) -> Outcome:
        return Outcome.of(out, self.options, self.task, self.records, self.finals, over=True)

    def write(self, out: Path) -> Outcome:
        outcome = self.outcome(out)
        write_output(out, self.options, self.task, self.records, self.finals, outcome, self.rebuild)
        return outcome

    def card(self) -> str:
        return card(self.options, self.task, self.finals, self.outcome(Path("results/tiny")), self.records)


@cache
def found(kind: str) -> Found:
    """Return a campaign of this kind, whose finals are held once."""
    return Found(kind)
