"""Space: the distribution over wirings that a campaign searches, as parameters of an Optuna trial.

A wiring is a pure function of its parameters: family, n, degree, p, initial, orientation, attachment, three seeds, and
the number and seed of edits. Of the user's own graphs its number stands for family to initial.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from nas.errors import InputError, input_error, known, unknown_key
from nas.space.families import (
    FAMILIES,
    Domain,
    FloatRange,
    IntRange,
    Names,
    check_range,
    checked,
    domain_of,
    families_of_graphs,
    field_of,
    own_parameters,
    reach,
    searched_families,
)
from nas.space.names import claimed
from nas.space.own_graphs import KEEPS_CYCLES, Usable, has_weights, listed, scaled_weights, usable
from nas.space.way import PLAIN, Way

if TYPE_CHECKING:
    import numpy as np
    from optuna.distributions import BaseDistribution

    from priors import GraphPool, Prior, Wiring

__all__ = [
    "DRAW_NAMES",
    "EDIT_NAMES",
    "SEED_NAMES",
    "Params",
    "Space",
    "Suggester",
    "check_graphs",
    "read_graphs",
    "without_draws",
]

Params = Mapping[str, str | int | float]
"""Parameters of one candidate by name, as Optuna stores them."""

SEED_NAMES = ("graph_seed", "order_seed", "attach_seed")
"""Parameters that select a draw of the prior; they are drawn afresh for every trial and not searched."""

EDIT_NAMES = ("n_moves", "move_seed")
"""Parameters of the edits of a drawn graph."""

DRAW_NAMES = (*SEED_NAMES, *EDIT_NAMES, "replicate")
"""Parameters that tell candidates of the same description apart; nothing is learnt from their values."""

_ALL_SEEDS = (*SEED_NAMES, "move_seed")

T = TypeVar("T")
_SEEDS = Domain(int, (0, 2**31 - 1))


def without_draws(params: Mapping[str, T]) -> dict[str, T]:
    """Return parameters, or what goes by their names, without `DRAW_NAMES`."""
    return {name: own for name, own in params.items() if name not in DRAW_NAMES}


class Suggester(Protocol):
    """The part of ``optuna.Trial`` that a space needs."""

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """Choose one of `choices`."""

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """Choose an integer, both ends included, evenly on a linear or a logarithmic scale."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Choose a number, both ends included, evenly on a linear or a logarithmic scale."""


@lru_cache(maxsize=4)
def read_graphs(
    path: str, graph_format: str | None = None, directed: bool | None = None, merge: str = "sum"
) -> GraphPool:
    """Read the graphs of a folder, an archive or a file, once; an InputError says why they cannot be read."""
    from priors import GraphPool

    try:
        return GraphPool.read(path, format=graph_format, directed=directed, merge=merge)
    except ValueError as error:
        raise InputError(f"space.graphs: {error}") from None


def _path_or_pool(value: Any) -> Any:
    from priors import GraphPool

    return value if value is None or isinstance(value, GraphPool) else str(value)


