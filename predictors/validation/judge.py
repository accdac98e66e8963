"""validate: every check of this package in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predictors.validation.baselines import SIZE_TIER, ladder, predict_sets, reference_sets, steps_of
from predictors.validation.ceiling import noise_ceiling
from predictors.validation.components import Component
from predictors.validation.crossval import checked_table, difference, out_of_fold, score, single_splits
from predictors.validation.fits import HERE, Fit, Fits
from predictors.validation.folds import repeated_folds
from predictors.validation.report import Validation
from predictors.validation.resampling import codes_of
from predictors.validation.transfer import Label, bins_of, label_of, learning_curve, leave_one_family_out, within

__all__ = ["validate"]


def validate(
    fit: Fit,
    X: ArrayLike,
    names: Sequence[str],
    labels: ArrayLike,
    *,
    label: Label = "mean",
    groups: Sequence[Any] | NDArray[Any] | None = None,
    families: Sequence[str] | None = None,
    parameters: Sequence[Mapping[str, Any]] | None = None,
    reference_fit: Fit | None = None,
    ladder_fit: Fit | None = None,
    folds: int = 5,
    repeats: int = 20,
    sizes: Sequence[int] = (),
    n_splits: int = 0,
    coverage: Mapping[float, float] | None = None,
    components: Sequence[Component] = (),
    maximise: bool = True,
    seed: int = 0,
    fits: Fits = HERE,
) -> Validation:
    """Judge a fit by repeated cross-validation, beside its references, its ladder and the noise ceiling.

    Parameters
    ----------
    fit : Fit
    X : (n, k) array
        Features of the tiers size, structure and any others, NaN where undefined.
    names : sequence of k str
    labels : (n,), (n, replicates) or (n, replicates, splits) array
        NaN where not measured; of several evaluation sets the first is the one that is predicted.
    label : {"mean", "one"}
        Whether to fit and score by the mean over replicates or by the first of them alone.
    groups : sequence of n labels, optional
        Rows of one label are never on both sides of a split.
    families : sequence of n str, optional
    parameters : sequence of n mappings, optional
        The parameters of the priors, for the baseline that knows nothing else.
    reference_fit, ladder_fit : Fit, optional
        What the references and the ladder are fitted with; by default the ladder by `fit`, the references like it. A
        predictor stands beside references of its own kind, or else a better fit is taken for better columns.
    folds, repeats : int
    sizes : sequence of int
        Numbers of training rows of the learning curve; none by default.
    n_splits : int
        Single random splits, as in the published protocol; none by default.
    coverage : mapping of float to float, optional
    components : sequence of Component
    maximise : bool
        Whether more of the label is better, for the regret.
    seed : int
    fits : Fits
        Runs them.

    Returns
    -------
    Validation
    """
    values = np.asarray(labels, dtype=np.float64)
    replicates = values.reshape(*values.shape, *(1,) * (3 - values.ndim))
    table, y = checked_table(X, label_of(replicates[:, :, 0], label))
    codes = codes_of(groups, len(y))
    parts = repeated_folds(len(y), folds, repeats, codes, seed)
    predicted = out_of_fold(fit, table, y, parts, codes, seed, fits)
    sets = reference_sets(table, names, parameters)
    rivals = predict_sets(reference_fit or ladder_fit or fit, sets, y, parts, codes, seed, fits)
    curve = learning_curve(fit, table, replicates[:, :, 0], sizes, repeats, seed, codes, label, fits) if sizes else []
    single = len(set(families or ())) < 2
    return Validation(
        n=len(y),
        groups=int(codes.max()) + 1,
        folds=folds,
        repeats=repeats,
        label=label,
        score=score(y, predicted, codes, maximise=maximise, seed=seed),
        gain=difference(y, predicted, rivals[SIZE_TIER], codes, seed),
        references=steps_of(y, sets, rivals, codes, seed, chained=False),
        ladder=ladder(ladder_fit or fit, table, names, y, parts, codes, seed, fits),
        ceiling=noise_ceiling(replicates, codes, seed=seed),
        within_family=within(y, predicted, families, codes) if families is not None else (),
        within_size=within(y, predicted, bins_of(table[:, list(names).index("n_neurons")]), codes),
        left_out=() if single else leave_one_family_out(fit, table, y, families or (), codes, seed, fits),
        curve=curve,
        coverage=dict(coverage or {}),
        components=components,
        single_splits=single_splits(fit, table, y, n_splits, seed=seed).tolist() if n_splits else (),
    )
