"""What is known of inputs, held to numpy on whole arrays."""

import os
import time
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nas.inputs import describe_inputs, statistics
from nas.tasks import Task, inputs_of, load_task
from nas.tasks import statistics as of_tasks
from priors import Inputs

Floats = NDArray[np.float64]


def check(found: Inputs, rows: Floats, targets: NDArray | None = None) -> None:
    """Hold what is known to plain numpy on all rows or steps; `targets` are one for each of them."""
    varies = np.ptp(rows, axis=0) > 0
    assert found.live.tolist() == np.flatnonzero(varies).tolist()
    np.testing.assert_allclose(found.deviation, np.where(varies, rows.std(axis=0), 0), rtol=1e-9)
    expected = np.zeros((rows.shape[1], rows.shape[1]))
    if len(found.live):
        expected[np.ix_(varies, varies)] = np.corrcoef(rows[:, varies], rowvar=False)
    np.testing.assert_allclose(found.correlation, expected, atol=2e-6)
    if targets is not None:
        expected = [regressed(column, targets) if own else 0 for column, own in zip(rows.T, varies, strict=True)]
        np.testing.assert_allclose(found.relevance, expected, atol=1e-7)


def regressed(column: Floats, targets: NDArray) -> float:
    """Return the coefficient of determination of a linear regression on numbers, or on which class it is."""
    answers = targets[:, None] == np.unique(targets) if targets.dtype.kind in "iu" else targets.reshape(len(column), -1)
    design = np.column_stack([np.ones(len(column)), answers])
    fitted = design @ np.linalg.lstsq(design, column, rcond=None)[0]
    return float(1 - np.square(column - fitted).sum() / np.square(column - column.mean()).sum())


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(2, 40),
    n_inputs=st.integers(1, 6),
    kind=st.sampled_from(["classes", "number", "numbers", "none"]),
    block=st.sampled_from([1, 7, 2**20]),
    seed=st.integers(0, 2**32),
)
def test_rows_are_described_as_numpy_does(n: int, n_inputs: int, kind: str, block: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = (rng.normal(size=(n, n_inputs)) * 10.0 ** rng.integers(-2, 3, n_inputs) + 5).astype(np.float32)
    rows[:, rng.random(n_inputs) < 0.3] = 0.1
    targets = {
        "classes": rng.integers(0, 3, n) * 5,
        "number": rng.normal(size=n),
        "numbers": np.repeat(rng.normal(size=(n, 1)), 2, axis=1),
    }.get(kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "_VALUES", block)
        found = describe_inputs(torch.from_numpy(rows), targets=targets)
    assert (found.positions, found.relevance is None) == (None, kind == "none")
    check(found, rows.astype(np.float64), targets)


def test_only_the_examples_that_are_named_count() -> None:
    rng = np.random.default_rng(0)
    rows, targets = rng.normal(size=(50, 4)), rng.integers(0, 2, 50)
    rows[7] = 1e6
    chosen = np.setdiff1d(np.arange(50), [7])[::-1]
    found = describe_inputs(rows, examples=torch.from_numpy(chosen.copy()), targets=targets)
    check(found, rows[chosen], targets[chosen])


@settings(deadline=None, max_examples=25)
@given(n=st.integers(2, 12), width=st.integers(1, 6), block=st.sampled_from([1, 20, 2**20]), seed=st.integers(0, 2**32))
def test_sequences_are_described_over_true_steps(n: int, width: int, block: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, width, 3))
    lengths, targets = rng.integers(1, width + 1, n), rng.integers(0, 2, n)
    inside = np.arange(width) < lengths[:, None]
    values[~inside] = 1e9
    symbols = np.where(inside, rng.integers(0, 4, (n, width)), 5).astype(np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "_VALUES", block)
        found = describe_inputs(values, lengths=lengths, targets=targets)
        read = describe_inputs(
            torch.from_numpy(symbols), lengths=torch.from_numpy(lengths), n_symbols=5, targets=targets
        )
    check(found, values[inside], np.repeat(targets, lengths))
    check(read, (symbols[inside][:, None] == np.arange(5)).astype(float), np.repeat(targets, lengths))


def test_whole_sequences_count_where_there_are_no_lengths() -> None:
    values = np.random.default_rng(0).normal(size=(6, 3, 2))
    check(describe_inputs(values), values.reshape(-1, 2))


def test_what_never_varies_is_exactly_0() -> None:
    rows = np.full((30_000, 3), 0.1, np.float32)
    rows[-1, 1] = 0.2
    found = describe_inputs(rows)
    assert found.live.tolist() == [1]
    assert found.correlation is not None
    assert found.correlation.tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_correlations_are_of_evenly_spaced_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "_EXAMPLES", 11)
    rows = np.random.default_rng(0).normal(size=(41, 3))
    rows[1::4, 2] = 3.0
    rows[::4, 2] = 0.0
    found = describe_inputs(rows)
    np.testing.assert_allclose(found.deviation, rows.std(axis=0))
    assert found.correlation is not None
    np.testing.assert_allclose(found.correlation[:2, :2], np.corrcoef(rows[::4, :2], rowvar=False), atol=1e-6)
    assert found.correlation[2].tolist() == [0, 0, 1]  # It varies, but not where correlations are taken.


