"""Reading back what a campaign or a survey has written. Imports optuna or pyarrow, whichever is needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nas.options.options import SURVEY

if TYPE_CHECKING:
    from nas.store.records import Records
    from nas.store.survey_table import SurveyTable

__all__ = ["load"]


def load(out: str | Path) -> Records | SurveyTable:
    """Return what lies in the folder `out`: the records of a campaign, or the table of a survey.

    ``load(out).to_frame()`` gives either as a ``pandas.DataFrame``.

    Raises
    ------
    InputError
        If there is neither.
    """
    if (Path(out) / SURVEY.file).is_file():
        from nas.store.survey_table import load_survey

        return load_survey(out)
    from nas.store.study import load as load_campaign

    return load_campaign(out)
