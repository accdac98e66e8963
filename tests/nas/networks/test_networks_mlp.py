"""SparseMLP against dense torch networks, a naive network of edges, and optimizers."""

import copy
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from nas.networks import ACTIVATIONS, SparseMLP
from priors.wiring import Wiring

SEED = 13  # of a wiring with six layers, skips and gaps in its masks
FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": functional.gelu,
    "identity": lambda values: values,
}


def random_wiring(seed: int) -> Wiring:
    """Layers of 1 to 5 neurons, edges between any two layers: skips, isolated neurons, neurons without inputs."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 6, rng.integers(2, 7))
    layer = np.repeat(np.arange(len(sizes)), sizes)
    possible = np.argwhere(layer[:, None] < layer[None, :])
    edges = possible[rng.random(len(possible)) < rng.choice([0.1, 0.3, 0.6, 0.9])]
    return Wiring(sizes, edges, inputs=True, outputs=True, weights=rng.normal(size=len(edges)))


def with_random_bias(network: SparseMLP, seed: int) -> SparseMLP:
    rng = np.random.default_rng(seed)
    network.bias.data = torch.from_numpy(rng.normal(size=network.bias.shape)).to(network.bias)
    return network


def naive_outputs(wiring: Wiring, weights: Tensor, bias: Tensor, x: Tensor, activation: str) -> Tensor:
    """Sum edge by edge, neuron by neuron."""
    values = list(x.unbind(1))
    for neuron in range(wiring.n_inputs, wiring.n_neurons):
        total = bias[neuron - wiring.n_inputs].expand(len(x))
        for index, (source, target) in enumerate(wiring.edges.tolist()):
            if target == neuron:
                total = total + weights[index] * values[source]
        is_output = neuron >= wiring.n_neurons - wiring.n_outputs
        values.append(total if is_output else FUNCTIONS[activation](total))
    return torch.stack(values[wiring.n_neurons - wiring.n_outputs :], dim=1)


def at_edges(network: SparseMLP, flat: Tensor, wiring: Wiring) -> Tensor:
    """Read one number an edge out of the public (n_target, n_columns) views."""
    found, matrices = [], network.matrices(flat)
    for source, target in wiring.edges.tolist():
        ((block, matrix),) = (pair for pair in zip(network.blocks, matrices, strict=True) if target in pair[0].targets)
        column = block.columns.tolist().index(source)
        found.append(matrix[target - block.targets.start, column])
    return torch.stack(found) if found else flat.new_zeros(0)


def test_every_activation_has_a_reference():
    assert set(FUNCTIONS) == set(ACTIVATIONS)


def test_asymmetric_graph_pins_the_convention():
    # Inputs 0, 1, 2; hidden 3, 4; output 5 reads 3 and, directly, input 1.
    wiring = Wiring((3, 2, 1), [(0, 3), (2, 3), (1, 4), (3, 5), (1, 5)], True, True, weights=[2, 3, 5, 7, 11])
    network = SparseMLP(wiring, "relu")
    hidden = network.blocks[0]
    assert list(hidden.targets) == [3, 4]
    assert hidden.columns.tolist() == [0, 1, 2]
    assert network.matrices()[0].tolist() == [[2, 0, 3], [0, 5, 0]]
    assert network.weight.tolist() == [2, 3, 5, 11, 7]
    assert network.blocks[1].columns.tolist() == [1, 3]
    assert network.matrices()[1].tolist() == [[11, 7]]
    x = torch.tensor([[1.0, 10.0, 100.0], [-1.0, 1.0, 0.0]])
    assert network(x).tolist() == [[7 * 302 + 110], [11]]


@pytest.mark.parametrize("activation", sorted(FUNCTIONS))
def test_complete_masks_equal_dense_layers(activation: str):
    sizes = (5, 7, 4, 3)
    dense = [nn.Linear(before, after, dtype=torch.float64) for before, after in pairwise(sizes)]
    masks = [np.ones((after, before)) for before, after in pairwise(sizes)]
    network = SparseMLP(Wiring.from_masks(masks, inputs=True, outputs=True), activation, dtype=torch.float64)
    with torch.no_grad():
        network.copy_matrices([layer.weight for layer in dense])
        network.bias.copy_(torch.cat([layer.bias for layer in dense]))
    x = torch.randn(11, 5, dtype=torch.float64, requires_grad=True)
    same_x = x.detach().clone().requires_grad_()
    values = same_x
    for layer in dense[:-1]:
        values = FUNCTIONS[activation](layer(values))
    outputs, expected = network(x), dense[-1](values)
    torch.testing.assert_close(outputs, expected, rtol=0, atol=1e-12)
    outputs.pow(2).sum().backward()
    expected.pow(2).sum().backward()
    torch.testing.assert_close(x.grad, same_x.grad, rtol=1e-12, atol=1e-12)
    for gradient, layer in zip(network.matrices(network.weight.grad), dense, strict=True):
        torch.testing.assert_close(gradient, layer.weight.grad, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(network.bias.grad, torch.cat([d.bias.grad for d in dense]), rtol=1e-12, atol=1e-12)


@given(st.integers(0, 100_000), st.sampled_from(sorted(FUNCTIONS)), st.booleans())
@settings(deadline=None, max_examples=80)
def test_equals_a_naive_network_of_edges(seed: int, activation: str, input_gradient: bool):
    wiring = random_wiring(seed)
    network = with_random_bias(SparseMLP(wiring, activation, dtype=torch.float64), seed)
    rng = np.random.default_rng(seed + 1)
    x = torch.from_numpy(rng.normal(size=(4, wiring.n_inputs))).requires_grad_(input_gradient)
    outputs = network(x)
    sent_back = torch.from_numpy(rng.normal(size=outputs.shape))
    outputs.backward(sent_back)

    weights = torch.tensor(wiring.weights, dtype=torch.float64, requires_grad=True)
    bias = network.bias.detach().clone().requires_grad_()
    own_x = x.detach().clone().requires_grad_()
    expected = naive_outputs(wiring, weights, bias, own_x, activation)
    expected.backward(sent_back)
    torch.testing.assert_close(outputs, expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(network.bias.grad, bias.grad, rtol=1e-10, atol=1e-12)
    edge_gradient = torch.zeros_like(weights) if weights.grad is None else weights.grad
    torch.testing.assert_close(at_edges(network, network.weight.grad, wiring), edge_gradient, rtol=1e-10, atol=1e-12)
    assert len(network.weight) == wiring.n_edges
    if input_gradient:
        own_gradient = torch.zeros_like(own_x) if own_x.grad is None else own_x.grad
        torch.testing.assert_close(x.grad, own_gradient, rtol=1e-10, atol=1e-12)
    with torch.no_grad():
        assert torch.equal(network(x), outputs)


@pytest.mark.parametrize("activation", ["tanh", "gelu", "sigmoid"])
def test_gradcheck(activation: str):
    wiring = random_wiring(SEED)
    assert wiring.n_edges > 5
    network = SparseMLP(wiring, activation, dtype=torch.float64)

    def outputs(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return torch.func.functional_call(network, {"weight": weight, "bias": bias}, x)

    x = torch.randn(3, wiring.n_inputs, dtype=torch.float64, requires_grad=True)
    live = network.weight.detach().requires_grad_()
    bias = torch.randn(len(network.bias), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(outputs, (x, live, bias))


def test_every_neuron_of_a_natural_wiring_learns():
    # Sources 4 and 5 read all inputs, the sinks 6, 8 and 9 of three layers feed both outputs.
    hidden = [(4, 6), (4, 7), (5, 7), (7, 8), (5, 9), (7, 9)]
    read_in = [(unit, source) for unit in range(4) for source in (4, 5)]
    read_out = [(sink, output) for sink in (6, 8, 9) for output in (10, 11)]
    wiring = Wiring((4, 2, 2, 2, 2), hidden + read_in + read_out, inputs=True, outputs=True)
    network = SparseMLP(wiring, "tanh", rng=0)
    network(torch.randn(16, 4)).pow(2).sum().backward()
    assert (network.bias.grad != 0).all()
    assert (network.weight.grad != 0).all()


def test_frozen_parameters_and_state_dict():
    network = SparseMLP(random_wiring(SEED), rng=0)
    other = SparseMLP(random_wiring(SEED).replace(weights=None), rng=1)
    assert set(network.state_dict()) == {"weight", "bias", "slots", "columns"}
    other.load_state_dict(network.state_dict())
    x = torch.randn(5, network.blueprint.n_inputs)
    assert torch.equal(other(x), network(x))
    network.weight.requires_grad_(False)
    network(x).sum().backward()
    assert network.weight.grad is None
    assert network.bias.grad is not None


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_outputs_may_be_changed_in_place(batch: int, n_outputs: int):
    edges = [(0, 2), (1, 3), *((hidden, 4 + unit) for hidden in (2, 3) for unit in range(n_outputs))]
    network = SparseMLP(Wiring((2, 2, n_outputs), edges, True, True), "tanh", rng=0)
    x = torch.randn(batch, 2)
    network(x).mul_(2).sum().backward()
    doubled = network.weight.grad.clone()
    network.zero_grad()
    network(x).sum().backward()
    torch.testing.assert_close(doubled, 2 * network.weight.grad)


def test_an_empty_batch_is_fine():
    network = SparseMLP(random_wiring(SEED), rng=0)
    network(torch.zeros(0, network.blueprint.n_inputs)).sum().backward()
    assert not network.weight.grad.any()


@pytest.mark.parametrize(
    ("wiring", "activation", "message"),
    [
        (Wiring((2, 2), [(0, 2)], inputs=True), "relu", "outputs=False: SparseMLP needs both; attach them first"),
        (Wiring((1, 2, 1), [(1, 2)], True, True), "relu", r"edge \(1, 2\) is recurrent.*orient and layer"),
        (Wiring((1, 1), [(0, 1)], True, True), "swish", "activation='swish': it must be one of relu, tanh"),
    ],
)
def test_what_cannot_be_built_is_refused(wiring: Wiring, activation: str, message: str):
    with pytest.raises(ValueError, match=message):
        SparseMLP(wiring, activation)


@pytest.mark.parametrize("x", [torch.zeros(3), torch.zeros(2, 3), torch.zeros(2, 2, dtype=torch.float64)])
def test_what_cannot_be_read_is_refused(x: Tensor):
    network = SparseMLP(Wiring((2, 1), [(0, 2)], True, True))
    with pytest.raises(ValueError, match=r"this network reads \(batch, 2\) of torch.float32"):
        network(x)


def test_on_a_gpu_it_is_the_same_function():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    network = SparseMLP(random_wiring(SEED), "gelu", dtype=torch.float64)
    x = torch.randn(6, network.blueprint.n_inputs, dtype=torch.float64)
    network(x).pow(2).sum().backward()
    moved = copy.deepcopy(network).to("cuda")
    moved.zero_grad()
    outputs = moved(x.cuda())
    outputs.pow(2).sum().backward()
    torch.testing.assert_close(outputs.cpu(), network(x), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(moved.weight.grad.cpu(), network.weight.grad, rtol=1e-10, atol=1e-12)
