"""Folders of campaigns and surveys: what lies in one, reading it back, and one process at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from nas.errors import InputError
from nas.options.options import SURVEY
from priors.files import remove_leftovers

if TYPE_CHECKING:
    from nas.store.records import Records
    from nas.store.survey_table import SurveyTable

__all__ = ["alone_in", "holds_survey", "load"]


def load(out: str | Path) -> Records | SurveyTable:
    """Return what lies in the folder `out`: the records of a campaign, or the table of a survey.

    ``load(out).to_frame()`` gives either as a ``pandas.DataFrame``.

    Raises
    ------
    InputError
        If there is neither.
    """
    if holds_survey(Path(out)):
        from nas.store.survey_table import load_survey

        return load_survey(out)
    from nas.store.study import load as load_campaign

    return load_campaign(out)


def holds_survey(out: Path) -> bool:
    """Whether a survey lies in a folder."""
    return (out / SURVEY.file).is_file()


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
        raise InputError(f"out={out}: {error.strerror}; give a folder that can be written") from None
    try:
        remove_leftovers(out)
        yield
    finally:
        lock.release()
