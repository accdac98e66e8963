"""WiringClassifier and WiringRegressor are estimators of scikit-learn, in all that its users do with them."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from nas import InputError, WiringClassifier, WiringRegressor
from nas.estimators.wirings import prior_names
from nas.training.extension import has_native
from priors import ErdosRenyi, Layered, WattsStrogatz, Wiring

X, y = load_iris(return_X_y=True)
TINY: dict[str, Any] = {"hidden": 8, "degree": 3, "epochs": 20, "random_state": 0}
INEXACT = {
    "check_sample_weight_equivalence_on_dense_data": "networks are of float32: weights and repetitions agree to six "
    "digits where every update sees all examples, and on average where it sees a batch of them"
}


@pytest.mark.parametrize("kind", [WiringClassifier, WiringRegressor])
def test_check_estimator(kind: type):
    check_estimator(kind(hidden=8, degree=3, epochs=20), expected_failed_checks=INEXACT, on_skip=None)


@pytest.mark.slow
@pytest.mark.another
@pytest.mark.parametrize("changes", [{"engine": "torch"}, {"early_stopping": True}, {"normalise": True}])
@pytest.mark.parametrize("kind", [WiringClassifier, WiringRegressor])
def test_check_estimator_of_other_parameters(kind: type, changes: dict[str, Any]):
    expected = dict(INEXACT)
    if "early_stopping" in changes:
        expected["check_sample_weight_equivalence_on_dense_data"] = "which examples validate depends on their number"
        expected["check_fit2d_1sample"] = "one example cannot both train and validate"
    check_estimator(kind(**TINY | changes), expected_failed_checks=expected, on_skip=None)


@pytest.mark.parametrize("name", prior_names())
def test_every_prior_is_used_by_its_name(name: str):
    fitted = WiringClassifier(name, hidden=20, degree=4, epochs=1, random_state=0).fit(X, y)
    assert fitted.wiring_.n_hidden <= 20
    other = WiringClassifier("layered", hidden=20, degree=4, epochs=1, random_state=0).fit(X, y)
    assert (fitted.wiring_.fingerprint == other.wiring_.fingerprint) == (name == "layered")


def test_a_prior_that_needs_a_graph_has_no_name_here():
    with pytest.raises(InputError, match="prior 'connectome' is not known"):
        WiringClassifier("connectome").fit(X, y)


def test_importing_nas_imports_no_scikit_learn():
    code = "import sys, nas, nas.estimators; print('sklearn' in sys.modules, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


# Together with scikit-learn


def test_grid_search_over_priors():
    grid = {"prior": ["watts-strogatz", "layered", ErdosRenyi(10, edges=15)], "degree": [2, 4]}
    search = GridSearchCV(WiringClassifier(**TINY), grid, cv=3).fit(X, y)
    assert len(search.cv_results_["params"]) == 6
    assert search.best_score_ > 0.8
    assert search.predict(X).shape == (150,)


def test_a_pipeline_is_pickled_for_another_process(tmp_path: Path):
    frame = load_iris(as_frame=True)
    pipeline = make_pipeline(PolynomialFeatures(2), WiringClassifier(**TINY)).set_output(transform="pandas")
    pipeline.fit(frame.data, frame.target_names[frame.target])
    assert list(pipeline[-1].feature_names_in_[:2]) == ["1", "sepal length (cm)"]
    (tmp_path / "pipeline.pickle").write_bytes(pickle.dumps(pipeline))
    frame.data.to_pickle(tmp_path / "data.pickle")
    code = (
        "import pickle, sys, numpy as np, pandas as pd\n"
        "pipeline = pickle.load(open('pipeline.pickle', 'rb'))\n"
        "np.save('found.npy', pipeline.predict_proba(pd.read_pickle('data.pickle')))\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert np.array_equal(np.load(tmp_path / "found.npy"), pipeline.predict_proba(frame.data))


def test_frames_are_held_to_the_names_of_their_columns():
    frame = load_diabetes(as_frame=True)
    regressor = WiringRegressor(**TINY).fit(frame.data, frame.target)
    assert regressor.feature_names_in_.tolist() == list(frame.data.columns)
    assert regressor.n_features_in_ == 10
    with pytest.raises(ValueError, match="feature names"):
        regressor.predict(frame.data[frame.data.columns[::-1]])


def test_clones_are_not_fitted_and_train_alike():
    first = WiringClassifier(**TINY).fit(X, y)
    second = clone(first)
    with pytest.raises(NotFittedError):
        second.predict(X)
    assert np.array_equal(second.fit(X, y).predict_proba(X), first.predict_proba(X))
    other = clone(first).set_params(random_state=1).fit(X, y)
    assert other.wiring_ != first.wiring_


@pytest.mark.parametrize("labels", [["a", "b", "c"], [True, False, True], [5, -1, 7]])
def test_classes_keep_their_names(labels: list[Any]):
    names = np.array(labels)[y]
    classifier = WiringClassifier(**TINY).fit(X, names)
    assert classifier.classes_.tolist() == sorted(set(labels))
    assert classifier.score(X, names) > 0.6
    assert classifier.predict(X).dtype == names.dtype


def test_probabilities_add_up_and_decide():
    classifier = WiringClassifier(**TINY).fit(X, y)
    shares = classifier.predict_proba(X)
    assert shares.sum(axis=1) == pytest.approx(1.0)
    assert np.array_equal(classifier.classes_[shares.argmax(axis=1)], classifier.predict(X))
    assert np.exp(classifier.predict_log_proba(X)) == pytest.approx(shares)


# What is learnt


def test_rows_are_independent_of_each_other():
    classifier = WiringClassifier(**TINY).fit(X, y)
    together = classifier._outputs(X)
    alone = np.concatenate([classifier._outputs(row[None]) for row in X[::10]])
    if has_native():
        assert np.array_equal(alone, together[::10])
    assert alone == pytest.approx(together[::10], abs=1e-5)


def test_standardisation_is_fitted_on_what_trains():
    """With early stopping, examples that validate are no part of it; without, all examples are."""
    classifier = WiringClassifier(**TINY | {"early_stopping": True, "validation_fraction": 0.4}).fit(X, y)
    assert classifier.scaling_.inputs.n_samples_seen_ == 90
    assert len(classifier.validation_scores_) == classifier.n_iter_
    classifier = WiringClassifier(**TINY).fit(X, y)
    assert classifier.scaling_.inputs.mean_ == pytest.approx(X.mean(axis=0))
    assert WiringClassifier(**TINY, standardize=False).fit(X, y).scaling_.inputs is None


def test_standardising_inside_is_standardising_before():
    outside = make_pipeline(StandardScaler(), WiringClassifier(**TINY, standardize=False)).fit(X, y)
    assert np.array_equal(outside.predict_proba(X), WiringClassifier(**TINY).fit(X, y).predict_proba(X))


def test_targets_keep_their_units():
    data, targets = load_diabetes(return_X_y=True)
    first = WiringRegressor(**TINY).fit(data, targets).predict(data)
    scaled = WiringRegressor(**TINY).fit(data, 1e6 * targets - 3e6).predict(data)
    assert scaled == pytest.approx(1e6 * first - 3e6, rel=1e-3)


def test_several_targets_are_learnt_together():
    data, targets = load_diabetes(return_X_y=True)
    both = np.stack([targets, -targets], axis=1)
    found = WiringRegressor(**TINY).fit(data, both).predict(data)
    assert found.shape == (442, 2)
    assert found[:, 0] == pytest.approx(-found[:, 1], abs=60)
    assert WiringRegressor(**TINY).fit(data, both[:, :1]).predict(data).shape == (442, 1)


# Weights


@pytest.mark.parametrize("kind", [WiringClassifier, WiringRegressor])
def test_weights_are_repetitions(kind: type):
    counts = np.random.default_rng(0).integers(4, size=len(X))
    whole = kind(**TINY | {"batch_size": 1000, "epochs": 40})
    weighted = clone(whole).fit(X, y, sample_weight=counts)._outputs(X)
    repeated = clone(whole).fit(np.repeat(X, counts, axis=0), np.repeat(y, counts))._outputs(X)
    assert weighted == pytest.approx(repeated, abs=2e-4)
    assert np.abs(weighted - clone(whole).fit(X, y)._outputs(X)).max() > 0.01


def test_what_weighs_nothing_is_not_there():
    kept = y != 2
    first = WiringClassifier(**TINY).fit(X, y, sample_weight=kept)
    assert first.classes_.tolist() == [0, 1, 2]
    assert first.scaling_.inputs.mean_ == pytest.approx(X[kept].mean(axis=0))
    assert not (first.predict(X) == 2).any()


def test_class_weights_are_sample_weights():
    of_class = {0: 1.0, 1: 5.0, 2: 1.0}
    first = WiringClassifier(**TINY, class_weight=of_class).fit(X, y)
    second = WiringClassifier(**TINY).fit(X, y, sample_weight=[of_class[label] for label in y])
    assert np.array_equal(first.predict_proba(X), second.predict_proba(X))


# Priors


GRAPH = nx.watts_strogatz_graph(12, 4, 0.2, seed=1)


@pytest.mark.parametrize(
    ("prior", "n_hidden"),
    [
        ("watts-strogatz", 8),
        ("barabasi-albert", 8),
        ("erdos-renyi", 8),
        ("layered", 8),
        (WattsStrogatz(10, 4, 0.5), 10),
        (Layered((6, 5), density=0.5), 11),
        (GRAPH, 12),
        (Wiring.from_networkx(GRAPH), 12),
        (Layered((4, 9, 3), density=0.5, inputs=True, outputs=True), 9),
        (Layered((4, 9, 3), density=0.5, inputs=True, outputs=True).sample(0), 9),
    ],
)
def test_whatever_a_wiring_comes_from(prior: Any, n_hidden: int):
    classifier = WiringClassifier(**TINY | {"prior": prior}).fit(X, y)
    assert classifier.wiring_.n_hidden == n_hidden
    assert classifier.wiring_.is_acyclic
    weights = sum(parameter.numel() for parameter in classifier.network_.parameters())
    assert weights == classifier.n_parameters_ == classifier.wiring_.n_edges + n_hidden + 3
    assert classifier.score(X, y) > 0.7


def test_a_given_graph_is_the_one_that_is_trained():
    hidden = WiringClassifier(**TINY | {"prior": GRAPH, "orientation": "index"}).fit(X, y).wiring_.hidden
    assert nx.is_isomorphic(hidden.to_networkx().to_undirected(), GRAPH)
    whole = Layered((4, 9, 3), density=0.5, inputs=True, outputs=True).sample(0)
    assert WiringClassifier(**TINY | {"prior": whole}).fit(X, y).wiring_ == whole


def test_shortcuts_let_outputs_read_features():
    classifier = WiringClassifier(**TINY).fit(X, y)
    plain = WiringClassifier(**TINY, shortcuts=False).fit(X, y)
    assert classifier.wiring_.n_edges == plain.wiring_.n_edges + 4 * 3
    assert classifier.wiring_.hidden == plain.wiring_.hidden


def test_trained_networks_are_as_good_as_linear_ones():
    """What small tables need most; see README for the numbers."""
    assert cross_val_score(WiringClassifier(random_state=0), X, y, cv=5).mean() > 0.92
    data, targets = load_diabetes(return_X_y=True)
    assert cross_val_score(WiringRegressor(random_state=0), data, targets, cv=5).mean() > 0.45


# Refusals


CYCLE = nx.DiGraph([(0, 1), (1, 2), (2, 0)])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"prior": "watts"}, "prior 'watts' is not known"),
        ({"prior": 3}, "prior=3: it must be a name"),
        ({"prior": CYCLE}, "directed cycles"),
        ({"prior": nx.Graph()}, "no node"),
        ({"prior": Layered((3, 9, 3), density=1.0, inputs=True, outputs=True)}, "the data need 4 and 3"),
        ({"prior_params": {"q": 1}}, "watts-strogatz does not take q; it takes p"),
        ({"prior_params": {"p": 2}}, "0 <= p <= 1"),
        ({"prior": WattsStrogatz}, "it must be a name"),
        ({"prior": GRAPH, "prior_params": {"p": 0.1}}, "given by its name"),
        ({"hidden": 2}, "hidden=2"),
        ({"hidden": (8, 8)}, "hidden=.8, 8."),
        ({"hidden": 8.5}, "hidden=8.5"),
        ({"degree": -1}, "degree=-1"),
        ({"degree": "8"}, "degree='8'"),
        ({"attachment": "none"}, "attachment|mode"),
        ({"activation": "rely"}, "nearest: relu"),
        ({"epochs": 0}, "epochs=0"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"learning_rate": [0.01, 0.1]}, "one number is needed"),
        ({"optimizer": "lbfgs"}, "optimizer='lbfgs'"),
        ({"early_stopping": True, "validation_fraction": 1.0}, "validation_fraction=1.0"),
        ({"engine": "gpu"}, "engine 'gpu' is not known"),
        ({"class_weight": "even"}, "class_weight"),
        ({"learning_rate": 1e30, "optimizer": "sgd", "weight_decay": 0.0}, "learning_rate=1e.30: the training left"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(params: dict[str, Any], message: str):
    classifier = WiringClassifier(**TINY | params)
    with pytest.raises(InputError, match=message) as caught:
        classifier.fit(X, y)
    assert "\n" not in str(caught.value)
    with pytest.raises(NotFittedError):
        classifier.predict(X)


@pytest.mark.parametrize(("weight", "message"), [(-1.0, "0 or more"), (np.nan, "NaN")])
def test_weights_that_are_none_are_refused(weight: float, message: str):
    with pytest.raises(ValueError, match=message):
        WiringClassifier(**TINY).fit(X, y, sample_weight=np.full(len(X), weight))


def test_numbers_beyond_float32_are_refused():
    classifier = WiringClassifier(**TINY, standardize=False)
    with pytest.raises(InputError, match="float32 cannot hold"):
        classifier.fit(X * 1e300, y)


def test_frames_of_text_say_what_they_hold():
    with pytest.raises(ValueError, match="could not convert string"):
        WiringClassifier(**TINY).fit(pd.DataFrame({"a": ["x", "y"] * 10}), [0, 1] * 10)
