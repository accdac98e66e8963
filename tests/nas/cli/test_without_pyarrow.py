"""pyarrow is an extra: surveys say how it is had, and nothing else needs it."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from cli_cases import ENVIRONMENT, ROOT, TINY

WITHOUT = "import sys; sys.modules['pyarrow'] = None; from wirenas.__main__ import main; main()"
MESSAGE = (
    "wirenas: pyarrow is not installed, which the rows of surveys are stored with; it comes with: pip install "
    "'wirenas[survey]'\n"
)


def wirenas(cwd: Path, *arguments: str) -> tuple[int, str, str]:
    """Call the command line in a process that finds no pyarrow."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments],
        cwd=cwd,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_survey_says_how_to_get_it(tmp_path: Path):
    assert wirenas(tmp_path, "survey", *TINY.split()[:2], "--out", "survey") == (2, "", MESSAGE)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "survey").mkdir()
    (tmp_path / "survey" / "survey.toml").write_text('task = "digits"\n', encoding="utf-8")
    assert wirenas(tmp_path, "status", "survey") == (2, "", MESSAGE)


def test_campaigns_do_without_it(tmp_path: Path):
    code, text, err = wirenas(tmp_path, "run", *TINY.split(), "--out", "campaign", "--json")
    assert code == 0, err
    assert json.loads(text)["over"]
    for command in ("status", "best"):
        code, text, err = wirenas(tmp_path, command, "campaign")
        assert (code, err) == (0, "")
        assert "Best" in text or "validation" in text


@pytest.mark.parametrize("extra", ["survey", "test"])
def test_it_is_an_extra_that_tests_have(extra: str):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert not any(line.startswith("pyarrow") for line in project["dependencies"])
    lines = project["optional-dependencies"][extra]
    assert any(line.startswith("pyarrow") or (line.startswith("wirenas[") and "survey" in line) for line in lines)
