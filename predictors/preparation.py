"""How a bare graph becomes a wiring like those that a predictor was trained on: orient, layer, stack, attach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from priors import ATTACHMENTS, ORIENTATIONS, Wiring, attach, layer, orient, stack

__all__ = ["STRUCTURES", "Preparation"]

STRUCTURES = ("dag", "recurrent", "stack")
"""What a graph becomes: oriented and layered; taken as it is; oriented, layered and recurrent inside each layer."""


_MOST_DRAWS, _MOST_UNITS = 64, 2**20
_MOST_EDGES = 2**24
"""Of a prepared wiring, so that a small file cannot take all memory."""


@dataclass(frozen=True)
class Preparation:
    """What was done to the graphs of the training wirings, to be done to the graphs of candidates.

    Parameters
    ----------
    structure : {"dag", "recurrent", "stack"}
    orientation : tuple of str
        Orders by which undirected graphs were oriented, see `priors.orient`; draws take them in turn.
    attachment : tuple of str
        Ways in which units were attached, see `priors.attach`; empty where no units were.
    n_inputs, n_outputs : int
        Units to attach.
    reads, readouts, width : int
        As in `priors.attach`.
    draws : int
        Wirings made of a graph where chance has a part in them.

    Raises
    ------
    ValueError
        For an unknown name, or numbers that cannot be.

    Examples
    --------
    >>> from predictors import Preparation
    >>> from priors import WattsStrogatz
    >>> preparation = Preparation(attachment=("controlled",), n_inputs=4, n_outputs=2, draws=3)
    >>> [wiring.sizes[0] for wiring in preparation.wirings(WattsStrogatz(20, 4, 0.3).sample(0))]
    [4, 4, 4]
    """

    structure: str = "dag"
    orientation: tuple[str, ...] = ("random",)
    attachment: tuple[str, ...] = ()
    n_inputs: int = 0
    n_outputs: int = 0
    reads: int = 10
    readouts: int = 16
    width: int = 16
    draws: int = 16

    def __post_init__(self) -> None:
        for name in ("orientation", "attachment"):
            if isinstance(getattr(self, name), str):
                raise ValueError(f"{name}={getattr(self, name)!r}: it must be a tuple of names")
        for name, valid in (("structure", STRUCTURES), ("orientation", ORIENTATIONS), ("attachment", ATTACHMENTS)):
            value = getattr(self, name)
            for item in (value,) if isinstance(value, str) else value:
                if item not in valid:
                    raise ValueError(f"{name}={item!r}: valid are {', '.join(valid)}")
        if not self.orientation:
            raise ValueError(f"orientation is empty: at least one of {', '.join(ORIENTATIONS)} is needed")
        least = {
            "n_inputs": int(bool(self.attachment)),
            "n_outputs": 0,
            "reads": 1,
            "readouts": 1,
            "width": 1,
            "draws": 1,
        }
        for name, low in least.items():
            high = _MOST_DRAWS if name == "draws" else _MOST_UNITS
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name}={getattr(self, name)}: it must be between {low} and {high}")

    def wirings(self, graph: Wiring) -> list[Wiring]:
        """Return the wirings that a graph stands for: one, or `draws` of them where chance has a part.

        A wiring that has units is taken as it is. A graph of several layers keeps them. The draws depend on their
        number alone.

        Raises
        ------
        ValueError
            For a graph with cycles where training wirings have none.
        """
        if graph.inputs or graph.outputs:
            return [graph]
        n_edges = graph.n_edges + graph.n_neurons * (self.n_inputs + self.n_outputs)
        if self.attachment and n_edges > _MOST_EDGES:
            raise ValueError(
                f"{graph.n_neurons} neurons, {self.n_inputs} inputs and {self.n_outputs} outputs: {n_edges} edges "
                f"at most, and no more than {_MOST_EDGES} are prepared"
            )
        cyclic = not (graph.is_acyclic or (graph.n_layers == 1 and graph.is_undirected))
        if cyclic and (self.structure == "dag" or (self.structure == "stack" and graph.n_layers == 1)):
            raise ValueError(
                "the graph has directed cycles, and the training wirings have none: give a DAG, or have the graph read "
                "as undirected (--undirected)"
            )
        choices = self._n_orientations(graph) * max(len(self.attachment), 1)
        count = max(self.draws, choices) if self._is_drawn(graph) else choices
        return [self._wiring(graph, number) for number in range(count)]

    @property
    def _is_oriented(self) -> bool:
        return self.structure != "recurrent"

    def _orients(self, graph: Wiring) -> bool:
        return self._is_oriented and graph.n_layers == 1 and graph.n_edges > 0 and graph.is_undirected

    def _is_drawn(self, graph: Wiring) -> bool:
        return "controlled" in self.attachment or (self._orients(graph) and "random" in self.orientation)

    def _n_orientations(self, graph: Wiring) -> int:
        return len(self.orientation) if self._orients(graph) else 1

    def _wiring(self, graph: Wiring, number: int) -> Wiring:
        rng = np.random.default_rng(number)
        mode = number // self._n_orientations(graph)
        if self._orients(graph):
            graph = orient(graph, self.orientation[number % len(self.orientation)], rng)
        if self._is_oriented and graph.n_layers == 1:
            graph = layer(graph)
        if self.structure == "stack" and bool(graph.forward.all()):
            graph = stack(graph)
        if not self.attachment:
            return graph
        counts = {"reads": self.reads, "readouts": self.readouts, "width": self.width}
        return attach(graph, self.n_inputs, self.n_outputs, self.attachment[mode % len(self.attachment)], rng, **counts)
