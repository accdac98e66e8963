"""How far structure predicts the accuracy of 800 published recurrent networks, judged by repeated cross-validation.

The published regressors and the blend of `predictors` see the same folds; beside them stand the ladder of baselines and
what single random splits, of which the published table is one, say by chance. Imports scikit-learn, no torch.

References
----------
J. Stier, H. Darji and M. Granitzer, "Experiments on properties of hidden structures of sparse neural networks", 2021,
arXiv:2107.12917. The tables and graphs are those of H. Darji's thesis, arXiv:2407.20601.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError
from nas.studies.tables import markdown_table, plain, said, write_text
from predictors import TIERS, describe, names_of
from predictors.fitting import BlendFit, plain_fit
from predictors.validation import (
    difference,
    estimate_r2,
    kendall,
    ladder,
    out_of_fold,
    r2,
    repeated_folds,
    single_splits,
)
from predictors.validation.crossval import Estimate, Fit, Predict
from predictors.validation.figures import plot_ladder, plot_single_splits
from priors import Wiring, layer, orient

__all__ = ["CELLS", "published_rnns", "read_cell"]

CELLS = {"gru": "GRU", "lstm": "LSTM", "rnn_relu": "RNN_RELU", "rnn_tanh": "RNN_TANH"}
"""The four tables, and what the graphs call their cells."""
REGRESSORS = ("BayesianRidge", "RandomForestRegressor", "AdaBoostRegressor")
"""The regressors of the published table, with the defaults of scikit-learn."""
BLEND = "blend"
FOLDS, REPEATS, SPLITS = 5, 20, 200
LADDER_REPEATS = 5
CLAIMED = 0.81
"""R2 that the abstract gives, for GRU networks and a random forest."""
COLLAPSED = 0.55
"""Accuracies below it are those of networks that predict one class for everything."""


@dataclass(frozen=True)
class Cell:
    """One published table: its 23 columns, our columns of the same graphs, accuracies, and what was published."""

    name: str
    published: NDArray[np.float64]
    X: NDArray[np.float64]
    y: NDArray[np.float64]
    families: tuple[str, ...]
    r2: Mapping[str, float]


def published_rnns(data: Path, out: Path, watch: Callable[[int, int], None] = lambda *_: None) -> dict[str, Any]:
    """Run the study and write its numbers, tables and figures.

    Parameters
    ----------
    data : Path
        A folder that holds ``stier2021``: ``graphs.json``, ``structure_*.csv`` and ``r_squared_published.csv``.
    out : Path
        Where to write.
    watch : callable
        Told how many of how many parts are done.

    Raises
    ------
    InputError
        If a file is missing.
    """
    cells = [read_cell(data, cell) for cell in CELLS]
    found = {}
    with ProcessPoolExecutor(2) as executor:
        for index, result in enumerate(executor.map(_study, cells)):
            found[cells[index].name] = result
            watch(index + 1, len(cells))
    out.mkdir(parents=True, exist_ok=True)
    for cell in cells:
        steps = found[cell.name]
        plot_ladder(out / f"ladder-{cell.name}.png", (), steps["ladder"])
    splits = {cell.name: found[cell.name]["single_splits"]["RandomForestRegressor"] for cell in cells}
    plot_single_splits(
        out / "single-splits.png", splits, {cell.name: cell.r2["RandomForestRegressor"] for cell in cells}
    )
    numbers: dict[str, Any] = plain(found)
    write_text(out / "published-rnns.json", json.dumps(numbers, indent=1, allow_nan=False) + "\n")
    write_text(out / "README.md", _report(found))
    return {"out": str(out), "cells": numbers}


# Data


def read_cell(data: Path, cell: str) -> Cell:
    """Read one published table, and describe its graphs as the networks that were made of them: oriented by index."""
    folder = data / "stier2021"
    try:
        with (folder / f"structure_{cell}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        with (folder / "r_squared_published.csv").open(encoding="utf-8", newline="") as file:
            published = {row["mode"]: row for row in csv.DictReader(file)}
        records = json.loads((folder / "graphs.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{error.filename}: the published tables are needed here: {error.strerror}") from None
    columns = list(rows[0])
    names = columns[columns.index("layers") : columns.index("test_acc")]
    graphs = {(r["mode"], r["graph"], str(r["graph_nr"])): r for r in records}
    own = [graphs[row["mode"], row["graph"], row["graph_nr"]] for row in rows]
    wirings = [_wiring(record) for record in own]
    return Cell(
        cell,
        np.array([[float(row[name]) for name in names] for row in rows]),
        describe(wirings, TIERS),
        np.array([float(row["test_acc"]) for row in rows]),
        tuple(row["graph"] for row in rows),
        {name: float(published[CELLS[cell]][name]) for name in REGRESSORS},
    )


def _wiring(record: Mapping[str, Any]) -> Wiring:
    edges = np.array(record["edges"]).reshape(-1, 2)
    return layer(orient(Wiring((record["n"],), np.concatenate([edges, edges[:, ::-1]])), "index"))


# Fits


def _published_fit(name: str) -> Fit:
    def fit(X: NDArray[np.float64], y: NDArray[np.float64], _: NDArray[np.int64], seed: int) -> Predict:
        from sklearn import ensemble, linear_model
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import MinMaxScaler

        seeded = {} if name == "BayesianRidge" else {"random_state": seed % 2**31}
        regressor = getattr(ensemble, name, None) or getattr(linear_model, name)
        predict: Predict = make_pipeline(MinMaxScaler(), regressor(**seeded)).fit(X, y).predict
        return predict

    return fit


def _study(cell: Cell) -> dict[str, Any]:
    parts = repeated_folds(len(cell.y), FOLDS, REPEATS, seed=0)
    predicted = {name: out_of_fold(_published_fit(name), cell.published, cell.y, parts) for name in REGRESSORS}
    source_nodes = cell.published[:, [3]]
    predicted["source nodes alone"] = out_of_fold(plain_fit, source_nodes, cell.y, parts)
    names = names_of(TIERS)
    predicted[BLEND] = out_of_fold(BlendFit(names), cell.X, cell.y, parts)
    scores = {name: estimate_r2(cell.y, rows) for name, rows in predicted.items()}
    best = max(REGRESSORS, key=lambda name: scores[name].mean)
    return {
        "n": len(cell.y),
        "collapsed": int((cell.y < COLLAPSED).sum()),
        "published": dict(cell.r2),
        "r2": scores,
        "tau": {name: float(np.mean([kendall(cell.y, row) for row in rows])) for name, rows in predicted.items()},
        "best": best,
        "blend_less_best": difference(cell.y, predicted[BLEND], predicted[best]),
        "by_repeat": _paired(cell.y, predicted[BLEND], predicted[best]),
        "ladder": ladder(plain_fit, cell.X, names, cell.y, parts[:LADDER_REPEATS]),
        "single_splits": {
            name: single_splits(_published_fit(name), cell.published, cell.y, SPLITS).tolist() for name in REGRESSORS
        },
    }


def _paired(y: NDArray[np.float64], own: NDArray[np.float64], other: NDArray[np.float64]) -> Estimate:
    """Return the difference of R2 over the repeats of the folds, with its 95 % interval (Student's t)."""
    from scipy.stats import t

    gains = np.array([r2(y, a) - r2(y, b) for a, b in zip(own, other, strict=True)])
    mean, sd = float(gains.mean()), float(gains.std(ddof=1))
    half = float(t.ppf(0.975, len(gains) - 1)) * sd / len(gains) ** 0.5
    return Estimate(mean, sd, mean - half, mean + half)


# Report


def _report(found: Mapping[str, Mapping[str, Any]]) -> str:
    rows: list[Sequence[str]] = []
    for name, cell in found.items():
        scores = cell["r2"]
        rows.append(
            (
                name,
                *(f"{scores[regressor].mean:.3f}" for regressor in REGRESSORS),
                f"{scores['source nodes alone'].mean:.3f}",
                f"**{scores[BLEND].mean:.3f}** ± {scores[BLEND].sd:.3f}",
                said(cell["by_repeat"], sign="+"),
                f"{cell['tau'][BLEND]:.3f}",
                str(cell["collapsed"]),
            )
        )
    header = ("cell", *REGRESSORS, "source nodes alone", "blend", "blend - best", "tau of the blend", "collapsed runs")
    rungs = next(iter(found.values()))["ladder"]
    ladder_rows = [(name, *(f"{step.r2.mean:.3f}" for step in cell["ladder"])) for name, cell in found.items()]
    split_rows = []
    for name, cell in found.items():
        for fit, values in cell["single_splits"].items():
            low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
            published = cell["published"].get(fit)
            split_rows.append(
                (
                    name,
                    fit,
                    f"{low:.2f}",
                    f"{middle:.2f}",
                    f"{high:.2f}",
                    "" if published is None else f"{published:.3f}",
                    "" if published is None else f"{np.mean(np.array(values) < published):.0%}",
                )
            )
    return _TEXT.format(
        repeats=REPEATS,
        folds=FOLDS,
        splits=SPLITS,
        ladder_repeats=LADDER_REPEATS,
        claim=_claim(found),
        table=markdown_table(header, rows),
        ladder=markdown_table(("cell", *(step.name for step in rungs)), ladder_rows),
        single=markdown_table(
            ("cell", "regressor", "10 %", "median", "90 %", "published", "splits below it"), split_rows
        ),
    )


def _claim(found: Mapping[str, Mapping[str, Any]]) -> str:
    if "gru" not in found:
        return ""
    share = np.mean(np.array(found["gru"]["single_splits"]["RandomForestRegressor"]) >= CLAIMED)
    return f"\nThe abstract's R2 of .81, for GRU and a random forest, is reached by {share:.0%} of these splits.\n"


_TEXT = """\
# What structure says about 800 published recurrent networks

200 random graphs a cell, one training each, from Stier, Darji and Granitzer 2021 (arXiv:2107.12917). Made by
`wirenas study published-rnns --data FOLDER`, where `FOLDER/stier2021` holds the published tables and graphs.

## Repeated cross-validation

R2 of pooled out-of-fold predictions, mean over {repeats} repeats of {folds} folds that are the same for all; the blend
with its standard deviation over repeats. The published regressors have scikit-learn's defaults and see the 23 published
columns; the blend sees every feature of the graphs as they were oriented. "blend - best" is the paired difference from
the best published regressor, chosen afterwards for each cell, with a 95 % interval over the repeats.

{table}

There is one training a graph, so the noise of training seeds, and with it the ceiling, is not known. Collapsed runs
have an accuracy below .55: they predict one class for everything.

## The ladder

R2 of the same simple fit (the mean of a Bayesian ridge and extra trees) on more and more columns, over the first
{ladder_repeats} repeats.

{ladder}

## What one split would have said

R2 on the 20 graphs that a random 90/10 split holds out, over {splits} splits. The published table is one such split.

{single}
{claim}
![R2 over single random splits](single-splits.png)
"""
