"""Learned structure: scores, allocations, schedules and growth, which together are pruning and rewiring.

Everything here acts on flat vectors of live weights, and knows nothing of networks or engines. Names are loaded on
first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from priors.lazy import lazy_names

if TYPE_CHECKING:
    from nas.sparsity.allocation import ALLOCATIONS, EmptyLayerError, allocate
    from nas.sparsity.growth import GROWTH
    from nas.sparsity.layers import Layer, Live
    from nas.sparsity.methods import METHODS, Method, method_of
    from nas.sparsity.scores import SCORES, score
    from nas.sparsity.update import Update, drop_and_grow, drop_to

__all__ = [
    "ALLOCATIONS",
    "GROWTH",
    "METHODS",
    "SCORES",
    "EmptyLayerError",
    "Layer",
    "Live",
    "Method",
    "Update",
    "allocate",
    "drop_and_grow",
    "drop_to",
    "method_of",
    "score",
]

_MODULES = {
    "ALLOCATIONS": "allocation",
    "EmptyLayerError": "allocation",
    "GROWTH": "growth",
    "METHODS": "methods",
    "SCORES": "scores",
    "Layer": "layers",
    "Live": "layers",
    "Method": "methods",
    "Update": "update",
    "allocate": "allocation",
    "drop_and_grow": "update",
    "drop_to": "update",
    "method_of": "methods",
    "score": "scores",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
