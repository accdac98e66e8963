"""Learn a structure for a task with fresh seeds, and find out what it is worth."""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import fmean
from threading import Event
from typing import Any, NoReturn, cast

import numpy as np

from nas.errors import InputError
from nas.evaluation.references import DEGREES, RANDOM, RETRAINED, references
from nas.evaluation.threads import in_order, one_torch_thread, stop_on_signal
from nas.evaluation.trainer import Trainer
from nas.networks import NetworkSpec, PooledMLP, SparseMLP, SparseRNN, load_network, save_network
from nas.networks.pooled import behind_pooling
from nas.networks.structure import AnyNetwork, Network, n_parameters, network_within, parts_of, wiring_of
from nas.options.options import changed_options, data_changed, shown
from nas.report.verdict import explain_random, verdict
from nas.seeds import stream
from nas.sparsity.compact import compact, fold_constants
from nas.sparsity.gates import Gates, fingerprint_of, gates_of, keep_gates, redrawn_gates
from nas.sparsity.layers import Live, size_of
from nas.sparsity.learning import Learned, check_learning, learn
from nas.sparsity.network import layers_of, neurons_of
from nas.sparsity.neurons import liveness
from nas.sparsity.room import move_in
from nas.sparsity.schedules import Moment
from nas.sparsity.shuffle import shuffled
from nas.store.folders import EXPERIMENT, alone_in, check_folder
from nas.store.lines import added_to, keep
from nas.store.records import summary_of
from nas.structure.files import DENSITY, FEATURE, read_network, write_found
from nas.structure.found import Found, Standing
from nas.structure.options import Parent, StructureOptions, shape_text
from nas.tasks.pooling import pooled
from nas.tasks.task import Task
from nas.training import Interrupted, Training, evaluate, train
from nas.training.places import places_of
from nas.training.session import sign_of
from nas.training.train import check_steps, engine_for, refuse_read_outs, spec_for, trained
from priors import Wiring
from priors.files import atomic_write, naming

__all__ = ["OPTIONS", "StructureExperiment", "read_experiment"]

OPTIONS, TRAININGS, NETWORKS = "structure.json", "trainings.jsonl", "networks"
LEARNED = "learned structure"
BEFORE = "the network before"
_OF_GATES = (
    "The learned structure has not all gates of its edges; those that share its edges, degrees or counts have as many "
    "weights of each gate."
)
_CHOOSING = 1_000
"""First replicate of trainings that choose a learning rate; none of them counts."""


