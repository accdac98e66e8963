"""SurveyTable: the rows of a survey, one a training, and the way back to their wirings; SurveyOutcome: their sum."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nas.errors import CampaignError, InputError
from nas.failures import raise_unreadable
from nas.options.options import PREDICTOR_FOLDER, SURVEY, SurveyOptions, read_options, resolve_survey
from nas.space.space import Space
from nas.store.arrow import pa
from nas.store.reading import reading
from nas.store.survey_parts import list_parts, read_identity, read_rows
from priors import Wiring

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PARTS_FOLDER", "SurveyOutcome", "SurveyTable", "load_survey", "read_outcome"]

PARTS_FOLDER = "parts"
"""Where a survey's rows lie in its folder."""

T = TypeVar("T")
_READS = 3


@dataclass(frozen=True)
class SurveyTable:
    """The trainings of a survey, in the order of their wirings, learning rates and replicates.

    Parameters
    ----------
    table : pyarrow.Table
        One row a training. `number` counts wirings; `replicate` keys initial weights and the order of the examples
        together with the fingerprint; columns ``param_…`` hold the parameters that a wiring can be rebuilt from, null
        where its family does not take them, `graph_name` the name of the user's own graph; `fingerprint` to
        `n_parameters` are as in a `Record`. `value` is the validation metric of the weights that training ended with,
        `validation_loss` their loss, null where the training diverged, and `test` their metric on the test part. A
        training that diverged is worth the constant prediction. `seconds` is the time of the training alone. `error`
        says why a training failed, and is null otherwise.
    identity : mapping
        The survey's options, the fingerprint of its data, and its metric; empty where there are no rows yet.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from nas import Recipe, Survey, load
    >>> brief = Recipe(epochs=1, learning_rates=0.01)
    >>> with TemporaryDirectory() as folder:
    ...     _ = Survey(folder, task="digits", wirings=3, seeds=2, recipe=brief).run()
    ...     table = load(folder)
    >>> len(table), table.n_wirings, table.trainings("value").shape  # wirings, learning rates, replicates
    (6, 3, (3, 1, 2))
    >>> table.wiring(0).fingerprint == table.to_frame()["fingerprint"][0]
    True
    """

    table: pa.Table
    identity: Mapping[str, Any]

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def check(self) -> None:
        """Check what everything else relies on: every wiring has the same rows, in order, and is of a known kind.

        Raises
        ------
        ValueError
            If something is not so.
        """
        if not len(self):
            return
        keys = [self.table[name] for name in ("number", "learning_rate", "replicate", "fingerprint")]
        if any(column.null_count for column in keys):
            raise ValueError("rows lack a number, learning rate, replicate or fingerprint")
        number, rate, replicate, _ = (column.to_numpy() for column in keys)
        each, rest = divmod(len(self), self.n_wirings)
        n_kinds = len(set(zip(rate.tolist(), replicate.tolist(), strict=True)))
        if rest or not np.array_equal(number, np.repeat(np.arange(self.n_wirings), each)) or n_kinds != each:
            raise ValueError("rows are missing, or there twice, or in another order than their wirings")
        if each != len(set(rate.tolist())) * len(set(replicate.tolist())):
            raise ValueError("a learning rate lacks a replicate that others have")
        if not (isinstance(self.identity["metric"], str) and self.identity["direction"] in ("maximize", "minimize")):
            raise ValueError("its metric and direction are none")
        if not all(type(self.identity[name]) is int and self.identity[name] >= 0 for name in ("n_inputs", "n_outputs")):
            raise ValueError("its numbers of units are none")

    def to_frame(self) -> pd.DataFrame:
        """Return a ``pandas.DataFrame``, one row a training."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    @cached_property
    def n_wirings(self) -> int:
        """Wirings whose trainings are stored; each has as many rows as the others."""
        return int(self.table["number"][-1].as_py()) + 1 if len(self) else 0

    @cached_property
    def space(self) -> Space:
        """The space that the wirings were drawn from."""
        options = {name: value for name, value in self.identity.items() if name in SurveyOptions.model_fields}
        return resolve_survey(options).resolved_space

    @property
    def units(self) -> tuple[int, int]:
        """Input and output units of every wiring."""
        return int(self.identity["n_inputs"]), int(self.identity["n_outputs"])

    def parameters(self, number: int) -> dict[str, Any]:
        """Return the parameters that a wiring was drawn from.

        Raises
        ------
        InputError
            If the survey has no such wiring.
        """
        row = self._first_row(number).items()
        return {name.removeprefix("param_"): value for name, value in row if name[:6] == "param_" and value is not None}

    def wiring(self, number: int) -> Wiring:
        """Rebuild a wiring, with its input and output units, as it was trained.

        Raises
        ------
        InputError
            If the survey has no such wiring.
        CampaignError
            If this version of the prior draws another one.
        """
        with reading(f"wiring {number}"):
            params = self.parameters(number)
            self.space.check_params(params)
            wiring = self.space.wiring(params, *self.units)
        if wiring.fingerprint != self._first_row(number)["fingerprint"]:
            raise CampaignError(f"wiring {number} was drawn by another version of its prior and cannot be rebuilt")
        return wiring

    def trainings(self, column: str) -> NDArray[np.float64]:
        """Return a column of numbers as (n_wirings, n_learning_rates, n_replicates) float64, NaN where it is null."""
        rates, replicates = (len(set(self.table[name].to_pylist())) for name in ("learning_rate", "replicate"))
        given = self.table[column].to_numpy(zero_copy_only=False)
        return np.array(given, dtype=np.float64).reshape(self.n_wirings, rates, replicates)

    def _first_row(self, number: int) -> dict[str, Any]:
        if not 0 <= number < self.n_wirings:
            raise InputError(f"number={number}: the survey has wirings 0 to {self.n_wirings - 1}")
        row: dict[str, Any] = self.table.slice(number * len(self) // self.n_wirings, 1).to_pylist()[0]
        return row


@dataclass(frozen=True)
class SurveyOutcome:
    """What a survey holds.

    Parameters
    ----------
    out : str
    task, network : str
    metric : str or None
        None where no wiring is stored yet.
    engines : tuple of str
        Those that trained.
    wirings, trainings : int
        All that are stored; a training is a row.
    diverged, failed : int
        Trainings whose loss left the finite numbers, and those that raised an error.
    seconds : float
        Training time, over all trainings.
    wanted : int
        Wirings that the survey is to hold in all.
    predictor : mapping or None
        What the predictor that was fitted to them is worth; see `predictors.Predictor.worth`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from nas import Recipe, Survey
    >>> brief = Recipe(epochs=1, learning_rates=0.01)
    >>> with TemporaryDirectory() as folder:
    ...     outcome = Survey(folder, task="digits", wirings=3, seeds=2, recipe=brief).run()
    >>> outcome.wirings, outcome.trainings, outcome.failed, outcome.metric
    (3, 6, 0, 'accuracy')
    """

    out: str
    task: str
    network: str
    metric: str | None
    engines: tuple[str, ...]
    wirings: int
    trainings: int
    diverged: int
    failed: int
    seconds: float
    wanted: int
    predictor: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        return {**asdict(self), "engines": list(self.engines)}


def _again_where_merged(read: Callable[[str | Path], T]) -> Callable[[str | Path], T]:
    """Make `read` begin anew where parts were merged since it listed them."""

    @wraps(read)
    def again(out: str | Path) -> T:
        for _ in range(_READS - 1):
            with contextlib.suppress(FileNotFoundError):
                return read(out)
        return read(out)

    return again


@_again_where_merged
def load_survey(out: str | Path) -> SurveyTable:
    """Return the rows of the survey in the folder `out`; also of one that is going on.

    Raises
    ------
    InputError
        If parts are missing, damaged or foreign.
    """
    parts = list_parts(Path(out) / PARTS_FOLDER)
    table = SurveyTable(read_rows(parts), read_identity(parts[0]) if parts else {})
    with reading(out):
        table.check()
    return table


@_again_where_merged
def read_outcome(out: str | Path) -> SurveyOutcome:
    """Sum up the survey in the folder `out`, without changing it; also one that is going on.

    Raises
    ------
    InputError
        If its options cannot be read, or parts are missing, damaged or foreign.
    """
    options = resolve_survey(read_options(Path(out) / SURVEY.file))
    parts = list_parts(Path(out) / PARTS_FOLDER)
    rows = read_rows(parts, ["seconds", "diverged", "error", "engine"])
    return SurveyOutcome(
        out=str(out),
        task=str(options.task),
        network=options.network,
        metric=read_identity(parts[0])["metric"] if parts else None,
        engines=tuple(sorted(rows["engine"].drop_null().unique().to_pylist())),
        wirings=parts[-1].last + 1 if parts else 0,
        trainings=rows.num_rows,
        diverged=rows["diverged"].drop_null().to_pylist().count(True),
        failed=rows.num_rows - rows["error"].null_count,
        seconds=math.fsum(rows["seconds"].drop_null().to_pylist()),
        wanted=options.wirings,
        predictor=_worth(Path(out) / PREDICTOR_FOLDER),
    )


def _worth(folder: Path) -> Mapping[str, Any] | None:
    """Return what a predictor is worth; None where there is none that can be read."""
    from predictors import Predictor

    try:
        return Predictor.load(folder).worth()
    except ValueError as error:
        raise_unreadable(error)
        return None
