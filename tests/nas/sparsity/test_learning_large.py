"""Learning from layer sizes alone: the same as from a parent in which everything lives, and of any size."""

import re
import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nas import InputError, load_network, save_network
from nas.networks import SparseMLP
from nas.networks.structure import wiring_of
from nas.sparsity import METHODS, Method
from nas.sparsity.compact import compact
from nas.sparsity.learning import learn, sparsify
from nas.sparsity.network import input_statistics, layers_of
from nas.tasks import Task
from nas.training import Recipe, evaluate
from nas.training.extension import has_native
from priors import Wiring

RANDOM = {name: METHODS[name] for name in ("set-truly-sparse", "set", "itop", "nowak", "mest", "static")}
OFTEN = {"every": 4, "begin": 4, "end": "never"}


def task_of(n_inputs: int = 8) -> Task:
    rng = np.random.default_rng(0)
    targets = rng.integers(3, size=150)
    return Task.from_arrays("classes", rng.normal(size=(150, n_inputs)) + targets[:, None], targets)


def parents(sizes: tuple[int, ...]) -> tuple[SparseMLP, SparseMLP]:
    """Return a network in which everything lives, and one that has room for it."""
    masks = [np.ones((after, before)) for before, after in pairwise(sizes)]
    complete = Wiring.from_masks(masks, inputs=True, outputs=True)
    empty = Wiring(sizes, inputs=True, outputs=True)
    return SparseMLP(complete, rng=0), SparseMLP(empty, rng=1, room=True)


@pytest.mark.parametrize("engine", ["native", "torch"])
@pytest.mark.parametrize("name", [name for name in RANDOM if name != "mest"])
def test_room_gives_what_a_complete_parent_gives_to_the_last_bit(name: str, engine: str):
    if engine == "native" and not has_native():
        pytest.skip("the compiled engine was not built")
    method = RANDOM[name].replace(**OFTEN)
    recipe = Recipe(epochs=4, batch_size=16)
    one, other = (
        learn(network, task_of(), recipe, method, weights=90, rng=3, engine=engine) for network in parents((8, 9, 7, 3))
    )
    assert isinstance(one.network, SparseMLP)
    assert isinstance(other.network, SparseMLP)
    for tensor in ("weight", "bias", "slots"):
        assert torch.equal(getattr(one.network, tensor), getattr(other.network, tensor))
    assert one.history.epochs == other.history.epochs
    assert (one.snapshots, one.ever, one.updates) == (other.snapshots, other.ever, other.updates)
    assert wiring_of(one.network) == wiring_of(other.network)


def test_scores_by_gradients_of_what_lives_need_no_complete_parent():
    found = learn(
        parents((8, 9, 7, 3))[1], task_of(), Recipe(epochs=3, batch_size=16), RANDOM["mest"].replace(**OFTEN),
        weights=90, rng=3,
    )  # fmt: skip
    assert found.updates > 3
    assert {snapshot.weights for snapshot in found.snapshots} == {90}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=3, max_size=5), st.data(), st.integers(0, 2**32))
def test_room_is_sparsified_as_a_complete_network_is(sizes: list[int], data: st.DataObject, seed: int):
    one, other = parents(tuple(sizes))
    assert layers_of(one) == layers_of(other)
    counts = np.array([data.draw(st.integers(0, layer.size)) for layer in layers_of(one)])
    for network in (one, other):
        sparsify(network, counts, np.random.default_rng(seed))
    assert torch.equal(one.slots, other.slots)
    assert torch.equal(one.weight, other.weight)


@pytest.mark.parametrize(
    ("method", "error"),
    [
        (METHODS["gmp"], r"action=prune: there is nothing to prune where nothing lives, .* growth=random"),
        (METHODS["rigl"], r"growth=gradient: it needs a number for every place, .* growth=random"),
        (METHODS["set"].replace(score="obs"), "score=obs: it needs matrices of all neurons"),
    ],
)
def test_what_needs_a_number_for_every_place_is_refused(method: Method, error: str):
    with pytest.raises(InputError, match=error):
        learn(parents((8, 9, 7, 3))[1], task_of(), Recipe(epochs=3), method, weights=90)


