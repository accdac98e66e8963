"""Initial weights: their variance, their independence of layout, spectral radii."""

import numpy as np
import pytest
import torch
from scipy.sparse.linalg import ArpackNoConvergence

from nas.networks import (
    MaskedLinear,
    SequenceNetwork,
    SparseMLP,
    SparseRNN,
    initialise,
    parts_of,
    spectral_radius,
    wiring_of,
)
from nas.networks.initialise import rescale_recurrent
from priors.wiring import Wiring


def star_wiring(n_units: int) -> Wiring:
    """Half the hidden neurons read 400 inputs, half read 25; every output reads all of them."""
    inputs, first_output = 400, 400 + n_units
    fan_in = [400 if index % 2 else 25 for index in range(n_units)]
    edges = [(source, inputs + index) for index in range(n_units) for source in range(fan_in[index])]
    edges += [(inputs + index, first_output + output) for index in range(n_units) for output in range(n_units)]
    return Wiring((inputs, n_units, n_units), edges, inputs=True, outputs=True)


@pytest.mark.parametrize(
    ("activation", "gain"), [("relu", 2), ("gelu", 2), ("tanh", 1), ("sigmoid", 1), ("identity", 1)]
)
def test_every_neuron_is_scaled_by_its_own_fan_in(activation: str, gain: float):
    network = SparseMLP(star_wiring(60), activation, rng=1, dtype=torch.float64)
    hidden, output = (matrix.detach().numpy() for matrix in network.matrices())
    wide, narrow = hidden[1::2], hidden[::2]
    # The relative standard error of a variance is sqrt(2 / draws): 1.3 %, 5.2 % and 2.4 %.
    assert (wide**2).mean() == pytest.approx(gain / 400, rel=0.06)
    assert (narrow[:, :25] ** 2).mean() == pytest.approx(gain / 25, rel=0.2)
    assert not narrow[:, 25:].any()
    assert (output**2).mean() == pytest.approx(1 / 60, rel=0.1)
    assert abs(wide.mean()) < 5 * np.sqrt(gain / 400 / wide.size)
    assert not network.bias.any()


@pytest.mark.parametrize(("cell", "gates"), [("tanh", 1), ("relu", 1), ("gru", 3), ("lstm", 4)])
def test_both_sides_of_a_cell_are_scaled_apart(cell: str, gates: int):
    read_in = [(unit, 50 + cell_number) for unit in range(50) for cell_number in range(100)]
    recurrent = [(50 + source, 50 + (source + step) % 100) for source in range(100) for step in range(20)]
    network = SparseRNN(Wiring((50, 100), read_in + recurrent, inputs=True), cell, rng=2, dtype=torch.float64)
    below, before = (matrix.detach().numpy() for matrix in network.matrices())
    for gate in np.split(below, gates):
        assert (gate**2).mean() == pytest.approx(1 / 50, rel=0.1)
    for gate in np.split(before, gates):
        assert (gate**2).sum(axis=1).mean() == pytest.approx(1, rel=0.15)
    forget = network.biases.detach().numpy().reshape(-1, 100)
    assert forget.sum(axis=1).tolist() == ([0, 100, 0, 0] if cell == "lstm" else [0] * (gates + (cell == "gru")))


def test_draws_follow_the_edges_and_not_the_layout():
    # The same edges in two layers of one or in one layer of two: other blocks, equal weights.
    edges = [(0, 2), (1, 2), (0, 3), (1, 3), (2, 4), (3, 4)]
    apart = wiring_of(SparseMLP(Wiring((2, 1, 1, 1), edges, True, True), rng=5))
    together = wiring_of(SparseMLP(Wiring((2, 2, 1), edges, True, True), rng=5))
    assert np.array_equal(apart.weights, together.weights)
    drawn = np.random.default_rng(5).standard_normal(6) * np.sqrt([1, 1, 1, 1, 0.5, 0.5])
    assert np.allclose(together.weights, drawn)


def test_one_seed_gives_one_network():
    wiring = star_wiring(4)
    assert torch.equal(SparseMLP(wiring, rng=3).weight, SparseMLP(wiring, rng=np.random.default_rng(3)).weight)
    assert not torch.equal(SparseMLP(wiring, rng=3).weight, SparseMLP(wiring, rng=4).weight)
    assert not torch.equal(SparseMLP(wiring).weight, SparseMLP(wiring).weight)
    single, double = SparseMLP(wiring, rng=3), SparseMLP(wiring, rng=3, dtype=torch.float64)
    assert torch.equal(single.weight, double.weight.float())


def test_the_head_draws_after_the_recurrent_network():
    wiring = Wiring((1, 3, 2), [(0, 1), (1, 2), (2, 3), (3, 1), (2, 4), (3, 4), (1, 5)], True, True)
    network, rng = SequenceNetwork(wiring, "gru", rng=9), np.random.default_rng(9)
    assert torch.equal(network.rnn.weight, SparseRNN(wiring, "gru", rng=rng).weight)
    assert torch.equal(network.head.weight, MaskedLinear(wiring, rng=rng).weight)


def test_weights_of_the_wiring_are_the_initial_weights():
    wiring = Wiring((1, 2, 1), [(0, 1), (0, 2), (1, 2), (2, 1), (2, 2), (1, 3)], True, True, weights=[1, 2, 3, 4, 5, 6])
    for network in (SparseRNN(wiring, "relu"), SequenceNetwork(wiring, "tanh")):
        below, before = parts_of(network)[0].matrices()
        assert below.tolist() == [[1], [2]]
        assert before.tolist() == [[0, 4], [3, 5]]
    assert SequenceNetwork(wiring, "tanh").head.weight.tolist() == [6]


