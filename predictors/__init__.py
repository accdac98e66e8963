"""Storey 2: from a wiring to numbers to an expected accuracy.

Names are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wirenas import require_own

require_own("priors")

from priors.lazy import lazy_names  # noqa: E402

if TYPE_CHECKING:
    from predictors.features.describe import describe
    from predictors.features.reads import READ_FEATURES, read_features, read_names
    from predictors.features.table import FEATURES, TIERS, Feature, names_of
    from predictors.features.transformer import GraphFeatures
    from predictors.predictor import Predictor
    from predictors.preparation import Preparation

__all__ = [
    "FEATURES",
    "READ_FEATURES",
    "TIERS",
    "Feature",
    "GraphFeatures",
    "Predictor",
    "Preparation",
    "describe",
    "names_of",
    "read_features",
    "read_names",
]

_WIRENAS = True  # what `wirenas.require_own` looks for

_MODULES = {
    "FEATURES": "features.table",
    "READ_FEATURES": "features.reads",
    "TIERS": "features.table",
    "Feature": "features.table",
    "GraphFeatures": "features.transformer",
    "Predictor": "predictor",
    "Preparation": "preparation",
    "describe": "features.describe",
    "names_of": "features.table",
    "read_features": "features.reads",
    "read_names": "features.reads",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
