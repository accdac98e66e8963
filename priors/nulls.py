"""Null models: wirings that share with a given one what they keep of it, and are random otherwise.

Whether a wiring owes what it can do to its degrees, its layers, its boundary or to more than these is asked by holding
it against nulls that keep the one and not the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from priors.checks import choice, whole
from priors.draws import Seed, permutation, subset
from priors.exchanges import Edges, Kinds, Links, Walk, lengths_of, tries_for, walk
from priors.transforms import longest_paths
from priors.wiring import Wiring

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["KEPT", "NULLS", "Mixing", "Null", "NullModel", "draw_nulls", "plain_null", "spectral_radius"]

_MOVES = 10
"""Exchanges for each edge that may move."""
_MOST_TRIES = 2_000
"""Tries for each edge, where hardly any succeeds."""
_FIRST_TRIES = 4
"""Tries for each edge that tell how many succeed."""
_PARTS = 64
"""Parts of a walk after which it is looked at."""
_KINDS_OF_LENGTH, _EDGES_OF_A_KIND = 10, 20
"""Kinds of edges by their length: so many where there are enough edges of each, and two at least."""
_ROUNDING = 1e-9
"""By how much lengths differ that are the same, as a share of the longest."""
_NEAR = 0.01
"""By how much the spectral radius may differ, as a share of it."""
_MOST_DRAWS = 100
"""Draws of which one has the spectral radius that is wanted."""
_DENSE, _LARGEST, _BASIS, _RESTARTS = 100, 12, 80, 60
"""Neurons up to which all eigenvalues are computed; above, eigenvalues that are looked for, vectors, and restarts after
which all are computed."""
_LARGE, _SMALL_BASIS = 4, 40
"""Eigenvalues that are looked for, and vectors, where an error is tolerated."""


@dataclass(frozen=True)
class Null:
    """One null model.

    Attributes
    ----------
    keeps : tuple of str
        What every wiring has in common with the given one.
    description : str

    Examples
    --------
    >>> from priors import NULLS
    >>> NULLS["degree"].keeps
    ('neurons', 'number of edges', 'degrees')
    """

    keeps: tuple[str, ...]
    description: str


_COUNTS = ("neurons", "number of edges")
_DEGREE = (*_COUNTS, "degrees")
_ORDER = (*_DEGREE, "order")
_LAYERS = (*_ORDER, "layers")
_BOUNDARY = (*_LAYERS, "boundary")
_RECIPROCITY = (*_BOUNDARY, "reciprocity")

NULLS: dict[str, Null] = {
    "counts": Null(_COUNTS, "as many neurons and edges"),
    "blocks": Null(
        (*_COUNTS, "order", "layers"), "and as many edges lead from each layer to each other one, of whichever neurons"
    ),
    "degree": Null(_DEGREE, "as counts, and every neuron reads as many others as before, and is read by as many"),
    "order": Null(
        _ORDER,
        "and as many edges lead forward: what has no cycles stays so, in its layers or, if it has "
        "one, in the levels of its longest paths",
    ),
    "layers": Null(_LAYERS, "and as many edges lead from each layer to each other one"),
    "boundary": Null(
        _BOUNDARY, "and edges of input and output units stay as they are; without units, those of sources and sinks"
    ),
    "reciprocity": Null(_RECIPROCITY, "and every neuron has as many edges that stand beside their reverse"),
    "spectral": Null((*_RECIPROCITY, "spectral radius"), "and the recurrence has the spectral radius within 1 %"),
    "spatial": Null((*_BOUNDARY, "lengths"), "as boundary, and there are as many edges of each length, of up to ten"),
    "weights": Null((*_RECIPROCITY, "edges"), "the same edges, with each other's weights"),
}
"""Null models by name, from the one that keeps least; each after `degree` up to `spectral` keeps more than the last."""


@dataclass(frozen=True)
class Mixing:
    """How far a null has come from the wiring that it began with.

    Attributes
    ----------
    tries, moves : int
        Exchanges that were tried, and that were made; 0 where edges are drawn at once.
    overlap : float
        Share of the edges that may move that are where they were.
    expected : float
        The mean of that share in the second half of the walk.
    autocorrelation : float
        Of that share from one look to the next in the second half of the walk, with 64 looks a walk; NaN where it does
        not vary. Near 0 two looks know nothing of each other, and a walk is long enough by far; near 1 it is too short.

    Examples
    --------
    >>> from priors import ErdosRenyi, NullModel, orient
    >>> wiring = orient(ErdosRenyi(n=20, edges=60).sample(0), rng=0)
    >>> null, mixing = NullModel(wiring, "degree").draw(0)
    >>> mixing.tries > mixing.moves > wiring.n_edges, mixing.overlap < 1
    (True, True)
    """

    tries: int
    moves: int
    overlap: float
    expected: float
    autocorrelation: float


class _Division(NamedTuple):
    """Edges that may move, the numbers of the single ones among them, and edges that stay, with their numbers."""

    links: Links
    singles: NDArray[np.int64]
    stay: NDArray[np.int64]
    fixed: Edges


@dataclass(frozen=True, eq=False)
class NullModel:
    """The distribution of wirings that share with a given one what a null model keeps.

    Parameters
    ----------
    wiring : Wiring
        Directed, or undirected: one layer with both directions of every edge, which move together then.
    kind : str
        One of `NULLS`.
    positions : (n_neurons, n_dimensions) array, optional
        Where neurons lie, for `spatial`; edges of neurons at NaN stay.

    Raises
    ------
    ValueError
        For an unknown kind, or one that would keep no more of this wiring than a plainer one.

    Notes
    -----
    Edges exchange their targets, two or three of them in a cycle, unless an edge would then be there twice or lead from
    a neuron to itself, or there were not as many edges of each kind as before. Every exchange is as likely as the one
    that undoes it, so that in the long run all wirings that can be reached are equally likely. The number of tries is
    fixed before they are made, by how many of the first ones succeed: a walk that ended with a certain number of
    successes would favour wirings in which exchanges succeed. Edges from a neuron to itself stay, and weights go with
    the sources of their edges; `counts` and `blocks` share them out anew.

    Draws, a try: a double for the first edge, one that asks for three edges where it is below 1/8, and one for each
    other edge; for undirected edges one for the other edge, and one for its direction. `counts` draws a subset of the
    places, `blocks` one of those of each pair of layers in turn; then, like `weights`, a permutation of the weights.

    References
    ----------
    Rao, Jana and Bandyopadhyay (1996), A Markov chain Monte Carlo method for generating random (0, 1)-matrices with
    given marginals, Sankhya A 58, 225-242; Fosdick et al. (2018), Configuring random graph models with fixed degree
    sequences, doi:10.1137/16M1087175; Váša and Mišić (2022), Null models in network neuroscience,
    doi:10.1038/s41583-022-00601-9

    Examples
    --------
    >>> from priors import NULLS, ErdosRenyi, NullModel, orient
    >>> wiring = orient(ErdosRenyi(n=20, edges=60).sample(0), rng=0)
    >>> null = NullModel(wiring, "degree").sample(0)
    >>> null == wiring, null.in_degree.tolist() == wiring.in_degree.tolist()
    (False, True)
    >>> list(NULLS)[:4]
    ['counts', 'blocks', 'degree', 'order']
    """

    wiring: Wiring
    kind: str
    positions: ArrayLike | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        choice("NullModel", "kind", self.kind, tuple(NULLS))
        if (why := self._why_not()) is not None:
            raise ValueError(f"kind={self.kind!r} with {self.wiring!r}: {why}")

    @property
    def keeps(self) -> tuple[str, ...]:
        """What all wirings have in common with the given one; an undirected one has no order to keep."""
        keeps = NULLS[self.kind].keeps
        if not self.wiring.is_undirected:
            return keeps
        return tuple(name for name in keeps if name not in ("order", "layers", "boundary", "reciprocity"))

    def sample(self, rng: Seed = None) -> Wiring:
        """Draw one wiring; an int is a seed, a generator is drawn from, None draws afresh."""
        return self.draw(rng)[0]

    def draw(self, rng: Seed = None) -> tuple[Wiring, Mixing]:
        """Draw one wiring, and say how well it has mixed.

        Raises
        ------
        ValueError
            If none of 100 draws has the spectral radius that is wanted.
        """
        generator = np.random.default_rng(rng)
        if self.kind in ("counts", "blocks"):
            return self._scattered(generator)
        if self.kind == "weights":
            return self._permuted(generator)
        for _ in range(_MOST_DRAWS if self.kind == "spectral" else 1):
            drawn, mixing = self._walked(generator)
            if self.kind != "spectral" or _keeps_radius(self, drawn):
                return self._verified(drawn), mixing
        raise ValueError(
            f"kind='spectral': the spectral radius is {self._radius:.4g}, and none of {_MOST_DRAWS} draws comes within "
            "1 % of it; use reciprocity"
        )

    # What may move

    @cached_property
    def _places(self) -> NDArray[np.float64]:
        """Where neurons lie, (n_neurons, n_dimensions); without dimensions where that does not count."""
        if self.positions is None:
            return np.zeros((self.wiring.n_neurons, 0))
        found = np.ascontiguousarray(self.positions, np.float64)
        if found.ndim != 2 or len(found) != self.wiring.n_neurons or not found.shape[1]:
            raise ValueError(
                f"positions have shape {found.shape}: one row of coordinates is needed for each of "
                f"{self.wiring.n_neurons} neurons"
            )
        return found

    @cached_property
    def _moves(self) -> NDArray[np.bool_]:
        """Which edges may move, (n_edges,)."""
        source, target = self.wiring.edges.T
        moves: NDArray[np.bool_] = source != target
        if "boundary" in self.keeps:
            moves = moves & ~self._is_boundary
        if self.kind == "spatial":
            lies: NDArray[np.bool_] = np.asarray(np.isfinite(self._places).all(axis=1))
            moves = moves & lies[source] & lies[target]
        return moves

    @cached_property
    def _is_boundary(self) -> NDArray[np.bool_]:
        """Which edges join the network to what is outside of it, (n_edges,)."""
        wiring = self.wiring
        source, target = wiring.edges.T
        if wiring.inputs or wiring.outputs:
            found: NDArray[np.bool_] = (source < wiring.n_inputs) | (target >= wiring.n_neurons - wiring.n_outputs)
            return found
        free: NDArray[np.bool_] = np.logical_or(wiring.in_degree[source] == 0, wiring.out_degree[target] == 0)
        return free

    @cached_property
    def _division(self) -> _Division:
        """The edges by how they move."""
        edges = self.wiring.edges
        mutual = _mutual(self.wiring) & self._moves
        as_pairs = mutual if self.wiring.is_undirected or self._keeps_mutual else np.zeros(len(edges), bool)
        ahead = np.flatnonzero(as_pairs & (edges[:, 0] < edges[:, 1]))
        singles, stay = np.flatnonzero(self._moves & ~as_pairs), np.flatnonzero(~self._moves)
        links = Links(edges[singles], edges[ahead], ahead, self._reverse[ahead])
        return _Division(links, singles, stay, edges[stay])

    @property
    def _keeps_mutual(self) -> bool:
        return "reciprocity" in self.keeps

    @cached_property
    def _reverse(self) -> NDArray[np.int64]:
        """Where the reverse of each edge stands, (n_edges,); whatever where there is none."""
        codes, turned = _codes(self.wiring.edges, self.wiring), _codes(self.wiring.edges[:, ::-1], self.wiring)
        return np.minimum(np.searchsorted(codes, turned), max(len(codes) - 1, 0))

    @cached_property
    def _kinds(self) -> Kinds:
        """Of which there are as many edges after an exchange as before."""
        wiring, by, labels = self.wiring, "nothing", np.zeros(self.wiring.n_neurons, np.int64)
        if "layers" in self.keeps and wiring.n_layers > 1:
            by, labels = "pair", wiring.layer_of
        elif "order" in self.keeps and wiring.n_layers > 1:
            by, labels = "order", wiring.layer_of
        elif "order" in self.keeps and wiring.is_acyclic:
            by, labels = "order", longest_paths(wiring)
        return Kinds(by, np.ascontiguousarray(labels, np.int64), np.nan_to_num(self._places), self._borders)

    @cached_property
    def _borders(self) -> NDArray[np.float64]:
        """Lengths between which there are about equally many edges that may move, halfway between lengths there are."""
        if not self._places.shape[1]:
            return np.zeros(0)
        every = lengths_of(self.wiring.edges[self._moves], self._places)
        lengths = np.unique(every)
        # What differs by rounding is one length.
        apart = np.flatnonzero(np.diff(lengths) > _ROUNDING * lengths.max(initial=0.0))
        if not len(apart):
            return np.zeros(0)
        halfway = (lengths[apart] + lengths[apart + 1]) / 2
        n_kinds = min(max(len(every) // _EDGES_OF_A_KIND, 2), _KINDS_OF_LENGTH)
        wanted = np.quantile(every, np.arange(1, n_kinds) / n_kinds)
        return np.unique(halfway[np.minimum(np.searchsorted(halfway, wanted), len(halfway) - 1)])

    def _why_not(self) -> str | None:
        """Say why a kind does not fit the wiring; None where it does."""
        wiring = self.wiring
        if (self.kind == "spatial") != (self.positions is not None):
            return "it needs positions" if self.positions is None else "only spatial heeds positions; leave them out"
        if self.kind == "weights":
            known = None if wiring.weights is None else np.unique(wiring.weights)
            return "it has no weights that differ" if known is None or len(known) < 2 else None
        _ = self._places
        if self.kind == "blocks" and wiring.n_layers == 1:
            return "it has one layer; use counts"
        if not wiring.n_edges:
            return None if self.kind in ("counts", "blocks", "degree", "spatial") else "it has no edges; use degree"
        if wiring.is_undirected and self.kind in ("order", "layers", "boundary", "reciprocity"):
            return "an undirected graph has no order, layers, boundary or reciprocity to keep; use degree or spectral"
        if self.kind == "order" and wiring.n_layers == 1 and not wiring.is_acyclic:
            return "it has one layer and cycles, so there is no order to keep; use degree"
        if self.kind == "layers" and wiring.n_layers == 1:
            return "it has one layer; use order or degree"
        if self.kind == "boundary" and not self._is_boundary.any():
            return "it has neither input or output units nor sources and sinks; use degree"
        if self.kind in ("reciprocity", "spectral") and wiring.is_acyclic:
            return "it has no cycles; use boundary"
        return None

    # Drawing

    def _walked(self, rng: np.random.Generator) -> tuple[Wiring, Mixing]:
        links, singles, stay, fixed = self._division
        n = links.n_edges

        def go(links: Links, part_size: int, n_parts: int) -> Walk:
            return walk(
                links, fixed, self._kinds, rng, keeps_mutual=self._keeps_mutual, part_size=part_size, n_parts=n_parts
            )

        first = go(links, _FIRST_TRIES * n, 1)
        n_tries = tries_for(_MOVES * n, first, _MOST_TRIES * n)
        then = go(first.links, -(-n_tries // _PARTS), _PARTS)
        there = np.concatenate([singles, then.links.ahead, then.links.back, stay])
        edges = np.concatenate([then.links.edges(), fixed])
        weights = None if self.wiring.weights is None else self.wiring.weights[there]
        drawn = self.wiring.replace(edges=edges, weights=weights)
        return drawn, self._mixing(drawn, then)

    def _mixing(self, drawn: Wiring, walked: Walk | None = None) -> Mixing:
        n = int(self._moves.sum())
        if not n:
            return Mixing(0, 0, 1.0, 1.0, float("nan"))
        shared = int(_are_among(self.wiring.edges, drawn).sum()) - int((~self._moves).sum())
        if walked is None:
            return Mixing(0, 0, shared / n, shared / n, float("nan"))
        half = walked.overlaps[len(walked.overlaps) // 2 :] / n
        varies = len(half) > 2 and half[:-1].std() > 0 and half[1:].std() > 0
        correlation = float(np.corrcoef(half[:-1], half[1:])[0, 1]) if varies else float("nan")
        expected = float(half.mean()) if len(half) else 1.0
        return Mixing(walked.n_tries, walked.n_moves, shared / n, expected, correlation)

    def _scattered(self, rng: np.random.Generator) -> tuple[Wiring, Mixing]:
        """Draw as many edges at random places, of all or of each pair of layers."""
        wiring, loops = self.wiring, ~self._moves
        loose = self._places_of_pairs(rng) if self.kind == "blocks" else self._places_of_all(rng)
        weights = None
        if wiring.weights is not None:
            own = wiring.weights[self._moves]
            weights = np.concatenate([own[permutation(rng, len(own))], wiring.weights[loops]])
        drawn = wiring.replace(edges=np.concatenate([loose, wiring.edges[loops]]), weights=weights)
        return self._verified(drawn), self._mixing(drawn)

    def _places_of_pairs(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw as many places from each layer to each other one as there are edges that may move, (n_edges, 2)."""
        sizes, layers = np.array(self.wiring.sizes), self.wiring.layer_of
        first = np.cumsum(sizes) - sizes
        found = [np.zeros((0, 2), np.int64)]
        pairs, counts = np.unique(layers[self.wiring.edges[self._moves]], axis=0, return_counts=True)
        for (before, after), count in zip(pairs.tolist(), counts.tolist(), strict=True):
            n_targets = int(sizes[after]) - (before == after)
            source, target = np.divmod(subset(rng, int(sizes[before]) * n_targets, count), n_targets)
            if before == after:
                target += target >= source
            found.append(np.stack([first[before] + source, first[after] + target], axis=1))
        return np.concatenate(found)

    def _places_of_all(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw as many places as there are edges that may move, (n_edges, 2)."""
        wiring = self.wiring
        n, n_inputs = wiring.n_neurons, wiring.n_inputs
        if wiring.is_undirected:
            places = subset(rng, n * (n - 1) // 2, int(self._moves.sum()) // 2)
            low = np.concatenate([[0], np.cumsum(np.arange(n - 1, 0, -1))])
            source = np.searchsorted(low, places, side="right") - 1
            target = source + 1 + places - low[source]
            return np.concatenate([np.stack([source, target], axis=1), np.stack([target, source], axis=1)])
        n_targets = n - n_inputs
        of_inputs = n_inputs * n_targets
        places = subset(rng, of_inputs + wiring.n_hidden * (n_targets - 1), int(self._moves.sum()))
        of_hidden = places[places >= of_inputs] - of_inputs
        source, target = np.divmod(of_hidden, max(n_targets - 1, 1))
        target += target >= source
        first, into = np.divmod(places[places < of_inputs], max(n_targets, 1))
        hidden = n_inputs + np.stack([source, target], axis=1)
        return np.concatenate([np.stack([first, n_inputs + into], axis=1), hidden])

    def _permuted(self, rng: np.random.Generator) -> tuple[Wiring, Mixing]:
        """Draw the weights of all edges anew from among them."""
        weights = self.wiring.weights
        assert weights is not None
        drawn = self.wiring.replace(weights=self._exchanged(weights, rng))
        return self._verified(drawn), Mixing(0, 0, 1.0, 1.0, float("nan"))

    def _exchanged(self, weights: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        if not self.wiring.is_undirected:
            return weights[permutation(rng, len(weights))]
        found = weights.copy()
        # Both directions of an edge keep their weights together; self edges have theirs among themselves.
        source, target = self.wiring.edges.T
        loops = np.flatnonzero(source == target)
        found[loops] = weights[loops[permutation(rng, len(loops))]]
        ahead = np.flatnonzero(source < target)
        to = permutation(rng, len(ahead))
        found[ahead], found[self._reverse[ahead]] = weights[ahead[to]], weights[self._reverse[ahead][to]]
        return found

    @cached_property
    def _radius(self) -> float:
        return spectral_radius(self.wiring)

    def _verified(self, drawn: Wiring) -> Wiring:
        """Return a null if it keeps what it should.

        Raises
        ------
        RuntimeError
            If it does not, which is a defect of this project.
        """
        for name in self.keeps:
            # Whatever has another spectral radius is not drawn.
            if name != "spectral radius" and not KEPT[name](self, drawn):
                raise RuntimeError(f"kind={self.kind!r}: {drawn!r} does not keep the {name} of {self.wiring!r}")
        return drawn


def plain_null(wiring: Wiring) -> NullModel:
    """Return a null model that fits: of layers, order and degree the first that there is to keep.

    Examples
    --------
    >>> from priors import ErdosRenyi, layer, orient, plain_null
    >>> graph = ErdosRenyi(n=20, edges=60).sample(0)
    >>> dag = orient(graph, rng=0)
    >>> plain_null(graph).kind, plain_null(dag).kind, plain_null(layer(dag)).kind
    ('degree', 'order', 'layers')
    """
    for kind in ("layers", "order"):
        try:
            return NullModel(wiring, kind)
        except ValueError:
            continue
    return NullModel(wiring, "degree")


def draw_nulls(model: NullModel, n: int, seed: int = 0, threads: int = 1) -> Iterator[tuple[Wiring, Mixing]]:
    """Draw nulls one after the other, each from a seed of its own; results do not depend on `threads`.

    Parameters
    ----------
    model : NullModel
    n : int
        Nulls, at least 1.
    seed : int
        The i-th null follows from ``numpy.random.default_rng((seed, i))``.
    threads : int
        Draws at a time; compiled walks run side by side.

    Yields
    ------
    wiring, mixing : Wiring, Mixing

    Examples
    --------
    >>> from priors import ErdosRenyi, draw_nulls, orient, plain_null
    >>> wiring = orient(ErdosRenyi(n=20, edges=60).sample(0), rng=0)
    >>> nulls = [null for null, _ in draw_nulls(plain_null(wiring), 5, seed=0)]
    >>> len(set(nulls)), {null.n_edges for null in nulls}
    (5, {60})
    """
    n = whole("draw_nulls", "n", n, 1, 2**31)

    def one(number: int) -> tuple[Wiring, Mixing]:
        return model.draw(np.random.default_rng((seed, number)))

    if threads == 1:
        yield from map(one, range(n))
        return
    with ThreadPoolExecutor(threads) as pool:
        for first in range(0, n, 4 * threads):
            yield from pool.map(one, range(first, min(first + 4 * threads, n)))


def spectral_radius(wiring: Wiring, tolerance: float = 0.0) -> float:
    """Return the largest absolute eigenvalue of the recurrent edges of hidden neurons, by their weights or 1 each.

    Parameters
    ----------
    wiring : Wiring
    tolerance : float
        Relative error that large matrices may have, which takes a sixth of the time for a thousandth; by default as
        exact as numbers are.

    Examples
    --------
    >>> from priors import Wiring, spectral_radius
    >>> ring = Wiring((3,), [(0, 1), (1, 2), (2, 0)], weights=[2, 2, -2])
    >>> round(spectral_radius(ring), 6)
    2.0
    """
    hidden = wiring.hidden
    kept = ~hidden.forward
    if not kept.any():
        return 0.0
    from scipy.sparse.csgraph import connected_components

    recurrent = Wiring(
        (hidden.n_neurons,), hidden.edges[kept], weights=None if hidden.weights is None else hidden.weights[kept]
    )
    matrix = recurrent.csr().astype(np.float64)
    # Eigenvalues are those of the parts in which every neuron reaches every other one; by themselves these are found
    # well.
    _, part = connected_components(matrix, directed=True, connection="strong")
    order = np.argsort(part, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(part[order])) + 1)
    single = np.array([own[0] for own in parts if len(own) == 1], np.int64)
    loops = float(np.abs(matrix.diagonal()[single]).max(initial=0.0))
    return max([loops, *(_radius_of(matrix[own][:, own], tolerance) for own in parts if len(own) > 1)])


def _radius_of(matrix: csr_array, tolerance: float) -> float:
    """Return the largest absolute eigenvalue of a matrix of neurons that all reach each other."""
    from scipy.sparse.linalg import ArpackError, eigs

    n = matrix.shape[0]
    if n > _DENSE:
        try:
            # Of several that are nearly as large, a search for one may find another.
            k, basis = (_LARGEST, _BASIS) if tolerance == 0 else (_LARGE, _SMALL_BASIS)
            found = eigs(
                matrix, k=k, ncv=basis, v0=np.ones(n), maxiter=_RESTARTS, tol=tolerance, return_eigenvectors=False
            )
            return float(np.abs(found).max())
        except ArpackError:  # As in a ring, where all are as large.
            pass
    return float(np.abs(np.linalg.eigvals(matrix.toarray())).max())


# What nulls keep


def _keeps_neurons(model: NullModel, drawn: Wiring) -> bool:
    units = [(own.sizes, own.inputs, own.outputs, own.names) for own in (model.wiring, drawn)]
    return units[0] == units[1]


def _keeps_number(model: NullModel, drawn: Wiring) -> bool:
    return model.wiring.n_edges == drawn.n_edges and np.array_equal(_loops(model.wiring), _loops(drawn))


def _keeps_degrees(model: NullModel, drawn: Wiring) -> bool:
    before = model.wiring
    is_same = np.array_equal(before.in_degree, drawn.in_degree)
    return is_same and np.array_equal(before.out_degree, drawn.out_degree)


def _keeps_order(model: NullModel, drawn: Wiring) -> bool:
    before = model.wiring
    if before.n_layers > 1 or not before.is_acyclic:
        return int(before.forward.sum()) == int(drawn.forward.sum())
    levels = longest_paths(before)[drawn.edges]
    return bool((levels[:, 0] < levels[:, 1]).all())


def _keeps_layers(model: NullModel, drawn: Wiring) -> bool:
    before, after = (np.sort(own.layer_of[own.edges] @ [own.n_layers, 1]) for own in (model.wiring, drawn))
    return np.array_equal(before, after)


def _keeps_boundary(model: NullModel, drawn: Wiring) -> bool:
    return bool(_are_among(model.wiring.edges[model._is_boundary], drawn).all())


def _keeps_reciprocity(model: NullModel, drawn: Wiring) -> bool:
    sources = [own.edges[_mutual(own), 0] for own in (model.wiring, drawn)]
    before, after = (np.bincount(own, minlength=drawn.n_neurons) for own in sources)
    return np.array_equal(before, after)


def _keeps_radius(model: NullModel, drawn: Wiring) -> bool:
    return abs(spectral_radius(drawn) - model._radius) <= _NEAR * model._radius


def _keeps_lengths(model: NullModel, drawn: Wiring) -> bool:
    before, after = (np.sort(model._kinds.of(own.edges)) for own in (model.wiring, drawn))
    return np.array_equal(before, after)


def _keeps_edges(model: NullModel, drawn: Wiring) -> bool:
    return np.array_equal(model.wiring.edges, drawn.edges)


KEPT: dict[str, Callable[[NullModel, Wiring], bool]] = {
    "neurons": _keeps_neurons,
    "number of edges": _keeps_number,
    "degrees": _keeps_degrees,
    "order": _keeps_order,
    "layers": _keeps_layers,
    "boundary": _keeps_boundary,
    "reciprocity": _keeps_reciprocity,
    "spectral radius": _keeps_radius,
    "lengths": _keeps_lengths,
    "edges": _keeps_edges,
}
"""Whether a wiring keeps something of that of a model, by the words of `Null.keeps`."""


def _mutual(wiring: Wiring) -> NDArray[np.bool_]:
    """Return which edges stand beside their reverse, but for those from a neuron to itself."""
    source, target = wiring.edges.T
    found: NDArray[np.bool_] = np.logical_and(_are_among(wiring.edges[:, ::-1], wiring), source != target)
    return found


def _loops(wiring: Wiring) -> NDArray[np.int32]:
    source, target = wiring.edges.T
    found: NDArray[np.int32] = source[source == target]
    return found


def _codes(edges: Edges, wiring: Wiring) -> NDArray[np.int64]:
    """Return a number for each edge; those of a wiring's edges ascend."""
    return edges[:, 0].astype(np.int64) * wiring.n_neurons + edges[:, 1]


def _are_among(edges: Edges, wiring: Wiring) -> NDArray[np.bool_]:
    """Return which edges a wiring has."""
    there, wanted = _codes(wiring.edges, wiring), _codes(edges, wiring)
    if not len(there):
        return np.zeros(len(wanted), bool)
    found: NDArray[np.bool_] = there[np.minimum(np.searchsorted(there, wanted), len(there) - 1)] == wanted
    return found
