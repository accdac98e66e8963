"""Metrics and weights of classes: both engines follow one trajectory, and what is kept is the best by the metric."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from nas.networks import NetworkSpec
from nas.tasks import Measure, Task
from nas.training import Recipe
from nas.training.extension import has_native
from nas.training.torch_engine import mean_loss
from nas.training.train import Training, begin_wiring, predict
from priors import ErdosRenyi, Layered, Wiring, attach

SPECS = {"mlp": NetworkSpec("mlp"), "rnn": NetworkSpec("rnn", cell="gru")}
needs_native = pytest.mark.skipif(not has_native(), reason="the compiled engine was not built")


def task_of(kind: str, metric: str) -> Task:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 6, 3) if kind == "rnn" else (150, 5))
    score = x.reshape(150, -1)[:, :3].sum(axis=1) + rng.normal(size=150)
    measure = Measure(metric)
    extra: dict[str, Any] = {"measure": measure}
    if measure.loss == "squared-error":
        extra["measure"] = Measure(metric, (7.0,), (3.0,))
        own = Task.from_arrays("own", x, score, loss="squared-error")
    else:
        own = Task.from_arrays("own", x, np.digitize(score, [-2.0, 0.5]))
        extra["class_weights"] = torch.tensor([2.0, 0.5, 1.0])
    values = {name: getattr(own, name) for name in own.__dataclass_fields__}
    return Task(**{**values, **extra})


def wiring_of(kind: str, task: Task) -> Wiring:
    if kind == "rnn":
        return attach(ErdosRenyi(6, edges=12).sample(0), task.n_inputs, task.n_outputs, "controlled", rng=0)
    return Layered((task.n_inputs, 8, task.n_outputs), density=1.0, inputs=True, outputs=True).sample(0)


def begun(kind: str, task: Task, recipe: Recipe, engine: str) -> Training:
    weights, batches = np.random.default_rng(1), np.random.default_rng(2)
    return begin_wiring(wiring_of(kind, task), SPECS[kind], task, recipe, learning_rate=0.02, weights=weights,
                        batches=batches, engine=engine)  # fmt: skip


@needs_native
@pytest.mark.parametrize("patience", [None, 2])
@pytest.mark.parametrize(
    ("kind", "metric", "normalise"),
    [("mlp", "macro-f1", False), ("mlp", "auc", True), ("mlp", "mae", False), ("rnn", "log-loss", False)],
)
def test_both_engines_measure_alike(kind: str, metric: str, normalise: bool, patience: int | None):
    task = task_of(kind, metric)
    recipe = Recipe(epochs=8, patience=patience, normalise=normalise)
    found = []
    for engine in ("native", "torch"):
        training = begun(kind, task, recipe, engine)
        training.session.run(3)  # In the midst of an epoch.
        training = training.run()
        metrics = [epoch.validation_metric for epoch in training.history.epochs]
        losses = [epoch.train_loss for epoch in training.history.epochs]
        found.append([*metrics, *losses, training.history.value, training.test()])
        best = (max if task.direction == "maximize" else min)(metrics)
        assert training.history.value == (best if patience is not None else metrics[-1])
        assert training.score(task.validation).metric == pytest.approx(training.history.value, abs=1e-6)
    assert found[0] == pytest.approx(found[1], rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("engine", ["native", "torch"])
def test_weights_of_classes_are_those_of_the_loss(engine: str):
    if engine == "native" and not has_native():
        pytest.skip("the compiled engine was not built")
    task = task_of("mlp", "log-loss")
    assert task.class_weights is not None
    training = begun("mlp", task, Recipe(epochs=3), engine).run()
    outputs = predict(training.network, task, task.test, engine="torch").double()
    own = functional.cross_entropy(outputs, task.targets[task.test], reduction="none")
    wanted = float((own * task.class_weights[task.targets[task.test]]).mean())
    assert training.score(task.test).loss == pytest.approx(wanted, rel=1e-5)
    assert float(mean_loss(training.network, task, task.test).detach()) == pytest.approx(wanted, rel=1e-5)
    assert training.test() == pytest.approx(float(own.mean()), rel=1e-5)


def test_rare_classes_are_learned_when_they_count():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1000, 2))
    rare = (x[:, 0] > 1.2).astype(int)
    x += rng.normal(0, 0.8, x.shape)
    plain = Task.from_arrays("own", x, rare)
    values = {name: getattr(plain, name) for name in plain.__dataclass_fields__}
    weights = torch.tensor([0.5, 5.0])
    weighted = Task(**{**values, "class_weights": weights, "measure": Measure("balanced-accuracy")})
    unweighted = Task(**{**values, "measure": Measure("balanced-accuracy")})
    scores = [begun("mlp", own, Recipe(epochs=15), "auto").run().test() for own in (weighted, unweighted)]
    assert scores[0] > scores[1] + 0.03
