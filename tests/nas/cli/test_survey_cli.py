"""`wirenas survey`: help that costs nothing, JSON that is one object, and one line for every wrong input."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from nas import load
from nas import survey as survey_module
from nas.cli import app as cli
from nas.cli.display import show_survey, show_survey_end
from nas.cli.flags import flags, given_options
from nas.errors import options_of
from nas.evaluation.trainer import Trainer
from nas.options.options import SurveyOptions
from nas.report.progress import survey_display
from nas.space.space import Space
from nas.store.survey_table import SurveyOutcome
from nas.survey import Standing
from nas.tasks.files.options import FileOptions
from nas.training.recipe import Recipe

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "100"}
TINY = "--task digits --seeds 2 --nodes 8:16 --degree 2:4 --epochs 1 --learning-rate 0.01 --threads 1"
HEAVY = {"numpy", "torch", "optuna", "sklearn", "pandas", "matplotlib", "sqlalchemy", "scipy", "networkx", "pyarrow"}
IMPORTS = """
import sys
from nas.cli.app import app
try:
    app()
finally:
    print("IMPORTED", *sorted({name.split(".")[0] for name in sys.modules}))
"""
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def wirenas(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Call the command line in this process: exit code, stdout, stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["wirenas", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            cli.main()
        out, err = capsys.readouterr()
        assert isinstance(caught.value.code, int)
        return caught.value.code, out, err

    return call


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    """A tiny survey that the command line made: its folder, its JSON, and its stderr."""
    out = tmp_path_factory.mktemp("survey") / "a ü?#{x}[bold]%20"
    done = subprocess.run(
        [sys.executable, "-m", "nas", "survey", *TINY.split(), "--wirings", "3", "--out", str(out), "--json"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout), done.stderr


# Help


def test_help_imports_nothing_heavy_and_has_an_example():
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, "survey", "--help"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    text, imported = done.stdout.split("IMPORTED")
    assert not HEAVY & set(imported.split())
    assert "Example: wirenas survey --task digits " in " ".join(text.split())


def test_every_option_is_in_the_help(wirenas: Call, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, text, _ = wirenas("survey", "--help")
    assert code == 0
    names = {*SurveyOptions.model_fields, *FileOptions.model_fields, *options_of(Space), *Recipe.model_fields}
    names -= {"files", "space", "recipe", "priors", "learning_rates", "edits"}
    names -= {"graphs_format", "graphs_directed", "graphs_merge", "graphs_weights"}
    for name in names | {
        "prior",
        "learning_rate",
        "format",
        "directed",
        "merge",
        "weights",
        "out",
        "threads",
        "data",
        "json",
    }:
        assert f"--{name.replace('_', '-')} " in text, name
    assert "--trials" not in text
    assert "--edits" not in text, "surveys edit nothing"
    assert "Default: results/TASK-NETWORK-survey." in text


def test_the_example_of_the_help_is_understood(wirenas: Call, monkeypatch: pytest.MonkeyPatch):
    seen: list[Any] = []

    def open_survey(*arguments: Any) -> SimpleNamespace:
        seen.append(arguments)
        outcome = SurveyOutcome("atlas", "digits", "mlp", "accuracy", ("torch",), 1, 1, 0, 0, 1.0, 1)
        return SimpleNamespace(out=Path("atlas"), run=lambda *_: outcome)

    monkeypatch.setattr(survey_module, "open_survey", open_survey)
    text = " ".join(wirenas("survey", "--help")[1].split())
    example = re.search(r"Example: wirenas (.*?/)(?: |$)", text)
    assert example is not None
    assert wirenas(*example[1].split())[0] == 0
    assert seen == [(Path("atlas"), {"task": "digits", "wirings": "100000", "seeds": "3"}, None, None)]


def test_a_degree_that_no_graph_has_is_told_with_what_it_becomes(wirenas: Call, tmp_path: Path):
    given = [
        *re.sub(r"--(nodes|degree) \S+ ", "", TINY).split(),
        "--nodes",
        "5",
        "--prior",
        "watts-strogatz",
        "--degree",
        "4:8",
        "--out",
        str(tmp_path / "out"),
    ]
    code, text, err = wirenas("survey", *given, "--wirings", "2", "--json")
    assert code == 0, err
    assert json.loads(text)["wirings"] == 2
    told = "--degree 4:8: watts-strogatz of 5 neurons reaches 4 at most, and gets 4"
    assert err.splitlines()[0] == told
    assert err.count(told) == 1
    assert told not in wirenas("survey", *given, "--wirings", "2", "--json")[2], "there is nothing left to train"


def test_flags_become_nested_options():
    @flags(SurveyOptions)
    def command(**given: Any) -> None:
        """Do nothing."""

    configs = (SurveyOptions, FileOptions, Space, Recipe)
    given = dict.fromkeys(name for config in configs for name in options_of(config))
    given |= dict.fromkeys(("format", "directed", "merge", "weights"))
    given |= {"prior": ["erdos-renyi"], "learning_rate": None, "wirings": "3", "epochs": "2"}
    assert given_options(given, SurveyOptions) == {
        "wirings": "3",
        "space": {"priors": ["erdos-renyi"]},
        "recipe": {"epochs": "2"},
    }


# What it prints


def test_json_is_one_object_with_the_promised_keys(survey: tuple[Path, dict[str, Any], str]):
    out, found, stderr = survey
    assert {"out", "task", "network", "wirings", "trainings", "seconds"} <= set(found)
    assert (found["out"], found["wirings"], found["trainings"], found["failed"]) == (str(out), 3, 6, 0)
    assert found["seconds"] > 0
    assert re.search(r"^survey: 0 of 3 wirings", stderr, re.MULTILINE)
    assert re.search(r"^survey: 3 of 3 wirings, [\d,]+ trainings/min$", stderr, re.MULTILINE)


def test_the_folder_holds_what_is_promised(survey: tuple[Path, dict[str, Any], str]):
    out, _, _ = survey
    names = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.name != ".lock")
    assert names == ["parts", "parts/part-000000000-000000002.parquet", "survey.toml"]
    frame = load(out).to_frame()
    assert len(frame) == 6
    assert frame["param_n"].between(8, 16).all()


def test_the_same_command_again_trains_nothing_and_more_wirings_are_added(
    survey: tuple[Path, dict[str, Any], str], wirenas: Call, monkeypatch: pytest.MonkeyPatch
):
    out, found, _ = survey

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something was trained")

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "begin", refuse)
        for given in ([], [*TINY.split(), "--wirings", "3"], ["--wirings", "2"], ["--threads", "2"]):
            code, text, err = wirenas("survey", *given, "--out", str(out), "--json")
            assert code == 0, err
            assert json.loads(text) == found
    before = load(out).to_frame()
    code, text, _ = wirenas("survey", "--wirings", "5", "--out", str(out))
    assert code == 0
    assert text.startswith("5 wirings, 10 trainings (0 diverged, 0 failed), ")
    assert load(out).to_frame().head(6).equals(before)
    assert wirenas("survey", "--out", str(out), "--json")[1].count('"wirings": 5') == 1


def test_status_says_where_a_survey_stands_and_changes_nothing(
    survey: tuple[Path, dict[str, Any], str], wirenas: Call, tmp_path: Path
):
    code, text, _ = wirenas("survey", *TINY.split(), "--wirings", "2", "--out", str(tmp_path), "--json")
    assert code == 0
    assert wirenas("status", str(tmp_path), "--json") == (0, text, "")
    options = tmp_path / "survey.toml"
    options.write_text(options.read_text(encoding="utf-8").replace("wirings = 2", "wirings = 7"), encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    assert wirenas("status", str(tmp_path))[1].startswith("2 of 7 wirings, 4 trainings (0 diverged, 0 failed), ")
    for part in (tmp_path / "parts").iterdir():
        part.unlink()
    code, text, _ = wirenas("status", str(tmp_path), "--json")
    found = json.loads(text)
    assert (code, found["task"], found["network"], found["metric"]) == (0, "digits", "mlp", None)
    assert (found["wirings"], found["trainings"], found["seconds"], found["wanted"]) == (0, 0, 0.0, 7)
    assert sorted(tmp_path.rglob("*")) == [path for path in before if path.suffix != ".parquet"]


def test_a_survey_has_no_best_candidate(survey: tuple[Path, dict[str, Any], str], wirenas: Call):
    code, text, err = wirenas("best", str(survey[0]))
    assert (code, text) == (2, "")
    assert "a survey lies there, which has no best candidate" in err
    assert err.count("\n") == 1


def test_what_is_changed_is_refused(survey: tuple[Path, dict[str, Any], str], wirenas: Call):
    out, _, _ = survey
    for given in (
        ["--seeds", "3"],
        ["--seed", "1"],
        ["--nodes", "8:17"],
        ["--epochs", "2"],
        ["--prior", "erdos-renyi"],
    ):
        code, text, err = wirenas("survey", *given, "--wirings", "9", "--out", str(out))
        assert (code, text) == (2, "")
        assert err.startswith(f"wirenas: {' '.join(given)}: the survey in ")
        assert "only --wirings may change" in err
        assert err.count("\n") == 1


def test_a_campaign_is_not_started_in_the_folder_of_a_survey(survey: tuple[Path, dict[str, Any], str], wirenas: Call):
    code, text, err = wirenas("run", "--out", str(survey[0]))
    assert (code, text) == (2, "")
    assert err.endswith(": a survey lies there; give another folder\n")
    assert not (survey[0] / "study.db").exists()


def test_ctrl_c_says_how_to_go_on(wirenas: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from nas import survey as survey_rows

    original = survey_rows.RowMaker.rows

    def interrupted(maker: Any, number: int) -> Any:
        if number == 2:
            os.kill(os.getpid(), signal.SIGINT)
            assert maker.trainer.stop.wait(10)
        return original(maker, number)

    with monkeypatch.context() as patch:
        patch.setattr(survey_rows.RowMaker, "rows", interrupted)
        code, text, err = wirenas("survey", *TINY.split(), "--wirings", "4", "--out", str(tmp_path))
    assert (code, text) == (130, "")
    assert err.splitlines()[-1] == "wirenas: interrupted; the same command resumes"
    assert len(load(tmp_path)) == 4
    code, text, _ = wirenas("survey", *TINY.split(), "--wirings", "4", "--out", str(tmp_path), "--json")
    assert (code, json.loads(text)["trainings"]) == (0, 8)


# What is wrong


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--task digit", "task 'digit' is not known (nearest: digits)"),
        ("--task none", "task 'none' is not known"),
        ("--prior wats-strogatz", "(nearest: watts-strogatz)"),
        ("--nodes 30:20", "--nodes 30:20"),
        ("--wirings 0", "--wirings 0"),
        ("--wirings many", "--wirings many"),
        ("--wirings 1000000001", "--wirings 1000000001"),
        ("--seeds 0", "--seeds 0"),
        ("--threads 0", "--threads 0"),
        ("--learning-rate 0", "--learning-rate 0"),
        ("--task reber --network mlp", "--network mlp: task reber needs --network rnn"),
        ("--max-parameters 3", "--max-parameters 3: none of 1000 draws is so small; the smallest has"),
        ("--trials 3", "--trials"),
    ],
)
def test_wrong_input_is_one_line_and_leaves_nothing(wirenas: Call, tmp_path: Path, arguments: str, message: str):
    code, text, err = wirenas("survey", *arguments.split(), "--out", str(tmp_path / "new"), "--json")
    assert (code, text) == (2, "")
    assert err.startswith("wirenas: ")
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_folders_that_cannot_be_used_are_one_line(wirenas: Call, tmp_path: Path):
    for name, file in (("campaign", "campaign.toml"), ("own", "survey.toml"), ("broken", "survey.toml")):
        (tmp_path / name).mkdir()
        content = {"own": 'task = "my own"', "broken": "task = "}.get(name, "")
        (tmp_path / name / file).write_text(content, encoding="utf-8")
    (tmp_path / "foreign" / "parts").mkdir(parents=True)
    (tmp_path / "foreign" / "parts" / "x.parquet").touch()
    (tmp_path / "file").touch()
    for name, message in (
        ("campaign", "a campaign lies there"),
        ("own", "this survey was started from Python and is resumed there"),
        ("broken", "not a TOML file"),
        ("foreign", "x.parquet: not a part of a survey"),
        ("file", "this is a file; give a folder that can be written"),
    ):
        code, text, err = wirenas("survey", *TINY.split(), "--out", str(tmp_path / name))
        assert (code, text) == (2, "")
        assert err.count("\n") == 1
        assert message in err


def test_anything_else_is_exit_code_one(wirenas: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: Any, **__: Any) -> None:
        raise RuntimeError("always")

    monkeypatch.setattr(Trainer, "begin", refuse)
    code, text, err = wirenas("survey", *TINY.split(), "--wirings", "50", "--out", str(tmp_path))
    assert (code, text) == (1, "")
    message = "wirings failed one after another, in every training; the last one with: RuntimeError: always"
    assert re.fullmatch(rf"wirenas: \d\d {message}", err.splitlines()[-1])


# The display


@pytest.mark.parametrize("is_terminal", [True, False])
def test_the_display_shows_how_far_a_survey_is(is_terminal: bool, monkeypatch: pytest.MonkeyPatch):
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    console = Console(record=True, force_terminal=is_terminal, width=120, file=io.StringIO())
    with survey_display(console) as show:
        for done in (10, 20, 40):
            show(Standing(done, 40, 3))
            clock[0] += 10
    text = console.export_text()
    assert "40/40" in text if is_terminal else "survey: 40 of 40 wirings, 270 trainings/min\n" in text
    assert "270 trainings/min" in text
    if not is_terminal:
        assert "survey: 20 of 40 wirings, 20 s left, 180 trainings/min\n" in text


def test_the_summary_says_where_the_rows_are():
    console = Console(record=True, width=40, file=io.StringIO())
    show_survey(console, SurveyOutcome("a/[b]", "digits", "mlp", "accuracy", ("torch",), 5, 30, 2, 1, 600.0, 5))
    assert console.export_text() == (
        "5 wirings, 30 trainings (2 diverged, 1 failed), 10 min of training.\n"
        'Rows: a/[b]/parts/   as a table: nas.load("a/[b]").to_frame()\n'
    )


def test_a_survey_ends_with_one_line_and_the_command_that_shows_the_rest():
    worth = {"trained_on": "5 wirings", "r2": {"predictor": 0.5}}
    found = SurveyOutcome("a b", "digits", "mlp", "accuracy", ("torch",), 5, 30, 2, 1, 600.0, 5, worth)
    console = Console(record=True, width=40, file=io.StringIO())
    show_survey_end(console, found)
    assert console.export_text() == (
        "5 wirings, 30 trainings (2 diverged, 1 failed), 10 min of training.\n"
        "How to read it, and what it predicts: wirenas status 'a b'\n"
    )
    show_survey(console, found)
    assert "Predictor: learnt from 5 wirings." in console.export_text()


def test_the_summary_of_a_survey_that_is_not_over_says_so():
    console = Console(record=True, width=40, file=io.StringIO())
    show_survey(console, SurveyOutcome("a", "digits", "mlp", "accuracy", ("torch",), 5, 30, 0, 0, 6.0, 1000))
    assert console.export_text() == (
        "5 of 1000 wirings, 30 trainings (0 diverged, 0 failed), 6 s of training.\n"
        "Not over yet: the command that started it goes on.\n"
        'Rows: a/parts/   as a table: nas.load("a").to_frame()\n'
    )
