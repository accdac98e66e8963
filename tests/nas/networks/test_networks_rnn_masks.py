"""Gradients of SparseRNN are right, and its training keeps to the masks."""

import copy

import pytest
import torch
from rnn_cases import CELL_NAMES, SEED, build, normal, random_wiring
from torch import Tensor

from nas.networks import SparseRNN


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("backward", [False, True])
def test_gradcheck(cell: str, backward: bool):
    network = build(random_wiring(SEED, backward), "tanh" if cell == "relu" else cell)
    places = network.mask.nonzero().squeeze(1)

    def outputs(x: Tensor, live: Tensor, bias: Tensor) -> Tensor:
        weight = torch.zeros_like(network.weight).index_put((places,), live)
        return torch.func.functional_call(network, {"weight": weight, "bias": bias}, x)[0]

    x = normal(2, 3, network.input_size).requires_grad_()
    live = network.weight.detach()[places].requires_grad_()
    assert torch.autograd.gradcheck(outputs, (x, live, network.bias.detach().requires_grad_()))


OPTIMIZERS = {
    "momentum": lambda p: torch.optim.SGD(p, 0.01, momentum=0.9, weight_decay=0.1),
    "adam": lambda p: torch.optim.Adam(p, 0.01, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1),
}


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("backward", [False, True])
def test_optimizers_stay_on_the_mask(optimizer: str, cell: str, backward: bool):
    network = copy.deepcopy(SparseRNN(random_wiring(SEED, backward), cell, rng=0))
    before = network.weight.detach().clone()
    steps = OPTIMIZERS[optimizer](network.parameters())
    x = normal(4, 5, network.input_size).float()
    for _ in range(20):
        steps.zero_grad()
        (network(x)[0] - 1).pow(2).sum().backward()
        steps.step()
    assert (~network.mask).any()
    assert not network.weight.detach()[~network.mask].any()
    assert (network.weight.detach() != before)[network.mask].any()


def test_masks_may_differ_from_gate_to_gate():
    network = build(random_wiring(SEED, backward=False), "lstm")
    block = network.blocks[0]
    forget = slice(len(block.targets), 2 * len(block.targets))
    with torch.no_grad():
        block.matrix(network.mask)[forget] = False
        block.matrix(network.weight)[forget] = 0
    network(normal(2, 3, network.input_size))[0].sum().backward()
    gradient = block.matrix(network.weight.grad)
    assert not gradient[forget].any()
    assert gradient[: forget.start].any()
