"""Train one network from start to end with the engine of one's choice. Imports torch where the torch engine is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas.errors import known
from nas.training.history import History
from nas.training.recipe import Recipe
from nas.training.session import Session, StopFlag

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from nas.tasks.task import Task

__all__ = ["ENGINES", "engine_for", "session", "train"]

ENGINES = ("auto", "torch")
"""Names of the engines; auto takes the fastest one that is installed and supports the training."""


def engine_for(engine: str) -> str:
    """Return the name of the engine that `engine` stands for here."""
    known("engine", engine, ENGINES)
    return "torch"


def session(
    network: nn.Module,
    task: Task,
    recipe: Recipe,
    *,
    learning_rate: float | None = None,
    rng: int | np.random.Generator | None = None,
    engine: str = "auto",
    stop: StopFlag | None = None,
) -> Session:
    """Open a training that can be run step by step.

    Parameters
    ----------
    network : nn.Module
        Trained in place.
    task : Task
    recipe : Recipe
    learning_rate : float, optional
        One rung of the recipe's ladder; by default its first.
    rng : int or numpy.random.Generator, optional
        Draws the order of the examples.
    engine : str
        One of `ENGINES`.
    stop : StopFlag, optional
        Asked once a batch; when it is set, `run` raises `Interrupted`.
    """
    import numpy as np

    from nas.training.torch_engine import TorchSession

    engine_for(engine)
    rate = recipe.learning_rates[0] if learning_rate is None else learning_rate
    return TorchSession(network, task, recipe, learning_rate=rate, rng=np.random.default_rng(rng), stop=stop)


def train(
    network: nn.Module,
    task: Task,
    recipe: Recipe,
    *,
    learning_rate: float | None = None,
    rng: int | np.random.Generator | None = None,
    engine: str = "auto",
    stop: StopFlag | None = None,
) -> History:
    """Train a network to the end of its recipe and return what happened; see `session` for the parameters.

    Raises
    ------
    Interrupted
        If the stop flag is set before the end.
    """
    training = session(network, task, recipe, learning_rate=learning_rate, rng=rng, engine=engine, stop=stop)
    training.run()
    return training.history()
