"""Saved predictors go by the names of their features, whatever the table has come to hold since."""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from predictor_cases import drawn, fitted

from predictors import FEATURES, TIERS, Feature, GraphFeatures, Predictor, describe, names_of
from predictors.features.reference import describe_one
from predictors.legacy import FIRST_NAMES
from predictors.storage import FILE, signed

pytestmark = pytest.mark.usefixtures("small_forests")

KEPT = Path(__file__).parents[1] / "golden" / "recorded"


def toy(wiring) -> float:
    return wiring.n_hidden % 7 - 0.5


TOY = Feature("toy", "size", "size", "O(1)", "any", "hidden neurons modulo 7, less a half", measure=toy)


@pytest.fixture
def table() -> Iterator[dict[str, Feature]]:
    """The table, to be changed for one test."""
    before = dict(FEATURES)
    yield FEATURES
    FEATURES.clear()
    FEATURES.update(before)


def reordered(table: dict[str, Feature]) -> None:
    features = list(table.values())
    np.random.default_rng(0).shuffle(features)
    table.clear()
    table.update({feature.name: feature for feature in features})


def with_toy(table: dict[str, Feature]) -> None:
    others = dict(table)
    table.clear()
    table.update({"toy": TOY, **others})


def changed(table: dict[str, Feature]) -> None:
    with_toy(table)
    reordered(table)


CHANGES = {"more": with_toy, "reordered": reordered, "both": changed}


def kept(name: str, folder: Path) -> Path:
    """Return a predictor that was written as version 1."""
    with ZipFile(KEPT / f"{name}.zip") as archive:
        archive.extractall(folder)
    found = folder / "campaign" / "predictor" if name == "campaign-1" else folder / "predictor"
    assert b'"version": 1,' in (found / FILE).read_bytes()
    return found


def with_own_columns(folder: Path) -> Path:
    wirings, _ = drawn(20)
    Predictor(tiers=("recurrent", "size")).fit(wirings, np.arange(20.0), columns={"z": OWN, "a": -OWN}).save(folder)
    return folder


OWN = np.arange(20.0) % 3


def again(folder: Path, other: Path) -> Path:
    """Return a predictor as the version of today."""
    Predictor.load(folder).save(other)
    assert b'"version": 2,' in (other / FILE).read_bytes()
    return other


def of_today(folder: Path) -> Path:
    fitted().save(folder)
    return folder


STORED = {
    "1": lambda folder: kept("predictor-1", folder),
    "1 of a campaign": lambda folder: kept("campaign-1", folder),
    "2 from 1": lambda folder: again(kept("predictor-1", folder), folder / "again"),
    "2": of_today,
    "2 with own columns": with_own_columns,
}


def answers(folder: Path) -> dict[str, bytes]:
    own = Predictor.load(folder)
    wirings, _ = drawn(20, seed=5)
    columns = {"z": OWN, "a": -OWN} if "z" in own.fitted_.names else None
    found = own.ask(wirings, columns=columns)
    arrays = {"X": found.X, "mean": found.mean, "std": found.std, "low": found.interval(0.9)[0], "in": found.in_domain}
    return {name: array.tobytes() for name, array in arrays.items()}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("stored", STORED)
def test_another_table_changes_no_bit(stored: str, change: str, tmp_path: Path, table: dict[str, Feature]):
    folder = STORED[stored](tmp_path)
    before, names = answers(folder), Predictor.load(folder).fitted_.names
    CHANGES[change](table)
    assert answers(folder) == before
    found = Predictor.load(folder)
    assert found.fitted_.names == names
    assert found.features_ == tuple(name for name in names if name not in ("a", "z"))
    assert answers(again(folder, tmp_path / "other")) == before


def test_version_2_holds_the_names_that_version_1_stood_for(tmp_path: Path):
    first = kept("predictor-1", tmp_path)
    second = again(first, tmp_path / "again")
    assert answers(second) == answers(first)
    assert Predictor.load(first).tiers_ == Predictor.load(second).tiers_ == ("size", "structure")
    assert Predictor.load(second).fitted_.names == (*FIRST_NAMES["size"], *FIRST_NAMES["structure"])


HOSTILE_FIRST = {
    "tiers.0: Input should be 'size'": lambda d: d.update(tiers=["big"]),
    "tiers: Input should be a valid array": lambda d: d.update(tiers="size"),
    "array 'training.X' is": lambda d: d.update(tiers=["size"]),
    "names: Extra inputs are not permitted": lambda d: d.update(names=["density"]),
    "names: Field required": lambda d: d.update(version=2),
}