def recurrent_wiring(n: int, density: float, seed: int, layers: int = 1) -> Wiring:
    rng = np.random.default_rng(seed)
    edges = np.argwhere(rng.random((n, n)) < density)
    sizes = [n // layers] * layers
    return Wiring((1, *sizes), np.concatenate([edges + 1, [(0, neuron + 1) for neuron in range(n)]]), inputs=True)


def recurrent_matrices(network: SparseRNN) -> np.ndarray:
    """Return (gates, n_hidden, n_hidden) matrices, assembled from the public views."""
    wiring, gates = network.blueprint, network.blocks[0].gates
    matrices = np.zeros((gates, wiring.n_hidden, wiring.n_hidden))
    for block, matrix in zip(network.blocks[1::2], network.matrices()[1::2], strict=True):
        view = matrix.detach().double().numpy().reshape(gates, len(block.targets), -1)
        targets = np.array(block.targets) - wiring.n_inputs
        matrices[:, targets[:, None], block.columns - wiring.n_inputs] = view
    return matrices


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
@pytest.mark.parametrize("layers", [1, 2])
def test_every_gate_reaches_the_spectral_radius(cell: str, layers: int):
    network = SparseRNN(recurrent_wiring(40, 0.2, 0, layers), cell, rng=0, spectral_radius=0.9, dtype=torch.float64)
    # Edges from the first to the second layer act within the step and are no part of the recurrent matrix.
    assert network.fused is (layers == 1)
    for matrix in recurrent_matrices(network):
        assert np.abs(np.linalg.eigvals(matrix)).max() == pytest.approx(0.9, rel=1e-6)


def test_large_networks_reach_it_too():
    network = SparseRNN(recurrent_wiring(400, 0.02, 1), "tanh", rng=0, spectral_radius=1.1, dtype=torch.float64)
    assert np.abs(np.linalg.eigvals(recurrent_matrices(network)[0])).max() == pytest.approx(1.1, rel=1e-6)


def test_scaling_changes_recurrent_weights_only():
    wiring = recurrent_wiring(20, 0.3, 2)
    plain, scaled = SparseRNN(wiring, rng=0), SparseRNN(wiring, rng=0, spectral_radius=0.5)
    assert torch.equal(plain.matrices()[0], scaled.matrices()[0])
    assert not torch.equal(plain.matrices()[1], scaled.matrices()[1])


@pytest.mark.parametrize("n", [6, 400])
def test_without_a_cycle_nothing_is_scaled(n: int):
    rng = np.random.default_rng(0)
    order = rng.permutation(n)
    edges = np.argwhere(np.triu(rng.random((n, n)) < 0.5, 1))
    wiring = Wiring((1, n), order[edges] + 1, inputs=True)
    plain, scaled = SparseRNN(wiring, rng=0), SparseRNN(wiring, rng=0, spectral_radius=0.9)
    assert torch.equal(plain.weight, scaled.weight)


def test_spectral_radius_of_known_graphs():
    cycle = [(0, 1), (1, 2), (2, 0)]
    assert spectral_radius(Wiring((3,), cycle)) == pytest.approx(1)
    assert spectral_radius(Wiring((3,), cycle, weights=[2, 3, 36])) == pytest.approx(6)
    assert spectral_radius(Wiring((3,), cycle, weights=[2, 3, 0])) == 0
    assert spectral_radius(Wiring((3,), [(0, 1), (1, 2)])) == 0
    assert spectral_radius(Wiring((5,), [(i, j) for i in range(5) for j in range(5) if i != j])) == pytest.approx(4)
    assert spectral_radius(Wiring((3,))) == 0
    # [[1, 1], [-1, -1]] has cycles and is nilpotent all the same.
    nilpotent = Wiring((2,), [(0, 0), (0, 1), (1, 0), (1, 1)], weights=[1, -1, 1, -1])
    assert spectral_radius(nilpotent) == 0


def test_a_large_ring_that_weight_zero_breaks_has_radius_zero():
    ring = [(index, (index + 1) % 310) for index in range(310)]
    assert spectral_radius(Wiring((310,), ring, weights=np.arange(310))) == 0
    assert spectral_radius(Wiring((310,), ring)) == pytest.approx(1)


def test_without_convergence_all_eigenvalues_are_computed(monkeypatch: pytest.MonkeyPatch):
    def never(*_: object, **__: object) -> None:
        raise ArpackNoConvergence("no convergence", np.zeros(0), np.zeros(0))

    wiring = recurrent_wiring(310, 0.05, 3).replace(inputs=False)
    expected = spectral_radius(wiring)
    monkeypatch.setattr(initialise, "eigs", never)
    assert spectral_radius(wiring) == pytest.approx(expected, rel=1e-6)


def test_radius_zero_and_nonsense():
    edges, weights = np.array([(0, 1), (1, 0)]), np.array([[1.0], [4.0]])
    assert not rescale_recurrent(edges, weights, 0.0, 2).any()
    assert np.allclose(rescale_recurrent(edges, weights, 1.0, 2), weights / 2)
    for radius in (-1, np.nan, np.inf):
        with pytest.raises(ValueError, match="it must be a finite number of at least 0"):
            rescale_recurrent(edges, weights, radius, 2)
