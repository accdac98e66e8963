"""Compare wirings with their nulls: register the plan, train, judge."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from threading import Event
from typing import Any

import numpy as np
import tomli_w
from numpy.typing import NDArray

from nas.comparison.judgement import Judgement, correct, judge, nulls_needed
from nas.comparison.options import ComparisonOptions
from nas.comparison.positions import Positions, positions_of
from nas.errors import InputError, as_input_errors
from nas.evaluation.trainer import Trainer
from nas.evaluation.trainings import Row, Training, Trainings, as_today, grouped, read_setting
from nas.options.options import data_changed, read_options, shown
from nas.reservoirs import Series, check_task
from nas.seeds import stream
from nas.store.folders import COMPARISON, alone_in, check_folder
from nas.store.lines import added_to, keep, kept_lines
from nas.tasks import Task
from nas.training import Interrupted, StopFlag
from nas.training.session import sign_of
from predictors.threads import one_thread
from priors import NULLS, NullModel, Wiring, attach, layer, orient, plain_null
from priors.files import atomic_write
from priors.transforms import drop_self_edges
from priors.version import __version__

__all__ = ["CHANGES", "PLAN", "Comparison", "Found", "Pair"]

PLAN, CHANGES = "plan.toml", "changes.jsonl"
_ROUNDS = 10
"""Parts of the nulls after which the precision is looked at."""
_OWN = 20
"""Trainings of a wiring before which the precision is not looked at."""
_LOOKS = 3
"""Nulls of which one at least has to differ from the wiring."""
_READOUTS = 16
"""Neurons that a trained network is read out at, under controlled attachment."""


@dataclass(frozen=True)
class Pair:
    """A wiring and one of its null models, with what was found.

    Attributes
    ----------
    graph, null : str
    keeps : tuple of str
        What nulls share with the wiring.
    overlap : float
        Mean share of the edges that may move that are where they were.
    own : tuple of float
        The test metric of each training of the wiring.
    nulls : tuple of tuple of float
        Those of each null.
    judgement : Judgement
    """

    graph: str
    null: str
    keeps: tuple[str, ...]
    overlap: float
    own: tuple[float, ...]
    nulls: tuple[tuple[float, ...], ...]
    judgement: Judgement


@dataclass(frozen=True)
class Found:
    """What a comparison has found.

    Attributes
    ----------
    out, task, metric : str
    options : ComparisonOptions
    pairs : tuple of Pair
    is_precise : bool
        Whether all intervals are as narrow as was wanted; False too where nothing was wanted.
    changes : tuple of mapping
        Options that were changed after the plan was registered: name, before, after, and `trainings` that were done.
    seconds : float
        Of all trainings together.
    """

    out: str
    task: str
    metric: str
    options: ComparisonOptions
    pairs: tuple[Pair, ...]
    is_precise: bool
    changes: tuple[Mapping[str, Any], ...]
    seconds: float


@dataclass
class Comparison:
    """Trains wirings and wirings that are drawn from null models, all in the same way.

    Each training chooses its learning rate (or radius) by its own validation, and is worth its test metric. A folder
    holds the plan, which is written before the first training and never again, every training, and what was found; a
    comparison that was stopped goes on.

    Parameters
    ----------
    out : Path
    task : Task or Series
        A series is for reservoirs.
    options : ComparisonOptions
        Without `graphs`, which are filled in.
    wirings : mapping of str to Wiring
        Graphs, or wirings with input and output units.
    threads : int
        Wirings at a time; results do not depend on it.
    positions : mapping, optional
        Where neurons lie, by their names; for the null model spatial.

    Raises
    ------
    InputError
        For a wiring or a null model that does not fit, or a folder in which another comparison lies.
    """

    out: Path
    task: Task | Series
    options: ComparisonOptions
    wirings: Mapping[str, Wiring]
    threads: int = 1
    watch: Callable[[str, int, int], None] = lambda *_: None
    stop: Event = field(default_factory=Event)
    positions: Positions | None = None

    def __post_init__(self) -> None:
        self._check_task()
        given = {name: self._usable(name, wiring) for name, wiring in self.wirings.items()}
        prints: dict[str, str] = {}
        for name, wiring in given.items():
            if (own := _identity(wiring)) in prints.values():
                raise InputError(f"{name}: the same wiring is given twice; leave one of them out")
            prints[name] = own
        self.options = self.options.model_copy(update={"graphs": prints})
        self._given = given
        self._models = {
            (name, model.kind): model for name, wiring in given.items() for model in self._models_of(name, wiring)
        }
        used = {null for _, null in self._models}
        self.options = self.options.model_copy(update={"nulls": tuple(null for null in NULLS if null in used)})
        for wiring in given.values():
            with as_input_errors("a network needs more memory than there is; give a smaller graph"):
                self._attached(wiring, 0)

    # What fits

    @property
    def _is_acyclic(self) -> bool:
        return self.options.network == "mlp"

    def _check_task(self) -> None:
        options, task = self.options, self.task
        if isinstance(task, Series):
            return  # Its options are those of reservoirs.
        if task.is_sequence != (options.network != "mlp"):
            valid = "rnn or reservoir" if task.is_sequence else "mlp"
            raise InputError(f"network={options.network}: task {task.name} needs network={valid}")
        if options.network == "reservoir":
            check_task(task)

    def _usable(self, name: str, wiring: Wiring) -> Wiring:
        """Return a wiring as it is compared, without weights that are not used."""
        n_inputs, n_outputs = self._units
        if (wiring.inputs or wiring.outputs) and (wiring.n_inputs, wiring.n_outputs) != (n_inputs, n_outputs):
            raise InputError(
                f"{name}: it has {wiring.n_inputs} input and {wiring.n_outputs} output units, and the task has "
                f"{n_inputs} and {n_outputs}; give a graph without units, or another task"
            )
        own = wiring if self.options.network == "reservoir" else wiring.replace(weights=None)
        if self._is_acyclic and not own.inputs:
            own = drop_self_edges(own)
        if not own.n_hidden or not own.n_edges:
            raise InputError(f"{name}: it has no {'edges' if own.n_hidden else 'hidden neurons'} to compare")
        if own.weights is not None and not (own.inputs or bool(np.isfinite(own.weights).all())):
            raise InputError(f"{name}: some of its weights are no finite numbers; give all of them, or none")
        if not self._is_acyclic:
            return own
        if not (own.is_undirected or own.is_acyclic):
            raise InputError(
                f"{name}: it has directed cycles, and an MLP has none; give --undirected, or a task of sequences"
            )
        return own

    def _models_of(self, name: str, wiring: Wiring) -> Iterator[NullModel]:
        """Return the null models of a wiring: those that are wanted, or one that fits."""
        for kind in self.options.nulls or (None,):
            if kind == "weights" and self.options.network != "reservoir":
                raise InputError("null=weights: networks that are trained begin with weights of their own; use degree")
            places = self._places(name, wiring) if kind == "spatial" else None
            try:
                model = plain_null(wiring) if kind is None else NullModel(wiring, kind, places)
            except ValueError as error:
                raise InputError(f"null={kind}: {name}: {str(error).partition('>: ')[2] or error}") from None
            if self._is_acyclic and not wiring.is_undirected and "order" not in model.keeps:
                raise InputError(
                    f"null={model.kind}: nulls of {name} would have cycles, and an MLP has none; use order or layers"
                )
            if not self._is_acyclic and wiring.inputs and "layers" not in model.keeps:
                raise InputError(
                    f"null={model.kind}: nulls of {name} would have edges from inputs to outputs, which recurrent "
                    "networks have not; use layers, boundary or blocks"
                )
            if all(_is_same(model.sample(seed), wiring) for seed in range(_LOOKS)):
                raise InputError(
                    f"null={model.kind}: {_LOOKS} nulls of {name} are {name} itself, so that there is nothing to "
                    "compare it with; use one that keeps less"
                )
            yield model

    def _places(self, name: str, wiring: Wiring) -> NDArray[np.float64]:
        """Return where the neurons of a wiring lie."""
        if self.positions is None:
            raise InputError("positions: their table is missing, of which the options have the fingerprint")
        return positions_of(wiring, self.positions, name)

    @property
    def _units(self) -> tuple[int, int]:
        # What is remembered is read from the neurons that one unit reads.
        return self.task.n_inputs, 1 if isinstance(self.task, Series) else self.task.n_outputs

    @property
    def notices(self) -> tuple[str, ...]:
        """What was assumed of the task's file, where the comparison is new."""
        return () if isinstance(self.task, Series) or (self.out / PLAN).is_file() else self.task.notes

    # The folder

    def register(self) -> bool:
        """Write the plan, unless it is there; return whether it was written now.

        Raises
        ------
        InputError
            If another comparison lies there, or the plan was changed by hand.
        """
        self._check_folder()
        with alone_in(self.out):
            return self._register()

    def _check_folder(self) -> None:
        """Refuse a folder in which something else lies."""
        if (self.out / PLAN).is_file():
            # Trainings are kept as those of studies are.
            check_folder(self.out, COMPARISON, "a study")
            return
        if (self.out / "runs.jsonl").is_file() and (self.out / "outcome.json").is_file():
            raise InputError(f"{self.out / PLAN}: it is missing; restore it, or begin in another folder")
        check_folder(self.out)

    def _register(self) -> bool:
        file = self.out / PLAN
        if file.is_file():
            self._note_changes()
            return False
        document = {"wirenas": __version__, **self._fixed, **self.options.design}
        with atomic_write(file) as temporary:
            temporary.write_text(tomli_w.dumps(_without_none(document)), encoding="utf-8")
        _ = self._trainings()
        return True

    def _trainings(self) -> Trainings:
        plan = hashlib.sha256((self.out / PLAN).read_bytes()).hexdigest()
        stored = self.out / "setting.json"
        if stored.is_file() and read_setting(stored).get("plan") != plan:
            raise InputError(
                f"{self.out / PLAN}: it was changed after it was registered; restore it, or begin in another folder"
            )
        if not stored.is_file() and (self.out / "runs.jsonl").is_file():
            raise InputError(f"{stored}: it is missing; restore it, or begin in another folder")
        setting = {**self._fixed, "plan": plan}
        return Trainings(self.out, setting, self.threads, self.watch, self.stop, noun="comparison")

    @property
    def _fixed(self) -> dict[str, Any]:
        return {**self.options.invariant, **({"data": self.task.fingerprint} if self._names_data else {})}

    @property
    def _names_data(self) -> bool:
        """Whether the plan says which data there are: those of series once did not."""
        file = self.out / PLAN
        return not isinstance(self.task, Series) or not file.is_file() or "data" in read_options(file)

    def _note_changes(self) -> None:
        """Keep which options differ from what was last known."""
        document = _without_none(as_today(read_options(self.out / PLAN), self._fixed))
        if not self._names_data and self.task.name == "mackey-glass":
            raise InputError(data_changed("comparison", self.out))  # Its powers were computed in another way.
        after = [change["after"] for change in self._changes() if change["name"] == "positions"]
        if self.options.positions is not None and {document.get("positions"), *after} - {None, self.options.positions}:
            raise InputError(
                f"positions: they are not those that the comparison in {self.out} was started with; give the same "
                "table, or another folder with out"
            )
        _ = self._trainings()  # Refuses what may not change before anything is noted.
        for name, value in _without_none(json.loads(json.dumps(self._fixed))).items():
            if name == "data" and document.get(name) != value:
                raise InputError(data_changed("comparison", self.out))
            if document.get(name) != value:
                raise InputError(
                    f"{name}={shown(value)}: the plan in {self.out} says {shown(document.get(name))}; give the same, "
                    "or another folder with out"
                )
        known = {"wirenas": document.get("wirenas"), **{name: document.get(name) for name in self.options.design}}
        for change in self._changes():
            known[change["name"]] = change["after"]
        now = {"wirenas": __version__, **self.options.design}
        changed = {name: (known.get(name), value) for name, value in now.items() if known.get(name) != value}
        if not changed:
            return
        done = sum(1 for _ in kept_lines(self.out / "runs.jsonl"))
        with added_to(self.out / CHANGES) as file:
            for name, (before, after) in changed.items():
                file.write(json.dumps({"name": name, "before": before, "after": after, "trainings": done}) + "\n")
            keep(file)

    def _changes(self) -> list[dict[str, Any]]:
        """Return what was changed after the plan was registered."""
        return list(kept_lines(self.out / CHANGES, "name", "before", "after", "trainings"))

    # The comparison

    def run(self) -> Found:
        """Train what is left to train, and judge.

        Raises
        ------
        KeyboardInterrupt
            After Ctrl-C; the same comparison goes on.
        """
        self._check_folder()
        with alone_in(self.out), one_thread():
            return self._run()

    def _run(self) -> Found:
        self._register()
        trainings = self._trainings()
        options = self.options
        rows: list[Row] = []
        pairs: list[Pair] = []
        is_precise = False
        for part, (n_nulls, n_repeats) in enumerate(_rounds(options, len(self._models)), start=1):
            what = "wirings" if options.precision is None else f"round {part}"
            rows = trainings.run(what, self._jobs(n_nulls, n_repeats))
            pairs = self._pairs(rows)
            widest = max(own.judgement.high - own.judgement.difference for own in pairs)
            is_precise = options.precision is not None and widest <= options.precision
            if is_precise:
                break
        judged = correct([own.judgement for own in pairs])
        return Found(
            str(self.out),
            options.task,
            self.task.metric,
            options,
            tuple(replace(own, judgement=corrected) for own, corrected in zip(pairs, judged, strict=True)),
            is_precise,
            tuple(self._changes()),
            math.fsum(row["cpu"] for row in rows),
        )

    def _jobs(self, n_nulls: int, n_repeats: int) -> list[Training]:
        """Return what is trained, wirings and nulls in turn, so that all are at hand whenever it ends."""
        jobs = []
        for number in range(max(n_nulls, n_repeats)):
            if number < n_repeats:
                jobs += [self._job(name, None, number) for name in self._given]
            if number < n_nulls:
                jobs += [self._job(name, null, number) for name, null in self._models]
        return jobs

    def _job(self, name: str, null: str | None, number: int) -> Training:
        graph = self.options.graphs[name]
        seeds = self.options.seeds

        def run(stop: StopFlag) -> Mapping[str, Any]:
            wiring, overlap = self._given[name], 1.0
            if null is not None:
                model = self._models[name, null]
                rng = stream(self.options.seed, "null", graph, list(NULLS).index(null), number)
                wiring, mixing = model.draw(rng)
                overlap = mixing.overlap
            # Every null has attachments of its own: of some that all shared, the mean of all nulls would depend.
            replicates = range(number * seeds, (number + 1) * seeds)
            return {"values": [self._reached(wiring, own, stop) for own in replicates], "overlap": overlap}

        return Training({"graph": graph, "null": null, "number": number}, run)

    def _reached(self, wiring: Wiring, replicate: int, stop: StopFlag) -> float:
        """Train the network of a wiring at each learning rate, and return the test metric of the best by validation."""
        options, attached = self.options, self._attached(wiring, replicate)
        if options.network == "reservoir":
            boundary = stream(options.seed, "weights", replicate)
            recurrence = stream(options.seed, "weights", wiring.fingerprint, replicate)
            return options.reservoir.evaluate(attached, self.task, boundary, recurrence, lambda: _look_at(stop)).test
        assert isinstance(self.task, Task)
        trainer = Trainer(self.task, options.spec, options.recipe, options.seed, options.engine, stop=stop)
        trained = [trainer.train(attached, replicate, rate) for rate in options.recipe.learning_rates]
        sign = sign_of(self.task.direction)
        return max(trained, key=lambda own: sign * own.history.value).test()

    def _attached(self, wiring: Wiring, replicate: int) -> Wiring:
        """Return a wiring with units; those of a graph follow from the replicate."""
        if wiring.inputs or wiring.outputs:
            return wiring
        options, seed = self.options, self.options.seed
        own = wiring
        if self._is_acyclic:
            own = orient(own, options.orientation, stream(seed, "wiring", replicate, 1)) if own.is_undirected else own
            own = layer(own) if own.n_layers == 1 else own
        readouts = options.readouts or (own.n_neurons if options.network == "reservoir" else _READOUTS)
        rng = stream(seed, "wiring", replicate, 2)
        return attach(own, *self._units, options.attachment, rng, reads=options.reads, readouts=readouts)

    def _pairs(self, rows: Sequence[Row]) -> list[Pair]:
        """Judge each wiring beside the nulls of each model."""
        groups = grouped(rows, "graph", "null")
        for row in rows:
            if not isinstance(row.get("values"), list) or len(row["values"]) != self.options.seeds:
                which = f"null {row['null']}, number {row['number']}"
                raise InputError(
                    f"{self.out / 'runs.jsonl'}: {which} is damaged; remove its line, and it is done again"
                )
        sign = sign_of(self.task.direction)
        pairs = []
        for (name, null), model in self._models.items():
            graph = self.options.graphs[name]
            own = tuple(value for row in groups[graph, None] for value in row["values"])
            drawn = groups[graph, null]
            nulls = tuple(tuple(row["values"]) for row in drawn)
            overlap = fmean(row["overlap"] for row in drawn)
            pairs.append(Pair(name, null, model.keeps, overlap, own, nulls, judge(own, nulls, sign)))
        return pairs


