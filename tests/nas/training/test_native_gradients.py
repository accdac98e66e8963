"""One step of the compiled engine is the function that torch computes in float64."""

import numpy as np
import pytest
import torch
from native_cases import ACTIVATIONS, CELLS, LOSSES, Case, random_case, random_cycles, random_dag, rows, sequences
from native_checks import INSTRUCTION_SETS, Gradients, compiled, error, native_gradients, reference_gradients

from nas.networks import NetworkSpec
from nas.training import Recipe
from nas.training.extension import instruction_set

N_CASES = 240
RECIPE = Recipe()


def batch_of(case: Case) -> torch.Tensor:
    return case.task.train[: case.recipe.batch_size]


def tolerance(module: torch.nn.Module, case: Case, expected: Gradients) -> float:
    """A hundred thousandth, or a few times what torch itself loses in float32 where gradients all but cancel."""
    _, single = reference_gradients(module, case.task, batch_of(case), torch.float32)
    return max(1e-5, 6 * error(single, expected))


@pytest.mark.parametrize("seed", range(N_CASES))
def test_loss_and_gradients_are_torchs_in_double(seed: int):
    case = random_case(seed)
    module = case.network()
    expected_loss, expected = reference_gradients(module, case.task, batch_of(case))
    loss, gradients = native_gradients(compiled(module, case.task), case.task, batch_of(case))
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    assert error(gradients, expected) <= tolerance(module, case, expected)
    double_loss, double_gradients = native_gradients(compiled(module.double(), case.task), case.task, batch_of(case))
    assert double_loss == pytest.approx(expected_loss, rel=1e-10)
    assert error(double_gradients, expected) <= 1e-10


@pytest.mark.parametrize("instructions", INSTRUCTION_SETS)
def test_every_instruction_set_gives_the_same(instructions: str):
    for seed in range(120):
        case = random_case(seed)
        module = case.network()
        expected_loss, expected = reference_gradients(module, case.task, batch_of(case))
        loss, gradients = native_gradients(compiled(module, case.task), case.task, batch_of(case), instructions)
        assert loss == pytest.approx(expected_loss, rel=1e-5)
        assert error(gradients, expected) <= tolerance(module, case, expected), seed


def test_instruction_sets_are_not_one_and_the_same():
    found = dict.fromkeys(INSTRUCTION_SETS, b"")
    for seed in range(40):
        case = random_case(seed)
        network = compiled(case.network(), case.task)
        for name in found:
            found[name] += native_gradients(network, case.task, case.task.train, name)[1][0].tobytes()
    # Wider vectors are summed in another order.
    assert len(set(found.values())) == len(found)


def test_the_instruction_set_is_the_best_or_the_one_asked_for(monkeypatch: pytest.MonkeyPatch):
    chosen = instruction_set.__wrapped__
    monkeypatch.delenv("WIRENAS_INSTRUCTION_SET", raising=False)
    assert chosen() == INSTRUCTION_SETS[-1]
    for name in INSTRUCTION_SETS:
        monkeypatch.setenv("WIRENAS_INSTRUCTION_SET", name)
        assert chosen() == name
    monkeypatch.setenv("WIRENAS_INSTRUCTION_SET", "neon")
    with pytest.raises(ValueError, match=r"^WIRENAS_INSTRUCTION_SET=neon: this processor has baseline"):
        chosen()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("loss", LOSSES)
def test_finite_differences_of_recurrent_networks(cell: str, loss: str):
    rng = np.random.default_rng(3)
    task = sequences(rng, 2, 3, 7, loss)
    check_differences(Case(random_cycles(rng, 2, 3), NetworkSpec("rnn", cell=cell), task, RECIPE, 1))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_finite_differences_of_feedforward_networks(activation: str, loss: str):
    rng = np.random.default_rng(4)
    case = Case(random_dag(rng, 3, 3), NetworkSpec("mlp", activation=activation), rows(rng, 3, 3, 7, loss), RECIPE, 1)
    check_differences(case)


def check_differences(case: Case) -> None:
    """Compare every third slope, of every kind of parameter, with the central difference of the loss."""
    network = compiled(case.network(torch.float64), case.task)
    _, gradients = native_gradients(network, case.task, case.task.train)
    step, compared = 1e-5, 0
    for values, slopes in zip(network.parameters, gradients, strict=True):
        for i in range(0, len(values), 3):
            if slopes[i] == 0:
                continue
            before = values[i]
            losses = []
            for moved in (before + step, before - step):
                values[i] = moved
                losses.append(native_gradients(network, case.task, case.task.train)[0])
            values[i] = before
            assert (losses[0] - losses[1]) / (2 * step) == pytest.approx(slopes[i], rel=1e-4, abs=1e-8)
            compared += 1
    assert compared > 5
