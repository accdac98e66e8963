"""The plan of a comparison: what is trained, against which nulls, and when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from nas.errors import InputError, OneLineErrors, known
from nas.networks import NetworkSpec
from nas.networks.activations import ACTIVATIONS
from nas.reservoirs import SERIES, Reservoir
from nas.tasks import TASKS
from nas.training.recipe import Positive, Recipe
from priors import ATTACHMENTS, NULLS

__all__ = ["DESIGN", "HEEDED", "ComparisonOptions"]

DESIGN = ("nulls", "positions", "n_nulls", "repeats", "precision")
"""Options that say how much is trained; they may change later, which is kept and told."""

HEEDED = {
    "mlp": ("activation", "orientation", "pool", "recipe", "engine"),
    "rnn": ("cell", "recipe", "engine"),
    "reservoir": ("radii", "leak", "input_scale", "delays"),
}
"""Options that only some kinds of network heed."""


def _several(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else (value,)


def _distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(values))


class ComparisonOptions(OneLineErrors, BaseModel):
    """What is compared and how; see the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    task: str = "digits"
    """Name of a task, or of a series, which reservoirs read in one piece: memory, mackey-glass or lorenz."""
    network: Literal["mlp", "rnn", "reservoir"] = "mlp"
    """mlp, rnn (both are trained), or reservoir (recurrence is fixed, and ridge regression reads it out)."""
    graphs: Mapping[str, str] = Field(default_factory=dict)
    """Fingerprints of the wirings, by name."""
    nulls: Annotated[tuple[str, ...], BeforeValidator(_several), AfterValidator(_distinct)] = ()
    """Null models; without one, the one that keeps most of layers, order and degree."""
    n_nulls: Annotated[int, Field(ge=2, le=1_000_000)] = 200
    """Nulls of each model, at most."""
    positions: str | None = None
    """Fingerprint of where neurons lie, for the null model spatial."""
    seeds: Annotated[int, Field(ge=1, le=10_000)] = 5
    """Trainings of each null."""
    repeats: Annotated[int, Field(ge=1, le=10_000)] = 8
    """The graph itself is trained repeats x seeds times, because one graph stands against all nulls."""
    precision: Positive | None = None
    """Training ends as soon as every 95 % interval of a difference reaches no further than this to either side."""
    recipe: Recipe = Recipe()
    """How MLPs and RNNs are trained."""
    activation: str = "relu"
    """Of an MLP's neurons."""
    cell: Literal["tanh", "relu", "gru", "lstm"] = "gru"
    """Of an RNN's neurons."""
    orientation: Literal["random", "index", "degree"] = "random"
    """How an undirected graph becomes an MLP; at random, each training has directions of its own."""
    pool: Annotated[int, Field(ge=1)] = 1
    """Side of the squares of pixels whose means an MLP reads."""
    attachment: str = "controlled"
    """How input and output units are connected to a graph without them; each training draws them anew."""
    reads: Annotated[int, Field(ge=1)] = 10
    """Inputs that a neuron reads under controlled attachment."""
    readouts: Annotated[int, Field(ge=1)] | None = None
    """Neurons that are read out under controlled attachment; by default 16, and all of a reservoir."""
    radii: Annotated[
        tuple[Annotated[float, Field(gt=0, le=1_000)], ...],
        BeforeValidator(_several),
        AfterValidator(_distinct),
        Field(min_length=1),
    ] = Reservoir.radii
    """Spectral radii of a reservoir, of which the best on validation is taken in each training."""
    leak: Annotated[float, Field(gt=0, le=1)] = Reservoir.leak
    """Share of a reservoir's state that is new in each step."""
    input_scale: Annotated[float, Field(gt=0, le=1_000)] = Reservoir.input_scale
    """Largest weight of a reservoir's inputs."""
    delays: Annotated[int, Field(ge=1, le=500)] = 40
    """Steps back that the memory task asks for."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of all random draws."""
    engine: Literal["auto", "native", "torch"] = "auto"
    """auto, native or torch."""

    def model_post_init(self, _: Any) -> None:
        """Refuse what does not go together."""
        for name in self.nulls:
            known("null", name, NULLS)
        if ("spatial" in self.nulls) != (self.positions is not None):
            raise InputError(
                "null=spatial: it keeps how long edges are; give positions too"
                if self.positions is None
                else "positions: only null=spatial heeds them; give it too, or leave them out"
            )
        if self.seeds * self.repeats < 2:
            raise InputError(
                f"repeats={self.repeats}: with seeds={self.seeds} the graph is trained once, and a spread "
                "needs 2 trainings; give repeats=2"
            )
        if self.recipe.is_read_out:
            raise InputError(
                "optimizer=ridge: give network=reservoir, whose radii, leak and delays are options of its own"
            )
        known("activation", self.activation, ACTIVATIONS)
        known("attachment", self.attachment, ATTACHMENTS)
        if self.task in SERIES and self.task not in TASKS and self.network != "reservoir":
            raise InputError(f"task={self.task}: it is for reservoirs; give network=reservoir")

    @property
    def spec(self) -> NetworkSpec:
        """What trained networks are."""
        return NetworkSpec("rnn" if self.network == "rnn" else "mlp", self.activation, self.cell)

    @property
    def reservoir(self) -> Reservoir:
        """What reservoirs are."""
        return Reservoir(self.radii, leak=self.leak, input_scale=self.input_scale)

    @property
    def design(self) -> dict[str, Any]:
        """The options of `DESIGN`, as JSON types."""
        return self.model_dump(mode="json", include=set(DESIGN))

    @property
    def invariant(self) -> dict[str, Any]:
        """All other options that count, which hold for every training, as JSON types."""
        unheeded = {name for names in HEEDED.values() for name in names} - set(HEEDED[self.network])
        return self.model_dump(mode="json", exclude={*DESIGN, *unheeded})
