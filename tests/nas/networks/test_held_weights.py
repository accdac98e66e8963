"""Weights that a graph brings can be held: they are part of the function, and no training moves them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nas import SparseMLP, SparseRNN, load_network, save_network, wiring_of
from nas.errors import InputError
from nas.networks import SequenceNetwork
from nas.networks.structure import parts_of
from nas.tasks.task import Task
from nas.training import Recipe, train
from priors import WattsStrogatz, Wiring, attach, layer, orient


def weighted(*, recurrent: bool) -> Wiring:
    """Return an attached wiring whose hidden edges bring weights, but for the first."""
    graph = WattsStrogatz(12, 4, 0.3).sample(0)
    if not recurrent:
        graph = layer(orient(graph, "random", 0))
    weights = np.random.default_rng(1).normal(size=graph.n_edges).astype(np.float32)
    weights[0] = np.nan
    return attach(graph.replace(weights=weights), 5, 3, "natural", rng=0)


KINDS: dict[str, Any] = {
    "mlp": lambda: SparseMLP(weighted(recurrent=False), rng=0),
    "rnn": lambda: SparseRNN(weighted(recurrent=True), "tanh", rng=0),
    "sequence": lambda: SequenceNetwork(weighted(recurrent=True), "relu", rng=0),
}


def held(kind: str) -> Any:
    network = KINDS[kind]()
    for part in parts_of(network):
        part.hold()
    return network


def data(kind: str) -> torch.Tensor:
    return torch.randn(4, 5) if kind == "mlp" else torch.randn(4, 6, 5)


def outputs(kind: str, network: Any, x: torch.Tensor) -> torch.Tensor:
    found = network(x)
    return found[0] if kind == "rnn" else found


def trained(kind: str, network: Any) -> None:
    torch.manual_seed(0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.1, weight_decay=0.5)
    for _ in range(4):
        optimizer.zero_grad()
        outputs(kind, network, data(kind)).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize("kind", KINDS)
def test_no_training_moves_what_is_held(kind: str):
    network, before = held(kind), KINDS[kind]()
    x = data(kind)
    assert torch.equal(outputs(kind, network, x), outputs(kind, before, x))
    trained(kind, network)
    brought, found = before.rnn.blueprint if kind == "sequence" else before.blueprint, wiring_of(network)
    own = ~np.isnan(brought.weights)
    assert own.sum() > 10
    assert np.array_equal(found.weights[own], brought.weights[own])
    moved = found.weights[~own] != wiring_of(before).weights[~own]
    assert moved.any()
    if kind != "rnn":  # Whose wiring's edges into output units are not its own.
        assert moved.mean() > 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_files_and_states_keep_what_is_held(kind: str, tmp_path: Path):
    network, x = held(kind), data(kind)
    trained(kind, network)
    save_network(network, tmp_path / "network.safetensors")
    fresh = KINDS[kind]()
    fresh.load_state_dict(network.state_dict())
    for other in (load_network(tmp_path / "network.safetensors"), fresh):
        assert torch.equal(outputs(kind, other, x), outputs(kind, network, x))
        before = wiring_of(other).weights.copy()
        trained(kind, other)
        own = ~np.isnan((other.rnn if kind == "sequence" else other).blueprint.weights)
        assert np.array_equal(wiring_of(other).weights[own], before[own])


def test_exported_networks_compute_with_what_is_held():
    network = held("mlp")
    with torch.no_grad():
        network.weight.add_(1.0)
    x = data("mlp")
    exported = torch.export.export(network, (x,)).module()
    assert torch.allclose(exported(x), network(x), atol=1e-6)


def test_the_compiled_engine_leaves_such_networks_to_torch():
    rng = np.random.default_rng(0)
    task = Task.from_arrays("signs", rng.normal(size=(60, 5)), rng.integers(0, 3, 60))
    network, recipe = held("mlp"), Recipe(epochs=2)
    before = wiring_of(network).weights.copy()
    assert train(network, task, recipe).engine == "torch"
    own = ~np.isnan(network.blueprint.weights)
    assert np.array_equal(wiring_of(network).weights[own], before[own])
    with pytest.raises(InputError, match="engine"):
        train(held("mlp"), task, recipe, engine="native")


def test_what_cannot_be_held_is_one_line():
    plain = SparseMLP(weighted(recurrent=False).replace(weights=None), rng=0)
    with pytest.raises(ValueError, match="has no weights of its own"):
        plain.hold()
    with pytest.raises(ValueError, match=r"own is \(1,\) of"):
        plain.hold(torch.ones(1))
    network = held("mlp")
    with pytest.raises(ValueError, match="some weights are held"):
        network.replace_weights(network.slots[:3], network.weight[:3])
