"""Wirings of all sorts, by number, and null models of them."""

import numpy as np

from priors import BarabasiAlbert, ErdosRenyi, Layered, WattsStrogatz, Wiring, attach, layer, orient
from priors.nulls import NullModel

__all__ = ["directed", "model_of", "wiring_of"]


def directed(n: int, share: float, seed: int, *, loops: bool = False) -> Wiring:
    rng = np.random.default_rng(seed)
    there = rng.random((n, n)) < share
    if not loops:
        np.fill_diagonal(there, False)
    return Wiring((n,), np.argwhere(there), weights=rng.normal(size=int(there.sum())), directed=True)


def wiring_of(number: int) -> Wiring:
    """Return one of many wirings of all sorts."""
    rng, sort = np.random.default_rng(number), number % 8
    if sort == 0:
        return directed(12 + number % 9, 0.25, number, loops=number % 3 == 0)
    if sort == 1:
        return WattsStrogatz(20, 4, 0.3).sample(rng)
    if sort == 2:
        return Layered((6, 9, 7, 4), density=0.4, inputs=True, outputs=True).sample(rng)
    if sort == 3:
        return orient(ErdosRenyi(18, edges=40).sample(rng), "random", rng)
    if sort == 4:
        return attach(layer(orient(BarabasiAlbert(20, 2).sample(rng), "index")), 6, 3, "controlled", rng=rng)
    if sort == 5:
        return attach(directed(14, 0.25, number).replace(weights=None), 5, 3, "natural", rng=rng)
    if sort == 6:
        sizes = (4, 6, 6, 3)
        of = np.repeat(np.arange(4), sizes)
        places = np.argwhere((of[:, None] < of) & (rng.random((19, 19)) < 0.3))
        return Wiring(sizes, places, inputs=True, outputs=True, weights=rng.normal(size=len(places)))
    return directed(16, 0.35, number).replace(names=tuple(f"n{i}" for i in range(16)))


def model_of(wiring: Wiring, kind: str) -> NullModel | None:
    positions = np.random.default_rng(7).random((wiring.n_neurons, 2)) if kind == "spatial" else None
    try:
        return NullModel(wiring, kind, positions)
    except ValueError:
        return None
