"""Mean and spread over seeds. Imports the standard library."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

__all__ = ["summary_of"]


def summary_of(values: Sequence[float]) -> dict[str, Any]:
    """Return mean, standard deviation (n - 1; None for a single value) and number of values of several seeds."""
    return {
        "mean": math.fsum(values) / len(values),
        "std": statistics.stdev(values) if len(values) > 1 else None,
        "seeds": len(values),
    }
