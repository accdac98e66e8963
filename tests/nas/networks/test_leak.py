"""Cells that leak: against a loop in numpy, their gradients, what keeps them, and reservoirs that are found."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from command_line import refused, wirenas
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.nn.utils.rnn import pack_padded_sequence

from nas import InputError, Recipe, load_pipeline
from nas.networks import NetworkSpec, SequenceNetwork, SparseRNN, load_network, save_network
from nas.sparsity.compact import compact
from nas.tasks import load_task
from nas.training.train import engine_for, evaluate, session
from priors import WattsStrogatz, Wiring, attach

pytestmark = pytest.mark.usefixtures("no_plot")

SPARSE = attach(WattsStrogatz(9, 4, 0.3).sample(0), n_inputs=3, n_outputs=2, rng=0, reads=2, readouts=4)
DENSE = NetworkSpec("rnn").complete(3, (4,), 2)


def stepped(rnn: SparseRNN, x: np.ndarray) -> np.ndarray:
    """States after each step, by the formula."""
    wiring, weights = rnn.blueprint, rnn.weight.detach().numpy()
    living = rnn.live_weights().edges
    first, n = wiring.n_inputs, rnn.hidden_size
    read, recurrent = np.zeros((n, first)), np.zeros((n, n))
    for (source, target), weight in zip(living.tolist(), weights.tolist(), strict=True):
        if source < first:
            read[target - first, source] = weight
        else:
            recurrent[target - first, source - first] = weight
    bias, state, found = rnn.biases.detach().numpy(), np.zeros(n), []
    for now in x:
        total = read @ now + recurrent @ state + bias
        new = np.tanh(total) if rnn.cell == "tanh" else np.maximum(total, 0)
        state = (1 - rnn.leak) * state + rnn.leak * new
        found.append(state)
    return np.stack(found)


def network(cell: str, wiring: Wiring, leak: float, **options: Any) -> SparseRNN:
    rnn = SparseRNN(wiring, cell, rng=0, dtype=torch.float64, leak=leak, **options)
    with torch.no_grad():
        rnn.biases.copy_(torch.randn(rnn.biases.shape, generator=torch.Generator().manual_seed(0)))
    return rnn


@pytest.mark.parametrize("wiring", [SPARSE, DENSE], ids=["sparse", "dense"])
@pytest.mark.parametrize("cell", ["tanh", "relu"])
def test_states_are_those_of_the_formula(cell: str, wiring: Wiring) -> None:
    rnn, x = network(cell, wiring, 0.3), torch.randn(5, 6, 3, dtype=torch.float64)
    found, after = rnn(x)
    for own, states in zip(x.numpy(), found.detach().numpy(), strict=True):
        assert states == pytest.approx(stepped(rnn, own), abs=1e-12)
    assert torch.equal(after[0], found[:, -1])
    packed = pack_padded_sequence(x, torch.tensor([2, 6, 1, 6, 3]), batch_first=True, enforce_sorted=False)
    assert torch.allclose(rnn(packed)[1][0, 0], found[0, 1], atol=1e-12)
    assert "leak=0.3" in repr(rnn)
    plain = network(cell, wiring, 1.0)
    assert not torch.allclose(plain(x)[0], found)
    assert "leak" not in repr(plain)


def test_gradients_are_those_of_finite_differences() -> None:
    rnn, x = network("tanh", SPARSE, 0.4, initial_state="learned"), torch.randn(2, 4, 3, dtype=torch.float64)

    def states(weight: torch.Tensor, biases: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = torch.func.functional_call(rnn, {"weight": weight, "biases": biases}, (x,))[0]
        return found

    assert torch.autograd.gradcheck(states, (rnn.weight, rnn.biases))


@pytest.mark.parametrize(
    ("leak", "cell", "line"),
    [
        (0.0, "tanh", "leak=0.0: it must be above 0 and at most 1"),
        (1.5, "tanh", "leak=1.5: it must be above 0"),
        (float("nan"), "tanh", "leak=nan: it must be above 0"),
        (0.5, "gru", "leak=0.5: gates of a gru cell decide what stays; give 1, or a tanh or relu cell"),
    ],
)
def test_what_cannot_leak_is_refused(leak: float, cell: str, line: str) -> None:
    with pytest.raises(ValueError, match=line):
        SparseRNN(SPARSE, cell, leak=leak)


@pytest.mark.parametrize("kind", [SparseRNN, SequenceNetwork])
def test_files_keep_it(kind: type[SparseRNN | SequenceNetwork], tmp_path: Path) -> None:
    own, path, x = kind(SPARSE, "tanh", rng=0, leak=0.25), tmp_path / "network.safetensors", torch.randn(3, 5, 3)
    save_network(own, path)
    again = load_network(path)
    first, second = ((found if isinstance(found, torch.Tensor) else found[0]) for found in (own(x), again(x)))
    assert torch.equal(first, second)
    with safe_open(path, framework="pt") as file:
        description = json.loads(file.metadata()["wirenas"])
    assert (description["version"], description["leak"]) == (3, 0.25)
    for leak in (0, 2.0, "much", None, [0.5]):
        save_file(
            load_file(path), tmp_path / "spoilt.safetensors", {"wirenas": json.dumps(description | {"leak": leak})}
        )
        with pytest.raises(ValueError, match="no intact network file"):
            load_network(tmp_path / "spoilt.safetensors")
    save_network(kind(SPARSE, "tanh", rng=0), path)
    with safe_open(path, framework="pt") as file:
        assert "leak" not in json.loads(file.metadata()["wirenas"])


def test_engines_that_have_it_train_it() -> None:
    task = load_task("reber")
    wiring = NetworkSpec("rnn").complete(task.n_inputs, (6,), task.n_outputs)
    leaky = SequenceNetwork(wiring, "tanh", rng=0, leak=0.5)
    before = evaluate(leaky, task, task.test)
    training = session(leaky, task, Recipe(epochs=2, learning_rates=0.01), rng=0)
    training.run()
    assert training.history().engine == "torch"
    assert evaluate(leaky, task, task.test).loss < before.loss
    assert isinstance(compacted := compact(leaky), SequenceNetwork)
    assert compacted.rnn.leak == 0.5
    with pytest.raises(InputError, match=r"it has no cells that leak \(leak=0.5\); use torch"):
        engine_for("native", spec=NetworkSpec("rnn", cell="tanh", leak=0.5))
    assert engine_for("auto", spec=NetworkSpec("rnn", cell="tanh", leak=0.5)) == "torch"


def test_a_campaign_of_reservoirs_finds_networks_that_leak(tmp_path: Path) -> None:
    few = ("--trials", 2, "--finalists", 1, "--final-seeds", 2, "--nodes", 20, "--radii", 0.9)
    ridge = ("--network", "rnn", "--cell", "tanh", "--optimizer", "ridge")
    found = {}
    for leak in (0.3, 1):
        out = tmp_path / str(leak)
        code, _, err = wirenas("run", "--task", "delayed-parity", *ridge, *few, "--leak", leak, "--out", out)
        assert code == 0, err
        best = load_network(out / "best" / "network.safetensors")
        assert isinstance(best, SequenceNetwork)
        assert best.rnn.leak == leak
        outcome = json.loads((out / "best" / "outcome.json").read_text(encoding="utf-8"))
        found[leak] = outcome["test"]["mean"]
        task = load_task("delayed-parity")
        x, lengths, _ = task.batch(task.test[:5])
        assert len(load_pipeline(out).predict(x.numpy(), lengths.numpy())) == 5
    assert found[0.3] != found[1]
    line = refused("run", "--task", "delayed-parity", *ridge, "--leak", 1.5, "--out", tmp_path / "more")
    assert "--leak 1.5: input should be less than or equal to 1" in line


def test_what_would_lose_the_leak_is_refused(tmp_path: Path) -> None:
    task = load_task("delayed-parity")
    wiring = attach(WattsStrogatz(9, 4, 0.3).sample(0), task.n_inputs, task.n_outputs, rng=0, reads=2, readouts=4)
    path = tmp_path / "network.safetensors"
    save_network(SequenceNetwork(wiring, "tanh", rng=0, leak=0.5), path)
    for command, *size in (("prune", "--density", 0.5), ("rewire",)):
        out = tmp_path / command
        line = refused(command, "--from", path, "--task", "delayed-parity", *size, "--out", out)
        assert "cells of the network leak (leak=0.5), and structures are learned of cells that do not" in line
        assert not out.exists()
    line = refused("compare", path, "--task", "delayed-parity", "--network", "rnn", "--out", tmp_path / "compared")
    assert "leak (--leak 0.5), and RNNs that are compared do not; give --network reservoir and the leak" in line
    ridge = ("--network", "rnn", "--cell", "tanh", "--optimizer", "ridge", "--leak", 0.5, "--engine", "native")
    line = refused("run", "--task", "delayed-parity", *ridge, "--out", tmp_path / "native")
    assert "--engine native: it has no cells that leak (--leak 0.5); use torch" in line
