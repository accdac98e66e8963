"""Pages of studies follow from their stored numbers, and say what their intervals are over."""

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from nas.studies import (
    connectomes,
    distances,
    drop_criteria,
    pareto,
    planted,
    prediction,
    pruning,
    published_rnns,
    read_ins,
    records,
    rewiring,
    rnn_pruning,
    topology_report,
    ways,
    zero_cost,
)
from nas.studies.steering import report as steering_report
from nas.studies.steering import warm_start
from nas.studies.structure import pages as structure
from nas.studies.tables import format_share
from predictors.validation.resampling import share_interval

RESULTS = Path(__file__).resolve().parents[3] / "results"
STUDIES: dict[str, Callable[[Mapping[str, Any]], dict[str, str]]] = {
    "published-rnns/published-rnns.json": published_rnns.pages,
    "prediction/prediction.json": prediction.pages,
    "prediction/zero-cost.json": zero_cost.pages,
    "distances/distances.json": distances.pages,
    "steering/steering.json": steering_report.pages,
    "steering/warm-start.json": warm_start.pages,
    "pareto/pareto.json": pareto.pages,
    "pruning/pruning.json": pruning.pages,
    "rnn-pruning/rnn-pruning.json": rnn_pruning.pages,
    "rewiring/rewiring.json": rewiring.pages,
    "drop-criteria/drop-criteria.json": drop_criteria.pages,
    "records/records.json": records.pages,
    "read-ins/read-ins.json": read_ins.pages,
    "ways/ways.json": ways.pages,
    "topology/topology.json": topology_report.pages,
    "structure/mnist/learned-structure.json": structure.pages,
    "structure/fashion-mnist/learned-structure.json": structure.pages,
    "structure/reber-embedded/learned-structure.json": structure.pages,
    "connectomes/connectomes.json": connectomes.pages,
    "planted/planted.json": planted.pages,
}


def stored(file: str) -> Any:
    return json.loads((RESULTS / file).read_text(encoding="utf-8"))


def in_one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("file", STUDIES)
def test_published_pages_follow_from_published_numbers(file: str):
    told = STUDIES[file](stored(file))
    assert told
    for name, text in told.items():
        assert (RESULTS / file).with_name(name).read_text(encoding="utf-8") == text


@pytest.mark.parametrize("file", STUDIES)
def test_other_numbers_make_other_pages(file: str):
    numbers = stored(file)
    assert STUDIES[file](halved(numbers)) != STUDIES[file](numbers)
    assert numbers == stored(file)


def halved(numbers: Any) -> Any:
    """Return a copy in which all numbers with a fraction are half as large."""
    if isinstance(numbers, dict):
        return {key: halved(value) for key, value in numbers.items()}
    if isinstance(numbers, list):
        return [halved(value) for value in numbers]
    return numbers / 2 if isinstance(numbers, float) else numbers


# Published networks


def estimate(mean: float, low: float, high: float) -> dict[str, float]:
    return {"mean": mean, "sd": 0.0123, "low": low, "high": high}


def cell(gain: dict[str, float], **more: Any) -> dict[str, Any]:
    """Return numbers of a cell of which BayesianRidge is the best published regressor."""
    fits = (*published_rnns.REGRESSORS, published_rnns.SOURCES, published_rnns.BLEND)
    step = {"name": "parameters", "n_features": 2, "r2": estimate(0.2, 0.1, 0.3), "delta": None}
    return {
        "n": 200,
        "collapsed": 7,
        "published": dict.fromkeys(published_rnns.REGRESSORS, 0.6),
        "r2": {fit: estimate(0.5, 0.4, 0.6) for fit in fits},
        "tau": dict.fromkeys(fits, 0.4),
        "best": "BayesianRidge",
        "blend_less_best": gain,
        "ladder": [step, {**step, "name": "+ I/O", "delta": estimate(0.1, -0.01, 0.2)}],
        "single_splits": {fit: [0.9, 0.5, None, 0.1] for fit in published_rnns.REGRESSORS},
        **more,
    }


CELLS = {
    "gru": cell(estimate(0.046, 0.007, 0.101)),
    "lstm": cell(estimate(0.067, -0.060, 0.147)),
    "rnn_relu": cell(estimate(-0.05, -0.08, -0.01)),
}


