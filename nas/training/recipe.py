"""Recipe: how a network is trained."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from nas.errors import input_error

__all__ = ["OF_READ_OUTS", "SCHEDULES", "Recipe", "changed"]

SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda _: 1.0,
    "cosine": lambda done: 0.5 * (1.0 + math.cos(math.pi * done)),
    "linear": lambda done: 1.0 - done,
    "step": lambda done: 1.0 if done < 0.5 else 0.1 if done < 0.75 else 0.01,
}
"""Factor on the learning rate by the share of steps that are done, from 0 to just below 1."""

OF_READ_OUTS = ("radii", "input_scale", "leak")
"""Options of a recipe by which nothing but a read-out is learned; others have no use for them."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def _several(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else (value,)


def _distinct(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(dict.fromkeys(values))


class Recipe(BaseModel):
    """How to train a network; the same for a candidate and for the references that it is held against.

    Examples
    --------
    >>> from nas import Recipe
    >>> recipe = Recipe(epochs=10, learning_rates=(0.01, 0.03))
    >>> recipe.ladder, recipe.optimizer, recipe.schedule
    ((0.01, 0.03), 'adam', 'cosine')
    >>> round(recipe.rate(0.01, step=50, n_steps=100), 6)
    0.005
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    optimizer: Literal["adam", "adamw", "sgd", "ridge"] = "adam"
    """adam, adamw or sgd; adam and sgd add weight decay to the gradient, adamw decouples it. Or ridge, for RNNs of tanh
    cells as reservoirs: all weights stay as they are drawn but those of the read-out, which ridge regression solves."""
    learning_rates: Annotated[
        tuple[Positive, ...], BeforeValidator(_several), AfterValidator(_distinct), Field(min_length=1)
    ] = (0.01,)
    """One learning rate, or a ladder of distinct ones: a network is trained at every rung from the same initial weights
    and counts at its best one, because one fixed rate confounds structure with trainability."""
    radii: Annotated[
        tuple[Annotated[float, Field(gt=0, le=1_000)], ...],
        BeforeValidator(_several),
        AfterValidator(_distinct),
        Field(min_length=1),
    ] = (0.5, 0.7, 0.9, 1.1)
    """Spectral radius of a reservoir, or several, of which a network counts at its best one."""
    input_scale: Annotated[float, Field(gt=0, le=1_000)] = 0.5
    """Largest weight of a reservoir's inputs, and largest bias."""
    leak: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of a reservoir's states that is new in each step; the rest is what they were."""
    schedule: Literal["constant", "cosine", "linear", "step"] = "cosine"
    """constant, cosine or linear (both fall to 0), or step (a tenth after half and after three quarters)."""
    epochs: Annotated[int, Field(ge=1)] = 30
    """Passes over the training part."""
    batch_size: Annotated[int, Field(ge=1)] = 64
    """Examples per update; the last batch of an epoch holds what is left."""
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Strength of the pull of all weights and biases towards 0."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Momentum of sgd."""
    nesterov: bool = False
    """Nesterov's form of sgd's momentum."""
    clip: Positive | None = None
    """Largest Euclidean norm of the gradient of all parameters together."""
    patience: Annotated[int, Field(ge=1)] | None = None
    """Stop after so many epochs without a better validation metric, and keep the weights of the best epoch; without it
    the weights after the last epoch count."""
    normalise: bool = False
    """Batch normalisation of the hidden neurons of MLPs while they are trained, with a factor of each that weight decay
    pulls at too. It is folded into weights and biases whenever a network is evaluated or kept, so that networks have
    the parameters that they have without it."""

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Recipe:
        if self.nesterov and not (self.optimizer == "sgd" and self.momentum > 0):
            raise ValueError(
                f"nesterov with optimizer={self.optimizer}, momentum={self.momentum}: it needs sgd and momentum > 0"
            )
        return self

    @property
    def is_read_out(self) -> bool:
        """Whether nothing is learned but the read-out."""
        return self.optimizer == "ridge"

    @property
    def ladder(self) -> tuple[float, ...]:
        """What a network is trained with, one after the other: learning rates, or spectral radii of a reservoir."""
        return self.radii if self.is_read_out else self.learning_rates

    @property
    def heeded(self) -> tuple[str, ...]:
        """Names of the options that this kind of training reads."""
        if self.is_read_out:
            return ("optimizer", *OF_READ_OUTS)
        return tuple(name for name in type(self).model_fields if name not in OF_READ_OUTS)

    @property
    def rung(self) -> str:
        """What the numbers of the ladder are."""
        return "spectral radius" if self.is_read_out else "learning rate"

    def updates_of_epoch(self, n_examples: int) -> int:
        """Return how many updates a pass over so many examples makes; the last batch holds what is left."""
        return -(-n_examples // self.batch_size)

    def rate(self, learning_rate: float, step: int, n_steps: int) -> float:
        """Return the learning rate of update `step` (from 0) out of `n_steps`."""
        return learning_rate * SCHEDULES[self.schedule](step / n_steps)


def changed(recipe: Recipe, **changes: Any) -> Recipe:
    """Return a recipe with some options changed.

    Raises
    ------
    InputError
        For a value that is not valid.
    """
    try:
        return Recipe(**{**recipe.model_dump(), **changes})
    except ValidationError as error:
        raise input_error(error, Recipe) from None
