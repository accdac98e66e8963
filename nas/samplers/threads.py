"""Linear algebra on one thread: matrices here are small, and trainings need the other cores.

Threads that wait for each other make a choice many times slower on a busy machine. On one thread the same numbers come
out on all machines of a kind, however many cores they have.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController

__all__ = ["one_thread"]


def one_thread() -> AbstractContextManager[object]:
    """Return a context in which numpy and scipy compute on one thread."""
    limits: AbstractContextManager[object] = _controller().limit(limits=1, user_api="blas")
    return limits


@cache
def _controller() -> ThreadpoolController:
    import scipy.linalg  # noqa: F401  Only loaded libraries are found.

    return ThreadpoolController()
