"""The door through which stored files are read: whatever is wrong with one is said in one line that names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from os import PathLike
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from nas.errors import InputError, printable

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["check_types", "reading"]

_DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What libraries raise that meet values which nobody stores."""
_MOST_LETTERS = 200


@contextmanager
def reading(what: str | PathLike[str], remedy: str = "put a copy back, or give another folder") -> Iterator[None]:
    """Turn whatever is raised inside, where something that was stored is read, into an InputError that names it.

    Errors that speak to the user already, and those of the operating system and of memory, pass as they are.
    """
    try:
        yield
    except InputError:
        raise
    except _DAMAGE as error:
        reason = printable(" ".join(str(error).split())[:_MOST_LETTERS]) or type(error).__name__
        reason = f"{reason} is missing" if isinstance(error, KeyError) else reason
        raise InputError(f"{what}: damaged, or not ours: {reason}; {remedy}") from error


def check_types(value: DataclassInstance) -> None:
    """Check that the fields of a dataclass that was made of JSON are of the types that its annotations say.

    Raises
    ------
    ValueError
        One line on the first one that is not.
    """
    try:
        _fields_of(type(value)).model_validate(vars(value))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place}: {first['msg'][:1].lower()}{first['msg'][1:]}") from None


@cache
def _fields_of(kind: type) -> type[BaseModel]:
    fields: dict[str, Any] = {name: (hint, ...) for name, hint in get_type_hints(kind).items()}
    return create_model(kind.__name__, __config__=ConfigDict(strict=True), **fields)
