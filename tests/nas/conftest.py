"""Lets the tests beside it import the helpers that several of them share, and holds their fixtures."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

if TYPE_CHECKING:
    from image_cases import OpenML


@pytest.fixture
def openml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "OpenML":
    """A stand-in for OpenML; the user's folders and the network are out of reach."""
    from image_cases import OpenML

    monkeypatch.delenv("WIRENAS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    fake = OpenML()
    monkeypatch.setattr("sklearn.datasets.fetch_openml", fake)
    return fake


@pytest.fixture
def impatient_survey(monkeypatch: pytest.MonkeyPatch) -> None:
    """Surveys look up often."""
    monkeypatch.setattr("nas.search.in_order._LOOK_UP_S", 0.005)


@pytest.fixture(scope="session")
def calm_survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed survey of 6 wirings with one thread."""
    from survey_cases import make

    out = tmp_path_factory.mktemp("calm") / "survey"
    make(out).run()
    return out
