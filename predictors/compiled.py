"""Bridge to the compiled features and trees, which return what their Python references return."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

__all__ = ["extension"]


@cache
def extension() -> Any:
    """Return the extension module, or None where it was not built."""
    try:
        return import_module("predictors._native")
    except ModuleNotFoundError:
        return None
