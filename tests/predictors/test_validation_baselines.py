"""The ladder climbs from parameters to everything over the same folds, and its references know only what they say."""

import numpy as np
import pytest

from predictors.features.table import FEATURES, names_of
from predictors.validation.baselines import (
    EVERYTHING,
    LADDER,
    ladder,
    ladder_sets,
    parameter_table,
    reference_sets,
    references,
)
from predictors.validation.fits import Predict
from predictors.validation.folds import repeated_folds

NAMES = [*names_of(("size", "structure")), "an_own_column"]
FOLDS = repeated_folds(120, 5, 4)


def fit_line(X: np.ndarray, y: np.ndarray, groups: np.ndarray, seed: int) -> Predict:
    def columns(rows: np.ndarray) -> np.ndarray:
        return np.column_stack([np.nan_to_num(rows), np.ones(len(rows))])

    weights = np.linalg.solve(columns(X).T @ columns(X) + np.eye(X.shape[1] + 1), columns(X).T @ y)
    return lambda rows: columns(rows) @ weights


def population(signal: str) -> tuple[np.ndarray, np.ndarray]:
    """Return features of which all are noise, and labels that one of them decides."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, len(NAMES)))
    return X, X[:, NAMES.index(signal)] + 0.1 * rng.normal(size=120)


def test_steps_hold_the_steps_below_and_known_features():
    assert list(LADDER) == ["parameters", "+ I/O", "+ degrees", "+ layers"]
    below: set[str] = set()
    for columns in LADDER.values():
        assert set(columns) <= set(FEATURES)
        assert len(columns) == len(set(columns))
        assert below < set(columns)
        below = set(columns)
    assert LADDER["parameters"] == ("all_edges", "n_neurons")
    assert {"n_sources", "io_edges", "readout_neurons"} <= set(LADDER["+ I/O"])
    assert {"degree_cv", "core_mean", "density", "n_isolated"} <= set(LADDER["+ degrees"]) - set(LADDER["+ I/O"])
    assert {"depth", "skip_max", "bottleneck_edges"} <= set(LADDER["+ layers"]) - set(LADDER["+ degrees"])
    assert below < set(names_of(("size", "structure")))


@pytest.mark.parametrize(
    ("signal", "step"),
    [
        ("all_edges", "parameters"),
        ("n_sources", "+ I/O"),
        ("degree_std", "+ degrees"),
        ("depth", "+ layers"),
        ("an_own_column", EVERYTHING),
    ],
)
def test_the_step_that_brings_the_deciding_column_brings_the_gain(signal: str, step: str):
    X, y = population(signal)
    steps = ladder(fit_line, X, NAMES, y, FOLDS)
    names = [one.name for one in steps]
    assert names == [*LADDER, EVERYTHING]
    assert [one.n_features for one in steps] == [*map(len, LADDER.values()), len(NAMES)]
    assert steps[0].delta is None
    for place, one in enumerate(steps):
        known = place >= names.index(step)
        assert (one.r2.mean > 0.5) == known
        if one.delta is not None:
            assert one.delta.mean == pytest.approx(one.r2.mean - steps[place - 1].r2.mean)
            assert (one.delta.low > 0.4) == (one.name == step)


def test_columns_are_taken_by_name():
    X = np.arange(3.0 * len(NAMES)).reshape(3, -1)
    shuffled = np.random.default_rng(0).permutation(len(NAMES))
    moved = ladder_sets(X[:, shuffled], [NAMES[place] for place in shuffled])
    for step, columns in ladder_sets(X, NAMES).items():
        assert np.array_equal(columns, X if step == EVERYTHING else moved[step])
    size = reference_sets(X, NAMES)["size tier"]
    assert np.array_equal(size, X[:, [NAMES.index(name) for name in names_of(("size",))]])


def test_references_are_the_mean_the_size_and_the_prior():
    X, y = population("n_sources")
    parameters = [{"family": "ws", "degree": float(label)} for label in y]
    mean, size, prior = references(fit_line, X, NAMES, y, FOLDS, parameters)
    assert (mean.name, size.name, prior.name) == ("mean", "size tier", "prior's parameters only")
    assert (mean.n_features, size.n_features, prior.n_features) == (0, 11, 2)
    assert -0.1 < mean.r2.mean < 0
    assert size.r2.mean > 0.9
    assert prior.r2.mean > 0.95
    assert mean.delta is size.delta is prior.delta is None
    assert [step.name for step in references(fit_line, X, NAMES, y, FOLDS)] == ["mean", "size tier"]


def test_parameters_become_columns():
    rows = [
        {"family": "watts-strogatz", "n": 20, "p": 0.5},
        {"family": "barabasi-albert", "n": 30, "orientation": "index"},
        {"family": "watts-strogatz", "n": 40, "p": None, "orientation": "random"},
    ]
    table, names = parameter_table(rows)
    assert names == [
        "family=barabasi-albert",
        "family=watts-strogatz",
        "n",
        "orientation=index",
        "orientation=random",
        "p",
    ]
    nan = float("nan")
    expected = [[0, 1, 20, 0, 0, 0.5], [1, 0, 30, 1, 0, nan], [0, 1, 40, 0, 1, nan]]
    assert np.array_equal(table, expected, equal_nan=True)
    assert parameter_table([{}, {}])[0].shape == (2, 0)


def test_missing_columns_are_named():
    X = np.zeros((120, len(NAMES)))
    few = [name for name in NAMES if name not in ("depth", "layer_std")]
    with pytest.raises(ValueError, match=r"no column depth, layer_std: the baselines need"):
        ladder_sets(X[:, : len(few)], few)
    with pytest.raises(ValueError, match=r"1 names of features: there must be one for each of the 2 columns"):
        reference_sets(np.zeros((3, 2)), ["n_neurons"])
    with pytest.raises(ValueError, match=r"parameters of 1 wirings"):
        reference_sets(X, NAMES, [{}])
