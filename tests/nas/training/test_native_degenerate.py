"""Wirings and tasks at the edge of what there is: both engines agree on them."""

from copy import deepcopy
from itertools import pairwise

import numpy as np
import pytest
import torch
from native_cases import CELLS, Case, rows, sequences
from native_checks import (
    InDouble,
    arrays_of,
    compiled,
    error,
    native_gradients,
    native_session,
    reference_gradients,
    torch_session,
)

from nas.networks import NetworkSpec
from nas.tasks import Task
from nas.training import Recipe, begin_wiring
from nas.training.native_engine import has_sparse_inputs
from priors import Wiring, attach

Edges = list[tuple[int, int]]

# Sizes, with input and output units, and edges.
FEEDFORWARD: dict[str, tuple[list[int], Edges]] = {
    "no edges at all": ([2, 3, 2], []),
    "no hidden edges": ([2, 3, 2], [(0, 2), (1, 3), (2, 5), (3, 6), (4, 5)]),
    "one hidden neuron": ([3, 1, 2], [(0, 3), (2, 3), (3, 4), (3, 5)]),
    "a deep chain": ([1, *[1] * 30, 1], list(pairwise(range(32)))),
    "every neuron a source": ([2, 4, 2], [(i, j) for i in (2, 3, 4, 5) for j in (6, 7)]),
    "neurons that read nothing": ([2, 2, 2, 2], [(0, 2), (2, 4), (4, 6), (5, 6), (3, 7)]),
    "outputs that read nothing": ([2, 2, 3], [(0, 2), (1, 3), (2, 4), (3, 4)]),
    "isolated neurons": ([2, 3, 3, 2], [(0, 2), (2, 5), (5, 8), (5, 9)]),
    "no hidden neurons": ([4, 2], [(i, j) for i in range(4) for j in (4, 5)]),
    "no hidden neurons, few edges": ([4, 2], [(1, 4), (3, 5)]),
    "straight from inputs to outputs": ([3, 2, 2], [(0, 5), (1, 6), (2, 5)]),
    "an output that reads what a hidden neuron reads": ([2, 2, 1], [(0, 2), (1, 2), (0, 3), (1, 3), (0, 4), (1, 4)]),
    "one input": ([1, 5, 2], [(0, i) for i in range(1, 6)] + [(i, 6 + i % 2) for i in range(1, 6)]),
    "one of everything": ([1, 1, 1], [(0, 1), (1, 2)]),
}
RECURRENT: dict[str, tuple[list[int], Edges]] = {
    "no edges at all": ([2, 3, 2], []),
    "a cell without any edge": ([2, 3, 2], [(0, 2), (2, 3), (3, 2), (2, 5), (3, 6)]),
    "cells that read no input": ([1, 2, 2], [(1, 2), (2, 1), (1, 3), (2, 4)]),
    "one cell": ([1, 1, 1], [(0, 1), (1, 2)]),
    "one cell that reads itself": ([1, 1, 1], [(0, 1), (1, 1), (1, 2)]),
    "no recurrence": ([2, 2, 2, 1], [(0, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 6)]),
    "only backward edges": ([1, 1, 1, 1], [(0, 1), (2, 1), (1, 3), (2, 3)]),
    "a deep chain": ([1, *[1] * 12, 1], list(pairwise(range(14)))),
    "outputs that read nothing": ([2, 2, 2], [(0, 2), (1, 3), (2, 3), (3, 2)]),
}
RECIPE = Recipe(optimizer="adam", learning_rates=0.05, epochs=4, batch_size=6, clip=0.5)


def assert_engines_agree(case: Case) -> None:
    module = case.network()
    batch = case.task.train[: case.recipe.batch_size]
    loss, expected = reference_gradients(module, case.task, batch)
    found = native_gradients(compiled(module, case.task), case.task, batch)
    assert found[0] == pytest.approx(loss, rel=1e-5, abs=1e-7)
    assert error(found[1], expected) <= 1e-5
    ours = case.network(torch.float64)
    theirs = deepcopy(ours)
    native, reference = native_session(case, ours), torch_session(case, InDouble(theirs))
    assert native.run() == reference.run()
    assert all(np.allclose(*pair, rtol=0, atol=1e-10) for pair in zip(arrays_of(ours), arrays_of(theirs), strict=True))
    assert native.history().value == pytest.approx(reference.history().value, rel=1e-10)


