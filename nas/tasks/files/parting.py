"""Which rows are learned from, which choose, and which test: at random, by group, in order of time, or by the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError
from nas.tasks.splits import SPLIT_SEED, stratified_split

__all__ = ["Parts", "part_rows"]

_SHARE = 0.2
"""Of the rows for the test part, and of the rest for validation."""
_FEWEST_ROWS = 5

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Parts:
    """Indices of the rows of each part, ascending, and how they were chosen."""

    train: Indices
    validation: Indices
    test: Indices
    line: str


def part_rows(
    outcomes: NDArray[Any],
    *,
    groups: NDArray[Any] | None = None,
    times: NDArray[Any] | None = None,
    given: Mapping[str, Indices] | None = None,
) -> Parts:
    """Split rows into three parts.

    Parameters
    ----------
    outcomes : (n,) integer array or (n, n_outputs) float array
        Classes, whose shares are kept where rows are drawn one by one, or numbers.
    groups : (n,) array, optional
        Rows with equal values stay together.
    times : (n,) array, optional
        The last fifth of the rows is the test part, the last fifth of the others validates; equal times stay together.
    given : mapping, optional
        Rows of a test part, and maybe of a validation part, that are chosen already.

    Raises
    ------
    InputError
        If a part comes out empty, or a group has rows in a part that is given and in another.
    """
    given = dict(given or {})
    every = np.arange(len(outcomes))
    taken = np.concatenate([given[name] for name in ("validation", "test") if name in given] or [every[:0]])
    rest = np.setdiff1d(every, taken)
    if len(rest) < _FEWEST_ROWS:
        raise InputError(f"{len(rest)} rows to learn from are too few; at least {_FEWEST_ROWS} are needed")
    rng = np.random.default_rng(SPLIT_SEED)

    def take(rows: Indices, name: str) -> tuple[Indices, Indices]:
        if groups is not None:
            return _by_group(rows, groups[rows], rng, name)
        if times is not None:
            return _by_time(rows, times[rows], name)
        return _one_by_one(rows, outcomes[rows], rng)

    test = np.sort(given["test"]) if "test" in given else None
    if test is None:
        rest, test = take(rest, "test")
    validation = np.sort(given["validation"]) if "validation" in given else None
    if validation is None:
        rest, validation = take(rest, "validation")
    for name, own in (("test", test), ("validation", validation), ("training", rest)):
        if len(own) == 0:
            raise InputError(f"the {name} part has no row; give more rows")
    _check_apart(groups, {"training": rest, "validation": validation, "test": test})
    drawn = "whole groups at random" if groups is not None else "in order of time" if times is not None else "at random"
    if drawn == "at random" and outcomes.ndim == 1:
        drawn += ", class by class"
    return Parts(rest, validation, test, _told(drawn, given))


def _check_apart(groups: NDArray[Any] | None, parts: Mapping[str, Indices]) -> None:
    """Refuse a group with rows in two parts, which one of a part that is given may have."""
    if groups is None:
        return
    for (name, own), (other, rows) in combinations(parts.items(), 2):
        both = np.intersect1d(groups[own].astype(str), groups[rows].astype(str))
        if len(both):
            raise InputError(
                f"group: {str(both[0])!r} has rows in the {name} and in the {other} part, as have {len(both) - 1} "
                "others; give a test part of other groups, or leave group out"
            )


def _told(drawn: str, given: Mapping[str, Indices]) -> str:
    if {"test", "validation"} <= set(given):
        return "as the file says"
    return f"the test part as given, the others {drawn}" if "test" in given else drawn


def _one_by_one(rows: Indices, outcomes: NDArray[Any], rng: np.random.Generator) -> tuple[Indices, Indices]:
    try:
        kept, taken = stratified_split(outcomes, _SHARE, rng)
    except ValueError:
        # So few rows of each class that a fifth of none is one: rows are drawn whatever their class.
        kept, taken = stratified_split(np.zeros(len(rows), np.int64), _SHARE, rng)
    return rows[kept], rows[taken]


def _by_group(rows: Indices, groups: NDArray[Any], rng: np.random.Generator, name: str) -> tuple[Indices, Indices]:
    """Take groups in random order until the next one would lead farther from the share than it leads towards it."""
    names, numbers, counts = np.unique(groups.astype(str), return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise InputError(f"group: {len(names)} group is left for the {name} part and the others; at least 3 are needed")
    order = np.argsort(rng.random(len(names)), kind="stable")
    wanted, held = _SHARE * len(rows), 0
    chosen: list[int] = []
    for group in order:
        if not chosen or abs(held + counts[group] - wanted) <= abs(held - wanted):
            if len(chosen) + 1 == len(names):
                break
            chosen.append(int(group))
            held += int(counts[group])
    taken = np.isin(numbers.reshape(-1), chosen)
    return rows[~taken], rows[taken]


def _by_time(rows: Indices, times: NDArray[Any], name: str) -> tuple[Indices, Indices]:
    order = np.argsort(times, kind="stable")
    sorted_times = times[order]
    cut = len(rows) - max(1, round(_SHARE * len(rows)))
    # Rows of one moment stay together, on the side where the cut then is nearer.
    before = int(np.searchsorted(sorted_times, sorted_times[cut], side="left"))
    after = int(np.searchsorted(sorted_times, sorted_times[cut], side="right"))
    ends = [end for end in (before, after) if 0 < end < len(rows)]
    if not ends:
        raise InputError(f"time: all rows left for the {name} part and the others are of one time; give another column")
    end = min(ends, key=lambda own: abs(own - cut))
    return np.sort(rows[order[:end]]), np.sort(rows[order[end:]])
