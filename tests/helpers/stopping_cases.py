"""A small task, a rule that stops trials by hand, and what the tests of early stopping call."""

from collections.abc import Callable

import numpy as np
import optuna
from optuna.pruners import BasePruner
from optuna.trial import FrozenTrial

from nas.evaluation.early_stopping import Stopping
from nas.tasks import Task


def classes() -> Task:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(120, 4))
    return Task.from_arrays("classes", inputs, (inputs[:, 0] > 0).astype(int) + (inputs[:, 1] * inputs[:, 2] > 0))


class ByHand(BasePruner):
    """Asks a function."""

    def __init__(self, decide: Callable[[optuna.Study, FrozenTrial], bool]) -> None:
        self.decide = decide

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        return self.decide(study, trial)


def stopping(decide: Callable[[optuna.Study, FrozenTrial], bool], batch: int = 4) -> Stopping:
    return Stopping(lambda: ByHand(decide), batch=batch, direction="maximize")
