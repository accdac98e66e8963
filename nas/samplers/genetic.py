"""GeneticSampler: breeds wirings from those that were trained, by mutation, crossover and other draws.

What it proposes as a trial is a function of its seed, the trial's number and the trials that it is shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from optuna import Study
from optuna.trial import FrozenTrial, TrialState

from nas.errors import InputError
from nas.samplers.candidates import Point, Source, stratum, without_edits
from nas.samplers.plan import Plan
from nas.samplers.rounds import Learner, Proposal, Round
from nas.seeds import stream
from nas.space.lineage import Lineage, graph_of
from nas.space.space import Params, Space
from nas.training.session import sign_of
from predictors.threads import one_thread
from priors import Wiring
from priors.draws import subset
from priors.transforms import longest_paths

__all__ = ["Child", "GeneticSampler", "cross", "kind_of"]

_POPULATION = 25
_TOURNAMENT = 5
_CHILDREN = 16
_MOST_MOVES = 4
_MOST_TRIES = 8
"""Children that are bred in vain for each one that is wanted."""
_OPTIMISM = 1.0
_ROUNDS = Plan(pool=_CHILDREN, refit=4)


@dataclass(frozen=True, eq=False)
class Child:
    """What is to be trained as a trial; it has a lineage where it has parents.

    From the parameters of a start-up trial, or of another draw, the wiring follows. Those of a child that was bred say
    how many neurons and edges it has, and of its first parent all the rest, the seed of its attachment among it: parent
    and child then differ by their graphs alone.
    """

    params: Params
    wiring: Wiring
    lineage: Lineage | None
    proposal: Proposal


_Bred = tuple[Wiring, Params, Lineage]


class GeneticSampler:
    """Proposes children of good wirings.

    Regularised evolution: the population are the latest complete trials, so that a wiring that was lucky once dies all
    the same. A parent is the best of a few members, drawn at random. Its child is, with equal chances,

    - a mutation: 1 to 4 edits of its graph, see `priors.edit`, and at most `Space.edits`;
    - a crossover with a second parent, see `nas.samplers.genetic.cross`;
    - a redraw: another draw from its prior, whose parameters stay or move a little.

    Screening breeds 16 children, and proposes the one of which a surrogate on graph features, fitted to all complete
    trials, expects most, with some optimism. While the predictions for trials left out are no better than the mean of
    all, and without screening, the first child is proposed. No wiring is proposed twice, and children keep to the
    limits of the space, its range of neurons included. The first trials are those of the structural sampler.

    Each of the user's own graphs is tried once before anything is bred from any, also after the first trials.

    No parameters can say what was bred, so this is no sampler of Optuna's and serves no ``study.optimize``: it is a
    campaign that stores the edges of a child, and its lineage. For the same reason it needs one process.

    Arguments are those of the structural sampler, with the value's direction; a space that is a list of wirings, which
    are taken as they are, is refused.

    References
    ----------
    Real et al. (2019), Regularized evolution for image classifier architecture search, arXiv:1802.01548
    """

    def __init__(
        self,
        space: Space,
        n_inputs: int = 0,
        n_outputs: int = 0,
        *,
        size_of: Callable[[Wiring], int],
        seed: int = 0,
        direction: str = "maximize",
        startup: int = 10,
        screened: bool = True,
    ) -> None:
        if space.is_finite:
            raise InputError(
                "sampler=genetic: the graphs of space.graphs are taken as they are, so nothing can be bred from them; "
                "use structural, tpe or random, or give space.edits where the graphs have no input units"
            )
        self._source = Source(space, (n_inputs, n_outputs), size_of, seed)
        self._learner = Learner(self._source, [direction], seed)
        self._seed, self._sign, self._startup, self._screened = seed, sign_of(direction), startup, screened

    def propose(self, number: int, trials: Sequence[FrozenTrial]) -> Child:
        """Return what to train as trial `number`, beside all others in the order of their numbers.

        Their attributes hold `nas.space.lineage.BRED`.
        """
        with one_thread():
            return self._choose(number, trials)

    def best(self, study: Study, n: int) -> list[int] | None:
        """Return the trials of the wirings that are thought to be best, best first; None without screening."""
        if not self._screened:
            return None
        with one_thread():
            return self._learner.best(study.get_trials(deepcopy=False), n)

    def _choose(self, number: int, trials: Sequence[FrozenTrial]) -> Child:
        history = self._learner.history
        history.look(trials)
        points = {trial.number: point for trial in trials if (point := history.point(trial.number)) is not None}
        taken, untried = set(history.taken), self._source.untried(history.graphs)
        rng = stream(self._seed, "proposal", number)
        parents = _population([trial for trial in trials if trial.number in points])
        if number < self._startup or not parents:
            return self._child(number, self._start_up(number, taken, untried, rng), Proposal("start-up"))
        now = self._round(trials) if self._screened else None
        is_screened = now is not None and now.surrogate is not None
        if untried:
            among = [untried[index] for index in rng.permutation(len(untried))[:_CHILDREN].tolist()]
            own = among[0]
            if now is not None and is_screened:
                own = among[int(now.gains(among, now.unknown(trials, points), _OPTIMISM, by_size=False).argmax())]
            return self._child(number, own, _proposal(now, "prior", own))
        made = self._breed(parents, taken, rng, _CHILDREN if is_screened else 1)
        if not made:
            drawn = self._draw(taken, rng)
            return self._child(number, drawn, _proposal(now, "random", drawn))
        children = self._source.described([(wiring, params) for wiring, params, _ in made], "genetic")
        chosen = 0
        if now is not None and is_screened:
            gains = now.gains(children, now.unknown(trials, points), _OPTIMISM, by_size=False)
            chosen = int(gains.argmax())
        wiring, _, lineage = made[chosen]
        proposal = _proposal(now, lineage.way, children[chosen])
        return self._child(number, children[chosen], proposal, wiring, lineage)

    def _round(self, trials: Sequence[FrozenTrial]) -> Round:
        """Return what there is to know; found anew after a few trials only, since it takes longer than breeding."""
        known = _ROUNDS.known(len(self._learner.history.over))
        return self._learner.round(trials, known, _ROUNDS.pool)

    def _child(
        self,
        number: int,
        point: Point,
        proposal: Proposal,
        wiring: Wiring | None = None,
        lineage: Lineage | None = None,
    ) -> Child:
        self._learner.history.note(number, point)
        wiring = self._source.wiring(point.params) if wiring is None else wiring
        return Child(point.params, wiring, lineage, proposal)

    # Drawing

    def _start_up(self, number: int, taken: set[str], untried: Sequence[Point], rng: np.random.Generator) -> Point:
        if number < self._startup:
            population = self._source.turns if untried else self._source.population
            part = [population[index] for index in stratum(population, self._startup, number, self._seed)]
            graphs = {point.graph for point in untried}
            free = [point for point in part if (point.graph in graphs if graphs else point.fingerprint not in taken)]
            if free:
                return free[int(rng.random() * len(free))]
        return untried[int(rng.random() * len(untried))] if untried else self._draw(taken, rng)

    def _draw(self, taken: set[str], rng: np.random.Generator) -> Point:
        # Where few draws keep to the limits of the space there may be no fresh one.
        drawn = [*self._source.fresh(rng, _CHILDREN), *self._source.population]
        return next((point for point in drawn if point.fingerprint not in taken), drawn[0])

    # Breeding

    def _breed(self, parents: Sequence[FrozenTrial], taken: set[str], rng: np.random.Generator, n: int) -> list[_Bred]:
        """Breed n distinct new children, or as many as come of a limited number of tries."""
        made: dict[str, _Bred] = {}
        for _ in range(_MOST_TRIES * (n + 1)):
            if len(made) == n:
                break
            bred = self._breed_one(parents, rng)
            if bred is None or bred[0].fingerprint in taken:
                continue
            if self._source.space.allows(bred[0], self._source.size_of(bred[0])):
                made.setdefault(bred[0].fingerprint, bred)
        return list(made.values())

    def _breed_one(self, parents: Sequence[FrozenTrial], rng: np.random.Generator) -> _Bred | None:
        """Breed one child; None for one with more or fewer neurons than the space has."""
        space = self._source.space
        first = self._winner(parents, rng)
        ways = ["redraw"] + ["mutation"] * (space.edits > 0) + ["crossover"] * (len(parents) > 1)
        way, seed = ways[int(rng.random() * len(ways))], int(rng.random() * 2**31)
        if way == "redraw":
            drawn = self._source.redrawn(np.random.default_rng(seed), first.params)
            return self._source.wiring(drawn), drawn, Lineage((first.number,), way, 0, seed)
        if way == "crossover":
            second = self._winner([parent for parent in parents if parent is not first], rng)
            graph = cross(self._graph(first), self._graph(second), seed)
            lineage = Lineage((first.number, second.number), way, 0, seed)
        else:
            n_moves = 1 + int(rng.random() * min(_MOST_MOVES, space.edits))
            graph = space.edited(self._graph(first), n_moves, seed)
            lineage = Lineage((first.number,), way, n_moves, seed)
        low, high = space.nodes
        if space.pool is None and not low <= graph.n_neurons <= high:
            return None
        params = _params_of(space, first.params, graph)
        return space.finish(graph, params, *self._source.units), params, lineage

    def _winner(self, parents: Sequence[FrozenTrial], rng: np.random.Generator) -> FrozenTrial:
        """Return the best of a few parents that are drawn at random."""
        drawn = subset(rng, len(parents), min(_TOURNAMENT, len(parents))).tolist()
        return parents[max(drawn, key=lambda index: self._sign * parents[index].values[0])]

    def _graph(self, parent: FrozenTrial) -> Wiring:
        """Return what the wiring of a trial was made of."""
        return graph_of(self._source.space, parent.params, parent.user_attrs, self._source.units[0])


def _population(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Return the trials that may breed: the latest complete ones."""
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE and math.isfinite(trial.values[0])]
    return complete[-_POPULATION:]