def test_the_interval_over_graphs_stands_first():
    """Whatever is over repeats of the same graphs must not: it says nothing about other graphs."""
    repeats = estimate(0.067, 0.046, 0.088)
    text = published_rnns.pages({"lstm": cell(estimate(0.067, -0.060, 0.147), by_repeat=repeats)})["README.md"]
    (row,) = [line for line in text.splitlines() if line.startswith("| lstm | +")]
    assert row.split(" | ")[1:3] == ["+0.067 [-0.060, +0.147]", "0.012"]
    (header,) = [line for line in text.splitlines() if line.startswith("| cell | blend - best")]
    assert header.startswith("| cell | blend - best | sd over repeats | blend |")
    assert "0.046" not in text
    assert "0.088" not in text
    assert "from the best published regressor (bold), with a 95 % interval over graphs" in in_one_line(text)
    assert "it says nothing about other graphs" in in_one_line(text)


def test_an_interval_that_holds_zero_tells_nothing_apart():
    text = published_rnns.pages(CELLS)["README.md"]
    assert (
        "By these intervals the blend is ahead on gru; the blend is BEHIND on rnn_relu; "
        "on lstm the two are not told apart, since the interval holds 0."
    ) in text
    none = published_rnns.pages({"lstm": CELLS["lstm"]})["README.md"]
    assert "By these intervals on lstm the two are not told apart, since the interval holds 0." in none
    assert "ahead" not in none


def test_the_best_is_said_to_be_chosen_afterwards_and_every_rival_stands_by_itself():
    told = published_rnns.pages(CELLS)["README.md"]
    assert "Which regressor is the best was found afterwards for each cell" in told
    assert "| **0.500** | 0.500 | 0.500 |" in told
    assert (
        "Intervals of the differences from the other regressors and from the source nodes alone were not kept." in told
    )
    rivals = (*published_rnns.REGRESSORS, published_rnns.SOURCES)
    less = {rival: estimate(0.01 * k, -0.02, 0.03) for k, rival in enumerate(rivals)}
    more = published_rnns.pages({name: {**own, "blend_less": less} for name, own in CELLS.items()})["README.md"]
    assert "were not kept" not in more
    assert "| gru | +0.000 [-0.020, +0.030] | +0.010 [-0.020, +0.030] | +0.020 " in more


def test_shares_of_splits_are_of_splits_of_the_same_graphs():
    text = published_rnns.pages(CELLS)["README.md"]
    assert "over 4 splits" in text
    assert (
        f"is reached by 25% of these splits; of all splits of these graphs that is {format_share(0.25, 0.046, 0.699)}."
        in text
    )
    assert "All splits are of the same graphs" in text
    # One of four splits has no R2, and is below nothing.
    assert "| gru | BayesianRidge | 0.18 | 0.50 | 0.82 | 0.600 | 50% |" in text


# Surveys of one's own


def test_families_never_seen_have_intervals_where_they_were_kept():
    numbers = stored("prediction/prediction.json")
    before = {name: numbers[name] for name in ("reber-gru", "reber-tanh")}
    old = prediction.pages(before)["README.md"]
    assert "one fit each, without an interval" in in_one_line(old)
    fresh = copy.deepcopy(before)
    for population in fresh.values():
        for part in population["mean_label"]["left_out"]:
            part |= {"low": 0.1234, "high": 0.9876}
    new = prediction.pages(fresh)
    assert "one fit each, with 95 % intervals over its wirings" in in_one_line(new["README.md"])
    assert "barabasi-albert 0.23 [0.12, 0.99]" in new["README.md"]
    assert "| barabasi-albert | 680 | 0.228 [0.123, 0.988] |" in new["reber-gru.md"]


def test_coverage_and_components_have_intervals():
    numbers = stored("prediction/prediction.json")
    text = prediction.pages(numbers)["README.md"]
    judged = numbers["reber-gru"]["mean_label"]
    found = judged["coverage"][-1]["empirical"]
    assert format_share(found, *share_interval(found, judged["groups"]), digits=1) in text
    part = judged["components"][0]
    assert f"| family {format_share(part['share'], part['low'], part['high'])} |" in text
    assert "The fits are not made anew for them" in in_one_line(text)
    assert "the families themselves are held" in in_one_line(text)


# Warm starts


def test_a_warm_start_that_is_ahead_by_chance_is_not_told_apart():
    numbers = stored("steering/warm-start.json")
    numbers["arms"]["random"] |= {"warm_ahead": {"mean": -0.1, "low": -0.2, "high": -0.05, "p": 0.001}}
    numbers["arms"]["random"]["warm_ahead_in_best"] = {"mean": 0.1, "low": 0.0, "high": 0.2, "p": 0.06}
    text = warm_start.pages(numbers)["warm-start.md"]
    assert 'In the mean the warm start is ahead of "from scratch", BEHIND "random"; ' in text
    assert 'in the best of 20 it is not told apart from "from scratch" and "random".' in text
    assert "nothing about other predictors, pools or tasks" in in_one_line(text)
