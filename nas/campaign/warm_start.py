"""The predictor that a campaign starts from, and what else its sampler is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nas.errors import InputError
from nas.options.options import CampaignOptions
from nas.prediction.answers import load_predictor
from predictors import Predictor
from predictors.storage import FILE

__all__ = ["keep_warm_start", "steering_of"]

_WARM_FOLDER = "warm-start"
"""Where a campaign keeps the predictor that it started from."""


def steering_of(out: Path, options: CampaignOptions) -> dict[str, Any]:
    """Return the arguments of the structural or genetic sampler that follow from a campaign's folder and options.

    Raises
    ------
    InputError
        If there is no predictor where one is to start from.
    """
    warm_start = _warm_predictor(out, options)
    if options.sampler == "genetic":
        return {"startup": options.startup, "screened": options.screened}
    return {
        "startup": options.startup,
        "share": options.share,
        "replicates": options.repeats,
        "warm_start": warm_start,
    }


def keep_warm_start(out: Path, options: CampaignOptions) -> None:
    """Copy the predictor that a campaign starts from into its folder, where it stays as it was."""
    if not _has_copy(out) and (predictor := _warm_predictor(out, options)) is not None:
        predictor.save(out / _WARM_FOLDER)


def _warm_predictor(out: Path, options: CampaignOptions) -> Predictor | None:
    if options.warm_start is None:
        return None
    try:
        return load_predictor(out / _WARM_FOLDER if _has_copy(out) else Path(options.warm_start))
    except InputError as error:
        raise InputError(f"warm_start: {error}") from None


def _has_copy(out: Path) -> bool:
    """Whether a whole copy is there: the file that is looked for is the last one to be written."""
    return (out / _WARM_FOLDER / FILE).is_file()
