"""History: the trials of a study as rows that a surrogate learns from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from nas.samplers.candidates import Source, Tried
from nas.training.session import sign_of
from priors import Wiring

__all__ = ["Examples", "History", "Tried"]


@dataclass(frozen=True, eq=False)
class Examples:
    """Distinct wirings with their mean values.

    Parameters
    ----------
    tried : tuple of Tried
        The first trial of each.
    numbers : tuple of int
        Its number.
    X : (n, n_columns) float array
    values : (n,) float array
        Means over the trials of a wiring; more is better.
    counts : (n,) int64 array
        Trials of each.
    """

    tried: tuple[Tried, ...]
    numbers: tuple[int, ...]
    X: NDArray[np.float64]
    values: NDArray[np.float64]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.tried)


class History:
    """Remembers what trials are trials of, so that no wiring is drawn and described twice.

    Parameters
    ----------
    source : Source
    direction : {"maximize", "minimize"}
        Of the value.
    """

    def __init__(self, source: Source, direction: str) -> None:
        self._source, self._sign = source, sign_of(direction)
        self._known: dict[int, Tried] = {}
        self._over: set[int] = set()
        self._distributions = source.space.distributions()

    def note(self, number: int, tried: Tried) -> None:
        """Remember what a trial will be a trial of."""
        self._known[number] = tried

    def tried(self, trials: Sequence[FrozenTrial]) -> dict[int, Tried]:
        """Return what trials are trials of, by number; those that are not of this space are left out.

        What was noted counts while a trial runs. When it is over its parameters alone do, which may be others: some can
        be fixed by who asks for a trial.
        """
        rebuilt: list[tuple[FrozenTrial, Wiring]] = []
        for trial in trials:
            if trial.number in self._over or self._is_as_noted(trial):
                continue
            self._known.pop(trial.number, None)
            if (wiring := self._wiring(trial)) is not None:
                rebuilt.append((trial, wiring))
        self._over.update(trial.number for trial in trials if trial.state.is_finished())
        describe = self._source.described_by
        rows = describe([own for _, own in rebuilt], [trial.params for trial, _ in rebuilt]) if rebuilt else ()
        for (trial, wiring), row in zip(rebuilt, rows, strict=True):
            size = self._source.size_of(wiring)
            self._known[trial.number] = Tried(dict(trial.params), wiring.fingerprint, size, row)
        found = ((trial.number, self._known.get(trial.number)) for trial in trials)
        return {number: tried for number, tried in found if tried is not None}

    def _is_as_noted(self, trial: FrozenTrial) -> bool:
        noted = self._known.get(trial.number)
        if noted is None:
            return False
        asked = trial.params.keys() & self._distributions.keys()
        is_whole = not trial.state.is_finished() or noted.params.keys() & self._distributions.keys() <= asked
        # Edits and replicates are 0 where they are not given.
        return (
            is_whole
            and all(noted.params.get(name, 0) == trial.params[name] for name in asked)
            and (not trial.state.is_finished() or noted.replicate == int(trial.params.get("replicate", 0)))
        )

    def _wiring(self, trial: FrozenTrial) -> Wiring | None:
        """Rebuild the wiring of a trial; None where parameters are not chosen yet, or are not of this space."""
        try:
            for name, distribution in self._distributions.items():
                if name in trial.params and not _contains(distribution, trial.params[name]):
                    return None
            return self._source.rebuilt(trial.params, trial.user_attrs)
        except (KeyError, TypeError, ValueError):
            return None

    def examples(self, trials: Sequence[FrozenTrial]) -> Examples:
        """Return what there is to learn from the complete ones of some trials."""
        complete = [trial for trial in trials if trial.state == TrialState.COMPLETE and math.isfinite(trial.values[0])]
        tried = self.tried(complete)
        by_wiring: dict[str, list[float]] = {}
        first: dict[str, Tried] = {}
        numbers: dict[str, int] = {}
        for trial in complete:
            if trial.number in tried:
                own = tried[trial.number]
                by_wiring.setdefault(own.fingerprint, []).append(self._sign * trial.values[0])
                first.setdefault(own.fingerprint, own)
                numbers.setdefault(own.fingerprint, trial.number)
        return Examples(
            tuple(first.values()),
            tuple(numbers.values()),
            np.array([own.row for own in first.values()]).reshape(len(first), len(self._source.described_by.names)),
            np.array([math.fsum(values) / len(values) for values in by_wiring.values()]),
            np.array([len(values) for values in by_wiring.values()], dtype=np.int64),
        )


def _contains(distribution: BaseDistribution, value: Any) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    return bool(distribution.low <= value <= distribution.high)
