"""GraphFeatures in scikit-learn's hands, and without scikit-learn."""

import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

import predictors
import predictors.features
from predictors import GraphFeatures, describe, names_of
from priors.attachment import attach
from priors.graphs import ErdosRenyi
from priors.transforms import layer, orient
from priors.wiring import Wiring

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_LIBRARIES = """
import sys
import predictors.features
from predictors import GraphFeatures
from priors.wiring import Wiring
features = GraphFeatures(("size", "structure", "centrality", "published", "recurrent")).fit([])
features.set_params(pivots=3).transform([Wiring((2, 3), [(0, 2), (1, 4)]), Wiring((3,), [(0, 1), (1, 0)])])
repr(features), features.get_feature_names_out()
print(*sorted({"sklearn", "torch", "optuna", "xgboost", "pandas"} & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def pool() -> list[Wiring]:
    wirings = [layer(orient(ErdosRenyi(12, edges=12 + seed).sample(seed), rng=seed)) for seed in range(24)]
    return [attach(wiring, 4, 2, "natural") for wiring in wirings]


@pytest.fixture(scope="module")
def labels(pool: list[Wiring]) -> np.ndarray:
    return np.array([wiring.hidden.n_edges + len(wiring.hidden.sources) for wiring in pool], dtype=float)


def regression() -> Pipeline:
    return Pipeline([("features", GraphFeatures()), ("impute", SimpleImputer()), ("ridge", Ridge(1e-6))])


# Features


@pytest.mark.parametrize("options", [{}, {"tiers": ("recurrent", "size")}, {"tiers": ("centrality",), "pivots": 3}])
def test_rows_are_what_describe_returns(pool: list[Wiring], options: dict):
    found = GraphFeatures(**options).fit_transform(pool)
    tiers = options.get("tiers", ("size", "structure"))
    assert found.shape == (24, len(names_of(tiers)))
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, describe(pool, tiers, options.get("pivots")))
    assert GraphFeatures(**options).get_feature_names_out().tolist() == list(names_of(tiers))


def test_pivots_reach_the_kernel(pool: list[Wiring]):
    few, all_of_them = (GraphFeatures(("centrality",), pivots).transform(pool) for pivots in (2, 12))
    assert not np.allclose(few, all_of_them, equal_nan=True)


def test_graphs_count_as_their_wirings():
    directed, plain = nx.DiGraph([("a", "b"), ("a", "c"), ("c", "b")]), nx.path_graph(4)
    wirings = [Wiring.from_networkx(directed), Wiring.from_networkx(plain)]
    features = GraphFeatures(("size", "structure", "recurrent"))
    np.testing.assert_array_equal(features.transform([directed, wirings[1]]), features.transform(wirings))
    np.testing.assert_array_equal(features.transform((wirings[0], plain)), features.transform(wirings))
    found = dict(zip(features.get_feature_names_out(), features.transform([directed])[0], strict=True))
    assert (found["n_neurons"], found["n_sources"], found["depth"], found["triangles"]) == (3, 1, 3, 1)


@pytest.mark.parametrize("container", [list, tuple, iter, pd.Series, lambda pool: np.array(pool, dtype=object)])
def test_any_sequence_will_do(pool: list[Wiring], container):
    np.testing.assert_array_equal(GraphFeatures().transform(container(pool)), GraphFeatures().transform(pool))


def test_no_wirings_give_no_rows():
    assert GraphFeatures().fit_transform([]).shape == (0, len(names_of(("size", "structure"))))
    assert GraphFeatures(()).transform([Wiring((2,))]).shape == (1, 0)


@pytest.mark.parametrize(
    ("wirings", "message"),
    [
        ([Wiring((2,)), "graph"], r"wirings\[1\] is a str: GraphFeatures needs Wirings or networkx graphs"),
        ([None], r"wirings\[0\] is a NoneType: "),
        (np.zeros((3, 2)), r"wirings\[0\] is a ndarray: "),
        (Wiring((2,)), r"wirings is a Wiring: GraphFeatures needs a sequence of wirings, such as a list"),
        (nx.path_graph(3), r"wirings is a Graph: "),
        (7, r"wirings is a int: "),
        ([Wiring((2,)), nx.MultiGraph()], r"wirings\[1\]: a multigraph has no wiring"),
    ],
)
def test_what_is_no_wiring_is_refused(wirings: object, message: str):
    with pytest.raises(ValueError, match=message) as caught:
        GraphFeatures().transform(wirings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tiers": ("size", "shape")}, r"tier 'shape' is not known; known are size, structure"),
        ({"tiers": "size"}, r"tiers='size': GraphFeatures needs a tuple of tiers, such as \('size',\)"),
        ({"pivots": 0}, r"pivots=0: GraphFeatures needs an integer pivots with 1 <= pivots"),
        ({"pivots": 2.5}, r"pivots=2.5: GraphFeatures needs an integer pivots"),
    ],
)
def test_wrong_parameters_are_refused_when_they_are_used(options: dict, message: str):
    features = GraphFeatures(**options)
    with pytest.raises(ValueError, match=message):
        features.fit([])
    with pytest.raises(ValueError, match=message):
        features.transform([Wiring((2,))])


# The protocol


def test_parameters_are_read_set_and_cloned():
    features = GraphFeatures(pivots=5).set_params(tiers=("size",))
    assert features.get_params() == features.get_params(deep=False) == {"tiers": ("size",), "pivots": 5}
    copy = clone(features)
    assert copy is not features
    assert type(copy) is GraphFeatures
    assert copy.get_params() == features.get_params()
    assert repr(features) == "GraphFeatures(tiers=('size',), pivots=5)"
    with pytest.raises(ValueError, match=r"parameter='depth': GraphFeatures knows 'tiers', 'pivots'"):
        features.set_params(depth=3)
    assert features.set_params() is features


def test_there_is_nothing_to_fit(pool: list[Wiring]):
    features = GraphFeatures()
    check_is_fitted(features)
    assert features.__sklearn_is_fitted__()
    assert features.fit(pool, range(24)) is features
    assert features.transform(pool[:1]).shape[0] == 1


def test_tags_say_what_goes_in_and_out():
    pytest.importorskip("sklearn", "1.6", reason="scikit-learn before 1.6 knows no tags")
    from sklearn.utils import get_tags

    tags = get_tags(GraphFeatures())
    assert not tags.input_tags.two_d_array
    assert not tags.requires_fit
    assert not tags.target_tags.required
    assert tags.transformer_tags is not None


def test_only_what_ends_in_a_regressor_is_one():
    assert not is_regressor(GraphFeatures())
    assert is_regressor(regression())


def test_a_pipeline_learns_from_wirings(pool: list[Wiring], labels: np.ndarray):
    pipeline = regression().fit(pool, labels)
    check_is_fitted(pipeline)
    assert pipeline.score(pool, labels) > 0.99
    # Rows belong to their wirings: in another order they are predicted alike.
    np.testing.assert_allclose(pipeline.predict(pool[::-1])[::-1], pipeline.predict(pool), rtol=1e-9)
    assert len(pipeline[:-1].get_feature_names_out()) == pipeline[:-1].transform(pool).shape[1]
    assert "GraphFeatures" in repr(pipeline)
    assert "GraphFeatures" in pipeline._repr_html_()


def test_cross_validation_splits_lists_and_arrays_of_wirings(pool: list[Wiring], labels: np.ndarray):
    pipeline = make_pipeline(GraphFeatures(("size",)), Ridge(1e-6))
    scores = cross_val_score(pipeline, pool, labels, cv=4)
    assert scores.min() > 0.99
    np.testing.assert_array_equal(scores, cross_val_score(pipeline, np.array(pool, dtype=object), labels, cv=4))
    np.testing.assert_allclose(cross_val_predict(pipeline, pool, labels, cv=4), labels, atol=0.1)


def test_tiers_can_be_searched(pool: list[Wiring], labels: np.ndarray):
    pipeline = make_pipeline(GraphFeatures(("recurrent",)), SimpleImputer(keep_empty_features=True), Ridge(1e-6))
    grid = {"graphfeatures__tiers": [("recurrent",), ("size",)]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(pool, labels)
    assert search.best_params_ == {"graphfeatures__tiers": ("size",)}


def test_frames_where_they_are_asked_for(pool: list[Wiring]):
    features = GraphFeatures(("size",)).set_output(transform="pandas")
    frame = features.transform(pool)
    assert isinstance(frame, pd.DataFrame)
    assert tuple(frame.columns) == names_of(("size",))
    np.testing.assert_array_equal(frame.to_numpy(), GraphFeatures(("size",)).transform(pool))
    assert isinstance(clone(features).set_output().transform(pool), pd.DataFrame)
    assert isinstance(features.set_output(transform="default").transform(pool), np.ndarray)
    scaled = make_pipeline(GraphFeatures(("size",)), StandardScaler()).set_output(transform="pandas")
    assert tuple(scaled.fit_transform(pool).columns) == names_of(("size",))
    with pytest.raises(ValueError, match=r"transform='polars': GraphFeatures knows 'default', 'pandas'"):
        features.set_output(transform="polars")


def test_it_stands_beside_other_transformers(pool: list[Wiring]):
    union = FeatureUnion([("size", GraphFeatures(("size",))), ("cycles", GraphFeatures(("recurrent",)))])
    assert union.fit_transform(pool).shape == (24, len(names_of(("size", "recurrent"))))
    assert union.get_feature_names_out()[0] == "size__n_neurons"
    table = pd.DataFrame({"wiring": pool, "rate": np.linspace(0, 1, 24)})
    columns = ColumnTransformer([("size", GraphFeatures(("size",)), "wiring"), ("rest", "passthrough", ["rate"])])
    np.testing.assert_array_equal(columns.fit_transform(table)[:, -1], table["rate"])


# The packages


def test_names_are_loaded_on_first_use():
    for package in (predictors, predictors.features):
        for name in package.__all__:
            assert name in dir(package)
            assert getattr(package, name) is getattr(predictors, name)
    assert callable(predictors.features.describe)
    with pytest.raises(AttributeError, match=r"'predictors.features' has no attribute 'draw'"):
        _ = predictors.features.draw


def test_features_need_no_learning_library():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_LIBRARIES], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
