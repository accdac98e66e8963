"""Reservoirs against loops over neurons, plain numpy, scikit-learn's ridge regression, and what is known of memory."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.special import softmax
from sklearn.linear_model import Ridge
from sklearn.metrics import f1_score, log_loss

from nas.errors import InputError
from nas.reservoirs import Reservoir, ReservoirNetwork, load_series, network
from nas.reservoirs.readout import Moments
from nas.reservoirs.series import normalised_error, remember
from nas.tasks import Measure, Task
from nas.tasks.attractors import integrate_lorenz, integrate_mackey_glass
from priors import ErdosRenyi, Wiring, attach, spectral_radius


def sequences(n: int = 60, symbols: bool = False) -> Task:
    rng = np.random.default_rng(0)
    lengths = rng.integers(2, 9, n)
    inputs = rng.integers(0, 3, (n, 8)) if symbols else rng.normal(size=(n, 8, 3))
    targets = rng.integers(0, 2, n)
    return Task.from_arrays("sequences", inputs, targets, lengths=lengths, n_symbols=3 if symbols else None)


def net_and_wiring(weighted: bool = False) -> tuple[ReservoirNetwork, Wiring]:
    rng = np.random.default_rng(1)
    graph = ErdosRenyi(12, edges=30).sample(0)
    if weighted:
        graph = graph.replace(weights=rng.normal(size=graph.n_edges))
    wiring = attach(graph, 3, 2, "controlled", 0, reads=2, readouts=5)
    return ReservoirNetwork.draw(wiring, np.random.default_rng(2), np.random.default_rng(3), leak=0.6), wiring


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("symbols", [False, True])
def test_states_are_those_of_a_loop_over_neurons(symbols: bool, compiled: bool, monkeypatch: pytest.MonkeyPatch):
    if not compiled:
        monkeypatch.setattr(network, "extension", lambda: None)
    net, wiring = net_and_wiring()
    task = sequences(symbols=symbols)
    recurrent, inputs = net.recurrent.toarray(), net.inputs.toarray()
    x, lengths, _ = task.batch(task.train)
    found = net.sequence_states(x.double().numpy(), lengths.numpy(), 0.9)
    for row, example in zip(found, task.train.numpy(), strict=True):
        state = np.zeros(12)
        for time in range(int(task.lengths[example])):
            given = task.inputs[example, time].numpy()
            given = np.eye(3)[given] if symbols else given.astype(float)
            new = [
                np.tanh(
                    sum(recurrent[i, j] * state[j] for j in range(12)) * 0.9 / net.radius
                    + sum(inputs[i, k] * given[k] for k in range(3))
                    + net.bias[i]
                )
                for i in range(12)
            ]
            state = 0.4 * state + 0.6 * np.array(new)
        assert row == pytest.approx(state[net.read], abs=1e-12)
    # Edges lead from source to target; read are the neurons that outputs read.
    edges = {(int(a) - 3, int(b) - 3) for a, b in wiring.edges if a >= 3 and b < 15}
    assert {(int(j), int(i)) for i, j in zip(*np.nonzero(recurrent), strict=True)} == edges
    assert set(net.read) == {int(a) - 3 for a, b in wiring.edges if b >= 15}


@pytest.mark.parametrize("leak", [1.0, 0.3])
@pytest.mark.parametrize("n_radii", [1, 2, 3, 5, 9])
def test_series_go_through_the_same_states_compiled_and_not(n_radii: int, leak: float, monkeypatch: pytest.MonkeyPatch):
    wiring = attach(ErdosRenyi(20, edges=50).sample(0), 2, 1, "natural", 0)
    net = ReservoirNetwork.draw(wiring, np.random.default_rng(0), np.random.default_rng(1), leak=leak)
    series, radii = np.random.default_rng(2).normal(size=(50, 2)), np.linspace(0.2, 0.9, n_radii)
    found = net.states(series, radii)
    monkeypatch.setattr(network, "extension", lambda: None)
    assert found.shape == (n_radii, 50, len(net.read))
    assert found == pytest.approx(net.states(series, radii), abs=1e-12)
    # One after the other they are what they are together.
    assert found[-1] == pytest.approx(net.states(series, radii[-1:])[0], abs=1e-12)


@pytest.mark.parametrize("compiled", [True, False])
def test_sequences_have_states_at_every_step(compiled: bool, monkeypatch: pytest.MonkeyPatch):
    if not compiled:
        monkeypatch.setattr(network, "extension", lambda: None)
    net, _ = net_and_wiring()
    inputs = np.random.default_rng(4).normal(size=(7, 6, 3))
    found = net.sequence_states(inputs, None, 0.7)
    assert found.shape == (7, 6, len(net.read))
    for steps in range(1, 7):
        ends = net.sequence_states(inputs, np.full(7, steps), 0.7)
        assert found[:, steps - 1] == pytest.approx(ends, abs=1e-12)


def test_weights_of_a_graph_are_the_reservoirs_own():
    net, wiring = net_and_wiring(weighted=True)
    inner = (wiring.edges[:, 0] >= 3) & (wiring.edges[:, 1] < 15)
    for (source, target), weight in zip(wiring.edges[inner] - 3, wiring.weights[inner], strict=True):
        assert net.recurrent[target, source] == pytest.approx(weight)
    assert net.radius == pytest.approx(spectral_radius(wiring), rel=1e-5)


def test_read_outs_are_scikit_learns_ridge_regression():
    rng = np.random.default_rng(4)
    states, wanted = rng.normal(size=(50, 7)) + 1.0, rng.normal(size=(50, 3))
    centred = states - states.mean(axis=0)
    scale = np.trace(centred.T @ centred) / 7
    for ridge, (weights, intercept) in zip([0.01, 1.0], Moments(states, wanted).fit([0.01, 1.0]), strict=True):
        fitted = Ridge(alpha=ridge * scale).fit(states, wanted)
        assert weights == pytest.approx(fitted.coef_.T)
        assert intercept == pytest.approx(fitted.intercept_)


@pytest.mark.parametrize("sizes", [(50,), (1, 49), (20, 0, 30), (1,) * 50])
def test_read_outs_are_the_same_from_parts(sizes: tuple[int, ...]):
    rng = np.random.default_rng(6)
    # Far from 0, with a drift: what the first part tells of the means is wrong.
    states = rng.normal(size=(50, 5)) + 1e4 + np.linspace(0, 50, 50)[:, None]
    wanted = rng.normal(size=(50, 3)) - 1e3
    ends = np.cumsum(sizes)[:-1]
    first, *others = zip(np.split(states, ends), np.split(wanted, ends), strict=True)
    moments = Moments(*first)
    for part in others:
        moments.add(*part)
    assert moments.level == pytest.approx(wanted.mean(axis=0), rel=1e-12)
    read, outputs = np.array([0, 2, 3]), np.array([1])
    ((weights, intercept),) = moments.fit([0.1], read, outputs)
    own = states[:, read] - states[:, read].mean(axis=0)
    fitted = Ridge(alpha=0.1 * np.trace(own.T @ own) / 3).fit(states[:, read], wanted[:, 1])
    assert weights[:, 0] == pytest.approx(fitted.coef_, rel=1e-6, abs=1e-9)
    assert states[:, read] @ weights + intercept == pytest.approx(fitted.predict(states[:, read])[:, None], rel=1e-9)


def test_states_that_never_vary_or_are_the_same_have_a_read_out():
    rng = np.random.default_rng(5)
    one = rng.normal(size=(40, 1))
    states = np.hstack([one, one, np.ones((40, 2))])
    ((weights, intercept),) = Moments(states, 3 * one + 1).fit([1e-12])
    assert states @ weights + intercept == pytest.approx(3 * one + 1, abs=1e-4)
    ((nothing, level),) = Moments(np.ones((5, 2)), np.arange(5.0)[:, None]).fit([1e-6])
    assert np.ones((5, 2)) @ nothing + level == pytest.approx(np.full((5, 1), 2.0))


@pytest.mark.parametrize("sizes", [(60,), (1, 59), (20, 40), (7, 13, 40)])
@pytest.mark.parametrize("level", [0.37, -1e-3, 0.1 + 0.2, 1e5 / 3])
def test_nothing_is_made_of_the_rounding_of_states_that_never_vary(level: float, sizes: tuple[int, ...]):
    rng = np.random.default_rng(7)
    constant = np.full((60, 2), level) * (1 + np.finfo(float).eps * rng.integers(-3, 4, (60, 2)))
    varying = rng.normal(size=(60, 2))
    states, wanted = np.hstack([constant, varying]), rng.normal(size=(60, 3))
    ends = np.cumsum(sizes)[:-1]
    first, *others = zip(np.split(states, ends), np.split(wanted, ends), strict=True)
    moments = Moments(*first)
    for part in others:
        moments.add(*part)
    for read in (np.arange(4), np.array([0, 1]), np.array([0])):
        for weights, intercept in moments.fit([1e-6, 1.0], read):
            assert np.isfinite(weights).all()
            assert not weights[read < 2].any()
            if not (read >= 2).any():
                assert intercept == pytest.approx(wanted.mean(axis=0), rel=1e-9)


def test_memory_is_what_a_delay_line_holds():
    # A chain of ten neurons holds nine values after the first one; noise-free and almost linear, it recalls them.
    chain = Wiring((10,), [(i, i + 1) for i in range(9)], weights=[1.0] * 9)
    first = Wiring((1, 10), [(0, 1), *((i + 1, i + 2) for i in range(9))], inputs=True, weights=[1.0] * 10)
    assert not chain.inputs
    how = Reservoir(radii=(0.9,), input_scale=0.1, ridges=(1e-12,))
    score = how.evaluate(first, load_series("memory", 15), np.random.default_rng(0), np.random.default_rng(1))
    assert score.test == pytest.approx(9.0, abs=0.25)
    assert score.radius == 0.0  # A chain has none to scale.


def test_memory_is_bounded_by_the_number_of_neurons():
    graph = attach(ErdosRenyi(20, edges=60).sample(0), 1, 30, "natural", 0)
    score = Reservoir().evaluate(graph, load_series("memory", 30), np.random.default_rng(0), np.random.default_rng(1))
    assert 3.0 < score.test < 20.5


@pytest.mark.parametrize("delays", [4, 300])
def test_the_signal_is_asked_for_as_it_was(delays: int):
    series = load_series("memory", delays)
    heard = series.inputs[:, 0]
    for first, end in pairwise(series.ends):
        for time in (first, end - 1):
            assert np.array_equal(series.wanted[time], heard[time - delays : time][::-1])
    assert [end - first for first, end in pairwise(series.ends)] == [2_000, 1_000, 1_000]
    assert series.ends[0] >= delays


def test_capacity_by_hand():
    rng = np.random.default_rng(5)
    wanted = rng.normal(size=(500, 3))
    found = np.stack([2 * wanted[:, 0] + 1, rng.normal(size=500), np.ones(500)], axis=1)
    assert remember(found, wanted) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("name", ["log-loss", "macro-f1", "mae"])
def test_a_task_is_judged_by_its_own_metric(name: str):
    task = sequences()
    if name == "mae":
        values = np.random.default_rng(1).normal(size=len(task.targets))
        task = Task.from_arrays("numbers", task.inputs.numpy(), values, lengths=task.lengths.numpy())
        task = replace(task, measure=Measure(name, (3.0,), (2.0,)))
    else:
        task = replace(task, measure=Measure(name))
    _, wiring = net_and_wiring()
    how = Reservoir(radii=(0.5, 0.9), ridges=(1e-3, 1.0))
    score = how.evaluate(wiring, task, np.random.default_rng(0), np.random.default_rng(1))
    x, lengths, y = task.batch(task.test)
    states = score.network.sequence_states(x.double().numpy(), lengths.numpy(), score.radius)
    outputs = states @ score.weights + score.intercept
    truth = y.numpy()
    if name == "mae":
        expected = np.abs(2 * (outputs - truth)).mean()
    elif name == "macro-f1":
        expected = f1_score(truth, outputs.argmax(axis=1), average="macro")
    else:
        expected = log_loss(truth, softmax(outputs, axis=1), labels=[0, 1])
    assert score.test == pytest.approx(expected)
    # Of a metric to minimize the least is the best.
    others = [
        Reservoir(radii=(radius,), ridges=(ridge,))
        .evaluate(wiring, task, np.random.default_rng(0), np.random.default_rng(1))
        .validation
        for radius in how.radii
        for ridge in how.ridges
    ]
    assert score.validation == (max if name == "macro-f1" else min)(others)


@pytest.mark.parametrize("name", ["weights", "class_weights"])
def test_weights_of_losses_are_refused(name: str):
    task = sequences()
    task = replace(task, **{name: torch.ones(len(task.inputs) if name == "weights" else 2)})
    _, wiring = net_and_wiring()
    with pytest.raises(InputError, match=f"^{name}: a reservoir's read-out counts every example once"):
        Reservoir().evaluate(wiring, task, np.random.default_rng(0), np.random.default_rng(1))


def test_a_wiring_of_other_inputs_is_refused():
    _, wiring = net_and_wiring()
    with pytest.raises(ValueError, match="the wiring has 3 input units, and task memory 1"):
        Reservoir().evaluate(wiring, load_series("memory"), np.random.default_rng(0), np.random.default_rng(1))
    with pytest.raises(InputError, match="delays=3: task lorenz ignores it"):
        load_series("lorenz", 3)


# Chaos


def test_mackey_glass_follows_its_equation():
    # A constant past of 1 is a fixed point; of 0 nothing comes.
    assert integrate_mackey_glass(50, start=1.0) == pytest.approx(np.ones(50))
    assert integrate_mackey_glass(50, start=0.0) == pytest.approx(np.zeros(50))
    # In the first 17 units x' = a - x / 10 has a closed solution.
    past = 0.2 * 1.2 / (1 + 1.2**10)
    times = np.arange(1, 17)
    solution = 10 * past + (1.2 - 10 * past) * np.exp(-times / 10)
    assert integrate_mackey_glass(16) == pytest.approx(solution, abs=1e-8)
    assert integrate_mackey_glass(100) == pytest.approx(integrate_mackey_glass(100, fine=40), abs=1e-4)


def test_lorenz_follows_its_equation():
    def slope(_: float, state: np.ndarray) -> list[float]:
        x, y, z = state
        return [10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z]

    times = 0.02 * np.arange(1, 101)
    solution = solve_ivp(slope, (0, 2), [1, 1, 1], t_eval=times, rtol=1e-11, atol=1e-11).y.T
    assert integrate_lorenz(100) == pytest.approx(solution, abs=1e-3)


@pytest.mark.parametrize("name", ["mackey-glass", "lorenz"])
def test_what_is_foreseen_comes_ten_steps_later(name: str):
    series = load_series(name)
    assert np.array_equal(series.wanted[:-10], series.inputs[10:])
    first, end = series.ends[:2]
    assert series.inputs[first:end].mean(axis=0) == pytest.approx(np.zeros(series.n_inputs), abs=1e-9)
    assert series.inputs[first:end].std(axis=0) == pytest.approx(np.ones(series.n_inputs))


@pytest.mark.parametrize("name", ["memory", "mackey-glass"])
def test_values_are_those_of_plain_numpy(name: str):
    """An echo state network as it is written down everywhere, on the same matrices."""
    series = load_series(name)
    wiring = attach(ErdosRenyi(60, edges=240).sample(0), 1, 1, "natural", 0)
    how = Reservoir(radii=(0.9,), ridges=(1e-4,), leak=0.7)
    score = how.evaluate(wiring, series, np.random.default_rng(0), np.random.default_rng(1))
    net = score.network
    matrix = net.recurrent.toarray()
    matrix *= 0.9 / np.abs(np.linalg.eigvals(matrix)).max()
    state, states = np.zeros(60), []
    for row in series.inputs:
        state = 0.3 * state + 0.7 * np.tanh(matrix @ state + net.inputs @ row + net.bias)
        states.append(state[net.read])
    train, _, test = series.parts(np.array(states))
    wanted, _, asked = series.parts(series.wanted)
    centred = train - train.mean(axis=0)
    ridge = 1e-4 * np.trace(centred.T @ centred) / centred.shape[1]
    found = Ridge(alpha=ridge).fit(train, wanted).predict(test).reshape(asked.shape)
    if name == "memory":
        expected = sum(np.corrcoef(found[:, own], asked[:, own])[0, 1] ** 2 for own in range(40))
    else:
        expected = np.sqrt(np.mean((found - asked) ** 2)) / asked.std()
        assert expected < 0.3
    assert score.test == pytest.approx(expected, rel=1e-3)


def test_errors_by_hand():
    wanted = np.array([[1.0], [3.0]])
    assert normalised_error(wanted, wanted) == 0
    assert normalised_error(np.full((2, 1), 2.0), wanted) == 1
    assert normalised_error(wanted + 2, wanted) == 2


def test_radii_within_a_tolerance():
    for seed in range(5):
        graph = ErdosRenyi(150, edges=900).sample(seed)
        weighted = graph.replace(weights=np.random.default_rng(seed).normal(size=graph.n_edges))
        assert spectral_radius(weighted, 1e-3) == pytest.approx(spectral_radius(weighted), rel=1e-3)
