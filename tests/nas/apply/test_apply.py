"""From a raw file to a campaign and to predictions for new rows, by the command line and in Python."""

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import refused, wirenas
from stepwise_cases import stepwise

from nas import Campaign, DataWarning, Recipe, Task, load_pipeline
from nas.errors import InputError
from nas.tasks import digits

SHORT = ("--trials", 2, "--epochs", 2, "--learning-rate", 0.01, "--finalists", 1, "--final-seeds", 1, "--threads", 1)


def table(n: int = 150, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"key": np.arange(n), "size": rng.normal(50, 10, n).round(2)})
    frame["town"] = rng.choice(["Bonn", "Ulm", "Rome"], n)
    frame["holes"] = np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n).round(3))
    frame["sold"] = np.where(frame["size"] + 10 * (frame["town"] == "Ulm") > 53, "yes", "no")
    return frame


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a campaign on classes (`sold`) and one on numbers (`size`)."""
    folder = tmp_path_factory.mktemp("own")
    table().to_csv(folder / "houses.csv", index=False)
    for target in ("sold", "size"):
        code, _, err = wirenas("run", "--task", f"csv:{folder}/houses.csv", "--target", target, *SHORT, "--out",
                               folder / target)  # fmt: skip
        assert code == 0, err
        assert "key: every row has its own (an id), left out" in err
    return folder


@pytest.fixture
def new(tmp_path: Path) -> Path:
    table(20, seed=1).drop(columns="sold").to_csv(tmp_path / "new.csv", index=False)
    return tmp_path / "new.csv"


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_command_says_what_python_says(found: Path, new: Path, tmp_path: Path):
    code, out, err = wirenas("apply", found / "sold", new)
    assert (code, err) == (0, "")
    pipeline = load_pipeline(found / "sold")
    frame = pd.read_csv(new)
    assert [row["sold"] for row in rows_of(out)] == pipeline.predict(frame).tolist()
    shares = [[float(row["p(no)"]), float(row["p(yes)"])] for row in rows_of(out)]
    assert np.allclose(shares, pipeline.predict_proba(frame), atol=1e-5)
    code, text, _ = wirenas("apply", found / "sold", new, "--json")
    document = json.loads(text)
    assert document["predictions"] == pipeline.predict(new).tolist()
    assert document["labels"] == ["no", "yes"]
    pd.read_csv(new).assign(sold="no").to_csv(new, index=False)
    code, out, _ = wirenas("apply", found / "size", new, "--out", tmp_path / "predictions.csv")
    assert (code, out.count("\n")) == (0, 1)
    written = rows_of((tmp_path / "predictions.csv").read_text(encoding="utf-8"))
    own = load_pipeline(found / "size")
    assert np.allclose([float(row["size"]) for row in written], own.predict(frame.assign(sold="no")))
    with pytest.raises(InputError, match="predicts numbers"):
        own.predict_proba(frame.assign(sold="no"))


def test_predictions_are_those_of_the_test_part(found: Path):
    """On the file that was trained on, the saved network is as good as the outcome says."""
    from nas.tasks import load_file

    task = load_file(f"csv:{found}/houses.csv", {"target": "sold"})
    said = load_pipeline(found / "sold").predict(found / "houses.csv")
    rows = task.test.numpy()
    truth = table()["sold"].to_numpy()[rows]
    outcome = json.loads((found / "sold" / "best" / "outcome.json").read_text(encoding="utf-8"))
    assert float((said[rows] == truth).mean()) == pytest.approx(outcome["test"]["mean"], abs=1e-9)


@pytest.mark.parametrize(
    ("changed", "code", "line"),
    [
        (lambda frame: frame.drop(columns="town"), 2, "column 'town' is missing; the table has 'key', 'size', 'holes'"),
        (lambda frame: frame.rename(columns={"town": "Town"}), 2, "column 'town' is missing"),
        (lambda frame: frame.assign(colour="red"), 0, "columns that training did not have are not read: 'colour'"),
        (lambda frame: frame.assign(town="Oslo"), 0, "town: 20 of 20 rows have a category"),
        (lambda frame: frame.assign(size="large"), 0, "size: 20 of 20 rows hold no number ('large')"),
    ],
)
def test_what_is_not_as_in_training_is_one_line(found: Path, new: Path, changed: Any, code: int, line: str):
    frame = changed(pd.read_csv(new))
    frame.to_csv(new, index=False)
    if code == 2:
        assert line in refused("apply", found / "sold", new)
        return
    done, out, err = wirenas("apply", found / "sold", new)
    assert (done, err.count("\n"), len(rows_of(out))) == (0, 1, 20)
    assert line in err
    with pytest.warns(DataWarning) as caught:
        load_pipeline(found / "sold").predict(frame)
    assert [line in str(own.message) for own in caught] == [True]


def test_the_campaign_goes_on_and_remembers_its_options(found: Path):
    folder = found / "sold"
    kept = (folder / "campaign.toml").read_text(encoding="utf-8")
    assert 'target = "sold"' in kept
    before = (folder / "trials.csv").read_bytes()
    assert wirenas("run", "--out", folder)[0] == 0
    assert (folder / "trials.csv").read_bytes() == before
    line = refused("run", "--out", folder, "--target", "size")
    assert "--target size: the campaign in" in line


def test_a_changed_file_is_one_line(found: Path, tmp_path: Path):
    shutil.copytree(found, tmp_path / "copy")
    folder = tmp_path / "copy"
    text = (folder / "sold" / "campaign.toml").read_text(encoding="utf-8").replace(str(found), str(folder))
    (folder / "sold" / "campaign.toml").write_text(text, encoding="utf-8")
    frame = table()
    frame.loc[3, "size"] = 51.0
    # In place of classes there may be numbers all at once, and their metric is to minimize.
    for changed in (frame, frame.assign(sold=np.linspace(0.1, 7.3, len(frame)))):
        changed.to_csv(found / "changed.csv", index=False)
        shutil.move(found / "houses.csv", found / "kept.csv")
        shutil.move(found / "changed.csv", found / "houses.csv")
        try:
            assert "a file has changed" in refused("run", "--out", found / "sold")
        finally:
            shutil.move(found / "kept.csv", found / "houses.csv")


def test_networks_of_built_in_tasks_take_arrays(tmp_path: Path, new: Path):
    assert wirenas("run", "--task", "digits", "--nodes", 12, *SHORT, "--out", tmp_path / "digits")[0] == 0
    line = refused("apply", tmp_path / "digits", new)
    assert "has learned arrays (a built-in task), and no columns of a table" in line
    task = digits()
    np.save(tmp_path / "new.npy", task.inputs.numpy()[:7])
    code, out, _ = wirenas("apply", tmp_path / "digits", tmp_path / "new.npy", "--json")
    assert code == 0
    assert json.loads(out)["predictions"] == load_pipeline(tmp_path / "digits").predict(task.inputs[:7]).tolist()
    np.save(tmp_path / "new.npy", np.zeros((3, 5)))
    assert "reads (n, 64)" in refused("apply", tmp_path / "digits", tmp_path / "new.npy")


def test_classes_of_all_steps(tmp_path: Path):
    task, recipe = stepwise(0), Recipe(epochs=2, learning_rates=0.01)
    few: dict[str, Any] = {"trials": 1, "finalists": 1, "final_seeds": 1, "network": "rnn", "recipe": recipe}
    found = Campaign(tmp_path / "steps", task=task, space={"nodes": 6}, **few).run()
    assert {"linear", "random with equal edges"} <= {own["name"] for own in found.references}
    assert "returns (batch, time, 3)" in (tmp_path / "steps" / "best" / "card.md").read_text(encoding="utf-8")
    assert task.lengths is not None
    assert task.counted is not None
    inputs, lengths = task.inputs[task.test].numpy(), task.lengths[task.test].numpy()
    classes = load_pipeline(tmp_path / "steps").predict(inputs, lengths)
    inside = np.arange(6) < lengths[:, None]
    counted = task.counted[task.test].numpy()
    assert (classes[~inside] == -1).all()
    assert (classes == task.targets[task.test].numpy())[counted].mean() == pytest.approx(found.test["mean"])
    np.save(tmp_path / "new.npy", inputs)
    code, out, _ = wirenas("apply", tmp_path / "steps", tmp_path / "new.npy", "--json")
    told = json.loads(out)
    assert (code, told["probabilities"]) == (0, None)
    assert np.array_equal(np.array(told["predictions"])[inside], classes[inside])


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("name", ["rows", "steps"])
def test_tasks_of_ones_own_that_predict_numbers_do_so_again(name: str, n_outputs: int, tmp_path: Path):
    task, network = stepwise(0, "squared-error", n_outputs=n_outputs), "rnn"
    if name == "rows":
        rng, network = np.random.default_rng(0), "mlp"
        task = Task.from_arrays("rows", rng.normal(size=(80, 4)), rng.normal(size=(80, n_outputs)))
    few: dict[str, Any] = {"trials": 1, "finalists": 1, "final_seeds": 1, "recipe": Recipe(epochs=2)}
    found = Campaign(tmp_path / "own", task=task, network=network, space={"nodes": 6}, **few).run()
    inputs, lengths = task.inputs[task.test].numpy(), None if task.lengths is None else task.lengths[task.test].numpy()
    pipeline = load_pipeline(tmp_path / "own")
    said = pipeline.predict(inputs, lengths)
    shape = task.targets[task.test].shape
    assert said.shape == (shape[:-1] if n_outputs == 1 else shape)
    wanted = task.flat_targets(task.test)[0].numpy()
    flat = said.reshape(shape)[... if task.counted is None else task.counted[task.test].numpy()]
    assert np.square(flat - wanted).mean() == pytest.approx(found.test["mean"], rel=1e-5)
    with pytest.raises(InputError, match="its network predicts numbers, which have no probabilities"):
        pipeline.predict_proba(inputs, lengths)
    held = {"X": inputs} if lengths is None else {"X": inputs, "lengths": lengths}
    np.savez(tmp_path / "new.npz", **held)
    code, out, err = wirenas("apply", tmp_path / "own", tmp_path / "new.npz", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert (told["target"], told["labels"], told["probabilities"]) == ("prediction", [], None)
    assert np.array(told["predictions"], float) == pytest.approx(said, nan_ok=True)


def test_sequences_are_no_rows_of_a_table(found: Path, tmp_path: Path):
    np.savez(tmp_path / "steps.npz", X=np.zeros((20, 15, 2)))
    told = refused("apply", found / "sold", tmp_path / "steps.npz")
    assert "steps.npz: its inputs of sequences have shape (20, 15, 2), and the network in" in told
    np.savez(tmp_path / "steps.npz", X=np.zeros((9, 3)), lengths=np.array([4, 5]))
    assert "reads rows of a table; give (n, columns)" in refused("apply", found / "sold", tmp_path / "steps.npz")


def test_an_outcome_that_does_not_say_the_metric_is_one_line(tmp_path: Path):
    few: dict[str, Any] = {"trials": 1, "finalists": 1, "final_seeds": 1, "recipe": Recipe(epochs=1)}
    Campaign(tmp_path / "own", task="digits", space={"nodes": 6}, **few).run()
    for text in ("{", "[]", "{}"):
        (tmp_path / "own" / "best" / "outcome.json").write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=r"outcome\.json: damaged, or not ours: it does not say the metric"):
            load_pipeline(tmp_path / "own")


def test_sequences_by_the_target_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    lengths = rng.integers(2, 6, 60)
    np.savez("steps.npz", X=rng.normal(size=(60, 5, 2)), y=rng.integers(0, 2, 60), lengths=lengths)
    assert wirenas("run", "--task", "npz:steps.npz", "--nodes", 8, *SHORT)[0] == 0
    assert Path("results/steps-rnn/best/pipeline.json").is_file()
    assert wirenas("run", "--task", "npz:steps.npz", "--nodes", 8, *SHORT)[0] == 0
    code, out, _ = wirenas("apply", "results/steps-rnn", "steps.npz", "--json")
    assert code == 0
    pipeline = load_pipeline("results/steps-rnn")
    values = np.load("steps.npz")
    assert json.loads(out)["predictions"] == pipeline.predict(values["X"], lengths).tolist()
    with pytest.raises(InputError, match="lengths reach from 9 to 9"):
        pipeline.predict(values["X"], np.full(60, 9))


def test_pruning_surveys_and_comparisons_take_files(found: Path, tmp_path: Path):
    name = f"csv:{found}/houses.csv"
    own = ("--task", name, "--target", "sold", "--threads", 1)
    code, _, err = wirenas("prune", *own, "--max-parameters", 30, "--epochs", 2, "--widths", 5, "--seeds", 1,
                           "--learning-rate", 0.01, "--out", tmp_path / "pruned")  # fmt: skip
    assert code == 0, err
    assert set(load_pipeline(tmp_path / "pruned").predict(found / "houses.csv")) <= {"yes", "no"}
    code, _, err = wirenas("compare", found / "sold", *own, "--nulls", 2, "--seeds", 1, "--epochs", 1, "--register",
                           "--out", tmp_path / "compared")  # fmt: skip
    assert code == 0, err


def test_the_preview_says_what_would_be_done(found: Path):
    code, out, err = wirenas("data", found / "houses.csv", "--target", "sold", "--json")
    assert (code, err) == (0, "")
    preview = json.loads(out)
    assert preview["parts"] == {"train": 96, "validation": 24, "test": 30, "way": "at random, class by class"}
    assert preview["columns"]["key"] == "every row has its own (an id), left out"
    code, out, _ = wirenas("data", found / "houses.csv", "--target", "sold", "--class-weights", "--metric", "auc")
    assert code == 0
    assert "metric auc, of a constant prediction 0.5000" in out
    assert "the suffix does not say what it is" in refused("data", found / "sold")


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"task": digits(), "files": {"target": "x"}}, 'files.target="x": task digits is not read from a file'),
        ({"evaluate": lambda *_: 0.0, "files": {"metric": "auc"}}, 'files.metric="auc": an own evaluation reads no'),
        ({"task": "digits", "files": {"group": "x"}}, "group=x: task digits is not read from a file of yours"),
        ({"task": "csv:no.csv", "files": {"colour": 1}}, "colour is not a known key"),
    ],
)
def test_options_of_files_are_for_files(tmp_path: Path, given: dict[str, Any], line: str):
    with pytest.raises(InputError) as caught:
        Campaign(tmp_path / "own", **given)
    assert line in str(caught.value)


def test_no_network_is_one_line(tmp_path: Path, new: Path):
    assert "no network lies there" in refused("apply", tmp_path, new)


def test_what_is_missing_in_sequences_is_said_of_new_ones_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    np.savez("steps.npz", X=rng.normal(size=(60, 5, 2)), y=rng.integers(0, 2, 60))
    assert wirenas("run", "--task", "npz:steps.npz", "--nodes", 8, *SHORT, "--out", "own")[0] == 0
    inputs = rng.normal(size=(4, 5, 2))
    inputs[0, 0, 0], inputs[1, 2, 1] = np.nan, np.inf
    line = "X: 2 of 40 values are missing, or no finite numbers, and count as the mean of their channel"
    with pytest.warns(DataWarning, match=line):
        load_pipeline("own").predict(inputs)
    np.save("new.npy", inputs)
    assert line in wirenas("apply", "own", "new.npy")[2]


def test_a_file_goes_on_with_its_target(tmp_path: Path):
    table().to_csv(tmp_path / "houses.csv", index=False)
    task, out = ("--task", f"csv:{tmp_path}/houses.csv"), ("--out", tmp_path / "out")
    # Without a target the last column, which has two classes, would be predicted.
    for more in (("--target", "size"), ()):
        code, _, err = wirenas("run", *task, *more, *SHORT[2:], "--trials", 2 if more else 3, *out, "--json")
        assert code == 0, err
    code, _, err = wirenas("survey", *task, "--target", "size", "--wirings", 2, *SHORT[2:6], "--out", tmp_path / "s")
    assert code == 0, err
    code, _, err = wirenas("survey", *task, "--wirings", 3, "--threads", 1, "--out", tmp_path / "s")
    assert code == 0, err


def test_a_task_of_sequences_has_an_rnn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    few = ("--nodes", 6, "--structure", "stack", *SHORT)
    assert wirenas("run", "--task", "reber", *few)[0] == 0
    assert Path("results/reber-rnn/best/network.safetensors").is_file()
    code, _, err = wirenas("run", "--task", "reber", *few[:4], "--trials", 1, *SHORT[2:])
    assert code == 0, err
    assert "--trials 1: 2 are there already, and all of them count" in err
    given = {"trials": 1, "finalists": 1, "final_seeds": 1, "recipe": Recipe(epochs=1), "space": {"nodes": 6}}
    assert Campaign(tmp_path / "python", task="reber", **given).run().network == "rnn"
