"""How much a file of a wiring may hold.

The limits are chosen so that no file, whatever it holds, takes more than a few seconds or 1 GiB of memory to read.
"""

from __future__ import annotations

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_EDGES",
    "MAX_JSON_MEMORY",
    "MAX_LINE",
    "MAX_LINES",
    "MAX_NAME",
    "MAX_NEURONS",
    "MAX_TAGS",
    "MAX_TAG_NAMES",
]

MAX_BYTES = 72 * 2**20
"""Largest file that is read or written, before and after decompression."""
MAX_NEURONS = 2**20
"""Most neurons of a wiring in a file."""
MAX_EDGES = 2**20
"""Most edges of a wiring in a file; an undirected edge counts twice."""
MAX_NAME = 1000
"""Longest name of a neuron, in characters."""
MAX_LINE = 2**20
"""Longest line of a text file, in bytes."""
MAX_LINES = 2**21
"""Most lines of a text file, blank lines and comments included."""
MAX_TAGS = 2**21
"""Most elements of an XML file."""
MAX_TAG_NAMES = 10_000
"""Most distinct names of elements and attributes of an XML file."""
MAX_DEPTH = 64
"""Deepest nesting of elements of an XML file."""
MAX_JSON_MEMORY = 384 * 2**20
"""Most memory that the values of a JSON file may take, in bytes, by an estimate from above."""
