"""Errors that speak to the user, and the words for them."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from numbers import Real
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

__all__ = [
    "CampaignError",
    "InputError",
    "OneLineErrors",
    "as_input_errors",
    "finite_number",
    "first_line",
    "input_error",
    "known",
    "options_of",
    "printable",
    "unknown_key",
]


_MOST_LETTERS = 120
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Signs after which text runs the other way."""


class InputError(ValueError):
    """What the user gave cannot be used; the message is one line: what, which value, which rule, what is valid.

    Examples
    --------
    >>> from nas import InputError, Space
    >>> try:
    ...     Space(priors="ws")
    ... except InputError as error:
    ...     print(error)
    priors 'ws' is not known (nearest: watts-strogatz); known: ...
    """


class CampaignError(RuntimeError):
    """A campaign cannot go on for a reason that is no fault of the input, such as an evaluation that always fails.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from nas import Campaign, CampaignError
    >>> def evaluate(wiring, params):
    ...     raise OSError("the instrument does not answer")
    >>> with TemporaryDirectory() as folder:
    ...     try:
    ...         Campaign(f"{folder}/own", evaluate=evaluate, trials=3).run()
    ...     except CampaignError as error:
    ...         print(error)
    10 trials failed one after another ...; the last one with: OSError: the instrument does not answer
    """


def known(what: str, name: str, names: Iterable[str]) -> str:
    """Return `name` if it is one of `names`; otherwise raise `InputError`, which names the nearest one, and all."""
    valid = list(names)
    if name not in valid:
        nearest = _nearest(name, valid) if isinstance(name, str) else ""
        raise InputError(f"{what} {_shortened(name)} is not known{nearest}; known: {', '.join(valid)}")
    return name


def printable(text: str) -> str:
    """Return a text with escapes for what moves the cursor, colours, or turns the direction of a terminal.

    Names of files, and what stands in files of others, may hold such signs.
    """
    if text.isprintable():
        return text
    return "".join(sign if _is_harmless(sign) else sign.encode("unicode_escape").decode() for sign in text)


def _is_harmless(sign: str) -> bool:
    return unicodedata.category(sign) not in ("Cc", "Cs", "Zl", "Zp") and sign not in _DIRECTIONS


def finite_number(name: str, value: Any) -> float:
    """Return an option's value if it is a finite number; otherwise raise `InputError`."""
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise InputError(f"{name}={value!r}: it must be a finite number")
    return float(value)


@contextmanager
def as_input_errors(too_large: str) -> Iterator[None]:
    """Put what is wrong with given files and options into one line, for which `too_large` stands where memory ends."""
    try:
        yield
    except ValueError as error:
        raise InputError(" ".join(str(error).split())) from None
    except MemoryError:
        raise InputError(too_large) from None


def input_error(error: ValidationError, config: type[BaseModel]) -> InputError:
    """Put the first problem that pydantic found into one line."""
    first = error.errors(include_url=False)[0]
    return InputError(" ".join(_message(first, config).split()))


class OneLineErrors:
    """Mixin of a pydantic model, before BaseModel: what is wrong with its values is an `InputError`."""

    def __init__(self, **values: Any) -> None:
        from pydantic import ValidationError

        try:
            super().__init__(**values)
        except ValidationError as error:
            config: Any = type(self)
            raise input_error(error, config) from None


def _message(first: ErrorDetails, config: type[BaseModel]) -> str:
    place = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        owner: Any = config
        for key in first["loc"][:-1]:
            owner = owner.model_fields[key].annotation
        return unknown_key(place, options_of(owner))
    message = first["msg"].removeprefix("Value error, ")
    if not place:
        return message
    if first["type"] == "unknown_key":
        return f"{place}.{message}"
    if first["type"] == "value_error":
        # Our own validators name the option themselves, in the words of the level that they check.
        if message.startswith((f"{first['loc'][-1]} ", f"{first['loc'][-1]}=")):
            return ".".join([*map(str, first["loc"][:-1]), message])
        if isinstance(first["input"], dict):
            is_named = re.match(r"[\w.]+(=| '.*' is not known)", message) is not None
            return f"{place}.{message}" if is_named else f"{place}: {message}"
    return _wrong_value(first, place)


def _wrong_value(first: ErrorDetails, place: str) -> str:
    message = first["msg"].removeprefix("Value error, ")
    return f"{place}={_shortened(first['input'])}: {message[0].lower()}{message[1:]}"


def _shortened(value: Any) -> str:
    """Return a value as Python writes it, of a long one the beginning and the end."""
    try:
        text = repr(value)
    except ValueError:  # A number of thousands of digits.
        return "a number that is too long to be shown"
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS // 2]}…{text[-_MOST_LETTERS // 4 :]}"


def _nearest(name: str, names: list[str]) -> str:
    """Return in brackets the name that a wrong one looks like or abbreviates (ws: watts-strogatz), if any."""
    initials = [own for own in names if "-" in own and name.lower() == "".join(word[:1] for word in own.split("-"))]
    close = initials if len(initials) == 1 else difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f" (nearest: {close[0]})" if close else ""


def options_of(config: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a config by name; a config may have a class method `options` that returns more."""
    return config.options() if hasattr(config, "options") else dict(config.model_fields)


def unknown_key(name: str, names: Iterable[str]) -> str:
    """Return the line on a key that nothing is known of."""
    valid = list(names)
    if len(name) > _MOST_LETTERS:
        name = f"{name[:_MOST_LETTERS]}…"
    return f"{name} is not a known key{_nearest(name.rpartition('.')[2], valid)}; known: {', '.join(valid)}"


def first_line(error: ValidationError, name: str) -> str:
    """Return the line on what is wrong with one value, under the name of its option."""
    first = error.errors(include_url=False)[0]
    return _wrong_value(first, ".".join(map(str, (name, *first["loc"]))))
