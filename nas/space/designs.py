"""Designs: from the parameters of a trial to what a network reads, starts with, and how its structure comes about.

A way is an entry of `WAYS`: which parameters of a trial it has, and the wiring and the `Way` that follow from them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nas.errors import InputError
from nas.inputs import Pooling
from nas.networks import NetworkSpec
from nas.space.budget import Budget
from nas.space.families import FAMILIES, Domain, domain_of, own_parameters
from nas.space.space import Params, Suggester
from nas.space.way import Way
from nas.space.ways import LAYERS, Ways
from nas.space.within import Means, Reading, graph_within, largest, layered_within, parent_within
from nas.sparsity.measured import check_score
from nas.sparsity.methods import method_of
from nas.tasks.pooling import pooled
from nas.tasks.statistics import inputs_of
from priors import READ_INS, Wiring

if TYPE_CHECKING:
    import numpy as np
    from optuna.distributions import BaseDistribution

    from nas.tasks import Task

__all__ = ["PRESETS", "WAYS", "WaySpace", "pruning"]

_SEEDS = ("attach_seed",)
_SEED = Domain(int, (0, 2**31 - 1))
_ALL = -1
"""As many as there may be, in a preset."""
_EVERY = "4%"
"""How often a network is pruned: four times as often takes twice as long, and what is left is no better."""
_FEWEST_SQUARES = 4
"""Along each side of an image whose pixels are averaged."""


@dataclass(frozen=True)
class WaySpace:
    """All candidates of a campaign with a budget, as parameters of trials.

    Parameters
    ----------
    options : Ways
    budget : Budget
    precision : int
        Bits of a weight, for a budget in bytes.
    task : Task
    spec : NetworkSpec
    rates : tuple of float
        Learning rates between whose ends a candidate's own lies.

    Raises
    ------
    InputError
        If no network fits, or an option does not suit the task.
    """

    options: Ways
    budget: Budget
    precision: int
    task: Task
    spec: NetworkSpec
    rates: tuple[float, ...]

    pool = None
    """There are no graphs of the user's own."""
    is_limited = False
    """Nothing that it makes costs too much."""

    def __post_init__(self) -> None:
        for pool in self.pools:
            self._check_affordable(self.means(pool))
        self._check_fit()
        needs_places = [name for name in self.options.read_ins if "positions" in READ_INS[name].needs]
        if not self._read_ins:
            raise InputError(f"ways.read_ins={', '.join(needs_places)}: the inputs of task {self.task.name} are not "
                             "known to lie anywhere; give correlated, variance or random")  # fmt: skip

    def _check_affordable(self, means: Means) -> None:
        if means.limit < means.least():
            least = Budget(self.budget.price(means.least(), 0, self.precision), self.budget.unit)
            raise InputError(f"budget={self.budget}: a network with one hidden neuron and {means.n_outputs} outputs "
                             f"costs {least}; give as much at least")  # fmt: skip

    def _check_fit(self) -> None:
        """Refuse what does not go with the kind of network."""
        options = self.options
        if self.spec.kind == "rnn" and "rewired" in options.ways:
            raise InputError("ways.ways=rewired: single weights of an RNN's gates would move, which make no graph; "
                             "leave it out, or give network=mlp")  # fmt: skip
        if self.spec.kind == "rnn" and options.hidden == (LAYERS,):
            raise InputError("ways.hidden=layers: neurons of an RNN are connected by a graph; give watts-strogatz, "
                             "barabasi-albert or erdos-renyi")  # fmt: skip
        if not {"pruned", "redrawn"}.isdisjoint(options.ways):
            smallest = self.spec.build(self.spec.complete(1, (1,), 1), 0)
            for score in options.scores:
                try:
                    check_score(score, smallest)
                except InputError as error:
                    raise InputError(f"ways.scores={score}: {str(error).partition(': ')[2]}") from None

    @property
    def limit(self) -> int:
        """Weights, and biases where they count, that a network may have."""
        return self.budget.limit(self.precision)

    @cached_property
    def pools(self) -> tuple[int, ...]:
        """Sides of squares of pixels that may be averaged."""
        given, shape = self.options.pools, self.task.shape
        if given is not None:
            for pool in given:
                if pool > 1 and shape is None:
                    raise InputError(f"ways.pools={pool}: the inputs of task {self.task.name} are not known to be "
                                     "images; give a task with a shape, or leave it out")  # fmt: skip
                if shape is not None:
                    _pooling(shape, pool)
            return given
        sides = [] if shape is None else [side for side in shape[-2:] if side > 1]
        return (1, *(pool for pool in (2, 4) if sides and _FEWEST_SQUARES * pool <= min(sides)))

    def means(self, pool: int) -> Means:
        """Return what a network that reads squares of this side may spend, reads and says."""
        inputs = inputs_of(pooled(self.task, pool))
        return Means(self.limit, self.budget.counts_biases, self.spec, inputs, self.task.n_outputs)

    @property
    def _read_ins(self) -> tuple[str, ...]:
        return self._placed(self.options.read_ins)

    def _placed(self, read_ins: tuple[str, ...]) -> tuple[str, ...]:
        """Return those read-ins that suit the inputs: of not all is it known where they lie."""
        has_places = self.task.shape is not None
        return tuple(name for name in read_ins if has_places or "positions" not in READ_INS[name].needs)

    @property
    def _hidden(self) -> tuple[str, ...]:
        graphs = tuple(name for name in self.options.hidden if name != LAYERS)
        return self.options.hidden if self.spec.kind == "mlp" else graphs

    # What a sampler chooses

    def domains(self) -> dict[str, Domain]:
        """Return the values of all parameters of trials but seeds, in the order in which they are asked for."""
        options, n_outputs = self.options, self.task.n_outputs
        return {
            "way": Domain(str, options.ways),
            "pool": Domain(str, tuple(map(str, self.pools))),
            "learning_rate": Domain(float, (min(self.rates), max(self.rates)), log=True),
            "read_in": Domain(str, self._read_ins),
            "locality": Domain(float, options.locality),
            "fan_in": Domain(int, options.fan_in, log=True),
            "fan_out": Domain(int, tuple(min(end, n_outputs) for end in options.fan_out)),
            "hidden": Domain(str, self._hidden),
            "depth": Domain(int, options.depth),
            "links": Domain(int, options.links, log=True),
            "graph_degree": Domain(float, options.graph_degree),
            **{
                name: domain_of(own, own.default)
                for name, own in own_parameters([name for name in self._hidden if name != LAYERS]).items()
            },
            "oversize": Domain(float, options.oversize, log=True),
            "parent_read_in": Domain(str, self._placed(options.parent_read_ins) or ("complete",)),
            "parent_depth": Domain(int, options.parent_depth),
            "shortcuts": Domain(str, options.shortcuts),
            "taper": Domain(float, options.taper),
            "parent_fan_in": Domain(int, options.parent_fan_in, log=True),
            "parent_locality": Domain(float, options.locality),
            "parent_links": Domain(int, options.parent_links, log=True),
            "score": Domain(str, options.scores),
            "until": Domain(float, options.until),
            "rewiring": Domain(str, options.rewirings),
            "drop": Domain(float, options.drop),
            "keeps": Domain(str, options.keeps),
        }

    def suggest(self, trial: Suggester) -> dict[str, str | int | float]:
        """Let a sampler choose what is searched; a parameter is asked for only where it acts."""
        domains = self.domains()
        params: dict[str, str | int | float] = {}

        def ask(name: str) -> Any:
            params[name] = domains[name].suggest(trial, name)
            return params[name]

        for name in ("way", "pool", "learning_rate"):
            ask(name)
        WAYS[str(params["way"])].ask(ask, self.spec.kind)
        return params

    def suggest_all(self, trial: Suggester) -> dict[str, str | int | float]:
        """Let a sampler choose everything that a candidate follows from, its seed included."""
        return {**self.suggest(trial), **{name: _SEED.suggest(trial, name) for name in _SEEDS}}

    def seeds(self, rng: np.random.Generator) -> dict[str, int]:
        """Draw the seeds that make one candidate out of the parameters."""
        return {name: int(rng.random() * 2**31) for name in _SEEDS}

    def distributions(self) -> dict[str, BaseDistribution]:
        """Return Optuna's distributions of all parameters."""
        seeds = dict.fromkeys(_SEEDS, _SEED)
        return {name: domain.distribution() for name, domain in (self.domains() | seeds).items()}

    @cached_property
    def presets(self) -> tuple[Params, ...]:
        """What is worth a first try, as parameters that are given where others are chosen; see `PRESETS`."""
        domains = self.domains()
        middle = math.sqrt(min(self.rates) * max(self.rates))
        found = [
            {
                "pool": str(self.pools[min(step, len(self.pools) - 1)]),
                "learning_rate": middle,
                **{name: domains[name].values[1] if value == _ALL else value for name, value in given.items()},
            }
            for step, given in PRESETS[self.spec.kind]
        ]
        return tuple(own for own in found if all(domains[name].holds(value) for name, value in own.items()))

    # What follows from it

    def wiring(self, params: Params, *_: int) -> Wiring:
        """Return the wiring that a candidate's network starts with."""
        return WAYS[str(params["way"])].wiring(params, self)

    def allows(self, *_: Any) -> bool:
        """Whether a candidate keeps to the budget: each does."""
        return True

    def graph_name(self, _: Params) -> str:
        """Return the name of the user's own graph that a candidate is made of: there is none."""
        return ""

    def notices(self) -> list[str]:
        """Return lines on what somebody who starts a search of this space should know."""
        return []

    def way(self, params: Params) -> Way:
        """Return how a candidate's network comes by its structure from there."""
        own = WAYS[str(params["way"])].way(params, self)
        return replace(own, learning_rate=float(params["learning_rate"]))


