"""The compiled engine computes the same bits whoever asks, when, and in how many pieces."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from native_cases import Case, random_case
from native_checks import Gradients, arrays_of, native_session, same_bits

from nas.training import Training, begin_wiring, train

SEEDS = range(60)


def from_module(case: Case) -> Gradients:
    module = case.network()
    native_session(case, module).run()
    return arrays_of(module)


def from_wiring(case: Case) -> Training:
    weights, batches = np.random.default_rng(1), np.random.default_rng(2)
    rate = case.recipe.learning_rates[0]
    return begin_wiring(
        case.wiring,
        case.spec,
        case.task,
        case.recipe,
        learning_rate=rate,
        weights=weights,
        batches=batches,
        engine="native",
    ).run()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_wiring_and_its_module_train_alike(seed: int):
    case = random_case(seed)
    module = case.spec.build(case.wiring, np.random.default_rng(1))
    history = train(module, case.task, case.recipe, rng=np.random.default_rng(2), engine="native")
    trained = from_wiring(case)
    assert same_bits(arrays_of(trained.network), arrays_of(module))
    assert trained.history.epochs == history.epochs
    assert trained.history.value == history.value


def test_one_call_or_many():
    for seed in SEEDS:
        case, module = random_case(seed), random_case(seed).network()
        session = native_session(case, module)
        while not session.run(1).finished:
            pass
        assert same_bits(arrays_of(module), from_module(case)), seed


def test_again_in_another_order_and_in_threads():
    cases = [random_case(seed) for seed in SEEDS]
    expected = [from_module(case) for case in cases]
    backwards = [from_module(case) for case in reversed(cases)]
    with ThreadPoolExecutor(2) as executor:
        together = list(executor.map(from_module, cases))
    for i, trained in enumerate(expected):
        assert same_bits(trained, backwards[-1 - i])
        assert same_bits(trained, together[i])
    assert not same_bits(expected[0], from_module(replace(cases[0], seed=99)))


def test_a_shared_task_in_threads():
    case = random_case(2)
    cases = [replace(case, seed=seed) for seed in range(16)]
    expected = [from_wiring(each).compiled for each in cases]
    with ThreadPoolExecutor(2) as executor:
        together = list(executor.map(from_wiring, cases))
    for one, other in zip(expected, together, strict=True):
        assert one is not None
        assert other.compiled is not None
        assert same_bits(one.parameters, other.compiled.parameters)
