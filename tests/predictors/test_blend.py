"""The blend: shares, honest predictions out of fold, groups, few rows, and published results."""

import csv

import numpy as np
import pytest

from predictors.members import Constant, Hurdle, Trees
from predictors.regressors import DEFAULT_MEMBERS, Regressor, fit_blend
from predictors.regressors.blend import shares_of
from predictors.validation.folds import repeated_folds
from priors import WattsStrogatz

pytestmark = pytest.mark.usefixtures("small_forests")

NAMES = ("n_neurons", "n_edges", "diameter", "mine")


def problem(n=120, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.random((n, 4)) * [40, 200, 8, 1]
    y = 0.5 + 0.01 * X[:, 0] + 0.05 * X[:, 2] + 0.05 * rng.standard_normal(n)
    return X, y


def r2(y, predicted):
    return 1 - np.square(y - predicted).sum() / np.square(y - y.mean()).sum()


def test_shares_favour_the_better_member():
    rng = np.random.default_rng(0)
    y = rng.standard_normal(5000)
    good, bad = y + 0.1 * rng.standard_normal(5000), y + 2 * rng.standard_normal(5000)
    shares = shares_of(np.stack([good, bad], axis=1), y)
    assert shares.sum() == pytest.approx(1)
    assert shares[0] > 0.97
    # The fewer the rows, the nearer to equal.
    few = shares_of(np.stack([good, bad], axis=1)[:50], y[:50])
    assert few[0] == pytest.approx(0.5 * (1 + 1 / 2), abs=0.02)


def test_shares_are_those_of_least_error():
    rng = np.random.default_rng(1)
    y = rng.standard_normal(100_000)
    a, b = y + rng.standard_normal(100_000), y + 2 * rng.standard_normal(100_000)
    # Independent errors of variance 1 and 4: the shares are inverse to them.
    assert shares_of(np.stack([a, b], axis=1), y) == pytest.approx([0.8, 0.2], abs=0.01)
    weight = np.where(np.arange(100_000) < 50_000, 1.0, 1e-9)
    swapped = np.where(weight[:, None] > 0.5, np.stack([b, a], axis=1), np.stack([a, b], axis=1))
    assert shares_of(swapped, y, weight) == pytest.approx([0.2, 0.8], abs=0.01)


def test_blend_predicts_with_its_members():
    X, y = problem()
    blend = fit_blend(X, y, NAMES)
    assert blend.names == DEFAULT_MEMBERS
    assert blend.weights.min() >= 0
    assert blend.weights.sum() == pytest.approx(1)
    expected = sum(w * member.predict(X) for w, member in zip(blend.weights, blend.members, strict=True))
    np.testing.assert_allclose(blend.predict(X), expected, rtol=1e-12)
    assert r2(y, blend.out_of_fold) > 0.7
    assert blend.out_of_fold_members.shape == (120, len(DEFAULT_MEMBERS))
    assert blend.scores[0] == pytest.approx(r2(y, blend.out_of_fold_members[:, 0]))
    again = fit_blend(X, y, NAMES)
    assert again.out_of_fold.tobytes() == blend.out_of_fold.tobytes()
    assert again.predict(X).tobytes() == blend.predict(X).tobytes()


def test_bounds_hold_far_outside():
    X, y = problem()
    blend = fit_blend(X, y, NAMES)
    for far in (X * 1e9, -X * 1e9, np.full_like(X, np.nan)):
        predicted = blend.predict(far)
        assert predicted.min() >= y.min() - 0.1 * np.ptp(y) - 1e-12
        assert predicted.max() <= y.max() + 0.1 * np.ptp(y) + 1e-12


def test_predictions_out_of_fold_do_not_know_the_label():
    X, y = problem(60)
    members = ("ridge-size", "ridge", "extra-trees")
    blend = fit_blend(X, y, NAMES, members=members)
    changed = y.copy()
    changed[7] += 3.0
    other = fit_blend(X, changed, NAMES, members=members)
    np.testing.assert_array_equal(blend.out_of_fold_members[7], other.out_of_fold_members[7])
    fold = next(fold for fold in repeated_folds(60, 5, 1, None, 0)[0] if 7 in fold)
    outside = np.setdiff1d(np.arange(60), fold)
    assert (blend.out_of_fold_members[outside] != other.out_of_fold_members[outside]).any()
    # The shares of a fold are those of the other folds' rows alone.
    expected = blend.out_of_fold_members[fold] @ shares_of(blend.out_of_fold_members[outside], y[outside])
    np.testing.assert_allclose(blend.out_of_fold[fold], expected, rtol=1e-12)


def test_groups_are_never_split():
    X, y = problem(90)
    groups = [f"lineage {index % 30}" for index in range(90)]
    seen = []

    def remembering(X, y, columns=None, seed=0, weight=None):
        seen.append(set(X[:, 0].tolist()))
        return Constant(float(y.mean()))

    fit_blend(X, y, NAMES, groups=groups, members=[Regressor("mean", "all", remembering)])
    assert sorted(map(len, seen)) == [72] * 5 + [90]
    for training in seen:
        for group in range(30):
            inside = {X[row, 0] in training for row in range(group, 90, 30)}
            assert len(inside) == 1
    with pytest.raises(ValueError, match="1 groups of rows: predictions out of fold need at least 2"):
        fit_blend(X, y, NAMES, groups=["one"] * 90)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_shuffled_labels_are_not_predicted(seed):
    X, y = problem(100, seed)
    shuffled = np.random.default_rng(seed).permutation(y)
    assert r2(shuffled, fit_blend(X, shuffled, NAMES, seed=seed).out_of_fold) <= 0.1


@pytest.mark.parametrize("n", [5, 29])
def test_few_rows_get_a_ridge_on_size_alone(n):
    X, y = problem(n)
    blend = fit_blend(X, y, NAMES)
    assert blend.names == ("ridge-size",)
    changed = X.copy()
    changed[:, 2:] = 77.0
    np.testing.assert_array_equal(blend.predict(X), blend.predict(changed))
    assert np.isfinite(blend.out_of_fold).all()
    np.testing.assert_allclose(blend.spread(X), np.sqrt(np.square(y - blend.out_of_fold).mean()), rtol=1e-12)


def test_spread_has_the_level_of_errors_and_ranks_them():
    rng = np.random.default_rng(0)
    X = rng.random((300, 4))
    y = X[:, 0] + rng.standard_normal(300) * np.where(X[:, 2] > 0.5, 0.5, 0.02)
    blend = fit_blend(X, y, NAMES)
    noisy = X[:, 2] > 0.5
    errors = np.abs(y - blend.out_of_fold)
    spread = blend.spread(X)
    assert spread[noisy].mean() > 1.3 * spread[~noisy].mean()
    assert 0.5 < np.sqrt(np.square(spread).mean() / np.square(errors).mean()) < 2


def test_collapsed_rows_bring_a_hurdle():
    X, y = problem(120)
    y = np.where(X[:, 0] < 12, 0.1, y)
    members = ("ridge", "extra-trees")
    blend = fit_blend(X, y, NAMES, members=members, collapsed_below=0.2)
    assert blend.names == (*members, "hurdle")
    assert isinstance(blend.members[-1], Hurdle)
    assert fit_blend(X, y, NAMES, members=members, collapsed_below=0.05).names == members


def test_weights_reach_the_members():
    X, y = problem(60)
    weight = np.where(np.arange(60) < 30, 1.0, 3.0)
    members = ("ridge", "extra-trees")
    plain, weighted = (fit_blend(X, y, NAMES, members=members, weight=w) for w in (None, weight))
    assert (plain.out_of_fold_members != weighted.out_of_fold_members).any(axis=0).all()
    assert isinstance(weighted.members[1], Trees)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"members": ["oracle"]}, "member 'oracle' is not known; known are ridge-size"),
        ({"members": []}, "there are no members; known are"),
        ({"names": NAMES[:3]}, "3 names: they must be"),
        ({"y": np.full(40, np.nan)}, "y holds a value that is not finite"),
        ({"y": np.zeros(39)}, "they must be"),
        ({"weight": np.zeros(40)}, "there must be a positive one for each of the 40 rows"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes, message):
    X, y = problem(40)
    with pytest.raises(ValueError, match=message):
        fit_blend(**{"X": X, "y": y, "names": NAMES, **changes})


