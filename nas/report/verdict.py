"""The verdict on a campaign in words: nobody has to find out from a table that a wiring lost."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from nas.evaluation.references import COUNTS, DEGREES, EQUAL_PARAMETERS, RANDOM, RANDOM_MEANS, RETRAINED
from nas.training.session import sign_of
from predictors.validation.resampling import LEVEL

__all__ = [
    "explain_random",
    "explain_words",
    "format_difference",
    "front_verdict",
    "interval_of",
    "of_budget",
    "verdict",
    "verdict_lines",
]

_ONE_POINT = 0.01
_MOST_PLACES, _MORE_PLACES = 8, 2
_LARGEST = 1e7
"""Numbers of more places behind the point, and larger ones, have an exponent."""
_UNDECIDED, _LEVEL = "is undecided against", "is level with"

_BETWEEN_SENTENCES = re.compile(r"(?<=\.) (?=[A-Z])")
_NAMES_REFERENCES = re.compile(rf"(The .+? (?:LOSES to|{_UNDECIDED}|{_LEVEL}|beats)) (.+)")
_BETWEEN_REFERENCES = re.compile(r"(?<=\),) ")

Row = Mapping[str, Any]
"""``mean``, ``std`` and ``seeds`` of a network's tests."""


def verdict(test: Row, rivals: Sequence[Row], plateaus: Mapping[str, float], metric: str, direction: str) -> str:
    """Say which references the winner loses to, is level with and beats, and how it is beside simple rules.

    Rivals are references with ``name`` and ``n_parameters``; plateaus are what simple rules reach, by their name. The
    metric says what the means are, the direction whether more or less of it is better.

    Notes
    -----
    It is undecided which of two networks is better where the 95 % interval of the difference of their means holds 0;
    of accuracies within a point of it on both sides they are level. The interval is over the seeds of their trainings,
    by Student's t with Welch's degrees of freedom: for five seeds two standard errors are too few. One seed alone says
    nothing about chance, so that everything is undecided beside it.

    References
    ----------
    .. [1] B. L. Welch, "The generalization of Student's problem", doi:10.1093/biomet/34.1-2.28
    """
    sign = sign_of(direction)
    groups: dict[str, list[str]] = {"LOSES to": [], _UNDECIDED: [], _LEVEL: [], "beats": []}
    for rival in rivals:
        word = _compare(test, rival, sign, metric)
        groups[word].append(f"{rival['name']} ({format_difference(test, rival, metric)})")
    sentences = [f"The found wiring {word} {', '.join(group)}." for word, group in groups.items() if group]
    sentences.append(_compare_with_equal(test, rivals, metric, sign))
    sentences.append(_worth_of_structure(test, rivals, metric, sign))
    if rivals and all(rival["name"] != EQUAL_PARAMETERS for rival in rivals):
        sentences.append(
            "No dense network of equal size stands beside it: with so few parameters one has hardly a hidden neuron."
        )
    if plateaus:
        sentences.append(_compare_with_rules(test, plateaus, sign))
    if rivals:
        sentences.append(_state_scope(test, rivals))
    return " ".join(filter(None, sentences))


def of_budget(
    test: Row, rivals: Sequence[Row], metric: str, direction: str, budget: Mapping[str, Any] | None = None
) -> str:
    """Say what a network reaches, and what the best dense one of its budget does, in a sentence for everybody.

    The budget is that of `Outcome`.
    """
    dense = next((rival for rival in rivals if rival["name"] == EQUAL_PARAMETERS), None)
    price = _price(budget, test, metric)
    own = f"With {test['n_parameters']} parameters{price} the found network reaches {_reached(test, metric)}"
    if dense is None:
        return f"{own}; a dense network of so few has hardly a hidden neuron."
    tried = dense.get("tried", 1)
    best = f"the best dense network within the same budget, of {tried} that were tried, {_reached(dense, metric)}"
    better = "" if metric == "accuracy" else f", where {'more' if sign_of(direction) > 0 else 'less'} is better"
    return f"{own}; {best}: {format_difference(test, dense, metric)}{better}."


