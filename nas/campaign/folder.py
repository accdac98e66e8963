"""What the commands on campaigns and surveys do, without their printing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.errors import InputError
from nas.options.ignored import dotted_names
from nas.options.options import (
    CAMPAIGN,
    OPTIONS_FILE,
    Kind,
    SharedOptions,
    read_options,
    resolve,
    resume_options,
)
from nas.report.outcome import Outcome, counted_in
from nas.store.folders import holds_experiment, holds_survey
from nas.store.reading import reading

if TYPE_CHECKING:
    from nas.campaign.campaign import Campaign
    from nas.store.records import Records
    from nas.tasks import Task

__all__ = [
    "default_name",
    "is_from_python",
    "open_campaign",
    "read_best",
    "read_records",
    "read_status",
    "resumed",
    "with_network",
]


def open_campaign(
    file: Path | None,
    out: Path | None,
    given: Mapping[str, Any],
    threads: int | None = None,
    data: Path | None = None,
    storage: str | None = None,
    study: str | None = None,
) -> Campaign:
    """Return the campaign of a file, flags and a folder, to be run or resumed.

    The file holds options as TOML, over which the nested options in `given` win, and may hold `out` and `threads`.
    `out` is by default named after task and network. `data` is the folder of the task's files: like `storage` and
    `study`, it is not remembered by the campaign, which recognises its data by their fingerprint.
    """
    written = read_options(file) if file is not None else {}
    if file is not None and not written:
        raise InputError(f"{file}: holds no option; `wirenas run --print-toml` prints a file to start from")
    out, threads = _of_the_run(written, out, threads)
    options, task = with_network(resumed(out, _merged(written, given)), data)
    resolved = resolve(options)
    folder = out or Path("results") / default_name(resolved)
    if resolved.task is None:
        raise InputError("task='none': a campaign without a task needs an own evaluation, which Python alone can give")
    if out is None:
        complete = resumed(folder, options)
        task = task if complete.get("files") == options.get("files") else None
        options = complete
    from nas.campaign.campaign import Campaign

    if task is None and data is not None:
        from nas.tasks import load_task

        task = load_task(options.get("task", resolved.task), data, options.get("files"))
    if task is not None:
        options["task"] = task
    campaign = Campaign(folder, threads=threads, storage=storage, study=study, **options)
    campaign.typed = dotted_names(given)
    return campaign


def resumed(folder: Path | None, options: Mapping[str, Any], kind: Kind = CAMPAIGN) -> dict[str, Any]:
    """Return options beside those of the campaign or survey in a folder, if there is one.

    Raises
    ------
    InputError
        If it was started from Python, or with other options.
    """
    if folder is None:
        return dict(options)
    if is_from_python(folder, kind):
        raise InputError(f"{folder}: this {kind.noun} was started from Python and is resumed there, by no command")
    return resume_options(folder, options, kind)


def default_name(resolved: SharedOptions) -> str:
    """Return what the folder of a campaign is called by default: task and network."""
    from nas.tasks import stem_of

    return f"{stem_of(str(resolved.task))}-{resolved.network}"


def with_network(options: Mapping[str, Any], data: Path | None) -> tuple[dict[str, Any], Task | None]:
    """Return options with the network that their task needs, where none is given, and the task if that said it."""
    from nas.tasks import FROM_FILES, is_named, load_task

    name = options.get("task")
    if "network" in options or not isinstance(name, str) or name in FROM_FILES or not is_named(name):
        return dict(options), None
    task = load_task(name, data, options.get("files"))
    return {**options, "network": "rnn" if task.is_sequence else "mlp"}, task


def read_status(out: Path) -> Outcome:
    """Return where a campaign stands, whether it is over or not, without changing it."""
    from nas.store.study import StudyFile, storing_of

    study = StudyFile(out)
    stored = study.get("outcome")
    records = study.records()
    with reading(study.path):
        if stored is not None and counted_in(stored) == len(records.counted):
            # The folder may have been moved since.
            return Outcome.from_json({**stored, "out": str(out), "study": str(study.path)})
    options = resolve(read_options(out / OPTIONS_FILE))
    outcome = Outcome.of(out, options, None, records, storing=storing_of(study))
    return replace(outcome, metric=(study.get("options") or {}).get("metric", outcome.metric))


def read_records(out: Path) -> Records:
    """Return the records of a campaign's trials."""
    from nas.store.study import StudyFile

    return StudyFile(out).records()


def read_best(out: Path) -> dict[str, Any]:
    """Return the best candidate, its results and its files."""
    if holds_survey(out):
        raise InputError(f"{out}: a survey lies there, which has no best candidate; see `wirenas status` instead")
    if holds_experiment(out):
        from nas.structure.files import read_found

        return read_found(out) | {"files": sorted(map(str, (out / "best").iterdir()))}
    outcome = read_status(out).to_json()
    if outcome["best"] is None:
        way = "the Python program that started it" if is_from_python(out) else "`wirenas run` with this --out"
        raise InputError(f"{out}: no trial is complete yet; {way} goes on")
    names = ("out", "best", "test", "references", "verdict", "metric", "over", "front", "front_references")
    found = {name: outcome[name] for name in names}
    return found | {"files": _files(out / "best", outcome["best"]["fingerprint"])}


def _files(folder: Path, fingerprint: str) -> list[str]:
    """Return the files of the best candidate; none while those of an earlier one still lie there."""
    from priors import read_wiring

    try:
        written = read_wiring(folder / "wiring.json").fingerprint
    except ValueError:
        return []
    return sorted(map(str, folder.iterdir())) if written == fingerprint else []


def is_from_python(folder: Path, kind: Kind = CAMPAIGN) -> bool:
    """Whether the folder holds the work of an own evaluation or task, which the command line does not have."""
    from nas.tasks import is_named

    path = folder / kind.file
    return path.is_file() and not is_named(str(read_options(path).get("task", "digits")))


def _of_the_run(written: dict[str, Any], out: Path | None, threads: int | None) -> tuple[Path | None, int | None]:
    """Take `out` and `threads`, which are no options of the campaign, out of a file; those given win."""
    own_out, own_threads = written.pop("out", None), written.pop("threads", None)
    if own_out is not None and not isinstance(own_out, str):
        raise InputError(f"out in the file is {own_out!r}: a folder is written as text, such as 'results/digits'")
    if own_threads is not None and type(own_threads) is not int:
        raise InputError(f"threads={own_threads!r}: an integer of at least 1 is needed")
    return out or (Path(own_out) if own_out else None), own_threads if threads is None else threads


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in over.items():
        nested = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = _merged(merged[name], value) if nested else value
    return merged
