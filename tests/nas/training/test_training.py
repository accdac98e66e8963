"""Sessions: pieces, histories, early stopping, divergence, interruption, determinism."""

import math
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from nas.errors import InputError
from nas.networks import SequenceNetwork, SparseMLP
from nas.tasks import Task
from nas.training import Interrupted, Recipe, Score, torch_engine, train
from nas.training.extension import describe_machine, has_native
from nas.training.torch_engine import evaluate
from nas.training.train import session
from priors import WattsStrogatz, Wiring, attach, layer, orient

State = dict[str, torch.Tensor]


def classes(n: int = 80) -> Task:
    rng = np.random.default_rng(0)
    targets = rng.integers(3, size=n)
    return Task.from_arrays("classes", rng.normal(size=(n, 5)) + targets[:, None], targets)


def numbers(n: int = 60) -> Task:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(n, 4))
    return Task.from_arrays("numbers", inputs, np.stack([inputs.sum(axis=1), inputs[:, 0]], axis=1))


def sequences(n: int = 50) -> Task:
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 8, size=n)
    return Task.from_arrays("sequences", rng.normal(size=(n, 7, 3)), rng.integers(2, size=n), lengths=lengths)


def mlp(task: Task, seed: int = 0, activation: str = "relu") -> SparseMLP:
    hidden = layer(orient(WattsStrogatz(12, 4, 0.3).sample(1), rng=2))
    return SparseMLP(attach(hidden, task.n_inputs, task.n_outputs, "natural"), activation, rng=seed)


def rnn(task: Task, seed: int = 0, cell: str = "gru") -> SequenceNetwork:
    wiring = attach(WattsStrogatz(6, 2, 0.3).sample(1), task.n_inputs, task.n_outputs, "natural")
    return SequenceNetwork(wiring, cell, rng=seed)


def state_of(network: torch.nn.Module) -> State:
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(first: State, second: State) -> bool:
    return all(first[name].equal(second[name]) for name in first)


@pytest.mark.parametrize("patience", [None, 1])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_pieces_make_the_same_training_as_one_run(optimizer: str, patience: int | None):
    task, recipe = classes(), Recipe(optimizer=optimizer, epochs=4, batch_size=16, patience=patience)
    whole, pieces = mlp(task), mlp(task)
    history = train(whole, task, recipe, rng=3)
    parts = session(pieces, task, recipe, rng=3)
    while not (progress := parts.run(3)).finished:
        assert progress.step % 3 == 0
        assert progress.epoch == progress.step // 4
    assert same(state_of(whole), state_of(pieces))
    assert parts.history().epochs == history.epochs
    assert parts.history().value == history.value
    assert parts.history().steps == history.steps == progress.step


def test_progress_says_where_the_training_stands():
    task = classes()
    steps = math.ceil(len(task.train) / 16)
    training = session(mlp(task), task, Recipe(epochs=3, batch_size=16), rng=0)
    first = training.run(0)
    assert (first.step, first.n_steps, first.epoch, first.finished) == (0, 3 * steps, 0, False)
    assert training.history().value == task.constant_value
    middle = training.run(steps + 1)
    assert (middle.step, middle.epoch, middle.finished) == (steps + 1, 1, False)
    last = training.run()
    assert (last.step, last.epoch, last.finished) == (3 * steps, 3, True)
    assert training.run() == last


def test_the_history_ends_with_the_metric_of_the_weights_that_are_left():
    task, network = classes(), mlp(classes())
    history = train(network, task, Recipe(epochs=3, batch_size=16), rng=0, engine="torch")
    score = evaluate(network, task, task.validation)
    assert history.value == score.metric == history.epochs[-1].validation_metric
    assert history.epochs[-1].validation_loss == score.loss
    assert len(history.epochs) == 3
    assert not history.diverged
    assert history.engine == "torch"
    assert history.seconds > 0


def test_the_loss_of_an_epoch_is_the_mean_over_examples():
    task, network = classes(), mlp(classes())
    assert len(task.train) % 40
    recipe = Recipe(optimizer="sgd", learning_rates=1e-30, epochs=2, batch_size=40)
    history = train(network, task, recipe, rng=0)
    with torch.no_grad():
        expected = torch.nn.functional.cross_entropy(network(task.inputs[task.train]), task.targets[task.train])
    assert [epoch.train_loss for epoch in history.epochs] == pytest.approx([float(expected)] * 2, rel=1e-6)


def test_learning_lowers_the_loss_and_beats_the_constant_prediction():
    task = classes()
    history = train(mlp(task), task, Recipe(epochs=25, batch_size=8), rng=0)
    assert history.epochs[-1].train_loss < 0.7 * history.epochs[0].train_loss
    assert history.value > task.constant_value


