"""A random structure for a module, or one that is given by masks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from nas.errors import InputError, known
from nas.sparsity.allocation import allocate, total_of
from nas.sparsity.edges import EdgeView
from nas.sparsity.fan_in import draw_fan_in
from nas.sparsity.growth import draw_places
from nas.sparsity.layers import Layer, Live, Places, size_of
from nas.sparsity.modules.checks import generator_of
from nas.sparsity.modules.masks import let_live, masks_from
from nas.sparsity.modules.reporting import Report, report
from nas.sparsity.modules.targets import Target, layer_names, layers_in, live_slots, targets_of
from nas.sparsity.modules.wirings import drawn, is_wiring, masks_of_wiring
from priors import Prior, Wiring

__all__ = ["GRANULARITIES", "Room", "draw", "fan_in_factors", "number_of", "refuse_weights", "sparsify"]

GRANULARITIES = ("weight", "edge")
"""What is counted, dropped and grown: single weights, or edges with the weights of all their gates."""


def sparsify(
    module: nn.Module,
    density: float | Wiring | Prior | Mapping[str, ArrayLike | Wiring | Prior] | None = None,
    *,
    weights: int | None = None,
    allocation: str = "erk",
    granularity: str = "weight",
    dense: Collection[str] = (),
    layers: Collection[str] | None = None,
    rescale: bool = True,
    rng: int | np.random.Generator | None = None,
) -> Report:
    """Let random weights of a module live, or those that are given, and the others be 0 for good.

    Parameters
    ----------
    module : nn.Module
        Changed in place: every layer gets a mask as a buffer. Biases and norms are never masked, nor are other layers
        than Linear, Conv1d, Conv2d, RNN, GRU, LSTM and MultiheadAttention. Where there are masks already, weights are
        drawn among those that live.
    density : float, Wiring, prior or mapping of str to Tensor, array, Wiring or prior
        Weights that live / all weights of the layers, 0 < density <= 1; or what says which. A layered wiring, or a
        prior that draws one, such as `priors.Layered`, gives the masks of the Linear layers in their order, whose
        widths are the sizes of its layers; weights live where it has edges. Masks by the names of parameters, as
        `masks_of` gives them, are nonzero where a weight lives; among them wirings of two layers, columns and rows.
        Layers that these do not name stay as they are.
    weights : int, optional
        The number of weights that live, in place of a density.
    allocation : str
        How many live in each layer, one of `ALLOCATIONS` that needs no scores: "uniform", "er", "erk" or
        "class-uniform".
    granularity : str
        "weight", or "edge": the weights of all gates of a recurrent connection live together, and `density` counts
        connections.
    dense : collection of str
        Names of submodules or parameters that keep all of their weights.
    layers : collection of str, optional
        Names of the submodules or parameters that are meant; by default all.
    rescale : bool
        Multiply the weights of each row by the root of its columns / its live weights, so that initial values have the
        variance of the fan-in that is left. Leave it out for weights that were trained.
    rng : int or numpy.random.Generator, optional

    Returns
    -------
    Report

    Raises
    ------
    InputError
        For bad input, in one line; the module is as it was then.
    """
    targets, generator = targets_of(module, layers, skip_computed=isinstance(density, Mapping)), generator_of(rng)
    given: Mapping[str, Any] | None = None
    if isinstance(density, Mapping):
        given = drawn(targets, density, generator)
    elif is_wiring(density):
        given = masks_of_wiring(targets, density, generator)
    if given is not None:
        if weights is not None:
            raise InputError(f"weights={weights!r}: masks say how many weights live; leave it out")
        masks = masks_from(targets, given)
        named = [target for target in targets if target.name in masks]
        _install(named, [masks[target.name] for target in named], rescale)
        return report(module)
    room = Room.of(targets, granularity)
    total = room.number(density, weights)
    draw(targets, room, total, allocation, layer_names(targets, dense), generator, rescale=rescale)
    return report(module)


@dataclass(frozen=True, eq=False)
class Room:
    """What lives of some targets, counted in single weights or in edges.

    Parameters
    ----------
    live : Live
        The weights, or the edges any of whose weights lives.
    view : EdgeView, optional
        From edges to weights.
    """

    live: Live
    view: EdgeView | None

    @classmethod
    def of(cls, targets: Sequence[Target], granularity: str) -> Room:
        """Look at what lives."""
        known("granularity", granularity, GRANULARITIES)
        slots = live_slots(targets)
        live = Live(layers_in(targets), slots, np.zeros(len(slots)))
        view = EdgeView.of(live) if granularity == "edge" else None
        return cls(live if view is None else view.live(live), view)

    @property
    def is_complete(self) -> bool:
        """Whether everything lives."""
        return self.live.n == size_of(self.live.layers)

    def places(self, places: Places) -> Places:
        """Return the places of the weights at some places, of edges those of all gates."""
        return places if self.view is None else self.view.to_places(places)

    def check_whole(self) -> None:
        """Refuse edges some weights of which do not live, where others are drawn or grown whole.

        Raises
        ------
        InputError
        """
        missing = len(self.places(self.live.slots)) - (self.live.n if self.view is None else len(self.view.edge))
        if missing:
            raise InputError(f"granularity='edge': {missing} weights are missing of connections that live with other "
                             "gates; draw whole ones by sparsify(..., granularity='edge')")  # fmt: skip

    def number(self, density: Any, weights: Any) -> int:
        """Return the weights, or edges, that a density or a number of weights stands for.

        Raises
        ------
        InputError
            If not exactly one is given, for one that is out of bounds, or weights where edges count.
        """
        if self.view is not None:
            refuse_weights(weights, "density")
        total = number_of(density, weights, self.live.layers)
        if not 0 < total <= self.live.n:
            what = "weights" if self.view is None else "connections"
            raise InputError(f"{total} {what} were to live where {self.live.n} do: it must be a number from 1 to "
                             f"{self.live.n}")  # fmt: skip
        return total


def refuse_weights(weights: Any, instead: str) -> None:
    """Refuse a number of weights where edges count.

    Raises
    ------
    InputError
    """
    if weights is not None:
        raise InputError(f"weights={weights!r} counts single weights: with granularity='edge' give {instead}")


def number_of(density: Any, weights: Any, layers: Sequence[Layer]) -> int:
    """Return the weights that a density or a number stands for, of which exactly one is given.

    Raises
    ------
    InputError
        For none or both, or what is no density or number.
    """
    if (density is None) == (weights is None):
        raise InputError(f"density={density!r}, weights={weights!r}: exactly one of them says how many weights live")
    if density is not None:
        if isinstance(density, bool) or not isinstance(density, Real):
            raise InputError(f"density={density!r}: it must be a number with 0 < density <= 1")
        total = total_of(layers, float(density))
    else:
        if isinstance(weights, bool) or not isinstance(weights, int | np.integer):
            raise InputError(f"weights={weights!r}: it must be a whole number of weights")
        total = int(weights)
    return total


def draw(
    targets: Sequence[Target],
    room: Room,
    total: int,
    allocation: str,
    dense: Collection[str],
    rng: np.random.Generator,
    *,
    rescale: bool,
    constant_fan_in: bool = False,
) -> None:
    """Draw a structure of so many weights, or edges, among those that live, which are the room that there is.

    With constant fan-in every row of a layer gets equally many.
    """
    room.check_whole()
    layers = room.live.layers
    counts = allocate(allocation, room.live, total, dense=dense)
    if constant_fan_in:
        if not room.is_complete:
            raise InputError("constant fan-in is drawn in dense layers, and some have masks: bake(module) them first")
        drawn = np.concatenate(
            [draw_fan_in(layer, int(count), rng) for layer, count in zip(layers, counts, strict=True)]
        )
    else:
        drawn = draw_places(layers, counts, rng, None if room.is_complete else room.live.slots)
    places = room.places(drawn)
    _install(targets, [target.marks(places) for target in targets], rescale)


@torch.no_grad()
def _install(targets: Sequence[Target], masks: Sequence[Tensor], rescale: bool) -> None:
    for target, mask in zip(targets, masks, strict=True):
        before = target.mask.reshape(len(mask), -1).sum(dim=1)
        let_live(target, mask)
        if rescale:
            target.parameter.data.mul_(fan_in_factors(mask, before))


def fan_in_factors(mask: Tensor, before: Tensor | None = None) -> Tensor:
    """Return for each row the root of its live weights before, by default its columns, / those that a mask marks.

    Its shape goes with that of the mask; 1 for rows without weights.
    """
    rows = mask.reshape(len(mask), -1)
    read = rows.sum(dim=1)
    had = torch.full_like(read, rows.shape[1]) if before is None else before
    factors = torch.where(read > 0, (had.double() / read.clamp(min=1)).sqrt(), 1.0)
    return factors.reshape(-1, *[1] * (mask.ndim - 1))
