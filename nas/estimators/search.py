"""WiringSearchCV: a whole campaign as a meta-estimator of scikit-learn."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from nas.campaign.campaign import Campaign
from nas.errors import InputError
from nas.estimators.base import OF_RECIPE, WiringEstimator, seed_of
from nas.estimators.classifier import WiringClassifier, classified
from nas.estimators.examples import Examples, Scaling
from nas.estimators.regressor import measured
from nas.evaluation.trainer import Trainer
from nas.networks import SparseMLP, load_network
from nas.options.resolve import n_cores
from nas.space.space import Space
from nas.store.folders import load
from nas.store.records import Records
from nas.tasks import Task, split
from nas.training.recipe import changed

__all__ = ["WiringSearchCV"]

_OWN_OPTIONS = ("task", "network", "trials", "space", "budget", "seed", "engine", "activation")


def _classifies(search: WiringSearchCV) -> bool:
    return isinstance(search.estimator, WiringClassifier)


@dataclass(eq=False, repr=False)
class WiringSearchCV(MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """A search for the best wiring: a campaign of `nas.Campaign`, whose winner is trained on all examples.

    A fifth of the examples tests, a fifth of the others validates, and all candidates learn from the rest: one split,
    not several folds. Finalists are trained again with fresh seeds, beside a linear model, dense networks and a random
    wiring, and `outcome_` says how the winner stands among them.

    Parameters
    ----------
    estimator : WiringClassifier or WiringRegressor
        How networks are trained, standardised and attached. Its prior, hidden, degree and shortcuts are not heeded.
    trials : int
        Wirings to train.
    budget : int or str, optional
        What the network may cost: live parameters (300), ``"12KiB"`` or ``"50kMAC"``. Not only random graphs but all
        ways to a structure are then searched, as ``wirenas run --budget`` does, and of the estimator only what differs
        from its defaults is heeded: a budget has defaults of its own.
    space : Space, optional
        What varies between wirings; by default all families, 20 to 100 neurons and mean degrees of 2 to 12, attached as
        the estimator says.
    learning_rates : sequence of float, optional
        Each wiring is trained with each of these and counts at its best one; by default that of the estimator alone.
    refit : bool
        Whether the winner is trained again on all examples. Otherwise the network of the campaign stays, which learnt
        from 16 of 25.
    campaign_params : mapping, optional
        Other options of `nas.Campaign`, such as ``{"sampler": "tpe", "final_seeds": 10}``.
    out : path, optional
        Folder to keep the campaign in, as ``wirenas run`` leaves it; the same fit goes on there where it was stopped.
    n_jobs : int, optional
        Trainings at a time, by default 1, and -1 for one a core; results do not depend on it.
    verbose : bool
        Whether progress is shown on stderr.
    random_state : int, RandomState or None
        Draws everything; one int gives one result.

    Attributes
    ----------
    best_estimator_ : WiringClassifier or WiringRegressor
        With the network; `prior` is its wiring, so that cloned and fitted it trains this wiring from new weights.
    best_wiring_ : Wiring
    best_score_ : float
        Validation accuracy of the winner in the search, or its negative mean squared error, of standardised targets.
    best_params_ : dict
        What its wiring was drawn from.
    best_index_ : int
    cv_results_ : dict
        params, mean_test_score and rank_test_score by validation, mean_fit_time in seconds, n_parameters and trial, an
        entry for each trial; ``pandas.DataFrame`` takes it.
    outcome_ : Outcome
        What the campaign found: ``outcome_.test`` of examples that the search never saw, and ``outcome_.verdict`` in
        words.
    classes_ : (n_classes,) array
        Of a classifier.
    n_features_in_, feature_names_in_
        As of the estimator.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from nas import WiringClassifier, WiringSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> few = {"final_seeds": 2, "finalists": 1}
    >>> search = WiringSearchCV(WiringClassifier(epochs=30), trials=5, campaign_params=few, random_state=0).fit(X, y)
    >>> bool(search.score(X, y) > 0.9), len(search.cv_results_["params"])
    (True, 5)
    """

    estimator: WiringEstimator
    trials: int = 40
    budget: int | str | None = None
    space: Space | None = None
    learning_rates: Sequence[float] | None = None
    refit: bool = True
    campaign_params: Mapping[str, Any] | None = None
    out: str | PathLike[str] | None = None
    n_jobs: int | None = None
    verbose: bool = False
    random_state: int | np.random.RandomState | None = None

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Search the best wiring, and train its network on all examples.

        Parameters
        ----------
        X : (n, n_features) array or frame
        y : (n,) array of classes, or (n,) or (n, n_outputs) array of numbers
        sample_weight : (n,) array, optional
            What each example counts in the loss and in the metric, 0 or more, relative to the others.

        Raises
        ------
        InputError
            A ValueError of one line, if a parameter or the data cannot be used, or a training diverges.
        """
        if not isinstance(self.estimator, WiringEstimator):
            raise InputError(f"estimator={self.estimator!r}: it must be a WiringClassifier or a WiringRegressor")
        examples = self._examples(X, y, sample_weight).counted()
        seed = seed_of(self.random_state)
        scaling, task = self._task(examples, seed)
        with tempfile.TemporaryDirectory() if self.out is None else nullcontext(self.out) as folder:
            out = Path(folder)
            campaign = Campaign(out, task=task, threads=self._threads(), **self._options(seed))
            self.outcome_ = campaign.run(progress=bool(self.verbose))
            records = load(out)
            assert isinstance(records, Records)
            self._describe(records, task)
            fitted = self._base(campaign)
            if self.refit:
                self._refit(fitted, campaign, records, examples, seed)
            else:
                fitted._keep_network(scaling, cast("SparseMLP", load_network(out / "best" / "network.safetensors")))
        self.best_estimator_, self.best_wiring_ = fitted, fitted.wiring_
        return self

    def _threads(self) -> int:
        wanted = 1 if self.n_jobs is None else int(self.n_jobs)
        if wanted == 0:
            raise InputError("n_jobs=0: give 1 or more, or -1 for one a core")
        return wanted if wanted > 0 else max(n_cores() + 1 + wanted, 1)

    def _examples(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None) -> Examples:
        if isinstance(self.estimator, WiringClassifier):
            return classified(self, X, y, sample_weight, self.estimator.class_weight)
        return measured(self, X, y, sample_weight)

    def _task(self, examples: Examples, seed: int) -> tuple[Scaling, Task]:
        """Return the task of the search, standardised by its training part, and how it was."""
        try:
            parts = split(examples.y, seed)
        except ValueError as error:
            raise InputError(
                f"X: n_samples={len(examples.X)}: {error}; a search needs some to train, to choose and to test by"
            ) from None
        scaling = examples.scaling(parts[0], self.estimator.standardize)
        return scaling, examples.task(scaling, *parts)

    def _options(self, seed: int) -> dict[str, Any]:
        """Return what the campaign is asked for."""
        own, given = self.estimator, dict(self.campaign_params or {})
        for name in given:
            if name in _OWN_OPTIONS:
                raise InputError(
                    f"campaign_params: {name} is a parameter of the search or of its estimator; set it there"
                )
        recipe = self._changed({name: getattr(own, name) for name in OF_RECIPE})
        rates = (own.learning_rate,) if self.learning_rates is None else tuple(self.learning_rates)
        recipe |= {"learning_rates": rates, **dict(given.pop("recipe", {}))}
        if own.early_stopping:
            recipe["patience"] = own.patience
        options = {"network": "mlp", "trials": self.trials, "seed": seed, "engine": own.engine, "recipe": recipe}
        options |= self._changed({"activation": own.activation})
        if self.budget is not None:
            if self.space is not None:
                raise InputError("space and budget are both given: a budget searches all ways to a structure; give one")
            return {**options, "budget": str(self.budget), **given}
        return {**options, "space": self.space or self._default_space(), **given}

    def _changed(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameters of the estimator; with a budget, which has defaults of its own, those that were changed."""
        if self.budget is None:
            return dict(params)
        return {name: value for name, value in params.items() if value != getattr(WiringEstimator, name)}

    def _default_space(self) -> Space:
        own = self.estimator
        counts = {"reads": own.reads, "readouts": own.readouts} if own.attachment == "controlled" else {}
        return Space(attachment=own.attachment, orientation=own.orientation, **counts)

    def _describe(self, records: Records, task: Task) -> None:
        """Keep what the search found, in the words of `GridSearchCV`."""
        complete = records.complete
        sign = 1.0 if task.direction == "maximize" else -1.0
        scores = np.array([sign * float(record.value or 0.0) for record in complete])
        self.cv_results_ = {
            "params": [dict(record.params) for record in complete],
            "mean_test_score": scores,
            "rank_test_score": (scores[:, None] < scores[None, :]).sum(axis=1) + 1,
            "mean_fit_time": np.array([record.seconds for record in complete]),
            "n_parameters": np.array([record.n_parameters for record in complete]),
            "trial": np.array([record.number for record in complete]),
        }
        best = self.outcome_.best
        assert best is not None
        self.best_index_ = int(np.flatnonzero(self.cv_results_["trial"] == best["trial"])[0])
        self.best_params_ = dict(best["params"])
        self.best_score_ = float(scores[self.best_index_])

    def _base(self, campaign: Campaign) -> WiringEstimator:
        """Return an estimator that trains as the finals of the campaign did, and knows the data as this one does."""
        recipe, activation = campaign.options.recipe, campaign.options.activation
        params = {name: getattr(recipe, name) for name in OF_RECIPE} | {"epochs": campaign.options.epochs_of_finals}
        fitted: WiringEstimator = clone(self.estimator).set_params(activation=activation, **params)
        for name in ("n_features_in_", "feature_names_in_", "classes_", "_is_flat"):
            if name in vars(self):
                setattr(fitted, name, getattr(self, name))
        return fitted

    def _refit(
        self, fitted: WiringEstimator, campaign: Campaign, records: Records, examples: Examples, seed: int
    ) -> None:
        """Train the network of the winner on all examples, in the way in which it came by its structure."""
        best = self.outcome_.best
        assert best is not None
        record = next(own for own in records if own.number == best["trial"])
        wiring, way = campaign.candidate(record)
        rate = way.learning_rate or record.learning_rate
        assert rate is not None
        scaling, task = fitted._task_of(examples, seed)
        recipe = changed(campaign.options.recipe, epochs=campaign.options.epochs_of_finals)
        precision = campaign.options.precision
        trainer = Trainer(task, campaign.spec, recipe, seed, fitted.engine, precision=precision)
        training = trainer.train(wiring, 0, rate, way=way)
        fitted.set_params(prior=training.wiring, learning_rate=rate)._keep(scaling, training)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the prediction of the found network for each row; see `WiringClassifier` and `WiringRegressor`."""
        found: NDArray[Any] = self._fitted().predict(X)
        return found

    @available_if(_classifies)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each class, (n, n_classes), in the order of `classes_`."""
        found: NDArray[np.float64] = self._fitted().predict_proba(X)
        return found

    @available_if(_classifies)  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the logarithms of `predict_proba`."""
        found: NDArray[np.float64] = self._fitted().predict_log_proba(X)
        return found

    def score(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the accuracy of the found network, or of numbers R²."""
        return float(self._fitted().score(X, y, sample_weight))

    def _fitted(self) -> Any:
        check_is_fitted(self, "best_estimator_")
        return self.best_estimator_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        own = self.estimator.__sklearn_tags__()
        for name in ("estimator_type", "classifier_tags", "regressor_tags", "target_tags", "input_tags"):
            setattr(tags, name, getattr(own, name))
        return tags
