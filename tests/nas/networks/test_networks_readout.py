"""MaskedLinear, SequenceNetwork and LinearMean."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nas.networks import LinearMean, MaskedLinear, SequenceNetwork, load_network, save_network
from priors.wiring import Wiring

# Inputs 0, 1; cells 2, 3, 4; outputs 5, 6 read cells 2 and 4 and cell 4.
EDGES = [(0, 2), (1, 3), (2, 3), (3, 4), (4, 2), (1, 4), (2, 5), (4, 5), (4, 6)]
WIRING = Wiring((2, 3, 2), EDGES, inputs=True, outputs=True)


def test_head_reads_exactly_its_edges():
    weights = [0, 0, 0, 0, 0, 0, 2, 3, 5]
    head = MaskedLinear(WIRING.replace(edges=EDGES, weights=weights))
    assert head.blocks[0].columns.tolist() == [2, 4]
    assert head.matrices()[0].tolist() == [[2, 3], [0, 5]]
    head.bias.data = torch.tensor([100.0, 1000.0])
    hidden = torch.tensor([[[1.0, 50.0, 10.0], [0.0, 50.0, 1.0]]], requires_grad=True)
    assert head(hidden).tolist() == [[[132, 1050], [103, 1005]]]
    head(hidden)[0, 0, 1].backward()
    assert hidden.grad.tolist() == [[[0, 0, 5], [0, 0, 0]]]
    assert head.matrices(head.weight.grad)[0].tolist() == [[0, 0], [0, 10]]
    assert (head.in_features, head.out_features) == (3, 2)


def test_complete_head_equals_a_linear_layer():
    wiring = Wiring((1, 4, 3), [(1 + cell, 5 + output) for cell in range(4) for output in range(3)], True, True)
    head, dense = MaskedLinear(wiring, dtype=torch.float64), nn.Linear(4, 3, dtype=torch.float64)
    with torch.no_grad():
        head.copy_matrices([dense.weight])
        head.bias.copy_(dense.bias)
    x = torch.randn(2, 5, 4, dtype=torch.float64)
    torch.testing.assert_close(head(x), dense(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", ["tanh", "relu", "gru", "lstm"])
def test_each_sequence_is_read_at_its_end(cell: str):
    network = SequenceNetwork(WIRING, cell, rng=0, dtype=torch.float64)
    x = torch.randn(4, 6, 2, dtype=torch.float64)
    lengths = torch.tensor([6, 1, 3, 5])
    outputs = network(x, lengths)
    for index, length in enumerate(lengths.tolist()):
        alone = network(x[index : index + 1, :length])
        torch.testing.assert_close(outputs[index : index + 1], alone, rtol=1e-12, atol=1e-12)
        states, _ = network.rnn(x[index, :length])
        torch.testing.assert_close(alone[0], network.head(states[-1]), rtol=1e-12, atol=1e-12)
    padded = x.clone()
    for index, length in enumerate(lengths.tolist()):
        padded[index, length:] = 1e6
    assert torch.equal(network(padded, lengths), outputs)
    assert torch.equal(network(x), network(x, torch.full((4,), 6)))


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_padding_sends_no_gradient(cell: str):
    network = SequenceNetwork(WIRING, cell, rng=0)
    x = torch.randn(2, 4, 2, requires_grad=True)
    network(x, torch.tensor([2, 4])).sum().backward()
    assert not x.grad[0, 2:].any()
    assert x.grad[0, :2].any()


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_every_cell_of_a_natural_wiring_learns(cell: str):
    # A ring of four cells, in a cyclic wiring all of them read the inputs and are read out.
    ring = [(2 + index, 2 + (index + 1) % 4) for index in range(4)]
    attached = [(unit, 2 + index) for unit in range(2) for index in range(4)] + [(2 + index, 6) for index in range(4)]
    network = SequenceNetwork(Wiring((2, 4, 1), ring + attached, True, True), cell, rng=0)
    network(torch.randn(8, 5, 2)).pow(2).sum().backward()
    for part in (network.rnn, network.head):
        assert (part.bias_vector.grad != 0).all()
        assert (part.weight.grad != 0).all()


def test_spectral_radius_is_passed_on():
    small, large = (SequenceNetwork(WIRING, "tanh", rng=0, spectral_radius=radius) for radius in (0.5, 1.0))
    torch.testing.assert_close(2 * small.rnn.matrices()[1], large.rnn.matrices()[1])


@pytest.mark.parametrize(
    ("wiring", "message"),
    [
        (Wiring((1, 1), [(0, 1)], inputs=True), "has no output units, which a head needs"),
        (Wiring((1, 1, 1), [(0, 1), (0, 2)], True, True), r"edge \(0, 2\) leads from an input to an output unit"),
    ],
)
def test_what_cannot_be_built_is_refused(wiring: Wiring, message: str):
    for kind in (SequenceNetwork, MaskedLinear):
        with pytest.raises(ValueError, match=message):
            kind(wiring)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        (torch.tensor([0, 3]), "lengths go from 0 to 3: each must be between 1 and the 3 steps"),
        (torch.tensor([1, 4]), "lengths go from 1 to 4"),
        (torch.tensor([1]), r"it must be \(2,\) of integers"),
        (torch.tensor([1.0, 2.0]), r"type torch.float32: it must be \(2,\) of integers"),
    ],
)
def test_wrong_lengths_are_refused(lengths: Tensor, message: str):
    linear = LinearMean(Wiring((2, 1), [(0, 2)], True, True))
    for network in (SequenceNetwork(WIRING), linear):
        with pytest.raises(ValueError, match=message):
            network(torch.zeros(2, 3, 2), lengths)
        with pytest.raises(ValueError, match=r"x has shape \(3, 2\)"):
            network(torch.zeros(3, 2))


def test_linear_mean():
    network = LinearMean(Wiring((2, 2), [(0, 2), (1, 2), (1, 3)], True, True, weights=[1, 10, 100]))
    network.linear.bias.data = torch.tensor([0.5, 0.0])
    x = torch.tensor([[[1.0, 3.0], [3.0, 5.0]], [[2.0, 1.0], [float("nan"), 7.0]]])
    assert network(x, torch.tensor([2, 1])).tolist() == [[2 + 40 + 0.5, 400], [2 + 10 + 0.5, 100]]
    assert network(x[:1]).tolist() == [[42.5, 400]]
    with pytest.raises(ValueError, match="1 hidden neurons: LinearMean needs inputs and outputs only"):
        LinearMean(Wiring((1, 1, 1), np.zeros((0, 2), int), True, True))


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_every_step_is_read_as_the_end_of_what_came_before(cell: str, tmp_path: Path):
    network = SequenceNetwork(WIRING, cell, rng=0, dtype=torch.float64, every_step=True)
    ends = SequenceNetwork(WIRING, cell, rng=0, dtype=torch.float64)
    x = torch.randn(3, 5, 2, dtype=torch.float64)
    outputs = network(x, torch.tensor([5, 2, 3]))
    assert outputs.shape == (3, 5, 2)
    for step in range(5):
        torch.testing.assert_close(outputs[:, step], ends(x[:, : step + 1]), rtol=1e-12, atol=1e-12)
    for own in (network, ends):
        save_network(own, tmp_path / "network.safetensors")
        again = load_network(tmp_path / "network.safetensors")
        assert isinstance(again, SequenceNetwork)
        assert again.every_step == own.every_step
        assert torch.equal(again(x), own(x))
