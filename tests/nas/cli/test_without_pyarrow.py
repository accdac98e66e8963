"""pyarrow is an extra: surveys say how it is had, and nothing else needs it."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from cli_cases import ENVIRONMENT, ROOT, TINY

WITHOUT = """
import json, sys
sys.modules["pyarrow"] = None
from wirenas.__main__ import main
for arguments in json.loads(sys.argv[1]):
    sys.argv[1:] = arguments
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise
    print(end="\\f")
"""
MESSAGE = (
    "wirenas: pyarrow is not installed, which the rows of surveys are stored with; it comes with: pip install "
    "'wirenas[survey]'\n"
)


def wirenas(cwd: Path, *commands: list[str]) -> tuple[int, list[str], str]:
    """Call commands in a process that finds no pyarrow, until one fails: exit code, what each prints, and errors."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, json.dumps(commands)],
        cwd=cwd,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.split("\f")[:-1], done.stderr


def test_a_survey_says_how_to_get_it(tmp_path: Path):
    assert wirenas(tmp_path, ["survey", *TINY.split()[:2], "--out", "survey"]) == (2, [], MESSAGE)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "survey").mkdir()
    (tmp_path / "survey" / "survey.toml").write_text('task = "digits"\n', encoding="utf-8")
    assert wirenas(tmp_path, ["status", "survey"]) == (2, [], MESSAGE)


@pytest.mark.slow
def test_campaigns_do_without_it(tmp_path: Path):
    run = ["run", *TINY.split(), "--out", "campaign", "--json"]
    code, texts, err = wirenas(tmp_path, run, ["status", "campaign"], ["best", "campaign"])
    assert code == 0, err
    first, *later = texts
    assert json.loads(first)["over"]
    assert len(later) == 2
    for text in later:
        assert "Best" in text or "validation" in text


@pytest.mark.parametrize("extra", ["survey", "test"])
def test_it_is_an_extra_that_tests_have(extra: str):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert not any(line.startswith("pyarrow") for line in project["dependencies"])
    lines = project["optional-dependencies"][extra]
    assert any(line.startswith("pyarrow") or (line.startswith("wirenas[") and "survey" in line) for line in lines)
