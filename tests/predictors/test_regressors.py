"""Regressors: flat members against the estimators of scikit-learn and xgboost that they come from."""

import subprocess
import sys

import numpy as np
import pytest
import xgboost
from sklearn.ensemble import AdaBoostRegressor, ExtraTreesRegressor, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from sklearn.linear_model import BayesianRidge, RidgeCV

from predictors.members import Columns, Constant, GaussianProcess, Hurdle, Scaling, Trees
from predictors.regressors import (
    REGRESSORS,
    columns_of,
    fit_classifier,
    fit_gaussian_process,
    fit_hurdle,
    fit_scale,
)
from predictors.regressors.boosting import _trees_of
from predictors.regressors.flatten import flat_trees
from predictors.regressors.gaussian_process import best_parameters


def problem(n=120, n_columns=12, seed=0, noise=0.5):
    rng = np.random.default_rng(seed)
    X = np.exp(rng.standard_normal((n, n_columns)))
    y = np.log(X[:, 0]) + np.sin(2 * X[:, 1]) + noise * rng.standard_normal(n)
    return X, y, np.exp(np.random.default_rng(seed + 1).standard_normal((500, n_columns)))


def r2(y, predicted):
    return 1 - np.square(y - predicted).sum() / np.square(y - y.mean()).sum()


@pytest.mark.parametrize(
    ("name", "estimator"),
    [
        ("extra-trees", ExtraTreesRegressor(150, min_samples_leaf=3, max_features=0.5, random_state=5)),
        ("random-forest", RandomForestRegressor(150, min_samples_leaf=3, max_features=0.5, random_state=5)),
        ("adaboost", AdaBoostRegressor(random_state=5)),
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_forests_equal_scikit_learn(name, estimator, weighted):
    X, y, others = problem()
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y)) if weighted else None
    member = REGRESSORS[name].fit(X, y, seed=5, weight=weight)
    expected = estimator.fit(X, y, sample_weight=weight).predict(others)
    np.testing.assert_array_equal(member.predict(others), expected)


def test_spread_equals_that_of_the_trees():
    X, y, others = problem()
    estimator = ExtraTreesRegressor(150, min_samples_leaf=3, max_features=0.5, random_state=5).fit(X, y)
    expected = np.std([tree.predict(others) for tree in estimator.estimators_], axis=0)
    np.testing.assert_allclose(REGRESSORS["extra-trees"].fit(X, y, seed=5).spread(others), expected, rtol=1e-12)


@pytest.mark.parametrize("depth", [1, 3, 6])
def test_flat_trees_equal_xgboost(depth):
    X, y, others = problem(400)
    # Rows on the thresholds themselves tell < from <=.
    others = np.concatenate([others, np.round(X, 1)])
    X = np.round(X, 1)
    options = {"max_depth": depth, "base_score": 0.0, "nthread": 1, "seed": 0}
    booster = xgboost.train(options, xgboost.DMatrix(X, y, nthread=1), num_boost_round=30)
    columns = Columns(np.arange(X.shape[1]), np.zeros(X.shape[1]))
    member = Trees(columns, *flat_trees(_trees_of(booster)), np.zeros(0), "sum", 0.0, -100.0, 100.0)
    expected = booster.predict(xgboost.DMatrix(others, nthread=1))
    np.testing.assert_allclose(member.predict(others), expected, rtol=0, atol=2e-6)


def test_boosting_is_in_the_units_of_the_values():
    X, y, others = problem(200)
    fit = REGRESSORS["xgboost"].fit
    plain = fit(X, y, seed=1).predict(others)
    np.testing.assert_allclose(fit(X, 1000 * y + 5, seed=1).predict(others), 1000 * plain + 5, rtol=0, atol=2e-2)
    assert r2(y, fit(X, y, seed=1).predict(X)) > 0.5