def _pooling(shape: tuple[int, ...], pool: int) -> Pooling:
    try:
        return Pooling.of(shape, pool)
    except ValueError as error:
        raise InputError(f"ways.pools={pool}: {error}") from None


Ask = Callable[[str], Any]


@dataclass(frozen=True)
class Kind:
    """One way to a structure.

    Parameters
    ----------
    ask : callable
        Asks for the parameters that it has, one by one, by their names; told the kind of network.
    wiring : callable
        From parameters and a space to the wiring that a network starts with.
    way : callable
        From these to how its structure comes about.
    """

    ask: Callable[[Ask, str], None]
    wiring: Callable[[Params, WaySpace], Wiring]
    way: Callable[[Params, WaySpace], Way]


def _ask_prior(ask: Ask, kind: str) -> None:  # noqa: ARG001
    read_in = READ_INS[ask("read_in")]
    if not read_in.reads_all:
        ask("fan_in")
    if read_in.locality:
        ask("locality")
    ask("fan_out")
    hidden = ask("hidden")
    if hidden != LAYERS:
        ask("graph_degree")
        for name in own_parameters([hidden]):
            ask(name)
    elif ask("depth") > 1:
        ask("links")


def _drawn(params: Params, space: WaySpace) -> Wiring:
    means = space.means(int(params["pool"]))
    reading = Reading(
        int(params.get("fan_in", 1)),
        int(params["fan_out"]),
        str(params["read_in"]),
        float(params.get("locality", 0.0)),
    )
    hidden, seed = str(params["hidden"]), int(params["attach_seed"])
    if hidden == LAYERS:
        return layered_within(means, reading, int(params["depth"]), int(params.get("links", 1)), seed)
    of_degree, degree = FAMILIES[hidden].of_degree, float(params["graph_degree"])
    assert of_degree is not None
    make = of_degree
    return graph_within(means, reading, lambda n: make({**params, "n": n, "degree": degree}), degree, seed)


