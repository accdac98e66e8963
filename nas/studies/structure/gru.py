"""A recurrent network whose structure is asked what it is worth: the gates of a GRU that reads sequences."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from nas.networks import NetworkSpec, SequenceNetwork
from nas.seeds import stream
from nas.sparsity.layers import size_of
from nas.sparsity.network import layers_of
from nas.studies.lenet import Trained

__all__ = ["GRU", "NEURONS"]

NEURONS = 48
"""Of the network."""


@dataclass(frozen=True)
class GRU(Trained):
    """Makes the network for a task; what it has in common with `nas.studies.lenet.LeNet`."""

    @property
    def description(self) -> str:
        """What the network is."""
        return f"a GRU of {NEURONS} neurons"

    @property
    def setting(self) -> dict[str, Any]:
        """What all trainings have in common, as JSON types."""
        return self.setting_of(cell="gru", neurons=NEURONS)

    def weights(self, density: float) -> int:
        """Return how many weights live at a density."""
        return max(1, round(density * self._size))

    @cached_property
    def _size(self) -> int:
        return size_of(layers_of(self.network(0)))

    def network(self, seed: int) -> SequenceNetwork:
        """Return the network in which all weights live."""
        spec = NetworkSpec("rnn", cell="gru")
        wiring = spec.complete(self.task.n_inputs, (NEURONS,), self.task.n_outputs)
        return cast("SequenceNetwork", spec.build(wiring, stream(0, "weights", seed)))
