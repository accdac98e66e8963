"""From a candidate to a record: trainers, ladders, own evaluations, attempts."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from nas.evaluation.trainer import OwnEvaluation, TrainedEvaluation, Trainer, attempt
from nas.networks import NetworkSpec
from nas.samplers.proposer import Candidate
from nas.seeds import stream
from nas.tasks import Task
from nas.training import History, Interrupted, Recipe, Training, train
from nas.training.train import engine_for
from priors import WattsStrogatz, Wiring, attach, layer, orient


def classes() -> Task:
    rng = np.random.default_rng(0)
    return Task.from_arrays("classes", rng.normal(size=(60, 4)), rng.integers(3, size=60))


def wiring(seed: int = 0) -> Wiring:
    return attach(layer(orient(WattsStrogatz(8, 4, 0.5).sample(seed), rng=seed)), 4, 3, "natural")


def candidate(number: int = 0) -> Candidate:
    return Candidate(number, {"n": 8, "family": "watts-strogatz"}, {}, wiring(number), 31)


def trainer(**changes: Any) -> Trainer:
    fields: dict[str, Any] = {
        "task": classes(),
        "spec": NetworkSpec("mlp"),
        "recipe": Recipe(epochs=2, batch_size=16, learning_rates=(0.01, 0.1)),
        "seed": 5,
    }
    return Trainer(**(fields | changes))


def weights(training: Training) -> torch.Tensor:
    return torch.cat([parameter.detach() for parameter in training.network.parameters()])


def pretended(value: float, rate: float, replicate: int = 0, *, diverged: bool = False) -> Training:
    history = History((), value, diverged, 10, 0.5, "torch")
    ended = SimpleNamespace(history=lambda: history)
    return Training(wiring(), NetworkSpec("mlp"), classes(), ended, rate, replicate, module=torch.nn.Identity())


def test_a_training_is_a_function_of_seed_wiring_replicate_and_rung():
    first = trainer().train(wiring(), 1, 0.1)
    busy = trainer()
    busy.train(wiring(1), 0, 0.01)
    busy.train(wiring(), 0, 0.1)
    assert weights(busy.train(wiring(), 1, 0.1)).equal(weights(first))
    for other in (
        trainer(seed=6).train(wiring(), 1, 0.1),
        trainer().train(wiring(), 2, 0.1),
        trainer().train(wiring(), 1, 0.01),
    ):
        assert not weights(other).equal(weights(first))


def test_weights_and_batches_have_streams_of_their_own():
    own = trainer()
    training = own.train(wiring(), 3, 0.1)
    network = own.spec.build(wiring(), stream(5, "weights", wiring().fingerprint, 3))
    order = stream(5, "batches", wiring().fingerprint, 3)
    history = train(network, own.task, own.recipe, learning_rate=0.1, rng=order)
    assert torch.cat([parameter.detach() for parameter in network.parameters()]).equal(weights(training))
    assert training.history.epochs == history.epochs
    assert (training.replicate, training.learning_rate) == (3, 0.1)


def test_every_rung_starts_from_the_same_weights():
    still = trainer(recipe=Recipe(optimizer="sgd", epochs=1, learning_rates=(1e-30, 2e-30)))
    first, second = (still.train(wiring(), 0, rate) for rate in still.recipe.learning_rates)
    torch.testing.assert_close(weights(first), weights(second), rtol=0, atol=1e-20)


def test_a_spec_of_its_own_replaces_the_trainers():
    training = trainer().train(wiring(), 0, 0.1, spec=NetworkSpec("mlp", activation="tanh"))
    assert training.network.activation == "tanh"


def test_the_plan_holds_every_rung_with_every_replicate():
    assert trainer().plan(range(2)) == [(0, 0.01), (1, 0.01), (0, 0.1), (1, 0.1)]
    assert trainer().plan(range(7, 8)) == [(7, 0.01), (7, 0.1)]


@pytest.mark.parametrize(
    ("values", "maximize", "minimize"),
    [
        ({0.01: (0.5, 0.9), 0.1: (0.6, 0.7)}, 0.01, 0.1),
        ({0.01: (0.1, 0.9), 0.1: (0.6, 0.7)}, 0.1, 0.01),
        ({0.01: (0.5, 0.75), 0.1: (0.75, 0.5)}, 0.01, 0.01),
    ],
)
def test_the_best_rung_has_the_best_mean_and_ties_go_to_the_first(
    values: dict[float, tuple[float, float]], maximize: float, minimize: float
):
    numbers = Task.from_arrays("numbers", np.eye(30), np.arange(30.0))
    trainings = [pretended(value, rate, index) for rate, pair in values.items() for index, value in enumerate(pair)]
    for task, best in ((classes(), maximize), (numbers, minimize)):
        assessment = trainer(task=task).assess(trainings)
        assert assessment.learning_rate == best
        assert assessment.value == pytest.approx(sum(values[best]) / 2)
        assert assessment.ladder == {rate: pytest.approx(sum(pair) / 2) for rate, pair in values.items()}
        assert [training.history.value for training in assessment.trainings] == list(values[best])
        assert assessment.everything == tuple(trainings)


def test_a_trained_candidate_gives_the_fields_of_its_record():
    own = trainer()
    fields = TrainedEvaluation(own, replicates=2)(candidate())
    trainings = {(replicate, rate): own.train(wiring(), replicate, rate) for replicate, rate in own.plan(range(2))}
    means = {
        rate: (trainings[0, rate].history.value + trainings[1, rate].history.value) / 2
        for rate in own.recipe.learning_rates
    }
    best = max(means, key=means.__getitem__)
    assert fields["learning_rate"] == best
    assert fields["value"] == pytest.approx(means[best])
    assert fields["values"] == tuple(trainings[replicate, best].history.value for replicate in range(2))
    assert fields["ladder"] == {"0.01": pytest.approx(means[0.01]), "0.1": pytest.approx(means[0.1])}
    assert fields["steps"] == 4 * 2 * 3
    assert fields["diverged"] == 0
    assert fields["seconds"] > 0
    assert fields["engine"] == engine_for("auto")


def test_divergence_is_counted_over_all_rungs_and_scores_the_constant_prediction():
    numbers = Task.from_arrays("numbers", np.random.default_rng(0).normal(size=(60, 4)), np.arange(60.0))
    spec = NetworkSpec("mlp", activation="identity")
    recipe = Recipe(optimizer="sgd", learning_rates=(1e6, 1e-9), epochs=20, batch_size=16)
    hidden = attach(layer(orient(WattsStrogatz(8, 4, 0.5).sample(0), rng=0)), 4, 1, "natural")
    own = trainer(task=numbers, spec=spec, recipe=recipe)
    fields = TrainedEvaluation(own, replicates=2)(Candidate(0, {}, {}, hidden, 31))
    assert fields["diverged"] == 2
    assert fields["ladder"]["1000000.0"] == numbers.constant_value
    assert fields["learning_rate"] == (1e6 if numbers.constant_value <= fields["ladder"]["1e-09"] else 1e-9)


def test_a_record_describes_candidate_and_result():
    record = attempt(candidate(3), TrainedEvaluation(trainer(), 1), threading.Event())
    assert record.is_complete
    assert (record.number, record.attempts, record.error) == (3, 1, None)
    assert record.params == candidate(3).params
    assert record.fingerprint == wiring(3).fingerprint
    assert record.n_hidden == 8
    assert record.n_edges == wiring(3).hidden.n_edges
    assert record.hidden_edges == tuple(wiring(3).hidden.edges.ravel().tolist())
    assert len(record.values) == 1
    assert record.versions.startswith("wirenas ")


class Failing:
    """An evaluation that fails so many times before it works."""

    def __init__(self, failures: int, error: Exception | None = None) -> None:
        self.calls, self.failures, self.error = 0, failures, error or RuntimeError("no memory")

    def __call__(self, _: Candidate) -> Mapping[str, Any]:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return {"value": 0.25}


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_a_failed_evaluation_is_tried_again(failures: int):
    evaluation = Failing(failures)
    record = attempt(candidate(), evaluation, threading.Event())
    assert (record.state, record.value, record.attempts, record.error) == ("complete", 0.25, failures + 1, None)
    assert evaluation.calls == failures + 1


def test_an_evaluation_that_always_fails_is_recorded_and_not_raised():
    evaluation = Failing(99)
    record = attempt(candidate(2), evaluation, threading.Event())
    assert (record.state, record.value, record.attempts) == ("failed", None, 3)
    assert record.error == "RuntimeError: no memory"
    assert evaluation.calls == 3
    assert (record.number, record.fingerprint) == (2, wiring(2).fingerprint)


def test_an_interruption_passes_through():
    with pytest.raises(Interrupted, match="in the middle"):
        attempt(candidate(), Failing(1, Interrupted("in the middle")), threading.Event())
    stop, evaluation = threading.Event(), Failing(0)
    stop.set()
    with pytest.raises(Interrupted, match="before trial 4"):
        attempt(candidate(4), evaluation, stop)
    assert evaluation.calls == 0


def test_no_attempt_follows_once_the_flag_is_set():
    stop = threading.Event()

    def fails(candidate: Candidate) -> Mapping[str, Any]:
        stop.set()
        raise RuntimeError("first and last")

    with pytest.raises(Interrupted):
        attempt(candidate(), fails, stop)


def test_the_trainers_flag_reaches_its_trainings():
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        trainer(stop=stop).train(wiring(), 0, 0.1)


def test_an_own_evaluation_sees_wiring_and_parameters():
    seen: list[tuple[Wiring, Mapping[str, Any]]] = []

    def function(wiring: Wiring, params: Mapping[str, Any]) -> float:
        seen.append((wiring, params))
        return np.float32(0.5)

    fields = dict(OwnEvaluation(function)(candidate(1)))
    assert seen == [(wiring(1), {"n": 8, "family": "watts-strogatz"})]
    assert fields.pop("seconds") >= 0
    assert fields == {"value": 0.5, "values": (0.5,), "engine": "own"}
    assert type(fields["value"]) is float


def test_an_own_evaluation_cannot_change_the_candidate():
    def function(_: Wiring, params: Mapping[str, Any]) -> float:
        params.clear()  # type: ignore[attr-defined]
        return 1.0

    record = attempt(candidate(), OwnEvaluation(function), threading.Event())
    assert record.params == candidate().params


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (lambda *_: float("nan"), "ValueError: the evaluation returned nan: a finite number is needed"),
        (lambda *_: -np.inf, "ValueError: the evaluation returned -inf: a finite number is needed"),
        (lambda *_: None, "TypeError: "),
        (lambda *_: "high", "ValueError: could not convert"),
        (lambda *_: 1 / 0, "ZeroDivisionError: division by zero"),
    ],
)
def test_an_own_evaluation_must_return_a_finite_number(function: Callable[..., Any], error: str):
    record = attempt(candidate(), OwnEvaluation(function), threading.Event())
    assert (record.state, record.value) == ("failed", None)
    assert record.error is not None
    assert record.error.startswith(error)


def test_recurrent_networks_are_trained_alike():
    rng = np.random.default_rng(0)
    task = Task.from_arrays("sequences", rng.normal(size=(40, 4, 2)), rng.integers(2, size=40))
    hidden = attach(WattsStrogatz(6, 2, 0.5).sample(0), 2, 2, "natural")
    own = trainer(task=task, spec=NetworkSpec("rnn", cell="tanh"), recipe=Recipe(epochs=1))
    assert weights(own.train(hidden, 0, 0.1)).equal(weights(replace(own).train(hidden, 0, 0.1)))
