"""WiringSearchCV: a campaign whose winner is an estimator of scikit-learn."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from nas import InputError, Space, WiringClassifier, WiringRegressor, WiringSearchCV
from nas.networks import parts_of

pytestmark = pytest.mark.usefixtures("bare_campaigns")

frame = load_iris(as_frame=True)
X, y = frame.data, frame.target_names[frame.target]
SHORT: dict[str, Any] = {"trials": 3, "random_state": 0, "campaign_params": {"finalists": 1, "final_seeds": 2}}
SMALL = Space(nodes=(6, 10), degree=(2, 4))


@pytest.fixture(scope="module")
def search(bare_campaigns: None) -> WiringSearchCV:
    """A search that is over."""
    return WiringSearchCV(WiringClassifier(epochs=30), space=SMALL, learning_rates=(0.01, 0.03), **SHORT).fit(X, y)


@pytest.mark.slow
@pytest.mark.another
@pytest.mark.parametrize("estimator", [WiringClassifier(epochs=5), WiringRegressor(epochs=30)])
def test_check_estimator(estimator: Any):
    expected = {"check_sample_weight_equivalence_on_dense_data": "the split counts examples, whatever they weigh"}
    check_estimator(WiringSearchCV(estimator, space=SMALL, **SHORT), expected_failed_checks=expected, on_skip=None)


def test_what_is_found_is_described_as_by_grid_search(search: WiringSearchCV):
    table = pd.DataFrame(search.cv_results_)
    assert len(table) == 3
    assert table.rank_test_score.min() == 1
    best = table.iloc[search.best_index_]
    assert (best.params, best.mean_test_score) == (search.best_params_, search.best_score_)
    assert set(search.best_params_) > {"family", "n", "degree"}
    assert search.outcome_.test["seeds"] == 2
    assert "The found wiring" in search.outcome_.verdict


def test_the_winner_is_trained_on_all_examples(search: WiringSearchCV):
    found = search.best_estimator_
    assert found.scaling_.inputs.n_samples_seen_ == 150
    assert found.learning_rate in (0.01, 0.03)
    assert found.wiring_ == search.best_wiring_ == found.prior
    assert search.feature_names_in_.tolist() == found.feature_names_in_.tolist() == list(X.columns)
    assert search.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert search.score(X, y) == found.score(X, y) > 0.9
    assert np.array_equal(search.predict_proba(X), found.predict_proba(X))
    again = clone(found).fit(X, y)  # The wiring, from new weights.
    assert again.wiring_ == search.best_wiring_


def test_without_refit_the_network_of_the_campaign_stays(search: WiringSearchCV, tmp_path: Path):
    kept = clone(search).set_params(refit=False, out=tmp_path / "campaign").fit(X, y)
    assert kept.best_wiring_ == search.best_wiring_
    assert kept.best_estimator_.scaling_.inputs.n_samples_seen_ == 96
    assert kept.score(X, y) > 0.8
    assert (tmp_path / "campaign" / "best" / "network.safetensors").is_file()
    resumed = clone(kept).fit(X, y)
    assert np.array_equal(resumed.predict_proba(X), kept.predict_proba(X))
    with pytest.raises(InputError, match=r"^task: its examples"):
        clone(kept).fit(X[::2], y[::2])


def test_threads_change_nothing_and_pickles_predict(search: WiringSearchCV):
    again = clone(search).set_params(n_jobs=2).fit(X, y)
    assert np.array_equal(again.predict_proba(X), search.predict_proba(X))
    copy = pickle.loads(pickle.dumps(search))
    assert np.array_equal(copy.predict_proba(X), search.predict_proba(X))


def test_weights_are_heeded(search: WiringSearchCV):
    weights = np.where(y == "virginica", 0.0, 1.0)
    found = clone(search).fit(X, y, sample_weight=weights)
    assert set(found.predict(X)) == {"setosa", "versicolor"}


@pytest.mark.parametrize("refit", [True, False])
def test_a_budget_of_bytes_gives_a_network_of_its_bits(refit: bool):
    ways = {"ways": {"ways": ["prior"]}, "precision": 8, "finalists": 1, "final_seeds": 1, "final_epochs": 4}
    search = WiringSearchCV(WiringClassifier(epochs=4), budget="300B", trials=2, random_state=1, refit=refit,
                            campaign_params=ways).fit(X, y)  # fmt: skip
    (network,) = parts_of(search.best_estimator_.network_)
    for matrix in network.matrices():
        integers = matrix.detach().double() * 127 / float(matrix.detach().abs().max())
        assert np.allclose(integers, integers.round(), atol=1e-3)


def test_within_a_budget_the_winner_costs_what_it_may():
    ways = {"ways": {"ways": ("prior", "pruned")}, "finalists": 1, "final_seeds": 2, "final_epochs": 4}
    search = WiringSearchCV(WiringRegressor(epochs=4), budget=60, trials=4, random_state=1, campaign_params=ways)
    data, targets = load_diabetes(return_X_y=True)
    search.fit(data, targets)
    assert search.best_estimator_.n_parameters_ <= 60
    assert search.best_estimator_.scaling_.targets.n_samples_seen_ == 442
    assert search.predict(data).shape == (442,)
    assert search.best_score_ < 0
    assert search.best_estimator_.activation == "gelu"


def test_kinds_are_those_of_the_estimator():
    assert is_classifier(WiringSearchCV(WiringClassifier()))
    assert is_regressor(WiringSearchCV(WiringRegressor()))
    assert not hasattr(WiringSearchCV(WiringRegressor()), "predict_proba")
    assert make_pipeline(StandardScaler(), WiringSearchCV(WiringClassifier())).get_params()[
        "wiringsearchcv__estimator__epochs"
    ] == WiringClassifier().epochs  # fmt: skip


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"estimator": LogisticRegression()}, "must be a WiringClassifier or a WiringRegressor"),
        ({"budget": 100}, "space and budget are both given"),
        ({"trials": 0}, "trials=0"),
        ({"n_jobs": 0}, "n_jobs=0"),
        ({"campaign_params": {"trials": 3}}, "trials is a parameter of the search"),
        ({"campaign_params": {"finalist": 3}}, "nearest: finalists"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(params: dict[str, Any], message: str):
    search = WiringSearchCV(**{"estimator": WiringClassifier(epochs=2), "space": SMALL, **SHORT, **params})
    with pytest.raises(InputError, match=message) as caught:
        search.fit(X, y)
    assert "\n" not in str(caught.value)


def test_too_few_examples_are_refused():
    with pytest.raises(InputError, match=r"n_samples=2: .*too few"):
        WiringSearchCV(WiringClassifier(epochs=2), space=SMALL, **SHORT).fit(X[:2], ["a", "b"])
