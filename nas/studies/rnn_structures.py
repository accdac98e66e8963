"""GRUs of equal size: their structure learned by pruning and rewiring, or drawn from priors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nas.errors import as_input_errors
from nas.evaluation.estimates import Mean, mean_of
from nas.evaluation.references import dense_of_equal_size
from nas.evaluation.trainings import Row, Training, Trainings, grouped
from nas.networks import NetworkSpec
from nas.report.card import markdown_table
from nas.seeds import stream
from nas.sparsity import METHODS, Method
from nas.sparsity.learning import learn
from nas.studies.published_data import japanese_vowels
from nas.studies.tables import format_estimate
from nas.tasks import Task, reber_embedded
from nas.training import Recipe, begin_wiring, evaluate
from nas.training.session import StopFlag
from priors import BarabasiAlbert, Layered, WattsStrogatz, Wiring

__all__ = ["LEARNED", "STATIC", "Structures", "flat", "numbers_of", "section"]

_CHANGES = {"every": "1 epoch", "begin": "1 epoch", "end": "75%"}
LEARNED: dict[str, Method] = {
    "RigL": METHODS["rigl"].replace(**_CHANGES),
    "SET": METHODS["set-truly-sparse"].replace(**_CHANGES),
    "GMP": METHODS["gmp"].replace(**_CHANGES),
}
"""Methods that learn a structure; all change it once an epoch, for three quarters of the training."""
STATIC = ("Watts-Strogatz", "Barabasi-Albert", "random layered", "dense")
"""Where structures that stay come from; dense is a narrower network with every edge."""
_RATES = (0.003, 0.01, 0.03)
_DEGREE, _REWIRED, _N_LAYERS = 4, 0.1, 3


@dataclass(frozen=True)
class Structures:
    """What all trainings of GRUs have in common."""

    tasks: tuple[Task, ...]
    epochs: int
    neurons: int
    engine: str
    spec: NetworkSpec = field(default_factory=lambda: NetworkSpec("rnn", cell="gru"))

    @classmethod
    def of(cls, data: Path | None, strings: int, epochs: int, neurons: int, engine: str) -> Structures:
        """Return the setting: the embedded Reber grammar, and speakers where their file is."""
        vowels = japanese_vowels(data)
        with as_input_errors("strings need more memory than there is"):
            embedded = reber_embedded(strings)
        return cls((embedded, *([] if vowels is None else [vowels])), epochs, neurons, engine)

    @property
    def setting(self) -> dict[str, Any]:
        """What tells these trainings from others."""
        return {
            "tasks": {task.name: task.fingerprint for task in self.tasks},
            "epochs": self.epochs,
            "neurons": self.neurons,
            "parameters": {task.name: self.parameters(task) for task in self.tasks},
        }

    @property
    def n_edges(self) -> int:
        """Edges between neurons of drawn structures."""
        return self.neurons * _DEGREE

    def parameters(self, task: Task) -> int:
        """Parameters of drawn structures, and at most of learned ones."""
        return self.spec.n_parameters(self.wiring(STATIC[0], task, 0))["total"]

    def wiring(self, name: str, task: Task, seed: int) -> Wiring:
        """Draw a structure from a prior; all neurons read all inputs, and all outputs read all neurons."""
        rng, n = stream(seed, "wiring", STATIC.index(name)), self.neurons
        if name == "random layered":
            hidden = _layered(n, self.n_edges, rng)
        elif name == "Barabasi-Albert":
            hidden = _with_edges(BarabasiAlbert(n, _DEGREE // 2).sample(rng), self.n_edges, rng)
        else:
            hidden = WattsStrogatz(n, _DEGREE, _REWIRED).sample(rng)
        wiring = _attached(hidden, task)
        if name == "dense":
            found = dense_of_equal_size(wiring, self.spec)
            assert found is not None
            return found.wiring
        return wiring

    def run(self, trainings: Trainings, seeds: int) -> list[Row]:
        """Return a row for each training that counts, of every task, structure and seed."""
        arms = [(index, name) for index in range(len(self.tasks)) for name in (*LEARNED, *STATIC)]
        best = trainings.best_rates("learning rates of GRUs", arms, _RATES, self._training)
        return trainings.run(
            "structures of GRUs", [self._training(arm, best[arm], seed) for seed in range(seeds) for arm in arms]
        )

    def _training(self, arm: tuple[int, str], rate: float, seed: int) -> Training:
        task, name = self.tasks[arm[0]], arm[1]
        key = {"part": "structure", "task": task.name, "structure": name, "learning_rate": rate, "seed": seed}
        run = self._learn if name in LEARNED else self._train
        return Training(key, lambda stop: run(task, name, rate, seed, stop))

    def _recipe(self, task: Task) -> Recipe:
        return Recipe(learning_rates=_RATES, epochs=self.epochs, batch_size=min(64, max(1, len(task.train) // 16)))

    def _learn(self, task: Task, name: str, rate: float, seed: int, stop: StopFlag) -> Row:
        parent = self.spec.complete(task.n_inputs, (self.neurons,), task.n_outputs)
        network = self.spec.build(parent, stream(seed, "weights", parent.fingerprint, 0))
        learned = learn(
            network,
            task,
            self._recipe(task),
            LEARNED[name],
            parameters=self.parameters(task),
            learning_rate=rate,
            rng=stream(seed, "batches", parent.fingerprint, 0),
            engine=self.engine,
            stop=stop,
        )
        test = evaluate(learned.network, task, task.test, engine=self.engine).metric
        return {"validation": learned.history.value, "test": test, "parameters": learned.liveness.n_parameters}

    def _train(self, task: Task, name: str, rate: float, seed: int, stop: StopFlag) -> Row:
        wiring = self.wiring(name, task, seed)
        training = begin_wiring(
            wiring,
            self.spec,
            task,
            self._recipe(task),
            learning_rate=rate,
            weights=stream(seed, "weights", wiring.fingerprint, 0),
            batches=stream(seed, "batches", wiring.fingerprint, 0),
            engine=self.engine,
            stop=stop,
        ).run()
        total = self.spec.n_parameters(wiring)["total"]
        return {"validation": training.history.value, "test": training.test(), "parameters": total}


def _attached(hidden: Wiring, task: Task) -> Wiring:
    """Let all neurons read all inputs, and all outputs read all neurons."""
    first, n = task.n_inputs, hidden.n_neurons
    neurons, outputs = np.arange(first, first + n), np.arange(first + n, first + n + task.n_outputs)
    read_in = np.stack(np.meshgrid(np.arange(first), neurons, indexing="ij"), axis=-1).reshape(-1, 2)
    read_out = np.stack(np.meshgrid(neurons, outputs, indexing="ij"), axis=-1).reshape(-1, 2)
    edges = np.concatenate([read_in, hidden.edges.astype(np.int64) + first, read_out])
    return Wiring((first, *hidden.sizes, task.n_outputs), edges, inputs=True, outputs=True)


def _layered(n: int, n_edges: int, rng: np.random.Generator) -> Wiring:
    """Return three layers of neurons with random edges, half of them to the next layer and half within a layer."""
    sizes = tuple(len(part) for part in np.array_split(np.arange(n), _N_LAYERS))
    forward = Layered(sizes, edges=n_edges // 2).sample(rng)
    firsts = np.cumsum((0, *sizes))
    pairs = np.concatenate(
        [first + np.argwhere(np.ones((size, size))) for first, size in zip(firsts, sizes, strict=False)]
    )
    within = pairs[np.argsort(rng.random(len(pairs)), kind="stable")[: n_edges - forward.n_edges]]
    return Wiring(sizes, np.concatenate([forward.edges, within]))


def _with_edges(wiring: Wiring, count: int, rng: np.random.Generator) -> Wiring:
    """Return a wiring with some random edges more or fewer, so that it has exactly so many."""
    n = wiring.n_neurons
    lives = np.zeros((n, n), bool)
    lives[tuple(wiring.edges.T)] = True
    candidates = np.argwhere(~lives & ~np.eye(n, dtype=bool)) if count > wiring.n_edges else np.argwhere(lives)
    chosen = candidates[np.argsort(rng.random(len(candidates)), kind="stable")[: abs(count - wiring.n_edges)]]
    lives[tuple(chosen.T)] = count > wiring.n_edges
    return Wiring(wiring.sizes, np.argwhere(lives))


# Numbers and words


def numbers_of(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return a record for each task and structure, with its paired differences from the best drawn one."""
    found = []
    for (task,), own in grouped(rows, "task").items():
        by_name = {name: of for (name,), of in grouped(own, "structure").items()}
        # By validation, so that the test part does not say which of them is compared with.
        rivals = [name for name in STATIC if name in by_name and name != "dense"]
        best = max(rivals, key=lambda name: np.mean([row["validation"] for row in by_name[name]]))
        for name, of in by_name.items():
            differences = [row["test"] - other["test"] for row, other in zip(of, by_name[best], strict=True)]
            found.append(
                {
                    "task": task,
                    "structure": name,
                    "learning_rate": of[0]["learning_rate"],
                    "parameters": float(np.mean([row["parameters"] for row in of])),
                    "validation": float(np.mean([row["validation"] for row in of])),
                    "test": mean_of([row["test"] for row in of]),
                    "rival": best,
                    "less_rival": None if name == best else mean_of(differences),
                }
            )
    return found


