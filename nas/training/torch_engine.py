"""The reference engine: plain PyTorch, on any device.

It is fast enough to search with and simple enough to be believed; other engines are held to its numbers.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nas.networks import SparseMLP
from nas.tasks.task import Task
from nas.training.normalisation import NormalisedMLP, check_normalise
from nas.training.places import split_places, weights_of, wired_parts
from nas.training.recipe import Recipe
from nas.training.session import (
    Epoch,
    History,
    Interrupted,
    Normalised,
    Progress,
    Score,
    StopFlag,
    Weights,
    epoch_order,
    sign_of,
)

__all__ = ["TorchSession", "evaluate", "mean_loss", "predict"]

_EVALUATION_BATCH = 1024


class TorchSession:
    """One training with PyTorch: autograd and a fused optimizer.

    Parameters
    ----------
    network : nn.Module
        Called with ``(inputs)``, or ``(inputs, lengths)`` for a sequence task; of one with a target for each step it
        returns (batch, time, n_outputs). Trained in place, on the task's device.
        Where the recipe normalises, it is given the folded weights whenever `run` or `rewire` returns.
    task, recipe, learning_rate, rng, stop
        As in `nas.training.train.session`.
    """

    def __init__(
        self,
        network: nn.Module,
        task: Task,
        recipe: Recipe,
        *,
        learning_rate: float,
        rng: np.random.Generator,
        stop: StopFlag | None = None,
    ) -> None:
        self._task, self._recipe = task, recipe
        self._learning_rate, self._rng, self._stop = learning_rate, rng, stop
        # What is trained, and the part of it that has the weights.
        self._trained = self._raw = network
        self._normalised: NormalisedMLP | None = None
        if check_normalise(network, recipe):
            assert isinstance(network, SparseMLP)
            self._trained = self._normalised = NormalisedMLP(network)
            self._raw = self._normalised.raw
        self._scale: NDArray[np.float64] | None = None
        self._optimizer = _optimizer(self._trained, recipe, learning_rate)
        self._steps_per_epoch = recipe.updates_of_epoch(len(task.train))
        self._n_steps = recipe.epochs * self._steps_per_epoch
        self._step = 0
        self._seconds = 0.0
        self._epochs: list[Epoch] = []
        self._batches: tuple[Tensor, ...] = ()
        self._epoch_loss = torch.zeros((), device=task.train.device)
        self._epoch_size = 0
        self._drawn = -1
        self._first_epoch = self._best_epoch = 0
        self._best_state: dict[str, Tensor] | None = None
        self._diverged = False
        self._finished = False

    def run(self, n_steps: int | None = None) -> Progress:
        """Make up to `n_steps` updates, all that are left by default; see `Session.run`."""
        started = time.perf_counter()
        last = self._n_steps if n_steps is None else min(self._n_steps, self._step + n_steps)
        self._trained.train()
        try:
            while self._step < last and not self._finished:
                if self._stop is not None and self._stop.is_set():
                    raise Interrupted(f"stopped after {self._step} of {self._n_steps} updates")
                self._update()
                if self._step % self._steps_per_epoch == 0:
                    self._end_epoch()
            if self._step:
                self._fold()
        finally:
            self._seconds += time.perf_counter() - started
        return self._progress()

    def _progress(self) -> Progress:
        return Progress(self._step, self._n_steps, len(self._epochs), self._finished)

    def _fold(self) -> None:
        """Write what was learnt into the network, where it does not hold it already."""
        if self._normalised is not None and self._scale is None:
            self._scale = self._normalised.fold(self._task)

    def weights(self) -> Weights:
        """Return copies of what lives now; see `RewirableSession.weights`."""
        self._fold()
        parts = wired_parts(self._raw)
        rows = [
            np.concatenate([self._moment(part.weight, name).cpu().numpy() for part in parts])
            for name in self._moment_names
        ]
        found = weights_of(parts, np.array(rows).reshape(len(rows), sum(len(part.weight) for part in parts)))
        return replace(found, scale=self._scale)

    def rewire(self, weights: Weights) -> None:
        """Go on with other weights; see `RewirableSession.rewire`."""
        parts = wired_parts(self._raw)
        for part, own in zip(parts, split_places(parts, weights), strict=True):
            old = part.weight
            part.replace_weights(torch.from_numpy(own.slots), torch.from_numpy(own.weight).to(old))
            state = self._optimizer.state.pop(old, None)
            if state:
                moments = zip(self._moment_names, own.moments, strict=True)
                kept = {name: torch.from_numpy(row).to(old, copy=True) for name, row in moments}
                self._optimizer.state[part.weight] = {**state, **kept}
            for group in self._optimizer.param_groups:
                group["params"] = [part.weight if each is old else each for each in group["params"]]
        self._best_state, self._first_epoch = None, len(self._epochs)
        if self._normalised is not None:
            self._normalised.rewired()
            self._scale = None
            self._fold()

    def normalised(self) -> Normalised | None:
        """Return copies of what is trained; see `RewirableSession.normalised`."""
        if self._normalised is None:
            return None
        raw = self._normalised.raw
        own = (raw.weight, raw.bias, self._normalised.gamma)
        return Normalised(*(tensor.detach().cpu().numpy().copy() for tensor in own))

    def next_batch(self) -> NDArray[np.int64]:
        """Return the examples of the next update; see `RewirableSession.next_batch`."""
        self._draw_order()
        examples: NDArray[np.int64] = self._batches[self._step % self._steps_per_epoch].cpu().numpy()
        return examples

    def skip(self) -> Progress:
        """Count the next update as done; see `RewirableSession.skip`."""
        self._draw_order()
        self._step += 1
        if self._step % self._steps_per_epoch == 0:
            self._end_epoch()
        return self._progress()

    def history(self) -> History:
        """Return what happened so far; see `Session.history`."""
        return History(tuple(self._epochs), self._value(), self._diverged, self._step, self._seconds, "torch")

    @property
    def _moment_names(self) -> tuple[str, ...]:
        if self._recipe.optimizer != "sgd":
            return ("exp_avg", "exp_avg_sq")
        return ("momentum_buffer",) if self._recipe.momentum else ()

    def _moment(self, parameter: Tensor, name: str) -> Tensor:
        """Return a moment of a parameter, which torch makes at the first update."""
        moment = self._optimizer.state.get(parameter, {}).get(name)
        return torch.zeros_like(parameter) if moment is None else moment

    def _draw_order(self) -> None:
        if self._step % self._steps_per_epoch or self._drawn == self._step:
            return
        self._drawn = self._step
        order = torch.from_numpy(epoch_order(self._rng, len(self._task.train))).to(self._task.train.device)
        self._batches = torch.split(self._task.train[order], self._recipe.batch_size)
        self._epoch_loss.zero_()
        self._epoch_size = 0

    def _update(self) -> None:
        self._draw_order()
        indices = self._batches[self._step % self._steps_per_epoch]
        self._set_learning_rate()
        self._optimizer.zero_grad(set_to_none=True)
        loss = mean_loss(self._trained, self._task, indices)
        loss.backward()  # type: ignore[no-untyped-call]
        if self._recipe.clip is not None:
            _clip(self._trained, self._recipe.clip)
        self._optimizer.step()
        self._scale = None
        self._epoch_loss += loss.detach() * len(indices)
        self._epoch_size += len(indices)
        self._step += 1

    def _set_learning_rate(self) -> None:
        if self._recipe.schedule != "constant":
            rate = self._recipe.rate(self._learning_rate, self._step, self._n_steps)
            for group in self._optimizer.param_groups:
                group["lr"] = rate

    def _end_epoch(self) -> None:
        train_loss = float(self._epoch_loss) / max(self._epoch_size, 1)  # Of the examples that were learnt from.
        self._fold()
        score = evaluate(self._trained, self._task, self._task.validation)
        self._trained.train()
        if not (math.isfinite(train_loss) and math.isfinite(score.loss)):
            self._diverged = self._finished = True
            return
        self._epochs.append(Epoch(train_loss, score.loss, score.metric))
        self._finished = self._step == self._n_steps
        if self._recipe.patience is not None:
            self._keep_best(self._recipe.patience)

    def _keep_best(self, patience: int) -> None:
        sign = sign_of(self._task.direction)
        latest = len(self._epochs) - 1
        if latest == self._first_epoch or sign * self._epochs[latest].validation_metric > sign * self._best_metric():
            self._best_epoch = latest
            self._best_state = {name: value.clone() for name, value in self._trained.state_dict().items()}
        self._finished = self._finished or latest - self._best_epoch >= patience
        if self._finished and self._best_state is not None:
            self._trained.load_state_dict(self._best_state)
            self._scale = None
            self._fold()

    def _best_metric(self) -> float:
        return self._epochs[self._best_epoch].validation_metric

    def _value(self) -> float:
        if self._diverged or not self._epochs:
            return self._task.constant_value
        return self._best_metric() if self._recipe.patience is not None else self._epochs[-1].validation_metric


@torch.no_grad()
def evaluate(network: nn.Module, task: Task, indices: Tensor) -> Score:
    """Return the mean loss and the metric of a network over the examples in `indices`."""
    network.eval()
    loss, hits = 0.0, 0.0
    kept = []
    counts = task.relative_weights
    targets, examples = task.flat_targets(indices)
    total = float(len(targets)) if counts is None else float(counts[examples].double().sum())
    for part in torch.split(indices, _EVALUATION_BATCH):
        outputs, own = _flat_outputs(network, task, part)
        loss += float(_criterion(task, outputs, own, part)) * len(part)
        if task.measure is not None:
            kept.append(outputs)
        elif task.metric == "accuracy":
            right = outputs.argmax(dim=1) == own
            hits += float(right.sum() if counts is None else counts[task.flat_targets(part)[1][right]].double().sum())
    mean_loss = loss * task.steps_per_example / total
    if task.measure is not None and math.isfinite(mean_loss):
        measured = task.measure(torch.cat(kept).cpu().numpy(), targets.cpu().numpy())
        return Score(mean_loss, measured)
    return Score(mean_loss, hits / total if task.metric == "accuracy" else mean_loss)


@torch.no_grad()
def predict(network: nn.Module, task: Task, indices: Tensor) -> Tensor:
    """Return the outputs of a network for the examples in `indices`; see `nas.training.train.predict`."""
    network.eval()
    parts = [_outputs(network, task, part) for part in torch.split(indices, _EVALUATION_BATCH)]
    if task.counted is None:
        return torch.cat(parts)
    ends, width = task.lengths, task.inputs.shape[1]
    assert ends is not None
    behind = torch.arange(width, device=ends.device) >= ends[indices][:, None]
    padded = [functional.pad(part, (0, 0, 0, width - part.shape[1])) for part in parts]
    return torch.cat(padded).masked_fill(behind[:, :, None], math.nan)


def mean_loss(network: nn.Module, task: Task, indices: Tensor) -> Tensor:
    """Return the mean loss of a network over the examples in `indices`, as it is differentiated in training.

    Where examples have weights, each loss is times the example's weight over the mean weight in training, so that any
    batch weighs its examples as the whole training part does. So do steps that have targets: an example's losses are
    added up, over the mean number of steps that count in training.
    """
    return _criterion(task, *_flat_outputs(network, task, indices), indices)


def _outputs(network: nn.Module, task: Task, indices: Tensor) -> Tensor:
    inputs, lengths, _ = task.batch(indices)
    outputs: Tensor = network(inputs) if lengths is None else network(inputs, lengths)
    return outputs


def _flat_outputs(network: nn.Module, task: Task, indices: Tensor) -> tuple[Tensor, Tensor]:
    """Return the outputs that have targets, (n_targets, n_outputs), and these; see `Task.flat_targets`."""
    outputs, (targets, _) = _outputs(network, task, indices), task.flat_targets(indices)
    if task.counted is not None:
        outputs = outputs[task.counted[indices][:, : outputs.shape[1]]]
    return outputs, targets


def _criterion(task: Task, outputs: Tensor, targets: Tensor, indices: Tensor) -> Tensor:
    loss = _mean_of_targets(task, outputs, targets, indices)
    if task.counted is None:
        return loss
    return loss * (len(targets) / (len(indices) * task.steps_per_example))


def _mean_of_targets(task: Task, outputs: Tensor, targets: Tensor, indices: Tensor) -> Tensor:
    weights = task.loss_weights
    if weights is not None:
        if task.loss == "cross-entropy":
            losses = functional.cross_entropy(outputs, targets, reduction="none")
        else:
            losses = functional.mse_loss(outputs, targets.to(outputs.dtype), reduction="none").mean(dim=1)
        own = weights[indices] if task.counted is None else weights[indices][task.counted[indices]]
        return (losses * own.to(losses.dtype)).mean()
    if task.loss == "cross-entropy":
        return functional.cross_entropy(outputs, targets)
    return functional.mse_loss(outputs, targets.to(outputs.dtype))


def _clip(network: nn.Module, limit: float) -> None:
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients]))
    # A norm that is not a number scales nothing, as in the compiled engine: finite gradients stay what they are.
    factor = (limit / norm).clamp(max=1.0).nan_to_num(nan=1.0)
    for gradient in gradients:
        gradient.mul_(factor)


def _optimizer(network: nn.Module, recipe: Recipe, learning_rate: float) -> torch.optim.Optimizer:
    parameters = list(network.parameters())
    decay = recipe.weight_decay
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            parameters, learning_rate, recipe.momentum, weight_decay=decay, nesterov=recipe.nesterov, fused=True
        )
    kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
    return kind(parameters, learning_rate, weight_decay=decay, fused=True)