@pytest.mark.parametrize(
    ("name", "estimator"), [("ridge", RidgeCV(np.logspace(-2, 4, 25))), ("bayesian-ridge", BayesianRidge())]
)
@pytest.mark.parametrize("weighted", [False, True])
def test_linear_members_equal_scikit_learn(name, estimator, weighted):
    X, y, others = problem()
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y)) if weighted else None
    scaling = Scaling.fit(X)
    expected = estimator.fit(scaling.apply(X), y, sample_weight=weight).predict(scaling.apply(others))
    member = REGRESSORS[name].fit(X, y, weight=weight)
    np.testing.assert_allclose(member.predict(others), np.clip(expected, member.low, member.high), rtol=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_process_equals_scikit_learn(weighted):
    X, y, others = problem(90, 5)
    weight = np.random.default_rng(1).uniform(0.5, 2, 90) if weighted else np.ones(90)
    member = fit_gaussian_process(X, y, weight=weight if weighted else None)
    assert isinstance(member, GaussianProcess)
    scaling, mean = Scaling.fit(X), np.average(y, weights=weight)
    order = np.random.default_rng(0).permutation(90)
    length, noise = best_parameters(scaling.apply(X)[order], ((y - mean) / y.std())[order])
    kernel, alpha = Matern(length, nu=2.5), noise * weight.mean() / weight
    reference = GaussianProcessRegressor(kernel, optimizer=None, alpha=alpha).fit(scaling.apply(X), y - mean)
    expected = np.clip(reference.predict(scaling.apply(others)) + mean, member.low, member.high)
    np.testing.assert_allclose(member.predict(others), expected, rtol=0, atol=1e-9)


def test_parameters_are_as_likely_as_the_best_of_many_ascents():
    X, y, _ = problem(90, 5)
    inputs, values = Scaling.fit(X).apply(X), (y - y.mean()) / y.std()
    length, noise = best_parameters(inputs, values)
    bounds = (1e-4, 1e4)
    kernel = ConstantKernel(1.0, bounds) * Matern(length, bounds, nu=2.5) + WhiteKernel(noise, bounds)
    free = GaussianProcessRegressor(kernel, n_restarts_optimizer=3, random_state=0).fit(inputs, values)
    K = Matern(length, nu=2.5)(inputs) + noise * np.eye(90)
    variance = values @ np.linalg.solve(K, values) / 90
    own = -0.5 * (90 * np.log(variance) + np.linalg.slogdet(K)[1] + 90 + 90 * np.log(2 * np.pi))
    assert own > free.log_marginal_likelihood_value_ - 0.5


def test_a_process_of_many_rows_keeps_a_part_of_them():
    X, y, others = problem(1000, 4)
    member = fit_gaussian_process(X, y, seed=3)
    assert len(member.inputs) == 800
    assert member.dual.tobytes() == fit_gaussian_process(X, y, seed=3).dual.tobytes()
    assert member.dual.tobytes() != fit_gaussian_process(X, y, seed=4).dual.tobytes()
    truth = np.log(others[:, 0]) + np.sin(2 * others[:, 1])
    assert r2(truth, member.predict(others)) > 0.6


@pytest.mark.parametrize("name", REGRESSORS)
def test_every_regressor(name):
    X, y, others = problem(80)
    X[::9, 3], X[:, 4], X[:, 5] = np.nan, 2.0, np.nan
    fit = REGRESSORS[name].fit
    first, second = fit(X, y, seed=2), fit(X, y, seed=2)
    assert first.predict(others).tobytes() == second.predict(others).tobytes()
    assert r2(y, first.predict(X)) > 0.3
    # Far outside predictions stay near the values of training.
    margin = 0.1 * np.ptp(y) + 1e-12
    for extreme in (others * 1e12, -others * 1e12, np.full_like(others, np.inf), np.full_like(others, np.nan)):
        predicted = first.predict(extreme)
        assert np.isfinite(predicted).all()
        assert predicted.min() >= y.min() - margin
        assert predicted.max() <= y.max() + margin


@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors_read_their_columns_alone(name):
    X, y, others = problem(60, 6)
    member = REGRESSORS[name].fit(X, y, columns=np.array([1, 4]))
    changed = others.copy()
    changed[:, [0, 2, 3, 5]] = 1e6
    np.testing.assert_array_equal(member.predict(others), member.predict(changed))


@pytest.mark.parametrize("name", REGRESSORS)
def test_nothing_to_learn_gives_the_mean(name):
    X, y, _ = problem(40)
    for member in (REGRESSORS[name].fit(np.ones((40, 3)), y), REGRESSORS[name].fit(X, np.full(40, y.mean()))):
        assert isinstance(member, Constant)
        assert member.value == pytest.approx(y.mean())


def test_columns_of_size():
    names = ("mine", "n_neurons", "diameter", "n_edges")
    assert columns_of(names, "size").tolist() == [1, 3]
    assert columns_of(names, "all").tolist() == [0, 1, 2, 3]
    assert columns_of(("mine", "diameter"), "size").tolist() == [0, 1]
    with pytest.raises(ValueError, match="kind='some'"):
        columns_of(names, "some")


def test_scale_follows_the_size_of_errors():
    rng = np.random.default_rng(0)
    X = rng.random((400, 3))
    size = np.abs(rng.standard_normal(400)) * (0.1 + X[:, 0])
    found = fit_scale(X, size, 0).predict(X)
    assert (found > 0).all()
    assert np.corrcoef(found, 0.1 + X[:, 0])[0, 1] > 0.8


def test_classifier_gives_probabilities():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((600, 4))
    chance = 1 / (1 + np.exp(-3 * X[:, 0]))
    labels = rng.random(600) < chance
    found = fit_classifier(X, labels, 0).predict(X)
    assert found.min() >= 0.01
    assert found.max() <= 0.99
    assert np.abs(found - chance).mean() < 0.1
    assert found.tobytes() == fit_classifier(X, labels, 0).predict(X).tobytes()


def test_few_of_a_class_give_shares():
    X = np.random.default_rng(0).standard_normal((40, 3))
    member = fit_classifier(X, np.arange(40) < 4)
    assert member.predict(X[:2]).tolist() == pytest.approx([4.5 / 41, 4.5 / 41])
    assert fit_classifier(X, np.ones(40)).predict(X[:1])[0] == pytest.approx(0.99, abs=0.01)


def test_hurdle_is_better_where_networks_collapse():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 3))
    trains = X[:, 0] > 0
    y = np.where(trains, 0.8 + 0.05 * X[:, 1], 0.5) + 0.01 * rng.standard_normal(400)
    member = fit_hurdle(X[:200], y[:200], collapsed_below=0.6)
    assert isinstance(member, Hurdle)
    assert member.collapsed == pytest.approx(0.5, abs=0.01)
    assert r2(y[200:], member.predict(X[200:])) > r2(
        y[200:], REGRESSORS["ridge"].fit(X[:200], y[:200]).predict(X[200:])
    )
    assert not isinstance(fit_hurdle(X[:200], y[:200], collapsed_below=0.1), Hurdle)


def test_asking_needs_no_fitting_library():
    code = "import sys, predictors.members, predictors.regressors; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"sklearn", "xgboost", "scipy.stats", "pandas", "torch"} & set(loaded)