def flat(row: Row) -> dict[str, Any]:
    """Return a training as a row of a table."""
    names = ("task", "structure", "learning_rate", "seed", "parameters", "validation", "test")
    return {name: row[name] for name in names}


def section(numbers: Sequence[Mapping[str, Any]], setting: Mapping[str, Any], seeds: int) -> str:
    """Return what the page says of learned and drawn structures."""
    rows, said = [], []
    for own in numbers:
        gain = "" if own["less_rival"] is None else format_estimate(Mean.of(own["less_rival"]), "+")
        rows.append(
            [
                own["task"],
                own["structure"],
                f"{own['parameters']:.0f}",
                f"{own['learning_rate']:g}",
                format_estimate(Mean.of(own["test"])),
                gain,
            ]
        )
    for task in dict.fromkeys(own["task"] for own in numbers):
        groups: dict[str, list[str]] = {}
        rival = ""
        for own in numbers:
            if own["task"] == task and own["structure"] in LEARNED:
                less, rival = Mean.of(own["less_rival"]), own["rival"]
                word = "ahead of" if less.low > 0 else "BEHIND" if less.high < 0 else "not told apart from"
                groups.setdefault(word, []).append(own["structure"])
        words = "; ".join(f"{', '.join(names)} {word} it" for word, names in groups.items())
        said.append(f"On {task} the best drawn structure by validation is {rival}: {words}.")
    table = markdown_table(
        ("task", "structure", "parameters", "rate", "test accuracy", "less the best drawn one"), rows
    )
    return _SECTION.format(
        neurons=setting["neurons"],
        epochs=setting["epochs"],
        seeds=seeds,
        degree=_DEGREE,
        edges=setting["neurons"] * _DEGREE,
        rewired=_REWIRED,
        table=table,
        said=" ".join(said),
    )


_SECTION = """\
## Learned structures beside drawn ones

GRUs with {neurons} neurons, trained for {epochs} epochs by Adam, the rate falling by a cosine from one of three that is
chosen by validation for each structure, on a seed that does not count; {seeds} seeds. *Watts-Strogatz* (degree
{degree}, rewired with probability {rewired}), *Barabasi-Albert* ({degree} edges a neuron, the last few at random) and
*random layered* (three layers; half of the edges lead to the next layer, half stay within theirs) are drawn anew for
each seed; they have {edges} edges between neurons, all neurons read all inputs, and all outputs read all neurons.
*dense* has fewer neurons with every edge. *RigL*, *SET* and *GMP* may have as many parameters at most, live ones,
wherever they want them, also among those that read inputs and are read; single weights of an edge's gates come and go.
Their structure changes once an epoch, for three quarters of the training.

{table}

Differences are paired by seed, with 95 % intervals of Student's t. {said} A rate was chosen by one training each, so
that a wide interval may be a rate that was chosen badly.
"""
