"""Method: how structure is learned, as a plain record of switches; METHODS: those of the literature.

Every combination is a method: ``METHODS["rigl"].replace(score="snip", growth="random")``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from nas.errors import InputError, OneLineErrors, known
from nas.sparsity.allocation import ALLOCATIONS
from nas.sparsity.growth import GROWTH
from nas.sparsity.layers import Layer
from nas.sparsity.schedules import (
    DROP_SCHEDULES,
    Moment,
    UpdatePoints,
    drop_fraction,
    gradual_counts,
    iterative_counts,
)
from nas.sparsity.scores import SCORES

__all__ = ["METHODS", "Method", "method_of", "nowak"]

When = Annotated[Moment, BeforeValidator(Moment.of), PlainSerializer(str)]


class Method(OneLineErrors, BaseModel):
    """How the structure of a network changes while it is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    action: Literal["none", "prune", "rewire", "shadow"] = "rewire"
    """none keeps the structure; prune drops weights down to a target; rewire drops and grows as many; shadow computes
    with the best of dense weights, all of which are trained."""
    score: str = "magnitude"
    """What live weights are judged by, one of SCORES."""
    gamma: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    """Weight of the gradient in the score mest."""
    growth: str | None = "random"
    """Where weights are grown, one of GROWTH; none but for rewire."""
    allocation: str = "erk"
    """How many weights each layer holds, one of ALLOCATIONS."""
    dense: Literal["none", "first", "last"] = "none"
    """A layer that keeps all of its weights."""
    scope: Literal["layer", "global"] = "layer"
    """Whether weights are dropped and grown layer by layer, or over all layers by one threshold."""
    granularity: Literal["weight", "edge"] = "weight"
    """Whether single weights are dropped and grown, or edges with the weights of all their gates."""
    fraction: Annotated[float, Field(ge=0, le=1)] = 0.3
    """First drop fraction: the share of weights that an update drops."""
    fraction_of: Literal["live", "all"] = "live"
    """Whether the drop fraction is one of live weights or of all places."""
    drop_schedule: str = "cosine"
    """How the drop fraction falls, one of DROP_SCHEDULES."""
    last_fraction: Annotated[float, Field(ge=0, le=1)] = 0.005
    """Where the schedule annealing ends."""
    power: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 3.0
    """Power of the schedule exponential."""
    rounding: Literal["down", "up"] = "down"
    """How the number of dropped weights is rounded."""
    pruning: Literal["one-shot", "iterative", "cubic"] = "cubic"
    """How pruning comes to its target: at once, by equal shares of what remains, or fast first."""
    rate: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of the remaining weights that a step of iterative pruning removes."""
    every: When = Moment(100, "steps", 10.0)
    """Time between two updates: a number of steps, or text such as '1 epoch' or '1 epoch, 10% at most'."""
    begin: When = Moment(0, "steps")
    """Time of the first update."""
    end: When = Moment(75, "%")
    """Time from which the structure is final, such as '75%', '1 epoch' or 'never'."""
    schedule_from: Literal["begin", "start", "start-released"] = "begin"
    """Whether the schedule of drop fractions begins with the first update or with training; start-released is a slip
    of released RigL, whose schedule then ends too early."""
    regrow_dropped: Literal["allow", "restart", "forbid"] = "allow"
    """Whether weights that were just dropped may be grown again: with the value and slots that they had (allow), as new
    ones (restart), or not at all (forbid)."""
    new_weight: Literal["zero", "init", "normal-tenth", "under-mask"] = "zero"
    """What grown weights start with: 0, a draw from the initial distribution or from N(0, 1) / 10, or the value that
    the dense weights have there."""
    new_slots: Literal["zero", "keep"] = "zero"
    """What the optimizer's slots (momentum, moments) of grown weights start with: 0, or what masked slots hold."""
    kept_slots: Literal["keep", "zero"] = "keep"
    """What an update does to the slots of weights that stay."""
    masked_slots: Literal["zero", "dense"] = "zero"
    """Whether places without a weight have slots that run on with dense gradients."""
    update_step: Literal["replace", "before", "after"] = "after"
    """Whether an update at step t takes the place of the weight update that would make t + 1 steps, or comes just
    before or after the one that makes t; before and after, none is at step 0."""
    count: Literal["exact", "bernoulli"] = "exact"
    """Whether random growth grows as many as were dropped, or so many in expectation."""
    ties: Literal["place", "random"] = "place"
    """Which of weights with equal scores comes first: the one with the lower place, or a random one."""
    constant_fan_in: bool = False
    """Whether all neurons of a layer that are not ablated read equally many others."""
    min_salient: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Share of its fan-in that a neuron must have in salient weights; with fewer it is ablated. For constant fan-in."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        known("score", self.score, SCORES)
        known("allocation", self.allocation, ALLOCATIONS)
        known("drop_schedule", self.drop_schedule, DROP_SCHEDULES)
        if self.growth is not None:
            known("growth", self.growth, GROWTH)
        if (self.growth is None) == (self.action == "rewire"):
            raise InputError(f"growth={self.growth!r} and action={self.action!r}: rewire needs a growth, nothing else "
                             f"has one; known: {', '.join(GROWTH)}")  # fmt: skip
        self._refuse_combinations()
        return self

    def _refuse_combinations(self) -> None:
        if self.score == "set-released" and self.action == "prune":
            raise InputError("score=set-released: it is for rewiring, and drops any number; to prune give another, "
                             "such as set-half")  # fmt: skip
        for name, value, needed, holds in (
            ("count", "bernoulli", "growth='random'", self.growth == "random"),
            ("new_weight", "under-mask", "action='shadow'", self.action == "shadow"),
            ("new_slots", "keep", "masked_slots='dense'", self.masked_slots == "dense"),
            ("score", "set-released", "action='rewire' and scope='layer'",
             (self.action, self.scope) == ("rewire", "layer")),
            ("constant_fan_in", True, "growth='gradient', scope='layer' and regrow_dropped='allow' or 'restart'",
             (self.growth, self.scope) == ("gradient", "layer") and self.regrow_dropped != "forbid"),
            ("granularity", "edge", "another score than 'set-released'", self.score != "set-released"),
            ("scope", "global", "another growth than 'bernoulli', and count='exact'",
             self.growth != "bernoulli" and self.count == "exact"),
        ):  # fmt: skip
            if getattr(self, name) == value and not holds:
                raise InputError(f"{name}={value!r} needs {needed}")
        scored = ALLOCATIONS[self.allocation].needs_scores
        if scored and self.action in ("none", "rewire"):
            raise InputError(f"allocation={self.allocation!r} shares out by scores of weights that live, and "
                             f"action={self.action!r} begins without any: use uniform, er or erk")  # fmt: skip

    @property
    def needs(self) -> frozenset[str]:
        """What its score wants to know of live weights beside their values: see `nas.sparsity.scores.NEEDS`."""
        return SCORES[self.score].needs if self.action != "none" else frozenset()

    @property
    def score_options(self) -> dict[str, float]:
        """Options of the score."""
        return {"gamma": self.gamma} if self.score == "mest" else {}

    @property
    def needs_dense(self) -> str | None:
        """The dense matrix of each layer that it grows by at an update: "gradient", "momentum" or None."""
        return None if self.growth is None else GROWTH[self.growth].needs

    @property
    def is_listless(self) -> bool:
        """Whether a training needs no number for every place, so that layers may have any size."""
        is_small = self.needs.isdisjoint(("hessian", "inverse-hessian"))
        return self.action in ("rewire", "none") and self.needs_dense is None and is_small

    def points(self, n_steps: int, steps_per_epoch: int) -> UpdatePoints:
        """Return the steps of a training at which the structure changes.

        Raises
        ------
        InputError
            If they do not fit into the training.
        """
        points = UpdatePoints.of(self.every, self.begin, self.end, n_steps=n_steps, steps_per_epoch=steps_per_epoch)
        if self.update_step != "replace" and not points.begin:
            points = dataclasses.replace(points, begin=points.every, end=max(points.end, points.every))
        if n_steps and not points.steps():
            raise InputError(f"every={self.every}, begin={self.begin}: the structure would first change at step "
                             f"{points.begin}, and may at step {points.last} last; give less, or train for more "
                             "steps")  # fmt: skip
        return points

    def shortened(self, n_steps: int, steps_per_epoch: int) -> str | None:
        """Return a line on the intervals of the method that are too long for a training; None where none is."""
        own = {name: moment for name in ("every", "begin") if (moment := getattr(self, name)).most < 100}
        taken = {
            name: moment.step(n_steps, steps_per_epoch)
            for name, moment in own.items()
            if moment.step(n_steps, steps_per_epoch) < moment._replace(most=100.0).step(n_steps, steps_per_epoch)
        }
        if self.action not in ("prune", "rewire") or not taken:
            return None
        usual = ", ".join(f"{name}={own[name]._replace(most=100.0)}" for name in taken)
        instead = ", ".join(f"{name}={int(step)}" for name, step in taken.items())
        return f"{usual} is long for a training of {n_steps} steps: {instead} is taken; what is given is kept to"

    def fraction_at(self, step: int, points: UpdatePoints) -> float:
        """Return the fraction of weights that an update at a step drops."""
        share = points.share(step, self.schedule_from)
        return drop_fraction(self.drop_schedule, self.fraction, share, power=self.power, lowest=self.last_fraction)

    def dense_layers(self, layers: Sequence[Layer]) -> list[str]:
        """Return the names of the layers that keep all of their weights, as `allocate` takes them."""
        return {"none": [], "first": [layers[0].name], "last": [layers[-1].name]}[self.dense]

    def pruning_counts(self, total: int, target: int, n_updates: int) -> list[int]:
        """Return the weights that live after each step of pruning, the last of them `target`.

        Iterative pruning takes as many steps as it needs, one-shot pruning one, and gradual pruning `n_updates`.

        Raises
        ------
        InputError
            If there is more to drop than there is, or iterative pruning needs more steps than there are.
        """
        if self.pruning == "one-shot":
            return gradual_counts(total, target, 1)
        if self.pruning == "cubic":
            return gradual_counts(total, target, n_updates)
        counts = iterative_counts(total, target, self.rate)
        if len(counts) > n_updates:
            raise InputError(f"rate={self.rate!r} takes {len(counts)} steps from {total} to {target} weights, and "
                             f"there are {n_updates} updates: remove more at a time, or update more often")  # fmt: skip
        return counts

    def replace(self, **changes: Any) -> Method:
        """Return the method with some switches changed.

        Raises
        ------
        InputError
            For an unknown switch, or a value or combination that is not valid.
        """
        return Method(**{**{name: getattr(self, name) for name in Method.model_fields}, **changes})


