"""Campaigns of the command line: JSON that is one object, resuming that trains nothing, and where options come from."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from cli_cases import TINY, process
from command_line import wirenas

from nas.campaign import campaign as campaign_module
from nas.campaign import folder
from nas.errors import InputError
from nas.evaluation.trainer import Trainer
from nas.space import generation
from nas.store.study import StudyFile
from priors import WattsStrogatz, read_wiring, write_wiring

pytestmark = pytest.mark.usefixtures("drawn_figures")


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    """A tiny campaign that the command line ran: its folder, its JSON, and its stderr."""
    out = tmp_path_factory.mktemp("campaign") / "a ü?#{x}[bold]%20"
    done = process("-m", "nas", "run", *TINY.split(), "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout), done.stderr


def test_json_is_one_object_with_the_promised_keys(campaign: tuple[Path, dict[str, Any], str]):
    out, found, stderr = campaign
    promised = {"out", "study", "task", "network", "sampler", "engine", "trials", "complete", "failed", "seconds"}
    assert promised | {"best", "test", "references"} <= set(found)
    assert {"value", "trial", "fingerprint", "params", "n_parameters"} <= set(found["best"])
    assert {"mean", "std", "seeds"} <= set(found["test"])
    # The dense one of equal size would be narrower than four neurons.
    assert [row["name"] for row in found["references"]] == [
        "linear",
        "dense with equal neurons",
        "random with equal edges",
    ]
    assert all({"name", "mean", "std", "n_parameters"} <= set(reference) for reference in found["references"])
    assert (found["trials"], found["complete"], found["failed"]) == (3, 3, 0)
    assert found["out"] == str(out)
    assert Path(found["study"]).is_file()
    assert "search: 3 of 3 trials, 0 s left, best " in stderr
    assert "finalists: 2 of 2 trainings" in stderr
    assert "references: 6 of 6 trainings" in stderr


def test_a_folder_of_any_name_holds_what_is_promised(campaign: tuple[Path, dict[str, Any], str]):
    out, found, _ = campaign
    names = {path.name for path in out.iterdir() if path.name != ".lock"}
    assert names == {"campaign.toml", "study.db", "trials.csv", "best", "progress.png"}
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    assert read_wiring(out / "best" / "wiring.json").fingerprint == found["best"]["fingerprint"]


def test_status_and_best_say_the_same(campaign: tuple[Path, dict[str, Any], str]):
    out, found, _ = campaign
    before = (out / "study.db").read_bytes()
    code, text, err = wirenas("status", str(out), "--json")
    assert (code, err) == (0, "")
    assert json.loads(text) == found
    code, text, err = wirenas("best", str(out), "--json")
    assert (code, err) == (0, "")
    best = json.loads(text)
    assert best["best"] == found["best"]
    assert {Path(file).name for file in best["files"]} >= {"network.safetensors", "wiring.json", "card.md"}
    assert all(Path(file).is_file() for file in best["files"])
    for command in ("status", "best"):
        code, text, err = wirenas(command, str(out))
        assert (code, err) == (0, "")
        assert f"{found['best']['value']:.4f}" in text
        assert str(out) in text
    assert (out / "study.db").read_bytes() == before


def test_the_study_says_what_its_values_are_and_who_won(campaign: tuple[Path, dict[str, Any], str]):
    out, found, _ = campaign
    study = StudyFile(out).study
    assert study.metric_names == ["validation accuracy"]
    assert study.user_attrs["winner"] == f"trial {found['best']['trial']}"


def test_the_same_command_again_trains_nothing(
    campaign: tuple[Path, dict[str, Any], str], monkeypatch: pytest.MonkeyPatch
):
    out, found, _ = campaign
    before = (out / "study.db").read_bytes(), (out / "best").stat().st_mtime_ns, (out / "campaign.toml").read_bytes()

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something was trained")

    monkeypatch.setattr(Trainer, "begin", refuse)
    for given in (TINY.split(), [], ["--trials", "3"], ["--epochs", "1"]):
        code, text, err = wirenas("run", *given, "--out", str(out), "--json")
        assert code == 0, err
        assert {**json.loads(text), "seconds": 0} == {**found, "seconds": 0}
    after = (out / "study.db").read_bytes(), (out / "best").stat().st_mtime_ns, (out / "campaign.toml").read_bytes()
    assert after == before


def test_a_campaign_refuses_what_is_changed(campaign: tuple[Path, dict[str, Any], str], tmp_path: Path):
    out, _, _ = campaign
    (tmp_path / "other.toml").write_text("seed = 3\n[recipe]\nepochs = 1\n", encoding="utf-8")
    for given, name in (
        (["--sampler", "random"], "sampler"),
        (["--nodes", "8:17"], "space.nodes"),
        (["--epochs", "2"], "recipe.epochs"),
        (["--max-parameters", "9"], "space.max_parameters"),
        ([str(tmp_path / "other.toml")], "seed"),
    ):
        code, text, err = wirenas("run", *given, "--out", str(out))
        assert (code, text) == (2, "")
        assert err.startswith(f"wirenas: {name}=")
        assert err.count("\n") == 1


def test_a_file_gives_options_and_flags_win(tmp_path: Path):
    file = tmp_path / "campaign.toml"
    file.write_text(
        'trials = 9\nfinalists = 1\nfinal_seeds = 1\n[space]\npriors = "erdos-renyi"\nnodes = "8:9"\n'
        "[recipe]\nlearning_rates = 0.01\nepochs = 1\n",
        encoding="utf-8",
    )
    code, text, err = wirenas("run", str(file), "--trials", "1", "--out", str(tmp_path / "out"), "--json")
    assert code == 0, err
    found = json.loads(text)
    assert found["trials"] == found["complete"] == 1
    assert found["best"]["params"]["family"] == "erdos-renyi"
    assert found["best"]["n_hidden"] in (8, 9)


def test_a_file_gives_folder_and_threads_and_flags_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    seen: list[tuple[Path, int | None]] = []

    class Seen:
        def __init__(self, out: Path, *, threads: int | None, **_: Any) -> None:
            seen.append((out, threads))
            raise InputError("seen")

    monkeypatch.setattr(campaign_module, "Campaign", Seen)
    file = tmp_path / "campaign.toml"
    file.write_text(f"trials = 2\nout = '{tmp_path}/there'\nthreads = 3\n", encoding="utf-8")
    wirenas("run", str(file))
    wirenas("run", str(file), "--out", str(tmp_path / "here"), "--threads", "2")
    file.write_text("trials = 2\n", encoding="utf-8")
    wirenas("run", str(file))
    wirenas("run")
    default = (Path("results/digits-mlp"), None)
    assert seen == [(tmp_path / "there", 3), (tmp_path / "here", 2), default, default]


def test_a_degree_that_no_graph_has_is_told_with_what_it_becomes(tmp_path: Path):
    """One line for each family, before the search; nothing of it where the campaign is refused, or on stdout."""
    tiny = re.sub(r"--(nodes|degree) \S+ ", "", f"{TINY} ").split()
    given = [*tiny, "--nodes", "5", "--prior", "watts-strogatz", "--prior", "erdos-renyi", "--degree"]
    out = ["--out", str(tmp_path), "--json"]
    code, text, err = wirenas("run", *given, "8", *out)
    assert code == 0, err
    assert json.loads(text)["complete"] == 3
    lines = err.splitlines()
    assert lines[:2] == [
        "space.degree=8: watts-strogatz of 5 neurons reaches 4 at most, and gets 4",
        "space.degree=8: erdos-renyi of 5 neurons reaches 4 at most, and gets 4",
    ]
    assert sum("space.degree" in line for line in lines) == 2
    code, text, err = wirenas("run", *given, "7", *out)
    assert (code, text, err.count("\n")) == (2, "", 1)


def test_files_of_an_earlier_best_are_not_shown(campaign: tuple[Path, dict[str, Any], str], tmp_path: Path):
    out, found, _ = campaign
    shutil.copytree(out, tmp_path / "moved")
    wiring = tmp_path / "moved" / "best" / "wiring.json"
    assert len(json.loads(wirenas("best", str(tmp_path / "moved"), "--json")[1])["files"]) >= 3
    write_wiring(WattsStrogatz(8, 2, 0.0).sample(0), wiring)
    for damage in (lambda: None, lambda: wiring.write_text("{"), wiring.unlink):
        damage()
        code, text, err = wirenas("best", str(tmp_path / "moved"), "--json")
        assert (code, err) == (0, "")
        assert json.loads(text)["best"] == found["best"]
        assert json.loads(text)["files"] == []


@pytest.mark.parametrize("arguments", ["status x", "best x", "generate mlp --prior erdos-renyi --inputs 1 --outputs 1"])
def test_only_a_run_can_be_resumed(monkeypatch: pytest.MonkeyPatch, arguments: str):
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    for module, name in ((folder, "read_status"), (folder, "read_best"), (generation, "draw_wiring")):
        monkeypatch.setattr(module, name, interrupt)
    out = ["--out", "x"] if "generate" in arguments else []
    code, text, err = wirenas(*arguments.split(), *out)
    assert (code, text) == (130, "")
    assert err.splitlines()[-1] == "wirenas: interrupted"


def test_status_of_an_unfinished_campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(campaign_module, "run_finals", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    code, text, err = wirenas("run", *TINY.split(), "--out", str(tmp_path / "out"))
    assert (code, text) == (130, "")
    assert err.splitlines()[-1] == "wirenas: interrupted; the same command resumes"
    code, text, _ = wirenas("status", str(tmp_path / "out"), "--json")
    found = json.loads(text)
    assert code == 0
    assert (found["trials"], found["complete"], found["test"], found["task"]) == (3, 3, None, "digits")
    assert found["best"]["value"] == max(row.value for row in StudyFile(tmp_path / "out").records())
    assert json.loads(wirenas("best", str(tmp_path / "out"), "--json")[1])["files"] == []


def test_status_of_an_own_evaluation_names_no_task(tmp_path: Path):
    from nas.campaign.campaign import Campaign

    class StopItError(BaseException):
        pass

    def evaluate(*_: Any) -> float:
        raise StopItError

    with pytest.raises(StopItError):
        Campaign(tmp_path, evaluate=evaluate, trials=3).run()
    code, text, _ = wirenas("status", str(tmp_path), "--json")
    assert code == 0
    assert json.loads(text)["task"] is None
    assert json.loads(text)["best"] is None
    assert "no trial is complete yet" in wirenas("status", str(tmp_path))[1]
    code, text, err = wirenas("best", str(tmp_path))
    assert (code, text) == (2, "")
    assert err.endswith("no trial is complete yet; the Python program that started it goes on\n")


@pytest.mark.parametrize("task", ["none", "my own"])
def test_a_campaign_from_python_is_resumed_there(tmp_path: Path, task: str):
    (tmp_path / "campaign.toml").write_text(f'task = "{task}"\n', encoding="utf-8")
    for given in ([], ["--task", "digits"], ["--trials", "5"]):
        code, text, err = wirenas("run", *given, "--out", str(tmp_path))
        assert (code, text) == (2, "")
        assert "this campaign was started from Python and is resumed there" in err
        assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["campaign.toml"]
