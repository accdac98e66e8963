"""Ceilings and variance components come out as simulations and tables worked out by hand put them in."""

import numpy as np
import pytest

from predictors.validation.ceiling import noise_ceiling
from predictors.validation.components import variance_components


def simulated(rng: np.random.Generator, n: int, replicates: int, splits: int = 1, sets: float = 0.0) -> np.ndarray:
    """Return labels (n, replicates, splits): wirings of variance 4, seeds of 1, and wirings on an evaluation set."""
    wirings = 2 * rng.normal(size=(n, 1, 1))
    seeds = rng.normal(size=(n, replicates, 1))
    on_sets = sets * rng.normal(size=(n, 1, splits))
    return 90 + wirings + seeds + on_sets + np.arange(splits)


def test_ceiling_of_known_variances():
    found = noise_ceiling(simulated(np.random.default_rng(0), 4000, 5)[:, :, 0])
    assert found is not None
    assert found.one_seed == pytest.approx(4 / 5, abs=0.015)
    assert found.mean_label == pytest.approx(4 / 4.2, abs=0.006)
    assert found.one_seed_interval[0] < found.one_seed < found.one_seed_interval[1]
    assert (found.n_wirings, found.replicates, found.splits) == (4000, 5, 1)


def test_a_second_evaluation_set_tells_luck_on_the_first_from_worth():
    labels = simulated(np.random.default_rng(1), 6000, 3, splits=2, sets=np.sqrt(2))
    alone, crossed = noise_ceiling(labels[:, :, 0]), noise_ceiling(labels)
    assert alone is not None
    assert crossed is not None
    # What a wiring gains on one set by chance, variance 2, comes with all its seeds.
    assert alone.one_seed == pytest.approx(6 / 7, abs=0.015)
    assert crossed.one_seed == pytest.approx(4 / 7, abs=0.025)
    assert crossed.mean_label == pytest.approx(4 / (6 + 1 / 3), abs=0.025)
    assert crossed.splits == 2


def test_balanced_ceiling_is_the_analysis_of_variance():
    labels = np.array([[1.0, 2.0, 3.0], [4.0, 4.0, 7.0], [0.0, 1.0, 2.0], [5.0, 9.0, 7.0]])
    means = labels.mean(axis=1)
    between = 3 * means.var(ddof=1)
    inside = ((labels - means[:, None]) ** 2).sum() / 8
    found = noise_ceiling(labels + 1e6)
    assert found is not None
    assert found.one_seed == pytest.approx((between - inside) / (between + 2 * inside), rel=1e-6)
    assert found.mean_label == pytest.approx((between - inside) / between, rel=1e-6)


def test_estimates_from_few_unequal_wirings_are_right_on_the_average():
    shared, total = [], []
    for seed in range(1500):
        labels = simulated(np.random.default_rng(seed), 8, 4, splits=2, sets=1.0)
        labels[::2, 2:] = np.nan
        found = noise_ceiling(labels, draws=1)
        assert found is not None
        variance = np.nanmean(labels[:, :, 0], axis=1).var(ddof=1)
        shared.append(found.mean_label * variance)
        total.append(found.mean_label * variance / found.one_seed if found.one_seed > 0 else np.nan)
    # The few estimates that are cut at 0 or at the whole variance move the mean a little.
    assert np.mean(shared) == pytest.approx(4.0, abs=0.25)
    assert np.nanmean(total) == pytest.approx(6.0, abs=0.35)


def test_intervals_hold_the_ceiling():
    hits = 0
    for seed in range(100):
        found = noise_ceiling(simulated(np.random.default_rng(seed), 60, 3), draws=200, seed=seed)
        assert found is not None
        low, high = found.one_seed_interval
        hits += low <= 0.8 <= high
    assert 85 <= hits <= 100


def test_wirings_without_a_second_replicate_say_nothing():
    labels = simulated(np.random.default_rng(2), 50, 3)
    more = np.concatenate([labels, np.full((20, 3, 1), np.nan)])
    more[50:, 0] = 1e3
    assert noise_ceiling(more) == noise_ceiling(labels)


