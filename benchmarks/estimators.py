"""The estimators beside those of scikit-learn, with the defaults of all, on the tables that scikit-learn brings.

Run from the repository's root: ``python -m benchmarks.estimators``. Everybody learns from the same folds of repeated
cross-validation; intervals of differences are corrected for training parts that overlap (Nadeau and Bengio 2003,
Inference for the generalization error, doi:10.1023/A:1024068626366).
"""

from __future__ import annotations

import argparse
import math
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
from scipy.stats import t as student
from sklearn.base import is_classifier
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.report import cpu_name, write
from nas import WiringClassifier, WiringRegressor, WiringSearchCV

DEFAULT_OUT = Path(__file__).resolve().parents[1] / "build" / "benchmarks" / "estimators.json"
TABLES: dict[str, Callable[..., Any]] = {
    "iris": load_iris,
    "wine": load_wine,
    "breast cancer": load_breast_cancer,
    "digits": load_digits,
    "diabetes": load_diabetes,
}
OWN = "wiring"


def contenders(*, classes: bool, trials: int) -> dict[str, Any]:
    """Return all estimators, of classes or of numbers; those that want it are given standardised features."""
    if classes:
        return {
            OWN: WiringClassifier(random_state=0),
            "searched wiring": WiringSearchCV(WiringClassifier(), trials=trials, random_state=0),
            "linear": make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000)),
            "dense MLP": make_pipeline(StandardScaler(), MLPClassifier(random_state=0)),
            "random forest": RandomForestClassifier(random_state=0),
        }
    dense = make_pipeline(StandardScaler(), MLPRegressor(random_state=0))
    return {
        OWN: WiringRegressor(random_state=0),
        "searched wiring": WiringSearchCV(WiringRegressor(), trials=trials, random_state=0),
        "linear": make_pipeline(StandardScaler(), Ridge()),
        "dense MLP": TransformedTargetRegressor(dense, transformer=StandardScaler()),
        "random forest": RandomForestRegressor(random_state=0),
    }


def measure(table: str, repeats: int, trials: int) -> dict[str, Any]:
    """Return what all contenders reach on a table, with differences of the wiring to each of the others."""
    X, y = TABLES[table](return_X_y=True)
    classes = table != "diabetes"
    make_folds = RepeatedStratifiedKFold if classes else RepeatedKFold
    folds = list(make_folds(n_splits=5, n_repeats=repeats, random_state=1).split(X, y))
    found: dict[str, Any] = {}
    for name, estimator in contenders(classes=classes, trials=trials).items():
        assert is_classifier(estimator) == classes
        began, scores = time.process_time(), []
        for train, test in folds:
            with warnings.catch_warnings(action="ignore"):  # MLPs of scikit-learn end before they have converged.
                scores.append(float(estimator.fit(X[train], y[train]).score(X[test], y[test])))
        of_repeats = np.array(scores).reshape(repeats, 5).mean(axis=1)
        found[name] = {
            "mean": fmean(scores),
            "std": stdev(of_repeats),
            "seconds": (time.process_time() - began) / len(folds),
            "scores": scores,
        }
    for name, own in found.items():
        if name != OWN:
            own["behind"] = difference(found[OWN]["scores"], own["scores"])
    return {"table": table, "metric": "accuracy" if classes else "R²", "shape": list(X.shape), "found": found}


def difference(first: list[float], second: list[float]) -> dict[str, float]:
    """Return the mean difference of scores on folds of a fifth each, and its corrected interval of 95 %."""
    each = np.subtract(first, second)
    mean, n = float(each.mean()), len(each)
    half = float(student.ppf(0.975, n - 1)) * math.sqrt((1 / n + 1 / 4) * float(each.var(ddof=1)))
    return {"mean": mean, "low": mean - half, "high": mean + half}


def main() -> None:
    """Measure, and write a JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=2, help="repetitions of five folds, at least 2")
    parser.add_argument("--trials", type=int, default=20, help="trials of a search")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    options = parser.parse_args()
    rows = []
    for table in TABLES:
        rows.append(measure(table, options.repeats, options.trials))
        for name, own in rows[-1]["found"].items():
            print(f"{table:14s} {name:16s} {own['mean']:.4f} ± {own['std']:.4f} {own['seconds']:.2f} s", flush=True)
    when = datetime.now(UTC).isoformat(timespec="seconds")
    write(options.out, {"cpu": cpu_name(), "date": when, "repeats": options.repeats, "trials": options.trials,
                        "tables": rows})  # fmt: skip


if __name__ == "__main__":
    main()
