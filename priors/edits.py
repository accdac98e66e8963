"""Edge edits: a wiring's neighbours at a few moves' distance, which a search can replay from (n_moves, move_seed).

Random draws follow the promise of `priors.draws`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import count, islice

import numpy as np
from numpy.typing import NDArray

from priors.checks import choice, whole
from priors.draws import Seed, subset
from priors.edges import MOST_NEURONS
from priors.transforms import longest_paths
from priors.wiring import Wiring

__all__ = ["MOVES", "edit"]

MOVES = ("swap", "add", "drop", "add-neuron", "remove-neuron")
"""Moves that `edit` draws from."""

_TRIES = 64


def edit(wiring: Wiring, n_moves: int, rng: Seed = None, moves: Sequence[str] = MOVES) -> Wiring:
    """Make a number of random moves: neighbours of a hidden wiring, before it is layered and attached.

    Parameters
    ----------
    wiring : Wiring
        Hidden neurons only, of one of three kinds, which the moves keep:

        - undirected: one layer with both directions of every edge and no self edges. Both directions count as one edge
          and move together. A layer without edges is of this kind.
        - acyclic: a DAG, in layers or not. Every new edge leads forward in one topological order, that of the given
          wiring by longest path from a source and then by number.
        - directed: any other graph of one layer. No self edges are added.
    n_moves : int
        Moves to make, at least 0.
    rng : int, Generator or None
        Randomness of all moves, in sequence.
    moves : sequence of str
        The moves to draw from, each time all alike; a move that is named twice is drawn twice as often.

        - ``swap``: two edges exchange their targets, and every neuron keeps its degrees.
        - ``add``: an edge between two neurons that it may join, each such pair equally likely.
        - ``drop``: one edge less.
        - ``add-neuron``: a new neuron with as many edges as the mean neuron has, rounded, and at least one. In a DAG it
          takes a random place of the topological order, elsewhere its edges lead anywhere.
        - ``remove-neuron``: one neuron less, with its edges; two neurons always remain.

    Returns
    -------
    Wiring
        One layer: a DAG is not layered again, `layer` does that. Neurons that remain keep their order, new ones follow.
        Weights are dropped, since new edges have none. Names are kept, and new neurons are called ``neuron 8``, …, by
        the first free numbers from the given number of neurons on. Without any move it is the given wiring itself.

    Raises
    ------
    ValueError
        For numbers out of bounds, an unknown move or none, input or output units, self edges in an otherwise undirected
        wiring, or a cyclic wiring of several layers.

    Notes
    -----
    More moves from the same seed continue fewer: ``edit(wiring, k + 1, seed)`` is one move away from
    ``edit(wiring, k, seed)``.

    A move that is impossible is replaced by one of the others, and left out if all are. Swaps are drawn until one is
    valid, so that all valid ones are equally likely; after 64 draws in vain the move counts as impossible.

    Draws one double a choice, and none where there is nothing to choose: the move; the edge to drop, the pair to join
    or the neuron to remove; two edges a swap, and for undirected ones which ends; the place of a new neuron in a DAG,
    and then the subset of neurons that it is joined to, or for directed ones of its edges in and out.

    References
    ----------
    Maslov and Sneppen (2002), Specificity and stability in topology of protein networks, doi:10.1126/science.1065103

    Examples
    --------
    >>> from priors import MOVES, ErdosRenyi, edit
    >>> graph = ErdosRenyi(n=20, edges=40).sample(0)
    >>> neighbour = edit(graph, 3, rng=0, moves=("swap",))
    >>> neighbour == graph, neighbour.out_degree.tolist() == graph.out_degree.tolist()
    (False, True)
    >>> MOVES
    ('swap', 'add', 'drop', 'add-neuron', 'remove-neuron')
    """
    n_moves = whole("edit", "n_moves", n_moves, 0, MOST_NEURONS - wiring.n_neurons)
    own = [choice("edit", "moves", move, MOVES) for move in moves]
    if not own:
        raise ValueError(f"moves={moves!r}: edit needs at least one of {', '.join(map(repr, MOVES))}")
    draft = _drafted(wiring, n_moves, np.random.default_rng(rng))
    n_made = sum(_move(draft, own) for _ in range(n_moves))
    return _finished(draft, wiring) if n_made else wiring


@dataclass(slots=True)
class _Draft:
    """A wiring under edit, changed in place because every move of it would otherwise cost a whole wiring.

    An edge is a cell of the (target, source) adjacency, coded as ``target * base + source`` by the places of its
    neurons, with a base that no number of neurons reaches. Places are numbers, in a DAG ranks of the topological
    order. So an undirected graph, each edge once, and a DAG both live in the cells below the diagonal.
    """

    kind: str
    base: int
    codes: NDArray[np.int64]
    """Sorted codes of the edges."""
    order: list[int]
    """The neuron in every place: new neurons have numbers of their own, and those of removed ones stay free."""
    n_numbered: int
    rng: np.random.Generator

    def below(self, n: int) -> int:
        """Draw a number below n."""
        return int(self.rng.random() * n) if n > 1 else 0


def _kind(wiring: Wiring) -> str:
    if wiring.inputs or wiring.outputs:
        raise ValueError(f"{wiring!r} has input or output units: edit works on hidden neurons, and attach follows it")
    if wiring.n_layers <= 1 and wiring.is_undirected:
        loops = wiring.edges[:, 0] == wiring.edges[:, 1]
        if loops.any():
            source, target = wiring.edges[loops][0].tolist()
            raise ValueError(f"edge ({source}, {target}) is a self edge: edit takes undirected graphs without them")
        return "undirected"
    if wiring.is_acyclic:
        return "acyclic"
    if wiring.n_layers > 1:
        raise ValueError(f"{wiring!r} has several layers and a cycle: edit takes cyclic graphs of one layer only")
    return "directed"


def _drafted(wiring: Wiring, n_moves: int, rng: np.random.Generator) -> _Draft:
    kind, n = _kind(wiring), wiring.n_neurons
    base, order = n + n_moves, np.arange(n)
    places = wiring.edges.astype(np.int64)
    if kind == "acyclic":
        order = np.argsort(longest_paths(wiring), kind="stable")
        ranks = np.empty_like(order)
        ranks[order] = np.arange(n)
        places = ranks[wiring.edges]
    elif kind == "undirected":
        places = places[places[:, 0] > places[:, 1]][:, ::-1]
    codes = _sorted(places[:, 1] * base + places[:, 0])
    return _Draft(kind, base, codes, order.tolist(), n, rng)


def _sorted(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sort codes; the stable sort because it is linear in what is nearly sorted, and codes usually are."""
    return np.sort(codes, kind="stable")


