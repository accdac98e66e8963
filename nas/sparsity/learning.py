"""Train a network while its structure changes: pruned down to a target, or rewired at a constant number of weights."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Integral
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nas.errors import InputError, known
from nas.networks import SparseMLP
from nas.networks.structure import Network, wiring_of
from nas.sparsity.allocation import EmptyLayerError, allocate
from nas.sparsity.compact import fold_constants
from nas.sparsity.edges import EdgeView, whole_counts
from nas.sparsity.fan_in import draw_fan_in
from nas.sparsity.growth import draw_places
from nas.sparsity.layers import Floats, Layer, Live, Places, in_order, size_of
from nas.sparsity.measured import check_score, input_products_of, measured, surgery
from nas.sparsity.methods import METHODS, Method, method_of
from nas.sparsity.network import DenseGradients, gradients_of, layers_of, neurons_of, place_weights
from nas.sparsity.neurons import Liveness, largest_within, liveness, liveness_with
from nas.sparsity.schedules import UpdatePoints
from nas.sparsity.scores import score
from nas.sparsity.selection import insert_sorted, is_among
from nas.sparsity.update import Update, drop_and_grow, drop_to
from nas.tasks.task import Task
from nas.training.places import places_of, weights_of, wired_parts
from nas.training.recipe import Recipe
from nas.training.session import History, RewirableSession, StopFlag, Weights
from nas.training.train import session
from predictors import FEATURES
from predictors.features.describe import measured as measured_features

__all__ = ["Learned", "Snapshot", "check_learning", "learn", "sparsify"]

_CORRECTIONS = 2


@dataclass(frozen=True)
class Snapshot:
    """The structure of a network at a step of its training.

    Parameters
    ----------
    step, epoch : int
        Updates and epochs that are done.
    weights : int
        That live.
    parameters : int
        Live ones: weights on a way from an input to an output unit, and biases of neurons on one.
    densities : tuple of float
        Of each layer, live weights / places.
    turnover : float
        Share of the weights that live at places where none did at the snapshot before.
    features : mapping
        What was asked for of its wiring, by the names of `predictors.FEATURES`.
    """

    step: int
    epoch: int
    weights: int
    parameters: int
    densities: tuple[float, ...]
    turnover: float
    features: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Learned:
    """A network that was trained while its structure changed.

    Parameters
    ----------
    network : nn.Module
    history : History
    layers : tuple of Layer
    snapshots : tuple of Snapshot
        At the start, at the end of each epoch, and at the end.
    liveness : Liveness
        What of the final structure takes part.
    ever : int
        Places that were live at some time.
    updates : int
        Changes of structure.
    """

    network: nn.Module
    history: History
    layers: tuple[Layer, ...]
    snapshots: tuple[Snapshot, ...]
    liveness: Liveness
    ever: int
    updates: int


def sparsify(
    network: nn.Module,
    counts: Places,
    rng: np.random.Generator,
    *,
    constant_fan_in: bool = False,
    whole_edges: bool = False,
) -> None:
    """Let so many weights live in each layer, at random places where there are weights now, from new initial values.

    Parameters
    ----------
    network : nn.Module
        A `SparseMLP` or a `SequenceNetwork`, changed in place.
    counts : (n_layers,) int64
        By `layers_of`; see `allocate`.
    rng : numpy.random.Generator
        Draws the places, and the initial weights as those of a network that has these edges from the start.
    constant_fan_in : bool
        Whether all rows of a layer get equally many, so that counts are met nearly.
    whole_edges : bool
        Whether edges get the weights of all their gates; counts are multiples of these then.

    Raises
    ------
    InputError
        If a layer has fewer weights, or for a constant fan-in where not every place may live.
    """
    parts, layers = wired_parts(network), layers_of(network)
    allowed = None if _has_room(network) else _unless_complete(places_of(parts), layers)
    if constant_fan_in and allowed is not None:
        raise InputError("a constant fan-in needs a network in which every edge between its layers may live")
    # Without several gates an edge is a weight.
    view = EdgeView.of_layers(layers) if whole_edges else None
    if view is not None:
        counts = counts // np.array([layer.gates for layer in layers])
        allowed = None if allowed is None else np.unique(view.of_places(allowed))
        layers = view.layers
    if constant_fan_in:
        drawn = [draw_fan_in(layer, int(count), rng) for layer, count in zip(layers, counts, strict=True)]
        places = np.sort(np.concatenate(drawn))
    else:
        places = draw_places(layers, counts, rng, allowed)
    _let_live(network, places if view is None else view.to_places(places))
    for part in parts:
        part.reset_parameters(rng)


def _has_room(network: nn.Module) -> bool:
    """Whether weights may come to live at every place of a network, without living there now."""
    return isinstance(network, SparseMLP) and network.room


def _unless_complete(allowed: Places, layers: tuple[Layer, ...]) -> Places | None:
    return None if len(allowed) == size_of(layers) else allowed


def _let_live(network: nn.Module, slots: Places) -> None:
    place_weights(network, slots, np.zeros(len(slots)))


def learn(
    network: nn.Module,
    task: Task,
    recipe: Recipe,
    method: Method | str,
    *,
    weights: int | None = None,
    parameters: int | None = None,
    places: Places | None = None,
    count_biases: bool = True,
    learning_rate: float | None = None,
    rng: int | np.random.Generator | None = None,
    engine: str = "auto",
    stop: StopFlag | None = None,
    threads: int | None = None,
    features: Sequence[str] = (),
    watch: Callable[[int, int], None] = lambda *_: None,
) -> Learned:
    """Train a network to the end of its recipe while a method changes its structure.

    Parameters
    ----------
    network : nn.Module
        A `SparseMLP` or a `SequenceNetwork` in which everything lives that may, or a `SparseMLP` with room; changed and
        trained in place. Pruning begins with all of it, rewiring with as many weights as are wanted, at random places
        and with new values, or with the ones at `places`. With room nothing is ever made that has an entry for every
        place, so that layers may have any size: weights grow at random places then, and there is nothing to prune.
    task, recipe
    method : Method or str
        One of one's own, or the name of one of `METHODS`.
    weights, parameters : int, optional
        The target: weights that live in the end, or live parameters at most, that is weights on a way from an input to
        an output unit and biases of neurons on one. What takes no part is removed then.
    places : (n,) int64 array, optional
        Where weights live when rewiring begins, ascending, with the values that the network has there; as many live in
        the end. Exactly one of weights, parameters and places is given; see `nas.sparsity.room`.
    count_biases : bool
        Whether biases count among `parameters`; without them these are the multiplications of an example.
    learning_rate : float, optional
        One rung of the recipe's ladder; by default its first.
    rng : int or numpy.random.Generator, optional
        Draws the order of the examples and, independently of it, structure and new weights.
    engine : str
        One of `nas.training.ENGINES`.
    stop : StopFlag, optional
    threads : int, optional
        As in `nas.training.train.session`; results do not depend on it.
    features : sequence of str
        Features of the wiring, of `predictors.FEATURES`, that snapshots hold.
    watch : callable
        Told the steps that are done, and all, whenever the structure changes and an epoch ends.

    Raises
    ------
    InputError
        For a target out of reach, or a method that does not fit the training or the network.
    Interrupted
        If the stop flag is set before the end.
    """
    method = _check(method, recipe, weights, parameters, places)
    batches, structure = _generator(rng).spawn(2)
    learner = _Learner(
        network, task, recipe, method, weights, parameters, places, count_biases, structure, engine, features
    )
    learner.begin()
    learner.session = session(
        network, task, recipe, learning_rate=learning_rate, rng=batches, engine=engine, stop=stop, threads=threads
    )
    return learner.run(watch)


def check_learning(
    network: nn.Module,
    task: Task,
    recipe: Recipe,
    method: Method | str,
    *,
    weights: int | None = None,
    parameters: int | None = None,
    places: Places | None = None,
    count_biases: bool = True,
) -> None:
    """Raise the InputError that `learn` would raise, without training; the network may be changed."""
    method = _check(method, recipe, weights, parameters, places)
    rng = np.random.default_rng(0)
    _Learner(network, task, recipe, method, weights, parameters, places, count_biases, rng, "auto").begin()


def _generator(rng: int | np.random.Generator | None) -> np.random.Generator:
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise InputError(f"rng={rng!r}: it must be a whole number of at least 0, a numpy Generator, or None") from None


def _check(
    given: Method | str, recipe: Recipe, weights: int | None, parameters: int | None, places: Places | None
) -> Method:
    """Refuse what no network could be trained with; return the method."""
    method = method_of(given) if isinstance(given, str) else given
    _check_values(method, weights, parameters, places)
    _check_target(method, weights, parameters, places)
    if recipe.patience is not None and method.action == "prune":
        raise InputError(
            f"patience={recipe.patience}: a training that prunes ends with its last epoch; leave patience out"
        )
    for name, value, why in (
        ("action", "shadow", "weights that do not live are trained on"),
        ("masked_slots", "dense", "weights that do not live have moments"),
    ):
        if getattr(method, name) == value:
            raise InputError(f"{name}={value}: {why}, which a sparse training does not hold; use another method")
    if method.needs_dense == "momentum":
        raise InputError(
            f"growth={method.growth}: weights that do not live have no momentum in a sparse training; use gradient or "
            "random"
        )
    return method


def _check_values(method: object, weights: object, parameters: object, places: object) -> None:
    """Refuse what is no method, and targets that are none."""
    if not isinstance(method, Method):
        raise InputError(f"method={method!r}: it must be a Method, or one of {', '.join(METHODS)}")
    for name, value in (("weights", weights), ("parameters", parameters)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, Integral) or value < 1):
            raise InputError(f"{name}={value!r}: it must be a whole number of at least 1")
    if places is not None and not (isinstance(places, np.ndarray) and places.ndim == 1 and len(places)):
        what = f"an array of shape {places.shape}" if isinstance(places, np.ndarray) else f"a {type(places).__name__}"
        raise InputError(f"places: they must be an int64 array of a place or more, ascending, and this is {what}")


def _check_target(method: Method, weights: int | None, parameters: int | None, places: Places | None) -> None:
    """Refuse targets that the method does not take."""
    if (weights is None) + (parameters is None) + (places is None) != 2:
        n = "none" if places is None else f"{len(places)} of them"
        raise InputError(
            f"weights={weights}, parameters={parameters}, places={n}: exactly one of the three is the target"
        )
    if places is not None and (method.action == "prune" or method.constant_fan_in):
        why = "pruning begins with all weights" if method.action == "prune" else "every row has equally many weights"
        raise InputError(f"places: {why}; leave them out, and give weights or parameters")
    if method.action == "prune" and method.granularity == "edge" and parameters is None:
        raise InputError(f"weights={weights} counts single weights: with granularity=edge give parameters")


class _Learner:
    """One training with changing structure."""

    session: RewirableSession
    counts: Places

    def __init__(
        self,
        network: nn.Module,
        task: Task,
        recipe: Recipe,
        method: Method,
        weights: int | None,
        parameters: int | None,
        places: Places | None,
        count_biases: bool,
        rng: np.random.Generator,
        engine: str,
        features: Sequence[str] = (),
    ) -> None:
        self.network, self.task, self.method, self.rng = network, task, method, rng
        self.parts, self.layers, self.neurons = wired_parts(network), layers_of(network), neurons_of(network)
        own = self.neurons
        # Those of the target: a bias costs what a weight does, or nothing.
        self.counted = own if count_biases else replace(own, biases=np.zeros_like(own.biases))
        # None: all places, which are too many to list.
        self.allowed = None if _has_room(network) else places_of(self.parts)
        self.weights, self.parameters, self.places = weights, parameters, places
        self.per_epoch = recipe.updates_of_epoch(len(task.train))
        self.n_steps = recipe.epochs * self.per_epoch
        changes = method.action in ("prune", "rewire")
        self.points: UpdatePoints | None = method.points(self.n_steps, self.per_epoch) if changes else None
        self.engine, self.features = engine, tuple(features)
        for name in [features] if isinstance(features, str) else self.features:
            known("feature", name, FEATURES)
        if isinstance(features, str):
            raise InputError(f"features={features!r}: they must be a sequence of names, such as [{features!r}]")
        self._dense_layers = method.dense_layers(self.layers)
        # All of it, before anything is dropped.
        self._everything = copy.deepcopy(network) if self._needs_gradients and self.allowed is not None else None
        self.snapshots: list[Snapshot] = []
        self.updates = 0
        self._changed_at = -1
        # Places at the last snapshot, and at the one before.
        self._seen = self._seen_before = np.zeros(0, np.int64)
        self.ever = np.zeros(0, np.int64)

    # The start

    def begin(self) -> None:
        """Give the network the structure that it starts with."""
        check_score(self.method.score, self.network)
        if self.allowed is None:
            self._refuse_without_list()
        if self.parameters is not None:
            total = size_of(self.layers) if self.allowed is None else len(self.allowed)
            total += int(self.counted.biases.sum())
            if self.parameters > total:
                raise InputError(f"parameters={self.parameters}: the network has {total}; give fewer")
        if self.method.action == "prune":
            # What cannot be is said before anything is trained.
            self._check_target()
            _ = self._targets
            return
        by_edge = self.method.granularity == "edge"
        if by_edge:
            self._check_edges()
        if self.places is not None:
            self._keep_only(self.places)
            return
        total = self.weights if self.weights is not None else self._affordable()
        given = self.layers if self.allowed is None else self._room
        self.counts = allocate(self.method.allocation, given, total, dense=self._dense_layers)
        if by_edge:
            self.counts = self._whole(self.counts)
        sparsify(
            self.network,
            self.counts,
            self.rng,
            constant_fan_in=self.method.constant_fan_in,
            whole_edges=by_edge,
        )

    def _check_target(self) -> None:
        """Refuse fewer weights or parameters than pruning may have to leave: it empties no layer."""
        if self.weights is not None:
            least = self._least(self._room)
            if self.weights < least:
                names = ", ".join(layer.name for layer in self.layers)
                dense = f", and all of {self._dense_layers[0]}" if self._dense_layers else ""
                raise InputError(
                    f"weights={self.weights}: every layer keeps 1 at least ({names}){dense}; give at least {least}"
                )
        elif self.parameters is not None:
            # Of a chain of single weights, each of which leads to another neuron; outputs keep their biases.
            outputs, biases = self.counted.outputs, self.counted.biases
            single = [layer.gates if self.method.granularity == "edge" else 1 for layer in self.layers]
            into = [int(biases[rows[0]]) for rows in self.counted.rows if len(rows) and rows[0] not in outputs]
            least = sum(single) + sum(into) + int(biases[outputs].sum())
            if self.parameters < least:
                raise InputError(
                    f"parameters={self.parameters}: no network with {len(outputs)} outputs has so few; at least "
                    f"{least} are needed"
                )

    def _least(self, live: Live) -> int:
        """Return how many of some weights, or edges, pruning leaves at least."""
        return sum(
            int(count) if layer.name in self._dense_layers else min(int(count), 1)
            for layer, count in zip(live.layers, live.counts(), strict=True)
        )

    def _check_edges(self) -> None:
        """Refuse what would let the number of weights change where edges are dropped and grown whole."""
        view = EdgeView.of_layers(self.layers)
        for name, places in (("places", self.places), ("the network", self.allowed)):
            if places is not None and in_order(places, 0, size_of(self.layers)) and not view.is_whole(places):
                raise InputError(
                    f"granularity=edge: edges are dropped and grown with the weights of all gates, and {name} has "
                    "edges without some; give granularity=weight"
                )
        if self.method.scope == "global" and len({layer.gates for layer in self.layers}) > 1:
            raise InputError(
                "scope=global with granularity=edge: edges of some layers have more weights than those of others, so "
                "that the number of weights would change; give scope=layer"
            )

    def _whole(self, counts: Places) -> Places:
        """Return counts of whole edges, with the same sum, or no more where parameters are the target."""
        room = np.array([layer.size for layer in self.layers]) if self.allowed is None else self._room.counts()
        found = whole_counts(self.layers, counts, room)
        if found.sum() > counts.sum() or (found.sum() < counts.sum() and self.weights is not None):
            raise InputError(
                f"{counts.sum()} weights are no number of whole edges of these layers, with at least one in each: with "
                f"granularity=edge give another, such as {found.sum()}"
            )
        return found

    def _keep_only(self, places: Places) -> None:
        """Let weights live at these places alone, with the values that they have."""
        weights = weights_of(self.parts, np.zeros((0, sum(len(part.weight) for part in self.parts))))
        if not in_order(places, 0, size_of(self.layers)) or not is_among(places, weights.slots).all():
            raise InputError("places: they must be int64, ascend, and be among those where the network has weights")
        self.counts = Live(self.layers, places, np.zeros(len(places))).counts()
        place_weights(self.network, places, weights.weight[np.searchsorted(weights.slots, places)])

    def _refuse_without_list(self) -> None:
        """Refuse what needs a number for every place."""
        method = self.method
        if method.is_listless:
            return
        if method.action == "prune":
            what = "action=prune: there is nothing to prune where nothing lives"
        elif method.needs_dense is not None:
            what = f"growth={method.growth}: it needs a number for every place"
        else:
            what = f"score={method.score}: it needs matrices of all neurons"
        raise InputError(
            f"{what}, and this network only has room for weights; give one in which they live, or rewire with "
            "growth=random and score=magnitude, say"
        )

    @property
    def _room(self) -> Live:
        assert self.allowed is not None
        return Live(self.layers, self.allowed, np.zeros(len(self.allowed)))

    def _affordable(self) -> int:
        """Return the weights that are left beside all biases."""
        assert self.parameters is not None
        biases = int(self.counted.biases.sum())
        if self.parameters - biases < len(self.layers):
            raise InputError(
                f"parameters={self.parameters}: {biases} biases leave no weights; at least "
                f"{biases + len(self.layers)} are needed"
            )
        return min(self.parameters - biases, size_of(self.layers) if self.allowed is None else len(self.allowed))

    # The training

    def run(self, watch: Callable[[int, int], None]) -> Learned:
        """Train to the end; seconds are those of all of it, changes of the structure included."""
        started = time.perf_counter()
        self._look(0)
        step, epochs_seen = 0, 0
        finished = False
        while not finished:
            due = self._due(step)
            ends = (step // self.per_epoch + 1) * self.per_epoch
            until = min(ends, self.n_steps if due is None else max(due, step))
            progress = self.session.run(until - step)
            step, finished = progress.step, progress.finished
            if not finished and due is not None and step == due:
                step, finished = self._change(step)
            if step // self.per_epoch > epochs_seen or finished:
                epochs_seen = step // self.per_epoch
                self._look(step)
            watch(step, self.n_steps)
        self._finish(step)
        return Learned(
            self.network,
            replace(self.session.history(), seconds=time.perf_counter() - started),
            self.layers,
            tuple(self.snapshots),
            self._structure,
            len(self.ever),
            self.updates,
        )

    def _due(self, step: int) -> int | None:
        """Return the number of done steps before which the structure changes next, at `step` or later."""
        if self.points is None:
            return None
        early = self.method.update_step == "before"
        following = self.points.following(max(step + early, self._changed_at + 1))
        # Pruning may come to its target before its time is over.
        if following is None or (self.method.action == "prune" and following not in self._targets):
            return None
        return following - early

    def _change(self, step: int) -> tuple[int, bool]:
        """Change the structure where `step` updates are done; return the steps that are done then."""
        early = self.method.update_step == "before"
        point = step + early
        self._changed_at = point
        now = self.session.weights()
        # An update that takes the place of another reads the examples that this one would have seen.
        gradients = self._gradients() if self._needs_gradients else None
        live = self._live(now, gradients)
        scores = score(self.method.score, live, self.rng, **self.method.score_options)
        assert self.points is not None
        if self.method.action == "prune":
            update = self._prune(live, scores, self._targets[point])
        else:
            update = drop_and_grow(
                live,
                scores,
                str(self.method.growth),
                self.method.fraction_at(point, self.points),
                switches=self.method,
                rng=self.rng,
                dense_gradient=self._dense_matrix(gradients),
                allowed=None if self.allowed is None else _unless_complete(self.allowed, self.layers),
                targets=self.counts if self.method.constant_fan_in else None,
            )
        self._apply(now, update)
        self.updates += 1
        if self.method.update_step == "replace" and self.method.action == "rewire":
            progress = self.session.skip()
            return progress.step, progress.finished
        return step, False

    def _apply(self, now: Weights, update: Update) -> None:
        rows = [update.carry(row) for row in now.moments]
        moments = np.array(rows, now.moments.dtype).reshape(len(rows), len(update.slots))
        if self.method.kept_slots == "zero":
            moments = np.zeros_like(moments)
        before = now.weight
        if self.method.score == "obs" and self.method.action == "prune":
            live = Live(self.layers, now.slots, now.folded.astype(np.float64))
            made = surgery(live, update.kept, input_products_of(self.network, self.task))
            before = _unscaled(made, now.scale).astype(before.dtype)
        weight = update.carry(before, self._new_weights(update))
        self.session.rewire(Weights(update.slots, weight, moments))
        self.ever, _ = insert_sorted(self.ever, update.grown[~is_among(update.grown, self.ever)])

    def _new_weights(self, update: Update) -> NDArray[np.float64] | float:
        n = int(np.count_nonzero(update.source < 0))
        if self.method.new_weight == "normal-tenth":
            return self.rng.normal(size=n) / 10
        if self.method.new_weight == "init" and n:
            fresh = copy.deepcopy(self.network)
            _let_live(fresh, update.slots)
            parts = wired_parts(fresh)
            for part in parts:
                part.reset_parameters(self.rng)
            return weights_of(parts, np.zeros((0, len(update.slots)))).weight[update.source < 0].astype(np.float64)
        return 0.0

    # Pruning

    @cached_property
    def _targets(self) -> dict[int, int]:
        """Weights, or live parameters where these are the target, after each point of pruning."""
        assert self.points is not None
        total, goal = self._room.n, self.weights
        if self.parameters is not None:
            total = liveness(self._room, self.counted).n_parameters
            goal = min(self.parameters, total)
        assert goal is not None
        if goal > total:
            raise InputError(f"weights={goal}: the network has {total}; give fewer")
        steps = self.points.steps()
        return dict(zip(steps, self.method.pruning_counts(total, goal, len(steps)), strict=False))

    def _prune(self, live: Live, scores: Floats, target: int) -> Update:
        view = EdgeView.of(live) if self.method.granularity == "edge" else None
        seen, own = (live, scores) if view is None else (view.live(live), view.sums(scores))

        def kept(total: int) -> Update:
            return drop_to(
                seen,
                own,
                allocate(self.method.allocation, seen, total, own, at_least=1, dense=self._dense_layers),
            )

        if self.parameters is None:
            return kept(min(target, live.n))

        def marks(total: int) -> NDArray[np.bool_]:
            found = np.zeros(seen.n, bool)
            found[kept(min(total, seen.n)).kept] = True
            return found if view is None else found[view.edge]

        least = self._least(seen)
        if target == min(self._targets.values()):
            _, takes_part = largest_within(live, self.counted, target, marks, low=least)
        else:
            # On the way, weights in proportion to the parameters that are wanted are near enough.
            of = liveness_with(live, self.counted)
            total, found = seen.n, of(np.ones(live.n, bool))
            for _ in range(_CORRECTIONS):
                total = min(max(round(total * target / max(found.n_parameters, 1)), least), seen.n)
                found = of(marks(total))
            takes_part = found.weights
        if not takes_part.any():
            raise EmptyLayerError(
                f"parameters={self.parameters}: of so few nothing leads from inputs to outputs; give more"
            )
        counts = np.diff(np.searchsorted(np.flatnonzero(takes_part), live.bounds()))
        # All recurrent weights of an RNN may take no part, and all of a layer that shortcuts lead past.
        return drop_to(live, np.where(takes_part, 1.0, 0.0), counts, may_empty=True)

    # What scores and growth want to know

    @property
    def _needs_gradients(self) -> bool:
        return "gradient" in self.method.needs or self.method.needs_dense == "gradient"

    @cached_property
    def _dense_gradients(self) -> DenseGradients:
        assert self._everything is not None
        return DenseGradients(self._everything, self.task, self.engine)

    def _gradients(self) -> NDArray[Any]:
        """Return the gradients by what is allowed, or by what lives where that is not listed.

        In a training that normalises they are those by its own weights, which new ones become.
        """
        examples, normalised = self.session.next_batch(), self.session.normalised()
        if self.allowed is not None:
            return self._dense_gradients.at(self.network, examples, normalised)
        if normalised is None:
            return gradients_of(self.network, self.task, self.engine)(examples)
        raw = copy.deepcopy(self.network)
        assert isinstance(raw, SparseMLP)
        with torch.no_grad():
            raw.weight.copy_(torch.from_numpy(normalised.weight))
            raw.bias.copy_(torch.from_numpy(normalised.bias))
        return gradients_of(raw, self.task, self.engine)(examples, normalised.gamma)

    def _live(self, now: Weights, gradients: NDArray[Any] | None) -> Live:
        """Return the weights of the network with what the score needs."""
        live = Live(self.layers, now.slots, now.folded.astype(np.float64))
        if gradients is not None:
            if self.allowed is not None:
                is_complete = _unless_complete(self.allowed, self.layers) is None
                gradients = gradients[now.slots if is_complete else np.searchsorted(self.allowed, now.slots)]
            live = replace(live, gradient=_unscaled(gradients.astype(np.float64), now.scale))
        return measured(live, self.network, self.task, self.method.needs)

    def _dense_matrix(self, gradients: NDArray[Any] | None) -> Callable[[int], NDArray[Any]] | None:
        if self.method.needs_dense is None:
            return None
        assert gradients is not None
        found = gradients
        return lambda index: self._dense_gradients.matrix(found, index)

    # The end

    def _finish(self, step: int) -> None:
        """Remove what takes no part where the target counts what does."""
        if self.parameters is None or self._structure.weights.all():
            return
        fold_constants(self.network)  # type: ignore[arg-type]
        keep = self._structure.weights
        weight = np.concatenate([part.weight.detach().cpu().numpy() for part in self.parts])
        place_weights(self.network, places_of(self.parts)[keep], weight[keep])
        self._look(step)

    @property
    def _structure(self) -> Liveness:
        """What takes part of the network as it is."""
        slots = places_of(self.parts)
        return liveness(Live(self.layers, slots, np.zeros(len(slots))), self.neurons)

    def _look(self, step: int) -> None:
        slots = places_of(self.parts)
        live = Live(self.layers, slots, np.zeros(len(slots)))
        if not self.snapshots:
            self.ever = self._seen = slots
        again = bool(self.snapshots) and self.snapshots[-1].step == step
        if not again:
            self._seen_before = self._seen
        self._seen = slots
        turnover = int(np.count_nonzero(~is_among(slots, self._seen_before))) / max(live.n, 1)
        found = liveness(live, self.neurons).n_parameters
        densities = tuple(map(float, live.densities()))
        features = {}
        if self.features:
            wiring = wiring_of(cast("Network", self.network))
            features = dict(zip(self.features, measured_features([wiring], self.features)[0].tolist(), strict=True))
        snapshot = Snapshot(step, step // self.per_epoch, live.n, found, densities, turnover, features)
        self.snapshots[len(self.snapshots) - again :] = [snapshot]


def _unscaled(values: Floats, scale: Floats | None) -> Floats:
    """Divide folded weights by their scale, or gradients by a training's own weights to have those by the folded ones.

    What a scale of 0 makes 0 stays so.
    """
    if scale is None:
        return values
    return np.divide(values, scale, out=np.zeros_like(values), where=scale != 0)
