"""A masked module in the user's loop learns what a sparse network learns: the same structure, the same weights."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from nas.networks import SparseMLP
from nas.sparsity import METHODS, masks_of, rewire
from nas.sparsity import sparsify as sparsify_module
from nas.sparsity.allocation import allocate
from nas.sparsity.layers import Live
from nas.sparsity.learning import learn, sparsify
from nas.sparsity.network import layers_of
from nas.tasks.task import Task
from nas.training.places import places_of, wired_parts
from nas.training.recipe import Recipe
from nas.training.session import epoch_order
from priors.bipartite import Layered

LAYERS = (0, 2, 4)


def task_of_doubles() -> Task:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 10)).astype(np.float32)
    task = Task.from_arrays("doubles", x, (x @ rng.normal(size=(10, 3))).argmax(1))
    object.__setattr__(task, "inputs", task.inputs.double())  # Tasks hold float32.
    return task


def put(network: SparseMLP, module: nn.Sequential) -> dict[str, torch.Tensor]:
    """Give a module the weights of a network, and return the masks."""
    with torch.no_grad():
        matrices = dict(zip(LAYERS, network.matrices(), strict=True))
        for index, matrix in matrices.items():
            module[index].weight.copy_(matrix)
        for index, bias in zip(LAYERS, torch.split(network.bias, [16, 12, 3]), strict=True):
            module[index].bias.copy_(bias)
    return {f"{index}.weight": matrix != 0 for index, matrix in matrices.items()}


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("growth", ["gradient", "random"])
def test_a_module_learns_the_structure_and_weights_of_a_sparse_network(optimizer: str, growth: str):
    task = task_of_doubles()
    wiring = Layered((10, 16, 12, 3), 1.0, inputs=True, outputs=True).sample(0)
    network = SparseMLP(wiring, "tanh", rng=1, dtype=torch.float64)
    start = copy.deepcopy(network)
    recipe = Recipe(optimizer=optimizer, epochs=10, batch_size=32, schedule="constant", learning_rates=0.02)
    method = METHODS["rigl"].replace(every=4, begin=2, end="never", growth=growth, new_weight="zero")
    if growth == "random":
        method = method.replace(update_step="after", score="set")
    learned = learn(network, task, recipe, method, weights=120, rng=5, engine="torch")
    assert learned.updates >= 10

    batches, structure = np.random.default_rng(5).spawn(2)
    layers, places = layers_of(start), places_of(wired_parts(start))
    sparsify(start, allocate("erk", Live(layers, places, np.zeros(len(places))), 120), structure)
    module = nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Linear(16, 12), nn.Tanh(), nn.Linear(12, 3)).double()
    sparsify_module(module, put(start, module), rescale=False)
    stepper = (
        torch.optim.Adam(module.parameters(), 0.02)
        if optimizer == "adam"
        else torch.optim.SGD(module.parameters(), 0.02, 0.9)
    )
    per_epoch = -(-len(task.train) // 32)
    rewirer = rewire(module, stepper, method, n_steps=10 * per_epoch, steps_per_epoch=per_epoch, rng=structure)
    for _ in range(10):
        order = task.train[torch.from_numpy(epoch_order(batches, len(task.train)))]
        for examples in torch.split(order, 32):
            stepper.zero_grad()
            nn.functional.cross_entropy(module(task.inputs[examples]), task.targets[examples]).backward()
            stepper.step()

    assert rewirer.updates == learned.updates
    expected = nn.Sequential(*(copy.deepcopy(each) for each in module))
    masks = put(network, expected)
    for index in LAYERS:
        name = f"{index}.weight"
        live = torch.zeros_like(masks[name])
        block = layers[LAYERS.index(index)]
        slots = torch.cat([part.slots for part in wired_parts(network)])
        own = slots[(slots >= block.first) & (slots < block.stop)] - block.first
        live.view(-1)[own] = True
        assert torch.equal(masks_of(module)[name], live)
        assert torch.allclose(module[index].weight, expected[index].weight, rtol=1e-9, atol=1e-11)
        assert torch.allclose(module[index].bias, expected[index].bias, rtol=1e-9, atol=1e-11)
