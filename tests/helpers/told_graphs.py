"""Graph files that are read, with what is said of them."""

import warnings

from priors import Wiring, parse_wiring

__all__ = ["read"]


def read(content: str | bytes, suffix: str, **reading: object) -> tuple[Wiring, str]:
    """Return the wiring of a file and what was said of it."""
    data = content.encode() if isinstance(content, str) else content
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        wiring = parse_wiring(data, suffix, **reading)
    return wiring, "; ".join(str(one.message) for one in said)