def _ask_pruned(ask: Ask, kind: str) -> None:
    for name in ("score", "until"):
        ask(name)
    if kind == "rnn":
        ask("oversize")
        return
    depth = ask("parent_depth")
    if depth == 0:
        return
    ask("oversize")
    ask("shortcuts")
    if depth > 1:
        ask("taper")
    read_in = READ_INS[ask("parent_read_in")]
    if read_in.reads_all:
        return
    ask("parent_fan_in")
    if read_in.locality:
        ask("parent_locality")
    if depth > 1:
        ask("parent_links")


def _parent(params: Params, space: WaySpace) -> Wiring:
    """Return the wiring in which everything lives that may."""
    return _within_oversize(params, space, None)


def _rewired_parent(params: Params, space: WaySpace) -> Wiring:
    """Return the same with no more neurons than can be kept."""
    return _within_oversize(params, space, space.limit)


def _within_oversize(params: Params, space: WaySpace, kept: int | None) -> Wiring:
    means = space.means(int(params["pool"]))
    larger = replace(means, limit=round(float(params.get("oversize", 1.0)) * means.limit))
    if space.spec.kind == "rnn":
        width = largest(larger.of_cells, larger.limit)
        return space.spec.complete(means.inputs.n_inputs, (width,), means.n_outputs)
    reading = Reading(
        int(params.get("parent_fan_in", 1)),
        means.n_outputs,
        str(params.get("parent_read_in", "complete")),
        float(params.get("parent_locality", 0.0)),
    )
    return parent_within(
        larger,
        reading,
        int(params["parent_depth"]),
        int(params.get("parent_links", 1)),
        float(params.get("taper", 1.0)),
        int(params["attach_seed"]),
        shortcuts=params.get("shortcuts") == "yes",
        kept=kept,
    )


