"""What is learned, from what, and how: the options of `wirenas prune` and `wirenas rewire`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from nas.errors import InputError, OneLineErrors, known
from nas.networks import NetworkSpec
from nas.networks.activations import ACTIVATIONS
from nas.networks.cells import CELLS
from nas.sparsity.methods import Method
from nas.sparsity.room import edges_within_reach, with_room
from nas.training.recipe import Recipe
from nas.training.train import ENGINES
from predictors import FEATURES
from priors import Wiring

__all__ = ["Parent", "Shape", "StructureOptions", "ignored_option", "shape_text"]

_MOST_EDGES = 20_000_000


Shape = tuple[Annotated[int, Field(ge=1)], ...]
"""Hidden neurons of each layer."""


class Parent(NamedTuple):
    """What a parent is: hidden neurons of each layer, and the side of squares of pixels whose means it reads."""

    widths: Shape
    pool: int


def _shapes(value: Any, info: ValidationInfo) -> Any:
    """Return shapes of what may be one: 100, "100,100", (100, 100), or several of these in a sequence."""
    is_one = not isinstance(value, list | tuple) or any(isinstance(own, int) for own in value)
    return tuple(_shape(own, info) for own in ((value,) if is_one else value))


def _shape(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        return value if isinstance(value, list | tuple) else (value,)
    try:
        numbers = tuple(map(int, value.split(",")))
    except ValueError:
        numbers = (0,)
    if min(numbers) < 1:
        raise InputError(
            f"{info.field_name}={value or repr(value)}: it must be a whole number of at least 1, or several with "
            "commas between"
        )
    return numbers


def shape_text(shape: Sequence[int]) -> str:
    """Return a shape as it is given on a command line, such as 100,100."""
    return ",".join(map(str, shape))


class StructureOptions(OneLineErrors, BaseModel):
    """One experiment: a parent network, what is left of it, and how that is found."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    task: str
    """Name of the task."""
    network: Literal["mlp", "rnn"]
    """mlp or rnn."""
    activation: str = "relu"
    """Of an MLP's hidden neurons."""
    cell: str = "gru"
    """Of an RNN's hidden neurons."""
    start: Path | None = None
    """File of a saved network that is pruned or rewired, with its weights, in place of a new one."""
    widths: Annotated[tuple[Annotated[Shape, Field(min_length=1)], ...], BeforeValidator(_shapes)] = ()
    """Hidden neurons of each layer of the parent, in which everything may live; one number for an RNN. Of several
    shapes the one that does best on validation is taken."""
    pool: Annotated[tuple[Annotated[int, Field(ge=1)], ...], BeforeValidator(_shape), Field(min_length=1)] = (1,)
    """Sides of squares of pixels whose means the network reads, 1 for the pixels themselves. Of several the one that
    does best on validation is taken."""
    method: Method
    """How the structure changes."""
    weights: Annotated[int, Field(ge=1)] | None = None
    """Weights that live in the end."""
    parameters: Annotated[int, Field(ge=1)] | None = None
    """Live parameters in the end, at most: weights on a way from an input to an output, and biases on one."""
    density: Annotated[float, Field(gt=0, le=1)] | None = None
    """Weights that live in the end, as a share of the parent's."""
    recipe: Recipe = Recipe()
    """How every network is trained."""
    seeds: Annotated[int, Field(ge=1)] = 5
    """Fresh trainings of the structure, and of each reference."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of all random draws."""
    engine: str = "auto"
    """auto, native or torch."""
    features: tuple[str, ...] = ()
    """Features of the wiring that the curve follows, of `predictors.FEATURES`."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self._check_target()
        if bool(self.widths) == (self.start is not None):
            raise InputError(
                "widths: the parent has the shape of the network that it starts from; leave widths out"
                if self.widths
                else "widths is needed where no network is the start"
            )
        if self.recipe.normalise and self.network == "rnn":
            raise InputError("normalise=true: it is for MLPs, and this is an RNN; leave it out")
        self._check_parents()
        known("activation", self.activation, ACTIVATIONS)
        known("cell", self.cell, CELLS)
        known("engine", self.engine, ENGINES)
        for name in self.features:
            known("feature", name, FEATURES)
        return self

    def _check_target(self) -> None:
        targets = {name: getattr(self, name) for name in ("weights", "parameters", "density")}
        given = ", ".join(f"{name}={value}" for name, value in targets.items() if value is not None)
        if self.start is not None and self.method.action != "prune":
            if given:
                raise InputError(
                    f"{given}: a saved network that is rewired keeps the number of its weights; leave it out"
                )
            if self.method.constant_fan_in:
                raise InputError(
                    "method: it gives all neurons of a layer equally many weights, which a saved network does not "
                    "have; give another, such as rigl"
                )
        elif sum(value is not None for value in targets.values()) != 1:
            raise InputError(f"{given or 'no target'}: give one of max_parameters, weights and density")

    def _check_parents(self) -> None:
        for shape in self.widths:
            if self.network == "rnn" and len(shape) != 1:
                raise InputError(f"widths={shape_text(shape)}: the parent of an RNN has one hidden layer")
        if len(set(self.widths)) < len(self.widths):
            raise InputError(f"widths={' '.join(map(shape_text, self.widths))}: a shape is given twice")
        if len(set(self.pool)) < len(self.pool):
            raise InputError(f"pool={shape_text(self.pool)}: a number is given twice")
        for name, several in (("widths", list(map(shape_text, self.widths))), ("pool", list(map(str, self.pool)))):
            if self.density is not None and len(several) > 1:
                raise InputError(
                    f"density={self.density:g} with {name}={' '.join(several)}: a share of parents of several sizes is "
                    f"no one size; give one {name}, or max_parameters or weights in place of the density"
                )

    @property
    def spec(self) -> NetworkSpec:
        """The kind of network."""
        return NetworkSpec(self.network, activation=self.activation, cell=self.cell)

    def parent(self, shape: Sequence[int], n_inputs: int, n_outputs: int) -> Wiring:
        """Return the wiring in which everything lives that may, or one without edges where these are too many to list.

        Raises
        ------
        InputError
            If it has more than twenty million edges, and they must be listed: unless weights of an MLP grow at random.
        """
        if (n_edges := self.n_edges(shape, n_inputs, n_outputs)) > _MOST_EDGES:
            if self.network == "mlp" and self.method.is_listless:
                return Wiring((n_inputs, *shape, n_outputs), inputs=True, outputs=True)
            raise InputError(
                f"widths={shape_text(shape)}: {n_edges} edges may live, and {_MOST_EDGES} at most, but for rewiring "
                "an MLP with growth=random, such as set-truly-sparse"
            )
        return self.spec.complete(n_inputs, shape, n_outputs)

    def room(self, wiring: Wiring) -> Wiring:
        """Return the wiring of all edges that may come to live where a saved network is rewired.

        Raises
        ------
        InputError
            If it has more than twenty million edges, or all of them live already.
        """
        if (n_edges := edges_within_reach(wiring)) > _MOST_EDGES:
            raise InputError(f"start: {n_edges} edges may live between its layers, and {_MOST_EDGES} at most")
        if n_edges == wiring.n_edges:
            raise InputError("start: every edge between its layers lives already, so that none can move; prune it")
        return with_room(wiring)

    def n_edges(self, shape: Sequence[int], n_inputs: int, n_outputs: int) -> int:
        """Return the number of edges of a parent."""
        between = sum(before * after for before, after in pairwise((n_inputs, *shape, n_outputs)))
        return between + shape[0] ** 2 * (self.network == "rnn")

    def target(self, n_weights: int, n_biases: int) -> dict[str, int | None]:
        """Return how many weights, or else parameters, there are in the end, for a parent of so many of them.

        Of several parents a small one may have no more parameters than are wanted, all of which stay then.
        """
        weights = self.weights if self.density is None else max(1, round(self.density * n_weights))
        parameters = None if self.parameters is None else min(self.parameters, n_weights + n_biases)
        return {"weights": weights, "parameters": parameters}


def ignored_option(options: StructureOptions, typed: Collection[str]) -> str | None:
    """Return a line on the first option that was typed and does nothing; None where all act."""
    method, network = options.method, options.network
    changes, once = method.action != "none", method.action == "prune" and method.pruning == "one-shot"
    of_network = f"network={network} ignores it; leave it out, or give"
    kept = "the structure stays as it is drawn; leave it out, or give another method"
    at_once = "pruning=one-shot changes the structure once, at the first time; leave it out"
    rules = [
        ("activation", options.activation, network == "mlp", f"{of_network} cell"),
        ("cell", options.cell, network == "rnn", f"{of_network} activation"),
        (
            "rate",
            f"{method.rate:g}",
            method.pruning == "iterative",
            f"pruning={method.pruning} ignores it; leave it out, or give pruning=iterative",
        ),
        *((name, getattr(method, name), not once, at_once) for name in ("every", "end")),
        *((name, getattr(method, name), changes, kept) for name in ("score", "every", "begin", "end")),
        (
            "fraction",
            f"{method.fraction:g}",
            method.action == "rewire",
            "only methods that drop and grow heed it; leave it out, or give another method",
        ),
    ]
    for name, value, acts, why in rules:
        if name in typed and not acts:
            return f"{name}={value}: {why}"
    return None
