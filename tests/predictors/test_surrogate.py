"""The surrogate against a Gaussian process that is written out here, and against its promises."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictors import FEATURES, describe, names_of
from predictors.members import Scaling
from predictors.regressors.gaussian_process import best_parameters
from predictors.surrogate import Belief, Warp, fit_surrogate, scalings_of
from predictors.validation.metrics import kendall
from priors import WattsStrogatz

N_COLUMNS = 6


def kernel(A, B, length):
    """Matern 5/2, entry by entry."""
    found = np.empty((len(A), len(B)))
    for i, a in enumerate(A):
        for j, b in enumerate(B):
            r = math.sqrt(5) * math.dist(a, b) / length
            found[i, j] = (1 + r + r * r / 3) * math.exp(-r)
    return found


def conditioned(process, known, values, noise, rows):
    """Mean and variance of the latent function at rows, from the joint normal of everything, by an explicit inverse."""
    both = np.concatenate([known, rows]) * process.closeness
    together = kernel(both, both, 1.0) * process.variance
    n = len(known)
    inverse = np.linalg.inv(together[:n, :n] + np.diag(noise) * process.variance)
    mean = process.mean + together[n:, :n] @ inverse @ (values - process.mean)
    covariance = together[n:, n:] - together[n:, :n] @ inverse @ together[:n, n:]
    return mean, np.diag(covariance)


def problem(seed=0, n=24, sigma=0.5):
    rng = np.random.default_rng(seed)
    population, X = rng.normal(size=(100, N_COLUMNS)), rng.normal(size=(n, N_COLUMNS))
    values = 2 * X[:, 0] + np.sin(3 * X[:, 1]) + sigma * rng.normal(size=n)
    scalings = (Scaling.fit(population, np.arange(2)), Scaling.fit(population))
    return X, values, scalings, rng


def counted(seed=0):
    X, values, scalings, rng = problem(seed)
    return X, values, scalings, rng.integers(1, 5, size=len(X)), rng.normal(size=(9, N_COLUMNS))


# The processes


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("with_counts", [False, True])
def test_the_posterior_is_that_of_a_gaussian_process_written_out(seed, with_counts):
    X, values, scalings, counts, new = counted(seed)
    surrogate = fit_surrogate(X, values, scalings, counts if with_counts else None)
    mean, std = surrogate.posterior(new)
    expected = []
    for process, scaling in zip(surrogate.processes, scalings, strict=True):
        noise = process.noise
        if with_counts:
            np.testing.assert_allclose(noise * counts, noise[0] * counts[0])
            assert process.mean == pytest.approx(np.average(surrogate.scores, weights=counts))
        expected.append(conditioned(process, scaling.apply(X), surrogate.scores, noise, scaling.apply(new)))
    np.testing.assert_allclose(mean, np.mean([own for own, _ in expected], axis=0), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(std, np.mean([np.sqrt(own) for _, own in expected], axis=0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_pinned_rows_are_observations_of_what_is_expected(seed):
    X, values, scalings, counts, new = counted(seed)
    surrogate = fit_surrogate(X, values, scalings, counts)
    pinned = np.concatenate([new[:2] + 0.1, X[:1]])
    mean, std = surrogate.posterior(new, pinned)
    expected = []
    for process, scaling in zip(surrogate.processes, scalings, strict=True):
        rows, others, inputs = scaling.apply(new), scaling.apply(pinned), scaling.apply(X)
        found, _ = conditioned(process, inputs, surrogate.scores, process.noise, others)
        known = np.concatenate([inputs, others])
        noise = np.concatenate([process.noise, np.full(len(pinned), np.median(process.noise))])
        expected.append(conditioned(process, known, np.concatenate([surrogate.scores, found]), noise, rows))
    np.testing.assert_allclose(mean, np.mean([own for own, _ in expected], axis=0), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(std, np.mean([np.sqrt(own) for _, own in expected], axis=0), rtol=1e-5, atol=1e-6)


def test_pinned_rows_change_no_mean_and_lower_every_deviation():
    X, values, scalings, _, new = counted()
    surrogate = fit_surrogate(X, values, scalings)
    mean, std = surrogate.posterior(new)
    same, none = surrogate.posterior(new, np.empty((0, N_COLUMNS)))
    np.testing.assert_array_equal(mean, same)
    np.testing.assert_array_equal(std, none)
    again, less = surrogate.posterior(new, new[:3])
    np.testing.assert_array_equal(mean, again)
    assert (less <= std + 1e-12).all()
    assert (less[:3] < 0.9 * std[:3]).all()
    # The same wiring twice, as where it is trained twice at once.
    _, twice = surrogate.posterior(new, np.repeat(new[:3], 2, axis=0))
    assert (twice[:3] < less[:3]).all()


@pytest.mark.parametrize("with_counts", [False, True])
def test_left_out_is_what_the_others_alone_expect(with_counts):
    X, values, scalings, counts, _ = counted(4)
    surrogate = fit_surrogate(X, values, scalings, counts if with_counts else None)
    expected = np.zeros(len(X))
    for process, scaling in zip(surrogate.processes, scalings, strict=True):
        inputs = scaling.apply(X)
        for index in range(len(X)):
            others = np.arange(len(X)) != index
            found, _ = conditioned(
                process, inputs[others], surrogate.scores[others], process.noise[others], inputs[[index]]
            )
            expected[index] += found[0] / len(scalings)
    np.testing.assert_allclose(surrogate.left_out, expected, rtol=1e-6, atol=1e-8)


def test_the_variance_is_the_most_likely_one():
    X, values, scalings, counts, _ = counted(1)
    process = fit_surrogate(X, values, scalings, counts).processes[1]
    K = kernel(process.inputs, process.inputs, 1.0) + np.diag(process.noise)

    def likelihood(variance):
        _, logdet = np.linalg.slogdet(variance * K)
        return -0.5 * (process.residual @ np.linalg.inv(variance * K) @ process.residual + logdet)

    best = max(np.geomspace(0.2, 5, 2001), key=lambda factor: likelihood(factor * process.variance))
    assert best == pytest.approx(1, abs=0.003)


def marginal(inputs, values, length, noise):
    K = kernel(inputs, inputs, length) + noise * np.eye(len(inputs))
    variance = values @ np.linalg.inv(K) @ values / len(values)
    return -0.5 * (len(values) * math.log(variance) + np.linalg.slogdet(K)[1])


@pytest.mark.parametrize("expected", [None, 2.0, 0.5])
def test_the_parameters_are_those_of_the_largest_marginal_likelihood(expected):
    X, values, scalings, _ = problem(2, n=15)
    inputs, values = scalings[1].apply(X), (values - values.mean()) / values.std()
    typical = math.sqrt(N_COLUMNS)

    def fitness(length, noise):
        prior = 0.0 if expected is None else -0.5 * math.log(length / typical / expected) ** 2
        return marginal(inputs, values, length, noise) + prior

    length, noise = best_parameters(inputs, values, expected)
    grid = [
        fitness(typical * some, other)
        for some in np.geomspace(10**-0.5, 10**1.5, 17)
        for other in np.logspace(-3, 2, 11)
    ]
    assert fitness(length, noise) >= max(grid) - 0.02
    nearby = np.clip([noise * 10 ** (-1 / 6), noise * 10 ** (1 / 6)], 1e-3, 1e2)
    assert fitness(length, noise) >= max(fitness(length, other) for other in nearby) - 1e-9


def test_few_rows_leave_the_length_at_what_is_expected():
    rng = np.random.default_rng(0)
    lengths = {2.0: [], 0.5: [], None: []}
    for _ in range(12):
        inputs, values = rng.normal(size=(8, 10)), rng.normal(size=8)
        for expected, found in lengths.items():
            found.append(best_parameters(inputs, values - values.mean(), expected)[0] / math.sqrt(10))
    assert np.median(lengths[2.0]) == pytest.approx(2.0, rel=0.3)
    assert np.median(lengths[0.5]) == pytest.approx(0.5, rel=0.3)
    spread = {expected: np.std(np.log(found)) for expected, found in lengths.items()}
    assert spread[None] > 2 * max(spread[2.0], spread[0.5])


# The surrogate


def test_smoothed_values_are_between_expectation_and_finding_and_the_best_are_first():
    X, values, scalings, counts, _ = counted(3)
    surrogate = fit_surrogate(X, values, scalings, counts)
    share = counts / (counts + 1)
    expected = (1 - share) * surrogate.left_out + share * surrogate.scores
    np.testing.assert_allclose(surrogate.smoothed, expected, atol=1e-12)
    assert surrogate.best(5) == sorted(range(len(X)), key=lambda index: -expected[index])[:5]
    assert len(surrogate.best(1000)) == len(X)


def test_gain_and_tau_and_noise_are_of_leaving_out():
    X, values, scalings, _ = problem(5)
    surrogate = fit_surrogate(X, values, scalings)
    errors = surrogate.scores - surrogate.left_out
    assert surrogate.noise == pytest.approx(math.sqrt(np.mean(errors**2)))
    assert surrogate.gain == pytest.approx(1 - np.mean(errors**2) / np.var(surrogate.scores))
    assert surrogate.tau == pytest.approx(kendall(values, surrogate.left_out))


def test_structure_is_found_where_there_is_some_and_hardly_where_there_is_none():
    signal, noise = [], []
    for seed in range(12):
        X, values, scalings, rng = problem(seed, n=60)
        signal.append(fit_surrogate(X, values, scalings).gain)
        noise.append(fit_surrogate(X, rng.normal(size=60), scalings).gain)
    assert min(signal) > 0.4
    assert np.mean(np.array(noise) <= 0) >= 0.7
    assert max(noise) < 0.3


@settings(deadline=None, max_examples=15)
@given(
    st.integers(0, 2**31),
    st.sampled_from(
        [np.exp, np.cbrt, np.arctan, lambda values: 1e9 + 1e-3 * values, lambda values: -1 / (values + 99)]
    ),
)
def test_only_the_order_of_values_counts(seed, increasing):
    X, values, scalings, counts, new = counted(seed)
    one = fit_surrogate(X, values, scalings, counts)
    other = fit_surrogate(X, increasing(values), scalings, counts)
    np.testing.assert_array_equal(one.scores, other.scores)
    for first, second in zip(one.posterior(new, new[:2]), other.posterior(new, new[:2]), strict=True):
        np.testing.assert_array_equal(first, second)
    assert one.gain == other.gain
    assert one.best(3) == other.best(3)


def test_two_rows_and_equal_values_teach_next_to_nothing():
    X, _, scalings, rng = problem(6)
    two = fit_surrogate(X[:2], [1.0, 2.0], scalings)
    mean, std = two.posterior(X)
    assert np.isfinite([mean, std]).all()
    assert (np.abs(mean) <= np.abs(two.scores).max() + 1e-9).all()
    same = fit_surrogate(X, np.ones(len(X)), scalings)
    mean, _ = same.posterior(rng.normal(size=(5, N_COLUMNS)))
    np.testing.assert_allclose(mean, 0, atol=1e-12)
    assert same.gain == 0
    assert same.tau == 0


def test_undefined_and_constant_columns_do_no_harm():
    X, values, _, rng = problem(7, n=40)
    population = rng.normal(size=(100, N_COLUMNS + 3))
    population[:, N_COLUMNS] = np.nan
    population[:, N_COLUMNS + 1] = 3.0
    population[::2, N_COLUMNS + 2] = np.nan
    wide = np.concatenate([X, np.full((40, 1), np.nan), np.full((40, 1), 7.0), rng.normal(size=(40, 1))], axis=1)
    wide[::3, -1] = np.nan
    scaling = Scaling.fit(population)
    assert len(scaling) == N_COLUMNS + 1
    surrogate = fit_surrogate(wide, values, (scaling,))
    mean, std = surrogate.posterior(wide, wide[:2])
    assert np.isfinite([mean, std]).all()
    assert surrogate.gain > 0.3
    # What is undefined stands where the middle of the others does.
    filled = wide.copy()
    filled[::3, -1] = np.nanmedian(population[:, -1])
    np.testing.assert_array_equal(mean, fit_surrogate(filled, values, (scaling,)).posterior(filled, filled[:2])[0])


def test_without_any_column_that_varies_the_mean_is_expected():
    X, values, _, _ = problem(8)
    empty = Scaling.fit(np.ones((20, N_COLUMNS)))
    assert len(empty) == 0
    surrogate = fit_surrogate(X, values, (empty,), np.arange(1, 25))
    mean, std = surrogate.posterior(X, X[:3])
    assert np.ptp(mean) == 0
    assert np.isfinite(std).all()
    assert surrogate.gain <= 0


def test_of_many_rows_the_best_are_kept_and_others_evenly():
    X, values, scalings, _ = problem(9, n=1000)
    surrogate = fit_surrogate(X, values, scalings, np.arange(1, 1001))
    assert len(surrogate.rows) == 256
    assert (np.diff(surrogate.rows) > 0).all()
    best = np.argsort(-values)[:128]
    assert set(best.tolist()) <= set(surrogate.rows.tolist())
    others = surrogate.rows[~np.isin(surrogate.rows, best)]
    ranks = np.flatnonzero(np.isin(np.setdiff1d(np.arange(1000), best), others))
    assert np.diff(ranks).max() <= 7
    assert len(surrogate.processes[0].inputs) == 256
    np.testing.assert_array_equal(surrogate.counts, surrogate.rows + 1)
    np.testing.assert_array_equal(surrogate.scores, Warp.fit(values).score(values[surrogate.rows]))
    # Rows are named as they were given, not as they were kept.
    assert set(surrogate.best(20)) <= set(best.tolist())


def test_scalings_are_of_size_alone_and_of_everything():
    wirings = [WattsStrogatz(10 + 2 * index, 4, 0.3).sample(index) for index in range(20)]
    names = names_of(("size", "structure"))
    X = describe(wirings)
    size, everything = scalings_of(X, names)
    assert {names[index] for index in size.columns.indices} <= set(names_of(("size",)))
    assert len(size) > 0
    assert len(everything) > len(size)
    assert len(scalings_of(X[:, : len(names_of(("size",)))], names_of(("size",)))) == 1
    assert len(scalings_of(X, [f"own {index}" for index in range(X.shape[1])])) == 1


@pytest.mark.parametrize("values", [[1.0], [], [1.0, np.nan], [1.0, np.inf], [1.0, 2.0, 3.0]])
def test_what_cannot_be_learnt_is_refused_by_one_line(values):
    _, _, scalings, rng = problem()
    with pytest.raises(ValueError, match="a surrogate needs finite ones of at least 2 rows") as caught:
        fit_surrogate(rng.normal(size=(min(len(values), 2), N_COLUMNS)), values, scalings)
    assert "\n" not in str(caught.value)


def test_a_belief_is_the_same_whether_rows_are_pinned_one_by_one_or_together():
    X, values, scalings, counts, new = counted(2)
    surrogate = fit_surrogate(X, values, scalings, counts)
    belief = Belief(surrogate, new)
    rng = np.random.default_rng(0)
    pinned = rng.normal(size=(20, N_COLUMNS))
    for n in (0, 1, 2, 9, 20):
        for found, expected in zip(belief.posterior(pinned[:n]), surrogate.posterior(new, pinned[:n]), strict=True):
            np.testing.assert_array_equal(found, expected)
    # One of them failed.
    for found, expected in zip(belief.posterior(pinned[1:9]), surrogate.posterior(new, pinned[1:9]), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_parameters_beside_have_lengths_of_their_own():
    """One column of fifty decides, narrowly: with the length of all others it would be lost among them."""
    rng = np.random.default_rng(0)
    names = [f"column {index}" for index in range(51)]
    X = rng.normal(size=(60, 51))
    X[:, -1] = rng.uniform(size=60)
    values = -np.square(X[:, -1] - 0.3) + 0.001 * rng.normal(size=60)
    population = np.hstack([rng.normal(size=(200, 50)), rng.uniform(size=(200, 1))])
    scalings = scalings_of(population, names, [1])
    own = fit_surrogate(X, values, scalings, groups=[1])
    assert own.tau > 0.9
    assert own.tau > fit_surrogate(X, values, scalings).tau + 0.3
    again = fit_surrogate(X, values, scalings, groups=[1], tuned=own.tuned)
    np.testing.assert_array_equal(again.left_out, own.left_out)
    size = [next(name for name, feature in FEATURES.items() if feature.tier == "size"), *names[1:]]
    assert [len(scaling) for scaling in scalings_of(population, size, [1])] == [2, 51]


def test_where_sizes_hardly_differ_there_is_one_process():
    names = names_of(("size", "structure"))
    alike = describe([WattsStrogatz(40, 4, 0.3).sample(seed) for seed in range(20)])
    assert len(scalings_of(alike, names)) == 1