def test_squared_error_is_learnt_and_measured_over_all_outputs():
    task, network = numbers(), mlp(numbers())
    history = train(network, task, Recipe(epochs=15, batch_size=16), rng=0)
    error = network(task.inputs[task.validation]).detach() - task.targets[task.validation]
    assert history.value == pytest.approx(float((error**2).mean()), rel=1e-6)
    assert history.value == history.epochs[-1].validation_loss
    assert history.value < task.constant_value


def test_sequences_are_read_to_their_own_ends():
    task, network = sequences(), rnn(sequences())
    history = train(network, task, Recipe(optimizer="sgd", learning_rates=1e-30, epochs=1, batch_size=16), rng=0)
    assert task.lengths is not None
    losses = [
        float(
            torch.nn.functional.cross_entropy(
                network(task.inputs[example : example + 1, : task.lengths[example]]).detach(),
                task.targets[example : example + 1],
            )
        )
        for example in task.train.tolist()
    ]
    assert history.epochs[0].train_loss == pytest.approx(np.mean(losses), rel=1e-5)


@pytest.mark.parametrize("cell", ["relu", "lstm"])
def test_recurrent_networks_learn(cell: str):
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(100, 4, 1))
    task = Task.from_arrays("sum", inputs, (inputs[:, :, 0].sum(axis=1) > 0).astype(int))
    history = train(rnn(task, cell=cell), task, Recipe(epochs=20, batch_size=16, learning_rates=0.02), rng=0)
    assert history.value > 0.8


def test_evaluation_in_parts_is_exact(monkeypatch: pytest.MonkeyPatch):
    for task in (classes(), numbers()):
        network = mlp(task)
        whole = evaluate(network, task, task.train)
        monkeypatch.setattr(torch_engine, "_EVALUATION_BATCH", 7)
        parts = evaluate(network, task, task.train)
        monkeypatch.undo()
        assert parts.loss == pytest.approx(whole.loss, rel=1e-6)
        assert parts.metric == pytest.approx(whole.metric, rel=1e-6)
        outputs, targets = network(task.inputs[task.train]), task.targets[task.train]
        hits = float((outputs.argmax(dim=1) == targets).float().mean()) if task.metric == "accuracy" else whole.loss
        assert whole.metric == pytest.approx(hits, rel=1e-6)


@pytest.mark.parametrize(
    ("task", "metrics", "patience", "best", "stops_after"),
    [
        (classes(), [0.2, 0.5, 0.5, 0.4, 0.9, 0.9], 2, 1, 4),
        (classes(), [0.2, 0.5, 0.5, 0.4, 0.9, 0.9], 3, 4, 6),
        (classes(), [0.2, 0.3, 0.4, 0.5, 0.6, 0.7], 1, 5, 6),
        (classes(), [0.9, 0.3, 0.4, 0.5, 0.6, 0.7], 9, 0, 6),
        (classes(), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 2, 0, 3),
        (numbers(), [2.0, 1.0, 1.5, 1.2, 0.1, 0.1], 2, 1, 4),
        (numbers(), [2.0, 1.0, 1.5, 1.2, 0.1, 0.1], 3, 4, 6),
    ],
)
def test_early_stopping_keeps_the_best_weights_and_their_value(
    monkeypatch: pytest.MonkeyPatch, task: Task, metrics: list[float], patience: int, best: int, stops_after: int
):
    recipe = {"epochs": 6, "batch_size": 32, "schedule": "constant"}
    steps = math.ceil(len(task.train) / 32)
    expected = mlp(task)
    session(expected, task, Recipe(**recipe), rng=0, engine="torch").run(steps * (best + 1))
    told = iter(metrics)
    monkeypatch.setattr(torch_engine, "evaluate", lambda *_: Score(1.0, next(told)))
    network = mlp(task)
    history = train(network, task, Recipe(**recipe, patience=patience), rng=0, engine="torch")
    assert [epoch.validation_metric for epoch in history.epochs] == metrics[:stops_after]
    assert history.steps == steps * stops_after
    assert history.value == metrics[best]
    assert same(state_of(network), state_of(expected))


def test_without_patience_the_last_weights_count(monkeypatch: pytest.MonkeyPatch):
    task, told = classes(), iter([0.9, 0.1, 0.2])
    monkeypatch.setattr(torch_engine, "evaluate", lambda *_: Score(1.0, next(told)))
    assert train(mlp(task), task, Recipe(epochs=3), rng=0, engine="torch").value == 0.2


def test_early_stopping_for_real_leaves_the_network_at_its_value():
    task, network = classes(), mlp(classes())
    history = train(network, task, Recipe(epochs=30, batch_size=8, learning_rates=0.1, patience=2), rng=0)
    metrics = [epoch.validation_metric for epoch in history.epochs]
    assert len(metrics) < 30
    assert history.value == max(metrics) == evaluate(network, task, task.validation).metric
    assert metrics.index(history.value) == len(metrics) - 3


