"""Which cases of a parametrized test are run by `make test`; the others are left to `make slow-test`."""

from collections.abc import Iterable
from typing import Any

import pytest


def quick(cases: Iterable[Any], *chosen: Any) -> list[Any]:
    """Return all cases, values or tuples of several; those that are not chosen are marked as slow."""
    every = list(cases)
    assert set(chosen) <= set(every)
    return [case if case in chosen else _slow(*(case if isinstance(case, tuple) else (case,))) for case in every]


def _slow(*case: Any) -> Any:
    return pytest.param(*case, marks=(pytest.mark.slow, pytest.mark.another))
