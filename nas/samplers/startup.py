"""Start-up: the first trials of a search, drawn evenly over families and sizes. Imports numpy and the seeds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nas.samplers.candidates import Candidates
from nas.seeds import stream

__all__ = ["stratum"]


def stratum(population: Candidates, n: int, number: int, seed: int) -> NDArray[np.int64]:
    """Return which candidates the start-up trial `number` of n is drawn from.

    The population is cut into n parts by family and size, which are taken in a random order.
    """
    families = [str(params.get("family")) for params in population.params]
    order = np.lexsort((population.sizes, np.array(families)))
    turn = int(stream(seed, "start").permutation(n)[number])
    return np.array_split(order, n)[turn]
