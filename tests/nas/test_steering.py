"""Steering: arms on a pool whose truth is known, runs that are never repeated, and statistics against references."""

import json
import os
import statistics
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from command_line import refused, wirenas
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nas.errors import InputError
from nas.samplers import StructuralSampler
from nas.search.draws import Uniform
from nas.search.options import resolve_survey
from nas.search.space import Space
from nas.search.survey_table import load_survey
from nas.studies import steering
from nas.studies.arms import ARMS, start_up
from nas.studies.paired import Difference, expected_median, holm, paired_difference
from nas.studies.pools import Pool, read_pool
from nas.studies.replay import START, TRIALS, Choice, Run, replay
from nas.studies.steering_results import COMPARISONS, MEASURES, Comparison, PoolResult
from nas.studies.steering_words import report
from predictors import describe, names_of

N, REPLICATES = 240, 3
SPACE = Space(nodes=(8, 24), degree=(2, 6), attachment="natural", structure="dag")
TIERS = ("size", "structure")


def make_pool(name: str = "oracle", seed: int = 0, noise: float = 0.02) -> Pool:
    """Return wirings whose truth is a function of structure: many edges, and degrees that differ little."""
    rng = np.random.default_rng(seed)
    params = [{**SPACE.suggest(Uniform(rng)), **SPACE.seeds(rng)} for _ in range(N)]
    wirings = tuple(SPACE.wiring(own, 3, 2) for own in params)
    X, names = describe(wirings, TIERS), names_of(TIERS)
    truth = sum(sign * standard(X[:, names.index(column)]) for column, sign in (("all_edges", 1), ("degree_std", -1)))
    return Pool(
        name,
        SPACE,
        wirings,
        tuple({key: value for key, value in own.items() if not key.endswith("_seed")} for own in params),
        np.array([wiring.n_edges for wiring in wirings]),
        truth[:, None] + noise * rng.normal(size=(N, REPLICATES)),
        truth,
        names,
        X,
    )


def standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / values.std()


@pytest.fixture(scope="module")
def pool() -> Pool:
    return make_pool()


@pytest.fixture(scope="module")
def runs(pool: Pool) -> dict[tuple[str, int], Run]:
    return {
        (arm, seed): replay(pool, arm, ARMS[arm], seed, start_up(pool, seed)) for arm, seed in product(ARMS, range(3))
    }


# Arms


def test_structure_beats_random_picks_where_it_decides(pool: Pool, runs: dict[tuple[str, int], Run]):
    def proposed(arm: str) -> float:
        return statistics.fmean(pool.truth[runs[arm, seed].members[START:]].mean() for seed in range(3))

    means = {arm: proposed(arm) for arm in ARMS}
    assert abs(means["random"] - pool.truth.mean()) < 0.4
    for arm in ("structural", "genetic-predicted", "genetic", "tpe", "neighbours"):
        assert means[arm] > means["random"] + 0.2, arm
    # The best 50 of all are the most that any arm can propose.
    assert means["structural"] > means["random"] + 0.8 * (np.sort(pool.truth)[-TRIALS:].mean() - means["random"])
    assert means["structural"] > max(means["size"], means["tpe"], means["neighbours"])
    assert means["genetic-predicted"] > means["genetic"]
    good = np.argsort(-pool.truth)[:2]
    assert all(np.isin(good, runs["structural", seed].members).all() for seed in range(3))


def test_all_arms_of_a_seed_start_with_the_same_trials_and_labels(runs: dict[tuple[str, int], Run]):
    starts = {seed: {tuple(runs[arm, seed].members[:START]) for arm in ARMS} for seed in range(3)}
    assert [len(own) for own in starts.values()] == [1, 1, 1]
    assert len(set.union(*starts.values())) == 3
    for seed in range(3):
        known: dict[tuple[int, int], set[float]] = {}
        for arm in ARMS:
            run = runs[arm, seed]
            for choice, value in zip(run.choices, run.values, strict=True):
                known.setdefault((choice.member, choice.replicate), set()).add(value)
        assert all(len(values) == 1 for values in known.values())


