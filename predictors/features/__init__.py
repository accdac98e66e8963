"""Measures of wirings: one table that defines them, and one call that computes them.

Names are loaded on first use, apart from `describe`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

# Not on first use: by then the module of the same name could stand in its place.
from predictors.features.describe import describe
from priors.lazy import lazy_names

if TYPE_CHECKING:
    from predictors.features.reads import READ_FEATURES, read_features, read_names
    from predictors.features.table import FEATURES, TIERS, Feature, names_of
    from predictors.features.transformer import GraphFeatures

__all__ = [
    "FEATURES",
    "READ_FEATURES",
    "TIERS",
    "Feature",
    "GraphFeatures",
    "describe",
    "names_of",
    "read_features",
    "read_names",
]

_MODULES = {
    "FEATURES": "table",
    "READ_FEATURES": "reads",
    "TIERS": "table",
    "Feature": "table",
    "GraphFeatures": "transformer",
    "names_of": "table",
    "read_features": "reads",
    "read_names": "reads",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
