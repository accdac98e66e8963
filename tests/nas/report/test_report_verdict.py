"""Verdicts and numbers as text: how a found wiring is said to stand beside its references."""

import json
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from scipy.stats import ttest_ind

from nas.evaluation.references import COUNTS, DEGREES, RANDOM, RANDOM_MEANS
from nas.report.card import number, spread
from nas.report.lines import say_in_lines
from nas.report.verdict import explain_random, explain_words, format_difference, of_budget, verdict, verdict_lines


def say(metric: str, test: float, others: Mapping[str, float], std: float | None = None, **plateaus: float) -> str:
    def row(mean: float) -> dict[str, Any]:
        return {"mean": mean, "std": std, "seeds": 4, "n_parameters": 9}

    direction = "maximize" if metric == "accuracy" else "minimize"
    rivals = [{**row(mean), "name": name} for name, mean in others.items()]
    return verdict(row(test), rivals, plateaus, metric, direction)


EQUAL = "dense with equal parameters"


def test_the_verdict_says_loses_in_as_many_words():
    said = say("accuracy", 0.90, {"linear": 0.8, EQUAL: 0.9262, "random with equal edges": 0.91}, std=0.001)
    assert said == (
        "The found wiring LOSES to dense with equal parameters (-2.62 [-2.79, -2.45] points), random with equal edges "
        "(-1.00 [-1.17, -0.83] points). The found wiring beats linear (+10.00 [+9.83, +10.17] points). "
        "It is MORE than one point behind the dense network with equal parameters. "
        "Brackets are 95 % intervals over 4 training seeds of one wiring each, on the same test examples; "
        "they say nothing of other wirings or examples."
    )


def test_one_training_decides_nothing():
    said = say("accuracy", 0.90, {"linear": 0.8, EQUAL: 0.9262}, rule=0.3)
    assert said == (
        "The found wiring is undecided against linear (+10.00 points), dense with equal parameters (-2.62 points). "
        "Whether it is within one point of the dense network with equal parameters these seeds do not tell. "
        "Whether it is better than the best simple rule (rule, 0.3000) is undecided. "
        "One training each: these differences may be chance."
    )


def row(mean: float, name: str = "", seeds: int = 10, **more: Any) -> dict[str, Any]:
    return {"name": name, "mean": mean, "std": 0.01, "seeds": seeds, "n_parameters": 50, **more}


def test_a_structure_is_worth_what_it_gains_whether_more_or_less_is_better():
    rivals = [row(0.20, COUNTS, 20), row(0.18, DEGREES, 20)]
    more = verdict(row(0.25), rivals, {}, "accuracy", "maximize")
    assert "Its structure is worth +5.00 [" in more
    assert "its degrees alone -2.00 [" in more
    less = verdict(row(0.25), rivals, {}, "mean-squared-error", "minimize")
    assert "Its structure is worth -0.0500 [-0.0581" in less
    assert "of less mean-squared-error over 20 with as many weights" in less
    assert "its degrees alone +0.0200 [" in less
    assert "over 10 training seeds of one wiring each, and 20 drawn structures trained once each, on the same" in more


def test_a_budget_is_told_in_its_own_unit():
    dense = row(0.9, EQUAL, tried=33)
    said = of_budget(row(0.95), [dense], "accuracy", "maximize")
    assert said.startswith(
        "With 50 parameters the found network reaches 95.0 % accuracy; the best dense network within"
    )
    assert "of 33 that were tried, 90.0 % accuracy: +5.00 [" in said
    budget = {"unit": "bytes", "amount": 2_048, "price": 150, "precision": 8}
    rounded = {**row(0.3), "validation": 0.32, "unrounded": 0.29}
    said = of_budget(rounded, [dense], "mean-squared-error", "minimize", budget)
    assert said.startswith(
        "With 50 parameters, 150 of 2,048 bytes at 8 bits a weight (rounded after training, as all beside it: +0.0300 "
        "of validation mean-squared-error), the found network reaches mean-squared-error 0.3;"
    )
    assert said.endswith("], where less is better.")
    said = of_budget({**row(0.9), "validation": 0.9, "unrounded": 0.9125}, [dense], "accuracy", "maximize", budget)
    assert "as all beside it: -1.25 points of validation accuracy), the found network reaches 90.0 %" in said
    said = of_budget(row(0.9), [dense], "accuracy", "maximize", {**budget, "precision": 32})
    assert said.startswith("With 50 parameters, 150 of 2,048 bytes at 32 bits a weight, the found network reaches")
    said = of_budget(row(0.3), [], "accuracy", "maximize", {**budget, "unit": "MAC"})
    assert said.startswith("With 50 parameters, 150 of 2,048 multiplications, the found")


