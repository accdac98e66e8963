"""The compiled engine with a target for each step of a sequence: its gradients, trajectories and memory's safety."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from native_cases import CELLS, LOSSES, engine, random_cells, random_cycles, random_stack
from native_checks import INSTRUCTION_SETS, Gradients, InDouble, arrays_of, compiled, error, native_gradients, same_bits
from stepwise_cases import at_the_end, stepwise, wiring_for
from torch import nn

from nas.networks import LinearMean, NetworkSpec, SequenceNetwork
from nas.networks.rnn import InitialState
from nas.tasks import Task
from nas.training import Recipe, evaluate, train
from nas.training.native_engine import data_of
from nas.training.torch_engine import mean_loss
from nas.training.train import begin_wiring, session


def network_for(task: Task, cell: str, seed: int, initial_state: InitialState = "zero") -> SequenceNetwork:
    """A network of cells that read each other, in layers or not, with random biases and initial states."""
    rng = np.random.default_rng(seed)
    make = (random_cells, random_cycles, random_stack)[seed % 3]
    wiring = make(rng, task.n_inputs, task.n_outputs)
    network = SequenceNetwork(wiring, cell, rng=seed, initial_state=initial_state, every_step=task.is_stepwise)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "bias" in name:
                parameter.add_(torch.from_numpy(rng.normal(size=parameter.shape) * 0.3))
    return network


def autograd(module: nn.Module, task: Task, examples: torch.Tensor) -> tuple[float, Gradients]:
    """Loss and gradients in float64."""
    network = deepcopy(module).double()
    loss = mean_loss(InDouble(network), task, examples)
    slopes = torch.autograd.grad(loss, list(network.parameters()))
    return loss.item(), tuple(own.numpy() for own in slopes)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_those_of_autograd_in_double(cell: str, loss: str, seed: int):
    task = stepwise(
        seed,
        loss,
        n=(130, 20, 60)[seed],
        steps=(5, 1, 8)[seed],
        share=(0.5, 0.05, 1.0)[seed],
        symbols=seed % 2 == 0,
        weights=seed == 2,
    )
    network, examples = network_for(task, cell, seed), task.train[: (100, 64, 7)[seed]]
    expected_loss, expected = autograd(network, task, examples)
    # Weights of examples are float32 in torch, and the same numbers here.
    double_loss, double = native_gradients(compiled(deepcopy(network).double(), task), task, examples)
    assert double_loss == pytest.approx(expected_loss, rel=1e-9)
    assert error(double, expected) <= 1e-9
    loss_found, single = native_gradients(compiled(network, task), task, examples)
    assert loss_found == pytest.approx(expected_loss, rel=1e-5)
    assert error(single, expected) <= 5e-5


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_by_a_learned_initial_state_are_those_of_autograd(cell: str, seed: int):
    task = stepwise(seed, n=(130, 20, 60)[seed], steps=5, share=1.0, symbols=seed % 2 == 0)
    task = task if seed % 2 else at_the_end(task)
    network, examples = network_for(task, cell, seed, "learned"), task.train[: (100, 7, 30)[seed]]
    expected_loss, expected = autograd(network, task, examples)
    double_loss, double = native_gradients(compiled(deepcopy(network).double(), task), task, examples)
    assert double_loss == pytest.approx(expected_loss, rel=1e-9)
    assert error(double, expected) <= 1e-9
    _, single = native_gradients(compiled(network, task), task, examples)
    assert error(single, expected) <= 5e-5
    n_initial = network.rnn.hidden_size
    assert (double[1][-n_initial:] != 0).any()


@pytest.mark.parametrize("cell", CELLS)
def test_initial_states_are_learned_as_by_torch(cell: str):
    task, recipe = stepwise(9, n=90), Recipe(epochs=2, batch_size=70, clip=0.5)
    networks = []
    for name in ("native", "torch"):
        networks.append(network_for(task, cell, 1, "learned"))
        assert train(networks[-1], task, recipe, rng=1, engine=name).engine == name
    assert error(*(arrays_of(network) for network in networks)) < 1e-3
    for name in ("native", "torch"):
        spec = NetworkSpec("rnn", cell=cell, initial_state="learned")
        begun = begin_wiring(
            wiring_for(task), spec, task, recipe, learning_rate=0.01, weights=np.random.default_rng(0),
            batches=np.random.default_rng(1), engine=name,
        ).run()  # fmt: skip
        assert isinstance(begun.network, SequenceNetwork)
        assert (begun.network.rnn.biases[-5:] != 0).all()
        score = evaluate(begun.network, task, task.validation, engine="torch")
        assert score.loss == pytest.approx(begun.history.epochs[-1].validation_loss, rel=1e-4)


@pytest.mark.parametrize("instructions", INSTRUCTION_SETS)
def test_every_instruction_set_gives_the_same(instructions: str):
    for seed, cell in enumerate(CELLS):
        task = stepwise(seed, n=120, steps=9)
        network = network_for(task, cell, seed)
        expected_loss, expected = autograd(network, task, task.train)
        loss, found = native_gradients(compiled(network, task), task, task.train, instructions)
        assert loss == pytest.approx(expected_loss, rel=1e-5)
        assert error(found, expected) <= 5e-5


@pytest.mark.parametrize("cell", CELLS)
def test_slopes_are_differences_of_the_loss(cell: str):
    task = stepwise(3, n=30)
    network = compiled(network_for(task, cell, 1).double(), task)
    _, slopes = native_gradients(network, task, task.train)
    for values, own in zip(network.parameters, slopes, strict=True):
        for i in range(0, len(values), 5):
            before, losses = values[i], []
            for moved in (before + 1e-5, before - 1e-5):
                values[i] = moved
                losses.append(native_gradients(network, task, task.train)[0])
            values[i] = before
            assert (losses[0] - losses[1]) / 2e-5 == pytest.approx(own[i], rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("weights", [False, True])
def test_gradients_of_a_linear_network_of_means(weights: bool, loss: str):
    task = stepwise(4, loss, n=150, weights=weights)
    network = LinearMean(NetworkSpec("linear-mean").complete(4, (), 3), rng=0, every_step=True)
    expected_loss, expected = autograd(network, task, task.train[:90])
    found_loss, found = native_gradients(compiled(network, task), task, task.train[:90])
    assert found_loss == pytest.approx(expected_loss, rel=1e-5)
    assert error(found[:2], expected) <= 1e-5


@pytest.mark.parametrize(("cell", "loss"), [("tanh", LOSSES[0]), ("relu", LOSSES[1]), ("gru", LOSSES[0])])
def test_engines_follow_the_same_trajectory(cell: str, loss: str):
    task, recipe = stepwise(5, loss, n=110, weights=True), Recipe(epochs=2, batch_size=70, clip=0.5, patience=2)
    networks, histories = [], []
    for name in ("native", "torch"):
        network = network_for(task, cell, 2)
        histories.append(train(network, task, recipe, rng=1, engine=name))
        networks.append(network)
    assert error(*(arrays_of(network) for network in networks)) < 1e-3
    for first, second in zip(histories[0].epochs, histories[1].epochs, strict=True):
        assert first.train_loss == pytest.approx(second.train_loss, rel=1e-4)
        assert first.validation_loss == pytest.approx(second.validation_loss, rel=1e-4)


def test_pieces_threads_and_other_examples_change_no_bit():
    task, recipe = stepwise(6, n=200, steps=12), Recipe(epochs=3, batch_size=50)
    found = []
    for pieces in (None, 1, 3):
        network = network_for(task, "lstm", 3)
        training = session(network, task, recipe, rng=0, engine="native", threads=pieces)
        while not training.run(pieces).finished:
            pass
        found.append(arrays_of(network))
    assert same_bits(found[0], found[1])
    assert same_bits(found[0], found[2])


def test_class_weights_are_those_of_the_class_at_a_step():
    task = stepwise(7, n=120)
    weighted = Task(**{**vars_of(task), "class_weights": torch.tensor([0.5, 2.0, 1.0])})
    network = network_for(weighted, "gru", 0)
    scores = [evaluate(network, weighted, weighted.validation, engine=name) for name in ("native", "torch")]
    assert scores[0].loss == pytest.approx(scores[1].loss, rel=1e-5)
    assert scores[0].metric == pytest.approx(scores[1].metric)
    assert scores[0].loss != pytest.approx(evaluate(network, task, task.validation).loss)


def vars_of(task: Task) -> dict[str, Any]:
    return {name: getattr(task, name) for name in Task.__dataclass_fields__}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"targets": np.zeros((5, 2), np.int64)}, "one target a step is needed"),
        ({"targets": np.full((5, 3), -2)}, "a class lies outside of the outputs"),
        ({"targets": np.full((5, 3), 2)}, "a class lies outside of the outputs"),
        ({"weights": np.ones((5, 2), np.float32)}, "one weight a step is needed"),
        ({"steps_per_example": 0.0}, "steps that count are needed"),
        ({"steps_per_example": np.nan}, "steps that count are needed"),
        ({"first_row": np.array([0, 5])}, "sequences are no rows"),
        ({"lengths": None, "targets": np.zeros((5, 3), np.int64)}, "one target a step is needed"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], line: str):
    given = {
        "inputs": np.zeros((5, 3 * 16), np.float32),
        "lengths": np.full(5, 3),
        "targets": np.zeros((5, 3), np.int64),
        "n_inputs": 16,
        "n_outputs": 2,
        "loss": "cross-entropy",
    }
    engine.Data(**given)
    with pytest.raises(ValueError, match=line):
        engine.Data(**{**given, **changes})


@pytest.mark.parametrize("first_row", [[1, 5], [0, 4], [0, 3, 2, 5], []])
def test_rows_of_examples_follow_each_other(first_row: list[int]):
    with pytest.raises(ValueError, match="rows of examples must follow each other"):
        engine.Data(
            np.zeros((5, 16), np.float32),
            None,
            np.zeros(5, np.int64),
            2,
            2,
            "cross-entropy",
            first_row=np.array(first_row, np.int64),
        )


def test_rows_are_not_asked_for_as_sequences():
    task = stepwise(8)
    assert data_of(task) is data_of(task)
    network = compiled(SequenceNetwork(wiring_for(task), rng=0, every_step=True), task)
    with pytest.raises(ValueError, match="one row of outputs an example, or a step, is needed"):
        engine.predict(
            network.network, data_of(task), INSTRUCTION_SETS[-1], 1, np.arange(3), *network.parameters,
            np.zeros((3, 3), np.float32),
        )  # fmt: skip
