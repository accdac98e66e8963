"""Fixtures that several test folders share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of published data, or a skip with the reason why it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("WIRENAS_TEST_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no published data in {folder}: set WIRENAS_TEST_DATA to the folder that holds it")
    return folder


@pytest.fixture(scope="module")
def small_forests() -> Iterator[None]:
    """Forests and boosting have few trees: most of a predictor's fit is fitting trees."""
    from predictors.regressors import boosting, forests

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forests, "_TREES", 30)
        patch.setattr(boosting, "_ROUNDS", 50)
        patch.setattr(boosting, "_RATE", 0.2)
        yield
