"""SparseRNN against torch's recurrent networks and a naive one that walks edge by edge, step by step."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rnn_cases import CELL_NAMES, SEED, build, normal, parts, random_wiring
from torch import Tensor, nn

from nas.networks import SparseRNN
from priors.wiring import Wiring

GATES = {"tanh": 1, "relu": 1, "gru": 3, "lstm": 4}
State = list[list[Tensor]]


def naive(network: SparseRNN, weight: Tensor, bias: Tensor, x: Tensor, state: State | None = None) -> Tensor:
    """Return (batch, time, n_hidden) states: every cell sums over its own edges, one number at a time."""
    wiring, cell, n_gates = network.blueprint, network.cell, GATES[network.cell]
    weights, biases = edge_weights(network, weight), cell_biases(network, bias)
    batch, time, n_inputs = x.shape
    hidden = range(n_inputs, n_inputs + network.hidden_size)
    zeros = torch.zeros(batch, dtype=x.dtype)
    h, c = state or ([zeros] * len(hidden), [zeros] * len(hidden))
    outputs = []
    for t in range(time):
        values = dict(enumerate(x[:, t].unbind(1)))
        old = dict(zip(hidden, h, strict=True))
        h, c = list(h), list(c)
        for neuron in hidden:
            below = [biases[neuron][gate].expand(batch) for gate in range(n_gates)]
            before = [zeros] * n_gates
            for (source, target), forward in zip(wiring.edges.tolist(), wiring.forward, strict=True):
                for gate in range(n_gates) if target == neuron else ():
                    side, read = (below, values) if forward else (before, old)
                    side[gate] = side[gate] + weights[source, target][gate] * read[source]
            index = neuron - n_inputs
            if cell == "lstm":
                i, f, g, o = (a + b for a, b in zip(below, before, strict=True))
                c[index] = torch.sigmoid(f) * c[index] + torch.sigmoid(i) * torch.tanh(g)
                h[index] = torch.sigmoid(o) * torch.tanh(c[index])
            elif cell == "gru":
                r, z = (torch.sigmoid(below[gate] + before[gate]) for gate in (0, 1))
                new = torch.tanh(below[2] + r * (before[2] + biases[neuron][3]))
                h[index] = (1 - z) * new + z * old[neuron]
            else:
                h[index] = (torch.tanh if cell == "tanh" else torch.relu)(below[0] + before[0])
            values[neuron] = h[index]
        outputs.append(torch.stack(h, dim=1))
    return torch.stack(outputs, dim=1)


def edge_weights(network: SparseRNN, flat: Tensor) -> dict[tuple[int, int], Tensor]:
    """Read each edge's gates out of the public (gates * n_target, n_columns) views."""
    wiring, found, matrices = network.blueprint, {}, network.matrices(flat)
    for (source, target), forward in zip(wiring.edges.tolist(), wiring.forward, strict=True):
        for block, matrix in zip(network.blocks, matrices, strict=True):
            if target in block.targets and block.recurrent != forward:
                rows = slice(target - block.targets.start, None, len(block.targets))
                found[source, target] = matrix[rows, block.columns.tolist().index(source)]
    return found


def cell_biases(network: SparseRNN, flat: Tensor) -> dict[int, Tensor]:
    found, offset, n_biases = {}, 0, GATES[network.cell] + (network.cell == "gru")
    for block in network.blocks[::2]:
        size = len(block.targets)
        layer = flat[offset : offset + n_biases * size].view(n_biases, size)
        found |= dict(zip(block.targets, layer.unbind(1), strict=True))
        offset += n_biases * size
    assert offset == len(flat)
    return found


def torch_network(cell: str, n_inputs: int, n_hidden: int, n_layers: int = 1) -> nn.RNNBase:
    kind = {"gru": nn.GRU, "lstm": nn.LSTM}.get(cell)
    options = {"num_layers": n_layers, "batch_first": True, "dtype": torch.float64}
    if kind is None:
        return nn.RNN(n_inputs, n_hidden, nonlinearity=cell, **options)
    return kind(n_inputs, n_hidden, **options)


def complete_wiring(n_inputs: int, n_hidden: int, n_layers: int = 1) -> Wiring:
    sizes = (n_inputs, *[n_hidden] * n_layers)
    layer = np.repeat(np.arange(len(sizes)), sizes)
    step = layer[None, :] - layer[:, None]
    return Wiring(sizes, np.argwhere(((step == 1) | (step == 0)) & (layer[None, :] > 0)), inputs=True)


