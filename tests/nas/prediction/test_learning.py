"""What predictors learn from campaigns and surveys: labels, wirings, parameters, and how graphs are prepared."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from survey_cases import TASK, make

from nas import Campaign, load
from nas import survey as survey_module
from nas.prediction import examples as learning
from nas.prediction.examples import LEAST_EXAMPLES, Examples, campaign_examples, fit_into, survey_examples
from nas.report import output as output_module
from nas.space.space import SEED_NAMES, Space
from nas.store.records import Record, Records
from nas.store.study import StudyFile
from nas.store.survey_parts import schema_of
from nas.store.survey_table import SurveyTable, load_survey
from predictors import Predictor, Preparation
from predictors.storage import FILE
from priors import Wiring

SPACE = Space(structure="dag", nodes=(8, 12), degree=(2.0, 4.0), reads=2, readouts=4)
NAN = float("nan")
RATES = (0.01, 0.1)


def drawn(count: int, space: Space = SPACE) -> list[dict[str, Any]]:
    """Return parameters of wirings, seeds included."""
    families = ("erdos-renyi", "watts-strogatz")
    found = []
    for number in range(count):
        own = {"family": families[number % 2], "n": 8 + number % 5, "degree": 3.0, "attachment": "controlled"}
        own |= {"p": 0.2} if own["family"] == "watts-strogatz" else {}
        own |= {"orientation": "random"} if space.is_oriented else {}
        found.append({**own, **dict.fromkeys(SEED_NAMES, number)})
    return found


def table_of(values: Any, tests: Any = None, direction: str = "maximize") -> SurveyTable:
    """Return a survey with the given values, (n_wirings, n_rates, n_replicates), NaN where a training failed."""
    values = np.asarray(values, dtype=np.float64)
    tests = values if tests is None else np.asarray(tests, dtype=np.float64)
    rows = []
    for number, params in enumerate(drawn(len(values))):
        fingerprint = SPACE.wiring(params, 3, 2).fingerprint
        for rate in range(values.shape[1]):
            for replicate in range(values.shape[2]):
                key = number, rate, replicate
                own = {"value": values[key], "test": tests[key]} if np.isfinite(values[key]) else {"error": "broken"}
                of_wiring = {f"param_{name}": value for name, value in params.items()} | {"fingerprint": fingerprint}
                rows.append(
                    {"number": number, "replicate": replicate, "learning_rate": RATES[rate], **of_wiring, **own}
                )
    schema = schema_of({name: domain.kind for name, domain in SPACE.domains().items()})
    columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in schema]
    identity = {
        "task": "digits",
        "network": "mlp",
        "space": SPACE.model_dump(mode="json"),
        "metric": "accuracy",
        "direction": direction,
        "n_inputs": 3,
        "n_outputs": 2,
    }
    return SurveyTable(pa.table(columns, schema), identity)


# Surveys


def test_labels_are_those_at_the_rate_with_the_best_mean_on_the_validation_part():
    values = [
        [[0.5, 0.7], [0.6, 0.61]],  # .6 and .605: the second rate, though the best single value is of the first
        [[0.9, 0.1], [0.4, 0.4]],
        [[0.3, 0.3], [0.3, 0.3]],  # Under ties, the first rate.
    ]
    tests = [[[1, 2], [3, 4]], [[5, 6], [7, 8]], [[9, 10], [11, 12]]]
    assert survey_examples(table_of(values)).labels.tolist() == [[0.6, 0.61], [0.9, 0.1], [0.3, 0.3]]
    # Tests never choose the rate.
    assert survey_examples(table_of(values, tests), "test").labels.tolist() == [[3, 4], [5, 6], [9, 10]]


def test_where_less_is_better_the_rate_with_the_smallest_mean_counts():
    values = [[[0.5, 0.7], [0.6, 0.61]], [[0.9, 0.1], [0.4, 0.4]]]
    found = survey_examples(table_of(values, direction="minimize"))
    assert found.labels.tolist() == [[0.5, 0.7], [0.4, 0.4]]
    assert found.predictor().direction == "minimize"


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_trainings_that_failed_are_not_known(direction: str):
    values = [
        [[NAN, 0.5], [0.6, 0.6]],
        [[NAN, NAN], [0.2, NAN]],
        [[NAN, NAN], [NAN, NAN]],
        [[0.0, 0.0], [NAN, NAN]],
    ]
    found = survey_examples(table_of(values, direction=direction))
    first = [NAN, 0.5] if direction == "minimize" else [0.6, 0.6]
    np.testing.assert_array_equal(found.labels, [first, [0.2, NAN], [0.0, 0.0]])
    numbers = [0, 1, 3]
    assert [wiring.fingerprint for wiring in found.wirings] == [
        SPACE.wiring(drawn(4)[number], 3, 2).fingerprint for number in numbers
    ]


def test_labels_of_a_real_survey_are_those_of_its_rows(calm_survey: Path):
    found = survey_examples(load_survey(calm_survey))
    frame = load(calm_survey).to_frame()
    for index, (_, rows) in enumerate(frame.groupby("number")):
        best = rows.groupby("learning_rate")["value"].mean().idxmax()
        expected = rows[rows["learning_rate"] == best].sort_values("replicate")
        assert found.labels[index].tolist() == expected["value"].tolist()
        assert found.wirings[index].fingerprint == expected["fingerprint"].iloc[0]
    assert len(found) == 6
    assert (found.metric, found.direction) == ("accuracy", "maximize")


def test_a_survey_teaches_its_predictor_validation_values_and_no_test(
    calm_survey: Path, monkeypatch: pytest.MonkeyPatch
):
    taught: list[Examples] = []
    monkeypatch.setattr(survey_module, "fit_into", lambda _, examples, *__, **___: taught.append(examples))
    make(calm_survey).run()
    frame = load(calm_survey).to_frame().sort_values(["number", "learning_rate", "replicate"])
    values, tests = (frame[name].to_numpy().reshape(6, 2, 2) for name in ("value", "test"))
    best = values.mean(axis=2).argmax(axis=1)
    assert taught[0].labels.tolist() == values[np.arange(6), best].tolist()
    assert taught[0].labels.tolist() != tests[np.arange(6), best].tolist()
    assert taught[0].chance == TASK.constant_value


def test_wirings_are_taken_evenly_where_there_are_many():
    values = np.arange(40.0).reshape(10, 2, 2)
    found = survey_examples(table_of(values), most=4)
    assert found.labels[:, 1].tolist() == [3, 15, 27, 39]
    assert [wiring.fingerprint for wiring in found.wirings] == [
        SPACE.wiring(drawn(10)[number], 3, 2).fingerprint for number in (0, 3, 6, 9)
    ]
    assert [row["n"] for row in found.parameters] == [drawn(10)[number]["n"] for number in (0, 3, 6, 9)]
    assert len(survey_examples(table_of(values), most=10)) == len(survey_examples(table_of(values), most=99)) == 10


def test_parameters_hold_no_seeds():
    found = survey_examples(table_of(np.ones((2, 1, 1))))
    shared = {"n", "degree", "attachment", "orientation", "family"}
    assert [set(row) for row in found.parameters] == [shared, shared | {"p"}]


def test_graphs_are_prepared_as_the_space_prepares_them():
    found = survey_examples(table_of(np.ones((2, 1, 1)))).preparation
    assert found == Preparation("dag", ("random",), ("controlled",), n_inputs=3, n_outputs=2, reads=2, readouts=4)


@pytest.mark.parametrize("structure", ["dag", "recurrent", "stack"])
@pytest.mark.parametrize("attachment", ["controlled", "natural", "projected"])
def test_a_prepared_graph_is_one_that_the_space_could_draw(structure: str, attachment: str):
    space = SPACE.model_copy(update={"structure": structure, "attachment": (attachment,), "width": (5, 5)})
    preparation = learning._preparation(space, (3, 2))
    params = drawn(1, space)[0] | {"attachment": attachment}
    trained = space.wiring(params, 3, 2)
    graph = space.prior(params).sample(int(params["graph_seed"]))
    prepared = preparation.wirings(graph)
    assert all((wiring.n_inputs, wiring.n_outputs) == (3, 2) for wiring in prepared)
    assert all(wiring.is_acyclic == trained.is_acyclic for wiring in prepared)
    if structure == "recurrent" and attachment != "controlled":
        assert [wiring.fingerprint for wiring in prepared] == [trained.fingerprint]
    if structure == "dag":
        assert {wiring.hidden.n_neurons for wiring in prepared} == {trained.hidden.n_neurons}
        assert {wiring.hidden.n_edges for wiring in prepared} == {trained.hidden.n_edges}


def test_without_units_nothing_is_attached():
    preparation = learning._preparation(SPACE, (0, 0))
    assert preparation.attachment == ()
    params = drawn(1)[0]
    (found,) = preparation.wirings(SPACE.wiring(params))
    assert found == SPACE.wiring(params)


def test_a_survey_without_rows_has_no_examples():
    table = table_of(np.full((3, 2, 2), NAN))
    assert len(survey_examples(table)) == 0


# Campaigns


def rebuilt(record: Record) -> Wiring:
    return SPACE.wiring(record.params, 3, 2)


def test_trials_become_examples():
    params = drawn(4)
    records = Records(
        (
            Record(0, "complete", 0.55, params[0], fingerprint="a", values=(0.5, 0.6)),
            Record(1, "failed", None, params[1], fingerprint="b", error="broken"),
            Record(2, "complete", 0.7, params[2], fingerprint="c", values=(0.7,)),
            Record(3, "complete", 0.9, params[3], fingerprint="d"),
            Record(4, "complete", 0.8, params[2] | {"replicate": 1}, fingerprint="c", values=(0.8,)),
        )
    )
    found = campaign_examples(records, rebuilt, SPACE, (3, 2), "accuracy", "maximize", 0.1)
    np.testing.assert_array_equal(found.labels, [[0.5, 0.6], [0.7, 0.8], [0.9, NAN]])
    assert [wiring.fingerprint for wiring in found.wirings] == [
        SPACE.wiring(params[number], 3, 2).fingerprint for number in (0, 2, 3)
    ]
    assert [dict(row) for row in found.parameters] == [
        {name: value for name, value in params[number].items() if name not in SEED_NAMES} for number in (0, 2, 3)
    ]
    assert found.preparation == Preparation(attachment=("controlled",), n_inputs=3, n_outputs=2, reads=2, readouts=4)
    own = found.predictor(seed=5)
    assert (own.metric, own.bounds, own.chance, own.seed) == ("accuracy", (0.0, 1.0), 0.1, 5)
    assert len(campaign_examples(records[1:2], rebuilt, SPACE, (3, 2), "accuracy", "maximize")) == 0


def test_trials_are_taken_evenly_where_there_are_many(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(learning, "MOST_EXAMPLES", 3)
    records = Records(tuple(Record(i, "complete", float(i), own, fingerprint=str(i)) for i, own in enumerate(drawn(9))))
    found = campaign_examples(records, rebuilt, SPACE, (3, 2), "value", "minimize")
    assert found.labels.tolist() == [[0], [4], [8]]
    assert (found.direction, found.predictor().bounds) == ("minimize", None)


def test_examples_of_a_campaign_are_its_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(output_module, "plot_progress", lambda *_: None)

    def evaluate(wiring: Wiring, _: Mapping[str, Any]) -> float:
        return -abs(wiring.n_edges - 40.0)

    options = {"space": {"nodes": (8, 20), "degree": (2, 6)}, "trials": LEAST_EXAMPLES, "sampler": "random"}
    campaign = Campaign(tmp_path, evaluate=evaluate, n_inputs=3, n_outputs=2, **options)
    outcome = campaign.run()
    records = StudyFile(tmp_path).records()
    found = campaign_examples(records, campaign._rebuild, campaign.space, (3, 2), "value", "maximize")
    assert [wiring.fingerprint for wiring in found.wirings] == [record.fingerprint for record in records]
    assert found.labels[:, 0].tolist() == [evaluate(wiring, {}) for wiring in found.wirings]
    own = Predictor.load(tmp_path / "predictor")
    np.testing.assert_array_equal(own.fitted_.training.labels, found.labels)
    assert own.preparation == found.preparation
    assert outcome.predictor == own.worth()
    # Among its own, it knows better from worse.
    assert np.corrcoef(own.predict(found.wirings), found.labels[:, 0])[0, 1] > 0.5


# Fits


def examples(values: Any) -> Examples:
    return survey_examples(table_of(np.asarray(values, dtype=np.float64)[:, None, None]))


def test_too_little_teaches_nothing(tmp_path: Path):
    assert fit_into(tmp_path, examples(np.arange(LEAST_EXAMPLES - 1)), 0) is None
    assert fit_into(tmp_path, examples(np.full(LEAST_EXAMPLES, 0.3)), 0) is None
    assert list(tmp_path.iterdir()) == []


def test_what_is_enough_is_fitted_and_saved(tmp_path: Path):
    given = examples(np.linspace(0.2, 0.8, LEAST_EXAMPLES))
    own = fit_into(tmp_path, given, seed=4)
    assert own is not None
    assert own.get_params() == Predictor.load(tmp_path / "predictor").get_params()
    assert own.seed == 4
    training = own.fitted_.training
    np.testing.assert_array_equal(training.X, given.training().X)
    path = tmp_path / "predictor" / FILE
    before = path.stat().st_mtime_ns
    again = fit_into(tmp_path, given, seed=4, again=False)
    assert again is not None
    assert again.worth() == own.worth()
    assert path.stat().st_mtime_ns == before
    path.write_bytes(b"damaged")
    assert fit_into(tmp_path, given, seed=4, again=False) is not None
    assert Predictor.load(tmp_path / "predictor").worth() == own.worth()
    assert set(training.families.tolist()) == {"erdos-renyi", "watts-strogatz"}


def test_a_survey_that_grows_is_learnt_again(tmp_path: Path):
    for wirings, expected in ((LEAST_EXAMPLES - 1, None), (LEAST_EXAMPLES, LEAST_EXAMPLES), (21, 21)):
        found = make(tmp_path, wirings=wirings, task=TASK, seeds=1).run().predictor
        assert (None if found is None else found["wirings"]) == expected
    assert Predictor.load(tmp_path / "predictor").chance == TASK.constant_value


@pytest.mark.parametrize("labels", [np.full(20, 0.5), np.full(20, 1e200), np.arange(20.0) * 1e150])
def test_values_that_cannot_be_learnt_leave_no_predictor(tmp_path: Path, labels: np.ndarray):
    wirings = tuple(Wiring((5,), [(0, 1 + seed % 4)]) for seed in range(20))
    examples = Examples(wirings, labels[:, None], ({},) * 20, Preparation(), "value", "maximize")
    assert fit_into(tmp_path, examples, 0) is None
    assert not list(tmp_path.iterdir())


def test_wirings_too_large_to_describe_leave_no_predictor(tmp_path: Path):
    wirings = (Wiring((20_001,)),) * 20
    examples = Examples(wirings, np.arange(20.0)[:, None], ({},) * 20, Preparation(), "value", "maximize")
    assert fit_into(tmp_path, examples, 0) is None
