"""Storey 3: networks, training and search. Imports torch and optuna, priors and predictors.

Names are loaded on first use, so that the command line starts fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wirenas import require_own

require_own("priors", "predictors")

from priors.lazy import lazy_names  # noqa: E402

if TYPE_CHECKING:
    from nas.errors import CampaignError, InputError
    from nas.networks.mlp import SparseMLP
    from nas.networks.readout import SequenceNetwork
    from nas.networks.rnn import SparseRNN
    from nas.networks.storage import load_network, save_network
    from nas.networks.structure import n_parameters, wiring_of
    from nas.report.outcome import Outcome
    from nas.samplers.structural import StructuralSampler
    from nas.search.campaign import Campaign
    from nas.search.distributed.worker import Worker
    from nas.search.loading import load
    from nas.search.records import Record, Records
    from nas.search.space import Space
    from nas.search.survey import Survey
    from nas.search.survey_table import SurveyOutcome, SurveyTable
    from nas.tasks.task import Task
    from nas.training.history import History
    from nas.training.recipe import Recipe
    from nas.training.train import session, train

__all__ = [
    "Campaign",
    "CampaignError",
    "History",
    "InputError",
    "Outcome",
    "Recipe",
    "Record",
    "Records",
    "SequenceNetwork",
    "Space",
    "SparseMLP",
    "SparseRNN",
    "StructuralSampler",
    "Survey",
    "SurveyOutcome",
    "SurveyTable",
    "Task",
    "Worker",
    "load",
    "load_network",
    "n_parameters",
    "save_network",
    "session",
    "train",
    "wiring_of",
]

_WIRENAS = True  # what `wirenas.require_own` looks for

_MODULES = {
    "Campaign": "search.campaign",
    "CampaignError": "errors",
    "History": "training.history",
    "InputError": "errors",
    "Outcome": "report.outcome",
    "Recipe": "training.recipe",
    "Record": "search.records",
    "Records": "search.records",
    "SequenceNetwork": "networks.readout",
    "Space": "search.space",
    "SparseMLP": "networks.mlp",
    "SparseRNN": "networks.rnn",
    "StructuralSampler": "samplers.structural",
    "Survey": "search.survey",
    "SurveyOutcome": "search.survey_table",
    "SurveyTable": "search.survey_table",
    "Task": "tasks.task",
    "Worker": "search.distributed.worker",
    "load": "search.loading",
    "load_network": "networks.storage",
    "n_parameters": "networks.structure",
    "save_network": "networks.storage",
    "session": "training.train",
    "train": "training.train",
    "wiring_of": "networks.structure",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
