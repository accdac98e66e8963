"""How trainings by the compiled engine end, what they leave behind, and how networks are judged and asked."""

import math
import sys
import threading
from copy import deepcopy
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from native_cases import LOSSES, Case, Generator, random_case, rows, sequences
from native_checks import arrays_of, compiled, native_session, same_bits, torch_session
from numpy.typing import NDArray
from torch import nn

from nas.errors import InputError
from nas.networks import NetworkSpec, SequenceNetwork, SparseMLP
from nas.tasks import Task
from nas.training import Interrupted, Recipe, begin_wiring, evaluate, native_engine, predict, torch_engine, train
from nas.training.compiled import compile_network, compile_wiring
from nas.training.train import session
from priors import Layered, Wiring


def full_case(kind: str, loss: str = "cross-entropy", activation: str = "identity", **recipe: Any) -> Case:
    rng = np.random.default_rng(5)
    wiring = Layered((3, 6, 4, 3), 1.0, inputs=True, outputs=True).sample(rng)
    make = rows if kind == "mlp" else sequences
    return Case(wiring, NetworkSpec(kind, activation, "relu"), make(rng, 3, 3, 70, loss), Recipe(**recipe), 3)


def answers(module: nn.Module, task: Task, indices: torch.Tensor) -> NDArray[Any]:
    x, lengths, _ = task.batch(indices)
    x = x.to(next(module.parameters()).dtype)
    with torch.no_grad():
        return (module(x) if lengths is None else module(x, lengths)).numpy()


# Divergence


@pytest.mark.parametrize("patience", [None, 3])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", ["mlp", "rnn"])
def test_both_engines_see_a_divergence_at_the_same_step(kind: str, loss: str, patience: int | None):
    rate = 1e30 if loss == "cross-entropy" else 1e3
    recipe = {"optimizer": "sgd", "learning_rates": rate, "epochs": 20, "batch_size": 16, "patience": patience}
    case = full_case(kind, loss, **recipe)
    native, reference = native_session(case, case.network()), torch_session(case, case.network())
    assert native.run() == reference.run()
    found, expected = native.history(), reference.history()
    assert found.diverged
    assert expected.diverged
    assert found.steps == expected.steps < 100
    assert found.value == expected.value == case.task.constant_value
    assert len(found.epochs) == len(expected.epochs)
    assert native.run() == reference.run()


@pytest.mark.parametrize("loss", LOSSES)
def test_a_weight_that_is_no_number_is_a_divergence(loss: str):
    case = full_case("mlp", loss, activation="tanh", epochs=3)
    module = case.network()
    with torch.no_grad():
        module.bias[0] = math.nan
    training = native_session(case, module)
    training.run()
    assert training.history().diverged
    assert training.history().epochs == ()
    assert training.history().steps == 2


def test_a_loss_that_single_precision_cannot_hold_is_a_divergence():
    case = full_case("mlp", "squared-error", epochs=1, batch_size=70, learning_rates=1e-30)
    module = case.network()
    with torch.no_grad():
        module.bias[-3:] = 1e19
    for make in (native_session, torch_session):
        training = make(case, deepcopy(module))
        training.run()
        assert training.history().diverged


# Early stopping


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("patience", [1, 3, 8])
def test_early_stopping_ends_at_the_same_epoch_with_the_same_weights(loss: str, patience: int):
    recipe = {"learning_rates": 0.05, "epochs": 40, "batch_size": 8, "patience": patience}
    case = full_case("mlp", loss, activation="tanh", **recipe)
    ours, theirs = case.network(), case.network()
    native, reference = native_session(case, ours), torch_session(case, theirs)
    assert native.run() == reference.run()
    found, expected = native.history(), reference.history()
    assert len(found.epochs) < 40
    assert found.value == pytest.approx(expected.value, rel=1e-4)
    assert all(np.allclose(*pair, atol=1e-4) for pair in zip(arrays_of(ours), arrays_of(theirs), strict=True))
    metrics = [epoch.validation_metric for epoch in found.epochs]
    best = (max if case.task.direction == "maximize" else min)(metrics)
    assert found.value == best
    assert metrics.index(best) == len(metrics) - 1 - patience
    assert native_engine.evaluate(compiled(ours, case.task), case.task, case.task.validation.numpy()).metric == best


# Judging and asking


def test_scores_and_answers_are_those_of_the_module():
    for seed in range(60):
        case = random_case(seed)
        for dtype, rel in ((torch.float32, 1e-5), (torch.float64, 1e-10)):
            module = case.network(dtype)
            for indices in (case.task.train, case.task.validation.flip(0), case.task.test[:1]):
                outputs = native_engine.predict(compiled(module, case.task), case.task, indices.numpy())
                expected = answers(module, case.task, indices)
                assert outputs.dtype == expected.dtype
                assert np.allclose(outputs, expected, rtol=rel, atol=rel)
            if dtype == torch.float32:
                score = native_engine.evaluate(compiled(module, case.task), case.task, case.task.train.numpy())
                assert score.loss == pytest.approx(
                    torch_engine.evaluate(module, case.task, case.task.train).loss, rel=1e-5
                )