def pruning(
    space: WaySpace, pool: int, pace: str, score: str = "activation", until: float = 0.5, keeps: str | None = None
) -> Way:
    """Return how a network is pruned to a space's budget, at a pace of `Method.pruning`, by one threshold.

    At once it is pruned when `until` of its training is over.
    """
    begin, end = ("5%", until) if pace == "cubic" else (f"{100 * until:g}%", 1.0)
    method = method_of(
        "gmp",
        score=score,
        allocation="class-blinded",
        granularity="edge" if space.spec.kind == "rnn" else "weight",
        pruning=pace,
        every=_EVERY,
        begin=begin,
        end=f"{100 * end:g}%",
    )
    return Way(pool, method, space.limit, space.budget.counts_biases, keeps)


def _pruned(params: Params, space: WaySpace) -> Way:
    keeps = params.get("keeps")
    return pruning(
        space,
        int(params["pool"]),
        "cubic",
        str(params["score"]),
        float(params["until"]),
        None if keeps is None else str(keeps),
    )


def _rewired(params: Params, space: WaySpace) -> Way:
    method = method_of(str(params["rewiring"]), fraction=float(params["drop"]))
    if params.get("parent_depth") == 0:
        method = method.replace(dense="none")  # The last layer is all that there is.
    return Way(int(params["pool"]), method, space.limit, space.budget.counts_biases)


def _ask_redrawn(ask: Ask, kind: str) -> None:
    _ask_pruned(ask, kind)
    ask("keeps")


def _ask_rewired(ask: Ask, kind: str) -> None:
    ask("rewiring")
    ask("drop")
    depth = ask("parent_depth") if kind == "mlp" else 1
    if depth > 0:
        ask("oversize")
    if depth > 1:
        ask("taper")


PRESETS: dict[str, list[tuple[int, Params]]] = {
    "mlp": [
        (1, {"way": "pruned", "until": 0.75, "parent_depth": 2, "oversize": 3.0, "shortcuts": "no", "taper": 0.4,
             "parent_read_in": "local", "parent_fan_in": 20, "parent_locality": 0.68, "parent_links": 80}),
        (1, {"way": "pruned", "until": 0.6, "parent_depth": 1, "oversize": 15.0, "shortcuts": "no",
             "parent_read_in": "complete"}),
        (0, {"way": "prior", "read_in": "local", "locality": 0.5, "fan_in": 25, "fan_out": _ALL, "hidden": LAYERS,
             "depth": 1}),
        (0, {"way": "pruned", "until": 0.6, "parent_depth": 0}),
        (0, {"way": "pruned", "until": 0.6, "parent_depth": 1, "oversize": 4.0, "shortcuts": "no",
             "parent_read_in": "local", "parent_fan_in": 60, "parent_locality": 0.45}),
        (0, {"way": "prior", "read_in": "correlated", "locality": 0.4, "fan_in": 12, "hidden": LAYERS, "depth": 1}),
        (0, {"way": "rewired", "rewiring": "rigl", "drop": 0.3, "parent_depth": 1, "oversize": 10.0}),
        (2, {"way": "prior", "read_in": "complete", "fan_out": _ALL, "hidden": LAYERS, "depth": 2, "links": _ALL}),
    ],
    "rnn": [
        (0, {"way": "pruned", "until": 0.6, "oversize": 6.0}),
        (0, {"way": "prior", "graph_degree": 4.0}),
    ],
}  # fmt: skip
"""What is worth a first try, by kind of network: which of the sides of squares, from the smallest, and parameters.

They are what did well, by validation, on the images, tables and sequences that this was developed with, the built-in
tasks among them; a sampler goes on from there.
"""

WAYS: dict[str, Kind] = {
    "prior": Kind(
        _ask_prior,
        _drawn,
        lambda params, _: Way(int(params["pool"])),
    ),
    "pruned": Kind(_ask_pruned, _parent, _pruned),
    "rewired": Kind(_ask_rewired, _rewired_parent, _rewired),
    "redrawn": Kind(_ask_redrawn, _parent, _pruned),
}
"""Ways by name."""
