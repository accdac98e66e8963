"""How the tests of the compiled engine ask it, and torch in float64, for the same numbers."""

from copy import deepcopy
from typing import Any

import numpy as np
import torch
from native_cases import Case, engine
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nas.tasks import Task
from nas.training.compiled import Compiled, compile_network
from nas.training.native_engine import NativeSession, data_of, has_sparse_inputs
from nas.training.torch_engine import TorchSession

INSTRUCTION_SETS: list[str] = engine.instruction_sets()

Gradients = tuple[NDArray[Any], ...]


class InDouble(nn.Module):
    """A network of float64 that reads the float32 examples of a task."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, *lengths: Tensor) -> Tensor:
        return self.network(x.double(), *lengths)


def compiled(module: nn.Module, task: Task) -> Compiled:
    """The module in the engine's form for a task; their parameters share memory."""
    found = compile_network(module, sparse=has_sparse_inputs(task))
    assert found is not None
    return found


def native_gradients(
    network: Compiled, task: Task, examples: Tensor, instructions: str = INSTRUCTION_SETS[-1]
) -> tuple[float, Gradients]:
    """Loss and gradients of one batch, laid out like the parameters."""
    single = network.parameters[0].dtype == np.float32
    gradients = tuple(np.zeros_like(part) for part in network.parameters)
    data = data_of(task, network.parameters[0].dtype, mean=network.mean)
    function = engine.gradients if single else engine.gradients64
    loss = function(network.network, data, instructions, examples.numpy(), *network.parameters, *gradients)
    return loss, gradients


def reference_gradients(
    module: nn.Module, task: Task, examples: Tensor, dtype: torch.dtype = torch.float64
) -> tuple[float, Gradients]:
    """The same of torch's autograd."""
    copy = deepcopy(module).to(dtype)
    x, lengths, targets = task.batch(examples)
    outputs = copy(x.to(dtype)) if lengths is None else copy(x.to(dtype), lengths)
    if task.loss == "cross-entropy":
        loss = functional.cross_entropy(outputs, targets)
    else:
        loss = functional.mse_loss(outputs, targets.to(dtype))
    loss.backward()
    return loss.item(), tuple(parameter.grad.numpy() for parameter in copy.parameters())


def error(found: Gradients, expected: Gradients) -> float:
    """The largest difference, relative to the largest entry of the tensor that it is in; empty tensors are equal."""
    worst = 0.0
    for ours, theirs in zip(found, expected, strict=False):
        assert ours.shape == theirs.shape
        if theirs.size:
            largest = max(float(np.abs(theirs).max()), 1e-30)
            worst = max(worst, float(np.abs(ours.astype(np.float64) - theirs).max()) / largest)
    return worst


def native_session(
    case: Case, module: nn.Module, rng: np.random.Generator | None = None, **changes: Any
) -> NativeSession:
    """A training of a module by the compiled engine."""
    recipe = case.recipe.model_copy(update=changes)
    rng = np.random.default_rng(case.seed) if rng is None else rng
    return NativeSession(
        compiled(module, case.task), case.task, recipe, learning_rate=recipe.learning_rates[0], rng=rng
    )


def torch_session(
    case: Case, module: nn.Module, rng: np.random.Generator | None = None, **changes: Any
) -> TorchSession:
    """The same by torch."""
    recipe = case.recipe.model_copy(update=changes)
    rng = np.random.default_rng(case.seed) if rng is None else rng
    return TorchSession(module, case.task, recipe, learning_rate=recipe.learning_rates[0], rng=rng)


def arrays_of(module: nn.Module) -> Gradients:
    """Copies of the parameters."""
    return tuple(parameter.detach().numpy().copy() for parameter in module.parameters())


def same_bits(first: Gradients, second: Gradients) -> bool:
    """Whether arrays are equal to the last bit."""
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
