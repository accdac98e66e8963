"""The study of records: campaigns for several budgets and tasks, what is told of them, and going on."""

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import wirenas

from nas.errors import InputError
from nas.studies import records
from nas.studies.records import RECORDS, pages, records_study

QUICK: dict[str, Any] = {"trials": 3, "finalists": 1, "recipe": {"epochs": 1, "learning_rates": (0.01,)}}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("records") / "out"
    return out, records_study(out, tasks=["digits"], budgets=["200", "1kMAC"], seeds=2, threads=2, **QUICK)


def test_each_budget_is_a_campaign_of_its_own(study: tuple[Path, dict[str, Any]]):
    out, found = study
    frontier = found["tasks"]["digits"]["frontier"]
    assert frontier["budgets"] == ["200", "1kMAC"]
    for budget in frontier["budgets"]:
        outcome = json.loads((out / "digits" / budget / "best" / "outcome.json").read_text())
        own = next(row for row in frontier["networks"] if (row["budget"], row["name"]) == (budget, "found"))
        assert own["mean"] == pytest.approx(outcome["test"]["mean"], rel=1e-5)
        assert own["seeds"] == 2
    assert found["tasks"]["digits"]["parts"] == [1151, 287, 359]


def test_it_is_written_and_goes_on_without_work(study: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch):
    out, found = study
    assert json.loads((out / "records.json").read_text()) == found
    before = {path: path.read_bytes() for path in (out / "README.md", out / "records.png", out / "records.json")}

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something is trained again")

    monkeypatch.setattr("nas.evaluation.trainer.Trainer.train", refuse)
    assert records_study(out, tasks=["digits"], budgets=["200", "1kMAC"], seeds=2, threads=1, **QUICK) == found
    assert {path: path.read_bytes() for path in before} == before


def test_budgets_join_what_was_found_in_the_same_way(study: tuple[Path, dict[str, Any]], tmp_path: Path):
    (tmp_path / "records.json").write_bytes((study[0] / "records.json").read_bytes())
    before = study[1]["tasks"]["digits"]["frontier"]
    given: dict[str, Any] = {"tasks": ["digits"], "seeds": 2, "threads": 2, **QUICK}
    joined = records_study(tmp_path, budgets=["400"], **given)["tasks"]["digits"]["frontier"]
    assert joined["budgets"] == ["200", "400", "1kMAC"]
    rows = {budget: [row for row in joined["networks"] if row["budget"] == budget] for budget in joined["budgets"]}
    assert [row for budget in ("200", "1kMAC") for row in rows[budget]] == before["networks"]
    assert {row["name"] for row in rows["400"]} >= {"found", "dense with equal parameters"}
    assert f"| 400 | {rows['400'][0]['mean']:.4f}" in (tmp_path / "README.md").read_text()
    with pytest.raises(InputError, match="what was found there had other seeds; give another folder with out"):
        records_study(tmp_path, budgets=["400"], **{**given, "seeds": 3})


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"seeds": 2, "options": {}}',
        "[" * 100_000,
        '{"seeds": 2, "options": {}, "tasks": {"digits": {"frontier": {"budgets": ["9"], "networks": []}}}}',
    ],
)
def test_records_that_cannot_be_read_are_one_line(tmp_path: Path, text: str):
    (tmp_path / "records.json").write_text(text)
    words = ("--task", "digits", "--budgets", "200", "--trials", 1, "--epochs", 1, "--seeds", 2)
    code, out, error = wirenas("study", "records", *words, "--out", tmp_path)
    assert (code, out, error.count("\n")) == (2, "", 1)
    assert "records.json: it cannot be read; give another folder with --out" in error
    assert not (tmp_path / "digits").exists()


def lead(found: float, dense: float) -> dict[str, Any]:
    """Numbers of a task with one budget."""
    rows = [
        {"budget": "9", "name": name, "mean": mean, "std": 0.01, "seeds": 10, "n_parameters": 9, "learning_rate": 0.1}
        for name, mean in (
            ("found", found),
            ("dense with equal parameters", dense),
            ("its structure, new weights", found),
            ("only its counts", dense),
        )
    ]
    frontier = {"out": "t", "task": "t", "metric": "accuracy", "direction": "maximize", "budgets": ["9"]}
    return {"description": "a task", "parts": [3, 2, 1], "frontier": {**frontier, "networks": rows}}


def test_the_page_says_who_is_ahead():
    own = {"ahead": lead(0.9, 0.8), "level": lead(0.9, 0.9), "behind": lead(0.7, 0.8)}
    text = " ".join(pages({"machine": "m", "seeds": 10, "tasks": own})["README.md"].split())
    assert "that does not hold 0, in 1 of 3, and behind it in behind at 9." in text
    assert "is ahead of as many weights between the same layers at random places in 1 of 3." in text
    assert "+10.00 [+9.06, +10.94] points" in text
    assert "-10.00 [-10.94, -9.06] points" in text
    text = pages({"machine": "m", "seeds": 10, "tasks": {"ahead": own["ahead"]}})["README.md"]
    assert "in 1 of 1, and behind it in none." in " ".join(text.split())


def test_tasks_without_data_are_left_out_unless_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("WIRENAS_DATA", raising=False)
    monkeypatch.setattr(records, "RECORDS", {name: RECORDS[name] for name in ("higgs-sample", "japanese-vowels")})
    with pytest.raises(InputError, match=r"^no task has data: give their folder by data$"):
        records_study(tmp_path / "none")
    with pytest.raises(InputError, match=r"^task=higgs-sample: its data are in no folder that is known"):
        records_study(tmp_path / "none", tasks=["higgs-sample"])
    with pytest.raises(InputError, match=r"higgs_sample.npz is neither there nor in its folder tabular/higgs-sample"):
        records_study(tmp_path / "none", tasks=["higgs-sample"], data=tmp_path)
    assert not (tmp_path / "none").exists()


def test_the_command_refuses_in_one_line(tmp_path: Path):
    for words, told in (
        (("--task", "iris"), "task 'iris' is not known"),
        (("--task", "digits", "--budgets", "3 apples"), "budget=3 apples: it must be a number and a unit"),
        (("--task", "digits", "--budgets", "5"), "budget=5: a network with one hidden neuron and 10 outputs costs 22"),
    ):
        code, out, error = wirenas("study", "records", *words, "--out", tmp_path / "out")
        assert (code, out) == (2, "")
        assert error.count("\n") == 1
        assert told in error


def test_a_folder_that_holds_other_files_is_refused_before_anything_is_trained(tmp_path: Path):
    last = RECORDS["mnist-1d"].budgets[-1]
    (tmp_path / "mnist-1d" / last / "best").mkdir(parents=True)
    with pytest.raises(InputError, match=rf"{last}: the folder holds other files; give a new one with out"):
        records_study(tmp_path, tasks=["digits", "mnist-1d"])
    assert [path.name for path in tmp_path.iterdir()] == ["mnist-1d"]
