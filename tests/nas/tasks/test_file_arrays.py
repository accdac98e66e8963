"""Tasks from npz files: rows, images, sequences, parts that the file tells apart, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas.errors import InputError
from nas.tasks import digits
from nas.tasks.files.arrays import ArrayPreparation
from nas.tasks.files.loading import load_file, read_file

Write = Callable[..., str]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    def write(name: str = "own.npz", **arrays: Any) -> str:
        np.savez(tmp_path / name, **arrays)
        return f"npz:{tmp_path / name}"

    return write


def sequences(n: int = 60, seed: int = 0) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, 9, n)
    values = rng.normal(5, 3, (n, 8, 2))
    values[np.arange(8) >= lengths[:, None]] = 77.0
    return values, lengths, rng.integers(0, 3, n)


def test_padded_and_ragged_sequences_are_one_task(written: Write):
    values, lengths, classes = sequences()
    padded = load_file(written(X=values, y=classes, lengths=lengths))
    inside = np.arange(8) < lengths[:, None]
    ragged = load_file(written("ragged.npz", X=values[inside], y=classes, lengths=lengths))
    assert padded.fingerprint == ragged.fingerprint
    assert padded.lengths is not None
    inputs, ends = padded.inputs.numpy(), padded.lengths.numpy()
    assert (inputs[~(np.arange(8) < ends[:, None])] == 0).all()
    train = padded.train.numpy()
    steps = inputs[train][np.arange(8) < ends[train][:, None]]
    assert np.allclose(steps.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(steps.std(axis=0), 1, atol=1e-5)


def test_parts_and_classes_of_the_file_are_kept(written: Write):
    values, lengths, classes = sequences()
    name = written(
        X_train=values[:40, :7], y_train=classes[:40], lengths_train=np.minimum(lengths[:40], 7),
        X_test=values[40:], y_test=classes[40:], lengths_test=lengths[40:], classes=np.array([10, 20, 30]),
    )  # fmt: skip
    loaded = read_file(name)
    assert loaded.task.test.tolist() == list(range(40, 60))
    assert loaded.task.labels == (10, 20, 30)
    assert loaded.parts.startswith("the test part as given")


def test_images_keep_their_shape_and_zeros(written: Write):
    known = digits()
    pixels = (known.inputs.numpy() * 16).astype(np.uint8)
    task = load_file(written(X=pixels.reshape(-1, 8, 8), y=known.targets.numpy()), {"shape": "8x8"})
    assert task.shape == (8, 8)
    assert np.allclose(task.inputs.numpy(), known.inputs.numpy(), atol=1e-6)
    assert task.fingerprint == load_file(written(X=pixels, y=known.targets.numpy()), {"shape": "8x8"}).fingerprint
    without = read_file(written(X=pixels.reshape(-1, 8, 8), y=known.targets.numpy()))
    assert without.task.is_sequence
    assert any("for images give shape=8x8" in note for note in without.task.notes)


def test_rows_and_several_numbers_to_predict(written: Write):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 4))
    y = np.stack([x[:, 0] * 100 + 5, x[:, 1] - 3], axis=1)
    task = load_file(written(X=x, y=y, feature_names=np.array(["a", "b", "c", "d"])))
    assert (task.n_inputs, task.n_outputs, task.metric) == (4, 2, "mse")
    assert task.measure is not None
    assert np.allclose(task.targets.numpy() * task.measure.scale + task.measure.mean, y, atol=1e-3)
    assert task.pipeline is not None
    assert [own.name for own in task.pipeline.preparation.columns] == ["a", "b", "c", "d"]  # type: ignore[union-attr]


def test_published_files(shared_data: Path):
    for path, n_test, network in (
        ("tabular/higgs-sample/higgs_sample.npz", 500, False),
        ("sequences/japanese-vowels/japanese-vowels.npz", 370, True),
        ("sequences/italy-power-demand/italy-power-demand.npz", 1029, True),
    ):
        task = load_file(f"npz:{shared_data / path}")
        assert (len(task.test), task.is_sequence) == (n_test, network)


@pytest.mark.parametrize(
    ("arrays", "options", "line"),
    [
        ({"X": np.zeros((9, 2))}, {}, "arrays X and y are needed"),
        ({"X": np.ones((9, 2)), "y": np.arange(8)}, {}, "X has 9 examples and y 8"),
        ({"X": np.ones((9, 2)), "y": np.zeros(9, int)}, {}, "target=y: it is 0 in every row"),
        ({"X": np.ones((9, 2)), "y": np.arange(9) % 2}, {}, "no column is left"),
        ({"X": np.array(["a", "b"]), "y": np.arange(2)}, {}, "array X holds text"),
        ({"X": np.array([None, 1]), "y": np.arange(2)}, {}, "holds Python objects, which may run code"),
        ({"X": np.ones((9, 4, 4)), "y": np.arange(9) % 2}, {"shape": "5x5"}, "an example of X is 4 x 4; valid: 4x4"),
        ({"X": np.ones((9, 16)), "y": np.arange(9) % 2}, {"shape": "3x5"}, "an example of X is 16 values; such as 4x4"),
        (
            {"X": np.ones((9, 7)), "y": np.arange(9) % 2},
            {"shape": "2x4"},
            "is 7 values, which no two sides multiply to",
        ),
        ({"X": np.ones((9, 4, 4)), "y": np.arange(9) % 2, "lengths": np.full(9, 5)}, {}, "lengths up to 5"),
        ({"X": np.ones((9, 4)), "y": np.arange(9) % 2}, {"group": "X"}, "group=X: it is for the columns of tables"),
        ({"X": np.ones((9, 4)), "y": np.arange(9) % 2}, {"target": "z"}, "arrays X and z are needed"),
    ],
)
def test_what_does_not_fit_is_one_line(written: Write, arrays: dict[str, Any], options: dict[str, Any], line: str):
    with pytest.raises(InputError) as caught:
        read_file(written(**arrays), options)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_new_arrays_of_another_shape_are_refused():
    own = ArrayPreparation(kind="sequences", width=2, mean=(0.0, 0.0), scale=(1.0, 1.0))
    with pytest.raises(InputError, match=r"the network reads \(n, time, 2\)"):
        own.transform(np.zeros((3, 4, 5)))