def _price(budget: Mapping[str, Any] | None, test: Row, metric: str) -> str:
    """Say what a network costs, where that is not its number of parameters."""
    if budget is None or budget["unit"] == "parameters":
        return ""
    cost = f"{budget['price']:,} of {budget['amount']:,}"
    if budget["unit"] == "MAC":
        return f", {cost} multiplications,"
    own = f", {cost} bytes at {budget['precision']} bits a weight"
    if "unrounded" not in test:
        return f"{own},"
    (change,) = _format_numbers([test["validation"] - test["unrounded"]], metric)
    points = " points" if metric == "accuracy" else ""
    return f"{own} (rounded after training, as all beside it: {change}{points} of validation {metric}),"


def _reached(row: Row, metric: str) -> str:
    return f"{100 * row['mean']:.1f} % accuracy" if metric == "accuracy" else f"{metric} {row['mean']:.4g}"


def verdict_lines(text: str) -> list[str]:
    """Return the sentences of a verdict a line each, and the references that one names indented lines of their own."""
    lines: list[str] = []
    for sentence in filter(None, _BETWEEN_SENTENCES.split(text)):
        named = _NAMES_REFERENCES.match(sentence)
        if named is None:
            lines.append(sentence)
            continue
        lines += [named[1], *(f"  {name}" for name in _BETWEEN_REFERENCES.split(named[2]))]
    return lines


def explain_random(rivals: Sequence[Row]) -> str:
    """Return a sentence on what the random network among rivals is; nothing where there is none."""
    return RANDOM_MEANS if any(rival["name"] == RANDOM for rival in rivals) else ""


def explain_words(text: str) -> str | None:
    """Return what level and undecided mean, where a verdict calls two networks level; None elsewhere."""
    if f" {_LEVEL} " not in text:
        return None
    return "Level: the interval lies within one point of 0. Undecided: it holds 0, and reaches farther."


def front_verdict(front: Sequence[Row], rivals: Sequence[Row], metric: str, direction: str) -> str:
    """Say how members of a front stand beside dense networks of their size, and which of them a linear one outdoes.

    The front and its rivals are those of `nas.report.front`; members that were not trained afresh are passed over.
    """
    sign = sign_of(direction)
    tested = {entry["trial"]: entry for entry in front if entry["test"] is not None}
    sentences = []
    for rival in rivals:
        if (own := tested.get(rival["trial"])) is not None:
            word = _compare(own["test"], rival["test"], sign, metric)
            difference = format_difference(own["test"], rival["test"], metric)
            sentences.append(
                f"With {own['n_parameters']} parameters (trial {rival['trial']}) the front {word} the dense network of "
                f"equal size ({difference})."
            )
    for linear in (rival for rival in rivals if rival["trial"] is None):
        larger = [entry for entry in tested.values() if entry["n_parameters"] >= linear["n_parameters"]]
        worse = sum(_compare(entry["test"], linear["test"], sign, metric) == "LOSES to" for entry in larger)
        if worse:
            sentences.append(f"{worse} of {len(larger)} members that are no smaller LOSE to the linear network.")
    fallen = sum(not entry["stays"] for entry in tested.values())
    if fallen:
        sentences.append(
            f"Trained afresh, {fallen} of {len(tested)} are no longer on the front: their values were partly luck."
        )
    return " ".join(sentences)


def _compare(one: Row, other: Row, sign: float, metric: str) -> str:
    low, high = interval_of(one, other)
    if low <= 0 <= high:
        narrow = metric == "accuracy" and low >= -_ONE_POINT and high <= _ONE_POINT
        return _LEVEL if narrow else _UNDECIDED
    return "beats" if sign * low > 0 else "LOSES to"


def _compare_with_equal(test: Row, rivals: Sequence[Row], metric: str, sign: float) -> str:
    """Say how far the winner is behind the dense network of its own size, where it is behind."""
    equal = next((rival for rival in rivals if rival["name"] == EQUAL_PARAMETERS), None)
    if metric != "accuracy" or equal is None or sign * (test["mean"] - equal["mean"]) >= 0:
        return ""
    dense = "the dense network with equal parameters"
    low, high = interval_of(test, equal)
    if low < -_ONE_POINT <= high:
        return f"Whether it is within one point of {dense} these seeds do not tell."
    return f"It is {'within one point of' if low >= -_ONE_POINT else 'MORE than one point behind'} {dense}."


