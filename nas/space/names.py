"""Names: parameters of a study of one's own must not have those of the space.

Optuna knows a parameter by its name: a second one of
the same name gets the value of the first, with a warning at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nas.errors import InputError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import BaseTrial

__all__ = ["claimed", "same_name"]

_CLAIM = "_claimed_by_a_space"
_METHODS = ("suggest_categorical", "suggest_int", "suggest_float")


def same_name(name: str, distribution: object) -> InputError:
    """Return the error of a parameter of one's own that has the name of one of the space."""
    return InputError(
        f"parameter {name}: the space has one of this name, with {distribution}; give yours another name, such as "
        f"own_{name}"
    )


def claimed(trial: Any, distributions: Mapping[str, BaseDistribution]) -> Any:
    """Claim the names of some distributions for a space, and return who it then asks for them.

    From here on the trial refuses to be asked for them by others. Only trials of Optuna's that are being made know what
    they were asked for; any other suggester is returned as it is, and so is a trial that is over, which is asked again
    for what it has.

    Raises
    ------
    InputError
        If the trial was asked for one of them before, and not by a space.
    """
    if not hasattr(trial, "params"):
        return trial
    from optuna.trial import BaseTrial, FrozenTrial

    if not isinstance(trial, BaseTrial) or isinstance(trial, FrozenTrial):
        return trial
    names: dict[str, BaseDistribution] = vars(trial).setdefault(_CLAIM, {})
    before = trial.distributions
    # `Study.ask` may have been given the space's own.
    if not before.items() >= distributions.items():
        _check(before.keys() - names.keys(), distributions)
    names.update(distributions)
    for method in _METHODS:
        vars(trial)[method] = _Guard(trial, method, names)
    return _Unguarded(trial)


def _check(own: Iterable[str], distributions: Mapping[str, BaseDistribution]) -> None:
    for name in sorted(own):
        if name in distributions:
            raise same_name(name, distributions[name])


@dataclass(frozen=True, eq=False)
class _Guard:
    """Stands for a method of one trial, and refuses names that a space has."""

    trial: BaseTrial
    method: str
    names: Mapping[str, BaseDistribution]

    def __call__(self, name: str, *args: Any, **options: Any) -> Any:
        if name in self.names:
            raise same_name(name, self.names[name])
        return getattr(type(self.trial), self.method)(self.trial, name, *args, **options)


@dataclass(frozen=True)
class _Unguarded:
    """Asks a trial as if nothing guarded it."""

    trial: BaseTrial

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        return type(self.trial).suggest_categorical(self.trial, name, choices)

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        return type(self.trial).suggest_int(self.trial, name, low, high, log=log)

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        return type(self.trial).suggest_float(self.trial, name, low, high, log=log)