def test_no_wiring_is_trained_twice_except_as_a_replicate(runs: dict[tuple[str, int], Run]):
    again = 0
    for (arm, _), run in runs.items():
        assert len(run.choices) == len(run.values) == TRIALS
        pairs = [(choice.member, choice.replicate) for choice in run.choices]
        assert len(set(pairs)) == TRIALS
        if arm in ("parameters", "size", "structural"):
            again += sum(replicate > 0 for _, replicate in pairs)
            assert {choice.origin for choice in run.choices if choice.replicate} <= {"replicate"}
            assert max(replicate for _, replicate in pairs) < 3
        else:
            assert len(set(run.members)) == TRIALS
    assert again >= 3


def test_the_steered_arm_is_the_sampler_itself(pool: Pool, runs: dict[tuple[str, int], Run]):
    sampler = StructuralSampler(pool.space, seed=1, size_of=pool.size_of)
    study, run = optuna.create_study(direction="maximize", sampler=sampler), Run(pool, "structural-once", 1)

    def objective(trial: optuna.Trial) -> float:
        return run.label(int(pool.space.suggest_all(trial)["graph"]), 0)

    study.optimize(objective, n_trials=TRIALS)
    assert [trial.params["graph"] for trial in study.trials] == runs["structural-once", 1].members
    forecasts = [sampler.proposals[number].forecast for number in range(TRIALS)]
    assert forecasts[START:] == [choice.forecast for choice in runs["structural-once", 1].choices[START:]]
    assert forecasts[START] is not None


@pytest.mark.parametrize("arm", ["random", "tpe", "neighbours", "structural", "genetic-predicted"])
def test_runs_are_functions_of_the_seed(arm: str, pool: Pool, runs: dict[tuple[str, int], Run]):
    again = replay(pool, arm, ARMS[arm], 2, runs[arm, 2].members[:START])
    assert (again.members, again.values) == (runs[arm, 2].members, runs[arm, 2].values)
    assert again.members != runs[arm, 1].members


def test_a_label_is_that_of_one_replicate(pool: Pool):
    run, other = Run(pool, "random", 0), Run(pool, "tpe", 0)
    for member in range(N):
        labels = [run.label(member, replicate) for replicate in range(REPLICATES)]
        assert sorted(labels) == sorted(pool.labels[member])
        assert labels == [other.label(member, replicate) for replicate in range(REPLICATES)]
        assert run.label(member, REPLICATES) == labels[0]
    first = [pool.labels[member].tolist().index(run.label(member, 0)) for member in range(N)]
    assert set(first) == {0, 1, 2}
    assert first != [pool.labels[member].tolist().index(Run(pool, "random", 1).label(member, 0)) for member in range(N)]


def test_the_very_same_training_is_refused(pool: Pool):
    run = Run(pool, "random", 0)
    run.train(Choice(5))
    run.train(Choice(5, replicate=1))
    with pytest.raises(ValueError, match="member 5, replicate 1: trained already"):
        run.train(Choice(5, replicate=1))
    assert 5 not in run.free
    assert len(run.free) == N - 1


def test_examples_are_means_over_the_trainings_of_a_wiring(pool: Pool):
    run = Run(pool, "random", 0)
    for choice in (Choice(7), Choice(3), Choice(7, replicate=1), Choice(9)):
        run.train(choice)
    members, values, counts = run.examples()
    assert members.tolist() == [7, 3, 9]
    assert counts.tolist() == [2, 1, 1]
    expected = [(run.label(7, 0) + run.label(7, 1)) / 2, run.label(3, 0), run.label(9, 0)]
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    assert run.incumbents()[1] == [7, 3, 9][int(np.argmax(expected))]


# Pools


