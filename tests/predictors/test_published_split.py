"""The published experiment on 800 recurrent networks comes out again, to the last digits that were published."""

import csv
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler

from predictors.validation.metrics import r2

CELLS = {"rnn_tanh": 0.479, "rnn_relu": 0.361, "gru": 0.672, "lstm": 0.372}


def table_of(folder: Path, cell: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the 23 published features (200, 23) and the accuracies (200,) of one kind of cell."""
    with (folder / "stier2021" / f"structure_{cell}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = list(rows[0])
    names = columns[columns.index("layers") : columns.index("test_acc")]
    assert len(names) == 23
    return np.array([[float(row[name]) for name in names] for row in rows]), np.array(
        [float(row["test_acc"]) for row in rows]
    )


@pytest.mark.parametrize("cell", CELLS)
def test_bayesian_ridge_on_the_published_split(shared_data: Path, cell: str):
    X, y = table_of(shared_data, cell)
    # Scaled by all rows before they are split, as published; own validation never does that.
    scaled = MinMaxScaler().fit_transform(X)
    train, test, y_train, y_test = train_test_split(scaled, y, test_size=0.1, random_state=7)
    found = r2(y_test, BayesianRidge().fit(train, y_train).predict(test))
    with (shared_data / "stier2021" / "r_squared_published.csv").open(encoding="utf-8") as file:
        published = {row["mode"].lower(): float(row["BayesianRidge"]) for row in csv.DictReader(file)}
    assert len(y_test) == 20
    assert found == pytest.approx(published[cell], abs=1e-9)
    assert round(found, 3) == CELLS[cell]
