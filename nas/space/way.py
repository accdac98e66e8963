"""Way: how a network comes by its structure, beside the wiring that it starts with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nas.sparsity.methods import Method

__all__ = ["PLAIN", "Way"]


@dataclass(frozen=True)
class Way:
    """How a network comes by its structure.

    Parameters
    ----------
    pool : int
        Side of the squares of pixels whose means it reads; 1 for the inputs themselves.
    method : Method or None
        How its structure changes in training; None where it stays.
    limit : int or None
        Of what a method learns: weights, and biases where these count, that take part in the end, at most.
    counts_biases : bool
    keeps : str or None
        One of `nas.sparsity.shuffle.KEPT`: the structure is learned first, and a network with what is kept of it is
        trained from new weights. None where the learned network itself counts.
    learning_rate : float or None
        In place of the ladder of the recipe.
    """

    pool: int = 1
    method: Method | None = None
    limit: int | None = None
    counts_biases: bool = True
    keeps: str | None = None
    learning_rate: float | None = None


PLAIN = Way()
"""The wiring is trained as it is."""
