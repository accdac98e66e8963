"""Help of the command line: it costs nothing, names every option, and its examples are understood."""

import re
from pathlib import Path

import pytest
from cli_cases import process
from command_line import wirenas

from nas.options.options import CampaignOptions
from nas.space.space import Space
from nas.tasks.files.options import FileOptions
from nas.training.recipe import Recipe

COMMANDS = ("run", "status", "best", "generate rnn", "generate mlp")
HEAVY = {"numpy", "torch", "optuna", "sklearn", "pandas", "matplotlib", "sqlalchemy", "scipy", "networkx"}
IMPORTS = """
import sys
from nas.cli.app import app
try:
    app()
finally:
    print("IMPORTED", *sorted({name.split(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize("command", ["", "generate", *COMMANDS])
def test_help_imports_nothing_heavy(command: str):
    done = process("-c", IMPORTS, *command.split(), "--help")
    assert done.returncode == 0, done.stderr
    text, imported = done.stdout.split("IMPORTED")
    assert not HEAVY & set(imported.split())
    assert "Usage:" in text
    if command in COMMANDS:
        assert f"Example: wirenas {command} " in " ".join(text.split())


def test_every_option_is_in_the_help(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, text, _ = wirenas("run", "--help")
    assert code == 0
    names = {*CampaignOptions.model_fields, *FileOptions.model_fields, *Space.model_fields, *Recipe.model_fields}
    names -= {"files", "space", "recipe", "direction", "priors", "learning_rates"}
    names -= {"graphs_format", "graphs_directed", "graphs_merge", "graphs_weights"}
    for name in names | {"prior", "learning_rate", "format", "directed", "merge", "weights", "out", "threads", "json"}:
        assert f"--{name.replace('_', '-')} " in text, name
    assert "Default: results/TASK-NETWORK." in text
    assert "[[" not in text
    assert "none" not in text.split("--task")[1].split("--network")[0]


def test_the_example_of_the_help_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS[3:]:
        text = " ".join(wirenas(*command.split(), "--help")[1].split())
        example = re.search(r"Example: wirenas (.*?/)(?: |$)", text)
        assert example is not None
        assert wirenas(*example[1].split())[0] == 0


def test_the_version_names_engines():
    code, text, _ = wirenas("--version")
    assert code == 0
    assert text.startswith("wirenas ")
    assert "torch; devices" in text


def test_no_arguments_show_the_help():
    for arguments in ((), ("generate",)):
        code, text, err = wirenas(*arguments)
        assert code == 2
        assert "Usage:" in text + err
        assert "Traceback" not in err
