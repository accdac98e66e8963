"""From wirings and a task to zero-cost measures: of gradients, activity, readouts, and of which inputs are read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from nas.networks.spec import NetworkSpec
from nas.seeds import stream
from nas.tasks.task import Task
from nas.zero_cost.passes import Ensemble, Pass
from nas.zero_cost.saliency import flow, saliency
from nas.zero_cost.sample import Examples, Moments, Sample
from nas.zero_cost.table import ZERO_COST
from predictors.features.influence import live_neurons, strength_of_inputs
from priors.wiring import Wiring

__all__ = ["read_measures", "zero_cost", "zero_cost_columns"]

_APART = 1
_JITTER = 1e-3
_PENALTY = 1e-2


def zero_cost(
    wiring: Wiring, spec: NetworkSpec, task: Task, *, seed: int = 0, inits: int = 3, batch: int = 64
) -> dict[str, float]:
    """Measure what a wiring's network does before any training.

    Parameters
    ----------
    wiring : Wiring
        With input and output units.
    spec : NetworkSpec
        Of an MLP or an RNN.
    task : Task
        On the CPU; only its training part is read.
    seed : int
        Draws the examples, and with a wiring's fingerprint its initial weights.
    inits, batch : int
        Initialisations that are averaged, at least 1, and examples of the minibatch, at least 2.

    Returns
    -------
    dict of str to float
        By the names of `ZERO_COST`, in its order; NaN where a measure is undefined.

    Raises
    ------
    ValueError
        If the network and the task do not fit together, or for too small `inits` or `batch`.
    """
    return _measure(wiring, spec, Sample.of(task, seed, batch), seed, inits)


def zero_cost_columns(
    wirings: Sequence[Wiring], spec: NetworkSpec, task: Task, *, seed: int = 0, inits: int = 3, batch: int = 64
) -> dict[str, NDArray[np.float64]]:
    """Measure many wirings; see `zero_cost` for the parameters.

    Returns
    -------
    dict of str to (n_wirings,) float64 array
        What `Predictor.fit` and `Predictor.predict` take as their columns.
    """
    sample = Sample.of(task, seed, batch)
    rows = [_measure(wiring, spec, sample, seed, inits) for wiring in wirings]
    return {name: np.array([row[name] for row in rows], dtype=np.float64) for name in ZERO_COST}


def _measure(wiring: Wiring, spec: NetworkSpec, sample: Sample, seed: int, inits: int) -> dict[str, float]:
    _check(wiring, spec, sample, inits)
    # The third key keeps these weights apart from those that trainings begin with, whose luck must stay unknown.
    rngs = [stream(seed, "weights", wiring.fingerprint, init, _APART) for init in range(inits)]
    ensemble = Ensemble(wiring, spec, rngs)
    by_gradient, ran = _gradient_measures(ensemble, sample)
    values: dict[str, Tensor | float] = {
        **by_gradient,
        "synflow": _synflow(ensemble) if spec.kind == "mlp" else math.nan,
        **_activity_measures(ensemble, ran, sample.minibatch.lengths),
        **_readout_measures(ensemble, sample),
        **read_measures(wiring, sample.moments),
    }
    means = {name: float(value.mean()) if isinstance(value, Tensor) else value for name, value in values.items()}
    in_order = {name: means[name.removeprefix("zc_")] for name in ZERO_COST}
    return {name: mean if math.isfinite(mean) else math.nan for name, mean in in_order.items()}


def _check(wiring: Wiring, spec: NetworkSpec, sample: Sample, inits: int) -> None:
    if inits < 1:
        raise ValueError(f"inits={inits}: at least 1 initialisation is needed")
    if spec.kind == "linear-mean":
        raise ValueError("kind='linear-mean': zero-cost measures are of an mlp or an rnn")
    if (spec.kind == "rnn") != (sample.minibatch.lengths is not None):
        kind = "mlp" if sample.minibatch.lengths is None else "rnn"
        raise ValueError(f"kind={spec.kind!r}: the examples of this task need an {kind}")
    needed = (sample.task.n_inputs, sample.task.n_outputs)
    if (wiring.n_inputs, wiring.n_outputs) != needed:
        raise ValueError(
            f"{wiring!r} has {wiring.n_inputs} input and {wiring.n_outputs} output units: "
            f"the task needs {needed[0]} and {needed[1]}"
        )


# Gradients


def _gradient_measures(ensemble: Ensemble, sample: Sample) -> tuple[dict[str, Tensor], Pass]:
    """Return the measures that need gradients, (n_inits,) each, and the pass over the minibatch that they came from."""
    weights = ensemble.weights.clone().requires_grad_()
    x = sample.minibatch.repeated(len(weights)).clone().requires_grad_()
    ran = ensemble.run(weights, x, sample.minibatch.lengths)
    losses = sample.losses(ran.outputs)
    activations = list(chain.from_iterable(ran.steps))
    gradient, *by_activation = torch.autograd.grad(
        losses.sum(), [weights, *activations], retain_graph=True, materialize_grads=True
    )
    measures = {
        "loss": losses,
        "gradient_norm": torch.linalg.vector_norm(gradient, dim=1),
        "snip": saliency(weights, gradient).sum(dim=1),
        "fisher": _fisher(ran, by_activation),
        "jacobian": _jacobian(ran.outputs, x),
    }
    return {name: values.detach() for name, values in measures.items()}, ran


def _synflow(ensemble: Ensemble) -> Tensor:
    """Return the (n_inits,) logarithms of SynFlow of an MLP."""
    weights = ensemble.weights.double()
    ones = weights.new_ones(len(weights), ensemble.wiring.n_inputs, 1)
    flows = flow(weights, lambda sizes: ensemble.run_linear(sizes, ones))
    return saliency(weights, flows).sum(dim=1).log()


def _fisher(ran: Pass, by_activation: list[Tensor]) -> Tensor:
    batch = ran.outputs.shape[-1]
    n_layers = len(ran.steps[0])
    if not n_layers:
        return ran.outputs.new_full((len(ran.outputs),), torch.nan)
    total = ran.outputs.new_zeros(len(ran.outputs))
    for layer in range(n_layers):
        pairs = zip(ran.steps, by_activation[layer::n_layers], strict=True)
        # The loss is a mean: an example's own gradient is as many times larger as there are examples.
        products = sum((step[layer] * gradient for step, gradient in pairs), start=torch.zeros(())) * batch
        total = total + products.square().mean(dim=2).sum(dim=1)
    return total


def _jacobian(outputs: Tensor, x: Tensor) -> Tensor:
    n_outputs = outputs.shape[1]
    # No example depends on another, so that one row serves all of them.
    rows = torch.eye(n_outputs)[:, None, :, None].expand(n_outputs, *outputs.shape)
    (derivatives,) = torch.autograd.grad(outputs, x, rows, is_grads_batched=True)
    squares = derivatives.square().transpose(0, 1).flatten(1, -2)
    return squares.sum(dim=1).mean(dim=1).sqrt()


# Activity


@torch.no_grad()
def _activity_measures(ensemble: Ensemble, ran: Pass, lengths: Tensor | None) -> dict[str, Tensor]:
    """Return the measures of how neurons and outputs answer to the minibatch, (n_inits,) each."""
    spec = ensemble.spec
    activation = spec.activation if spec.kind == "mlp" else spec.cell
    # What a neuron that nothing excites sends on; above it a neuron is on.
    resting = 0.5 if activation == "sigmoid" else 0.0
    return {
        "naswot": _naswot(ran.final > resting),
        "dead": _dead(ran, lengths) if activation == "relu" else ran.outputs.new_zeros(len(ran.outputs)),
        "logit_variance": ran.outputs.var(dim=2, correction=0).mean(dim=1),
        "logit_rank": _effective_rank(ran.outputs),
    }


def _naswot(on: Tensor) -> Tensor:
    n_neurons, batch = on.shape[1:]
    if n_neurons == 0:
        return torch.full((len(on),), torch.nan)
    signs = torch.where(on, 1.0, -1.0).double()
    alike = (1 + signs.transpose(1, 2) @ signs / n_neurons) / 2
    determinants: Tensor = torch.linalg.slogdet(alike + _JITTER * torch.eye(batch, dtype=alike.dtype)).logabsdet
    return determinants


def _dead(ran: Pass, lengths: Tensor | None) -> Tensor:
    steps = [torch.cat(step, dim=1) for step in ran.steps if step]
    if not steps:
        return ran.outputs.new_full((len(ran.outputs),), torch.nan)
    active = torch.zeros_like(steps[0], dtype=torch.bool)
    for time, activations in enumerate(steps):
        running = True if lengths is None else lengths > time
        active |= (activations != 0) & running
    return (~active.any(dim=2)).double().mean(dim=1)


# Readouts


def _readout_measures(ensemble: Ensemble, sample: Sample) -> dict[str, Tensor]:
    """Return the measures of what the neurons that outputs read make linearly readable, (n_inits,) each."""
    features, targets = _features(ensemble, sample.fitted), _targets(sample, sample.fitted)
    centre, offset = features.mean(dim=2, keepdim=True), targets.mean(dim=0)
    centred = features - centre
    gram = centred @ centred.transpose(1, 2)
    n_features = max(gram.shape[1], 1)
    penalty = _PENALTY * gram.diagonal(dim1=1, dim2=2).sum(dim=1) / n_features
    # A network without a live readout has nothing to invert, and then predicts the mean.
    ridge = torch.where(penalty > 0, penalty, 1.0)[:, None, None] * torch.eye(gram.shape[1], dtype=gram.dtype)
    solution = torch.linalg.solve(gram + ridge, centred @ (targets - offset))
    judged = (_features(ensemble, sample.judged) - centre).transpose(1, 2) @ solution + offset
    truth = _targets(sample, sample.judged)
    residual, spread = (judged - truth).square().sum(dim=(1, 2)), (truth - truth.mean(dim=0)).square().sum()
    accuracy = torch.full_like(residual, torch.nan)
    if sample.task.loss == "cross-entropy":
        accuracy = (judged.argmax(dim=2) == sample.judged.y).double().mean(dim=1)
    return {
        "readout_rank": _effective_rank(features),
        "readout_r2": 1 - residual / spread,
        "readout_accuracy": accuracy,
    }


def _features(ensemble: Ensemble, examples: Examples) -> Tensor:
    """Return the (n_inits, n_readout, n) activations of readout neurons, float64."""
    wiring = ensemble.wiring
    sources, targets = wiring.edges.T
    read = np.unique(sources[(targets >= wiring.n_neurons - wiring.n_outputs) & (sources >= wiring.n_inputs)])
    ran = ensemble.run(ensemble.weights, examples.repeated(len(ensemble.weights)), examples.lengths)
    states = ran.final.index_select(1, torch.from_numpy(read.astype(np.int64) - wiring.n_inputs))
    return states.double()


def _targets(sample: Sample, examples: Examples) -> Tensor:
    if sample.task.loss == "cross-entropy":
        return functional.one_hot(examples.y, sample.task.n_outputs).double()
    return examples.y.double()


def _effective_rank(values: Tensor) -> Tensor:
    """Return exp of the entropy of the normalised singular values of centred (n_inits, n_columns, n) values.

    Values that are all alike have rank 0.
    """
    centred = (values - values.mean(dim=2, keepdim=True)).double()
    if 0 in values.shape or not bool(torch.isfinite(centred).all()):
        return values.new_full((len(values),), torch.nan)
    singular = torch.linalg.svdvals(centred)
    total = singular.sum(dim=1)
    shares = singular / torch.where(total > 0, total, 1.0).unsqueeze(1)
    return torch.where(total > 0, torch.special.entr(shares).sum(dim=1).exp(), 0.0)


# Reads


def read_measures(wiring: Wiring, moments: Moments) -> dict[str, float]:
    """Return how much the inputs that hidden neurons read vary, and how well what tells classes apart is read."""
    sources, targets = wiring.edges.T
    read_in = (sources < wiring.n_inputs) & (targets < wiring.n_neurons - wiring.n_outputs)
    inputs, readers = sources[read_in], targets[read_in]
    measures = {
        "input_variance": float(moments.total[inputs].mean()) if len(inputs) else np.nan,
        "linear_reads": np.nan,
        "discriminant_reads": np.nan,
    }
    if moments.separation is not None and moments.discriminant is not None:
        counts = np.bincount(inputs[live_neurons(wiring)[readers]], minlength=wiring.n_inputs)
        measures["linear_reads"] = _mean(counts.astype(np.float64), moments.separation)
        measures["discriminant_reads"] = _mean(strength_of_inputs(wiring), moments.discriminant)
    return measures


def _mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    return float(weights @ values / weights.sum()) if weights.sum() > 0 else np.nan
