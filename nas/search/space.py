"""Space: the distribution over wirings that a campaign searches, as parameters of an Optuna trial.

A wiring is a pure function of its parameters: family, n, degree, p, initial, orientation, attachment and three seeds.
Imports pydantic; priors where a wiring is drawn or a name checked, so that the help of the command line stays fast.
Optuna's trial is only talked to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from nas.errors import known

if TYPE_CHECKING:
    import numpy as np

    from priors import Prior, Wiring

__all__ = ["SEED_NAMES", "Params", "Space", "Suggester"]

Params = Mapping[str, str | int | float]
"""Parameters of one candidate by name, as Optuna stores them."""

SEED_NAMES = ("graph_seed", "order_seed", "attach_seed")
"""Parameters that select a draw of the prior; they are drawn afresh for every trial and not searched."""

_FAMILY_NAMES = ("watts-strogatz", "barabasi-albert", "erdos-renyi")


class Suggester(Protocol):
    """The part of ``optuna.Trial`` that a space needs."""

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """Choose one of `choices`."""

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """Choose an integer, both ends included."""

    def suggest_float(self, name: str, low: float, high: float) -> float:
        """Choose a number, both ends included."""


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


class Space(BaseModel):
    """What may vary between the candidates of a campaign.

    A range is (low, high), both included, also written ``"low:high"``, or one number where nothing varies. A choice is
    one name or several. What a family cannot reach is replaced by the nearest degree that it can, and the record holds
    the degree of the graph.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    priors: Names = _FAMILY_NAMES
    """Families of random graphs: watts-strogatz, barabasi-albert, erdos-renyi."""
    nodes: IntRange = (20, 100)
    """Hidden neurons."""
    degree: FloatRange = (2.0, 12.0)
    """Mean degree of the undirected graph; k, m or the number of edges follow."""
    p: FloatRange = (0.0, 1.0)
    """Rewiring probability of watts-strogatz."""
    initial: Names = ("isolated",)
    """Initial graph of barabasi-albert: isolated, star, complete."""
    structure: Literal["dag", "recurrent", "stack"] | None = None
    """dag (oriented and layered; an MLP's only one), recurrent (the graph as it is, cycles and all; an RNN's default)
    or stack (oriented and layered, complete recurrence inside each layer)."""
    orientation: Names = ("random",)
    """How a graph becomes acyclic, for dag and stack: random, index, degree."""
    attachment: Names = ("controlled",)
    """How input and output units are connected: controlled, natural, projected, published."""
    reads: Annotated[int, Field(ge=1)] = 10
    """Inputs that a neuron reads under controlled attachment."""
    readouts: Annotated[int, Field(ge=1)] = 16
    """Neurons that the outputs read under controlled attachment."""
    width: Annotated[int, Field(ge=1)] = 16
    """Neurons of the projection under projected attachment."""
    max_parameters: Annotated[int, Field(ge=1)] | None = None
    """Larger networks are never proposed."""

    @field_validator("priors", "orientation", "attachment", "initial")
    @classmethod
    def _known_names(cls, names: tuple[str, ...], info: Any) -> tuple[str, ...]:
        from priors import ATTACHMENTS, ORIENTATIONS

        valid = {
            "priors": _FAMILY_NAMES,
            "orientation": ORIENTATIONS,
            "attachment": ATTACHMENTS,
            "initial": ("isolated", "star", "complete"),
        }[info.field_name]
        for name in names:
            known(info.field_name, name, valid)
        return tuple(dict.fromkeys(names))

    @model_validator(mode="after")
    def _ranges(self) -> Space:
        for name, (low, high), least, most in (
            ("nodes", self.nodes, 4, 100_000),
            ("degree", self.degree, 0.1, 100_000.0),
            ("p", self.p, 0.0, 1.0),
        ):
            if not least <= low <= high <= most:
                raise ValueError(f"{name}={low}:{high}: a range needs {least} <= low <= high <= {most}")
        return self

    @property
    def is_oriented(self) -> bool:
        """Whether candidates are oriented graphs."""
        return self.structure != "recurrent"

    def suggest(self, trial: Suggester) -> dict[str, str | int | float]:
        """Let a sampler choose what is searched; conditional parameters are asked for only where they act."""
        family = trial.suggest_categorical("family", self.priors)
        params = {
            "family": family,
            "n": trial.suggest_int("n", *self.nodes),
            "degree": trial.suggest_float("degree", *self.degree),
        }
        if family == "watts-strogatz":
            params["p"] = trial.suggest_float("p", *self.p)
        if family == "barabasi-albert":
            params["initial"] = trial.suggest_categorical("initial", self.initial)
        if self.is_oriented:
            params["orientation"] = trial.suggest_categorical("orientation", self.orientation)
        params["attachment"] = trial.suggest_categorical("attachment", self.attachment)
        return params

    def seeds(self, rng: np.random.Generator) -> dict[str, int]:
        """Draw the seeds that make one wiring out of the parameters."""
        names = SEED_NAMES if self.is_oriented else (SEED_NAMES[0], SEED_NAMES[2])
        return {name: int(rng.random() * 2**31) for name in names}

    def prior(self, params: Params) -> Prior:
        """Return the prior that a candidate's graph is drawn from."""
        from nas.search.degrees import FAMILIES

        return FAMILIES[str(params["family"])](params)

    def wiring(self, params: Params, n_inputs: int = 0, n_outputs: int = 0) -> Wiring:
        """Rebuild a candidate's wiring from its parameters alone.

        Parameters
        ----------
        params : mapping
            As returned by `suggest` and `seeds`, and as stored in a trial.
        n_inputs, n_outputs : int
            Units to attach; with 0 inputs the wiring is left without any.
        """
        from priors import attach, layer, orient, stack

        wiring = self.prior(params).sample(int(params["graph_seed"]))
        if self.is_oriented:
            wiring = layer(orient(wiring, str(params["orientation"]), int(params["order_seed"])))
        if self.structure == "stack":
            wiring = stack(wiring)
        if n_inputs == 0:
            return wiring
        return attach(
            wiring,
            n_inputs,
            n_outputs,
            str(params["attachment"]),
            int(params["attach_seed"]),
            reads=self.reads,
            readouts=self.readouts,
            width=self.width,
        )
