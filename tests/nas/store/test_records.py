"""Records: what a trial holds, its way through SQLite and back, and tables of trials."""

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.store.records import Record, Records, describe
from nas.store.study import StudyFile, load
from priors import Wiring, attach

finite = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


def record(number: int = 0, **fields: Any) -> Record:
    params = {"family": "erdos-renyi", "n": 20, "degree": 0.1 + 0.2}
    return Record(**{"number": number, "state": "complete", "value": 1 / 3, "params": params, **fields})


def distributions(params: dict[str, Any]) -> dict[str, Any]:
    return {
        "family": optuna.distributions.CategoricalDistribution(("erdos-renyi", "watts-strogatz")),
        "n": optuna.distributions.IntDistribution(1, 100),
        "degree": optuna.distributions.FloatDistribution(-1e308, 1e308),
    }


records = st.builds(
    record,
    value=finite,
    params=st.fixed_dictionaries(
        {
            "family": st.sampled_from(["erdos-renyi", "watts-strogatz"]),
            "n": st.integers(1, 100),
            "degree": st.floats(-1e300, 1e300),
        }
    ),
    fingerprint=texts,
    degree=finite,
    hidden_edges=st.lists(st.integers(0, 2**31 - 1), max_size=6).map(tuple),
    n_parameters=st.none() | st.integers(0, 2**40),
    values=st.lists(finite, max_size=3).map(tuple),
    learning_rate=st.none() | finite,
    ladder=st.dictionaries(texts, finite, max_size=3),
    steps=st.integers(0, 2**40),
    seconds=finite,
    engine=texts,
    prediction=st.none() | finite,
    error=st.none() | texts,
    attempts=st.integers(1, 3),
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> StudyFile:
    return StudyFile(tmp_path_factory.mktemp("study"), "maximize")


@given(stored=st.lists(records, min_size=1, max_size=4))
@settings(deadline=None, max_examples=5)
def test_a_record_survives_the_study_to_the_last_bit(study: StudyFile, stored: list[Record]):
    first = len(study.trials())
    for each in stored:
        study.add(each, distributions(dict(each.params)))
    for number, (found, each) in enumerate(zip(StudyFile(study.path.parent).records()[first:], stored, strict=True)):
        assert found == Record(**{**vars(each), "number": first + number})
        assert isinstance(found.hidden_edges, tuple)
        assert isinstance(found.values, tuple)


def test_floats_are_stored_bit_exactly(tmp_path: Path):
    # The sign of zero is all that SQLite does not keep.
    values = (5e-324, 1 / 3, math.nextafter(1.0, 2.0), 0.0, -1.7976931348623157e308)
    study = StudyFile(tmp_path, "minimize")
    for number, value in enumerate(values):
        study.add(record(number, value=value, seconds=value), distributions({}))
    bits = [value.hex() for value in values]
    assert [row.value.hex() for row in load(tmp_path) if row.value is not None] == bits
    assert [row.seconds.hex() for row in load(tmp_path)] == bits
    assert [row.number for row in load(tmp_path)] == [0, 1, 2, 3, 4]


def test_a_failed_record_has_no_value(tmp_path: Path):
    study = StudyFile(tmp_path, "maximize")
    study.add(record(state="failed", value=None, error="ValueError: no", attempts=3), distributions({}))
    (found,) = load(tmp_path)
    assert (found.state, found.value, found.error, found.attempts) == ("failed", None, "ValueError: no", 3)
    assert not found.is_complete
    assert len(load(tmp_path).complete) == 0


def test_attributes_of_a_later_version_are_left_out():
    stored = {**record().attributes(), "unheard_of": 3}
    found = Record.from_attributes(0, "complete", 1 / 3, record().params, stored)
    assert found == record()


def test_what_follows_from_a_wiring():
    # Neurons 0 and 1 feed 2, which feeds itself one step later; 3 is isolated.
    hidden = Wiring((2, 2), [(0, 2), (1, 2), (2, 2)])
    wiring = attach(hidden, 3, 1, "published")
    found = describe(wiring)
    assert found["fingerprint"] == wiring.fingerprint
    assert (found["n_hidden"], found["n_edges"], found["n_layers"]) == (4, 3, 2)
    assert found["hidden_edges"] == (0, 2, 1, 2, 2, 2)
    assert (found["n_sources"], found["n_sinks"]) == (len(hidden.sources), len(hidden.sinks))
    assert found["degree"] == 2 * 2 / 4


def test_each_pair_counts_once_in_the_degree():
    triangle = Wiring((3,), [(0, 1), (1, 0), (1, 2), (2, 1), (0, 2), (2, 0)])
    assert describe(triangle)["degree"] == 2.0
    assert describe(Wiring((3,), np.empty((0, 2), int)))["degree"] == 0.0


def test_a_projection_does_not_count_as_graph():
    triangle = Wiring((3,), [(0, 1), (1, 0), (1, 2), (2, 1), (0, 2), (2, 0)])
    found = describe(attach(triangle, 5, 2, "projected", width=4), "projected")
    assert found["degree"] == 2.0
    assert found["n_hidden"] == 7
    assert describe(triangle, "projected")["degree"] == 2.0


def test_a_table_is_a_sequence():
    table = Records((record(0), record(1, state="failed", value=None), record(2)))
    assert len(table) == 3
    assert table[1].number == 1
    assert table[-1].number == 2
    assert isinstance(table[1:], Records)
    assert [row.number for row in table[1:]] == [1, 2]
    assert [row.number for row in table.complete] == [0, 2]
    assert table.complete == Records((record(0), record(2)))


def test_rows_are_flat_and_without_edges():
    row = record(hidden_edges=(0, 1), values=(0.5, 1 / 3), ladder={"0.1": 0.25}).row()
    assert row["param_n"] == 20
    assert row["value_at_0.1"] == 0.25
    assert row["values"] == "0.5 0.3333333333333333"
    assert not {"hidden_edges", "params", "ladder"} & set(row)
    assert all(value is None or isinstance(value, str | int | float) for value in row.values())


def test_csv_and_frame_hold_every_row(tmp_path: Path):
    table = Records(
        (
            record(0, ladder={"0.1": 0.25}),
            record(1, params={"family": "watts-strogatz", "p": 0.125}, state="failed", value=None, error='a "b", c'),
        )
    )
    table.to_csv(tmp_path / "trials.csv")
    with (tmp_path / "trials.csv").open(encoding="utf-8", newline="") as file:
        first, second = csv.DictReader(file)
    assert float(first["value"]) == 1 / 3
    assert float(first["param_degree"]) == 0.1 + 0.2
    assert (first["param_p"], second["param_p"]) == ("", "0.125")
    assert (second["value"], second["error"]) == ("", 'a "b", c')
    frame = table.to_frame()
    assert list(frame.columns) == list(first)
    assert frame["number"].tolist() == [0, 1]
    assert frame["value"].iloc[0] == 1 / 3
    assert [path.name for path in tmp_path.iterdir()] == ["trials.csv"]


def test_an_empty_table_is_written(tmp_path: Path):
    Records(()).to_csv(tmp_path / "trials.csv")
    assert (tmp_path / "trials.csv").read_text(encoding="utf-8").strip() == ""
    assert len(Records(()).to_frame()) == 0
