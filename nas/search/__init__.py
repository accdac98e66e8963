"""Search: spaces of wirings, campaigns over them, and what they leave behind.

Names are loaded on first use; the campaign itself imports torch and optuna.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from priors.lazy import lazy_names

if TYPE_CHECKING:
    from nas.search.campaign import Campaign
    from nas.search.options import CampaignOptions
    from nas.search.proposer import Candidate
    from nas.search.records import Record, Records
    from nas.search.references import references
    from nas.search.space import Space
    from nas.search.study import load
    from nas.search.watcher import Watcher

__all__ = [
    "Campaign",
    "CampaignOptions",
    "Candidate",
    "Record",
    "Records",
    "Space",
    "Watcher",
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
    "Watcher": "watcher",
    "load": "study",
    "references": "references",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
