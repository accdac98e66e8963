"""Campaign: a search from the first trial to a tested network, resumable at any moment.

The study file is the only state. Candidates are evaluated in threads and stored in the order of their numbers; what was
not stored when a process ended is proposed again, the same, by the next one.
"""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial

from nas.campaign.callbacks import SearchEnded, TellingWatcher
from nas.campaign.search import Search, finalists, inform, keep_warm_start, steering_of
from nas.errors import CampaignError, InputError
from nas.evaluation.early_stopping import (
    check_any_complete,
    check_stopping,
    evaluation_with,
    shared_evaluation,
    stopping_of,
)
from nas.evaluation.finals import run_finals
from nas.evaluation.rivals import rivals_of
from nas.evaluation.threads import one_torch_thread, stop_on_signal
from nas.evaluation.trainer import Trainer
from nas.evaluation.watcher import Watcher
from nas.failures import memory_in_one_line
from nas.options.ignored import Setting, ignored_option
from nas.options.options import (
    CAMPAIGN,
    OPTIONS_FILE,
    refuse_changes,
    resolve,
    with_defaults,
    write_options,
)
from nas.options.resolve import (
    check_direction,
    check_fit,
    check_sampler,
    check_units,
    n_threads,
    own_graphs_as_they_are,
    plain_options,
    task_of,
    with_room,
)
from nas.prediction.examples import campaign_examples, fit_into
from nas.report.outcome import Outcome, counted_in
from nas.report.output import write_output
from nas.samplers.proposer import Proposer
from nas.shared.objective import Work
from nas.shared.search import SharedSearch
from nas.space.budget import Budget
from nas.space.designs import WaySpace
from nas.space.draws import unspent
from nas.space.lineage import rebuilt
from nas.space.names import same_name
from nas.space.space import DRAW_NAMES, Space, check_graphs
from nas.space.way import Way
from nas.store.folders import alone_in, check_folder
from nas.store.reading import reading
from nas.store.records import Record, Records
from nas.store.study import StudyFile, storing_of
from nas.tasks import Task, inputs_of
from nas.training import Interrupted
from nas.training.recipe import changed
from priors import Wiring

__all__ = ["Campaign"]

_FEWEST_STEPS = 5
"""Updates of a training in which a structure is learned."""


def _say_task(name: str | None, watcher: Watcher) -> None:
    """Say which task is learned because none was named: to whoever looks on, else as a warning."""
    line = f"task={name}: no task was named, so this one is learned"
    if type(watcher) is Watcher:
        warnings.warn(line, stacklevel=3)
    else:
        watcher.noticed(line)


