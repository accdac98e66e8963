"""Folders: nothing is written over what another command has left there."""

from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import refused

from nas.campaign.campaign import Campaign
from nas.errors import InputError
from nas.store.folders import check_folder
from nas.studies.rewiring import rewiring_study
from nas.survey import Survey

MARKS = {
    "campaign": "campaign.toml",
    "survey": "survey.toml",
    "experiment": "structure.json",
    "predictor": "predictor.json",
    "study": "rewiring.json",
    "network": "network.safetensors",
    "notes": "notes.md",
}
COMMANDS = {
    "campaign": ("run", "--task", "digits", "--trials", "2", "--epochs", "1"),
    "survey": ("survey", "--task", "digits", "--wirings", "2"),
    "experiment": ("prune", "--task", "digits", "--max-parameters", "500", "--epochs", "1", "--seeds", "1"),
    "study": ("study", "rewiring", "--task", "digits", "--epochs", "1", "--seeds", "1"),
    "network": ("generate", "mlp", "--prior", "erdos-renyi", "--nodes", "8", "--p", ".5", "--inputs", "4",
                "--outputs", "2"),
}  # fmt: skip


def holding(folder: Path, mark: str) -> Path:
    (folder / "best").mkdir(parents=True)
    (folder / "best" / "card.md").write_text("kept", encoding="utf-8")
    (folder / mark).write_text("kept", encoding="utf-8")
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("what", MARKS)
@pytest.mark.parametrize("command", [*COMMANDS, "rewire", "predictor"])
def test_a_folder_of_something_else_is_refused_and_kept(command: str, what: str, table: Path, tmp_path: Path):
    if command == what or (command == "rewire" and what == "experiment"):
        return
    if what == "notes" and command in ("predictor", "study"):
        return  # They write beside files that are nobody's.
    out = holding(tmp_path / "out", MARKS[what])
    before = content(out)
    if command == "rewire":
        arguments: tuple[object, ...] = ("rewire", *COMMANDS["experiment"][1:])
    else:
        arguments = ("fit", table) if command == "predictor" else COMMANDS[command]
    line = refused(*arguments, "--out", out)
    assert "lies there; give another folder" in line or "--out" in line
    assert content(out) == before


@pytest.mark.parametrize("make", [Campaign, Survey])
def test_python_refuses_such_folders_too(make: Callable[..., Campaign | Survey], tmp_path: Path):
    out = holding(tmp_path / "out", "structure.json")
    options = {"trials": 2} if make is Campaign else {"wirings": 2}
    with pytest.raises(InputError, match="an experiment of `wirenas prune` or `rewire` lies there"):
        make(out, task="digits", **options).run()


def test_two_studies_of_one_page_are_not_mixed(tmp_path: Path):
    (tmp_path / "README.md").write_text("of the project", encoding="utf-8")
    with pytest.raises(InputError, match=r"holds a README\.md of something else"):
        rewiring_study(tmp_path, task="digits")
    (tmp_path / "pruning.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="the study pruning lies there"):
        rewiring_study(tmp_path, task="digits")
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "of the project"


def test_hidden_files_and_what_goes_on_are_no_hindrance(tmp_path: Path):
    check_folder(tmp_path / "new", "a campaign")
    (tmp_path / ".lock").touch()
    check_folder(tmp_path, "a campaign")
    (tmp_path / "study.db").touch()
    (tmp_path / "notes.md").touch()
    check_folder(tmp_path, "a campaign")
    with pytest.raises(InputError, match="a campaign lies there"):
        check_folder(tmp_path, "a survey", beside=True)
