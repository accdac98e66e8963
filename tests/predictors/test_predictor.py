"""A predictor learns what decides values, knows how sure it is, and speaks scikit-learn's protocol."""

import re
import subprocess
import sys

import networkx as nx
import numpy as np
import pytest
from predictor_cases import PREPARATION, drawn, fitted, values_of
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.model_selection import KFold, cross_val_score

from predictors import Predictor, Preparation
from predictors.calibration import fit_calibration
from predictors.validation.metrics import kendall, r2
from priors import WattsStrogatz, Wiring, attach

pytestmark = pytest.mark.usefixtures("small_forests")


def test_fresh_wirings_are_predicted():
    wirings, _ = drawn(60, seed=5)
    values = values_of(wirings, noise=0.0)[:, 0]
    predicted = fitted().predict(wirings)
    assert r2(values, predicted) > 0.8
    assert kendall(values, predicted) > 0.7
    assert fitted().score(wirings, values) == pytest.approx(r2(values, predicted))


def test_shuffled_values_are_not_predicted():
    wirings, _ = drawn(90)
    values = np.random.default_rng(1).permutation(values_of(wirings))
    assert Predictor().fit(wirings, values).worth()["r2"]["predictor"] < 0.1


def test_what_must_be_beaten_is_known():
    worth = fitted().worth()
    assert list(worth["r2"]) == ["predictor", "edges alone", "size alone", "prior's parameters alone"]
    assert worth["r2"]["predictor"] > worth["r2"]["prior's parameters alone"]
    assert worth["wirings"] == 90
    assert worth["trained_on"].startswith("90 wirings, 270 trainings, 12 to 30 neurons, ")
    assert "barabasi-albert and erdos-renyi and watts-strogatz" in worth["trained_on"]


def test_what_must_be_beaten_is_fitted_as_the_predictor_is():
    wirings, parameters = drawn(60)
    size = Predictor(tiers=("size",)).fit(wirings, values_of(wirings), parameters=parameters).worth()["r2"]
    # Of columns of size alone, the predictor and its reference are one.
    assert size["predictor"] == size["size alone"]
    everything = Predictor().fit(wirings, values_of(wirings), parameters=parameters).worth()["r2"]
    assert everything["size alone"] == size["size alone"]


class KnowsGroups:
    """Stands in for a fitted scale: far too large for rows of the groups that it saw; the first column is the group."""

    def __init__(self, X: np.ndarray, *_: object) -> None:
        self.seen = np.unique(X[:, 0])

    def predict(self, X: np.ndarray) -> np.ndarray:
        return np.where(np.isin(X[:, 0], self.seen), 1e6, 2.0)


