"""Whatever is wrong with a campaign of the command line is one line, and leaves nothing behind."""

from pathlib import Path
from typing import Any

import permissions
import pytest
from cli_cases import TINY
from command_line import wirenas

from nas.evaluation.trainer import Trainer


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--task digit", "task 'digit' is not known (nearest: digits)"),
        ("--prior wats-strogatz", "(nearest: watts-strogatz)"),
        ("--prior ws", "(nearest: watts-strogatz)"),
        ("--cell lstn", "cell 'lstn' is not known (nearest: lstm)"),
        ("--network cnn", "--network cnn"),
        ("--nodes 30:20", "--nodes 30:20"),
        ("--nodes 20:", "--nodes ''"),
        ("--degree x", "--degree x"),
        ("--p 0:2", "--p 0.0:2.0"),
        ("--trials -3", "--trials -3"),
        ("--trials 0", "--trials 0"),
        ("--seed -1", "--seed -1"),
        ("--threads 0", "--threads 0"),
        ("--threads x", "--threads"),
        ("--learning-rate 0", "--learning-rate 0"),
        ("--nesterov", "recipe: nesterov with --optimizer adam"),
        ("--structure stack", "--structure stack does not fit --network mlp; valid: dag"),
        ("--task reber --network mlp", "--network mlp: task reber needs --network rnn"),
        ("--max-parameters 3", "--max-parameters 3: none of 1000 draws is so small; the smallest has"),
        ("--device abacus", "--device abacus"),
        ("--trails 3", "--trails"),
        ("--task none", "--task none: a campaign without a task needs an own evaluation, which Python alone can give"),
        ("threads.toml", "threads='x'"),
        ("out.toml", "out in the file is 3: a folder"),
        ("missing.toml", "missing.toml: No such file or directory"),
        ("unknown.toml", "trails is not a known key (nearest: trials)"),
        ("nested.toml", "space.node is not a known key (nearest: nodes)"),
        ("broken.toml", "broken.toml: not a TOML file"),
        ("minimize.toml", "direction=minimize"),
    ],
)
def test_wrong_input_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, message: str
):
    monkeypatch.chdir(tmp_path)
    Path("unknown.toml").write_text("trails = 3\n", encoding="utf-8")
    Path("nested.toml").write_text("[space]\nnode = 3\n", encoding="utf-8")
    Path("broken.toml").write_text("trials = \n", encoding="utf-8")
    Path("threads.toml").write_text('threads = "x"\n', encoding="utf-8")
    Path("out.toml").write_text("out = 3\n", encoding="utf-8")
    Path("minimize.toml").write_text('direction = "minimize"\n', encoding="utf-8")
    before = sorted(path.name for path in tmp_path.iterdir())
    code, text, err = wirenas("run", *arguments.split(), "--out", "new folder", "--json")
    assert (code, text) == (2, "")
    assert err.startswith("wirenas: ")
    assert err.count("\n") == 1
    assert message in err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("command", ["status", "best"])
def test_what_is_no_campaign_is_one_line(tmp_path: Path, command: str):
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "study.db").write_bytes(b"garbage" * 99)
    for name in ("missing", "file", "empty", "broken"):
        code, text, err = wirenas(command, str(tmp_path / name))
        assert (code, text) == (2, "")
        assert err.startswith("wirenas: ")
        assert name in err
        assert err.count("\n") == 1
    assert [path.name for path in (tmp_path / "empty").iterdir()] == []


def test_a_folder_that_is_a_file_is_one_line(tmp_path: Path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for out in ("file", "file/below"):
        code, text, err = wirenas("run", *TINY.split(), "--out", str(tmp_path / out))
        assert (code, text) == (2, "")
        assert err.count("\n") == 1
        assert "is a file; give a folder that can be written" in err
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_a_folder_without_permission_is_one_line(tmp_path: Path):
    (tmp_path / "locked").mkdir(mode=0o500)
    for out in ("locked", "locked/below"):
        with permissions.heeded():
            code, text, err = wirenas("run", *TINY.split(), "--out", str(tmp_path / out))
        assert (code, text) == (2, "")
        assert err.count("\n") == 1
        assert "locked" in err
        assert "Permission denied" in err
    assert list((tmp_path / "locked").iterdir()) == []


def test_anything_else_is_exit_code_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: Any, **__: Any) -> None:
        raise RuntimeError("always")

    monkeypatch.setattr(Trainer, "begin", refuse)
    code, text, err = wirenas("run", *TINY.split(), "--out", str(tmp_path))
    assert (code, text) == (1, "")
    told = err.splitlines()[-1]
    assert told.startswith("wirenas: 10 trials failed one after another")
    assert "; the last one with: RuntimeError: always" in told
