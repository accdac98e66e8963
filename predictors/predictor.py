"""Predictor: from wirings to an expected value, with how sure it is. The one object that people and searches ask.

Imports numpy and the priors; scikit-learn and xgboost are imported by `fit` alone, so that a loaded predictor answers
without them.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predictors.explain import contributions, families_of, shap_values
from predictors.features.describe import describe
from predictors.features.table import TIERS, names_of
from predictors.fitted import Fitted, Training
from predictors.preparation import Preparation
from priors import Wiring

if TYPE_CHECKING:
    import networkx as nx

    Graph = Wiring | nx.Graph[Any]

__all__ = ["Predictor"]

_BACKGROUND = 16


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

    Examples
    --------
    >>> predictor = Predictor(metric="accuracy", bounds=(0, 1)).fit(wirings, accuracies)  # doctest: +SKIP
    >>> mean, std = predictor.predict([candidate], return_std=True)  # doctest: +SKIP
    >>> low, high = predictor.interval([candidate], coverage=0.9)  # doctest: +SKIP
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
    ) -> None:
        self.tiers = tiers
        self.pivots = pivots
        self.preparation = preparation
        self.metric = metric
        self.direction = direction
        self.bounds = bounds
        self.chance = chance
        self.seed = seed

    # Learning

    def fit(
        self,
        wirings: Sequence[Graph],
        values: ArrayLike,
        *,
        groups: Sequence[object] | None = None,
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
            By default equal wirings form a group.
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
        self.fitted_: Fitted = fit(training, self.bounds, self.chance, self.seed)
        return self

    def training_of(
        self,
        wirings: Sequence[Graph],
        values: ArrayLike,
        *,
        groups: Sequence[object] | None = None,
        parameters: Sequence[Mapping[str, object]] | None = None,
        columns: Mapping[str, ArrayLike] | None = None,
    ) -> Training:
        """Return what `fit` learns from when it is given the same: features, labels, groups and parameters."""
        self._check_options()
        prepared = self._prepared_for_training(_as_wirings(wirings))
        self.tiers_ = self._tiers(prepared)
        X, names = self._columns(prepared, self.tiers_, columns)
        lineage = [wiring.fingerprint for wiring in prepared] if groups is None else groups
        return Training.of(X, names, values, lineage, parameters)

    # Asking

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
        X, owner = self._described(wirings, columns)
        mean, spread = _pooled(self.fitted_.predict(X), owner, len(wirings))
        if not return_std:
            return mean
        variance, _ = _pooled(np.square(self.fitted_.std(X)), owner, len(wirings))
        return mean, np.sqrt(variance + np.square(spread))

    def interval(
        self, wirings: Sequence[Graph], coverage: float = 0.9, *, columns: Mapping[str, ArrayLike] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return between which values the value of one training is expected to lie, calibrated out of fold.

        Parameters
        ----------
        wirings : sequence of Wiring or networkx graph
        coverage : float
            Share of trainings that are to lie inside, above 0 and below 1.
        columns : mapping, optional
            As given to `fit`.

        Returns
        -------
        low, high : (n,) float arrays
        """
        if not 0 < coverage < 1:
            raise ValueError(f"coverage={coverage}: it must be above 0 and below 1, such as 0.9")
        X, owner = self._described(wirings, columns)
        mean, spread = _pooled(self.fitted_.predict(X), owner, len(wirings))
        scale, _ = _pooled(self.fitted_.scale(X), owner, len(wirings))
        return self.fitted_.interval(mean, scale, spread, coverage)

    def trains(
        self, wirings: Sequence[Graph], *, columns: Mapping[str, ArrayLike] | None = None
    ) -> NDArray[np.float64]:
        """Return the probability that a wiring trains at all, (n,) float; 1 where every training wiring did."""
        X, owner = self._described(wirings, columns)
        return _pooled(self.fitted_.trains(X), owner, len(wirings))[0]

    def in_domain(
        self, wirings: Sequence[Graph], *, columns: Mapping[str, ArrayLike] | None = None
    ) -> NDArray[np.bool_]:
        """Return whether wirings are like those trained, (n,) bool; predictions of others are guesses."""
        X, owner = self._described(wirings, columns)
        return _pooled(self.fitted_.domain.remoteness(X), owner, len(wirings))[0] <= 1

    def why_outside(self, wiring: Graph, *, columns: Mapping[str, ArrayLike] | None = None) -> str | None:
        """Return what puts a wiring outside of the domain, None where it is inside."""
        X, _ = self._described([wiring], columns)
        fitted = self.fitted_
        remoteness = fitted.domain.remoteness(X)
        return None if remoteness.mean() <= 1 else fitted.domain.reasons(X[remoteness.argmax()], fitted.names)

    def explain(
        self, wirings: Sequence[Graph], *, columns: Mapping[str, ArrayLike] | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """Return what families of features contribute to the prediction of each wiring, (n,) float by family.

        They sum to the prediction less the mean prediction of typical training wirings. An association, not a cause:
        see `predictors.explain.contributions`.
        """
        X, owner = self._described(wirings, columns)
        fitted = self.fitted_
        found = contributions(fitted.predict, X, families_of(fitted.names), self._background(), seed=self.seed)
        return {family: _pooled(values, owner, len(wirings))[0] for family, values in found.items()}

    def shap_values(
        self, wirings: Sequence[Graph], *, columns: Mapping[str, ArrayLike] | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """Return what single features contribute to each prediction, (n,) float by name; needs the package shap.

        Raises
        ------
        ValueError
            If it is not installed.
        """
        X, owner = self._described(wirings, columns)
        found = shap_values(self.fitted_.predict, X, self._background())
        return {
            name: _pooled(values, owner, len(wirings))[0]
            for name, values in zip(self.fitted_.names, found.T, strict=True)
        }

    def _background(self) -> NDArray[np.float64]:
        """Return the columns of some training wirings, which stand for a typical one."""
        X = self.fitted_.training.X
        return X[np.random.default_rng(self.seed).permutation(len(X))[:_BACKGROUND]]

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

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """Return the arguments of the constructor."""
        names = ("tiers", "pivots", "preparation", "metric", "direction", "bounds", "chance", "seed")
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
        if self.bounds is not None and not self.bounds[0] < self.bounds[1]:
            raise ValueError(f"bounds={self.bounds}: the first must be below the second")

    def _tiers(self, wirings: Sequence[Wiring]) -> tuple[str, ...]:
        if self.tiers is not None:
            names_of(self.tiers)
            return tuple(tier for tier in TIERS if tier in self.tiers)
        cyclic = any(not wiring.is_acyclic for wiring in wirings)
        return ("size", "structure", "recurrent") if cyclic else ("size", "structure")

    def _prepared_for_training(self, wirings: Sequence[Wiring]) -> list[Wiring]:
        if self.preparation is None:
            return list(wirings)
        prepared = []
        for index, wiring in enumerate(wirings):
            found = self.preparation.wirings(wiring)
            if len(found) > 1:
                raise ValueError(
                    f"graph {index} stands for {len(found)} wirings under this preparation: give the trained ones"
                )
            prepared += found
        return prepared

    def _described(
        self, wirings: Sequence[Graph], columns: Mapping[str, ArrayLike] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the columns of every wiring that the graphs stand for, and which graph each belongs to."""
        if not hasattr(self, "fitted_"):
            raise ValueError("this predictor is not fitted: call fit, or load one")
        graphs = _as_wirings(wirings)
        prepared = [[graph] if self.preparation is None else self.preparation.wirings(graph) for graph in graphs]
        owner = np.repeat(np.arange(len(graphs)), [len(found) for found in prepared])
        own = {name: _checked_column(name, values, len(graphs))[owner] for name, values in (columns or {}).items()}
        X, names = self._columns([wiring for found in prepared for wiring in found], self.tiers_, own)
        if names != self.fitted_.names:
            expected = ", ".join(self.fitted_.names[len(names_of(self.tiers_)) :]) or "none"
            raise ValueError(f"columns {', '.join(columns or ()) or 'none'}: this predictor was fitted with {expected}")
        return X, owner

    def _columns(
        self, wirings: Sequence[Wiring], tiers: tuple[str, ...], own: Mapping[str, ArrayLike] | None
    ) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        names = (*names_of(tiers), *(own or {}))
        blocks = [describe(wirings, tiers, self.pivots)]
        for name, values in (own or {}).items():
            blocks.append(_checked_column(name, values, len(wirings))[:, None])
        return np.concatenate(blocks, axis=1), names


def _checked_column(name: str, values: ArrayLike, n: int) -> NDArray[np.float64]:
    column = np.asarray(values, dtype=np.float64)
    if column.shape != (n,):
        raise ValueError(f"column {name!r} has shape {column.shape}: it needs one number for each of {n} wirings")
    return column


def _as_wirings(graphs: Sequence[Graph]) -> list[Wiring]:
    return [_as_wiring(graph, index) for index, graph in enumerate(graphs)]


def _as_wiring(graph: Graph, index: int) -> Wiring:
    if isinstance(graph, Wiring):
        return graph
    if not (hasattr(graph, "is_multigraph") and hasattr(graph, "adj")):
        raise ValueError(f"graph {index} is a {type(graph).__name__}: give wirings or networkx graphs")
    return Wiring.from_networkx(graph)


def _pooled(
    values: NDArray[np.float64], owner: NDArray[np.int64], n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation over the wirings of each graph, (n,) float both."""
    counts = np.maximum(np.bincount(owner, minlength=n), 1)
    mean = np.bincount(owner, values, minlength=n) / counts
    squares = np.bincount(owner, np.square(values - mean[owner]), minlength=n) / counts
    return mean, np.sqrt(squares)
