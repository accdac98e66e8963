"""What steering was worth in a campaign, from its records."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from nas.space.lineage import Lineage
from nas.store.records import Record

__all__ = ["describe_origin", "is_by_chance", "is_steered", "worth_of_steering"]

_CHANCE = ("start-up", "random")
_FALLBACK = "fallback"
_WORDS = {
    "start-up": "drawn evenly, before anything was known",
    "random": "drawn without looking, as a test of the predictions",
    "prior": "by predictions, from fresh draws",
    "neighbour": "by predictions, from neighbours of the best",
    "tpe": "by predictions, from draws of TPE",
    "replicate": "the best one so far once more",
    _FALLBACK: "by TPE, since structure predicted nothing",
}


def is_by_chance(record: Record) -> bool:
    """Whether the candidate was drawn from the space without a prediction deciding."""
    return record.origin in _CHANCE


def is_steered(record: Record) -> bool:
    """Whether predictions decided which candidate was trained."""
    return record.origin not in ("", *_CHANCE, _FALLBACK) and record.prediction is not None


def describe_origin(record: Record) -> str:
    """Return how a candidate was chosen, in words; nothing where the sampler does not say."""
    lineage = Lineage.from_json(record.lineage) if record.lineage else None
    if lineage is None:
        return _WORDS.get(record.origin, record.origin)
    parents = " and ".join(map(str, lineage.parents))
    edits = f", {lineage.n_moves} edits" if lineage.n_moves else ""
    return f"{lineage.way} of trial{'s' if len(lineage.parents) > 1 else ''} {parents}{edits}"


def worth_of_steering(records: Iterable[Record], *, by_size: bool = False) -> dict[str, Any] | None:
    """Compare the trials that predictions chose with those that chance did, and predictions with values.

    Parameters
    ----------
    records : iterable of Record
    by_size : bool
        Whether the number of parameters is a second objective. Means of values then say nothing: small networks are
        looked for too.

    Returns
    -------
    dict or None
        steered and chance: mean values, None where they say nothing; n_steered and n_chance: of how many complete
        trials; n_fallback: how many TPE chose, since predictions were no better than the mean; rank_correlation:
        Kendall's, between predictions made before a training and its value, over all trials with both; coverage: share
        of values inside of their 90 % intervals. None where predictions chose nothing, or chance did not.
    """
    complete = [record for record in records if record.is_complete and record.value is not None]
    chance = [record for record in complete if is_by_chance(record)]
    steered = [record for record in complete if is_steered(record)]
    fallen_back = [record for record in complete if record.origin == _FALLBACK]
    if not chance or not (steered or fallen_back):
        return None
    return {
        "steered": None if by_size else _mean(steered),
        "chance": None if by_size else _mean(chance),
        "n_steered": len(steered),
        "n_chance": len(chance),
        "n_fallback": len(fallen_back),
        **_of_predictions([record for record in complete if record.prediction is not None]),
    }


def _mean(records: list[Record]) -> float | None:
    return math.fsum(record.value or 0.0 for record in records) / len(records) if records else None


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
