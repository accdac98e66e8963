"""Ways: what a campaign with a budget chooses among, as options."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from nas.errors import known
from nas.space.families import FloatRange, IntRange, Names, check_range, searched_families

__all__ = ["LAYERS", "WAY_NAMES", "Ways"]

WAY_NAMES = ("prior", "pruned", "rewired", "redrawn")
"""Ways to a structure; what they are stands in `nas.space.designs`."""

LAYERS = "layers"
"""Hidden neurons in layers, in place of a family of random graphs."""


def _several(value: Any) -> Any:
    """Return one number, or several, as distinct ones; none at all is left to be refused."""
    if value is None:
        return None
    return tuple(dict.fromkeys(value)) if isinstance(value, list | tuple) else (value,)


class Ways(BaseModel):
    """What may vary between the candidates of a campaign with a budget.

    A range is (low, high), both included, also written ``"low:high"``, or one number where nothing varies. A choice is
    one name or several.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    ways: Names = ("prior", "pruned")
    """How a structure comes about: prior (drawn), pruned (from a larger network, while it learns), rewired (links move
    while it learns) or redrawn (like a pruned one, with new weights)."""
    pools: Annotated[tuple[Annotated[int, Field(ge=1)], ...] | None, BeforeValidator(_several)] = None
    """Sides of squares of pixels whose means networks read; 1 for the inputs themselves. By default 1, 2 and 4 of
    images, as far as four squares are left along each side."""
    read_ins: Names = ("local", "correlated", "variance", "random", "complete")
    """How a neuron's inputs are drawn: local (near to each other; for images), correlated, variance, patches (the
    nearest; for images), random or complete."""
    locality: FloatRange = (0.0, 1.0)
    """From 0, a neuron reads from everywhere, to 1, from one place; for local and correlated."""
    fan_in: IntRange = (4, 100)
    """Inputs that a neuron reads, about."""
    fan_out: IntRange = (1, 10)
    """Outputs that read a neuron of the last layer, or of a graph."""
    hidden: Names = (LAYERS, "watts-strogatz", "barabasi-albert")
    """How hidden neurons are connected: layers, or a family of random graphs: watts-strogatz, barabasi-albert,
    erdos-renyi. An RNN has a graph."""
    depth: IntRange = (1, 2)
    """Hidden layers."""
    links: IntRange = (2, 32)
    """Neurons of the layer before that a neuron of a later layer reads."""
    graph_degree: FloatRange = (1.0, 8.0)
    """Mean degree of a random graph."""
    oversize: FloatRange = (2.0, 40.0)
    """Weights and biases of the network that is pruned or rewired, as a multiple of what the budget pays for."""
    parent_read_ins: Names = ("complete", "local")
    """How inputs of the network that is pruned are drawn, as for read-ins."""
    parent_depth: IntRange = (0, 2)
    """Hidden layers of it; 0 for a linear network that is pruned."""
    shortcuts: Names = ("no", "yes")
    """Whether outputs of the network that is pruned read inputs, too: no, yes."""
    parent_fan_in: IntRange = (10, 200)
    """Inputs that a neuron of it reads, unless all."""
    parent_links: IntRange = (10, 200)
    """Neurons of the layer before that a neuron of its later layers reads."""
    taper: FloatRange = (0.25, 1.0)
    """Neurons of a layer as a share of those of the layer before; for networks that are pruned or rewired."""
    scores: Names = ("activation",)
    """What a weight is worth that may be pruned, such as activation or magnitude."""
    until: FloatRange = (0.3, 0.8)
    """When pruning is over, as a share of the training."""
    rewirings: Names = ("set", "rigl")
    """How links move: set, rigl, or another method of `wirenas rewire`."""
    drop: FloatRange = (0.1, 0.5)
    """Share of the links that move at first."""
    keeps: Names = ("structure", "degrees", "counts")
    """What of a pruned structure is kept when it is drawn anew: structure, degrees, counts."""

    @field_validator("pools")
    @classmethod
    def _some(cls, pools: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if pools == ():
            raise ValueError("pools is empty: give at least one number, or leave it out")
        return pools

    @field_validator("ways", "read_ins", "parent_read_ins", "hidden", "scores", "rewirings", "keeps", "shortcuts")
    @classmethod
    def _known_names(cls, names: tuple[str, ...], info: Any) -> tuple[str, ...]:
        from nas.sparsity.methods import METHODS
        from nas.sparsity.scores import SCORES
        from nas.sparsity.shuffle import KEPT
        from priors import READ_INS

        # A layer that keeps all weights would not fit; nor do moments of weights that do not live.
        rewiring = [
            name
            for name, method in METHODS.items()
            if (method.action, method.masked_slots) == ("rewire", "zero") and method.dense != "first"
        ]
        valid: dict[str, Iterable[str]] = {
            "ways": WAY_NAMES,
            "read_ins": READ_INS,
            "parent_read_ins": READ_INS,
            "hidden": (LAYERS, *searched_families()),
            "scores": [name for name in SCORES if name != "set-released"],
            "rewirings": rewiring,
            "keeps": KEPT,
            "shortcuts": ("no", "yes"),
        }
        for name in names:
            known(info.field_name, name, valid[info.field_name])
        return tuple(dict.fromkeys(names))

    @model_validator(mode="after")
    def _ranges(self) -> Ways:
        for name, limits in (
            ("locality", (0.0, 1.0)),
            ("fan_in", (1, 1_000_000)),
            ("fan_out", (1, 1_000_000)),
            ("depth", (1, 8)),
            ("parent_depth", (0, 8)),
            ("links", (1, 100_000)),
            ("graph_degree", (0.0, 1_000.0)),
            ("parent_fan_in", (1, 1_000_000)),
            ("parent_links", (1, 100_000)),
            ("oversize", (1.0, 10_000.0)),
            ("taper", (0.01, 1.0)),
            ("until", (0.05, 1.0)),
            ("drop", (0.0, 1.0)),
        ):
            check_range(name, getattr(self, name), limits)
        return self
