"""Validations as they were stored: read back from JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from predictors.validation.baselines import Step
from predictors.validation.ceiling import Ceiling
from predictors.validation.components import Component
from predictors.validation.crossval import Estimate, Score
from predictors.validation.report import Validation
from predictors.validation.transfer import CurvePoint, PartScore

__all__ = ["read_ceiling", "read_estimate", "read_score", "read_validation"]

Stored = Mapping[str, Any]


def read_estimate(stored: Stored) -> Estimate:
    """Return an estimate; like everywhere here, null was written for what is undefined."""
    return Estimate(**_numbers(stored))


def read_score(stored: Stored) -> Score:
    """Return a score."""
    estimates = {name: read_estimate(stored[name]) for name in ("r2", "tau", "mae")}
    return Score(**estimates, regret=_number(stored["regret"]), k=stored["k"])


def read_ceiling(stored: Stored | None) -> Ceiling | None:
    """Return a noise ceiling; None where none was known."""
    if stored is None:
        return None
    ends = {name: tuple(map(_number, stored[name])) for name in ("one_seed_interval", "mean_label_interval")}
    return Ceiling(**{**_numbers(stored), **ends})


def read_validation(stored: Stored) -> Validation:
    """Return what `Validation.to_json` gave."""
    return Validation(
        n=stored["n"],
        groups=stored["groups"],
        folds=stored["folds"],
        repeats=stored["repeats"],
        label=stored["label"],
        score=read_score(stored["score"]),
        gain=read_estimate(stored["gain"]),
        references=[_read_step(step) for step in stored["references"]],
        ladder=[_read_step(step) for step in stored["ladder"]],
        ceiling=read_ceiling(stored["ceiling"]),
        within_family=_read_parts(stored["within_family"]),
        within_size=_read_parts(stored["within_size"]),
        left_out=_read_parts(stored["left_out"]),
        curve=[CurvePoint(p["size"], read_estimate(p["r2"]), read_estimate(p["tau"])) for p in stored["curve"]],
        coverage={found["nominal"]: _number(found["empirical"]) for found in stored["coverage"]},
        components=[Component(**_numbers(component)) for component in stored["components"]],
        single_splits=[_number(value) for value in stored["single_splits"]],
    )


def _read_step(stored: Stored) -> Step:
    delta = None if stored["delta"] is None else read_estimate(stored["delta"])
    return Step(stored["name"], stored["n_features"], read_estimate(stored["r2"]), delta)


def _read_parts(stored: Sequence[Stored]) -> list[PartScore]:
    return [PartScore(**_numbers(part)) for part in stored]


def _numbers(stored: Stored) -> dict[str, Any]:
    return {name: _number(value) for name, value in stored.items()}


def _number(value: Any) -> Any:
    return math.nan if value is None else value
