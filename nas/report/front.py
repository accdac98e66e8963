"""The front of a campaign, as records and as JSON entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from nas.evaluation.references import EQUAL_PARAMETERS, LINEAR
from nas.samplers.acquisition import front_of
from nas.store.records import Record, Records, summary_of
from nas.training.session import sign_of

if TYPE_CHECKING:
    from nas.evaluation.finals import Finals, Standing

__all__ = ["evenly_by_size", "front_entries", "front_records", "front_references"]

Entry = Mapping[str, Any]


def front_entries(records: Records, direction: str, finals: Finals | None = None) -> tuple[Entry, ...]:
    """Return the wirings of the front, by ascending size.

    Returns
    -------
    tuple of dict
        trial, fingerprint, value, n_parameters, n_hidden, n_edges, params; and of those that were trained afresh
        learning_rate, validation and test (mean, std and seeds of each), and stays: whether none of the others is at
        least as good on validation with no more parameters. None for all others.
    """
    standings = () if finals is None else finals.finalists
    staying = _staying(standings, direction)
    fresh = {own.trial: {**_trained(own), "stays": own.trial in staying} for own in standings}
    untrained = dict.fromkeys(("learning_rate", "validation", "test", "stays"))
    return tuple(
        {
            "trial": record.number,
            "fingerprint": record.fingerprint,
            "value": record.value,
            "n_parameters": record.n_parameters,
            "n_hidden": record.n_hidden,
            "n_edges": record.n_edges,
            "params": dict(record.params),
            **fresh.get(record.number, untrained),
        }
        for record in front_records(records, direction)
    )


def front_references(finals: Finals) -> tuple[Entry, ...]:
    """Return what a front is held against, by ascending size: the linear network, and dense ones.

    Each is a dict of name, trial (of the front, that has as many parameters), n_parameters, learning_rate, validation
    and test (mean, std and seeds of each).
    """
    named = {row.name: row for row in finals.references}
    dense: list[tuple[int | None, Standing]] = [*finals.dense.items()]
    if EQUAL_PARAMETERS in named:
        dense.append((finals.winner.trial, named[EQUAL_PARAMETERS]))
    rows = [(None, named[LINEAR]), *sorted(dense, key=lambda item: item[1].n_parameters)]
    return tuple(
        {"name": row.name, "trial": trial, "n_parameters": row.n_parameters, **_trained(row)} for trial, row in rows
    )


def _staying(standings: Sequence[Standing], direction: str) -> set[int | None]:
    """Return the trials that are on the front of the fresh trainings."""
    means = np.array([sum(standing.validation) / len(standing.validation) for standing in standings])
    sizes = np.array([standing.n_parameters for standing in standings], dtype=np.float64)
    return {standings[index].trial for index in front_of(sign_of(direction) * means, sizes).tolist()}


def _trained(standing: Standing) -> dict[str, Any]:
    return {
        "learning_rate": standing.learning_rate,
        "validation": summary_of(standing.validation),
        "test": summary_of(standing.test),
    }


def front_records(records: Records, direction: str) -> list[Record]:
    """Return the records that no other one is at least as good as with no more parameters, by ascending size.

    Of several trials of one wiring it is the first one, with their mean value; of equal wirings the first.
    """
    several: dict[str, list[Record]] = {}
    for record in records.complete:
        several.setdefault(record.fingerprint, []).append(record)
    distinct = [replace(found[0], value=fmean(record.value or 0.0 for record in found)) for found in several.values()]
    values = sign_of(direction) * np.array([record.value for record in distinct], dtype=np.float64)
    sizes = np.array([record.n_parameters for record in distinct], dtype=np.float64)
    return [distinct[index] for index in front_of(values, sizes).tolist()]


def evenly_by_size(front: Sequence[Record], n: int) -> list[Record]:
    """Return at most `n` records of a front by ascending size, evenly spread over its logarithm, both ends among them.

    Of one the largest is returned, which has the best value.
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
