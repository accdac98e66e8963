"""The structural sampler proposes no training twice, neither later nor in parallel."""

from collections import Counter

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState
from sampler_cases import SMALL, UNITS, asked, copied, luck, pairs, sampler_of, searched, size_of, sources

from nas.samplers import rounds as rounds_module
from nas.samplers.candidates import Source
from nas.samplers.rounds import Learner
from nas.space.space import Space


@pytest.mark.parametrize("replicates", [1, 3])
def test_no_training_is_proposed_twice(replicates):
    study, sampler, wirings = searched(Space(**SMALL), 120, refit=4, pool=16, replicates=replicates)
    assert max(pairs(study, wirings).values()) == 1
    times = Counter(wiring.fingerprint for wiring in wirings.values())
    assert max(times.values()) == replicates
    origins = Counter(proposal.origin for proposal in sampler.proposals.values())
    assert origins["replicate"] == (0 if replicates == 1 else sum(count - 1 for count in times.values()))
    assert {number % 10 for number, own in sampler.proposals.items() if own.origin == "replicate"} <= {9}
    assert 4 <= origins["random"] <= 22
    # Until there are 5 examples nothing is expected, and here they are counted by fours.
    assert origins["start-up"] == 8
    assert {"prior", "neighbour"} <= set(origins)


def test_replicates_that_nobody_asks_for_end_all_the_same():
    space = Space(**SMALL)
    study = optuna.create_study(direction="maximize", sampler=sampler_of(space, replicates=2))
    wirings = []

    def objective(trial):
        wirings.append(asked(space, trial).fingerprint)
        return 1.0 if len(wirings) == 3 else luck(asked(space, trial))

    study.optimize(objective, n_trials=30)
    assert max(Counter(wirings).values()) <= 2


def test_parallel_proposals_differ(monkeypatch):
    space = Space(**SMALL)
    study, sampler, wirings = searched(space, 14)
    promises, pinned = rounds_module.Round.promises, []

    def noting(self, unknown, *arguments, **options):
        pinned.append([own.fingerprint for own in unknown])
        found = promises(self, unknown, *arguments, **options)
        # What is kept from one proposal to the next is what would be found anew.
        anew = self.gains(self.candidates, unknown, *arguments, **options)
        np.testing.assert_allclose(found, anew, rtol=1e-9)
        return found

    monkeypatch.setattr(rounds_module.Round, "promises", noting)
    trials = [study.ask() for _ in range(8)]
    together = [asked(space, trial).fingerprint for trial in trials]
    assert len({*together, *(wiring.fingerprint for wiring in wirings.values())}) == 22
    # Every proposal takes those before it to become what is expected; not all need expectations.
    assert len(pinned) >= 4
    assert all(unknown == together[: len(unknown)] for unknown in pinned)
    assert max(map(len, pinned)) >= 5
    for trial in trials:
        study.tell(trial, 0.1)
    assert all(number in sampler.proposals for number in range(22))


def test_two_processes_that_choose_at_once_choose_different_wirings():
    space = Space(**SMALL)
    study, _, _ = searched(space, 24)
    study.add_trials([optuna.create_trial(state=TrialState.RUNNING)] * 2)
    chosen, origins = set(), Counter()
    for frozen in study.get_trials()[-2:]:
        # Each sees that the other one's trial runs, and not yet of which wiring.
        copy = copied(study)
        copy.sampler = sampler_of(space, epsilon=0.0)
        trial = optuna.Trial(copy, copy.get_trials(deepcopy=False)[frozen.number]._trial_id)
        chosen.add(asked(space, trial).fingerprint)
        origins[copy.sampler.proposals[frozen.number].origin] += 1
    assert len(chosen) == 2
    assert set(origins) <= {"prior", "neighbour"}


def test_two_threads_share_a_sampler():
    space = Space(**SMALL)
    study = optuna.create_study(direction="maximize", sampler=sampler_of(space, replicates=2))
    study.optimize(lambda trial: sources(asked(space, trial, 2)), n_trials=40, n_jobs=2)
    trials = study.get_trials()
    assert all(trial.state == TrialState.COMPLETE for trial in trials)
    wirings = {trial.number: space.wiring(trial.params, *UNITS) for trial in trials}
    assert max(pairs(study, wirings).values()) == 1


def test_what_runs_is_taken_to_become_what_is_expected():
    space = Space(**SMALL)
    source = Source(space, UNITS, size_of, seed=3)
    trials = searched(space, 12)[0].get_trials()
    learner = Learner(source, ["maximize"], 3)
    learner.history.look(trials)
    now = learner.round(trials, len(trials), 32)
    alone = now.gains(now.candidates, [], 1.0, by_size=False)
    first = int(alone.argmax())
    beside = now.gains(now.candidates, [now.candidates[first]], 1.0, by_size=False)
    assert (beside <= alone + 1e-9).all()
    assert beside[first] < alone[first]
    np.testing.assert_array_equal(now.gains(now.candidates[3:7], [], 1.0, by_size=False), alone[3:7])
