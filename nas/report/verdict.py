"""The verdict on a campaign in words: nobody has to find out from a table that a wiring lost. Imports the search."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from nas.direction import sign_of
from nas.search.references import EQUAL_PARAMETERS

__all__ = ["front_verdict", "verdict"]

_ONE_POINT = 0.01
_STANDARD_ERRORS = 2.0


def verdict(
    test: Mapping[str, Any],
    rivals: Sequence[Mapping[str, Any]],
    plateaus: Mapping[str, float],
    metric: str,
    direction: str,
) -> str:
    """Say which references the winner loses to, is level with and beats, and how it stands beside simple rules.

    Parameters
    ----------
    test : mapping
        ``mean``, ``std`` and ``seeds`` of the winner.
    rivals : sequence of mapping
        The same with ``name`` and ``n_parameters``, for every reference.
    plateaus : mapping
        What simple rules reach, by their name.
    metric, direction : str
        What the means are, and whether more or less of it is better.

    Notes
    -----
    Two means are level where they differ by at most two standard errors of their difference.
    """
    sign = sign_of(direction)
    loses: list[str] = []
    level: list[str] = []
    beats: list[str] = []
    for rival in rivals:
        gap = sign * (test["mean"] - rival["mean"])
        group = level if abs(gap) <= _noise(test, rival) else beats if gap > 0 else loses
        group.append(f"{rival['name']} ({_difference(test['mean'] - rival['mean'], metric)})")
    sentences = [
        f"The found wiring {word} {', '.join(group)}."
        for word, group in (("LOSES to", loses), ("is level with", level), ("beats", beats))
        if group
    ]
    sentences.append(_beside_equal(test, rivals, metric, sign))
    if plateaus:
        rule = max(plateaus, key=lambda name: sign * plateaus[name])
        better = "better" if sign * (test["mean"] - plateaus[rule]) > 0 else "NOT better"
        sentences.append(f"It is {better} than the best simple rule ({rule}, {plateaus[rule]:.4f}).")
    return " ".join(filter(None, sentences))


def front_verdict(
    front: Sequence[Mapping[str, Any]], rivals: Sequence[Mapping[str, Any]], metric: str, direction: str
) -> str:
    """Say how members of a front stand beside dense networks of their size, and which of them a linear one outdoes.

    Parameters
    ----------
    front : sequence of mapping
        See `nas.report.front.front_entries`; those that were not trained afresh are passed over.
    rivals : sequence of mapping
        See `nas.report.front.front_references`.
    metric, direction : str
        As in `verdict`.
    """
    sign = sign_of(direction)
    tested = {entry["trial"]: entry for entry in front if entry["test"] is not None}
    sentences = [
        f"With {tested[rival['trial']]['n_parameters']} parameters (trial {rival['trial']}) the front "
        f"{_beside(tested[rival['trial']]['test'], rival['test'], sign)} the dense network of equal size "
        f"({_difference(tested[rival['trial']]['test']['mean'] - rival['test']['mean'], metric)})."
        for rival in rivals
        if rival["trial"] in tested
    ]
    for linear in (rival for rival in rivals if rival["trial"] is None):
        larger = [entry for entry in tested.values() if entry["n_parameters"] >= linear["n_parameters"]]
        worse = sum(_beside(entry["test"], linear["test"], sign) == "LOSES to" for entry in larger)
        if worse:
            sentences.append(f"{worse} of {len(larger)} members that are no smaller LOSE to the linear network.")
    fallen = sum(not entry["stays"] for entry in tested.values())
    if fallen:
        sentences.append(
            f"Trained afresh, {fallen} of {len(tested)} are no longer on the front: their values were partly luck."
        )
    return " ".join(sentences)


def _beside(one: Mapping[str, Any], other: Mapping[str, Any], sign: float) -> str:
    gap = sign * (one["mean"] - other["mean"])
    return "is level with" if abs(gap) <= _noise(one, other) else "beats" if gap > 0 else "LOSES to"


def _beside_equal(test: Mapping[str, Any], rivals: Sequence[Mapping[str, Any]], metric: str, sign: float) -> str:
    """Say how far the winner is behind the dense network of its own size, where it is behind."""
    gaps = [sign * (test["mean"] - rival["mean"]) for rival in rivals if rival["name"] == EQUAL_PARAMETERS]
    if metric != "accuracy" or not gaps or gaps[0] >= 0:
        return ""
    within = gaps[0] >= -_ONE_POINT
    where = "within one point of" if within else "MORE than one point behind"
    return f"It is {where} the dense network with equal parameters."


def _noise(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Return two standard errors of the difference of two means; 0 where one seed alone says nothing about it."""
    if one["std"] is None or other["std"] is None:
        return 0.0
    return _STANDARD_ERRORS * math.sqrt(one["std"] ** 2 / one["seeds"] + other["std"] ** 2 / other["seeds"])


def _difference(difference: float, metric: str) -> str:
    return f"{100 * difference:+.2f} points" if metric == "accuracy" else f"{difference:+.4g}"
