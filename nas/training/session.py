"""The interface that every engine implements, and the bookkeeping that they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "Ended",
    "Epoch",
    "History",
    "Interrupted",
    "Normalised",
    "Progress",
    "RewirableSession",
    "Score",
    "Session",
    "StopFlag",
    "Weights",
    "epoch_order",
    "sign_of",
]


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
    """What happened in a training.

    Parameters
    ----------
    epochs : tuple of Epoch
    value : float
        The validation metric of the weights that the network was left with: those of the last epoch, or with
        patience of the best one; the constant prediction's where the training diverged.
    diverged : bool
        Whether the loss left the finite numbers. A result, not a failure.
    steps : int
        Updates made.
    seconds : float
        Wall-clock time of the training; changes of its structure included, where it is learned.
    engine : str
        Which engine trained.

    Examples
    --------
    >>> import numpy as np
    >>> from nas import Recipe, SparseMLP, Task, train
    >>> from priors import Layered
    >>> inputs = np.random.default_rng(0).normal(size=(100, 4))
    >>> task = Task.from_arrays("signs", inputs, (inputs[:, 0] > 0).astype(int))
    >>> network = SparseMLP(Layered((4, 8, 2), density=0.5, inputs=True, outputs=True).sample(0), rng=0)
    >>> history = train(network, task, Recipe(epochs=3, batch_size=16), rng=0)
    >>> len(history.epochs), history.steps, history.diverged
    (3, 12, False)
    """

    epochs: tuple[Epoch, ...]
    value: float
    diverged: bool
    steps: int
    seconds: float
    engine: str


class Interrupted(Exception):  # noqa: N818
    """A training was asked to stop before its end; what it had learnt is given up."""


class StopFlag(Protocol):
    """Anything with ``is_set``, such as ``threading.Event``; asked after every batch or every 50 ms."""

    def is_set(self) -> bool:
        """Whether the training should stop now."""


class Session(Protocol):
    """One training of one network, with all state inside."""

    def run(self, n_steps: int | None = None) -> Progress:
        """Make up to `n_steps` updates, all that are left by default, and return where the training stands.

        It raises `Interrupted` if the stop flag is set.
        """

    def history(self) -> History:
        """Return what happened so far; `value` is that of the last epoch, or with patience of the best one."""


@dataclass(frozen=True, eq=False)
class Weights:
    """The live weights of a network in training, with what its optimizer keeps of each.

    Places count the entries of the blocks of all of the network's parts, one part after the other; see
    `nas.networks.blocks`.

    Parameters
    ----------
    slots : (n,) int64 array
        The place of each, ascending.
    weight : (n,) float array
    moments : (n_moments, n) float array
        Of adam and adamw the mean of the gradients and that of their squares, of sgd the momentum; 0 before the first
        update.
    scale : (n,) float64 array, optional
        In a training that normalises, what each weight is multiplied by in the network, which has them folded.
        `RewirableSession.rewire` does not read it.
    """

    slots: NDArray[np.int64]
    weight: NDArray[np.floating[Any]]
    moments: NDArray[np.floating[Any]]
    scale: NDArray[np.float64] | None = None

    @property
    def folded(self) -> NDArray[np.floating[Any]]:
        """The weights of the network, (n,)."""
        return self.weight if self.scale is None else self.weight * self.scale


@dataclass(frozen=True, eq=False)
class Normalised:
    """The parameters of a training that normalises, where its network has them folded.

    Parameters
    ----------
    weight : (n_weights,) array
    bias : (n_hidden + n_outputs,) array
    gamma : (n_hidden,) array
        Factors of what was normalised.
    """

    weight: NDArray[np.floating[Any]]
    bias: NDArray[np.floating[Any]]
    gamma: NDArray[np.floating[Any]]


class RewirableSession(Session, Protocol):
    """A session whose network may get other edges between two updates.

    Biases, the order of the examples, the schedule and the count of updates stay what they are. A training that
    normalises has weights of its own, which it takes back; the network then only shows them folded.
    """

    def weights(self) -> Weights:
        """Return copies of what lives now."""

    def rewire(self, weights: Weights) -> None:
        """Go on with these weights alone, at whatever places of the network's blocks.

        With patience, the epochs since then are compared.
        """

    def normalised(self) -> Normalised | None:
        """Return copies of the parameters of a training that normalises; None of others, which are the network's."""

    def next_batch(self) -> NDArray[np.int64]:
        """Return the examples of the next update, which stay the same until it is made or skipped."""

    def skip(self) -> Progress:
        """Count the next update as done without making it."""


@dataclass(frozen=True)
class Ended:
    """A session that is over, of which only what happened is kept."""

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


def sign_of(direction: str) -> float:
    """Return 1 to maximize and -1 to minimize: a better value is one whose product with it is larger."""
    return 1.0 if direction == "maximize" else -1.0
