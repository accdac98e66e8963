"""Code that people write around ``nn.Linear`` and ``nn.LSTM`` runs unchanged, and leaves networks on their graphs."""

import copy
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from quick import quick
from rnn_cases import CELL_NAMES
from torch import Tensor, nn
from torch.nn.utils import (
    clip_grad_norm_,
    parameters_to_vector,
    parametrizations,
    parametrize,
    prune,
    vector_to_parameters,
)
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from nas.networks import (
    SequenceNetwork,
    SparseMLP,
    SparseRNN,
    load_network,
    n_parameters,
    parts_of,
    save_network,
    wiring_of,
)
from nas.networks.structure import Network
from priors import WattsStrogatz, attach, layer, orient

GRAPH = WattsStrogatz(n=32, k=4, p=0.2).sample(0)
FORWARD = attach(layer(orient(GRAPH, "random", 0)), 20, 3, "controlled", 0, reads=4)
RECURRENT = attach(GRAPH, 7, 3, "controlled", 0, reads=3)


def networks() -> dict[str, tuple[Network, Tensor]]:
    torch.manual_seed(0)
    x = torch.randn(6, 5, 7)
    found: dict[str, tuple[Network, Tensor]] = {"mlp": (SparseMLP(FORWARD), torch.randn(6, 20))}
    found |= {cell: (SparseRNN(RECURRENT, cell), x) for cell in CELL_NAMES}
    return found | {"sequence": (SequenceNetwork(RECURRENT, "lstm"), x)}


NAMES = sorted(networks())


def output(network: nn.Module, x: Tensor) -> Tensor:
    found = network(x)
    return found[0] if isinstance(found, tuple) else found


def assert_on_its_graph(network: Network, x: Tensor, tmp_path: Path) -> None:
    """Each output depends on the inputs that its graph reaches it from, numbers are the card's, and a file is read."""
    blueprint = FORWARD if isinstance(network, SparseMLP) else RECURRENT
    assert wiring_of(network).replace(weights=None) == blueprint.replace(weights=None)
    assert sum(parameter.numel() for parameter in network.parameters()) == n_parameters(network)["total"]
    for part in parts_of(network):
        for block, matrix in zip(part.blocks, part.matrices(), strict=True):
            edges = {tuple(edge) for edge in blueprint.edges.tolist()}
            for row, column in zip(*np.nonzero(matrix.detach().numpy()), strict=True):
                target = block.targets[row % len(block.targets)]
                assert (int(block.columns[column]), target) in edges
    save_network(network, tmp_path / "network.safetensors")
    assert torch.equal(output(load_network(tmp_path / "network.safetensors"), x), output(network, x))


def initialise(network: nn.Module) -> None:
    for _, parameter in network.named_parameters():
        nn.init.uniform_(parameter.data, -0.08, 0.08)


def add_noise(network: nn.Module) -> None:
    for parameter in network.parameters():
        parameter.grad = torch.randn_like(parameter)
    torch.optim.Adam(network.parameters(), 0.01).step()


def evolve(network: nn.Module) -> None:
    flat = parameters_to_vector(network.parameters())
    vector_to_parameters(flat + 0.1 * torch.randn_like(flat), network.parameters())


def fake_quantise(network: nn.Module) -> None:
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.fake_quantize_per_tensor_affine(parameter, 0.02, 3, -128, 127))


@pytest.mark.parametrize("change", [initialise, add_noise, evolve, fake_quantise])
@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_done_to_parameters_leaves_the_function_on_its_graph(
    name: str, change: Callable[[nn.Module], None], tmp_path: Path
):
    network, x = networks()[name]
    before = output(network, x).detach()
    change(network)
    assert not torch.equal(output(network, x), before)
    assert_on_its_graph(network, x, tmp_path)


def test_a_file_is_little_more_than_its_weights(tmp_path: Path):
    graph = WattsStrogatz(n=450, k=10, p=0.2).sample(0)
    network = SparseMLP(attach(layer(orient(graph, "random", 0)), 64, 10, "controlled", 0, reads=4), rng=0)
    total = n_parameters(network)["total"]
    path = tmp_path / "network.safetensors"
    save_network(network, path)
    assert 4_500 < total < 6_500
    assert path.stat().st_size < 45_000 * total / 4_959


# Twelve patterns of public code.


