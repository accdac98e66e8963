"""Several threads work on one large network: every number is computed as by one."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nas.networks import NetworkSpec, SparseMLP
from nas.tasks import Task
from nas.training import Recipe, evaluate, native_engine, predict
from nas.training.extension import extension, has_native
from nas.training.train import begin_wiring, session
from priors import Layered, WattsStrogatz, Wiring, attach, layer, orient

pytestmark = pytest.mark.skipif(not has_native(), reason="the compiled engine was not built")


def layered() -> Wiring:
    """Too large for a cache, with groups of rows that read the same sources."""
    return Layered((28, 3000, 3000, 5), (0.6, 0.006, 1.0), inputs=True, outputs=True).sample(0)


def complete_read_in() -> Wiring:
    return Layered((28, 2501, 2000, 5), (1.0, 0.01, 0.5), inputs=True, outputs=True).sample(1)


def deep() -> Wiring:
    """Hundreds of stretches, most of them small."""
    return attach(layer(orient(WattsStrogatz(2000, 110, 0.2).sample(0), "random", 0)), 28, 5, "natural")


def small() -> Wiring:
    return Layered((28, 40, 5), 0.5, inputs=True, outputs=True).sample(0)


WIRINGS = {"layered": layered, "complete read-in": complete_read_in, "deep": deep, "small": small}


@pytest.fixture(scope="module")
def task() -> Task:
    rng = np.random.default_rng(0)
    targets = rng.integers(5, size=260)
    inputs = rng.normal(size=(260, 28)) + targets[:, None]
    # A complete read-in of these is laid out input by input.
    return Task.from_arrays("classes", inputs, targets)


@pytest.fixture(scope="module")
def sparse_task() -> Task:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(260, 28)) * (rng.random((260, 28)) < 0.2)
    return Task.from_arrays("mostly zeros", inputs, rng.integers(5, size=260))


def trained(
    wiring: Wiring, task: Task, threads: int, activation: str = "relu", **recipe: Any
) -> tuple[Any, list[NDArray[Any]]]:
    plan = Recipe(**{"epochs": 2, "batch_size": 100, "learning_rates": 0.001, **recipe})
    generators = [np.random.default_rng(seed) for seed in (1, 2)]
    opened = begin_wiring(
        wiring, NetworkSpec("mlp", activation=activation), task, plan, learning_rate=0.001, weights=generators[0],
        batches=generators[1], engine="native",
    )  # fmt: skip
    assert isinstance(opened.session, native_engine.NativeSession)
    opened.session._threads = threads
    opened.run()
    assert opened.compiled is not None
    return opened.history.epochs, list(opened.compiled.parameters)


def same(one: list[NDArray[Any]], other: list[NDArray[Any]]) -> bool:
    return all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


@pytest.mark.parametrize("name", WIRINGS)
def test_a_training_does_not_depend_on_its_threads(name: str, task: Task, sparse_task: Task):
    wiring = WIRINGS[name]()
    assert (wiring.n_edges >= 100_000) == (name != "small")
    for own in (task, sparse_task):
        epochs, parameters = trained(wiring, own, 1)
        for threads in (2, 3):
            other_epochs, others = trained(wiring, own, threads)
            assert epochs == other_epochs
            assert same(parameters, others)


@pytest.mark.parametrize(
    ("activation", "recipe"),
    [
        ("gelu", {"optimizer": "sgd", "momentum": 0.9, "clip": 1.0}),
        ("tanh", {"optimizer": "adamw", "weight_decay": 0.1, "patience": 1}),
    ],
)
def test_nor_with_other_activations_and_optimizers(activation: str, recipe: dict[str, Any], task: Task):
    wiring = layered()
    one, two = (trained(wiring, task, threads, activation, **recipe) for threads in (1, 2))
    assert one[0] == two[0]
    assert same(one[1], two[1])


def test_large_networks_follow_torch(task: Task):
    """Lines that are asked for ahead are the same lines."""
    networks = [SparseMLP(layered(), rng=0) for _ in range(2)]
    recipe = Recipe(epochs=1, batch_size=64, learning_rates=1e-4)
    losses = []
    for network, engine in zip(networks, ("native", "torch"), strict=True):
        training = session(network, task, recipe, rng=0, engine=engine, threads=2)
        training.run()
        losses.append(training.history().epochs[0].train_loss)
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    torch.testing.assert_close(networks[0].weight, networks[1].weight, rtol=0, atol=2e-4)


def test_evaluation_does_not_depend_on_threads(task: Task):
    network, before = SparseMLP(layered(), rng=0), torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append((evaluate(network, task, task.test), predict(network, task, task.test)))
    finally:
        torch.set_num_threads(before)
    assert found[0][0] == found[1][0]
    assert torch.equal(found[0][1], found[1][1])


def test_trainings_side_by_side_share_threads_and_stay_what_they_are(task: Task):
    wiring = layered()
    _, expected = trained(wiring, task, 1)
    with ThreadPoolExecutor(2) as pool:
        for _, parameters in pool.map(lambda _: trained(wiring, task, 2), range(2)):
            assert same(parameters, expected)


def test_threads_are_those_of_torch_unless_given(task: Task):
    network = SparseMLP(small(), rng=0)
    opened = session(network, task, Recipe(), engine="native")
    assert isinstance(opened, native_engine.NativeSession)
    assert opened._threads == torch.get_num_threads()
    given = session(network, task, Recipe(), engine="native", threads=7)
    assert isinstance(given, native_engine.NativeSession)
    assert given._threads == 7
    assert "n_threads" in (extension().Training.run.__doc__ or "")
