"""SurveyTable: the rows of a survey, one a training, and the way back to their wirings. Imports pyarrow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from nas.errors import CampaignError, InputError
from nas.search.options import SurveyOptions, resolve_survey
from nas.search.parts import list_parts, read_identity, read_rows
from priors import Wiring

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PARTS_FOLDER", "SurveyTable", "load_survey"]

PARTS_FOLDER = "parts"
"""Where a survey's rows lie in its folder."""

_READS = 3
_UNITS = ("n_inputs", "n_outputs")


@dataclass(frozen=True)
class SurveyTable:
    """The trainings of a survey, in the order of their wirings, learning rates and replicates.

    Parameters
    ----------
    table : pyarrow.Table
        One row a training. `number` counts wirings; `replicate` keys initial weights and the order of the examples
        together with the fingerprint; columns ``param_…`` hold the parameters that a wiring can be rebuilt from, null
        where its family does not take them; `fingerprint` to `n_parameters` are as in a `Record`. `value` is the
        validation metric of the weights that training ended with, `validation_loss` their loss, null where the training
        diverged, and `test` their metric on the test part. A training that diverged is worth the constant prediction.
        `seconds` is the time of the training alone. `error` says why a training failed, and is null otherwise.
    identity : mapping
        The survey's options, the fingerprint of its data, and its metric; empty where there are no rows yet.
    """

    table: pa.Table
    identity: Mapping[str, Any]

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def to_frame(self) -> pd.DataFrame:
        """Return a ``pandas.DataFrame``, one row a training."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    def wiring(self, number: int) -> Wiring:
        """Rebuild a wiring, with its input and output units, as it was trained.

        Raises
        ------
        InputError
            If the survey has no such wiring.
        CampaignError
            If this version of the prior draws another one.
        """
        row = self._first_row(number)
        params = {
            name.removeprefix("param_"): value
            for name, value in row.items()
            if name.startswith("param_") and value is not None
        }
        options = {name: value for name, value in self.identity.items() if name in SurveyOptions.model_fields}
        space = resolve_survey(options).resolved_space
        wiring = space.wiring(params, *(int(self.identity[name]) for name in _UNITS))
        if wiring.fingerprint != row["fingerprint"]:
            raise CampaignError(f"wiring {number} was drawn by another version of its prior and cannot be rebuilt")
        return wiring

    def _first_row(self, number: int) -> dict[str, Any]:
        n_wirings = int(self.table["number"][-1].as_py()) + 1 if len(self) else 0
        if not 0 <= number < n_wirings:
            raise InputError(f"number={number}: the survey has wirings 0 to {n_wirings - 1}")
        row: dict[str, Any] = self.table.slice(number * len(self) // n_wirings, 1).to_pylist()[0]
        return row


def load_survey(out: str | Path) -> SurveyTable:
    """Return the rows of the survey in the folder `out`; also of one that is going on.

    Raises
    ------
    InputError
        If parts are missing, damaged or foreign.
    """
    for _ in range(_READS - 1):
        try:
            return _read(Path(out) / PARTS_FOLDER)
        except FileNotFoundError:  # Parts were merged since they were listed.
            continue
    return _read(Path(out) / PARTS_FOLDER)


def _read(folder: Path) -> SurveyTable:
    parts = list_parts(folder)
    return SurveyTable(read_rows(parts), read_identity(parts[0]) if parts else {})
