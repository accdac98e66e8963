"""The committed stubs of the compiled parts say what these are; ``make stubs`` writes them anew."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXTENSIONS = ("priors._native", "predictors._native", "nas.training._native")


def parsed(stub: Path) -> str:
    """Return what a stub says, without its comments and its layout."""
    return ast.unparse(ast.parse(stub.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", EXTENSIONS)
def test_stubs_are_those_that_nanobind_writes(tmp_path: Path, name: str):
    pytest.importorskip("nanobind", reason="nanobind, which writes stubs, is not installed")
    try:
        importlib.import_module(name)
    except ImportError:
        pytest.skip(f"{name} was not built")
    stub = tmp_path / "_native.pyi"
    command = [sys.executable, "-m", "nanobind.stubgen", "--quiet", "--module", name, "--output-file", str(stub)]
    subprocess.run(command, check=True)
    assert parsed(ROOT / f"{name.replace('.', '/')}.pyi") == parsed(stub)
