"""When structure changes, and by how much: targets of pruning, drop fractions, update points."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from nas.errors import InputError, known

__all__ = [
    "DROP_SCHEDULES",
    "Moment",
    "UpdatePoints",
    "cubic_sparsity",
    "drop_fraction",
    "gradual_counts",
    "iterative_counts",
]


_NUMBER = r"(\d+(?:\.\d+)?)"
_TEXT = re.compile(rf"{_NUMBER}\s*(%|steps?|epochs?)(?:,\s*{_NUMBER}\s*% at most)?")


class Moment(NamedTuple):
    """A time in a training: so many steps or epochs, a share of all steps, or never; maybe a share of them at most.

    A step is one weight update, or a change of structure in its place; at step t, t steps are done. Methods whose
    intervals were published for long trainings say by `most`, in per cent of all steps, what becomes of them in short
    ones.
    """

    value: float
    unit: str
    most: float = 100.0

    @classmethod
    def of(cls, given: Moment | int | str) -> Moment:
        """Read a moment: an integer counts steps; text is like "800 steps", "1 epoch", "75%" or "never".

        "800 steps, 10% at most" is 800 steps in a long training, and a tenth of a short one.

        Raises
        ------
        InputError
            For anything else.
        """
        if isinstance(given, Moment):
            return given
        if isinstance(given, int) and not isinstance(given, bool) and given >= 0:
            return cls(given, "steps")
        text = given.strip().lower() if isinstance(given, str) else ""
        if text == "never":
            return cls(math.inf, "steps")
        found = _TEXT.fullmatch(text)
        number, unit, most = (float(found[1]), found[2], float(found[3] or 100)) if found else (0.0, "", 100.0)
        is_share = unit == "%" and number <= 100
        is_count = unit.startswith("epoch") or (unit.startswith("step") and number == int(number))
        if not (is_share or is_count) or not 0 < most <= 100:
            raise InputError(f"{given!r} is no time in a training: valid are a number of steps, '800 steps', "
                             "'1 epoch', '75%' of the training, and 'never'")  # fmt: skip
        return cls(number, "%" if unit == "%" else unit.rstrip("s") + "s", most)

    def step(self, n_steps: int, steps_per_epoch: int) -> float:
        """Return the step that this is in a training, rounded; infinity for never."""
        if math.isinf(self.value):
            return math.inf
        scale = {"steps": 1.0, "epochs": float(steps_per_epoch), "%": n_steps / 100}[self.unit]
        step = round(self.value * scale)
        return step if self.most == 100 else min(step, max(1, int(n_steps * self.most / 100)))

    def __str__(self) -> str:
        if math.isinf(self.value):
            return "never"
        unit = "%" if self.unit == "%" else f" {self.unit[:-1] if self.value == 1 else self.unit}"
        return f"{self.value:g}{unit}" + ("" if self.most == 100 else f", {self.most:g}% at most")


@dataclass(frozen=True)
class UpdatePoints:
    """The steps at which structure changes: every so many from `begin` up to `end`, both included.

    As in google-research/rigl the first one is `begin` itself. None lies at the end of training, for what is grown must
    be trained.

    Parameters
    ----------
    every, begin : int
    end : float
        Infinity for no end.
    n_steps : int
        Steps of the training.
    """

    every: int
    begin: int
    end: float
    n_steps: int

    def __post_init__(self) -> None:
        if self.every < 1 or self.begin < 0 or self.n_steps < 0:
            raise InputError(f"every={self.every}, begin={self.begin}, n_steps={self.n_steps}: structure changes every "
                             "1 or more steps, from step 0 or later, in a training of 0 or more steps")  # fmt: skip
        if self.begin > self.end:
            raise InputError(f"begin={self.begin} is after end={self.end:g}: structure must begin to change before it "
                             "is final; give an earlier begin, or a later end")  # fmt: skip

    @classmethod
    def of(
        cls,
        every: Moment | int | str,
        begin: Moment | int | str,
        end: Moment | int | str,
        *,
        n_steps: int,
        steps_per_epoch: int,
    ) -> UpdatePoints:
        """Place moments in a training.

        Raises
        ------
        InputError
            If they do not fit into it.
        """
        at = {}
        for name, given in (("every", every), ("begin", begin), ("end", end)):
            moment = Moment.of(given)
            if name == "every" and not moment.value:
                raise InputError(f"every={moment}: between two changes of structure there must be at least 1 step")
            at[name] = moment.step(n_steps, steps_per_epoch)
            if at[name] > n_steps and (name != "end" or math.isfinite(at[name])):
                never = ", and never" if name == "end" else ""
                raise InputError(
                    f"{name}={moment}: the training has {n_steps} steps, {steps_per_epoch} an epoch; valid are up to "
                    f"{n_steps} steps, {n_steps / max(steps_per_epoch, 1):.3g} epochs or 100%{never}"
                )
        return cls(max(1, int(at["every"])), int(at["begin"]), at["end"], n_steps)

    @property
    def last(self) -> int:
        """The last step at which structure may change."""
        return int(min(self.end, self.n_steps - 1))

    def is_update(self, step: int) -> bool:
        """Return whether structure changes at a step."""
        return self.begin <= step <= self.last and (step - self.begin) % self.every == 0

    def steps(self) -> range:
        """Return all of these steps."""
        return range(self.begin, self.last + 1, self.every)

    def following(self, step: int) -> int | None:
        """Return the first of them at or after a step, None behind the last one."""
        due = self.begin + max(0, -((self.begin - step) // self.every)) * self.every
        return due if due <= self.last else None

    def share(self, step: int, counted_from: str = "begin") -> float:
        """Return the share of the time up to `end` that is over at a step, from 0 to 1.

        Parameters
        ----------
        step : int
        counted_from : str
            "begin" or "start": from the first update, or from the start of training. "start-released" is the slip of
            google-research/rigl, which divides the time since the start by that from `begin` to `end`.
        """
        known("schedule_from", counted_from, ("begin", "start", "start-released"))
        span = (self.n_steps if math.isinf(self.end) else self.end) - (self.begin if counted_from != "start" else 0)
        over = step - self.begin if counted_from == "begin" else step
        return min(max(over / span, 0.0), 1.0) if span > 0 else float(over >= 0)


def _constant(initial: float, share: float, power: float, lowest: float) -> float:  # noqa: ARG001
    return initial


def _cosine(initial: float, share: float, power: float, lowest: float) -> float:  # noqa: ARG001
    return initial / 2 * (1 + math.cos(math.pi * share))


def _annealing(initial: float, share: float, power: float, lowest: float) -> float:  # noqa: ARG001
    return lowest + (initial - lowest) / 2 * (1 + math.cos(math.pi * share))


def _exponential(initial: float, share: float, power: float, lowest: float) -> float:  # noqa: ARG001
    return float(initial * (1 - share) ** power)


def _thirds(initial: float, share: float, power: float, lowest: float) -> float:  # noqa: ARG001
    return initial * (1.0, 0.5, 0.0, 0.0)[int(share * 3)]


DROP_SCHEDULES: dict[str, Callable[[float, float, float, float], float]] = {
    "constant": _constant,
    "cosine": _cosine,
    "annealing": _annealing,
    "exponential": _exponential,
    "thirds": _thirds,
}
"""Drop fraction by (first one, share of the time that is over, power, last one): constant; half a cosine down to 0
(arXiv:1911.11134); the same down to the last one (arXiv:2306.12230); (1 - share) to the power, which
google-research/rigl calls exponential; whole, half and nothing in three equal spans (arXiv:2110.14032)."""


def drop_fraction(name: str, initial: float, share: float, *, power: float = 3.0, lowest: float = 0.005) -> float:
    """Return the fraction of weights that is dropped when a share of the time is over; see `DROP_SCHEDULES`."""
    return DROP_SCHEDULES[known("drop_schedule", name, DROP_SCHEDULES)](initial, share, power, lowest)


def cubic_sparsity(share: float, final: float, initial: float = 0.0) -> float:
    """Return the sparsity of gradual pruning when a share of its time is over.

    References
    ----------
    Zhu and Gupta (2017), To prune, or not to prune, arXiv:1710.01878
    """
    share = min(max(share, 0.0), 1.0)
    return final + (initial - final) * (1 - share) ** 3


def gradual_counts(total: int, target: int, n: int) -> list[int]:
    """Return the weights that live after each of n steps of gradual pruning, the last of them exactly `target`."""
    _check_target(total, target)
    if n < 1:
        raise InputError(f"n={n}: pruning takes at least 1 step")
    shares = [(step + 1) / n for step in range(n)]
    return [target + round((total - target) * (1 - cubic_sparsity(share, 1.0))) for share in shares]


def iterative_counts(total: int, target: int, rate: float | None = None, number: int | None = None) -> list[int]:
    """Return the weights that live after each step of iterative pruning, the last of them exactly `target`.

    Parameters
    ----------
    total, target : int
        Weights that live before and after.
    rate : float, optional
        Share of the remaining weights that every step removes, rounded down, but at least one weight.
    number : int, optional
        Weights that every step removes; exactly one of `rate` and `number` is given.

    Raises
    ------
    InputError
        If there is more to drop than there is, or the step is out of bounds.
    """
    _check_target(total, target)
    if (rate is None) == (number is None):
        raise InputError(f"rate={rate!r}, number={number!r}: iterative pruning needs exactly one of them")
    if rate is not None and not 0 < rate <= 1:
        raise InputError(f"rate={rate!r}: it must be a number with 0 < rate <= 1")
    if number is not None and number < 1:
        raise InputError(f"number={number!r}: every step must remove at least 1 weight")
    counts: list[int] = []
    left = total
    while left > target:
        left = max(target, left - (number or max(1, int(left * (rate or 0.0)))))
        counts.append(left)
    return counts


def _check_target(total: int, target: int) -> None:
    if not 0 <= target <= total:
        raise InputError(f"{target} weights were to be kept where {total} live: it must be a number from 0 to {total}")
