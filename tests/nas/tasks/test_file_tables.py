"""Tasks from tables: what columns are, what is predicted, how rows are split, and what is refused."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from nas.errors import InputError
from nas.tasks import MEASURES, Measure, load_task
from nas.tasks.files.loading import Loaded, load_file, read_file
from nas.tasks.files.pipeline import Pipeline
from nas.tasks.files.preparation import TablePreparation, typed


def table(n: int = 120, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": [f"row-{own:05d}" for own in rng.permutation(n)],
            "size": rng.normal(50, 10, n).round(2),
            "town": rng.choice(["Bonn", "Ulm", "Rome"], n),
            "when": pd.date_range("2020-01-01", periods=n, freq="5D").strftime("%Y-%m-%d"),
            "same": "x",
            "sold": rng.choice(["yes", "no"], n),
        }
    )


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., str]:
    def write(frame: pd.DataFrame, name: str = "own.csv", **options: Any) -> str:
        frame.to_csv(tmp_path / name, index=False, **options)
        return f"csv:{tmp_path / name}"

    return write


def refusal(name: str, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        read_file(name, options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def noted(loaded: Loaded, word: str) -> bool:
    return any(word in note for note in loaded.task.notes)


def test_columns_are_what_they_look_like(written: Callable[..., str]):
    loaded = read_file(written(table()), {"target": "sold"})
    assert loaded.columns["id"].startswith("every value differs")
    assert loaded.columns["size"] == "numbers"
    assert loaded.columns["town"] == "3 categories"
    assert loaded.columns["when"].startswith("dates: days, year, week")
    assert loaded.columns["same"].startswith("constant")
    assert loaded.columns["sold"] == "target: 2 classes ('no', 'yes')"
    assert loaded.task.labels == ("no", "yes")
    # The size, five of the date, and the towns.
    assert loaded.task.n_inputs == 1 + 5 + 3


def test_everything_is_fitted_to_the_training_part(written: Callable[..., str]):
    frame = table()
    first = read_file(written(frame), {"target": "sold"}).task
    changed = frame.copy()
    others = np.concatenate([first.validation.numpy(), first.test.numpy()])
    changed.loc[others, "size"] = 9_999.0
    changed.loc[others, "town"] = "Oslo"
    second = read_file(written(changed, "other.csv"), {"target": "sold"}).task
    assert first.pipeline is not None
    assert second.pipeline is not None
    assert first.pipeline.preparation == second.pipeline.preparation
    assert np.array_equal(first.inputs[first.train], second.inputs[second.train])
    scaled = first.inputs[first.train][:, 0].double()
    assert abs(float(scaled.mean())) < 1e-6
    assert abs(float(scaled.std(correction=0)) - 1) < 1e-5
    assert noted(read_file(written(changed, "other.csv"), {"target": "sold"}), f"town: {len(others)} of 120 rows have")


def test_a_saved_preparation_is_the_fitted_one(written: Callable[..., str], tmp_path: Path):
    rng = np.random.default_rng(0)
    frame = table()
    frame["text"] = [" ".join(rng.choice(["red", "green", "blue", "big", "small"], 5)) for _ in range(len(frame))]
    frame.loc[rng.random(len(frame)) < 0.2, ["size", "town"]] = None
    task = load_file(written(frame), {"target": "sold"})
    assert task.pipeline is not None
    task.pipeline.save(tmp_path / "pipeline.json")
    again = Pipeline.load(tmp_path / "pipeline.json")
    assert again == task.pipeline
    assert isinstance(again.preparation, TablePreparation)
    raw = pd.read_csv(tmp_path / "own.csv")
    inputs, surprises = again.preparation.transform(raw)
    assert np.array_equal(inputs, task.inputs.numpy())
    assert surprises == ()
    # The transformers that were fitted, and not only what was kept of them, say the same.
    train = task.train.numpy()
    cells = typed(again.preparation.columns, raw).frame
    fitted = again.preparation._unfitted().fit(cells.iloc[train])
    assert np.allclose(np.clip(fitted.transform(cells), -10, 10), inputs, atol=1e-6)


@pytest.mark.parametrize(("spoilt", "why"), [("{", "no pipeline"), ('{"version": 2}', "no pipeline")])
def test_a_spoilt_pipeline_is_one_line(tmp_path: Path, spoilt: str, why: str):
    (tmp_path / "pipeline.json").write_text(spoilt, encoding="utf-8")
    with pytest.raises(InputError, match=why):
        Pipeline.load(tmp_path / "pipeline.json")


def test_decimal_commas_semicolons_and_old_encodings(tmp_path: Path):
    text = "Größe;Preis;Stadt\n" + "".join(f"{k},5;1.{k:03d},25;Köln\n" for k in range(100, 160))
    (tmp_path / "de.csv").write_bytes(text.encode("cp1252"))
    loaded = read_file(f"csv:{tmp_path / 'de.csv'}", {"target": "Preis"})
    assert noted(loaded, "cp1252")
    assert loaded.columns["Größe"] == "numbers with decimal commas"
    assert loaded.task.measure is not None
    values = loaded.task.targets.numpy() * loaded.task.measure.scale + loaded.task.measure.mean
    assert values.min() == pytest.approx(1100.25, abs=1e-3)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_at_the_beginning_says_how_text_is_encoded(encoding: str, tmp_path: Path):
    rows = "".join(f"{k};{k % 7};{'Köln' if k % 3 else 'Ulm'}\n" for k in range(60))
    (tmp_path / "own.csv").write_bytes(("Größe;Zahl;Stadt\n" + rows).encode(encoding))
    loaded = read_file(f"csv:{tmp_path / 'own.csv'}")
    assert list(loaded.columns) == ["Größe", "Zahl", "Stadt"]
    assert loaded.task.labels == ("Köln", "Ulm")


def test_zero_bytes_are_no_text(tmp_path: Path):
    text = "a;b\0;c\n" + "1;2;3\n4;5;6\n" * 30
    for encoding in ("utf-8", "utf-16", "cp1252"):
        (tmp_path / "zero.csv").write_bytes(text.encode(encoding))
        assert "it holds zero bytes, so it is no text" in refusal(f"csv:{tmp_path}/zero.csv")
    frame = pd.DataFrame({"a": range(60), "b\0": range(60), "c": [0, 1] * 30})
    frame.to_parquet(tmp_path / "zero.parquet")
    for kind in ("object", "string", "category"):
        frame = pd.DataFrame({"a": range(60), "c": pd.Series(["x", "x\0", "y"] * 20, dtype=kind)})
        frame.to_parquet(tmp_path / "cells.parquet")
        assert "a cell of column c holds a zero byte" in refusal(f"parquet:{tmp_path}/cells.parquet")
    assert r"the name of column 2 holds a zero byte, 'b\x00'; rename it" in refusal(f"parquet:{tmp_path}/zero.parquet")


def test_a_packed_table_without_a_heading(tmp_path: Path):
    rng = np.random.default_rng(0)
    rows = "".join(f"{a:.3f}\t{b:.3f}\t{int(a > b)}\n" for a, b in rng.normal(size=(50, 2)))
    (tmp_path / "raw.tsv.gz").write_bytes(gzip.compress(rows.encode()))
    loaded = read_file(f"csv:{tmp_path / 'raw.tsv.gz'}")
    assert len(loaded.task.inputs) == 50
    assert loaded.task.n_outputs == 2
    assert noted(loaded, "no heading")


def test_mixed_cells_and_numbers_out_of_range(written: Callable[..., str]):
    frame = table()
    frame["size"] = frame["size"].astype(str)
    frame.loc[3, "size"], frame.loc[4, "size"], frame.loc[5, "size"] = "about 5", "inf", "1e999"
    loaded = read_file(written(frame), {"target": "sold"})
    assert "numbers" in loaded.columns["size"]
    assert np.isfinite(loaded.task.inputs.numpy()).all()
    assert float(loaded.task.inputs.abs().max()) <= 10


def test_groups_stay_together_and_time_runs_forward(written: Callable[..., str]):
    frame = table()
    frame["patient"] = np.arange(len(frame)) // 5
    task = load_file(written(frame), {"target": "sold", "group": "patient"})
    parts = [set(frame["patient"].to_numpy()[own.numpy()]) for own in (task.train, task.validation, task.test)]
    assert [one & other for one in parts for other in parts if one is not other] == [set()] * 6
    assert 18 <= len(task.test) <= 30
    shuffled = frame.sample(frac=1, random_state=0).reset_index(drop=True)
    task = load_file(written(shuffled), {"target": "sold", "time": "when"})
    when = shuffled["when"].to_numpy()
    assert max(when[task.train]) < min(when[task.validation])
    assert max(when[task.validation]) < min(when[task.test])
    assert len(task.test) == 24


def test_a_test_file_is_the_test_part(written: Callable[..., str], tmp_path: Path):
    other = table(30, seed=1)
    other["extra"] = 1
    other.loc[0, "sold"] = "maybe"
    name = written(table())
    written(other, "test.csv")
    loaded = read_file(name, {"target": "sold", "test": str(tmp_path / "test.csv")})
    assert loaded.task.test.tolist() == list(range(120, 150))
    assert loaded.task.labels == ("maybe", "no", "yes")
    assert noted(loaded, "1 of 30 test rows have a class that training never sees ('maybe')")
    assert noted(loaded, "columns that only it has are not read: 'extra'")
    written(other.drop(columns="town"), "test.csv")
    assert "'town' of the other file is missing" in refusal(name, target="sold", test=str(tmp_path / "test.csv"))


def test_weights_and_metrics_make_other_tasks(written: Callable[..., str]):
    name = written(table())
    plain = load_file(name, {"target": "sold"})
    weighted = load_file(name, {"target": "sold", "class_weights": True})
    measured = load_file(name, {"target": "sold", "metric": "auc"})
    assert len({plain.fingerprint, weighted.fingerprint, measured.fingerprint}) == 3
    assert plain.fingerprint == load_file(name, {"target": "sold"}).fingerprint
    assert weighted.class_weights is not None
    assert float(weighted.class_weights[weighted.targets[weighted.train]].mean()) == pytest.approx(1, abs=1e-6)
    assert (plain.metric, measured.metric, measured.constant_value) == ("accuracy", "auc", 0.5)


def test_metrics_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    for n_classes in (2, 5):
        outputs, classes = rng.normal(size=(200, n_classes)), rng.integers(0, n_classes, 200)
        shares = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
        said = outputs.argmax(axis=1)
        wanted = {
            "accuracy": metrics.accuracy_score(classes, said),
            "balanced-accuracy": metrics.balanced_accuracy_score(classes, said),
            "macro-f1": metrics.f1_score(classes, said, average="macro"),
            "log-loss": metrics.log_loss(classes, shares),
            "auc": metrics.roc_auc_score(classes, shares[:, 1] if n_classes == 2 else shares, multi_class="ovr"),
        }
        for name, value in wanted.items():
            assert Measure(name)(outputs, classes) == pytest.approx(value, abs=1e-12), name
    outputs, values = rng.normal(size=(100, 1)), rng.normal(size=(100, 1))
    said, truth = outputs * 3 + 7, values * 3 + 7
    for name, function in (
        ("mse", metrics.mean_squared_error),
        ("mae", metrics.mean_absolute_error),
        ("r2", metrics.r2_score),
    ):
        assert Measure(name, (7.0,), (3.0,))(outputs, values) == pytest.approx(function(truth, said)), name
    assert set(MEASURES) == {*wanted, "mse", "mae", "r2"}


@pytest.mark.parametrize("metric", ["r2", "mse"])
def test_constant_predictions_are_the_mean(written: Callable[..., str], metric: str):
    frame = table()
    task = load_file(written(frame), {"target": "size", "metric": metric})
    values = frame["size"].to_numpy()
    mean = values[task.train].mean()
    truth = values[task.test.numpy()]
    function = metrics.r2_score if metric == "r2" else metrics.mean_squared_error
    assert task.constant_score(task.test) == pytest.approx(function(truth, np.full(len(truth), mean)), rel=1e-5)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"target": "sol"}, "target=sol: column 'sol' is not known (nearest: sold)"),
        ({"drop_columns": ["nothing"]}, "drop_columns=nothing: column 'nothing' is not known"),
        ({"target": "same"}, "target=same: it is 'x' in every row"),
        ({"target": "id"}, "target=id: every row has a label of its own"),
        ({"target": "sold", "metric": "mse"}, "metric=mse: it is for numbers, and target sold holds"),
        ({"target": "size", "class_weights": True, "metric": "mse"}, "class_weights=true: numbers are predicted"),
        ({"target": "sold", "metric": "f1"}, "metric 'f1' is not known; known: accuracy"),
        ({"target": "sold", "group": "id", "time": "when"}, "group and time are both given"),
        ({"target": "sold", "time": "town"}, "time=town: it holds"),
        ({"target": "sold", "group": "same"}, "group: 1 group is left"),
        ({"target": "sold", "shape": "28"}, "shape=28: it must be rows and columns"),
        (
            {"target": "sold", "shape": "2x2"},
            "shape=2x2: an image has 4 pixels, and 5 columns are read ('id', 'size', 'town', 'when', …); give drop",
        ),
        (
            {"target": "sold", "shape": "1x2", "drop_columns": ["when", "id", "same"]},
            "shape=1x2: pixels are numbers; town: 120 of 120 rows hold no number ('Ulm'",
        ),
        ({"target": "sold", "drop_columns": ["sold"]}, "target=sold: it is left out"),
        ({"target": "sold", "drop_columns": ["size", "town", "when"]}, "no column is left to learn from"),
    ],
)
def test_what_does_not_fit_is_one_line(written: Callable[..., str], options: dict[str, Any], line: str):
    assert line in refusal(written(table()), **options)


def test_files_that_are_none(tmp_path: Path):
    assert "no such file" in refusal(f"csv:{tmp_path}/none.csv")
    assert "it is no file" in refusal(f"csv:{tmp_path}")
    (tmp_path / "empty.csv").touch()
    assert "is empty" in refusal(f"csv:{tmp_path}/empty.csv")
    (tmp_path / "twice.csv").write_text("a,a,b\n1,2,3\n", encoding="utf-8")
    assert "both called 'a'" in refusal(f"csv:{tmp_path}/twice.csv")
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n1,2,3\n", encoding="utf-8")
    assert "line 3 has 3 cells" in refusal(f"csv:{tmp_path}/ragged.csv")
    (tmp_path / "few.csv").write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
    assert "too few" in refusal(f"csv:{tmp_path}/few.csv")
    with pytest.raises(InputError, match=r"csv:houses\.csv"):
        load_task("houses.csv")
    with pytest.raises(InputError, match="target=price: task digits is not read from a file"):
        load_task("digits", files={"target": "price"})


def test_openml_by_name(monkeypatch: pytest.MonkeyPatch):
    from sklearn import datasets
    from sklearn.utils import Bunch

    asked: list[dict[str, Any]] = []

    def fetch(**options: Any) -> Bunch:
        asked.append(options)
        if options.get("name") == "gone":
            raise ValueError("No known dataset\nby that name")
        return Bunch(frame=table(), target_names=["sold"])

    monkeypatch.setattr(datasets, "fetch_openml", fetch)
    task = load_file("openml:houses")
    assert task.pipeline is not None
    assert task.pipeline.answers.name == "sold"
    load_file("openml:61")
    assert (asked[0]["name"], asked[1]["data_id"]) == ("houses", 61)
    assert "openml:gone: it cannot be fetched (No known dataset by that name)" in refusal("openml:gone")


def test_arff_and_parquet_give_the_tasks_of_csv(tmp_path: Path, written: Callable[..., str]):
    pytest.importorskip("pyarrow")
    frame = table().drop(columns=["id", "when", "same"])
    own = load_file(written(frame), {"target": "sold"})
    frame.to_parquet(tmp_path / "own.parquet", index=False)
    assert load_file(f"parquet:{tmp_path}/own.parquet", {"target": "sold"}).fingerprint == own.fingerprint
    lines = ["@relation own", "@attribute size numeric", "@attribute town {Bonn,Ulm,Rome}", "@attribute sold {yes,no}"]
    rows = frame.to_csv(index=False, header=False)
    (tmp_path / "own.arff").write_text("\n".join([*lines, "@data", rows]), encoding="utf-8")
    assert load_file(f"arff:{tmp_path}/own.arff", {"target": "sold"}).fingerprint == own.fingerprint


def test_a_given_test_part_shares_no_group(written: Callable[..., str], tmp_path: Path):
    frame = table()
    frame["patient"] = np.arange(len(frame)) // 5
    name = written(frame)
    written(frame.iloc[:10].assign(patient=frame.patient.iloc[:10] + 1_000), "apart.csv")
    options = {"target": "sold", "group": "patient"}
    assert len(load_file(name, options | {"test": str(tmp_path / "apart.csv")}).test) == 10
    written(frame.iloc[:10], "same.csv")
    with pytest.raises(InputError, match=r"^group: '0' has rows in the \w+ and in the test part"):
        load_file(name, options | {"test": str(tmp_path / "same.csv")})


@pytest.mark.parametrize("blank", ["\n", "   \n", " \t\r\n\n"])
def test_lines_before_the_heading_that_are_blank_are_none(blank: str, written: Callable[..., str], tmp_path: Path):
    path = Path(written(table()).partition(":")[2])
    expected = read_file(f"csv:{path}", {"target": "sold"}).task.fingerprint
    path.write_text(blank + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert read_file(f"csv:{path}", {"target": "sold"}).task.fingerprint == expected


def test_a_line_that_is_too_long_is_named(tmp_path: Path):
    (tmp_path / "long.csv").write_text("a,b\n1,2\n1,2,3\n" + "1,2\n" * 20, encoding="utf-8")
    with pytest.raises(InputError, match=r"long.csv: line 3 has 3 cells, and the lines before have 2; quote cells"):
        load_file(f"csv:{tmp_path / 'long.csv'}", {})


def test_a_test_part_that_is_the_training_part_is_refused(written: Callable[..., str], tmp_path: Path):
    name = written(table())
    path = Path(name.partition(":")[2])
    (tmp_path / "copy.csv").write_bytes(path.read_bytes())
    for other in (path, tmp_path / "copy.csv", f"csv:{path}"):
        assert "it holds what the file with the training part holds, byte by byte" in refusal(name, test=str(other))
