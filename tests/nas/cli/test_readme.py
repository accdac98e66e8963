"""What README shows works as shown: its commands and its Python blocks, run in order in an empty folder."""

import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from nas import load_pipeline
from nas.cli.app import app
from priors import WattsStrogatz, write_wiring

pytestmark = pytest.mark.usefixtures("drawn_figures")

README = Path(__file__).resolve().parents[3] / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_line(line: str) -> None:
    """Run a line of a console block in this process, which is what the shell would do."""
    arguments = shlex.split(line)
    if arguments[0] == "python":
        subprocess.run([sys.executable, *arguments[1:]], check=True)
        return
    result = CliRunner().invoke(app, arguments[1:])
    assert result.exit_code == 0, result.output


@pytest.mark.slow
def test_blocks_run_as_shown(empty_folder: Path) -> None:
    (generate,) = [
        line for block in blocks("console") for line in block.splitlines() if line.startswith("wirenas generate")
    ]
    (asking,) = [block for block in blocks("console") if "wirenas predict" in block]
    assert len(asking.splitlines()) == 5
    for line in [generate, *asking.splitlines()]:
        run_line(line)
    python = blocks("python")
    assert len(python) == 10
    for number, block in enumerate(python):
        script = empty_folder / f"block_{number}.py"
        script.write_text(block, encoding="utf-8")
        variables = runpy.run_path(str(script))
        if "loss" in variables:
            # The loss of guessing is ln 2 = .693.
            assert variables["loss"].item() < 0.5
        if "outcome" in variables:
            assert variables["outcome"].best["value"] > -150
        if "sampler" in variables:
            assert variables["study"].best_value >= -3
            assert variables["sampler"].proposals[29].forecast is not None
        if "priors" in variables:
            assert variables["priors"].score(variables["X_test"], variables["y_test"]) > 0.93
            assert variables["search"].score(variables["X_test"], variables["y_test"]) > 0.9
            assert variables["search"].best_estimator_.n_parameters_ <= 100
        if "predictor" in variables:
            assert variables["low"][0] <= variables["mean"][0] <= variables["high"][0]


@pytest.mark.slow
def test_commands_on_your_data_run_as_shown(empty_folder: Path) -> None:
    rng = np.random.default_rng(0)
    houses = pd.DataFrame({"size": rng.normal(90, 20, 200).round(1), "town": rng.choice(["Bonn", "Ulm"], 200)})
    houses["price"] = 2_000 * houses["size"] + 30_000 * (houses["town"] == "Ulm")
    houses.to_csv("houses.csv", index=False)
    houses.drop(columns="price").head(9).to_csv("new.csv", index=False)
    (block,) = [block for block in blocks("console") if "wirenas apply" in block]
    for line in block.splitlines():
        run_line(line)
    said = pd.read_csv("predictions.csv")["price"]
    assert np.allclose(said, load_pipeline("houses").predict(pd.read_csv("new.csv")))
    # A constant prediction is off by 40,000.
    assert float(np.abs(said - houses["price"].head(9)).max()) < 30_000


@pytest.mark.slow
def test_commands_on_chance_run_as_shown(empty_folder: Path) -> None:
    write_wiring(WattsStrogatz(24, 4, 0.1).sample(0), empty_folder / "wiring.graphml")
    (block,) = [block for block in blocks("console") if "wirenas compare" in block]
    for line in block.splitlines():
        run_line(line)
    for name in ("digits", "memory", "mackey-glass"):
        page = (empty_folder / "results" / f"{name}-compared" / "comparison.md").read_text(encoding="utf-8")
        assert "wiring.graphml is" in page


def test_asking_from_python_takes_five_lines() -> None:
    (block,) = [block for block in blocks("python") if "Predictor.load" in block]
    assert len([line for line in block.splitlines() if line and "import networkx" not in line]) <= 5


def test_the_training_loop_has_ten_lines() -> None:
    (loop,) = [block for block in blocks("python") if "for step in" in block]
    lines = [line for line in loop.splitlines() if line and "import" not in line]
    assert len(lines) <= 12


@pytest.mark.parametrize("name", ["prune", "rewire"])
def test_a_module_of_ones_own_takes_less_than_ten_lines(name: str) -> None:
    (block,) = [block for block in blocks("python") if f"{name}(module" in block]
    assert len([line for line in block.splitlines() if line and not line.startswith(("import ", "from "))]) < 10


def test_every_dependency_has_its_reason() -> None:
    pyproject = (README.parent / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"\ndependencies = \[(.*?)\n\]", pyproject, re.DOTALL)
    assert listed is not None
    names = re.findall(r'"([a-z0-9-]+)', listed.group(1))
    table = README.read_text(encoding="utf-8").split("## Dependencies")[1]
    assert [name for name in names if name not in table] == []
