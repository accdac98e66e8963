"""Learn a structure for a task with fresh seeds, and find out what it is worth."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from threading import Event
from typing import Any, cast

import numpy as np
from torch import nn

from nas.errors import InputError
from nas.evaluation.references import references
from nas.evaluation.threads import in_order, one_torch_thread, stop_on_signal
from nas.evaluation.trainer import Trainer
from nas.networks import load_network, save_network
from nas.networks.structure import Network, n_parameters, wiring_of
from nas.report.verdict import verdict
from nas.seeds import stream
from nas.sparsity.compact import compact
from nas.sparsity.learning import Learned, check_learning, learn
from nas.sparsity.shuffle import shuffled
from nas.store.records import summary_of
from nas.structure.files import write_found
from nas.structure.found import Found, Standing
from nas.structure.options import StructureOptions
from nas.tasks.task import Task
from nas.training import Interrupted, evaluate
from nas.training.session import sign_of
from priors import Wiring
from priors.files import atomic_write

__all__ = ["StructureExperiment"]

OPTIONS, TRAININGS, NETWORKS = "structure.json", "trainings.jsonl", "networks"
LEARNED, RETRAINED, SHUFFLED = "learned structure", "its structure, new weights", "only its degrees"
_CHOOSING = 1_000
"""First replicate of trainings that choose a learning rate; none of them counts."""


@dataclass
class StructureExperiment:
    """Trains networks whose structure is learned, and references of their size.

    The learning rate is chosen by validation, with one training a rung that does not count. The structure is then
    learned from fresh seeds; the network that does best on validation is kept, and references stand beside it: dense
    and random ones of its size, its own structure from new weights, and one of which only the degrees of all neurons
    are its own. Every training is stored when it is done, so that an experiment that was stopped goes on.

    Parameters
    ----------
    out : Path
    task : Task
    options : StructureOptions
    threads : int
        Trainings at a time; results do not depend on it.
    """

    out: Path
    task: Task
    options: StructureOptions
    threads: int = 1
    stop: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        needed = "rnn" if self.task.is_sequence else "mlp"
        if self.options.network != needed:
            raise InputError(f"network={self.options.network}: task {self.task.name} needs network={needed}")
        self._parent = self.options.parent(self.task.n_inputs, self.task.n_outputs)
        self._sign = sign_of(self.task.direction)
        network = self.options.spec.build(self._parent, 0)
        weights, parameters = self._target(network)
        check_learning(
            network,
            self.task,
            self.options.recipe,
            self.options.method,
            weights=weights,
            parameters=parameters,
        )
        self._open()

    # What is stored

    def _open(self) -> None:
        mine = {**json.loads(self.options.model_dump_json()), "data": self.task.fingerprint}
        file = self.out / OPTIONS
        if file.is_file():
            stored = json.loads(file.read_text(encoding="utf-8"))
            for name, value in mine.items():
                if stored.get(name) != value:
                    raise InputError(
                        f"{name}={json.dumps(value)}: the experiment in {self.out} was started with "
                        f"{json.dumps(stored.get(name))}; give the same, or another folder with out"
                    )
            return
        if self.out.is_dir() and any(self.out.iterdir()):
            raise InputError(f"{self.out}: the folder holds other files; give a new one with out")
        (self.out / NETWORKS).mkdir(parents=True, exist_ok=True)
        with atomic_write(file) as temporary:
            temporary.write_text(json.dumps(mine, indent=1) + "\n", encoding="utf-8")

    def _stored(self) -> dict[str, dict[str, Any]]:
        file = self.out / TRAININGS
        if not file.is_file():
            return {}
        rows = {}
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue  # A process was killed while it wrote the last line.
            rows[row["key"]] = row
        return rows

    # The experiment

    def run(self, watch: Callable[[str, int, int], None] = lambda *_: None) -> Found:
        """Train what is left to train, and write what was found.

        Parameters
        ----------
        watch : callable
            Told what is trained, how many trainings of these are done, and all of them.

        Raises
        ------
        KeyboardInterrupt
            After Ctrl-C; the same experiment goes on.
        """
        options = self.options
        try:
            with one_torch_thread(), stop_on_signal(self.stop):
                rate = self._choose_rate(watch)
                jobs = [_Job(LEARNED, rate, replicate) for replicate in range(options.seeds)]
                rows = self._trained("structures", jobs, watch)
                best = max(range(len(rows)), key=lambda index: self._sign * rows[index]["value"])
                network = compact(load_network(self._file(best)))
                others = self._references(wiring_of(network), watch)
        except Interrupted:
            raise KeyboardInterrupt from None
        standing = _standing(LEARNED, rows)
        direction = self.task.direction
        words = verdict(
            summary_of(standing.test),
            [own.summary() for own in others],
            self.task.plateaus,
            self.task.metric,
            direction,
        ).replace("The found wiring", "The learned structure")
        found = Found(
            str(self.out),
            self.task.name,
            self.task.metric,
            standing,
            tuple(others),
            words,
            tuple(rows[best]["curve"]),
            tuple(rows[best]["layers"]),
            math.fsum(row["seconds"] for row in self._stored().values()),
        )
        write_found(self.out, found, network)
        return found

    def _choose_rate(self, watch: Callable[[str, int, int], None]) -> float:
        rates = self.options.recipe.learning_rates
        if len(rates) == 1:
            return rates[0]
        rows = self._trained("learning rates", [_Job(LEARNED, rate, _CHOOSING) for rate in rates], watch)
        return rates[max(range(len(rates)), key=lambda index: self._sign * rows[index]["value"])]

    def _references(self, wiring: Wiring, watch: Callable[[str, int, int], None]) -> list[Standing]:
        """Train the references of a structure, at every rung of the ladder, and choose the rung of each."""
        options = self.options
        rng = stream(options.seed, "wiring", wiring.fingerprint)
        plain = wiring.replace(weights=None)
        contenders = [(own.name, own.wiring, own.spec) for own in references(wiring, options.spec, rng)]
        contenders.append((RETRAINED, plain, options.spec))
        jobs = [
            _Job(name, rate, replicate, own, spec)
            for name, own, spec in contenders
            for rate in options.recipe.learning_rates
            for replicate in range(options.seeds)
        ]
        jobs += [
            _Job(
                SHUFFLED,
                rate,
                replicate,
                shuffled(plain, np.random.default_rng((options.seed, replicate))),
                options.spec,
            )
            for rate in options.recipe.learning_rates
            for replicate in range(options.seeds)
        ]
        rows = self._trained("references", jobs, watch)
        found = []
        for name in dict.fromkeys(job.name for job in jobs):
            by_rate = {
                rate: [row for job, row in zip(jobs, rows, strict=True) if (job.name, job.rate) == (name, rate)]
                for rate in options.recipe.learning_rates
            }
            best = max(by_rate, key=lambda rate: self._sign * fmean(row["value"] for row in by_rate[rate]))
            found.append(_standing(name, by_rate[best]))
        return found

    def _trained(self, what: str, jobs: Sequence[_Job], watch: Callable[[str, int, int], None]) -> list[dict[str, Any]]:
        """Return a row a job, in their order, training those that are not stored yet."""
        stored = self._stored()
        missing = [job for job in jobs if job.key not in stored]
        done = len(jobs) - len(missing)
        watch(what, done, len(jobs))
        with (self.out / TRAININGS).open("a", encoding="utf-8") as file:
            if file.tell() and not _ends_a_line(self.out / TRAININGS):
                file.write("\n")  # What a killed process left stays a line of its own.
            arriving = in_order(
                lambda number: self._train(missing[number]), range(len(missing)), self.threads, self.stop
            )
            for rows in arriving:
                for row in rows:
                    stored[row["key"]] = row
                    file.write(json.dumps(row) + "\n")
                file.flush()
                done += len(rows)
                watch(what, done, len(jobs))
        return [stored[job.key] for job in jobs]

    def _train(self, job: _Job) -> dict[str, Any]:
        return self._learn(job) if job.wiring is None else self._train_reference(job)

    def _learn(self, job: _Job) -> dict[str, Any]:
        options, task = self.options, self.task
        fingerprint = self._parent.fingerprint
        network = options.spec.build(self._parent, stream(options.seed, "weights", fingerprint, job.replicate))
        weights, parameters = self._target(network)
        learned = learn(
            network,
            task,
            options.recipe,
            options.method,
            weights=weights,
            parameters=parameters,
            learning_rate=job.rate,
            rng=stream(options.seed, "batches", fingerprint, job.replicate),
            engine=options.engine,
            stop=self.stop,
        )
        own = cast("Network", learned.network)
        if job.replicate < _CHOOSING:
            save_network(own, self._file(job.replicate))
        return {
            **self._row(job, learned.history.seconds),
            "value": evaluate(own, task, task.validation, engine=options.engine).metric,
            "test": evaluate(own, task, task.test, engine=options.engine).metric,
            "n_parameters": learned.liveness.n_parameters,
            "curve": _curve(learned, task),
            "layers": _layers(learned),
        }

    def _target(self, network: nn.Module) -> tuple[int | None, int | None]:
        """Return the target as weights or else parameters."""
        counts = n_parameters(cast("Network", network))
        return self.options.target(counts["total"] - counts["biases"])

    def _train_reference(self, job: _Job) -> dict[str, Any]:
        assert job.wiring is not None
        options = self.options
        trainer = Trainer(self.task, options.spec, options.recipe, options.seed, options.engine, stop=self.stop)
        training = trainer.train(job.wiring, job.replicate, job.rate, job.spec)
        total = (job.spec or options.spec).n_parameters(job.wiring)["total"]
        row = {"value": training.history.value, "test": training.test(), "n_parameters": total}
        return {**self._row(job, training.history.seconds), **row}

    def _row(self, job: _Job, seconds: float) -> dict[str, Any]:
        return {
            "key": job.key,
            "name": job.name,
            "learning_rate": job.rate,
            "replicate": job.replicate,
            "seconds": seconds,
        }

    def _file(self, replicate: int) -> Path:
        return self.out / NETWORKS / f"{replicate}.safetensors"


@dataclass(frozen=True)
class _Job:
    """One training: of a structure that is learned, or of a reference's wiring."""

    name: str
    rate: float
    replicate: int
    wiring: Wiring | None = None
    spec: Any = None

    @property
    def key(self) -> str:
        fingerprint = "" if self.wiring is None else f" {self.wiring.fingerprint[:16]}"
        return f"{self.name} {self.rate:g} {self.replicate}{fingerprint}"


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def _standing(name: str, rows: Sequence[Mapping[str, Any]]) -> Standing:
    return Standing(
        name,
        rows[0]["learning_rate"],
        fmean(row["n_parameters"] for row in rows),
        tuple(row["value"] for row in rows),
        tuple(row["test"] for row in rows),
    )


def _curve(learned: Learned, task: Task) -> list[dict[str, Any]]:
    """Return a row an epoch."""
    epochs = learned.history.epochs
    total = sum(layer.size for layer in learned.layers)
    rows = []
    for own in learned.snapshots:
        if 0 < own.epoch <= len(epochs):
            score = epochs[own.epoch - 1].validation_metric
            rows.append(
                {
                    "epoch": own.epoch,
                    "density": own.weights / total,
                    "parameters": own.parameters,
                    "turnover": own.turnover,
                    task.metric: score,
                }
            )
    return rows


def _layers(learned: Learned) -> list[dict[str, Any]]:
    last = learned.snapshots[-1].densities
    return [
        {"name": layer.name, "shape": list(layer.shape), "live": round(density * layer.size), "density": density}
        for layer, density in zip(learned.layers, last, strict=True)
    ]
