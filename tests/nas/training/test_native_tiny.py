"""Thousands of tiny networks, for all the corners that a wiring can have; more of them under the sanitizers."""

import math
import os

import numpy as np
import pytest
from native_cases import ACTIVATIONS, CELLS, LOSSES, OPTIMIZERS, rows, sequences
from native_checks import INSTRUCTION_SETS

from nas.networks import NetworkSpec
from nas.training import Recipe, native_engine
from nas.training.compiled import compile_wiring
from nas.training.native_engine import NativeSession, has_sparse_inputs
from priors import Wiring

N_WIRINGS = int(os.environ.get("WIRENAS_TEST_WIRINGS", "500"))
PARTS = 4

Generator = np.random.Generator


def tiny_wiring(rng: Generator, recurrent: bool) -> Wiring:
    """Up to six hidden neurons in any layers, with any edges among those that their network may have."""
    n_inputs, n_outputs = rng.choice([1, 2, 3, 17]), rng.integers(1, 5)
    hidden = rng.multinomial(rng.integers(1, 7), [0.5, 0.3, 0.2])
    wiring = Wiring([n_inputs, *hidden[hidden > 0], n_outputs], inputs=True, outputs=True)
    source, target = np.indices((wiring.n_neurons, wiring.n_neurons))
    first = wiring.n_neurons - n_outputs
    if recurrent:
        allowed = (target >= n_inputs) & (source < first) & ((target < first) | (source >= n_inputs))
    else:
        allowed = wiring.layer_of[source] < wiring.layer_of[target]
    chosen = allowed & (rng.random(allowed.shape) < rng.choice([0.0, 0.1, 0.5, 0.9, 1.0]))
    return wiring.replace(edges=np.argwhere(chosen))


def train_one(rng: Generator) -> None:
    recurrent = bool(rng.random() < 0.5)
    wiring = tiny_wiring(rng, recurrent)
    make = sequences if recurrent else rows
    options = {"symbols" if recurrent else "sparse": bool(rng.random() < 0.5)}
    size, batch_size = int(rng.integers(1, 90)), int(rng.choice([1, 2, 15, 16, 17, 31, 33, 64, 65, 100]))
    loss = str(rng.choice(LOSSES))
    task = make(rng, wiring.n_inputs, wiring.n_outputs, size, loss, **options)
    kind = "rnn" if recurrent else "mlp"
    spec = NetworkSpec(kind, str(rng.choice(ACTIVATIONS)), str(rng.choice(CELLS)))
    optimizer = OPTIMIZERS[rng.integers(len(OPTIMIZERS))]
    recipe = Recipe(**optimizer, epochs=3, batch_size=batch_size, clip=0.5 if rng.random() < 0.5 else None)
    compiled = compile_wiring(wiring, spec, rng, sparse=has_sparse_inputs(task))
    training = NativeSession(compiled, task, recipe, learning_rate=0.01, rng=rng)
    progress = training.run(3)
    assert progress.step == min(3, progress.n_steps)
    assert all(np.isfinite(part).all() for part in compiled.parameters)
    score = native_engine.evaluate(compiled, task, task.validation.numpy())
    outputs = native_engine.predict(compiled, task, task.validation.numpy())
    assert math.isfinite(score.loss)
    if loss == "squared-error":
        error = outputs - task.targets[task.validation].numpy()
        assert score.loss == pytest.approx(float(np.square(error.astype(np.float64)).mean()), rel=1e-4)
    else:
        hits = outputs.argmax(axis=1) == task.targets[task.validation].numpy()
        assert score.metric == pytest.approx(float(hits.mean()))


@pytest.mark.parametrize("part", range(PARTS))
def test_tiny_wirings_train(part: int, monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(part)
    for number in range(N_WIRINGS // PARTS):
        name = INSTRUCTION_SETS[number % len(INSTRUCTION_SETS)]
        monkeypatch.setattr(native_engine, "instruction_set", lambda name=name: name)
        train_one(rng)
