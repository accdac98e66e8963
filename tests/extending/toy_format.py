"""A format that WireNAS does not have: one line ``source>target`` an edge; `TABLE` gets it by one line."""

from priors import Wiring
from priors.formats.files import Format
from priors.formats.reading import Reading


def read_arrows(content: bytes, _: Reading) -> Wiring:
    """Read a graph of whole numbers."""
    edges = [tuple(map(int, line.split(">"))) for line in content.decode().split()]
    return Wiring((1 + max(map(max, edges)),), edges)


def write_arrows(wiring: Wiring) -> bytes:
    """Write the edges."""
    return "".join(f"{source}>{target}\n" for source, target in wiring.edges.tolist()).encode()


ARROWS = Format("arrows", "lines 'source>target'", read_arrows, write_arrows)
