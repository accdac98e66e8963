"""Reservoirs against loops over neurons, scikit-learn's ridge regression, and what is known of memory."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from nas.comparison.reservoir import Reservoir, _classified, _Net, _read_outs, _remembered, remember
from nas.errors import InputError
from nas.tasks import Task
from priors import ErdosRenyi, Wiring, attach, spectral_radius


def sequences(n: int = 60, symbols: bool = False) -> Task:
    rng = np.random.default_rng(0)
    lengths = rng.integers(2, 9, n)
    inputs = rng.integers(0, 3, (n, 8)) if symbols else rng.normal(size=(n, 8, 3))
    targets = rng.integers(0, 2, n)
    return Task.from_arrays("sequences", inputs, targets, lengths=lengths, n_symbols=3 if symbols else None)


def net_and_wiring(weighted: bool = False) -> tuple[_Net, Wiring]:
    rng = np.random.default_rng(1)
    graph = ErdosRenyi(12, edges=30).sample(0)
    if weighted:
        graph = graph.replace(weights=rng.normal(size=graph.n_edges))
    wiring = attach(graph, 3, 2, "controlled", 0, reads=2, readouts=5)
    how = Reservoir(leak=0.6)
    return _Net.of(wiring, how, np.random.default_rng(2), np.random.default_rng(3)), wiring


@pytest.mark.parametrize("symbols", [False, True])
def test_states_are_those_of_a_loop_over_neurons(symbols: bool):
    net, wiring = net_and_wiring()
    task = sequences(symbols=symbols)
    recurrent, inputs = net.recurrent.toarray(), net.inputs.toarray()
    part = _classified(net, 0.9, task)[0]
    for row, example in zip(part[0], task.train.numpy(), strict=True):
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


def test_weights_of_a_graph_are_the_reservoirs_own():
    net, wiring = net_and_wiring(weighted=True)
    inner = (wiring.edges[:, 0] >= 3) & (wiring.edges[:, 1] < 15)
    for (source, target), weight in zip(wiring.edges[inner] - 3, wiring.weights[inner], strict=True):
        assert net.recurrent[target, source] == pytest.approx(weight)
    assert net.radius == pytest.approx(spectral_radius(wiring), rel=1e-5)


def test_read_outs_are_scikit_learns_ridge_regression():
    rng = np.random.default_rng(4)
    parts = [(rng.normal(size=(n, 7)) + 1.0, rng.normal(size=(n, 3))) for n in (50, 20, 10)]
    centred = parts[0][0] - parts[0][0].mean(axis=0)
    scale = np.trace(centred.T @ centred) / 7
    told = list(_read_outs(parts, [0.01, 1.0], lambda found, wanted: float(((found - wanted) ** 2).sum())))
    for ridge, (validation, test) in zip([0.01, 1.0], told, strict=True):
        fitted = Ridge(alpha=ridge * scale).fit(*parts[0])
        for value, (states, wanted) in zip((validation, test), parts[1:], strict=True):
            assert value == pytest.approx(float(((fitted.predict(states) - wanted) ** 2).sum()))


def test_memory_is_what_a_delay_line_holds():
    # A chain of ten neurons holds nine values after the first one; noise-free and almost linear, it recalls them.
    chain = Wiring((10,), [(i, i + 1) for i in range(9)], weights=[1.0] * 9)
    first = Wiring((1, 10), [(0, 1), *((i + 1, i + 2) for i in range(9))], inputs=True, weights=[1.0] * 10)
    assert not chain.inputs
    how = Reservoir(radii=(0.9,), input_scale=0.1, delays=15, ridges=(1e-12,))
    score = how.evaluate(first, None, np.random.default_rng(0), np.random.default_rng(1))
    assert score.test == pytest.approx(9.0, abs=0.25)
    assert score.radius == 0.0  # A chain has none to scale.


def test_memory_is_bounded_by_the_number_of_neurons():
    graph = attach(ErdosRenyi(20, edges=60).sample(0), 1, 30, "natural", 0)
    score = Reservoir(delays=30).evaluate(graph, None, np.random.default_rng(0), np.random.default_rng(1))
    assert 3.0 < score.test < 20.5


def test_the_signal_is_asked_for_as_it_was():
    graph = attach(ErdosRenyi(5, edges=8).sample(0), 1, 4, "natural", 0)
    net = _Net.of(graph, Reservoir(delays=4), np.random.default_rng(0), np.random.default_rng(1))
    (_, first), (_, second), (_, third) = next(_remembered(net, [0.9], 4))
    for wanted in (first, second, third):
        for delay in range(1, 4):
            assert np.array_equal(wanted[1:, delay], wanted[:-1, delay - 1])
    assert len(first) == 2_000
    assert len(third) == 1_000


def test_long_delays_ask_for_nothing_that_came_before_the_signal():
    graph = attach(ErdosRenyi(5, edges=8).sample(0), 1, 1, "natural", 0)
    net = _Net.of(graph, Reservoir(delays=300), np.random.default_rng(0), np.random.default_rng(1))
    (_, first), *_, (_, last) = next(_remembered(net, [0.9], 300))
    later = {float(value) for value in last[:, 0]}
    assert not later & {float(value) for value in first[0]}


def test_capacity_by_hand():
    rng = np.random.default_rng(5)
    wanted = rng.normal(size=(500, 3))
    found = np.stack([2 * wanted[:, 0] + 1, rng.normal(size=500), np.ones(500)], axis=1)
    assert remember(found, wanted) == pytest.approx(1.0, abs=0.02)


def test_memory_has_one_input():
    net, _ = net_and_wiring()
    with pytest.raises(InputError, match="the memory task has one input"):
        next(_remembered(net, [0.9], 4))
