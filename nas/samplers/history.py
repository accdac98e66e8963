"""History: the trials of a study as points that a surrogate learns from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from optuna.trial import FrozenTrial, TrialState

from nas.samplers.candidates import Floats, Point, Source
from nas.space.lineage import rebuilt
from nas.training.session import sign_of
from priors import Wiring

__all__ = ["Examples", "History"]


@dataclass(frozen=True, eq=False)
class Examples:
    """Distinct wirings with their mean values.

    Parameters
    ----------
    points : tuple of Point
        The first trial of each.
    numbers : tuple of int
        Its number.
    values : (n,) float array
        Means over the trials of a wiring; more is better.
    counts : (n,) int64 array
        Trials of each.
    """

    points: tuple[Point, ...]
    numbers: tuple[int, ...]
    values: Floats
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.points)


class History:
    """Remembers the points of trials, so that no wiring is drawn and described twice."""

    def __init__(self, source: Source, direction: str) -> None:
        self._source, self._sign = source, sign_of(direction)
        self._points: dict[int, Point] = {}
        self._over: set[int] = set()
        self._distributions = source.space.distributions()

    def note(self, number: int, point: Point) -> None:
        """Remember the point that a trial will have."""
        self._points[number] = point

    def points(self, trials: Sequence[FrozenTrial]) -> dict[int, Point]:
        """Return the points of trials by number; those that are not of this space are left out.

        What was noted counts while a trial runs. When it is over its parameters alone do, which may be others: some can
        be fixed by who asks for a trial.
        """
        made: list[tuple[FrozenTrial, Wiring]] = []
        for trial in trials:
            if trial.number in self._over or self._is_as_noted(trial):
                continue
            self._points.pop(trial.number, None)
            if (wiring := self._wiring(trial)) is not None:
                made.append((trial, wiring))
        self._over.update(trial.number for trial in trials if trial.state.is_finished())
        describe = self._source.described_by
        rows = describe([wiring for _, wiring in made], [trial.params for trial, _ in made]) if made else ()
        for (trial, wiring), row in zip(made, rows, strict=True):
            size = self._source.size_of(wiring)
            self.note(trial.number, Point(dict(trial.params), wiring.fingerprint, wiring.n_edges, size, row))
        return {trial.number: self._points[trial.number] for trial in trials if trial.number in self._points}

    def examples(self, trials: Sequence[FrozenTrial]) -> Examples:
        """Return what there is to learn from the complete ones of some trials."""
        complete = [trial for trial in trials if trial.state == TrialState.COMPLETE and math.isfinite(trial.values[0])]
        points = self.points(complete)
        values: dict[str, list[float]] = {}
        first: dict[str, int] = {}
        for trial in complete:
            if trial.number in points:
                fingerprint = points[trial.number].fingerprint
                values.setdefault(fingerprint, []).append(self._sign * trial.values[0])
                first.setdefault(fingerprint, trial.number)
        return Examples(
            tuple(points[number] for number in first.values()),
            tuple(first.values()),
            np.array([math.fsum(own) / len(own) for own in values.values()]),
            np.array([len(own) for own in values.values()], dtype=np.int64),
        )

    def _is_as_noted(self, trial: FrozenTrial) -> bool:
        noted = self._points.get(trial.number)
        if noted is None:
            return False
        asked = trial.params.keys() & self._distributions.keys()
        # Edits and replicates are 0 where they are not given.
        if any(noted.params.get(name, 0) != trial.params[name] for name in asked):
            return False
        is_whole = noted.params.keys() & self._distributions.keys() <= asked
        is_same = noted.replicate == int(trial.params.get("replicate", 0))
        return not trial.state.is_finished() or (is_whole and is_same)

    def _wiring(self, trial: FrozenTrial) -> Wiring | None:
        """Rebuild the wiring of a trial; None where parameters are not chosen yet, or are not of this space."""
        try:
            for name in trial.params.keys() & self._distributions.keys():
                distribution = self._distributions[name]
                if not distribution._contains(distribution.to_internal_repr(trial.params[name])):
                    return None
            return rebuilt(self._source.space, trial.params, trial.user_attrs, self._source.units)
        except (KeyError, TypeError, ValueError):
            return None
