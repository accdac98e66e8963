"""Cross-validation leaks nothing, its numbers are those of plain loops, and its intervals hold what is true."""

import numpy as np
import pytest
from sklearn.metrics import r2_score

from predictors.validation.crossval import Estimate, difference, estimate_r2, out_of_fold, score, single_splits
from predictors.validation.fits import Predict
from predictors.validation.folds import repeated_folds
from predictors.validation.metrics import kendall
from predictors.validation.transfer import bins_of, label_of, learning_curve, leave_one_family_out, within


def fit_mean(X: np.ndarray, y: np.ndarray, groups: np.ndarray, seed: int) -> Predict:
    return lambda rows: np.full(len(rows), y.mean())


def fit_nearest(X: np.ndarray, y: np.ndarray, groups: np.ndarray, seed: int) -> Predict:
    """Memorise every training row."""
    return lambda rows: y[np.argmin(((rows[:, None] - X[None]) ** 2).sum(axis=2), axis=1)]


def fit_line(X: np.ndarray, y: np.ndarray, groups: np.ndarray, seed: int) -> Predict:
    def columns(rows: np.ndarray) -> np.ndarray:
        return np.column_stack([rows, np.ones(len(rows))])

    weights = np.linalg.lstsq(columns(X), y, rcond=None)[0]
    return lambda rows: columns(rows) @ weights


