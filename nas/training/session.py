"""The interface that every engine implements, and the bookkeeping that they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from nas.training.history import History, Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Ended", "Interrupted", "Session", "StopFlag", "epoch_order"]


class Interrupted(Exception):  # noqa: N818
    """A training was asked to stop before its end; what it had learnt is given up."""


class StopFlag(Protocol):
    """Anything with ``is_set``, such as ``threading.Event``; asked after every batch or every 50 ms."""

    def is_set(self) -> bool:
        """Whether the training should stop now."""


class Session(Protocol):
    """One training of one network, with all state inside."""

    def run(self, n_steps: int | None = None) -> Progress:
        """Make up to `n_steps` updates, all that are left by default, and say where the training stands.

        Raises
        ------
        Interrupted
            If the stop flag is set.
        """

    def history(self) -> History:
        """Return what happened so far; `value` is that of the last epoch, or with patience of the best one."""


@dataclass(frozen=True)
class Ended:
    """A session that is over, of which only what happened is kept; see `Session`."""

    what_happened: History

    def run(self, n_steps: int | None = None) -> Progress:  # noqa: ARG002
        """Do nothing: nothing is left."""
        steps = self.what_happened.steps
        return Progress(steps, steps, len(self.what_happened.epochs), True)

    def history(self) -> History:
        """Return what happened."""
        return self.what_happened


def epoch_order(rng: np.random.Generator, n_examples: int) -> NDArray[np.int64]:
    """Return the order in which an epoch visits the examples; every engine draws it so, once an epoch."""
    import numpy as np

    return np.argsort(rng.random(n_examples), kind="stable")
