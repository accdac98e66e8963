"""SCORES: what a live weight is worth; the lowest are dropped first.

A score is a function and a line of `SCORES`. It sees the live weights alone, so nothing has to be added to keep live
weights above masked ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError, finite_number, known
from nas.sparsity.layers import Floats, Live
from nas.sparsity.selection import lowest, ranks
from nas.zero_cost.saliency import saliency

__all__ = ["NEEDS", "SCORES", "Score", "score"]

Function = Callable[..., Floats]
Select = Callable[[Floats, int, "np.random.Generator | None"], NDArray[np.bool_]]


NEEDS = {
    "gradient": "gradient",
    "inputs": "input_sd",
    "norms": "input_norm",
    "hessian": "hessian",
    "inverse-hessian": "inverse_hessian",
    "flow": "flow",
}
"""What a score may need, and the attribute of `Live` that has it."""


@dataclass(frozen=True)
class Score:
    """One way to judge live weights.

    Attributes
    ----------
    function : callable
        ``function(live, rng, **options)`` returns (n,) float64, the lowest of which are dropped first.
    needs : frozenset of str
        What of `Live` it reads beside the weights, by the names of `NEEDS`.
    description : str
    select : callable
        ``select(scores, count, rng)`` marks those of one layer's live weights that are dropped; `lowest`, but where
        released code does something else.
    """

    function: Function
    needs: frozenset[str]
    description: str
    select: Select = lowest


def score(name: str, live: Live, rng: np.random.Generator, **options: float) -> Floats:
    """Return the scores of live weights, (n,) float64, by the name of the score.

    Raises
    ------
    InputError
        For an unknown score or option, or if `live` lacks what the score needs.
    """
    entry = SCORES[known("score", name, SCORES)]
    for need in sorted(entry.needs):
        if getattr(live, NEEDS[need]) is None:
            raise InputError(f"score={name!r} needs {NEEDS[need]} of the live weights, which is not given")
    for option, value in options.items():
        finite_number(option, value)
    try:
        return entry.function(live, rng, **options)
    except TypeError as error:
        if options and "unexpected keyword" in str(error):
            raise InputError(f"score={name!r} does not know the options {', '.join(sorted(options))}") from None
        raise


def _floats(values: NDArray[Any] | None) -> Floats:
    assert values is not None
    return values.astype(np.float64, copy=False)


def _random(live: Live, rng: np.random.Generator) -> Floats:
    return rng.random(live.n)


def _magnitude(live: Live, rng: np.random.Generator) -> Floats:  # noqa: ARG001
    return np.abs(_floats(live.weight))


def _activation(live: Live, rng: np.random.Generator) -> Floats:
    return _magnitude(live, rng) * _floats(live.input_sd)


def _wanda(live: Live, rng: np.random.Generator) -> Floats:
    return _magnitude(live, rng) * _floats(live.input_norm)


def _snip(live: Live, rng: np.random.Generator) -> Floats:  # noqa: ARG001
    return saliency(_floats(live.weight), _floats(live.gradient))


def _synflow(live: Live, rng: np.random.Generator) -> Floats:  # noqa: ARG001
    return saliency(_floats(live.weight), _floats(live.flow))


def _taylor(live: Live, rng: np.random.Generator) -> Floats:
    return _snip(live, rng) ** 2


def _sensitivity(live: Live, rng: np.random.Generator, epsilon: float = 1e-8) -> Floats:
    return np.abs(_floats(live.gradient)) / (_magnitude(live, rng) + epsilon)


def _reciprocal_sensitivity(live: Live, rng: np.random.Generator, epsilon: float = 1e-8) -> Floats:
    return _magnitude(live, rng) / (np.abs(_floats(live.gradient)) + epsilon)


def _mest(live: Live, rng: np.random.Generator, gamma: float = 1.0) -> Floats:
    return _magnitude(live, rng) + gamma * np.abs(_floats(live.gradient))


def _obd(live: Live, rng: np.random.Generator) -> Floats:  # noqa: ARG001
    return 0.5 * _floats(live.hessian) * _floats(live.weight) ** 2


def _obs(live: Live, rng: np.random.Generator) -> Floats:  # noqa: ARG001
    return 0.5 * _floats(live.weight) ** 2 / _floats(live.inverse_hessian)


def _signed_ranks(live: Live, *, as_share: bool) -> Floats:
    """Return ranks by magnitude among the weights of a layer that have the same sign, 1 for the lowest; 0 for zeros."""
    weight = _floats(live.weight)
    found = np.zeros(live.n)
    for first, stop in pairwise(live.bounds()):
        for sign in (1, -1):
            own = first + np.flatnonzero(np.sign(weight[first:stop]) == sign)
            found[own] = 1 + ranks(np.abs(weight[own]))
            if as_share and len(own):
                found[own] /= len(own)
    return found


def _set(live: Live, rng: np.random.Generator) -> Floats:  # noqa: ARG001
    return _signed_ranks(live, as_share=True)


def _set_half(live: Live, rng: np.random.Generator) -> Floats:  # noqa: ARG001
    return _signed_ranks(live, as_share=False)


def _signed(live: Live, rng: np.random.Generator) -> Floats:  # noqa: ARG001
    return _floats(live.weight)


def _select_released(weight: Floats, count: int, rng: np.random.Generator | None) -> NDArray[np.bool_]:  # noqa: ARG001
    """Mark the smallest positive weights, and all negative ones but the most negative: the released code's slip.

    Negative weights are sorted from the most negative one, and what lies above the k-th is dropped, where what lies
    above the k-th of those nearest to zero was meant.
    """
    half = (count + 1) // 2
    positive, negative = np.sort(weight[weight > 0]), np.sort(weight[weight < 0])
    dropped = np.ones(len(weight), bool)
    if not count:
        return ~dropped
    if len(positive):
        dropped &= ~(weight > positive[min(half, len(positive)) - 1])
    if len(negative):
        dropped &= ~(weight < negative[min(half, len(negative)) - 1])
    return dropped


_GRADIENT, _INPUTS, _HESSIAN = frozenset({"gradient"}), frozenset({"inputs"}), frozenset({"hessian"})

SCORES: dict[str, Score] = {
    "random": Score(_random, frozenset(), "uniform between 0 and 1"),
    "magnitude": Score(_magnitude, frozenset(), "|w|"),
    "activation": Score(
        _activation,
        _INPUTS,
        "|w| times the standard deviation, over training examples, of what the weight reads; after arXiv:2306.11695",
    ),
    "wanda": Score(
        _wanda, frozenset({"norms"}), "|w| times the Euclidean norm of what the weight reads; arXiv:2306.11695"
    ),
    "snip": Score(_snip, _GRADIENT, "|w g|; arXiv:1810.02340"),
    "synflow": Score(
        _synflow,
        frozenset({"flow"}),
        "|w f|, f the derivative by |w| of the summed outputs of the network of all |w|, without activations, where "
        "all inputs are 1; arXiv:2006.05467",
    ),
    "sensitivity": Score(_sensitivity, _GRADIENT, "|g| / (|w| + epsilon); arXiv:2306.12230"),
    "reciprocal-sensitivity": Score(
        _reciprocal_sensitivity, _GRADIENT, "|w| / (|g| + epsilon), epsilon 1e-8; arXiv:2306.12230"
    ),
    "mest": Score(_mest, _GRADIENT, "|w| + gamma |g|, gamma 1; arXiv:2110.14032"),
    "taylor": Score(_taylor, _GRADIENT, "(w g)^2; arXiv:1906.10771"),
    "obd": Score(_obd, _HESSIAN, "h w^2 / 2, h the second derivative by the weight; LeCun et al., NIPS 1989"),
    "obs": Score(
        _obs,
        frozenset({"inverse-hessian"}),
        "w^2 / (2 d), d the diagonal of the inverse of the layer's mean input products; arXiv:1705.07565",
    ),
    "set": Score(
        _set,
        frozenset(),
        "share of the layer's weights of the same sign that are no larger: of positive and of negative weights the "
        "same share is dropped; doi:10.1038/s41467-018-04316-3",
    ),
    "set-half": Score(
        _set_half,
        frozenset(),
        "rank by |w| among the layer's weights of the same sign: as many positive as negative weights are dropped; "
        "arXiv:2306.12230",
    ),
    "set-released": Score(
        _signed,
        frozenset(),
        "set-half as released with arXiv:2306.12230, where all but the most negative of the negative weights are "
        "dropped, whatever number was asked for",
        _select_released,
    ),
}
"""Every score by its name."""
