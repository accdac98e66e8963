"""Judging a predictor by the wirings that it learnt from: refits, tables, figures."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nas.errors import as_input_errors
from nas.options.options import LEAST_TO_JUDGE
from nas.options.resolve import n_cores
from nas.prediction.answers import load_predictor, writing
from predictors import Predictor
from predictors.explain import association, families_of
from predictors.fitted import Training
from predictors.fitting import BlendFit, coverages, plain_fit
from predictors.members import Columns
from predictors.validation import Component, Validation, repeated_folds, validate
from predictors.validation.figures import plot_curves, plot_ladder, plot_predictions
from predictors.validation.fits import side_by_side
from predictors.validation.transfer import label_of
from priors.files import atomic_write

__all__ = ["explanation", "judge_training", "validate_into"]

_SMALLER = "the wirings need more memory than there is; learn from fewer"
_WORTH_PROCESSES = 10_000
"""Fits times wirings from which on several processes fit."""
_SIZES = (30, 60, 120, 240, 480, 960, 1920)
_LEVELS = (0.5, 0.8, 0.9)

Watch = Callable[[int, int], None]


def validate_into(out: Path, repeats: int, folds: int, watch: Watch) -> dict[str, Any]:
    """Judge the predictor in a folder and write ``validation/`` beside it: numbers, tables and figures.

    Returns
    -------
    dict
        The validation as JSON types, and the ``files`` that were written.
    """
    predictor = load_predictor(out)
    training = predictor.fitted_.training
    n = len(training.X)
    with as_input_errors(_SMALLER):
        if n < LEAST_TO_JUDGE:
            raise ValueError(
                f"{out}: {n} wirings are too few to judge a predictor by: at least {LEAST_TO_JUDGE} are needed"
            )
        validation = judge_training(training, repeats, folds, predictor=predictor, watch=watch)
    with writing(out / "validation"):
        files = _write_validation(out / "validation", predictor, validation)
    return {"out": str(out), **validation.to_json(), "rows": validation.rows(), "files": list(map(str, files))}


def judge_training(
    training: Training,
    repeats: int,
    folds: int,
    *,
    predictor: Predictor,
    components: Sequence[Component] = (),
    watch: Watch = lambda *_: None,
) -> Validation:
    """Judge what a predictor would learn from the mean labels of some wirings.

    Parameters
    ----------
    training : Training
    repeats, folds : int
    predictor : Predictor
        Its arguments count, not what it has learnt.
    components : sequence of Component
        Variance components of a nested design, to stand beside.
    watch : callable
        Called with the number of fits that are done, and of all.
    """
    n = len(training.X)
    families = training.families.tolist()
    has_families = all(families) and len(set(families)) > 1
    sizes = [size for size in _SIZES if size <= n * (folds - 1) // folds]
    n_sets = 8 if training.parameter_names else 7
    total = (1 + n_sets) * repeats * folds + len(sizes) * repeats + folds + len(set(families)) * has_families
    done = itertools.count(1)
    # Other processes take a second to begin.
    processes = n_cores() if total * n > _WORTH_PROCESSES else 1
    with side_by_side(processes, lambda: watch(min(next(done), total), total)) as fits:
        return validate(
            BlendFit(training.names, predictor.aim),
            training.X,
            training.names,
            training.labels,
            groups=training.groups.tolist(),
            families=families if has_families else None,
            parameters=training.parameter_rows() or None,
            reference_fit=BlendFit(aim=predictor.aim),
            ladder_fit=plain_fit,
            folds=folds,
            repeats=repeats,
            sizes=sizes,
            coverage=coverages(training, predictor.aim, _LEVELS, folds, predictor.seed, fits),
            components=components,
            maximise=predictor.direction == "maximize",
            seed=predictor.seed,
            fits=fits,
        )


def _write_validation(folder: Path, predictor: Predictor, validation: Validation) -> list[Path]:
    """Write numbers, tables and figures of a validation, each replaced at once."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "validation.json": json.dumps(validation.to_json(), indent=1, allow_nan=False) + "\n",
        "validation.md": f"# How good is this predictor?\n\n{validation.to_markdown()}",
    }
    for name, text in texts.items():
        with atomic_write(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    fitted = predictor.fitted_
    scale = fitted.scale(fitted.training.X)
    level = min(0.9, fitted.calibration.reach)
    low, high = fitted.interval(fitted.out_of_fold, scale, np.zeros(len(scale)), level)
    values = label_of(fitted.training.labels, "one")
    plot_predictions(folder / "predictions.png", values, fitted.out_of_fold, low, high, predictor.metric, level)
    plot_ladder(folder / "ladder.png", validation.references, validation.ladder, validation.limit)
    if validation.curve:
        plot_curves(folder / "learning-curve.png", {predictor.metric: validation.curve}, validation.limit)
    return sorted(path for path in folder.iterdir() if path.suffix in (".json", ".md", ".png"))


def explanation(out: Path, folds: int = 5) -> dict[str, Any]:
    """Return how much of R2 is lost when the columns of each family are shuffled, in fits that did not see the rows.

    Families whose columns are undefined or equal for all wirings are left out: no fit can use them.
    """
    predictor = load_predictor(out)
    training = predictor.fitted_.training
    families = families_of(training.names)
    used = {families[index] for index in Columns.fit(training.X).indices.tolist()}
    rng = np.random.default_rng(predictor.seed)
    fit = BlendFit(training.names, predictor.aim)
    lost: dict[str, list[float]] = {}
    with as_input_errors(_SMALLER):
        parts = repeated_folds(len(training.X), folds, 1, training.groups.tolist(), predictor.seed)[0]
    for held_out in parts:
        rest = np.setdiff1d(np.arange(len(training.X)), held_out)
        predict = fit(training.X[rest], training.means[rest], training.groups[rest], predictor.seed)
        shares = association(predict, training.X[held_out], training.means[held_out], families, rng)
        for family, share in shares.items():
            lost.setdefault(family, []).append(share)
    rows = [
        {
            "family": family,
            "r2_lost": float(np.mean(shares)),
            "sd": float(np.std(shares, ddof=1)),
            "features": [name for name, own in zip(training.names, families, strict=True) if own == family],
        }
        for family, shares in sorted(lost.items(), key=lambda item: -float(np.mean(item[1])))
        if family in used
    ]
    return {"out": str(out), **predictor.worth(), "families": rows}
