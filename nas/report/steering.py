"""What steering was worth in a campaign, from its records. Imports the records, and numpy where there is something."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from nas.search.records import Record

__all__ = ["CHANCE", "worth_of_steering"]

CHANCE = ("start-up", "random")
"""Origins of trials that were drawn from the space without a prediction deciding."""


def worth_of_steering(records: Iterable[Record]) -> dict[str, Any] | None:
    """Compare the trials that predictions chose with those that chance did, and predictions with values.

    Returns
    -------
    dict or None
        steered and chance: mean values; n_steered and n_chance: of how many complete trials; rank_correlation:
        Kendall's, between predictions made before a training and its value, over all trials with both; coverage: share
        of values inside of their 90 % intervals. None where no trial was steered.
    """
    complete = [record for record in records if record.is_complete and record.origin and record.value is not None]
    chance = [record.value for record in complete if record.origin in CHANCE and record.value is not None]
    steered = [record.value for record in complete if record.origin not in CHANCE and record.value is not None]
    if not steered or not chance:
        return None
    return {
        "steered": math.fsum(steered) / len(steered),
        "chance": math.fsum(chance) / len(chance),
        "n_steered": len(steered),
        "n_chance": len(chance),
        **_of_predictions([record for record in complete if record.prediction is not None]),
    }


def _of_predictions(records: list[Record]) -> dict[str, float | None]:
    from predictors.validation.metrics import coverage, kendall

    if len(records) < 2:
        return {"rank_correlation": None, "coverage": None}
    values, predictions, low, high = (
        [getattr(record, name) for record in records]
        for name in ("value", "prediction", "prediction_low", "prediction_high")
    )
    tau = kendall(values, predictions)
    return {"rank_correlation": tau if math.isfinite(tau) else None, "coverage": coverage(values, low, high)}
