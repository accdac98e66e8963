"""Regressors on distances: equal to scikit-learn and to plain loops, blind to what they predict, and able to learn."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from predictors.members.gaussian_process import matern, matern_of_distances
from predictors.regressors.gaussian_process import likeliest
from predictors.regressors.on_distance import NearestFit, ProcessFit, numbers_of
from predictors.validation import out_of_fold, r2, repeated_folds

FITS = (NearestFit, ProcessFit)


def problem(n: int = 80, noise: float = 0.1, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points, the matrix of their distances, and values that follow from where they are."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, 2))
    return points, squareform(pdist(points)), np.sin(2 * points[:, 0]) + points[:, 1] + noise * rng.normal(size=n)


def no_space(n: int = 60, seed: int = 1) -> np.ndarray:
    """Return distances that no points have."""
    rng = np.random.default_rng(seed)
    return squareform(rng.uniform(0.1, 1.0, n * (n - 1) // 2))


def fitted(fit: type, matrix: np.ndarray, y: np.ndarray, known: np.ndarray, asked: np.ndarray) -> np.ndarray:
    groups = np.arange(len(known))
    return fit(matrix)(numbers_of(len(matrix))[known], y[known], groups, 0)(numbers_of(len(matrix))[asked])


def test_process_equals_scikit_learn():
    points, matrix, y = problem()
    known, asked = np.arange(60), np.arange(60, 80)
    mean, unit = y[known].mean(), y[known].std()
    between = matrix[np.ix_(known, known)]
    typical = float(np.median(pdist(points[known])))
    length, noise = likeliest(lambda own: matern_of_distances(between, own), (y[known] - mean) / unit, typical)
    reference = GaussianProcessRegressor(Matern(length, nu=2.5), optimizer=None, alpha=noise)
    expected = mean + unit * reference.fit(points[known], (y[known] - mean) / unit).predict(points[asked])
    margin = 0.1 * np.ptp(y[known])
    expected = np.clip(expected, y[known].min() - margin, y[known].max() + margin)
    np.testing.assert_allclose(fitted(ProcessFit, matrix, y, known, asked), expected, rtol=0, atol=1e-8)


def test_the_kernel_is_that_of_rows():
    points, matrix, _ = problem()
    np.testing.assert_allclose(matern_of_distances(matrix, 0.7), matern(points, points, 0.7), rtol=0, atol=1e-6)


def test_a_kernel_of_no_space_is_clipped():
    """With negative eigenvalues at 0, and both sides projected, as in a plain loop over matrices."""
    matrix, y = no_space(), np.random.default_rng(2).normal(size=60)
    # Of these values some part follows from the distances, so that not all is noise.
    y[1:] += 3 * np.exp(-5 * matrix[0, 1:])
    known, asked = np.arange(45), np.arange(45, 60)
    mean, unit = y[known].mean(), y[known].std()
    between = matrix[np.ix_(known, known)]
    typical = float(np.median(squareform(between)))
    length, noise = likeliest(lambda own: matern_of_distances(between, own), (y[known] - mean) / unit, typical)
    # Flat kernels of any distances are those of points: one that is none is asked for.
    values, vectors = np.linalg.eigh(matern_of_distances(between, length))
    assert values.min() < -1e-3
    kernel = vectors @ np.diag(np.maximum(values, 0)) @ vectors.T
    projection = vectors[:, values > 0] @ vectors[:, values > 0].T
    dual = np.linalg.solve(kernel + noise * np.eye(45), y[known] - mean)
    others = matern_of_distances(matrix[np.ix_(asked, known)], length) @ projection
    np.testing.assert_allclose(fitted(ProcessFit, matrix, y, known, asked), mean + others @ dual, rtol=0, atol=1e-9)


def test_neighbours_equal_a_plain_loop():
    _, matrix, y = problem()
    known, asked = np.arange(60), np.arange(60, 80)
    between = matrix[np.ix_(known, known)]

    def mean_of(distances: np.ndarray, values: np.ndarray, k: int, by_distance: bool) -> float:
        nearest = np.argsort(distances, kind="stable")[:k]
        return float(np.average(values[nearest], weights=1 / distances[nearest] if by_distance else None))

    errors = {}
    folds = repeated_folds(60, 5, 1, np.arange(60), 0)[0]
    for k in (1, 2, 3, 5, 8, 13, 21, 34):
        for by_distance in (False, True):
            missed = []
            for test in folds:
                rest = np.setdiff1d(np.arange(60), test)
                found = [mean_of(between[row, rest], y[rest], k, by_distance) for row in test]
                missed.append(np.mean((y[test] - found) ** 2))
            errors[k, by_distance] = np.mean(missed)
    k, by_distance = min(errors, key=errors.__getitem__)
    expected = [mean_of(matrix[row, known], y[known], k, by_distance) for row in asked]
    assert 1 < k < 34
    np.testing.assert_allclose(fitted(NearestFit, matrix, y, known, asked), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("fit", FITS)
def test_what_is_chosen_is_chosen_without_what_is_predicted(fit: type):
    """Nothing but distances from what was learnt from reaches a prediction, one row at a time."""
    _, matrix, y = problem()
    known, asked = np.arange(60), np.arange(60, 80)
    before = fitted(fit, matrix, y, known, asked)
    changed = matrix.copy()
    changed[60:, 60:] = squareform(np.random.default_rng(0).uniform(1, 9, 190))
    assert fitted(fit, changed, np.where(np.arange(80) < 60, y, 99.0), known, asked).tolist() == before.tolist()
    assert fitted(fit, matrix, y, known, asked[3:4]) == pytest.approx(before[3])


@pytest.mark.parametrize("fit", FITS)
def test_what_distances_tell_is_learnt_and_chance_is_not(fit: type):
    _, matrix, y = problem(150)
    folds = repeated_folds(150, 5, 1, seed=0)
    found = out_of_fold(fit(matrix), numbers_of(150), y, folds)[0]
    assert r2(y, found) > 0.85
    shuffled = np.random.default_rng(3).permutation(y)
    assert r2(shuffled, out_of_fold(fit(matrix), numbers_of(150), shuffled, folds)[0]) < 0.05


def test_related_wirings_are_on_one_side_of_the_folds_that_choose():
    """Of each there are five with the same value: one neighbour is right about these, and wrong about all others."""
    missed: list[list[float]] = [[], []]
    for seed in range(6):
        rng = np.random.default_rng(seed)
        points = np.repeat(rng.normal(size=(16, 2)), 5, axis=0) + 1e-3 * rng.normal(size=(80, 2))
        y, matrix = np.repeat(rng.normal(size=16), 5), squareform(pdist(points))
        known, asked = np.arange(60), np.arange(60, 80)
        for own, groups in zip(missed, (np.arange(60), np.repeat(np.arange(12), 5)), strict=True):
            predict = NearestFit(matrix)(numbers_of(80)[known], y[known], groups, 0)
            own.append(np.mean((y[asked] - predict(numbers_of(80)[asked])) ** 2))
    assert np.mean(missed[1]) < 0.7 * np.mean(missed[0])


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("kind", ["equal values", "equal wirings", "one group"])
def test_without_anything_to_learn_the_mean_is_predicted(fit: type, kind: str):
    _, matrix, y = problem(40)
    y = np.ones(40) if kind == "equal values" else y
    matrix = np.zeros((40, 40)) if kind == "equal wirings" else matrix
    groups = np.zeros(30, np.int64) if kind == "one group" else np.arange(30)
    predict = fit(matrix)(numbers_of(40)[:30], y[:30], groups, 0)
    found = predict(numbers_of(40)[30:])
    if (fit, kind) == (ProcessFit, "one group"):
        assert np.std(found) > 0
    elif (fit, kind) == (NearestFit, "equal wirings"):
        assert np.ptp(found) == 0
    else:
        assert found == pytest.approx(y[:30].mean())


def test_what_is_no_matrix_of_distances_is_refused():
    for fit in FITS:
        with pytest.raises(ValueError, match="the same both ways"):
            fit(np.array([[0.0, 1.0], [2.0, 0.0]]))
