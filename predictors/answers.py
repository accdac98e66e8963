"""Answers: all that a predictor says of some graphs, from one description of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from predictors.explain import contributions, families_of, shap_values
from predictors.fitted import Fitted

__all__ = ["Answers"]

_BACKGROUND = 16


@dataclass(frozen=True)
class Answers:
    """What a predictor says of graphs; where a graph stands for several wirings, their mean.

    Parameters
    ----------
    fitted : Fitted
        What the predictor has learnt.
    X : (n_wirings, n_columns) float array
    owner : (n_wirings,) int64 array
        The graph that each wiring belongs to.
    n : int
        Graphs.
    seed : int
        Of the typical wirings that contributions are measured from.
    """

    fitted: Fitted
    X: NDArray[np.float64]
    owner: NDArray[np.int64]
    n: int
    seed: int

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """Expected values, (n,) float."""
        return self.pooled(self._of_wirings)

    @cached_property
    def std(self) -> NDArray[np.float64]:
        """Standard deviation of the value of one training about `mean`, (n,) float."""
        return np.sqrt(self.pooled(np.square(self.fitted.calibration.rms * self._scale)) + np.square(self._spread))

    def interval(self, coverage: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return between which values the value of one training is expected to lie, (n,) float both."""
        if not 0 < coverage < 1:
            raise ValueError(f"coverage={coverage}: it must be above 0 and below 1, such as 0.9")
        return self.fitted.interval(self.mean, self.pooled(self._scale), self._spread, coverage)

    @cached_property
    def trains(self) -> NDArray[np.float64]:
        """Probability that a wiring trains at all, (n,) float."""
        return self.pooled(self.fitted.trains(self.X))

    @cached_property
    def in_domain(self) -> NDArray[np.bool_]:
        """Whether graphs are like those trained, (n,) bool."""
        return self.pooled(self._remoteness) <= 1

    @property
    def why_outside(self) -> list[str | None]:
        """What puts each graph outside of the domain, None where it is inside."""
        found: list[str | None] = []
        for graph, inside in enumerate(self.in_domain.tolist()):
            own = np.flatnonzero(self.owner == graph)
            row = self.X[own[self._remoteness[own].argmax()]]
            found.append(None if inside else self.fitted.domain.reasons(row, self.fitted.names))
        return found

    def contributions(self) -> dict[str, NDArray[np.float64]]:
        """Return what families of features contribute to `mean`, (n,) float by family."""
        families = families_of(self.fitted.names)
        found = contributions(self.fitted.predict, self.X, families, self.background, seed=self.seed)
        return {family: self.pooled(values) for family, values in found.items()}

    def shap_values(self) -> dict[str, NDArray[np.float64]]:
        """Return what single columns contribute to `mean`, (n,) float by name."""
        found = shap_values(self.fitted.predict, self.X, self.background)
        return {name: self.pooled(values) for name, values in zip(self.fitted.names, found.T, strict=True)}

    @property
    def background(self) -> NDArray[np.float64]:
        """Columns of some training wirings, which stand for a typical one."""
        X = self.fitted.training.X
        return X[np.random.default_rng(self.seed).permutation(len(X))[:_BACKGROUND]]

    @cached_property
    def _of_wirings(self) -> NDArray[np.float64]:
        return self.fitted.predict(self.X)

    @cached_property
    def _scale(self) -> NDArray[np.float64]:
        return self.fitted.scale(self.X)

    @cached_property
    def _remoteness(self) -> NDArray[np.float64]:
        return self.fitted.domain.remoteness(self.X)

    @cached_property
    def _spread(self) -> NDArray[np.float64]:
        """Standard deviation of the expected values between the wirings that a graph stands for, (n,) float."""
        return np.sqrt(self.pooled(np.square(self._of_wirings - self.mean[self.owner])))

    def pooled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return means over the wirings of each graph, (n,) float."""
        counts = np.maximum(np.bincount(self.owner, minlength=self.n), 1)
        means: NDArray[np.float64] = np.bincount(self.owner, values, minlength=self.n) / counts
        return means