def copy_from(network: SparseRNN, dense: nn.RNNBase) -> None:
    """Give a complete network the weights of a torch network, whose hidden biases are 0 but for the GRU's new gate."""
    biases, sides = [], [(number, side) for number in range(dense.num_layers) for side in ("ih", "hh")]
    network.copy_matrices([getattr(dense, f"weight_{side}_l{number}") for number, side in sides])
    with torch.no_grad():
        for number in range(dense.num_layers):
            hidden_bias = getattr(dense, f"bias_hh_l{number}")
            hidden_bias[: 2 * dense.hidden_size if network.cell == "gru" else None] = 0
            biases += [getattr(dense, f"bias_ih_l{number}"), hidden_bias[2 * dense.hidden_size :]]
        network.biases.copy_(torch.cat(biases if network.cell == "gru" else biases[::2]))


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("fused", [True, False])
def test_complete_masks_equal_torch(cell: str, n_layers: int, fused: bool):
    dense = torch_network(cell, 3, 5, n_layers)
    network = SparseRNN(complete_wiring(3, 5, n_layers), cell, dtype=torch.float64)
    assert network.fused
    network.fused = fused
    copy_from(network, dense)
    x = normal(4, 7, 3)
    output, state = network(x)
    expected, expected_state = dense(x)
    torch.testing.assert_close(output[..., -5:], expected, rtol=0, atol=1e-12)
    for own, theirs in zip(parts(state), parts(expected_state), strict=True):
        assert own.shape == (1, 4, 5 * n_layers)
        torch.testing.assert_close(own[0].view(4, n_layers, 5).transpose(0, 1), theirs, rtol=0, atol=1e-12)
    output[..., -5:].pow(2).sum().backward()
    expected.pow(2).sum().backward()
    for number in range(n_layers):
        for own_gradient, name in zip(network.matrices(network.weight.grad)[2 * number :], ("ih", "hh"), strict=False):
            gradient = getattr(dense, f"weight_{name}_l{number}").grad
            torch.testing.assert_close(own_gradient, gradient, rtol=1e-12, atol=1e-12)


@given(st.integers(0, 100_000), st.sampled_from(CELL_NAMES))
@settings(deadline=None, max_examples=50)
def test_equals_a_naive_network_of_edges(seed: int, cell: str):
    wiring = random_wiring(seed)
    network = build(wiring, cell, seed)
    x = normal(2, 4, wiring.n_inputs, seed=seed).requires_grad_()
    same_x = x.detach().clone().requires_grad_()
    output, _ = network(x)
    weight, bias = (tensor.detach().clone().requires_grad_() for tensor in (network.weight, network.biases))
    expected = naive(network, weight, bias, same_x)
    torch.testing.assert_close(output, expected, rtol=1e-10, atol=1e-12)
    sent_back = normal(*output.shape, seed=seed + 1)
    own = torch.autograd.grad(output, (network.weight, network.biases, x), sent_back, allow_unused=True)
    theirs = torch.autograd.grad(expected, (weight, bias, same_x), sent_back, allow_unused=True)
    for ours, reference in zip(own, theirs, strict=True):
        if ours is None or reference is None:
            assert ours is None or not ours.any()
            assert reference is None or not reference.any()
        else:
            torch.testing.assert_close(ours, reference, rtol=1e-9, atol=1e-12)
    assert len(network.weight) == wiring.n_edges * GATES[cell]


def test_asymmetric_graph_pins_the_convention():
    # Input 0 feeds 1; 1 feeds 2 within the step; 2 feeds 1 back one step later; output unit 3 is not part of it.
    wiring = Wiring((1, 1, 1, 1), [(0, 1), (1, 2), (2, 1), (2, 3)], True, True, weights=[2, 3, 5, 7])
    network = SparseRNN(wiring, "relu")
    assert not network.fused
    output, state = network(torch.tensor([[[1.0], [0.0], [1.0]]]))
    assert output.tolist() == [[[2, 6], [30, 90], [452, 1356]]]
    assert state.tolist() == [[[452, 1356]]]


def test_output_units_change_nothing():
    wiring = random_wiring(SEED)
    read_out = [(wiring.n_neurons - 1, wiring.n_neurons), (wiring.n_neurons - 1, wiring.n_neurons + 1)]
    attached = Wiring((*wiring.sizes, 2), np.concatenate([wiring.edges, read_out]), inputs=True, outputs=True)
    plain, other = SparseRNN(wiring, "gru", rng=3), SparseRNN(attached, "gru", rng=3)
    assert torch.equal(plain.weight, other.weight)
    x = normal(2, 3, plain.input_size).float()
    assert torch.equal(plain(x)[0], other(x)[0])
