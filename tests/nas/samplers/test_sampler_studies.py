"""The structural sampler whatever a study holds: trials of any kind, values that teach nothing, thousands of them."""

import math
from collections import Counter

import numpy as np
import optuna
import pytest
from optuna.testing.pytest_samplers import BasicSamplerTestCase, MultiObjectiveSamplerTestCase
from optuna.trial import TrialState
from sampler_cases import SMALL, UNITS, asked, luck, pairs, searched, size_of, sources

from nas.samplers import StructuralSampler
from nas.samplers import candidates as candidates_module
from nas.samplers import rounds as rounds_module
from nas.samplers.candidates import Source
from nas.samplers.history import History
from nas.space.draws import Uniform
from nas.space.space import Space


def test_failed_stopped_running_and_foreign_trials():
    space = Space(**SMALL)
    study = optuna.create_study(direction="maximize")
    rng = np.random.default_rng(1)
    distributions = space.distributions()

    def add(value=None, state=TrialState.COMPLETE, change=(), left_out=()):
        params = {**space.suggest(Uniform(rng)), **space.seeds(rng), "n_moves": 0, "move_seed": 0, **dict(change)}
        params = {name: own for name, own in params.items() if name not in left_out}
        wide = {**distributions, "n": optuna.distributions.IntDistribution(4, 9999)}
        wide["lr"] = optuna.distributions.FloatDistribution(0, 1)
        used = {name: wide[name] for name in params}
        study.add_trial(optuna.create_trial(value=value, state=state, params=params, distributions=used))
        return space.wiring(params, *UNITS).fingerprint if not left_out else None

    taken = set()
    for index in range(8):
        taken |= {add(0.1 * index), add(state=TrialState.FAIL), add(0.3, TrialState.PRUNED)}
        taken.add(add(0.2, change={"lr": 0.5}))
    add(9.0, change={"n": 5000})
    add(math.inf)
    taken.add(add(state=TrialState.RUNNING))
    add(9.0, left_out=("graph_seed",))
    add(9.0, left_out=tuple(distributions))
    study.ask()
    study.add_trial(optuna.create_trial(value=9.0, params={}, distributions={}))
    searched_study, sampler, wirings = searched(space, 40, luck, study=study)
    assert not taken & {wiring.fingerprint for wiring in wirings.values()}
    assert max(trial.params["n"] for trial in searched_study.get_trials()[-40:]) <= 24
    assert {"random"} <= {own.origin for own in sampler.proposals.values()}
    assert sampler.proposals[study.get_trials()[-40].number].origin != "start-up"


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_a_wiring_that_was_trained_several_times_enters_once_with_its_mean(direction):
    space = Space(**SMALL)
    source = Source(space, UNITS, size_of, seed=3)
    rng, distributions = np.random.default_rng(0), space.distributions()
    one, other, third = ({**space.suggest(Uniform(rng)), **space.seeds(rng)} for _ in range(3))

    def trial(number, params, value, state=TrialState.COMPLETE):
        used = {name: distributions[name] for name in params}
        made = optuna.create_trial(value=value, state=state, params=params, distributions=used)
        made.number = number
        return made

    trials = [
        trial(0, other, 0.75),
        trial(1, one, None, TrialState.FAIL),
        trial(2, one, 0.125),
        trial(3, third, math.inf),
        trial(4, one, 0.5),
        trial(5, one, -math.inf),
        trial(6, other, 0.25, TrialState.PRUNED),
        trial(7, one, 0.75, TrialState.RUNNING),
        trial(8, one, 0.0),
    ]
    found = History(source, direction).examples(trials)
    sign = 1 if direction == "maximize" else -1
    assert found.values.tolist() == pytest.approx([sign * 0.75, sign * 0.625 / 3])
    assert found.counts.tolist() == [1, 3]
    assert found.numbers == (0, 2)
    assert [point.fingerprint for point in found.points] == [source.wiring(own).fingerprint for own in (other, one)]
    rows, expected = (
        np.array([point.row for point in points]) for points in (found.points, source.of([other, one], ""))
    )
    np.testing.assert_array_equal(rows, expected)


@pytest.mark.parametrize("values", [[0.5], [math.inf], [-math.inf, math.inf], [0.5, 0.5, 0.5, 0.6]])
def test_values_that_teach_nothing_or_next_to_nothing(values):
    study, sampler, wirings = searched(Space(**SMALL), 25, lambda wiring: values[len(wiring.edges) % len(values)])
    assert max(pairs(study, wirings).values()) == 1
    if len(set(values)) == 1:
        assert {own.origin for own in sampler.proposals.values()} == {"start-up"}
        assert all(own.forecast is None for own in sampler.proposals.values())


def test_one_example_or_none_is_no_reason_to_stop():
    for n_good in (0, 1, 4):
        made = []

        def value(wiring, made=made, n_good=n_good):
            made.append(wiring)
            if len(made) > n_good:
                raise ArithmeticError
            return sources(wiring)

        study, _, wirings = searched(Space(**SMALL), 12, value, startup=2)
        assert len(pairs(study, wirings)) == 12


def test_work_does_not_grow_with_the_study(monkeypatch):
    space = Space(**SMALL)
    study, rng, distributions = (
        optuna.create_study(direction="maximize"),
        np.random.default_rng(0),
        space.distributions(),
    )
    for _ in range(600):
        params = {**space.suggest(Uniform(rng)), **space.seeds(rng), "n_moves": 0, "move_seed": 0}
        used = {name: distributions[name] for name in params}
        value = sources(space.wiring(params, *UNITS))
        study.add_trial(optuna.create_trial(value=value, params=params, distributions=used))
    work = Counter()
    fit, describe = rounds_module.fit_surrogate, candidates_module.describe

    def counting_fit(X, *arguments):
        work["fits"] += 1
        found = fit(X, *arguments)
        work["rows"] = max(work["rows"], len(found.rows))
        return found

    def counting_describe(wirings, tiers):
        work["described"] += len(wirings)
        return describe(wirings, tiers)

    monkeypatch.setattr(rounds_module, "fit_surrogate", counting_fit)
    monkeypatch.setattr(candidates_module, "describe", counting_describe)
    study, _, _ = searched(space, 2, study=study)
    assert work["rows"] == 256
    work.clear()
    study.optimize(lambda trial: sources(asked(space, trial)), n_trials=20)
    # Longer studies have longer rounds, and no wiring of the history is described again.
    assert work["fits"] <= 2
    assert work["described"] <= 32 * work["fits"] + 20 * 4
    assert len(study.get_trials()) == 622


class TestAsOptunaExpects(BasicSamplerTestCase, MultiObjectiveSamplerTestCase):
    @pytest.fixture
    def sampler(self):
        return lambda: StructuralSampler(Space(nodes=8, degree=2.0, edits=2), seed=0, startup=2, pool=8)
