"""Storey 1: distributions over wirings.

Names are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from priors.lazy import lazy_names

if TYPE_CHECKING:
    from priors.attachment import ATTACHMENTS, attach, dead_neurons
    from priors.bipartite import Layered
    from priors.edits import MOVES, edit
    from priors.formats.document import from_dict, to_dict
    from priors.formats.files import FORMATS, parse_wiring, read_wiring, write_wiring
    from priors.formats.reading import MERGES, GraphFileWarning
    from priors.graphs import BarabasiAlbert, ErdosRenyi, Prior, WattsStrogatz
    from priors.nulls import NULLS, Mixing, Null, NullModel, draw_nulls, plain_null, spectral_radius
    from priors.pool import GraphPool
    from priors.reads import READ_INS, Inputs, ReadIn, draw_reads, spread
    from priors.registry import PRIORS
    from priors.transforms import ORIENTATIONS, layer, longest_paths, orient, stack
    from priors.version import __version__
    from priors.wiring import Wiring

__all__ = [
    "ATTACHMENTS",
    "FORMATS",
    "MERGES",
    "MOVES",
    "NULLS",
    "ORIENTATIONS",
    "PRIORS",
    "READ_INS",
    "BarabasiAlbert",
    "ErdosRenyi",
    "GraphFileWarning",
    "GraphPool",
    "Inputs",
    "Layered",
    "Mixing",
    "Null",
    "NullModel",
    "Prior",
    "ReadIn",
    "WattsStrogatz",
    "Wiring",
    "__version__",
    "attach",
    "dead_neurons",
    "draw_nulls",
    "draw_reads",
    "edit",
    "from_dict",
    "layer",
    "longest_paths",
    "orient",
    "parse_wiring",
    "plain_null",
    "read_wiring",
    "spectral_radius",
    "spread",
    "stack",
    "to_dict",
    "write_wiring",
]

_WIRENAS = True  # what `wirenas.require_own` looks for

_MODULES = {
    "ATTACHMENTS": "attachment",
    "FORMATS": "formats.files",
    "MERGES": "formats.reading",
    "MOVES": "edits",
    "ORIENTATIONS": "transforms",
    "PRIORS": "registry",
    "READ_INS": "reads",
    "BarabasiAlbert": "graphs",
    "ErdosRenyi": "graphs",
    "GraphFileWarning": "formats.reading",
    "GraphPool": "pool",
    "Inputs": "reads",
    "Mixing": "nulls",
    "NULLS": "nulls",
    "Null": "nulls",
    "NullModel": "nulls",
    "Layered": "bipartite",
    "Prior": "graphs",
    "ReadIn": "reads",
    "WattsStrogatz": "graphs",
    "Wiring": "wiring",
    "__version__": "version",
    "attach": "attachment",
    "dead_neurons": "attachment",
    "draw_nulls": "nulls",
    "draw_reads": "reads",
    "edit": "edits",
    "from_dict": "formats.document",
    "layer": "transforms",
    "longest_paths": "transforms",
    "orient": "transforms",
    "plain_null": "nulls",
    "parse_wiring": "formats.files",
    "read_wiring": "formats.files",
    "spectral_radius": "nulls",
    "spread": "reads",
    "stack": "transforms",
    "to_dict": "formats.document",
    "write_wiring": "formats.files",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
