"""Networks on disk: what comes back, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.utils.prune
from safetensors import safe_open
from safetensors.torch import save_file

from nas.networks import (
    SequenceNetwork,
    SparseMLP,
    SparseRNN,
    load_network,
    parts_of,
    save_network,
    wiring_of,
)
from priors.wiring import Wiring

FORWARD = Wiring((3, 2, 2, 2), [(0, 3), (2, 3), (3, 5), (1, 6), (4, 6), (5, 7), (0, 8)], True, True)
CYCLIC = Wiring((1, 3, 2), [(0, 1), (1, 2), (2, 3), (3, 1), (2, 2), (2, 4), (3, 5)], True, True)
NAMES = [0, "nine", ("a", 1), None, 2.5, np.int64(7)]


def networks() -> list[tuple[torch.nn.Module, torch.Tensor]]:
    x = torch.randn(3, 5, 1)
    return [
        (SparseMLP(FORWARD, "gelu", rng=0), torch.randn(4, 3)),
        (SparseMLP(FORWARD, "tanh", rng=0, dtype=torch.float64), torch.randn(4, 3, dtype=torch.float64)),
        (SparseMLP(FORWARD.replace(edges=FORWARD.edges, weights=range(7))), torch.randn(4, 3)),
        (SparseRNN(CYCLIC, "gru", rng=0), x),
        (SparseRNN(CYCLIC.replace(names=NAMES), "relu", rng=0), x),
        (SequenceNetwork(CYCLIC.replace(names=NAMES), "lstm", rng=0), x),
        (SequenceNetwork(Wiring((1, 1, 2, 1), [(0, 1), (1, 2), (3, 1), (2, 4)], True, True), "tanh", rng=0), x),
    ]


@pytest.mark.parametrize("index", range(7))
@pytest.mark.parametrize("pruned", [False, True])
@pytest.mark.parametrize("version", [1, 2])
def test_what_was_saved_comes_back(index: int, pruned: bool, version: int, tmp_path: Path):
    network, x = networks()[index]
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * (parameter != 0))
    if pruned:
        part = getattr(network, "rnn", network)
        part.replace_weights(part.slots[1:], part.weight[1:])
    path = tmp_path / "network.safetensors"
    save_network(network, path)
    assert [file.name for file in tmp_path.iterdir()] == ["network.safetensors"]
    if version == 1:
        save_masked(network, path)
    loaded = load_network(str(path))
    assert type(loaded) is type(network)
    assert str(loaded) == str(network)
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)
        assert loaded.state_dict()[name].dtype == tensor.dtype
    own, other = (out[0] if isinstance(out, tuple) else out for out in (network(x), loaded(x)))
    assert torch.equal(own, other)
    before, after = wiring_of(network), wiring_of(loaded)
    assert before == after
    assert before.names == after.names
    if before.weights is not None:
        assert np.array_equal(before.weights, after.weights)


def save_masked(network: torch.nn.Module, path: Path) -> None:
    """Write a network as version 1 did: a value for every entry of the blocks, and a mask; `path` holds version 2."""
    with safe_open(path, framework="pt") as file:
        description = json.loads(file.metadata()["wirenas"]) | {"version": 1}
    wiring = getattr(network, "rnn", network).blueprint
    tensors = {"wiring.edges": torch.from_numpy(wiring.edges.copy())}
    if wiring.weights is not None:
        tensors["wiring.weights"] = torch.from_numpy(wiring.weights.copy())
    for name, part in zip(("rnn.", "head.") if hasattr(network, "head") else ("",), parts_of(network), strict=True):
        size = sum(block.size for block in part.blocks)
        places = torch.zeros(size, dtype=torch.bool).index_fill(0, part.slots, True)
        tensors[f"{name}mask"] = places
        tensors[f"{name}weight"] = torch.zeros(size, dtype=part.weight.dtype).masked_scatter(
            places, part.weight.detach()
        )
        tensors[f"{name}bias"] = part.bias_vector.detach()
    save_file(tensors, path, {"wirenas": json.dumps(description)})


def saved(tmp_path: Path, version: int = 2) -> Path:
    path, network = tmp_path / "network.safetensors", SparseMLP(FORWARD, "gelu", rng=0)
    save_network(network, path)
    if version == 1:
        save_masked(network, path)
    return path


def edit(
    path: Path, description: dict[str, Any] | None = None, tensors: dict[str, torch.Tensor | None] | None = None
) -> None:
    with safe_open(path, framework="pt") as file:
        own = {name: file.get_tensor(name) for name in sorted(file.keys())} | (tensors or {})
        description = json.loads(file.metadata()["wirenas"]) | (description or {})
    text = {"wirenas": json.dumps(description)}
    save_file({name: tensor for name, tensor in own.items() if tensor is not None}, path, text)


def test_the_file_says_what_it_is(tmp_path: Path):
    with safe_open(saved(tmp_path), framework="pt") as file:
        assert list(file.metadata()) == ["wirenas"]
        description = json.loads(file.metadata()["wirenas"])
        degrees, targets = (file.get_tensor(f"wiring.{name}") for name in ("degrees", "targets"))
    assert degrees.tolist() == [2, 1, 1, 1, 1, 1, 0, 0, 0]
    assert targets.tolist() == [3, 8, 6, 3, 5, 6, 7]
    assert (degrees.dtype, targets.dtype) == (torch.int8, torch.int8)
    assert description["format"] == "wirenas-network"
    assert description["version"] == 2
    assert (description["class"], description["unit"]) == ("SparseMLP", "gelu")
    assert description["sizes"] == [3, 2, 2, 2]


def test_saving_replaces_a_file_or_leaves_it(tmp_path: Path):
    path = saved(tmp_path)
    before = path.read_bytes()
    strange = FORWARD.replace(names=[object() for _ in range(9)])
    with pytest.raises(ValueError, match=r"name <object.*give others with wiring.replace\(names=...\)"):
        save_network(SparseMLP(strange), path)
    assert path.read_bytes() == before
    save_network(SparseMLP(FORWARD, "tanh"), path)
    assert load_network(path).activation == "tanh"


def test_a_broken_write_leaves_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write = Path.write_bytes

    def half(path: Path, content: bytes) -> None:
        write(path, content[: len(content) // 2])
        raise OSError("disk full")

    path = saved(tmp_path)
    before = path.read_bytes()
    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="disk full"):
        save_network(SparseMLP(FORWARD), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        ({"format": "other"}, "its format is 'other'"),
        ({"version": 4}, "its version is 4 and only 1 to 3 are known"),
        ({"class": "os.system"}, "which is not known"),
        ({"class": "SparseRNN"}, "a 'SparseRNN' of 'gelu', which is not known"),
        ({"unit": "__import__"}, "which is not known"),
        ({"sizes": [1e9]}, "sizes must be integers"),
        ({"sizes": [3, 2, 2, 1000000000000]}, "add up to at most"),
        (
            {"sizes": [3, 2, 2, 20]},
            "bias has shape|size mismatch|weights where its wiring has room|degrees of 9 neurons",
        ),
        ({"sizes": [3, 2, -2, 6]}, "every layer needs at least 1 neuron"),
        ({"sizes": {}}, "this is no intact network file"),
        ({"sizes": "nonsense"}, "this is no intact network file"),
        ({"names": [1, 2]}, "9 neurons need one name each"),
        ({"names": [{"a": 1}]}, "this is no intact network file"),
        ({"names": 3}, "this is no intact network file"),
        ({"outputs": False}, "SparseMLP needs both"),
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_wrong_descriptions_are_refused(description: dict[str, Any], reason: str, version: int, tmp_path: Path):
    path = saved(tmp_path, version)
    edit(path, description)
    with pytest.raises(ValueError, match=reason) as raised:
        load_network(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ({"weight": None}, "weights where its wiring has room for"),
        ({"bias": None}, "Missing key"),
        ({"extra": torch.zeros(1)}, "Unexpected key"),
        ({"wiring.edges": None}, "wiring.edges"),
        ({"wiring.edges": torch.tensor([[0, 99]])}, "leaves the 9 neurons"),
        ({"wiring.edges": torch.tensor([[0.0, 3.0]])}, "must be integer rows"),
        ({"wiring.edges": torch.tensor([[0, 3]])}, "weights where its wiring has room for"),
        ({"wiring.weights": torch.zeros(2)}, "one weight for each of the 7 edges"),
        ({"bias": torch.zeros(6, dtype=torch.int64)}, "one floating-point type"),
        ({"bias": torch.zeros(6, dtype=torch.float64)}, "one floating-point type"),
        ({"bias": torch.zeros(7)}, "size mismatch"),
        ({"weight": torch.ones(14)}, "not zero off its mask"),
        ({"mask": torch.ones(14)}, "its masks must be boolean"),
    ],
)
def test_wrong_tensors_of_version_1_are_refused(tensors: dict[str, torch.Tensor | None], reason: str, tmp_path: Path):
    path = saved(tmp_path, version=1)
    edit(path, tensors=tensors)
    with pytest.raises(ValueError, match=reason) as raised:
        load_network(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ({"weight": None}, "it holds bias where weight, bias are needed"),
        ({"bias": None}, "it holds weight where weight, bias are needed"),
        ({"extra": torch.zeros(1)}, "it holds bias, extra, weight where"),
        ({"wiring.targets": None}, "wiring.targets"),
        ({"wiring.degrees": torch.zeros(9, dtype=torch.int8)}, "its degrees do not add up to its 7 edges"),
        ({"wiring.degrees": torch.tensor([-1, 8, 0, 0, 0, 0, 0, 0, 0])}, "its degrees do not add up"),
        ({"wiring.degrees": torch.tensor([2**62] * 4 + [7, 0, 0, 0, 0])}, "its degrees do not add up"),
        ({"wiring.degrees": torch.tensor([7])}, "it holds the degrees of 1 neurons"),
        ({"gaps": torch.tensor([0, 2**62, 2**62, 1, 1, 1, 1])}, "places must ascend"),
        (
            {"weight": torch.zeros(7, dtype=torch.float8_e4m3fn), "bias": torch.zeros(6, dtype=torch.float8_e4m3fn)},
            "one",
        ),
        ({"wiring.degrees": torch.tensor([7.0] + 8 * [0.0])}, "must be vectors of whole numbers"),
        ({"wiring.targets": torch.tensor([3, 8, 6, 3, 5, 6, 99])}, "leaves the 9 neurons"),
        ({"wiring.targets": torch.tensor([3, 3, 6, 3, 5, 6, 7])}, "edge"),
        ({"wiring.weights": torch.zeros(2)}, "one weight for each of the 7 edges"),
        ({"bias": torch.zeros(6, dtype=torch.int64)}, "one floating-point type"),
        ({"bias": torch.zeros(6, dtype=torch.float64)}, "one floating-point type"),
        ({"bias": torch.zeros(7)}, r"bias has shape \(7,\) where \(6,\) is needed"),
        ({"weight": torch.zeros(6)}, r"weight has shape \(6,\) where \(7,\) is needed"),
        ({"gaps": torch.tensor([0, 1, 1, 1, 1, 1, 99])}, "7 places and 7 weights: .* between 0 and"),
        ({"gaps": torch.tensor([0, 1, 1, 1, 1, 1, 0])}, "places must ascend"),
        ({"gaps": torch.tensor([0, 1])}, "2 places and 7 weights"),
        ({"gaps": torch.tensor([0.5, 1.0])}, "must be vectors of whole numbers"),
    ],
)
def test_wrong_tensors_are_refused(tensors: dict[str, torch.Tensor | None], reason: str, tmp_path: Path):
    path = saved(tmp_path)
    edit(path, tensors=tensors)
    with pytest.raises(ValueError, match=reason) as raised:
        load_network(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not it", b"\xff" * 64, b"\x80\x04\x95pickle"])
def test_other_files_are_refused(content: bytes, tmp_path: Path):
    path = tmp_path / "network.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="this is no intact network file"):
        load_network(path)


def test_cut_files_are_refused(tmp_path: Path):
    path = saved(tmp_path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 41):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="this is no intact network file"):
            load_network(path)


def test_only_networks_as_they_are_made_are_stored(tmp_path: Path):
    class Other(SparseMLP):
        pass

    path = saved(tmp_path)
    before = path.read_bytes()
    pruned, spoilt = SparseMLP(FORWARD, rng=0), SparseMLP(FORWARD, rng=0)
    torch.nn.utils.prune.l1_unstructured(pruned, "weight", amount=0.5)
    spoilt.register_parameter("more", torch.nn.Parameter(torch.zeros(1)))
    for network in (pruned, spoilt, Other(FORWARD, rng=0)):
        with pytest.raises(ValueError, match="only SparseMLP, SparseRNN, SequenceNetwork themselves are stored"):
            save_network(network, path)
    assert path.read_bytes() == before


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        load_network(tmp_path / "nothing.safetensors")