@pytest.mark.parametrize("rows_a_group", [1, 3])
def test_an_error_is_measured_by_a_scale_that_saw_no_row_of_its_group(
    rows_a_group: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("predictors.regressors.fit_scale", KnowsGroups)
    groups = np.random.default_rng(0).permutation(np.repeat(np.arange(100), rows_a_group))
    errors = np.random.default_rng(1).normal(size=(len(groups), 2))
    errors[3, 1] = np.nan
    found = fit_calibration(groups[:, None].astype(float), errors, groups.tolist(), seed=0)
    known = errors[~np.isnan(errors)] / 2
    np.testing.assert_allclose(found.quantiles[[0, -1]], [known.min(), known.max()])
    assert found.rms == pytest.approx(np.sqrt(np.square(known).mean()))
    assert found.n_groups == 100
    # What is kept for new wirings learnt from all.
    assert found.scale.predict(np.arange(100.0)[:, None]).tolist() == [1e6] * 100


@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_intervals_hold_as_many_trainings_as_they_say(coverage: float):
    wirings, _ = drawn(150, seed=7)
    values = values_of(wirings, seed=7)
    low, high = fitted(200).interval(wirings, coverage)
    inside = ((values >= low[:, None]) & (values <= high[:, None])).mean()
    assert coverage - 0.1 < inside < coverage + 0.12


def test_the_standard_deviation_is_that_of_a_training():
    wirings, _ = drawn(150, seed=8)
    values = values_of(wirings, seed=8)
    mean, std = fitted(200).predict(wirings, return_std=True)
    assert np.sqrt(np.square(values - mean[:, None]).mean()) == pytest.approx(np.sqrt(np.square(std).mean()), rel=0.3)


def test_one_wiring_or_many_make_no_difference():
    wirings, _ = drawn(20, seed=9)
    together = fitted().predict(wirings)
    alone = np.concatenate([fitted().predict([wiring]) for wiring in wirings])
    np.testing.assert_allclose(alone, together, rtol=0, atol=1e-12)


def test_a_bare_graph_is_averaged_over_its_orientations():
    graph = WattsStrogatz(20, 4, 0.3).sample(4)
    own = fitted().predict(PREPARATION.wirings(graph))
    mean, std = fitted().predict([graph, graph.to_networkx()], return_std=True)
    assert mean == pytest.approx([own.mean()] * 2)
    stds = fitted().predict(PREPARATION.wirings(graph), return_std=True)[1]
    assert std[0] == pytest.approx(np.sqrt(np.square(stds).mean() + own.var()))


def test_undirected_networkx_graphs_are_taken():
    graph = nx.watts_strogatz_graph(20, 4, 0.3, seed=1)
    assert fitted().predict([graph]) == fitted().predict([Wiring.from_networkx(graph)])


def test_far_wirings_are_flagged_and_the_interval_is_wide():
    big = WattsStrogatz(1000, 8, 0.2).sample(0)
    near, _ = drawn(10, seed=3)
    assert not fitted().in_domain([big])[0]
    assert fitted().in_domain(near).mean() >= 0.8
    assert "n_neurons 1000 is outside 12 to 30" in fitted().why_outside(big)
    assert fitted().why_outside(near[0]) is None
    low, high = fitted().interval([big, near[0]])
    assert high[0] - low[0] > 2 * (high[1] - low[1])
    assert 0 <= low[0] <= high[0] <= 1


def test_predictions_stay_within_bounds():
    wirings, _ = drawn(30, seed=2, low=200, high=400)
    predicted = fitted().predict(wirings)
    assert ((predicted >= 0) & (predicted <= 1)).all()


def test_contributions_add_up():
    wirings, _ = drawn(4, seed=11)
    shares = fitted().explain(wirings)
    background = fitted().fitted_.predict(fitted().ask(wirings).background).mean()
    assert sum(shares.values()) == pytest.approx(fitted().predict(wirings) - background)


@pytest.mark.slow
def test_shap_values_add_up():
    pytest.importorskip("shap", reason="the extra `explain` is not installed")
    wirings, _ = drawn(2, seed=11)
    values = fitted().shap_values(wirings)
    background = fitted().fitted_.predict(fitted().ask(wirings).background).mean()
    assert sum(values.values()) == pytest.approx(fitted().predict(wirings) - background, abs=1e-9)


def test_shap_values_say_what_they_need(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(ValueError, match=r"SHAP values need the package shap: pip install 'wirenas\[explain\]'"):
        fitted().shap_values(drawn(1)[0])


def test_ranks_are_among_the_training_wirings():
    own = fitted().fitted_.out_of_fold
    ranks, of = fitted().rank([own.max() + 1, own.min() - 1, np.sort(own)[-1]])
    assert of == 91
    assert ranks.tolist() == [1, 91, 1]


def test_smaller_is_better_when_minimizing():
    wirings, _ = drawn(40)
    predictor = Predictor(direction="minimize").fit(wirings, 1 - values_of(wirings))
    ranks, _ = predictor.rank([-10.0, 10.0])
    assert ranks.tolist() == [1, 41]


def test_networks_that_do_not_train_are_told_apart():
    wirings, _ = drawn(150)
    sources = np.array([len(w.hidden.sources) for w in wirings])
    collapsed = sources <= np.quantile(sources, 0.3)
    values = np.where(collapsed, 0.1, 0.8 + 0.01 * sources)
    predictor = Predictor(chance=0.1).fit(wirings, values)
    probability = predictor.trains(wirings)
    assert probability[~collapsed].mean() > 0.9
    assert probability[collapsed].mean() < 0.3
    assert (fitted().trains(wirings) == 1).all()


def test_losses_far_above_chance_are_no_success():
    wirings, _ = drawn(60)
    sources = np.array([len(w.hidden.sources) for w in wirings])
    good = sources > np.median(sources)
    values = np.where(good, 0.5, 50.0) + 0.001 * sources
    predictor = Predictor(direction="minimize", chance=2.3).fit(wirings, values)
    probability = predictor.trains(wirings)
    assert probability[good].mean() > 0.85
    assert probability[~good].mean() < 0.15


def test_copies_of_a_wiring_leave_the_domain_as_it_is():
    wirings, _ = drawn(20)
    once = Predictor().fit(wirings, np.arange(20.0))
    often = Predictor().fit(wirings * 6, np.tile(np.arange(20.0), 6))
    assert often.fitted_.domain.radius == pytest.approx(once.fitted_.domain.radius, rel=0.3)
    assert often.in_domain(drawn(5, seed=4)[0]).tolist() == once.in_domain(drawn(5, seed=4)[0]).tolist()


def test_few_groups_of_many_wirings_are_learnt():
    wirings, _ = drawn(120)
    predictor = Predictor().fit(wirings, values_of(wirings), groups=[index % 3 for index in range(120)])
    assert predictor.fitted_.calibration.n_groups == 3
    assert predictor.fitted_.calibration.reach == 0.5


def test_coverage_grows_no_further_than_errors_can_promise():
    wirings, _ = drawn(10)
    predictor = Predictor().fit(wirings, np.arange(10.0))
    assert predictor.fitted_.calibration.reach == pytest.approx(1 - 2 / 11)
    wide, wider = predictor.interval(wirings, 0.9), predictor.interval(wirings, 0.99)
    np.testing.assert_array_equal(wide, wider)


def test_one_hidden_graph_is_one_lineage_however_it_is_attached():
    hidden = [w.hidden for w in drawn(10)[0]]
    twice = [attach(w, 8, 3, "controlled", seed, reads=2) for seed in range(2) for w in hidden]
    groups = Predictor().training_of(twice, np.arange(20.0)).groups
    assert groups[:10].tolist() == groups[10:].tolist()


def test_forests_say_where_they_disagree():
    wirings, _ = drawn(30, seed=6)
    spread = fitted().spread(wirings)
    assert spread.shape == (30,)
    assert (spread > 0).all()
    assert len(np.unique(spread)) > 5


def test_columns_of_ones_own_are_learnt_and_needed():
    wirings, _ = drawn(60)
    own = np.random.default_rng(0).normal(size=60)
    predictor = Predictor().fit(wirings, own, columns={"mine": own})
    assert r2(own, predictor.predict(wirings, columns={"mine": own})) > 0.8
    with pytest.raises(ValueError, match="columns none: this predictor was fitted with mine"):
        predictor.predict(wirings)
    with pytest.raises(ValueError, match=r"column 'mine' has shape \(3,\): it needs one number for each of 60"):
        predictor.predict(wirings, columns={"mine": own[:3]})


def test_cycles_are_described_where_training_had_some():
    graphs = [WattsStrogatz(12, 4, 0.5).sample(seed) for seed in range(12)]
    predictor = Predictor().fit(graphs, np.arange(12.0))
    assert predictor.tiers_ == ("size", "structure", "recurrent")
    assert fitted().tiers_ == ("size", "structure")


def test_equal_wirings_are_one_lineage():
    wirings, _ = drawn(20)
    predictor = Predictor().fit(wirings + wirings, np.tile(np.arange(20.0), 2))
    groups = predictor.fitted_.training.groups
    assert groups[:20].tolist() == groups[20:].tolist() == list(range(20))


def test_fitting_again_gives_the_same_bits():
    wirings, parameters = drawn(90)
    again = Predictor(preparation=PREPARATION, metric="accuracy", bounds=(0.0, 1.0))
    again.fit(wirings, values_of(wirings), parameters=parameters)
    np.testing.assert_array_equal(again.predict(wirings), fitted().predict(wirings))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda w: Predictor().fit(w[:3], [1, 2, 3]), "3 wirings: a predictor learns from at least 5"),
        (lambda w: Predictor().fit(w, [1.0]), "values are given for 1 wirings, but there are 10"),
        (lambda w: Predictor().fit(w, [np.nan] * 10), "values must be one finite number a wiring"),
        (lambda w: Predictor().fit(w, [np.inf] * 10), "values must be one finite number a wiring"),
        (lambda w: Predictor().fit(w, range(10), groups=[1]), "groups are given for 1 wirings"),
        (lambda w: Predictor(tiers=("size", "big")).fit(w, range(10)), "tier 'big' is not known"),
        (lambda w: Predictor(direction="up").fit(w, range(10)), "direction='up': valid are maximize, minimize"),
        (lambda w: Predictor(bounds=(1, 0)).fit(w, range(10)), "the first must be below the second"),
        (lambda w: Predictor().predict(w), "this predictor is not fitted"),
        (lambda _: fitted().predict([3]), "graph 0 is a int: give wirings or networkx graphs"),
        (lambda w: fitted().interval(w, 1.0), "coverage=1.0: it must be above 0 and below 1"),
        (
            lambda w: Predictor(bounds=(0.0, 1.0)).fit(w, range(10)),
            "values go from 0 to 9: bounds=(0.0, 1.0) must hold",
        ),
        (lambda w: Predictor(bounds=(0.0, np.inf)).fit(w, range(10)), "two finite numbers are needed"),
        (lambda w: Predictor(chance=np.nan).fit(w, range(10)), "chance=nan: it must be a finite number"),
        (lambda w: Predictor().fit(w, [1e300, *range(9)]), "cannot be learnt: rescale them"),
        (lambda w: Predictor().fit(w, range(10), columns={"n_edges": range(10)}), "column 'n_edges': a name needs"),
        (lambda w: Predictor().fit(w, range(10), columns={"a": [np.inf] * 10}), "column 'a' holds an infinite number"),
        (lambda w: fitted().predict(w[0]), "is a single graph: give a list of them"),
        (lambda _: Predictor().set_params(tier=1), "parameter 'tier' is not known"),
    ],
)
def test_what_is_wrong_is_said(call, message: str):
    with pytest.raises(ValueError, match=re.escape(message)):
        call(drawn(10)[0])


