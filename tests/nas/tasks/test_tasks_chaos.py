"""Chaotic series as tasks: what is asked is the series later on, and parts follow each other in time."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from nas import Recipe
from nas.evaluation.trainer import Trainer
from nas.networks import NetworkSpec
from nas.tasks import Task, lorenz, mackey_glass
from nas.tasks.attractors import BEFORE, integrate_lorenz, integrate_mackey_glass
from priors import ErdosRenyi, attach

SERIES = {mackey_glass: lambda n: integrate_mackey_glass(n)[:, None], lorenz: integrate_lorenz}


@pytest.mark.parametrize("make", SERIES)
def test_each_step_asks_for_what_the_series_is_later(make):
    n, steps, ahead = 25, 30, 7
    task: Task = make(n, steps, ahead)
    series = SERIES[make](BEFORE + n * steps + ahead)[BEFORE:]
    inputs, targets = task.inputs.numpy(), task.targets.numpy()
    # One line brings each number of the series to what is read, and to what is asked for.
    known = series[: 16 * steps]
    series = (series - known.mean(axis=0)) / known.std(axis=0)
    assert inputs.reshape(n * steps, -1) == pytest.approx(series[: n * steps], abs=1e-6)
    later = np.stack([series[ahead + step : ahead + step + steps] for step in range(0, n * steps, steps)])
    assert np.isnan(targets[:, :20]).all()
    assert targets[:, 20:] == pytest.approx(later[:, 20:], abs=1e-6)
    assert task.counted.sum() == n * (steps - 20)
    # The future is tested, and nothing of it is known before.
    assert [part.tolist() for part in (task.train, task.validation, task.test)] == [
        list(range(16)), list(range(16, 20)), list(range(20, 25)),
    ]  # fmt: skip


@pytest.mark.parametrize("make", SERIES)
def test_plateaus_are_errors_of_simple_rules(make):
    task = make()
    assert task.inputs[task.train].double().mean(dim=(0, 1)).abs().max() < 1e-6
    seen, wanted = zip(*(_last_steps(task, part) for part in (task.train, task.test)), strict=True)
    said = Ridge().fit(seen[0], wanted[0]).predict(seen[1]).reshape(wanted[1].shape)
    assert task.plateaus["ridge regression on 20 steps"] == pytest.approx(np.square(said - wanted[1]).mean(), rel=1e-6)
    assert task.plateaus["constant"] == pytest.approx(1.0, abs=0.15)


def _last_steps(task: Task, part: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """What a rule sees that remembers twenty steps, and what it is asked, step by step."""
    inputs, targets = task.inputs[part].double().numpy(), task.targets[part].double().numpy()
    seen = [inputs[row, step - 19 : step + 1].ravel() for row in range(len(part)) for step in range(20, 100)]
    return np.array(seen), targets[:, 20:].reshape(len(seen), -1)


def test_a_reservoir_foresees_what_simple_rules_do_not():
    task = mackey_glass(100)
    wiring = attach(ErdosRenyi(100, edges=400).sample(0), 1, 1, "natural", 0)
    recipe = Recipe(optimizer="ridge", radii=(0.9,), input_scale=0.5)
    training = Trainer(task, NetworkSpec("rnn", cell="tanh"), recipe, seed=0).train(wiring, 0, 0.9)
    assert training.test() < 0.01 < min(task.plateaus.values())


@pytest.mark.parametrize("make", SERIES)
def test_what_cannot_be_foreseen(make):
    with pytest.raises(ValueError, match="steps=20: of the first 20 nothing is asked, so more are needed"):
        make(100, 20)
    with pytest.raises(ValueError, match="ahead=0: it is a number of steps, at least 1"):
        make(100, 30, 0)
    with pytest.raises(ValueError, match="n=2: too few sequences"):
        make(2, 30)


def test_every_machine_has_the_same_series():
    assert mackey_glass().fingerprint[:16] == "ee638a62334516e4"
    assert lorenz().fingerprint[:16] == "b69a8c44f4d63c38"
