"""Own graphs of a space: whether they can become the wirings that a search needs. Imports the space."""

from __future__ import annotations

from nas.errors import InputError
from nas.space.space import Params, Space
from priors import Wiring

__all__ = ["check_graphs"]


def check_graphs(space: Space, n_inputs: int, n_outputs: int, *, edited: bool = False) -> None:
    """Check that the user's own graphs can become wirings with so many units.

    Parameters
    ----------
    space : Space
    n_inputs, n_outputs : int
    edited : bool
        Whether they may be edited too, where the space has edits.

    Raises
    ------
    InputError
        Naming the first graph that cannot.
    """
    pool = space.pool
    if pool is None:
        return
    for index, (name, graph) in enumerate(zip(pool.names, pool.wirings, strict=True)):
        _check_kind(space, name, graph, (n_inputs, n_outputs))
        try:
            for attachment in space.attachment:
                space.wiring(_params(space, index, attachment), n_inputs, n_outputs)
        except ValueError as error:
            raise InputError(f"space.graphs: {name}: {error}") from None
        try:
            if edited and space.edits:
                space.wiring(_params(space, index, space.attachment[0], 1), n_inputs, n_outputs)
        except ValueError as error:
            raise InputError(f"space.graphs: {name}: {error}; space.edits=0 leaves graphs as they are") from None


def _check_kind(space: Space, name: str, graph: Wiring, units: tuple[int, int]) -> None:
    own = (graph.n_inputs, graph.n_outputs)
    if graph.inputs and own != units:
        needed = f"{units[0]} and {units[1]} are needed"
        raise InputError(f"space.graphs: {name} has {own[0]} input and {own[1]} output units; {needed}")
    if graph.inputs != space.is_finite:
        raise InputError(f"space.graphs: {name} has input units and others have none; give graphs of one kind")
    if graph.outputs and not graph.inputs:
        raise InputError(f"space.graphs: {name} has output units and no input units; give graphs with both or neither")
    if space.is_oriented and not (graph.inputs or graph.is_acyclic or graph.is_undirected):
        raise InputError(f"space.graphs: {name} has directed cycles; undirected or acyclic graphs are needed")


def _params(space: Space, index: int, attachment: str, n_moves: int = 0) -> Params:
    seeds = {"order_seed": 0, "attach_seed": 0, "n_moves": n_moves, "move_seed": 0}
    return {"graph": index, "orientation": space.orientation[0], "attachment": attachment, **seeds}