def _proposal(now: Round | None, origin: str, point: Point) -> Proposal:
    return Proposal(origin) if now is None else now.proposal(origin, point)


def _params_of(space: Space, params: Params, graph: Wiring) -> Params:
    """Return the parameters of a child that was bred; see `Child`."""
    own = without_edits(params)
    if "n" in own:
        n_pairs = graph.n_edges / 2 if kind_of(graph) == "undirected" else graph.n_edges
        low, high = space.degree
        own |= {"n": graph.n_neurons, "degree": min(max(2 * n_pairs / graph.n_neurons, low), high)}
    return own


Indices = NDArray[np.int64]
Kind = Literal["undirected", "acyclic", "directed"]


def cross(first: Wiring, second: Wiring, rng: np.random.Generator | int) -> Wiring:
    """Breed a graph from two: as many neurons as the first has, and edges of both.

    Parameters
    ----------
    first, second : Wiring
        Hidden neurons only; layers are not looked at.
    rng : Generator or int
        Randomness of the choice between the edges of one parent and those of the other.

    Returns
    -------
    Wiring
        One layer, whose neurons are numbered like those of the first. Undirected if both parents are, acyclic if both
        are, directed otherwise. Weights and names are dropped.

    Notes
    -----
    Neurons of two graphs have nothing in common but their places, so places are what is aligned. In DAGs neurons are
    in the topological order of `priors.edit`, by longest path from a source and then by number: an edge of either leads
    to a later place, and so no choice among them makes a cycle. In other graphs neurons are in the order of their
    degrees, largest first, and then of their numbers: hubs meet hubs, and where all degrees are equal, as on a ring,
    neighbours meet neighbours. The place r of m in the second parent is the place ``floor((r + 1/2) n / m)`` of n in
    the child. A larger graph is thereby contracted, and edges within one place are lost; a smaller one is spread out.

    Edges that both parents have are kept. Of those that one of them has, a random subset is taken, each edge alike, of
    the size that gives the child the mean of its parents' mean degrees, or as near to it as those edges allow. Taken
    one by one with probability 1/2 they would give the same on average, but a child beyond both parents now and then.
    """
    kind = kind_of(first, second)
    n, m = first.n_neurons, second.n_neurons
    places = _places(second, kind) * 2 + 1
    theirs = _order(first, kind)[places * n // (2 * m)][second.edges]
    # What one place swallowed is no self edge of the second parent.
    theirs = theirs[(theirs[:, 0] != theirs[:, 1]) | (second.edges[:, 0] == second.edges[:, 1])]
    own, others = _codes(first.edges.astype(np.int64), n, kind), _codes(theirs, n, kind)
    kept, disputed = np.intersect1d(own, others), np.setxor1d(own, others)
    n_second = len(_codes(second.edges.astype(np.int64), m, kind))
    wanted = int(np.floor((len(own) + n_second * n / m) / 2 + 0.5))
    taken = min(max(wanted - len(kept), 0), len(disputed))
    codes = np.concatenate([kept, disputed[subset(np.random.default_rng(rng), len(disputed), taken)]])
    edges = np.stack(np.divmod(codes, n), axis=1)
    if kind == "undirected":
        edges = np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)
    return Wiring((n,), edges)


def kind_of(*wirings: Wiring) -> Kind:
    """Return what all of some graphs are; a graph without edges is of any kind."""
    if all(wiring.is_undirected for wiring in wirings):
        return "undirected"
    return "acyclic" if all(wiring.is_acyclic for wiring in wirings) else "directed"


def _order(wiring: Wiring, kind: Kind) -> Indices:
    """Return the neuron in every place."""
    height = longest_paths(wiring) if kind == "acyclic" else -(wiring.in_degree + wiring.out_degree)
    return np.argsort(height, kind="stable")


def _places(wiring: Wiring, kind: Kind) -> Indices:
    """Return the place of every neuron."""
    return np.argsort(_order(wiring, kind))


def _codes(edges: Indices, n: int, kind: Kind) -> Indices:
    """Return each edge as one number; of an undirected one both directions are one edge."""
    if kind == "undirected":
        edges = edges[edges[:, 0] <= edges[:, 1]]
    return np.unique(edges[:, 0] * n + edges[:, 1])
