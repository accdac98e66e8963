"""One change of a structure: which weights are dropped, where others are grown, and what came from where.

Selections act on live weights, so that no masked weight can be mistaken for one. Biases have no places, and are never
dropped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.errors import InputError, known
from nas.sparsity.allocation import EmptyLayerError, select
from nas.sparsity.edges import EdgeView
from nas.sparsity.fan_in import rewire_fan_in
from nas.sparsity.growth import GROWTH, Growth, largest_free, n_empty, random_places
from nas.sparsity.layers import Floats, Layer, Live, Places, size_of
from nas.sparsity.methods import Method
from nas.sparsity.scores import SCORES
from nas.sparsity.selection import check_allowed, highest, insert_sorted, is_among, lowest

__all__ = ["Update", "drop_and_grow", "drop_to", "expand", "n_dropped"]

Dense = Callable[[int], NDArray[np.floating[Any]]]
"""From the index of a layer to the dense matrix, (rows, columns), that it grows by."""


@dataclass(frozen=True, eq=False)
class Update:
    """A change of structure.

    Attributes
    ----------
    layers : tuple of Layer
    slots : (n,) int64
        The places that live now, ascending.
    source : (n,) int64
        The index among the weights that lived before of each of them; -1 for a grown one.
    kept : int64 array
        Indices, among those that lived before, of the weights that stay, ascending; with them count weights that were
        dropped and came back with what they had.
    returned : int64 array
        Those of `kept` that were dropped and came back.
    grown, dropped : int64 array
        Places that live now and did not before, or whose weight starts anew; and the reverse; both ascending.
    """

    layers: tuple[Layer, ...]
    slots: Places
    source: Places
    kept: Places
    returned: Places
    grown: Places
    dropped: Places

    def carry(self, values: NDArray[Any], new: Any = 0) -> NDArray[Any]:
        """Return values of the weights that lived before for those that live now, `new` for grown ones.

        Parameters
        ----------
        values : (n_before,) array
            Weights, or an optimizer's slots.
        new : number or (n_grown,) array
        """
        carried = np.empty(len(self.slots), values.dtype)
        stays = self.source >= 0
        carried[stays] = values[self.kept]
        carried[~stays] = new
        return carried

    def counts(self, places: Places | None = None) -> Places:
        """Return how many of some ascending places lie in each layer, (n_layers,); of those that live by default."""
        edges = np.array([self.layers[0].first, *(layer.stop for layer in self.layers)], np.int64)
        return np.diff(np.searchsorted(self.slots if places is None else places, edges))

    @property
    def turnover(self) -> float:
        """Share of the weights that live now that were grown."""
        return len(self.grown) / max(len(self.slots), 1)


def n_dropped(method: Method, n_live: int, size: int, fraction: float) -> int:
    """Return how many weights an update drops of `n_live` ones that live in `size` places.

    Rounded down this is the ``int(n_live * fraction)`` of google-research/rigl.
    """
    if not 0 <= fraction <= 1:
        raise InputError(f"fraction={fraction!r}: it must be a number with 0 <= fraction <= 1")
    wanted = fraction * (n_live if method.fraction_of == "live" else size)
    return min(math.ceil(wanted) if method.rounding == "up" else int(wanted), n_live)


def drop_and_grow(
    live: Live,
    scores: Floats,
    growth: str | Growth,
    fraction: float,
    *,
    switches: Method,
    rng: np.random.Generator,
    dense_gradient: Dense | None = None,
    allowed: Places | None = None,
    targets: Sequence[int] | Places | None = None,
    fixed: Collection[int] = (),
) -> Update:
    """Drop the live weights with the lowest scores, and grow as many elsewhere.

    Every layer holds as many weights afterwards as before (with ``scope="global"`` all layers together do), unless
    ``count="bernoulli"`` or the fan-in is constant. Weights that stay are not touched.

    Parameters
    ----------
    live : Live
    scores : (n,) float64
        Of the live weights.
    growth : str or Growth
        One of `GROWTH`.
    fraction : float
        Share of weights to drop.
    switches : Method
        Of which `score` (whose way of selecting counts), `scope`, `granularity`, `fraction_of`, `rounding`,
        `regrow_dropped`, `count`, `ties`, `constant_fan_in` and `min_salient` are read.
    rng : numpy Generator
    dense_gradient : callable, optional
        From the index of a layer to the (rows, columns) matrix that it grows by: the gradient, or the momentum. It is
        asked once for each layer that grows, in their order.
    allowed : int64 array, optional
        The places at which weights may be grown, ascending; an edge may be where any of its weights may.
    targets : (n_layers,) int, optional
        With constant fan-in, the weights that each layer is to hold as nearly as may be; by default those that live.
    fixed : collection of int
        Indices of layers that stay as they are. With global scope they do not matter.

    Raises
    ------
    InputError
        If a growth needs matrices and gets none, or for scores of another length.
    EmptyLayerError
        If a layer would be empty, as only global scope can make it.

    References
    ----------
    Evci et al. (2020), Rigging the lottery: making all tickets winners, arXiv:1911.11134
    """
    _check_scores(live, scores)
    check_allowed(allowed, live.layers[0].first, live.layers[-1].stop)
    if switches.granularity == "edge":
        return _by_edge(live, scores, growth, fraction, switches, rng, dense_gradient, allowed, targets, fixed)
    entry = growth if isinstance(growth, Growth) else GROWTH[known("growth", growth, GROWTH)]
    if switches.count == "bernoulli" and entry is GROWTH["random"]:
        entry = GROWTH["bernoulli"]
    if entry.needs and dense_gradient is None:
        raise InputError(f"growth by {entry.needs} needs the dense {entry.needs} of every layer, which is not given")
    if switches.constant_fan_in and (entry.needs is None or allowed is not None):
        raise InputError("constant fan-in needs growth by a dense matrix, and all places must be allowed")
    wanted = live.counts() if targets is None else np.asarray(targets, np.int64)
    change = _Change(live, scores, entry, fraction, switches, rng, dense_gradient, allowed, wanted, fixed)
    return _update(live, *(change.all_layers() if switches.scope == "global" else change.by_layer()), switches)


def _by_edge(
    live: Live,
    scores: Floats,
    growth: str | Growth,
    fraction: float,
    switches: Method,
    rng: np.random.Generator,
    dense: Dense | None,
    allowed: Places | None,
    targets: Sequence[int] | Places | None,
    fixed: Collection[int],
) -> Update:
    """Do the same with edges; what grows has the weights of all gates."""
    view = EdgeView.of(live)
    gates = np.array([layer.gates for layer in live.layers])
    edges = drop_and_grow(
        view.live(live),
        view.sums(scores),
        growth,
        fraction,
        switches=switches.replace(granularity="weight"),
        rng=rng,
        dense_gradient=None if dense is None else lambda index: view.matrix(index, dense(index)),
        allowed=None if allowed is None else np.unique(view.of_places(allowed)),
        targets=None if targets is None else np.asarray(targets) // gates,
        fixed=fixed,
    )
    return expand(view, live, edges)


def expand(view: EdgeView, live: Live, edges: Update) -> Update:
    """Return an update of edges as one of weights: all weights of a kept edge stay, and grown ones get all gates."""
    stays = np.zeros(len(view.slots), bool)
    stays[edges.kept] = True
    back = np.zeros(len(view.slots), bool)
    back[edges.returned] = True
    return _merged(live, stays[view.edge], view.to_places(edges.grown), np.flatnonzero(back[view.edge]))


@dataclass(frozen=True, eq=False)
class _Change:
    """What is decided on in an update: the weights that are dropped, and the places that are grown."""

    live: Live
    scores: Floats
    growth: Growth
    fraction: float
    switches: Method
    rng: np.random.Generator
    dense: Dense | None
    allowed: Places | None
    targets: Places
    fixed: Collection[int]

    @property
    def ties(self) -> np.random.Generator | None:
        return self.rng if self.switches.ties == "random" else None

    def by_layer(self) -> tuple[NDArray[np.bool_], Places]:
        """Return which live weights are dropped, and where weights are grown, layer by layer."""
        live, bounds, grown = self.live, self.live.bounds(), []
        dropped = np.zeros(live.n, bool)
        for index, layer in enumerate(live.layers):
            if index in self.fixed:
                continue
            first, stop = bounds[index], bounds[index + 1]
            own, slots = dropped[first:stop], live.slots[first:stop]
            count = self._count(layer.first, layer.stop, slots, layer.size)
            if self.switches.constant_fan_in:
                own[:], places = self._by_row(index, slots, self.scores[first:stop], count)
                grown.append(places)
                continue
            own[:] = SCORES[self.switches.score].select(self.scores[first:stop], count, self.ties)
            n_lost = int(np.count_nonzero(own))
            if not n_lost:
                continue
            matrix = self.dense(index) if self.growth.needs and self.dense is not None else None
            taken = slots if self.switches.regrow_dropped == "forbid" else slots[~own]
            room = n_empty(layer.first, layer.stop, taken, self.allowed)
            grown.append(
                self.growth.function(
                    layer, taken, min(n_lost, room), self.rng, matrix=matrix, allowed=self.allowed, ties=self.ties
                )
            )
        return dropped, np.concatenate([np.zeros(0, np.int64), *grown])

    def _by_row(self, index: int, slots: Places, scores: Floats, count: int) -> tuple[NDArray[np.bool_], Places]:
        """Return the same for one layer with constant fan-in."""
        layer = self.live.layers[index]
        if not count or len(slots) == layer.size:
            return np.zeros(len(slots), bool), np.zeros(0, np.int64)
        assert self.dense is not None
        return rewire_fan_in(
            layer,
            slots,
            scores,
            self.dense(index),
            count,
            target=int(self.targets[index]),
            min_salient=self.switches.min_salient,
            ablate=index < len(self.live.layers) - 1,
        )

    def all_layers(self) -> tuple[NDArray[np.bool_], Places]:
        """Return the same by one threshold for the scores of all layers, and one for all that can be grown."""
        live = self.live
        first, stop = live.layers[0].first, live.layers[-1].stop
        count = self._count(first, stop, live.slots, size_of(live.layers))
        dropped = lowest(self.scores, count, self.ties)
        taken = live.slots if self.switches.regrow_dropped == "forbid" else live.slots[~dropped]
        if not self.growth.needs:
            return dropped, random_places(first, stop, taken, count, self.rng, self.allowed)
        assert self.dense is not None
        found = [
            largest_free(layer, taken, count, self.dense(index), self.allowed, self.ties)
            for index, layer in enumerate(live.layers)
        ]
        places = np.concatenate([each for each, _ in found])
        return dropped, places[highest(np.concatenate([values for _, values in found]), count, self.ties)]

    def _count(self, first: int, stop: int, slots: Places, size: int) -> int:
        """Return how many weights are dropped: no more than can be grown, so that the number stays."""
        count = n_dropped(self.switches, len(slots), size, self.fraction)
        comes_back = self.switches.regrow_dropped != "forbid"
        if comes_back and (self.allowed is None or is_among(slots, self.allowed).all()):
            return count
        return min(count, n_empty(first, stop, slots, self.allowed))


def _update(live: Live, dropped: NDArray[np.bool_], grown: Places, method: Method) -> Update:
    """Put together what stays and what is grown."""
    if method.regrow_dropped == "allow" and len(grown):
        # What comes back keeps what it had.
        back = is_among(live.slots, grown) & dropped
        dropped = dropped & ~back
        grown = grown[~is_among(grown, live.slots)]
        returned = np.flatnonzero(back)
    else:
        returned = np.zeros(0, np.int64)
    update = _merged(live, ~dropped, grown, returned)
    before = live.counts()
    for layer, old, new in zip(live.layers, before, update.counts(), strict=True):
        if old and not new and method.count == "exact":
            raise EmptyLayerError(f"layer {layer.name!r} would lose all of its {old} weights to other layers: change "
                                  "fewer at once, or layer by layer")  # fmt: skip
    return update


def _merged(live: Live, stays: NDArray[np.bool_], grown: Places, returned: Places) -> Update:
    kept = np.flatnonzero(stays)
    if not len(grown):
        return Update(live.layers, live.slots[kept], kept, kept, returned, grown, live.slots[~stays])
    slots, at = insert_sorted(live.slots[kept], grown)
    source = np.full(len(slots), -1, np.int64)
    is_old = np.ones(len(slots), bool)
    is_old[at] = False
    source[is_old] = kept
    return Update(live.layers, slots, source, kept, returned, grown, live.slots[~stays])


def drop_to(
    live: Live,
    scores: Floats,
    counts: Sequence[int] | Places,
    rng: np.random.Generator | None = None,
    *,
    may_empty: bool = False,
) -> Update:
    """Drop the live weights with the lowest scores until each layer holds so many; see `allocate` for the counts.

    Parameters
    ----------
    live : Live
    scores : (n,) float64
    counts : (n_layers,) int
    rng : numpy Generator, optional
        Draws among weights whose scores are equal at the border; without it those in lower places go.
    may_empty : bool
        Whether layers may lose all that they have.

    Raises
    ------
    InputError
        If a layer has fewer live weights than it should keep, or for scores of another length.
    EmptyLayerError
        If a layer would lose all that it has.
    """
    _check_scores(live, scores)
    for layer, old, new in zip(live.layers, live.counts(), counts, strict=True):
        if old and not new and not may_empty:
            raise EmptyLayerError(f"layer {layer.name!r} would keep none of its {old} weights: let it keep at least 1")
    return _merged(live, select(live, scores, counts, rng), np.zeros(0, np.int64), np.zeros(0, np.int64))


def _check_scores(live: Live, scores: Floats) -> None:
    if scores.shape != live.slots.shape:
        raise InputError(f"scores have shape {scores.shape}: {live.slots.shape} is needed, one for each live weight")