@pytest.mark.parametrize(("equal", "word"), [(0.9099, "within one point of"), (0.911, "MORE than one point behind")])
def test_the_verdict_turns_at_one_point(equal: float, word: str):
    said = say("accuracy", 0.90, {EQUAL: equal}, std=0.0)
    assert f"It is {word} the dense network with equal parameters." in said


@pytest.mark.parametrize(
    ("equal", "words"),
    [
        (0.9045, "It is within one point of the dense"),
        (0.9055, "Whether it is within one point of the dense"),
        (0.9145, "Whether it is within one point of the dense"),
        (0.9155, "It is MORE than one point behind the dense"),
    ],
)
def test_a_point_is_told_by_the_whole_interval(equal: float, words: str):
    # This spread of four seeds gives an interval of .005 to both sides: t is 2.447 at 6 degrees of freedom.
    std = 0.005 / 2.4469 / (2 / 4) ** 0.5
    assert words in say("accuracy", 0.90, {EQUAL: equal}, std=std)


def test_the_verdict_says_nothing_of_a_point_where_the_wiring_is_ahead():
    assert "point of" not in say("accuracy", 0.90, {EQUAL: 0.5})


@pytest.mark.parametrize(
    ("rival", "word"),
    [
        (0.90, "is undecided against"),
        (0.917, "is undecided against"),
        (0.9175, "LOSES to"),
        (0.8825, "beats"),
        # More than two standard errors, .01414, which for four seeds are too few.
        (0.915, "is undecided against"),
    ],
)
def test_networks_are_told_apart_by_an_interval_without_zero(rival: float, word: str):
    # The 95 % interval of the difference of two means of 4 seeds: 2.447 * sqrt(2 * .01**2 / 4) = .0173 to both sides.
    assert say("accuracy", 0.90, {"linear": rival}, std=0.01).startswith(f"The found wiring {word} linear (")


@pytest.mark.parametrize(
    ("rival", "word"), [(0.9005, "is level with"), (0.9045, "is level with"), (0.9051, "is undecided")]
)
def test_networks_are_level_where_the_interval_is_within_a_point(rival: float, word: str):
    # .0052 to both sides.
    said = say("accuracy", 0.90, {EQUAL: rival}, std=0.003)
    assert said.startswith(f"The found wiring {word}")
    assert "level" not in say("mean-squared-error", 0.90, {EQUAL: rival}, std=0.003)


def test_a_missing_dense_network_is_explained():
    assert "No dense network of equal size stands beside it" in say("accuracy", 0.90, {"linear": 0.8})
    assert "No dense" not in say("accuracy", 0.90, {EQUAL: 0.8})


def test_an_interval_of_unequal_spreads_is_that_of_welch():
    tests = [0.91, 0.95, 0.93, 0.90, 0.99], [0.935, 0.936, 0.934]
    rows = [{"mean": np.mean(own), "std": np.std(own, ddof=1), "seeds": len(own), "n_parameters": 9} for own in tests]
    low, high = ttest_ind(*tests, equal_var=False).confidence_interval(0.95)
    said = verdict(rows[0], [{**rows[1], "name": "linear"}], {}, "loss", "maximize")
    assert said.startswith(f"The found wiring is undecided against linear (+0.0010 [{low:+.4f}, {high:+.4f}]).")
    assert said.endswith(
        "Brackets are 95 % intervals over 5 training seeds of one wiring each, on the same test examples; "
        "they say nothing of other wirings or examples."
    )


@pytest.mark.parametrize(
    ("scale", "written"),
    [
        (1e-3, "-0.000500 [-0.000594, -0.000406]"),
        (1.0, "-0.500 [-0.594, -0.406]"),
        (1e4, "-5000 [-5940, -4060]"),
        (1e-9, "-5.00e-10 [-5.94e-10, -4.06e-10]"),
        (1e20, "-5.00e+19 [-5.94e+19, -4.06e+19]"),
    ],
)
def test_numbers_of_one_difference_have_as_many_places(scale: float, written: str):
    one, other = ({**row(mean), "mean": scale * mean, "std": 10 * scale * row(mean)["std"]} for mean in (0.2, 0.7))
    assert format_difference(one, other, "mean-squared-error") == written


def test_an_end_that_decides_is_not_written_as_nothing():
    one = {**row(0.2), "std": 0.2945, "seeds": 5}
    said = format_difference(one, {**row(0.63), "std": 0.2945, "seeds": 5}, "mean-squared-error")
    assert said == "-0.4300 [-0.8595, -0.0005]"
    same = {**row(0.2), "std": 0.0}
    assert format_difference(same, same, "mean-squared-error") == "+0 [+0, +0]"


