"""Results of steering: measures by hand, comparisons that are corrected together, and what the report says."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest
from steering_cases import N

from nas.evaluation.estimates import holm
from nas.store.lines import plain
from nas.studies.steering.arms import ARMS
from nas.studies.steering.replay import START, TRIALS, Pool
from nas.studies.steering.report import numbers_of, pages, verdict
from nas.studies.steering.results import COMPARISONS, MEASURES, PoolResult
from nas.studies.tables import expected_median, paired_difference


def line_of(arm: str, seed: int, members: list[int], **more: Any) -> dict[str, Any]:
    n = len(members)
    given = {"values": [0.5] * n, "origins": ["start-up"] * START + ["prior"] * (n - START), "forecasts": [None] * n}
    own = {"arm": arm, "seed": seed, "members": members, "by_predictor": members[0], "by_label": members[1]}
    return {**own, **given, "seconds": 5.0, **more}


def result_of(pool: Pool, lines: dict[str, list[dict[str, Any]]]) -> PoolResult:
    """Return a result in which arms that are not given do what random picks do."""
    everything = [{**line, "arm": arm} for arm in ARMS for line in lines.get(arm, lines["random"])]
    return PoolResult.of(pool, everything[::-1])


def report(found: list[PoolResult]) -> str:
    return pages(plain(numbers_of(found)))["README.md"]


def test_measures_by_hand(pool: Pool):
    truth = np.arange(N) / 10
    truth[-5:] = 30.0
    own = replace(pool, truth=truth)
    late = [*range(40), 239, *range(41, 60)]
    never = list(range(60))
    result = result_of(own, {"random": [line_of("random", 0, late), line_of("random", 1, never)]})
    # 1 % of 240 are 2, but five are equally good.
    assert result.threshold(0.01) == 30.0
    assert result.threshold(0.05) == 22.8
    assert result.by_chance(0.01) == expected_median(240, 5)
    assert result.first("random", 0.01) == [41, 61]
    assert result.paired("random", "trainings") == [41.0, 61.0]
    expected = [(sum(range(10, 40)) + 300 + sum(range(41, 60))) / 500, sum(range(10, 60)) / 500]
    assert result.paired("random", "proposals") == pytest.approx(expected)
    assert result.paired("random", "incumbent") == [0.0, 0.0]
    assert result.paired("random", "incumbent by label") == [0.1, 0.1]
    found = result.numbers["arms"]["random"]
    assert found["trainings"] == {"1%": 51.0, "5%": 51.0}
    assert found["reached"] == {"1%": 0.5, "5%": 0.5}
    assert found["seconds"] == pytest.approx(5.0 / 50)
    assert found["proposals"] == found["steered"] == pytest.approx(sum(expected) / 2)
    assert found["origins"] == {"prior": 1.0}
    assert found["forecasts"] == {}
    none = result_of(own, {"random": [line_of("random", seed, never) for seed in range(2)]})
    assert none.numbers["arms"]["random"]["trainings"]["1%"] is None
    assert none.numbers["arms"]["random"]["reached"]["1%"] == 0.0
    assert result.numbers["truth"]["least"] == 0.0
    assert result.numbers["seeds"] == 2


def test_forecasts_are_judged_by_origin(pool: Pool):
    origins = ["start-up"] * START + ["random", "prior"] * 25
    values = np.linspace(0, 1, TRIALS)
    forecasts = [None] * START + [
        [value, value - 0.1, value + (0.1 if k % 4 else -0.05)] for k, value in enumerate(values[START:])
    ]
    forecasts = [own and [-own[0] if k % 2 else own[0], *own[1:]] for k, own in enumerate(forecasts)]
    line = line_of("random", 0, list(range(60)), origins=origins, values=values.tolist(), forecasts=forecasts)
    own = result_of(pool, {"random": [line]}).numbers["arms"]["random"]
    assert own["steered"] == pytest.approx(pool.truth[11:60:2].mean())
    assert own["origins"] == {"random": 0.5, "prior": 0.5}
    found = own["forecasts"]
    assert set(found) == {"random", "prior"}
    assert (found["random"]["n"], found["prior"]["n"]) == (25, 25)
    assert found["random"]["tau"] == pytest.approx(1.0)
    assert found["prior"]["tau"] == pytest.approx(-1.0)
    assert (found["random"]["coverage"], found["prior"]["coverage"]) == (12 / 25, 1.0)


def test_all_comparisons_of_a_pool_are_corrected_together(pool: Pool):
    rng = np.random.default_rng(0)
    order = np.argsort(-pool.truth)
    lines = {
        "random": [line_of("random", seed, rng.permutation(order[50:])[:60].tolist()) for seed in range(20)],
        "structural": [line_of("structural", seed, rng.permutation(order[:100])[:60].tolist()) for seed in range(20)],
    }
    result = result_of(pool, lines)
    comparisons = result.numbers["comparisons"]
    assert len(comparisons) == len(COMPARISONS) * len(MEASURES) == 56
    assert {own["p_holm"] for own in comparisons} == set(holm([own["difference"].p for own in comparisons]))
    by_key = {(own["arm"], own["other"], own["measure"]): own for own in comparisons}
    first = by_key["structural", "random", "proposals"]
    assert first["difference"] == paired_difference(
        result.paired("structural", "proposals"), result.paired("random", "proposals")
    )
    assert verdict(plain(first)) == 1
    # Fewer trainings are better, and equal arms are not told apart.
    trainings = by_key["structural", "random", "trainings"]
    assert trainings["difference"].mean < 0
    assert verdict(plain(trainings)) == 1
    assert verdict(plain(by_key["tpe", "random", "proposals"])) == 0
    assert verdict(plain(by_key["structural-once", "structural", "proposals"])) == -1


@pytest.mark.parametrize(
    ("mean", "low", "high", "p", "measure", "expected"),
    [
        (1.0, 0.5, 1.5, 0.01, "proposals", 1),
        (-1.0, -1.5, -0.5, 0.01, "proposals", -1),
        (-1.0, -1.5, -0.5, 0.01, "trainings", 1),
        (1.0, 0.5, 1.5, 0.05, "proposals", 0),
        (1.0, -0.1, 1.5, 0.01, "proposals", 0),
    ],
)
def test_a_verdict_needs_the_test_and_the_interval(
    mean: float, low: float, high: float, p: float, measure: str, expected: int
):
    found = {"measure": measure, "difference": {"mean": mean, "low": low, "high": high}, "p_holm": p}
    assert verdict(found) == expected


def test_the_report_says_what_the_numbers_say(pool: Pool):
    rng = np.random.default_rng(0)
    order = np.argsort(-pool.truth)

    def lines(members: np.ndarray) -> list[dict[str, Any]]:
        return [line_of("", seed, rng.permutation(members)[:60].tolist()) for seed in range(20)]

    good, bad = lines(order[:70]), lines(order[170:])
    for own, other, words in ((good, bad, "better than random"), (bad, good, "worse than random")):
        text = report([result_of(pool, {"random": other, "structural": own})])
        assert f"- What it trained after the start was {words} in 1, tpe in 1" in text
        assert f"What it trained after the start was {words}, tpe, neighbours, parameters and size." in text
    text = report([result_of(pool, {"random": good})])
    assert "- What it trained after the start was told apart from no other arm in any pool." in text
    assert "was not told apart from random, tpe, neighbours, parameters and size." in text
    few = report([result_of(pool, {"random": good[:19]})])
    assert "Fewer than 20 seeds on oracle: a trial that shows nothing." in few
    assert "Fewer than" not in text
    share = result_of(pool, {"random": good}).numbers["arms"]["structural"]["reached"]["1%"]
    low, high = binomtest(round(20 * share), 20).proportion_ci(method="wilson")
    assert f"found one of the best 1% in {share:.0%} [{low:.0%}, {high:.0%}] of the runs" in text
    assert "Seeds change the search, and which trainings it sees. The pool is the same for all of them" in text
    assert "by searching the same pool again and again" in text
