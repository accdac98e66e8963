"""Workload: what is trained, how much arithmetic that takes, and the targets that it is held to. Imports numpy, nas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from benchmarks.inputs import BATCH, TIME
from nas.networks import NetworkSpec
from nas.networks.cells import CELLS
from nas.tasks import Task
from nas.training import Recipe
from priors import Wiring

__all__ = ["Target", "Workload"]


@dataclass(frozen=True)
class Target:
    """A bound on a workload's result.

    Attributes
    ----------
    kind : {"ratio", "floor", "rate"}
        At least so many times faster than the fastest contender of `against`; at most so many times the floor; at
        least so many candidates a minute.
    bound : float
    against : tuple of str
    label : str
        Of `against`, in the table.
    min_edges : int
        The target is for workloads of at least so many edges.
    """

    kind: Literal["ratio", "floor", "rate"]
    bound: float
    against: tuple[str, ...] = ()
    label: str = ""
    min_edges: int = 0


@dataclass(frozen=True)
class Workload:
    """One training.

    Attributes
    ----------
    name, group : str
    unit : {"step", "candidate"}
        Whether an update is measured, or building, training and evaluating a network.
    task : callable
        Returns the data.
    wiring : callable
        Returns the wiring of a seed.
    spec : NetworkSpec
    recipe : Recipe
    contenders : tuple of str
        Beside the compiled engine.
    targets : tuple of Target
    """

    name: str
    group: str
    unit: Literal["step", "candidate"]
    task: Callable[[], Task]
    wiring: Callable[[int], Wiring]
    spec: NetworkSpec
    recipe: Recipe
    contenders: tuple[str, ...]
    targets: tuple[Target, ...] = ()

    def floor_operations(self) -> float:
        """Return the floating-point operations that one unit cannot do without.

        A multiply-add counts two. An example takes 2 operations a weight forward, 2 for the weight's gradient and 2 to
        send the gradient back, which edges from input units do without. Only edges count, so that what a network of
        matrices does with zeros is no use. Inputs of zero count like any other.
        """
        wiring = self.wiring(0)
        source, target = wiring.edges.T
        from_input = int(np.count_nonzero(source < wiring.n_inputs))
        if self.spec.kind == "mlp":
            per_example = 4 * from_input + 6 * (wiring.n_edges - from_input)
        else:
            read_out = int(np.count_nonzero(target >= wiring.n_neurons - wiring.n_outputs))
            recurrent = wiring.n_edges - from_input - read_out
            gates = CELLS[self.spec.cell].gates
            per_example = TIME * gates * (4 * from_input + 6 * recurrent) + 6 * read_out
        if self.unit == "step":
            return float(BATCH * per_example)
        return float(self.recipe.epochs * len(self.task().train) * per_example)
