"""The structural sampler proposes the same again: by seed, resumed, in any order of trials, for the opposite sign."""

import os
import pickle
import subprocess
import sys
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState
from quick import quick
from sampler_cases import SMALL, UNITS, asked, copied, luck, params_of, sampler_of, searched, sources

from nas.space.draws import Uniform
from nas.space.space import Space

ROOT = Path(__file__).resolve().parents[3]


def test_the_same_seed_proposes_the_same_and_another_one_does_not():
    space = Space(**SMALL)
    one, other = (searched(space, 20) for _ in range(2))
    assert params_of(one[0]) == params_of(other[0])
    assert one[1].proposals == other[1].proposals
    different, _, _ = searched(space, 8, seed=4)
    assert all(a != b for a, b in zip(params_of(one[0]), params_of(different), strict=False))


def test_the_same_is_proposed_whatever_the_seed_of_hashes():
    script = """
from sampler_cases import SMALL, params_of, searched
from nas.space.space import Space
study, sampler, _ = searched(Space(**SMALL), 12)
print(params_of(study), list(sampler.proposals.values()))
"""
    found = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        found.add(
            subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True).stdout
        )
    assert len(found) == 1


@pytest.mark.parametrize("refit", [1, 4])
def test_a_resumed_study_goes_on_like_one_that_was_never_stopped(refit):
    space = Space(**SMALL)

    def value(wiring):
        if luck(wiring) > 0.025:
            raise ArithmeticError
        return sources(wiring)

    whole, sampler, _ = searched(space, 30, value, refit=refit, replicates=2)
    for stop, more in ((3, 6), (6, 8), (13, 10), (24, 6)):
        part = copied(whole, stop)
        resumed, again, _ = searched(space, more, value, study=part, refit=refit, replicates=2)
        assert params_of(resumed) == params_of(whole)[: stop + more]
        assert {number: sampler.proposals[number] for number in again.proposals} == again.proposals
    assert TrialState.FAIL in {trial.state for trial in whole.get_trials()}


@pytest.mark.parametrize(("refit", "noisy"), quick(product([1, 3], [False, True]), (1, False), (3, True)))
def test_a_proposal_follows_from_the_trials_alone_in_whatever_order_they_end(refit, noisy):
    """Parallel trials end out of order; a new object that is given the same trials proposes the same."""
    space, rng = Space(**SMALL), np.random.default_rng(5)
    options = {"refit": refit, "startup": 4, "pool": 16}
    study = optuna.create_study(direction="maximize", sampler=sampler_of(space, **options))
    running, origins = [], Counter()
    for number in range(48 if noisy else 24):
        if number % 4 == 3 or number > 36:
            copy = copied(study)
            copy.sampler = sampler_of(space, **options)
            expected = copy.ask()
            asked(space, expected)
        else:
            expected = None
        trial = study.ask()
        wiring = asked(space, trial)
        assert expected is None or trial.params == expected.params
        origins[study.sampler.proposals[number].origin] += 1
        running.append((trial, luck(wiring) if noisy else sources(wiring)))
        while len(running) > 4:
            ended, value = running.pop(int(rng.random() * len(running)))
            if number % 7 == 0:
                study.tell(ended, state=TrialState.FAIL)
            else:
                study.tell(ended, value)
    assert origins["neighbour"] + origins["prior"] >= 5


def test_what_is_no_part_of_a_wiring_goes_on_too():
    space = Space(**SMALL)

    def run(study, n_trials):
        def objective(trial):
            return sources(asked(space, trial)) + trial.suggest_float("rate", 0, 1) * trial.suggest_int("depth", 1, 9)

        study.sampler = sampler_of(space)
        study.optimize(objective, n_trials=n_trials)
        return study

    whole = run(optuna.create_study(direction="maximize"), 16)
    assert params_of(run(copied(whole, 9), 7)) == params_of(whole)
    assert len({trial.params["rate"] for trial in whole.get_trials()}) > 5


def test_parameters_that_were_fixed_beforehand_are_those_that_count():
    space = Space(**SMALL)
    best = {**space.suggest(Uniform(np.random.default_rng(0))), **space.seeds(np.random.default_rng(0))}
    study = optuna.create_study(direction="maximize")
    study.enqueue_trial({**best, "n_moves": 0, "move_seed": 0})
    study.enqueue_trial({"n": 11, "n_moves": 2})
    whole, sampler, wirings = searched(space, 24, study=study)
    assert wirings[0] == space.wiring(best, *UNITS)
    assert whole.get_trials()[1].params["n"] == 11
    resumed, again, _ = searched(space, 12, study=copied(whole, 12))
    assert params_of(resumed) == params_of(whole)
    assert again.proposals.items() <= sampler.proposals.items()


def test_a_sampler_serves_several_studies_and_can_be_pickled():
    space = Space(**SMALL)
    study, sampler, _ = searched(space, 14)
    other = optuna.create_study(direction="minimize", sampler=sampler)
    other.optimize(lambda trial: sources(asked(space, trial)), n_trials=14)
    assert params_of(other) == params_of(searched(space, 14, directions=("minimize",))[0])
    study.sampler = pickle.loads(pickle.dumps(sampler))
    twin = copied(study)
    twin.sampler = sampler_of(space)
    for each in (study, twin):
        each.optimize(lambda trial: sources(asked(space, trial)), n_trials=3)
    assert params_of(study) == params_of(twin)


def test_less_of_the_opposite_is_more():
    space = Space(**SMALL)
    most, up, _ = searched(space, 16)
    least, down, _ = searched(space, 16, lambda wiring: -sources(wiring), directions=("minimize",))
    assert params_of(most) == params_of(least)
    for number, proposal in up.proposals.items():
        other = down.proposals[number]
        assert (proposal.origin, proposal.tau) == (other.origin, other.tau)
        if proposal.forecast is not None:
            ahead = (proposal.forecast.value, proposal.forecast.low, proposal.forecast.high)
            assert ahead == (-other.forecast.value, -other.forecast.high, -other.forecast.low)
