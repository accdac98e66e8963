"""Linear algebra on one thread."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController

__all__ = ["one_thread"]


def one_thread() -> AbstractContextManager[object]:
    """Return a context in which numpy and scipy compute on one thread.

    Matrices are small here, and trainings need the other cores: threads that wait for each other make a choice or a fit
    many times slower on a busy machine. On one thread the same numbers come out on all machines of a kind, however many
    cores they have.
    """
    limits: AbstractContextManager[object] = _controller().limit(limits=1, user_api="blas")
    return limits


@cache
def _controller() -> ThreadpoolController:
    import scipy.linalg  # noqa: F401  Only loaded libraries are found.

    return ThreadpoolController()
