"""The verdict on a campaign in words: nobody has to find out from a table that a wiring lost. Imports the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nas.search.references import EQUAL_PARAMETERS

__all__ = ["verdict"]

_ONE_POINT = 0.01


def verdict(
    test: Mapping[str, Any], rivals: Sequence[Mapping[str, Any]], plateaus: Mapping[str, float], metric: str
) -> str:
    """Say how the winner stands beside the dense network with equal parameters, the other references and the rules.

    Parameters
    ----------
    test : mapping
        ``mean`` of the winner.
    rivals : sequence of mapping
        ``name``, ``mean`` and ``n_parameters`` of the references.
    plateaus : mapping
        Accuracy of simple rules by their name.
    metric : str
        Of the means; more is better for accuracy, less for anything else.
    """
    sign = 1.0 if metric == "accuracy" else -1.0
    ahead = [rival["name"] for rival in rivals if sign * (rival["mean"] - test["mean"]) > 0]
    equal = next(rival for rival in rivals if rival["name"] == EQUAL_PARAMETERS)
    gap = sign * (test["mean"] - equal["mean"])
    beside = f"the dense network with equal parameters ({equal['n_parameters']})"
    difference = f"{100 * gap:+.2f} points of accuracy" if metric == "accuracy" else f"{-gap:+.4g} in {metric}"
    if gap >= 0:
        sentences = [f"The found wiring is at least as good as {beside}: {difference}."]
    elif metric == "accuracy" and gap >= -_ONE_POINT:
        sentences = [f"The found wiring stays within one point of {beside}: {difference}."]
    else:
        sentences = [f"The found wiring LOSES to {beside}: {difference}."]
    sentences.append(f"Ahead of it: {', '.join(ahead)}." if ahead else "No reference is ahead of it.")
    if plateaus:
        rule = max(plateaus, key=plateaus.__getitem__)
        above = "above" if test["mean"] > plateaus[rule] else "NOT above"
        sentences.append(f"It is {above} the best simple rule ({rule}, {plateaus[rule]:.4f}).")
    return " ".join(sentences)
