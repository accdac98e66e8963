"""Weights as they are stored with 8 or 16 bits each."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from nas import load_network, save_network
from nas.inputs import Pooling
from nas.networks import LinearMean, PooledMLP, SequenceNetwork, SparseMLP, round_parameters
from nas.networks.wired import WiredModule
from nas.tasks import Task
from nas.training.train import evaluate
from priors import Layered, WattsStrogatz, attach


def mlp() -> SparseMLP:
    return SparseMLP(Layered((6, 5, 3), density=0.7, inputs=True, outputs=True).sample(0), rng=0)


def rnn(cell: str) -> SequenceNetwork:
    wiring = attach(WattsStrogatz(8, 4, 0.3).sample(0), n_inputs=3, n_outputs=2, rng=0, reads=2)
    return SequenceNetwork(wiring, cell=cell, rng=0)


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "mlp": mlp,
    "pooled": lambda: PooledMLP(mlp(), Pooling(6, 4, 2)),
    "tanh": lambda: rnn("tanh"),
    "gru": lambda: rnn("gru"),
    "lstm": lambda: rnn("lstm"),
    "linear-mean": lambda: LinearMean(Layered((3, 2), edges=5, inputs=True, outputs=True).sample(0), rng=0),
}


def varied(name: str) -> nn.Module:
    """A network whose layers have weights of very different sizes, and biases."""
    network = NETWORKS[name]()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for number, parameter in enumerate(network.parameters()):
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 10.0**number)
    return network


def groups(network: nn.Module) -> list[np.ndarray]:
    """The numbers that share a factor, in float64: what matrices hold of each block, and biases of each module."""
    found = []
    for module in network.modules():
        if isinstance(module, WiredModule):
            found += [matrix.detach().double().numpy().ravel() for matrix in module.matrices()]
            found.append(module.bias_vector.detach().double().numpy().ravel())
    return [own for own in found if own.size]


@pytest.mark.parametrize("name", NETWORKS)
def test_eight_bits_are_integers_times_one_factor_a_group(name: str) -> None:
    network = varied(name)
    before = groups(network)
    round_parameters(network, 8)
    after = groups(network)
    for old, new in zip(before, after, strict=True):
        largest = np.abs(old).max()
        step = largest / 127
        integers = new / step if step else new
        assert np.allclose(integers, np.round(integers), atol=1e-3)
        assert np.abs(integers).max(initial=0) <= 127.001
        assert np.abs(new).max() == pytest.approx(largest, rel=1e-6)
        assert np.allclose(integers, np.round(old / step) if step else old, atol=1e-3)
    assert any(not np.array_equal(old, new) for old, new in zip(before, after, strict=True))
    # What is rounded already stays as it is, but for the rounding of the factor itself.
    round_parameters(network, 8)
    assert all(np.allclose(new, again, rtol=1e-6) for new, again in zip(after, groups(network), strict=True))


@pytest.mark.parametrize("name", NETWORKS)
def test_sixteen_bits_are_half_precision(name: str) -> None:
    network = varied(name)
    expected = [own.astype(np.float16).astype(np.float64) for own in groups(network)]
    round_parameters(network, 16)
    assert all(np.array_equal(*pair) for pair in zip(expected, groups(network), strict=True))
    network = varied(name)
    before = groups(network)
    round_parameters(network, 32)
    assert all(np.array_equal(*pair) for pair in zip(before, groups(network), strict=True))


def test_numbers_beyond_half_precision_stay_finite() -> None:
    network = mlp()
    with torch.no_grad():
        network.weight[0], network.weight[1] = 1e6, -1e6
    round_parameters(network, 16)
    assert network.weight[:2].tolist() == [65504.0, -65504.0]


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=40), st.sampled_from([8, 16]))
def test_no_weight_moves_by_more_than_half_a_step(values: list[float], bits: int) -> None:
    network = SparseMLP(Layered((len(values), 1), edges=len(values), inputs=True, outputs=True).sample(0), rng=0)
    before = torch.tensor([values])
    network.copy_matrices([before])
    round_parameters(network, bits)
    (after,) = network.matrices()
    size = before.double().abs()
    moved = (after.detach().double() - before.double()).abs()
    if bits == 8:
        # Of subnormal numbers a 127th is nothing any more.
        assert float(moved.max()) <= float(size.max()) / 254 * (1 + 1e-5) + 1e-36
    else:
        within = size <= 65504
        assert bool((moved[within] <= size[within] * 2.0**-11 + 2.0**-25).all())


def test_held_weights_are_rounded_too() -> None:
    wiring = Layered((4, 3, 2), edges=14, inputs=True, outputs=True).sample(0)
    brings = np.full(wiring.n_edges, np.nan)
    brings[:5] = np.linspace(-0.9, 0.7, 5)
    network = SparseMLP(wiring.replace(weights=brings), rng=0)
    network.hold()
    expected = [own.astype(np.float16).astype(np.float64) for own in groups(network)]
    round_parameters(network, 16)
    assert network.held is not None
    assert int((~network.held.isnan()).sum()) == 5
    assert all(np.array_equal(*pair) for pair in zip(expected, groups(network), strict=True))


@pytest.mark.parametrize("bits", [8, 16])
def test_a_rounded_network_survives_its_file(tmp_path: object, bits: int) -> None:
    network = varied("mlp")
    round_parameters(network, bits)
    inputs = np.random.default_rng(0).normal(size=(60, 6))
    task = Task.from_arrays("three", inputs, np.arange(60) % 3)
    path = f"{tmp_path}/network.safetensors"
    save_network(network, path)
    again = load_network(path)
    assert torch.equal(again.weight, network.weight)
    assert evaluate(again, task, task.test) == evaluate(network, task, task.test)


def test_what_cannot_be_rounded_is_refused() -> None:
    network = mlp()
    before = network.weight.detach().clone()
    with pytest.raises(ValueError, match="bits=4: it must be one of 8, 16, 32"):
        round_parameters(network, 4)
    with pytest.raises(ValueError, match="Linear: it has parameters that are no weights or biases of a wiring"):
        round_parameters(nn.Linear(2, 2), 8)
    nn.utils.parametrize.register_parametrization(network, "weight", nn.Identity())
    with pytest.raises(ValueError, match="without parametrisations"):
        round_parameters(network, 8)
    assert torch.equal(network.weight, before)
