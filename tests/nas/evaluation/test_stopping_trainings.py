"""The trainings of one candidate under early stopping: values that it does not change, curves, and their ends."""

import threading
from dataclasses import replace
from typing import Any

import optuna
import pytest
from optuna.pruners import NopPruner
from optuna.trial import FrozenTrial
from stopping_cases import classes, stopping

from nas.evaluation.early_stopping import LockstepEvaluation, Stopping
from nas.evaluation.trainer import TrainedEvaluation, Trainer, attempt
from nas.networks import NetworkSpec
from nas.samplers.proposer import Candidate
from nas.training import Recipe
from nas.training.extension import has_native
from priors import WattsStrogatz, Wiring, attach, layer, orient

ENGINES = ["torch", pytest.param("native", marks=pytest.mark.skipif(not has_native(), reason="not compiled"))]


def wiring(seed: int = 0) -> Wiring:
    return attach(layer(orient(WattsStrogatz(8, 4, 0.5).sample(seed), rng=seed)), 4, 3, "natural")


def candidate(number: int = 0) -> Candidate:
    return Candidate(number, {"n": 8}, {}, wiring(number), 31)


def trainer(**changes: Any) -> Trainer:
    recipe = Recipe(**{"epochs": 6, "batch_size": 16, "learning_rates": (0.003, 0.03), **changes.pop("recipe", {})})
    return Trainer(**{"task": classes(), "spec": NetworkSpec("mlp"), "recipe": recipe, "seed": 5, **changes})


def never() -> Stopping:
    return Stopping(NopPruner, batch=1, direction="maximize")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "recipe", [{}, {"patience": 1, "epochs": 12}, {"optimizer": "sgd", "learning_rates": (0.1, 1e30)}]
)
def test_what_is_not_stopped_has_the_value_that_it_has_anyway(engine: str, recipe: dict[str, Any]):
    own = trainer(engine=engine, recipe=recipe)
    expected = attempt(candidate(), TrainedEvaluation(own, 2), threading.Event())
    found = attempt(candidate(), LockstepEvaluation(own, 2, never().judge), threading.Event())
    assert found.curve[-1] == found.value
    assert replace(found, seconds=0.0, curve=(), stopping={}) == replace(expected, seconds=0.0)
    assert expected.is_complete
    assert (found.diverged > 0) == (1e30 in own.recipe.learning_rates)
    assert found.seconds > 0


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("patience", [None, 2])
def test_the_curve_says_what_shorter_trainings_would_be_worth(engine: str, patience: int | None):
    recipe = {"schedule": "constant", "patience": patience, "epochs": 4 if patience is None else 6}
    curve = attempt(
        candidate(), LockstepEvaluation(trainer(engine=engine, recipe=recipe), 2, never().judge), threading.Event()
    ).curve
    shorter = [trainer(engine=engine, recipe={**recipe, "epochs": epochs}) for epochs in range(1, len(curve) + 1)]
    assert curve == tuple(TrainedEvaluation(one, 2)(candidate())["value"] for one in shorter)
    assert len(set(curve)) > 1


def test_a_trial_ends_when_the_rule_says_so():
    asked = []

    def third(study: optuna.Study, trial: FrozenTrial) -> bool:
        asked.append((trial.number, trial.last_step))
        return trial.number == 2 and trial.last_step == 3

    evaluation = LockstepEvaluation(trainer(), 2, stopping(third).judge)
    stopped = attempt(candidate(2), evaluation, threading.Event())
    whole = attempt(candidate(1), evaluation, threading.Event())
    assert asked == [*((2, epoch) for epoch in (1, 2, 3)), *((1, epoch) for epoch in (1, 2, 3, 4, 5))]
    assert (stopped.state, stopped.value, stopped.values, dict(stopped.ladder)) == ("stopped", None, (), {})
    assert (stopped.is_complete, stopped.is_counted, len(stopped.curve)) == (False, True, 3)
    updates = -(-len(classes().train) // 16)
    assert stopped.steps == 3 * updates * 4
    assert whole.steps == 6 * updates * 4
    assert stopped.seconds > 0
    assert stopped.engine == whole.engine


def test_trainings_that_lost_patience_wait_for_the_others():
    own = trainer(recipe={"patience": 1, "epochs": 12})
    plan = own.plan(range(2))
    lengths = [len(own.train(wiring(), *step).history.epochs) for step in plan]
    assert len(set(lengths)) > 1
    asked = []
    evaluation = LockstepEvaluation(own, 2, stopping(lambda _, trial: bool(asked.append(trial.last_step))).judge)
    assert len(attempt(candidate(), evaluation, threading.Event()).curve) == max(lengths)
    assert asked == list(range(1, max(lengths)))


def test_a_second_attempt_is_judged_afresh():
    failures = iter([True])

    def broken(study: optuna.Study, trial: FrozenTrial) -> bool:
        if trial.last_step == 2 and next(failures, False):
            raise ZeroDivisionError("once")
        return trial.last_step == 4

    record = attempt(candidate(), LockstepEvaluation(trainer(), 1, stopping(broken).judge), threading.Event())
    assert (record.state, record.attempts, len(record.curve)) == ("stopped", 2, 4)
