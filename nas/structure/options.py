"""What is learned, from what, and how: the options of `wirenas prune` and `wirenas rewire`."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from nas.errors import InputError, OneLineErrors, known
from nas.evaluation.references import complete
from nas.networks import NetworkSpec
from nas.networks.activations import ACTIVATIONS
from nas.networks.cells import CELLS
from nas.sparsity.methods import Method
from nas.training.recipe import Recipe
from priors import Wiring, attach

__all__ = ["StructureOptions"]

_MOST_EDGES = 20_000_000


def _several(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(","))
    return value if isinstance(value, list | tuple) else (value,)


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
    widths: Annotated[tuple[Annotated[int, Field(ge=1)], ...], BeforeValidator(_several), Field(min_length=1)]
    """Hidden neurons of each layer of the parent, in which everything may live; one number for an RNN."""
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

    @model_validator(mode="after")
    def _fits(self) -> Self:
        targets = {name: getattr(self, name) for name in ("weights", "parameters", "density")}
        if sum(value is not None for value in targets.values()) != 1:
            given = ", ".join(f"{name}={value}" for name, value in targets.items() if value is not None) or "no target"
            raise InputError(f"{given}: exactly one of max_parameters, weights and density is needed")
        if self.network == "rnn" and len(self.widths) != 1:
            raise InputError(f"widths={','.join(map(str, self.widths))}: the parent of an RNN has one hidden layer")
        known("activation", self.activation, ACTIVATIONS)
        known("cell", self.cell, CELLS)
        return self

    @property
    def spec(self) -> NetworkSpec:
        """The kind of network."""
        return NetworkSpec(self.network, activation=self.activation, cell=self.cell)

    def parent(self, n_inputs: int, n_outputs: int) -> Wiring:
        """Return the wiring in which everything lives that may.

        Raises
        ------
        InputError
            If it has more than twenty million edges.
        """
        sizes = (n_inputs, *self.widths, n_outputs)
        n_edges = sum(before * after for before, after in pairwise(sizes)) + (self.widths[0] ** 2) * (
            self.network == "rnn"
        )
        if n_edges > _MOST_EDGES:
            raise InputError(
                f"widths={','.join(map(str, self.widths))}: {n_edges} edges may live, and {_MOST_EDGES} at most"
            )
        if self.network == "rnn":
            return attach(complete(self.widths[0]), n_inputs, n_outputs, "natural")
        masks = [np.ones((after, before)) for before, after in pairwise(sizes)]
        return Wiring.from_masks(masks, inputs=True, outputs=True)

    def target(self, n_weights: int) -> tuple[int | None, int | None]:
        """Return the target as weights or else parameters, for a parent of so many weights."""
        weights = self.weights if self.density is None else max(1, round(self.density * n_weights))
        return weights, self.parameters
