"""Storey 3: networks, training and search.

Names are loaded on first use, so that the command line starts fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wirenas import require_own

require_own("priors", "predictors")

from priors.lazy import lazy_names  # noqa: E402

if TYPE_CHECKING:
    from nas.apply.pipeline import DataWarning, TrainedPipeline, load_pipeline
    from nas.campaign.campaign import Campaign
    from nas.campaign.worker import Worker
    from nas.errors import CampaignError, InputError
    from nas.estimators.classifier import WiringClassifier
    from nas.estimators.regressor import WiringRegressor
    from nas.estimators.search import WiringSearchCV
    from nas.networks.mlp import SparseMLP
    from nas.networks.readout import SequenceNetwork
    from nas.networks.rnn import SparseRNN
    from nas.networks.storage import load_network, save_network
    from nas.networks.structure import n_parameters, wiring_of
    from nas.report.outcome import Outcome
    from nas.report.progress import CampaignDisplay
    from nas.samplers.structural import StructuralSampler
    from nas.space.space import Space
    from nas.store.folders import load
    from nas.store.records import Record, Records
    from nas.store.survey_table import SurveyOutcome, SurveyTable
    from nas.survey import Survey
    from nas.tasks.task import Task
    from nas.training.recipe import Recipe
    from nas.training.session import History
    from nas.training.train import session, train

__all__ = [
    "Campaign",
    "CampaignDisplay",
    "CampaignError",
    "DataWarning",
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
    "TrainedPipeline",
    "WiringClassifier",
    "WiringRegressor",
    "WiringSearchCV",
    "Worker",
    "load",
    "load_network",
    "load_pipeline",
    "n_parameters",
    "save_network",
    "session",
    "train",
    "wiring_of",
]

_WIRENAS = True  # what `wirenas.require_own` looks for

_MODULES = {
    "Campaign": "campaign.campaign",
    "CampaignDisplay": "report.progress",
    "CampaignError": "errors",
    "DataWarning": "apply.pipeline",
    "History": "training.session",
    "InputError": "errors",
    "Outcome": "report.outcome",
    "Recipe": "training.recipe",
    "Record": "store.records",
    "Records": "store.records",
    "SequenceNetwork": "networks.readout",
    "Space": "space.space",
    "SparseMLP": "networks.mlp",
    "SparseRNN": "networks.rnn",
    "StructuralSampler": "samplers.structural",
    "Survey": "survey",
    "SurveyOutcome": "store.survey_table",
    "SurveyTable": "store.survey_table",
    "Task": "tasks.task",
    "TrainedPipeline": "apply.pipeline",
    "WiringClassifier": "estimators.classifier",
    "WiringRegressor": "estimators.regressor",
    "WiringSearchCV": "estimators.search",
    "Worker": "campaign.worker",
    "load": "store.folders",
    "load_network": "networks.storage",
    "load_pipeline": "apply.pipeline",
    "n_parameters": "networks.structure",
    "save_network": "networks.storage",
    "session": "training.train",
    "train": "training.train",
    "wiring_of": "networks.structure",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
