"""What README shows works as shown: its commands and its Python blocks, run in order in an empty folder."""

import re
import runpy
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nas.cli import app

README = Path(__file__).resolve().parents[2] / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_python_blocks_run_as_shown(empty_folder: Path) -> None:
    (generate,) = [
        line for block in blocks("console") for line in block.splitlines() if line.startswith("wirenas generate")
    ]
    result = CliRunner().invoke(app, shlex.split(generate)[1:])
    assert result.exit_code == 0, result.output
    python = blocks("python")
    assert len(python) == 3
    for number, block in enumerate(python):
        script = empty_folder / f"block_{number}.py"
        script.write_text(block, encoding="utf-8")
        variables = runpy.run_path(str(script))
        if "loss" in variables:
            # The loss of guessing is ln 2 = .693.
            assert variables["loss"].item() < 0.5
        if "outcome" in variables:
            assert variables["outcome"].best["value"] > -150


def test_the_training_loop_has_ten_lines() -> None:
    (loop,) = [block for block in blocks("python") if "for step in" in block]
    lines = [line for line in loop.splitlines() if line and "import" not in line]
    assert len(lines) <= 12


def test_every_dependency_has_its_reason() -> None:
    pyproject = (README.parent / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"\ndependencies = \[(.*?)\n\]", pyproject, re.DOTALL)
    assert listed is not None
    names = re.findall(r'"([a-z0-9-]+)', listed.group(1))
    table = README.read_text(encoding="utf-8").split("## Dependencies")[1]
    assert [name for name in names if name not in table] == []
