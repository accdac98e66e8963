"""What steering was worth, by records made by hand."""

import json
from typing import Any

import pytest

from nas.report.outcome import describe_origin, is_by_chance, is_steered, worth_of_steering
from nas.store.records import Record


def record(number: int, value: float | None, origin: str, prediction: float | None = None, **fields: Any) -> Record:
    if prediction is not None:
        fields |= {"prediction": prediction, "prediction_low": prediction - 0.1, "prediction_high": prediction + 0.1}
    return Record(number, "complete" if value is not None else "stopped", value, {}, origin=origin, **fields)


RECORDS = [
    record(0, 0.25, "start-up"),
    record(1, 0.5, "random", 0.75),
    record(2, 0.75, "prior", 0.7),
    record(3, 1.0, "crossover", 0.95),
    record(4, None, "neighbour", 0.5),
    record(5, 0.125, "fallback", 0.6),
    record(6, 0.125, "mutation"),
    record(7, 0.125, ""),
]


def test_means_are_of_what_predictions_chose_and_of_what_chance_did():
    found = worth_of_steering(RECORDS)
    assert found is not None
    assert (found["steered"], found["chance"]) == (0.875, 0.375)
    assert (found["n_steered"], found["n_chance"], found["n_fallback"]) == (2, 2, 1)
    # Of trials 1, 2, 3 and 5: values .5, .75, 1, .125 and predictions .75, .7, .95, .6 order one pair of six unlike.
    assert found["rank_correlation"] == pytest.approx(4 / 6)
    assert found["coverage"] == 0.5


def test_of_a_front_the_means_say_nothing():
    found = worth_of_steering(RECORDS, by_size=True)
    assert found == {**(worth_of_steering(RECORDS) or {}), "steered": None, "chance": None}


@pytest.mark.parametrize("numbers", [(), (0, 1), (2, 3), (0, 6), (6, 7), (4,)])
def test_without_both_kinds_there_is_nothing_to_compare(numbers: tuple[int, ...]):
    assert worth_of_steering(RECORDS[number] for number in numbers) is None


def test_a_search_that_tpe_took_over_says_so():
    found = worth_of_steering([RECORDS[0], RECORDS[5]])
    assert found is not None
    assert (found["steered"], found["n_steered"], found["n_fallback"]) == (None, 0, 1)


def test_a_trial_is_steered_or_by_chance_or_neither():
    assert [own.number for own in RECORDS if is_steered(own)] == [2, 3, 4]
    assert [own.number for own in RECORDS if is_by_chance(own)] == [0, 1]


@pytest.mark.parametrize(
    ("way", "parents", "n_moves", "words"),
    [
        ("crossover", [6, 7], 0, "crossover of trials 6 and 7"),
        ("mutation", [15], 4, "mutation of trial 15, 4 edits"),
        ("redraw", [6], 0, "redraw of trial 6"),
    ],
)
def test_what_was_bred_says_from_what(way: str, parents: list[int], n_moves: int, words: str):
    lineage = json.dumps({"parents": parents, "way": way, "n_moves": n_moves, "seed": 1})
    assert describe_origin(record(9, 0.5, way, lineage=lineage)) == words


def test_how_a_candidate_was_chosen_is_said_in_words():
    assert describe_origin(RECORDS[2]) == "by predictions, from fresh draws"
    assert describe_origin(RECORDS[5]) == "by TPE, since structure predicted nothing"
    assert describe_origin(RECORDS[7]) == ""
    assert describe_origin(record(0, 0.5, "a later version's")) == "a later version's"
