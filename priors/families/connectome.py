"""Connectomes as a prior: parts of a graph of one's own, with its weights, signs and names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from priors.checks import choice, settle, whole
from priors.families.record import NODES, Argument, Family, Parameter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from priors.draws import Seed
    from priors.wiring import Wiring

__all__ = ["CONNECTOME", "DRAWS", "Connectome"]

DRAWS = ("subsample", "bootstrap")
"""How nodes are drawn: each once at most, or again and again."""


@dataclass(frozen=True)
class Connectome:
    """Random parts of a graph of one's own: nodes are drawn, and all edges between them stay, weights and names too.

    Parameters
    ----------
    graph : Wiring
        A directed or undirected graph without input and output units, as `read_wiring` reads it from a file. Signs are
        those of its weights.
    n : int, optional
        Nodes, by default as many as the graph has.
    draw : {"subsample", "bootstrap"}
        ``subsample`` draws every node once at most, so that `n` is at most the number of nodes; ``bootstrap`` draws
        with replacement. Copies of one node have its edges and their weights; between each other they have none, and
        each has the node's self edge. From its second copy on the name of a node gets a number: ``AVAL (2)``.

    Raises
    ------
    ValueError
        For a graph without nodes or with input or output units, more nodes than can be drawn once, or an unknown draw.

    Notes
    -----
    Subsamples draw a subset of the nodes; bootstraps one double a node. Nodes keep the order, and the layers, that they
    have in the graph; layers of which nothing is drawn are left out.

    References
    ----------
    Snijders and Borgatti (1999), Non-parametric standard errors and tests for network statistics, Connections 22(2),
    61-70; they fill in edges between copies at random

    Examples
    --------
    >>> from priors import Connectome, Wiring
    >>> worm = Wiring((4,), [(0, 1), (1, 2), (2, 3)], weights=[0.5, -1, 2], names=["AVAL", "AVAR", "PVCL", "PVCR"])
    >>> part = Connectome(worm, n=3).sample(0)
    >>> part.n_neurons, set(part.names) < set(worm.names)
    (3, True)
    >>> Connectome(worm, n=100, draw="bootstrap").sample(0).n_neurons
    100
    """

    graph: Wiring
    n: int | None = None
    draw: str = "subsample"
    family: ClassVar[str] = "connectome"

    def __post_init__(self) -> None:
        from priors.wiring import Wiring

        if not isinstance(self.graph, Wiring):
            raise ValueError(
                f"graph is a {type(self.graph).__name__}: Connectome needs a Wiring; read_wiring reads files"
            )
        if self.graph.inputs or self.graph.outputs:
            raise ValueError("graph has input or output units: Connectome needs a graph of hidden neurons alone")
        if not self.graph.n_neurons:
            raise ValueError("graph holds no node: Connectome needs at least 1")
        choice("Connectome", "draw", self.draw, DRAWS)
        there = self.graph.n_neurons
        n = there if self.n is None else self.n
        if self.draw == "bootstrap":
            settle(self, n=whole("Connectome", "n", n, 1, 2**31 - 1))
            return
        try:
            settle(self, n=whole("Connectome", "n", n, 1, there, limit="nodes of the graph"))
        except ValueError as error:
            raise ValueError(f"{error}; draw='bootstrap' draws nodes more than once") from None

    def sample(self, rng: Seed = None) -> Wiring:
        """Draw one graph: a wiring of `n` neurons with the edges, weights and names that these have in the graph."""
        import numpy as np

        from priors.draws import subset

        generator, n, there = np.random.default_rng(rng), self.n or 0, self.graph.n_neurons
        if self.draw == "bootstrap":
            return _part(self.graph, np.sort((generator.random(n) * there).astype(np.int64)))
        return self.graph if n == there else _part(self.graph, subset(generator, there, n))


def _part(graph: Wiring, nodes: NDArray[np.int64]) -> Wiring:
    """Return the graph of some nodes, ascending, which may repeat."""
    import numpy as np

    from priors.wiring import Wiring

    n, there = len(nodes), graph.n_neurons
    copies = np.bincount(nodes, minlength=there)
    first = np.concatenate([[0], np.cumsum(copies)])
    source, target = graph.edges[:, 0].astype(np.int64), graph.edges[:, 1].astype(np.int64)
    # An edge stands as often as there are pairs of copies of its ends; a self edge as often as copies.
    is_self = source == target
    times = np.where(is_self, copies[source], copies[source] * copies[target])
    edge = np.repeat(np.arange(graph.n_edges), times)
    place = np.arange(len(edge)) - np.repeat(np.cumsum(times) - times, times)
    across = np.maximum(np.where(is_self, 1, copies[target]), 1)[edge]
    row, column = place // across, place % across
    rows = np.stack([first[source[edge]] + row, first[target[edge]] + np.where(is_self[edge], row, column)], axis=1)
    sizes = np.bincount(graph.layer_of[nodes], minlength=graph.n_layers)
    return Wiring(
        tuple(int(size) for size in sizes if size) if n else (),
        rows,
        weights=None if graph.weights is None else graph.weights[edge],
        names=_names(graph, nodes),
        directed=graph.directed or not graph.is_undirected,
    )


def _names(graph: Wiring, nodes: NDArray[np.int64]) -> list[str] | None:
    """Return the names of copies; a graph without names gives them where nodes are other ones than before."""
    names = graph.names if graph.names is not None else tuple(range(graph.n_neurons))
    seen: dict[int, int] = {}
    taken, found = set(map(str, names)), []
    for node in nodes.tolist():
        seen[node] = seen.get(node, 0) + 1
        name = str(names[node])
        if seen[node] > 1:
            number = seen[node]
            while (copy := f"{name} ({number})") in taken:
                number += 1
            name = copy
            taken.add(name)
        found.append(name)
    return found


def _example() -> Connectome:
    from priors.wiring import Wiring

    edges = [(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 5), (5, 0), (1, 4)]
    weights = [0.5, -1.0, 2.0, 0.25, -0.5, 1.5, 1.0, -2.0]
    return Connectome(Wiring((6,), edges, weights=weights, names=["a", "b", "c", "d", "e", "f"]), 5, "bootstrap")


CONNECTOME = Family(
    make=Connectome,
    arguments=(
        Argument("n", int, NODES.help, flag="nodes", is_needed=False),
        Argument("draw", str, "subsample or bootstrap: whether a neuron is drawn once at most", is_needed=False),
    ),
    parameters=(
        Parameter(
            "draw",
            "How connectome draws neurons: subsample (each once at most) or bootstrap.",
            ("subsample",),
            choices=DRAWS,
        ),
    ),
    is_undirected=False,
    of_graph=True,
    example=_example,
)
