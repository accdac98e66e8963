"""Contenders: ways to train a workload's network that lead to the same result. Imports torch, nas.

`CONTENDERS` names them all. `native` and `torch engine` are the project's; the others are ordinary torch, from what is
commonly written to the fastest that is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.inputs import BATCH
from benchmarks.networks import MaskedMLP, MaskedRNN, Population
from benchmarks.workload import Workload
from benchmarks.workloads import LEARNING_RATE
from nas.tasks import Task
from nas.training import Recipe, Session, begin_wiring
from nas.training.compiled import compile_wiring
from nas.training.native_engine import NativeSession, has_sparse_inputs
from nas.training.session import epoch_order
from nas.training.torch_engine import TorchSession

__all__ = ["CONTENDERS", "Contender", "Trainer"]


class Trainer(Protocol):
    """One training, opened and ready to make updates."""

    def run(self, n_steps: int) -> object:
        """Make so many updates."""

    def train_loss(self) -> float:
        """Return the mean loss over the first epoch, of all candidates that are trained."""


Open = Callable[[Workload, Task, Recipe, int], Trainer]


@dataclass(frozen=True)
class Contender:
    """A way to train.

    Attributes
    ----------
    open : callable
        Builds the networks of the seeds from the given one on, and a training of them.
    candidate : callable
        Draws, builds, trains and evaluates them; returns their mean accuracy on the test part.
    n_candidates : int
        Networks that are trained together.
    one_bias : bool
        Whether a gate of its recurrent networks has one bias, as in the project's, or two that are trained.
    """

    open: Open
    candidate: Callable[[Workload, int], float]
    n_candidates: int = 1
    one_bias: bool = True


# The project's own


@dataclass
class _Session:
    session: Session

    def run(self, n_steps: int) -> None:
        self.session.run(n_steps)

    def train_loss(self) -> float:
        return self.session.history().epochs[0].train_loss


def _open_native(workload: Workload, task: Task, recipe: Recipe, seed: int) -> Trainer:
    rng, sparse = np.random.default_rng(seed), has_sparse_inputs(task)
    compiled = compile_wiring(workload.wiring(seed), workload.spec, rng, sparse=sparse)
    batches = np.random.default_rng(0)
    return _Session(NativeSession(compiled, task, recipe, learning_rate=LEARNING_RATE, rng=batches))


def _open_torch_engine(workload: Workload, task: Task, recipe: Recipe, seed: int) -> Trainer:
    network = workload.spec.build(workload.wiring(seed), np.random.default_rng(seed))
    return _Session(TorchSession(network, task, recipe, learning_rate=LEARNING_RATE, rng=np.random.default_rng(0)))


def _engine_candidate(engine: str) -> Callable[[Workload, int], float]:
    def candidate(workload: Workload, seed: int) -> float:
        task = workload.task()
        trained = begin_wiring(
            workload.wiring(seed),
            workload.spec,
            task,
            workload.recipe,
            learning_rate=LEARNING_RATE,
            weights=np.random.default_rng(seed),
            batches=np.random.default_rng(0),
            engine=engine,
        ).run()
        return trained.score(task.test).metric

    return candidate


# Ordinary torch


@dataclass
class _Order:
    """What ``DataLoader(shuffle=True)`` draws from, with the draws of the engines."""

    rng: np.random.Generator
    n_examples: int

    def __iter__(self) -> Iterator[int]:
        return iter(epoch_order(self.rng, self.n_examples).tolist())

    def __len__(self) -> int:
        return self.n_examples


@dataclass
class _Loop:
    """The usual training loop, with one evaluation after every epoch."""

    network: nn.Module
    task: Task
    recipe: Recipe
    n_candidates: int
    fused: bool
    loader: bool
    losses: list[Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._parameters = list(self.network.parameters())
        self._optimizer = torch.optim.Adam(self._parameters, LEARNING_RATE, fused=self.fused or None)
        self._masks: list[tuple[nn.Parameter, Tensor]] = getattr(self.network, "gradient_masks", [])
        self._steps = self._train()

    def run(self, n_steps: int) -> None:
        for _ in range(n_steps):
            next(self._steps)

    def finish(self) -> None:
        for _ in self._steps:
            pass

    def train_loss(self) -> float:
        return float(torch.stack(self.losses).mean()) / self.n_candidates

    def accuracy(self, indices: Tensor) -> float:
        with torch.no_grad():
            outputs = self.network(self.task.inputs[indices])
        return float((outputs.argmax(dim=-1) == self.task.targets[indices]).float().mean())

    def _train(self) -> Iterator[None]:
        inputs, targets = self.task.inputs[self.task.train], self.task.targets[self.task.train]
        rng = np.random.default_rng(0)
        loader: Iterable[Any] = DataLoader(TensorDataset(inputs, targets), BATCH, sampler=_Order(rng, len(inputs)))
        for _ in range(self.recipe.epochs):
            batches = loader
            if not self.loader:
                order = torch.from_numpy(epoch_order(rng, len(inputs)))
                batches = zip(torch.split(inputs[order], BATCH), torch.split(targets[order], BATCH), strict=True)
            for x, y in batches:
                self._step(x, y)
                yield
            self.accuracy(self.task.validation)

    def _step(self, x: Tensor, y: Tensor) -> None:
        self._optimizer.zero_grad()
        outputs = self.network(x)
        if outputs.ndim == 3:
            # Every network's gradient is that of its own mean loss.
            loss = functional.cross_entropy(outputs.flatten(0, 1), y.repeat(len(outputs))) * len(outputs)
        else:
            loss = functional.cross_entropy(outputs, y)
        loss.backward()  # type: ignore[no-untyped-call]
        for parameter, mask in self._masks:
            if parameter.grad is not None:
                parameter.grad.mul_(mask)
        self._optimizer.step()
        self.losses.append(loss.detach())


Build = Callable[[Workload, int], nn.Module]


def _loop(
    build: Build, *, fused: bool = True, loader: bool = False, n_candidates: int = 1, one_bias: bool = True
) -> Contender:
    def start(workload: Workload, task: Task, recipe: Recipe, seed: int) -> _Loop:
        return _Loop(build(workload, seed), task, recipe, n_candidates, fused, loader)

    def candidate(workload: Workload, seed: int) -> float:
        task = workload.task()
        loop = start(workload, task, workload.recipe, seed)
        loop.finish()
        return loop.accuracy(task.test)

    return Contender(start, candidate, n_candidates, one_bias)


def _sparse(workload: Workload, seed: int) -> nn.Module:
    return workload.spec.build(workload.wiring(seed), np.random.default_rng(seed))


def _masked(workload: Workload, seed: int, *, mask_weights: bool = True) -> nn.Module:
    wiring, spec = workload.wiring(seed), workload.spec
    if spec.kind == "rnn":
        return MaskedRNN(wiring, spec.cell, seed, mask_weights=mask_weights)
    return MaskedMLP(wiring, seed, mask_weights=mask_weights)


def _gradient_masked(workload: Workload, seed: int) -> nn.Module:
    return _masked(workload, seed, mask_weights=False)


def _population(n_candidates: int) -> Build:
    def build(workload: Workload, seed: int) -> nn.Module:
        seeds = range(seed, seed + n_candidates)
        return Population([workload.wiring(each) for each in seeds], seeds)

    return build


CONTENDERS: dict[str, Contender] = {
    "native": Contender(_open_native, _engine_candidate("native")),
    "torch engine": Contender(_open_torch_engine, _engine_candidate("torch")),
    "sparse layers": _loop(_sparse),
    "gradient-masked": _loop(_gradient_masked),
    "masked": _loop(_masked, fused=False, one_bias=False),
    "masked + DataLoader": _loop(_masked, fused=False, loader=True),
    "population of 16": _loop(_population(16), n_candidates=16),
    "population of 64": _loop(_population(64), n_candidates=64),
}