@pytest.mark.parametrize("patience", [None, 3])
@pytest.mark.parametrize("task", [classes(), numbers()])
def test_divergence_is_a_result(task: Task, patience: int | None):
    recipe = Recipe(optimizer="sgd", learning_rates=1e6, epochs=20, batch_size=8, patience=patience)
    # Relu neurons would die of such a rate and keep the loss finite.
    training = session(mlp(task, activation="identity"), task, recipe, rng=0)
    progress, history = training.run(), training.history()
    assert history.diverged
    assert progress.finished
    assert history.value == task.constant_value
    assert history.steps < progress.n_steps
    assert all(math.isfinite(epoch.train_loss) and math.isfinite(epoch.validation_loss) for epoch in history.epochs)
    assert training.run() == progress


class StopsAt:
    """A flag that is set from its n-th question on."""

    def __init__(self, n: int) -> None:
        self.questions, self.n = 0, n

    def is_set(self) -> bool:
        self.questions += 1
        return self.questions > self.n


def test_a_flag_stops_the_training_at_once_and_harms_nothing():
    task, recipe = classes(), Recipe(epochs=4, batch_size=16)
    expected, network = mlp(task), mlp(task)
    history = train(expected, task, recipe, rng=0, engine="torch")
    flag = StopsAt(6)
    training = session(network, task, recipe, rng=0, engine="torch", stop=flag)
    with pytest.raises(Interrupted, match="stopped after 6 of 16 updates"):
        training.run()
    assert training.history().steps == 6
    assert training.history().epochs == history.epochs[:1]
    flag.n = 1_000
    assert training.run().finished
    assert same(state_of(network), state_of(expected))


def test_a_flag_that_is_set_before_makes_no_update():
    task, network = classes(), mlp(classes())
    before, stop = state_of(network), threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        train(network, task, Recipe(), rng=0, stop=stop)
    assert same(before, state_of(network))


def test_a_flag_that_is_never_set_changes_nothing():
    task, recipe = classes(), Recipe(epochs=2)
    networks = [mlp(task), mlp(task)]
    train(networks[0], task, recipe, rng=0)
    train(networks[1], task, recipe, rng=0, stop=threading.Event())
    assert same(*map(state_of, networks))


@pytest.mark.parametrize("kind", ["mlp", "rnn"])
def test_equal_seeds_give_equal_bits_one_after_the_other_or_in_threads(kind: str):
    task = classes() if kind == "mlp" else sequences()
    recipe = Recipe(epochs=3, batch_size=8)

    def trained(seed: int) -> State:
        network = mlp(task, seed) if kind == "mlp" else rnn(task, seed)
        train(network, task, recipe, rng=seed)
        return state_of(network)

    one_by_one = [trained(seed) for seed in range(4)]
    with ThreadPoolExecutor(2) as executor:
        together = list(executor.map(trained, range(4)))
    assert all(same(*pair) for pair in zip(one_by_one, together, strict=True))
    assert not same(one_by_one[0], one_by_one[1])


def test_the_rung_is_the_first_unless_given():
    task, recipe = classes(), Recipe(epochs=1, learning_rates=(0.1, 0.001))
    networks = [mlp(task) for _ in range(3)]
    for network, rate in zip(networks, (None, 0.1, 0.001), strict=True):
        train(network, task, recipe, rng=0, learning_rate=rate)
    states = list(map(state_of, networks))
    assert same(states[0], states[1])
    assert not same(states[0], states[2])


def test_an_unknown_engine_is_refused():
    with pytest.raises(InputError, match=r"engine 'torhc' is not known \(nearest: torch\); known: auto, native, torch"):
        train(mlp(classes()), classes(), Recipe(), engine="torhc")


def test_networks_without_hidden_neurons_can_be_trained():
    task = classes()
    linear = SparseMLP(Wiring.from_masks([np.ones((3, 5))], inputs=True, outputs=True), rng=0)
    assert train(linear, task, Recipe(epochs=10, batch_size=16), rng=0).value > task.constant_value


def test_the_machine_is_described_in_one_line():
    line = describe_machine()
    assert "\n" not in line
    assert torch.__version__ in line
    assert f"engines: {'native, ' if has_native() else ''}torch;" in line


@pytest.mark.parametrize("kind", ["mlp", "rnn"])
def test_a_gpu_follows_the_same_trajectory(kind: str):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    task = classes() if kind == "mlp" else sequences()
    make = mlp if kind == "mlp" else rnn
    recipe = Recipe(epochs=3, batch_size=16, clip=1.0, patience=2)
    here = train(make(task), task, recipe, rng=0)
    network = make(task).to("cuda")
    there = train(network, task.to("cuda"), recipe, rng=0)
    assert next(network.parameters()).is_cuda
    assert [epoch.train_loss for epoch in there.epochs] == pytest.approx(
        [epoch.train_loss for epoch in here.epochs], rel=1e-3
    )
