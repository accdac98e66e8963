"""A target for each step of a sequence: losses, gradients and metrics are those of all beginnings that end there."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from stepwise_cases import CELLS, LOSSES, at_last_steps, at_the_end, prefixes, stepwise, wiring_for
from torch import nn
from torch.nn import functional

from nas.errors import InputError
from nas.networks import LinearMean, NetworkSpec, SequenceNetwork
from nas.tasks import Measure, Task
from nas.training import Recipe, evaluate, predict, train
from nas.training.extension import has_native
from nas.training.torch_engine import mean_loss
from nas.training.train import begin_wiring
from nas.zero_cost import zero_cost

ENGINES = ("torch", "native") if has_native() else ("torch",)


class InDouble(nn.Module):
    """A network of float64 that reads the float32 examples of a task."""

    def __init__(self, network: SequenceNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        return self.network(x.double(), lengths)


def network_for(task: Task, cell: str = "gru", **options: Any) -> SequenceNetwork:
    return SequenceNetwork(wiring_for(task), cell, rng=1, every_step=task.is_stepwise, **options)


def reference_loss(network: SequenceNetwork, task: Task, examples: torch.Tensor) -> torch.Tensor:
    """The loss by the network's outputs at the ends of all beginnings, in float64."""
    beginnings, whose = prefixes(task, examples)
    x, lengths, targets = beginnings.batch(torch.arange(len(whose)))
    assert lengths is not None
    states = network.rnn(x.double())[0][torch.arange(len(x)), lengths - 1]
    outputs = network.head(states)
    if task.loss == "cross-entropy":
        losses = functional.cross_entropy(outputs, targets, reduction="none")
    else:
        losses = (outputs - targets.double()).square().mean(dim=1)
    trained = prefixes(task, task.train)[1]
    mean_weight = 1.0
    if task.weights is not None:
        losses = losses * task.weights[whose].double()
        mean_weight = float(task.weights[trained].double().mean())
    return losses.sum() / mean_weight / (len(examples) * len(trained) / len(task.train))


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("cell", CELLS)
def test_loss_and_gradients_are_those_of_all_beginnings(cell: str, loss: str, weights: bool):
    task = stepwise(3, loss, symbols=cell in ("relu", "lstm"), weights=weights)
    network = network_for(task, cell, dtype=torch.float64)
    examples = task.train[:11]
    expected = reference_loss(network, task, examples)
    slopes = torch.autograd.grad(expected, list(network.parameters()))
    found = mean_loss(InDouble(network), task, examples)
    rounding = 1e-6 if weights else 1e-11  # Weights are float32.
    assert found.item() == pytest.approx(expected.item(), rel=rounding)
    for own, wanted in zip(torch.autograd.grad(found, list(network.parameters())), slopes, strict=True):
        torch.testing.assert_close(own, wanted, rtol=rounding, atol=rounding)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_scores_are_those_of_all_steps_that_count(loss: str, weights: bool, engine: str):
    task = stepwise(4, loss, weights=weights)
    network = network_for(task)
    beginnings, whose = prefixes(task, task.validation)
    ends = SequenceNetwork(wiring_for(task), "gru", rng=1)
    outputs = predict(ends, beginnings, torch.arange(len(whose)), engine="torch")
    own = torch.ones(len(whose)) if task.weights is None else task.weights[whose]
    found = evaluate(network, task, task.validation, engine=engine)
    targets = beginnings.targets
    if loss == "cross-entropy":
        losses = functional.cross_entropy(outputs, targets, reduction="none")
        right = (outputs.argmax(dim=1) == targets).double()
        assert found.metric == pytest.approx(float(right @ own.double() / own.double().sum()), rel=1e-6)
    else:
        losses = (outputs - targets).square().mean(dim=1)
    assert found.loss == pytest.approx(float(losses @ own / own.sum()), rel=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_outputs_of_all_steps_are_predicted(engine: str):
    task = stepwise(5)
    network = network_for(task, "lstm")
    assert task.lengths is not None
    found = predict(network, task, task.test, engine=engine)
    assert found.shape == (len(task.test), 6, 3)
    for outputs, example in zip(found, task.test.tolist(), strict=True):
        length = int(task.lengths[example])
        alone = network(task.inputs[example : example + 1, :length])[0]
        torch.testing.assert_close(outputs[:length], alone, rtol=1e-5, atol=1e-6)
        assert outputs[length:].isnan().all()


@pytest.mark.parametrize("engine", ENGINES)
def test_measures_are_over_all_steps_that_count(engine: str):
    task = replace(stepwise(6), measure=Measure("macro-f1"))
    network = network_for(task)
    outputs, counted = predict(network, task, task.validation, engine=engine), task.counted
    assert task.measure is not None and counted is not None  # noqa: PT018
    inside = counted[task.validation]
    wanted = task.measure(outputs[inside].numpy(), task.targets[task.validation][inside].numpy())
    assert evaluate(network, task, task.validation, engine=engine).metric == pytest.approx(wanted)
    history = train(network, task, Recipe(epochs=3, patience=1), rng=0, engine=engine)
    assert history.value == pytest.approx(evaluate(network, task, task.validation, engine=engine).metric)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("cell", "loss"), list(zip(CELLS, 2 * LOSSES, strict=True)))
