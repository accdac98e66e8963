"""A sparse MLP behind a pooling of its inputs, and its file."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from nas import load_network, save_network
from nas.inputs import Pooling
from nas.networks import PooledMLP, SparseMLP, n_parameters, wiring_of
from priors import Layered


def network(size: int = 2) -> PooledMLP:
    pooling = Pooling(6, 4, size)
    sizes = (int(np.prod(pooling.shape)), 5, 3)
    return PooledMLP(SparseMLP(Layered(sizes, density=0.7, inputs=True, outputs=True).sample(0), rng=0), pooling)


def metadata(path: Path) -> dict[str, object]:
    with safe_open(path, framework="pt") as file:
        found: dict[str, object] = json.loads(file.metadata()["wirenas"])
    return found


def test_it_reads_pixels() -> None:
    own = network()
    x = torch.randn(7, 24)
    assert torch.equal(own(x), own.mlp(own.pooling(x)))
    assert (own.in_features, own.out_features) == (24, 3)
    assert n_parameters(own) == n_parameters(own.mlp)
    assert wiring_of(own) == wiring_of(own.mlp)
    with pytest.raises(ValueError, match=r"input has shape \(7, 6\): the network reads \(batch, 24\)"):
        own(torch.randn(7, 6))
    with pytest.raises(ValueError, match=r"6 input units where .* gives 2 means"):
        PooledMLP(own.mlp, Pooling(6, 4, 4))


def test_its_file_brings_it_back(tmp_path: Path) -> None:
    own, path = network(), tmp_path / "network.safetensors"
    save_network(own, path)
    again = load_network(path)
    x = torch.randn(7, 24)
    assert isinstance(again, PooledMLP)
    assert torch.equal(again(x), own(x))
    assert again.pooling == own.pooling
    assert (metadata(path)["version"], metadata(path)["pooling"]) == (3, [6, 4, 2])
    # Other networks are written as before, for readers that do not know of pooling.
    save_network(own.mlp, path)
    assert metadata(path)["version"] == 2
    assert "pooling" not in metadata(path)


@pytest.mark.parametrize("pooling", [[6, 4, 0], [6, 4], [6, 4, 2.0], [6, 4, 3], "642", None, [10**9, 10**9, 10**9]])
def test_a_damaged_pooling_is_said(tmp_path: Path, pooling: object) -> None:
    path = tmp_path / "network.safetensors"
    save_network(network(), path)
    description = {**metadata(path), "pooling": pooling}
    save_file(load_file(path), path, {"wirenas": json.dumps(description)})
    with pytest.raises(ValueError, match="this is no intact network file"):
        load_network(path)


def test_a_file_keeps_the_channels(tmp_path: Path) -> None:
    pooling = Pooling(5, 4, 2, channels=3)
    sizes = (pooling.n_means, 5, 2)
    own = PooledMLP(SparseMLP(Layered(sizes, density=0.5, inputs=True, outputs=True).sample(0), rng=0), pooling)
    save_network(own, tmp_path / "network.safetensors")
    again = load_network(tmp_path / "network.safetensors")
    assert isinstance(again, PooledMLP)
    assert again.pooling == pooling
    assert metadata(tmp_path / "network.safetensors")["pooling"] == [5, 4, 2, 3]
    x = torch.randn(7, 60)
    assert torch.equal(again(x), own(x))