def test_packed_sequences_and_flattened_weights_after_loading():
    network = networks()["gru"][0]
    other = SparseRNN(RECURRENT, "gru")
    other.load_state_dict(network.state_dict())
    other.flatten_parameters()
    lengths = torch.tensor([2, 5, 3])
    x = torch.randn(3, 5, 7)
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    padded, found = pad_packed_sequence(other(packed)[0], batch_first=True)
    assert found.tolist() == lengths.tolist()
    for index, length in enumerate(lengths.tolist()):
        torch.testing.assert_close(padded[index, :length], network(x[index, :length])[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_attributes_of_recurrent_layers(cell: str):
    rnn = SparseRNN(RECURRENT, cell)
    kind = {"gru": nn.GRU, "lstm": nn.LSTM}.get(cell)
    options: dict[str, Any] = {"batch_first": True}
    dense = nn.RNN(7, 32, nonlinearity=cell, **options) if kind is None else kind(7, 32, **options)
    names = "input_size hidden_size num_layers batch_first bidirectional dropout proj_size mode bias"
    assert [getattr(rnn, name) for name in names.split()] == [getattr(dense, name) for name in names.split()]
    assert rnn.flatten_parameters() is None
    mlp, linear = SparseMLP(FORWARD), nn.Linear(20, 3)
    assert (mlp.in_features, mlp.out_features) == (linear.in_features, linear.out_features)


def test_a_hidden_state_is_carried_and_detached():
    network, x = networks()["lstm"]
    assert isinstance(network, SparseRNN)
    shape = (network.num_layers * (2 if network.bidirectional else 1), len(x), network.hidden_size)
    state = (torch.zeros(shape), torch.zeros(shape))
    pieces = []
    for piece in x.split(2, dim=1):
        state = tuple(part.detach() for part in state)
        found, state = network(piece, state)
        pieces.append(found)
    torch.testing.assert_close(torch.cat(pieces, dim=1), network(x)[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_clipped_by_their_norm(name: str):
    network, x = networks()[name]
    (100 * output(network, x)).square().sum().backward()
    assert clip_grad_norm_(network.parameters(), 1.0, error_if_nonfinite=True) > 1
    norm = torch.stack([parameter.grad.norm() for parameter in network.parameters()]).norm()
    torch.testing.assert_close(norm, torch.tensor(1.0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("norm", [parametrizations.weight_norm, parametrizations.spectral_norm])
def test_norms_of_rows_are_refused(norm: Callable[..., nn.Module]):
    for name in ("mlp", "lstm"):
        network, x = networks()[name]
        norm(network, "weight")
        with pytest.raises(ValueError, match=r"Norm on .*Sparse.*: its weights are one vector of edges"):
            network(x)


def test_older_norms_are_refused_too():
    network, x = networks()["mlp"]
    with pytest.warns(FutureWarning):
        nn.utils.weight_norm(network, "weight")
    with pytest.raises(ValueError, match="WeightNorm on SparseMLP"):
        network(x)


def test_other_parametrisations_act():
    class Positive(nn.Module):
        def forward(self, weight: Tensor) -> Tensor:
            return weight.abs()

    network, x = networks()["mlp"]
    other = copy.deepcopy(network)
    parametrize.register_parametrization(network, "weight", Positive())
    other.weight.data.abs_()
    assert torch.equal(network(x), other(x))
    parametrize.remove_parametrizations(network, "weight")
    assert torch.equal(network(x), other(x))


def test_torchs_pruning_acts():
    network, x = networks()["mlp"]
    prune.l1_unstructured(network, "weight", amount=0.5)
    other = SparseMLP(FORWARD)
    other.load_state_dict({k: v for k, v in network.state_dict().items() if "_" not in k} | {"weight": network.weight})
    assert torch.equal(network(x), other(x))
    assert int((network.weight == 0).sum()) == round(0.5 * len(network.weight))


@pytest.mark.parametrize("name", NAMES)
def test_averages_of_weights(name: str, tmp_path: Path):
    network, x = networks()[name]
    averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.5), use_buffers=True)
    averaged.update_parameters(network)
    first = parameters_to_vector(network.parameters()).detach()
    add_noise(network)
    averaged.update_parameters(network)
    expected = (first + parameters_to_vector(network.parameters())) / 2
    torch.testing.assert_close(parameters_to_vector(averaged.module.parameters()), expected, rtol=1e-5, atol=1e-6)
    assert_on_its_graph(averaged.module, x, tmp_path)


def test_freezing_by_name_and_groups_without_decay_for_biases():
    network, x = networks()["sequence"]
    for name, parameter in network.named_parameters():
        parameter.requires_grad = not name.startswith("rnn.")
    decayed = [parameter for name, parameter in network.named_parameters() if "bias" not in name]
    others = [parameter for name, parameter in network.named_parameters() if "bias" in name]
    assert [len(group) for group in (decayed, others)] == [2, 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}], lr=0.1
    )
    before = copy.deepcopy(network.state_dict())
    network(x).square().sum().backward()
    optimizer.step()
    after = network.state_dict()
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert changed == {"head.weight", "head.bias"}


def test_surgery_on_a_state(tmp_path: Path):
    network, x = networks()["sequence"]
    path = tmp_path / "state.pt"
    torch.save({f"module.{name}": tensor for name, tensor in network.state_dict().items()}, path)
    state = {name.removeprefix("module."): tensor for name, tensor in torch.load(path, weights_only=True).items()}
    state = {name: tensor for name, tensor in state.items() if not name.startswith("head.")}
    other = SequenceNetwork(RECURRENT, "lstm", rng=1)
    head = other.head.weight.detach().clone()
    missing, unexpected = other.load_state_dict(state, strict=False)
    assert set(missing) == {"head.weight", "head.bias", "head.slots", "head.columns"}
    assert unexpected == []
    assert torch.equal(other.rnn(x)[0], network.rnn(x)[0])
    assert torch.equal(other.head.weight, head)
    with pytest.raises(
        RuntimeError, match=r"rnn.slots: places of weights must ascend, within those of this wiring and its cell"
    ):
        SequenceNetwork(RECURRENT, "gru").load_state_dict(network.state_dict())


def test_a_state_of_other_places_is_refused():
    network = networks()["mlp"][0]
    state = network.state_dict()
    state["slots"] = state["slots"].flip(0)
    other = SparseMLP(FORWARD)
    with pytest.raises(RuntimeError, match="slots: places of weights must ascend"):
        other.load_state_dict(state)
    assert torch.equal(other.slots, network.slots)
    state = network.state_dict() | {"columns": network.columns.flip(0)}
    with pytest.raises(RuntimeError, match="columns: they are not those of this wiring"):
        other.load_state_dict(state)


def test_a_state_of_fewer_edges_is_read():
    network, x = networks()["lstm"]
    kept = torch.arange(0, len(network.weight), 3)
    network.replace_weights(network.slots[kept], network.weight[kept])
    for assign in (False, True):
        other = SparseRNN(RECURRENT, "lstm", device="meta" if assign else None)
        other.load_state_dict(network.state_dict(), assign=assign)
        assert torch.equal(other(x)[0], network(x)[0])


def test_places_are_copied_and_gradients_of_other_edges_dropped():
    network, x = networks()["mlp"]
    network(x).sum().backward()
    other = SparseMLP(FORWARD)
    other.replace_weights(network.slots, network.weight)
    assert other.slots.data_ptr() != network.slots.data_ptr()
    network.replace_weights(network.slots, network.weight)
    assert network.weight.grad is None


def test_memory_left_empty_keeps_places():
    for network, x in networks().values():
        state = {name: tensor.clone() for name, tensor in network.named_parameters()}
        network.to_empty(device="cpu")
        network.load_state_dict(state, strict=False)
        assert torch.isfinite(output(network, x)).all()
        assert wiring_of(network).n_edges > 100


def test_a_parametrised_weight_is_not_written():
    network = networks()["mlp"][0]
    parametrize.register_parametrization(network, "weight", nn.Identity())
    for write in (network.reset_parameters, lambda: network.replace_weights(network.slots, network.weight)):
        with pytest.raises(ValueError, match="weight is parametrised, so it cannot be written"):
            write()


def test_arguments_have_torchs_names():
    network, x = networks()["lstm"]
    assert torch.equal(network(input=x, hx=None)[0], network(x)[0])
    network, x = networks()["mlp"]
    assert torch.equal(network(input=x), network(x))


def test_a_state_with_masks_is_read():
    network, x = networks()["lstm"]
    size = sum(block.size for block in network.blocks)
    mask = torch.zeros(size, dtype=torch.bool).index_fill(0, network.slots, True)
    weight = torch.zeros(size).masked_scatter(mask, network.weight.detach())
    other = nn.Sequential(SparseRNN(RECURRENT, "lstm", rng=1))
    other.load_state_dict({"0.weight": weight, "0.mask": mask, "0.bias": network.biases.detach()})
    assert torch.equal(other[0](x)[0], network(x)[0])


def test_hooks_see_and_change_what_passes():
    network, x = networks()["sequence"]
    seen = []
    handle = network.rnn.register_forward_hook(lambda _module, _inputs, found: seen.append(found[0].shape))
    backward = network.register_full_backward_hook(lambda _module, _inputs, gradients: seen.append(gradients[0].shape))
    network(x.requires_grad_()).sum().backward()
    assert seen == [(6, 5, 32), (6, 3)]
    handle.remove()
    backward.remove()


def test_initial_weights_follow_torchs_seed():
    def build(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return torch.cat([SparseMLP(FORWARD).weight, SparseRNN(RECURRENT, "lstm").weight]).detach()

    assert torch.equal(build(1), build(1))
    assert not torch.equal(build(1), build(2))


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_reset(name: str, tmp_path: Path):
    network, x = networks()[name]
    parts = parts_of(network)
    for part in parts:
        part.weight.data.fill_(7)
        part.bias_vector.data.fill_(7)
        part.reset_parameters(rng=3)
    for part in parts:
        assert 0 < part.weight.std() < 2
        assert set(part.bias_vector.tolist()) <= {0.0, 1.0}
    if name != "sequence":
        fresh = type(network)(network.blueprint, name if name != "mlp" else "relu", rng=3)
        assert torch.equal(fresh.weight, network.weight)
        assert torch.equal(fresh.bias_vector, network.bias_vector)
    assert_on_its_graph(network, x, tmp_path)


def test_what_lives_is_reset():
    network = networks()["mlp"][0]
    assert isinstance(network, SparseMLP)
    kept = torch.arange(0, len(network.weight), 2)
    network.replace_weights(network.slots[kept], network.weight[kept])
    slots = network.slots.clone()

    def network_of(seed: int) -> SparseMLP:
        network.reset_parameters(rng=seed)
        return network

    assert torch.equal(network_of(0).slots, slots)
    # Output units draw with variance 1 / fan-in of what lives: a sum of squares of 1 a unit, on average.
    squares = torch.stack([network_of(seed).matrices()[-1].square().sum() for seed in range(40)])
    assert float(squares.mean().detach()) == pytest.approx(3, rel=0.2)


def train_like_lightning(network: nn.Module, x: Tensor, y: Tensor) -> list[float]:
    """Train as a LightningModule does: a module that holds the network, its hooks, its optimizer and scheduler."""

    class Lit(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = network

        def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
            return nn.functional.cross_entropy(output(self.net, batch[0]), batch[1])

        def configure_optimizers(self) -> tuple[list[Any], list[Any]]:
            optimizer = torch.optim.SGD(self.parameters(), 0.1, momentum=0.9)
            return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 60)]

    module = Lit()
    (optimizer,), (scheduler,) = module.configure_optimizers()
    losses = []
    for _ in range(60):

        def closure() -> Tensor:
            optimizer.zero_grad()
            loss = module.training_step((x, y))
            loss.backward()
            return loss

        losses.append(float(optimizer.step(closure).detach()))
        scheduler.step()
    return losses


@pytest.mark.parametrize("name", quick(["mlp", "sequence"], "mlp"))
def test_loops_of_frameworks(name: str):
    network, x = networks()[name]
    losses = train_like_lightning(network, x, torch.tensor([0, 1, 2, 0, 1, 2]))
    assert losses[-1] < 0.5 * losses[0]


def replica(rank: int, folder: str) -> None:
    """Train one of two replicas over gloo, and write what it came to."""
    torch.set_num_threads(1)
    given: dict[str, Any] = {"init_method": f"file://{folder}/store", "timeout": timedelta(seconds=100)}
    torch.distributed.init_process_group("gloo", **given, rank=rank, world_size=2)
    network, x = networks()["sequence"]
    parallel = nn.parallel.DistributedDataParallel(network)
    optimizer = torch.optim.SGD(parallel.parameters(), 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        parallel(x[3 * rank : 3 * rank + 3]).square().mean().backward()
        optimizer.step()
    torch.save(network.state_dict(), f"{folder}/{rank}.pt")
    torch.distributed.barrier()
    del parallel  # Before its group, whose threads it may wait for.
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_replicas_over_gloo(tmp_path: Path):
    if not torch.distributed.is_available():
        pytest.skip("torch was built without torch.distributed")
    # Both in processes of their own, which can be ended if they wait for each other.
    spawned = torch.multiprocessing.get_context("spawn")
    processes = [spawned.Process(target=replica, args=(rank, os.fspath(tmp_path)), daemon=True) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        if process.is_alive():
            process.kill()
    assert [process.exitcode for process in processes] == [0, 0]
    network, x = networks()["sequence"]
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        network(x).square().mean().backward()
        optimizer.step()
    for rank in range(2):
        state = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        for name, tensor in network.state_dict().items():
            torch.testing.assert_close(state[name], tensor, rtol=1e-5, atol=1e-6)


def test_a_grid_search_over_skorch():
    skorch = pytest.importorskip("skorch")
    from sklearn.model_selection import GridSearchCV

    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 20)).astype(np.float32)
    y = x[:, :3].argmax(axis=1)
    estimator = skorch.NeuralNetClassifier(
        SparseMLP,
        module__wiring=FORWARD,
        module__rng=0,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        max_epochs=8,
        train_split=None,
        verbose=0,
    )
    search = GridSearchCV(estimator, {"lr": [0.0001, 0.03], "module__activation": ["relu", "tanh"]}, cv=2).fit(x, y)
    assert search.best_params_["lr"] == 0.03
    assert search.best_score_ > 0.5