def linear_case(rng: Generator, n_outputs: int) -> Case:
    wiring = Wiring.from_masks([np.ones((n_outputs, 2))], inputs=True, outputs=True)
    return Case(wiring, NetworkSpec("mlp"), rows(rng, 2, n_outputs, 200), Recipe(), 0)


def metric(case: Case, bias: list[float]) -> tuple[float, float]:
    """Accuracy of both engines for a network that answers the same, `bias`, to everything."""
    module = case.network()
    assert isinstance(module, SparseMLP)
    with torch.no_grad():
        module.weight.zero_()
        module.bias.copy_(torch.tensor(bias))
    found = native_engine.evaluate(compiled(module, case.task), case.task, case.task.train.numpy())
    expected = torch_engine.evaluate(module, case.task, case.task.train)
    assert found.loss == pytest.approx(expected.loss, rel=1e-5, nan_ok=True)
    return found.metric, expected.metric


@pytest.mark.parametrize(
    ("bias", "chosen"),
    [
        ([1.0, 1.0, 1.0], 0),
        ([0.0, 2.0, 2.0], 1),
        ([0.0, -0.0, -1.0], 0),
        ([0.0, math.nan, 5.0], 1),
        ([math.nan, math.nan, 5.0], 0),
        ([math.nan, 1.0, 2.0], 0),
        ([1.0, 2.0, 3.0], 2),
    ],
)
def test_the_first_of_equal_outputs_counts_and_what_is_no_number_is_largest(bias: list[float], chosen: int):
    case = linear_case(np.random.default_rng(0), 3)
    found, expected = metric(case, bias)
    share = float((case.task.targets[case.task.train] == chosen).double().mean())
    assert found == expected == share


# Interruption


class StopsAt:
    """A flag that is set from its n-th question on."""

    def __init__(self, n: int) -> None:
        self.questions, self.n = 0, n

    def is_set(self) -> bool:
        self.questions += 1
        return self.questions > self.n


def test_a_flag_stops_a_long_training_soon_and_what_was_learnt_is_stored():
    case = full_case("mlp", epochs=1_000_000)
    module, stop = case.network(), threading.Event()
    start = arrays_of(module)
    training = session(module, case.task, case.recipe, rng=3, engine="native", stop=stop)
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(Interrupted, match=r"^stopped after \d+ of 2000000 updates$"):
        training.run()
    history = training.history()
    assert 0 < history.steps < 2_000_000
    assert history.seconds < 5
    assert len(history.epochs) == history.steps // 2
    assert not same_bits(start, arrays_of(module))
    again = case.network()
    session(again, case.task, case.recipe, rng=3, engine="native").run(history.steps)
    assert same_bits(arrays_of(again), arrays_of(module))


def test_a_flag_that_is_set_before_makes_no_update():
    case = full_case("mlp")
    module = case.network()
    start = arrays_of(module)
    with pytest.raises(Interrupted, match="stopped after 0 of"):
        train(module, case.task, case.recipe, rng=0, engine="native", stop=StopsAt(0))
    assert same_bits(start, arrays_of(module))


def test_progress_says_where_the_training_stands():
    case = full_case("mlp", epochs=3, batch_size=16)
    training = native_session(case, case.network())
    stages = [training.run(steps) for steps in (0, 4, 1, 3, 100)]
    assert [(stage.step, stage.epoch, stage.finished) for stage in stages] == [
        (0, 0, False),
        (4, 0, False),
        (5, 1, False),
        (8, 1, False),
        (15, 3, True),
    ]
    assert all(first.n_steps == second.n_steps == 15 for first, second in pairwise(stages))
    assert training.history().engine == "native"


# The choice of an engine


def test_auto_takes_the_compiled_engine():
    case = full_case("mlp")
    assert train(case.network(), case.task, case.recipe).engine == "native"
    kwargs = {"weights": np.random.default_rng(0), "batches": np.random.default_rng(0)}
    trained = begin_wiring(case.wiring, case.spec, case.task, case.recipe, learning_rate=0.01, **kwargs).run()
    assert trained.history.engine == "native"
    assert trained.module is None
    expected = torch_engine.evaluate(trained.network, case.task, case.task.test)
    assert trained.score(case.task.test).loss == pytest.approx(expected.loss, rel=1e-5)


@pytest.mark.parametrize("network", [nn.Linear(3, 3), nn.Linear(3, 3).half()])
def test_other_modules_train_with_torch_and_are_refused_by_name(network: nn.Module):
    case = full_case("mlp")
    if next(network.parameters()).dtype == torch.float32:
        assert train(network, case.task, case.recipe).engine == "torch"
    with pytest.raises(InputError, match=r"^engine=native: it does not take this Linear; .* use torch$") as caught:
        train(network, case.task, case.recipe, engine="native")
    assert "\n" not in str(caught.value)


