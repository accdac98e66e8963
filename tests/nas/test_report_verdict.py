"""Verdicts and numbers as text: how a found wiring is said to stand beside its references."""

from collections.abc import Mapping

import pytest

from nas.report.card import number, spread
from nas.report.verdict import verdict


def say(
    metric: str, test: float, equal: float, others: Mapping[str, float], plateaus: Mapping[str, float] | None = None
) -> str:
    rivals = [{"name": name, "mean": mean, "n_parameters": 9} for name, mean in others.items()]
    rivals.insert(1, {"name": "dense with equal parameters", "mean": equal, "n_parameters": 1234})
    return verdict({"mean": test}, rivals, plateaus or {}, metric)


def test_the_verdict_says_loses_in_as_many_words():
    said = say("accuracy", 0.90, 0.9262, {"linear": 0.8, "random with equal edges": 0.91})
    assert said == (
        "The found wiring LOSES to the dense network with equal parameters (1234): -2.62 points of accuracy. "
        "Ahead of it: dense with equal parameters, random with equal edges."
    )


@pytest.mark.parametrize(
    ("equal", "word"), [(0.908, "stays within one point of"), (0.912, "LOSES to"), (0.90, "is at least as good as")]
)
def test_the_verdict_turns_at_one_point_and_at_a_tie(equal: float, word: str):
    said = say("accuracy", 0.90, equal, {"linear": 0.8})
    assert said.startswith(f"The found wiring {word} the dense network with equal parameters (1234): ")
    assert f"{100 * (0.90 - equal):+.2f} points" in said


def test_the_verdict_of_a_better_wiring_names_who_is_better_still():
    assert say("accuracy", 0.95, 0.90, {"linear": 0.97}).endswith("Ahead of it: linear.")
    assert say("accuracy", 0.9, 0.9, {"linear": 0.9}).endswith("No reference is ahead of it.")


def test_the_verdict_where_less_is_better():
    better = say("mean-squared-error", 0.5, 0.75, {"linear": 0.9})
    assert better == (
        "The found wiring is at least as good as the dense network with equal parameters (1234): "
        "-0.25 in mean-squared-error. No reference is ahead of it."
    )
    worse = say("mean-squared-error", 0.75, 0.5, {"linear": 0.9})
    assert worse.startswith("The found wiring LOSES to the dense network with equal parameters (1234): +0.25 in")
    assert worse.endswith("Ahead of it: dense with equal parameters.")


def test_the_verdict_names_the_best_simple_rule():
    plateaus = {"constant": 0.5, "trigrams": 0.75, "bigrams": 0.69}
    assert say("accuracy", 0.8, 0.8, {}, plateaus).endswith("It is above the best simple rule (trigrams, 0.7500).")
    assert say("accuracy", 0.75, 0.8, {}, plateaus).endswith("It is NOT above the best simple rule (trigrams, 0.7500).")


def test_numbers_and_spreads_as_text():
    assert number(None) == "–"
    assert number(0.97654321) == "0.9765"
    assert spread({"mean": 0.5, "std": None}) == "0.5000"
    assert spread({"mean": 0.5, "std": 0.0125}) == "0.5000 ± 0.0125"
