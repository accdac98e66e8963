"""Sequences beside their own reversal: what a recurrent network reads that is bidirectional."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["with_reversal"]


def with_reversal(inputs: NDArray[Any], lengths: NDArray[np.int64]) -> NDArray[Any]:
    """Return sequences whose steps also have what stands as many steps before the end.

    Parameters
    ----------
    inputs : (n, time, n_inputs) array
    lengths : (n,) int64 array
        True lengths, from 1 to `time`.

    Returns
    -------
    (n, time, 2 * n_inputs) array
        At each step the inputs and then, within the sequence's length, those of the reversed sequence; 0 behind it.

    Examples
    --------
    >>> import numpy as np
    >>> from nas.inputs import with_reversal
    >>> with_reversal(np.array([[[1], [2], [3], [0]]]), np.array([3]))[0].T
    array([[1, 2, 3, 0],
           [3, 2, 1, 0]])
    """
    steps = np.arange(inputs.shape[1])
    ends = lengths[:, None]
    mirrored = np.take_along_axis(inputs, np.maximum(ends - 1 - steps, 0)[:, :, None], axis=1)
    both = np.concatenate([inputs, mirrored], axis=2)
    return np.where((steps < ends)[:, :, None], both, both.dtype.type(0))
