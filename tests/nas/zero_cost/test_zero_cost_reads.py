"""Which inputs a wiring reads: moments of tasks and measures that need no network, against numpy and by hand."""

import numpy as np
import pytest
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from nas.networks import NetworkSpec
from nas.tasks import Task, load_task
from nas.zero_cost import zero_cost_columns
from nas.zero_cost.measures import read_measures
from nas.zero_cost.passes import Ensemble
from nas.zero_cost.sample import Moments
from predictors import Predictor
from predictors.features.influence import influences, live_neurons
from priors import WattsStrogatz, attach, layer, orient
from priors.wiring import Wiring


def test_moments_of_a_task():
    rng, labels = np.random.default_rng(4), np.arange(150) % 3
    task = Task.from_arrays("rows", rng.normal(size=(150, 4)) + labels[:, None] * [1, -1, 0, 0.5], labels)
    x, y = task.inputs[task.train].double().numpy(), task.targets[task.train].numpy()
    moments = Moments.of(task)
    np.testing.assert_allclose(moments.total, x.var(axis=0), rtol=1e-9)
    between = sum((y == k).mean() * (x[y == k].mean(axis=0) - x.mean(axis=0)) ** 2 for k in range(3))
    np.testing.assert_allclose(moments.separation, between / x.var(axis=0), rtol=1e-9)
    within = sum((y == k).mean() * np.cov(x[y == k].T, bias=True) for k in range(3))
    shrunk = within + 0.1 * np.trace(within) / 4 * np.eye(4)
    lda = LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=_Fixed(shrunk)).fit(x, y)
    means = np.stack([x[y == k].mean(axis=0) for k in range(3)])
    weights = lda.coef_ - np.linalg.solve(shrunk, x.mean(axis=0))
    np.testing.assert_allclose(lda.coef_, np.linalg.solve(shrunk, means.T).T, rtol=1e-6)
    shares = np.bincount(y) / len(y)
    np.testing.assert_allclose(moments.discriminant, x.var(axis=0) * (shares @ weights**2), rtol=1e-6)


class _Fixed:
    """An estimator of a covariance that is known."""

    def __init__(self, covariance: np.ndarray) -> None:
        self.covariance_ = covariance

    def fit(self, _: np.ndarray) -> "_Fixed":
        return self


def test_moments_of_symbols_count_every_step():
    rng = np.random.default_rng(0)
    symbols, ends = rng.integers(0, 4, (150, 6)), rng.integers(1, 7, 150)
    task = Task.from_arrays("symbols", symbols, np.arange(150) % 3, lengths=ends, n_symbols=4)
    x, lengths, _ = task.batch(task.train)
    steps = torch.cat([row[:length] for row, length in zip(x, lengths, strict=True)]).double()
    np.testing.assert_allclose(Moments.of(task).total, steps.var(dim=0, correction=0), rtol=1e-9)


def test_reads_of_a_wiring_by_hand():
    # Neuron 4 is read by nothing; 3 reaches the output 6 alone and through 5.
    edges = [(0, 2), (0, 3), (1, 3), (1, 4), (3, 5), (2, 6), (3, 6), (5, 6)]
    wiring = Wiring((2, 3, 1, 1), edges, inputs=True, outputs=True)
    assert live_neurons(wiring).tolist() == [True, True, True, True, False, True, True]
    np.testing.assert_allclose(influences(wiring)[2:], [1 / 3, 2 / 3, 0, 1 / 3, 1])
    moments = Moments(np.array([1.0, 4.0]), np.array([0.25, 0.75]), np.array([3.0, 1.0]))
    found = read_measures(wiring, moments)
    assert found["input_variance"] == pytest.approx((1 + 1 + 4 + 4) / 4)
    assert found["linear_reads"] == pytest.approx(0.25 * 2 + 0.75 * 1)
    third, two_thirds = (4 / 3) / (4 / 3 + 1), (8 / 3) / (8 / 3 + 1)
    expected = (3 * np.log1p(third + two_thirds) + np.log1p(two_thirds)) / 4
    assert found["discriminant_reads"] == pytest.approx(expected)


def test_recurrent_wirings_count_live_readers():
    edges = [(0, 2), (1, 2), (1, 3), (2, 3), (3, 3), (2, 4)]
    wiring = Wiring((2, 2, 1), edges, inputs=True, outputs=True)
    moments = Moments(np.ones(2), np.ones(2), np.array([1.0, 3.0]))
    found = read_measures(wiring, moments)
    # Neuron 3 leads nowhere.
    assert found["linear_reads"] == 1
    assert found["discriminant_reads"] == pytest.approx(np.log(2))


def test_influence_is_the_expected_squared_derivative():
    generator = torch.Generator().manual_seed(0)
    edges = [
        (0, 4),
        (1, 4),
        (1, 5),
        (2, 5),
        (3, 6),
        (4, 6),
        (5, 7),
        (0, 7),
        (6, 8),
        (7, 8),
        (5, 9),
        (6, 9),
        (2, 10),
        (7, 10),
    ]
    wiring = Wiring((4, 2, 2, 3), edges, inputs=True, outputs=True)
    ensemble = Ensemble(
        wiring, NetworkSpec("mlp"), [np.random.default_rng(seed) for seed in range(4000)], torch.float64
    )
    x = torch.randn(4000, 4, 1, dtype=torch.float64, generator=generator).requires_grad_()
    outputs = ensemble.run(ensemble.weights, x).outputs
    squares = sum(torch.autograd.grad(outputs[:, k].sum(), x, retain_graph=True)[0] ** 2 for k in range(3))
    np.testing.assert_allclose(squares.mean(dim=(0, 2)), influences(wiring)[:4], rtol=0.15)


def test_a_predictor_learns_from_them():
    graphs = [WattsStrogatz(8, 2, 0.5).sample(seed) for seed in range(8)]
    wirings = [attach(layer(orient(graph, "random", 0)), 64, 10, "natural") for graph in graphs]
    columns = zero_cost_columns(wirings, NetworkSpec("mlp"), load_task("digits"), inits=1)
    predictor = Predictor().fit(wirings, np.linspace(0, 1, 8), columns=columns)
    assert predictor.fitted_.names[-len(columns) :] == tuple(sorted(columns))
    assert np.isfinite(predictor.predict(wirings, columns=columns)).all()
