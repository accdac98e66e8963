"""Keep Optuna's notes on the studies that it opens out of the user's terminal. Imports optuna."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import optuna

__all__ = ["quiet_optuna"]


@contextlib.contextmanager
def quiet_optuna(level: int = optuna.logging.WARNING) -> Iterator[None]:
    """Let only Optuna's warnings through inside the block; the user's own setting comes back afterwards.

    With a higher `level` not even those.
    """
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(before, level))
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