def _name_of_graphs(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else f"pool {value.fingerprint[:12]}"


_Count = Annotated[IntRange, PlainSerializer(lambda ends: ends[0] if ends[0] == ends[1] else ends)]
"""A range, which is written as one number where nothing varies."""

_UNIT_COUNTS = {"reads": "controlled", "readouts": "controlled", "width": "projected"}
"""Numbers of units that an attachment takes, by the attachment that takes them."""


_Graphs = Annotated[Any, BeforeValidator(_path_or_pool), PlainSerializer(_name_of_graphs, when_used="json")]
"""A field that holds a `GraphPool`, the path that one is read from, or None."""


class _OneLine(type(BaseModel)):  # type: ignore[misc]
    """Lets a space that is made by itself say in one line what is wrong; of one within options these say it."""

    def __call__(cls, *args: Any, **values: Any) -> Any:
        try:
            return super().__call__(*args, **values)
        except ValidationError as error:
            raise input_error(error, cls) from None


class Space(BaseModel, metaclass=_OneLine):
    """What may vary between the candidates of a campaign.

    A range is (low, high), both included, also written ``"low:high"``, or one number where nothing varies. A choice is
    one name or several. What a family cannot reach is replaced by the nearest degree that it can, and the record holds
    the degree of the graph.

    The parameters of families are options too, such as `p`, the range of watts-strogatz's rewiring probability, and
    `initial`, names of barabasi-albert's initial graphs; see `nas.space.families`.

    Examples
    --------
    >>> import optuna
    >>> from nas import Space
    >>> space = Space(priors=("watts-strogatz", "modular"), nodes=(20, 40), degree=4, p=(0.1, 0.5), mixing=0.2)
    >>> trial = optuna.create_study().ask()
    >>> wiring = space.wiring(space.suggest_all(trial), n_inputs=8, n_outputs=3)
    >>> wiring.n_inputs, wiring.n_outputs, 20 <= wiring.n_hidden <= 40
    (8, 3, True)
    """

    model_config = ConfigDict(frozen=True, extra="allow", use_attribute_docstrings=True)

    priors: Names = ("watts-strogatz", "barabasi-albert", "erdos-renyi")
    """Families of random graphs: watts-strogatz, barabasi-albert, erdos-renyi, newman-watts, ws-flex, random-regular,
    stochastic-block, modular, geometric, geo-hub; or connectome, which draws parts of own graphs."""
    nodes: IntRange = (20, 100)
    """Hidden neurons."""
    degree: FloatRange = (2.0, 12.0)
    """Mean degree of the undirected graph; k, m or the number of edges follow."""
    structure: Literal["dag", "recurrent", "stack", "given"] | None = None
    """dag (oriented and layered; an MLP's only one), recurrent (the graph as it is, cycles and all; an RNN's default),
    stack (oriented and layered, complete recurrence inside each layer) or given (own graphs as they are, without units;
    the default of an own evaluation)."""
    orientation: Names = ("random",)
    """How a graph becomes acyclic, for dag and stack: random, index, degree."""
    attachment: Names = ("controlled",)
    """How input and output units are connected: controlled, natural, projected, published."""
    reads: _Count = (10, 10)
    """Inputs that a neuron reads under controlled attachment; a range is searched."""
    readouts: _Count = (16, 16)
    """Neurons that the outputs read under controlled attachment; a range is searched."""
    width: _Count = (16, 16)
    """Neurons of the projection under projected attachment; a range is searched."""
    graphs: _Graphs = None
    """Own graphs in place of the families: a folder, an archive or a file of them."""
    graphs_format: str | None = None
    """Format of the own graphs, whatever their suffixes say, such as matrix or edge-list."""
    graphs_directed: bool | None = None
    """Whether edges of own graphs have a direction, whatever their files say."""
    graphs_merge: Literal["sum", "max", "first", "error"] = "sum"
    """What becomes of the weights of parallel edges: sum, max, first, error."""
    graphs_weights: Literal["ignore", "initial"] = "ignore"
    """Weights of own graphs: ignore (networks begin with drawn ones), or initial: networks begin with them, times one
    factor a graph that brings them to about the size of drawn ones, and reservoirs keep them; not for gru and lstm."""
    edits: Annotated[int, Field(ge=0, le=1000)] = 16
    """Edits of a drawn graph at most, by samplers that look for neighbours of good ones; own graphs by default 0."""
    max_parameters: Annotated[int, Field(ge=1)] | None = None
    """Larger networks are never proposed; nodes and reads that are not given grow until networks can spend it."""
    max_edges: Annotated[int, Field(ge=1)] | None = None
    """Networks with more edges between hidden neurons are never proposed."""

    @classmethod
    def options(cls) -> dict[str, FieldInfo]:
        """Return all options by name: the fields, and the parameters of all families after the degree."""
        found: dict[str, FieldInfo] = {}
        for name, field in cls.model_fields.items():
            found[name] = field
            if name == "degree":
                found |= {name: field_of(parameter) for name, parameter in own_parameters().items()}
        return found

    @model_validator(mode="before")
    @classmethod
    def _own_parameters(cls, given: Any) -> Any:
        """Check the parameters of families, and complete them by their defaults."""
        if not isinstance(given, Mapping):
            return given
        own = own_parameters()
        for name in given:
            if name not in cls.model_fields and name not in own:
                raise PydanticCustomError("unknown_key", "{line}", {"line": unknown_key(name, cls.options())})
        found = {name: checked(parameter, given.get(name, parameter.default)) for name, parameter in own.items()}
        return {**{name: value for name, value in given.items() if name not in own}, **found}

    @field_validator("priors", "orientation", "attachment")
    @classmethod
    def _known_names(cls, names: tuple[str, ...], info: Any) -> tuple[str, ...]:
        from priors import ATTACHMENTS, ORIENTATIONS

        families = (*searched_families(), *families_of_graphs())
        valid = {"priors": families, "orientation": ORIENTATIONS, "attachment": ATTACHMENTS}
        for name in names:
            known(info.field_name, name, valid[info.field_name])
        return tuple(dict.fromkeys(names))

    @model_validator(mode="after")
    def _ranges(self) -> Space:
        check_range("nodes", self.nodes, (4, 100_000))
        check_range("degree", self.degree, (0.1, 100_000.0))
        for name in _UNIT_COUNTS:
            check_range(name, getattr(self, name), (1, 1_000_000))
        if not set(families_of_graphs()).isdisjoint(self.priors):
            self._check_resampling()
        if self.structure == "given" and self.graphs is None:
            raise ValueError("structure=given: it is for own graphs; give graphs too, or another structure")
        if self.graphs is not None and "edits" not in self.model_fields_set:
            vars(self)["edits"] = 0  # As little as any default does it count as given.
        if self.graphs_weights == "initial" and self.graphs is not None:
            self._check_own_weights()
        return self

    def _check_own_weights(self) -> None:
        if self.structure == "stack":
            raise ValueError(
                "graphs_weights=initial: structure=stack joins neurons by edges that own graphs do not have; give "
                "recurrent or dag, or leave it out"
            )
        if self.edits:
            raise ValueError("graphs_weights=initial: edited graphs have edges without weights; give edits=0")

    def _check_resampling(self) -> None:
        of_graph, *others = self.priors
        if others:
            raise ValueError(f"priors={', '.join(self.priors)}: one that draws from own graphs is the only one")
        if self.graphs is None:
            raise ValueError(f"priors={of_graph}: it draws from graphs of your own; give graphs too, or another prior")

    @property
    def is_resampled(self) -> bool:
        """Whether candidates are random parts of the user's own graphs."""
        return self.graphs is not None and self.priors[0] in families_of_graphs()

    @property
    def own(self) -> dict[str, tuple[Any, ...]]:
        """Ranges and names of the families' own parameters."""
        return dict(self.__pydantic_extra__ or {})

    @property
    def own_ranges(self) -> dict[str, tuple[float, float]]:
        """Ranges of those that are numbers."""
        return {name: (given[0], given[1]) for name, given in self.own.items() if not own_parameters()[name].choices}

    @property
    def ranges_of_units(self) -> dict[str, tuple[int, int]]:
        """Ranges of reads, readouts and width, those that vary and whose attachment may be chosen."""
        ranges: dict[str, tuple[int, int]] = {
            name: getattr(self, name) for name, attachment in _UNIT_COUNTS.items() if attachment in self.attachment
        }
        return {name: (low, high) for name, (low, high) in ranges.items() if low < high}

    def units_of(self, params: Params) -> dict[str, int]:
        """Return the reads, readouts and width that a candidate has, as `priors.attach` takes them."""
        return {name: int(params.get(name, getattr(self, name)[0])) for name in _UNIT_COUNTS}

    def notices(self) -> list[str]:
        """Return lines on what somebody who starts a search of this space should know."""
        pool = self.pool
        if pool is None:
            return self.out_of_reach()
        left_out = self._left_out()
        if self.is_finite:
            every = f"space.graphs: {len(pool)} graphs as they are, each once before any is evaluated again"
            return [*left_out, every]
        lines = left_out + ([] if self.structure == "given" else self._orienting(pool))
        weighted = [name for name, graph in zip(pool.names, pool, strict=True) if has_weights(graph)]
        without = len(pool) - len(weighted)
        if self.graphs_weights == "initial" and without:
            lines.append(
                f"space.graphs_weights=initial: {without} of {len(pool)} graphs have no weights, so theirs are drawn"
            )
        if weighted and self.structure != "given" and self.graphs_weights == "ignore":
            others = f" and {len(weighted) - 1} more" if len(weighted) > 1 else ""
            lines.append(
                f"space.graphs: weights of {weighted[0]}{others} are not used: networks start from drawn ones; "
                "space.graphs_weights=initial starts from them"
            )
        return lines

    def _left_out(self) -> list[str]:
        """Return lines on own graphs and edges that networks without cycles cannot have."""
        found, lines = self._usable, []
        if found is not None and found.cyclic:
            lines.append(
                f"space.graphs: left out: {listed(found.cyclic)}, for directed cycles, which "
                f"structure={self.structure or 'dag'} cannot have; {KEEPS_CYCLES}"
            )
        if found is not None and found.looped:
            lines.append(
                f"space.graphs: self edges of {listed(found.looped)} are dropped: structure={self.structure or 'dag'} "
                "cannot have them"
            )
        return lines

    def _orienting(self, pool: GraphPool) -> list[str]:
        """Return a line on what becomes of own graphs that have no directions, where networks need some."""
        without = sum(not (graph.inputs or graph.is_acyclic) for graph in pool)
        if not self.is_oriented or not without:
            return []
        ways = " or ".join(self.orientation)
        return [
            f"space.graphs: {without} of {len(pool)} graphs have no directions: orientation={ways} gives each edge "
            f"one, which structure={self.structure or 'dag'} needs"
        ]

    def out_of_reach(self) -> list[str]:
        """Return a line on each family that cannot reach an end of the range of degrees, at any size."""
        if self.graphs is not None:
            return []
        (low, high), (fewest, most) = self.degree, self.nodes
        neurons = f"{most} neurons" if fewest == most else f"{fewest} to {most} neurons"
        lines = []
        for family in self.priors:
            least, largest = reach(family, self.nodes, self.own)
            found = []
            if low < least:
                found.append(f"reaches {least:.4g} at least, and gets {f'{least:.4g}' if high <= least else 'no less'}")
            if high > largest:
                no_more = f"{largest:.4g}" if low >= largest else "no more"
                found.append(f"reaches {largest:.4g} at most, and gets {no_more}")
            if found:
                wanted = f"{low:g}" if low == high else f"{low:g}:{high:g}"
                lines.append(f"space.degree={wanted}: {family} of {neurons} {'; it '.join(found)}")
        return lines

    @property
    def is_oriented(self) -> bool:
        """Whether candidates are oriented graphs."""
        return self.structure not in ("recurrent", "given")

    @property
    def pool(self) -> GraphPool | None:
        """The user's own graphs, where there are some, as far as networks without cycles can be made of them.

        Where networks have recurrence between any neurons, these are all of them.

        Raises
        ------
        InputError
            If they cannot be read.
        """
        found = self._usable
        return None if found is None else found.pool

    @property
    def identity_of_graphs(self) -> dict[str, str]:
        """What tells the user's own graphs, and their weights where networks begin with them, from others."""
        pool = self.pool
        if pool is None:
            return {}
        weights = {"weights": pool.weights_fingerprint} if self.graphs_weights == "initial" else {}
        return {"graphs": pool.fingerprint, **weights}

    @property
    def _usable(self) -> Usable | None:
        pool: GraphPool | None = self.graphs
        if isinstance(self.graphs, str):
            pool = read_graphs(self.graphs, self.graphs_format, self.graphs_directed, self.graphs_merge)
        if pool is None:
            return None
        return usable(pool) if self.is_oriented else Usable(pool)

    def graph_name(self, params: Params) -> str:
        """Return the name of the user's own graph that a candidate is made of, and nothing where there is none."""
        index, pool = params.get("graph"), self.pool
        name = "" if index is None or pool is None else str(pool.names[int(index)])
        return "" if name == str(index) else name

    @property
    def moves(self) -> tuple[str, ...]:
        """Edits that keep what the space has fixed: the number of neurons, and the mean degree."""
        from priors import MOVES

        fixed_neurons, fixed_degree = (low == high for low, high in (self.nodes, self.degree))
        kept = [move for move in MOVES if not (fixed_neurons and move.endswith("neuron"))]
        return tuple(move for move in kept if not fixed_degree or move == "swap")

    @property
    def is_limited(self) -> bool:
        """Whether some wirings of the space are never proposed."""
        return self.max_parameters is not None or self.max_edges is not None

    def allows(self, wiring: Wiring, n_parameters: int) -> bool:
        """Whether a wiring keeps to `max_parameters` and `max_edges`."""
        limits = (self.max_parameters, self.max_edges)
        extent = self.extent(wiring, n_parameters)
        return all(limit is None or found <= limit for found, limit in zip(extent, limits, strict=True))

    def extent(self, wiring: Wiring, n_parameters: int) -> tuple[int, int]:
        """Return what the limits are about: parameters, and hidden edges, which are 0 where nothing limits them."""
        return n_parameters, 0 if self.max_edges is None else wiring.hidden.n_edges

    def impossible(self, extents: Sequence[tuple[int, int]]) -> InputError:
        """Return the error of limits that no draw kept to, given the `extent` of all of them."""
        given = (("parameters", self.max_parameters), ("edges", self.max_edges))
        limits = ", ".join(f"space.max_{what}={limit}" for what, limit in given if limit is not None)
        least = " and ".join(
            f"{min(found)} {what}"
            for (what, limit), found in zip(given, zip(*extents, strict=True), strict=True)
            if limit is not None
        )
        return InputError(f"{limits}: none of {len(extents)} draws is so small; the smallest has {least}")

    def suggest(self, trial: Suggester) -> dict[str, str | int | float]:
        """Let a sampler choose what is searched; conditional parameters are asked for only where they act."""
        return self._ask(trial, without_draws(self.domains()))

    def suggest_all(self, trial: Suggester) -> dict[str, str | int | float]:
        """Let a sampler choose everything that a wiring follows from, seeds and edits included.

        This is what an objective of one's own asks for; ``space.wiring(params, n_inputs, n_outputs)`` is the wiring.

        Raises
        ------
        InputError
            If the trial has a parameter of one's own with a name of the space; one that is asked for afterwards is
            refused by the trial in the same way.
        """
        return self._ask(claimed(trial, self.distributions()), self.domains() | self._edits)

    def _ask(self, trial: Suggester, domains: Mapping[str, Domain]) -> dict[str, str | int | float]:
        params: dict[str, str | int | float] = {}
        for name, domain in domains.items():
            if name == "orientation" and not self.is_oriented:
                continue
            if "family" in params and name in self.own and name not in own_parameters([str(params["family"])]):
                continue
            if name in _UNIT_COUNTS and params["attachment"] != _UNIT_COUNTS[name]:
                continue
            params[name] = domain.suggest(trial, name)
        return params

    def domains(self) -> dict[str, Domain]:
        """Return the values of all parameters that a wiring follows from, but for edits."""
        if self.pool is not None:
            found = {"graph": Domain(int, (0, len(self.pool) - 1))}
            if self.is_resampled:
                found["n"] = Domain(int, self.nodes)
        else:
            found = {
                "family": Domain(str, self.priors),
                "n": Domain(int, self.nodes),
                "degree": Domain(float, self.degree),
            }
        if self.pool is None or self.is_resampled:
            for name, parameter in own_parameters(self.priors).items():
                found[name] = domain_of(parameter, self.own[name])
        if not (self.is_finite or self.structure == "given"):
            found["orientation"] = Domain(str, self.orientation)
            found["attachment"] = Domain(str, self.attachment)
            found |= {name: Domain(int, ends) for name, ends in self.ranges_of_units.items()}
        return found | dict.fromkeys(self._seed_names, _SEEDS)

    def distributions(self) -> dict[str, BaseDistribution]:
        """Return Optuna's distributions of all parameters that `suggest_all` may ask for."""
        return {name: domain.distribution() for name, domain in (self.domains() | self._edits).items()}

    def check_params(self, params: Params) -> None:
        """Refuse stored values that this space does not give its parameters: what is drawn from them may have any size.

        Raises
        ------
        ValueError
        """
        for name, domain in (self.domains() | self._edits).items():
            if name in params and not domain.holds(params[name]):
                between = ", ".join if domain.kind is str else " to ".join
                valid = between(map(str, domain.values))
                raise ValueError(f"{name}={params[name]!r} is outside of its space, {valid}")

    def seeds(self, rng: np.random.Generator) -> dict[str, int]:
        """Draw the seeds that make one wiring out of the parameters."""
        return {name: int(rng.random() * 2**31) for name in self._seed_names}

    @cached_property
    def is_finite(self) -> bool:
        """Whether the space is a list of the user's own wirings, which are taken as they are.

        They have input units, or the structure is given and nothing edits them.
        """
        if self.pool is None or self.is_resampled:
            return False
        return (self.structure == "given" and not self.edits) or all(wiring.inputs for wiring in self.pool.wirings)

    @property
    def _edits(self) -> dict[str, Domain]:
        if self.edits == 0 or self.is_finite:
            return {}
        return {"n_moves": Domain(int, (0, self.edits)), "move_seed": _SEEDS}

    @property
    def _seed_names(self) -> tuple[str, ...]:
        if self.is_finite or self.structure == "given":
            return ()
        own = SEED_NAMES[1:] if self.pool is not None and not self.is_resampled else SEED_NAMES
        return own if self.is_oriented else tuple(name for name in own if name != "order_seed")

    def prior(self, params: Params) -> Prior:
        """Return the prior that a candidate's graph is drawn from."""
        of_degree = FAMILIES[str(params["family"])].of_degree
        assert of_degree is not None
        return of_degree(params)

    def wiring(self, params: Params, n_inputs: int = 0, n_outputs: int = 0) -> Wiring:
        """Rebuild a candidate's wiring from its parameters alone.

        Parameters
        ----------
        params : mapping
            As returned by `suggest_all`, or by `suggest` and `seeds`, and as stored in a trial.
        n_inputs, n_outputs : int
            Units to attach; with 0 inputs the wiring is left without any.
        """
        from priors import orient

        wiring = self._graph(params)
        if wiring.inputs or self.is_finite:
            return wiring
        if self.is_oriented and self._has_no_directions(wiring, params):
            wiring = orient(wiring, str(params["orientation"]), int(params["order_seed"]))
        if params.get("n_moves", 0):
            wiring = self.edited(wiring, int(params["n_moves"]), int(params["move_seed"]))
        return self.finish(wiring, params, n_inputs, n_outputs)

    def way(self, params: Params) -> Way:  # noqa: ARG002
        """Return how a candidate's network comes by its structure: it is the wiring's."""
        return PLAIN

    def _has_no_directions(self, graph: Wiring, params: Params) -> bool:
        """Whether a graph is to be oriented; one of the user's own, or of a directed family, may be acyclic already."""
        if self.pool is None and FAMILIES[str(params["family"])].is_undirected:
            return True
        return not graph.is_acyclic

    def edited(self, graph: Wiring, n_moves: int, seed: int) -> Wiring:
        """Return a graph after random moves; where the space orients graphs it stays acyclic."""
        from priors import edit, orient

        found = edit(graph, n_moves, seed, self.moves)
        # A graph without edges is undirected as well, and so are the edges that it gets.
        return orient(found, "index") if self.is_oriented and not graph.n_edges else found

    def finish(self, graph: Wiring, params: Params, n_inputs: int = 0, n_outputs: int = 0) -> Wiring:
        """Turn a graph, oriented where the space orients graphs, into a wiring by what is left to do in `wiring`."""
        from priors import attach, layer, stack

        wiring = layer(graph) if self.is_oriented else graph
        if self.structure == "stack":
            wiring = stack(wiring)
        if n_inputs == 0 or self.structure == "given":
            return wiring
        return attach(
            wiring,
            n_inputs,
            n_outputs,
            str(params["attachment"]),
            int(params["attach_seed"]),
            **self.units_of(params),
        )

    def _graph(self, params: Params) -> Wiring:
        pool = self.pool
        if pool is None:
            return self.prior(params).sample(int(params["graph_seed"]))
        graph = pool[int(params["graph"])]
        if self.is_resampled:
            graph = self._part(graph, params)
        if graph.inputs or graph.weights is None or self.is_finite:
            return graph
        return scaled_weights(graph) if self.graphs_weights == "initial" else graph.replace(weights=None)

    def _part(self, graph: Wiring, params: Params) -> Wiring:
        own = {name: params[name] for name in own_parameters(self.priors)}
        return FAMILIES[self.priors[0]].make(graph, int(params["n"]), **own).sample(int(params["graph_seed"]))


def check_graphs(space: Space, n_inputs: int, n_outputs: int, *, edited: bool = False) -> None:
    """Check that the user's own graphs can become wirings with so many units.

    Where they may be `edited` too, and the space has edits, one edit is tried as well.

    Raises
    ------
    InputError
        Naming the first graph that cannot.
    """
    pool = space.pool
    if pool is None:
        return
    if space.graphs_weights == "initial":
        _check_distinct(pool)
    tries = [(attachment, 0, "") for attachment in space.attachment]
    if edited and space.edits:
        tries.append((space.attachment[0], 1, "; space.edits=0 leaves graphs as they are"))
    fixed: dict[str, str | int | float] = {"orientation": space.orientation[0], **dict.fromkeys(_ALL_SEEDS, 0)}
    drawn: list[Params] = [{}]
    if space.is_resampled:
        own = [space.own[name] for name in own_parameters(space.priors)]
        names = ("n", *own_parameters(space.priors))
        drawn = [dict(zip(names, values, strict=True)) for values in product(space.nodes, *own)]
    others = f"; without this graph the other {len(pool) - 1} can be searched" if len(pool) > 1 else ""
    for index, (name, graph) in enumerate(zip(pool.names, pool.wirings, strict=True)):
        _check_kind(space, name, graph, (n_inputs, n_outputs))
        for own_params, (attachment, n_moves, hint) in product(drawn, tries):
            params: Params = {**fixed, **own_params, "graph": index, "attachment": attachment, "n_moves": n_moves}
            try:
                space.wiring(params, n_inputs, n_outputs)
            except ValueError as error:
                line = re.sub(r"^n=", "space.nodes=", str(error)) if space.is_resampled else str(error)
                raise InputError(f"space.graphs: {name}: {line}{hint or others}") from None


def _check_distinct(pool: GraphPool) -> None:
    """Refuse graphs of the same edges, which a search would take for one, whatever their weights."""
    names: dict[str, str] = {}
    for name, graph in zip(pool.names, pool.wirings, strict=True):
        other = names.setdefault(graph.fingerprint, name)
        if other != name:
            raise InputError(
                f"space.graphs_weights=initial: {other} and {name} have the same edges, so that a search takes them "
                "for one, whatever their weights; leave one of them out"
            )


def _check_kind(space: Space, name: str, graph: Wiring, units: tuple[int, int]) -> None:
    if space.structure == "given":
        return
    own = (graph.n_inputs, graph.n_outputs)
    if graph.inputs and own != units:
        needed = f"{units[0]} and {units[1]} are needed"
        raise InputError(f"space.graphs: {name} has {own[0]} input and {own[1]} output units; {needed}")
    if graph.inputs != space.is_finite:
        raise InputError(f"space.graphs: {name} has input units and others have none; give graphs of one kind")
    if graph.outputs and not graph.inputs:
        raise InputError(f"space.graphs: {name} has output units and no input units; give graphs with both or neither")
    if space.is_oriented and not (graph.inputs or graph.is_acyclic or graph.is_undirected):
        raise InputError(
            f"space.graphs: {name} has directed cycles, which structure={space.structure or 'dag'} cannot have; "
            f"{KEEPS_CYCLES}"
        )
