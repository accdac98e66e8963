"""Networks under what people do with torch code: second derivatives, functional transforms, autocast, compilers."""

import copy
import pickle
import warnings
from collections.abc import Callable
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
import torch
from quick import quick
from rnn_cases import CELL_NAMES, normal, random_wiring
from torch import Tensor, nn
from torch.func import functional_call, grad, jvp, vmap
from torch.nn import functional

from nas.networks import ACTIVATIONS, SequenceNetwork, SparseMLP, SparseRNN
from nas.networks.wired import WiredModule
from priors import WattsStrogatz, Wiring, attach, layer, orient

GRAPH = WattsStrogatz(n=10, k=4, p=0.2).sample(0)
FORWARD = attach(layer(orient(GRAPH, "random", 0)), 4, 3, "controlled", 0, reads=2)
RECURRENT = attach(GRAPH, 4, 3, "controlled", 0, reads=2)
FUNCTIONS = {name: activation.function for name, activation in ACTIVATIONS.items()}
TINY = WattsStrogatz(n=5, k=2, p=0.2).sample(0)
TINY_FORWARD = attach(layer(orient(TINY, "random", 0)), 2, 1, "controlled", 0, reads=2)
TINY_RECURRENT = attach(TINY, 2, 1, "controlled", 0, reads=2)
Case = tuple[nn.Module, Tensor]


