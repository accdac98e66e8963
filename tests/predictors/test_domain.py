"""What is unlike the training wirings is told apart from what is like them."""

import numpy as np
import pytest

from predictors.domain import fit_domain

NAMES = ("n_neurons", "density", "noise")


def cloud(n: int = 400, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    n_neurons = rng.integers(20, 101, n).astype(float)
    return np.stack([n_neurons, 10 / n_neurons + rng.normal(0, 0.01, n), rng.normal(size=n)], axis=1)


BOUNDED = np.array([True, False, False])


def test_training_and_fresh_rows_are_inside():
    domain = fit_domain(cloud(), BOUNDED, 0)
    assert (domain.remoteness(cloud()) <= 1).mean() > 0.99
    assert (domain.remoteness(cloud(seed=1)) <= 1).mean() > 0.98


def test_a_column_out_of_its_range_is_outside_and_named():
    domain = fit_domain(cloud(), BOUNDED, 0)
    row = np.array([[1000.0, 0.01, 0.0]])
    assert domain.remoteness(row)[0] > 10
    assert domain.reasons(row[0], NAMES) == "n_neurons 1000 is outside 20 to 100"


def test_a_tenth_beyond_the_range_is_still_inside():
    domain = fit_domain(cloud(), BOUNDED, 0)
    rows = np.array([[107.0, 0.1, 0.0], [109.0, 0.1, 0.0]])
    assert (domain.remoteness(rows) <= 1).tolist() == [True, False]


def test_an_unusual_combination_is_outside_though_every_range_is_kept():
    domain = fit_domain(cloud(), BOUNDED, 0)
    row = np.array([[95.0, 0.5, 0.0]])
    assert domain.remoteness(row)[0] > 1
    assert domain.reasons(row[0], NAMES).startswith("far from every training wiring, most in n_neurons 95")


def test_a_column_that_never_varied_may_not_vary_much():
    X = cloud()
    X[:, 2] = 64.0
    domain = fit_domain(X, np.array([False, False, True]), 0)
    rows = np.array([[50.0, 0.2, 64.0], [50.0, 0.2, 90.0]])
    assert (domain.remoteness(rows) <= 1).tolist() == [True, False]


def test_undefined_values_take_the_middle():
    X = cloud()
    X[::3, 1] = np.nan
    domain = fit_domain(X, BOUNDED, 0)
    found = domain.remoteness(np.array([[60.0, np.nan, 0.0]]))
    assert np.isfinite(found).all()
    assert found[0] <= 1


def test_distances_are_to_the_fifth_nearest_other_row():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 2))
    domain = fit_domain(X, np.zeros(2, bool), 0)
    z = (X - np.median(X, axis=0)) / X.std(axis=0)
    gaps = np.sort(np.sqrt(np.square(z[:, None] - z[None]).mean(axis=2)), axis=1)[:, 5]
    assert domain.radius == pytest.approx(1.5 * np.quantile(gaps, 0.99))


def test_few_rows_have_ranges_alone():
    domain = fit_domain(cloud(5), BOUNDED, 0)
    assert domain.radius == np.inf
    assert domain.remoteness(np.array([[500.0, 0.1, 0.0]]))[0] > 1


def test_no_rows_give_no_answers():
    assert fit_domain(cloud(), BOUNDED, 0).remoteness(np.zeros((0, 3))).shape == (0,)
