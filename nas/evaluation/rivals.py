"""Rivals of a network that was found for a budget: each the best of a small search of its own.

A sceptic asks for the dense network that one would have tuned by hand, so its shape, its transform of the inputs and
its learning rate are chosen by validation, as those of linear and pruned networks are. What the structure found is
worth is seen beside the same structure from new weights, and structures that share its degrees or its counts alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from nas.evaluation.references import (
    COUNTS,
    DEGREES,
    EQUAL_PARAMETERS,
    LINEAR,
    ONE_SHOT,
    PRUNED_LINEAR,
    RETRAINED,
    Contender,
)
from nas.networks import NetworkSpec
from nas.space.designs import WaySpace, pruning
from nas.space.way import Way
from nas.space.within import Means, complete_edges, largest
from nas.sparsity.shuffle import redraw
from nas.tasks.pooling import pooled
from nas.tasks.statistics import inputs_of
from nas.training import Training
from priors import Wiring

__all__ = ["Rival", "rivals_of", "structures_of"]


_LEAST_TRIED = 30
"""Shapes times learning rates of dense networks."""
_NARROWEST = 4
_PARENT = 100
_RNN_PARENTS = (2, 4, 8)
"""What dense RNNs that are pruned at once cost, in budgets."""
_SHAPES: tuple[tuple[float, ...], ...] = ((1,), (1, 1), (1, 0.5), (1, 0.25), (0.5, 1), (1, 1, 1), (1, 0.5, 0.25))
"""Widths of the hidden layers of dense networks, as shares of one that follows from the budget."""


@dataclass(frozen=True)
class Rival:
    """A network to compare with, and what it is chosen from.

    Parameters
    ----------
    name : str
    variants : tuple of Contender
        Each is trained once, at its own learning rate or else at every one of the recipe; the best by validation is
        taken.
    """

    name: str
    variants: tuple[Contender, ...]


def rivals_of(space: WaySpace) -> list[Rival]:
    """Return what a network that was found within a budget is held against.

    They are dense networks of one to three hidden layers, a linear one where it fits, a linear one that is pruned where
    it does not, and a dense network of 100 hidden neurons that is pruned at once in the midst of its training. All of
    them read inputs that vary, or means of these over squares of pixels as the candidates may. Of RNNs the dense one is
    a layer of cells at many learning rates, and what is pruned at once has several widths: of parents that are much too
    large, hardly a weight that is left lies on a path.
    """
    dense, linear, pruned_linear, one_shot = [], [], [], []
    for pool in space.pools:
        means, way = space.means(pool), Way(pool=pool)
        dense += [Contender(EQUAL_PARAMETERS, wiring, space.spec, way) for wiring in _dense(means)]
        plain = _of_live(means, ())
        of_lines = NetworkSpec("linear-mean") if space.spec.kind == "rnn" else space.spec
        if plain.n_edges + means.biases(0) <= means.limit:
            linear.append(Contender(LINEAR, plain, of_lines, way))
        elif space.spec.kind == "mlp":
            pruned_linear.append(Contender(PRUNED_LINEAR, plain, space.spec, pruning(space, pool, "cubic")))
        for width in _parents(means):
            parent = _of_live(means, (width,)) if space.spec.kind == "mlp" else _complete(space, pool, width)
            parts = space.spec.n_parameters(parent)
            if parts["total"] - parts["biases"] + means.biases(width) > means.limit:
                one_shot.append(Contender(ONE_SHOT, parent, space.spec, pruning(space, pool, "one-shot")))
    several = (
        (EQUAL_PARAMETERS, _at_more_rates(dense, space.rates)),
        (LINEAR, linear),
        (PRUNED_LINEAR, pruned_linear),
        (ONE_SHOT, one_shot),
    )
    return [Rival(name, tuple(variants)) for name, variants in several if variants]


def _at_more_rates(variants: Sequence[Contender], rates: Sequence[float]) -> Sequence[Contender]:
    """Return few variants at more learning rates, from the lowest to the highest, so that 30 are tried at least."""
    if not variants or len(variants) * len(rates) >= _LEAST_TRIED or len(rates) == 1:
        return variants
    n = -(-_LEAST_TRIED // len(variants))
    ladder = [float(f"{rate:.4g}") for rate in np.geomspace(min(rates), max(rates), n)]
    return [replace(own, way=replace(own.way, learning_rate=rate)) for own in variants for rate in ladder]


def _dense(means: Means) -> list[Wiring]:
    """Return dense networks within the budget, of all shapes that are not narrower than four neurons."""
    found: dict[str, Wiring] = {}
    if means.spec.kind == "rnn":
        width = largest(means.of_cells, means.limit)
        hidden = np.argwhere(np.ones((width, width), dtype=bool)) + means.inputs.n_inputs
        return [_with(means, (width,), hidden)] if means.of_cells(width) <= means.limit else []
    for shares in _SHAPES:

        def widths(unit: int, shares: Sequence[float] = shares) -> tuple[int, ...]:
            return tuple(max(round(share * unit), 1) for share in shares)

        def cost(unit: int, widths: Callable[[int], tuple[int, ...]] = widths) -> int:
            own = widths(unit)
            between = sum(before * after for before, after in pairwise((means.n_live, *own, means.n_outputs)))
            return means.biases(sum(own)) + between

        unit = largest(cost, means.limit)
        if min(widths(unit)) >= min(_NARROWEST, means.n_outputs) and cost(unit) <= means.limit:
            wiring = _of_live(means, widths(unit))
            found.setdefault(wiring.fingerprint, wiring)
    return list(found.values())


def _of_live(means: Means, widths: Sequence[int]) -> Wiring:
    """Return an MLP's wiring with every edge between two consecutive layers, but none from inputs that never vary."""
    sizes = (means.inputs.n_inputs, *widths, means.n_outputs)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    parts = []
    for layer, (before, after) in enumerate(pairwise(sizes)):
        sources = means.inputs.live if layer == 0 else np.arange(before) + starts[layer]
        targets = np.arange(after) + starts[layer + 1]
        parts.append(complete_edges(sources, targets))
    return Wiring(sizes, np.concatenate(parts), inputs=True, outputs=True)


