"""What the commands on campaigns do, without their printing. Imports the search where it is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.errors import InputError
from nas.report.outcome import Outcome
from nas.search.options import OPTIONS_FILE, read_options, resolve, resume_options

if TYPE_CHECKING:
    from nas.search.watcher import Watcher

__all__ = ["read_best", "read_status", "run_campaign"]


def run_campaign(
    file: Path | None,
    out: Path | None,
    given: Mapping[str, Any],
    threads: int,
    watcher_for: Callable[[str], Watcher],
) -> Outcome:
    """Run or resume a campaign; see `Campaign.run`.

    Parameters
    ----------
    file : Path or None
        Options as TOML.
    out : Path or None
        The campaign's folder, by default named after task and network.
    given : mapping
        Nested options that win over the file's.
    threads : int
    watcher_for : callable
        Makes a watcher for a direction.
    """
    options = _merged(read_options(file), given) if file is not None else dict(given)
    resolved = resolve(options)
    folder = out or Path("results") / f"{resolved.task}-{resolved.network}"
    options = resume_options(folder, options)
    quiet_optuna()
    from nas.search.campaign import Campaign

    campaign = Campaign(folder, threads=threads, **options)
    return campaign.run(watcher_for(campaign.options.direction))


def read_status(out: Path) -> Outcome:
    """Return where a campaign stands, whether it is over or not, without changing it."""
    quiet_optuna()
    from nas.search.study import StudyFile

    study = StudyFile(out)
    stored = study.get("outcome")
    records = study.records()
    if stored is not None and stored["complete"] == len(records.complete):
        # The folder may have been moved since.
        return Outcome.from_json({**stored, "out": str(out), "study": str(study.path)})
    options = resolve(read_options(out / OPTIONS_FILE))
    outcome = Outcome.of(out, options, None, records, None, sum(record.seconds for record in records))
    return replace(outcome, metric=(study.get("options") or {}).get("metric", outcome.metric))


def read_best(out: Path) -> dict[str, Any]:
    """Return the best candidate, its results and its files."""
    outcome = read_status(out).to_json()
    folder = out / "best"
    files = sorted(str(path) for path in folder.iterdir()) if folder.is_dir() else []
    if outcome["best"] is None:
        raise InputError(f"{out}: no trial is complete yet; `wirenas run` with this --out goes on")
    return {name: outcome[name] for name in ("out", "best", "test", "references", "verdict")} | {"files": files}


def quiet_optuna() -> None:
    """Keep Optuna's own log lines off the terminal; the command line has its own."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in over.items():
        nested = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = _merged(merged[name], value) if nested else value
    return merged
