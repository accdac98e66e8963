"""Families of random graphs: all that a search and a command need to know of a prior is one record here.

A new family is a new entry of `FAMILIES`. From it follow the options of a space and their flags, the arguments of
``wirenas generate``, parameters of trials and columns of surveys, neighbours, and what is said of degrees out of reach.

The mean degree is a real number that all families share, so that they can be compared at nearly equal size; every
family takes the nearest degree that it can reach.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from nas.errors import InputError, first_line, known

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

    from priors import Prior

__all__ = [
    "FAMILIES",
    "Argument",
    "Domain",
    "Drawing",
    "Family",
    "FloatRange",
    "IntRange",
    "Names",
    "Parameter",
    "check_range",
    "own_parameters",
    "reach",
    "searched_families",
]


def _pair(value: Any) -> Any:
    if isinstance(value, str):
        low, colon, high = value.partition(":")
        return (low, high if colon else low)
    return value if isinstance(value, list | tuple) else (value, value)


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


IntRange = Annotated[tuple[int, int], BeforeValidator(_pair)]
FloatRange = Annotated[tuple[float, float], BeforeValidator(_pair)]
Names = Annotated[tuple[str, ...], BeforeValidator(_several), Field(min_length=1)]


def check_range(name: str, given: tuple[float, ...], limits: tuple[float, float]) -> None:
    """Raise a ValueError of one line unless both ends of a range are in order and within limits."""
    (low, high), (least, most) = given, limits
    if not least <= low <= high <= most:
        raise ValueError(f"{name}={low}:{high}: a range needs {least} <= low <= high <= {most}")


@dataclass(frozen=True)
class Domain:
    """The values that a parameter of a trial can have: both ends of a range of an int or a float, or names, of str.

    A range may be on a logarithmic scale.
    """

    kind: type
    values: tuple[Any, ...]
    log: bool = False

    def suggest(self, trial: Any, name: str) -> Any:
        """Let a trial choose a value for a parameter of this name."""
        if self.kind is str:
            try:
                return trial.suggest_categorical(name, self.values)
            except ValueError as error:
                if "dynamic value space" not in str(error):
                    raise
                raise InputError(
                    f"{name}={', '.join(self.values)}: the study was begun with other names, and Optuna lets those of "
                    "a study never change; give the same ones, or begin a new study"
                ) from None
        suggest = trial.suggest_int if self.kind is int else trial.suggest_float
        return suggest(name, *self.values, log=True) if self.log else suggest(name, *self.values)

    def holds(self, value: Any) -> bool:
        """Whether a value is one of them."""
        return value in self.values if self.kind is str else bool(self.values[0] <= value <= self.values[1])

    def distribution(self) -> BaseDistribution:
        """Return Optuna's distribution over the values."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        if self.kind is str:
            return CategoricalDistribution(self.values)
        low, high = self.values
        if self.kind is int:
            return IntDistribution(low, high, log=self.log)
        return FloatDistribution(low, high, log=self.log)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a family, beside nodes and degree, that a space varies.

    Parameters
    ----------
    name : str
        Of the option of a space, and of the parameter of a trial.
    help : str
        One sentence.
    default : tuple
        Ends of the default range of a number, or the default names of a choice.
    limits : (float, float), optional
        Least and largest value of a number.
    choices : tuple of str
        Valid names of a choice; empty for a number.
    """

    name: str
    help: str
    default: tuple[Any, ...]
    limits: tuple[float, float] = (-math.inf, math.inf)
    choices: tuple[str, ...] = ()

    @property
    def field(self) -> FieldInfo:
        """The option of a space that holds the range, or the names."""
        annotation: Any = Names if self.choices else FloatRange
        return FieldInfo(annotation=annotation, default=self.default, description=self.help)

    def checked(self, value: Any) -> tuple[Any, ...]:
        """Return what was given for the option as a range, or as names; a ValueError of one line for neither."""
        try:
            found: tuple[Any, ...] = TypeAdapter(Names if self.choices else FloatRange).validate_python(value)
        except ValidationError as error:
            raise ValueError(first_line(error, self.name)) from None
        if self.choices:
            for name in found:
                known(self.name, name, self.choices)
            return tuple(dict.fromkeys(found))
        check_range(self.name, found, self.limits)
        return found


@dataclass(frozen=True)
class Argument:
    """An argument of a prior, as ``wirenas generate`` asks for it.

    Parameters
    ----------
    name : str
        Of the prior's argument.
    kind : type
        What the command line turns its text into.
    help : str
        A few words.
    flag : str
        Its name on the command line, where that is another one.
    is_needed : bool
        Whether the prior has no default for it.
    parse : callable
        Turns what was given into the prior's argument.
    """

    name: str
    kind: type
    help: str
    flag: str = ""
    is_needed: bool = True
    parse: Callable[[Any], Any] = lambda value: value

    @property
    def option(self) -> str:
        """Its name on the command line."""
        return self.flag or self.name


@dataclass(frozen=True)
class Family:
    """What is to be known of a prior.

    Parameters
    ----------
    make : callable
        Returns the prior of given `arguments`.
    arguments : tuple of Argument
        What ``wirenas generate`` asks for.
    of_degree : callable, optional
        Returns the prior whose mean degree comes nearest to that of the parameters of a trial: n, degree and the
        family's own ones. A family without it is generated, but not searched.
    mean_degree : callable, optional
        Returns the mean degree of a prior, each pair of connected nodes counted once.
    parameters : tuple of Parameter
        The family's own ones, which a space varies.
    is_undirected : bool
        Whether graphs are to be oriented before they become networks without cycles.
    """

    make: Callable[..., Prior]
    arguments: tuple[Argument, ...]
    of_degree: Callable[[Mapping[str, Any]], Prior] | None = None
    mean_degree: Callable[[Any], float] | None = None
    parameters: tuple[Parameter, ...] = ()
    is_undirected: bool = True


_NODES = Argument("n", int, "hidden neurons", flag="nodes")


def _by_name(name: str) -> Callable[..., Prior]:
    """Return what makes a prior of `priors.PRIORS`, which are not imported before one is made."""

    def make(**arguments: Any) -> Prior:
        from priors import PRIORS

        prior: Prior = PRIORS[name](**arguments)
        return prior

    return make


def _watts_strogatz(params: Mapping[str, Any]) -> Prior:
    from priors import WattsStrogatz

    n = params["n"]
    most = (n - 1) // 2
    return WattsStrogatz(n, 2 * min(max(round(params["degree"] / 2), 1), most), params["p"])


def _barabasi_albert(params: Mapping[str, Any]) -> Prior:
    from priors import BarabasiAlbert

    n, initial = params["n"], params["initial"]
    wanted = params["degree"] * n / 2
    # Beyond m = n / 2 only growth from a complete graph still gains edges; elsewhere ties go to the smaller m.
    m = min(range(1, n), key=lambda m: abs(_n_grown(n, m, initial) - wanted))
    return BarabasiAlbert(n, m, initial)


def _n_grown(n: int, m: int, initial: str) -> int:
    """Return the edges of a grown graph: m for every added node, and those of the initial graph."""
    return m * (n - m) if initial != "complete" else m * (m + 1) // 2 + m * (n - m - 1)


def _erdos_renyi(params: Mapping[str, Any]) -> Prior:
    from priors import ErdosRenyi

    n = params["n"]
    return ErdosRenyi(n, edges=min(max(round(params["degree"] * n / 2), 1), n * (n - 1) // 2))


_MOST_PAIRS = 10**9
"""Of nodes: erdos-renyi holds a number for each of them while it draws."""


def _make_erdos_renyi(n: int, **arguments: Any) -> Prior:
    from priors import ErdosRenyi

    if n * (n - 1) // 2 > _MOST_PAIRS:
        most = (1 + math.isqrt(1 + 8 * _MOST_PAIRS)) // 2
        raise InputError(f"nodes={n}: erdos-renyi needs memory for every pair of nodes; nearest valid is {most}")
    return ErdosRenyi(n, **arguments)


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(size) for size in text.split(","))
    except ValueError:
        raise InputError(f"sizes={text!r}: neurons per layer are written like 32,32") from None


FAMILIES: dict[str, Family] = {
    "watts-strogatz": Family(
        make=_by_name("watts-strogatz"),
        arguments=(
            _NODES,
            Argument("k", int, "neighbours on the ring, even"),
            Argument("p", float, "probability that an edge is rewired"),
        ),
        of_degree=_watts_strogatz,
        mean_degree=lambda prior: prior.k,
        parameters=(Parameter("p", "Rewiring probability of watts-strogatz.", (0.0, 1.0), limits=(0.0, 1.0)),),
    ),
    "barabasi-albert": Family(
        make=_by_name("barabasi-albert"),
        arguments=(
            _NODES,
            Argument("m", int, "edges of a new node"),
            Argument("initial", str, "isolated, star or complete graph to start from", is_needed=False),
        ),
        of_degree=_barabasi_albert,
        mean_degree=lambda prior: 2 * _n_grown(prior.n, prior.m, prior.initial) / prior.n,
        parameters=(
            Parameter(
                "initial",
                "Initial graph of barabasi-albert: isolated, star, complete.",
                ("isolated",),
                choices=("isolated", "star", "complete"),
            ),
        ),
    ),
    "erdos-renyi": Family(
        make=_make_erdos_renyi,
        arguments=(
            _NODES,
            Argument("p", float, "probability of each edge", is_needed=False),
            Argument("edges", int, "number of edges", is_needed=False),
        ),
        of_degree=_erdos_renyi,
        mean_degree=lambda prior: 2 * prior.edges / prior.n,
    ),
    "layered": Family(
        make=_by_name("layered"),
        arguments=(
            Argument("sizes", str, "neurons per layer, such as 32,32", parse=_sizes),
            Argument("density", float, "share of edges present", is_needed=False),
            Argument("edges", int, "number of edges", is_needed=False),
        ),
        is_undirected=False,
    ),
}
"""Family name to its record."""


def searched_families() -> tuple[str, ...]:
    """Return the names of the families that have a mean degree, and can therefore be searched."""
    return tuple(name for name, family in FAMILIES.items() if family.of_degree is not None)


def own_parameters(families: Sequence[str] | None = None) -> dict[str, Parameter]:
    """Return the parameters of families, of all by default, by their names."""
    records = FAMILIES.values() if families is None else [FAMILIES[name] for name in families]
    return {parameter.name: parameter for record in records for parameter in record.parameters}


def reach(name: str, nodes: tuple[int, int], given: Mapping[str, tuple[Any, ...]]) -> tuple[float, float]:
    """Return the least and the largest mean degree of a family; both are those of its smallest or largest graphs.

    `nodes` is the range of the number of nodes; `given` holds ranges and names of the family's own parameters.
    """
    family = FAMILIES[name]
    assert family.of_degree is not None
    assert family.mean_degree is not None
    own = [
        [(parameter.name, value) for value in given[parameter.name][: None if parameter.choices else 1]]
        for parameter in family.parameters
    ]
    found = [
        family.mean_degree(family.of_degree({"n": n, "degree": wanted, **dict(chosen)}))
        for n, *chosen in product(nodes, *own)
        for wanted in (0.0, float(n))
    ]
    return min(found), max(found)


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """What a network without a search is drawn from.

    Parameters
    ----------
    prior : str, optional
        A key of `FAMILIES`.
    graph : path, optional
        A graph file in place of a prior, and `reading`, how it is read: format, directed and merge of
        `priors.read_wiring`.
    inputs : int
        Input units.
    arguments : mapping
        Of the prior, by their names on the command line; None for those that are not given.
    orientation : {"random", "index", "degree"}
        How an undirected graph becomes acyclic.
    reads, readouts : int
        Inputs that a neuron reads, and neurons that the outputs read, under controlled attachment.
    width : int
        Neurons of the projection under projected attachment.
    seed : int
        Of all random draws.
    """

    inputs: int
    prior: str | None = None
    graph: Path | None = None
    reading: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    orientation: str = "random"
    reads: int = 10
    readouts: int = 16
    width: int = 16
    seed: int = 0