def _with(means: Means, widths: tuple[int], hidden: np.ndarray) -> Wiring:
    """Return the complete wiring of one layer with further edges between its neurons."""
    plain = _of_live(means, widths)
    return plain.replace(edges=np.concatenate([plain.edges, hidden]))


def _complete(space: WaySpace, pool: int, width: int) -> Wiring:
    return space.spec.complete(pooled(space.task, pool).n_inputs, (width,), space.task.n_outputs)


def _parents(means: Means) -> list[int]:
    """Return widths of the dense networks that are pruned at once."""
    if means.spec.kind == "mlp":
        return [_PARENT]
    return sorted({min(largest(means.of_cells, times * means.limit), _PARENT) for times in _RNN_PARENTS})


def structures_of(found: Training, way: Way, n: int, rng: np.random.Generator) -> list[Contender]:
    """Return networks that share with a found one what its structure is, `n` each for what is drawn anew.

    That are its structure, where that was learned; structures in which every neuron reads and is read as often; and
    structures with as many weights between each two layers. All are trained from new weights like the found network.
    """
    plain, live = found.wiring.replace(weights=None), inputs_of(found.task).live
    own = Way(way.pool, learning_rate=found.learning_rate)
    redrawn = [
        Contender(name, redraw(plain, keeps, rng, live), found.spec, own)
        for name, keeps in ((DEGREES, "degrees"), (COUNTS, "counts"))
        for _ in range(n)
    ]
    return [*([] if way.method is None else [Contender(RETRAINED, plain, found.spec, own)]), *redrawn]
