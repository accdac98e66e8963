"""History: the trials of a study as points that a surrogate learns from."""

from __future__ import annotations

import math
from bisect import insort
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

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
    """Remembers the points of trials, so that no wiring is drawn and described twice.

    Attributes
    ----------
    over : list of int
        Trials of the study that are finished, in the order of their numbers; see `look`.
    running : set of int
        Trials that are not.
    taken : dict
        Fingerprints of wirings that are or were trained, and the replicates of each.
    graphs : Counter
        The user's own graphs that are or were trained, edited or not, and how often.
    changed_at : float
        The first place in `over` at which a trial came in between since this was last set to infinity.
    """

    def __init__(self, source: Source, direction: str) -> None:
        self._source, self._sign = source, sign_of(direction)
        self._points: dict[int, Point] = {}
        self._ended: set[int] = set()
        self._distributions = source.space.distributions()
        self._forget()

    def _forget(self) -> None:
        self.over: list[int] = []
        self.running: set[int] = set()
        self.taken: dict[str, list[int]] = {}
        self.graphs: Counter[int | None] = Counter()
        self.changed_at = math.inf
        self._seen = 0
        self._counted: dict[int, tuple[str, int, int | None]] = {}
        self._values: dict[int, float] = {}

    def look(self, trials: Sequence[FrozenTrial], but: int | None = None) -> None:
        """Take in all trials of a study, each at the place of its number, `but` one that is just being asked for.

        What is over never changes, so that only those are looked at that are new, or were running before.
        """
        if len(trials) < self._seen:
            self._forget()
        found = [trials[n] for n in chain(sorted(self.running), range(self._seen, len(trials))) if n != but]
        self._seen = len(trials)
        points = self.points(found)
        for trial in found:
            self._count(trial.number, points.get(trial.number))
            if trial.state.is_finished():
                self._end(trial)
            else:
                self.running.add(trial.number)
        if but is not None and but < len(trials):
            self.running.add(but)

    def point(self, number: int) -> Point | None:
        """Return the point of a trial that was looked at."""
        return self._points.get(number) if number in self._counted else None

    def _count(self, number: int, point: Point | None) -> None:
        now = None if point is None else (point.fingerprint, point.replicate, point.graph)
        before = self._counted.get(number)
        if now == before:
            return
        if before is not None:
            self.taken[before[0]].remove(before[1])
            if not self.taken[before[0]]:
                del self.taken[before[0]]
            self.graphs -= Counter([before[2]])
            del self._counted[number]
        if now is not None:
            self.taken.setdefault(now[0], []).append(now[1])
            self.graphs[now[2]] += 1
            self._counted[number] = now

    def _end(self, trial: FrozenTrial) -> None:
        self.running.discard(trial.number)
        if self.over and trial.number < self.over[-1]:
            insort(self.over, trial.number)
            self.changed_at = min(self.changed_at, self.over.index(trial.number))
        else:
            self.over.append(trial.number)
        if trial.state == TrialState.COMPLETE and math.isfinite(trial.values[0]) and trial.number in self._counted:
            self._values[trial.number] = self._sign * trial.values[0]

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
            if trial.number in self._ended:
                continue
            if self._is_as_noted(trial):
                if trial.state.is_finished():
                    self._points[trial.number] = replace(self._points[trial.number], params=dict(trial.params))
                continue
            self._points.pop(trial.number, None)
            if (wiring := self._wiring(trial)) is not None:
                made.append((trial, wiring))
        self._ended.update(trial.number for trial in trials if trial.state.is_finished())
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
        known = {trial.number: self._sign * trial.values[0] for trial in complete if trial.number in points}
        return self._examples(known)

    def graphs_of(self, n: int) -> set[int | None]:
        """Return the user's own graphs that the first n trials that are over were made of, after `look`."""
        return {point.graph for number in self.over[:n] if (point := self.point(number)) is not None}

    def learnt(self, n: int) -> Examples:
        """Return what there is to learn from the first n trials that are over, after `look`."""
        return self._examples({number: self._values[number] for number in self.over[:n] if number in self._values})

    def _examples(self, known: Mapping[int, float]) -> Examples:
        values: dict[Any, list[float]] = {}
        first: dict[Any, int] = {}
        for number, value in known.items():
            key = self._key(self._points[number])
            values.setdefault(key, []).append(value)
            first.setdefault(key, number)
        return Examples(
            tuple(self._points[number] for number in first.values()),
            tuple(first.values()),
            np.array([math.fsum(own) / len(own) for own in values.values()]),
            np.array([len(own) for own in values.values()], dtype=np.int64),
        )

    def _key(self, point: Point) -> Any:
        """Return what tells examples apart: the wiring, and parameters beside it where there are some."""
        others = point.params.keys() - self._distributions.keys() - {"replicate"}
        return (point.fingerprint, *((name, point.params[name]) for name in sorted(others)))

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
            return rebuilt(self._source.space, trial.params, trial.user_attrs, self._source.units)
        except (KeyError, TypeError, ValueError):
            return None
