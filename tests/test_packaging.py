"""What an installation brings along: types for those who import the packages, and what the metadata promise."""

import tomllib
from importlib import metadata, resources
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("wirenas", "priors", "predictors", "nas")


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_say_that_they_are_typed(package: str):
    assert (ROOT / package / "py.typed").is_file()
    assert resources.files(package).joinpath("py.typed").is_file()


def test_the_installed_distribution_says_that_it_is_typed():
    assert "Typing :: Typed" in metadata.metadata("wirenas").get_all("Classifier", [])
    files = {str(path) for path in metadata.files("wirenas") or ()}
    # An editable installation leads to the sources and lists none of them.
    installed = [package for package in PACKAGES if f"{package}/__init__.py" in files]
    assert [package for package in installed if f"{package}/py.typed" not in files] == []


def test_every_package_is_put_into_wheels():
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert tuple(tools["scikit-build"]["wheel"]["packages"]) == PACKAGES
    assert tuple(tools["mypy"]["packages"]) == PACKAGES