def test_targets_at_last_steps_alone_train_as_targets_of_sequences_do(cell: str, loss: str, engine: str):
    ends = at_the_end(stepwise(7, loss, n=130, share=1.0))
    recipe = Recipe(epochs=2, batch_size=80, clip=1.0)
    networks, histories = [], []
    for task in (ends, at_last_steps(ends)):
        network = network_for(task, cell)
        histories.append(train(network, task, recipe, rng=2, engine=engine))
        networks.append(network)
    for first, second in zip(*(network.parameters() for network in networks), strict=True):
        assert first.equal(second) if engine == "native" else first.allclose(second, rtol=1e-4, atol=1e-6)
    if engine == "native":
        assert histories[0].epochs == histories[1].epochs
    assert histories[0].value == pytest.approx(histories[1].value)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["rnn", "linear-mean"])
def test_wirings_become_networks_of_all_steps(kind: Any, engine: str):
    task = stepwise(8)
    wiring = wiring_for(task) if kind == "rnn" else NetworkSpec(kind).complete(task.n_inputs, (), task.n_outputs)
    training = begin_wiring(
        wiring,
        NetworkSpec(kind),
        task,
        Recipe(epochs=2),
        learning_rate=0.01,
        weights=np.random.default_rng(0),
        batches=np.random.default_rng(1),
        engine=engine,
    ).run()
    network = training.network
    assert network.every_step is True
    assert network(task.inputs[:2], task.lengths[:2]).shape == (2, 6, 3)
    assert training.score(task.validation).metric == pytest.approx(training.history.value)
    assert evaluate(network, task, task.validation, engine="torch").loss == pytest.approx(
        training.history.epochs[-1].validation_loss, rel=1e-4
    )


def test_a_linear_network_reads_the_mean_up_to_each_step():
    task = stepwise(9)
    wiring = NetworkSpec("linear-mean").complete(4, (), 3)
    every, end = LinearMean(wiring, rng=0, every_step=True), LinearMean(wiring, rng=0)
    outputs = every(task.inputs[:5])
    for step in range(6):
        torch.testing.assert_close(outputs[:, step], end(task.inputs[:5, : step + 1]))


def test_networks_of_others_give_outputs_at_every_step():
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.head = nn.GRU(4, 8, batch_first=True), nn.Linear(8, 3)

        def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
            return self.head(self.rnn(x)[0])

    task = stepwise(10, n=100)
    network = Own()
    before = evaluate(network, task, task.train).loss
    train(network, task, Recipe(epochs=30), rng=0)
    assert evaluate(network, task, task.train).loss < before


def test_a_network_has_outputs_where_the_task_has_targets():
    task = stepwise(11)
    with pytest.raises(InputError, match=r"^every_step=False: the network has outputs at the end of a sequence"):
        train(SequenceNetwork(wiring_for(task), rng=0), task, Recipe(epochs=1))
    with pytest.raises(InputError, match=r"^every_step=True: the network has outputs at every step of a seq"):
        train(network_for(task), at_the_end(stepwise(11, share=1.0)), Recipe(epochs=1))


def test_measures_of_untrained_networks_are_of_ends_alone():
    task = stepwise(12)
    with pytest.raises(ValueError, match=r"^task=stepwise: it has a target for each step, and zero-cost"):
        zero_cost(wiring_for(task), NetworkSpec("rnn"), task)