@pytest.mark.parametrize("message", HOSTILE_FIRST)
def test_hostile_documents_of_version_1_are_refused(message: str, tmp_path: Path):
    folder = kept("predictor-1", tmp_path)
    document = json.loads((folder / FILE).read_text())
    del document["sha256"]
    HOSTILE_FIRST[message](document)
    (folder / FILE).write_bytes(signed(document))
    with pytest.raises(ValueError, match=rf"^[^\n]+{re.escape(message)}[^\n]*$"):
        Predictor.load(folder)


def test_without_the_extension_a_predictor_reads_the_same_columns(
    tmp_path: Path, table: dict[str, Feature], monkeypatch: pytest.MonkeyPatch
):
    folder, wirings = kept("predictor-1", tmp_path), drawn(3)[0]
    expected = Predictor.load(folder).ask(wirings).X
    changed(table)
    monkeypatch.setattr(sys.modules["predictors.features.describe"], "extension", lambda: None)
    np.testing.assert_allclose(Predictor.load(folder).ask(wirings).X, expected, rtol=1e-9, atol=1e-9)


def test_the_table_still_has_all_features_of_version_1():
    assert set(FIRST_NAMES) <= set(TIERS)
    for tier, names in FIRST_NAMES.items():
        assert set(names) <= set(names_of((tier,))), tier
    assert sum(map(len, FIRST_NAMES.values())) == 129


@pytest.mark.parametrize("stored", STORED)
def test_a_feature_that_is_gone_is_named(stored: str, tmp_path: Path, table: dict[str, Feature]):
    folder = STORED[stored](tmp_path)
    del table["density"]
    with pytest.raises(ValueError, match=r"^[^\n]+ reads the feature 'density', which this version") as caught:
        Predictor.load(folder)
    assert str(caught.value).startswith(f"{folder}: ")
    assert str(caught.value).endswith("fit it again, or use the version that wrote it, '0.1.0'")


def test_a_column_of_ones_own_may_come_to_be_named_like_a_feature(tmp_path: Path, table: dict[str, Feature]):
    wirings, _ = drawn(20)
    own = Predictor().fit(wirings, np.arange(20.0), columns={"toy": OWN})
    own.save(tmp_path)
    expected = own.predict(wirings, columns={"toy": OWN})
    with_toy(table)
    np.testing.assert_array_equal(Predictor.load(tmp_path).predict(wirings, columns={"toy": OWN}), expected)
    with pytest.raises(ValueError, match="columns none: this predictor was fitted with toy"):
        Predictor.load(tmp_path).predict(wirings)
    with pytest.raises(ValueError, match="column 'toy': a name needs"):
        Predictor().fit(wirings, np.arange(20.0), columns={"toy": OWN})


# A feature in Python alone


def test_a_feature_is_a_row_with_a_measure(table: dict[str, Feature], tmp_path: Path):
    wirings, values = drawn(30)[0], np.arange(30.0)
    before = describe(wirings, TIERS)
    with_toy(table)
    assert len(names_of(TIERS)) == before.shape[1] + 1
    for rows in (describe(wirings, TIERS), np.array([list(describe_one(own, TIERS).values()) for own in wirings])):
        assert rows[:, 0].tolist() == [toy(wiring) for wiring in wirings]
        np.testing.assert_allclose(rows[:, 1:], before, rtol=1e-9, atol=1e-9)
    assert describe([], ("size",)).shape == (0, len(names_of(("size",))))
    assert GraphFeatures(("size",)).fit(wirings).get_feature_names_out()[0] == "toy"
    own = Predictor().fit(wirings, values)
    own.save(tmp_path)
    assert own.fitted_.names[0] == "toy"
    np.testing.assert_array_equal(Predictor.load(tmp_path).predict(wirings), own.predict(wirings))
    del table["toy"]
    with pytest.raises(ValueError, match="reads the feature 'toy'"):
        Predictor.load(tmp_path)


def test_a_predictor_older_than_a_feature_is_judged(tmp_path: Path, table: dict[str, Feature]):
    from nas.prediction.validation import validate_into

    folder = Path(shutil.copytree(kept("predictor-1", tmp_path / "kept"), tmp_path / "own"))
    with_toy(table)
    found = validate_into(folder, repeats=1, folds=3, watch=lambda *_: None)
    assert {row["name"] for row in found["references"]} >= {"mean", "size tier"}
