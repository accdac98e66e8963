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
    from priors.families.connectome import Connectome
    from priors.families.geo_hub import GeoHub
    from priors.families.geometric import Geometric
    from priors.families.modular import Modular
    from priors.families.newman_watts import NewmanWatts
    from priors.families.random_regular import RandomRegular
    from priors.families.stochastic_block import StochasticBlock
    from priors.families.ws_flex import WSFlex
    from priors.formats.document import from_dict, to_dict
    from priors.formats.files import FORMATS, parse_wiring, read_wiring, write_wiring
    from priors.formats.reading import MERGES, GraphFileWarning
    from priors.graphs import BarabasiAlbert, ErdosRenyi, Prior, WattsStrogatz
    from priors.nulls import NULLS, Mixing, Null, NullModel, draw_nulls, plain_null, spectral_radius
    from priors.pool import GraphPool
    from priors.reads import READ_INS, Inputs, ReadIn, draw_reads, spread
    from priors.registry import FAMILIES, PRIORS
    from priors.transforms import ORIENTATIONS, expand, layer, longest_paths, orient, stack
    from priors.version import __version__
    from priors.wiring import Wiring

__all__ = [
    "ATTACHMENTS",
    "FAMILIES",
    "FORMATS",
    "MERGES",
    "MOVES",
    "NULLS",
    "ORIENTATIONS",
    "PRIORS",
    "READ_INS",
    "BarabasiAlbert",
    "Connectome",
    "ErdosRenyi",
    "GeoHub",
    "Geometric",
    "GraphFileWarning",
    "GraphPool",
    "Inputs",
    "Layered",
    "Mixing",
    "Modular",
    "NewmanWatts",
    "Null",
    "NullModel",
    "Prior",
    "RandomRegular",
    "ReadIn",
    "StochasticBlock",
    "WSFlex",
    "WattsStrogatz",
    "Wiring",
    "__version__",
    "attach",
    "dead_neurons",
    "draw_nulls",
    "draw_reads",
    "edit",
    "expand",
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
    "BarabasiAlbert": "graphs",
    "Connectome": "families.connectome",
    "ErdosRenyi": "graphs",
    "FAMILIES": "registry",
    "FORMATS": "formats.files",
    "GeoHub": "families.geo_hub",
    "Geometric": "families.geometric",
    "GraphFileWarning": "formats.reading",
    "GraphPool": "pool",
    "Inputs": "reads",
    "Layered": "bipartite",
    "MERGES": "formats.reading",
    "MOVES": "edits",
    "Mixing": "nulls",
    "Modular": "families.modular",
    "NULLS": "nulls",
    "NewmanWatts": "families.newman_watts",
    "Null": "nulls",
    "NullModel": "nulls",
    "ORIENTATIONS": "transforms",
    "PRIORS": "registry",
    "Prior": "graphs",
    "READ_INS": "reads",
    "RandomRegular": "families.random_regular",
    "ReadIn": "reads",
    "StochasticBlock": "families.stochastic_block",
    "WSFlex": "families.ws_flex",
    "WattsStrogatz": "graphs",
    "Wiring": "wiring",
    "__version__": "version",
    "attach": "attachment",
    "dead_neurons": "attachment",
    "draw_nulls": "nulls",
    "draw_reads": "reads",
    "edit": "edits",
    "expand": "transforms",
    "from_dict": "formats.document",
    "layer": "transforms",
    "longest_paths": "transforms",
    "orient": "transforms",
    "parse_wiring": "formats.files",
    "plain_null": "nulls",
    "read_wiring": "formats.files",
    "spectral_radius": "nulls",
    "spread": "reads",
    "stack": "transforms",
    "to_dict": "formats.document",
    "write_wiring": "formats.files",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
