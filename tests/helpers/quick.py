"""Which cases of a parametrized test are run by `make test`; the others are left to `make slow-test`."""

from collections.abc import Iterable
from typing import Any

import pytest


def quick(cases: Iterable[tuple[Any, ...]], *chosen: tuple[Any, ...]) -> list[Any]:
    """Return all cases; those that are not chosen are marked as slow."""
    every = list(cases)
    assert set(chosen) <= set(every)
    return [case if case in chosen else pytest.param(*case, marks=pytest.mark.slow) for case in every]
