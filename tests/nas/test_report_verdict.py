"""Verdicts and numbers as text: how a found wiring is said to stand beside its references."""

from collections.abc import Mapping
from typing import Any

import pytest

from nas.report.card import number, spread
from nas.report.verdict import verdict


def say(metric: str, test: float, others: Mapping[str, float], std: float | None = None, **plateaus: float) -> str:
    def row(mean: float) -> dict[str, Any]:
        return {"mean": mean, "std": std, "seeds": 4, "n_parameters": 9}

    direction = "maximize" if metric == "accuracy" else "minimize"
    rivals = [{**row(mean), "name": name} for name, mean in others.items()]
    return verdict(row(test), rivals, plateaus, metric, direction)


EQUAL = "dense with equal parameters"


def test_the_verdict_says_loses_in_as_many_words():
    said = say("accuracy", 0.90, {"linear": 0.8, EQUAL: 0.9262, "random with equal edges": 0.91})
    assert said == (
        "The found wiring LOSES to dense with equal parameters (-2.62 points), random with equal edges (-1.00 points). "
        "The found wiring beats linear (+10.00 points). "
        "It is MORE than one point behind the dense network with equal parameters."
    )


@pytest.mark.parametrize(("equal", "word"), [(0.9099, "within one point of"), (0.911, "MORE than one point behind")])
def test_the_verdict_turns_at_one_point(equal: float, word: str):
    assert say("accuracy", 0.90, {EQUAL: equal}).endswith(f"It is {word} the dense network with equal parameters.")


def test_the_verdict_says_nothing_of_a_point_where_the_wiring_is_ahead():
    assert "point of" not in say("accuracy", 0.90, {EQUAL: 0.5})


@pytest.mark.parametrize(
    ("rival", "word"), [(0.90, "is level with"), (0.914, "is level with"), (0.915, "LOSES to"), (0.885, "beats")]
)
def test_means_closer_than_two_standard_errors_are_level(rival: float, word: str):
    # Two standard errors of the difference of two means of 4 seeds: 2 * sqrt(2 * .01**2 / 4) = .01414
    assert say("accuracy", 0.90, {"linear": rival}, std=0.01).startswith(f"The found wiring {word} linear (")


def test_the_verdict_where_less_is_better():
    said = say("mean-squared-error", 0.5, {EQUAL: 0.75, "linear": 0.25}, **{"mean": 25.0, "least squares": 0.01})
    assert said == (
        "The found wiring LOSES to linear (+0.25). The found wiring beats dense with equal parameters (-0.25). "
        "It is NOT better than the best simple rule (least squares, 0.0100)."
    )


def test_the_verdict_names_the_best_simple_rule():
    plateaus = {"constant": 0.5, "trigrams": 0.75, "bigrams": 0.69}
    assert say("accuracy", 0.8, {EQUAL: 0.8}, **plateaus).endswith(
        "It is better than the best simple rule (trigrams, 0.7500)."
    )
    assert say("accuracy", 0.75, {EQUAL: 0.8}, **plateaus).endswith(
        "It is NOT better than the best simple rule (trigrams, 0.7500)."
    )


def test_numbers_and_spreads_as_text():
    assert number(None) == "–"
    assert number(0.97654321) == "0.9765"
    assert spread({"mean": 0.5, "std": None}) == "0.5000"
    assert spread({"mean": 0.5, "std": 0.0125}) == "0.5000 ± 0.0125"