_HUNDRED = "100 steps, 10% at most"


def _from_the_first(interval: str) -> dict[str, str]:
    """Return the times of a method whose first update comes after as long as any other."""
    return {"every": interval, "begin": interval, "end": "never"}


_SET = Method(score="set", growth="random", allocation="er", fraction=0.3, drop_schedule="constant",
              **_from_the_first("1 epoch, 25% at most"), regrow_dropped="restart", update_step="after")  # fmt: skip
_RIGL = Method(score="magnitude", growth="gradient", allocation="erk", fraction=0.3, drop_schedule="cosine",
               every=_HUNDRED, begin=0, end="75%", regrow_dropped="allow", new_weight="zero", new_slots="zero",
               update_step="replace")  # fmt: skip
_NOWAK = Method(score="magnitude", growth="random", allocation="erk", fraction=0.5, drop_schedule="annealing",
                last_fraction=0.005, schedule_from="start", **_from_the_first("800 steps, 10% at most"),
                rounding="up")  # fmt: skip
_RELEASED = _NOWAK.replace(score="set-released", count="bernoulli", masked_slots="dense", new_slots="keep")

METHODS: dict[str, Method] = {
    "static": Method(action="none", growth=None),
    "gmp": Method(action="prune", growth=None, score="magnitude", allocation="uniform", pruning="cubic",
                  every=_HUNDRED, begin=0, end="75%"),
    "rigl": _RIGL,
    "rigl-torch": _RIGL.replace(allocation="uniform", dense="first", begin=_HUNDRED),
    "set": _SET.replace(dense="last", new_weight="zero", kept_slots="zero"),
    "set-truly-sparse": _SET.replace(new_weight="normal-tenth"),
    "itop": Method(score="magnitude", growth="random", allocation="erk", fraction=0.5, drop_schedule="annealing",
                   schedule_from="start", **_from_the_first("1500 steps, 10% at most"), rounding="up"),
    "mest": Method(score="mest", growth="random", allocation="uniform", fraction=0.02, fraction_of="all",
                   drop_schedule="thirds", schedule_from="start", **_from_the_first("5 epochs, 10% at most"),
                   regrow_dropped="restart"),
    "dnw": Method(action="shadow", growth=None, score="magnitude", allocation="uniform", every=1, begin=0, end="never",
                  new_weight="under-mask", new_slots="keep", masked_slots="dense"),
    "srigl": _RIGL.replace(constant_fan_in=True, begin=_HUNDRED),
    "nowak": _NOWAK.replace(score="set-half"),
    "nowak-released": _RELEASED,
}  # fmt: skip
"""Methods by name, with intervals as published but where a training is so short that hardly an update would be left.

static: the drawn structure stays. gmp: gradual magnitude pruning (arXiv:1710.01878). rigl: as in google-research/rigl
(arXiv:1911.11134). rigl-torch: as in nollied/rigl-torch. set: SET with a mask in Keras, which begins each epoch with a
new optimizer; set-truly-sparse: without masks, both as in
dcmocanu/sparse-evolutionary-artificial-neural-networks (doi:10.1038/s41467-018-04316-3). itop: arXiv:2102.02887. mest:
arXiv:2110.14032. dnw: discovering neural wirings (arXiv:1906.00586). srigl: constant fan-in (arXiv:2305.02299). nowak,
nowak-released: SET's score as described, and as released, with arXiv:2306.12230; for its other scores see `nowak`.
"""


def method_of(name: str, **changes: Any) -> Method:
    """Return one of `METHODS`, with some switches changed.

    Raises
    ------
    InputError
        For an unknown name or switch, or a value or combination that is not valid.
    """
    return METHODS[known("method", name, METHODS)].replace(**changes)


def nowak(score: str, growth: str, *, released: bool = False) -> Method:
    """Return what arXiv:2306.12230 compares: a score with a growth, as described or as released.

    As released, scores that read gradients update the structure before the weights, and the others after them; the
    number that random growth grows drifts; the momentum of masked weights runs on; and SET's score drops all but the
    most negative of the negative weights.
    """
    known("score", score, SCORES)
    known("growth", growth, GROWTH)
    score = "set-half" if score == "set" else score
    if not released:
        return _NOWAK.replace(score=score, growth=growth)
    reads_gradient = "gradient" in SCORES[score].needs
    return _RELEASED.replace(
        score="set-released" if score == "set-half" else score,
        growth=growth,
        count="bernoulli" if growth == "random" else "exact",
        update_step="before" if reads_gradient else "after",
    )
