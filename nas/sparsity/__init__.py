"""Learned structure: scores, allocations, schedules and growth, which together are pruning and rewiring.

The parts act on flat vectors of live weights, and know nothing of networks or engines; `nas.sparsity.modules` is what
applies them to any ``nn.Module``. Names are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from priors.lazy import lazy_names

if TYPE_CHECKING:
    from nas.sparsity.allocation import ALLOCATIONS, EmptyLayerError, allocate
    from nas.sparsity.growth import GROWTH
    from nas.sparsity.iterative import IterativePruning, PruningStep, prune_iteratively
    from nas.sparsity.layers import Layer, Live
    from nas.sparsity.methods import METHODS, Method, method_of
    from nas.sparsity.modules import (
        Report,
        Rewirer,
        bake,
        export_masks,
        import_masks,
        masks_of,
        prune,
        report,
        rewire,
        sparsify,
    )
    from nas.sparsity.scores import SCORES, score
    from nas.sparsity.update import Update, drop_and_grow, drop_to

__all__ = [
    "ALLOCATIONS",
    "GROWTH",
    "METHODS",
    "SCORES",
    "EmptyLayerError",
    "IterativePruning",
    "Layer",
    "Live",
    "Method",
    "PruningStep",
    "Report",
    "Rewirer",
    "Update",
    "allocate",
    "bake",
    "drop_and_grow",
    "drop_to",
    "export_masks",
    "import_masks",
    "masks_of",
    "method_of",
    "prune",
    "prune_iteratively",
    "report",
    "rewire",
    "score",
    "sparsify",
]

_MODULES = {
    "ALLOCATIONS": "allocation",
    "EmptyLayerError": "allocation",
    "GROWTH": "growth",
    "IterativePruning": "iterative",
    "PruningStep": "iterative",
    "METHODS": "methods",
    "SCORES": "scores",
    "Layer": "layers",
    "Live": "layers",
    "Method": "methods",
    "Update": "update",
    "allocate": "allocation",
    "drop_and_grow": "update",
    "drop_to": "update",
    "Report": "modules",
    "Rewirer": "modules",
    "bake": "modules",
    "export_masks": "modules",
    "import_masks": "modules",
    "masks_of": "modules",
    "method_of": "methods",
    "prune": "modules",
    "prune_iteratively": "iterative",
    "report": "modules",
    "rewire": "modules",
    "score": "scores",
    "sparsify": "modules",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
