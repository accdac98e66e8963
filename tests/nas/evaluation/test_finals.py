"""Finals: fresh seeds, a winner by validation alone, one test of it and its references."""

import math
import statistics
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from nas.evaluation import finals
from nas.evaluation.finals import FRESH, Finals, Standing, run_finals
from nas.evaluation.references import COUNTS, DEGREES, RETRAINED, Contender, references
from nas.evaluation.trainer import Trainer
from nas.evaluation.watcher import Watcher
from nas.networks import NetworkSpec
from nas.seeds import stream
from nas.space.way import PLAIN, Way
from nas.tasks import Task
from nas.training import History, Interrupted, Recipe, Score, Training
from nas.training.torch_engine import evaluate
from priors import WattsStrogatz, Wiring, attach, layer, orient

NAMES = ["linear", "dense with equal parameters", "dense with equal neurons", "random with equal edges"]


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def classes() -> Task:
    rng = np.random.default_rng(0)
    targets = rng.integers(3, size=80)
    return Task.from_arrays("classes", rng.normal(size=(80, 4)) + targets[:, None], targets)


def numbers() -> Task:
    inputs = np.random.default_rng(0).normal(size=(80, 4))
    return Task.from_arrays("numbers", inputs, inputs.sum(axis=1))


def wirings(task: Task, count: int = 3) -> list[tuple[int, Wiring]]:
    def draw(seed: int) -> Wiring:
        hidden = layer(orient(WattsStrogatz(6 + seed, 4, 0.5).sample(seed), rng=seed))
        return attach(hidden, task.n_inputs, task.n_outputs, "natural")

    return [(10 * seed, draw(seed)) for seed in range(count)]


def trainer(task: Task, **changes: Any) -> Trainer:
    recipe = Recipe(epochs=2, batch_size=16, learning_rates=(0.003, 0.03))
    return replace(Trainer(task, NetworkSpec("mlp"), recipe, seed=3), **changes)


def run(own: Trainer, executor: Executor, candidates: Sequence[tuple[int, Wiring]] | None = None) -> Finals:
    return run_finals(own, candidates or wirings(own.task), n_seeds=3, executor=executor, watcher=Watcher())


def without_training(found: Finals) -> tuple[object, ...]:
    return found.winner, found.wiring, found.finalists, found.references, found.training.history.epochs


@pytest.mark.parametrize("task", [classes(), numbers()])
def test_the_winner_is_best_by_mean_validation_over_fresh_seeds(task: Task, executor: Executor):
    own = trainer(task)
    found = run(own, executor)
    means: dict[int, float] = {}
    for number, wiring in wirings(task):
        rungs = [
            [own.train(wiring, FRESH + seed, rate).history.value for seed in range(3)]
            for rate in own.recipe.learning_rates
        ]
        best = (max if task.direction == "maximize" else min)(rungs, key=np.mean)
        means[number] = float(np.mean(best))
        standing = next(standing for standing in found.finalists if standing.trial == number)
        assert standing.validation == tuple(best)
        assert standing.n_edges == wiring.hidden.n_edges
        assert standing.n_parameters == own.spec.n_parameters(wiring)["total"]
    order = sorted(means, key=means.__getitem__, reverse=task.direction == "maximize")
    assert [standing.trial for standing in found.finalists] == order
    assert found.winner.trial == order[0]
    assert found.wiring == dict(wirings(task))[order[0]]
    assert found.winner.name == f"trial {order[0]}"


@pytest.mark.parametrize("task", [classes(), numbers()])
def test_only_the_winner_and_the_references_are_tested(task: Task, executor: Executor, monkeypatch: pytest.MonkeyPatch):
    tested: list[Training] = []
    genuine = Training.score

    def watched(self: Training, indices: torch.Tensor) -> Score:
        assert indices.equal(task.test)
        tested.append(self)
        return genuine(self, indices)

    monkeypatch.setattr(Training, "score", watched)
    found = run(trainer(task), executor)
    assert len(tested) == 3 * 5
    assert found.training in tested
    assert all(standing.test == () for standing in found.finalists)
    assert len(found.winner.test) == 3
    assert all(len(standing.test) == 3 for standing in found.references)