def table(n: int, noise: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    return X, X @ [1.0, -2.0] + noise * rng.normal(size=n)


def test_a_fit_sees_no_row_that_it_predicts():
    X = np.arange(20.0)[:, None]
    seen: list[tuple[set[float], np.ndarray, np.ndarray, int]] = []

    def fit(rows: np.ndarray, y: np.ndarray, groups: np.ndarray, seed: int) -> Predict:
        assert np.array_equal(rows[:, 0], y)
        seen.append((set(y.tolist()), y, groups, seed))

        def predict(asked: np.ndarray) -> np.ndarray:
            assert seen[-1][0].isdisjoint(asked[:, 0].tolist())
            assert len(seen[-1][0]) + len(asked) == 20
            return asked[:, 0]

        return predict

    groups = np.repeat(["b", "a", "d", "c"], 5)
    predictions = out_of_fold(fit, X, X[:, 0], repeated_folds(20, 4, 3, groups), groups, seed=5)
    assert np.array_equal(predictions, np.tile(np.arange(20.0), (3, 1)))
    assert len({seed for *_, seed in seen}) == 12
    for _, y, codes, _ in seen:
        assert np.array_equal(codes, np.array([1, 0, 3, 2])[(y // 5).astype(int)])


def test_memory_of_relatives_does_not_leak_through_folds_of_groups():
    rng = np.random.default_rng(0)
    X = np.repeat(rng.normal(size=(60, 3)), 4, axis=0)
    y = np.repeat(rng.normal(size=60), 4)
    groups = np.repeat(np.arange(60), 4)
    leaking = out_of_fold(fit_nearest, X, y, repeated_folds(240, 5, 3))
    honest = out_of_fold(fit_nearest, X, y, repeated_folds(240, 5, 3, groups), groups)
    assert score(y, leaking, groups).r2.mean > 0.9
    assert score(y, honest, groups).r2.mean < 0


def test_shuffled_labels_are_not_explained():
    X, y = table(100)
    shuffled = np.random.default_rng(1).permutation(y)
    found = score(shuffled, out_of_fold(fit_line, X, shuffled, repeated_folds(100, 5, 4)))
    assert found.r2.mean < 0.05
    assert found.r2.low < 0


def test_scores_are_means_of_pooled_scores_over_repeats():
    X, y = table(60)
    predictions = out_of_fold(fit_line, X, y, repeated_folds(60, 5, 6))
    found = score(y, predictions, k=3)
    pooled = [r2_score(y, row) for row in predictions]
    assert found.r2.mean == pytest.approx(np.mean(pooled))
    assert found.r2.sd == pytest.approx(np.std(pooled, ddof=1))
    assert found.r2.low < found.r2.mean < found.r2.high
    assert found.tau.mean == pytest.approx(np.mean([kendall(y, row) for row in predictions]))
    assert found.mae.mean == pytest.approx(np.abs(y - predictions).mean())
    chosen = [y[np.argsort(row)[-3:]].max() for row in predictions]
    assert found.regret == pytest.approx(y.max() - np.mean(chosen))
    lowest = [y[np.argsort(row)[:3]].min() for row in predictions]
    assert score(y, predictions, k=3, maximise=False).regret == pytest.approx(np.mean(lowest) - y.min())


@pytest.mark.slow
def test_intervals_hold_the_true_values_in_nineteen_of_twenty_samples():
    # Predictions that no data went into: their R2 over all wirings is known, 1 - .25 and 1 - .5.
    hits = np.zeros(2)
    for sample in range(50):
        rng = np.random.default_rng(sample)
        y = rng.normal(size=150)
        shared = rng.normal(size=150)
        good, bad = y + 0.5 * shared, y + np.sqrt(0.5) * shared
        found = estimate_r2(y, good[None], seed=sample)
        gain = difference(y, good[None], bad[None], seed=sample)
        hits += [found.low <= 0.75 <= found.high, gain.low <= 0.25 <= gain.high]
    assert (hits >= 42).all()
    assert hits.sum() < 100


def test_intervals_over_groups_are_wider_than_over_their_copies():
    rng = np.random.default_rng(3)
    y = np.repeat(rng.normal(size=40), 9)
    predictions = (y + np.repeat(rng.normal(size=40), 9))[None]
    groups = np.repeat(np.arange(40), 9)
    rows, whole = score(y, predictions).r2, score(y, predictions, groups).r2
    assert whole.mean == rows.mean
    # Nine copies make an interval three times too narrow.
    assert 2 < (whole.high - whole.low) / (rows.high - rows.low) < 4


def test_pairing_makes_differences_sharp():
    X, y = table(120, noise=2.0)
    folds = repeated_folds(120, 5, 5)
    one = out_of_fold(fit_line, X, y, folds)
    other = one + 0.05 * np.random.default_rng(0).normal(size=one.shape)
    paired, alone = difference(y, one, other), score(y, one).r2
    assert paired.high - paired.low < 0.3 * (alone.high - alone.low)
    zero = difference(y, one, one)
    assert (zero.mean, zero.sd, zero.low, zero.high) == (0, 0, 0, 0)
    assert difference(y, one, out_of_fold(fit_mean, X, y, folds)).low > 0
    with pytest.raises(ValueError, match=r"same folds"):
        difference(y, one, one[:2])


def test_one_repeat_has_no_standard_deviation():
    assert np.isnan(Estimate.over([0.5]).sd)


def test_bad_tables_and_folds_are_refused():
    X, y = table(10)
    with pytest.raises(ValueError, match=r"X \(10, 2\) and y \(9,\): must be \(n, k\) and \(n,\)"):
        out_of_fold(fit_mean, X, y[:9], repeated_folds(9, 3, 1))
    with pytest.raises(ValueError, match=r"1 labels that are not finite"):
        out_of_fold(fit_mean, X, np.where(np.arange(10) == 3, np.nan, y), repeated_folds(10, 3, 1))
    with pytest.raises(ValueError, match=r"repeat 0 must hold each of the 10 rows once"):
        out_of_fold(fit_mean, X, y, repeated_folds(9, 3, 1))


def test_single_splits_scatter_where_cross_validation_does_not():
    X, y = table(100)
    splits = single_splits(fit_line, X, y, n_splits=100)
    repeats = score(y, out_of_fold(fit_line, X, y, repeated_folds(100, 5, 10))).r2
    assert splits.shape == (100,)
    assert np.std(splits) > 5 * repeats.sd
    assert abs(np.median(splits) - repeats.mean) < 0.1
    assert np.array_equal(splits[:10], single_splits(fit_line, X, y, n_splits=10))
    with pytest.raises(ValueError, match=r"test_share=0.01: 1 of 100 rows"):
        single_splits(fit_line, X, y, test_share=0.01)


def test_single_splits_hold_out_a_tenth():
    asked = []

    def fit(X: np.ndarray, y: np.ndarray, groups: np.ndarray, seed: int) -> Predict:
        def predict(rows: np.ndarray) -> np.ndarray:
            asked.append((len(X), len(rows), len({*X[:, 0], *rows[:, 0]})))
            return rows[:, 0]

        return predict

    X = np.arange(45.0)[:, None]
    assert np.array_equal(single_splits(fit, X, X[:, 0], n_splits=3), np.ones(3))
    assert asked == [(40, 5, 45)] * 3


def test_families_are_left_out_with_their_relatives():
    X, y = table(30)
    families = ["er"] * 10 + ["ws"] * 12 + ["ba"] * 8
    groups = np.arange(30)
    groups[29] = groups[0]
    trained = []

    def fit(rows: np.ndarray, labels: np.ndarray, codes: np.ndarray, seed: int) -> Predict:
        trained.append({int(np.flatnonzero((row == X).all(axis=1))[0]) for row in rows})
        return fit_line(rows, labels, codes, seed)

    scores = leave_one_family_out(fit, X, y, families, groups)
    assert [(part.name, part.n) for part in scores] == [("ba", 8), ("er", 10), ("ws", 12)]
    assert trained == [set(range(1, 22)), set(range(10, 29)), set(range(10)) | set(range(22, 30))]
    by_hand = fit_line(X[1:22], y[1:22], groups, 0)(X[22:])
    assert scores[0].r2 == pytest.approx(r2_score(y[22:], by_hand))
    assert scores[0].tau == pytest.approx(kendall(y[22:], by_hand))
    assert scores[0].mae == pytest.approx(np.abs(y[22:] - by_hand).mean())
    over_wirings = estimate_r2(y[22:], by_hand[None], groups[22:])
    assert (scores[0].low, scores[0].high) == pytest.approx((over_wirings.low, over_wirings.high))
    with pytest.raises(ValueError, match=r"one family, 'ws'"):
        leave_one_family_out(fit, X, y, ["ws"] * 30)


def test_within_a_family_its_mean_explains_nothing():
    y = np.array([1.0, 2.0, 3.0, 11.0, 12.0, 13.0])
    families = ["a"] * 3 + ["b"] * 3
    means = np.repeat([2.0, 12.0], 3)
    scores = within(y, np.stack([means, y]), families)
    assert r2_score(y, means) > 0.9
    assert [(part.name, part.n) for part in scores] == [("a", 3), ("b", 3)]
    for part in scores:
        assert (part.r2, part.tau) == pytest.approx((0.5, 0.5))
        assert part.mae == pytest.approx(1 / 3)
    # Relatives are drawn together: of one group there is nothing else to draw.
    whole = within(y, np.stack([means, y]), families, groups=[0, 0, 0, 1, 1, 1])
    assert [(part.low, part.high) for part in whole] == [(0.5, 0.5)] * 2
    assert scores[0].low < 0.5
    with pytest.raises(ValueError, match=r"2 names of parts"):
        within(y, y[None], ["a", "b"])


def test_bins_hold_equally_many_and_sort_by_size():
    sizes = np.random.default_rng(0).permutation(np.arange(1, 121))
    bins = np.array(bins_of(sizes))
    assert sorted(set(bins)) == ["  1 to 30", " 31 to 60", " 61 to 90", " 91 to 120"]
    assert [(bins == name).sum() for name in sorted(set(bins))] == [30] * 4
    assert set(bins_of([64, 64, 64])) == {"64 to 64"}


def test_labels_are_means_or_measured_replicates():
    labels = np.array([[1.0, 3.0], [np.nan, 5.0], [7.0, np.nan]])
    assert label_of(labels, "mean").tolist() == [2.0, 5.0, 7.0]
    assert label_of(labels, "one").tolist() == [1.0, 5.0, 7.0]
    drawn = {tuple(label_of(labels, "one", np.random.default_rng(seed))) for seed in range(20)}
    assert drawn == {(1.0, 5.0, 7.0), (3.0, 5.0, 7.0)}


def test_learning_curves_train_on_nested_rows_and_score_the_same_ones():
    X = np.arange(30.0)[:, None]
    calls: list[tuple[set[float], set[float]]] = []

    def fit(rows: np.ndarray, y: np.ndarray, groups: np.ndarray, seed: int) -> Predict:
        def predict(asked: np.ndarray) -> np.ndarray:
            calls.append((set(rows[:, 0]), set(asked[:, 0])))
            return asked[:, 0]

        return predict

    groups = np.arange(30) // 2
    points = learning_curve(fit, X, X[:, 0], [20, 5, 11], repeats=2, groups=groups)
    assert [point.size for point in points] == [5, 11, 20]
    for first in (0, 3):
        (small, scored), (middle, again), (large, last) = calls[first : first + 3]
        assert small < middle < large
        assert (len(small), len(middle), len(large)) == (5, 11, 20)
        assert scored == again == last
        assert {value // 2 for value in large}.isdisjoint({value // 2 for value in scored})
        assert len(scored) == 10
    assert calls[2] != calls[5]
    assert (points[0].r2.mean, points[0].tau.mean) == (1, 1)


def test_curves_from_one_seed_are_scored_on_means():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    truth = X @ [1.0, 1.0]
    labels = truth[:, None] + 2 * rng.normal(size=(300, 40))
    labels[0, 1:] = np.nan
    one = learning_curve(fit_line, X, labels, [30, 150], repeats=10, train_label="one")
    mean = learning_curve(fit_line, X, labels, [30, 150], repeats=10)
    # Of the variance of a mean over 40 seeds, 2 / (2 + 4 / 40) is of the wirings; of one seed 2 / 6 is.
    assert mean[1].r2.mean == pytest.approx(2 / 2.1, abs=0.03)
    assert one[1].r2.mean > 0.8
    assert one[0].r2.mean < one[1].r2.mean < mean[1].r2.mean
    alone = learning_curve(fit_line, X, labels[:, 0], [150], repeats=10)
    assert alone[0].r2.mean == pytest.approx(2 / 6, abs=0.15)


@pytest.mark.parametrize("sizes", [[], [1], [29]])
def test_curves_leave_rows_to_fit_and_to_score(sizes: list[int]):
    X, y = table(30)
    with pytest.raises(ValueError, match=r"must be between 2 and n - 2 = 28"):
        learning_curve(fit_line, X, y, sizes)
    with pytest.raises(ValueError, match=r"leaves 0 rows in other groups"):
        learning_curve(fit_line, X, y, [20], groups=[0] * 30)
