"""What campaigns refuse: wrong and changed options, histories of another search, and folders that are not theirs."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from campaign_cases import SPACE, edges, run, sequence
from command_line import refused

from nas.campaign.campaign import Campaign
from nas.errors import CampaignError, InputError
from nas.store.records import Record
from nas.store.study import StudyFile, load
from nas.training import Recipe
from priors import Wiring

pytestmark = pytest.mark.usefixtures("no_plot")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign of three trials, which no test may change."""
    out = tmp_path_factory.mktemp("begun")
    run(out, trials=3, n_inputs=2)
    return out


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("seed", {"seed": 1}),
        ("sampler", {"sampler": "random"}),
        ("space.nodes", {"space": {**SPACE, "nodes": (8, 21)}}),
        ("space.reads", {"space": {**SPACE, "reads": 2}}),
        ("recipe.epochs", {"recipe": {"epochs": 2}}),
        ("n_inputs", {"n_inputs": 3}),
        ("n_outputs", {"n_outputs": 3}),
        ("direction", {"direction": "minimize"}),
    ],
)
def test_other_options_are_refused_by_name(begun: Path, name: str, changed: dict[str, Any]):
    before = sequence(begun), (begun / "campaign.toml").read_bytes()
    with pytest.raises(InputError, match=f"^{name}=.*only trials and timeout may change"):
        run(begun, trials=5, **{"n_inputs": 2, **changed})
    assert (sequence(begun), (begun / "campaign.toml").read_bytes()) == before


def test_a_history_of_another_search_is_refused(tmp_path: Path):
    run(tmp_path, trials=3)
    study = StudyFile(tmp_path)
    stored = study.trials()[0]
    study.add(Record(3, "complete", 0.5, {**stored.params, "graph_seed": 1}), dict(stored.distributions))
    with pytest.raises(CampaignError, match=r"trial 3 .* was drawn by another version of its prior"):
        run(tmp_path, trials=6)


def test_a_second_run_on_a_folder_is_refused_while_the_first_works(tmp_path: Path):
    refused: list[str] = []

    def greedy(wiring: Wiring, params: Mapping[str, Any]) -> float:
        if not refused:
            with pytest.raises(InputError) as caught:
                run(tmp_path, trials=3)
            refused.append(str(caught.value))
        return edges(wiring, params)

    assert run(tmp_path, greedy, trials=3).complete == 3
    assert refused == [f"out={tmp_path}: another process works on it; give another folder"]
    assert len(load(tmp_path)) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": 0}, "threads=0"),
        ({"task": "digits"}, "evaluate and task are both given"),
        ({"n_outputs": 3}, "n_inputs=0, n_outputs=3"),
        ({"n_inputs": -1}, "n_inputs=-1"),
        ({"trials": 0}, "trials=0"),
        ({"trails": 5}, r"trails is not a known key \(nearest: trials\)"),
        ({"space": {"node": 5}}, r"space\.node is not a known key \(nearest: nodes\)"),
        ({"space": {"structure": "stack"}}, r"space\.structure=stack does not fit network=mlp"),
        ({"space": {**SPACE, "max_parameters": 1}}, r"space\.max_parameters=1: "),
        ({"device": "abacus"}, "device='abacus'"),
    ],
)
def test_wrong_options_are_one_line_and_leave_nothing(tmp_path: Path, options: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message) as caught:
        Campaign(tmp_path / "new", evaluate=edges, **options).run()
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "digit"}, r"task 'digit' is not known \(nearest: digits\)"),
        ({"task": "digits", "network": "rnn"}, "task digits needs network=mlp"),
        ({"task": "digits", "direction": "minimize"}, "direction=minimize"),
        (
            {"task": "digits", "n_inputs": 3},
            "n_inputs=3, n_outputs=0: they are for own evaluations",
        ),
    ],
)
def test_a_wrong_task_is_one_line(tmp_path: Path, options: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        Campaign(tmp_path / "new", **options)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match=r"^out=.*give a folder that can be written$"):
            run(out, trials=1)

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"^out=.*Permission denied; give a folder that can be written$"):
        run(tmp_path / "empty", trials=1)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["empty", "file"]


def test_a_damaged_outcome_of_a_campaign_that_is_over_is_one_line(tmp_path: Path):
    few: dict[str, Any] = {"trials": 1, "finalists": 1, "final_seeds": 1, "recipe": Recipe(epochs=1)}
    Campaign(tmp_path / "out", task="digits", space={"nodes": 6}, **few).run()
    study = StudyFile(tmp_path / "out")
    outcome = study.get("outcome")
    outcome["references"][0]["name"] = 3.5
    study.put("outcome", outcome)
    told = r"study\.db: damaged, or not ours: a reference is called 3\.5, which is no name"
    with pytest.raises(InputError, match=told):
        Campaign(tmp_path / "out", task="digits", space={"nodes": 6}, **few).run()
    assert re.search(told, refused("status", tmp_path / "out"))
