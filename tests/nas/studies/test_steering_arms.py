"""Arms of steering on a pool whose truth is known: what structure is worth, and that no training is repeated."""

import statistics
from itertools import product

import numpy as np
import optuna
import pytest
from steering_cases import REPLICATES, N

from nas.samplers import StructuralSampler
from nas.studies.steering.arms import ARMS, start_up
from nas.studies.steering.replay import START, TRIALS, Choice, Pool, Run, replay


def replays(pool: Pool, *seeds: int) -> dict[tuple[str, int], Run]:
    return {(arm, seed): replay(pool, arm, ARMS[arm], seed, start_up(pool, seed)) for arm, seed in product(ARMS, seeds)}


@pytest.fixture(scope="module")
def runs(pool: Pool) -> dict[tuple[str, int], Run]:
    return replays(pool, 0, 1)


@pytest.mark.slow
def test_structure_beats_random_picks_where_it_decides(pool: Pool):
    runs = replays(pool, 0, 1, 2)

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
    starts = {seed: {tuple(runs[arm, seed].members[:START]) for arm in ARMS} for seed in range(2)}
    assert [len(own) for own in starts.values()] == [1, 1]
    assert len(set.union(*starts.values())) == 2
    for seed in range(2):
        known: dict[tuple[int, int], set[float]] = {}
        for arm in ARMS:
            run = runs[arm, seed]
            for choice, value in zip(run.choices, run.values, strict=True):
                known.setdefault((choice.member, choice.replicate), set()).add(value)
        assert all(len(values) == 1 for values in known.values())


def test_no_wiring_is_trained_twice_while_others_are_untried(runs: dict[tuple[str, int], Run]):
    for run in runs.values():
        assert len(run.choices) == len(run.values) == TRIALS
        assert len(set(run.members)) == TRIALS
        assert {choice.replicate for choice in run.choices} == {0}


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
    again = replay(pool, arm, ARMS[arm], 1, runs[arm, 1].members[:START])
    assert (again.members, again.values) == (runs[arm, 1].members, runs[arm, 1].values)
    assert again.members != runs[arm, 0].members


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