@dataclass
class StructureExperiment:
    """Trains networks whose structure is learned, and references of their size.

    The parent's shape, the pooling of its inputs and the learning rate are chosen by validation, with one training each
    that does not count. The structure is then learned from fresh seeds; the network that does best on validation is
    kept, and references stand beside it: dense and random ones of its size, its own structure from new weights, and one
    of which only the degrees of all neurons are its own, each with the pooling and at the learning rate that are chosen
    for it in the same way. Every training is stored when it is done, so that an experiment that was stopped goes on.

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
        refuse_read_outs(self.options.recipe)
        self._check_saved()
        self._tasks = {pool: pooled(self.task, pool) for pool in self.options.pool}
        self._parents = self._make_parents()
        self._sign = sign_of(self.task.direction)
        engine_for(self.options.engine, spec=self.options.spec)
        largest = 0
        for (_, pool), wiring in self._parents.items():
            network, target = self._begin(wiring, 0)
            largest = max(largest, sum(_sizes(network)))
            check_learning(network, self._tasks[pool], self.options.recipe, self.options.method, **target)
        if self.options.parameters is not None and self.options.parameters > largest:
            parent = "the largest parent" if len(self._parents) > 1 else "the parent"
            raise InputError(
                f"parameters={self.options.parameters}: {parent} has {largest}, so that all would stay; give fewer"
            )
        self._open()

    def _check_saved(self) -> None:
        """Refuse a saved network that reads another number of inputs, or has another number of outputs."""
        if self.options.start is None:
            return
        saved = read_network(self.options.start)
        wiring = wiring_of(saved)
        n_inputs = saved.in_features if isinstance(saved, PooledMLP) else wiring.n_inputs
        if (n_inputs, wiring.n_outputs) != (self.task.n_inputs, self.task.n_outputs):
            raise InputError(
                f"{self.options.start}: the network reads {n_inputs} inputs and has {wiring.n_outputs} outputs, and "
                f"task {self.task.name} has {self.task.n_inputs} and {self.task.n_outputs}"
            )
        check_steps(network_within(saved), self.task)
        body = parts_of(saved)[0]
        if isinstance(body, SparseRNN) and body.leak != 1:
            raise InputError(
                f"{self.options.start}: cells of the network leak (leak={body.leak:g}), and structures are learned of "
                "cells that do not; give another network"
            )
        if isinstance(body, SparseRNN) and body.initial_state == "learned" and self.options.method.action != "prune":
            raise InputError(
                f"{self.options.start}: the network has learned its initial state, which pruning alone keeps; give "
                "another, or prune it"
            )

    def _make_parents(self) -> dict[Parent, Wiring]:
        """Return the wiring of each parent, by shape and pooling; a saved network has no shape."""
        options, n_outputs = self.options, self.task.n_outputs
        if options.start is None:
            return {
                Parent(shape, pool): options.parent(shape, task.n_inputs, n_outputs)
                for shape in options.widths
                for pool, task in self._tasks.items()
            }
        saved = read_network(options.start)
        (pool,) = options.pool
        wiring = wiring_of(saved).replace(weights=None)
        what = "edges" if not wiring.n_edges else "hidden neurons" if not wiring.n_hidden else None
        if what is not None:
            raise InputError(f"{options.start}: the network has no {what}, so that there is no structure to learn")
        return {Parent((), pool): wiring if options.method.action == "prune" else options.room(wiring)}

    def _begin(self, parent: Wiring, rng: int | np.random.Generator) -> tuple[Network, dict[str, Any]]:
        """Return a parent, with fresh weights or as it was saved, and what `learn` is told of its structure."""
        if self.options.start is None:
            spec = spec_for(self.options.spec, self.task)
            network = cast("Network", spec.build(parent, rng, room=not parent.n_edges))
            return network, self._target(network)
        saved = network_within(read_network(self.options.start))
        if self.options.method.action == "prune":
            return saved, self._target(saved)
        room = cast("Network", spec_for(self.options.spec, self.task).build(parent, rng))
        return room, {"places": move_in(saved, room)}

    def _behind_pooling(self, network: Network, pool: int) -> AnyNetwork:
        """Return a network that reads what the task's examples are."""
        if self.task.shape is None:
            return network
        return behind_pooling(cast("SparseMLP", network), self.task.shape, pool)

    # What is stored

    def _open(self) -> None:
        mine = {**json.loads(self.options.model_dump_json()), "data": self.task.fingerprint}
        if self.options.start is not None:
            # The same network is the same start, wherever it lies.
            mine["start"] = hashlib.sha256(self.options.start.read_bytes()).hexdigest()
        file = self.out / OPTIONS
        check_folder(self.out, EXPERIMENT)
        if file.is_file():
            stored = read_experiment(file)
            for name, before, value in changed_options(stored, mine):
                if name == "data":
                    raise InputError(data_changed("experiment", self.out))
                if name.startswith("method.") and self._is_same_time(name, before, value):
                    continue
                raise InputError(
                    f"{name.removeprefix('method.')}={shown(value)}: the experiment in {self.out} was started with "
                    f"{shown(before)}; give the same, or another folder with out"
                )
        else:
            self.out.mkdir(parents=True, exist_ok=True)
            with atomic_write(file) as temporary:
                temporary.write_text(json.dumps(mine, indent=1) + "\n", encoding="utf-8")
        # Last: a folder that holds it alone would be another's.
        (self.out / NETWORKS).mkdir(exist_ok=True)

    def _is_same_time(self, name: str, one: Any, other: Any) -> bool:
        """Whether two values of a switch are moments that mean the same step of this training."""
        # Older experiments may have none between two changes, which was one.
        least = 1 if name == "method.every" else 0
        try:
            steps = [max(Moment.of(each).step(*self._length), least) for each in (one, other)]
        except InputError:
            return False
        return steps[0] == steps[1]

    @property
    def _length(self) -> tuple[int, int]:
        """Steps of a training, and of an epoch."""
        per_epoch = self.options.recipe.updates_of_epoch(len(self.task.train))
        return self.options.recipe.epochs * per_epoch, per_epoch

    @property
    def notices(self) -> list[str]:
        """What somebody who looks on should know before the first training."""
        line = self.options.method.shortened(*self._length)
        is_new = not (self.out / OPTIONS).is_file()
        return [*(self.task.notes if is_new else ()), *([] if line is None else [line])]

    def _stored(self) -> dict[str, dict[str, Any]]:
        file = self.out / TRAININGS
        if not file.is_file():
            return {}
        rows = {}
        with naming(file):
            text = file.read_text(encoding="utf-8", errors="replace")
        for line in text.splitlines():
            try:
                row = json.loads(line)
                rows[row["key"]] = row
            except (ValueError, TypeError, KeyError, RecursionError):
                continue  # A process was killed while it wrote the line; what it trained is trained again.
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
        InputError
            If another process works on the folder.
        KeyboardInterrupt
            After Ctrl-C; the same experiment goes on.
        """
        with alone_in(self.out):
            return self._run(watch)

    def _run(self, watch: Callable[[str, int, int], None]) -> Found:
        options = self.options
        try:
            with one_torch_thread(), stop_on_signal(self.stop):
                parent, rate = self._choose(watch)
                jobs = [self._learning(parent, rate, replicate) for replicate in range(options.seeds)]
                rows = self._trained("structures", jobs, watch)
                best = self._best(rows)
                whole = self._saved(best)
                network = self._kept(whole)
                others = self._references(network, parent.pool, watch)
        except Interrupted:
            raise KeyboardInterrupt from None
        standing = _standing(LEARNED, rows)
        direction = self.task.direction
        rivals = [own.summary() for own in others]
        words = verdict(summary_of(standing.test), rivals, self.task.plateaus, self.task.metric, direction)
        words = f"{words} {explain_random(rivals)}".strip().replace("The found wiring", "The learned structure")
        if gates_of(network) is not None:
            words = f"{words} {_OF_GATES}"
        found = Found(
            str(self.out),
            self.task.name,
            self.task.metric,
            standing,
            (*self._before(), *others),
            words,
            tuple(rows[best]["curve"]),
            tuple(_layers(whole)),
            shape_text(parent.widths) or str(options.start),
            parent.pool,
            math.fsum(row["seconds"] for row in self._stored().values()),
            {"validation": standing.validation[best], "test": standing.test[best]},
        )
        write_found(self.out, found, self._behind_pooling(network, found.pool), options, self.task.pipeline)
        return found

    def _choose(self, watch: Callable[[str, int, int], None]) -> tuple[Parent, float]:
        """Return the parent and the learning rate that do best on validation, by one training each."""
        options = self.options
        choices = [(parent, rate) for parent in self._parents for rate in options.recipe.learning_rates]
        if len(choices) == 1:
            return choices[0]
        jobs = [self._learning(parent, rate, _CHOOSING) for parent, rate in choices]
        what = "learning rates" if len(self._parents) == 1 else "parents and learning rates"
        rows = self._trained(what, jobs, watch)
        return choices[self._best(rows)]

    def _best(self, rows: Sequence[Mapping[str, Any]]) -> int:
        def merit(index: int) -> float:
            value = self._sign * rows[index]["value"]
            return value if math.isfinite(value) else -math.inf

        return max(range(len(rows)), key=merit)

    def _saved(self, best: int) -> Network:
        """Return the network of the training that did best."""
        network = network_within(load_network(self._file(best)))
        if not all(bool(values.isfinite().all()) for values in network.parameters()):
            raise InputError(
                "every training diverged, the best one too: its weights are not finite; give a lower learning rate or "
                "weight decay, and another folder with out"
            )
        return network

    def _kept(self, network: Network) -> Network:
        """Return a network without what takes no part."""
        kept = compact(network)
        parts = n_parameters(kept)
        if not parts["read_in"] or not parts["read_out"]:
            self._refuse_cut()
        return kept

    def _refuse_cut(self) -> NoReturn:
        """Say that the structure that was learned has no hidden neurons, so that there is none to judge."""
        options = self.options
        cut = "nothing leads from inputs to outputs through hidden neurons of the network that does best"
        if options.parameters is not None:
            raise InputError(f"parameters={options.parameters}: {cut}; give more, and another folder with out")
        for name in ("weights", "density"):
            if (value := getattr(options, name)) is not None:
                raise InputError(
                    f"{name}={value}: {cut}; give more, or give max_parameters, which counts only what leads there, "
                    "and another folder with out"
                )
        raise InputError(f"{options.start}: {cut}; give a network with more weights, and another folder with out")

    def _references(self, network: Network, pool: int, watch: Callable[[str, int, int], None]) -> list[Standing]:
        """Choose pooling and learning rate of each reference of a structure, and train it from fresh seeds."""
        options = self.options
        plain, gates = wiring_of(network).replace(weights=None), gates_of(network)
        total = n_parameters(network)["total"]
        variants: dict[str, list[Callable[[float, int], _Job]]] = {}
        for own_pool, task in self._tasks.items():
            rng = stream(options.seed, "wiring", plain.fingerprint)
            for own in references(plain, options.spec, rng, task.n_inputs, total):
                lives = redrawn_gates(plain, gates, own.wiring, rng) if own.name == RANDOM else None
                job = partial(_Job, own.name, own.wiring, own.spec, own_pool, gates=lives)
                variants.setdefault(own.name, []).append(job)

        def of_equal_degrees(rate: float, replicate: int) -> _Job:
            rng = np.random.default_rng((options.seed, replicate))
            drawn = shuffled(plain, rng)
            lives = redrawn_gates(plain, gates, drawn, rng)
            return _Job(DEGREES, drawn, options.spec, pool, rate, replicate, gates=lives)

        variants[RETRAINED] = [partial(_Job, RETRAINED, plain, options.spec, pool, gates=gates)]
        variants[DEGREES] = [of_equal_degrees]
        tried = {
            name: [(own, rate) for own in several for rate in options.recipe.learning_rates]
            for name, several in variants.items()
        }
        choices = {
            name: [own(rate, _CHOOSING) for own, rate in several] for name, several in tried.items() if len(several) > 1
        }
        self._trained("choices of references", [job for jobs in choices.values() for job in jobs], watch)
        chosen = {
            name: tried[name][self._best(self._trained("", jobs, lambda *_: None))] for name, jobs in choices.items()
        }
        jobs = [
            own(rate, replicate)
            for name, several in tried.items()
            for own, rate in (chosen.get(name, several[0]),)
            for replicate in range(options.seeds)
        ]
        rows = self._trained("references", jobs, watch)
        return [
            _standing(jobs[first].name, rows[first : first + options.seeds])
            for first in range(0, len(rows), options.seeds)
        ]

    def _trained(self, what: str, jobs: Sequence[_Job], watch: Callable[[str, int, int], None]) -> list[dict[str, Any]]:
        """Return a row a job, in their order, training those that are not stored yet."""
        stored = self._stored()
        missing = [job for job in jobs if job.key not in stored]
        done = len(jobs) - len(missing)
        if jobs:
            watch(what, done, len(jobs))
        with added_to(self.out / TRAININGS) as file:
            if file.tell() and not _ends_a_line(self.out / TRAININGS):
                file.write("\n")  # What a killed process left stays a line of its own.
            arriving = in_order(
                lambda number: self._train(missing[number]), range(len(missing)), self.threads, self.stop
            )
            for rows in arriving:
                for row in rows:
                    stored[row["key"]] = row
                    file.write(json.dumps(row) + "\n")
                if rows:
                    keep(file)
                done += len(rows)
                watch(what, done, len(jobs))
        return [stored[job.key] for job in jobs]

    def _train(self, job: _Job) -> dict[str, Any]:
        return self._learn(job) if job.learns else self._train_reference(job)

    def _learning(self, parent: Parent, rate: float, replicate: int) -> _Job:
        """Return the training of a structure; its name tells the parent's shape where there are several."""
        several = len({own.widths for own in self._parents}) > 1
        name = f"{LEARNED} of {shape_text(parent.widths)}" if several else LEARNED
        return _Job(name, self._parents[parent], self.options.spec, parent.pool, rate, replicate, learns=True)

    def _learn(self, job: _Job) -> dict[str, Any]:
        options, task = self.options, self._tasks[job.pool]
        fingerprint = job.wiring.fingerprint
        network, target = self._begin(job.wiring, stream(options.seed, "weights", fingerprint, job.replicate))
        learned = learn(
            network,
            task,
            options.recipe,
            options.method,
            **target,
            learning_rate=job.rate,
            rng=stream(options.seed, "batches", fingerprint, job.replicate),
            engine=options.engine,
            stop=self.stop,
            threads=self.threads,
            features=options.features if job.replicate < _CHOOSING else (),
        )
        if job.replicate < _CHOOSING:
            save_network(self._behind_pooling(network, job.pool), self._file(job.replicate))
        return {
            **self._row(job, learned.history.seconds),
            **self._judged(network, task),
            "n_parameters": learned.liveness.n_parameters,
            "curve": _curve(learned, task),
        }

    def _judged(self, network: Network, task: Task) -> dict[str, float]:
        """Return the metric on the validation and on the test part."""
        engine = self.options.engine
        return {
            "value": evaluate(network, task, task.validation, engine=engine).metric,
            "test": evaluate(network, task, task.test, engine=engine).metric,
        }

    def _before(self) -> list[Standing]:
        """Return the standing of the saved network, as it was."""
        if self.options.start is None:
            return []
        network = network_within(read_network(self.options.start))
        row = {
            **self._judged(network, self._tasks[self.options.pool[0]]),
            "n_parameters": n_parameters(network)["total"],
            "learning_rate": None,
        }
        return [_standing(BEFORE, [row])]

    def _target(self, network: Network) -> dict[str, int | None]:
        """Return how many weights, or else parameters, there are in the end."""
        return self.options.target(*_sizes(network))

    def _train_reference(self, job: _Job) -> dict[str, Any]:
        options = self.options
        if job.gates is None:
            trainer = Trainer(
                self._tasks[job.pool], options.spec, options.recipe, options.seed, options.engine, stop=self.stop
            )
            training = trainer.train(job.wiring, job.replicate, job.rate, job.spec)
            total = job.spec.n_parameters(job.wiring)["total"]
        else:
            training = self._train_gates(job)
            total = n_parameters(cast("Network", training.network))["total"]
        row = {"value": training.history.value, "test": training.test(), "n_parameters": total}
        return {**self._row(job, training.history.seconds), **row}

    def _train_gates(self, job: _Job) -> Training:
        """Train a structure that has not all gates of its edges, as `Trainer` trains others."""
        options, task, keys = self.options, self._tasks[job.pool], (job.fingerprint, job.replicate)
        assert job.gates is not None
        network = cast("Network", spec_for(job.spec, task).build(job.wiring, 0))
        keep_gates(network, job.gates, stream(options.seed, "weights", *keys))
        history = train(
            network,
            task,
            options.recipe,
            learning_rate=job.rate,
            rng=stream(options.seed, "batches", *keys),
            engine=options.engine,
            stop=self.stop,
        )
        return trained(
            network,
            job.wiring,
            job.spec,
            task,
            history,
            learning_rate=job.rate,
            replicate=job.replicate,
            engine=options.engine,
        )

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


