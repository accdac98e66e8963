"""SparseRNN against torch's recurrent networks and a naive one that walks edge by edge, step by step."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from nas.networks import CELLS, SparseRNN
from priors.wiring import Wiring

SEED = 5  # of a wiring with three layers, skips and gaps in its masks
CELL_NAMES = sorted(CELLS)
GATES = {"tanh": 1, "relu": 1, "gru": 3, "lstm": 4}
State = list[list[Tensor]]


def random_wiring(seed: int, backward: bool | None = None) -> Wiring:
    """Input units, 1 to 3 layers of 1 to 4 cells; recurrent edges within layers, or to earlier ones too."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, rng.integers(2, 5))
    layer = np.repeat(np.arange(len(sizes)), sizes)
    source, target = np.indices((len(layer), len(layer))).reshape(2, -1)
    if backward is None:
        backward = bool(rng.integers(2))
    allowed = (layer[source] <= layer[target]) | backward
    kept = (layer[target] > 0) & allowed & (rng.random(len(source)) < rng.choice([0.1, 0.4, 0.8]))
    return Wiring(sizes, np.stack([source, target], axis=1)[kept], inputs=True)


def build(wiring: Wiring, cell: str, seed: int = 0) -> SparseRNN:
    """Make a float64 network whose biases are not zero."""
    network = SparseRNN(wiring, cell, rng=seed, dtype=torch.float64)
    rng = np.random.default_rng(seed)
    network.bias.data = torch.from_numpy(rng.normal(scale=0.5, size=network.bias.shape))
    return network


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


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
    wiring, found = network.blueprint, {}
    for (source, target), forward in zip(wiring.edges.tolist(), wiring.forward, strict=True):
        for block in network.blocks:
            if target in block.targets and block.recurrent != forward:
                rows = slice(target - block.targets.start, None, len(block.targets))
                found[source, target] = block.matrix(flat)[rows, block.columns.tolist().index(source)]
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
    biases = []
    with torch.no_grad():
        for number in range(dense.num_layers):
            below, before = network.blocks[2 * number : 2 * number + 2]
            below.matrix(network.weight).copy_(getattr(dense, f"weight_ih_l{number}"))
            before.matrix(network.weight).copy_(getattr(dense, f"weight_hh_l{number}"))
            hidden_bias = getattr(dense, f"bias_hh_l{number}")
            hidden_bias[: 2 * dense.hidden_size if network.cell == "gru" else None] = 0
            biases += [getattr(dense, f"bias_ih_l{number}"), hidden_bias[2 * dense.hidden_size :]]
        network.bias.copy_(torch.cat(biases if network.cell == "gru" else biases[::2]))


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
        for block, name in zip(network.blocks[2 * number :], ("ih", "hh"), strict=False):
            gradient = getattr(dense, f"weight_{name}_l{number}").grad
            torch.testing.assert_close(block.matrix(network.weight.grad), gradient, rtol=1e-12, atol=1e-12)


def parts(state: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (state,) if isinstance(state, Tensor) else state


@given(st.integers(0, 100_000), st.sampled_from(CELL_NAMES))
@settings(deadline=None, max_examples=120)
def test_equals_a_naive_network_of_edges(seed: int, cell: str):
    wiring = random_wiring(seed)
    network = build(wiring, cell, seed)
    x = normal(2, 4, wiring.n_inputs, seed=seed).requires_grad_()
    same_x = x.detach().clone().requires_grad_()
    output, _ = network(x)
    weight, bias = (tensor.detach().clone().requires_grad_() for tensor in (network.weight, network.bias))
    expected = naive(network, weight, bias, same_x)
    torch.testing.assert_close(output, expected, rtol=1e-10, atol=1e-12)
    sent_back = normal(*output.shape, seed=seed + 1)
    own = torch.autograd.grad(output, (network.weight, network.bias, x), sent_back, allow_unused=True)
    theirs = torch.autograd.grad(expected, (weight, bias, same_x), sent_back, allow_unused=True)
    for ours, reference in zip(own, theirs, strict=True):
        if ours is None or reference is None:
            assert ours is None or not ours.any()
            assert reference is None or not reference.any()
        else:
            torch.testing.assert_close(ours, reference, rtol=1e-9, atol=1e-12)
    assert not own[0][~network.mask].any()
    assert int(network.mask.sum()) == wiring.n_edges * GATES[cell]


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


def packed(x: Tensor) -> PackedSequence:
    lengths = torch.tensor([2, 5, 3])
    return pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)


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


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("backward", [False, True])
def test_gradcheck(cell: str, backward: bool):
    network = build(random_wiring(SEED, backward), "tanh" if cell == "relu" else cell)
    places = network.mask.nonzero().squeeze(1)

    def outputs(x: Tensor, live: Tensor, bias: Tensor) -> Tensor:
        weight = torch.zeros_like(network.weight).index_put((places,), live)
        return torch.func.functional_call(network, {"weight": weight, "bias": bias}, x)[0]

    x = normal(2, 3, network.input_size).requires_grad_()
    live = network.weight.detach()[places].requires_grad_()
    assert torch.autograd.gradcheck(outputs, (x, live, network.bias.detach().requires_grad_()))


