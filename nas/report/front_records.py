"""The front of a campaign: the best values at every size. Imports the records and numpy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nas.samplers.acquisition import front_of
from nas.store.records import Record, Records
from nas.training.direction import sign_of

__all__ = ["evenly_by_size", "front_records"]


def front_records(records: Records, direction: str) -> list[Record]:
    """Return the records that no other one is at least as good as with no more parameters, by ascending size.

    Parameters
    ----------
    records : Records
        Those without a value are left out.
    direction : {"maximize", "minimize"}
        Of the value.

    Returns
    -------
    list of Record
        Of several trials of one wiring the first one, with their mean value; of equal ones the first.
    """
    several: dict[str, list[Record]] = {}
    for record in records.complete:
        several.setdefault(record.fingerprint, []).append(record)
    distinct = [replace(found[0], value=_mean(found)) for found in several.values()]
    values = sign_of(direction) * np.array([record.value for record in distinct], dtype=np.float64)
    sizes = np.array([record.n_parameters for record in distinct], dtype=np.float64)
    return [distinct[index] for index in front_of(values, sizes).tolist()]


def evenly_by_size(front: Sequence[Record], n: int) -> list[Record]:
    """Return at most `n` records of a front, evenly spread over the logarithm of their size, both ends among them.

    Parameters
    ----------
    front : sequence of Record
        By ascending size.
    n : int
        At least 1; of one the largest is returned, which has the best value.
    """
    if n == 1 or len(front) <= n:
        return list(front[-n:])
    logs = np.log([record.n_parameters or 1 for record in front])
    # From both ends inwards, so that no target in between takes an end away.
    targets = np.linspace(logs[0], logs[-1], n)
    free = np.ones(len(front), dtype=bool)
    for target in (targets[0], *targets[:0:-1]):
        distances = np.where(free, np.abs(logs - target), np.inf)
        free[int(distances.argmin())] = False
    return [record for record, is_free in zip(front, free, strict=True) if not is_free]


def _mean(records: Sequence[Record]) -> float:
    values = [record.value for record in records if record.value is not None]
    return math.fsum(values) / len(values)
