"""What a predictor has learnt, and from what: arrays and small objects of arrays."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predictors.calibration import Calibration
from predictors.domain import Domain
from predictors.members import Member, Trees

__all__ = ["LARGEST", "LEAST_WIRINGS", "Fitted", "Training"]

LEAST_WIRINGS = 5
"""Fewer do not make folds."""

LARGEST = 1e100
"""Largest value, and inverse of the smallest range of values, that sums of squares can hold."""


@dataclass(frozen=True)
class Training:
    """The wirings that a predictor learnt from, as columns, and how they did.

    Parameters
    ----------
    X : (n, n_columns) float array
    names : tuple of str
        Of the columns.
    labels : (n, n_replicates) float array
        NaN where a wiring was trained less often than others.
    groups : (n,) int64 array
        Lineage; equal numbers are never on both sides of a fold.
    parameters : (n, n_parameters) float array
        What wirings were drawn from: numbers as they are, NaN where one was not given, and a column of 0 and 1 for
        every value of a text.
    parameter_names : tuple of str
        Such as "n" and "family=watts-strogatz".
    """

    X: NDArray[np.float64]
    names: tuple[str, ...]
    labels: NDArray[np.float64]
    groups: NDArray[np.int64]
    parameters: NDArray[np.float64]
    parameter_names: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        X: NDArray[np.float64],
        names: Sequence[str],
        values: ArrayLike,
        groups: Sequence[Hashable],
        parameters: Sequence[Mapping[str, object]] | None,
    ) -> Training:
        """Check what was given to `Predictor.fit`, and encode it.

        Raises
        ------
        ValueError
            For too few wirings, lengths that differ, a wiring without any value, or values that are not finite.
        """
        from predictors.validation.baselines import parameter_table

        labels = np.asarray(values, dtype=np.float64)
        labels = labels[:, None] if labels.ndim == 1 else np.atleast_2d(labels)
        n = len(X)
        if n < LEAST_WIRINGS:
            raise ValueError(f"{n} wirings: a predictor learns from at least {LEAST_WIRINGS}")
        for name, given in (("values", labels), ("groups", groups), ("parameters", parameters)):
            if given is not None and len(given) != n:
                raise ValueError(f"{name} are given for {len(given)} wirings, but there are {n}")
        known = np.isfinite(labels)
        if labels.ndim != 2 or not known.any(axis=1).all() or np.isinf(labels).any():
            raise ValueError("values must be one finite number a wiring, or a row of them of which some may be NaN")
        largest, width = float(np.nanmax(np.abs(labels))), float(np.nanmax(labels) - np.nanmin(labels))
        if largest > LARGEST or 0 < width < 1 / LARGEST:
            raise ValueError(f"values of {largest:.3g} with a range of {width:.3g} cannot be learnt: rescale them")
        codes: dict[Hashable, int] = {}
        numbers = np.array([codes.setdefault(group, len(codes)) for group in groups], dtype=np.int64)
        encoded, encoded_names = parameter_table(parameters or [{}] * n)
        return cls(X, tuple(names), labels, numbers, encoded, tuple(encoded_names))

    def rows(self, chosen: NDArray[np.int64]) -> Training:
        """Return some of the wirings."""
        return Training(
            self.X[chosen],
            self.names,
            self.labels[chosen],
            self.groups[chosen],
            self.parameters[chosen],
            self.parameter_names,
        )

    @property
    def means(self) -> NDArray[np.float64]:
        """Mean label of every wiring, (n,) float."""
        return np.asarray(np.nanmean(self.labels, axis=1), dtype=np.float64)

    @property
    def families(self) -> NDArray[np.str_]:
        """The family that each wiring was drawn from, (n,) str; empty where that is not known."""
        found = np.full(len(self.X), "", dtype="<U64")
        for index, name in enumerate(self.parameter_names):
            if name.startswith("family="):
                found[self.parameters[:, index] == 1] = name.removeprefix("family=")
        return found

    def parameter_rows(self) -> list[dict[str, float]]:
        """Return what each wiring was drawn from, one mapping a wiring; empty where that is not known."""
        if not self.parameter_names:
            return []
        return [dict(zip(self.parameter_names, row, strict=True)) for row in self.parameters.tolist()]

    def summary(self) -> str:
        """Say in a line what the wirings were."""
        n_labels = int(np.isfinite(self.labels).sum())
        parts = [f"{len(self.X)} wirings, {n_labels} trainings"]
        for name, noun in (("n_neurons", "neurons"), ("n_edges", "edges")):
            if name in self.names:
                column = self.X[:, self.names.index(name)]
                low, high = f"{np.nanmin(column):.0f}", f"{np.nanmax(column):.0f}"
                parts.append(f"{low} {noun}" if low == high else f"{low} to {high} {noun}")
        families = sorted(set(self.families.tolist()) - {""})
        return ", ".join(parts + ([" and ".join(families)] if families else []))


@dataclass(frozen=True)
class Fitted:
    """What a predictor has learnt.

    Parameters
    ----------
    members : tuple of Member
        Of the blend.
    weights : (n_members,) float array
        Their shares in the prediction, at least 0, in sum 1.
    member_names : tuple of str
    classifier : Member or None
        Gives the probability that a wiring trains at all; None where all training wirings did.
    domain : Domain
    calibration : Calibration
    out_of_fold : (n,) float array
        Predictions of the training wirings, each made without its group.
    bounds : (float, float)
        What values can be; infinite where that is not known.
    spread_factor : float
        From the standard deviation over trees to that of values about predictions.
    references : mapping
        R2 out of fold of the predictor and of what it must beat, by name.
    training : Training
    """

    members: tuple[Member, ...]
    weights: NDArray[np.float64]
    member_names: tuple[str, ...]
    classifier: Member | None
    domain: Domain
    calibration: Calibration
    out_of_fold: NDArray[np.float64]
    bounds: tuple[float, float]
    spread_factor: float
    training: Training
    references: Mapping[str, float] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.training.names

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the expected values of rows, (n,) float."""
        total = np.zeros(len(X))
        for member, weight in zip(self.members, self.weights.tolist(), strict=True):
            if weight > 0:
                total += weight * member.predict(X)
        return np.clip(total, *self.bounds)

    def scale(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the typical absolute error of rows, (n,) float.

        Outside of the domain it grows to twice the standard deviation of all labels, which is to know nothing.
        """
        inside = self.calibration.scales(X)
        outside = np.maximum(inside, 2 * float(np.nanstd(self.training.labels)))
        return inside + np.clip(self.domain.remoteness(X) - 1, 0.0, 1.0) * (outside - inside)

    def interval(
        self, mean: NDArray[np.float64], scale: NDArray[np.float64], spread: NDArray[np.float64], coverage: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the ends of intervals about predictions, with a spread between preparations added to their scale."""
        below, above = self.calibration.offsets(coverage)
        width = np.sqrt(np.square(scale) + np.square(spread / max(self.calibration.rms, 1e-12)))
        return np.clip(mean + below * width, *self.bounds), np.clip(mean + above * width, *self.bounds)

    def spread(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the disagreement of the trees of forests, on the scale of values about predictions, (n,) float.

        It ranks how unsure predictions are, where `scale` gives their level; without forests it is the same everywhere.
        """
        found = [member.spread(X) for member in self.members if isinstance(member, Trees) and member.is_forest]
        return self.spread_factor * (np.mean(found, axis=0) if found else np.ones(len(X)))

    def trains(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability that rows train at all, (n,) float."""
        return np.ones(len(X)) if self.classifier is None else self.classifier.predict(X)