@dataclass(frozen=True, eq=False)
class _Job:
    """One training: of a parent whose structure is learned, or of a reference's wiring, maybe without some gates."""

    name: str
    wiring: Wiring
    spec: NetworkSpec
    pool: int
    rate: float
    replicate: int
    learns: bool = False
    gates: Gates | None = None

    @property
    def fingerprint(self) -> str:
        """What identifies its structure."""
        return fingerprint_of(self.wiring, self.gates)

    @property
    def key(self) -> str:
        pool = "" if self.pool == 1 else f", pool {self.pool},"
        fingerprint = "" if self.learns else f" {self.fingerprint[:16]}"
        return f"{self.name}{pool} {self.rate:g} {self.replicate}{fingerprint}"


def _sizes(network: Network) -> tuple[int, int]:
    """Return how many weights may live in a parent, and its biases."""
    counts = n_parameters(network)
    has_room = isinstance(network, SparseMLP) and network.room
    return size_of(layers_of(network)) if has_room else counts["total"] - counts["biases"], counts["biases"]


def read_experiment(file: Path) -> dict[str, Any]:
    """Return the options that an experiment was begun with, as they are written today; later ones with their defaults.

    Raises
    ------
    InputError
        If the file holds no such options.
    """
    try:
        with naming(file):
            stored = json.loads(file.read_text(encoding="utf-8"))
        data = stored.pop("data", None)
        return {**json.loads(StructureOptions(**stored).model_dump_json()), "data": data}
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        why = f" ({error})" if isinstance(error, InputError) else ""
        raise InputError(
            f"{file}: the options of an experiment cannot be read{why}, so it does not go on; give another folder with "
            "out"
        ) from None


