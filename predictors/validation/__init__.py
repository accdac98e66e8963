"""How good a predictor is, told honestly: grouped folds, baselines, a noise ceiling, intervals.

Works on matrices, labels and callables, and knows no regressor. Names are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from priors.lazy import lazy_names

if TYPE_CHECKING:
    from predictors.validation.baselines import LADDER, Step, ladder, references
    from predictors.validation.ceiling import Ceiling, noise_ceiling
    from predictors.validation.components import Component, variance_components
    from predictors.validation.crossval import (
        Estimate,
        Score,
        difference,
        estimate_r2,
        out_of_fold,
        score,
        single_splits,
    )
    from predictors.validation.fits import Fit, Fits, Predict
    from predictors.validation.folds import repeated_folds
    from predictors.validation.judge import validate
    from predictors.validation.metrics import coverage, kendall, mae, r2, regret_at_k, spearman, top_k_share
    from predictors.validation.report import Validation
    from predictors.validation.stored import read_ceiling, read_estimate, read_score, read_validation
    from predictors.validation.transfer import CurvePoint, PartScore, learning_curve, leave_one_family_out, within

__all__ = [
    "LADDER",
    "Ceiling",
    "Component",
    "CurvePoint",
    "Estimate",
    "Fit",
    "Fits",
    "PartScore",
    "Predict",
    "Score",
    "Step",
    "Validation",
    "coverage",
    "difference",
    "estimate_r2",
    "kendall",
    "ladder",
    "learning_curve",
    "leave_one_family_out",
    "mae",
    "noise_ceiling",
    "out_of_fold",
    "r2",
    "read_ceiling",
    "read_estimate",
    "read_score",
    "read_validation",
    "references",
    "regret_at_k",
    "repeated_folds",
    "score",
    "single_splits",
    "spearman",
    "top_k_share",
    "validate",
    "variance_components",
    "within",
]

_MODULES = {
    "LADDER": "baselines",
    "Ceiling": "ceiling",
    "Component": "components",
    "CurvePoint": "transfer",
    "Estimate": "crossval",
    "Fit": "fits",
    "Fits": "fits",
    "PartScore": "transfer",
    "Predict": "fits",
    "Score": "crossval",
    "Step": "baselines",
    "Validation": "report",
    "coverage": "metrics",
    "difference": "crossval",
    "estimate_r2": "crossval",
    "kendall": "metrics",
    "ladder": "baselines",
    "learning_curve": "transfer",
    "leave_one_family_out": "transfer",
    "mae": "metrics",
    "noise_ceiling": "ceiling",
    "out_of_fold": "crossval",
    "r2": "metrics",
    "read_ceiling": "stored",
    "read_estimate": "stored",
    "read_score": "stored",
    "read_validation": "stored",
    "references": "baselines",
    "regret_at_k": "metrics",
    "repeated_folds": "folds",
    "score": "crossval",
    "single_splits": "crossval",
    "spearman": "metrics",
    "top_k_share": "metrics",
    "validate": "judge",
    "variance_components": "components",
    "within": "transfer",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