def test_the_nearest_wiring_is_of_the_same_family_and_like_parameters(pool: Pool):
    run = Run(pool, "tpe", 0)
    wanted = {**pool.params[0], "n": 16, "degree": 4.0}
    order = run.nearest(pool.place(wanted), N).tolist()

    def distance(member: int) -> tuple[bool, float]:
        own = pool.params[member]
        spans = {"n": (own["n"] - 16) / 16, "degree": (own["degree"] - 4) / np.ptp([p["degree"] for p in pool.params])}
        if "p" in own and "p" in wanted:
            spans["p"] = (own["p"] - wanted["p"]) / np.ptp([p["p"] for p in pool.params if "p" in p])
        return own["family"] != wanted["family"], sum(part**2 for part in spans.values())

    same = [member for member in order if pool.params[member]["family"] == wanted["family"]]
    assert order[: len(same)] == same
    found = [distance(member)[1] for member in same]
    assert found == pytest.approx(sorted(found), abs=1e-6)
    run.train(Choice(order[0]))
    assert int(run.nearest(pool.place(wanted))[0]) == order[1]
    np.testing.assert_allclose(pool.place(pool.params[3]), pool.points[3])


def test_equally_near_wirings_are_equally_likely(pool: Pool):
    fixed = replace(pool, params=tuple({"family": own["family"], "n": 5} for own in pool.params))
    run = Run(fixed, "tpe", 0)
    point = fixed.place(fixed.params[0])
    found = {int(run.nearest(point)[0]) for _ in range(60)}
    assert len(found) > 20
    assert {fixed.params[member]["family"] for member in found} == {fixed.params[0]["family"]}


def test_equal_wirings_have_an_equal_size_and_the_pool_knows_what_it_holds(pool: Pool):
    assert [pool.size_of(wiring) for wiring in pool.wirings] == pool.sizes.tolist()
    assert pool.space.is_finite
    other = replace(pool, labels=pool.labels + 1e-9)
    assert make_pool().fingerprint == pool.fingerprint != other.fingerprint


TINY = {
    "task": "digits",
    "network": "mlp",
    "seeds": 2,
    "wirings": 70,
    "space": {"nodes": (8, 16), "degree": (2, 4), "attachment": ("natural",)},
    "recipe": {"learning_rates": (0.01, 0.1), "epochs": 1},
}


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one tiny survey."""
    from nas import Survey

    folder = tmp_path_factory.mktemp("atlas")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nas.search.survey.fit_into", lambda *_, **__: None)
        Survey(folder / "tiny", **TINY).run()
    return folder


def test_a_pool_is_what_its_survey_says(atlas: Path):
    table = load_survey(atlas / "tiny")
    found, frame = read_pool("tiny", table), table.to_frame()
    assert len(found) == frame["fingerprint"].nunique() == 70
    for member in (0, 13, 69):
        own = frame[frame["fingerprint"] == found.wirings[member].fingerprint]
        rate = own.groupby("learning_rate")["value"].mean().idxmax()
        assert found.truth[member] == pytest.approx(own[own["learning_rate"] == rate]["test"].mean())
        assert found.labels[member].tolist() == own.groupby("replicate")["value"].max().tolist()
        assert found.sizes[member] == own["n_parameters"].iloc[0]
        assert found.params[member]["n"] == own["param_n"].iloc[0]
        assert not [name for name in found.params[member] if name.endswith("_seed")]
    assert found.names == names_of(TIERS)


def test_a_failed_training_leaves_its_wiring_out(atlas: Path):
    table = load_survey(atlas / "tiny")
    columns = table.table.to_pydict()
    columns["value"][5] = None
    damaged = replace(table, table=type(table.table).from_pydict(columns, schema=table.table.schema))
    assert (
        read_pool("tiny", damaged).wirings
        == read_pool("tiny", table).wirings[:1] + read_pool("tiny", table).wirings[2:]
    )


# Runs that are kept


class InThisProcess:
    """Stands in for a pool of processes, and makes them count what they do."""

    done: list[Any]

    def __init__(self, workers: int, context: Any, initialise: Callable[..., None], given: tuple[Any, ...]) -> None:
        assert (workers, context.get_start_method(), os.environ["OMP_NUM_THREADS"]) == (2, "spawn", "1")
        initialise(*given)

    def __enter__(self) -> "InThisProcess":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, function: Callable[[Any], Any], jobs: Iterable[Any]) -> Iterator[Any]:
        for job in jobs:
            self.done.append(job)
            yield function(job)


QUICK = {"random": ARMS["random"], "structural": ARMS["structural"]}


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Two arms in this process; the jobs that were done."""
    InThisProcess.done = []
    monkeypatch.setattr(steering, "ProcessPoolExecutor", InThisProcess)
    monkeypatch.setattr(steering, "ARMS", QUICK)
    return InThisProcess.done


