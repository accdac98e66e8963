"""Bridge to the compiled draws and transforms, which return what their Python references return, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from priors.wiring import Wiring

__all__ = ["draw", "extension", "extension_for"]


@cache
def extension() -> Any:
    """Return the extension module, or None where it was not built."""
    try:
        return import_module("priors._native")
    except ImportError:
        return None


def extension_for(wiring: Wiring) -> Any:
    """Return the extension module where it was built and knows all there is to a wiring: neither weights nor names."""
    return extension() if wiring.weights is None and wiring.names is None else None


def draw(function: Callable[..., Any], generator: np.random.Generator | None, *arguments: Any) -> Any:
    """Call a compiled function that draws from a generator, locked meanwhile as in numpy; None draws nothing."""
    if generator is None:
        return function(None, *arguments)
    bits = generator.bit_generator
    with bits.lock:
        return function(bits.capsule, *arguments)