def test_a_simple_rule_is_beaten_by_more_than_seeds_differ():
    # The interval of one mean of 4 seeds: 3.182 * .01 / 2 = .0159 to both sides.
    for rule, words in (
        (0.88, "It is better than the best simple rule (rule, 0.8800)."),
        (0.89, "Whether it is better than the best simple rule (rule, 0.8900) is undecided."),
        (0.92, "It is NOT better than the best simple rule (rule, 0.9200)."),
    ):
        assert words in say("accuracy", 0.90, {}, std=0.01, rule=rule)


def test_the_verdict_where_less_is_better():
    rules = {"mean": 25.0, "least squares": 0.01}
    said = say("mean-squared-error", 0.5, {EQUAL: 0.75, "linear": 0.25}, std=0.0, **rules)
    assert said.startswith(
        "The found wiring LOSES to linear (+0.250 [+0.250, +0.250]). The found wiring beats dense with equal "
        "parameters (-0.250 [-0.250, -0.250]). It is NOT better than the best simple rule (least squares, 0.0100). "
    )


def test_the_verdict_names_the_best_simple_rule():
    plateaus = {"constant": 0.5, "trigrams": 0.75, "bigrams": 0.69}
    for mean, word in ((0.8, "better than"), (0.75, "NOT better than")):
        words = f"It is {word} the best simple rule (trigrams, 0.7500)."
        assert words in say("accuracy", mean, {EQUAL: 0.8}, std=0.0, **plateaus)


def test_numbers_and_spreads_as_text():
    assert number(None) == "–"
    assert number(0.97654321) == "0.9765"
    assert spread({"mean": 0.5, "std": None}) == "0.5000"
    assert spread({"mean": 0.5, "std": 0.0125}) == "0.5000 ± 0.0125"


RESULTS = Path(__file__).resolve().parents[3] / "results"


@pytest.mark.parametrize("campaign", sorted(RESULTS.glob("*/campaign.toml")), ids=lambda file: file.parent.name)
def test_published_verdicts_follow_from_their_numbers(campaign: Path):
    best = campaign.parent / "best"
    found = json.loads((best / "outcome.json").read_text(encoding="utf-8"))
    told = verdict(found["test"], found["references"], found["plateaus"], found["metric"], found["direction"])
    if "budget = " in campaign.read_text(encoding="utf-8"):
        own = (found["test"], found["references"], found["metric"], found["direction"], found["budget"])
        told = f"{of_budget(*own)} {told}"
    assert found["verdict"].removesuffix(f" {RANDOM_MEANS}") == told
    assert told in (best / "card.md").read_text(encoding="utf-8")


VERDICT = (
    "The learned structure LOSES to dense with equal neurons (-1.11 [-2.00, -0.23] points). The learned structure is "
    "level with linear (+0.11 [-0.30, +0.52] points), its structure, new weights (+0.06 [-0.16, +0.28] points). It is "
    "better than the best simple rule (nearest class mean, 0.9220). Brackets are 95 % intervals over 5 training seeds."
)


def test_the_random_network_is_explained_where_it_stands():
    assert explain_random([{"name": "linear"}]) == ""
    assert explain_random([{"name": "linear"}, {"name": RANDOM}]) == RANDOM_MEANS
    assert verdict_lines(f"It is so. {RANDOM_MEANS}")[1:] == [RANDOM_MEANS]


def test_a_verdict_has_a_line_a_reference():
    assert verdict_lines(VERDICT) == [
        "The learned structure LOSES to",
        "  dense with equal neurons (-1.11 [-2.00, -0.23] points).",
        "The learned structure is level with",
        "  linear (+0.11 [-0.30, +0.52] points),",
        "  its structure, new weights (+0.06 [-0.16, +0.28] points).",
        "It is better than the best simple rule (nearest class mean, 0.9220).",
        "Brackets are 95 % intervals over 5 training seeds.",
    ]
    assert " ".join(line.strip() for line in verdict_lines(VERDICT)) == VERDICT
    assert verdict_lines("") == []
    assert verdict_lines("With 9 parameters (trial 3) the front beats the dense network (+0.1 points).") == [
        "With 9 parameters (trial 3) the front beats the dense network (+0.1 points)."
    ]


def test_level_is_explained_where_it_is_said():
    assert "Undecided: it holds 0" in str(explain_words(VERDICT))
    assert explain_words("The found wiring is undecided against linear (+0.11 [-1.30, +1.52] points).") is None


@pytest.mark.parametrize("width", [10, 40, 80, 300])
def test_sentences_end_between_words_where_the_terminal_does(width: int):
    text = StringIO()
    say_in_lines(Console(file=text, width=width), VERDICT)
    lines = text.getvalue().splitlines()
    assert " ".join(lines) == VERDICT
    assert max(map(len, lines)) <= max(20, min(width, 120))