def _worth_of_structure(test: Row, rivals: Sequence[Row], metric: str, sign: float) -> str:
    """Say what the winner's structure is worth, where networks that share some of it stand among the rivals."""
    named = {rival["name"]: rival for rival in rivals}
    if COUNTS not in named or DEGREES not in named:
        return ""
    own = named.get(RETRAINED, test)
    new = "From new weights its" if RETRAINED in named else "Its"
    worth, of_degrees = (format_difference(row, named[COUNTS], metric, sign) for row in (own, named[DEGREES]))
    less = " less" if sign < 0 else ""
    what = "" if metric == "accuracy" else f" of{less} {metric}"
    return (
        f"{new} structure is worth {worth}{what} over {named[COUNTS]['seeds']} with as many weights between the same "
        f"layers at random places; its degrees alone {of_degrees}."
    )


def _compare_with_rules(test: Row, plateaus: Mapping[str, float], sign: float) -> str:
    rule = max(plateaus, key=lambda name: sign * plateaus[name])
    low, high = interval_of(test, {"mean": plateaus[rule], "std": 0.0, "seeds": 2})
    best = f"the best simple rule ({rule}, {plateaus[rule]:.4f})"
    if low < 0 < high:
        return f"Whether it is better than {best} is undecided."
    return f"It is {'better than' if sign * low > 0 else 'NOT better than'} {best}."


def _state_scope(test: Row, rivals: Sequence[Row]) -> str:
    """Say what the differences are sure of, and what they say nothing about."""
    if test["std"] is None:
        return "One training each: these differences may be chance."
    drawn = [rival["seeds"] for rival in rivals if rival["name"] in (COUNTS, DEGREES)]
    beside = f", and {max(drawn)} drawn structures trained once each" if drawn else ""
    return (
        f"Brackets are 95 % intervals over {test['seeds']} training seeds of one wiring each{beside}, on the same test "
        "examples; they say nothing of other wirings or examples."
    )


def interval_of(one: Row, other: Row) -> tuple[float, float]:
    """Return the 95 % interval of the difference of the means of two networks, each ``mean``, ``std`` and ``seeds``.

    It has no ends where one of them was trained once.
    """
    from scipy.special import stdtrit

    gap = one["mean"] - other["mean"]
    if one["std"] is None or other["std"] is None:
        return -math.inf, math.inf
    parts = [(row["std"] ** 2 / row["seeds"], row["seeds"] - 1) for row in (one, other)]
    variance = math.fsum(part for part, _ in parts)
    if variance == 0:
        return gap, gap
    freedom = variance**2 / math.fsum(part**2 / own for part, own in parts)
    half = float(stdtrit(freedom, (1 + LEVEL) / 2)) * math.sqrt(variance)
    return gap - half, gap + half


def format_difference(one: Row, other: Row, metric: str, sign: float = 1.0) -> str:
    """Return by how much a mean is ahead of another, with the interval where there is one, each times a sign."""
    numbers = [sign * (one["mean"] - other["mean"])]
    if one["std"] is not None and other["std"] is not None:
        numbers += sorted(sign * end for end in interval_of(one, other))
    unit = " points" if metric == "accuracy" else ""
    difference, *ends = _format_numbers(numbers, metric)
    return f"{difference}{f' [{ends[0]}, {ends[1]}]' if ends else ''}{unit}"


def _format_numbers(differences: Sequence[float], metric: str) -> list[str]:
    """Return differences in points, or of any other metric to equal places, so that none but 0 is written as 0."""
    if metric == "accuracy":
        return [f"{100 * own:+.2f}" for own in differences]
    sizes = [abs(own) for own in differences if 0 < abs(own) < math.inf]
    if not sizes:
        return [f"{own:+.0f}" for own in differences]
    # Three digits of the largest, and a few more where an end decides on which side of 0 it is.
    places = max(2 - math.floor(math.log10(max(sizes))), 0)
    places = min(max(places, -math.floor(math.log10(min(sizes)))), places + _MORE_PLACES)
    if places > _MOST_PLACES or max(sizes) >= _LARGEST:
        return [f"{own:+.2e}" for own in differences]
    written = [f"{own:+.{places}f}" for own in differences]
    return [f"{own:+.2e}" if own and not float(text) else text for own, text in zip(differences, written, strict=True)]