def test_a_network_of_another_type_is_refused():
    case = full_case("mlp")
    with pytest.raises(InputError, match="float32 or float64 on the cpu"):
        train(case.network(torch.float16), case.task, case.recipe, engine="native")


@pytest.mark.parametrize("kind", ["hook", "frozen", "strided", "subclass"])
def test_modules_that_mean_something_else_are_left_to_torch(kind: str):
    case = full_case("mlp")
    module = case.network()
    if kind == "hook":
        module.register_forward_hook(lambda _module, _inputs, outputs: 2 * outputs)
    elif kind == "frozen":
        module.bias.requires_grad_(False)
    elif kind == "strided":
        module.weight.data = module.weight.detach().repeat_interleave(2)[::2]
    else:
        module.__class__ = type("Other", (type(module),), {})
    assert compile_network(module) is None


@pytest.mark.parametrize(
    ("spec", "wiring"),
    [
        (NetworkSpec("mlp"), Wiring((2, 2, 1), [(0, 2), (2, 3), (3, 4)], inputs=True, outputs=True)),
        (NetworkSpec("mlp", activation="swish"), Wiring((2, 1), [(0, 2)], inputs=True, outputs=True)),
        (NetworkSpec("mlp"), Wiring((2, 1), [(0, 2)], inputs=True)),
        (NetworkSpec("linear-mean"), Wiring((2, 1, 1), [(0, 2), (2, 3)], inputs=True, outputs=True)),
        (NetworkSpec("rnn", cell="x"), Wiring((2, 1, 1), [(0, 2), (2, 3)], inputs=True, outputs=True)),
        (
            NetworkSpec("rnn", cell="gru"),
            Wiring((1, 1, 1), [(0, 1), (1, 2)], inputs=True, outputs=True, weights=[1, 1]),
        ),
        (NetworkSpec("rnn"), Wiring((2, 1, 1), [(0, 2), (0, 3)], inputs=True, outputs=True)),
        (NetworkSpec("rnn"), Wiring((2, 1), [(0, 2)], inputs=True)),
    ],
)
def test_what_a_spec_does_not_build_is_refused_alike(spec: NetworkSpec, wiring: Wiring):
    with pytest.raises(ValueError, match=" ") as built:
        spec.build(wiring, 0)
    with pytest.raises(ValueError, match=" ") as compiled:
        compile_wiring(wiring, spec, np.random.default_rng(0))
    assert str(compiled.value) == str(built.value)


@pytest.mark.parametrize("kind", ["mlp", "rnn"])
def test_a_network_is_judged_and_asked_alike_by_both_engines(kind: str):
    case = full_case(kind)
    module = case.network()
    for indices in (case.task.test, case.task.train[:1]):
        scores = [evaluate(module, case.task, indices, engine=engine) for engine in ("native", "torch")]
        assert scores[0].loss == pytest.approx(scores[1].loss, rel=1e-5)
        assert scores[0].metric == pytest.approx(scores[1].metric, rel=1e-5)
        outputs = [predict(module, case.task, indices, engine=engine) for engine in ("native", "torch")]
        torch.testing.assert_close(*outputs, rtol=1e-4, atol=1e-5)


def test_weights_changed_between_two_runs_count():
    case = full_case("mlp")
    module, untouched = case.network(), case.network()
    training, other = native_session(case, module), native_session(case, untouched)
    training.run(1)
    other.run(1)
    with torch.no_grad():
        module.weight.zero_()
    training.run(0)
    assert not module.weight.any()
    training.run(1)
    other.run(1)
    assert not same_bits(arrays_of(module), arrays_of(untouched))


def test_padding_of_a_short_tile_does_not_diverge_by_itself():
    wiring = Wiring((1, 1, 2), [(0, 1), (1, 1), (1, 2), (1, 3)], inputs=True, outputs=True, weights=[-10, 3, 0.1, 0.1])
    task = Task.from_arrays("ones", np.ones((30, 300, 1), np.float32), np.arange(30) % 2)
    network = SequenceNetwork(wiring, "relu")
    with torch.no_grad():
        network.rnn.biases.fill_(1.0)
    history = train(network, task, Recipe(epochs=1, batch_size=5, learning_rates=1e-9), rng=0, engine="native")
    assert not history.diverged


def test_without_the_extension_auto_is_torch(monkeypatch: pytest.MonkeyPatch):
    case = full_case("mlp")
    monkeypatch.setattr(sys.modules["nas.training.train"], "has_native", lambda: False)
    assert train(case.network(), case.task, case.recipe).engine == "torch"
    kwargs = {"weights": np.random.default_rng(0), "batches": np.random.default_rng(0)}
    trained = begin_wiring(case.wiring, case.spec, case.task, case.recipe, learning_rate=0.01, **kwargs).run()
    assert trained.history.engine == "torch"
    with pytest.raises(InputError, match=r"^engine=native: it could not be built.*; use torch$"):
        train(case.network(), case.task, case.recipe, engine="native")
