"""A learned initial state: torch's own networks from that state, its gradients, and what keeps it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stepwise_cases import stepwise, wiring_for
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from nas import Campaign, Recipe, load_pipeline
from nas.networks import NetworkSpec, SequenceNetwork, SparseRNN, load_network, n_parameters, save_network
from nas.sparsity.compact import compact
from nas.tasks import load_task
from nas.training import train
from priors import Wiring

CELLS = ("tanh", "relu", "gru", "lstm")
DENSE = NetworkSpec("rnn").complete(3, (4,), 2)


def begun(cell: str, wiring: Wiring = DENSE, **options: Any) -> SparseRNN:
    """A network with a random initial state."""
    rnn = SparseRNN(wiring, cell, rng=0, dtype=torch.float64, initial_state="learned", **options)
    with torch.no_grad():
        rnn.biases.copy_(torch.randn_like(rnn.biases))
    return rnn


def states_of(rnn: SparseRNN) -> torch.Tensor:
    """The initial state, (states, n_hidden)."""
    n_states = 2 if rnn.cell == "lstm" else 1
    return rnn.biases[-n_states * rnn.hidden_size :].view(n_states, -1)


@pytest.mark.parametrize("cell", CELLS)
def test_it_is_what_sequences_begin_with(cell: str):
    rnn, x = begun(cell), torch.randn(5, 6, 3, dtype=torch.float64)
    given = tuple(part.expand(1, 5, 4) for part in states_of(rnn))
    output, state = rnn(x)
    expected, after = rnn(x, given if cell == "lstm" else given[0])
    torch.testing.assert_close(output, expected, rtol=0, atol=0)
    torch.testing.assert_close(state, after, rtol=0, atol=0)
    packed = pack_padded_sequence(x, torch.tensor([2, 6, 1, 6, 3]), batch_first=True, enforce_sorted=False)
    _, ends = rnn(packed)
    alone = rnn(x[0, :2])[1]
    for part, own in zip(*((ends, alone) if cell == "lstm" else ((ends,), (alone,))), strict=True):
        torch.testing.assert_close(part[:, 0], own, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("is_dense", [True, False])
def test_its_gradient_is_that_of_torchs_own(is_dense: bool):
    rnn, x = begun("gru"), torch.randn(5, 6, 3, dtype=torch.float64)
    if not is_dense:
        rnn.fused = False
    reference = nn.GRU(3, 4, batch_first=True, dtype=torch.float64)
    below, before = rnn.matrices()
    own = rnn.biases[:-4]
    with torch.no_grad():
        reference.weight_ih_l0.copy_(below)
        reference.weight_hh_l0.copy_(before)
        reference.bias_ih_l0.copy_(own[:12])
        reference.bias_hh_l0.copy_(torch.cat([torch.zeros(8), own[12:]]))
    initial = states_of(rnn).detach().clone().requires_grad_()
    expected = torch.autograd.grad(reference(x, initial[None].expand(1, 5, 4))[0].square().sum(), initial)[0]
    (found,) = torch.autograd.grad(rnn(x)[0].square().sum(), rnn.biases)
    torch.testing.assert_close(found[-4:], expected[0], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_it_begins_at_zeros_and_is_stored(cell: str, tmp_path: Path):
    plain, own = SparseRNN(DENSE, cell, rng=0), SparseRNN(DENSE, cell, rng=0, initial_state="learned")
    x = torch.randn(2, 5, 3)
    assert own(x)[0].equal(plain(x)[0])
    assert n_parameters(own)["biases"] - n_parameters(plain)["biases"] == (8 if cell == "lstm" else 4)
    for network in (begun(cell), SequenceNetwork(DENSE, cell, rng=0, initial_state="learned"), plain):
        save_network(network, tmp_path / "network.safetensors")
        again = load_network(tmp_path / "network.safetensors")
        assert all(a.equal(b) for a, b in zip(again.parameters(), network.parameters(), strict=True))
        assert repr(again) == repr(network)
    counted = NetworkSpec("rnn", cell=cell, initial_state="learned").n_parameters(DENSE)
    assert counted == n_parameters(SequenceNetwork(DENSE, cell, rng=0, initial_state="learned"))
    with pytest.raises(ValueError, match=r"^initial_state='one': it must be 'zero' or 'learned'$"):
        SparseRNN(DENSE, cell, initial_state="one")  # type: ignore[arg-type]


@pytest.mark.parametrize("cell", CELLS)
def test_neurons_that_stay_keep_it(cell: str):
    # Neuron 4 is on no way to an output.
    edges = [(0, 2), (0, 3), (0, 4), (2, 3), (3, 3), (2, 4), (4, 4), (3, 5)]
    network = SequenceNetwork(Wiring((2, 3, 1), edges, inputs=True, outputs=True), cell, rng=0, initial_state="learned")
    with torch.no_grad():
        network.rnn.biases.copy_(torch.randn_like(network.rnn.biases))
    smaller, x = compact(network), torch.randn(3, 4, 2)
    assert isinstance(smaller, SequenceNetwork)
    assert smaller.rnn.hidden_size == 2
    torch.testing.assert_close(smaller(x), network(x))


def test_it_is_learned():
    task = load_task("reber")
    network = SequenceNetwork(wiring_for(task), "gru", rng=0, initial_state="learned")
    train(network, task, Recipe(epochs=1), rng=0)
    assert (network.rnn.biases[-5:] != 0).all()


def test_campaigns_have_it(tmp_path: Path):
    few: dict[str, Any] = {"trials": 1, "finalists": 1, "final_seeds": 1, "network": "rnn", "space": {"nodes": 6}}
    recipe = Recipe(epochs=1, learning_rates=0.01)
    Campaign(tmp_path / "own", task=stepwise(0), initial_state="learned", recipe=recipe, **few).run()
    network = load_pipeline(tmp_path / "own").network
    assert isinstance(network, SequenceNetwork)
    assert network.rnn.initial_state == "learned"
    assert network.every_step


def test_networks_of_one_layer_and_of_several_begin_there():
    stacked = Wiring((2, 2, 2, 1), [(0, 2), (1, 3), (2, 4), (3, 5), (4, 2), (4, 6), (5, 6), (3, 3)], True, True)
    rnn, x = begun("tanh", stacked), torch.randn(1, 2, dtype=torch.float64)
    (initial,) = states_of(rnn)
    weights = {tuple(edge): weight for edge, weight in zip(*rnn_weights(rnn), strict=True)}
    bias = rnn.biases[:4]
    first = torch.tanh(
        torch.stack([
            weights[0, 2] * x[0, 0] + weights[4, 2] * initial[2] + bias[0],
            weights[1, 3] * x[0, 1] + weights[3, 3] * initial[1] + bias[1],
        ])
    )  # fmt: skip
    second = torch.tanh(torch.stack([weights[2, 4] * first[0] + bias[2], weights[3, 5] * first[1] + bias[3]]))
    torch.testing.assert_close(rnn(x)[0][0], torch.cat([first, second]))


def rnn_weights(rnn: SparseRNN) -> tuple[list[list[int]], torch.Tensor]:
    return np.asarray(rnn.live_weights().edges).tolist(), rnn.weight