def test_replicates_that_miss_an_evaluation_set_do_not_count():
    labels = simulated(np.random.default_rng(2), 50, 3, splits=2)
    without = labels.copy()
    labels[:, 2, 1] = np.nan
    found, expected = noise_ceiling(labels), noise_ceiling(without[:, :2])
    assert found is not None
    assert expected is not None
    assert found.one_seed == pytest.approx(expected.one_seed)
    assert found.mean_label == pytest.approx(expected.mean_label)
    assert found.replicates == 2


def test_there_is_no_ceiling_without_replicates():
    assert noise_ceiling(np.arange(10.0)[:, None]) is None
    assert noise_ceiling([[1.0, 2.0], [3.0, float("nan")]]) is None
    with pytest.raises(ValueError, match=r"labels \(3,\): must be \(n, replicates\)"):
        noise_ceiling([1.0, 2.0, 3.0])


def test_noise_alone_has_a_ceiling_near_zero_and_equal_labels_have_none():
    found = noise_ceiling(np.random.default_rng(0).normal(size=(2000, 3)))
    assert found is not None
    assert found.one_seed < 0.03
    assert np.isnan(noise_ceiling(np.ones((5, 3))).one_seed)


def test_ceilings_of_copies_are_as_sure_as_of_their_originals():
    labels = simulated(np.random.default_rng(4), 40, 3)[:, :, 0]
    copies = np.repeat(labels, 9, axis=0)
    groups = np.repeat(np.arange(40), 9)
    whole, rows = noise_ceiling(copies, groups), noise_ceiling(copies)
    assert whole is not None
    assert rows is not None
    widths = [high - low for low, high in (whole.one_seed_interval, rows.one_seed_interval)]
    assert widths[0] > 2 * widths[1]


# Variance components


def test_one_balanced_level_is_the_analysis_of_variance_by_hand():
    values = np.array([1.0, 3.0, 5.0, 7.0, 12.0, 14.0])
    # Cell means 2, 6, 13: between 2 x 31 = 62, within (2 + 2 + 2) / 3 = 2, so (62 - 2) / 2 = 30.
    graph, rest = variance_components(values, {"graph": [0, 0, 1, 1, 2, 2]})
    assert (graph.name, rest.name) == ("graph", "rest")
    assert (graph.variance, rest.variance) == pytest.approx((30, 2))
    assert graph.share == pytest.approx(30 / 32)


def test_two_balanced_levels_by_hand():
    values = np.array([[[1.0, 3.0], [6.0, 10.0]], [[20.0, 24.0], [15.0, 19.0]]])
    family, graph = np.repeat(["a", "b"], 4), np.tile(np.repeat([0, 1], 2), 2)
    means = values.mean(axis=2)
    inside = values.var(axis=2, ddof=1).mean()
    middle = (2 * means.var(axis=1, ddof=1)).mean()
    top = 4 * means.mean(axis=1).var(ddof=1)
    found = variance_components(values.ravel(), {"family": family, "graph": graph}, residual="seed")
    assert [part.name for part in found] == ["family", "graph", "seed"]
    expected = [(top - middle) / 4, (middle - inside) / 2, inside]
    assert [part.variance for part in found] == pytest.approx(expected)
    assert sum(part.share for part in found) == pytest.approx(1)


def test_one_unbalanced_level_by_hand():
    values = np.array([2.0, 4.0, 6.0, 7.0, 9.0, 20.0])
    labels = [0, 0, 0, 1, 1, 2]
    # Means 4, 8, 20 of 3, 2, 1 values about 8: between 3 x 16 + 0 + 144 = 192 with 2 degrees of freedom, within
    # 8 + 2 = 10 with 3; the mean size of a cell is (6 - 14 / 6) / 2 = 11 / 6.
    graph, rest = variance_components(values, {"graph": labels})
    assert rest.variance == pytest.approx(10 / 3)
    assert graph.variance == pytest.approx((96 - 10 / 3) / (11 / 6))


