"""Worker: joins a campaign whose trials lie in a database, from any process or machine."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nas.campaign.campaign import Campaign
from nas.errors import InputError
from nas.evaluation.threads import one_torch_thread, stop_on_signal
from nas.options.options import CampaignOptions, refuse_changes, with_defaults
from nas.shared.database import AbsentError
from nas.shared.loop import Loop
from nas.shared.search import silent_storage
from nas.shared.shared import SharedStudy
from nas.tasks import Task, is_named, load_task
from nas.tasks.directions import PREFIX
from nas.tasks.files.loading import is_file_task
from nas.training import Interrupted
from priors import Wiring

__all__ = ["Worker", "WorkerOutcome"]

_LOOK_UP_S, _TRY_AGAIN_S = 0.5, 5.0


@dataclass(frozen=True)
class WorkerOutcome:
    """What a worker did."""

    study: str
    trials: int
    """Trials that it ended with a value, or stopped early."""
    failed: int
    """Trials whose evaluation failed."""
    duplicates: int
    """Trials whose wiring somebody else trains or has trained."""
    lost: int
    """Trials that were given to others, since it was silent for too long."""
    seconds: float
    """Spent in evaluations."""

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as JSON types."""
        return asdict(self)


class Worker:
    """Works on a campaign that ``Campaign(..., storage=...)`` or ``wirenas run --storage`` has started.

    Parameters
    ----------
    storage : str
        URL of the PostgreSQL database.
    study : str
        The study's name.
    task : Task, optional
        What to learn, where it is none that is known by name.
    evaluate : callable, optional
        Gives the value of a candidate, where the campaign has an evaluation of its own.
    data : path, optional
        Folder of the task's files on this machine.
    threads : int
        Trainings at a time.
    wait : float
        Seconds to wait for a database or a study that is not there yet.
    waiting : callable
        Told in a line what is missing, or away, when it begins to wait.

    Raises
    ------
    InputError
        If the database cannot be opened, holds no such study, or the campaign is another one than given.

    Examples
    --------
    A campaign is started on one machine, and worked on by as many others as there are:

    >>> from nas import Campaign, Worker
    >>> Campaign("digits", task="digits", storage="postgresql://me@host/trials").run()  # doctest: +SKIP
    >>> Worker("postgresql://me@host/trials", "digits").run()  # doctest: +SKIP
    """

    def __init__(
        self,
        storage: str,
        study: str,
        task: Task | None = None,
        evaluate: Callable[[Wiring, Mapping[str, Any]], float] | None = None,
        *,
        data: str | Path | None = None,
        threads: int = 1,
        wait: float = 0.0,
        waiting: Callable[[str], None] = lambda _: None,
    ) -> None:
        if threads < 1:
            raise InputError(f"threads={threads}: at least 1 is needed")
        if not wait >= 0:
            raise InputError(f"wait={wait:g}: at least 0 seconds are needed")
        self._stop = threading.Event()
        self._shared = _awaited(lambda: _begun(storage, study, self._stop), wait, waiting)
        self._shared.outage.noticed = waiting
        self._threads, self._loops = threads, list[Loop]()
        try:
            stored = with_defaults(self._shared.options())
            campaign = _campaign(stored, study, task, evaluate, data)
            campaign.stop = self._stop
            self._work = campaign.work()
            refuse_changes(self._shared.label, stored, self._work.identity)
        except BaseException:
            self._shared.close()
            raise

    def run(self, watch: Callable[[WorkerOutcome], None] = lambda _: None) -> WorkerOutcome:
        """Work until as many trials count as the campaign wants.

        Parameters
        ----------
        watch : callable
            Told now and then what is done.

        Raises
        ------
        KeyboardInterrupt
            After Ctrl-C; trials in work are given back to the others.
        CampaignError
            If every evaluation fails, or the database stays away for minutes.
        """
        executor = ThreadPoolExecutor(self._threads, thread_name_prefix="wirenas-worker")
        ends_well = False
        try:
            with (
                one_torch_thread(),
                stop_on_signal(self._stop),
                silent_storage(),
                self._shared.outage.ends_when_stopped(),
            ):
                loops = [Loop(self._work, self._shared, self._stop) for _ in range(self._threads)]
                self._loops += loops
                running = {executor.submit(loop.run) for loop in loops}
                while running:
                    done, running = wait(running, timeout=_LOOK_UP_S, return_when="FIRST_COMPLETED")
                    for future in done:
                        future.result()
                    watch(self.outcome)
                ends_well = True
        except Interrupted:
            ends_well = True
            raise KeyboardInterrupt from None
        finally:
            self._stop.set()
            executor.shutdown(wait=ends_well, cancel_futures=True)
            self._shared.close()
        return self.outcome

    @property
    def outcome(self) -> WorkerOutcome:
        """What is done so far."""

        def count(*endings: str) -> int:
            return sum(loop.endings[ending] for loop in self._loops for ending in endings)

        seconds = sum(loop.seconds for loop in self._loops)
        trials = count("complete", "stopped")
        return WorkerOutcome(self._shared.name, trials, count("failed"), count("duplicate"), count("lost"), seconds)


