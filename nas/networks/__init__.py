"""Networks: a Wiring as a sparse ``nn.Module``, and the way back.

Names are loaded on first use, so that a `NetworkSpec` needs no torch until it builds a network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from priors.lazy import lazy_names

if TYPE_CHECKING:
    from nas.networks.activations import ACTIVATIONS
    from nas.networks.blocks import Block
    from nas.networks.cells import CELLS
    from nas.networks.initialise import spectral_radius
    from nas.networks.mlp import SparseMLP
    from nas.networks.pooled import PooledMLP
    from nas.networks.readout import LinearMean, MaskedLinear, SequenceNetwork
    from nas.networks.rnn import SparseRNN
    from nas.networks.rounding import round_parameters
    from nas.networks.spec import NetworkSpec
    from nas.networks.storage import load_network, save_network
    from nas.networks.structure import n_parameters, parts_of, wiring_of

__all__ = [
    "ACTIVATIONS",
    "CELLS",
    "Block",
    "LinearMean",
    "MaskedLinear",
    "NetworkSpec",
    "PooledMLP",
    "SequenceNetwork",
    "SparseMLP",
    "SparseRNN",
    "load_network",
    "n_parameters",
    "parts_of",
    "round_parameters",
    "save_network",
    "spectral_radius",
    "wiring_of",
]

_MODULES = {
    "ACTIVATIONS": "activations",
    "CELLS": "cells",
    "Block": "blocks",
    "LinearMean": "readout",
    "MaskedLinear": "readout",
    "NetworkSpec": "spec",
    "PooledMLP": "pooled",
    "SequenceNetwork": "readout",
    "SparseMLP": "mlp",
    "SparseRNN": "rnn",
    "load_network": "storage",
    "n_parameters": "structure",
    "parts_of": "structure",
    "round_parameters": "rounding",
    "save_network": "storage",
    "spectral_radius": "initialise",
    "wiring_of": "structure",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
