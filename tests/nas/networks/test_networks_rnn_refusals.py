"""Wirings, inputs and states that SparseRNN refuses."""

import pytest
import torch

from nas.networks import SparseRNN
from priors.wiring import Wiring


@pytest.mark.parametrize(
    ("wiring", "cell", "message"),
    [
        (Wiring((2, 2), [(0, 2)]), "tanh", "0 input units and 4 hidden neurons: SparseRNN needs some of both"),
        (Wiring((2,), inputs=True), "tanh", "2 input units and 0 hidden neurons"),
        (Wiring((1, 1), [(0, 1)], inputs=True), "rnn", "cell='rnn': it must be one of tanh, relu, gru, lstm"),
        (Wiring((1, 1), [(0, 1)], True, weights=[1]), "gru", r"3 weights an edge.*wiring.replace\(weights=None\)"),
        (Wiring((1, 1), [(0, 1)], True, weights=[1]), "lstm", r"4 weights an edge.*wiring.replace\(weights=None\)"),
    ],
)
def test_what_cannot_be_built_is_refused(wiring: Wiring, cell: str, message: str):
    with pytest.raises(ValueError, match=message):
        SparseRNN(wiring, cell)


@pytest.mark.parametrize("shape", [(2,), (2, 3, 4), (2, 0, 1), (0, 3, 1), (1, 2, 3, 1)])
def test_what_cannot_be_read_is_refused(shape: tuple[int, ...]):
    network = SparseRNN(Wiring((1, 1), [(0, 1)], inputs=True))
    with pytest.raises(ValueError, match=r"this network reads \(batch, time, 1\) of torch.float32"):
        network(torch.zeros(shape))
    with pytest.raises(ValueError, match=r"of torch\.float32"):
        network(torch.zeros(2, 3, 1, dtype=torch.float64))


def test_a_wrong_state_is_refused():
    network = SparseRNN(Wiring((1, 2), [(0, 1)], inputs=True), "lstm")
    x = torch.zeros(3, 4, 1)
    for state in (torch.zeros(1, 3, 2), (torch.zeros(1, 3, 2), torch.zeros(1, 1, 2))):
        with pytest.raises(ValueError, match=r"a lstm network needs 2 of \(1, 3, 2\)"):
            network(x, state)
