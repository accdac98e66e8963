"""What happened in a training: Progress while it runs, History when it is over."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Epoch", "History", "Progress", "Score", "sign_of"]


@dataclass(frozen=True)
class Epoch:
    """One pass over the training part: mean training loss, validation loss and metric after it."""

    train_loss: float
    validation_loss: float
    validation_metric: float


@dataclass(frozen=True)
class Score:
    """Mean loss and the task's metric over some examples."""

    loss: float
    metric: float


@dataclass(frozen=True)
class Progress:
    """Where a session stands: updates done out of all, epochs done, and whether `run` has nothing left to do."""

    step: int
    n_steps: int
    epoch: int
    finished: bool


@dataclass(frozen=True)
class History:
    """A training that is over.

    Parameters
    ----------
    epochs : tuple of Epoch
        The curve, one entry an epoch.
    value : float
        The validation metric of the weights that the network was left with: those of the last epoch, or with
        patience of the best one; the constant prediction's where the training diverged.
    diverged : bool
        Whether the loss left the finite numbers. A result, not a failure.
    steps : int
        Updates made.
    seconds : float
        Wall-clock time inside the session.
    engine : str
        Which engine trained.
    """

    epochs: tuple[Epoch, ...]
    value: float
    diverged: bool
    steps: int
    seconds: float
    engine: str


def sign_of(direction: str) -> float:
    """Return 1 to maximize and -1 to minimize: a better value is one whose product with it is larger."""
    return 1.0 if direction == "maximize" else -1.0
