"""Examples that count differently: both engines minimise the weighted mean, as float64 and repeated examples say."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from native_cases import LOSSES, Case, random_case, random_dag, rows
from native_checks import arrays_of, compiled, error, native_gradients, native_session, same_bits, torch_session
from torch import Tensor, nn

from nas.networks import NetworkSpec
from nas.tasks import Task
from nas.training import Recipe, native_engine, torch_engine


def weighted(case: Case) -> Case:
    """The case with weights, a quarter of them 0."""
    rng = np.random.default_rng(case.seed)
    weights = rng.exponential(3.0, len(case.task.inputs)) * (rng.random(len(case.task.inputs)) < 0.75)
    weights[case.task.test] = 1.0
    weights[[int(case.task.train[0]), int(case.task.validation[0])]] = 2.0
    return replace(case, task=replace(case.task, weights=torch.from_numpy(weights.astype(np.float32))))


def losses_in_double(module: nn.Module, task: Task, examples: Tensor) -> tuple[Tensor, Tensor]:
    """The loss of each example, and whether its largest output is at its class, by a float64 copy of the module."""
    x, lengths, targets = task.batch(examples)
    outputs = module(x.double()) if lengths is None else module(x.double(), lengths)
    if task.loss == "cross-entropy":
        picked = torch.log_softmax(outputs, 1)[torch.arange(len(targets)), targets]
        return -picked, (outputs.argmax(1) == targets).double()
    squares = (outputs - targets.double()).square().mean(1)
    return squares, squares


def relative(task: Task) -> Tensor:
    assert task.weights is not None
    return task.weights.double() / task.weights[task.train].double().mean()


@pytest.mark.parametrize("seed", range(18))
def test_gradients_are_those_of_the_weighted_mean(seed: int):
    case = weighted(random_case(seed))
    batch = case.task.train[: case.recipe.batch_size]
    module = case.network()
    copy = deepcopy(module).double()
    loss = (losses_in_double(copy, case.task, batch)[0] * relative(case.task)[batch]).sum() / len(batch)
    loss.backward()
    expected = tuple(parameter.grad.numpy() for parameter in copy.parameters())
    found, gradients = native_gradients(compiled(module, case.task), case.task, batch)
    assert found == pytest.approx(loss.item(), rel=1e-5, abs=1e-7)
    assert error(gradients, expected) <= 1e-4
    torch_engine.mean_loss(module, case.task, batch).backward()
    assert error(tuple(parameter.grad.numpy() for parameter in module.parameters()), expected) <= 1e-4


@pytest.mark.parametrize("seed", range(12))
def test_scores_are_weighted_means(seed: int):
    case = weighted(random_case(seed))
    task, module = case.task, case.network()
    with torch.no_grad():
        losses, right = losses_in_double(deepcopy(module).double(), task, task.validation)
    own = task.weights[task.validation].double()
    expected = [float((own @ values) / own.sum()) for values in (losses, right)]
    for found in (
        torch_engine.evaluate(module, task, task.validation),
        native_engine.evaluate(compiled(module, task), task, task.validation.numpy()),
    ):
        assert [found.loss, found.metric] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("normalise", [False, True])
def test_engines_follow_one_trajectory(loss: str, normalise: bool):
    rng = np.random.default_rng(3)
    recipe = Recipe(epochs=3, batch_size=32, normalise=normalise)
    task = rows(rng, 7, 4, 150, loss)
    case = weighted(Case(random_dag(rng, 7, 4), NetworkSpec("mlp", activation="tanh"), task, recipe, 0))
    first, second = case.network(), case.network()
    sessions = (native_session(case, first), torch_session(case, second))
    for session in sessions:
        session.run()
    assert error(arrays_of(first), arrays_of(second)) <= 1e-3
    native, plain = (session.history() for session in sessions)
    for one, other in zip(native.epochs, plain.epochs, strict=True):
        assert vars(one) == pytest.approx(vars(other), rel=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_equal_weights_change_no_bit(seed: int):
    case = random_case(seed)
    same = replace(case, task=replace(case.task, weights=torch.full((len(case.task.inputs),), 8.0)))
    for make in (native_session, torch_session):
        modules = [case.network(), case.network()]
        for own, module in zip((case, same), modules, strict=True):
            make(own, module).run()
        found = [arrays_of(module) for module in modules]
        assert same_bits(*found) if make is native_session else error(*found) <= 1e-4


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("session", [native_session, torch_session])
def test_a_weight_is_a_number_of_repetitions(loss: str, session):
    """Learnt from at once, in float64, examples that count 0 to 3 are the same as none to three copies of them."""
    rng = np.random.default_rng(5)
    task = rows(rng, 6, 3, 40, loss)
    counts = torch.from_numpy(rng.integers(4, size=len(task.inputs)))
    counts[task.validation], counts[task.test] = 1, 1
    train = torch.repeat_interleave(task.train, counts[task.train])
    # A training part names an example once, so that copies lie at places of their own.
    everything = torch.cat([train, task.validation, task.test])
    parts = torch.split(torch.arange(len(everything)), [len(train), len(task.validation), len(task.test)])
    copies = replace(
        task, inputs=task.inputs[everything], targets=task.targets[everything],
        train=parts[0], validation=parts[1], test=parts[2],
    )  # fmt: skip
    recipe = Recipe(epochs=8, batch_size=1000)
    found = []
    for own in (replace(task, weights=counts.float()), copies):
        case = Case(random_dag(np.random.default_rng(1), 6, 3), NetworkSpec("mlp", "tanh"), own, recipe, 0)
        module = case.network(torch.float64)
        if session is torch_session:
            module.register_forward_pre_hook(lambda _, inputs: (inputs[0].double(),))
        session(case, module).run()
        found.append(arrays_of(module))
    assert error(*found) <= 1e-6
