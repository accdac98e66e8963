"""Whole trainings by the compiled engine follow those by torch, step by step."""

import os
from collections.abc import Callable
from copy import deepcopy

import numpy as np
import pytest
import torch
from native_cases import OPTIMIZERS, Case, random_case, rows
from native_checks import InDouble, arrays_of, native_session, torch_session
from quick import quick

from nas.networks import NetworkSpec
from nas.training import History, Recipe
from priors import Wiring

N_PAIRS = int(os.environ.get("WIRENAS_TEST_PAIRS", "100"))


def largest_difference(first: torch.nn.Module, second: torch.nn.Module) -> float:
    pairs = zip(arrays_of(first), arrays_of(second), strict=True)
    return max(float(np.abs(a - b).max(initial=0.0)) for a, b in pairs)


def assert_same_curve(found: History, expected: History, *, rel: float) -> None:
    assert (found.steps, found.diverged, len(found.epochs)) == (
        expected.steps,
        expected.diverged,
        len(expected.epochs),
    )
    for ours, theirs in zip(found.epochs, expected.epochs, strict=True):
        # Torch's engine adds the losses of an epoch up in float32.
        assert ours.train_loss == pytest.approx(theirs.train_loss, rel=max(rel, 1e-6), abs=1e-7)
        assert ours.validation_loss == pytest.approx(theirs.validation_loss, rel=rel)
        assert ours.validation_metric == pytest.approx(theirs.validation_metric, rel=rel)
    assert found.value == pytest.approx(expected.value, rel=rel)


@pytest.mark.parametrize("seed", quick(range(120), *range(40)))
def test_in_double_two_epochs_end_at_the_same_weights(seed: int):
    case = random_case(seed)
    ours = case.network(torch.float64)
    theirs = deepcopy(ours)
    native, reference = native_session(case, ours), torch_session(case, InDouble(theirs))
    assert native.run() == reference.run()
    assert largest_difference(ours, theirs) <= 1e-10
    assert_same_curve(native.history(), reference.history(), rel=1e-10)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("schedule", ["constant", "cosine", "linear", "step"])
def test_every_optimizer_and_schedule_in_double(optimizer: dict[str, object], schedule: str):
    rng = np.random.default_rng(1)
    wiring = Wiring([3, 4, 2], [(0, 3), (1, 4), (2, 5), (2, 6), (3, 7), (4, 8), (5, 8), (0, 7)], True, True)
    recipe = Recipe(**optimizer, schedule=schedule, learning_rates=0.05, batch_size=16, epochs=5, clip=0.3)
    case = Case(wiring, NetworkSpec("mlp", activation="tanh"), rows(rng, 3, 2, 40), recipe, 2)
    ours = case.network(torch.float64)
    start, theirs = arrays_of(ours), deepcopy(ours)
    native, reference = native_session(case, ours), torch_session(case, InDouble(theirs))
    for _ in range(15):
        assert native.run(1) == reference.run(1)
        assert largest_difference(ours, theirs) <= 1e-12
    assert all((before != after).any() for before, after in zip(start, arrays_of(ours), strict=True))


@pytest.mark.slow
def test_fifty_steps_stay_together_in_single_precision():
    apart = []
    for seed in range(N_PAIRS):
        case = random_case(1000 + seed)
        ours = case.network()
        theirs = deepcopy(ours)
        epochs = -(-50 // -(-len(case.task.train) // case.recipe.batch_size))
        native, reference = native_session(case, ours, epochs=epochs), torch_session(case, theirs, epochs=epochs)
        assert native.run(50).step == reference.run(50).step == 50
        losses = [
            abs(a.train_loss - b.train_loss)
            for a, b in zip(native.history().epochs, reference.history().epochs, strict=True)
        ]
        difference = max([largest_difference(ours, theirs), *losses])
        if not difference <= 1e-4:
            apart.append(f"{difference:.1e} with seed {1000 + seed}: {case.spec}, {case.recipe}")
    assert len(apart) <= 0.01 * N_PAIRS, apart


@pytest.mark.parametrize(("n", "batch_size"), [(1, 1), (2, 1), (2047, 100), (30_000, 100)])
def test_examples_come_in_the_same_order(n: int, batch_size: int):
    rng = np.random.default_rng(n)
    recipe = Recipe(optimizer="sgd", momentum=0.9, learning_rates=0.05, batch_size=batch_size, epochs=1)
    wiring = Wiring.from_masks([np.ones((3, 2))], inputs=True, outputs=True)
    case = Case(wiring, NetworkSpec("mlp"), rows(rng, 2, 3, n), recipe, 0)
    ours = case.network(torch.float64)
    theirs = deepcopy(ours)
    native_session(case, ours).run()
    torch_session(case, InDouble(theirs)).run()
    assert largest_difference(ours, theirs) <= 1e-12


@pytest.mark.parametrize("kind", [np.random.PCG64, np.random.MT19937, np.random.Philox])
def test_both_engines_draw_the_same_from_any_generator(kind: Callable[[int], np.random.BitGenerator]):
    case, next_draws, values = random_case(6), [], []
    for make in (native_session, torch_session):
        rng = np.random.Generator(kind(3))
        session = make(case, case.network(), rng)
        session.run()
        next_draws.append(rng.random())
        values.append(session.history().epochs[-1].train_loss)
    assert next_draws[0] == next_draws[1]
    assert values[0] == pytest.approx(values[1], rel=1e-5)
