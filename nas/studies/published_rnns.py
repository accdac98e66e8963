"""How far structure predicts the accuracy of 800 published recurrent networks, judged by repeated cross-validation.

The published regressors and the blend of `predictors` see the same folds; beside them stand the ladder of baselines and
what single random splits, of which the published table is one, say by chance.

References
----------
J. Stier, H. Darji and M. Granitzer, "Experiments on properties of hidden structures of sparse neural networks", 2021,
arXiv:2107.12917. The tables and graphs are those of H. Darji's thesis, arXiv:2407.20601.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError
from nas.report.card import markdown_table
from nas.studies.tables import check_study, describe_differences, format_estimate, format_share, table_of, write_results
from predictors import TIERS, describe, names_of
from predictors.fitting import BlendFit, plain_fit
from predictors.validation import (
    difference,
    estimate_r2,
    kendall,
    ladder,
    out_of_fold,
    read_estimate,
    repeated_folds,
    single_splits,
)
from predictors.validation.figures import plot_ladder, plot_single_splits
from predictors.validation.fits import Fit, Predict
from predictors.validation.resampling import share_interval
from priors import Wiring, layer, orient

__all__ = ["CELLS", "pages", "published_rnns", "read_cell"]

CELLS = {"gru": "GRU", "lstm": "LSTM", "rnn_relu": "RNN_RELU", "rnn_tanh": "RNN_TANH"}
"""The four tables, and what the graphs call their cells."""
REGRESSORS = ("BayesianRidge", "RandomForestRegressor", "AdaBoostRegressor")
"""The regressors of the published table, with the defaults of scikit-learn."""
BLEND, SOURCES = "blend", "source nodes alone"
FOLDS, REPEATS, SPLITS = 5, 20, 200
LADDER_REPEATS = 5
CLAIMED = 0.81
"""R2 that the abstract gives, for GRU networks and a random forest."""
COLLAPSED = 0.55
"""Accuracies below it are those of networks that predict one class for everything."""

_AHEAD = (
    "the blend is ahead on {}",
    "the blend is BEHIND on {}",
    "on {} the two are not told apart, since the interval holds 0",
)


@dataclass(frozen=True)
class Cell:
    """One published table: its 23 columns, our columns of the same graphs, accuracies, and published R2."""

    name: str
    published: NDArray[np.float64]
    X: NDArray[np.float64]
    y: NDArray[np.float64]
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
        Called with the number of cells that are done, and of all.

    Raises
    ------
    InputError
        If a file is missing.
    """
    check_study(out, "published-rnns")
    cells = [read_cell(data, cell) for cell in CELLS]
    found = {}
    with ProcessPoolExecutor(2) as executor:
        for cell, result in zip(cells, executor.map(_study, cells), strict=True):
            found[cell.name] = result
            watch(len(found), len(cells))
    out.mkdir(parents=True, exist_ok=True)
    for name, result in found.items():
        plot_ladder(out / f"ladder-{name}.png", (), result["ladder"])
    splits = {name: result["single_splits"]["RandomForestRegressor"] for name, result in found.items()}
    published = {cell.name: cell.r2["RandomForestRegressor"] for cell in cells}
    plot_single_splits(out / "single-splits.png", splits, published)
    return {"out": str(out), "cells": write_results(out, "published-rnns.json", found, pages)}


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
    graphs = {(record["mode"], record["graph"], str(record["graph_nr"])): record for record in records}
    wirings = [_wiring(graphs[row["mode"], row["graph"], row["graph_nr"]]) for row in rows]
    return Cell(
        cell,
        np.array([[float(row[name]) for name in names] for row in rows]),
        describe(wirings, TIERS),
        np.array([float(row["test_acc"]) for row in rows]),
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
    predicted[SOURCES] = out_of_fold(plain_fit, cell.published[:, [3]], cell.y, parts)
    names = names_of(TIERS)
    predicted[BLEND] = out_of_fold(BlendFit(names), cell.X, cell.y, parts)
    scores = {name: estimate_r2(cell.y, rows) for name, rows in predicted.items()}
    best = max(REGRESSORS, key=lambda name: scores[name].mean)
    return {
        "n": len(cell.y),
        "folds": FOLDS,
        "repeats": REPEATS,
        "ladder_repeats": LADDER_REPEATS,
        "collapsed": int((cell.y < COLLAPSED).sum()),
        "published": dict(cell.r2),
        "r2": scores,
        "tau": {name: float(np.mean([kendall(cell.y, row) for row in rows])) for name, rows in predicted.items()},
        "best": best,
        "blend_less_best": difference(cell.y, predicted[BLEND], predicted[best]),
        "blend_less": {name: difference(cell.y, predicted[BLEND], predicted[name]) for name in (*REGRESSORS, SOURCES)},
        "ladder": ladder(plain_fit, cell.X, names, cell.y, parts[:LADDER_REPEATS]),
        "single_splits": {
            name: single_splits(_published_fit(name), cell.published, cell.y, SPLITS).tolist() for name in REGRESSORS
        },
    }


# Report


def pages(numbers: Mapping[str, Any]) -> dict[str, str]:
    """Return the text of every page by the name of its file, from the numbers as they are read back.

    Numbers of an older version do not say how many folds and repeats there were, and hold no differences from other
    regressors than the best one.
    """
    first = next(iter(numbers.values()))
    text = _TEXT.format(
        repeats=first.get("repeats", REPEATS),
        folds=first.get("folds", FOLDS),
        splits=len(next(iter(first["single_splits"].values()))),
        ladder_repeats=first.get("ladder_repeats", LADDER_REPEATS),
        n=first["n"],
        told_apart=describe_differences(
            {name: read_estimate(cell["blend_less_best"]) for name, cell in numbers.items()}, _AHEAD, "; "
        ),
        table=_score_table(numbers),
        each=_each(numbers),
        ladder=_ladder_table(numbers),
        single=_split_table(numbers),
        claim=_claim(numbers),
    )
    return {"README.md": text}


def _score_table(numbers: Mapping[str, Any]) -> str:
    rows = []
    for name, cell in numbers.items():
        means = {fit: f"{score['mean']:.3f}" for fit, score in cell["r2"].items()}
        means[cell["best"]] = f"**{means[cell['best']]}**"
        gain = read_estimate(cell["blend_less_best"])
        rows.append(
            {
                "cell": name,
                "blend - best": format_estimate(gain, "+"),
                "sd over repeats": f"{gain.sd:.3f}",
                **{fit: means[fit] for fit in (BLEND, *REGRESSORS, SOURCES)},
                "tau of the blend": f"{cell['tau'][BLEND]:.3f}",
                "collapsed runs": str(cell["collapsed"]),
            }
        )
    return table_of(rows)


def _each(numbers: Mapping[str, Any]) -> str:
    """Return the differences from each rival, which leave nothing to a choice afterwards."""
    if not all("blend_less" in cell for cell in numbers.values()):
        return "Intervals of the differences from the other regressors and from the source nodes alone were not kept."
    rivals = (*REGRESSORS, SOURCES)
    rows = [
        (name, *(format_estimate(read_estimate(cell["blend_less"][rival]), "+") for rival in rivals))
        for name, cell in numbers.items()
    ]
    table = markdown_table(("cell", *(f"blend - {rival}" for rival in rivals)), rows)
    return f"The same differences from each of them, with intervals over graphs:\n\n{table}"


def _ladder_table(numbers: Mapping[str, Any]) -> str:
    return table_of(
        [{"cell": name, **{step["name"]: _rung(step) for step in cell["ladder"]}} for name, cell in numbers.items()]
    )


def _rung(step: Mapping[str, Any]) -> str:
    gain = "" if step["delta"] is None else f" ({format_estimate(read_estimate(step['delta']), '+')})"
    return f"{step['r2']['mean']:.3f}{gain}"


def _split_table(numbers: Mapping[str, Any]) -> str:
    rows = []
    for name, cell in numbers.items():
        for fit, splits in cell["single_splits"].items():
            values = np.array([np.nan if value is None else value for value in splits])
            published = cell["published"][fit]
            quantiles = (f"{value:.2f}" for value in np.nanquantile(values, [0.1, 0.5, 0.9]))
            rows.append((name, fit, *quantiles, f"{published:.3f}", f"{np.mean(values < published):.0%}"))
    return markdown_table(("cell", "regressor", "10 %", "median", "90 %", "published", "splits below it"), rows)


def _claim(numbers: Mapping[str, Any]) -> str:
    if "gru" not in numbers:
        return ""
    splits = numbers["gru"]["single_splits"]["RandomForestRegressor"]
    share = sum(value is not None and value >= CLAIMED for value in splits) / len(splits)
    return (
        f"\nThe abstract's R2 of .81, for GRU and a random forest, is reached by {share:.0%} of these splits; of all "
        f"splits of these graphs that is {format_share(share, *share_interval(share, len(splits)))}.\n"
    )


_TEXT = """\
# What structure says about 800 published recurrent networks

{n} random graphs a cell, one training each, from Stier, Darji and Granitzer 2021 (arXiv:2107.12917). Made by
`wirenas study published-rnns --data FOLDER`, where `FOLDER/stier2021` holds the published tables and graphs.

## Repeated cross-validation

R2 of pooled out-of-fold predictions, mean over {repeats} repeats of {folds} folds that are the same for all. The
published regressors have scikit-learn's defaults and see the 23 published columns; the blend sees every feature of the
graphs as they were oriented. "blend - best" is the paired difference from the best published regressor (bold), with a
95 % interval over graphs: how far it would move with other graphs to predict; the fits are not made anew.

By these intervals {told_apart}.

{table}

Which regressor is the best was found afterwards for each cell, by the R2 that is compared. The intervals do not know of
that choice, which makes the difference smaller rather than larger, nor are they corrected for the number of cells. "sd
over repeats" is the standard deviation of the difference when the same graphs are split into other folds; it says
nothing about other graphs.

{each}

There is one training a graph, so the noise of training seeds, and with it the ceiling, is not known. Collapsed runs
have an accuracy below .55: they predict one class for everything.

## The ladder

R2 of the same simple fit (the mean of a Bayesian ridge and extra trees) on more and more columns, over the first
{ladder_repeats} repeats, and the gain over the step before with its 95 % interval over graphs.

{ladder}

## What one split would have said

R2 on the 20 graphs that a random 90/10 split holds out, over {splits} splits. The published table is one such split.
All splits are of the same graphs: how they scatter is the luck of the split alone, and other graphs would add their
own.

{single}
{claim}
![R2 over single random splits](single-splits.png)
"""
