"""Measures of wirings: one table that defines them, and one call that computes them.

Names are loaded on first use, apart from `describe`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

# Not on first use: by then the module of the same name could stand in its place.
from predictors.features.describe import describe
from priors.lazy import lazy_names

if TYPE_CHECKING:
    from predictors.features.table import FEATURES, TIERS, Feature, names_of
    from predictors.features.transformer import GraphFeatures

__all__ = ["FEATURES", "TIERS", "Feature", "GraphFeatures", "describe", "names_of"]

_MODULES = {
    "FEATURES": "table",
    "TIERS": "table",
    "Feature": "table",
    "GraphFeatures": "transformer",
    "names_of": "table",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
