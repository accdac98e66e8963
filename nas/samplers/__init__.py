"""Samplers: how a search chooses the wirings that it trains next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from priors.lazy import lazy_names

if TYPE_CHECKING:
    from nas.samplers.rounds import Proposal
    from nas.samplers.structural import StructuralSampler

__all__ = ["Proposal", "StructuralSampler"]

_MODULES = {"Proposal": "rounds", "StructuralSampler": "structural"}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
