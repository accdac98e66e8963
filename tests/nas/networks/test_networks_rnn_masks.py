"""Gradients of SparseRNN are right, and gates may differ in what they read."""

import pytest
import torch
from rnn_cases import CELL_NAMES, SEED, build, normal, random_wiring
from torch import Tensor

from nas.networks import n_parameters


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("backward", [False, True])
def test_gradcheck(cell: str, backward: bool):
    network = build(random_wiring(SEED, backward), "tanh" if cell == "relu" else cell)

    def outputs(x: Tensor, weight: Tensor, biases: Tensor) -> Tensor:
        return torch.func.functional_call(network, {"weight": weight, "biases": biases}, x)[0]

    x = normal(2, 3, network.input_size).requires_grad_()
    parameters = tuple(parameter.detach().requires_grad_() for parameter in (network.weight, network.biases))
    assert torch.autograd.gradcheck(outputs, (x, *parameters))


def test_structure_may_differ_from_gate_to_gate():
    network = build(random_wiring(SEED, backward=False), "lstm")
    _, gates = network.live_weights()
    kept = torch.from_numpy(gates != 1)
    without_forget = network.weight.detach() * kept
    network.replace_weights(network.slots[kept], network.weight[kept])
    assert n_parameters(network)["total"] == int(kept.sum()) + len(network.biases)
    pruned = network(normal(2, 3, network.input_size))[0]
    full = build(random_wiring(SEED, backward=False), "lstm")
    full.weight.data = without_forget
    torch.testing.assert_close(pruned, full(normal(2, 3, network.input_size))[0], rtol=0, atol=0)
    pruned.sum().backward()
    assert network.weight.grad.shape == (int(kept.sum()),)
