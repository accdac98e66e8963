"""From graphs to the rows of columns that a predictor reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predictors.features.describe import measured
from predictors.features.reads import read_features
from predictors.features.table import FEATURES, TIERS, names_of
from predictors.preparation import Preparation
from priors import Inputs, Wiring

if TYPE_CHECKING:
    import networkx as nx

    Graph = Wiring | nx.Graph[Any]

__all__ = ["Graph", "as_trained", "as_wirings", "check_own_names", "checked_column", "chosen_tiers", "columns_of"]

_LONGEST_NAME = 200


def as_wirings(graphs: Sequence[Graph]) -> list[Wiring]:
    """Return wirings and networkx graphs as wirings.

    Raises
    ------
    ValueError
        For a single graph, or whatever is no graph.
    """
    if isinstance(graphs, Wiring) or hasattr(graphs, "adj"):
        raise ValueError(f"{graphs!r} is a single graph: give a list of them")
    return [_as_wiring(graph, index) for index, graph in enumerate(graphs)]


def _as_wiring(graph: Graph, index: int) -> Wiring:
    if isinstance(graph, Wiring):
        return graph
    if not (hasattr(graph, "is_multigraph") and hasattr(graph, "adj")):
        raise ValueError(f"graph {index} is a {type(graph).__name__}: give wirings or networkx graphs")
    return Wiring.from_networkx(graph)


def as_trained(wirings: Sequence[Wiring], preparation: Preparation | None) -> list[Wiring]:
    """Return the one wiring that each of some graphs became for training.

    Raises
    ------
    ValueError
        If a graph can have become several.
    """
    if preparation is None:
        return list(wirings)
    prepared = []
    for index, wiring in enumerate(wirings):
        found = preparation.wirings(wiring)
        if len(found) > 1:
            raise ValueError(
                f"graph {index} stands for {len(found)} wirings under this preparation: give the trained ones"
            )
        prepared += found
    return prepared


def chosen_tiers(tiers: tuple[str, ...] | None, wirings: Sequence[Wiring]) -> tuple[str, ...]:
    """Return the tiers asked for, or by default those that make sense for some wirings, in the order of `TIERS`."""
    if tiers is not None:
        names_of(tiers)
        return tuple(tier for tier in TIERS if tier in tiers)
    cyclic = any(not wiring.is_acyclic for wiring in wirings)
    return ("size", "structure", "recurrent") if cyclic else ("size", "structure")


def check_own_names(names: Iterable[str], *, reads: Sequence[str] = ()) -> None:
    """Check that columns of one's own can have these names beside features, and those of what is read."""
    for name in names:
        if name in FEATURES or name in reads or not 0 < len(name) <= _LONGEST_NAME:
            raise ValueError(f"column {name!r}: a name needs 1 to {_LONGEST_NAME} characters, and no feature's name")


def columns_of(
    wirings: Sequence[Wiring],
    features: Sequence[str],
    pivots: int | None,
    own: Mapping[str, ArrayLike],
    reads: Sequence[str] = (),
    inputs: Inputs | None = None,
) -> NDArray[np.float64]:
    """Return features by name, those of what is read, and columns of one's own, (n, n_columns) float, in this order.

    Raises
    ------
    ValueError
        For a column of another length, or with an infinite number; where inputs are known, for a wiring with others.
    """
    blocks = [measured(wirings, features, pivots)]
    if inputs is not None:
        names, rows = read_features(wirings, inputs)
        blocks.append(rows[:, [names.index(name) for name in reads]])
    blocks += [checked_column(name, values, len(wirings))[:, None] for name, values in own.items()]
    return np.concatenate(blocks, axis=1)


def checked_column(name: str, values: ArrayLike, n: int) -> NDArray[np.float64]:
    """Return a column of one's own, (n,) float."""
    column = np.asarray(values, dtype=np.float64)
    if column.shape != (n,):
        raise ValueError(f"column {name!r} has shape {column.shape}: it needs one number for each of {n} wirings")
    if np.isinf(column).any():
        raise ValueError(f"column {name!r} holds an infinite number: NaN stands for what is undefined")
    return column
