"""Measures from forward passes at initialisation."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nas.zero_cost.passes import Ensemble, Pass
from nas.zero_cost.sample import Examples, Sample

__all__ = ["activity_measures", "readout_measures"]

_JITTER = 1e-3
_PENALTY = 1e-2


def activity_measures(ran: Pass, lengths: Tensor | None, resting: float, *, relu: bool) -> dict[str, Tensor]:
    """Return the measures of how neurons and outputs answer to the minibatch, (n_inits,) each."""
    return {
        "naswot": _naswot(ran.final > resting),
        "dead": _dead(ran, lengths) if relu else ran.outputs.new_zeros(len(ran.outputs)),
        "logit_variance": ran.outputs.var(dim=2, correction=0).mean(dim=1),
        "logit_rank": _effective_rank(ran.outputs),
    }


def readout_measures(ensemble: Ensemble, sample: Sample) -> dict[str, Tensor]:
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
    if sample.loss == "cross-entropy":
        accuracy = (judged.argmax(dim=2) == sample.judged.y).double().mean(dim=1)
    return {
        "readout_rank": _effective_rank(features),
        "readout_r2": 1 - residual / spread,
        "readout_accuracy": accuracy,
    }


@torch.no_grad()
def _features(ensemble: Ensemble, examples: Examples) -> Tensor:
    """Return the (n_inits, n_readout, n) activations of readout neurons, float64."""
    wiring = ensemble.wiring
    sources, targets = wiring.edges.T
    read = np.unique(sources[(targets >= wiring.n_neurons - wiring.n_outputs) & (sources >= wiring.n_inputs)])
    ran = ensemble.run(ensemble.weights, examples.repeated(len(ensemble.weights)), examples.lengths)
    states = ran.final.index_select(1, torch.from_numpy(read.astype(np.int64) - wiring.n_inputs))
    return states.double()


def _targets(sample: Sample, examples: Examples) -> Tensor:
    if sample.loss == "cross-entropy":
        return functional.one_hot(examples.y, sample.n_outputs).double()
    return examples.y.double()


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


def _effective_rank(values: Tensor) -> Tensor:
    """Return exp of the entropy of the normalised singular values of centred (n_inits, n_columns, n) values.

    Values that are all alike have rank 0.
    """
    if 0 in values.shape:
        return values.new_full((len(values),), torch.nan)
    centred = (values - values.mean(dim=2, keepdim=True)).double()
    if not bool(torch.isfinite(centred).all()):
        return values.new_full((len(values),), torch.nan)
    singular = torch.linalg.svdvals(centred)
    total = singular.sum(dim=1)
    shares = singular / torch.where(total > 0, total, 1.0).unsqueeze(1)
    return torch.where(total > 0, torch.special.entr(shares).sum(dim=1).exp(), 0.0)