def test_the_test_part_decides_nothing(executor: Executor):
    task = classes()
    targets = task.targets.clone()
    targets[task.test] = (targets[task.test] + 1) % 3
    inputs = task.inputs.clone()
    inputs[task.test] = 0.0
    found, other = (run(trainer(each), executor) for each in (task, replace(task, targets=targets, inputs=inputs)))
    assert other.finalists == found.finalists
    assert replace(other.winner, test=()) == replace(found.winner, test=())
    assert [replace(standing, test=()) for standing in other.references] == [
        replace(standing, test=()) for standing in found.references
    ]
    assert other.winner.test != found.winner.test


def test_the_test_metric_is_that_of_the_networks_at_the_best_rung(executor: Executor):
    own = trainer(classes())
    found = run(own, executor)
    for standing, wiring, spec in [
        (found.winner, found.wiring, own.spec),
        *(
            (standing, reference.wiring, reference.spec)
            for standing, reference in zip(
                found.references,
                references(found.wiring, own.spec, stream(own.seed, "wiring", found.wiring.fingerprint)),
                strict=True,
            )
        ),
    ]:
        networks = [own.train(wiring, FRESH + seed, standing.learning_rate, spec=spec).network for seed in range(3)]
        assert standing.test == tuple(evaluate(network, own.task, own.task.test).metric for network in networks)
        assert standing.n_parameters == spec.n_parameters(wiring)["total"]
    assert [standing.name for standing in found.references] == NAMES
    assert all(standing.trial is None for standing in found.references)


def test_the_saved_training_is_the_winners_best_on_validation(executor: Executor):
    for task in (classes(), numbers()):
        found = run(trainer(task), executor)
        best = (max if task.direction == "maximize" else min)(found.winner.validation)
        assert found.training.history.value == best
        assert found.training.replicate == FRESH + found.winner.validation.index(best)
        assert found.training.learning_rate == found.winner.learning_rate
        assert found.training.network.blueprint == found.wiring


def test_replicates_are_fresh(monkeypatch: pytest.MonkeyPatch, executor: Executor):
    seen: list[tuple[str, int, float]] = []
    genuine = Trainer.train

    def watched(self: Trainer, wiring: Wiring, replicate: int, *rest: Any, **named: Any) -> Training:
        seen.append((wiring.fingerprint, replicate, rest[0]))
        return genuine(self, wiring, replicate, *rest, **named)

    monkeypatch.setattr(Trainer, "train", watched)
    run(trainer(classes()), executor)
    assert {replicate for _, replicate, _ in seen} == {FRESH, FRESH + 1, FRESH + 2}
    assert len(seen) == len(set(seen)) == (3 + 4) * 3 * 2


def test_ties_go_to_the_better_candidate_of_the_search(monkeypatch: pytest.MonkeyPatch, executor: Executor):
    task = classes()

    def tied(self: Trainer, wiring: Wiring, replicate: int, rate: float, spec: NetworkSpec, way: Way) -> Training:
        assert way == PLAIN
        history = History((), 0.5, False, 1, 0.0, "torch")
        ended = SimpleNamespace(history=lambda: history)
        return Training(wiring, spec, task, ended, rate, replicate, module=spec.build(wiring, 0))

    monkeypatch.setattr(Trainer, "train", tied)
    found = run(trainer(task), executor, list(reversed(wirings(task))))
    assert [standing.trial for standing in found.finalists] == [20, 10, 0]
    assert found.training.replicate == FRESH
    assert found.winner.learning_rate == 0.003


def test_threads_and_order_of_trainings_do_not_matter(executor: Executor):
    own = trainer(classes())
    with ThreadPoolExecutor(3) as several:
        assert without_training(run(own, several)) == without_training(run(own, executor))


def test_every_training_is_announced(executor: Executor):
    class Listener(Watcher):
        def __init__(self) -> None:
            self.heard: list[object] = []

        def stage_started(self, stage: str, trainings: int) -> None:
            self.heard.append((stage, trainings))

        def trained(self) -> None:
            self.heard.append("trained")

    listener = Listener()
    run_finals(trainer(classes()), wirings(classes(), 2), n_seeds=2, executor=executor, watcher=listener)
    finalists, rivals = 2 * 2 * 2, 4 * 2 * 2
    assert listener.heard == [
        ("finalists", finalists),
        *["trained"] * finalists,
        ("references", rivals),
        *["trained"] * rivals,
    ]


