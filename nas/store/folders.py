"""Folders that commands write: what lies in one, reading it back, and one process at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from nas.errors import InputError
from nas.failures import unusable
from nas.options.options import CAMPAIGN, SURVEY
from priors.files import remove_leftovers

if TYPE_CHECKING:
    from nas.store.records import Records
    from nas.store.survey_table import SurveyTable

__all__ = [
    "COMPARISON",
    "EXPERIMENT",
    "PREDICTOR",
    "alone_in",
    "check_folder",
    "holds_experiment",
    "holds_survey",
    "load",
]

EXPERIMENT, PREDICTOR = "an experiment of `wirenas prune` or `rewire`", "a predictor"
COMPARISON = "a comparison with nulls"
"""What lies in a folder, in messages; a campaign and a survey have their nouns."""

_STUDIES = (
    "published-rnns", "prediction", "zero-cost", "steering", "warm-start", "pareto", "rewiring", "drop-criteria",
    "planted", "connectomes", "pruning", "rnn-pruning", "learned-structure", "topology",
)  # fmt: skip
_MARKS = {
    CAMPAIGN.file: f"a {CAMPAIGN.noun}",
    "study.db": f"a {CAMPAIGN.noun}",
    SURVEY.file: f"a {SURVEY.noun}",
    "parts": f"a {SURVEY.noun}",
    "structure.json": EXPERIMENT,
    "predictor.json": PREDICTOR,
    "network.safetensors": "a network",
    "plan.toml": COMPARISON,
    "setting.json": "a study",
    "runs.jsonl": "a study",
    **{f"{name}.json": f"the study {name}" for name in _STUDIES},
}
"""What lies in a folder, by the file that tells it."""


def load(out: str | Path) -> Records | SurveyTable:
    """Return what lies in the folder `out`: the records of a campaign, or the table of a survey.

    ``load(out).to_frame()`` gives either as a ``pandas.DataFrame``.

    Raises
    ------
    InputError
        If there is neither.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from nas import Campaign, load
    >>> with TemporaryDirectory() as folder:
    ...     _ = Campaign(folder, evaluate=lambda wiring, params: wiring.n_edges, trials=3).run()
    ...     frame = load(folder).to_frame()
    >>> frame["state"].tolist(), "fingerprint" in frame
    (['complete', 'complete', 'complete'], True)
    """
    if holds_survey(Path(out)):
        from nas.store.survey_table import load_survey

        return load_survey(out)
    from nas.store.study import load as load_campaign

    return load_campaign(out)


def holds_survey(out: Path) -> bool:
    """Whether a survey lies in a folder."""
    return (out / SURVEY.file).is_file()


def holds_experiment(out: Path) -> bool:
    """Whether a structure was learned in a folder, by `wirenas prune` or `rewire`."""
    return (out / "structure.json").is_file() and not (out / CAMPAIGN.file).is_file()


def check_folder(out: Path, *own: str, beside: bool = False) -> None:
    """Refuse a folder in which something else lies than what is to be written there.

    Parameters
    ----------
    out : Path
        It need not be there.
    *own : str
        What may lie there, in the words of messages: then it goes on.
    beside : bool
        Whether it may be written beside files of which nothing is known.

    Raises
    ------
    InputError
        If something else lies there, or it cannot be a folder.
    """
    if not out.is_dir():
        file = next((path for path in (out, *out.parents) if path.is_file()), None)
        if file is not None:
            what = "this" if file == out else str(file)
            raise InputError(f"out={out}: {what} is a file; give a folder that can be written")
        return
    found = {what: None for file, what in _MARKS.items() if (out / file).exists()}
    for what in found:
        if what not in own:
            raise InputError(f"out={out}: {what} lies there; give another folder")
    if not found and not beside and any(not path.name.startswith(".") for path in out.iterdir()):
        raise InputError(f"{out}: the folder holds other files; give a new one with out")


@contextlib.contextmanager
def alone_in(out: Path) -> Iterator[None]:
    """Create the folder `out`, and keep every other process from working on it.

    Raises
    ------
    InputError
        If the folder cannot be written, or another process works on it.
    """
    lock = FileLock(out / ".lock", timeout=0)
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise InputError(f"out={out}: another process works on it; give another folder") from None
    except OSError as error:
        raise unusable(error, f"out={out}", "give a folder that can be written") from None
    try:
        remove_leftovers(out)
        yield
    finally:
        lock.release()