def _finished(draft: _Draft, wiring: Wiring) -> Wiring:
    numbers = np.argsort(np.argsort(draft.order))
    targets, sources = np.divmod(draft.codes, draft.base)
    edges = numbers[np.stack([sources, targets], axis=1)]
    if draft.kind == "undirected":
        edges = np.concatenate([edges, edges[:, ::-1]])
    return Wiring((len(draft.order),), edges, names=_names(draft, wiring), directed=wiring.directed)


def _names(draft: _Draft, wiring: Wiring) -> list[Hashable] | None:
    if wiring.names is None:
        return None
    taken = set(wiring.names)
    free = (name for name in map("neuron {}".format, count(wiring.n_neurons)) if name not in taken)
    names = [*wiring.names, *islice(free, draft.n_numbered - wiring.n_neurons)]
    return [names[neuron] for neuron in sorted(draft.order)]


def _move(draft: _Draft, moves: Sequence[str]) -> bool:
    """Make the first possible move of a random order; each move says whether it was possible."""
    left = list(moves)
    while left:
        if _MOVE_BY_NAME[left.pop(draft.below(len(left)))](draft):
            return True
    return False


def _swap(draft: _Draft) -> bool:
    codes, base, n_edges = draft.codes, draft.base, len(draft.codes)
    if n_edges < 2:
        return False
    for _ in range(_TRIES):
        first, second = draft.below(n_edges), draft.below(n_edges - 1)
        second += second >= first
        target, source = divmod(int(codes[first]), base)
        other_target, other_source = divmod(int(codes[second]), base)
        if draft.kind == "undirected" and draft.below(2):
            other_target, other_source = other_source, other_target
        one, other = _absent(draft, other_target, source), _absent(draft, target, other_source)
        if one is not None and other is not None:
            codes[first], codes[second] = one, other
            draft.codes = _sorted(codes)
            return True
    return False