def _begun(storage: str, study: str, stop: threading.Event) -> SharedStudy:
    """Open a study that a run has begun, or raise AbsentError."""
    shared = SharedStudy(storage, study, stop)
    try:
        shared.options()
    except BaseException:
        shared.close()
        raise
    return shared


def _awaited(open_study: Callable[[], SharedStudy], seconds: float, waiting: Callable[[str], None]) -> SharedStudy:
    deadline, missing = time.monotonic() + seconds, ""
    while True:
        try:
            return open_study()
        except AbsentError as error:
            if time.monotonic() >= deadline:
                raise
            if missing != str(error):
                missing = str(error)
                waiting(f"waiting for up to {seconds:g} s: {missing}")
        time.sleep(min(_TRY_AGAIN_S * random.uniform(0.5, 1.0), max(0.0, deadline - time.monotonic())))


def _campaign(
    stored: Mapping[str, Any],
    study: str,
    task: Task | None,
    evaluate: Callable[[Wiring, Mapping[str, Any]], float] | None,
    data: str | Path | None,
) -> Campaign:
    """Return the campaign that stored options describe; its folder is never touched."""
    options = {name: value for name, value in stored.items() if name in CampaignOptions.model_fields}
    name, folder = options.pop("task"), Path(study, "worker")
    if name is None and evaluate is None:
        raise InputError(f"study={study}: its candidates get their values in Python; give Worker the same evaluate")
    if name is None and task is not None:
        raise InputError(f"task={task.name}: the candidates of study={study} get their values in Python; leave it out")
    if name is not None and evaluate is not None:
        raise InputError(f"evaluate: study={study} trains its candidates on task {name}; leave it out")
    if name is not None and task is None and not is_named(name):
        raise InputError(f"study={study}: its task {name} is a Python object; give Worker the same task")
    if data is not None and (name is None or task is not None):
        raise InputError(f"data={data}: only a task that is taken by its name reads files; leave it out")
    if name is None:
        units = {"n_inputs": stored["n_inputs"], "n_outputs": stored["n_outputs"]}
        return Campaign(folder, evaluate=evaluate, **units, **options)
    given = task if task is not None else _load_task(name, data, options.get("files"))
    return Campaign(folder, task=given, **options)


def _load_task(name: str, data: str | Path | None, files: Any) -> Task:
    """Return a task by its name, whose file may lie in another folder on this machine."""
    try:
        return load_task(name, data, files)
    except InputError as error:
        path = Path(name.removeprefix(PREFIX).partition(":")[2])
        if data is None and is_file_task(name) and not path.is_absolute() and not path.exists():
            raise InputError(f"{error}, or data, the folder where {path} lies on this machine") from None
        raise
