"""What belongs to single steps of sequences, at the places of these steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["placed_at"]


def placed_at(steps: NDArray[np.bool_], flat: NDArray[Any]) -> NDArray[Any]:
    """Return what belongs to some steps at their places, and -1, NaN, False, 0 or no text at others.

    Parameters
    ----------
    steps : (n, time) bool array
    flat : (n_steps, ...) array
        In the order of the steps, row by row.

    Returns
    -------
    (n, time, ...) array
        Of the type of `flat`; 0 where that has no numbers below it.
    """
    nothing = {"f": np.nan, "b": False, "u": 0, "U": ""}.get(flat.dtype.kind, -1)
    found = np.full((*steps.shape, *flat.shape[1:]), nothing, flat.dtype)
    found[steps] = flat
    return found
