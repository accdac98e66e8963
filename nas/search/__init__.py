"""Search: spaces of wirings, campaigns and surveys over them, and what they leave behind.

Names are loaded on first use; a campaign imports torch and optuna, a survey torch and pyarrow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from priors.lazy import lazy_names

if TYPE_CHECKING:
    from nas.search.campaign import Campaign
    from nas.search.distributed.worker import Worker, WorkerOutcome
    from nas.search.loading import load
    from nas.search.options import CampaignOptions, SurveyOptions
    from nas.search.proposer import Candidate
    from nas.search.records import Record, Records
    from nas.search.references import references
    from nas.search.space import Space
    from nas.search.survey import Survey
    from nas.search.survey_table import SurveyOutcome, SurveyTable
    from nas.search.watcher import Watcher

__all__ = [
    "Campaign",
    "CampaignOptions",
    "Candidate",
    "Record",
    "Records",
    "Space",
    "Survey",
    "SurveyOptions",
    "SurveyOutcome",
    "SurveyTable",
    "Watcher",
    "Worker",
    "WorkerOutcome",
    "load",
    "references",
]

_MODULES = {
    "Campaign": "campaign",
    "CampaignOptions": "options",
    "Candidate": "proposer",
    "Record": "records",
    "Records": "records",
    "Space": "space",
    "Survey": "survey",
    "SurveyOptions": "options",
    "SurveyOutcome": "survey_table",
    "SurveyTable": "survey_table",
    "Watcher": "watcher",
    "Worker": "distributed.worker",
    "WorkerOutcome": "distributed.worker",
    "load": "loading",
    "references": "references",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
