"""Wirings with made-up values, and predictors that learnt them."""

from functools import cache

import numpy as np

from predictors import Predictor, Preparation
from priors import BarabasiAlbert, ErdosRenyi, WattsStrogatz, Wiring, attach, layer, orient

PREPARATION = Preparation(attachment=("natural",), n_inputs=8, n_outputs=3)


def drawn(n: int, seed: int = 0, low: int = 12, high: int = 30) -> tuple[list[Wiring], list[dict]]:
    """Return wirings of three families with units, and the parameters that they were drawn from."""
    rng = np.random.default_rng(seed)
    wirings, parameters = [], []
    for index in range(n):
        nodes = int(rng.integers(low, high + 1))
        family, prior = (
            ("watts-strogatz", WattsStrogatz(nodes, 4, float(rng.random()))),
            ("barabasi-albert", BarabasiAlbert(nodes, 2)),
            ("erdos-renyi", ErdosRenyi(nodes, edges=2 * nodes)),
        )[index % 3]
        wirings.append(attach(layer(orient(prior.sample(rng), "random", rng)), 8, 3, "natural"))
        parameters.append({"family": family, "n": nodes})
    return wirings, parameters


def values_of(wirings: list[Wiring], seed: int = 0, noise: float = 0.01) -> np.ndarray:
    """Return accuracies that grow with the number of sources and fall with depth, with noise, three trainings each."""
    rng = np.random.default_rng(seed)
    means = np.array([0.5 + 0.04 * len(w.hidden.sources) - 0.01 * w.hidden.n_layers for w in wirings])
    return np.clip(means[:, None] + rng.normal(0, noise, (len(wirings), 3)), 0, 1)


@cache
def fitted(n: int = 90) -> Predictor:
    """Return a predictor of made-up values."""
    wirings, parameters = drawn(n)
    predictor = Predictor(preparation=PREPARATION, metric="accuracy", bounds=(0.0, 1.0))
    return predictor.fit(wirings, values_of(wirings), parameters=parameters)
