"""Estimators of scikit-learn: networks whose wirings are drawn, given or searched.

Names are loaded on first use, as scikit-learn is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from priors.lazy import lazy_names

if TYPE_CHECKING:
    from nas.estimators.classifier import WiringClassifier
    from nas.estimators.regressor import WiringRegressor
    from nas.estimators.search import WiringSearchCV

__all__ = ["WiringClassifier", "WiringRegressor", "WiringSearchCV"]

_MODULES = {"WiringClassifier": "classifier", "WiringRegressor": "regressor", "WiringSearchCV": "search"}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