def nested(rng: np.random.Generator, settings: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return an unbalanced table of parameters, graphs and seeds with variances 3, 2 and 1 below two fixed families."""
    rows = []
    for setting in range(settings):
        of_setting = np.sqrt(3) * rng.normal()
        for graph in range(rng.integers(1, 5)):
            of_graph = np.sqrt(2) * rng.normal()
            rows += [
                (setting % 2, setting, graph, 10 + 2 * (setting % 2) + of_setting + of_graph + rng.normal())
                for _ in range(rng.integers(1, 4))
            ]
    columns = np.array(rows)
    return columns[:, 3], {"family": columns[:, 0], "parameters": columns[:, 1], "graph": columns[:, 2]}


def test_components_of_a_large_unbalanced_simulation():
    values, levels = nested(np.random.default_rng(0), 4000)
    family, parameters, graph, seed = variance_components(values, levels, residual="seed", draws=50)
    # Two fixed families 2 apart have the variance (2 / sqrt(2))^2 = 2.
    assert family.variance == pytest.approx(2, abs=0.4)
    assert parameters.variance == pytest.approx(3, abs=0.2)
    assert graph.variance == pytest.approx(2, abs=0.12)
    assert seed.variance == pytest.approx(1, abs=0.05)


def test_components_are_right_on_the_average_of_small_tables():
    found = []
    for sample in range(400):
        values, levels = nested(np.random.default_rng(sample), 24)
        del levels["family"]
        parts = variance_components(values - 2 * (levels["parameters"] % 2), levels, draws=1)
        found.append([np.nan if part.negative else part.variance for part in parts])
    assert not np.isnan(found).all(axis=0).any()
    assert np.nanmean(found, axis=0) == pytest.approx([3, 2, 1], rel=0.1)


def test_intervals_of_shares_hold_the_truth():
    hits = np.zeros(3)
    for sample in range(60):
        values, levels = nested(np.random.default_rng(sample), 60)
        del levels["family"]
        values = values - 2 * (levels["parameters"] % 2)
        parts = variance_components(values, levels, resample="parameters", draws=100, seed=sample)
        hits += [part.low <= share <= part.high for part, share in zip(parts, (3 / 6, 2 / 6, 1 / 6), strict=True)]
    assert (hits >= 48).all()


def test_a_drawn_cell_that_comes_twice_is_two_cells():
    """The intervals' weighted sums equal the components of tables that were written out row by row."""
    from predictors.validation.components import _multiplicities, _nested_codes, _solve, _tables

    values, levels = nested(np.random.default_rng(5), 30)
    codes = _nested_codes(levels, len(values))
    tables = _tables(values, codes, 2)
    times = _multiplicities(tables[2].parents[1], np.random.default_rng(0))
    assert np.array_equal(np.bincount(tables[2].parents[1], times), np.bincount(tables[2].parents[1]))
    rows, copy = [], []
    for cell, count in enumerate(times.astype(int)):
        for repeat in range(count):
            inside = np.flatnonzero(codes[2] == cell)
            rows += inside.tolist()
            copy += [100 * cell + repeat] * len(inside)
    written = {"family": levels["family"][rows], "parameters": np.array(copy), "graph": levels["graph"][rows]}
    plain = _tables(values[rows], _nested_codes(written, len(rows)), 2)
    expected = _solve(plain, np.ones(len(plain[2].counts)))
    assert _solve(tables, times) == pytest.approx(expected)


def test_a_negative_estimate_is_nought_with_a_flag():
    graph, rest = variance_components([0.0, 10.0, 1.0, 9.0, 0.5, 9.5], {"graph": [0, 0, 1, 1, 2, 2]})
    assert (graph.variance, graph.share, graph.negative) == (0, 0, True)
    assert (rest.share, rest.negative) == (1, False)


def test_levels_that_do_not_branch_are_refused():
    values = np.arange(6.0)
    with pytest.raises(ValueError, match=r"level 'order': has one value in each cell of the level above"):
        variance_components(values, {"graph": [0, 0, 1, 1, 2, 2], "order": [5, 5, 6, 6, 7, 7]})
    with pytest.raises(ValueError, match=r"level 'family': has one value"):
        variance_components(values, {"family": ["ws"] * 6})
    with pytest.raises(ValueError, match=r"level 'seed': holds one value a cell"):
        variance_components(values, {"graph": [0, 0, 1, 1, 2, 2], "seed": range(6)})
    with pytest.raises(ValueError, match=r"resample='x': must be one of the levels, graph"):
        variance_components(values, {"graph": [0, 0, 1, 1, 2, 2]}, resample="x")
    with pytest.raises(ValueError, match=r"of which there is none"):
        variance_components(values, {})
    with pytest.raises(ValueError, match=r"must be \(n,\) and finite"):
        variance_components([1.0, float("nan")], {"graph": [0, 1]})
