"""The families of priors by the names that a command line or a record gives them. Importing this costs nothing."""

from __future__ import annotations

from typing import Any

from priors.families import classic, connectome, layered
from priors.families.geo_hub import GEO_HUB
from priors.families.geometric import GEOMETRIC
from priors.families.modular import MODULAR
from priors.families.newman_watts import NEWMAN_WATTS
from priors.families.random_regular import RANDOM_REGULAR
from priors.families.record import Family
from priors.families.stochastic_block import STOCHASTIC_BLOCK
from priors.families.ws_flex import WS_FLEX

__all__ = ["FAMILIES", "PRIORS"]

FAMILIES: dict[str, Family] = {
    "watts-strogatz": classic.WATTS_STROGATZ,
    "barabasi-albert": classic.BARABASI_ALBERT,
    "erdos-renyi": classic.ERDOS_RENYI,
    "newman-watts": NEWMAN_WATTS,
    "ws-flex": WS_FLEX,
    "random-regular": RANDOM_REGULAR,
    "stochastic-block": STOCHASTIC_BLOCK,
    "modular": MODULAR,
    "geometric": GEOMETRIC,
    "geo-hub": GEO_HUB,
    "layered": layered.LAYERED,
    "connectome": connectome.CONNECTOME,
}
"""Every family by its name, which its prior has as `family`."""


PRIORS: dict[str, type[Any]]
"""Every prior under its `family` name; they are imported when it is first asked for."""


def __getattr__(name: str) -> Any:
    if name != "PRIORS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = {own: family.prior for own, family in FAMILIES.items()}
    globals()["PRIORS"] = found
    return found
