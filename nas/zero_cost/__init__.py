"""Zero-cost measures: what a wiring's network does before any training.

Names are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from priors.lazy import lazy_names

if TYPE_CHECKING:
    from nas.zero_cost.measures import zero_cost, zero_cost_columns
    from nas.zero_cost.table import ZERO_COST

__all__ = ["ZERO_COST", "zero_cost", "zero_cost_columns"]

_MODULES = {"ZERO_COST": "table", "zero_cost": "measures", "zero_cost_columns": "measures"}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
