"""Lets root be refused what permissions refuse to others, so that tests of permissions run for root too."""

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator

import pytest

# Of Linux: the third version of its structures, and the capabilities by which root writes and reads everywhere.
_VERSION = 0x20080522
_OVERRIDE = 1 << 1 | 1 << 2


@contextlib.contextmanager
def heeded() -> Iterator[None]:
    """Make this thread, and those that it starts, heed the permissions of files even where it is root's."""
    if sys.platform != "linux" and (sys.platform == "win32" or os.geteuid() == 0):
        pytest.skip("what permissions refuse cannot be tried here")
    if os.geteuid() != 0:
        yield
        return
    library = ctypes.CDLL(None, use_errno=True)
    # The thread that calls; then twice what is effective, permitted and inherited, for 32 capabilities each.
    header = (ctypes.c_uint32 * 2)(_VERSION, 0)
    held = (ctypes.c_uint32 * 6)()
    assert library.capget(header, held) == 0
    fewer = type(held)(*held)
    fewer[0] &= ~_OVERRIDE
    assert library.capset(header, fewer) == 0
    try:
        yield
    finally:
        assert library.capset(header, held) == 0
