"""What a session of every engine keeps to; a new engine joins by being registered in `ENGINES`."""

import math
import threading

import numpy as np
import pytest
import torch

from nas.networks import SequenceNetwork, SparseMLP
from nas.tasks import Task
from nas.training import ENGINES, Interrupted, Recipe
from nas.training.extension import has_native
from nas.training.session import Session
from nas.training.train import session
from priors import WattsStrogatz, attach, layer, orient

RECIPE = {"epochs": 4, "batch_size": 16, "learning_rates": 0.05}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "native" and not has_native():
        pytest.skip("the compiled engine was not built")
    return str(request.param)


@pytest.fixture(params=["mlp", "rnn", "normalised mlp"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def task_of(kind: str) -> Task:
    rng = np.random.default_rng(0)
    targets = rng.integers(3, size=80)
    shape = (80, 4, 5) if kind == "rnn" else (80, 5)
    inputs = rng.normal(size=shape) + targets.reshape(80, *[1] * (len(shape) - 1))
    return Task.from_arrays("classes", inputs, targets)


def network_of(kind: str, task: Task) -> torch.nn.Module:
    graph = WattsStrogatz(8, 4, 0.3).sample(1)
    if kind != "rnn":
        wiring = attach(layer(orient(graph, rng=2)), task.n_inputs, task.n_outputs, "natural")
        return SparseMLP(wiring, "identity", rng=0)
    return SequenceNetwork(attach(graph, task.n_inputs, task.n_outputs, "natural"), "relu", rng=0)


class Training:
    """A session, and the network that it trains."""

    def __init__(self, kind: str, engine: str, stop: threading.Event | None = None, **recipe: object) -> None:
        self.task = task_of(kind)
        self.network = network_of(kind, self.task)
        whole = Recipe(**{**RECIPE, "normalise": kind == "normalised mlp", **recipe})  # type: ignore[arg-type]
        self.session: Session = session(self.network, self.task, whole, rng=3, engine=engine, stop=stop)

    @property
    def weights(self) -> list[float]:
        return [number for own in self.network.state_dict().values() for number in own.double().ravel().tolist()]

    @property
    def found(self) -> tuple[object, ...]:
        """Everything of the history but for what a clock says, and the weights."""
        history = self.session.history()
        return history.epochs, history.value, history.diverged, history.steps, history.engine, self.weights


@pytest.mark.parametrize("patience", [None, 1])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_many_calls_make_the_same_training_as_one(kind: str, engine: str, optimizer: str, patience: int | None):
    options = {"optimizer": optimizer, "patience": patience}
    whole, parts = Training(kind, engine, **options), Training(kind, engine, **options)
    last = whole.session.run()
    assert last.finished
    steps = 0
    while not (progress := parts.session.run(3)).finished:
        steps += 3
        assert (progress.step, progress.n_steps) == (steps, last.n_steps)
        assert progress.epoch == len(parts.session.history().epochs)
    assert progress == last
    assert parts.found == whole.found
    assert parts.session.run() == last
    assert parts.found == whole.found


def test_no_steps_change_nothing(kind: str, engine: str):
    training = Training(kind, engine)
    before = training.weights
    progress = training.session.run(0)
    assert (progress.step, progress.epoch, progress.finished) == (0, 0, False)
    history = training.session.history()
    assert (history.epochs, history.steps, history.diverged) == ((), 0, False)
    assert history.value == training.task.constant_value
    assert training.weights == before


def test_a_history_is_that_of_a_training(kind: str, engine: str):
    training = Training(kind, engine)
    progress, history = training.session.run(), training.session.history()
    assert history.steps == progress.step == progress.n_steps
    assert len(history.epochs) == progress.epoch == RECIPE["epochs"]
    assert history.value == history.epochs[-1].validation_metric
    assert history.engine in set(ENGINES) - {"auto"}
    assert engine in ("auto", history.engine)
    assert history.seconds > 0
    assert history.epochs[-1].train_loss < history.epochs[0].train_loss


def test_a_flag_stops_a_training_which_can_go_on(kind: str, engine: str):
    stop = threading.Event()
    whole, training = Training(kind, engine), Training(kind, engine, stop)
    whole.session.run()
    training.session.run(5)
    stop.set()
    with pytest.raises(Interrupted, match="stopped after 5 of"):
        training.session.run()
    assert training.session.history().steps == 5
    stop.clear()
    assert training.session.run().finished
    assert training.found == whole.found


def test_a_flag_that_is_set_before_stops_it_before_the_first_update(kind: str, engine: str):
    stop = threading.Event()
    stop.set()
    training = Training(kind, engine, stop)
    before = training.weights
    with pytest.raises(Interrupted):
        training.session.run()
    assert training.weights == before


@pytest.mark.parametrize("patience", [None, 3])
def test_a_training_that_diverges_is_over_and_worth_the_constant_prediction(
    kind: str, engine: str, patience: int | None
):
    rates = {"optimizer": "sgd", "learning_rates": 1e20, "epochs": 20}
    training = Training(kind, engine, **rates, patience=patience)
    progress, history = training.session.run(), training.session.history()
    assert progress.finished
    assert history.diverged
    assert history.steps < progress.n_steps
    assert history.value == training.task.constant_value
    assert all(math.isfinite(own.train_loss) and math.isfinite(own.validation_loss) for own in history.epochs)
    assert training.session.run() == progress


def test_early_stopping_leaves_the_best_weights(kind: str, engine: str):
    training = Training(kind, engine, epochs=40, patience=2)
    training.session.run()
    metrics = [own.validation_metric for own in training.session.history().epochs]
    assert training.session.history().value == max(metrics)
    assert len(metrics) < 40
    assert metrics.index(max(metrics)) == len(metrics) - 3
