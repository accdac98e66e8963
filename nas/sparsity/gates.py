"""Structures of cells with several gates, of whose edges single weights live: taken over, and drawn anew.

Such a structure is a wiring, which has the edges any of whose weights lives, and a (n_edges, n_gates) bool array of
those that do, in the order of the wiring's edges; an edge into an output unit has one weight, that of the first gate.
"""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from numpy.typing import NDArray

from nas.networks.structure import Network, parts_of, wiring_of
from priors import Wiring

__all__ = ["Gates", "fingerprint_of", "gates_of", "keep_gates", "redrawn_gates"]

Gates = NDArray[np.bool_]


def gates_of(network: Network) -> Gates | None:
    """Return which weights of the edges of `wiring_of` live, or None where all do that an edge has."""
    wiring = wiring_of(network)
    parts = parts_of(network)
    found = np.zeros((wiring.n_edges, max(block.gates for part in parts for block in part.blocks)), bool)
    n_weights = 0
    for part in parts:
        live = part.live_weights()
        found[_rows(wiring, live.edges), live.gates] = True
        n_weights += part.blocks[0].gates * len(live.distinct_edges())
    return None if np.count_nonzero(found) == n_weights else found


def keep_gates(network: Network, gates: Gates, rng: int | np.random.Generator | None) -> None:
    """Let these weights alone live in a network of whose edges all do, from new initial values."""
    wiring = wiring_of(network)
    for part in parts_of(network):
        live = part.live_weights()
        stays = torch.from_numpy(gates[_rows(wiring, live.edges), live.gates])
        part.replace_weights(part.slots[stays], part.weight[stays])
        part.reset_parameters(rng)


def redrawn_gates(wiring: Wiring, gates: Gates | None, other: Wiring, rng: np.random.Generator) -> Gates | None:
    """Return weights for another wiring with as many edges of each kind: those of one's edges, each to a random one.

    Kinds are edges that read inputs, join neurons, and are read out. Of every kind there are as many weights of each
    gate then, and as many edges with any set of gates.
    """
    if gates is None:
        return None
    found = np.zeros_like(gates)
    for own, new in zip(_kinds(wiring), _kinds(other), strict=True):
        found[new] = gates[rng.permutation(own)]
    return found


def fingerprint_of(wiring: Wiring, gates: Gates | None) -> str:
    """Return what identifies a structure, in hexadecimal: the wiring's fingerprint where all of its weights live."""
    if gates is None:
        return wiring.fingerprint
    return hashlib.sha256(bytes.fromhex(wiring.fingerprint) + np.packbits(gates).tobytes()).hexdigest()


def _rows(wiring: Wiring, edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where in a wiring's edges, which are sorted, some of them are."""
    n = wiring.n_neurons
    codes = wiring.edges.astype(np.int64) @ [n, 1]
    return np.searchsorted(codes, edges @ [n, 1])


def _kinds(wiring: Wiring) -> list[NDArray[np.int64]]:
    source, target = wiring.edges.T
    is_read_in, is_read_out = source < wiring.n_inputs, target >= wiring.n_neurons - wiring.n_outputs
    kind = is_read_in + 2 * is_read_out
    return [np.flatnonzero(kind == own) for own in range(4)]