def _rounds(options: ComparisonOptions, n_pairs: int) -> Iterator[tuple[int, int]]:
    """Yield the numbers of nulls, and of repeats of the wiring, at which the precision is looked at.

    Not before some null can stand out, nor before the wiring's own spread is known from some trainings: what is narrow
    by chance would count as precise.
    """
    last = (options.n_nulls, options.repeats)
    if options.precision is not None:
        fewest = (nulls_needed(n_pairs), -(-_OWN // options.seeds))
        for part in range(1, _ROUNDS):
            n_nulls, repeats = (-(-number * part // _ROUNDS) for number in last)
            if n_nulls >= fewest[0] and n_nulls < last[0]:
                yield n_nulls, min(max(repeats, fewest[1]), options.repeats)
    yield last


def _look_at(stop: StopFlag) -> None:
    if stop.is_set():
        raise Interrupted("stopped before the reservoir was evaluated")


def _is_same(one: Wiring, other: Wiring) -> bool:
    if one != other or one.weights is None or other.weights is None:
        return one == other
    return np.array_equal(one.weights, other.weights, equal_nan=True)


def _identity(wiring: Wiring) -> str:
    """Return what tells a wiring from others, with its weights, which a fingerprint leaves out."""
    if wiring.weights is None:
        return wiring.fingerprint
    return hashlib.sha256(bytes.fromhex(wiring.fingerprint) + wiring.weights.tobytes()).hexdigest()


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested values without None, which TOML cannot say."""
    return {
        name: _without_none(value) if isinstance(value, Mapping) else value
        for name, value in values.items()
        if value is not None
    }
