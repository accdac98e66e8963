"""Networks of which only the read-out is learned: against scikit-learn, and through campaigns, surveys and files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from command_line import refused
from sklearn.linear_model import Ridge
from stepwise_cases import LOSSES, at_the_end, stepwise, wiring_for

from nas import Campaign, InputError, Recipe, Survey, load
from nas.evaluation.trainer import Trainer
from nas.networks import LinearMean, NetworkSpec, SequenceNetwork, load_network, wiring_of
from nas.reservoirs import Reservoir, ReservoirNetwork, begin_read_out, reservoir
from nas.seeds import stream
from nas.tasks import Task
from nas.training.recipe import changed
from nas.training.train import evaluate, session
from priors import ErdosRenyi, Wiring, attach, spectral_radius

pytestmark = pytest.mark.usefixtures("no_plot")

TANH = NetworkSpec("rnn", cell="tanh")
RIDGE = Recipe(optimizer="ridge", radii=(0.5, 0.9), input_scale=0.4)


def sequences(n: int = 120, is_class: bool = True, **options: Any) -> Task:
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 9, n)
    inputs = rng.normal(size=(n, 8, 3)).astype(np.float32)
    last = inputs[np.arange(n), lengths - 2].sum(axis=1)
    targets = (last > 0).astype(int) if is_class else last[:, None].astype(np.float32)
    return Task.from_arrays("sequences", inputs, targets, lengths=lengths, **options)


def wiring(seed: int = 0, n: int = 20) -> Wiring:
    return attach(ErdosRenyi(n, edges=60).sample(seed), 3, 2, "controlled", seed, reads=2, readouts=6)


def trained(task: Task, own: Wiring, radius: float = 0.9, recipe: Recipe = RIDGE, **options: Any) -> Any:
    rng = stream(0, "weights", own.fingerprint, 0)
    return begin_read_out(own, TANH, task, recipe, radius=radius, rng=rng, **options).run()


@pytest.mark.parametrize("leak", [1.0, 0.2])
def test_all_but_the_head_is_what_the_reservoir_draws(leak: float):
    task, own = sequences(), wiring()
    network = trained(task, own, recipe=changed(RIDGE, leak=leak)).network
    assert isinstance(network, SequenceNetwork)
    drawn = ReservoirNetwork.draw(own, *stream(0, "weights", own.fingerprint, 0).spawn(2), input_scale=0.4, leak=leak)
    x, lengths, _ = task.batch(task.test)
    with torch.no_grad():
        states = network.double().rnn(x.double())[0][torch.arange(len(x)), lengths - 1].numpy()
    expected = drawn.sequence_states(x.double().numpy(), lengths.numpy(), 0.9)
    assert states[:, drawn.read] == pytest.approx(expected, abs=1e-5)
    recurrent = Wiring(
        (20,),
        [(s - 3, t - 3) for s, t in own.edges.tolist() if s >= 3 and t < 23],
        weights=_inner_weights(network, own),
    )
    assert spectral_radius(recurrent) == pytest.approx(0.9, rel=2e-3)


@pytest.mark.parametrize("leak", [1.0, 0.2])
@pytest.mark.parametrize("attachment", ["controlled", "projected"])
def test_the_head_is_fitted_to_the_states_of_the_network_that_is_kept(attachment: str, leak: float):
    task, options = (
        sequences(is_class=False),
        {"width": 5} if attachment == "projected" else {"reads": 2, "readouts": 6},
    )
    own = attach(ErdosRenyi(20, edges=60).sample(0), 3, 1, attachment, 0, **options)
    network = trained(task, own, recipe=changed(RIDGE, leak=leak)).network.double()
    x, lengths, targets = task.batch(task.train)
    with torch.no_grad():
        states = network.rnn(x.double())[0][torch.arange(len(x)), lengths - 1]
        read = states[:, network.head.columns].numpy()
        left = (targets.double() - network.head(states)).numpy()
    # What ridge regression leaves over has no mean, and goes with each state as its weight says: X'r = alpha w.
    assert abs(left.mean()) < 1e-5
    pull = (read - read.mean(axis=0)).T @ left
    (weights,) = network.head.matrices()
    alphas = pull[:, 0] / weights.detach().numpy()[0]
    assert np.allclose(alphas, alphas[np.abs(weights.detach().numpy()[0]).argmax()], rtol=0.05, atol=1e-3)


def _inner_weights(network: SequenceNetwork, own: Wiring) -> list[float]:
    weighted = wiring_of(network)
    assert np.array_equal(weighted.edges, own.edges)
    inner = (own.edges[:, 0] >= 3) & (own.edges[:, 1] < 23)
    return [float(weight) for weight in weighted.weights[inner]]


@pytest.mark.parametrize("is_class", [True, False])
def test_the_head_is_ridge_regression_on_what_each_output_reads(is_class: bool):
    task, own = sequences(is_class=is_class), wiring()
    if not is_class:
        own = attach(ErdosRenyi(20, edges=60).sample(0), 3, 1, "controlled", 0, reads=2, readouts=6)
    training = trained(task, own)
    network = training.network
    drawn = ReservoirNetwork.draw(own, *stream(0, "weights", own.fingerprint, 0).spawn(2), input_scale=0.4)
    x, lengths, _ = task.batch(task.train)
    states = drawn.sequence_states(x.double().numpy(), lengths.numpy(), 0.9)
    targets = task.targets[task.train].numpy()
    wanted = np.eye(2)[targets] if is_class else targets.astype(float)
    (head,) = network.head.matrices()
    head, columns = head.detach().double().numpy(), network.head.columns.tolist()
    bias = network.head.bias.detach().numpy()
    for output in range(task.n_outputs):
        sources = sorted(s - 3 for s, t in own.edges.tolist() if t == own.n_neurons - own.n_outputs + output)
        read = states[:, np.searchsorted(drawn.read, sources)]
        found = [head[output, columns.index(source)] for source in sources]
        strengths = [ridge * read.var(axis=0).sum() * len(read) / len(sources) for ridge in Reservoir.ridges]
        fits = [Ridge(alpha=alpha, solver="svd").fit(read, wanted[:, output]) for alpha in strengths]
        # Of classes all outputs have one factor.
        factors = [np.linalg.norm(found) / np.linalg.norm(fit.coef_) if is_class else 1.0 for fit in fits]
        assert any(
            np.allclose(found, factor * fit.coef_, rtol=1e-3, atol=1e-4)
            and np.isclose(bias[output], factor * fit.intercept_, atol=1e-3 * factor)
            for fit, factor in zip(fits, factors, strict=True)
        )


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("attachment", "leak"), [("controlled", 1.0), ("controlled", 0.4), ("projected", 0.4)])
def test_the_head_of_every_step_is_ridge_regression_on_the_steps_that_count(attachment: str, leak: float, loss: str):
    task = stepwise(0, loss, n=90, n_outputs=2)
    options = {"width": 5} if attachment == "projected" else {"reads": 2, "readouts": 6}
    own = attach(ErdosRenyi(20, edges=60).sample(0), 4, 2, attachment, 0, **options)
    training = trained(task, own, recipe=changed(RIDGE, leak=leak))
    network = training.network.double()
    part = task.train
    x, _, _ = task.batch(part)
    with torch.no_grad():
        # Each beginning of a sequence that ends at a step that counts, as a sequence of its own.
        read = np.stack(
            [
                network.rnn(x[[row], : step + 1].double())[0][0, -1].numpy()[network.head.columns.numpy()]
                for row, step in task.counted[part].nonzero().tolist()
            ]
        )
    targets = task.flat_targets(part)[0].numpy()
    wanted = np.eye(2)[targets] if loss == "cross-entropy" else targets.astype(float)
    weights = network.head.matrices()[0].detach().numpy()
    for output in range(2):
        sources = [s for s, t in own.edges.tolist() if t == own.n_neurons - 2 + output]
        columns = np.searchsorted(network.head.columns.numpy(), np.sort(sources) - own.n_inputs)
        states, found = read[:, columns], weights[output, columns]
        strengths = [ridge * states.var(axis=0).sum() * len(states) / len(columns) for ridge in Reservoir.ridges]
        fits = [Ridge(alpha=alpha, solver="svd").fit(states, wanted[:, output]).coef_ for alpha in strengths]
        likeness = [np.dot(found, fit) / np.linalg.norm(found) / np.linalg.norm(fit) for fit in fits]
        assert max(likeness) == pytest.approx(1.0, abs=1e-4)
        if loss == "squared-error":
            assert any(np.allclose(found, fit, rtol=1e-2, atol=1e-3) for fit in fits)
    assert training.history.value == evaluate(network.float(), task, task.validation).metric


@pytest.mark.parametrize("kind", ["rnn", "linear-mean"])
def test_targets_of_last_steps_alone_are_those_of_sequences(kind: str):
    task = stepwise(1, n=80, share=1.0)
    only_last = torch.arange(task.inputs.shape[1]) == task.lengths[:, None] - 1
    task = replace(task, targets=task.targets.where(only_last, -1))
    own, spec = wiring_for(task), TANH
    if kind == "linear-mean":
        spec = NetworkSpec(kind)
        own = spec.complete(task.n_inputs, (), task.n_outputs)
    stepped, at_once = (
        begin_read_out(own, spec, given, RIDGE, radius=0.9, rng=np.random.default_rng(0)).run()
        for given in (task, at_the_end(task))
    )
    assert stepped.history.value == at_once.history.value
    for ours, theirs in zip(stepped.network.parameters(), at_once.network.parameters(), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_how_many_steps_are_read_at_a_time_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    task = stepwise(2, "squared-error", n=90, steps=9)
    own = attach(ErdosRenyi(20, edges=60).sample(0), 4, 3, "controlled", 0, reads=2, readouts=6)
    whole = trained(task, own)
    monkeypatch.setattr(reservoir, "_STEPS_AT_A_TIME", 30)
    parts = trained(task, own)
    assert parts.history.value == pytest.approx(whole.history.value, rel=1e-6)
    for ours, theirs in zip(parts.network.parameters(), whole.network.parameters(), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_a_reservoir_echoes_at_every_step_what_no_mean_tells():
    bits = np.random.default_rng(0).integers(0, 2, (200, 30))
    counted = np.tile(np.arange(30) > 1, (200, 1))
    task = Task.from_arrays("echo", 2.0 * bits[:, :, None] - 1, np.roll(bits, 2, axis=1), counted=counted)
    own = attach(ErdosRenyi(60, edges=240).sample(0), 1, 2, "natural", 0)
    assert trained(task, own).test() > 0.99
    assert trained(task, own, engine="torch", recipe=changed(RIDGE, leak=0.5)).test() > 0.9
    score = Reservoir().evaluate(own, task, np.random.default_rng(0), np.random.default_rng(1))
    assert score.test > 0.99


def test_no_other_factor_makes_probabilities_fit_better():
    task = sequences(400)
    training = trained(task, wiring())
    network, part = training.network, task.validation
    x, lengths, targets = task.batch(part)
    with torch.no_grad():
        outputs = network(x, lengths).double()
    losses = [float(torch.nn.functional.cross_entropy(f * outputs, targets)) for f in (0.9, 0.99, 1.0, 1.01, 1.1)]
    assert min(losses) == losses[2]
    assert training.score(part).loss == pytest.approx(losses[2], rel=1e-4)


def test_mean_inputs_are_read_by_ridge_regression_too():
    task = sequences()
    line = Wiring((3, 2), [(i, 3 + o) for i in range(3) for o in range(2)], inputs=True, outputs=True)
    training = begin_read_out(
        line, NetworkSpec("linear-mean"), task, RIDGE, radius=0.9, rng=np.random.default_rng(0)
    ).run()
    assert isinstance(training.network, LinearMean)
    assert training.history.value > 0.5
    assert training.test() == training.score(task.test).metric


@pytest.mark.parametrize("engine", ["native", "torch"])
def test_trainings_repeat_and_their_values_are_those_of_the_network(engine: str):
    task, own = sequences(), wiring()
    trainer = Trainer(task, TANH, RIDGE, seed=3, engine=engine)
    assert trainer.plan((0, 1)) == [(0, 0.5), (1, 0.5), (0, 0.9), (1, 0.9)]
    first, again = (trainer.train(own, 0, 0.9) for _ in range(2))
    assert first.history.value == again.history.value == first.score(task.validation).metric
    assert first.history.engine == engine
    assert len(first.history.epochs) == 1
    other = trainer.train(own, 1, 0.9)
    assert not torch.equal(other.network.rnn.weight, first.network.rnn.weight)


def test_weights_of_a_connectome_stay():
    own = wiring()
    inner = (own.edges[:, 0] >= 3) & (own.edges[:, 1] < 23)
    weights = np.where(inner, np.random.default_rng(5).normal(size=own.n_edges), np.nan).astype(np.float32)
    network = trained(sequences(), own.replace(weights=weights)).network
    found = np.array(_inner_weights(network, own))
    assert np.corrcoef(found, weights[inner])[0, 1] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("task", [sequences(), stepwise(0, n=120)], ids=["ends", "steps"])
def test_a_campaign_and_a_survey_of_reservoirs(task: Task, tmp_path: Path):
    given: dict[str, Any] = {
        "task": task, "network": "rnn", "cell": "tanh", "recipe": {"optimizer": "ridge", "radii": (0.5, 0.9)},
        "space": {"nodes": (10, 20), "degree": 3.0}, "threads": 2,
    }  # fmt: skip
    outcome = Campaign(tmp_path / "run", **given, trials=12, finalists=1, final_seeds=2).run()
    assert outcome.rung == "spectral radius"
    assert outcome.test is not None
    assert outcome.test["learning_rate"] in (0.5, 0.9)
    assert {row["name"] for row in outcome.references} >= {"linear", "dense with equal parameters"}
    assert all(set(record.ladder) == {"0.5", "0.9"} for record in load(tmp_path / "run"))
    network = load_network(tmp_path / "run" / "best" / "network.safetensors")
    assert isinstance(network, SequenceNetwork)
    card = (tmp_path / "run" / "best" / "card.md").read_text()
    assert "spectral radius" in card
    assert "ridge" in card
    # The same again, on another number of threads.
    again = Campaign(tmp_path / "again", **{**given, "threads": 1}, trials=12, finalists=1, final_seeds=2).run()
    assert again.test is not None
    assert again.test["mean"] == outcome.test["mean"]
    assert [record.value for record in load(tmp_path / "again")] == [record.value for record in load(tmp_path / "run")]
    survey = Survey(tmp_path / "survey", **given, wirings=6).run()
    assert survey.wirings == 6


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--network", "rnn", "--task", "reber"), "--optimizer ridge: weights of --cell gru would have to be learned"),
        (("--task", "digits"), "--optimizer ridge: it is for RNNs, whose weights stay as they are drawn"),
        (("--task", "digits", "--budget", "300"), "--optimizer ridge: it is for RNNs"),
        (
            ("--network", "rnn", "--cell", "tanh", "--task", "reber", "--early-stopping", "median"),
            "--early-stopping median: the read-out of a reservoir is solved at once",
        ),
        (
            ("--network", "rnn", "--cell", "tanh", "--task", "reber", "--epochs", "5"),
            "--epochs 5: --optimizer ridge ignores it",
        ),
    ],
)
def test_what_does_not_go_is_one_line(options: tuple[str, ...], line: str, tmp_path: Path):
    told = refused("run", *options, "--optimizer", "ridge", "--out", tmp_path / "out")
    assert line in told
    assert not (tmp_path / "out").exists()


def test_other_trainings_refuse_it():
    network = SequenceNetwork(wiring(), "tanh", rng=0)
    with pytest.raises(InputError, match="optimizer=ridge: it solves the read-out"):
        session(network, sequences(), RIDGE)