def _ends_a_line(path: Path) -> bool:
    with naming(path), path.open("rb") as file:
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
    total, names = size_of(learned.layers), [layer.name for layer in learned.layers]
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
                    **{f"{DENSITY}{name}": value for name, value in zip(names, own.densities, strict=True)},
                    **{f"{FEATURE}{name}": _finite(value) for name, value in own.features.items()},
                }
            )
    return rows


def _finite(value: float) -> float | None:
    """Return a feature for JSON, None where it is undefined."""
    return value if math.isfinite(value) else None


def _layers(network: Network) -> list[dict[str, Any]]:
    """Return how many weights of each layer are kept, and how many are removed since they take no part."""
    network = copy.deepcopy(network)
    fold_constants(network)
    layers, slots = layers_of(network), places_of(parts_of(network))
    live = Live(layers, slots, np.zeros(len(slots)))
    takes_part = liveness(live, neurons_of(network)).weights
    kept = np.diff(np.searchsorted(np.flatnonzero(takes_part), live.bounds())).tolist()
    return [
        {
            "name": layer.name,
            "shape": list(layer.shape),
            "live": own,
            "density": own / max(layer.size, 1),
            "dead": int(before) - own,
        }
        for layer, own, before in zip(layers, kept, live.counts(), strict=True)
    ]
