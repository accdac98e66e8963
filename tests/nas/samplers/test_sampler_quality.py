"""What the structural sampler is for: proposals better than draws, forecasts that hold, larger fronts."""

import math
from collections import Counter

import numpy as np
import optuna
import pytest
from sampler_cases import SMALL, UNITS, asked, copied, drawn, pairs, params_of, sampler_of, searched, size_of, sources

from nas.samplers.acquisition import hypervolume
from nas.samplers.candidates import Source
from nas.samplers.rounds import Round
from nas.space.space import Space

pytestmark = pytest.mark.usefixtures("all_candidates")


def test_proposals_become_better_than_draws():
    gained, found = [], Counter()
    for seed in range(2):
        _, sampler, wirings = searched(Space(**SMALL), 40, seed=seed)
        chosen = [n for n, own in sampler.proposals.items() if own.origin in ("prior", "neighbour")]
        population = drawn(Source(Space(**SMALL), UNITS, size_of, seed + 100))
        others = np.array([sources(wiring) for wiring in population])
        gained.append(np.mean([sources(wirings[number]) for number in chosen[10:]]) - np.quantile(others, 0.9))
        found["better"] += max(map(sources, wirings.values())) > others.max()
    assert min(gained) > 0
    assert found["better"] >= 1


def test_forecasts_are_made_before_and_hold_what_comes_out():
    inside, errors, spread = [], [], []
    for seed in range(2):
        study, sampler, _ = searched(Space(**SMALL), 90, epsilon=0.6, seed=seed, refit=4, pool=16)
        for trial in study.get_trials():
            proposal = sampler.proposals[trial.number]
            forecast = proposal.forecast
            if trial.number < 8:
                assert forecast is None
                assert proposal.tau is None
                continue
            assert forecast.low <= forecast.value <= forecast.high
            assert forecast.std == pytest.approx((forecast.high - forecast.low) / (2 * 1.6449))
            assert -1 <= proposal.tau <= 1
            if proposal.origin == "random":
                inside.append(forecast.low <= trial.value <= forecast.high)
                errors.append(trial.value - forecast.value)
                spread.append(trial.value)
    assert len(inside) > 70
    assert 0.8 <= np.mean(inside) <= 1.0
    assert np.mean(np.square(errors)) < 0.6 * np.var(spread)


@pytest.fixture
def looks(monkeypatch):
    """The optimism by which candidates are looked at, once a proposal."""
    promises, found = Round.promises, []

    def noted(self, unknown, optimism, **options):
        found.append(optimism)
        return promises(self, unknown, optimism, **options)

    monkeypatch.setattr(Round, "promises", noted)
    return found


@pytest.mark.parametrize("epsilon", [0, 1])
def test_such_a_share_of_trials_is_drawn_without_looking(looks, epsilon):
    _, sampler, _ = searched(Space(**SMALL), 12, epsilon=float(epsilon), pool=16)
    origins = [sampler.proposals[number].origin for number in range(6, 12)]
    assert (origins.count("random"), len(looks)) == (6 * epsilon, 6 * (1 - epsilon))


def test_candidates_are_looked_at_with_the_optimism_that_is_asked_for(looks):
    searched(Space(**SMALL), 8, epsilon=0.0, pool=16, optimism=2.5)
    assert looks == [2.5, 2.5]


def trade_off(wiring):
    """More edges are better, ever more slowly, and so are sources."""
    return 1 - math.exp(-size_of(wiring) / 80) + sources(wiring)


def test_fronts_are_larger_than_those_of_draws():
    space, areas = Space(**SMALL), []
    for seed in range(2):
        found = {}
        for name in ("structural", "random"):
            study = optuna.create_study(directions=("maximize", "minimize"))
            study.sampler = (
                sampler_of(space, seed=seed) if name == "structural" else optuna.samplers.RandomSampler(seed=seed)
            )

            def objective(trial):
                wiring = asked(space, trial)
                return trade_off(wiring), size_of(wiring)

            study.optimize(objective, n_trials=40)
            values, sizes = np.array([trial.values for trial in study.get_trials()]).T
            found[name] = hypervolume(values, sizes, (0.3, 200.0))
        areas.append(found["structural"] / found["random"])
    assert min(areas) > 1.1


def test_pareto_studies_resume_and_never_repeat():
    space = Space(**SMALL)

    def both(wiring):
        return trade_off(wiring), float(size_of(wiring))

    whole, _, wirings = searched(space, 20, both, directions=("maximize", "minimize"))
    resumed, _, _ = searched(space, 6, both, study=copied(whole, 14))
    assert params_of(resumed) == params_of(whole)
    assert max(pairs(whole, wirings).values()) == 1
    down, _, _ = searched(space, 12, lambda w: (-both(w)[0], both(w)[1]), directions=("minimize", "minimize"))
    assert params_of(down) == params_of(whole)[:12]
