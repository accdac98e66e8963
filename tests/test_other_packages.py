"""Where another project's package stands in the place of ours, one line says so."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NEEDS = {"priors": ("predictors", "nas"), "predictors": ("nas",), "nas": ()}
SOURCES = {"empty": "", "working": "class Prior: ...\n", "failing": "raise OSError('no network')\n"}

# The finder of an editable installation knows our packages only, wherever others lie.
BEFORE = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "ScikitBuildRedirectingFinder"]
sys.path[:0] = sys.argv.pop(1), sys.argv.pop(1)
"""
COMMAND = "import runpy; runpy.run_module('wirenas', run_name='__main__', alter_sys=True)"


def call(folder: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process in which what lies in a folder is found before our packages."""
    command = [sys.executable, "-c", BEFORE + code, str(folder), str(ROOT), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def put(folder: Path, package: str, source: str) -> Path:
    """Write another project's package, or for "merged" its face over a copy of ours, and return the file."""
    if source == "merged":
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "native"))
    (folder / package).mkdir(exist_ok=True)
    file = folder / package / "__init__.py"
    file.write_text(SOURCES.get(source, ""), encoding="utf-8")
    return file


@pytest.mark.parametrize("source", [*SOURCES, "merged"])
@pytest.mark.parametrize(("package", "needing"), [(one, other) for one, others in NEEDS.items() for other in others])
def test_a_package_says_which_other_it_misses(tmp_path: Path, package: str, needing: str, source: str):
    file = put(tmp_path, package, source)
    done = call(tmp_path, f"import {needing}")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"ImportError: WireNAS needs its own package {package}, but this name leads to {file}: install WireNAS into an "
        "environment of its own, or rename the folder that is in the way"
    )


@pytest.mark.parametrize("source", [*SOURCES, "merged"])
@pytest.mark.parametrize("package", NEEDS)
def test_the_command_says_it_in_one_line(tmp_path: Path, package: str, source: str):
    file = put(tmp_path, package, source)
    done = call(tmp_path, COMMAND, "--help")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"wirenas: WireNAS needs its own package {package}, but this name leads to {file}: ")
    assert done.stderr.count("\n") == 1


def test_nothing_is_said_where_nothing_is_in_the_way(tmp_path: Path):
    done = call(tmp_path, COMMAND, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "generate" in done.stdout


def test_folders_without_modules_are_not_in_the_way(tmp_path: Path):
    for package in NEEDS:
        (tmp_path / package).mkdir()
    assert call(tmp_path, COMMAND, "--help").returncode == 0


def test_missing_packages_are_said_too(tmp_path: Path):
    shutil.copytree(ROOT / "wirenas", tmp_path / "wirenas")
    code = f"sys.path.remove({str(ROOT)!r}); sys.path[:] = [p for p in sys.path if not (Path(p) / 'priors').exists()]\n"
    done = call(tmp_path, f"from pathlib import Path\n{code}{COMMAND}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs its own package priors, but this name leads to nothing: " in done.stderr


def test_the_check_imports_the_standard_library_only():
    done = call(ROOT, "import wirenas; print(*sorted({'numpy', 'torch', 'typer', 'priors', 'nas'} & set(sys.modules)))")
    assert done.stdout.split() == []
