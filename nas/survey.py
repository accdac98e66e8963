"""Survey: draws wirings, trains each one with every replicate and learning rate, and keeps a row a training.

Threads take wirings in the order of their numbers, and this thread alone writes, in the same order: what is stored are
the first so many wirings, and equal rows whatever the threads did.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nas.campaign.folder import default_name, resumed, with_network
from nas.errors import CampaignError, InputError
from nas.evaluation.threads import in_order, one_torch_thread, stop_on_signal
from nas.evaluation.trainer import FAILURES_IN_A_ROW, Attempts, Trainer
from nas.evaluation.watcher import Standing
from nas.failures import memory_in_one_line
from nas.options.ignored import Setting, dotted_names, ignored_option
from nas.options.options import (
    SURVEY,
    refuse_changes,
    resolve_survey,
    with_defaults,
    write_options,
)
from nas.options.resolve import check_fit, n_threads, plain_options, task_of, with_room
from nas.prediction.examples import fit_into, survey_examples
from nas.space.draws import Draw, Draws, unspent
from nas.space.space import check_graphs
from nas.store.folders import alone_in, check_folder
from nas.store.records import describe, versions_of
from nas.store.survey_parts import SMALL_ROWS, Parts, list_parts, read_identity
from nas.store.survey_table import PARTS_FOLDER, SurveyOutcome, load_survey, read_outcome
from nas.tasks import Task, inputs_of, load_task
from nas.training import Interrupted, Training

__all__ = ["RowMaker", "Standing", "Survey", "open_survey"]

_WRITE_EVERY_S = 2.0


class Survey:
    """A data set of trained wirings, drawn uniformly from a space.

    Parameters
    ----------
    out : path
        The survey's folder; created, or resumed where it holds a survey of the same options.
    task : str or Task, optional
        What to learn; by default the task of the options.
    threads : int, optional
        Trainings at a time, by default one a core with the compiled engine and 1 with torch. Results do not depend on
        it.
    **options
        Fields of `SurveyOptions`, such as ``wirings=1000, seeds=3, space=Space(nodes=64)``.

    Raises
    ------
    InputError
        If an option is wrong.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from nas import Recipe, Survey, load
    >>> brief = Recipe(epochs=1, learning_rates=0.01)
    >>> with TemporaryDirectory() as folder:
    ...     outcome = Survey(f"{folder}/atlas", task="digits", wirings=3, seeds=2, recipe=brief).run()
    ...     table = load(f"{folder}/atlas")
    >>> outcome.wirings, outcome.trainings, len(table)
    (3, 6, 6)
    """

    def __init__(
        self, out: str | Path, *, task: str | Task | None = None, threads: int | None = None, **options: Any
    ) -> None:
        self.out = Path(out)
        self.stop = threading.Event()
        self.typed: frozenset[str] = frozenset()
        self.task = task_of(task, options)
        given = plain_options(options, self.task)
        self._units = (self.task.n_inputs, self.task.n_outputs)
        self.options, self._widened = with_room(resolve_survey(given), given, self.out, SURVEY, self._units)
        check_fit(self.options, self.task)
        if not isinstance(self.options.space.graphs, str | None):
            raise InputError("space.graphs: a survey is read without Python's objects; give a path to the graphs")
        check_graphs(self.options.resolved_space, *self._units)
        self.threads = n_threads(threads, self.options, self.task)
        self._maker = self._row_maker()

    @property
    def trainer(self) -> Trainer:
        """What trains wirings as this survey does."""
        return self._maker.trainer

    def run(
        self, watch: Callable[[Standing], None] | None = None, noticed: Callable[[str], None] | None = None
    ) -> SurveyOutcome:
        """Draw and train until the options' number of wirings is stored, fit a predictor, and say what is there.

        Does no work where all of that is done already.

        Parameters
        ----------
        watch : callable, optional
            Told several times a second how far the survey is.
        noticed : callable, optional
            Told in a line, before the first training, what somebody who looks on should know.

        Raises
        ------
        InputError
            If the folder holds a survey of other options, or another process works on it, and for an option of a new
            survey that would do nothing.
        KeyboardInterrupt
            After Ctrl-C; what was stored stays, and the same call resumes.
        CampaignError
            If every training fails, or memory ends.
        OSError
            If the folder cannot be written any more, such as on a full disk; the same call then goes on.
        """
        with memory_in_one_line(f"out={self.out}"):
            return self._run(watch or (lambda _: None), noticed or (lambda _: None))

    def _run(self, watch: Callable[[Standing], None], tell: Callable[[str], None]) -> SurveyOutcome:
        check_folder(self.out, f"a {SURVEY.noun}")
        if not (self.out / SURVEY.file).is_file():
            # What would do nothing, and an impossible limit, are refused before anything is written.
            space = self.options.resolved_space
            ignored = ignored_option(Setting(self.options, space, self.task, self._units, typed=self.typed))
            if ignored is not None:
                raise InputError(ignored)
            self._maker.draws.draw(0)
        with alone_in(self.out):
            with one_torch_thread(), stop_on_signal(self.stop):
                parts = self._open()
                before = parts.n_wirings
                try:
                    self._train(parts, watch, tell)
                except Interrupted:
                    raise KeyboardInterrupt from None
                parts.merge()
            # Outside of the flag, which a fit does not look at: here Ctrl-C acts at once.
            examples = survey_examples(
                load_survey(self.out), chance=self.task.constant_value, inputs=inputs_of(self.task)
            )
            fit_into(
                self.out,
                examples,
                self.options.seed,
                again=parts.n_wirings > before,
                begins=lambda: tell(f"predictor: fitted to {len(examples)} wirings, and judged by cross-validation"),
                noticed=tell,
            )
            return read_outcome(self.out)

    # The folder

    def _open(self) -> Parts:
        folder, mine = self.out / PARTS_FOLDER, self._identity()
        for part in list_parts(folder):
            refuse_changes(self.out, with_defaults(read_identity(part), SURVEY), mine, SURVEY)
        kinds = {name: domain.kind for name, domain in self.options.resolved_space.domains().items()}
        parts = Parts(folder, mine, len(self._maker.plan), kinds)
        if parts.n_wirings > self.options.wirings:
            self.options = self.options.model_copy(update={"wirings": parts.n_wirings})
        write_options(self.options, self.out / SURVEY.file)
        return parts

    def _identity(self) -> dict[str, Any]:
        task = self.task
        data = {"data": task.fingerprint, "metric": task.metric, "direction": task.direction}
        data |= self.options.resolved_space.identity_of_graphs
        options = self.options.model_dump(mode="json", exclude=set(SURVEY.grows))
        return {**options, **data, "n_inputs": self._units[0], "n_outputs": self._units[1]}

    # The trainings

    def _row_maker(self) -> RowMaker:
        options, spec = self.options, self.options.spec
        task = self.task.to(options.device)
        trainer = Trainer(task, spec, options.recipe, options.seed, options.engine, options.device, self.stop)
        draws = Draws(options.resolved_space, options.seed, spec, *self._units)
        return RowMaker(trainer, draws, trainer.plan(range(options.seeds)))

    def _train(self, parts: Parts, watch: Callable[[Standing], None], noticed: Callable[[str], None]) -> None:
        numbers = range(parts.n_wirings, self.options.wirings)
        if not numbers:
            return
        draws = self._maker.draws
        for line in filter(
            None,
            (*self.task.notes, self._widened, *draws.space.notices(), unspent(draws.space, self._units, draws.size_of)),
        ):
            noticed(line)
        keeper = _Keeper(parts)

        def tell() -> None:
            done = parts.n_wirings + len(keeper.waiting)
            watch(Standing(done, self.options.wirings, len(self._maker.plan)))

        tell()
        threads = min(self.threads, len(numbers))
        with closing(in_order(self._maker.rows, numbers, threads, self.stop)) as arriving:
            try:
                for known in arriving:
                    keeper.add(known)
                    tell()
            finally:
                keeper.store()
        if parts.n_wirings == 0:
            raise CampaignError(f"all {len(numbers)} wirings failed; the last one with: {keeper.waiting[-1].error}")
        keeper.store(failed_too=True)


@dataclass
class _Keeper:
    """Stores wirings now and then.

    The last ones are held back while they fail: where something is broken that affects them all, they are trained
    again when it is mended.
    """

    parts: Parts
    waiting: list[_WiringRows] = field(default_factory=list)
    _stored_at: float = field(default_factory=time.monotonic)

    def add(self, known: Sequence[_WiringRows]) -> None:
        """Take the next wirings.

        Raises
        ------
        CampaignError
            If too many failed one after another.
        """
        self.waiting += known
        n_rows = sum(len(wiring.rows) for wiring in self.waiting)
        if n_rows >= SMALL_ROWS or time.monotonic() - self._stored_at >= _WRITE_EVERY_S:
            self.store()
        failed = self.waiting[self._n_sound() :]
        if len(failed) >= FAILURES_IN_A_ROW:
            raise CampaignError(
                f"{len(failed)} wirings failed one after another, in every training; the last one with: "
                f"{failed[-1].error}"
            )

    def store(self, *, failed_too: bool = False) -> None:
        """Store what is waiting, up to the last wiring that did not fail."""
        # A second Ctrl-C may have come between writing a part and this list's hearing of it.
        self.waiting = [wiring for wiring in self.waiting if wiring.number >= self.parts.n_wirings]
        count = len(self.waiting) if failed_too else self._n_sound()
        if count:
            self.parts.append(count, [row for wiring in self.waiting[:count] for row in wiring.rows])
            del self.waiting[:count]
        self._stored_at = time.monotonic()

    def _n_sound(self) -> int:
        """Count the wirings up to the last one that did not fail."""
        count = len(self.waiting)
        while count and self.waiting[count - 1].error is not None:
            count -= 1
        return count


@dataclass(frozen=True)
class _WiringRows:
    """All rows of one wiring, and why its trainings failed, if not one of them did well."""

    number: int
    rows: Sequence[Mapping[str, Any]]
    error: str | None


@dataclass(frozen=True)
class RowMaker:
    """Makes the rows of a wiring from its number alone; `plan` lists replicate and learning rate of each."""

    trainer: Trainer
    draws: Draws
    plan: Sequence[tuple[int, float]]

    def rows(self, number: int) -> _WiringRows:
        """Draw a wiring, train and test it with every learning rate and replicate.

        Raises
        ------
        Interrupted
            If the stop flag is set.
        """
        draw = self.draws.draw(number)
        described = describe(draw.wiring, draw.params.get("attachment"))
        del described["hidden_edges"]  # They follow from the parameters, and would make up most of the table.
        of_wiring = {
            "number": number,
            **{f"param_{name}": value for name, value in draw.params.items()},
            **described,
            "n_parameters": draw.n_parameters,
            "versions": versions_of("torch", "numpy"),
        }
        if "graph" in draw.params:
            of_wiring["graph_name"] = self.draws.space.graph_name(draw.params) or None
        rows = [
            {**of_wiring, "replicate": replicate, "learning_rate": rate, **self._attempt(draw, replicate, rate)}
            for replicate, rate in self.plan
        ]
        errors = [row["error"] for row in rows]
        return _WiringRows(number, rows, None if None in errors else errors[-1])

    def _attempt(self, draw: Draw, replicate: int, rate: float) -> dict[str, Any]:
        """Train at most three times; a failure is recorded, not raised."""
        row: dict[str, Any] = {}
        attempts = Attempts(self.trainer.stop, f"wiring {draw.number}")
        for once in attempts:
            with once:
                row = self._of_training(self.trainer.train(draw.wiring, replicate, rate))
        return row if attempts.error is None else {"error": attempts.error}

    def _of_training(self, training: Training) -> dict[str, Any]:
        history = training.history
        return {
            "value": history.value,
            "validation_loss": self._validation_loss(training),
            "test": training.test(),
            "diverged": history.diverged,
            "steps": history.steps,
            "epochs": len(history.epochs),
            "seconds": history.seconds,
            "engine": history.engine,
            "error": None,
        }

    def _validation_loss(self, training: Training) -> float | None:
        """Return the loss of the weights that count: the last ones, or the first best under early stopping."""
        history = training.history
        if history.diverged or not history.epochs:
            return None
        if self.trainer.recipe.patience is None:
            return history.epochs[-1].validation_loss
        return next(epoch.validation_loss for epoch in history.epochs if epoch.validation_metric == history.value)


def open_survey(
    out: Path | None, given: Mapping[str, Any], threads: int | None = None, data: Path | None = None
) -> Survey:
    """Return the survey of nested options and a folder, by default named after task and network, to be run or resumed.

    `data` is the folder of the task's files; see `nas.campaign.folder.open_campaign`.
    """
    options, task = with_network(resumed(out, given, SURVEY), data)
    resolved = resolve_survey(options)
    folder = out or Path("results") / f"{default_name(resolved)}-survey"
    if out is None:
        complete = resumed(folder, options, SURVEY)
        task = task if complete.get("files") == options.get("files") else None
        options = complete
    if task is None and data is not None:
        task = load_task(str(options.get("task") or resolved.task), data, options.get("files"))
    if task is not None:
        options["task"] = task
    survey = Survey(folder, threads=threads, **options)
    survey.typed = dotted_names(given)
    return survey
