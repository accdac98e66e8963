"""Predictor: from wirings to an expected value, with how sure it is. The one object that people and searches ask."""

from __future__ import annotations

import math
import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predictors.answers import Answers
from predictors.features.reads import read_names
from predictors.features.table import names_of
from predictors.fitted import Fitted, Training
from predictors.preparation import Preparation
from predictors.rows import as_trained, as_wirings, check_own_names, checked_column, chosen_tiers, columns_of

if TYPE_CHECKING:
    from predictors.fitting import Aim
    from predictors.rows import Graph
    from priors.reads import Inputs
    from priors.wiring import Wiring

__all__ = ["Predictor"]


class Predictor:
    """Expects how well a wiring will do from its structure, and says how sure it is.

    It follows the protocol of a scikit-learn regressor whose rows are wirings or networkx graphs.

    Parameters
    ----------
    tiers : tuple of str, optional
        Features to describe wirings by, see `predictors.FEATURES`. By default size and structure, and recurrent where a
        training wiring has a cycle.
    pivots : int, optional
        Of betweenness; see `predictors.describe`.
    preparation : Preparation, optional
        How a bare graph becomes a wiring like those trained; without it graphs are taken as they are.
    metric : str
        What the values are.
    direction : {"maximize", "minimize"}
        Whether more or less of it is better.
    bounds : (float, float), optional
        What values can be; predictions and intervals never leave them.
    chance : float, optional
        Value of a network that learnt nothing. Wirings near it count as not trained, which `trains` predicts.
    seed : int
        Of folds, forests and whatever else is drawn.
    inputs : Inputs, optional
        What is known of the inputs of the task, such as `nas.tasks.inputs_of` returns; what wirings read is then
        described too, by `predictors.READ_FEATURES`. It is saved with the predictor.

    Examples
    --------
    >>> from predictors import Predictor
    >>> from priors import ErdosRenyi
    >>> graphs = [ErdosRenyi(20, edges=edges).sample(edges) for edges in range(20, 60)]
    >>> values = [graph.n_edges / 200 for graph in graphs]
    >>> predictor = Predictor(metric="accuracy", bounds=(0, 1)).fit(graphs, values)
    >>> mean, std = predictor.predict(graphs[:2], return_std=True)
    >>> low, high = predictor.interval(graphs[:2], coverage=0.9)
    >>> mean.shape, bool((low <= mean).all() and (mean <= high).all())
    ((2,), True)
    """

    def __init__(
        self,
        *,
        tiers: tuple[str, ...] | None = None,
        pivots: int | None = None,
        preparation: Preparation | None = None,
        metric: str = "value",
        direction: str = "maximize",
        bounds: tuple[float, float] | None = None,
        chance: float | None = None,
        seed: int = 0,
        inputs: Inputs | None = None,
    ) -> None:
        self.tiers = tiers
        self.pivots = pivots
        self.preparation = preparation
        self.metric = metric
        self.direction = direction
        self.bounds = bounds
        self.chance = chance
        self.seed = seed
        self.inputs = inputs

    # Learning

    def fit(
        self,
        wirings: Sequence[Graph],
        values: ArrayLike,
        *,
        groups: Sequence[Hashable] | None = None,
        parameters: Sequence[Mapping[str, object]] | None = None,
        columns: Mapping[str, ArrayLike] | None = None,
    ) -> Predictor:
        """Learn from wirings that were trained.

        Parameters
        ----------
        wirings : sequence of Wiring or networkx graph
            At least 5.
        values : (n,) or (n, n_replicates) float array
            What each reached; several trainings of a wiring side by side, NaN where there are fewer.
        groups : sequence, optional
            The lineage of each: what was derived from one another has equal ones, and is never on both sides of a fold.
            By default those with equal hidden wirings form a group, unless these have no edges.
        parameters : sequence of mapping, optional
            What each was drawn from. No feature is made of them: they are the reference that features must beat.
        columns : mapping, optional
            Columns of one's own by name, (n,) each, such as zero-cost measures; `predict` then needs them too.

        Raises
        ------
        ValueError
            For values, groups, parameters or columns of another length, or a wiring without any value.
        """
        from predictors.fitting import fit

        training = self.training_of(wirings, values, groups=groups, parameters=parameters, columns=columns)
        self.fitted_: Fitted = fit(training, self.aim, self.seed)
        return self

    @property
    def aim(self) -> Aim:
        """What is predicted, as the functions that fit take it."""
        from predictors.fitting import Aim

        return Aim(self.direction, self.bounds, self.chance)

    def training_of(
        self,
        wirings: Sequence[Graph],
        values: ArrayLike,
        *,
        groups: Sequence[Hashable] | None = None,
        parameters: Sequence[Mapping[str, object]] | None = None,
        columns: Mapping[str, ArrayLike] | None = None,
    ) -> Training:
        """Return what `fit` learns from when it is given the same: features, labels, groups and parameters."""
        self._check_options()
        prepared = as_trained(as_wirings(wirings), self.preparation)
        self.tiers_ = chosen_tiers(self.tiers, prepared)
        self.features_ = names_of(self.tiers_)
        own = dict(sorted((columns or {}).items()))
        self.reads_ = () if self.inputs is None else read_names(self.inputs)
        check_own_names(own, reads=self.reads_)
        X = columns_of(prepared, self.features_, self.pivots, own, self.reads_, self.inputs)
        names = (*self.features_, *self.reads_, *own)
        lineage = list(map(_lineage, prepared)) if groups is None else groups
        training = Training.of(X, names, values, lineage, parameters)
        low, high = float(np.nanmin(training.labels)), float(np.nanmax(training.labels))
        if self.bounds is not None and not self.bounds[0] <= low <= high <= self.bounds[1]:
            raise ValueError(f"values go from {low:.6g} to {high:.6g}: bounds={self.bounds} must hold them all")
        return training

    def without_reads(self) -> Predictor:
        """Return a predictor that learnt from the same wirings, but not what they read; itself where it knows nothing.

        Searches whose columns do not say what is read can ask it.
        """
        if self.inputs is None:
            return self
        from predictors.fitting import fit

        training = self.fitted_.training
        kept = [index for index, name in enumerate(training.names) if name not in self.reads_]
        names = tuple(training.names[index] for index in kept)
        plain = Predictor(**{**self.get_params(), "inputs": None})
        plain.tiers_, plain.features_, plain.reads_ = self.tiers_, self.features_, ()
        plain.fitted_ = fit(replace(training, X=training.X[:, kept], names=names), self.aim, self.seed)
        return plain

    # Asking

    def ask(self, wirings: Sequence[Graph], *, columns: Mapping[str, ArrayLike] | None = None) -> Answers:
        """Return all that the predictor says of wirings; the methods below take the same, and return parts of it."""
        X, owner = self._described(wirings, columns)
        return Answers(self.fitted_, X, owner, len(wirings), self.seed)

    def predict(
        self,
        wirings: Sequence[Graph],
        return_std: bool = False,
        *,
        columns: Mapping[str, ArrayLike] | None = None,
    ) -> Any:
        """Return the expected value of wirings.

        Parameters
        ----------
        wirings : sequence of Wiring or networkx graph
            A bare graph is prepared like the training wirings; where chance has a part in that, it is averaged over
            several preparations.
        return_std : bool
            Also return the standard deviation of the value of one training about the expectation.
        columns : mapping, optional
            As given to `fit`.

        Returns
        -------
        (n,) float array, or two of them
        """
        answers = self.ask(wirings, columns=columns)
        return (answers.mean, answers.std) if return_std else answers.mean

    def interval(
        self, wirings: Sequence[Graph], coverage: float = 0.9, *, columns: Mapping[str, ArrayLike] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return between which values the value of one training is expected to lie, calibrated out of fold.

        Parameters
        ----------
        wirings : sequence of Wiring or networkx graph
        coverage : float
            Share of trainings that are to lie inside, above 0 and below 1. Few training wirings cannot promise much:
            beyond `fitted_.calibration.reach`, intervals grow no more.
        columns : mapping, optional
            As given to `fit`.
        """
        return self.ask(wirings, columns=columns).interval(coverage)

    def trains(
        self, wirings: Sequence[Graph], *, columns: Mapping[str, ArrayLike] | None = None
    ) -> NDArray[np.float64]:
        """Return the probability that a wiring trains at all, (n,) float; 1 where every training wiring did."""
        return self.ask(wirings, columns=columns).trains

    def in_domain(
        self, wirings: Sequence[Graph], *, columns: Mapping[str, ArrayLike] | None = None
    ) -> NDArray[np.bool_]:
        """Return whether wirings are like those trained, (n,) bool; predictions of others are guesses."""
        return self.ask(wirings, columns=columns).in_domain

    def why_outside(self, wiring: Graph, *, columns: Mapping[str, ArrayLike] | None = None) -> str | None:
        """Return what puts a wiring outside of the domain, None where it is inside."""
        return self.ask([wiring], columns=columns).why_outside[0]

    def explain(
        self, wirings: Sequence[Graph], *, columns: Mapping[str, ArrayLike] | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """Return what families of features contribute to the prediction of each wiring, (n,) float by family.

        They sum to the prediction less that of typical training wirings; see `predictors.explain.contributions`.
        """
        return self.ask(wirings, columns=columns).contributions()

    def shap_values(
        self, wirings: Sequence[Graph], *, columns: Mapping[str, ArrayLike] | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """Return what single features contribute to each prediction, (n,) float by name; needs the package shap.

        See `predictors.explain.shap_values`.
        """
        return self.ask(wirings, columns=columns).shap_values()

    def spread(
        self, wirings: Sequence[Graph], *, columns: Mapping[str, ArrayLike] | None = None
    ) -> NDArray[np.float64]:
        """Return how much the trees of the blend disagree, on the scale of values about predictions, (n,) float.

        It tells wirings whose prediction is unsure from others, as a search needs it; `predict` gives the level.
        """
        answers = self.ask(wirings, columns=columns)
        return answers.pooled(self.fitted_.spread(answers.X))

    def rank(self, values: ArrayLike) -> tuple[NDArray[np.int64], int]:
        """Return the rank of predicted values among the predictions of the training wirings, 1 the best, and how many.

        The predictions are those made without the wiring.
        """
        sign = 1 if self.direction == "maximize" else -1
        known = np.sort(-sign * self.fitted_.out_of_fold)
        ranks = 1 + np.searchsorted(known, -sign * np.asarray(values, dtype=np.float64), side="left")
        return ranks, len(known) + 1

    def worth(self) -> dict[str, Any]:
        """Return what the predictor learnt from and its R2 out of fold, beside what it must beat, as JSON types."""
        references = self.fitted_.references
        return {
            "trained_on": self.fitted_.training.summary(),
            "wirings": len(self.fitted_.out_of_fold),
            "r2": {name: value if math.isfinite(value) else None for name, value in references.items()},
        }

    def score(self, wirings: Sequence[Graph], values: ArrayLike) -> float:
        """Return R2, 1 - residual / total sum of squares, of the predictions of wirings."""
        from predictors.validation.metrics import r2

        return float(r2(np.asarray(values, dtype=np.float64), self.predict(wirings)))

    # Keeping

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the predictor into a folder of its own, replacing an older one; see `predictors.storage`."""
        from predictors.storage import save

        save(self, folder)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Predictor:
        """Read a predictor that `save` wrote.

        Raises
        ------
        ValueError
            Whatever is wrong with the files: one line that begins with the folder's name.
        """
        from predictors.storage import load

        return load(folder)

    # The protocol of scikit-learn

    # What versions before 1.6 read in place of tags.
    _estimator_type = "regressor"

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """Return the arguments of the constructor."""
        names = ("tiers", "pivots", "preparation", "metric", "direction", "bounds", "chance", "seed", "inputs")
        return {name: getattr(self, name) for name in names}

    def set_params(self, **params: Any) -> Predictor:
        """Set arguments of the constructor; they act at the next `fit`."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ValueError(f"parameter {name!r} is not known; known are {', '.join(known)}")
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn asks of an estimator."""
        from sklearn.utils import InputTags, RegressorTags, Tags, TargetTags

        tags = Tags(estimator_type="regressor", target_tags=TargetTags(required=True), regressor_tags=RegressorTags())
        tags.input_tags = InputTags(two_d_array=False)
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        """Whether `fit` or `load` was called."""
        return hasattr(self, "fitted_")

    def __repr__(self) -> str:
        state = self.fitted_.training.summary() if hasattr(self, "fitted_") else "not fitted"
        return f"<Predictor of {self.metric}: {state}>"

    # From graphs to columns

    def _check_options(self) -> None:
        if self.direction not in ("maximize", "minimize"):
            raise ValueError(f"direction={self.direction!r}: valid are maximize, minimize")
        if self.bounds is not None and not -math.inf < self.bounds[0] < self.bounds[1] < math.inf:
            raise ValueError(f"bounds={self.bounds}: two finite numbers are needed, the first must be below the second")
        if self.chance is not None and not math.isfinite(self.chance):
            raise ValueError(f"chance={self.chance}: it must be a finite number")

    def _described(
        self, wirings: Sequence[Graph], columns: Mapping[str, ArrayLike] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the columns of every wiring that the graphs stand for, and which graph each belongs to."""
        if not hasattr(self, "fitted_"):
            raise ValueError("this predictor is not fitted: call fit, or load one")
        graphs = as_wirings(wirings)
        prepared = [[graph] if self.preparation is None else self.preparation.wirings(graph) for graph in graphs]
        owner = np.repeat(np.arange(len(graphs)), [len(found) for found in prepared])
        own = {name: checked_column(name, values, len(graphs))[owner] for name, values in (columns or {}).items()}
        expected = self.fitted_.names[len(self.features_) + len(self.reads_) :]
        if own.keys() != set(expected):
            wanted = ", ".join(expected) or "none"
            raise ValueError(f"columns {', '.join(columns or ()) or 'none'}: this predictor was fitted with {wanted}")
        described = [wiring for found in prepared for wiring in found]
        own = {name: own[name] for name in expected}
        return columns_of(described, self.features_, self.pivots, own, self.reads_, self.inputs), owner


def _lineage(wiring: Wiring) -> str:
    """Return the fingerprint of a hidden wiring; where it has no edges, the wiring is what it reads."""
    hidden = wiring.hidden
    return hidden.fingerprint if hidden.n_edges else wiring.fingerprint
