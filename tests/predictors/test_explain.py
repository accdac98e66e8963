"""Contributions are Shapley values of families; association is what shuffling a family costs."""

from itertools import permutations

import numpy as np
import pytest

from predictors.explain import association, contributions, families_of

FAMILIES = ("size", "degree", "degree", "paths")


def curved(X: np.ndarray) -> np.ndarray:
    return X[:, 0] * X[:, 1] + np.sin(X[:, 2]) + 2 * X[:, 3]


def exact(predict, x: np.ndarray, background: np.ndarray) -> dict[str, float]:
    """Shapley values over all orders, by their definition."""
    names = tuple(dict.fromkeys(FAMILIES))
    found = dict.fromkeys(names, 0.0)
    orders = list(permutations(names))
    for order in orders:
        rows = background.copy()
        before = predict(rows).mean()
        for name in order:
            for column, family in enumerate(FAMILIES):
                if family == name:
                    rows[:, column] = x[column]
            after = predict(rows).mean()
            found[name] += (after - before) / len(orders)
            before = after
    return found


@pytest.fixture
def tables() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(5, 4)), rng.normal(size=(7, 4))


def test_contributions_sum_to_the_difference_from_the_background(tables):
    X, background = tables
    found = contributions(curved, X, FAMILIES, background)
    assert sum(found.values()) == pytest.approx(curved(X) - curved(background).mean(), abs=1e-12)


def test_contributions_are_shapley_values(tables):
    X, background = tables
    found = contributions(curved, X, FAMILIES, background, permutations=400)
    for row, x in enumerate(X):
        for name, value in exact(curved, x, background).items():
            assert found[name][row] == pytest.approx(value, abs=0.08)


def test_additive_predictions_have_exact_contributions(tables):
    X, background = tables
    found = contributions(lambda rows: rows @ [1.0, 2.0, 3.0, 4.0], X, FAMILIES, background, permutations=1)
    assert found["paths"] == pytest.approx(4 * (X[:, 3] - background[:, 3].mean()))
    assert found["degree"] == pytest.approx((X - background.mean(axis=0))[:, 1:3] @ [2.0, 3.0])


def test_only_what_is_used_is_associated():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(500, 4))
    y = 3 * X[:, 0] + X[:, 1] + X[:, 2]
    lost = association(lambda rows: 3 * rows[:, 0] + rows[:, 1] + rows[:, 2], X, y, FAMILIES, rng, repeats=20)
    # Shuffling independent columns of variance v costs 2 v / var(y) of R2.
    assert lost["size"] == pytest.approx(2 * 9 / 11, rel=0.1)
    assert lost["degree"] == pytest.approx(2 * 2 / 11, rel=0.15)
    assert lost["paths"] == pytest.approx(0.0, abs=1e-12)


def test_columns_of_a_family_are_shuffled_together():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(300, 4))
    X[:, 2] = X[:, 1]
    # The difference of two equal columns stays 0 when both move together.
    lost = association(lambda rows: rows[:, 0] + 5 * (rows[:, 1] - rows[:, 2]), X, X[:, 0], FAMILIES, rng)
    assert lost["degree"] == pytest.approx(0.0, abs=1e-12)


def test_constant_values_have_no_association():
    rng = np.random.default_rng(0)
    assert set(association(curved, rng.normal(size=(9, 4)), np.ones(9), FAMILIES, rng).values()) == {0.0}


def test_families_come_from_the_table_of_features():
    assert families_of(("n_neurons", "degree_mean", "mine")) == ("size", "degree", "own")