def test_very_many_inputs_have_no_correlation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "_MOST_INPUTS", 3)
    rows = np.random.default_rng(0).normal(size=(20, 4))
    assert describe_inputs(rows).correlation is None
    assert describe_inputs(rows[:, :3]).correlation is not None


def test_positions_are_rows_and_columns() -> None:
    found = describe_inputs(np.random.default_rng(0).normal(size=(9, 6)), (2, 3))
    assert found.positions is not None
    assert found.positions.tolist() == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]


@pytest.mark.parametrize(
    ("given_arrays", "message"),
    [
        ({"shape": (2, 3)}, r"shape=\(2, 3\): inputs are rows of 4, and a shape .* must multiply to it"),
        ({"shape": (4,)}, r"shape=\(4,\): inputs are rows of 4"),
        ({"inputs": np.ones((5, 3, 4)), "shape": (2, 2)}, r"shape=\(2, 2\): inputs are sequences"),
        ({"inputs": np.ones(5)}, r"inputs have shape \(5,\)"),
        ({"inputs": np.ones((0, 3))}, r"inputs have shape \(0, 3\)"),
        ({"inputs": np.ones((5, 3, 4)), "n_symbols": 3}, r"inputs have shape \(5, 3, 4\)"),
        ({"lengths": np.ones(5)}, "lengths are for sequences only"),
        ({"inputs": np.ones((5, 3, 4)), "lengths": np.full(5, 4)}, "lengths must be one number from 1 to 3"),
        ({"inputs": np.ones((5, 3, 4)), "lengths": np.ones(4)}, "lengths must be one number from 1 to 3"),
        ({"examples": np.array([5])}, "examples must be numbers of the 5 examples"),
        ({"examples": np.zeros(0, int)}, "examples must be numbers of the 5 examples"),
        ({"targets": np.ones(4)}, r"targets have shape \(4,\): one for each of 5 examples is needed"),
        ({"targets": np.ones((5, 1, 1))}, r"targets have shape \(5, 1, 1\)"),
    ],
)
def test_arrays_that_contradict_each_other_are_refused(given_arrays: dict, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        describe_inputs(**({"inputs": np.ones((5, 4))} | given_arrays))


# Tasks


def test_digits_are_described_by_their_training_part() -> None:
    task = load_task("digits")
    found = inputs_of(task)
    train = task.train.numpy()
    check(found, task.inputs.numpy()[train].astype(np.float64), task.targets.numpy()[train])
    assert found.extent == 8
    assert repr(found) == "<Inputs: 64, of which 59 vary; positions, correlation, relevance known>"


def test_letters_are_described_as_what_a_network_reads() -> None:
    task = load_task("reber")
    found = inputs_of(task)
    x, lengths, y = task.batch(task.train)
    assert lengths is not None
    inside = np.arange(x.shape[1]) < lengths.numpy()[:, None]
    check(found, x.numpy()[inside].astype(np.float64), np.repeat(y.numpy(), lengths.numpy()))
    assert (found.n_inputs, found.positions) == (7, None)


def test_what_is_known_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_tasks, "_kept", {})
    rng = np.random.default_rng(0)

    def make(number: int, shape: tuple[int, int] | None = None) -> Task:
        return Task.from_arrays("own", rng.normal(size=(40, 12)) + number, np.arange(40) % 2, shape=shape)

    task = make(0, (3, 4))
    found = inputs_of(task)
    assert inputs_of(task.to("cpu")) is found
    assert found.extent == 4
    values = {name: getattr(task, name) for name in ("inputs", "targets", "train", "validation", "test")}
    other = Task("another name", **values, n_inputs=12, n_outputs=2, shape=(4, 3))
    assert other.fingerprint == task.fingerprint
    assert inputs_of(other).positions is not None
    assert not np.array_equal(inputs_of(other).positions, found.positions)
    for number in range(20):
        inputs_of(make(number))
    assert len(of_tasks._kept) == 8


def test_mnist_is_described_without_a_copy_of_it() -> None:
    if "WIRENAS_DATA" not in os.environ:
        pytest.skip("WIRENAS_DATA is not set: there is no MNIST here")
    task = load_task("mnist")
    tracemalloc.start()
    found = describe_inputs(task.inputs, task.shape, targets=task.targets, examples=task.train)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6  # The training part has 150 MB.
    rows = task.inputs.numpy()[task.train.numpy()].astype(np.float64)
    varies = np.ptp(rows, axis=0) > 0
    assert found.live.tolist() == np.flatnonzero(varies).tolist()
    np.testing.assert_allclose(found.deviation[varies], rows.std(axis=0)[varies], rtol=1e-9)
    some = rows[np.linspace(0, len(rows) - 1, 8000).astype(np.int64)][:, 380:389]
    assert found.correlation is not None
    assert some.std(axis=0).all()
    np.testing.assert_allclose(found.correlation[380:389, 380:389], np.corrcoef(some, rowvar=False), atol=1e-6)
    assert found.relevance is not None
    for own in (0, 382):
        expected = regressed(rows[:, own], task.targets.numpy()[task.train.numpy()]) if varies[own] else 0
        assert found.relevance[own] == pytest.approx(expected, abs=1e-9)
    begun = time.process_time()
    describe_inputs(task.inputs, task.shape, targets=task.targets, examples=task.train)
    assert time.process_time() - begun < 20
