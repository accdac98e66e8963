"""Single values of files: names, weights, layers and numbers, checked and as text."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import TYPE_CHECKING

import numpy as np

from priors.formats.limits import MAX_NAME
from priors.formats.reading import Reading

if TYPE_CHECKING:
    from priors.wiring import Wiring

__all__ = [
    "LARGEST_WEIGHT",
    "TextNames",
    "counted",
    "flag_of_text",
    "is_name",
    "is_nothing",
    "is_number",
    "is_weight",
    "layer_of_text",
    "name_of_text",
    "plain_names",
    "shown",
    "text_names",
    "weight_of_text",
    "weight_or_none",
]

LARGEST_WEIGHT = float(np.finfo(np.float32).max)

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+([eE][+-]?[0-9]+)?", re.ASCII)
_LONGEST_NUMBER = 100
_NO_NUMBER = {"", "nan", "na", "n/a", "null", "none", "-"}
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def shown(value: object) -> str:
    """Return a value for a message: its representation, cut to 80 characters."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def counted(number: int, what: str) -> str:
    """Return a number of things, such as ``2 edges``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def is_name(item: object) -> bool:
    """Whether a JSON value names a neuron: a string of at most `MAX_NAME` characters or an integer of 64 bits."""
    return len(item) <= MAX_NAME if type(item) is str else type(item) is int and -(2**63) <= item < 2**63


def is_weight(item: object) -> bool:
    """Whether a JSON value is a finite number of single precision."""
    return isinstance(item, int | float) and not isinstance(item, bool) and abs(item) <= LARGEST_WEIGHT


def name_of_text(text: str) -> str | int:
    """Return the name that a text format tells: whole numbers (at most 18 digits) are integers, all else strings."""
    if len(text) > MAX_NAME:
        raise ValueError(f"name {shown(text)} has {len(text)} characters: at most {MAX_NAME} are read")
    return int(text) if _WHOLE.fullmatch(text) else text


class TextNames(dict[str, str | int]):
    """Names by their text; a text that is not there yet is taken as `name_of_text` does."""

    def __missing__(self, text: str) -> str | int:
        name = self[text] = name_of_text(text)
        return name


def weight_of_text(text: str) -> float:
    """Return the weight that a text format gives; the comma of ``0,5`` is a decimal point."""
    stripped = text.strip()
    weight = np.inf
    if len(stripped) <= _LONGEST_NUMBER:
        if _DECIMAL_COMMA.fullmatch(stripped):
            stripped = stripped.replace(",", ".")
        if _DECIMAL.fullmatch(stripped):
            weight = float(stripped)
    if not abs(weight) <= LARGEST_WEIGHT:
        raise ValueError(f"weight {shown(text)}: each must be a finite number of single precision")
    return weight


def weight_or_none(text: str) -> float | None:
    """Return the weight that a text format gives, None for an empty text and those that stand for nothing."""
    return None if text.strip().lower() in _NO_NUMBER else weight_of_text(text)


def is_nothing(text: str) -> bool:
    """Whether a text stands for no value."""
    return text.strip().lower() in _NO_NUMBER


def is_number(text: str) -> bool:
    """Whether a text is a number or, as numpy and pandas write it, NaN; a comma may be its decimal point."""
    return bool(_DECIMAL.fullmatch(text) or _DECIMAL_COMMA.fullmatch(text)) or text.lower() in ("nan", "inf", "-inf")


def layer_of_text(text: str, reading: Reading) -> int | None:
    """Return the layer that a text format gives; ``2.0``, which some programs write for whole numbers, is 2.

    What is no layer, such as the ``L4`` of a cortex, is an attribute of other meaning: None, and a remark.
    """
    digits = text.strip().removesuffix(".0")
    if not _WHOLE.fullmatch(digits) or digits.startswith("-"):
        reading.remark(f"attribute 'layer' of nodes, which holds {shown(text)} and is not read")
        return None
    return int(digits)


def flag_of_text(name: str, text: str) -> bool:
    """Return the truth value that a text format tells for the attribute `name` of the graph."""
    if text.strip().lower() not in _FLAGS:
        raise ValueError(f"graph attribute {name!r} holds {shown(text)}: it must be true or false")
    return _FLAGS[text.strip().lower()]


def plain_names(wiring: Wiring) -> list[str | int]:
    """Return one string or integer a neuron: its name, the text of a name that is neither, or its number.

    Raises
    ------
    ValueError
        If two names are the same text, or a name is longer than `MAX_NAME`.
    """
    names = [_plain(name) for name in (range(wiring.n_neurons) if wiring.names is None else wiring.names)]
    for name in names:
        if not is_name(name):
            raise ValueError(f"names hold {shown(name)}: at most {MAX_NAME} characters or 64 bits can be written")
    if len(set(names)) < len(names):
        raise ValueError("names differ, but not their text: a file needs names that are distinct as text")
    return names


def text_names(wiring: Wiring) -> list[str]:
    """Return the distinct texts of the neurons' names, or of their numbers where they have none.

    Raises
    ------
    ValueError
        As `plain_names`; the integer 7 and the string ``'7'`` are the same text.
    """
    texts = [str(name) for name in plain_names(wiring)]
    if len(set(texts)) < len(texts):
        raise ValueError("names differ, but not their text: a file needs names that are distinct as text")
    return texts


def _plain(name: Hashable) -> str | int:
    if isinstance(name, int | np.integer) and not isinstance(name, bool):
        return int(name)
    return str(name)
