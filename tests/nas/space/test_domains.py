"""Domains of parameters: numbers on a linear or a logarithmic scale, drawn evenly on it."""

import math

import numpy as np
import optuna
import pytest
from optuna.distributions import FloatDistribution, IntDistribution
from scipy import stats

from nas.space.draws import Uniform
from nas.space.families import Domain


def test_distributions_have_the_scale():
    assert Domain(int, (2, 32), log=True).distribution() == IntDistribution(2, 32, log=True)
    assert Domain(float, (0.1, 9.0), log=True).distribution() == FloatDistribution(0.1, 9.0, log=True)
    assert Domain(int, (2, 32)).distribution() == IntDistribution(2, 32)
    assert Domain(float, (0.0, 9.0)).distribution() == FloatDistribution(0.0, 9.0)


def test_floats_are_drawn_evenly_on_a_logarithmic_scale():
    draw = Uniform(np.random.default_rng(0))
    values = [Domain(float, (0.001, 0.1), log=True).suggest(draw, "x") for _ in range(2000)]
    assert 0.001 <= min(values) < max(values) <= 0.1
    assert stats.kstest(np.log(values), stats.uniform(math.log(0.001), math.log(100)).cdf).pvalue > 0.01


def test_integers_stand_for_what_rounds_to_them_on_a_logarithmic_scale():
    draw, low, high = Uniform(np.random.default_rng(0)), 2, 9
    values = [Domain(int, (low, high), log=True).suggest(draw, "x") for _ in range(8000)]
    width = math.log((high + 0.5) / (low - 0.5))
    expected = [8000 * math.log((n + 0.5) / (n - 0.5)) / width for n in range(low, high + 1)]
    assert stats.chisquare(np.bincount(values, minlength=high + 1)[low:], expected).pvalue > 0.01


def test_linear_draws_are_even():
    draw = Uniform(np.random.default_rng(0))
    values = [Domain(int, (3, 7)).suggest(draw, "x") for _ in range(5000)]
    assert stats.chisquare(np.bincount(values)[3:]).pvalue > 0.01


@pytest.mark.parametrize("log", [False, True])
def test_one_value_is_no_choice(log: bool):
    draw = Uniform(np.random.default_rng(0))
    assert Domain(int, (5, 5), log=log).suggest(draw, "x") == 5
    assert Domain(float, (0.3, 0.3), log=log).suggest(draw, "x") == pytest.approx(0.3, rel=1e-15)


def test_trials_of_optuna_choose_on_the_scale():
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask()
    domains = {"n": Domain(int, (2, 64), log=True), "x": Domain(float, (0.01, 1.0), log=True)}
    for name, domain in domains.items():
        assert domain.values[0] <= domain.suggest(trial, name) <= domain.values[1]
    assert trial.distributions == {name: domain.distribution() for name, domain in domains.items()}