def test_training_graphs_must_say_how_they_were_oriented():
    graphs = [WattsStrogatz(12, 4, 0.5).sample(seed) for seed in range(6)]
    with pytest.raises(ValueError, match="graph 0 stands for 16 wirings under this preparation"):
        Predictor(preparation=Preparation()).fit(graphs, range(6))


def test_scikit_learn_clones_and_scores_it():
    wirings, _ = drawn(50)
    predictor = clone(Predictor(metric="accuracy", seed=3))
    assert predictor.get_params()["seed"] == 3
    rows = np.empty(50, dtype=object)
    rows[:] = wirings
    scores = cross_val_score(
        predictor, rows, values_of(wirings).mean(axis=1), cv=KFold(2, shuffle=True, random_state=0)
    )
    assert scores.mean() > 0.6


def test_scikit_learn_takes_it_for_a_regressor():
    assert is_regressor(Predictor())
    assert not is_classifier(Predictor())


def test_asking_imports_nothing_heavy(tmp_path):
    fitted().save(tmp_path)
    code = (
        "import sys; from predictors import Predictor; from priors import WattsStrogatz\n"
        f"predictor = Predictor.load({str(tmp_path)!r}); graph = [WattsStrogatz(20, 4, .2).sample(0)]\n"
        "predictor.predict(graph, return_std=True); predictor.interval(graph); predictor.in_domain(graph)\n"
        "predictor.explain(graph); predictor.trains(graph); predictor.rank([0.5])\n"
        "print([name for name in ('sklearn', 'torch', 'optuna', 'xgboost', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