def _absent(draft: _Draft, target: int, source: int) -> int | None:
    """Return the code of an edge between two places, or None where it may not be or is there already."""
    if draft.kind == "undirected" and target < source:
        target, source = source, target
    if target == source or (target < source and draft.kind == "acyclic"):
        return None
    code = target * draft.base + source
    place = int(draft.codes.searchsorted(code))
    return None if place < len(draft.codes) and draft.codes[place] == code else code


def _add(draft: _Draft) -> bool:
    n = len(draft.order)
    targets, sources = np.divmod(draft.codes, draft.base)
    # Cells in which edges may be are counted in the order of their codes, and taken[i] is the count of the edge i.
    if draft.kind == "directed":
        taken = (targets * (n - 1) + sources - (sources > targets))[targets != sources]
    else:
        taken = targets * (targets - 1) // 2 + sources
    n_absent = n * (n - 1) // (1 if draft.kind == "directed" else 2) - len(taken)
    if not n_absent:
        return False
    cell = draft.below(n_absent)
    cell += int((taken - np.arange(len(taken))).searchsorted(cell, side="right"))
    if draft.kind == "directed":
        target, source = divmod(cell, n - 1)
        source += source >= target
    else:
        target = (1 + math.isqrt(1 + 8 * cell)) // 2
        source = cell - target * (target - 1) // 2
    draft.codes = _sorted(np.append(draft.codes, target * draft.base + source))
    return True


def _drop(draft: _Draft) -> bool:
    if not len(draft.codes):
        return False
    edge = draft.below(len(draft.codes))
    draft.codes = np.concatenate([draft.codes[:edge], draft.codes[edge + 1 :]])
    return True


def _add_neuron(draft: _Draft) -> bool:
    n, base = len(draft.order), draft.base
    if not n:
        return False
    n_new = max(1, math.floor(2 * len(draft.codes) / n + 0.5))
    place = draft.below(n + 1) if draft.kind == "acyclic" else n
    targets, sources = np.divmod(draft.codes, base)
    kept = (targets + (targets >= place)) * base + sources + (sources >= place)
    if draft.kind == "directed":
        cells = subset(draft.rng, 2 * n, min(n_new, 2 * n))
        new = np.where(cells < n, place * base + cells, (cells - n) * base + place)
    else:
        others = subset(draft.rng, n, min(n_new, n))
        others += others >= place
        new = np.maximum(others, place) * base + np.minimum(others, place)
    draft.codes = _sorted(np.concatenate([kept, new]))
    draft.order.insert(place, draft.n_numbered)
    draft.n_numbered += 1
    return True


def _remove_neuron(draft: _Draft) -> bool:
    if len(draft.order) <= 2:
        return False
    place = draft.below(len(draft.order))
    targets, sources = np.divmod(draft.codes, draft.base)
    codes = (targets - (targets > place)) * draft.base + sources - (sources > place)
    draft.codes = codes[(targets != place) & (sources != place)]
    del draft.order[place]
    return True


_MOVE_BY_NAME: dict[str, Callable[[_Draft], bool]] = {
    "swap": _swap,
    "add": _add,
    "drop": _drop,
    "add-neuron": _add_neuron,
    "remove-neuron": _remove_neuron,
}
