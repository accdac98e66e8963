"""From wirings and a task to zero-cost measures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from nas.networks.spec import NetworkSpec
from nas.seeds import stream
from nas.tasks.task import Task
from nas.zero_cost.measures import activity_measures, gradient_measures, read_measures, readout_measures, synflow
from nas.zero_cost.passes import Ensemble
from nas.zero_cost.sample import Sample
from nas.zero_cost.table import ZERO_COST
from priors.wiring import Wiring

__all__ = ["zero_cost", "zero_cost_columns"]

_APART = 1


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
    inits : int
        Initialisations that are averaged, at least 1.
    batch : int
        Examples of the minibatch, at least 2.

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
    by_gradient, ran = gradient_measures(ensemble, sample)
    values: dict[str, Tensor | float] = {
        **by_gradient,
        "synflow": synflow(ensemble) if spec.kind == "mlp" else math.nan,
        **activity_measures(ensemble, ran, sample.minibatch.lengths),
        **readout_measures(ensemble, sample),
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
        needed = "mlp" if sample.minibatch.lengths is None else "rnn"
        raise ValueError(f"kind={spec.kind!r}: the examples of this task need an {needed}")
    if (wiring.n_inputs, wiring.n_outputs) != (sample.n_inputs, sample.n_outputs):
        raise ValueError(
            f"{wiring!r} has {wiring.n_inputs} input and {wiring.n_outputs} output units: "
            f"the task needs {sample.n_inputs} and {sample.n_outputs}"
        )
