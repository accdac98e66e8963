"""What the estimators have in common: parameters, the training of one network, and its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from nas.errors import InputError, known
from nas.estimators.examples import Examples, Scaling
from nas.estimators.wirings import Structure
from nas.evaluation.threads import one_torch_thread
from nas.evaluation.trainer import Trainer
from nas.networks import ACTIVATIONS, NetworkSpec, SparseMLP, n_parameters, wiring_of
from nas.training import Recipe, Training
from nas.training.recipe import changed
from nas.training.train import engine_for, outputs

if TYPE_CHECKING:
    import networkx as nx

    from nas.tasks import Task
    from priors import Prior, Wiring

__all__ = ["OF_RECIPE", "WiringEstimator", "seed_of"]

OF_RECIPE = ("optimizer", "schedule", "epochs", "batch_size", "weight_decay", "normalise")
"""Parameters that are options of a recipe under the same names."""


def seed_of(random_state: Any) -> int:
    """Return the seed of all draws that a scikit-learn `random_state` stands for."""
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


@dataclass(eq=False, repr=False)
class WiringEstimator(BaseEstimator):  # type: ignore[misc]
    """The parameters of `WiringClassifier` and `WiringRegressor`, and what both do with them."""

    prior: str | Prior | Wiring | nx.Graph[Any] = "watts-strogatz"
    hidden: int = 64
    degree: float = 8.0
    prior_params: Mapping[str, Any] | None = None
    orientation: str = "random"
    attachment: str = "controlled"
    reads: int = 32
    readouts: int = 16
    shortcuts: bool = True
    activation: str = "relu"
    epochs: int = 100
    learning_rate: float = 0.01
    batch_size: int = 32
    optimizer: str = "adamw"
    schedule: str = "cosine"
    weight_decay: float = 1.0
    normalise: bool = False
    early_stopping: bool = False
    validation_fraction: float = 0.2
    patience: int = 20
    standardize: bool = True
    engine: str = "auto"
    random_state: int | np.random.RandomState | None = None

    @property
    def _structure(self) -> Structure:
        """How the wiring comes about."""
        return Structure(
            self.prior, self.hidden, self.degree, self.prior_params, self.orientation, self.attachment, self.reads,
            self.readouts, self.shortcuts,
        )  # fmt: skip

    @property
    def _spec(self) -> NetworkSpec:
        """Which network the wiring becomes; an InputError names an activation that is not known."""
        return NetworkSpec("mlp", activation=known("activation", self.activation, ACTIVATIONS))

    @property
    def _recipe(self) -> Recipe:
        """How the network is trained; an InputError says which parameter cannot be used."""
        if isinstance(self.learning_rate, Sequence):
            raise InputError(f"learning_rate={self.learning_rate!r}: one number is needed")
        given = {name: getattr(self, name) for name in OF_RECIPE}
        patience = self.patience if self.early_stopping else None
        return changed(Recipe(), **given, learning_rates=self.learning_rate, patience=patience)

    def _learn(self, examples: Examples) -> Self:
        """Draw the wiring, train its network, and keep both."""
        recipe, spec, seed = self._recipe, self._spec, seed_of(self.random_state)
        examples = examples.counted()
        wiring = self._structure.draw(examples.X.shape[1], examples.n_outputs, seed)
        scaling, task = self._task_of(examples, seed)
        trainer = Trainer(task, spec, recipe, seed, self.engine)
        with one_torch_thread() if engine_for(self.engine, spec=spec) == "torch" else nullcontext():
            training = trainer.train(wiring, 0, recipe.learning_rates[0])
        return self._keep(scaling, training)

    def _task_of(self, examples: Examples, seed: int) -> tuple[Scaling, Task]:
        """Return the task that examples that count make, and how they are standardised for it."""
        train, validation = np.arange(len(examples.X)), None
        if self.early_stopping:
            train, validation = examples.split(self.validation_fraction, seed)
        scaling = examples.scaling(train, self.standardize)
        return scaling, examples.task_of_all(scaling, train, validation)

    def _keep(self, scaling: Scaling, training: Training) -> Self:
        """Be fitted with the network of a training that is over."""
        history = training.history
        if history.diverged:
            raise InputError(
                f"learning_rate={training.learning_rate}: the training left the finite numbers; give a smaller one"
                + ("" if self.standardize else ", or standardize=True")
            )
        self._keep_network(scaling, cast("SparseMLP", training.network))
        self.n_iter_ = len(history.epochs)
        self.loss_curve_ = [epoch.train_loss for epoch in history.epochs]
        if self.early_stopping:
            self.validation_scores_ = [epoch.validation_metric for epoch in history.epochs]
        return self

    def _keep_network(self, scaling: Scaling, network: SparseMLP) -> Self:
        """Be fitted with a network that was trained elsewhere."""
        self.scaling_, self.network_ = scaling, network
        self.wiring_ = wiring_of(network).replace(weights=None)
        self.n_parameters_ = n_parameters(network)["total"]
        return self

    def _outputs(self, X: Any) -> NDArray[np.float64]:
        """Return the (n, n_outputs) outputs of the network, in the units of the targets."""
        check_is_fitted(self, "network_")
        rows = self.scaling_.rows(validate_data(self, X, reset=False, dtype=[np.float64, np.float32]))
        return self.scaling_.unscaled(outputs(self.network_, rows, engine=self.engine))
