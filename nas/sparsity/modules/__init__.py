"""Sparsity in anybody's ``nn.Module``: masks on dense weights, in the user's own training loop."""

from nas.sparsity.modules.drawing import sparsify
from nas.sparsity.modules.masks import bake, export_masks, import_masks, masks_of
from nas.sparsity.modules.pruning import prune
from nas.sparsity.modules.reporting import LayerReport, Report, report
from nas.sparsity.modules.rewiring import Rewirer, rewire

__all__ = [
    "LayerReport",
    "Report",
    "Rewirer",
    "bake",
    "export_masks",
    "import_masks",
    "masks_of",
    "prune",
    "report",
    "rewire",
    "sparsify",
]