@pytest.mark.parametrize("name", FEEDFORWARD)
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_feedforward_wirings(name: str, activation: str):
    wiring = Wiring(*FEEDFORWARD[name], inputs=True, outputs=True)
    task = rows(np.random.default_rng(0), wiring.n_inputs, wiring.n_outputs, 20, "squared-error")
    assert_engines_agree(Case(wiring, NetworkSpec("mlp", activation=activation), task, RECIPE, 1))


@pytest.mark.parametrize("name", RECURRENT)
@pytest.mark.parametrize("cell", CELLS)
def test_recurrent_wirings(name: str, cell: str):
    wiring = Wiring(*RECURRENT[name], inputs=True, outputs=True)
    task = sequences(np.random.default_rng(0), wiring.n_inputs, wiring.n_outputs, 20, "squared-error")
    assert_engines_agree(Case(wiring, NetworkSpec("rnn", cell=cell), task, RECIPE, 1))


@pytest.mark.parametrize("mode", ["controlled", "natural", "projected", "published"])
def test_hidden_neurons_without_edges_in_every_attachment(mode: str):
    wiring = attach(Wiring([4]), 3, 2, mode, 0)
    rng = np.random.default_rng(1)
    assert_engines_agree(Case(wiring, NetworkSpec("mlp"), rows(rng, 3, 2, 20, "squared-error"), RECIPE, 1))
    for cell in CELLS:
        task = sequences(rng, 3, 2, 20, "squared-error")
        assert_engines_agree(Case(wiring, NetworkSpec("rnn", cell=cell), task, RECIPE, 1))


def cut(task: Task, width: int, n_train: int) -> Task:
    """A task with fewer steps and examples."""
    assert task.lengths is not None
    lengths = task.lengths.clamp(max=width)
    return Task(
        "cut",
        task.inputs[:, :width].contiguous(),
        task.targets,
        task.train[:n_train],
        task.validation,
        task.test,
        task.n_inputs,
        task.n_outputs,
        lengths,
        task.loss,
    )


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("width", "n_train"), [(1, 20), (8, 1), (1, 1)])
def test_sequences_of_one_step_and_tasks_of_one_example(cell: str, width: int, n_train: int):
    wiring = Wiring([2, 2, 2, 2], [(0, 2), (1, 3), (2, 3), (2, 4), (4, 2), (5, 5), (3, 5), (4, 6), (5, 7)], True, True)
    for symbols in (False, True):
        task = cut(sequences(np.random.default_rng(5), 2, 2, 20, symbols=symbols), width, n_train)
        assert_engines_agree(Case(wiring, NetworkSpec("rnn", cell=cell), task, RECIPE, 1))


def test_one_example_of_a_row():
    wiring = Wiring([2, 1, 2], [(0, 2), (1, 2), (2, 3), (2, 4)], True, True)
    assert_engines_agree(Case(wiring, NetworkSpec("mlp"), rows(np.random.default_rng(5), 2, 2, 1), RECIPE, 1))


def test_wirings_train_as_they_are():
    for table, kind in ((FEEDFORWARD, "mlp"), (RECURRENT, "rnn")):
        for sizes, edges in table.values():
            wiring = Wiring(sizes, edges, inputs=True, outputs=True)
            make = rows if kind == "mlp" else sequences
            task = make(np.random.default_rng(0), wiring.n_inputs, wiring.n_outputs, 20, "squared-error")
            histories = [
                begin_wiring(
                    wiring,
                    NetworkSpec(kind),
                    task,
                    RECIPE,
                    learning_rate=0.01,
                    weights=np.random.default_rng(1),
                    batches=np.random.default_rng(2),
                    engine=engine,
                )
                .run()
                .history
                for engine in ("native", "torch")
            ]
            assert histories[0].value == pytest.approx(histories[1].value, rel=1e-4)


@pytest.mark.parametrize("name", FEEDFORWARD)
def test_feedforward_wirings_with_sparse_inputs(name: str):
    wiring = Wiring(*FEEDFORWARD[name], inputs=True, outputs=True)
    task = rows(np.random.default_rng(0), wiring.n_inputs, wiring.n_outputs, 20, "squared-error", sparse=True)
    assert has_sparse_inputs(task)
    assert_engines_agree(Case(wiring, NetworkSpec("mlp", activation="gelu"), task, RECIPE, 1))


def test_inputs_that_are_all_zero():
    wiring = Wiring.from_masks([np.ones((5, 3)), np.ones((2, 5))], inputs=True, outputs=True)
    task = rows(np.random.default_rng(0), 3, 2, 20, "squared-error")
    task.inputs.zero_()
    assert_engines_agree(Case(wiring, NetworkSpec("mlp"), task, RECIPE, 1))
