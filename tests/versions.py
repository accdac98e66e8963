"""Run the fast tests with the lowest versions that pyproject.toml allows, and with the newest ones there are.

usage: python tests/versions.py [--python COMMAND ...] [lowest] [newest]

Every Python that the classifiers name and that is found here gets an environment for each, with pip alone, below
build/versions; what is installed there is the project as others install it, not the sources. Packages come from where
pip is told to take them, and environment variables such as PIP_CONSTRAINT or PIP_EXTRA_INDEX_URL act as usual.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "versions"
EXTRAS = ("test", "explain", "dashboard", "postgresql")
# Processes that are killed, what takes minutes, and the tools beside the packages, which need the sources.
SLOW = (
    "*crashes*",
    "*breaks*",
    "*distributed*",
    "*benchmark*",
    "*quality*",
    "*readme*",
    "*hostile*",
    "*fuzz*",
    "*damaged*",
)


def main() -> int:
    """Test all environments, print a table, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("versions", nargs="*", help="lowest, newest; by default both")
    parser.add_argument("--python", action="append", help="of an interpreter; by default all that the classifiers name")
    given = parser.parse_args()
    if wrong := set(given.versions) - {"lowest", "newest"}:
        parser.error(f"{', '.join(sorted(wrong))}: valid are lowest, newest")
    pythons = list(given.python or find_pythons())
    if not pythons:
        parser.error("none of the Pythons that the classifiers name is here; give one with --python")
    outcomes = {
        (python, versions): run_tests(python, versions)
        for python in pythons
        for versions in given.versions or ("lowest", "newest")
    }
    for (python, versions), outcome in outcomes.items():
        print(f"{python:12} {versions:8} {outcome}")
    return int(any("passed" not in outcome or "failed" in outcome for outcome in outcomes.values()))


def read_project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def find_pythons() -> Iterator[str]:
    """Yield the commands of the Pythons that the classifiers name and that run here."""
    for classifier in read_project()["project"]["classifiers"]:
        if named := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", classifier):
            command = f"python{named[1]}"
            if (
                shutil.which(command)
                and not subprocess.run([command, "-V"], capture_output=True, check=False).returncode
            ):
                yield command


def run_tests(python: str, versions: str) -> str:
    """Make an environment, install the project into it, and return the last line of its tests."""
    name = subprocess.run(
        [python, "-c", "import sys; print(*sys.version_info[:2], sep='.')"], capture_output=True, text=True, check=True
    ).stdout.strip()
    folder = WORK / f"{name}-{versions}"
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([python, "-m", "venv", "--clear", folder / "env"], check=True)
    pip = [str(folder / "env" / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--upgrade", "pip"], check=True)
    options = ["--upgrade", "--config-settings", f"build-dir={folder / 'build'}"]
    if versions == "lowest":
        project = read_project()
        used = project["project"]["dependencies"] + [
            line for extra in EXTRAS for line in project["project"]["optional-dependencies"][extra]
        ]
        options += ["--constraint", write_lowest(pip, used, folder / "lowest.txt")]
        options += ["--build-constraint", write_lowest(pip, project["build-system"]["requires"], folder / "build.txt")]
    print(f"{name} {versions}: installing into {folder / 'env'}", flush=True)
    done = subprocess.run([*pip, "install", "--quiet", *options, f"{ROOT}[{','.join(EXTRAS)}]"], check=False)
    if done.returncode:
        return "could not be installed"
    frozen = subprocess.run([*pip, "freeze"], capture_output=True, text=True, check=True).stdout
    (folder / "installed.txt").write_text(frozen, encoding="utf-8")
    return call_pytest(folder)


def call_pytest(folder: Path) -> str:
    """Run the fast tests in an environment, with the sources out of reach, and return the last line."""
    command = [folder / "env" / "bin" / "python", "-m", "pytest", "--numprocesses", "2", "--quiet"]
    command += [f"--ignore-glob={pattern}" for pattern in SLOW]
    # An old package may use what a newer one beside it is about to remove.
    command += ["-W", "default::DeprecationWarning", "-W", "default::FutureWarning"]
    # The current folder would lead to the sources instead of what is installed; tests start processes that import them.
    beside = folder / "beside"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    (beside / "tests").symlink_to(ROOT / "tests")
    environment = {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": str(beside), "OMP_NUM_THREADS": "1"}
    with (folder / "tests.txt").open("w", encoding="utf-8") as log:
        subprocess.run(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False)
    lines = (folder / "tests.txt").read_text(encoding="utf-8").splitlines() or ["nothing was said"]
    print("\n".join(lines[-40:]), flush=True)
    return lines[-1]


def write_lowest(pip: list[str], lines: Iterable[str], path: Path) -> str:
    """Write a constraint for every requirement that has a lower bound, and return the path of the file."""
    found = [Requirement(line) for line in lines]
    bounded = [each for each in found if each.specifier and (each.marker is None or each.marker.evaluate())]
    pins = sorted({f"{each.name}=={find_lowest(pip, each)}" for each in bounded})
    path.write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
    return str(path)


def find_lowest(pip: list[str], requirement: Requirement) -> Version:
    """Return the lowest version that is allowed and that this Python can install without compiling anything."""
    binary = ["--only-binary", ":all:"]
    command = [*pip, "index", "versions", *binary, requirement.name]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    known = re.search(r"Available versions: (.*)", listed)
    allowed = sorted(requirement.specifier.filter(map(Version, known[1].split(", ") if known else [])))
    extras = f"[{','.join(requirement.extras)}]" if requirement.extras else ""
    for version in allowed:
        line = f"{requirement.name}{extras}=={version}"
        command = [*pip, "install", "--dry-run", "--ignore-installed", *binary, line]
        if not subprocess.run(command, capture_output=True, check=False).returncode:
            print(f"lowest of {requirement}: {version}", flush=True)
            return version
    raise SystemExit(f"versions: no version of {requirement} can be installed here")


if __name__ == "__main__":
    sys.exit(main())