def test_an_interruption_passes_through(executor: Executor):
    class Set:
        def is_set(self) -> bool:
            return True

    with pytest.raises(Interrupted):
        run(trainer(classes(), stop=Set()), executor)


def test_a_network_that_diverged_is_tested_as_the_constant_prediction(executor: Executor):
    """A network of weights that are not numbers would be scored by chance, or not at all."""
    for task in (classes(), numbers()):
        recipe = Recipe(optimizer="sgd", learning_rates=1e6, epochs=30, batch_size=8)
        own = trainer(task, recipe=recipe, spec=NetworkSpec("mlp", activation="identity"))
        found = run(own, executor)
        known, held_out = task.targets[task.train], task.targets[task.test]
        if task.loss == "cross-entropy":
            expected = float((held_out == known.bincount().argmax()).double().mean())
        else:
            expected = float(((held_out - known.mean()) ** 2).mean())
        assert found.training.history.diverged
        assert found.winner.test == pytest.approx((expected,) * 3, rel=1e-5)
        assert all(math.isfinite(value) for standing in found.references for value in standing.test)


def test_recurrent_networks_have_their_own_references(executor: Executor):
    rng = np.random.default_rng(0)
    task = Task.from_arrays("sequences", rng.normal(size=(40, 4, 2)), rng.integers(2, size=40))
    wiring = attach(WattsStrogatz(5, 2, 0.5).sample(0), 2, 2, "natural")
    own = trainer(task, spec=NetworkSpec("rnn", cell="tanh"), recipe=Recipe(epochs=1))
    found = run_finals(own, [(4, wiring)], n_seeds=1, executor=executor, watcher=Watcher())
    assert [standing.name for standing in found.references] == NAMES
    assert found.references[3].n_parameters == found.winner.n_parameters


def test_a_summary_gives_mean_and_spread():
    standing = Standing("trial 1", 1, 20, 15, 0.1, (0.5, 0.7), (0.2, 0.5))
    assert standing.summary() == {
        "name": "trial 1",
        "mean": pytest.approx(0.35),
        "std": pytest.approx(statistics.stdev([0.2, 0.5])),
        "seeds": 2,
        "validation": pytest.approx(0.6),
        "n_parameters": 20,
        "n_edges": 15,
        "learning_rate": 0.1,
    }
    assert replace(standing, test=(0.2,)).summary()["std"] is None


def test_the_seeds_of_the_finals_are_no_seeds_of_a_search(executor: Executor):
    trainings = run(trainer(classes()), executor).training
    assert trainings.replicate >= 1_000_000


def test_a_structure_that_is_drawn_twice_is_trained_with_two_seeds(monkeypatch: pytest.MonkeyPatch, executor: Executor):
    wirings = [attach(WattsStrogatz(8, 2, 0.5).sample(seed), 4, 3, "natural", seed) for seed in range(4)]
    names = [RETRAINED, DEGREES, DEGREES, DEGREES, COUNTS, COUNTS, COUNTS]
    drawn = [wirings[index] for index in (0, 1, 1, 1, 2, 3, 2)]
    networks = [Contender(name, wiring, NetworkSpec("mlp")) for name, wiring in zip(names, drawn, strict=True)]
    asked: list[tuple[str, str, int]] = []

    def tested(_: Any, some: Sequence[Contender], n_seeds: int, *__: Any) -> list[Any]:
        asked.extend((own.name, own.wiring.fingerprint, n_seeds) for own in some)
        return [(own.name, n_seeds) for own in some]

    monkeypatch.setattr(finals, "_test_all", tested)
    found = finals._test_shares(None, networks, 5, executor, Watcher())  # type: ignore[arg-type]
    assert found == [(RETRAINED, 5), (DEGREES, 3), (COUNTS, 2), (COUNTS, 1)]
    assert len(asked) == len({(name, fingerprint) for name, fingerprint, _ in asked}) == 4
