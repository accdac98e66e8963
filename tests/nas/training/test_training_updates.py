"""The updates of the torch engine against the update rules written out in numpy, and what masks and batches promise."""

from itertools import chain

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nas.networks import SequenceNetwork, SparseMLP, wiring_of
from nas.tasks import Task
from nas.training import Recipe, train
from nas.training.train import session
from priors import WattsStrogatz, attach, layer, orient

Array = NDArray[np.float64]
RULES = {
    "sgd": {"optimizer": "sgd", "momentum": 0.0},
    "momentum": {"optimizer": "sgd", "momentum": 0.8},
    "nesterov": {"optimizer": "sgd", "momentum": 0.8, "nesterov": True},
    "adam": {"optimizer": "adam"},
    "adamw": {"optimizer": "adamw"},
}


class Affine(nn.Module):
    """An affine function in float64 that notes the first input of every example that it is trained on."""

    def __init__(self, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        rng = np.random.default_rng(5)
        self.weight = nn.Parameter(torch.from_numpy(rng.normal(size=(n_outputs, n_inputs))))
        self.bias = nn.Parameter(torch.from_numpy(rng.normal(size=n_outputs)))
        self.seen: list[list[float]] = []

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.seen.append(x[:, 0].tolist())
        return nn.functional.linear(x.double(), self.weight, self.bias)


def numbered_task(n: int = 60, n_inputs: int = 4) -> Task:
    """A task whose examples carry their own number as first input."""
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(n, n_inputs))
    inputs[:, 0] = np.arange(n) / n
    return Task.from_arrays("numbered", inputs, rng.integers(3, size=n))


def small_mlp(task: Task, seed: int = 0, **attachment: int) -> SparseMLP:
    hidden = layer(orient(WattsStrogatz(10, 4, 0.3).sample(2), rng=3))
    return SparseMLP(attach(hidden, task.n_inputs, task.n_outputs, "controlled", 4, reads=2, readouts=4), rng=seed)


def gradient(parameters: tuple[Array, Array], x: Array, y: NDArray[np.int64]) -> list[Array]:
    weight, bias = parameters
    logits = x @ weight.T + bias
    error = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    error[np.arange(len(y)), y] -= 1
    return [error.T @ x / len(y), error.mean(axis=0)]


def update(
    rule: str, value: Array, slope: Array, state: dict[str, Array], count: int, rate: float, decay: float
) -> Array:
    """One update of one array by the published rules; `count` is 1 for the first."""
    if rule == "adamw":
        value = value * (1 - rate * decay)
    else:
        slope = slope + decay * value
    if rule.startswith("adam"):
        state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * slope
        state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * slope**2
        m, v = state["m"] / (1 - 0.9**count), state["v"] / (1 - 0.999**count)
        return value - rate * m / (np.sqrt(v) + 1e-8)
    if rule == "sgd":
        return value - rate * slope
    state["m"] = 0.8 * state.get("m", 0.0) + slope
    return value - rate * (slope + 0.8 * state["m"] if rule == "nesterov" else state["m"])