def test_room_is_stored(tmp_path: Path):
    network = parents((8, 9, 7, 3))[1]
    learn(network, task_of(), Recipe(epochs=3, batch_size=16), METHODS["set-truly-sparse"], weights=90, rng=0)
    save_network(network, tmp_path / "network.safetensors")
    loaded = load_network(tmp_path / "network.safetensors")
    assert isinstance(loaded, SparseMLP)
    assert loaded.room
    assert layers_of(loaded) == layers_of(network)
    x = torch.randn(5, 8)
    assert torch.equal(loaded(x), network(x))
    assert wiring_of(loaded) == wiring_of(network)


def test_room_beside_edges_that_skip_layers():
    wiring = Wiring((3, 2, 2, 2), [(0, 3), (0, 5), (3, 6), (1, 7), (5, 8)], inputs=True, outputs=True)
    plain, room = SparseMLP(wiring, rng=0), SparseMLP(wiring, rng=0, room=True)
    x = torch.randn(4, 3)
    assert torch.equal(plain.weight, room.weight)
    torch.testing.assert_close(plain(x), room(x))
    assert [block.columns.tolist() for block in room.blocks] == [[0, 1, 2], [0, 3, 4], [1, 5, 6]]


@pytest.fixture(scope="module")
def large() -> tuple[SparseMLP, Task, int]:
    """A network of 40,000 neurons with room for 400 million weights, of which 60,000 live after learning."""
    task = task_of()
    network = SparseMLP(Wiring((8, 20_000, 20_000, 3), inputs=True, outputs=True), room=True, rng=0)
    tracemalloc.start()
    found = learn(
        network,
        task,
        Recipe(epochs=3, batch_size=64, learning_rates=1e-4),
        METHODS["set-truly-sparse"].replace(new_weight="zero", score="activation"),
        weights=60_000,
        rng=0,
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [snapshot.weights for snapshot in found.snapshots] == [60_000] * 4
    assert found.updates > 1
    return network, task, peak


def test_a_large_network_takes_memory_by_its_weights(large: tuple[SparseMLP, Task, int]):
    assert large[2] < 60_000_000  # A bit a place would be 50 MB, a byte 400 MB.


def test_a_large_network_is_compacted_without_a_matrix(large: tuple[SparseMLP, Task, int]):
    network, task, _ = large
    # What no input reaches sends a constant, which biases take over.
    with torch.no_grad():
        network.bias.add_(0.01)
    small = compact(network)
    assert small.blueprint.n_neurons < network.blueprint.n_neurons
    expected, found = (evaluate(own, task, task.validation, engine="torch") for own in (network, small))
    assert found.loss == pytest.approx(expected.loss, rel=1e-4)


def test_what_neurons_are_like_is_measured_without_a_matrix(large: tuple[SparseMLP, Task, int]):
    network, task, _ = large
    spread, norm = input_statistics(network, task)
    assert len(spread) == len(norm) == network.blueprint.n_neurons
    x = task.batch(task.train)[0]
    np.testing.assert_allclose(spread[:8], x.numpy().std(axis=0), rtol=1e-4)
    assert (spread[-3:] == 0).all()
    assert (norm[8:-3] > 0).any()


def test_the_block_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    page = Path(__file__).resolve().parents[3] / "docs" / "sparsity.md"
    section = page.read_text(encoding="utf-8").split("## Layers of any size")[1]
    (block,) = re.findall(r"```python\n(.*?)```", section.split("\n## ")[0], re.DOTALL)
    exec(block, {})
    n_parameters, n_dead = map(int, capsys.readouterr().out.split())
    assert 40_000 < n_parameters <= 56_010
    assert 0 < n_dead < 3000
    assert (tmp_path / "learned.safetensors").is_file()
