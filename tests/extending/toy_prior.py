"""Chords: a prior that WireNAS does not have, as somebody would add one; `FAMILIES` gets it by one line."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from nas.space.families import Argument, Family, Parameter
from priors import Wiring


@dataclass(frozen=True)
class Chords:
    """A ring of `n` nodes and `chords` more edges; each begins at node 0 with odds of `q` to 1."""

    n: int
    chords: int
    q: float

    def sample(self, rng: int | np.random.Generator | None = None) -> Wiring:
        """Draw one graph, with both directions of every edge."""
        pairs = np.array(list(combinations(range(self.n), 2)))
        is_ring = np.isin(pairs[:, 1] - pairs[:, 0], (1, self.n - 1))
        odds = np.where(pairs[~is_ring, 0] == 0, self.q + 1e-9, 1.0)
        chosen = np.random.default_rng(rng).choice(len(odds), self.chords, replace=False, p=odds / odds.sum())
        edges = np.concatenate([pairs[is_ring], pairs[~is_ring][chosen]])
        return Wiring((self.n,), np.concatenate([edges, edges[:, ::-1]]))


def of_degree(params: Mapping[str, Any]) -> Chords:
    """Return the prior whose mean degree is nearest."""
    n, most = params["n"], params["n"] * (params["n"] - 3) // 2
    return Chords(n, min(max(round((params["degree"] / 2 - 1) * n), 0), most), params["q"])


ARGUMENTS = (Argument("n", int, "nodes", flag="nodes"), Argument("chords", int, "chords"), Argument("q", float, "odds"))
Q = Parameter("q", "Odds of chords at node 0.", (0.0, 9.0), limits=(0.0, 99.0))
CHORDS = Family(Chords, ARGUMENTS, of_degree, lambda own: 2 + 2 * own.chords / own.n, parameters=(Q,))