OPTIMIZERS = {
    "momentum": lambda p: torch.optim.SGD(p, 0.01, momentum=0.9, weight_decay=0.1),
    "adam": lambda p: torch.optim.Adam(p, 0.01, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1),
}


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("backward", [False, True])
def test_optimizers_stay_on_the_mask(optimizer: str, cell: str, backward: bool):
    network = copy.deepcopy(SparseRNN(random_wiring(SEED, backward), cell, rng=0))
    before = network.weight.detach().clone()
    steps = OPTIMIZERS[optimizer](network.parameters())
    x = normal(4, 5, network.input_size).float()
    for _ in range(20):
        steps.zero_grad()
        (network(x)[0] - 1).pow(2).sum().backward()
        steps.step()
    assert (~network.mask).any()
    assert not network.weight.detach()[~network.mask].any()
    assert (network.weight.detach() != before)[network.mask].any()


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


def test_masks_may_differ_from_gate_to_gate():
    network = build(random_wiring(SEED, backward=False), "lstm")
    block = network.blocks[0]
    forget = slice(len(block.targets), 2 * len(block.targets))
    with torch.no_grad():
        block.matrix(network.mask)[forget] = False
        block.matrix(network.weight)[forget] = 0
    network(normal(2, 3, network.input_size))[0].sum().backward()
    gradient = block.matrix(network.weight.grad)
    assert not gradient[forget].any()
    assert gradient[: forget.start].any()


@pytest.mark.parametrize(
    ("wiring", "cell", "message"),
    [
        (Wiring((2, 2), [(0, 2)]), "tanh", "0 input units and 4 hidden neurons: SparseRNN needs some of both"),
        (Wiring((2,), inputs=True), "tanh", "2 input units and 0 hidden neurons"),
        (Wiring((1, 1), [(0, 1)], inputs=True), "rnn", "cell='rnn': it must be one of tanh, relu, gru, lstm"),
        (Wiring((1, 1), [(0, 1)], True, weights=[1]), "gru", r"3 weights an edge.*wiring.replace\(weights=None\)"),
        (Wiring((1, 1), [(0, 1)], True, weights=[1]), "lstm", r"4 weights an edge.*wiring.replace\(weights=None\)"),
    ],
)
def test_what_cannot_be_built_is_refused(wiring: Wiring, cell: str, message: str):
    with pytest.raises(ValueError, match=message):
        SparseRNN(wiring, cell)


@pytest.mark.parametrize("shape", [(2,), (2, 3, 4), (2, 0, 1), (0, 3, 1), (1, 2, 3, 1)])
def test_what_cannot_be_read_is_refused(shape: tuple[int, ...]):
    network = SparseRNN(Wiring((1, 1), [(0, 1)], inputs=True))
    with pytest.raises(ValueError, match=r"this network reads \(batch, time, 1\) of torch.float32"):
        network(torch.zeros(shape))
    with pytest.raises(ValueError, match=r"of torch\.float32"):
        network(torch.zeros(2, 3, 1, dtype=torch.float64))


def test_a_wrong_state_is_refused():
    network = SparseRNN(Wiring((1, 2), [(0, 1)], inputs=True), "lstm")
    x = torch.zeros(3, 4, 1)
    for state in (torch.zeros(1, 3, 2), (torch.zeros(1, 3, 2), torch.zeros(1, 1, 2))):
        with pytest.raises(ValueError, match=r"a lstm network needs 2 of \(1, 3, 2\)"):
            network(x, state)


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
