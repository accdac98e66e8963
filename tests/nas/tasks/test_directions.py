"""Bidirectional networks: torch's own, step for step, and what has no two directions."""

from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import wirenas
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from nas import load_pipeline
from nas.errors import InputError
from nas.inputs import with_reversal
from nas.networks import SequenceNetwork
from nas.tasks import bidirectional, load_task, stem_of
from nas.training import predict
from nas.training.extension import has_native
from priors import Wiring


def random_sequences(n: int = 40, steps: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, steps, 2)).astype(np.float32), rng.integers(1, steps + 1, n)


def test_each_step_stands_beside_the_one_as_far_from_the_end():
    inputs, lengths = random_sequences()
    for both, row, length in zip(with_reversal(inputs, lengths), inputs, lengths, strict=True):
        assert np.array_equal(both[:length, :2], row[:length])
        assert np.array_equal(both[:length, 2:], row[:length][::-1])
        assert not both[length:].any()


def halves(n_first: int, n_second: int) -> np.ndarray:
    """Edges from each half of some units to the same half of others."""
    return np.argwhere(np.kron(np.eye(2), np.ones((n_first, n_second))))


def side_by_side(reference: nn.RNNBase, name: str, gates: int) -> torch.Tensor:
    """Weights or biases of both directions as those of one network, gate by gate."""
    ways = [getattr(reference, f"{name}_l0{way}").detach().chunk(gates) for way in ("", "_reverse")]
    join = torch.block_diag if name.startswith("weight") else lambda *pair: torch.cat(pair)
    return torch.cat([join(*pair) for pair in zip(*ways, strict=True)])


@pytest.mark.parametrize("engine", ["torch", "native"] if has_native() else ["torch"])
@pytest.mark.parametrize(("cell", "kind", "gates"), [("tanh", nn.RNN, 1), ("gru", nn.GRU, 3), ("lstm", nn.LSTM, 4)])
def test_it_is_what_torchs_bidirectional_networks_compute(cell: str, kind: type[nn.RNNBase], gates: int, engine: str):
    plain, n_cells = load_task("reber"), 4
    reference = kind(7, n_cells, batch_first=True, bidirectional=True)
    head = nn.Linear(2 * n_cells, 2)
    # The first half of the cells reads the sequence, the other one its reversal.
    read_out = np.argwhere(np.ones((2 * n_cells, 2))) + np.array([14, 14 + 2 * n_cells])
    edges = np.concatenate([halves(7, n_cells) + np.array([0, 14]), halves(n_cells, n_cells) + 14, read_out])
    network = SequenceNetwork(Wiring((14, 2 * n_cells, 2), edges, inputs=True, outputs=True), cell)
    below, before = (side_by_side(reference, f"bias_{side}", gates) for side in ("ih", "hh"))
    n_shared = 4 * n_cells if cell == "gru" else len(below)  # The GRU's new gate has a bias on either side.
    with torch.no_grad():
        network.rnn.copy_matrices([side_by_side(reference, f"weight_{side}", gates) for side in ("ih", "hh")])
        network.rnn.biases.copy_(torch.cat([below[:n_shared] + before[:n_shared], below[n_shared:], before[n_shared:]]))
        network.head.copy_matrices([head.weight])
        network.head.bias.copy_(head.bias)
        x, lengths, _ = plain.batch(plain.test[:50])
        assert lengths is not None
        _, ends = reference(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
        states = ends[0] if cell == "lstm" else ends
        expected = head(torch.cat([states[0], states[1]], dim=1))
    found = predict(network, bidirectional(plain), plain.test[:50], engine=engine)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_names_lead_to_tasks_of_both_directions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    inputs, lengths = random_sequences(60)
    np.savez("steps.npz", X=inputs, y=np.arange(60) % 2, lengths=lengths)
    short = ("--trials", 1, "--epochs", 1, "--learning-rate", 0.01, "--finalists", 1, "--final-seeds", 1, "--nodes", 8)
    assert wirenas("run", "--task", "bidirectional:npz:steps.npz", *short)[0] == 0
    pipeline = load_pipeline("results/bidirectional-steps-rnn")
    plain = load_task("npz:steps.npz")
    both = bidirectional(plain)
    assert load_task("bidirectional:npz:steps.npz").fingerprint == both.fingerprint
    expected = predict(pipeline.network, both, torch.arange(60), engine="torch")
    np.testing.assert_allclose(pipeline.outputs(inputs, lengths), expected, rtol=1e-5, atol=1e-6)


def test_what_has_no_two_directions_says_so():
    with pytest.raises(InputError, match=r"^task=bidirectional:digits: examples are no sequences"):
        load_task("bidirectional:digits")
    with pytest.raises(InputError, match=r"^task=bidirectional:copy: each step has a target"):
        load_task("bidirectional:copy")
    with pytest.raises(
        InputError, match=r"^task=bidirectional:bidirectional:reber: it is read in both directions already"
    ):
        load_task("bidirectional:bidirectional:reber")
    assert stem_of("bidirectional:npz:a/steps.npz") == "bidirectional-steps"