def trained_by_hand(task: Task, rule: str, recipe: Recipe, n_updates: int) -> list[Array]:
    network = Affine(task.n_inputs, task.n_outputs)
    values = [network.weight.detach().numpy().copy(), network.bias.detach().numpy().copy()]
    states: list[dict[str, Array]] = [{}, {}]
    x, y = task.inputs.double().numpy(), task.targets.numpy()
    rng = np.random.default_rng(9)
    per_epoch = -(-len(task.train) // recipe.batch_size)
    for step in range(n_updates):
        if step % per_epoch == 0:
            order = task.train.numpy()[np.argsort(rng.random(len(task.train)), kind="stable")]
        first = step % per_epoch * recipe.batch_size
        batch = order[first : first + recipe.batch_size]
        slopes = gradient((values[0], values[1]), x[batch], y[batch])
        norm = np.sqrt(sum((slope**2).sum() for slope in slopes))
        if recipe.clip is not None and norm > recipe.clip:
            slopes = [slope * recipe.clip / norm for slope in slopes]
        rate = 0.3 * (1 - step / (recipe.epochs * per_epoch))
        values = [
            update(rule, value, slope, state, step + 1, rate, recipe.weight_decay)
            for value, slope, state in zip(values, slopes, states, strict=True)
        ]
    return values


@pytest.mark.parametrize("n_updates", [1, 7])
@pytest.mark.parametrize("clip", [None, 0.05, 100.0])
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("rule", RULES)
def test_updates_equal_the_rule_written_out(rule: str, decay: float, clip: float | None, n_updates: int):
    task = numbered_task()
    recipe = Recipe(
        **RULES[rule], learning_rates=0.3, schedule="linear", epochs=3, batch_size=16, weight_decay=decay, clip=clip
    )
    network = Affine(task.n_inputs, task.n_outputs)
    session(network, task, recipe, rng=9).run(n_updates)
    weight, bias = trained_by_hand(task, rule, recipe, n_updates)
    np.testing.assert_allclose(network.weight.detach().numpy(), weight, rtol=0, atol=1e-9)
    np.testing.assert_allclose(network.bias.detach().numpy(), bias, rtol=0, atol=1e-9)


def test_every_example_is_visited_once_an_epoch_with_what_is_left_as_last_batch():
    task = numbered_task()
    assert len(task.train) % 16 == 7
    network = Affine(task.n_inputs, task.n_outputs)
    train(network, task, Recipe(epochs=3, batch_size=16), rng=0)
    sizes = [len(batch) for batch in network.seen]
    assert sizes == [16, 16, 7] * 3
    epochs = [list(chain(*network.seen[first : first + 3])) for first in (0, 3, 6)]
    numbers = task.inputs[task.train, 0].tolist()
    assert all(sorted(epoch) == sorted(numbers) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_the_order_depends_on_the_generator_alone():
    task, seen = numbered_task(), []
    for rng, options in ((4, {}), (4, {"learning_rates": 0.5, "optimizer": "sgd"}), (5, {})):
        network = Affine(task.n_inputs, task.n_outputs)
        torch.rand(1)
        train(network, task, Recipe(epochs=2, batch_size=16, **options), rng=rng)
        seen.append(network.seen)
    assert seen[0] == seen[1]
    assert seen[0] != seen[2]


def test_a_batch_larger_than_the_training_part_is_one_update_an_epoch():
    task = numbered_task()
    history = train(Affine(task.n_inputs, task.n_outputs), task, Recipe(epochs=2, batch_size=1000), rng=0)
    assert history.steps == 2


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("cell", ["relu", "gru", "lstm"])
def test_recurrent_networks_stay_finite_and_on_their_wirings(cell: str, rule: str):
    rng = np.random.default_rng(0)
    task = Task.from_arrays("sequences", rng.normal(size=(40, 5, 2)), rng.integers(2, size=40))
    wiring = attach(WattsStrogatz(8, 4, 0.3).sample(0), 2, 2, "controlled", 0, reads=1, readouts=3)
    network = SequenceNetwork(wiring, cell, rng=0)
    train(network, task, Recipe(**RULES[rule], epochs=1, batch_size=16, weight_decay=0.1, clip=1.0), rng=0)
    assert wiring_of(network) == wiring
    for parameter in network.parameters():
        assert torch.isfinite(parameter).all()


@pytest.mark.parametrize("clip", [None, 1.0])
@pytest.mark.parametrize("rule", ["sgd", "nesterov", "adam"])
def test_a_training_that_diverges_is_told(rule: str, clip: float | None):
    task = numbered_task()
    network = small_mlp(task)
    with torch.no_grad():
        network.weight[0] = float("inf")
    recipe = Recipe(**RULES[rule], epochs=2, batch_size=16, weight_decay=0.1, clip=clip)
    assert train(network, task, recipe, rng=0).diverged
