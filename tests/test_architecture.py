"""The house stands: storeys import downwards only, and torch and optuna live on the top storey."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STOREYS = ("priors", "predictors", "nas")
TOP_ONLY = {"torch", "optuna"}

TOUCH_EVERYTHING = """
import importlib, sys
for storey in ("priors", "predictors"):
    package = importlib.import_module(storey)
    for name in getattr(package, "__all__", ()):
        getattr(package, name)
print(*sorted({"torch", "optuna"} & set(sys.modules)))
"""


def imported(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and top-level package of every absolute import, wherever in the file it stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, (node.module or "").split(".")[0]


def test_imports_are_found_wherever_they_stand():
    source = "import os.path as p, torch.nn\ndef f():\n    from optuna.x import y\nfrom . import z\nfrom .a import b\n"
    assert sorted(imported(source)) == [(1, "os"), (1, "torch"), (3, "optuna")]


@pytest.mark.parametrize("storey", STOREYS)
def test_storeys_import_downwards_only(storey: str):
    above = set(STOREYS[STOREYS.index(storey) + 1 :])
    forbidden = above if storey == "nas" else above | TOP_ONLY
    files = sorted((ROOT / storey).rglob("*.py"))
    assert files, f"{storey} holds no Python file"
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {package}"
        for path in files
        for line, package in imported(path.read_text(encoding="utf-8"))
        if package in forbidden
    ]
    assert wrong == []


def test_lower_storeys_load_without_torch_and_optuna():
    done = subprocess.run(
        [sys.executable, "-c", TOUCH_EVERYTHING], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
