"""Records of families: all that a search and a command need to know of a prior. Importing this costs nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from priors.graphs import Prior
    from priors.wiring import Wiring

__all__ = [
    "NODES",
    "Argument",
    "Family",
    "Later",
    "Parameter",
    "edges_of_degree",
    "n_pairs",
    "numbers",
    "undirected_wiring",
]


@dataclass(frozen=True)
class Parameter:
    """A parameter of a family, beside nodes and degree, that a space varies.

    Families may share one: it is then the same record.

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
    is_whole : bool
        Whether the number is an integer.
    log : bool
        Whether the number is searched on a logarithmic scale.
    """

    name: str
    help: str
    default: tuple[Any, ...]
    limits: tuple[float, float] = (-math.inf, math.inf)
    choices: tuple[str, ...] = ()
    is_whole: bool = False
    log: bool = False

    @property
    def kind(self) -> type:
        """Type of its values: str, int or float."""
        return str if self.choices else int if self.is_whole else float


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
        Turns what was given into the prior's argument; a ValueError of one line says what is wrong with it.
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
class Later:
    """A prior whose module is imported when one is made."""

    module: str
    name: str

    def load(self) -> type[Any]:
        """Return the class."""
        found: type[Any] = getattr(import_module(self.module), self.name)
        return found

    def __call__(self, *args: Any, **arguments: Any) -> Prior:
        """Return a prior of these arguments."""
        prior: Prior = self.load()(*args, **arguments)
        return prior


@dataclass(frozen=True)
class Family:
    """What is to be known of a prior.

    Parameters
    ----------
    make : class or Later
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
    of_graph : bool
        Whether the prior draws from a graph of the user's own, which is its first argument.
    example : callable, optional
        Returns a small prior of the family, for tests.
    """

    make: Callable[..., Prior]
    arguments: tuple[Argument, ...]
    of_degree: Callable[[Mapping[str, Any]], Prior] | None = None
    mean_degree: Callable[[Any], float] | None = None
    parameters: tuple[Parameter, ...] = ()
    is_undirected: bool = True
    of_graph: bool = False
    example: Callable[[], Prior] | None = None

    @property
    def prior(self) -> type[Any]:
        """The class of its priors."""
        make: Any = self.make
        return make.load() if isinstance(make, Later) else make


NODES = Argument("n", int, "hidden neurons", flag="nodes")
"""The argument that most families have."""


def n_pairs(n: int) -> int:
    """Return the number of pairs of n nodes."""
    return n * (n - 1) // 2


def edges_of_degree(n: int, degree: float, least: int = 1) -> int:
    """Return the number of undirected edges, `least` or more, whose mean degree is nearest."""
    return min(max(round(degree * n / 2), least), n_pairs(n))


def numbers(name: str, kind: type, example: str) -> Callable[[str], tuple[Any, ...]]:
    """Return what reads an argument of several numbers with commas between them."""

    def parse(text: str) -> tuple[Any, ...]:
        try:
            return tuple(kind(part) for part in text.split(","))
        except ValueError:
            raise ValueError(f"{name}={text!r}: {example}") from None

    return parse


def undirected_wiring(n: int, near: Any, far: Any) -> Wiring:
    """Return the wiring of one layer that holds both directions of every edge."""
    import numpy as np

    from priors.wiring import Wiring

    edges = np.stack([np.asarray(near, np.int64), np.asarray(far, np.int64)], axis=1)
    return Wiring((n,), np.concatenate([edges, edges[:, ::-1]]))
