"""Lineage: what a wiring was bred from, where no parameters say it, and what is therefore related to what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nas.space.space import Params, Space
from priors import Wiring

__all__ = ["BRED", "Lineage", "graph_of", "kept_of", "rebuilt"]

BRED = ("n_hidden", "hidden_edges", "lineage")
"""Fields of a record from which `rebuilt` makes a wiring that follows from no parameters."""


@dataclass(frozen=True)
class Lineage:
    """How a candidate was bred.

    Parameters
    ----------
    parents : tuple of int
        Their trials.
    way : {"crossover", "mutation", "redraw"}
        Edges of two parents; edits of one; or another draw, with parameters like those of one.
    n_moves : int
        Edits of a mutation.
    seed : int
        Of what was drawn on that way.
    """

    parents: tuple[int, ...]
    way: str
    n_moves: int
    seed: int

    @property
    def is_drawn(self) -> bool:
        """Whether the wiring follows from its trial's parameters all the same, and shares no edge by descent."""
        return self.way == "redraw"

    def to_json(self) -> str:
        """Return the lineage as a record keeps it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Lineage | None:
        """Return the lineage that a record keeps; None where it keeps none."""
        if not text:
            return None
        stored = json.loads(text)
        return cls(tuple(stored["parents"]), stored["way"], stored["n_moves"], stored["seed"])


def kept_of(wiring: Wiring, lineage: Lineage | None) -> dict[str, Any]:
    """Return the fields `BRED` of a candidate, as JSON types."""
    hidden = wiring.hidden
    text = "" if lineage is None else lineage.to_json()
    return {"n_hidden": hidden.n_neurons, "hidden_edges": hidden.edges.ravel().tolist(), "lineage": text}


def graph_of(space: Space, params: Params, stored: Mapping[str, Any], n_inputs: int) -> Wiring:
    """Return the graph behind the wiring of a trial, which `Space.finish` makes that wiring of again.

    The trial has parameters, a record whose fields `BRED` are given as `stored`, and a wiring of so many inputs.
    """
    edges = np.asarray(stored["hidden_edges"], dtype=np.int64).reshape(-1, 2)
    is_projected = n_inputs > 0 and params["attachment"] == "projected"
    first = space.units_of(params)["width"] if is_projected else 0
    edges = edges[edges[:, 0] >= first] - first
    n = int(stored["n_hidden"]) - first
    if space.structure == "stack":
        # No edge of a DAG has a reverse; those inside a layer do, or are their own.
        edges = edges[~np.isin(edges @ [n, 1], edges @ [1, n])]
    return Wiring((n,), edges)


def rebuilt(space: Space, params: Params, stored: Mapping[str, Any], units: tuple[int, int]) -> Wiring:
    """Rebuild the wiring of a trial, with input and output units, from its parameters and the fields of its record.

    What was bred follows from the edges that are stored; without a lineage the parameters suffice.

    Raises
    ------
    ValueError
        If the space has no such parameters.
    """
    lineage = Lineage.from_json(stored.get("lineage", ""))
    if lineage is None or lineage.is_drawn:
        space.check_params(params)
        return space.wiring(params, *units)
    space.check_params({name: params[name] for name in space.ranges_of_units if name in params})
    return space.finish(graph_of(space, params, stored, units[0]), params, *units)
