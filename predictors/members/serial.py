"""Members as plain scalars and arrays, and back with every check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictors.members.combined import Hurdle, Mean
from predictors.members.gaussian_process import GaussianProcess
from predictors.members.linear import Constant, Linear
from predictors.members.member import Member
from predictors.members.scaling import Columns, Scaling
from predictors.members.trees import Trees

__all__ = ["KINDS", "from_arrays", "to_arrays"]

Scalar = float | int | str
KINDS: dict[str, type[Any]] = {
    "constant": Constant,
    "linear": Linear,
    "trees": Trees,
    "gaussian-process": GaussianProcess,
    "mean": Mean,
    "hurdle": Hurdle,
}
"""Members by the name that they are stored under."""
_PARTS: dict[str, type[Any]] = {"Columns": Columns, "Scaling": Scaling}
_MOST_NESTED = 4


def to_arrays(member: Member) -> tuple[str, dict[str, Scalar], dict[str, NDArray[Any]]]:
    """Return a member's kind, its scalars and its arrays.

    Names of what belongs to a part begin with the part's name and a dot; the kind of a part that is itself a member is
    the scalar ``<part>.kind``.

    Raises
    ------
    ValueError
        If the object is not one of `KINDS`.
    """
    scalars: dict[str, Scalar] = {}
    arrays: dict[str, NDArray[Any]] = {}
    _collect(member, "", scalars, arrays)
    return _kind_of(member), scalars, arrays


def _kind_of(member: object) -> str:
    for kind, own in KINDS.items():
        if type(member) is own:
            return kind
    raise ValueError(f"{type(member).__name__} is no member; members are {', '.join(KINDS)}")


def _collect(part: Any, prefix: str, scalars: dict[str, Scalar], arrays: dict[str, NDArray[Any]]) -> None:
    for field in fields(part):
        value, name = getattr(part, field.name), prefix + field.name
        if isinstance(value, np.ndarray):
            arrays[name] = value
        elif isinstance(value, (bool, int, float, str)):
            scalars[name] = int(value) if isinstance(value, bool) else value
        else:
            if field.type == "Member":
                scalars[f"{name}.kind"] = _kind_of(value)
            _collect(value, f"{name}.", scalars, arrays)


def from_arrays(kind: str, scalars: Mapping[str, Scalar], arrays: Mapping[str, NDArray[Any]]) -> Member:
    """Return the member that `to_arrays` gave these of.

    Raises
    ------
    ValueError
        For an unknown kind; a name that is missing or one too many; arrays of another type or shape than they must be,
        or that do not fit together; numbers that are not finite or out of range. One line each.
    """
    used: set[str] = set()
    member: Member = _build(_class_of(kind), "", scalars, arrays, used)
    surplus = sorted(({*scalars} | {*arrays}) - used)
    if surplus:
        raise ValueError(f"{kind}: {surplus[0]!r} does not belong to it")
    return member


def _class_of(kind: object) -> type[Any]:
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"kind={kind!r} is not known; known are {', '.join(KINDS)}")
    return KINDS[kind]


def _build(
    own: type[Any], prefix: str, scalars: Mapping[str, Scalar], arrays: Mapping[str, NDArray[Any]], used: set[str]
) -> Any:
    if prefix.count(".") > _MOST_NESTED:
        raise ValueError(f"{prefix[:-1]!r}: parts within parts go no deeper than {_MOST_NESTED}")

    def take(source: Mapping[str, Any], name: str) -> Any:
        used.add(name)
        if name not in source:
            raise ValueError(f"{own.__name__}: {name!r} is missing")
        return source[name]

    values: dict[str, Any] = {}
    for field in fields(own):
        name = prefix + field.name
        kind = str(field.type)
        if kind == "Member":
            part = _class_of(take(scalars, f"{name}.kind"))
            values[field.name] = _build(part, f"{name}.", scalars, arrays, used)
        elif kind in _PARTS:
            values[field.name] = _build(_PARTS[kind], f"{name}.", scalars, arrays, used)
        elif kind.startswith("NDArray"):
            values[field.name] = _array(own, name, take(arrays, name))
        else:
            values[field.name] = _scalar(own, name, kind, take(scalars, name))
    return own(**values)


def _array(own: type[Any], name: str, value: Any) -> NDArray[Any]:
    if not isinstance(value, np.ndarray):
        raise ValueError(f"{own.__name__}: {name!r} is a {type(value).__name__}; it must be an array")
    return value


def _scalar(own: type[Any], name: str, kind: str, value: Any) -> Any:
    if kind == "bool":
        if value not in (0, 1) or isinstance(value, float):
            raise ValueError(f"{own.__name__}: {name}={value!r}; it must be 0 or 1")
        return bool(value)
    if isinstance(value, bool) or not isinstance(value, str if kind == "str" else (int, float)):
        raise ValueError(f"{own.__name__}: {name}={value!r}; it must be a {'text' if kind == 'str' else 'number'}")
    return value