def timeless(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def test_resumed_runs_equal_those_without_a_stop(pool: Pool, tmp_path: Path, done: list[Any]):
    calm, torn = tmp_path / "calm.jsonl", tmp_path / "torn.jsonl"
    whole = steering.runs_of(pool, calm, range(3))
    assert [(line["arm"], line["seed"]) for line in whole] == [(arm, seed) for arm in QUICK for seed in range(3)]
    content = calm.read_bytes()
    assert content.count(b"\n") == 6
    assert done == [(seed, ["random", "structural"]) for seed in range(3)]
    assert steering.runs_of(pool, calm, range(3)) == whole
    assert calm.read_bytes() == content
    assert len(done) == 3
    # Killed while the fourth line was written: seed 1 lacks one arm, seed 2 both.
    lines = content.splitlines(keepends=True)
    torn.write_bytes(b"".join(lines[:3]) + lines[3][:-9])
    said: list[str] = []
    assert timeless(steering.runs_of(pool, torn, range(3), said.append)) == timeless(whole)
    assert done[3:] == [(1, ["structural"]), (2, ["random", "structural"])]
    assert [json.loads(line)["seed"] for line in torn.read_text().splitlines()] == [0, 0, 1, 1, 2, 2]
    assert said == ["oracle: 1 of 3 seeds", "oracle: 2 of 3 seeds", "oracle: 3 of 3 seeds"]
    # A trial with fewer seeds takes what is there.
    assert steering.runs_of(pool, torn, range(1)) == [
        line for line in map(json.loads, torn.read_text().splitlines()) if line["seed"] == 0
    ]
    assert len(done) == 5


def test_a_line_says_what_was_done(pool: Pool, tmp_path: Path, done: list[Any]):
    line = steering.runs_of(pool, tmp_path / "a.jsonl", range(1))[1]
    run = replay(pool, "structural", ARMS["structural"], 0, start_up(pool, 0))
    assert (line["members"], line["values"]) == (run.members, run.values)
    assert line["origins"] == [choice.origin for choice in run.choices]
    assert (line["by_predictor"], line["by_label"]) == run.incumbents()
    assert line["forecasts"][:START] == [None] * START
    for said, choice in zip(line["forecasts"][START:], run.choices[START:], strict=True):
        assert choice.forecast is not None
        assert said == pytest.approx([choice.forecast.value, choice.forecast.low, choice.forecast.high], abs=1e-6)


@pytest.mark.parametrize("changed", ["pool", "version", "options"])
def test_runs_of_anything_else_are_not_taken(
    changed: str, pool: Pool, tmp_path: Path, done: list[Any], monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "a.jsonl"
    steering.runs_of(pool, file, range(1))
    if changed == "pool":
        pool = replace(pool, truth=pool.truth + 1)
    elif changed == "version":
        monkeypatch.setattr(steering, "_VERSION", steering._VERSION + 1)
    else:
        monkeypatch.setattr(steering, "ARMS", {**QUICK, "random": partial(QUICK["random"].func, rng=1)})
        monkeypatch.setattr(steering, "_line", lambda pool, arm, seed, _: {**known(pool, arm), "seed": seed})
    steering.runs_of(pool, file, range(1))
    assert done[1:] == [(0, ["random"] if changed == "options" else ["random", "structural"])]


def known(pool: Pool, arm: str) -> dict[str, Any]:
    return {"arm": arm, "of": steering._identity(pool, arm)}


def test_a_damaged_line_is_named(pool: Pool, tmp_path: Path, done: list[Any]):
    file = tmp_path / "a.jsonl"
    steering.runs_of(pool, file, range(1))
    file.write_bytes(file.read_bytes().replace(b"}\n", b"\n", 1))
    with pytest.raises(InputError, match=r"a\.jsonl: line 1 is damaged; remove it, and its run is done again"):
        steering.runs_of(pool, file, range(1))


# Results


def line_of(arm: str, seed: int, members: list[int], **more: Any) -> dict[str, Any]:
    n = len(members)
    given = {"values": [0.5] * n, "origins": ["start-up"] * START + ["prior"] * (n - START), "forecasts": [None] * n}
    own = {"arm": arm, "seed": seed, "members": members, "by_predictor": members[0], "by_label": members[1]}
    return {**own, **given, "seconds": 5.0, **more}


def result_of(pool: Pool, lines: dict[str, list[dict[str, Any]]]) -> PoolResult:
    """Return a result in which arms that are not given do what random picks do."""
    everything = [{**line, "arm": arm} for arm in ARMS for line in lines.get(arm, lines["random"])]
    return PoolResult.of(pool, everything[::-1])


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
    found = result.arms["random"]
    assert found.trainings == {"1%": 51.0, "5%": 51.0}
    assert found.reached == {"1%": 0.5, "5%": 0.5}
    assert found.seconds == pytest.approx(5.0 / 50)
    assert found.proposals == found.steered == pytest.approx(sum(expected) / 2)
    assert found.origins == {"prior": 1.0}
    assert found.forecasts == {}
    none = result_of(own, {"random": [line_of("random", seed, never) for seed in range(2)]})
    assert none.arms["random"].trainings["1%"] is None
    assert none.arms["random"].reached["1%"] == 0.0
    assert result.quantiles[0] == 0.0
    assert result.seeds == 2


def test_forecasts_are_judged_by_origin(pool: Pool):
    origins = ["start-up"] * START + ["random", "prior"] * 25
    values = np.linspace(0, 1, TRIALS)
    forecasts = [None] * START + [
        [value, value - 0.1, value + (0.1 if k % 4 else -0.05)] for k, value in enumerate(values[START:])
    ]
    forecasts = [own and [-own[0] if k % 2 else own[0], *own[1:]] for k, own in enumerate(forecasts)]
    line = line_of("random", 0, list(range(60)), origins=origins, values=values.tolist(), forecasts=forecasts)
    own = result_of(pool, {"random": [line]}).arms["random"]
    assert own.steered == pytest.approx(pool.truth[11:60:2].mean())
    assert own.origins == {"random": 0.5, "prior": 0.5}
    found = own.forecasts
    assert set(found) == {"random", "prior"}
    assert (found["random"].n, found["prior"].n) == (25, 25)
    assert found["random"].tau == pytest.approx(1.0)
    assert found["prior"].tau == pytest.approx(-1.0)
    assert (found["random"].coverage, found["prior"].coverage) == (12 / 25, 1.0)


def test_all_comparisons_of_a_pool_are_corrected_together(pool: Pool):
    rng = np.random.default_rng(0)
    order = np.argsort(-pool.truth)
    lines = {
        "random": [line_of("random", seed, rng.permutation(order[50:])[:60].tolist()) for seed in range(20)],
        "structural": [line_of("structural", seed, rng.permutation(order[:100])[:60].tolist()) for seed in range(20)],
    }
    result = result_of(pool, lines)
    assert len(result.comparisons) == len(COMPARISONS) * len(MEASURES) == 56
    assert {own.p_holm for own in result.comparisons} == set(holm([own.difference.p for own in result.comparisons]))
    by_key = {(own.arm, own.other, own.measure): own for own in result.comparisons}
    first = by_key["structural", "random", "proposals"]
    assert first.difference == paired_difference(
        result.paired("structural", "proposals"), result.paired("random", "proposals")
    )
    assert first.verdict == 1
    # Fewer trainings are better, and equal arms are not told apart.
    trainings = by_key["structural", "random", "trainings"]
    assert trainings.difference.mean < 0
    assert trainings.verdict == 1
    assert by_key["tpe", "random", "proposals"].verdict == 0
    assert by_key["structural-once", "structural", "proposals"].verdict == -1


@pytest.mark.parametrize(
    ("mean", "low", "high", "p", "measure", "verdict"),
    [
        (1.0, 0.5, 1.5, 0.01, "proposals", 1),
        (-1.0, -1.5, -0.5, 0.01, "proposals", -1),
        (-1.0, -1.5, -0.5, 0.01, "trainings", 1),
        (1.0, 0.5, 1.5, 0.05, "proposals", 0),
        (1.0, -0.1, 1.5, 0.01, "proposals", 0),
    ],
)
def test_a_verdict_needs_the_test_and_the_interval(
    mean: float, low: float, high: float, p: float, measure: str, verdict: int
):
    assert Comparison("a", "b", measure, Difference(mean, low, high, p), p).verdict == verdict


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


# Statistics


def test_paired_differences_by_hand_and_by_scipy():
    rng = np.random.default_rng(1)
    own, other = rng.normal(0.3, 1, 40), rng.normal(0, 1, 40)
    found = paired_difference(own, other)
    assert found.mean == pytest.approx(float(np.mean(own - other)))
    assert found.p == stats.wilcoxon(own, other).pvalue
    expected = stats.bootstrap(
        (own - other,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(5)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.02)
    assert found == paired_difference(own, other)
    # Five gains: of the 32 signs that chance may give them, two are as one-sided.
    assert paired_difference([5, 4, 3, 2, 1], [0] * 5).p == pytest.approx(2 / 32)
    assert paired_difference([2.0, 2.0], [2.0, 2.0]) == Difference(0.0, 0.0, 0.0, 1.0)
    with pytest.raises(ValueError, match=r"values \(2,\) and \(3,\): a paired difference needs one pair a seed"):
        paired_difference([1, 2], [1, 2, 3])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
@settings(deadline=None, max_examples=100)
def test_holm_rejects_as_its_steps_do(p: list[float]):
    corrected = holm(p)
    for level in (0.01, 0.05, 0.2):
        rejected = set()
        for step, index in enumerate(sorted(range(len(p)), key=p.__getitem__)):
            if p[index] * (len(p) - step) > level:
                break
            rejected.add(index)
        assert {index for index, value in enumerate(corrected) if value <= level} == rejected


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@pytest.mark.parametrize(("n", "good"), [(2500, 25), (240, 5), (7, 7), (10, 1), (2, 1)])
def test_the_expected_median_is_the_first_to_reach_one_half(n: int, good: int):
    found = expected_median(n, good)
    assert 2 * comb(n - good, found) <= comb(n, found)
    assert found == 1 or 2 * comb(n - good, found - 1) > comb(n, found - 1)


def test_the_expected_median_needs_something_to_find():
    for good in (0, 11):
        with pytest.raises(ValueError, match=f"good={good}: must be between 1 and n=10"):
            expected_median(10, good)


# The command


def test_pools_are_valid_surveys():
    assert set(steering.POOLS) == set(steering.SEEDS)
    assert all(seeds >= 20 for seeds in steering.SEEDS.values())
    for options in steering.POOLS.values():
        assert resolve_survey(options).resolved_space.attachment in (("natural",), ("controlled",))


def test_the_study_writes_its_results(atlas: Path, tmp_path: Path, done: list[Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(steering, "ARMS", ARMS)
    monkeypatch.setattr(steering, "POOLS", {"tiny": TINY})
    monkeypatch.setattr(steering, "SEEDS", {"tiny": 3})
    out = tmp_path / "results"
    code, text, err = wirenas("study", "steering", "--out", out, "--atlas", atlas, "--seeds", 2, "--json")
    assert code == 0, err
    assert err.splitlines() == [f"tiny: {count} of 2 seeds" for count in range(3)]
    found = json.loads(text)
    written = json.loads((out / "steering.json").read_text(encoding="utf-8"))["pools"]["tiny"]
    assert set(found["pools"]["tiny"]["trainings"]) == set(written["arms"]) == set(ARMS)
    assert (written["wirings"], written["replicates"], written["seeds"]) == (70, 2, 2)
    assert len(written["comparisons"]) == len(COMPARISONS) * len(MEASURES)
    assert found["pools"]["tiny"]["proposals"]["size"] == written["arms"]["size"]["proposals"]
    assert (out / "tiny.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    rows = {name: (out / f"{name}.csv").read_text(encoding="utf-8").splitlines() for name in ("arms", "comparisons")}
    assert (len(rows["arms"]), len(rows["comparisons"])) == (10, 57)
    assert rows["arms"][1].startswith("tiny,random,2,")
    text = (out / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# Does steering by structure help?\n")
    assert f"| structural-once | {written['arms']['structural-once']['proposals']:.4f} |" in text
    assert "a trial that shows nothing" in text
    # Another call, with more seeds, does what is missing alone.
    code, text, err = wirenas("study", "steering", "--out", out, "--atlas", atlas, "--pool", "tiny")
    assert (code, text) == (0, f"{out}/README.md\n"), err
    assert [seed for seed, _ in done] == [0, 1, 2]


def test_missing_images_leave_their_pool_out(
    atlas: Path, tmp_path: Path, done: list[Any], monkeypatch: pytest.MonkeyPatch
):
    images = {**TINY, "task": "mnist"}
    monkeypatch.setattr(steering, "POOLS", {"images": images, "tiny": TINY})
    monkeypatch.setattr(steering, "write_report", lambda *_: None)
    monkeypatch.setattr(steering, "summary", len)
    common = ("--out", tmp_path / "out", "--atlas", atlas, "--seeds", 2, "--data", tmp_path)
    code, text, err = wirenas("study", "steering", *common, "--json")
    assert code == 0, err
    assert json.loads(text)["pools"] == 1
    assert err.startswith("images: left out, ")
    assert len(done) <= 2
    code, text, err = wirenas("study", "steering", *common, "--pool", "images")
    assert (code, text) == (2, "")
    assert "images: no pool is left; give --data, or other pools" in err


def test_surveys_of_other_options_and_wrong_options_are_one_line(
    atlas: Path, tmp_path: Path, done: list[Any], monkeypatch: pytest.MonkeyPatch
):
    message = refused("study", "steering", "--pool", "reber-gur", "--out", tmp_path / "out", "--atlas", tmp_path)
    assert "pool 'reber-gur' is not known (nearest: reber-gru)" in message
    other = {**TINY, "recipe": {"learning_rates": (0.01, 0.1), "epochs": 2}}
    monkeypatch.setattr(steering, "POOLS", {"tiny": other})
    message = refused("study", "steering", "--out", tmp_path / "out", "--atlas", atlas)
    assert "recipe.epochs=2: the survey in" in message
    assert "--seeds" in refused("study", "steering", "--seeds", 1)
    assert done == []
    assert not (tmp_path / "out").exists()


def test_help_has_an_example():
    code, text, _ = wirenas("study", "steering", "--help")
    assert code == 0
    assert "Example: wirenas study steering " in " ".join(text.split())
