"""The priors by the names that a command line or a record gives them."""

from __future__ import annotations

from typing import Any

from priors.bipartite import Layered
from priors.graphs import BarabasiAlbert, ErdosRenyi, WattsStrogatz

__all__ = ["PRIORS"]

# Any and not Prior: the protocol says how priors sample, and their constructors differ.
PRIORS: dict[str, type[Any]] = {
    "watts-strogatz": WattsStrogatz,
    "barabasi-albert": BarabasiAlbert,
    "erdos-renyi": ErdosRenyi,
    "layered": Layered,
}
"""Every prior under its `family` name."""