RENAMED = {"nodes": "n_neurons", "edges": "n_edges", "source_nodes": "n_sources"}


@pytest.mark.parametrize(("cell", "bar"), [("gru", 0.65), ("lstm", 0.3), ("rnn_relu", 0.29), ("rnn_tanh", 0.2)])
def test_published_recurrent_networks(shared_data, cell, bar):
    with (shared_data / "stier2021" / f"structure_{cell}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name not in ("mode", "graph", "graph_nr", "test_acc", "test_loss", "time")]
    X = np.array([[float(row[name]) for name in names] for row in rows])
    y = np.array([float(row["test_acc"]) for row in rows])
    blend = fit_blend(X, y, [RENAMED.get(name, name) for name in names])
    assert r2(y, blend.out_of_fold) > bar


def test_equal_fits_are_made_once():
    calls = []

    def fit(X, y, columns=None, seed=0, weight=None):
        calls.append(tuple(columns))
        return Constant(float(y.mean()))

    X, y = problem(60)
    members = [Regressor("a", "size", fit), Regressor("b", "all", fit), Regressor("c", "all", fit)]
    assert fit_blend(X, y, NAMES, members=members).names == ("a", "b", "c")
    assert set(calls) == {(0, 1), (0, 1, 2, 3)}
    assert len(calls) == 6 * 2
    calls.clear()
    fit_blend(X, y, ["mine"] * 4, members=members)
    assert len(calls) == 6


def test_fits_compute_on_one_thread():
    from threadpoolctl import threadpool_info, threadpool_limits

    from predictors import Predictor
    from predictors.fitting import BlendFit, plain_fit
    from predictors.regressors.registry import REGRESSORS

    seen = []

    def fit(X, y, columns=None, seed=0, weight=None):
        seen.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return Constant(float(y.mean()))

    X, y = problem(60)
    groups = np.arange(60)
    with threadpool_limits(2, user_api="blas"), pytest.MonkeyPatch.context() as patch:
        for name in DEFAULT_MEMBERS:
            patch.setitem(REGRESSORS, name, Regressor(name, "all", fit))
        patch.setattr("predictors.fitting.fit_bayesian_ridge", fit)
        BlendFit()(X, y, groups, 0)
        plain_fit(X, y, groups, 0)
        Predictor().fit([WattsStrogatz(12, 4, 0.5).sample(seed) for seed in range(40)], y[:40])
        after = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert seen
    assert set(seen) == {1}
    assert set(after) == {2}
