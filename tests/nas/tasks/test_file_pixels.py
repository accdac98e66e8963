"""Tables whose columns are the pixels of images."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from command_line import refused, wirenas
from pydantic import ValidationError
from sklearn.datasets import load_digits

from nas import DataWarning, load_pipeline
from nas.errors import InputError
from nas.inputs import Pooling
from nas.tasks import inputs_of
from nas.tasks.files.loading import read_file
from nas.tasks.files.pipeline import Pipeline
from nas.tasks.files.pixels import PixelPreparation
from nas.tasks.pooling import pooled

N = 400


def table() -> pd.DataFrame:
    """Digits as published on many sites: the label first, then a column a pixel; some of them are 0 throughout."""
    images, labels = load_digits(return_X_y=True)
    frame = pd.DataFrame(images[:N].astype(int), columns=[f"pixel{place}" for place in range(64)])
    frame.insert(0, "label", labels[:N])
    return frame


@pytest.fixture
def written(tmp_path: Path) -> str:
    table().to_csv(tmp_path / "digits.csv", index=False)
    return f"csv:{tmp_path / 'digits.csv'}"


def test_columns_are_the_images_that_an_array_would_be(written: str, tmp_path: Path) -> None:
    loaded = read_file(written, {"target": "label", "shape": "8x8"})
    frame = table()
    np.savez(tmp_path / "digits.npz", X=frame.drop(columns="label").to_numpy().reshape(-1, 8, 8), y=frame["label"])
    other = read_file(f"npz:{tmp_path / 'digits.npz'}", {"shape": "8x8"}).task
    own = loaded.task
    assert own.shape == (8, 8)
    assert torch.equal(own.inputs, other.inputs)
    assert torch.equal(own.targets, other.targets)
    assert torch.equal(own.train, other.train)
    largest = frame.drop(columns="label").iloc[own.train.numpy()].to_numpy().max()
    assert np.array_equal(own.inputs.numpy(), (frame.drop(columns="label").to_numpy() / largest).astype(np.float32))
    assert loaded.columns["pixel0"] == "a pixel of an image of 8x8, divided by 16"
    assert loaded.columns["label"].startswith("target: 10 classes")
    assert (inputs_of(own).positions == inputs_of(other).positions).all()
    assert torch.equal(pooled(own, 2).inputs, Pooling(8, 8, 2)(own.inputs))


def test_missing_pixels_are_0_and_their_order_is_that_of_training(written: str, tmp_path: Path) -> None:
    frame = table().astype({"pixel20": float})
    frame.loc[:50, "pixel20"] = np.nan
    frame.to_csv(tmp_path / "holes.csv", index=False)
    task = read_file(f"csv:{tmp_path / 'holes.csv'}", {"target": "label", "shape": "8x8"}).task
    assert (task.inputs[:51, 20] == 0).all()
    assert task.pipeline is not None
    preparation = task.pipeline.of_columns
    assert preparation is not None
    assert preparation.n_inputs == task.n_inputs == 64
    backwards = frame[list(reversed(frame.columns))]
    inputs, surprises = preparation.transform(backwards)
    assert np.array_equal(inputs, task.inputs.numpy())
    assert surprises == ()
    assert "51 of 25600 pixels are missing and count as 0" in task.notes
    task.pipeline.save(tmp_path / "pipeline.json")
    assert Pipeline.load(tmp_path / "pipeline.json") == task.pipeline


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"shape": (8, 7)}, "pixels: each has a column of its own"),
        ({"columns": "twice"}, "pixels: each has a column of its own"),
        ({"columns": "date"}, "pixels: they are numbers"),
        ({"scale": 0.0}, "greater than 0"),
    ],
)
def test_a_spoilt_preparation_is_refused(written: str, change: dict[str, Any], line: str) -> None:
    pipeline = read_file(written, {"target": "label", "shape": "8x8"}).task.pipeline
    assert pipeline is not None
    stored = pipeline.preparation.model_dump(mode="json")
    columns = stored["columns"]
    spoilt = {
        "twice": [*columns[:-1], columns[0]],
        "date": [{"name": "when", "kind": "date", "style": "ISO8601"}, *columns[1:]],
    }
    change = {name: spoilt.get(str(value), value) for name, value in change.items()}
    with pytest.raises(ValidationError, match=line):
        PixelPreparation.model_validate_json(json.dumps({**stored, **change}))


def test_a_campaign_with_a_budget_knows_where_pixels_lie(written: str, tmp_path: Path) -> None:
    out = tmp_path / "found"
    few = ("--trials", 2, "--epochs", 40, "--finalists", 1, "--final-seeds", 1, "--final-epochs", 40)
    code, _, err = wirenas("run", "--task", written, "--target", "label", "--shape", "8x8", "--budget", "300",
                           "--ways", "prior", "--read-in", "local", *few, "--out", out)  # fmt: skip
    assert code == 0, err
    assert (out / "best" / "reads.png").is_file()
    frame = table()
    code, said, _ = wirenas("apply", out, written.partition(":")[2])
    pipeline = load_pipeline(out)
    assert code == 0
    labels = pipeline.predict(frame)
    assert [int(row.partition(",")[0]) for row in said.split()[1:]] == labels.tolist()
    assert np.array_equal(pipeline.predict(frame.drop(columns="label").to_numpy()), labels)
    assert np.mean(labels == frame["label"]) > 0.3
    with pytest.raises(InputError, match="column 'pixel7' is missing; the table has 'label', 'pixel0'"):
        pipeline.predict(frame.drop(columns="pixel7"))
    with pytest.warns(DataWarning, match="pixel7: 1 of 400 rows hold no number .'dark'.; they count as missing"):
        pipeline.predict(frame.astype({"pixel7": object}).replace({"pixel7": {frame["pixel7"][0]: 0}}).assign(
            pixel7=lambda own: ["dark", *own["pixel7"][1:]]))  # fmt: skip


def test_what_is_no_image_is_one_line(written: str) -> None:
    path = written.partition(":")[2]
    line = refused("data", path, "--target", "label", "--shape", "8x7")
    assert line.startswith("wirenas: --shape 8x7: an image has 56 pixels, and 64 columns are read ('pixel0', 'pixel1'")
    assert line.endswith("give --drop-columns for those that are no pixels\n")


def test_a_shape_of_more_pixels_than_columns_is_told_which_fit(written: str) -> None:
    line = refused("data", written.partition(":")[2], "--target", "label", "--shape", "9x8")
    assert line == "wirenas: --shape 9x8: an image has 72 pixels, and a row has 64 values; such as 8x8\n"


def test_pixels_are_read_as_they_are_written_and_beyond_all_bounds_count_as_0(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": ["0,5", "1,0"] * 30, "b": [0, 2] * 30, "c": [1e60] * 59 + [3.0], "d": [4.0] * 60})
    frame["y"] = [0, 1] * 30
    frame.to_csv(tmp_path / "own.csv", index=False, sep=";")
    task = read_file(f"csv:{tmp_path / 'own.csv'}", {"target": "y", "shape": "2x2"}).task
    expected = np.column_stack([[0.5, 1.0] * 30, [0, 2] * 30, [0] * 59 + [3], [4] * 60]) / 4
    assert np.array_equal(task.inputs.numpy(), expected.astype(np.float32))
    assert task.pipeline is not None
    assert task.pipeline.of_columns is not None
    inputs, _ = task.pipeline.of_columns.transform(frame.astype(str))
    assert np.array_equal(inputs, expected.astype(np.float32))
