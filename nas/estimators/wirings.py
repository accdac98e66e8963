"""From what an estimator is given as its prior to the wiring of its network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from nas.errors import InputError, as_input_errors, finite_number, known
from nas.seeds import stream, stream_seed
from nas.space.families import FAMILIES, Parameter
from priors import Layered, Prior, Wiring, attach, layer, orient
from priors.transforms import drop_self_edges

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Structure", "prior_names"]

_FEWER = "the network needs more memory than there is; give fewer neurons or edges"


def prior_names() -> tuple[str, ...]:
    """Return the names that stand for a prior: families that need no graph to draw from."""
    return tuple(name for name, family in FAMILIES.items() if not family.of_graph)


@dataclass(frozen=True)
class Structure:
    """How the wiring of an MLP comes about; the fields are parameters of estimators, described there."""

    prior: str | Prior | Wiring | nx.Graph[Any]
    hidden: int
    degree: float
    prior_params: Mapping[str, Any] | None
    orientation: str
    attachment: str
    reads: int
    readouts: int
    shortcuts: bool

    def draw(self, n_inputs: int, n_outputs: int, seed: int) -> Wiring:
        """Return a wiring with so many units, drawn by `seed` where there is anything to draw.

        Raises
        ------
        InputError
            If the prior is none, or its parameters are out of bounds, or an MLP cannot have what it draws.
        """
        with as_input_errors(_FEWER):
            graph = self._graph(seed)
            if graph.inputs or graph.outputs:
                return _with_units(graph, n_inputs, n_outputs)
            if not graph.n_neurons:
                raise InputError("prior: the graph has no node; a network needs at least 1")
            graph = drop_self_edges(graph)
            if graph.n_layers == 1:
                graph = self._layered(graph, seed)
            elif not graph.is_acyclic:
                raise InputError("prior: the wiring has recurrent edges, which an MLP cannot have; give one without")
            rng = stream_seed(seed, "wiring", 2)
            counts = {"reads": self.reads, "readouts": self.readouts}
            wiring = attach(graph, n_inputs, n_outputs, self.attachment, rng, **counts)
            return _with_shortcuts(wiring) if self.shortcuts else wiring

    def _graph(self, seed: int) -> Wiring:
        given = self.prior
        if isinstance(given, str):
            given = self._named(given)
        elif self.prior_params is not None:
            raise InputError(
                f"prior_params={self.prior_params!r}: they are for a prior that is given by its name; leave them out"
            )
        if isinstance(given, Wiring):
            return given
        if not isinstance(given, type) and callable(getattr(given, "sample", None)):
            drawn: Wiring = given.sample(stream(seed, "wiring", 0))  # type: ignore[union-attr]
            return drawn
        if hasattr(given, "nodes") and hasattr(given, "edges"):
            return Wiring.from_networkx(given)  # type: ignore[arg-type]
        raise InputError(
            f"prior={given!r}: it must be a name ({', '.join(prior_names())}), a prior, a Wiring or a graph of networkx"
        )

    def _named(self, name: str) -> Prior:
        """Return the prior of a name whose mean degree comes nearest to the wanted one."""
        family = FAMILIES[known("prior", name, prior_names())]
        wanted = dict(self.prior_params or {})
        valid = {parameter.name: parameter for parameter in family.parameters}
        for key in wanted:
            if key not in valid:
                takes = ", ".join(valid) or "none"
                raise InputError(f"prior_params: {name} does not take {key}; it takes {takes}")
        given: Any = self.hidden
        if isinstance(given, bool) or not isinstance(given, Integral) or int(given) < 4:
            raise InputError(f"hidden={given!r}: a whole number of at least 4 is needed")
        hidden, degree = int(given), finite_number("degree", self.degree)
        if degree <= 0:
            raise InputError(f"degree={self.degree!r}: it must be above 0")
        if family.of_degree is None:
            return _two_layers(hidden, degree)
        own = {key: wanted.get(key, _default(parameter)) for key, parameter in valid.items()}
        return family.of_degree({"n": hidden, "degree": degree, **own})

    def _layered(self, graph: Wiring, seed: int) -> Wiring:
        """Give the edges of an undirected graph directions, and neurons their layers."""
        if graph.is_undirected:
            graph = orient(graph, self.orientation, stream_seed(seed, "wiring", 1))
        if not graph.is_acyclic:
            raise InputError(
                "prior: the graph has directed cycles, and an MLP needs one without; give it undirected, and each edge "
                "gets one direction"
            )
        return layer(graph)


def _two_layers(hidden: int, degree: float) -> Layered:
    sizes = (hidden - hidden // 2, hidden // 2)
    return Layered(sizes, edges=min(max(round(degree * hidden / 2), 1), sizes[0] * sizes[1]))


def _default(parameter: Parameter) -> Any:
    """Return the first of several names, or the middle of a range."""
    if parameter.choices:
        return parameter.default[0]
    middle = fmean(parameter.default)
    return round(middle) if parameter.is_whole else middle


def _with_units(wiring: Wiring, n_inputs: int, n_outputs: int) -> Wiring:
    """Return a wiring that has units of its own, if they are those that the data need."""
    found = (wiring.n_inputs, wiring.n_outputs)
    if found != (n_inputs, n_outputs):
        raise InputError(
            f"prior: the wiring has {found[0]} input and {found[1]} output units, and the data need {n_inputs} and "
            f"{n_outputs}; give another, or one of hidden neurons alone"
        )
    if not wiring.is_acyclic:
        raise InputError("prior: the wiring has recurrent edges, which an MLP cannot have; give one without")
    return wiring


def _with_shortcuts(wiring: Wiring) -> Wiring:
    """Let every output read every input, beside what it reads already."""
    first = wiring.n_neurons - wiring.n_outputs
    sources, targets = np.divmod(np.arange(wiring.n_inputs * wiring.n_outputs), wiring.n_outputs)
    edges = np.concatenate([wiring.edges, np.stack([sources, targets + first], axis=1).astype(np.int32)])
    weights = None
    if wiring.weights is not None:
        weights = np.concatenate([wiring.weights, np.full(len(sources), np.nan)])
    return wiring.replace(edges=edges, weights=weights)
