"""SparseRNN is one function however it runs: fused or by steps, packed, in halves, in single precision, on a GPU."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rnn_cases import CELL_NAMES, SEED, build, normal, packed, parts, random_wiring
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from nas.networks import CELLS, NetworkSpec, SparseRNN
from priors import stack


@given(st.integers(0, 100_000), st.sampled_from(CELL_NAMES))
@settings(deadline=None, max_examples=60)
def test_both_ways_to_run_are_one_function(seed: int, cell: str):
    network = build(random_wiring(seed, backward=False), cell, seed)
    assert network.fused
    stepwise = copy.deepcopy(network)
    stepwise.fused = False
    x = normal(3, 5, network.input_size, seed=seed)
    for own, other in ((network(x), stepwise(x)), (network(packed(x)), stepwise(packed(x)))):
        outputs = [out.data if isinstance(out, PackedSequence) else out for out in (own[0], other[0])]
        torch.testing.assert_close(*outputs, rtol=1e-10, atol=1e-12)
        for left, right in zip(parts(own[1]), parts(other[1]), strict=True):
            torch.testing.assert_close(left, right, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("backward", [False, True])
def test_packed_sequences_end_where_they_end(cell: str, backward: bool):
    network = build(random_wiring(SEED, backward), cell)
    assert network.fused is not backward
    x, lengths = normal(3, 5, network.input_size), [2, 5, 3]
    start = tuple(normal(1, 3, network.hidden_size, seed=seed) for seed in range(CELLS[cell].states))
    output, state = network(packed(x), start if len(start) > 1 else start[0])
    assert isinstance(output, PackedSequence)
    padded, found = pad_packed_sequence(output, batch_first=True)
    assert found.tolist() == lengths
    for index, length in enumerate(lengths):
        begin = tuple(part[:, index] for part in start)
        alone, end = network(x[index, :length], begin if len(begin) > 1 else begin[0])
        torch.testing.assert_close(padded[index, :length], alone, rtol=1e-10, atol=1e-12)
        for own, other in zip(parts(state), parts(end), strict=True):
            torch.testing.assert_close(own[:, index], other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("backward", [False, True])
def test_two_halves_make_the_whole(cell: str, backward: bool):
    network = build(random_wiring(SEED, backward), cell)
    x = normal(2, 6, network.input_size)
    whole, last = network(x)
    first, state = network(x[:, :2])
    second, end = network(x[:, 2:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(end, last, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(parts(last)[0][0], whole[:, -1])


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_single_precision_and_evaluation_mode(cell: str):
    network = build(random_wiring(SEED, backward=False), cell)
    single = copy.deepcopy(network).float().eval()
    x = normal(3, 9, network.input_size)
    output, _ = single(x.float())
    torch.testing.assert_close(output.double(), network(x)[0], rtol=1e-4, atol=1e-5)
    output.sum().backward()
    network(x)[0].sum().backward()
    torch.testing.assert_close(single.weight.grad.double(), network.weight.grad, rtol=1e-3, atol=1e-4)
    with torch.no_grad():
        torch.testing.assert_close(single(x.float())[0], output)


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("backward", [False, True])
def test_on_a_gpu_it_is_the_same_function(cell: str, backward: bool):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    network = build(random_wiring(SEED, backward), cell)
    moved = copy.deepcopy(network).to("cuda")
    x = normal(3, 5, network.input_size)
    for sequences, on_gpu in ((x, x.cuda()), (packed(x), packed(x).to("cuda"))):
        output, other = network(sequences)[0], moved(on_gpu)[0]
        if isinstance(output, PackedSequence):
            output, other = output.data, other.data
        torch.testing.assert_close(other.cpu(), output, rtol=1e-10, atol=1e-12)
        network.zero_grad()
        moved.zero_grad()
        output.pow(2).sum().backward()
        other.pow(2).sum().backward()
        torch.testing.assert_close(moved.weight.grad.cpu(), network.weight.grad, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(("cell", "kind"), [("tanh", nn.RNN), ("gru", nn.GRU), ("lstm", nn.LSTM)])
def test_a_stacked_wiring_is_torchs_network_of_several_layers(cell: str, kind: type[nn.RNNBase]):
    wiring = stack(NetworkSpec("mlp").complete(3, (4, 4), 2))
    reference = kind(3, 4, num_layers=2, batch_first=True, dtype=torch.float64)
    rnn = SparseRNN(wiring, cell, rng=0, dtype=torch.float64)
    n_shared = 8 if cell == "gru" else None  # The GRU's new gate has a bias on either side.
    with torch.no_grad():
        rnn.copy_matrices([getattr(reference, f"weight_{side}_l{layer}") for layer in (0, 1) for side in ("ih", "hh")])
        biases = []
        for layer in (0, 1):
            below, before = (getattr(reference, f"bias_{side}_l{layer}") for side in ("ih", "hh"))
            shared = (below + before)[:n_shared]
            biases += [shared, below[len(shared) :], before[len(shared) :]]
        rnn.biases.copy_(torch.cat(biases))
    x = torch.randn(5, 6, 3, dtype=torch.float64)
    torch.testing.assert_close(rnn(x)[0][:, :, 4:], reference(x)[0], rtol=1e-10, atol=1e-12)