class Campaign:
    """A search over wirings.

    Parameters
    ----------
    out : path
        The campaign's folder; created, or resumed where it holds a campaign of the same options.
    task : str or Task, optional
        What to learn; by default the task of the options.
    evaluate : callable, optional
        Gives the value of a candidate in place of a task: called with its wiring and its parameters.
    parameters : mapping, optional
        What `evaluate` is to be told beside the parameters of the wiring, such as a learning rate: distributions of
        Optuna, by names that the space does not have. They are searched with the wirings.
    n_inputs, n_outputs : int
        Units to attach to the wirings that `evaluate` gets; with 0 inputs they get none.
    threads : int, optional
        Trainings at a time; results do not depend on it. By default one a core with the compiled engine, whose threads
        work side by side, and 1 with torch or an own evaluation.
    storage : str, optional
        URL of a PostgreSQL database, for a campaign of many workers; see `nas.Worker`. This process then works with one
        thread, and its folder follows what all of them do.
    study : str, optional
        The campaign's name there, by default the folder's.
    callbacks : sequence of callable
        Called with the study and each trial as soon as it is stored, in the order of their numbers and in this process,
        as those of ``optuna.Study.optimize`` are. What one raises ends the run; stored trials stay, and of those no
        callback is told again. ``study.stop()`` ends the search after the trial that the callback is told of, such as
        Optuna's ``MaxTrialsCallback`` does: trials in work are given up, finals are held with what is stored, and `run`
        returns. The same campaign goes on from there when it is run again, and then holds its finals again. Of a study
        in a database this ends the part of this process alone. Setting ``stop`` ends a run at once, as Ctrl-C does.
    **options
        Fields of `CampaignOptions`, such as ``trials=200, network="rnn", space=Space(nodes=64)``.

    Raises
    ------
    InputError
        If an option is wrong.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from nas import Campaign, Space
    >>> def evaluate(wiring, params):  # in place of a training of your own
    ...     return -abs(wiring.n_edges - 60)
    >>> with TemporaryDirectory() as folder:
    ...     outcome = Campaign(f"{folder}/own", evaluate=evaluate, space=Space(nodes=(10, 30)), trials=8).run()
    >>> outcome.complete, outcome.best["value"] <= 0
    (8, True)

    Parameters of your own are searched with the wirings:

    >>> from optuna.distributions import FloatDistribution
    >>> def evaluate(wiring, params):
    ...     return -abs(wiring.n_edges - 60) - abs(params["rate"] - 0.01)
    >>> with TemporaryDirectory() as folder:
    ...     own = {"rate": FloatDistribution(1e-4, 1e-1, log=True)}
    ...     outcome = Campaign(f"{folder}/own", evaluate=evaluate, parameters=own, trials=8).run()
    >>> 1e-4 <= outcome.best["params"]["rate"] <= 1e-1
    True

    A campaign on a task, such as ``Campaign("digits", task="digits", trials=60)``, also tests its winner beside
    references; see `Outcome`.
    """

    def __init__(
        self,
        out: str | Path,
        *,
        task: str | Task | None = None,
        evaluate: Callable[[Wiring, Mapping[str, Any]], float] | None = None,
        parameters: Mapping[str, BaseDistribution] | None = None,
        n_inputs: int = 0,
        n_outputs: int = 0,
        threads: int | None = None,
        storage: str | None = None,
        study: str | None = None,
        callbacks: Sequence[Callable[[optuna.Study, FrozenTrial], None]] = (),
        **options: Any,
    ) -> None:
        for callback in callbacks:
            if not callable(callback):
                raise InputError(f"callbacks: {callback!r} cannot be called; give functions of a study and a trial")
        self._callbacks = tuple(callbacks)
        if evaluate is not None and task is not None:
            raise InputError("evaluate and task are both given: a candidate has one value, so give one of them")
        self.out = Path(out)
        self.stop = threading.Event()
        self.typed: frozenset[str] = frozenset()
        if study is not None and storage is None:
            raise InputError(
                f"study={study}: a name is for a campaign in a database; give storage too, or leave it out"
            )
        self._shared = None
        if storage is not None:
            self._shared = SharedSearch(storage, study or self.out.resolve().name, self.stop)
        self._evaluate, self._beside = evaluate, parameters or {}
        self._has_default_task = evaluate is None and task is None and options.get("task") is None
        self.task = None if evaluate is not None else task_of(task, options)
        check_units(n_inputs, n_outputs, self.task)
        if self.task is not None:
            check_direction(options.get("direction"), self.task, self.out)
            options["direction"] = self.task.direction
            n_inputs, n_outputs = self.task.n_inputs, self.task.n_outputs
        given = plain_options(options, self.task, self.out)
        if evaluate is not None:
            given = dict(own_graphs_as_they_are(self.out, given, n_inputs))
        self.options = resolve(given)
        self._units = (n_inputs, n_outputs)
        self._widened: str | None = None
        if self.options.budget is None:
            self.options, self._widened = with_room(self.options, given, self.out, CAMPAIGN, self._units)
        self.spec = self.options.spec
        check_fit(self.options, self.task)
        self.space = self._make_space()
        if isinstance(self.space, Space):
            check_graphs(self.space, *self._units, edited=self.options.edits)
        check_stopping(self.options)
        check_sampler(self.options, is_shared=self._shared is not None)
        self._check_parameters()
        self.threads = n_threads(threads, self.options, self.task)

    def _check_parameters(self) -> None:
        """Refuse parameters of one's own where nothing would heed them, and names that the space has."""
        if not self._beside:
            return
        if not isinstance(self._beside, Mapping):
            raise InputError(f"parameters={self._beside!r}: distributions of Optuna are needed, by name")
        if self._evaluate is None:
            raise InputError("parameters: networks of a task are trained by its recipe; leave them out, or give "
                             "evaluate in place of it")  # fmt: skip
        if self._shared is not None:
            raise InputError("parameters: in a database wirings alone are shared; leave storage out, or parameters")
        if self.options.sampler == "genetic":
            raise InputError("parameters: sampler=genetic breeds graphs alone; give structural, tpe, nsga2 or random")
        for name, given in self._beside.items():
            self._check_parameter(name, given)

    def _check_parameter(self, name: Any, given: Any) -> None:
        if not isinstance(name, str) or not name:
            raise InputError(f"parameters: {name!r} is no name; give text, such as rate")
        if not isinstance(given, FloatDistribution | IntDistribution | CategoricalDistribution):
            raise InputError(f"parameters: {name} is {given!r}; give a distribution of Optuna, such as "
                             "optuna.distributions.FloatDistribution(0.0, 0.5)")  # fmt: skip
        if name in (taken := self.space.distributions()):
            raise same_name(name, taken[name])
        if name in ("graph", "family", "n", *Space.options(), *DRAW_NAMES):
            raise InputError(f"parameters: {name} is a name that parameters or options of spaces have; give yours "
                             f"another, such as own_{name}")  # fmt: skip

    def _make_space(self) -> Space | WaySpace:
        """Return what candidates are drawn from: random graphs, or within a budget all ways to a structure."""
        options = self.options
        if options.budget is None:
            return options.resolved_space
        if self.task is None:
            raise InputError(
                f"budget={options.budget}: an own evaluation trains no network; give a task, or leave it out"
            )
        steps = options.recipe.updates_of_epoch(len(self.task.train))
        for name, epochs in (("recipe.epochs", options.recipe.epochs), ("final_epochs", options.epochs_of_finals)):
            if epochs * steps < _FEWEST_STEPS:
                raise InputError(
                    f"{name}={epochs}: a training of {epochs * steps} updates is too short for a structure to be "
                    f"learned; at least {_FEWEST_STEPS} are needed"
                )
        budget, rates = Budget.of(options.budget), options.recipe.learning_rates
        return WaySpace(options.ways, budget, options.precision, self.task, self.spec, rates)

    def run(self, watcher: Watcher | None = None, *, progress: bool | None = None) -> Outcome:
        """Search until the options' number of trials is complete, hold the finals, write the results, and say them.

        Does no work where all of that is done already.

        Parameters
        ----------
        watcher : Watcher, optional
            Follows the progress.
        progress : bool, optional
            Whether to show the progress on stderr; by default where that is a terminal and there is no watcher.

        Raises
        ------
        InputError
            If the folder holds a campaign of other options, or another process works on it, and for an option of a new
            campaign that would do nothing.
        KeyboardInterrupt
            After Ctrl-C; what was stored stays, and the same call resumes.
        CampaignError
            If every evaluation fails, or memory ends.
        OSError
            If the folder cannot be written any more, such as on a full disk; the same call then goes on.
        """
        check_folder(self.out, f"a {CAMPAIGN.noun}")
        is_new = not (self.out / OPTIONS_FILE).is_file()
        if is_new:
            self._check_new()
        watcher = self._watcher(watcher, progress)
        if self._shared is not None:
            assert self.options.trials is not None
            self._shared.enter(self._identity(), self.options.direction, self.options.trials)
        if is_new and self._has_default_task:
            _say_task(self.options.task, watcher)
        with memory_in_one_line(f"out={self.out}"), alone_in(self.out):
            try:
                with one_torch_thread(), stop_on_signal(self.stop), self._open_study(watcher) as study:
                    watcher = TellingWatcher(watcher, study, self._callbacks) if self._callbacks else watcher
                    trainer, wait = self._trainer(), True
                    executor = ThreadPoolExecutor(self.threads, thread_name_prefix="wirenas")
                    try:
                        try:
                            if self._shared is not None:
                                self._shared.run(study, self.work(), executor, watcher)
                            else:
                                self._search(study, trainer, watcher).run(executor, self.threads)
                        except SearchEnded as ended:
                            executor = self._without_what_runs(executor)
                            counted, wanted = len(study.records().counted), self.options.trials
                            of_all = "" if wanted is None else f" of {wanted}"
                            watcher.noticed(f"{ended} the search after {counted}{of_all} trials; {ended.further}")
                        outcome = self._conclude(study, trainer, executor, watcher)
                    except KeyboardInterrupt:
                        wait = False  # A second Ctrl-C does not wait for an own evaluation that takes long.
                        raise
                    finally:
                        executor.shutdown(wait=wait, cancel_futures=True)
                # Outside of the flag, which a fit does not look at: here Ctrl-C acts at once.
                return self._with_predictor(study, outcome, watcher)
            except Interrupted:
                raise KeyboardInterrupt from None
            finally:
                watcher.finished()

    def _without_what_runs(self, executor: ThreadPoolExecutor) -> ThreadPoolExecutor:
        """End what an executor works on, and return another one."""
        self.stop.set()
        executor.shutdown(cancel_futures=True)
        self.stop.clear()
        return ThreadPoolExecutor(self.threads, thread_name_prefix="wirenas")

    def _watcher(self, given: Watcher | None, progress: bool | None) -> Watcher:
        if given is not None and progress:
            raise InputError("watcher and progress are both given: give one of them")
        if given is not None or not (sys.stderr.isatty() if progress is None else progress):
            return given or Watcher()
        from nas.report.progress import CampaignDisplay

        return CampaignDisplay.on_stderr(self.options.direction, by_size=self.options.by_size)

    def _check_new(self) -> None:
        """Refuse options that would do nothing, and what is impossible, before anything is written."""
        shared = self._shared
        space = self.options.resolved_space
        setting = Setting(self.options, space, self.task, self._units, shared is not None, self.typed)
        ignored = ignored_option(setting)
        # A version that did not look may have begun the study with it.
        if ignored is not None and (shared is None or not shared.is_begun()):
            raise InputError(ignored)
        proposer = self._proposer()
        if self.space.is_limited or self.options.warm_start:
            proposer.propose(0)

    def _conclude(
        self, study: StudyFile, trainer: Trainer | None, executor: ThreadPoolExecutor, watcher: Watcher
    ) -> Outcome:
        """Hold the finals, write what was found and return it, unless that is done already."""
        records, before = study.records(), study.get("outcome")
        check_any_complete(records)
        has_output = (self.out / "best" / "wiring.json").is_file()
        if before is not None and counted_in(before) == len(records.counted) and has_output:
            with reading(study.path):
                return Outcome.from_json({**before, "out": str(self.out), "study": str(study.path)})
        finals = None
        if trainer is not None:
            best = finalists(records, self.options, lambda: inform(self._proposer(), study.trials()))
            epochs = self.options.epochs_of_finals
            finals = run_finals(
                replace(trainer, recipe=changed(trainer.recipe, epochs=epochs), precision=self.options.precision),
                [(record.number, self._rebuild(record)) for record in best],
                n_seeds=self.options.final_seeds,
                executor=executor,
                watcher=watcher,
                on_front=self.options.by_size,
                ways={record.number: self.space.way(record.params) for record in best},
                others=rivals_of(self.space) if isinstance(self.space, WaySpace) else None,
                choosing=trainer,
            )
        uses = 0 if finals is None else 1 + (0 if before is None else before["test_uses"])
        outcome = Outcome.of(
            self.out, self.options, self.task, records, finals, storing=storing_of(study), test_uses=uses, over=True
        )
        write_output(self.out, self.options, self.task, records, finals, outcome, self._rebuild)
        if outcome.best is not None:
            study.tag_winner(outcome.best["trial"])
        # The last to be written: what a campaign that has it lacks, it never gets.
        study.put("outcome", outcome.to_json())
        return outcome

    def _with_predictor(self, study: StudyFile, outcome: Outcome, watcher: Watcher) -> Outcome:
        """Fit a predictor to all trials and say what it is worth, unless that is done already."""
        if isinstance(self.space, WaySpace):
            return outcome
        task = self.task
        examples = campaign_examples(
            study.records(),
            self._rebuild,
            self.space,
            self._units,
            outcome.metric,
            outcome.direction,
            chance=None if task is None else task.constant_value,
            inputs=None if task is None else inputs_of(task),
        )
        fitted = fit_into(
            self.out,
            examples,
            self.options.seed,
            again=outcome.predictor is None,
            begins=lambda: watcher.stage_started("predictor", 1),
            noticed=watcher.noticed,
        )
        if fitted is None or fitted.worth() == outcome.predictor:
            return outcome
        watcher.trained()
        outcome = replace(outcome, predictor=fitted.worth())
        study.put("outcome", outcome.to_json())
        return outcome

    # The folder

    @contextmanager
    def _open_study(self, watcher: Watcher) -> Iterator[StudyFile]:
        """Open the study, and write all its trials as a table when the block ends in whatever way."""
        study, mine = StudyFile(self.out, *self.options.directions), self._identity()
        stored = study.get("options")
        if stored is None:
            study.put("options", mine)
            value = "value" if self.task is None else f"validation {self.task.metric}"
            study.name_values([value, "parameters"][: len(self.options.directions)])
        else:
            refuse_changes(self.out, with_defaults(stored), mine)
        counted, wanted = len(study.records().counted), self.options.trials
        if wanted is not None and counted > wanted:
            watcher.noticed(f"trials={wanted}: {counted} are there already, and all of them count")
            self.options = self.options.model_copy(update={"trials": counted})
        keep_warm_start(self.out, self.options)
        write_options(self.options, self.out / OPTIONS_FILE)
        of_task = () if self.task is None or stored is not None else self.task.notes
        lines = [*of_task, *([] if self._widened is None else [self._widened]), *self.space.notices()]
        if isinstance(self.space, Space) and (line := unspent(self.space, self._units, self._size_of)) is not None:
            lines.append(line)
        for line in lines:
            watcher.noticed(line)
        try:
            yield study
        finally:
            Records(tuple(map(self._named, study.records()))).to_csv(self.out / "trials.csv")

    def _named(self, record: Record) -> Record:
        """Return a record with the name of its graph, which earlier versions did not store."""
        return record if record.graph_name else replace(record, graph_name=self.space.graph_name(record.params))

    def _size_of(self, wiring: Wiring) -> int:
        return self.spec.n_parameters(wiring)["total"]

    def _identity(self) -> dict[str, Any]:
        options = self.options.model_dump(mode="json")
        for name in CAMPAIGN.grows:
            del options[name]
        data: dict[str, Any] = {} if self.task is None else {"data": self.task.fingerprint, "metric": self.task.metric}
        if isinstance(self.space, Space):
            data |= self.space.identity_of_graphs
        if self._beside:
            data["parameters"] = {name: str(own) for name, own in self._beside.items()}
        return {**options, **data, "n_inputs": self._units[0], "n_outputs": self._units[1]}

    # The search

    def _trainer(self) -> Trainer | None:
        if self.task is None:
            return None
        options = self.options
        task = self.task.to(options.device)
        return Trainer(task, self.spec, options.recipe, options.seed, options.engine, options.device, self.stop)

    def work(self) -> Work:
        """Return what each worker of this campaign does."""
        return Work(
            options=self.options,
            identity=self._identity(),
            space=self.space,
            units=self._units,
            spec=self.spec,
            evaluation_of=shared_evaluation(self.options, self._trainer(), self._evaluate),
            steering=steering_of(self.out, self.options),
            stop=self.stop,
        )

    def candidate(self, record: Record) -> tuple[Wiring, Way]:
        """Return the wiring that the network of a trial began with, and how the network came by its structure."""
        return self._rebuild(record), self.space.way(record.params)

    def _rebuild(self, record: Record) -> Wiring:
        is_drawn = True
        with reading(f"trial {record.number} in {self.out}"):
            if isinstance(self.space, WaySpace):
                wiring = self.space.wiring(record.params)
                # Of a structure that was learned a record describes what it became.
                is_drawn = self.space.way(record.params).method is None
            else:
                wiring = rebuilt(self.space, record.params, vars(record), self._units)
        if is_drawn and wiring.fingerprint != record.fingerprint:
            raise CampaignError(
                f"trial {record.number} in {self.out} was drawn by another version of its prior: its wiring cannot be "
                "rebuilt; start a new folder"
            )
        return wiring

    def _proposer(self) -> Proposer:
        options = self.options
        return Proposer(
            self.space,
            sampler=options.sampler,
            seed=options.seed,
            direction=options.direction,
            n_inputs=self._units[0],
            n_outputs=self._units[1],
            size_of=self._size_of,
            by_size=options.by_size,
            steering=steering_of(self.out, options),
            beside=self._beside,
        )

    def _search(self, study: StudyFile, trainer: Trainer | None, watcher: Watcher) -> Search:
        stopping = stopping_of(self.options)
        judge = None if stopping is None else stopping.judge
        evaluation = evaluation_with(trainer, self._evaluate, self.options, judge)
        each = bool(self._callbacks)
        return Search(study, self.options, self._proposer, evaluation, stopping, watcher, self.stop, each)
