"""Files of wirings: GraphML, GEXF, edge lists, JSON, sparse .npz and Matrix Market, in and out, bounded and safe.

One module a format turns bytes into a wiring and back; `files` picks it by suffix. Reading needs neither networkx nor
scipy.
"""

from __future__ import annotations

from priors.formats.document import from_dict, to_dict
from priors.formats.files import FORMATS, parse_wiring, read_wiring, write_wiring
from priors.formats.limits import MAX_BYTES, MAX_EDGES, MAX_NAME, MAX_NEURONS

__all__ = [
    "FORMATS",
    "MAX_BYTES",
    "MAX_EDGES",
    "MAX_NAME",
    "MAX_NEURONS",
    "from_dict",
    "parse_wiring",
    "read_wiring",
    "to_dict",
    "write_wiring",
]