@pytest.fixture(params=["dense", "sparse"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Compute with dense matrices, as all but the largest networks do, or with single edges, as those do."""
    if request.param == "sparse":
        monkeypatch.setattr(WiredModule, "_is_dense", lambda _: False)
    return str(request.param)


def cases(
    dtype: torch.dtype = torch.float64, forward: Wiring = FORWARD, recurrent: Wiring = RECURRENT
) -> dict[str, Case]:
    """Return a network of every kind, with examples."""
    torch.manual_seed(0)
    n_inputs = forward.sizes[0]
    mlps: dict[str, Case] = {"gelu": (SparseMLP(forward, "gelu", dtype=dtype), torch.randn(5, n_inputs, dtype=dtype))}
    x = torch.randn(5, 2, n_inputs, dtype=dtype)
    return mlps | {cell: (SequenceNetwork(recurrent, cell, dtype=dtype), x) for cell in CELL_NAMES}


NAMES = sorted(cases())
ONNX = [(True, "gelu"), (True, "tanh"), (True, "gru"), (True, "lstm"), *((False, name) for name in NAMES)]


def penalised(network: Callable[[Tensor], Tensor], parameters: list[Tensor], x: Tensor) -> list[Tensor]:
    """Return gradients of a critic's loss with a penalty on its slope, which needs second derivatives."""
    x = x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(network(x).sum(), x, create_graph=True)
    loss = -network(x).mean() + 10 * ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
    return list(torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True))


@pytest.mark.parametrize("activation", sorted(FUNCTIONS))
def test_second_derivatives_equal_those_of_linear_layers(activation: str, form: str):
    sizes = (3, 6, 5, 2)
    layers = [nn.Linear(before, after, dtype=torch.float64) for before, after in pairwise(sizes)]
    masks = [np.ones((after, before)) for before, after in pairwise(sizes)]
    network = SparseMLP(Wiring.from_masks(masks, True, True), activation, dtype=torch.float64)
    network.copy_matrices([linear.weight for linear in layers])
    network.bias.data = torch.cat([linear.bias for linear in layers]).detach()

    def dense(x: Tensor) -> Tensor:
        for linear in layers[:-1]:
            x = FUNCTIONS[activation](linear(x))
        return layers[-1](x)

    x = normal(7, 3)
    weight, bias = penalised(network, [network.weight, network.bias], x)
    expected = penalised(dense, [linear.weight for linear in layers] + [linear.bias for linear in layers], x)
    for own, theirs in zip(network.matrices(weight), expected[:3], strict=True):
        torch.testing.assert_close(own, theirs, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(bias, torch.cat(expected[3:]), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_second_derivatives_equal_those_of_torch_cells(cell: str, form: str):
    edges = [(a, b) for a in range(7) for b in range(3, 7)]
    network = SparseRNN(Wiring((3, 4), edges, inputs=True), cell, dtype=torch.float64)
    options: dict[str, Any] = {"batch_first": True, "dtype": torch.float64}
    kind = {"gru": nn.GRU, "lstm": nn.LSTM}.get(cell)
    dense = nn.RNN(3, 4, nonlinearity=cell, **options) if kind is None else kind(3, 4, **options)
    network.copy_matrices([dense.weight_ih_l0, dense.weight_hh_l0])
    with torch.no_grad():
        split = 8 if cell == "gru" else len(dense.bias_hh_l0)
        dense.bias_hh_l0[:split] = 0
        network.biases.copy_(torch.cat([dense.bias_ih_l0, dense.bias_hh_l0[split:]]))
    x = normal(2, 5, 3)
    own = penalised(lambda x: network(x)[0], [network.weight], x)
    expected = penalised(lambda x: dense(x)[0], [dense.weight_ih_l0, dense.weight_hh_l0], x)
    for ours, theirs in zip(network.matrices(own[0]), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_of_any_order_are_those_of_differences(name: str, form: str):
    if name == "relu":
        pytest.skip("relu has kinks")
    network, x = cases(forward=TINY_FORWARD, recurrent=TINY_RECURRENT)[name]
    parameters = dict(network.named_parameters())

    def outputs(x: Tensor, *values: Tensor) -> Tensor:
        return functional_call(network, dict(zip(parameters, values, strict=True)), x)

    inputs = (
        x[:2].clone().requires_grad_(),
        *(value.detach().clone().requires_grad_() for value in parameters.values()),
    )
    assert torch.autograd.gradcheck(outputs, inputs)
    assert torch.autograd.gradgradcheck(outputs, inputs)


@pytest.mark.parametrize("name", NAMES)
def test_functional_transforms_equal_loops(name: str, form: str):
    network, x = cases()[name]
    parameters = {key: value.detach() for key, value in network.named_parameters()}

    def loss(parameters: dict[str, Tensor], example: Tensor) -> Tensor:
        return functional_call(network, parameters, example.unsqueeze(0)).square().sum()

    torch.testing.assert_close(vmap(lambda one: network(one.unsqueeze(0))[0])(x), network(x), rtol=1e-12, atol=1e-12)
    each = vmap(grad(loss), in_dims=(None, 0))(parameters, x)
    for index, example in enumerate(x):
        network.zero_grad()
        loss(dict(network.named_parameters()), example).backward()
        alone = grad(loss)(parameters, example)
        for key, value in network.named_parameters():
            torch.testing.assert_close(each[key][index], value.grad, rtol=1e-11, atol=1e-12)
            torch.testing.assert_close(alone[key], value.grad, rtol=1e-11, atol=1e-12)
    # An ensemble: one set of parameters a member.
    members = {key: torch.stack([value, 2 * value]) for key, value in parameters.items()}
    together = vmap(lambda own: functional_call(network, own, x))(members)
    torch.testing.assert_close(together[0], network(x), rtol=1e-12, atol=1e-12)
    # Forward mode, along one direction, against central differences.
    direction = normal(*x.shape, seed=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Torch's rules of some operations are scripts.
        _, slope = jvp(network, (x,), (direction,))
    step = 1e-6
    differences = (network(x + step * direction) - network(x - step * direction)) / (2 * step)
    torch.testing.assert_close(slope, differences, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_many_gradients_at_once(name: str, form: str):
    network, x = cases()[name]
    plain = torch.autograd.functional.jacobian(network, x[:2])
    together = torch.autograd.functional.jacobian(network, x[:2], vectorize=True)
    torch.testing.assert_close(together, plain, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_shapes_on_the_meta_device(name: str, form: str):
    network, x = cases()[name]
    assert network.to("meta")(x.to("meta")).shape == (5, 3)
    for part in network.modules():
        if isinstance(part, WiredModule):
            part.reset_parameters()


@pytest.mark.parametrize("name", NAMES)
def test_forward_mode_duals(name: str, form: str):
    network, x = cases()[name]
    direction = normal(*x.shape, seed=3)
    with torch.autograd.forward_ad.dual_level(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        dual = network(torch.autograd.forward_ad.make_dual(x, direction))
        slope = torch.autograd.forward_ad.unpack_dual(dual).tangent
    torch.testing.assert_close(slope, jvp(network, (x,), (direction,))[1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_behind_and_before_other_layers(name: str, dtype: torch.dtype, form: str):
    network, x = cases(torch.float32)[name]
    before, after = nn.Linear(4, 4), nn.Linear(3, 2)
    chain = nn.Sequential(before, network, after)
    expected = chain(x)
    chain.zero_grad()
    with torch.autocast("cpu", dtype=dtype):
        outputs = chain(x)
        first = network(x)
    assert outputs.dtype == dtype
    torch.testing.assert_close(outputs.float(), expected, rtol=0.1, atol=0.1)
    torch.testing.assert_close(first.float(), network(x), rtol=0.1, atol=0.1)
    outputs.float().square().mean().backward()
    for parameter in network.parameters():
        assert parameter.grad.dtype == torch.float32
        assert torch.isfinite(parameter.grad).all()


# Among cells, relu and tanh differ by one function.
@pytest.mark.parametrize("name", quick(NAMES, "gelu", "tanh", "gru", "lstm"))
def test_a_training_step_compiles(name: str):
    network, x = cases(torch.float32)[name]
    other = copy.deepcopy(network)

    def step(module: nn.Module, x: Tensor) -> Tensor:
        loss = module(x).square().mean()
        loss.backward()
        return loss.detach()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Of what torch's own compiler imports.
        torch.compiler.reset()
        compiled = torch.compile(other, backend="aot_eager", fullgraph=True)
    for batch in (x, x[:3], x.repeat(3, *[1] * (x.ndim - 1))):
        torch.testing.assert_close(step(compiled, batch), step(network, batch), rtol=1e-5, atol=1e-6)
    for own, theirs in zip(network.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(own.grad, theirs.grad, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lstm"])
def test_a_training_step_compiles_to_machine_code(name: str):
    network, x = cases(torch.float32)[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of torch's own compiler.
        torch.compiler.reset()
        compiled = torch.compile(lambda x: network(x).square().mean())
        loss = compiled(x)
        own = torch.autograd.grad(loss, list(network.parameters()))
    expected = torch.autograd.grad(network(x).square().mean(), list(network.parameters()))
    for ours, theirs in zip(own, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_exported_with_a_free_batch(name: str, form: str):
    network, x = cases(torch.float32)[name]
    free = ({0: torch.export.Dim("batch")},)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", (FutureWarning, DeprecationWarning))
        program = torch.export.export(network, (x,), dynamic_shapes=free)
    for batch in (x, x[:2], torch.cat([x, x])):
        torch.testing.assert_close(program.module()(batch), network(batch), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("dynamo", "name"), quick(product([True, False], NAMES), *ONNX))
def test_onnx_gives_the_same(dynamo: bool, name: str, tmp_path: Any):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    network, x = cases(torch.float32)[name]
    path = tmp_path / "network.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of torch's exporters, which deprecate each other.
        if dynamo:
            free: dict[str, Any] = {"dynamic_shapes": ({0: torch.export.Dim("batch")},)}
            torch.onnx.export(network, (x,), path, dynamo=True, verbose=False, **free)
        else:
            free = {"dynamic_axes": {"x": {0: "batch"}}}
            torch.onnx.export(network, (x,), path, dynamo=False, input_names=["x"], **free)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for batch in (x, x[:2], torch.cat([x, x])):
        (found,) = session.run(None, {session.get_inputs()[0].name: batch.numpy()})
        torch.testing.assert_close(torch.from_numpy(found), network(batch).detach(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_meta_devices_both_ways(name: str):
    network, x = cases(torch.float32)[name]
    expected = network(x)
    kind, unit = type(network), name
    wiring = FORWARD if kind is SparseMLP else RECURRENT
    with torch.device("meta"):
        shell = kind(wiring, unit)
    assert all(tensor.is_meta for tensor in shell.state_dict().values())
    shell.load_state_dict(network.state_dict(), assign=True)
    assert torch.equal(shell(x), expected)
    other = kind(wiring, unit, device="meta").to_empty(device="cpu")
    other.load_state_dict(network.state_dict())
    assert torch.equal(other(x), expected)
    # Without a state to load, parts are reset, as torch's layers are.
    fresh = kind(wiring, unit, device="meta").to_empty(device="cpu")
    for parameter in fresh.parameters():
        parameter.data.zero_()
    for module in fresh.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    assert [tensor.shape for tensor in fresh.state_dict().values()] == [v.shape for v in network.state_dict().values()]
    assert torch.isfinite(fresh(x)).all()
    for own, theirs in zip(fresh.named_buffers(), network.named_buffers(), strict=True):
        assert torch.equal(own[1], theirs[1])


@pytest.mark.parametrize("name", NAMES)
def test_copies(name: str, form: str):
    network, x = cases()[name]
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert torch.equal(other(x), network(x))
        assert other.state_dict().keys() == network.state_dict().keys()


@pytest.mark.parametrize("backward", [False, True])
def test_single_edges_equal_dense_matrices(backward: bool, monkeypatch: pytest.MonkeyPatch):
    network = SparseRNN(random_wiring(5, backward), "lstm", rng=0, dtype=torch.float64)
    x = normal(3, 4, network.input_size)
    expected = network(x)[0]
    gradients = torch.autograd.grad(expected.square().sum(), list(network.parameters()))
    monkeypatch.setattr(WiredModule, "_is_dense", lambda _: False)
    found = network(x)[0]
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    for own, theirs in zip(
        torch.autograd.grad(found.square().sum(), list(network.parameters())), gradients, strict=True
    ):
        torch.testing.assert_close(own, theirs, rtol=1e-11, atol=1e-12)


def test_cross_entropy_of_a_layer_too_large_for_dense_matrices():
    rng = np.random.default_rng(0)
    sizes = (4_000, 4_000, 2)
    edges = np.unique(
        np.stack([rng.integers(4_000, size=9_000), 4_000 + rng.integers(4_000, size=9_000)], axis=1), axis=0
    )
    read_out = [(4_000 + cell, 8_000 + cell % 2) for cell in range(4_000)]
    network = SparseMLP(Wiring(sizes, np.concatenate([edges, read_out]), True, True), rng=0)
    assert sum(block.size for block in network.blocks) > 2**22
    functional.cross_entropy(network(torch.randn(3, 4_000)), torch.tensor([0, 1, 1])).backward()
    assert torch.isfinite(network.weight.grad).all()
