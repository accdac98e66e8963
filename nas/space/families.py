"""Families of random graphs as a search sees them: options and domains of what their records say.

The records are those of `priors.registry.FAMILIES`. From a record follow the options of a space and their flags, the
arguments of ``wirenas generate``, parameters of trials and columns of surveys, neighbours, and what is said of degrees
out of reach.

The mean degree is a real number that all families share, so that they can be compared at nearly equal size; every
family takes the nearest degree that it can reach.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from nas.errors import InputError, first_line, known
from priors.families.record import Argument, Family, Parameter
from priors.registry import FAMILIES

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

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
    "checked",
    "domain_of",
    "families_of_graphs",
    "field_of",
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
_TYPES: dict[type, Any] = {str: Names, int: IntRange, float: FloatRange}
"""What the option of a family's own parameter holds, by the type of its values."""


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
        if self.kind is str:
            return value in self.values
        is_one = self.kind is float or isinstance(value, Integral)
        return is_one and bool(self.values[0] <= value <= self.values[1])

    def distribution(self) -> BaseDistribution:
        """Return Optuna's distribution over the values."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        if self.kind is str:
            return CategoricalDistribution(self.values)
        low, high = self.values
        if self.kind is int:
            return IntDistribution(low, high, log=self.log)
        return FloatDistribution(low, high, log=self.log)


def field_of(parameter: Parameter) -> FieldInfo:
    """Return the option of a space that holds the range of a family's own parameter, or its names."""
    annotation: Any = _TYPES[parameter.kind]
    return FieldInfo(annotation=annotation, default=parameter.default, description=parameter.help)


def checked(parameter: Parameter, value: Any) -> tuple[Any, ...]:
    """Return what was given for the option as a range, or as names; a ValueError of one line for neither."""
    try:
        found: tuple[Any, ...] = TypeAdapter(_TYPES[parameter.kind]).validate_python(value)
    except ValidationError as error:
        raise ValueError(first_line(error, parameter.name)) from None
    if parameter.choices:
        for name in found:
            known(parameter.name, name, parameter.choices)
        return tuple(dict.fromkeys(found))
    check_range(parameter.name, found, parameter.limits)
    return found


def domain_of(parameter: Parameter, values: tuple[Any, ...]) -> Domain:
    """Return the domain of a family's own parameter within a range, or of names."""
    return Domain(parameter.kind, values, parameter.log)


def searched_families() -> tuple[str, ...]:
    """Return the names of the families that have a mean degree, and can therefore be searched."""
    return tuple(name for name, family in FAMILIES.items() if family.of_degree is not None)


def families_of_graphs() -> tuple[str, ...]:
    """Return the names of the families that draw from graphs of the user's own."""
    return tuple(name for name, family in FAMILIES.items() if family.of_graph)


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
        A graph file in place of a prior, or for one that draws from it, and `reading`, how it is read: format, directed
        and merge of `priors.read_wiring`.
    inputs : int
        Input units.
    arguments : mapping
        Of the prior, by their names on the command line; None for those that are not given.
    orientation : {"random", "index", "degree"}
        How an undirected graph becomes acyclic.
    expand : str, optional
        Neurons per layer, such as 512,512,512, over which the graph is spread; see `priors.expand`.
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
    expand: str | None = None
    reads: int = 10
    readouts: int = 16
    width: int = 16
    seed: int = 0
